"""The repositories in examples/: the commands that they show, run as they stand, in copies of their folders."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sandbox import databases
from sandbox.layout import ROOT, Layout
from tests.dashboard import CLUSTER_WIDE, Dashboard, Database, Form
from tests.fleet import remove
from tests.helpers import REGISTRIES, Cluster
from tests.playing import Played, Player

PASSWORD = databases.REGISTRY.password
GIVEN = {name: PASSWORD for name in ("FRAUD_DATABASE_PASSWORD", "CREDIT_DATABASE_PASSWORD", "MODEL_REGISTRY_DATABASE_PASSWORD")}
REFRESHED = "refreshed-word-815"
NAMES = ("fraud", "credit")


@pytest.fixture(scope="module", autouse=True)
def examples_databases(layout: Layout) -> Iterator[None]:
    """The databases that the examples name."""
    named = [f"{name}_models" for name in NAMES]
    for kind in databases.KINDS:
        databases.create_databases(layout, kind, named)
    yield
    for kind in databases.KINDS:
        for name in named:
            databases.drop_database(layout, kind, name)
    # One of them is among those that every sandbox has.
    databases.provision(layout)


@pytest.fixture
def example(layout: Layout, cluster: Cluster, automation_token: str, tmp_path: Path) -> Iterator[Callable[[str], Player]]:
    """Makes a copy of an example's folder to run its commands in; the registries that it makes are gone afterwards."""

    def copied(name: str) -> Player:
        folder = tmp_path / name
        shutil.copytree(ROOT / "examples" / name, folder)
        player = Player(layout, automation_token, folder)
        player.kubeconfig()
        return player

    yield copied
    for name in NAMES:
        remove(cluster, f"{name}-models")


def commands(player: Player) -> list[str]:
    """The playbooks that the README of an example runs, as it shows them."""
    [block] = re.findall(r"```shell\n(.*?)```", (player.folder / "README.md").read_text(), re.DOTALL)
    return [line.partition("#")[0].strip() for line in block.splitlines() if line.startswith("ansible-playbook ")]


def run(player: Player, command: str, *arguments: str, **variables: str) -> Played:
    played = player.run(command, *arguments, **GIVEN, **variables)
    assert PASSWORD not in played.output
    return played


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
    jobs = yaml.safe_load((player.folder / "gitlab-ci.yml").read_text())

    def job(name: str) -> Played:
        [command] = jobs[name]["script"]
        return run(player, command)

    review, converge = job("review"), job("converge")
    assert review.code == converge.code == 0 and "1 would be changed" in review.summary and "1 changed" in converge.summary
    Dashboard(cluster).grant("fraud-models", "User", "mallory")
    cluster.merge(*REGISTRIES, "fraud-models", {"metadata": {"annotations": {"openshift.io/description": "Clicked"}}})
    check = job("check")
    assert check.code, check.output
    assert "openshift/fraud-models: description: current value 'Clicked', desired value 'Models of the fraud team' (last changed by " in check.summary
    assert "openshift/fraud-models: permissions.users[mallory]: current value 'granted', desired value not set" in check.summary
    assert job("converge").code == 0
    assert cluster.registry("fraud-models")["metadata"]["annotations"]["openshift.io/description"] == "Models of the fraud team"


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


def test_passwords_in_vault(example: Callable[[str], Player], cluster: Cluster) -> None:
    player = example("passwords-vault")
    # Stands in for Vault's program: answers this one question and no other.
    program = player.folder / "bin" / "vault"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$*" = "kv get -field=password secret/model-registries/fraud" ] && printf "%s" "{PASSWORD}"\n')
    program.chmod(0o755)
    converge, rotate = (f'PATH="$PWD/bin:$PATH" {command}' for command in commands(player))
    made, same = run(player, converge), run(player, rotate)
    assert made.code == same.code == 0, made.output + same.output
    assert "openshift/fraud-models: created, https://" in made.summary and "no change; available" in same.summary
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
