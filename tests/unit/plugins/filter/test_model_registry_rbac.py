"""The ClusterRoles that name single registries: each rule names the objects of the list, and none applies to all objects."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.filter.model_registry_rbac import model_registry_rbac


def test_every_rule_names_the_objects_of_the_listed_registries_and_no_others() -> None:
    roles = model_registry_rbac([{"name": "west", "database": {}}, {"name": "east"}, {"name": "west"}])
    named = {role["metadata"]["name"]: [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in role["rules"]] for role in roles}
    assert named == {
        "model-registry-members": [(["groups"], ["east-users", "west-users"], ["get", "patch"])],
        "model-registry-leftovers": [(["clusterrolebindings"], ["east-auth-delegator", "west-auth-delegator"], ["get", "delete"])],
    }


@pytest.mark.parametrize(
    ("registries", "said"),
    [
        ([], "a rule without names applies to all objects"),
        ([{"name": ""}], "not a valid resource name"),
        ([{"name": "*"}], "not a valid resource name"),
        ([{"name": "ok"}, {"name": "Not a name"}], "not a valid resource name"),
        ([{"name": "x" * 60}], "characters"),
        ([{"name": "ok"}, {"name": "model-catalog"}], "the operator would overwrite objects of the model catalog"),
        ([{"display_name": "Only this"}], "each a dictionary with a name"),
        ([{"name": None}], "each a dictionary with a name"),
        (["fraud-models"], "each a dictionary with a name"),
        ("fraud-models", "needs a list of registries"),
        ({"name": "fraud-models"}, "needs a list of registries"),
    ],
)
def test_nothing_is_written_for_a_list_that_would_allow_something_else(registries: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match="model_registry_rbac") as caught:
        model_registry_rbac(registries)
    assert said in str(caught.value)
