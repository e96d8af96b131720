"""What is written back, and what is not."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import registry_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import kinds
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import changeset, record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import rollback

CHANGE = changeset.Change("update", "ConfigMap", "registries", "bundle", ("database.ca",), "PATCH", kinds.CONFIG_MAPS, {"data": {"ca.crt": "new"}})


class Unasked:
    """A cluster that is not asked."""


@pytest.mark.parametrize("previous", [{}, {"data": {"other": "text"}}, {"binaryData": {"ca.crt": "b2xk"}}])
def test_a_value_that_was_stored_in_another_form_is_left_with_a_reason(previous: dict[str, Any]) -> None:
    reason = rollback.write_back(cast(registry_reader.Reader, Unasked()), CHANGE, previous, ["fraud"], record.Outcome())
    said = "The previous CA was not put back into ConfigMap 'bundle': it was stored in another form."
    assert rollback.sentence(CHANGE, reason) == said
