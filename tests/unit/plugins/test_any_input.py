"""Whatever is given as options: it is told in words, with the place and never with a credential that is in it, and it is no error of Python."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import desired_catalog, desired_state, permissions
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.catalog import BEFORE_DEFAULTS, WITH_MCP
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import OF_MODULE
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import bundle_plan, catalog_plan
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import (
    backup,
    ca,
    catalog,
    catalog_info,
    component,
    database_info,
    info,
    migrate,
    registries,
    registry,
    restore,
)
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._input import option_problems

from .module_utils import catalogs
from .module_utils.builders import NAMESPACE, OLD, TODAY, Live, live, wanted
from .module_utils.builders import planned as plan_of

# For each module: enough to find a mistake soon, few enough for every run of the tests.
EXAMPLES = 60
MARKER = "S3cr3t-Pa55"
PEM = f"-----BEGIN PRIVATE KEY-----\n{MARKER}\n-----END PRIVATE KEY-----\n"
KEY = base64.b64encode(PEM.encode()).decode()
# Credentials as they are given to the wrong option.
CREDENTIALS = [
    MARKER,
    f"{MARKER} ",
    f"root:{MARKER}",
    f"root:{MARKER} ",
    f"root {MARKER}",
    f"mysql://root:{MARKER}@h/db",
    f"db?password={MARKER}",
    f"password={MARKER}",
    f"/{MARKER}",
    f"{MARKER}/x",
    f"{MARKER}.example.com",
    f"system:serviceaccount:{MARKER}",
    f"system:serviceaccounts:{MARKER}",
    f"[{MARKER}",
    f"{{'{MARKER}': ",
    f'{{"{MARKER}": 1}}',
    PEM,
    PEM.replace("\n", ""),
    PEM.replace("PRIVATE KEY", "CERTIFICATE"),
    KEY,
    f"{MARKER}\udcff",
]
# What no message may hold, in whatever case: names are derived in lower-case letters.
SECRETS = [MARKER.lower(), MARKER.lower().replace("-", ""), KEY.lower()[:24]]
HARMLESS = [
    "",
    " ",
    ".",
    "..",
    "none",
    "cluster",
    "generated",
    "mysql",
    "a",
    "Fraud Models",
    "x" * 300,
    "1e10",
    "\0",
    "\ud800",
    "漢字",
    "::1",
    "present",
    "absent",
]

texts = st.sampled_from([*CREDENTIALS, *HARMLESS])
# More digits than Python writes, so that neither this list nor Hypothesis can show such a number itself.
huge = st.sampled_from([-5000, 5000]).map(lambda digits: (1 if digits > 0 else -1) * 10 ** abs(digits))
numbers = st.sampled_from([0, 1, -1, 3306, 70000, 10**10, 1.5, 1e10, float("inf"), float("-inf"), float("nan")]) | huge
odd = st.sampled_from([b"bytes", {"a set"}, datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3)])
scalars = texts | numbers | st.booleans() | st.none() | odd
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(), inner, max_size=3), max_leaves=6)

# Right values, so that what is wrong stands beside what is right.
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["fraud", "fruad", "a" * 45]),
    "host": st.sampled_from(["mysql", "db.example.com", "10.0.0.1"]),
    "username": st.just("registry"),
    "password": st.just(MARKER),
    "key": st.sampled_from(["ca.crt", KEY]),
    "pem": st.sampled_from([PEM, KEY]),
    "path": st.sampled_from(["ca.pem", MARKER]),
    "query": st.sampled_from(["registries[].name", f"[{MARKER}", f"'{MARKER}' | {MARKER}(@)", f'length(`{{"a": "{MARKER}"}}`, `1`)']),
}


def values(name: str, spec: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values for an option: right ones, those of the right shape with something wrong inside, and others."""
    kind, fitting = spec.get("type", "str"), RIGHT.get(name, st.nothing())
    if "choices" in spec and kind == "str":
        fitting = st.sampled_from(spec["choices"])
    elif kind == "bool":
        fitting = st.booleans()
    elif kind in ("int", "float"):
        fitting = st.integers(1, 1000)
    elif kind == "dict" and "options" in spec:
        fitting = options(spec["options"])
    elif kind == "list":
        fitting = st.lists(options(spec["options"]) if "options" in spec else scalars, max_size=3)
    return fitting | fitting | texts | anything if kind == "str" else fitting | fitting | anything


def options(specs: Mapping[str, Any]) -> st.SearchStrategy[dict[Any, Any]]:
    """Some of these options, and at times what is none of them."""
    optional = {name: values(name, spec) for name, spec in specs.items() if not spec.get("required")}
    required = {name: values(name, spec) for name, spec in specs.items() if spec.get("required")}
    right = st.fixed_dictionaries(required, optional=optional)
    return right | right | right | st.builds(lambda known, other: {**known, **other}, right, st.dictionaries(texts | st.integers(), anything, max_size=2))


def messages_of(module: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Everything that a run with these arguments says, before and after the module has them."""
    problems = option_problems(module, arguments, AUTH_ARG_SPEC)
    yield from told(problems)
    if problems:
        return
    validated = ArgumentSpecValidator({**AUTH_ARG_SPEC, **OF_MODULE[module]}).validate(json.loads(json.dumps(arguments, default=str)))
    assert not validated.error_messages, "what the controller finds right is right for Ansible"
    yield from RULES[module](validated.validated_parameters)


def told(problems: list[_errors.Problem]) -> list[str]:
    """All that programs and people read of problems."""
    assert all(problem.option and problem.problem and problem.remedy for problem in problems)
    return [*(problem.sentence() for problem in problems), *map(repr, problems), str(_errors.InputError(problems))]


def of_registry(given: dict[str, Any]) -> Iterator[str]:
    yield from told(registry.input_problems(given))
    problems: list[_errors.Problem] = []
    warnings: list[str] = []
    described = desired_state.registry_from_options(given, NAMESPACE, problems, warnings)
    if given["state"] == "present":
        consent = {"allow_data_change": given["allow_data_change"]}
        # What is wrong with the options does not keep the plan from being made, so that everything is told at once.
        for cluster in (Live(TODAY, names=frozenset({"fraud", "churn"})), Live(OLD), live(wanted()), live(wanted("postgresql")), live(wanted("generated"))):
            made = plan_of(described, cluster, **consent)
            yield from [*told(list(made.problems)), *made.warnings]
    yield from warnings
    yield from of_permissions(given)


def of_permissions(given: dict[str, Any]) -> Iterator[str]:
    yield from told(registry.input_problems(given))
    warnings: list[str] = []
    permissions.permissions_from_options(given["permissions"] or {}, given["state"] == "absent", [], warnings)
    yield from warnings


def of_fleet(given: dict[str, Any]) -> Iterator[str]:
    yield from told(registries.input_problems(given))


def of_bundle(given: dict[str, Any]) -> Iterator[str]:
    warnings: list[str] = []
    problems: list[_errors.Problem] = []
    bundle_plan.bundle_from_options(given, problems, warnings)
    yield from [*told(ca.input_problems(given)), *warnings]


def of_info(given: dict[str, Any]) -> Iterator[str]:
    problems = info.input_problems(given)
    yield from told(problems)
    if given["query"] is not None and not any(problem.option == "query" for problem in problems):
        try:
            info.asked(given["query"], {"registries": []})
        except _errors.InputError as error:
            yield from told(error.problems)


def of_database(given: dict[str, Any]) -> Iterator[str]:
    # Ansible refuses a call with both, but not one with an option that has no value.
    if given["registry"] is None or given["database"] is None:
        yield from told(database_info.input_problems(given)[1])


def of_component(given: dict[str, Any]) -> Iterator[str]:
    yield from told(component.input_problems(given))


def of_catalog(given: dict[str, Any]) -> Iterator[str]:
    yield from told(catalog.input_problems(given))
    problems: list[_errors.Problem] = []
    described = desired_catalog.wanted_from_options(given, problems)
    # One whose options are wrong is not planned.
    if not problems:
        for there in (catalogs.live(), catalogs.live(generation=WITH_MCP), catalogs.live(generation=BEFORE_DEFAULTS)):
            made = catalog_plan.plan_catalog(described, there, given["store"], given["purge"], given["purge_limit"])
            yield from [*told(list(made.problems)), *made.warnings, *(repr(change) for change in made.changes if change.kind == "Secret")]


def of_catalog_info(given: dict[str, Any]) -> Iterator[str]:
    yield from told(catalog_info.input_problems(given))


RULES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "model_registry": of_registry,
    "model_registry_permission": of_permissions,
    "model_registries": of_fleet,
    "model_registry_ca": of_bundle,
    "model_registry_info": of_info,
    "model_registry_database_info": of_database,
    "model_registry_component": of_component,
    "model_registry_migrate": lambda given: iter(told(migrate.input_problems(given))),
    "model_registry_backup": lambda given: iter(told(backup.input_problems(given))),
    "model_registry_restore": lambda given: iter(told(restore.input_problems(given))),
    "model_catalog": of_catalog,
    "model_catalog_info": of_catalog_info,
}


def fuzzed(module: str, examples: int, number: int, attempt: Callable[[dict[str, Any]], None]) -> None:
    """Call `attempt` with so many options of a module; the same number makes the same ones."""

    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(options(OF_MODULE[module]))
    def run(arguments: dict[str, Any]) -> None:
        attempt(arguments)

    run()


def assert_told_well(module: str, arguments: Mapping[str, Any]) -> None:
    """That no message about these options shows a credential, and that each can be printed, and sent as a result."""
    for message in messages_of(module, arguments):
        assert not [secret for secret in SECRETS if secret in message.lower()], message
        message.encode()


@pytest.mark.parametrize("module", OF_MODULE)
def test_whatever_is_given_is_told_in_words_and_never_with_a_credential(module: str) -> None:
    fuzzed(module, EXAMPLES, 20260501, lambda arguments: assert_told_well(module, arguments))
