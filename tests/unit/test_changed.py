"""The tests that `make test-changed` runs for a change."""

from __future__ import annotations

import pytest

from tests import changed

UNIT = "tests/unit/plugins/module_utils"

pytestmark = pytest.mark.usefixtures("without_garbage_collection")


@pytest.mark.parametrize(
    ("file", "test"),
    [
        ("plugins/module_utils/_plan/drift.py", f"{UNIT}/test_drift.py"),
        ("plugins/module_utils/_run/ca.py", "tests/integration/test_model_registry_ca.py"),
        ("plugins/modules/model_registry_info.py", "tests/integration/test_model_registry_info.py"),
        ("sandbox/toolchain.py", "tests/unit/sandbox/test_toolchain.py"),
        ("tests/playing.py", "tests/integration/test_playbooks.py"),
        ("tests/integration/conftest.py", "tests/integration/test_never.py"),
        ("playbooks/check.yml", "tests/integration/test_playbooks.py"),
        ("roles/model_registry_report/tasks/main.yml", "tests/integration/test_report.py"),
        ("docs/docsite/rst/first_registry.rst", "tests/integration/test_guides.py"),
        ("docs/docsite/rst/from_the_dashboard.rst", "tests/unit/plugins/doc_fragments/test_database.py"),
        ("tests/integration/test_never.py", "tests/integration/test_never.py"),
    ],
)
def test_a_change_is_tested(file: str, test: str) -> None:
    assert test in changed.concerned([file])


def test_what_has_nothing_to_do_with_a_change_is_left_out() -> None:
    assert f"{UNIT}/test_drift.py" not in changed.concerned(["sandbox/toolchain.py", "tests/integration/test_never.py"])
    assert "tests/integration/test_playbooks.py" not in changed.concerned(["docs/docsite/rst/first_registry.rst"])
    assert changed.concerned([]) == []
