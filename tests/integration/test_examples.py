"""The repositories in examples/: the commands that they show, run as they stand, in copies of their folders."""

from __future__ import annotations

import base64
import http.server
import json
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import yaml

from sandbox import databases
from sandbox.layout import Layout
from tests import reading_results
from tests.dashboard import CLUSTER_WIDE, Dashboard, Database, Form
from tests.helpers import REGISTRIES, Cluster
from tests.playing import PASSWORD, Player, commands, run

REFRESHED = "refreshed-word-815"
JOBS = ("review", "converge", "check")


def test_one_cluster(example: Callable[[str], Player]) -> None:
    player = example("one-cluster")
    said, did, checked = (run(player, command) for command in commands(player))
    assert said.code == did.code == checked.code == 0, said.output + did.output + checked.output
    assert "2 registries: 0 unchanged, 2 would be changed" in said.summary and "2 registries: 0 unchanged, 2 changed" in did.summary
    assert "no findings" in checked.summary


def test_a_fleet(example: Callable[[str], Player], layout: Layout) -> None:
    player = example("fleet")
    player.kubeconfig(("east", "west"))
    shutil.copy(layout.path("pki", "database-ca.crt"), player.folder / "database-ca.pem")
    everywhere, west, check = commands(player)
    # Both names lead to the one cluster of the sandbox, so they come one after the other.
    same = ("-e", "model_registries_same_cluster=true")
    did, again, checked = run(player, everywhere, "--forks", "1", *same), run(player, west), run(player, check, *same)
    assert did.code == again.code == checked.code == 0, did.output + again.output + checked.output
    for line in ("): 1 registry: 0 unchanged, 1 changed", "): 2 registries: 1 unchanged, 1 changed", "west/credit-models: created, https://"):
        assert line in did.summary
    assert re.match(r"OK: west \(https://.*\): 2 registries: 2 unchanged", again.summary) and "east" not in again.summary
    assert [line.partition(" ")[0] for line in checked.summary.splitlines()] == ["OK:", "east", "west"]


def test_a_pipeline(example: Callable[[str], Player], cluster: Cluster) -> None:
    player = example("gitops")
    systems = _scripts(player.folder)
    gitlab = systems["gitlab-ci.yml"]
    assert all(
        systems[name]["review"] == gitlab["review"] and systems[name]["converge"] == gitlab["converge"] for name in ("github-workflow.yml", "Jenkinsfile")
    )
    review, converge = run(player, gitlab["review"]), run(player, gitlab["converge"])
    assert review.code == converge.code == 0 and "1 would be changed" in review.summary and "1 changed" in converge.summary
    Dashboard(cluster).grant("fraud-models", "User", "mallory")
    cluster.merge(*REGISTRIES, "fraud-models", {"metadata": {"annotations": {"openshift.io/description": "Clicked"}}})
    for system, scripts in systems.items():
        for name in ("results.json", "junit.xml"):
            (player.folder / name).write_text("of an earlier run")
        (player.folder / "check.sh").write_text(scripts["check"])
        # As each of them runs it.
        check = run(player, "sh check.sh" if system == "tekton.yml" else "sh -e check.sh")
        assert check.code, check.output
        assert "openshift/fraud-models: description: current value 'Clicked', desired value 'Models of the fraud team' (last changed by " in check.summary
        assert "openshift/fraud-models: permissions.users[mallory]: current value 'granted', desired value not set" in check.summary
        results, tests = (player.folder / name for name in ("results.json", "junit.xml"))
        found = reading_results.results(results.read_text())["found"]
        assert (found["drift"], found["health"], found["not_checked"]) == (1, 0, 0), system
        assert reading_results.tests(tests.read_text())["openshift", "fraud-models: drift"][0] == "failed"
        if "always" in scripts:
            assert player.run(scripts["always"], GITHUB_STEP_SUMMARY=str(player.folder / "found")).code == 0
        if system in ("github-workflow.yml", "tekton.yml"):
            assert (player.folder / "found").read_text().replace("'", '"').strip() == json.dumps(found)
            (player.folder / "found").unlink()
    assert run(player, gitlab["converge"]).code == 0
    assert cluster.registry("fraud-models")["metadata"]["annotations"]["openshift.io/description"] == "Models of the fraud team"


def _scripts(folder: Path) -> dict[str, dict[str, str]]:
    """By file, the shell scripts of the three jobs of each system."""
    gitlab = yaml.safe_load((folder / "gitlab-ci.yml").read_text())
    github = yaml.safe_load((folder / "github-workflow.yml").read_text())["jobs"]
    jenkins = re.findall(r"stage\('(\w+)'\).*?sh '{1,3}(.*?)'{1,3}\n", (folder / "Jenkinsfile").read_text(), re.DOTALL)
    [tekton] = yaml.safe_load((folder / "tekton.yml").read_text())["spec"]["steps"]
    # A backslash before a line break is one of Groovy's too.
    return {
        "gitlab-ci.yml": {name: "\n".join(gitlab[name]["script"]) for name in JOBS},
        "github-workflow.yml": {
            **{name: "\n".join(step["run"] for step in github[name]["steps"] if "run" in step and "if" not in step) for name in JOBS},
            "always": "\n".join(step["run"] for step in github["check"]["steps"] if "run" in step and "if" in step),
        },
        "Jenkinsfile": {name: script.replace("\\\n", "") for name, script in jenkins},
        "tekton.yml": {"check": tekton["script"].replace("$(results.found.path)", "found")},
    }


def test_passwords_that_external_secrets_keeps(example: Callable[[str], Player], cluster: Cluster, layout: Layout) -> None:
    def secret(word: str) -> dict[str, str]:
        return {"password": base64.b64encode(word.encode()).decode()}

    player = example("passwords-external-secrets")
    [converge] = commands(player)
    try:
        # External Secrets is not in the sandbox: what it would keep is kept here.
        cluster.create("v1", "secrets", {"metadata": {"name": "fraud-database"}, "data": secret(PASSWORD)})
        made = run(player, converge)
        databases.set_password(layout, "mysql", databases.REGISTRY.name, REFRESHED)
        cluster.merge("v1", "secrets", "fraud-database", {"data": secret(REFRESHED)})
        refreshed = run(player, converge)
        assert made.code == refreshed.code == 0, made.output + refreshed.output
        assert "openshift/fraud-models: created, https://" in made.summary and "openshift/fraud-models: restarted, https://" in refreshed.summary
        assert REFRESHED not in refreshed.output
        assert cluster.registry("fraud-models")["spec"]["mysql"]["passwordSecret"] == {"name": "fraud-database", "key": "password"}
    finally:
        databases.set_password(layout, "mysql", databases.REGISTRY.name, PASSWORD)
        cluster.delete("v1", "secrets", "fraud-database")


class Vault(http.server.BaseHTTPRequestHandler):
    """Answers as the KV engine of Vault: with one secret, and only who has its token."""

    TOKEN = "token-of-vault-734"

    def do_GET(self) -> None:
        allowed, known = self.headers.get("X-Vault-Token") == self.TOKEN, self.path == "/v1/secret/data/model-registries/fraud"
        found = {"data": {"data": {"password": PASSWORD}, "metadata": {"version": 1}}}
        content = json.dumps(found if allowed and known else {"errors": ["permission denied"]}).encode()
        self.send_response(200 if allowed and known else 403)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the output is that of the tests."""


def test_passwords_in_vault(example: Callable[[str], Player], cluster: Cluster) -> None:
    player = example("passwords-vault")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vault) as vault:
        threading.Thread(target=vault.serve_forever, daemon=True).start()
        variables = {"VAULT_ADDR": f"http://127.0.0.1:{vault.server_port}", "VAULT_TOKEN": Vault.TOKEN}
        converge, rotate = commands(player)
        made, same, refused = run(player, converge, **variables), run(player, rotate, **variables), run(player, rotate, **{**variables, "VAULT_TOKEN": "other"})
        vault.shutdown()
    assert made.code == same.code == 0, made.output + same.output
    assert "openshift/fraud-models: created, https://" in made.summary and "no change; available" in same.summary
    assert refused.code and "permission denied" in refused.output
    assert not any(Vault.TOKEN in played.output for played in (made, same, refused))
    assert cluster.registry("fraud-models")


def test_from_the_dashboard(example: Callable[[str], Player], cluster: Cluster) -> None:
    database = Database("mysql.data.svc.cluster.local", "fraud_models", databases.REGISTRY.name, PASSWORD)
    Dashboard(cluster).create("fraud-models", Form("Fraud {{ models }}", "Clicked together", database, CLUSTER_WIDE))
    Dashboard(cluster).grant("fraud-models", "Group", "fraud-scientists")
    player = example("from-the-dashboard")
    export, converge = commands(player)
    written, said = run(player, export), run(player, converge)
    assert written.code == said.code == 0, written.output + said.output
    [listed] = [one for one in _exported(player) if one.startswith("  - name: fraud-models\n")]
    assert "display_name: !unsafe 'Fraud {{ models }}'" in listed and "- fraud-scientists\n" in listed and "password_secret:" in listed
    assert said.summary.startswith("OK: ") and "would be changed" not in said.summary


def _exported(player: Player) -> list[str]:
    """The text of each registry in the exported file."""
    text = (player.folder / "host_vars" / "openshift" / "model_registries.yml").read_text()
    return re.split(r"^(?=  - name: )", text, flags=re.MULTILINE)
