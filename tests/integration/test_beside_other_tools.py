"""The examples for other tools: Argo CD, Prometheus, Event-Driven Ansible, ansible-navigator, each as far as it runs on one machine, and their guide."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _outcome, _results
from sandbox import databases, toolchain
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests import helpers, reading_results
from tests.found import certificate, found, registry
from tests.guides import GUIDES
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster, Runner, account_with, roles_of, until
from tests.playing import GIVEN, PASSWORD, Player, commands, run

EXAMPLES = ROOT / "examples"
GUIDE = (GUIDES / "beside_other_tools.rst").read_text()
SECRET = "fraud-database"
REFRESHED = "refreshed-word-816"
# By which Argo CD knows what it applied, as an annotation or, if it is set up so, as a label.
TRACKING, TRACKING_LABEL = "argocd.argoproj.io/tracking-id", "app.kubernetes.io/instance"
TRACKED = {TRACKING: f"model-registries:modelregistry.opendatahub.io/ModelRegistry:{REGISTRIES_NAMESPACE}/fraud-models"}
NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def rows(table: str) -> list[list[str]]:
    """The cells of a table of the guide, below its heading."""
    [text] = re.findall(rf"^{re.escape(table)}\n[-^]+\n.*?:header-rows: 1\n\n(.*?)\n\n(?=\S)", GUIDE, re.MULTILINE | re.DOTALL)
    lines = [re.split(r"\n\s+- ", row) for row in re.split(r"^\s+\* - ", text, flags=re.MULTILINE)[1:]]
    return [[" ".join(cell.replace("``", "").split()) for cell in line] for line in lines[1:]]


# Argo CD


def paths(content: Any, path: str = "") -> dict[str, Any]:
    """By JSON pointer, each value of an object that is not an object itself, or is an empty one."""
    if not isinstance(content, dict) or not content:
        return {path: content}
    return {pointer: value for key, inner in content.items() for pointer, value in paths(inner, f"{path}/{key.replace('/', '~1')}").items()}


def holds(content: Any, pointer: str) -> bool:
    for key in pointer.split("/")[1:]:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True


def compared(manifest: dict[str, Any], live: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the cluster changed of the fields of a manifest, and what it added to its spec.

    Like Argo CD, whose comparison takes no notice of what only the cluster has.
    """
    wanted, there = paths(manifest), paths(live)
    changed = {path for path, value in wanted.items() if (not holds(live, path) if value == {} else there.get(path) != value)}
    return changed, {path for path in there if path.startswith("/spec/") and path not in wanted}


@pytest.fixture
def manifest() -> dict[str, Any]:
    """The registry of the example."""
    content: dict[str, Any] = yaml.safe_load((EXAMPLES / "argocd" / "registries" / "fraud-models.yml").read_text())
    return content


def apply(layout: Layout, manifest: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Apply a manifest as Argo CD does, which marks what it applies as its own."""
    marked = manifest | {"metadata": {**manifest["metadata"], "annotations": {**manifest["metadata"]["annotations"], **TRACKED}}}
    command = ["kubectl", "apply", "--namespace", REGISTRIES_NAMESPACE, "--filename", "-"]
    return subprocess.run(command, input=json.dumps(marked), env=helpers.shell(layout), text=True, capture_output=True, check=False)


def applied(layout: Layout, cluster: Cluster, manifest: dict[str, Any]) -> dict[str, Any]:
    done = apply(layout, manifest)
    assert done.returncode == 0, done.stderr
    live: dict[str, Any] = cluster.registry(manifest["metadata"]["name"])
    return live


@contextmanager
def external_secret(cluster: Cluster) -> Iterator[None]:
    """The Secret that another tool writes."""
    cluster.create("v1", "secrets", {"metadata": {"name": SECRET}, "data": {"password": base64.b64encode(PASSWORD.encode()).decode()}})
    try:
        yield
    finally:
        cluster.delete("v1", "secrets", SECRET)


def test_argo_cd_finds_the_registry_of_the_example_in_sync(
    example: Callable[[str], Player], layout: Layout, cluster: Cluster, manifest: dict[str, Any]
) -> None:
    example("argocd")
    for _time in range(2):
        changed, added = compared(manifest, applied(layout, cluster, manifest))
        assert changed == set()
    assert added == {path for path, _value in rows("Defaults that the cluster adds")}
    assert {path: paths(cluster.registry("fraud-models"))[path] for path in added} == {
        path: yaml.safe_load(value) for path, value in rows("Defaults that the cluster adds")
    }


def test_the_webhook_rewrites_exactly_the_fields_that_the_guide_lists(
    example: Callable[[str], Player], layout: Layout, cluster: Cluster, manifest: dict[str, Any]
) -> None:
    example("argocd")
    spec = manifest["spec"]
    image = {"image": "quay.io/opendatahub/model-registry:v0.3.0", "resources": {"limits": {"memory": "1Gi"}}}
    del spec["kubeRBACProxy"]
    rewritten = manifest | {"spec": {**spec, "oauthProxy": {}, "rest": image, "postgres": {}}}
    changed, _added = compared(rewritten, applied(layout, cluster, rewritten))
    listed = {path for path, *_more in rows("Fields that the cluster rewrites")}
    assert {next((one for one in listed if path == one or path.startswith(f"{one}/")), path) for path in changed} == listed
    # A second sync sends them again.
    again = apply(layout, rewritten)
    assert again.returncode and "Cannot use both oauthProxy and kubeRBACProxy" in again.stderr


def test_the_application_ignores_exactly_what_differs_of_a_manifest_of_version_2(
    example: Callable[[str], Player], layout: Layout, cluster: Cluster, manifest: dict[str, Any]
) -> None:
    example("argocd")
    spec = {**{key: value for key, value in manifest["spec"].items() if key != "kubeRBACProxy"}, "oauthProxy": {}}
    changed, _added = compared(manifest | {"spec": spec}, applied(layout, cluster, manifest | {"spec": spec}))
    [ignored] = yaml.safe_load((EXAMPLES / "argocd" / "application.yml").read_text())["spec"]["ignoreDifferences"]
    assert (ignored["group"], ignored["kind"], set(ignored["jsonPointers"])) == (REGISTRIES[0].partition("/")[0], manifest["kind"], changed)


def test_the_playbooks_change_nothing_of_a_registry_that_argo_cd_applied(
    example: Callable[[str], Player], layout: Layout, cluster: Cluster, manifest: dict[str, Any]
) -> None:
    player = example("argocd")
    check, converge = commands(player)
    with external_secret(cluster):
        applied(layout, cluster, manifest)
        until(lambda: run(player, check).code == 0)
        try:
            databases.set_password(layout, "mysql", databases.REGISTRY.name, REFRESHED)
            cluster.merge("v1", "secrets", SECRET, {"data": {"password": base64.b64encode(REFRESHED.encode()).decode()}})
            found, restarted = run(player, check), run(player, converge)
            assert found.code and "restart" in found.summary, found.output
            assert restarted.code == 0 and "openshift/fraud-models: restarted, https://" in restarted.summary, restarted.output
            assert compared(manifest, cluster.registry("fraud-models"))[0] == set()
            assert run(player, check).code == 0
        finally:
            databases.set_password(layout, "mysql", databases.REGISTRY.name, PASSWORD)


def test_argo_cd_takes_no_object_of_the_collection_for_its_own(automation: Runner, layout: Layout, cluster: Cluster, name: str, mysql: dict[str, Any]) -> None:
    ca = {"source": "upload", "pem": layout.path("pki", "database-ca.crt").read_text()}
    permissions = {"groups": ["data-scientists"], "users": ["carol"], "members": ["dana"]}
    made = automation(name=name, database=mysql | {"ca": ca}, permissions=permissions)
    assert not made.failed, made.output
    places = {"Secret": ("v1", "secrets"), "ConfigMap": ("v1", "configmaps"), "RoleBinding": ROLE_BINDINGS, "ModelRegistry": REGISTRIES}
    created = {(change["kind"], change["name"]) for change in made.result["changes"] if change["action"] == "create"}
    objects = [{"kind": kind, **cluster.get(*places[kind], name)} for kind, name in created]
    assert {one["kind"] for one in objects} == set(places)
    for one in objects:
        marks = {**(one["metadata"].get("labels") or {}), **(one["metadata"].get("annotations") or {})}
        assert TRACKING_LABEL not in marks and not [mark for mark in marks if "argoproj.io" in mark], one
    # Of the operator's objects, Argo CD never prunes those with an owner. The others have a label that it tracks if it is set up to do so.
    others = [
        one
        for kind in (("user.openshift.io/v1", "groups"), (f"{RBAC}/v1", "clusterrolebindings"))
        for one in cluster.items(*kind, None)
        if one["metadata"]["name"].startswith(name)
    ]
    namespaced = [one for kind in (*places.values(), (f"{RBAC}/v1", "roles"), ("v1", "services"), ("v1", "serviceaccounts")) for one in cluster.items(*kind)]
    others += [one for one in namespaced if TRACKING_LABEL in (one["metadata"].get("labels") or {}) and name in one["metadata"]["name"]]
    unowned = {one["metadata"]["labels"][TRACKING_LABEL] for one in others if not one["metadata"].get("ownerReferences")}
    assert unowned == {f"{name}-users", f"{name}-auth-delegator"}
    assert all(f"``<registry>{label.removeprefix(name)}``" in GUIDE for label in unowned)


# Prometheus


def metrics(folder: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What `check` writes of a cluster with a registry with each trouble, with times since its end."""
    names = ("down", "drifted", "ends", "fine", "old")
    states: dict[str, dict[str, Any]] = {
        "down": {"available": False, "reason": "no pod is ready", "remedy": "Fix it"},
        "ends": {"certificates": [certificate(12, name="trusted", not_after="2026-05-18T07:08:09Z")]},
        "fine": {"certificates": [certificate(90, not_after="2026-08-04T07:08:09Z")]},
    }
    server = "https://api.east.example.com:6443"
    for name in names[1:]:
        moment = NOW - timedelta(hours=30 if name == "old" else 3)
        (folder / retention.backup_of(server, name, moment).file).write_bytes(b"x")
    seen = found(*(registry(name, {"ca": {"source": "config_map"}}, states.get(name)) for name in names), cluster={"host": server})
    drift = [{"registry": "drifted", "option": option, "before": None, "after": "x", "manager": "", "time": ""} for option in ("description", "database.host")]
    listed = {"registries": [{"name": name, "changed": False, "failed": False, "status": {}} for name in names], "unlisted": [], "changes": []}
    backups = _backups.Wanted(str(folder), 26, NOW)
    outcome = _outcome.checked({**listed, "drift": drift, "cluster": {"host": server}}, seen, has_list=True, purge=False, backups=backups)
    made = _results.Run({"east": outcome}, {}, ("west",), _outcome.FAIL_ON, NOW)
    samples = reading_results.metrics(_results.as_metrics(made, ""))
    return {(name, labels): value - NOW.timestamp() if "_timestamp_" in name and value else value for (name, labels), value in samples.items()}


def labelled(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"


def prometheus(folder: Path, test: dict[str, Any]) -> None:
    """Evaluate the rules of the example with promtool; what a test of it expects has to come true."""
    rules = yaml.safe_load((EXAMPLES / "monitoring" / "prometheus-rule.yml").read_text())
    (folder / "rules.yml").write_text(yaml.safe_dump(rules["spec"]))
    series = [{"series": name + labelled(dict(labels)), "values": f"{value:.0f}+0x400"} for (name, labels), value in test.pop("samples").items()]
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [{"interval": "1m", "input_series": series, **test}]}
    (folder / "test.yml").write_text(yaml.safe_dump(content))
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "test.yml"]):
        done = subprocess.run([str(toolchain.promtool()), *command], cwd=folder, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((EXAMPLES / "monitoring" / "prometheus-rule.yml").read_text())["spec"]["groups"]
    return list(group["rules"])


def expected(minutes: int, active: Mapping[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """That exactly these alerts are active, by their labels."""
    texts = {rule["alert"]: (rule["labels"], rule["annotations"]) for rule in alerts()}
    assert set(active) <= set(texts)
    return [
        {
            "eval_time": f"{minutes}m",
            "alertname": name,
            "exp_alerts": [
                {
                    "exp_labels": labels | {key: value for key, value in one.items() if key != "summary"},
                    "exp_annotations": annotations | {"summary": one["summary"]},
                }
                for one in active.get(name, [])
            ],
        }
        for name, (labels, annotations) in texts.items()
    ]


@pytest.mark.needs_promtool
def test_each_alert_is_active_for_what_it_names_and_for_nothing_else(tmp_path: Path) -> None:
    of = {"cluster": "east", "namespace": "registries"}
    ends = {"use": "ca", "kind": "ConfigMap", "name": "trusted", "key": "ca.crt"}
    troubles = {
        "ModelRegistryUnavailable": [{**of, "registry": "down", "summary": "Model registry down in cluster east is not available."}],
        "ModelRegistryDrift": [{**of, "registry": "drifted", "summary": "Model registry drifted in cluster east: 2 options differ from the list."}],
        "ModelRegistryCertificateExpiresSoon": [
            {
                **of,
                **ends,
                "registry": "ends",
                "summary": "A certificate in ConfigMap trusted, which model registry ends in cluster east uses, expires in 11d 23h 59m 0s.",
            }
        ],
        "ModelRegistryBackupOld": [{**of, "registry": "old", "summary": "The last backup of model registry old in cluster east is 1d 6h 1m 0s old."}],
        "ModelRegistriesFindings": [
            {"cluster": "east", "check": "backup", "summary": "Cluster east: findings of the kind backup for 2 registries or catalogs."},
        ],
    }
    samples = metrics(tmp_path)
    prometheus(tmp_path, {"samples": samples, "alert_rule_test": expected(1, troubles)})


@pytest.mark.needs_promtool
def test_metrics_that_no_check_updates_raise_an_alert(tmp_path: Path) -> None:
    fine = {key: value for key, value in metrics(tmp_path).items() if key[0].startswith("model_registries_check_last_")}
    said = "No check has completed for the model registries of cluster {} in the last three hours."
    stopped = {"ModelRegistriesNotChecked": [{"cluster": cluster, "summary": said.format(cluster)} for cluster in ("east", "west")]}
    prometheus(tmp_path, {"samples": fine, "alert_rule_test": [*expected(179, {}), *expected(181, stopped)]})
    missing = {"ModelRegistriesMetricsMissing": [{"summary": "There are no metrics of model registries."}]}
    prometheus(tmp_path, {"samples": {}, "alert_rule_test": [*expected(29, {}), *expected(31, missing)]})


@pytest.mark.needs_promtool
def test_every_panel_of_the_dashboard_shows_what_a_check_has_written(tmp_path: Path) -> None:
    panels = json.loads((EXAMPLES / "monitoring" / "dashboard.json").read_text())["panels"]
    queries = {panel["title"]: panel["targets"][0]["expr"].replace("$cluster", "east|west") for panel in panels}
    samples = metrics(tmp_path)
    # A recording rule of each finds its values; promtool then says which ones.
    groups = {"groups": [{"name": "panels", "rules": [{"record": f"panel_{number}", "expr": expr} for number, expr in enumerate(queries.values())]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(groups))
    series = [{"series": name + labelled(dict(labels)), "values": f"{value:.0f}+0x10"} for (name, labels), value in samples.items()]
    shown = {"Registries": 5, "Not available": 1, "With drift": 1, "Certificates that expire within 30 days": 1, "Clusters without a complete check": 1}
    tests = [{"expr": queries[title], "eval_time": "1m", "exp_samples": [{"labels": "{}", "value": value}]} for title, value in shown.items()]
    tests += [{"expr": f"count({expr}) > bool 0", "eval_time": "1m", "exp_samples": [{"labels": "{}", "value": 1}]} for expr in queries.values()]
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": tests}]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(content))
    done = subprocess.run([str(toolchain.promtool()), "test", "rules", "test.yml"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Event-Driven Ansible


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Rulebook:
    """The rulebook of the example at work, in a copy of its folder."""

    def __init__(self, player: Player, port: int) -> None:
        self.player, self.port, self.token = player, port, "token-of-alertmanager"
        settings = {"webhook_host": "127.0.0.1", "webhook_port": port, "results": str(player.folder)}
        (player.folder / "settings.yml").write_text(yaml.safe_dump(settings))
        [block] = re.findall(r"```shell\n(.*?)```", (player.folder / "README.md").read_text(), re.DOTALL)
        self.command = block.splitlines()[-1]

    @contextmanager
    def running(self) -> Iterator[None]:
        variables = {**helpers.shell(self.player.layout), **GIVEN, "ALERTMANAGER_TOKEN": self.token, "PYTHONUNBUFFERED": "1"}
        variables |= {"K8S_AUTH_KUBECONFIG": str(self.player.folder / "kubeconfig"), "PWD": str(self.player.folder)}
        with (self.player.folder / "log").open("w") as log:
            process = subprocess.Popen(["bash", "-c", f"exec {self.command}"], cwd=self.player.folder, env=variables, stdout=log, stderr=subprocess.STDOUT)
        try:
            until(lambda: self._answers(process), 3 * helpers.SECONDS)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log
        try:
            return self.send({}, token="wrong") == 401
        except OSError:
            return False

    @property
    def log(self) -> str:
        return (self.player.folder / "log").read_text()

    def send(self, message: Mapping[str, Any], token: str = "") -> int:
        """Send a message as Alertmanager does; the HTTP status."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/alerts", json.dumps(message).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=helpers.SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def message(cluster: str, alert: str = "ModelRegistryDrift", status: str = "firing") -> dict[str, Any]:
    """What Alertmanager sends of one alert, in its version 4."""
    group = {"alertname": alert, "cluster": cluster}
    labels = group | {"instance": "automation:9100", "job": "model-registries", "namespace": "n", "registry": "fraud-models", "severity": "warning"}
    annotations = {"summary": "Model registry fraud-models: 1 options differ from the list."}
    times = {"startsAt": "2026-11-29T18:03:49.701Z", "endsAt": "0001-01-01T00:00:00Z"}
    one = {"status": status, "labels": labels, "annotations": annotations, **times, "generatorURL": "", "fingerprint": "1fc5c7e58a9be52e"}
    common = {"groupLabels": group, "commonLabels": labels, "commonAnnotations": annotations}
    return {
        "receiver": "model-registries",
        "status": status,
        "alerts": [one],
        **common,
        "externalURL": "",
        "version": "4",
        "groupKey": "x",
        "truncatedAlerts": 0,
    }


@pytest.mark.needs_java
def test_an_alert_about_drift_is_checked_and_then_reverted(example: Callable[[str], Player], cluster: Cluster) -> None:
    player = example("event-driven")
    player.kubeconfig(("east", "west"))
    converge = "ansible-playbook -i inventory modelops.openshift_ai.converge -e model_registries_clusters=east"
    assert run(player, converge).code == 0
    cluster.merge(*REGISTRIES, "fraud-models", {"metadata": {"annotations": {"openshift.io/description": "Clicked"}}})
    rulebook = Rulebook(player, free_port())
    drift, converged = (player.folder / f"east-{name}.json" for name in ("drift", "converged"))
    with rulebook.running():
        # A template in a label would run a program, if it became the value of a variable.
        template = f"{{{{ lookup('ansible.builtin.pipe', 'touch {player.folder}/evaluated') }}}}"
        for other in (message("east", status="resolved"), message("east", "ModelRegistryUnavailable"), message(template), message("east,west"), {}):
            assert rulebook.send(other) == 200
        assert rulebook.send(message("east"), token="other") == 401
        assert rulebook.send(message("east")) == 200
        # A repeated message is ignored. One about another cluster is not, and comes after it.
        assert rulebook.send(message("east")) == rulebook.send(message("west")) == 200
        until((player.folder / "west-converged.json").exists, 3 * helpers.SECONDS)
    assert PASSWORD not in rulebook.log and rulebook.token not in rulebook.log
    assert rulebook.log.count("PLAY [Reconcile the model registries]") == 2, rulebook.log
    [finding] = reading_results.results(drift.read_text())["clusters"]["east"]["findings"]
    assert "'Clicked'" in finding["text"] and json.loads(converged.read_text())["status"] == "changed"
    assert cluster.registry("fraud-models")["metadata"]["annotations"]["openshift.io/description"] == "Models of the fraud team"
    assert not (player.folder / "evaluated").exists()


def test_alertmanager_sends_what_the_rulebook_takes() -> None:
    [route] = yaml.safe_load((EXAMPLES / "event-driven" / "alertmanager.yml").read_text())["route"]["routes"]
    [rule] = yaml.safe_load((EXAMPLES / "event-driven" / "rulebook.yml").read_text())[0]["rules"]
    [name] = re.findall(r'commonLabels\.alertname == "(\w+)"', rule["condition"])
    # Only labels by which messages are grouped are common to all of their alerts.
    assert route["matchers"] == [f"alertname = {name}"] and route["group_by"] == ["alertname", "cluster"]
    assert name in [one["alert"] for one in alerts()]


# ansible-navigator


def test_the_playbooks_run_in_ansible_navigator(example: Callable[[str], Player]) -> None:
    # Without a container engine: what it runs then is of this machine.
    player = example("navigator")
    said, did, checked = (run(player, command, "--ee", "false") for command in commands(player))
    assert said.code == did.code == checked.code == 0, said.output + did.output + checked.output
    assert "1 would be changed" in said.output and "1 registry: 0 unchanged, 1 changed" in did.output and "no findings" in checked.output
    assert not list(player.folder.glob("*artifact*"))


# Accounts


def test_scheduled_playbooks_run_with_the_permissions_that_the_guide_names(
    example: Callable[[str], Player], layout: Layout, cluster: Cluster, automation: Runner, name: str
) -> None:
    player = example("one-cluster")
    # The database of a Service cannot be reached from here, a generated one can: through the API server.
    made = automation(name=name, database={"type": "generated"})
    assert not made.failed, made.output
    folder = player.folder / "written"
    folder.mkdir()
    variables = {
        "model_registries_namespace": REGISTRIES_NAMESPACE,
        "model_registries_list": [{"name": name}],
        "model_registries_export_folder": str(folder),
        "model_registry_report_file": str(folder / "report.html"),
    }
    more: dict[str, dict[str, Any]] = {
        "backup": {"model_registry_backup_folder": str(folder), "model_registry_name": name},
        "catalog": {"model_catalog_namespace": REGISTRIES_NAMESPACE, "model_catalog_sources": []},
        "check": {"model_registries_result_file": str(folder / "results.json")},
    }
    try:
        for playbook, files in rows("Permissions for scheduled jobs"):
            with account_with(cluster, f"scheduled-{playbook}", [role for file in files.split() for role in roles_of(file)]) as token:
                scheduled = Player(layout, token, player.folder)
                scheduled.kubeconfig()
                command = f"ansible-playbook -i inventory.yml modelops.openshift_ai.{playbook} -e @variables.json"
                (player.folder / "variables.json").write_text(json.dumps(variables | more.get(playbook, {})))
                done = run(scheduled, command)
                assert done.code == 0 and " failed=0 " in done.output, done.output
                if playbook == "check":
                    listed = {"model_registries_list": [{"name": name, "description": "Another one"}]}
                    (player.folder / "variables.json").write_text(json.dumps(variables | more["check"] | listed))
                    assert run(scheduled, command).code
                    found = reading_results.results((folder / "results.json").read_text())
                    assert (found["status"], found["found"]["drift"]) == ("failed", 1)
    finally:
        automation(name=name, state="absent", delete_data=True, wait=False)


# The guide


def test_every_block_of_the_guide_is_a_part_of_an_example() -> None:
    blocks = re.findall(r"::\n\n((?:   .*\n|\n)+)", GUIDE)
    files = [" ".join(file.read_text().split()) for file in sorted(EXAMPLES.rglob("*")) if file.is_file()]
    assert len(blocks) > 3 and not [block for block in blocks if not any(" ".join(block.split()) in file for file in files)]
