"""What is not there: a namespace with a typo, a Service that does not exist, a name that cannot be a label, an API that does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox import faults
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.dashboard import Dashboard, Form, database_of
from tests.helpers import ROLE_BINDINGS, USER_AGENT, Cluster, Runner, Task, account_with, roles_of

DATABASE = {"type": "mysql", "host": "mysql", "namespace": "data", "name": "models", "username": "user", "password": "secret-word"}
# Every module that has the option, and what it is told beside the namespace.
MODULES: dict[str, list[dict[str, Any]]] = {
    "model_registry": [{"name": "one", "database": DATABASE}, {"name": "one", "state": "absent"}],
    "model_registry_permission": [{"name": "one", "permissions": {"groups": ["g"]}}, {"name": "one", "permissions": {"groups": ["g"]}, "state": "absent"}],
    "model_registry_ca": [{"name": "one", "kind": "config_map", "key": "ca.crt", "state": "absent"}],
    "model_registries": [{"registries": [{"name": "one", "database": DATABASE}]}, {"registries": [{"name": "one"}, {"name": "two"}]}],
    "model_registry_info": [{}, {"name": "one"}, {"include": ["status", "permissions"]}],
    "model_registry_database_info": [{"registry": "one"}],
    "model_registry_backup": [{"name": "one", "dest": "/nonexistent"}],
    "model_registry_migrate": [{"name": "one", "to": {"database": DATABASE}}],
    "model_registry_restore": [{"name": "one", "src": "/nonexistent"}],
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("namespace", "said"), [("no-such-namespace", "does not exist"), ("data", "is not the registries namespace of the operator")])
def test_a_namespace_with_a_typo_is_one_problem_in_every_module(administrator: Runner, namespace: str, said: str, check: bool) -> None:
    tasks = [Task({"namespace": namespace, **options}, f"modelops.openshift_ai.{module}", check=check) for module, each in MODULES.items() for options in each]
    for task, run in zip(tasks, administrator.sequence(tasks), strict=True):
        assert run.failed, task.module + run.output
        [problem] = run.result["problems"]
        assert (problem["option"], problem["problem"], problem["value"]) == ("namespace", said, namespace), run.output
        assert REGISTRIES_NAMESPACE in problem["remedy"]
        assert run.writes == [] and not run.result["changed"]


def test_a_namespace_with_a_typo_is_one_problem_for_an_account_of_one_namespace_too(automation: Runner) -> None:
    runs = automation.sequence(
        [Task({"namespace": "no-such-namespace", **options}, f"modelops.openshift_ai.{module}") for module, each in MODULES.items() for options in each]
    )
    for run in runs:
        assert [problem["option"] for problem in run.result["problems"]] == ["namespace"], run.output


@pytest.mark.parametrize("length", [64, 200])
def test_a_registry_whose_name_cannot_be_a_label_is_looked_at_and_deleted_like_any_other(
    cluster: Cluster, administrator: Runner, name: str, length: int
) -> None:
    long = name + "a" * (length - len(name))
    resource = {
        "apiVersion": "modelregistry.opendatahub.io/v1beta1",
        "kind": "ModelRegistry",
        "metadata": {"name": long, "namespace": REGISTRIES_NAMESPACE},
        "spec": {"kubeRBACProxy": {}, "rest": {}, "mysql": {"host": "db", "database": "d", "username": "u"}},
    }
    cluster.create("modelregistry.opendatahub.io/v1beta1", "modelregistries", resource)
    revoked, deleted = administrator.sequence(
        [
            Task({"name": long, "permissions": {"groups": ["data-scientists"]}, "state": "absent"}, "modelops.openshift_ai.model_registry_permission"),
            Task({"name": long, "state": "absent", "wait": False}),
        ]
    )
    assert not revoked.failed and revoked.result["status"]["available"] is False, revoked.output
    assert not deleted.failed and ("delete", "ModelRegistry") in deleted.changes, deleted.output


def test_a_service_that_does_not_exist_is_a_warning_before_the_write_and_stands_in_the_error(administrator: Runner, name: str) -> None:
    database = {**DATABASE, "host": "mysqll"}
    predicted, made, again = administrator.sequence(
        [
            Task({"name": name, "database": database, "check_database": "ignore"}, check=True),
            Task({"name": name, "database": database, "check_database": "ignore", "wait_timeout": 8}),
            Task({"name": name, "wait_timeout": 6}),
        ]
    )
    administrator(name=name, state="absent", wait=False)
    assert not predicted.failed and any("the Service does not exist in namespace 'data'" in warning for warning in predicted.warnings), predicted.output
    assert (predicted.result["status"]["reason"], predicted.result["status"]["restart_needed"]) == ("the registry does not exist yet", False)
    for failed in (made, again):
        assert failed.failed and "Service 'mysqll' does not exist in namespace 'data'" in failed.result["msg"], failed.output


def test_what_is_read_for_advice_does_not_stop_a_write(cluster: Cluster, layout: Layout, automation: Runner, name: str) -> None:
    Dashboard(cluster).create(name, Form(name, "", database_of(DATABASE)))
    # As an aggregated API whose server is down.
    faults.api_rules(layout, [faults.Rule("status", status=503, path="/apis/user.openshift.io/", user_agent=USER_AGENT, count=None)])
    try:
        [run] = automation.sequence(
            [Task({"name": name, "permissions": {"groups": ["data-scientists"], "users": ["alice"]}}, "modelops.openshift_ai.model_registry_permission")]
        )
    finally:
        faults.api_rules(layout, [])
    assert not run.failed and run.changes == [("create", "RoleBinding")] * 2, run.output
    assert any("whether the users exist could not be determined" in warning for warning in run.warnings), run.output
    bindings = [item for item in cluster.items(*ROLE_BINDINGS) if item["roleRef"]["name"] == f"registry-user-{name}"]
    assert {"data-scientists", "alice"} <= {subject["name"] for binding in bindings for subject in binding["subjects"]}


def test_a_registry_that_was_not_changed_and_failed_before_is_not_waited_for_again(cluster: Cluster, administrator: Runner, name: str) -> None:
    Dashboard(cluster).create(name, Form(name, "", database_of({**DATABASE, "host": "nowhere"})))
    fleet = {"registries": [{"name": name}], "wait_timeout": 8}
    first, second = administrator.sequence([Task({"name": name, "wait_timeout": 8}), Task(fleet, "modelops.openshift_ai.model_registries")])
    administrator(name=name, state="absent", wait=False)
    for run in (first, second):
        assert run.failed and "did not wait again" in run.result["msg"], run.output
    assert any(f"waiting for registry '{name}': " in line for line in first.output.splitlines()), first.output


def test_a_login_that_fails_says_what_was_tried_what_there_is_and_what_to_do(administrator: Runner, layout: Layout) -> None:
    trusted, untrusted, elsewhere = administrator.sequence(
        [
            Task({}, "modelops.openshift_ai.model_registry_info"),
            # By now the library knows the cluster's kinds from its cache, and meets the certificate later.
            Task({"ca_cert": str(layout.path("pki", "other-ca.crt"))}, "modelops.openshift_ai.model_registry_info"),
            Task({"context": "nowhere"}, "modelops.openshift_ai.model_registry_info"),
        ]
    )
    assert not trusted.failed, trusted.output
    assert "CERTIFICATE_VERIFY_FAILED" in untrusted.result["msg"] and "Set ca_cert" in untrusted.result["msg"] and "answered 0" not in untrusted.output
    assert layout.faulty_api_url in untrusted.result["msg"]
    assert "no context 'nowhere'" in elsewhere.result["msg"] and "its contexts: 'sandbox'" in elsewhere.result["msg"], elsewhere.output


def test_an_account_that_may_not_read_the_datasciencecluster_is_told_both_ways_on(cluster: Cluster, tmp_path: Path) -> None:
    roles = [role for role in roles_of("read.yml") if role["kind"] == "Role"]
    with account_with(cluster, "one-namespace", roles) as token:
        [run] = Runner(cluster.layout, token, tmp_path).sequence([Task({}, "modelops.openshift_ai.model_registry_info")])
    assert "bind the account to the ClusterRole in rbac/cluster.yml or rbac/read.yml" in run.result["msg"], run.output
