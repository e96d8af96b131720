"""What is wrong with a list of registries, before anything is sent."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import REGISTRY_ITEM
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._input import option_problems

SECRET = "Tr0ub4dor-and-3"


def item(number: int = 0, **options: Any) -> dict[str, Any]:
    """One that is right, with ten grants."""
    database = {"type": "mysql", "host": "mysql", "namespace": "data", "port": 3306, "username": "registry", "password": SECRET, "ca": {"source": "cluster"}}
    permissions = {
        "groups": [f"group-{index}" for index in range(4)],
        "users": [f"user-{index}" for index in range(4)],
        "service_accounts": [{"namespace": "ci", "name": f"robot-{index}"} for index in range(2)],
    }
    return {"name": f"models-{number}", "display_name": "Models", "database": database, "permissions": permissions, **options}


def item_problems(registries: Any, namespace: str | None) -> list[Problem]:
    return option_problems("model_registries", {"registries": registries, **({"namespace": namespace} if namespace else {})}, {})


def sentences(registries: Any, namespace: str | None = None) -> list[str]:
    return [problem.sentence() for problem in item_problems(registries, namespace)]


@pytest.mark.parametrize(
    "right",
    [
        item(),
        {"name": "models"},
        {"name": "models", "database": None, "permissions": None, "description": ""},
        {"name": "models", "database": {"port": "3306", "verify_server_cert": "yes"}, "permissions": {"groups": "one,two", "exclusive": 1}},
        {"name": "models", "description": 5, "allow_data_change": True},
        # What was exported can be given back.
        item(status={"available": True, "conditions": [{"type": "Available"}]}),
    ],
)
def test_what_ansible_takes_is_right(right: dict[str, Any]) -> None:
    given = copy.deepcopy(right)
    assert not sentences([right])
    assert right == given, "it is passed on as it was given"
    assert not ArgumentSpecValidator(REGISTRY_ITEM).validate(right).error_messages


@pytest.mark.parametrize(("value", "shown"), [("pem", True), (SECRET, False), ({"a": 1}, False)])
def test_a_value_that_is_none_of_the_choices_is_shown_unless_it_can_be_a_secret(value: Any, shown: bool) -> None:
    [said] = sentences([item(database={"ca": {"source": value}})])
    assert ("config_map, secret, upload or none" in said, (str(value) in said)) == (True, shown), said


@pytest.mark.parametrize(
    ("wrong", "place", "facts"),
    [
        ({"database": {"port": SECRET}}, "database.port", ["an integer", "a string"]),
        ({"database": {"port": 33.06}}, "database.port", ["an integer", "a number"]),
        ({"database": {"port": True}}, "database.port", ["an integer", "a boolean"]),
        ({"database": {"type": SECRET}}, "database.type", ["mysql, postgresql or generated"]),
        ({"database": {"verify_server_cert": SECRET}}, "database.verify_server_cert", ["a boolean", "a string", "true or false"]),
        ({"database": {"password": True}}, "database.password", ["a string", "a boolean", "in quotes"]),
        ({"display_name": {"a": SECRET}}, "display_name", ["a string", "a dictionary"]),
        ({"description": [SECRET]}, "description", ["a string", "a list"]),
        ({"permissions": [SECRET]}, "permissions", ["a dictionary", "a list", "groups, "]),
        # Ansible would take it for a dictionary, and call the first half of it an unknown option.
        ({"database": f"{SECRET[:5]}={SECRET}"}, "database", ["a dictionary", "a string", "type, "]),
        ({"permissions": {"groups": {SECRET: 1}}}, "permissions.groups", ["a list", "a dictionary"]),
        ({"permissions": {"service_accounts": [{"namespace": "ci", "name": "robot"}, SECRET]}}, "permissions.service_accounts[1]", ["namespace and name"]),
        ({"permissions": {"service_accounts": SECRET}}, "permissions.service_accounts", ["a list", "a string"]),
        ({"permissions": {"service_accounts": [{"name": "robot"}]}}, "permissions.service_accounts[0].namespace", ["is required"]),
        ({"database": {"password_secret": {"name": "db"}}}, "database.password_secret.key", ["is required"]),
        ({"database": {"password_secret": {"name": "db", "key": None}}}, "database.password_secret.key", ["empty"]),
        # As a CA was given in other tools, and a key by mistake.
        ({"database": {"ca": "cluster"}}, "database.ca", ["a dictionary", "a string", "{source: cluster}", "openshift_ai", "upload"]),
        ({"database": {"ca": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n"}}, "database.ca", ["{source: cluster}"]),
        ({"database": {"ca": {"soruce": "cluster"}}}, "database.ca.soruce", ["Did you mean source?"]),
        ({"database": {"ca": {"source": SECRET}}}, "database.ca.source", ["cluster, openshift_ai, config_map, secret, upload or none"]),
        ({"database": {"ca": {"name": "bundle", "key": "ca.crt"}}}, "database.ca.source", ["is required", "cluster, "]),
        ({"database": {"ca": {"source": None}}}, "database.ca.source", ["empty", "cluster, "]),
        ({"database": {"ca": {"source": "upload", "pen": SECRET}}}, "database.ca.pen", ["is not a valid option", "Did you mean pem?"]),
        (
            {"database": {"ca": {"source": "config_map", "name": "a", "key": "k", "config_map": "a"}}},
            "database.ca.config_map",
            ["is not a valid option", "source, name, key, pem and path"],
        ),
        ({"database": {"ca": {"source": "config_map", "key": 7, "name": "a"}}}, None, []),
        ({"database": {"client_certificate": "none"}}, "database.client_certificate", ["a dictionary", "{source: secret}"]),
        (
            {"database": {"client_certificate": {"source": "secret", "name": "a", "certificate": SECRET}}},
            "database.client_certificate.certificate",
            ["Did you mean certificate_key?"],
        ),
        ({"database": {"pasword": SECRET}}, "database.pasword", ["is not a valid option", "Did you mean password?"]),
        ({"pasword": SECRET}, "pasword", ["Did you mean registries[0].database.password?"]),
        ({"password": SECRET}, "password", ["Did you mean registries[0].database.password?"]),
        ({"database": {"description": SECRET}}, "database.description", ["Did you mean registries[0].description?"]),
        ({"status": [SECRET]}, "status", ["a dictionary", "a list"]),
        ({"wanted": SECRET}, "wanted", ["is not a valid option", "name, "]),
        ({"state": "absent"}, "state", ["is not a valid option", "purge"]),
        ({True: SECRET}, "True", ["is not a valid option", "name, "]),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_a_remedy(wrong: dict[Any, Any], place: str | None, facts: list[str]) -> None:
    said = sentences([{"name": "models", **wrong}])
    if place is None:
        assert not said
        return
    [sentence] = said
    assert sentence.startswith(f"registries[0].{place}: ") and all(fact in sentence for fact in facts)
    assert SECRET not in sentence


def test_what_a_state_does_not_support_is_named_beside_an_option_of_a_wrong_type() -> None:
    for state, supported, wrong in (("present", "exclusive", "prune_unlabelled"), ("absent", "prune_unlabelled", "exclusive")):
        for option, named in ((supported, []), (wrong, [f"permissions.{wrong}"])):
            options = {"name": "models", "state": state, "wait": SECRET, "permissions": {"groups": ["g"], option: True}}
            assert [problem.option for problem in option_problems("model_registry_permission", options, {})] == ["wait", *named], (state, option)


@pytest.mark.parametrize(
    ("name", "said"),
    [({}, "is required"), ({"name": None}, "is empty"), ({"name": " "}, "is empty"), ({"name": ["models"]}, "must be a string, but is a list")],
)
def test_a_registry_without_a_name_is_refused(name: dict[str, Any], said: str) -> None:
    [sentence] = sentences([name])
    assert sentence.startswith(f"registries[0].name: {said}.")


def test_a_required_option_of_any_type_that_has_no_value_is_empty() -> None:
    condition = {"field": "license", "value": None}
    [problem] = option_problems("model_catalog", {"named_queries": [{"name": "open", "filters": [condition]}]}, {})
    assert problem.sentence() == "named_queries[0].filters[0].value: is empty. Set a value."


@pytest.mark.parametrize("given", [SECRET, {"models": {}}, None, 5, [SECRET], [None], [5], [["models"]]])
def test_the_option_has_to_be_a_list_of_dictionaries(given: Any) -> None:
    [said] = sentences(given)
    assert said.startswith("registries") and ("must be" in said or "is empty" in said) and "Set a " in said and SECRET not in said


def test_a_name_may_be_listed_once_in_a_namespace() -> None:
    registries = [item(1), item(2), item(1), item(1, namespace="others"), item(1, namespace="mine")]
    [said] = sentences(registries)
    assert said.startswith("registries[2].name: ") and "the name of registries[0]" in said
    assert [problem.option for problem in item_problems(registries, "mine")] == ["registries[2].name", "registries[4].name"]


def test_everything_in_every_item_is_said_at_once_with_what_the_values_break() -> None:
    registries = [
        item(1),
        item(2, database={"port": "many", "host": SECRET + "/", "pasword": SECRET}, permissions={"groups": [" x"], "exclusive": "perhaps"}),
        item(3),
        item(4, database={"port": 99999, "ca": {"source": "upload", "pem": f"no certificate {SECRET}"}}),
        SECRET,
        item(6, name=SECRET, database={"host": f"{SECRET}.com", "namespace": "data"}, permissions={"projects": [f"x:{SECRET}"]}),
    ]
    problems = item_problems(registries, None)
    assert {problem.option for problem in problems} == {
        "registries[1].database.port",
        "registries[1].database.host",
        "registries[1].database.pasword",
        "registries[1].permissions.groups[0]",
        "registries[1].permissions.exclusive",
        "registries[3].database.port",
        "registries[3].database.ca.pem",
        "registries[4]",
        "registries[5].name",
        "registries[5].database.namespace",
        "registries[5].permissions.projects[0]",
    }
    assert len(problems) == 11, "nothing is said twice"
    places = ["registries[1"] * 5 + ["registries[3"] * 2 + ["registries[4"] + ["registries[5"] * 3
    assert [problem.option.partition("]")[0] for problem in problems] == places
    assert all(problem.remedy for problem in problems)
    assert SECRET.lower() not in repr(problems).lower()


def test_rules_about_values_are_left_to_the_module_when_every_option_fits() -> None:
    assert not sentences([item(database={"port": 99999})])


def test_nothing_is_said_of_what_follows_from_another_problem() -> None:
    said = sentences([{"name": "models", "permissions": {"service_accounts": [SECRET, {"name": "robot"}]}}])
    assert len(said) == 2


def marked(value: Any) -> Any:
    """The value as it comes from a playbook: newer versions of Ansible mark each part of it with its place in the file."""
    from ansible._internal._datatag._tags import Origin

    if isinstance(value, dict):
        return {marked(key): marked(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [marked(entry) for entry in value]
    return Origin(path="/play.yml", line_num=3).tag(value)


def test_a_thousand_registries_take_no_time_that_one_would_notice() -> None:
    right = [marked(item(number)) for number in range(1000)]
    broken = marked({"pasword": SECRET, "database": {"port": "many", "type": "oracle"}})
    wrong = [registry | broken for registry in right]
    # Much more than it takes, and much less than Ansible's validator does with such values.
    for registries, count, limit in ((right, 0, 0.5), (wrong, 3000, 2.5)):
        started = time.process_time()
        assert len(item_problems(registries, None)) == count
        assert time.process_time() - started < limit
