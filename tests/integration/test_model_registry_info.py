"""`model_registry_info` on the sandbox, as an account with the rights of rbac/read.yml and no others, over registries of every origin."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import databases, faults
from sandbox.kube import Api, path
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests import dashboard, fleet
from tests.dashboard import CLUSTER_WIDE, OF_THE_PRODUCT, CertificateAuthority, Dashboard, Database, Form, Upload
from tests.fleet import MODULE as CONVERGE
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, USER_AGENT, Cluster, Run, Runner, Task, single_rights, until
from tests.reading import INFO, auditor_token, reading_roles

from .test_documentation import play

HOLD = "example.com/hold"
ODD_TEXT = "Größe \"M\" {{ no.template }} 'x': #1\n- two\n"
CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLES = ((f"{RBAC}/v1", plural) for plural in ("clusterrolebindings", "clusterroles", "roles"))


@pytest.fixture(scope="module")
def reader(layout: Layout, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs modules as an account that has the rights of rbac/read.yml and no others."""
    return Runner(layout, auditor_token(cluster), tmp_path_factory.mktemp("reader"))


@dataclass(frozen=True)
class Filled:
    """A namespace with registries of every origin, whose names begin with the prefix."""

    prefix: str
    database: Database

    def name(self, suffix: str) -> str:
        return f"{self.prefix}-{suffix}"


@pytest.fixture(scope="module")
def filled(layout: Layout, cluster: Cluster) -> Iterator[Filled]:
    with fleet.room(layout, cluster) as (prefix, name):
        login = databases.REGISTRY
        mysql = Database("mysql.data.svc.cluster.local", name, login.name, login.password)
        databases.create_databases(layout, "postgresql", [name])
        filled = Filled(prefix, mysql)
        try:
            by_dashboard(layout, cluster, filled)
            by_others(cluster, filled)
            yield filled
        finally:
            with contextlib.suppress(Exception):
                cluster.merge(*REGISTRIES, filled.name("leaving"), {"metadata": {"finalizers": []}})
            for kind in (CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES):
                cluster.delete(*kind, filled.name("everybody"), None)
            for binding in cluster.items(*ROLE_BINDINGS):
                if binding["metadata"]["name"].startswith(prefix):
                    cluster.delete(*ROLE_BINDINGS, binding["metadata"]["name"])
            cluster.delete(*ROLES, filled.name("only"))
            fleet.remove(cluster, prefix)
            databases.drop_database(layout, "postgresql", name)


def by_dashboard(layout: Layout, cluster: Cluster, filled: Filled) -> None:
    """What the dashboard's own requests make: every database, every source of a CA, odd texts, grants given twice, and Secrets that vanish later."""
    pages, mysql = Dashboard(cluster), filled.database
    pem = layout.path("pki", "database-ca.crt").read_text()
    postgresql = Database("postgres.data.svc.cluster.local", mysql.name, mysql.username, mysql.password, 5432, "postgres")
    ca = {"ca.crt": pem}
    cluster.create("v1", "configmaps", {"metadata": {"name": filled.name("own-ca")}, "data": ca})
    cluster.create("v1", "configmaps", {"metadata": {"name": filled.name("lost-ca")}, "data": ca})
    cluster.create("v1", "secrets", {"metadata": {"name": filled.name("own-ca")}, "stringData": ca})
    forms = {
        "cluster": Form("Cluster", "", mysql, CLUSTER_WIDE),
        "product": Form("  Product  ", ODD_TEXT, mysql, OF_THE_PRODUCT),
        "upload": Form("Upload", "  ", mysql, Upload(pem)),
        "config-map": Form("Config map", "", postgresql, CertificateAuthority("ConfigMap", filled.name("own-ca"), "ca.crt")),
        "secret": Form("Secret", "", mysql, CertificateAuthority("Secret", filled.name("own-ca"), "ca.crt")),
        "plain": Form("1.0", "yes", postgresql),
        "generated": Form("Generated"),
        "1-very-long-name-of-a-registry": Form("Long", "", mysql),
        "lost-password": Form("Lost", "", mysql),
        "lost-ca": Form("Lost", "", mysql, CertificateAuthority("ConfigMap", filled.name("lost-ca"), "ca.crt")),
        "no-ca": Form("Never there", "", mysql, CertificateAuthority("Secret", filled.name("nowhere"), "ca.crt")),
        "spaces": Form("Spaces", "", Database(" mysql ", "my db", " registry ", "secret word ", 3306)),
        "breaking": Form("Breaking", "", Database("mysql:3306", "a/b?c%", "re:gistry", "what?", 3306)),
        "refused": Form("Refused", "", Database("https://postgres", "a?b#c%", "re/gi?stry", "a/b?c#%", 5432, "postgres")),
        "leaving": Form("Leaving", "", mysql),
    }
    for suffix, form in forms.items():
        pages.create(filled.name(suffix), form)
    name = filled.name("cluster")
    for kind, subject in (
        *(("Group", "data-scientists"), ("Group", "data-scientists"), ("User", "alice"), ("User", "no such user "), ("Project", "data")),
        *(("Project", "No Namespace"), ("Group", "system:serviceaccount:data:default"), ("User", "system:serviceaccount:data:default")),
        *(("Group", "system:authenticated"), ("User", "system:serviceaccount:data"), ("Group", "a b")),
    ):
        pages.grant(name, kind, subject)
    for kind, subject in (("Group", "system:serviceaccounts:data"), ("Project", "data")):
        pages.grant(filled.name("secret"), kind, subject)
    cluster.delete("v1", "configmaps", filled.name("lost-ca"))
    [secret] = [item for item in cluster.items("v1", "secrets") if item["metadata"]["name"].startswith(f"{filled.name('lost-password')}-db-")]
    cluster.delete("v1", "secrets", secret["metadata"]["name"])
    # The dashboard leaves its Secret behind when the registry is refused that it was made for; the next attempt makes another.
    for suffix in ("plain", "lost-password"):
        pages._send("POST", dashboard._secret_path(), dashboard._secret(filled.name(suffix), mysql))
    pages.edit(filled.name("secret"), pages.opened(filled.name("secret")))
    cluster.merge(*REGISTRIES, filled.name("leaving"), {"metadata": {"finalizers": [HOLD]}})
    pages.delete(filled.name("leaving"))


def by_others(cluster: Cluster, filled: Filled) -> None:
    """What kubectl, GitOps and people do beside the dashboard."""
    mysql = filled.database
    section = {"host": mysql.host, "port": 3306, "database": mysql.name, "username": mysql.username}
    password = {"name": filled.name("shared"), "key": "any key"}
    key = {"name": filled.name("shared"), "key": "tls.key"}
    cluster.create("v1", "secrets", {"metadata": {"name": password["name"]}, "data": {"x": base64.b64encode(b"x").decode()}})
    specs = {
        "bare": ({"mysql": section}, {}),
        "blank": ({"mysql": {**section, "database": "", "username": " ", "passwordSecret": {"name": "", "key": ""}}}, {"openshift.io/display-name": " "}),
        "address": (
            {"postgres": {"hostAddress": "10.0.0.1", "database": "x", "username": "u", "sslMode": "verify-full"}},
            {"openshift.io/display-name": " padded "},
        ),
        "ipv6": ({"mysql": {**section, "host": "fd00::1", "sslCertificateSecret": key, "sslKeySecret": {**key, "name": "another"}}}, {}),
        "half": ({"mysql": {**section, "host": "MySQL.data.svc.", "sslKeySecret": key}}, {}),
        "pair": ({"mysql": {**section, "sslCertificateSecret": {**key, "key": "tls.crt"}, "sslKeySecret": key, "passwordSecret": password}}, {}),
        "whole": ({"mysql": {**section, "sslRootCertificatesConfigMapName": filled.name("own-ca"), "verifyServerCert": True}}, {}),
        "two-cas": (
            {
                "mysql": {
                    **section,
                    "sslRootCertificateConfigMap": {"name": filled.name("own-ca"), "key": "ca.crt"},
                    "sslRootCertificateSecret": {"name": filled.name("own-ca"), "key": "ca.crt"},
                }
            },
            {},
        ),
        "both": ({"mysql": section, "postgres": {"generateDeployment": True}}, {}),
        "name-of-more-than-the-forty-eight-characters-it-may-have": ({"mysql": section}, {}),
        "dotted.name": ({"mysql": section}, {}),
    }
    for suffix, (spec, texts) in specs.items():
        manifest = {
            "apiVersion": REGISTRIES[0],
            "kind": "ModelRegistry",
            "metadata": {"name": filled.name(suffix), "annotations": texts, "labels": {"team": suffix.partition("-")[0]}},
            "spec": {"rest": {}, "grpc": {}, "kubeRBACProxy": {}, **spec},
        }
        cluster.create(*REGISTRIES, manifest)
    foreign_bindings(cluster, filled)


def foreign_bindings(cluster: Cluster, filled: Filled) -> None:
    """RoleBindings that the dashboard does not make, or shows only a part of."""
    registry = filled.name("upload")
    role = {"apiGroup": RBAC, "kind": "Role", "name": f"registry-user-{registry}"}
    labels = {"component": "model-registry", "app.kubernetes.io/name": registry}
    people = [{"apiGroup": RBAC, "kind": "User", "name": name} for name in ("bob", "carol")]
    account = {"kind": "ServiceAccount", "name": "default", "namespace": "data"}
    group = {"apiGroup": RBAC, "kind": "Group", "name": "system:authenticated"}
    viewer = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    owner = {
        "apiVersion": "modelregistry.opendatahub.io/v1alpha1",
        "kind": "ModelRegistry",
        "name": registry,
        "uid": cluster.registry(registry)["metadata"]["uid"],
    }
    bindings = {
        "several": (role, labels, [people[0], people[1]], [owner]),
        "ownerless": (role, labels, [{"apiGroup": RBAC, "kind": "Group", "name": "ownerless"}], []),
        "nobody": (role, labels, [], [owner]),
        "unlabelled": (role, {}, [account, people[1]], []),
        "wrong-role": ({**role, "name": f"registry-users-{registry}"}, labels, [people[1]], [owner]),
        "viewer": (viewer, {}, [people[1]], []),
    }
    for suffix, (bound, marks, subjects, owners) in bindings.items():
        metadata = {"name": filled.name(suffix), "labels": marks, "ownerReferences": owners}
        cluster.create(*ROLE_BINDINGS, {"metadata": metadata, "roleRef": bound, "subjects": subjects})
    only = {"metadata": {"name": filled.name("only")}, "rules": [{"apiGroups": [""], "resources": ["services"], "resourceNames": [registry], "verbs": ["get"]}]}
    cluster.create(*ROLES, only)
    bound = {"apiGroup": RBAC, "kind": "Role", "name": filled.name("only")}
    of_one = {"metadata": {"name": filled.name("of-one")}, "roleRef": bound, "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "dave"}]}
    cluster.create(*ROLE_BINDINGS, of_one)
    everybody = filled.name("everybody")
    rules = [{"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}]
    cluster.create(*CLUSTER_ROLES, {"metadata": {"name": everybody}, "rules": rules}, None)
    opened = {"apiGroup": RBAC, "kind": "ClusterRole", "name": everybody}
    cluster.create(*CLUSTER_ROLE_BINDINGS, {"metadata": {"name": everybody}, "roleRef": opened, "subjects": [group]}, None)


def test_the_examples_run_in_their_order(layout: Layout, cluster: Cluster, tmp_path: Path) -> None:
    tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', (ROOT / "plugins" / "modules" / "model_registry_info.py").read_text(), re.DOTALL)[1])
    with fleet.room(layout, cluster) as (name, database):
        login = databases.REGISTRY
        Dashboard(cluster).create(name, Form("Fraud", ODD_TEXT, Database("mysql.data.svc.cluster.local", database, login.name, login.password), CLUSTER_WIDE))
        output = play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
    assert f"ok={len(tasks)} " in output and "changed=0 " in output


def info(filled: Filled, **options: Any) -> Task:
    return Task({"name_pattern": f"{filled.prefix}-*", **options}, INFO)


def untemplated(value: Any) -> Any:
    """A value for a playbook as it is: Ansible makes templates of what is written there, and not of what a task returned."""
    if isinstance(value, dict):
        return {key: untemplated(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [untemplated(entry) for entry in value]
    return f"{{% raw %}}{value}{{% endraw %}}" if isinstance(value, str) and "{{" in value else value


def by_suffix(run: Run, filled: Filled, key: str = "registries") -> dict[str, Any]:
    return {entry["name"].removeprefix(f"{filled.prefix}-"): entry for entry in run.result[key]}


@pytest.fixture(scope="module")
def export(reader: Runner, cluster: Cluster, filled: Filled) -> Run:
    """The export, when the registries have settled: those that can serve do."""
    until(lambda: {filled.name(suffix) for suffix in SERVING} <= {item["metadata"]["name"] for item in cluster.items(*REGISTRIES) if is_available(item)})
    faults.forget_requests(reader.layout)
    [run] = reader.sequence([info(filled)])
    assert not run.failed, run.output
    return run


# Those whose password or CA is lost serve only if the server was started before.
SERVING = ("1-very-long-name-of-a-registry", "both", "cluster", "config-map", "generated", "plain", "secret", "upload")


def is_available(registry: dict[str, Any]) -> bool:
    conditions = (registry.get("status") or {}).get("conditions") or []
    return any(condition["type"] == "Available" and condition["status"] == "True" for condition in conditions)


def test_what_is_exported_converges_to_no_change(automation: Runner, filled: Filled, export: Run) -> None:
    """It takes more than 20 s: registries of all kinds are made before, and three runs converge all of them."""
    assert not export.writes and export.result["changed"] is False
    every = {"registries": untemplated(export.result["registries"]), "wait": False}
    # Those that cannot serve because something is missing are not waited for.
    waited = [by_suffix(export, filled)[suffix] for suffix in ("cluster", "generated", "lost-password", "lost-ca", "no-ca")]
    predicted, again, waiting = automation.sequence(
        [
            Task(every, CONVERGE, check=True, diff=True),
            Task(every, CONVERGE, diff=True),
            Task({"registries": untemplated(waited), "wait_timeout": 20}, CONVERGE),
        ]
    )
    for run in (predicted, again, waiting):
        assert not run.failed, run.output
        assert (run.result["changes"], run.result["drift"], run.writes) == ([], [], []), run.output
    assert not {entry["name"] for entry in predicted.result["unlisted"]} & {entry["name"] for entry in export.result["registries"]}


def test_registries_are_exported_in_the_shape_of_the_options(filled: Filled, export: Run) -> None:
    exported = by_suffix(export, filled)
    assert {suffix for suffix, entry in by_suffix(export, filled, "skipped_registries").items() if "marked for deletion" in entry["reason"]} == {"leaving"}
    assert set(by_suffix(export, filled, "skipped_registries")) == {
        "leaving",
        "name-of-more-than-the-forty-eight-characters-it-may-have",
        "dotted.name",
    }
    mysql = filled.database
    password = exported["cluster"]["database"].pop("password_secret")
    assert password["name"].startswith(f"{filled.name('cluster')}-db-") and password["key"] == "database-password"
    assert exported["cluster"] == {
        "name": filled.name("cluster"),
        "namespace": REGISTRIES_NAMESPACE,
        "display_name": "Cluster",
        "description": "",
        "database": {
            "type": "mysql",
            "host": mysql.host,
            "port": 3306,
            "name": mysql.name,
            "username": mysql.username,
            "ca": {"source": "cluster"},
            "verify_server_cert": False,
        },
        "permissions": {
            "groups": ["a b", "data-scientists", "system:authenticated"],
            "users": ["alice"],
            "projects": ["No Namespace", "data"],
            "service_accounts": [{"namespace": "data", "name": "default"}],
            "members": [],
        },
        "status": exported["cluster"]["status"],
    }
    assert (exported["product"]["display_name"], exported["product"]["description"]) == ("Product", ODD_TEXT)
    assert exported["generated"]["database"] == {"type": "generated"} == exported["both"]["database"]
    own = filled.name("own-ca")
    assert {suffix: exported[suffix]["database"].get("ca") for suffix in ("product", "upload", "config-map", "secret", "plain", "whole")} == {
        "product": {"source": "openshift_ai"},
        "upload": {"source": "config_map", "name": f"{filled.name('upload')}-db-credential", "key": "ca.crt"},
        "config-map": {"source": "config_map", "name": own, "key": "ca.crt"},
        "secret": {"source": "secret", "name": own, "key": "ca.crt"},
        "plain": {"source": "none"},
        "whole": None,
    }
    assert exported["plain"]["database"]["ssl_mode"] == "disable"
    assert exported["pair"]["database"]["client_certificate"] == {
        "source": "secret",
        "name": filled.name("shared"),
        "certificate_key": "tls.crt",
        "private_key_key": "tls.key",
    }
    assert exported["refused"]["database"].keys() == {"type", "port", "password_secret", "ca", "ssl_mode"}
    assert exported["upload"]["permissions"] == {"groups": [], "users": ["bob"], "projects": [], "service_accounts": [], "members": []}


def test_what_is_left_out_is_said(filled: Filled, export: Run) -> None:
    # One warning may name several registries of which the same is left out.
    texts = [text for text in export.warnings if ": omitted" in text]
    said = {suffix: next((text for text in texts if re.search(rf"{filled.name(suffix)}\b(?!-)", text)), "") for suffix in by_suffix(export, filled)}
    expected = {
        "address": ["database.host (the registry uses hostAddress instead)", "display_name"],
        "blank": ["display_name (is empty)", "database.name (is empty)", "database.username (is empty)", "database.password_secret (is empty)"],
        "breaking": ["database.host (contains a port)", "database.name (contains /, % or ?", "database.username (contains a colon"],
        "cluster": [
            "group 'system:serviceaccount:data:default' (is a service account",
            "user 'no such user ' (starts",
            "user 'system:serviceaccount:data' (is not a valid",
        ],
        "half": ["database.client_certificate"],
        "ipv6": ["database.client_certificate"],
        "pair": ["database.password_secret (is not a valid key)"],
        "refused": ["database.host (is a URL", "database.name (contains %, ? or #", "database.username (contains"],
        "spaces": ["database.host (contains white space)", "database.username (starts or ends"],
        "two-cas": ["database.ca (a run would change it)"],
        "upload": ["group ownerless (a run would fix its RoleBinding", "user carol (in RoleBinding"],
        "whole": ["database.ca (the registry uses sslRootCertificatesConfigMapName"],
    }
    assert {suffix for suffix, text in said.items() if text} == set(expected)
    for suffix, parts in expected.items():
        assert all(part in said[suffix] for part in parts), said[suffix]


def test_everything_about_how_a_registry_is(cluster: Cluster, filled: Filled, export: Run) -> None:
    status = {suffix: entry["status"] for suffix, entry in by_suffix(export, filled).items()}
    healthy = status["cluster"]
    assert healthy["available"] is True and healthy["reason"] is None and healthy["address"].startswith(f"https://{filled.name('cluster')}-rest.")
    assert healthy["api_version"] == REGISTRIES[0] and healthy["restart_needed"] is False and healthy["started_at"]
    [pod] = cluster.items("v1", "pods", labelSelector=f"app={filled.name('cluster')}")
    [image] = [container["image"] for container in pod["spec"]["containers"] if container["name"] == "rest-container"]
    assert healthy["server_image"] == image and healthy["server_version"] == image.rpartition(":")[2]
    sources = {(source["kind"], source["name"]): source for source in healthy["sources"]}
    bundle = sources["ConfigMap", "odh-trusted-ca-bundle"]
    assert bundle["read_keys"] == ["ca-bundle.crt"] and bundle["exists"] and bundle["age"] >= 0 and not bundle["restart_needed"]
    assert len(sources) == 2
    assert [(source["exists"], source["changed_at"]) for source in status["lost-password"]["sources"]] == [(False, None)]
    assert status["generated"]["sources"][0]["name"] == f"{filled.name('generated')}-postgres-credentials"
    assert status["generated"]["sources"][0]["exists"] is True
    assert [(source["kind"], source["read_keys"]) for source in status["whole"]["sources"]] == [("ConfigMap", [])]
    assert status["no-ca"]["available"] is False and filled.name("nowhere") in status["no-ca"]["evidence"]
    assert status["breaking"]["available"] is False and "connection string is not valid" in status["breaking"]["reason"]


def test_who_has_access_and_through_what(filled: Filled, export: Run) -> None:
    exported = by_suffix(export, filled)
    access = {(entry["kind"], entry["name"], entry["through"].removeprefix(f"{filled.prefix}-")): entry for entry in exported["upload"]["status"]["access"]}
    own = f"{filled.name('upload')}-users"
    assert {key: (entry["made_by"], entry["effective"], entry["role"].partition(filled.prefix)[0]) for key, entry in access.items()} == {
        ("group", own, "upload-users"): ("operator", True, "registry-user-"),
        ("user", "bob", "several"): ("dashboard-or-collection", True, "registry-user-"),
        ("user", "carol", "several"): ("dashboard-or-collection", True, "registry-user-"),
        ("group", "ownerless", "ownerless"): ("dashboard-or-collection", True, "registry-user-"),
        ("service_account", "default", "unlabelled"): ("other", True, "registry-user-"),
        ("user", "carol", "unlabelled"): ("other", True, "registry-user-"),
        ("user", "carol", "wrong-role"): ("dashboard-or-collection", False, "registry-users-"),
        ("user", "dave", "of-one"): ("other", True, ""),
    }
    assert access["service_account", "default", "unlabelled"]["namespace"] == "data"
    doubled = [entry for entry in exported["cluster"]["status"]["access"] if entry["name"] == "data-scientists"]
    assert len({entry["through"] for entry in doubled}) == 2
    assert [entry["name"] for entry in exported["cluster"]["status"]["access"] if entry["everybody"]] == ["system:authenticated"]

    others = {(entry["through_kind"], entry["through"]): entry for entry in export.result["access_by_other_roles"]}
    assert others["RoleBinding", filled.name("viewer")] | {"name": "carol", "role": "view", "effective": True} == others["RoleBinding", filled.name("viewer")]
    assert others["ClusterRoleBinding", filled.name("everybody")]["everybody"] is True
    # Those of a Role for one registry have access to that one alone.
    assert ("RoleBinding", filled.name("of-one")) not in others
    assert not any(entry["name"] == "dave" for entry in exported["cluster"]["status"]["access"])
    assert others["ClusterRoleBinding", "cluster-admin"]["platform"] is True
    assert [text for text in export.warnings if "nearly all users" in text and filled.name("cluster") in text and filled.name("upload") not in text]
    assert [text for text in export.warnings if "nearly all users" in text and filled.name("everybody") in text]


def test_what_is_asked_for_is_read_and_nothing_else(layout: Layout, reader: Runner, filled: Filled) -> None:
    chosen = info(filled, include=["status", "permissions", "certificates", "database"], expiry_days=400000, name=filled.name("cluster"))
    faults.forget_requests(layout)
    full, one, every, labelled, none, answer, generated = reader.sequence(
        [
            chosen,
            Task({"name": filled.name("cluster"), "include": ["permissions"]}, INFO, check=True, diff=True),
            info(filled, include=["permissions"]),
            Task({"label_selector": "team in (half, whole)", "include": [], "name_pattern": f"{filled.prefix}-w*"}, INFO),
            Task({"name": "no-such-registry"}, INFO),
            info(filled, include=["status"], query="registries[?status.available].name | sort(@)"),
            info(filled, include=["database"], name=filled.name("generated")),
        ],
        verbosity=3,
    )
    for run in (full, one, every, labelled, none, answer, generated):
        assert not run.failed and not run.writes, run.output
        assert filled.database.password not in run.output and databases.REGISTRY.password not in run.output
    [shown] = full.result["registries"]
    certificates = shown["status"]["certificates"]
    assert certificates and {(entry["use"], entry["name"], entry["key"]) for entry in certificates} == {("ca", "odh-trusted-ca-bundle", "ca-bundle.crt")}
    assert all(entry["expires_soon"] and not entry["expired"] and entry["days_left"] > 0 and len(entry["sha256"]) == 64 for entry in certificates)
    assert [text for text in full.warnings if "odh-trusted-ca-bundle" in text and "expires on" in text]
    looked = shown["status"]["database"]
    assert looked["findings"][0].keys() == {"check", "result", "message", "remedy"} and looked["usable"] is not False, looked
    assert generated.result["registries"][0]["status"] == {"database": None}

    assert len(one.result["registries"]) == 1 and len(every.result["registries"]) > 20
    assert len(one.reads) == len(every.reads) <= 8, [request.path for request in every.reads]
    assert [entry["name"] for entry in labelled.result["registries"]] == [filled.name("whole")] and "status" not in labelled.result["registries"][0]
    assert (none.result["registries"], none.result["skipped_registries"]) == ([], [])
    assert "no-such-registry" in none.result["not_found"] and "not_found" not in one.result
    assert filled.name("cluster") in answer.result["result"] and filled.name("breaking") not in answer.result["result"]
    assert answer.result["result"] == sorted(entry["name"] for entry in answer.result["registries"] if entry["status"]["available"])


def test_what_is_wrong_with_the_options_is_said_before_anything_is_read(layout: Layout, reader: Runner, filled: Filled) -> None:
    faults.forget_requests(layout)
    blank, expression, selector, secret, unanswerable = reader.sequence(
        [
            Task({"name": " ", "name_pattern": "", "expiry_days": -1, "query": "registries["}, INFO),
            Task({"query": "registries[?status.available=true]"}, INFO),
            Task({"label_selector": "team in (", "include": []}, INFO),
            Task({"label_selector": "team=root:Pa55-word", "include": []}, INFO),
            info(filled, include=[], query="length(`1`)"),
        ]
    )
    assert {problem["option"] for problem in blank.result["problems"]} == {"name", "name_pattern", "expiry_days", "query"}
    assert blank.requests == () and expression.requests == ()
    for run, option in ((expression, "query"), (selector, "label_selector"), (secret, "label_selector"), (unanswerable, "query")):
        assert run.failed and [problem["option"] for problem in run.result["problems"]] == [option], run.output
        assert "\n" not in run.result["msg"]
    assert "found ''" in selector.result["msg"] and "Pa55" not in secret.output, (selector.output, secret.output)


# What is said without each right of rbac/read.yml; without the first two there is no answer.
NEEDED = {
    "list modelregistries.modelregistry.opendatahub.io": "403",
    "list datascienceclusters.datasciencecluster.opendatahub.io": "Set namespace",
}
BY_OTHER_ROLES = "through permissions for the whole namespace or cluster could not be determined"
UNSEEN = {
    "list deployments.apps": "the availability of registries could not be determined",
    "list pods": "the state of the pods of registries could not be determined",
    "get pods/log": "log of the registry server",
    "list events": "events of the pod",
    "list configmaps": "the age of the ConfigMaps",
    "list secrets": "the age of the Secrets",
    "list rolebindings.rbac.authorization.k8s.io": "access to registries could not be determined",
    "list roles.rbac.authorization.k8s.io": BY_OTHER_ROLES,
    "list groups.user.openshift.io": "the members of the groups of registries could not be determined",
    "list clusterroles.rbac.authorization.k8s.io": BY_OTHER_ROLES,
    "list clusterrolebindings.rbac.authorization.k8s.io": BY_OTHER_ROLES,
}
# Routes are read only where the status of a registry does not name its address, and the AIHub where there is one (tests/generations), the ingress for smoke
# tests, namespaces before anything else.
SILENT = {
    "list routes.route.openshift.io",
    "get aihubs.components.platform.opendatahub.io",
    "get ingresses.config.openshift.io",
    "get namespaces",
}
# Those that are taken away together: none of a group keeps another from being needed. Only the API server's words tell some of them apart.
TOGETHER = (
    ("list deployments.apps", "list configmaps", "list groups.user.openshift.io", "list clusterroles.rbac.authorization.k8s.io"),
    ("list pods", "list secrets", "list roles.rbac.authorization.k8s.io"),
    ("get pods/log", "list events", "list rolebindings.rbac.authorization.k8s.io", "list clusterrolebindings.rbac.authorization.k8s.io"),
)


def test_each_right_is_needed_and_the_answer_is_partial_without_it(cluster: Cluster, reader: Runner, filled: Filled, export: Run) -> None:
    rights = {str(right): right for right in single_rights(reading_roles())}
    assert set(rights) == set(NEEDED) | SILENT | {right for group in TOGETHER for right in group} and set(UNSEEN) == set(rights) - set(NEEDED) - SILENT
    assert not [text for text in export.warnings if "could not be" in text]
    groups = [*((right,) for right in NEEDED), *TOGETHER]
    tokens = [auditor_token(cluster, f"auditor-{number}", [rights[right] for right in group]) for number, group in enumerate(groups)]
    task = info(filled, name_pattern=f"{filled.prefix}-[bc]*")
    # What the certificates of a registry are in may not be read either.
    of_certificates = Task({"name": filled.name("cluster"), "include": ["certificates"]}, INFO, token=tokens[len(NEEDED)])
    *runs, blind = reader.sequence([*(Task(task.options, INFO, token=token) for token in tokens), of_certificates])
    status = by_suffix(blind, filled)["cluster"]["status"]
    assert (status["certificates"], status["unread_certificates"]) == ([], ["ConfigMap odh-trusted-ca-bundle"]), blind.output
    assert [text for text in blind.warnings if "the certificates in ConfigMaps could not be determined" in text], blind.warnings
    for (right, said), run in zip(NEEDED.items(), runs, strict=False):
        assert run.failed and said in run.result["msg"], (right, run.output)
    names = [entry["name"] for entry in export.result["registries"] if entry["name"].startswith((f"{filled.prefix}-b", f"{filled.prefix}-c"))]
    for group, run in zip(TOGETHER, runs[len(NEEDED) :], strict=True):
        assert not run.failed and [entry["name"] for entry in run.result["registries"]] == names, run.output
        unseen = [text for text in run.warnings if "could not be" in text]
        assert len(unseen) == len(group), unseen
        for right in group:
            refusal = f'cannot {rights[right].verb} resource "{rights[right].resource}"'
            assert [text for text in unseen if UNSEEN[right] in text and refusal in text], (right, unseen)
    partial(*(by_suffix(run, filled) for run in runs[len(NEEDED) :]))


def partial(first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]) -> None:
    """What is missing in the answers, and that nothing is made up in its place."""
    sources = [{source["kind"]: source["exists"] for source in answer["cluster"]["status"]["sources"]} for answer in (first, second, third)]
    assert sources == [{"Secret": True, "ConfigMap": None}, {"Secret": None, "ConfigMap": True}, {"Secret": True, "ConfigMap": True}]
    restarts = [answer["cluster"]["status"]["restart_needed"] for answer in (first, second, third)]
    assert restarts == [None, None, False]
    available = [[answer[suffix]["status"]["available"] for suffix in ("cluster", "breaking")] for answer in (first, second, third)]
    assert available == [[None, None], [True, False], [True, False]]
    assert first["cluster"]["status"]["reason"] == "its Deployment cannot be read" and first["cluster"]["status"]["evidence"] is None
    assert second["cluster"]["status"]["server_image"] is None
    assert "pods cannot be read" in second["breaking"]["status"]["reason"] and second["breaking"]["status"]["evidence"] is None
    assert "members" not in first["cluster"]["permissions"] and first["cluster"]["permissions"]["users"] == ["alice"]
    assert "members" in second["cluster"]["permissions"] and second["cluster"]["status"]["access"]
    assert "permissions" not in third["cluster"] and "access" not in third["cluster"]["status"]


def test_a_server_that_is_older_than_what_it_reads_is_told(cluster: Cluster, reader: Runner, filled: Filled) -> None:
    pem = cluster.get("v1", "configmaps", filled.name("own-ca"))["data"]["ca.crt"]
    cluster.merge("v1", "configmaps", filled.name("own-ca"), {"data": {"ca.crt": f"# Rotated\n{pem}"}})
    [run] = reader.sequence([info(filled, include=["status"], name=filled.name("config-map"))])
    status = run.result["registries"][0]["status"]
    assert status["restart_needed"] is True
    assert {source["kind"]: source["restart_needed"] for source in status["sources"]} == {"ConfigMap": True, "Secret": False}


def test_a_list_that_is_forgotten_between_two_pages_is_read_anew(layout: Layout, cluster: Cluster, reader: Runner, filled: Filled) -> None:
    names = [f"{filled.prefix}-page-{number}" for number in range(500)]
    asked = info(filled, include=["certificates"], name=filled.name("config-map"))

    async def each(api: Api, work: Callable[[str], Awaitable[Any]]) -> None:
        await asyncio.gather(*map(work, names))

    collection = path("v1", "configmaps", REGISTRIES_NAMESPACE)
    cluster.call(lambda api: each(api, lambda name: api.create(collection, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})))
    forgotten = faults.Rule("status", status=410, user_agent=USER_AGENT, path=r".*/configmaps\?.*continue=", count=1)
    faults.api_rules(layout, [forgotten])
    try:
        [begun_anew] = reader.sequence([asked])
        faults.api_rules(layout, [dataclasses.replace(forgotten, count=10)])
        [given_up] = reader.sequence([asked])
    finally:
        faults.api_rules(layout, [])
        cluster.call(lambda api: each(api, lambda name: api.delete(path("v1", "configmaps", REGISTRIES_NAMESPACE, name))))
    statuses = [request.status for request in begun_anew.requests if request.path.endswith("/configmaps")]
    assert statuses == [200, 410, 200, 200]
    assert begun_anew.result["registries"][0]["status"]["certificates"] and not begun_anew.warnings
    # That they cannot be read hides nothing else.
    assert not given_up.failed and [text for text in given_up.warnings if "the API server responded with 410" in text], given_up.warnings
