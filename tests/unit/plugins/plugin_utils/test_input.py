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


SHARED = {"host": {"type": "str", "aliases": ["api_host"]}, "context": {"type": "str"}}


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("of_others", {"name": []}, []),
        ("model_registry", {"name": "a", "host": "h", "api_host": "h"}, []),
        (
            "model_registry",
            {"name": "a", "host": ["h"], "api_host": {}},
            ["host: must be a string, but is a list. Set a string, in quotes.", "api_host: must be a string, but is a dictionary. Set a string, in quotes."],
        ),
        ("model_registry", {"name": "a", "wait_timeout": None}, ["wait_timeout: is empty. Remove the option, or set a value."]),
        ("model_registry", {"name": "a", "description": None, "database": None}, []),
        # A file is read when all options fit.
        (
            "model_registry",
            {"name": "a", "wait": "x", "database": {"ca": {"source": "upload", "path": "ca.pem"}}},
            ["wait: must be a boolean, but is a string. Set true or false."],
        ),
        ("model_registry", {"nmae": "a"}, ["nmae: is not a valid option. Did you mean name?"]),
        (
            "model_registry",
            {"database": {"port": "many"}},
            [
                "name: is required. Set it.",
                "database.port: must be an integer, but is a string. Set a whole number.",
            ],
        ),
        ("model_registry", {"name": "a", "key": "k"}, ["key: is not a valid option. Did you mean database.password_secret.key or database.ca.key?"]),
        ("model_registry", {"name": "a", "pasword_secrt": "k"}, ["pasword_secrt: is not a valid option. Did you mean database.password_secret?"]),
        (
            "model_registry",
            {"name": "a", "status": {}},
            ["status: is not a valid option. Did you mean state?"],
        ),
        ("model_registry_permission", {"name": "a", "state": "gone"}, ["state 'gone': is not a valid value. Set it to present or absent."]),
        ("model_registry_database_info", {"timeout": 2.5}, []),
        ("model_registry_database_info", {"timeout": True}, ["timeout: must be a number, but is a boolean. Set a number."]),
        ("model_registry_database_info", {"timeout": float("inf")}, ["timeout: is too large a number. Set a number."]),
        ("model_registry_database_info", {"timeout": float("nan")}, ["timeout: is too large a number. Set a number."]),
        ("model_registry_database_info", {"timeout": "nan"}, ["timeout: must be a number, but is a string. Set a number."]),
        ("model_registry", {"name": "a", "wait_timeout": "nan"}, ["wait_timeout: must be an integer, but is a string. Set a whole number."]),
        ("model_registry", {"name": "a", "wait_timeout": "inf"}, ["wait_timeout: must be an integer, but is a string. Set a whole number."]),
        ("model_registry", {"name": "a", "wait_timeout": 2**63 - 1}, []),
        ("model_registry", {"name": "a", "wait_timeout": "9" * 5000}, ["wait_timeout: must be an integer, but is a string. Set a whole number."]),
        ("model_registry", {"name": "a", "wait_timeout": -(2**63)}, ["wait_timeout: is too large a number. Set a whole number."]),
        ("model_registry", {"name": "a", "description": 2**63}, ["description: is too large a number. Set another value."]),
        ("model_registry", {"name": "a", "description": 2**63 - 1}, []),
        ("model_registry", {"name": "a", "description": b"x"}, ["description: is not a string, number, boolean, list or dictionary. Set another value."]),
        ("model_registry", {"name": "a", "wait": b"x"}, ["wait: must be a boolean, but is binary data. Set true or false."]),
        ("model_registry", {"name": "a", "wait_timeout": ("x",)}, ["wait_timeout: must be an integer, but is a list. Set a whole number."]),
        ("model_registry", {"name": "a", "wait_timeout": {"x"}}, ["wait_timeout: must be an integer, but is a list. Set a whole number."]),
        ("model_registry", {"name": "a", "wait_timeout": 2.5}, ["wait_timeout: must be an integer, but is a number. Set a whole number."]),
        ("model_registry", {"name": "a", "description": "caf\udce9"}, ["description: contains bytes that are not valid UTF-8. Set a string in UTF-8."]),
        ("model_registry_backup", {"name": "a", "dest": "caf\udce9"}, ["dest: contains bytes that are not valid UTF-8. Set a string in UTF-8."]),
        ("model_registry_backup", {"name": "a", "dest": True}, ["dest: must be a path, but is a boolean. Set the path of a file."]),
        (
            "model_registry_backup",
            {"name": "a", "keep_days": "x", "command": {}},
            [
                "command: must be a list, but is a dictionary. Set a list.",
                "keep_days: must be a number, but is a string. Set a number.",
            ],
        ),
        (
            "model_registry_info",
            {"include": ["status", "x"]},
            ["include[1] 'x': is not a valid value. Set it to status, permissions, certificates, database or smoke_test."],
        ),
        ("model_registry_info", {"include": "status,permissions"}, []),
        (
            "model_registry_info",
            {"include": ["status", None, True]},
            [
                "include[1]: is empty. Set a string, in quotes.",
                "include[2]: must be a string, but is a boolean. Set a string, in quotes.",
            ],
        ),
        (
            "model_registries",
            {"registries": [{"name": "a", "status": {"x": ["caf\udce9"]}}]},
            [
                "registries[0].status: contains bytes that are not valid UTF-8. Set a string in UTF-8.",
            ],
        ),
        ("model_registries", {"registries": [{"name": "a", "status": {"x": 2**64}}]}, ["registries[0].status: is too large a number. Set another value."]),
        (
            "model_registries",
            {"registries": [{"name": "a", "status": {"x": ({1},)}}]},
            [
                "registries[0].status: is not a string, number, boolean, list or dictionary. Set another value.",
            ],
        ),
        ("model_registries", {"registries": [{"name": "a", "status": {"x": (1.5, True, None, {"y": "z"})}}]}, []),
        ("model_registry_backup_info", {}, []),
        (
            "model_registries",
            {"registries": [{"name": "a", "statuss": 1}]},
            [
                "registries[0].statuss: is not a valid option. Valid options are name, namespace, database, permissions, allow_data_change, display_name"
                " and description."
            ],
        ),
        (
            "model_registry_permission",
            {"name": "a", " ": 1},
            ["options: contains an option that is not valid. Valid options are host, api_host, context, name, namespace, state, permissions and verify."],
        ),
        (
            "model_registry_permission",
            {"name": "a", "wanted": 1},
            ["wanted: is not a valid option. Valid options are host, api_host, context, name, namespace, state, permissions and verify."],
        ),
        (
            "model_registries",
            {"registries": [{"name": "a", "wanted": 1}, 5]},
            [
                "registries[0].wanted: is not a valid option. Valid options are name, namespace, database, permissions, allow_data_change, display_name"
                " and description.",
                "registries[1]: must be a dictionary, but is a number. Set a dictionary with name, namespace, database, permissions, allow_data_change,"
                " display_name and description.",
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(module: str, arguments: dict[str, Any], said: list[str]) -> None:
    assert [problem.sentence() for problem in option_problems(module, arguments, SHARED)] == said


def test_what_is_wrong_outside_of_the_list_comes_first_and_the_entries_follow_in_their_order() -> None:
    arguments = {"registries": [{"name": f"r{number}", "x": 1} if number in (2, 10) else {"name": f"r{number}"} for number in range(11)], "wait": "x"}
    assert [problem.option for problem in option_problems("model_registries", arguments, {})] == ["wait", "registries[2].x", "registries[10].x"]


def test_a_name_is_repeated_also_where_an_entry_says_the_namespace_that_the_others_have() -> None:
    listed = [{"name": "a"}, {"name": "a", "namespace": "n"}, {"namespace": "n"}, {"namespace": "n"}]
    assert [problem.option for problem in item_problems(listed[:2], "n")] == ["registries[1].name"] and item_problems(listed[:2], "m") == []
    [first, second] = item_problems(listed[2:], None)
    assert first.problem == second.problem == "is required"


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
