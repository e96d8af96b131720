"""Input that cannot be carried out: every problem at once, each with its option, value and remedy, and not one write."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.kube import ApiError
from sandbox.layout import REGISTRIES_NAMESPACE
from tests.helpers import REGISTRIES, Cluster, Run, Runner, Task, until

PERMISSION, CA, FLEET, INFO, LOOK = (
    f"modelops.openshift_ai.{name}"
    for name in ("model_registry_permission", "model_registry_ca", "model_registries", "model_registry_info", "model_registry_database_info")
)

MYSQL: dict[str, Any] = {"type": "mysql", "host": "mysql", "namespace": "data", "name": "no_matter", "username": "registry", "password": "never-shown"}
POSTGRESQL = MYSQL | {"type": "postgresql", "host": "postgres"}
GENERATED = {"type": "generated"}
# An option that is changed, what problem names it, and a part of what it says.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"port": 0}, "database.port", "0: is not a valid port"),
    ({"port": 70000}, "database.port", "70000"),
    ({"host": ""}, "database.host", "is empty"),
    ({"host": "  "}, "database.host", "is empty"),
    ({"host": " mysql"}, "database.host", "white space"),
    ({"host": "mysql://mysql"}, "database.host", "URL"),
    ({"host": "mysql/models"}, "database.host", "path"),
    ({"host": "mysql:3306"}, "database.host", "database.port"),
    ({"host": "mysql.other"}, "database.namespace", "a host that contains a dot"),
    ({"name": ""}, "database.name", "is empty"),
    ({"name": "models "}, "database.name", "white space"),
    ({"name": "a/b"}, "database.name", "/"),
    ({"name": "a%b"}, "database.name", "%"),
    ({"name": "a?b"}, "database.name", "?"),
    ({"username": "\t"}, "database.username", "is empty"),
    ({"username": "a:b"}, "database.username", "truncates it"),
    ({"password": "why?"}, "database.password", "question mark"),
    ({"password": ""}, "database.password", "is empty"),
    ({"password": "word\n"}, "database.password", "line break"),
    ({"password_secret": {"name": "vault", "key": "password"}}, "database.password_secret", "mutually exclusive with database.password"),
    ({"password": None, "password_secret": {"name": "no-such-secret", "key": "password"}}, "database.password_secret", "the Secret does not exist"),
    ({"password": None, "password_secret": {"name": "input-secret", "key": "nope"}}, "database.password_secret", "keys: empty, good, line, question"),
    ({"password": None, "password_secret": {"name": "input-secret", "key": "line"}}, "database.password_secret", "line break"),
    ({"password": None, "password_secret": {"name": "input-secret", "key": "question"}}, "database.password_secret", "question mark"),
    ({"password": None, "password_secret": {"name": "input-secret", "key": "empty"}}, "database.password_secret", "contains no password"),
    ({"password": None}, "name", "To create it, set database.password"),
    ({"ca": {"source": "config_map", "name": "no-such-map", "key": "ca.crt"}}, "database.ca", "the ConfigMap does not exist"),
    ({"ca": {"source": "secret", "name": "no-such-secret", "key": "ca.crt"}}, "database.ca", "the Secret does not exist"),
    ({"ca": {"source": "config_map", "name": "odh-trusted-ca-bundle", "key": "nope"}}, "database.ca", "keys: ca-bundle.crt, odh-ca-bundle.crt"),
    ({"ca": {"source": "secret", "name": "input-secret", "key": "good"}}, "database.ca", "no PEM certificate"),
    ({"ca": {"source": "openshift_ai"}}, "database.ca", "no PEM certificate"),
    ({"ca": {"source": "cluster", "key": "ca.crt"}}, "database.ca.key", "not supported with source cluster"),
    ({"client_certificate": {"source": "secret", "name": "no-such-secret"}}, "database.client_certificate", "the Secret does not exist"),
    ({"client_certificate": {"source": "secret", "name": "input-secret"}}, "database.client_certificate", "does not have the key 'tls.crt'"),
    ({"client_certificate": {"source": "secret"}}, "database.client_certificate.name", "is required"),
    ({"ssl_mode": "require"}, "database.ssl_mode", "is supported only for PostgreSQL"),
    (POSTGRESQL | {"ca": {"source": "cluster"}, "verify_server_cert": True}, "database.verify_server_cert", "not its host name"),
    (POSTGRESQL | {"username": "a b"}, "database.username", "does not support"),
    (POSTGRESQL | {"name": "a#b"}, "database.name", "#"),
    (POSTGRESQL | {"password": None, "password_secret": {"name": "input-secret", "key": "question"}}, "database.password_secret", "percent-encoded"),
    (GENERATED | {"namespace": None}, "database.host", "is not supported for a generated database"),
]


@pytest.fixture(scope="module")
def secret_of_somebody(cluster: Cluster) -> str:
    """A Secret with a good password and some that cannot work."""
    texts = {"good": "word", "line": "word\n", "question": "why?", "empty": ""}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "input-secret"}, "stringData": texts}
    cluster.call(lambda api: api.apply_all([manifest | {"metadata": {"name": "input-secret", "namespace": REGISTRIES_NAMESPACE}}]))
    return "input-secret"


def together() -> list[dict[str, Any]]:
    """The wrong options, as many of them together as do not stand in each other's way: all problems are named at once."""
    runs: list[dict[str, Any]] = []
    for wrong, _option, _said in WRONG:
        alone = "type" in wrong or wrong.get("password", "") is None
        merged = next((run for run in runs if not alone and "alone" not in run and not run.keys() & wrong.keys()), None)
        if merged is None:
            runs.append({"alone": True} | wrong if alone else dict(wrong))
        else:
            merged.update(wrong)
    return [{key: value for key, value in run.items() if key != "alone"} for run in runs]


@pytest.fixture(scope="module")
def refusals(cluster: Cluster, automation: Runner, secret_of_somebody: str) -> list[tuple[dict[str, Any], Run]]:
    """Wrong options, and what came of them."""
    wrong = together()
    try:
        tasks = [Task({"name": "never-made", "database": {key: value for key, value in (MYSQL | run).items() if value is not None}}) for run in wrong]
        return list(zip(wrong, automation.sequence(tasks), strict=True))
    finally:
        cluster.delete("v1", "secrets", secret_of_somebody)


@pytest.mark.parametrize(("wrong", "option", "said"), WRONG)
def test_each_wrong_input_is_named_with_its_option_and_remedy_before_any_write(
    refusals: list[tuple[dict[str, Any], Run]], wrong: dict[str, Any], option: str, said: str
) -> None:
    _options, run = min((found for found in refusals if wrong.items() <= found[0].items()), key=lambda found: len(found[0]))
    assert run.failed
    problems = [problem for problem in run.result["problems"] if problem["option"] == option]
    assert said in run.result["msg"] and problems and all(problem["remedy"] in run.result["msg"] for problem in problems)
    assert run.writes == []
    assert "never-shown" not in run.output and "why?" not in run.output


def test_all_problems_are_named_at_once_those_of_the_cluster_too(automation: Runner) -> None:
    database = MYSQL | {"port": 0, "username": "a:b", "password": "why?", "ca": {"source": "config_map", "name": "no-such-map", "key": "ca.crt"}}
    run = automation(name="Fraud Models", display_name=" ", wait_timeout=0, database=database)
    options = [problem["option"] for problem in run.result["problems"]]
    assert options == ["name", "display_name", "wait_timeout", "database.port", "database.username", "database.password", "database.ca"]
    assert "'fraud-models'" in run.result["msg"] and "why?" not in run.output
    assert run.writes == []


def test_everything_that_a_new_registry_needs_is_named_at_once(automation: Runner) -> None:
    run = automation(name="never-made", database={"port": 3307})
    [problem] = run.result["problems"]
    assert problem["option"] == "name" and problem["remedy"] == "To create it, set database.type, database.host, database.username and database.password"
    assert f"Registry 'never-made' does not exist in namespace '{REGISTRIES_NAMESPACE}'" in run.result["msg"]


def test_a_typo_in_the_name_of_a_registry_is_answered_with_the_one_that_was_probably_meant(automation: Runner, cluster: Cluster) -> None:
    spec = {"kubeRBACProxy": {}, "grpc": {}, "rest": {}, "mysql": {"host": "h", "username": "u", "database": "d"}}
    manifest = {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "metadata": {"name": "first-models"}, "spec": spec}
    cluster.create(*REGISTRIES, manifest)
    said = f"Registry 'first-model' does not exist in namespace '{REGISTRIES_NAMESPACE}' (did you mean 'first-models'?)"
    try:
        edited, granted, listed, looked, read, deleted = automation.sequence(
            [
                Task({"name": "first-model", "description": "New"}),
                Task({"name": "first-model", "permissions": {"groups": ["data-scientists"]}}, PERMISSION),
                Task({"registries": [{"name": "first-model", "database": {"port": 3307}}]}, FLEET),
                Task({"registry": "first-model"}, LOOK),
                Task({"name": "first-model", "include": []}, INFO),
                Task({"name": "first-model", "state": "absent"}),
            ]
        )
    finally:
        cluster.delete(*REGISTRIES, "first-models")
    for run in (edited, granted, listed, looked):
        assert run.failed and f"{said}. " in run.result["msg"], run.output
        assert [problem["option"].rpartition(".")[2] for problem in run.result["problems"]] == ["registry" if run is looked else "name"]
    assert read.result["not_found"] == said and deleted.result["status"]["reason"] == said and not deleted.result["changed"]
    assert all(run.writes == [] for run in (edited, granted, listed, looked, read, deleted))


@pytest.mark.parametrize("name", ["", ".."])
def test_a_name_that_no_registry_can_have_is_refused_by_every_module(administrator: Runner, name: str) -> None:
    permissions = {"groups": ["data-scientists"]}
    tasks = [
        (Task({"name": name, "description": "New"}), "name"),
        (Task({"name": name, "state": "absent"}), "name"),
        (Task({"name": name, "permissions": permissions}, PERMISSION), "name"),
        (Task({"name": name, "state": "absent", "permissions": permissions}, PERMISSION), "name"),
        (Task({"name": name}, INFO), "name"),
        (Task({"registry": name}, LOOK), "registry"),
        (Task({"registry": name, "state": "absent"}, CA), "registry"),
        (Task({"registries": [{"name": name}]}, FLEET), "registries[0].name"),
        (Task({"name": "never-made", "namespace": name or ".", "state": "absent"}), "namespace"),
        (Task({"name": "never-made", "namespace": name or ".", "permissions": permissions}, PERMISSION), "namespace"),
        (Task({"namespace": name or "."}, INFO), "namespace"),
        (Task({"registry": "never-made", "namespace": name or "."}, LOOK), "namespace"),
        (Task({"registry": "never-made", "namespace": name or ".", "state": "absent"}, CA), "namespace"),
        (Task({"registries": [], "namespace": name or "."}, FLEET), "namespace"),
    ]
    for run, (task, option) in zip(administrator.sequence([task for task, _option in tasks]), tasks, strict=True):
        assert run.failed and "MODULE FAILURE" not in run.output and "Traceback" not in run.output, run.output
        assert option in [problem["option"] for problem in run.result["problems"]], (task, run.result)
        assert run.writes == []


def test_a_namespace_that_does_not_exist_or_is_not_the_operators_is_refused(administrator: Runner) -> None:
    nowhere, elsewhere = administrator.sequence(
        [Task({"name": "never-made", "namespace": namespace, "database": MYSQL}) for namespace in ("no-such-namespace", "data")]
    )
    for run, said in ((nowhere, "does not exist"), (elsewhere, f"Set it to {REGISTRIES_NAMESPACE}")):
        assert run.failed and said in run.result["msg"], run.output
        assert [problem["option"] for problem in run.result["problems"]] == ["namespace"]
        assert run.writes == []


def test_a_bare_host_that_is_no_service_of_the_namespace_is_a_warning(automation: Runner) -> None:
    database = {key: value for key, value in MYSQL.items() if key != "namespace"}
    run = automation(check=True, name="never-made", database=database)
    assert not run.failed
    assert any("the Service does not exist" in warning and "database.namespace" in warning for warning in run.warnings)


@contextlib.contextmanager
def webhook_away(cluster: Cluster) -> Iterator[None]:
    """Without the operator's rules, as before it had them."""
    webhooks = ("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations")
    [kept] = cluster.items(*webhooks, None)
    name = kept["metadata"]["name"]
    cluster.delete(*webhooks, name, None)
    try:
        yield
    finally:
        cluster.create(*webhooks, kept | {"metadata": {"name": name}}, None)


def test_a_registry_of_that_name_in_another_namespace_is_named(cluster: Cluster, automation: Runner, name: str) -> None:
    other = {
        "apiVersion": "modelregistry.opendatahub.io/v1beta1",
        "kind": "ModelRegistry",
        "metadata": {"name": name},
        "spec": {"grpc": {}, "rest": {}, "mysql": {"host": "h", "username": "u", "database": "d"}},
    }
    registries = ("modelregistry.opendatahub.io/v1beta1", "modelregistries")
    with webhook_away(cluster):
        cluster.create(*registries, other, "data")
    try:
        run = automation(name=name, database=MYSQL)
        assert run.failed and "namespace data" in run.result["msg"]
        assert [problem["option"] for problem in run.result["problems"]] == ["name"]
        assert run.writes == []
    finally:
        cluster.delete(*registries, name, "data")
        with webhook_away(cluster):
            until(lambda: released(cluster, name))


def released(cluster: Cluster, name: str) -> bool:
    """Whether the registry in the wrong namespace is gone: the operator cannot finish there what its webhook refuses."""
    try:
        cluster.merge("modelregistry.opendatahub.io/v1beta1", "modelregistries", name, {"metadata": {"finalizers": None}}, "data")
    except ApiError as error:
        return error.status == 404
    return False


def test_a_long_name_and_a_digit_at_the_beginning_are_right_for_this_kubernetes(automation: Runner) -> None:
    long, digit, longer = automation.sequence([Task({"name": name, "database": MYSQL}, check=True) for name in ("a" * 41, "1st", "a" * 49)])
    assert not long.failed and not [warning for warning in long.warnings if "characters" in warning]
    assert not digit.failed and not [warning for warning in digit.warnings if "digit" in warning]
    assert longer.failed and "49 characters" in longer.result["msg"]
