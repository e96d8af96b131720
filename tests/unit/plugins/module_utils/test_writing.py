"""What a record of changes tells."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._writing import Outcome


def change(action: str, kind: str, *fields: str) -> dict[str, Any]:
    return {"action": action, "kind": kind, "namespace": "registries", "name": "fraud", "fields": list(fields)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], False),
        ([change("create", "ModelRegistry", "display_name", "database.host")], True),
        ([change("update", "ModelRegistry", "description", "database.ca")], True),
        ([change("update", "Secret", "database.password"), change("restart", "Deployment")], True),
        # The pods stay as they are: what they said before is no answer to this change.
        ([change("update", "ModelRegistry", "description")], False),
        ([change("create", "Secret", "database.password")], False),
        ([change("create", "RoleBinding", "permissions.groups")], False),
    ],
)
def test_only_some_changes_have_new_pods_made(changes: list[dict[str, Any]], expected: bool) -> None:
    assert Outcome(changes=changes).makes_pods is expected
