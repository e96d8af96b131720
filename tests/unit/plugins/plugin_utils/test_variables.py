"""Which variables are ours, and which are ours but for a letter."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._variables import SETTINGS, TAKEN, misspelled
from docs import playbooks


def test_the_variables_are_those_of_the_documentation() -> None:
    said = yaml.safe_load((playbooks.ROOT / "docs" / "site" / "variables.yml").read_text())
    documented = set(said["common"]) | {name for playbook in said["playbooks"].values() for name in playbook.get("variables", {})}
    for arguments in (playbooks.ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry_point in yaml.safe_load(arguments.read_text())["argument_specs"].values():
            documented |= set(entry_point["options"])
    assert documented == TAKEN


def test_what_playbooks_and_roles_set_themselves_is_not_taken_for_a_misspelled_variable() -> None:
    used = [playbooks.used_by(path) for path in (playbooks.ROOT / "playbooks").glob("*.yml")]
    used += [playbooks.used_in(path) for folder in ("roles/*/tasks", "aap/project") for path in playbooks.ROOT.glob(f"{folder}/*.yml")]
    written = {name for each in used for name in each.written}
    assert "model_registries_result" in written and misspelled(written, {}) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    {
        "model_registries_purg": "model_registries_purge",
        "model_registries_pruge": "model_registries_purge",
        "model_registry_purge": "model_registries_purge",
        "model_registries_purge_limits": "model_registries_purge_limit",
        "model_registries_cluster": "model_registry_cluster",
        "model_registry_clusters": "model_registries_clusters",
        "model_registry_delete_dtaa": "model_registry_delete_data",
        "model_registry_anme": "model_registry_name",
        "model_regsitry_database_host": "model_registry_database_host",
    }.items(),
)
def test_the_nearest_variable_is_named(name: str, meant: str) -> None:
    assert misspelled([name], {}) == [f"Variable {name} does not exist. Did you mean {meant}?"]
    assert misspelled([], {"east": {name: 1}, "west": {meant: 1}}) == [f"Variable {name} of host east does not exist. Did you mean {meant}?"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        # Of a short name one letter may be wrong, of a longer one two.
        ("model_registries_lisst", "model_registries_list"),
        ("model_registries_wit", "model_registries_wait"),
        ("model_registries_lxsx", ""),
        ("model_registries_namespaaace", "model_registries_namespace"),
        ("model_registries_namespaaaace", ""),
        ("model_registries_nmaepsace", "model_registries_namespace"),
        ("model_registries_xamespacx", "model_registries_namespace"),
        ("model_registries_xaxespacx", ""),
        ("model_registries_anempsace", ""),
        ("model_registries_urge", "model_registries_purge"),
        ("model_registries_purgee", "model_registries_purge"),
        ("model_registries_lurge", "model_registries_purge"),
        # The variables of the catalog are meant least often, and those with the same beginning most often.
        ("model_catalog_wait_timeou", "model_catalog_wait_timeout"),
        ("model_registries_wait_timeou", "model_registries_wait_timeout"),
        ("model_registry_named_queries", "model_catalog_named_queries"),
        ("model_registry_name_space", "model_registries_namespace"),
        ("model_catalogue_wait", "model_catalog_wait"),
        ("model_registriess_list", "model_registries_list"),
    ],
)
def test_how_far_a_name_may_be_from_the_one_that_was_meant(name: str, meant: str) -> None:
    assert misspelled([name], {}) == ([f"Variable {name} does not exist. Did you mean {meant}?"] if meant else [])


def test_all_of_them_are_told_in_their_order_each_once_and_of_the_first_host_that_has_it() -> None:
    variables = {"east": {"model_registries_purg": 1, "purge": 1}, "west": {"model_registries_purg": 1, "model_registries_lisst": 1}}
    assert [sentence.partition(" does")[0] for sentence in misspelled(["model_registries_wiat"], variables)] == [
        "Variable model_registries_lisst of host west",
        "Variable model_registries_purg of host east",
        "Variable model_registries_wiat",
    ]


@pytest.mark.parametrize("name", ["model_registry_owner", "model_registries_team", "model_registry_file", "model_name", "purg", f"{SETTINGS}namespace"])
def test_other_variables_are_the_users_own(name: str) -> None:
    assert misspelled([name], {"east": {name: 1}}) == []
