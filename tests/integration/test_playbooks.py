"""The playbooks, run as people run them, as an account with the rights of rbac/converge.yml and no others."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.filter.to_variables import to_variables
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster.client import ATTEMPTS
from sandbox import databases, faults
from sandbox.layout import ROOT, Layout
from tests import fleet
from tests.helpers import REGISTRIES, USER_AGENT, Cluster, Runner, account_with, roles_of, until
from tests.playing import Played, Player

LOGIN = databases.TLS_ONLY
NEW_PASSWORD = "rotated-word-4711"
DESCRIPTION = "Of {{ nobody }}"
HOLD = "example.com/hold"
CHORES = ("permissions", "rotate_password", "rotate_ca", "export")


@pytest.fixture(scope="module")
def room(layout: Layout, cluster: Cluster) -> Iterator[tuple[str, str]]:
    with fleet.room(layout, cluster) as made:
        yield made


@pytest.fixture(scope="module")
def registries(layout: Layout, room: tuple[str, str]) -> list[dict[str, Any]]:
    """Two registries: one whose database can be reached from here, with a CA of its own, and one with the CA of the cluster."""
    prefix, database = room
    reachable = {"host": databases.address(layout, "mysql"), "ca": {"source": "upload", "pem": layout.path("pki", "database-ca.crt").read_text()}}
    login = {"type": "mysql", "name": database, "username": LOGIN.name, "password": LOGIN.password}
    return [
        {"name": f"{prefix}-near", "display_name": "Near", "description": DESCRIPTION, "database": login | reachable, "permissions": {"groups": ["near"]}},
        {"name": f"{prefix}-far", "display_name": "Far", "database": fleet.mysql(database)},
    ]


@pytest.fixture(scope="module")
def player(layout: Layout, automation_token: str, registries: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Player:
    """A folder with an inventory of two clusters, of which one does not answer, and the files that runs are given."""
    made = Player(layout, automation_token, tmp_path_factory.mktemp("playbooks"))
    made.kubeconfig()
    (made.folder / "clusters").mkdir()
    shutil.copy(made.folder / "kubeconfig", made.folder / "clusters" / "east.yml")
    # As the heads of the playbooks say it.
    east = {"kubeconfig": "{{ inventory_dir }}/clusters/east.yml"}
    hosts = {"east": {"model_registry_cluster": east}, "west": {"model_registry_cluster": {"context": "nowhere"}}}
    inventory = {"all": {"hosts": hosts}}
    (made.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
    (made.folder / "list.yml").write_text(to_variables({"model_registries_list": registries}))
    near = registries[0]["name"]
    bundle = "".join(layout.path("pki", f"{authority}.crt").read_text() for authority in ("database-ca", "other-ca"))
    (made.folder / "new-ca.pem").write_text(bundle)
    access = {"groups": ["others"], "users": ["alice"], "exclusive": True}
    chore = {"name": near, "permissions": access, "permissions_verify": True, "database_password": NEW_PASSWORD, "ca_path": str(made.folder / "new-ca.pem")}
    (made.folder / "chore.json").write_text(json.dumps({f"model_registry_{name}": value for name, value in chore.items()}))
    return made


def play(player: Player, playbooks: str | tuple[str, ...], *arguments: str, clusters: str = "east", **variables: str) -> Played:
    """One playbook by its name, or several in one run."""
    names = [playbooks] if isinstance(playbooks, str) else playbooks
    book = f"modelops.openshift_ai.{names[0]}"
    if len(names) > 1:
        book = "several.yml"
        (player.folder / book).write_text(yaml.safe_dump([{"ansible.builtin.import_playbook": f"modelops.openshift_ai.{name}"} for name in names]))
    return player.run(f"ansible-playbook -i inventory.yml {book} -e model_registries_clusters={clusters}", *arguments, **variables)


def writes_since(layout: Layout, started: float) -> list[faults.Request]:
    return [request for request in faults.recorded_requests(layout) if request.writes and request.user_agent == USER_AGENT and request.time >= started]


@pytest.fixture(scope="module")
def life(layout: Layout, player: Player, registries: list[dict[str, Any]]) -> Iterator[dict[str, Played]]:
    """Each playbook in check mode, then twice; what happens in between is done by others. All that is printed is printed at the highest verbosity."""
    near, chore = registries[0]["name"], ("-e", "@chore.json")
    of_near = ("-e", f"model_registry_name={near}", "-e", f"model_registry_delete_confirm={near}")
    started = time.time()
    played = {"converge, check": play(player, "converge", "--check", "-e", "@list.yml", "-vvv")}
    assert not writes_since(layout, started)
    played["converge"] = play(player, ("converge", "converge", "check"), "-e", "@list.yml", "-vvv")
    databases.set_password(layout, "mysql", LOGIN.name, NEW_PASSWORD)
    try:
        started = time.time()
        played["chores, check"] = play(player, CHORES, "--check", *chore, "-vvv")
        assert not writes_since(layout, started) and not (player.folder / "host_vars").exists()
        played["chores"] = play(player, tuple(name for name in CHORES for _time in range(2)), *chore, "-vvv")
        started = time.time()
        played["exported"] = play(player, ("converge", "check"))
        played["not confirmed"] = play(player, "delete", "-e", f"model_registry_name={near}", "-e", "model_registry_delete_confirm=another")
        assert not writes_since(layout, started)
    finally:
        databases.set_password(layout, "mysql", LOGIN.name, LOGIN.password)
    started = time.time()
    played["delete, check"] = play(player, "delete", "--check", *of_near)
    assert not writes_since(layout, started)
    played["delete"] = play(player, ("delete", "delete"), *of_near)
    yield played


def test_converge_tells_beforehand_what_it_does_and_does_nothing_the_second_time(life: dict[str, Played], registries: list[dict[str, Any]]) -> None:
    """The first one takes more than 20 s: all playbooks of the life of two registries are run before."""
    near, far = (registry["name"] for registry in registries)
    said, did = life["converge, check"], life["converge"]
    assert said.code == did.code == 0, said.output + did.output
    assert re.search(r"^CHANGED: east \(.*2 would be changed", said.summary) and f"east: {near}, {far}: would be created" in said.summary
    first, second, check = ("\n".join(lines) for lines in did.summaries)
    assert "2 registries: 0 unchanged, 2 changed" in first and f"east: {near}, {far}: created" in first
    assert second.startswith("OK: ") and "2 registries: 2 unchanged" in second and near not in second
    assert check.startswith("OK: ") and "compared with the list: no findings" in check
    assert (said.changed, did.changed) == (1, 1)


def test_chores_tell_beforehand_what_they_do_and_do_nothing_the_second_time(life: dict[str, Played], registries: list[dict[str, Any]]) -> None:
    near = registries[0]["name"]
    said, did = life["chores, check"], life["chores"]
    assert said.code == did.code == 0, said.output + did.output
    assert (said.changed, did.changed) == (4, 4)
    beforehand = ["\n".join(lines) for lines in said.summaries]
    access, password, ca, export = (("\n".join(lines) for lines in did.summaries[number : number + 2]) for number in range(0, 8, 2))
    changed = "changed: permissions.groups[others], permissions.users[alice], permissions.groups[near]"
    granted = 'access: {"groups": ["others"], "users": ["alice"]}'
    assert f"east/{near}: would be {changed}; " in beforehand[0] and list(access) == [
        f"east/{near}: {changed}; {granted}",
        f"east/{near}: no change; {granted}",
    ]
    assert beforehand[1].startswith(f"east/{near}: would be rotated; ")
    assert list(password) == [f"east/{near}: rotated; available", f"east/{near}: no change; available"]
    first, second = ca
    assert beforehand[2] == first.replace("rotated", "would be rotated") and "O=sandbox databases; " in first and first.endswith(f"; used by {near}"), first
    assert second == first.replace("rotated", "no change")
    first, second = export
    assert "registries would be written to " in beforehand[3] and "registries written to " in first and "registries unchanged in " in second


def test_an_export_converges_to_no_change(life: dict[str, Played], player: Player, registries: list[dict[str, Any]]) -> None:
    exported = life["exported"]
    assert exported.code == 0 and exported.changed == 0, exported.output
    text = (player.folder / "host_vars" / "east" / "model_registries.yml").read_text()
    assert f"name: {registries[0]['name']}\n" in text and f"description: !unsafe '{DESCRIPTION}'\n" in text
    assert "password_secret:" in text and "status" not in text and LOGIN.password not in text and NEW_PASSWORD not in text


def test_a_password_that_the_database_refuses_is_written_only_when_that_is_asked_for(
    layout: Layout, player: Player, cluster: Cluster, automation: Runner, name: str
) -> None:
    database = {"type": "postgresql", "host": layout.address("postgresql"), "name": "model_registry", "ca": {"source": "cluster"}}
    created = automation(name=name, wait=False, database={**database, "username": LOGIN.name, "password": LOGIN.password})
    assert not created.failed, created.output
    [secret] = [entry for entry in cluster.items("v1", "secrets") if entry["metadata"]["name"].startswith(f"{name}-db-")]
    rotate = ("rotate_password", "-e", f"model_registry_name={name}")
    refused = play(player, *rotate, MODEL_REGISTRY_DATABASE_PASSWORD="refused-word")
    assert refused.code and "the user name or the password is wrong" in refused.summary, refused.output
    assert cluster.get("v1", "secrets", secret["metadata"]["name"])["data"] == secret["data"]
    for choice in ("warn", "ignore"):
        played = play(player, *rotate, "--check", "-e", f"model_registries_check_database={choice}", MODEL_REGISTRY_DATABASE_PASSWORD="refused-word")
        assert played.code == 0 and f"east/{name}: would be rotated; " in played.summary, played.output


def test_a_password_that_mysql_refuses_from_here_is_rotated(layout: Layout, player: Player, automation: Runner, name: str) -> None:
    database = {"type": "mysql", "host": databases.address(layout, "mysql"), "name": "model_registry", "ca": {"source": "cluster"}}
    created = automation(name=name, wait=False, database={**database, "username": LOGIN.name, "password": LOGIN.password})
    assert not created.failed, created.output
    played = play(player, "rotate_password", "--check", "-e", f"model_registry_name={name}", MODEL_REGISTRY_DATABASE_PASSWORD="refused-word")
    assert played.code == 0 and f"east/{name}: would be rotated; " in played.summary, played.output
    assert "; the password was not checked: The database rejects the login" in played.summary, played.output


def test_a_password_is_rotated_untried_where_the_database_cannot_be_reached_from_here(
    life: dict[str, Played], player: Player, cluster: Cluster, registries: list[dict[str, Any]]
) -> None:
    far = registries[1]["name"]
    host = cluster.registry(far)["spec"]["mysql"]["host"]
    try:
        for unreachable in ("mysql.nowhere.svc", "db.example.invalid"):
            cluster.merge(*REGISTRIES, far, {"spec": {"mysql": {"host": unreachable}}})
            played = play(player, "rotate_password", "--check", "-e", f"model_registry_name={far}", MODEL_REGISTRY_DATABASE_PASSWORD="untried-word")
            assert played.code == 0 and f"east/{far}: would be rotated; " in played.summary, played.output
            assert "; the password was not checked: " in played.summary and unreachable in played.summary, played.output
    finally:
        cluster.merge(*REGISTRIES, far, {"spec": {"mysql": {"host": host}}})


def test_nothing_is_deleted_that_was_not_confirmed(life: dict[str, Played], registries: list[dict[str, Any]]) -> None:
    refused = life["not confirmed"]
    assert refused.code and "Nothing was deleted" in refused.summary and 'Its value is "another"' in refused.summary


def test_delete_tells_beforehand_what_goes_and_does_nothing_the_second_time(
    life: dict[str, Played], cluster: Cluster, room: tuple[str, str], registries: list[dict[str, Any]]
) -> None:
    near, far = (registry["name"] for registry in registries)
    said, did = life["delete, check"], life["delete"]
    assert said.code == did.code == 0, said.output + did.output
    first, second = ("\n".join(lines) for lines in did.summaries)
    assert said.summary == first.replace(": deleted: ", ": would be deleted: ")
    assert f"east/{near}: deleted: ModelRegistry, Secret, ConfigMap, ClusterRoleBinding; kept: {room[1]} on " in first
    assert second.startswith(f"east/{near}: Registry '{near}' does not exist in namespace") and did.changed == 1
    assert cluster.registry(near) is None and cluster.registry(far)


def test_secrets_are_in_no_output(life: dict[str, Played]) -> None:
    for name, played in life.items():
        for secret in (LOGIN.password, NEW_PASSWORD, databases.REGISTRY.password, "refused-word"):
            assert secret not in played.output, name


def test_a_check_finds_what_differs_who_changed_it_and_what_does_not_serve(
    life: dict[str, Played], player: Player, cluster: Cluster, registries: list[dict[str, Any]]
) -> None:
    assert life
    near, far = (registry["name"] for registry in registries)
    annotations = {"metadata": {"annotations": {"openshift.io/display-name": "Clicked"}}}
    cluster.merge(*REGISTRIES, far, annotations)
    cluster.merge(*REGISTRIES, far, {"spec": {"mysql": {"port": 3307}}})
    found = play(player, "check", "-e", "@list.yml", clusters="all")
    assert found.code
    lines = found.summary.splitlines()
    assert f"east/{near}: does not exist" in lines
    [named] = [line for line in lines if line.startswith(f"east/{far}: display_name")]
    assert named.startswith(f"east/{far}: display_name: current value 'Clicked', desired value 'Far' (last changed by ") and named.endswith("Z)")
    assert any(line.startswith(f"east/{far}: not available: nothing is listening at the address of the database.") for line in lines), lines
    # The cluster that does not answer is one of the findings, and does not hide those of the other.
    assert [line for line in lines if line.startswith("west: The registries were not read: there is no cluster to connect to")]
    assert lines[0].startswith("FAILED: ")


def test_a_check_looks_at_client_certificates_and_takes_false_for_false(
    life: dict[str, Played], player: Player, cluster: Cluster, layout: Layout, registries: list[dict[str, Any]]
) -> None:
    assert life
    far = registries[1]["name"]
    secret = f"{far}-db-client"
    pair = {"tls.crt": layout.path("pki", "ingress-ca.crt").read_text(), "tls.key": "of nobody"}
    cluster.create("v1", "secrets", {"metadata": {"name": secret}, "stringData": pair})
    keys = {"sslCertificateSecret": {"name": secret, "key": "tls.crt"}, "sslKeySecret": {"name": secret, "key": "tls.key"}}
    cluster.merge(*REGISTRIES, far, {"spec": {"mysql": keys}})
    listed = ("-e", json.dumps({"model_registries_list": [], "model_registries_expiry_days": 400_000}))
    unlisted = f"east/{far}: not in the list"
    kept, purged = (play(player, "check", *listed, "-e", f"model_registries_purge={purge}") for purge in ("false", "true"))
    assert unlisted not in kept.summary and unlisted in purged.summary.splitlines(), kept.output
    # The bundle of the cluster, which is its CA, holds the certificates of many others.
    found = [line for line in kept.summary.splitlines() if f"east/{far}: certificate " in line]
    assert found and all(f" in Secret {secret} expires in " in line for line in found), kept.output


@pytest.fixture
def outcasts(life: dict[str, Played], cluster: Cluster, registries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The names of two registries that no list can have: one whose deletion is stuck, and one whose name cannot work."""
    assert life
    far = registries[1]["name"]
    leaving, dotted = f"{far}-leaving", f"{far}.dotted"
    spec = {"spec": {"rest": {}, "grpc": {}, "mysql": cluster.registry(far)["spec"]["mysql"]}}
    for name, finalizers in ((leaving, [HOLD]), (dotted, [])):
        cluster.create(*REGISTRIES, {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "metadata": {"name": name, "finalizers": finalizers}, **spec})
    cluster.delete(*REGISTRIES, leaving)
    until(lambda: cluster.registry(leaving)["metadata"]["finalizers"] == [HOLD])
    yield leaving, dotted
    cluster.merge(*REGISTRIES, leaving, {"metadata": {"finalizers": []}})


def test_a_check_finds_the_registries_that_no_list_can_have(player: Player, outcasts: tuple[str, str]) -> None:
    leaving, dotted = outcasts
    for listed in ((), ("-e", json.dumps({"model_registries_list": []}))):
        found = play(player, "check", *listed)
        [gone] = [line for line in found.summary.splitlines() if line.startswith(f"east/{leaving}: ")]
        [named] = [line for line in found.summary.splitlines() if line.startswith(f"east/{dotted}: ")]
        assert found.code and ": was marked for deletion on 2" in gone and f"the finalizer {HOLD}" in gone, found.output
        assert f"name '{dotted}': is not a valid resource name" in named, found.output


def test_a_check_that_could_not_compare_says_so(life: dict[str, Played], player: Player, layout: Layout) -> None:
    assert life
    # As often as the first of the two that look at the registries asks.
    faults.api_rules(layout, [faults.Rule("status", status=500, verbs=("list",), path="/modelregistries", user_agent=USER_AGENT, count=ATTEMPTS)])
    try:
        found = play(player, "check", "-e", "@list.yml")
    finally:
        faults.api_rules(layout, [])
    [line] = [line for line in found.summary.splitlines() if "The registries were not compared with the list: " in line]
    assert found.code and "500" in line and "registries were not read" not in found.summary, found.output


def test_an_error_of_every_playbook_says_what_to_give(player: Player) -> None:
    wrong = play(player, "permissions")
    assert wrong.code and "-e model_registry_name=NAME" in wrong.summary
    wrong = play(player, "rotate_ca", "-e", "model_registry_name=nobody")
    assert wrong.code and "east/nobody: FAILED: Registry 'nobody' does not exist in namespace" in wrong.summary


EVERY_PLAYBOOK = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def test_no_playbook_ends_well_where_no_cluster_is_meant(player: Player) -> None:
    assert all("import_playbook: common/clusters.yml" in (ROOT / "playbooks" / f"{name}.yml").read_text() for name in EVERY_PLAYBOOK)
    misspelt = play(player, "check", clusters="prodction")
    assert misspelt.code and 'clusters="prodction" does not match any host' in misspelt.output and "Available: east, west" in misspelt.output, misspelt.output
    for limited in ("prodction", "west"):
        elsewhere = player.run(f"ansible-playbook -i inventory.yml --limit east modelops.openshift_ai.check -e model_registries_clusters={limited}")
        assert elsewhere.code and f'"{limited}" does not match any host of the inventory that --limit selects' in elsewhere.output, elsewhere.output
    nowhere = player.run("ansible-playbook -i inventroy.yml modelops.openshift_ai.check")
    assert nowhere.code and f"The inventory {player.folder}/inventroy.yml does not exist or has no hosts." in nowhere.output, nowhere.output
    assert not misspelt.summaries and not nowhere.summaries


def test_nothing_is_deleted_in_all_clusters_because_none_was_named(layout: Layout, player: Player) -> None:
    started = time.time()
    refused = player.run("ansible-playbook -i inventory.yml modelops.openshift_ai.delete -e model_registry_name=nobody -e model_registry_delete_confirm=nobody")
    assert refused.code and "Select the cluster: -e model_registries_clusters=NAME. Available: east, west" in refused.output, refused.output
    # Which clusters they are was asked, and nothing else.
    asked = [request.path for request in faults.recorded_requests(layout) if request.user_agent == USER_AGENT and request.time >= started]
    assert {path.rpartition("/")[2] for path in asked} <= {"selfsubjectreviews", "kube-system"}
    named = player.run(
        "ansible-playbook -i inventory.yml --limit east modelops.openshift_ai.delete -e model_registry_name=nobody -e model_registry_delete_confirm=nobody"
    )
    assert named.code == 0 and "east/nobody: Registry 'nobody' does not exist in namespace" in named.summary, named.output


def test_nothing_is_deleted_without_a_name(layout: Layout, player: Player) -> None:
    started = time.time()
    for given in ((), ("-e", "model_registry_name= ", "-e", "model_registry_delete_confirm= ")):
        refused = play(player, "delete", *given)
        assert refused.code and "-e model_registry_name=NAME -e model_registry_delete_confirm=NAME" in refused.output, refused.output
    named = {"model_registry_delete_name": "", "model_registry_delete_confirm": ""}
    role = {"name": "modelops.openshift_ai.model_registry_delete"}
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.import_role": role, "vars": named}]}]
    (player.folder / "role.yml").write_text(yaml.safe_dump(plays))
    refused = player.run("ansible-playbook role.yml")
    assert refused.code and "Nothing was deleted. Set model_registry_delete_name to the name of the registry" in refused.output, refused.output
    assert not [request for request in faults.recorded_requests(layout) if request.user_agent == USER_AGENT and request.time >= started]


@pytest.mark.parametrize("command", ["report", "delete -e model_registry_name=nobody -e model_registry_delete_confirm=nobody"])
def test_a_playbook_looks_in_the_namespace_that_all_of_them_are_given(player: Player, command: str) -> None:
    page = player.folder / "nowhere.html"
    given = f"-e model_registries_namespace=nowhere -e model_registry_report_file={page}"
    played = player.run(f"ansible-playbook -i inventory.yml --limit east modelops.openshift_ai.{command} {given}")
    error = re.search("FAILED: (.*nowhere.*)", played.summary)
    assert played.code and error, played.output
    assert command == "report" or played.output.count(error[1].removesuffix(".")) == 1, played.output


@pytest.fixture(scope="module")
def person(layout: Layout, automation_token: str, tmp_path_factory: pytest.TempPathFactory) -> Player:
    """Somebody without an inventory, who is logged in to a cluster."""
    made = Player(layout, automation_token, tmp_path_factory.mktemp("person"))
    made.kubeconfig()
    return made


def three_times(player: Player, command: str, **variables: str) -> tuple[Played, Played, Played]:
    """A command in check mode, and then twice."""
    tried, done, again = (player.run(f"ansible-playbook modelops.openshift_ai.{command}{check}", **variables) for check in (" --check", "", ""))
    assert tried.code == done.code == again.code == 0, tried.output + done.output + again.output
    assert again.changed == 0
    return tried, done, again


def test_answers_make_a_registry_of_the_cluster_that_one_is_logged_in_to(person: Player, cluster: Cluster, room: tuple[str, str]) -> None:
    prefix, database = room
    of_mysql = {"host": f"{databases.SERVICES['mysql']}.data.svc.cluster.local", "name": database, "username": databases.REGISTRY.name}
    answers = {
        "display_name": f"{prefix} asked",
        "database_type": "mysql",
        "ca_source": "cluster",
        **{f"database_{key}": value for key, value in of_mysql.items()},
    }
    (person.folder / "answers.json").write_text(json.dumps({f"model_registry_{name}": answer for name, answer in answers.items()}))
    tried, done, again = three_times(person, "registry -e @answers.json", MODEL_REGISTRY_DATABASE_PASSWORD=databases.REGISTRY.password)
    assert f"localhost/{prefix}-asked: would be changed" in tried.summary
    assert f"localhost/{prefix}-asked: changed; available at https://" in done.summary and f"localhost/{prefix}-asked: no change; available at" in again.summary
    assert cluster.registry(f"{prefix}-asked")["spec"]["mysql"]["sslRootCertificateConfigMap"]["name"] == "odh-trusted-ca-bundle"
    assert databases.REGISTRY.password not in tried.output + done.output + again.output

    def edit(ca_source: object) -> Played:
        """What another answer would change."""
        answers = {"model_registry_name": f"{prefix}-asked", "model_registry_ca_source": ca_source}
        return person.run("ansible-playbook --check modelops.openshift_ai.registry", "-e", json.dumps(answers))

    kept, taken = edit(None), edit("none")
    assert "asked: no change; " in kept.summary and "asked: would be changed; " in taken.summary, kept.output + taken.output


def test_a_registry_that_must_be_new_is_refused_when_it_exists(
    life: dict[str, Played], layout: Layout, person: Player, cluster: Cluster, registries: list[dict[str, Any]]
) -> None:
    assert life
    far = registries[1]["name"]
    before, started = cluster.registry(far), time.time()
    # The resource name is derived from the name.
    generated = {"model_registry_must_be_new": True, "model_registry_database_type": "generated"}
    taken = json.dumps({"model_registry_display_name": far, "model_registry_description": "Taken over", **generated})
    for check in ((), ("--check",)):
        refused = person.run("ansible-playbook modelops.openshift_ai.registry", "-e", taken, *check)
        assert refused.code and "Nothing was written" in refused.summary and f"registry '{far}' already exists" in refused.summary, refused.output
        assert 'use the job template "edit", or do not set model_registry_must_be_new' in refused.summary, refused.output
    assert cluster.registry(far)["metadata"]["annotations"] == before["metadata"]["annotations"] and not writes_since(layout, started)
    new = json.dumps({"model_registry_name": f"{far}-new", **generated})
    created = person.run("ansible-playbook modelops.openshift_ai.registry --check", "-e", new)
    assert created.code == 0 and f"localhost/{far}-new: would be changed" in created.summary, created.output


def test_whether_a_registry_is_new_is_not_said_when_it_could_not_be_seen(layout: Layout, person: Player) -> None:
    faults.api_rules(layout, [faults.Rule("status", status=500, verbs=("list",), path="/modelregistries", user_agent=USER_AGENT, count=None)])
    started = time.time()
    try:
        generated = "-e model_registry_must_be_new=true -e model_registry_database_type=generated"
        unseen = person.run(f"ansible-playbook modelops.openshift_ai.registry -e model_registry_name=unseen {generated}")
    finally:
        faults.api_rules(layout, [])
    assert unseen.code and "localhost/unseen: FAILED: " in unseen.summary and "500" in unseen.summary and not writes_since(layout, started), unseen.output


def test_answers_that_are_not_valid_are_refused_with_the_choices(layout: Layout, person: Player) -> None:
    started = time.time()
    wrong = {"display_name": "Wrong", "database_type": "Oracle", "ca_source": "none at all"}
    refused = person.run(
        "ansible-playbook modelops.openshift_ai.registry", "-e", json.dumps({f"model_registry_{name}": value for name, value in wrong.items()})
    )
    assert refused.code, refused.output
    for option, choice in (("database.type", "mysql"), ("database.ca", "openshift_ai")):
        assert re.search(rf"{option}\b[^.]*\b.*{choice}", refused.summary), refused.summary
    assert not [request for request in faults.recorded_requests(layout) if request.user_agent == USER_AGENT and request.time >= started]


def test_a_report_of_the_cluster_that_one_is_logged_in_to(person: Player) -> None:
    page = person.folder / "page.html"
    tried, done, _again = three_times(person, f"report -e model_registry_report_file={page}")
    assert "no report is written in check mode" in tried.summary and f"report written to {page}" in done.summary
    assert page.read_text().lower().startswith("<!doctype html>")


def test_a_component_that_is_on_is_left_alone(layout: Layout, cluster: Cluster, tmp_path: Path) -> None:
    with account_with(cluster, "switches", roles_of("component.yml")) as token:
        player = Player(layout, token, tmp_path)
        player.kubeconfig()
        assert [run.changed for run in three_times(player, "enable")] == [0, 0, 0]


def test_an_export_goes_below_the_current_folder_and_says_so_only_when_it_is_there(person: Player) -> None:
    export = "ansible-playbook modelops.openshift_ai.export -e model_registries_export_folder"
    file = person.folder / "exported" / "host_vars" / "localhost" / "model_registries.yml"
    done = person.run(f"{export}=exported")
    assert f"registries written to {file}" in done.summary and file.is_file()
    failed = person.run(f"{export}={file}")
    assert failed.code and failed.summary.startswith("localhost: FAILED: "), failed.output
