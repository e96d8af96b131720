"""What a registry's answer means."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._smoke_test import in_words


@pytest.mark.parametrize(
    ("status", "result", "said"),
    [
        (200, "ok", "answers"),
        (301, "unauthorized", "does not accept the token"),
        (302, "unauthorized", "does not accept the token"),
        (303, "unauthorized", "does not accept the token"),
        (307, "unauthorized", "does not accept the token"),
        (401, "unauthorized", "does not accept the token"),
        (403, "forbidden", "no access"),
        (404, "failed", "404"),
        (500, "failed", "500"),
        (503, "failed", "503"),
    ],
)
def test_each_status_is_told_in_words(status, result, said):
    answer = in_words(status)
    assert (answer.result, answer.http_status) == (result, status)
    assert said in answer.message
    assert answer.as_result() == {"result": result, "message": answer.message, "http_status": status}
