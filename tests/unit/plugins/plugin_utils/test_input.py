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
    database = {"type": "mysql", "host": "mysql", "namespace": "data", "port": 3306, "username": "registry", "password": SECRET, "ca": "cluster"}
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
        {"name": "models", "database": {"port": "3306", "verify_server_cert": "yes"}, "permissions": {"groups": "one,two", "exact": 1}},
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


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"database": {"port": SECRET}}, "registries[0].database.port: is a text and no whole number. Give a whole number."),
        ({"database": {"port": 33.06}}, "registries[0].database.port: is a number and no whole number. Give a whole number."),
        ({"database": {"port": True}}, "registries[0].database.port: is a truth value and no whole number. Give a whole number."),
        ({"database": {"type": SECRET}}, "registries[0].database.type: is nothing that can be chosen. Use mysql, postgresql or generated."),
        ({"database": {"verify_server_cert": SECRET}}, "registries[0].database.verify_server_cert: is a text and no truth value. Give true or false."),
        ({"database": {"password": True}}, "registries[0].database.password: is a truth value and no text. Give a text, in quotes."),
        ({"display_name": {"a": SECRET}}, "registries[0].display_name: is a dictionary and no text. Give a text, in quotes."),
        ({"description": [SECRET]}, "registries[0].description: is a list and no text. Give a text, in quotes."),
        ({"permissions": [SECRET]}, "registries[0].permissions: is a list and no dictionary. Give a dictionary with groups, "),
        # Ansible would take it for a dictionary, and call the first half of it an unknown option.
        ({"database": f"{SECRET[:5]}={SECRET}"}, "registries[0].database: is a text and no dictionary. Give a dictionary with type, "),
        ({"permissions": {"groups": {SECRET: 1}}}, "registries[0].permissions.groups: is a dictionary and no list. Give a list."),
        (
            {"permissions": {"service_accounts": [{"namespace": "ci", "name": "robot"}, SECRET]}},
            "registries[0].permissions.service_accounts[1]: is a text and no dictionary. Give a dictionary with namespace and name.",
        ),
        ({"permissions": {"service_accounts": SECRET}}, "registries[0].permissions.service_accounts: is a text and no list. Give a list."),
        ({"permissions": {"service_accounts": [{"name": "robot"}]}}, "registries[0].permissions.service_accounts[0].namespace: is missing. Give it."),
        ({"database": {"password_secret": {"name": "db"}}}, "registries[0].database.password_secret.key: is missing. Give it."),
        ({"database": {"password_secret": {"name": "db", "key": None}}}, "registries[0].database.password_secret.key: is empty. Give a text."),
        ({"database": {"pasword": SECRET}}, "registries[0].database.pasword: is no option. It is probably password."),
        ({"pasword": SECRET}, "registries[0].pasword: is no option. It is probably registries[0].database.password."),
        ({"password": SECRET}, "registries[0].password: is no option. It belongs to registries[0].database.password."),
        ({"database": {"description": SECRET}}, "registries[0].database.description: is no option. It belongs to registries[0].description."),
        ({"status": [SECRET]}, "registries[0].status: is a list and no dictionary. Give a dictionary."),
        ({"wanted": SECRET}, "registries[0].wanted: is no option. There are name, "),
        ({"state": "absent"}, "registries[0].state: is no option. Leave it out: what is listed is to be there, and purge deletes what is not."),
        ({True: SECRET}, "registries[0].True: is no option. There are name, "),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_a_remedy(wrong: dict[Any, Any], sentence: str) -> None:
    [said] = sentences([{"name": "models", **wrong}])
    assert said.startswith(sentence)
    assert SECRET not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [({}, "is missing"), ({"name": None}, "is empty"), ({"name": " "}, "is empty"), ({"name": ["models"]}, "is a list and no text")],
)
def test_a_registry_without_a_name_is_refused(name: dict[str, Any], said: str) -> None:
    [sentence] = sentences([name])
    assert sentence.startswith(f"registries[0].name: {said}.")


@pytest.mark.parametrize("given", [SECRET, {"models": {}}, None, 5, [SECRET], [None], [5], [["models"]]])
def test_the_option_has_to_be_a_list_of_dictionaries(given: Any) -> None:
    [said] = sentences(given)
    assert said.startswith("registries") and ("no " in said or "is empty" in said) and "Give a " in said and SECRET not in said


def test_a_name_may_be_listed_once_in_a_namespace() -> None:
    registries = [item(1), item(2), item(1), item(1, namespace="others"), item(1, namespace="mine")]
    assert sentences(registries) == ["registries[2].name: is the name of registries[0] too. List each registry once."]
    assert [problem.option for problem in item_problems(registries, "mine")] == ["registries[2].name", "registries[4].name"]


def test_everything_in_every_item_is_said_at_once_with_what_the_values_break() -> None:
    registries = [
        item(1),
        item(2, database={"port": "many", "host": SECRET + "/", "pasword": SECRET}, permissions={"groups": [" x"], "exact": "perhaps"}),
        item(3),
        item(4, database={"port": 99999, "ca": {"pem": f"no certificate {SECRET}"}}),
        SECRET,
        item(6, name=SECRET, database={"host": f"{SECRET}.com", "namespace": "data"}, permissions={"projects": [f"x:{SECRET}"]}),
    ]
    problems = item_problems(registries, None)
    assert {problem.option for problem in problems} == {
        "registries[1].database.port",
        "registries[1].database.host",
        "registries[1].database.pasword",
        "registries[1].permissions.groups[0]",
        "registries[1].permissions.exact",
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
