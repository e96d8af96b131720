"""Which cluster a playbook goes to: never one that the inventory does not name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import controlplane, faults
from sandbox.layout import ROOT, Layout
from tests.helpers import USER_AGENT, Cluster, account_with, roles_of
from tests.playing import Played, Player

# The one that is left out only writes a file.
EVERY_PLAYBOOK = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem != "rbac")
OF_THE_ENVIRONMENT: dict[str, Any] = {"model_registry_cluster": {}}
# What somebody writes who wants to say which cluster it is. A misspelled variable is found before.
MISTAKES: dict[str, dict[str, Any]] = {
    "empty": {"model_registry_cluster": None},
    "text": {"model_registry_cluster": "west"},
    "web": {},
}
# Where somebody would go on who has seen a run fail there.
FIRST_TASKS = {
    "backup": "Read the names of the registries",
    "check": "Read the status of the registries",
    "converge": "Reconcile the registries",
    "delete": "Delete the registry",
    "enable": "Set the state of the model registry component",
    "export": "Read the registries",
    "migrate": "Move the registry to another database",
    "permissions": "Manage access to the registry",
    "recover": "Create the registry",
    "registry": "Create or edit the registry",
    "report": "Read the registries",
    "restore": "Restore the registry",
    "rotate_ca": "Read the CA of the registry",
    "rotate_password": "Check whether the registry exists",
}
REFUSAL = "model_registry_cluster is not set for these hosts of the inventory: {}."


@pytest.fixture
def player(layout: Layout, automation_token: str, tmp_path: Path) -> Player:
    """Somebody who is logged in to the sandbox."""
    made = Player(layout, automation_token, tmp_path)
    made.kubeconfig()
    return made


def play(player: Player, hosts: dict[str, dict[str, Any]], command: str) -> Played:
    (player.folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    return player.run(f"ansible-playbook -i inventory.yml modelops.openshift_ai.{command}")


@pytest.fixture
def nothing_asked(layout: Layout) -> Iterator[None]:
    """The cluster is asked nothing meanwhile."""
    started = time.time()
    yield
    assert not [request for request in faults.recorded_requests(layout) if request.user_agent == USER_AGENT and request.time >= started]


@pytest.mark.usefixtures("nothing_asked")
@pytest.mark.parametrize("limit", ["", "--limit text", "--limit east"])
def test_it_never_connects_to_a_cluster_that_you_did_not_specify(player: Player, limit: str) -> None:
    refused = play(player, {"east": OF_THE_ENVIRONMENT, **MISTAKES}, f"converge {limit} -e '{{\"model_registries_list\": []}}'")
    assert refused.code and REFUSAL.format(", ".join(sorted(MISTAKES))) in refused.output, refused.output
    assert not refused.summaries


@pytest.mark.usefixtures("nothing_asked")
@pytest.mark.parametrize("playbook", EVERY_PLAYBOOK)
def test_every_playbook_refuses_such_a_host(player: Player, playbook: str) -> None:
    chore = "-e model_registry_name=nobody -e model_registry_delete_confirm=nobody -e model_registries_clusters=west"
    refused = play(player, {"east": OF_THE_ENVIRONMENT, "west": {}}, f"{playbook} {chore}")
    assert refused.code and REFUSAL.format("west") in refused.output and not refused.summaries, refused.output


@pytest.mark.usefixtures("nothing_asked")
@pytest.mark.parametrize("playbook", FIRST_TASKS)
def test_whoever_begins_later_and_skips_the_refusal_goes_to_no_cluster_either(player: Player, playbook: str) -> None:
    chore = "-e model_registry_name=nobody -e model_registry_delete_confirm=nobody -e model_registries_clusters=west"
    later = play(player, {"east": OF_THE_ENVIRONMENT, "west": {}}, f"{playbook} {chore} --start-at-task '{FIRST_TASKS[playbook]}'")
    assert later.code and "Nothing was read or written: the clusters of the inventory were not compared" in later.output, later.output


@pytest.mark.usefixtures("nothing_asked")
def test_an_inventory_of_web_servers_is_refused(player: Player) -> None:
    refused = play(player, {"web1": {}, "web2": {}}, "delete --limit web1 -e model_registry_name=nobody -e model_registry_delete_confirm=nobody")
    assert refused.code and REFUSAL.format("web1, web2") in refused.output, refused.output


@pytest.mark.usefixtures("nothing_asked")
def test_the_only_host_that_a_controllers_slice_leaves_has_to_say_it_too(player: Player) -> None:
    for variable in ("tower_job_id", "awx_job_id"):
        refused = play(player, {"west": {}}, f"check -e {variable}=1")
        assert refused.code and REFUSAL.format("west") in refused.output, refused.output


def test_the_only_host_is_the_cluster_of_the_environment_and_needs_no_python_of_its_own(player: Player) -> None:
    checked = play(player, {"openshift": {}}, "check")
    assert "openshift (" in checked.summary and checked.servers == {f"openshift: API server {player.layout.faulty_api_url}"}, checked.output
    other = play(player, {"openshift": {}}, "check -e model_registry_python=/nowhere/python")
    assert other.code and "/nowhere/python" in other.output, other.output


def test_hosts_that_are_no_clusters_are_no_harm_where_the_clusters_are_named(player: Player) -> None:
    checked = play(player, {"east": OF_THE_ENVIRONMENT, "web1": {}, "web2": {}}, "check -e model_registries_clusters=east")
    assert "east (" in checked.summary and "web" not in checked.summary, checked.output


def kubeconfig(player: Player, name: str, address: str) -> dict[str, Any]:
    """What leads to the sandbox by one of its addresses."""
    path = player.folder / name
    path.write_text(json.dumps(controlplane.kubeconfig(player.layout, {"token": player.token}, address)))
    return {"model_registry_cluster": {"kubeconfig": str(path)}}


def test_two_hosts_that_are_the_same_cluster_are_refused_by_whatever_address(player: Player, layout: Layout) -> None:
    hosts = {"east": kubeconfig(player, "direct", layout.api_url), "west": kubeconfig(player, "proxied", layout.faulty_api_url)}
    hosts["north"] = {"model_registry_cluster": {"context": "nowhere"}}
    started = time.time()
    refused = play(player, hosts, "converge -e '{\"model_registries_list\": []}'")
    assert refused.code and "hosts of the inventory connect to the same cluster: east, west." in refused.output, refused.output
    assert not refused.summaries
    assert not [request for request in faults.recorded_requests(layout) if request.writes and request.time >= started and request.user_agent == USER_AGENT]
    # One of them alone does no harm, and neither does it when it is meant.
    assert "west (" in play(player, hosts, "check -e model_registries_clusters=west").summary
    meant = play(player, hosts, "check -e model_registries_clusters=east,west -e model_registries_same_cluster=true")
    assert meant.servers == {f"east: API server {layout.api_url}", f"west: API server {layout.faulty_api_url}"}, meant.output
    named_too = play(player, {"east": hosts["east"], "localhost": OF_THE_ENVIRONMENT}, "check")
    assert named_too.code and "the same cluster: east, localhost." in named_too.output, named_too.output


def test_where_the_identity_of_a_cluster_may_not_be_read_the_addresses_are_compared_and_a_warning_says_so(
    player: Player, layout: Layout, cluster: Cluster, tmp_path: Path
) -> None:
    roles = [role for role in roles_of("read.yml") if role["kind"] == "Role"]
    with account_with(cluster, "unidentified", roles) as token:
        poorer = Player(layout, token, tmp_path)
        hosts = {name: kubeconfig(poorer, name, layout.faulty_api_url) for name in ("east", "west")}
        refused = play(poorer, hosts, "check")
        hosts["west"] = kubeconfig(poorer, "west", layout.api_url)
        told_apart = play(poorer, hosts, "check -e model_registries_namespace=rhoai-model-registries")
    assert refused.code and "hosts of the inventory connect to the same cluster: east, west." in refused.output, refused.output
    assert told_apart.summary, told_apart.output
    for played in (refused, told_apart):
        assert "identified only by the URL of its API server" in " ".join(played.output.split()), played.output


@pytest.mark.parametrize("later", ["Summary", "Record the outcome", "Fail if there are findings"])
def test_a_check_of_nothing_is_never_good(player: Player, later: str) -> None:
    played = play(player, {"openshift": {}}, f"check -e '{{\"model_registries_list\": []}}' --start-at-task '{later}'")
    assert played.code and "OK" not in "".join(map(str, played.summaries)), played.output


def test_a_check_that_skips_the_comparison_is_not_good(player: Player) -> None:
    played = play(player, {"openshift": {}}, "check -e '{\"model_registries_list\": []}' --start-at-task 'Read the status of the registries'")
    assert played.code and "were not compared with the list" in played.summary and ", compared with the list" not in played.summary, played.output


@pytest.mark.parametrize("later", ["Read the registries", "Write the page", "Summary", "Fail if the cluster was not read"])
def test_a_report_of_nothing_is_never_good(player: Player, later: str) -> None:
    played = play(player, {"openshift": {}}, f"report --start-at-task '{later}'")
    assert played.code, played.output


def test_a_host_that_failed_before_is_named_in_the_summary(player: Player) -> None:
    hosts = {"east": OF_THE_ENVIRONMENT, "west": {"model_registry_cluster": {"context": "nowhere"}, "model_registries_expiry_days": "soon"}}
    played = play(player, hosts, "check")
    assert (
        played.code and "west: FAILED before everything was checked. See the error above" in played.summary and "west: API server not known" in played.servers
    )
