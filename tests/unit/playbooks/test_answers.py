"""The playbooks in a real `ansible-playbook`, in front of modules that answer what they are told to: what no cluster of ours says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.found import certificate, found, registry
from tests.hostile import Loader
from tests.hostile_texts import texts
from tests.playing import Played

SECRET = "mysql://root:S3cretPw99@h/db"

Play = Callable[..., Played]


def asked(folder: Path) -> list[str]:
    """The modules that ran in the last run."""
    file = folder / "asked"
    return file.read_text().split() if file.exists() else []


def exported(folder: Path) -> Path:
    return folder / "host_vars" / "east" / "model_registries.yml"


def test_an_export_does_not_replace_a_list_by_an_empty_one_without_being_told_and_keeps_what_it_replaces(play: Play, tmp_path: Path) -> None:
    file = exported(tmp_path)
    assert play("export", model_registry_info=found()).code == 0 and "[]" in file.read_text()
    file.unlink()
    assert play("export", model_registry_info=found(registry("one"))).code == 0
    first = file.read_text()
    assert "name: one" in first and file.stat().st_mode & 0o777 == 0o600
    for check in ((), ("--check",)):
        refused = play("export", *check, model_registry_info=found())
        assert refused.code and "exists, and replacing it is not enabled" in refused.summary and "-e model_registries_export_empty=true" in refused.summary
        assert file.read_text() == first and len(list(file.parent.iterdir())) == 1
    told = play("export", model_registry_info=found(), variables={"model_registries_export_empty": True})
    assert told.code == 0 and "[]" in file.read_text(), told.output
    [backup] = [path for path in file.parent.iterdir() if path != file]
    assert backup.read_text() == first and f"the previous file was saved as {backup.resolve()}" in told.summary


def test_an_export_is_not_written_through_a_link_that_leads_out_of_the_folder(play: Play, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "repository" / "host_vars").mkdir(parents=True)
    (tmp_path / "repository" / "host_vars" / "east").symlink_to(outside)
    refused = play("export", model_registry_info=found(registry("one")), variables={"model_registries_export_folder": "repository"})
    assert refused.code and "east: FAILED: Nothing was written: " in refused.summary and "is outside of" in refused.summary, refused.output
    assert not list(outside.iterdir())


def test_a_report_of_which_a_file_cannot_be_written_is_said_to_be_incomplete(play: Play, tmp_path: Path) -> None:
    (tmp_path / "page.json").mkdir()
    refused = play("report", model_registry_info=found(registry("one")), variables={"model_registry_report_file": "page.html"})
    assert refused.code and "The report is incomplete: 16 of 17 files were written" in refused.output, refused.output
    assert "Nothing was written" not in refused.output and len(list(tmp_path.glob("page*"))) == 17
    # What the next report is compared with comes after the page, so that no change is lost that no page has shown.
    page = (tmp_path / "page.html").read_text()
    assert page.count("The file of the earlier report cannot be read: Is a directory") == 3
    (tmp_path / "page.json").rmdir()
    for unreadable in ("", "{", "[" * 100_000):
        (tmp_path / "page.json").write_text(unreadable)
        written = play("report", model_registry_info=found(registry("one")), variables={"model_registry_report_file": "page.html"})
        tables = json.loads((tmp_path / "page.json").read_text())["tables"]
        [said] = [row for row in tables["unchecked"]["rows"] if row["Check"] == "Changes"]
        assert written.code == 0 and said["State"] == "Not possible" and said["Reason"] == "The file of the earlier report does not contain JSON"


def test_a_report_is_not_written_through_a_link_and_keeps_the_mode_of_its_file(play: Play, tmp_path: Path) -> None:
    page, other = tmp_path / "pages" / "page.html", tmp_path / "file"
    page.parent.mkdir()
    other.write_text("of others")
    page.symlink_to(other)
    variables = {"model_registry_report_file": "pages/page.html"}
    refused = play("report", model_registry_info=found(registry("one")), variables=variables)
    assert refused.code and "Nothing was written" in refused.output and other.read_text() == "of others", refused.output
    page.unlink()
    page.write_text("old")
    page.chmod(0o644)
    written = play("report", model_registry_info=found(registry("one")), variables=variables)
    assert written.code == 0 and page.read_text().startswith("<!DOCTYPE html>") and page.stat().st_mode & 0o777 == 0o644, written.output
    assert written.servers == {"east: API server https://api"}


def test_a_report_says_what_it_was_made_from_what_it_left_out_and_what_has_changed(play: Play, tmp_path: Path) -> None:
    listed = tmp_path / "group_vars" / "all.yml"
    listed.parent.mkdir()
    listed.write_text("model_registries_list: [{name: fraud}]")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, text=True, capture_output=True).stdout.strip()
    compared = {"drift": [], "changes": [], "registries": [{"name": "fraud", "changed": False, "failed": False}], "unlisted": []}
    answers: dict[str, Any] = {"model_registries": compared, "model_registry_cluster_info": {"cluster": {"host": "https://api", "uid": "1"}}}

    def tables() -> dict[str, list[dict[str, str]]]:
        return {anchor: table["rows"] for anchor, table in json.loads((tmp_path / "model-registries.json").read_text())["tables"].items()}

    # Tags leave nothing out, but clusters can be.
    hosts = {"east": {"context": "e"}, "west": {"context": "w"}}
    first = play("report", "--limit", "east", "--tags", "others", hosts=hosts, model_registry_info=found(registry()), **answers)
    assert first.code == 0, first.output
    said = {row["Item"]: row["Value"] for row in tables()["run"]}
    assert said["List"] == f"{listed} (commit {commit})" and said["Limited to"] == "east" and " on " in said["Started by"]
    assert [row["Cluster"] for row in tables()["unchecked"] if row["Reason"].startswith("The cluster was not part of the run")] == ["west"]
    listed.write_text("model_registries_list: [{name: fraud, description: x}]")
    moved = registry(status={"available": False, "reason": "gone", "remedy": "Bring it back"})
    second = play("report", "--limit", "east", hosts=hosts, model_registry_info=found(moved), **answers)
    assert second.code == 0, second.output
    assert {(row["Change"], row["Table"]) for row in tables()["changes"]} == {("Added", "Findings"), ("Changed", "Registries")}
    assert {row["Item"]: row["Value"] for row in tables()["run"]}["List"] == f"{listed} (commit {commit}, with uncommitted changes)"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("model-registries*")} == {0o600}


def test_hostile_texts_of_every_kind_are_shown_and_written_as_texts(play: Play, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = list(texts(canary).values())
    registries = [
        registry(
            f"r{number}",
            status={"available": False, "reason": text, "certificates": [certificate(1, text, key=text)]},
            display_name=text,
            description=text,
            permissions={"groups": [text]},
        )
        for number, text in enumerate(hostile)
    ]
    skipped = [{"name": f"s{number}", "reason": text} for number, text in enumerate(hostile)]
    drift = [
        {"registry": f"r{number}", "option": f"permissions.users[{text}]", "before": text, "after": [text], "manager": text, "time": text}
        for number, text in enumerate(hostile)
    ]
    seen = found(*registries, skipped_registries=skipped)
    failed = [{"name": f"r{number}", "failed": True, "changed": False, "msg": text, "status": {}} for number, text in enumerate(hostile)]
    compared = {"drift": drift, "changes": [], "registries": failed, "unlisted": [], "failed": True, "msg": hostile[0], "cluster": seen["cluster"]}
    answers: dict[str, Any] = {"model_registry_info": seen, "model_registries": compared}
    variables = {"model_registries_list": [], "model_registry_report_registries": [{}], "model_registry_report_file": "page.html"}
    played = [play(playbook, variables=variables, **answers) for playbook in ("check", "converge", "export", "report")]
    changed = {"registry": {"permissions": {"groups": hostile}}, "changes": [{"fields": hostile}], "changed": True, "cluster": seen["cluster"]}
    played.append(play("permissions", variables={"model_registry_name": "r0"}, model_registry_permission=changed))
    for text in hostile[:2]:
        refused = {"failed": True, "msg": text}
        played.append(play("check", variables=variables, model_registry_info=refused, model_registries=refused))
        played.append(play("permissions", variables={"model_registry_name": "r0"}, model_registry_permission=refused))
    for run in played:
        summary = "\n".join(line for lines in run.summaries for line in lines)
        assert summary.replace("\n", "").isprintable() and "{{" not in summary
        # Whoever writes texts cannot write lines.
        starts = ("east", "report written to", "FAILED: east (https://api): ", "FAILED: east (API server not known): ", "and ")
        assert not [line for line in summary.splitlines() if not line.startswith(starts)], summary
        assert not canary.exists(), run.output
    listed = yaml.load(exported(tmp_path).read_text(), Loader=Loader)["model_registries_list"]
    assert [entry["description"] for entry in listed] == hostile
    assert "<script>window" not in (tmp_path / "page.html").read_text()


PURGE = {"model_registries_list": [], "model_registries_purge": True}
CONVERGED: dict[str, Any] = {"registries": [], "unlisted": [], "drift": [], "changes": [], "cluster": {"host": "https://api"}}


@pytest.mark.parametrize("one", [("--limit", "west"), ("-e", "model_registries_clusters=west")])
def test_one_host_alone_is_refused_too_when_another_of_the_inventory_is_the_same_cluster(play: Play, tmp_path: Path, one: tuple[str, str]) -> None:
    copied = {"east": {"context": "east"}, "west": {"context": "east"}, "north": {"context": "north"}}
    refused = play("converge", *one, hosts=copied, variables=PURGE, model_registries=CONVERGED)
    assert refused.code and "connect to the same cluster: east, west. " in " ".join(refused.output.split()), refused.output
    assert not asked(tmp_path) and not refused.summaries
    meant = play("converge", *one, hosts=copied, variables={**PURGE, "model_registries_same_cluster": True}, model_registries=CONVERGED)
    assert meant.code == 0 and asked(tmp_path) == ["model_registries"], meant.output
    other = play("converge", "--limit", "north", hosts=copied, variables={**PURGE, "model_registries_clusters": "north"}, model_registries=CONVERGED)
    assert other.code == 0 and asked(tmp_path) == ["model_registries"], other.output


@pytest.mark.parametrize("later", ["Reconcile the registries", "Fail if hosts connect to the same cluster", "Get the unique ID of each cluster"])
def test_where_an_inventory_has_several_hosts_no_cluster_is_connected_to_without_the_comparison(play: Play, tmp_path: Path, later: str) -> None:
    hosts = {"east": {"context": "east"}, "west": {"context": "west"}}
    for one in ((), ("--limit", "west")):
        skipped = play("converge", "--start-at-task", later, *one, hosts=hosts, variables=PURGE, model_registries=CONVERGED)
        assert skipped.code and not asked(tmp_path), skipped.output


def test_localhost_in_an_inventory_of_clusters_is_not_the_cluster_of_the_environment_by_chance(play: Play, tmp_path: Path) -> None:
    hosts = {"localhost": None, "west": {"context": "west"}}
    refused = play("converge", hosts=hosts, variables=PURGE, model_registries=CONVERGED)
    assert refused.code and "is not set for these hosts of the inventory: localhost. " in " ".join(refused.output.split()), refused.output
    assert not asked(tmp_path)
    named = play("converge", "-e", "model_registries_clusters=localhost", hosts=hosts, variables=PURGE, model_registries=CONVERGED)
    assert named.code == 0 and "localhost (https://api): 0 registries" in named.summary and asked(tmp_path) == ["model_registries"], named.output


@pytest.mark.parametrize("playbook", ["registry", "delete", "permissions", "rotate_ca", "rotate_password"])
def test_what_is_no_name_of_a_registry_is_not_repeated(play: Play, playbook: str) -> None:
    variables = {"model_registry_name": SECRET, "model_registry_delete_confirm": SECRET, "model_registry_database_password": "password"}
    refused = {"failed": True, "msg": "name: is not a valid resource name.", "registries": []}
    played = play(playbook, variables=variables, model_registry_info=refused, model_registry=refused, model_registry_permission=refused)
    assert played.code and "S3cretPw99" not in played.output and "east/(not shown): FAILED: name: is not a valid resource name." in played.summary, (
        played.output
    )
    if playbook == "delete":
        unconfirmed = play(playbook, variables={**variables, "model_registry_delete_confirm": "S3cretPw99"}, model_registry=refused)
        assert unconfirmed.code and "S3cretPw99" not in unconfirmed.output and 'Its value is "(not shown)"' in unconfirmed.summary, unconfirmed.output


# What is read before the module that writes.
READ = found(registry("one", {"ca": {"source": "config_map", "name": "ours", "key": "ca.crt"}}))


@pytest.mark.parametrize("playbook", ["enable", "delete", "permissions", "registry", "rotate_ca", "rotate_password"])
def test_an_error_is_in_the_summary_and_not_in_what_ansible_prints_of_the_task(play: Play, playbook: str) -> None:
    variables = {"model_registry_name": "one", "model_registry_delete_confirm": "one", "model_registry_database_password": "password"}
    error = {"failed": True, "msg": "The API server does not answer.", "status": {"conditions": ["Odd"] * 5}}
    played = play(playbook, variables=variables, model_registry_info=READ, model_registry=error, model_registry_permission=error)
    # Of the modules that have no answer here, what they themselves say without a cluster or a certificate.
    said = played.summary.partition("FAILED: ")[2].splitlines()[0]
    assert played.code and len(said) > 20 and "Odd" not in played.output, played.output
    assert not [line for line in played.output.splitlines() if line.startswith(("[ERROR]", "fatal:")) and said[:20] in line], played.output


@pytest.mark.parametrize(
    ("where", "name", "meant"),
    [
        ("-e", "model_registries_purg", "model_registries_purge"),
        ("-e", "model_registry_namspace", "model_registries_namespace"),
        ("-e", "model_registries_cluster", "model_registry_cluster"),
        ("host", "model_registries_lsit", "model_registries_list"),
        ("host", "model_registies_wait", "model_registries_wait"),
        ("play", "model_registry_cleare_description", "model_registry_clear_description"),
    ],
)
def test_a_misspelled_variable_is_refused_with_the_nearest_one_before_anything_is_read(play: Play, tmp_path: Path, where: str, name: str, meant: str) -> None:
    playbook, variables, hosts = "modelops.openshift_ai.converge", PURGE | ({name: True} if where == "-e" else {}), {"east": {"context": "east"}, "west": None}
    if where == "play":
        playbook = "several.yml"
        (tmp_path / playbook).write_text(yaml.safe_dump([{"ansible.builtin.import_playbook": "modelops.openshift_ai.converge", "vars": {name: True}}]))
    own = {"model_registry_cluster": {"context": "west"}, "model_registry_owner": "the user's own", "models": 1}
    refused = play(playbook, hosts=hosts, others={"west": own | ({name: True} if where == "host" else {})}, variables=variables, model_registries=CONVERGED)
    assert refused.code and not asked(tmp_path) and not refused.summaries, refused.output
    output = " ".join(refused.output.split())
    assert f"Variable {name}{' of host west' if where == 'host' else ''} does not exist. Did you mean {meant}?" in output, refused.output
    assert "owner" not in output


def test_a_password_may_be_a_number(play: Play) -> None:
    done = {"registries": [registry("one")], "status": {}, "changed": True}
    variables = {"model_registry_name": "one", "model_registry_database_password": 47110815}
    rotated = play("rotate_password", variables=variables, model_registry_info=found(registry("one")), model_registry=done)
    assert rotated.code == 0 and "east/one: rotated; available" in rotated.summary, rotated.output


@pytest.mark.parametrize("confirm", ["other", ""])
def test_nothing_is_deleted_that_was_not_confirmed_wherever_a_run_begins(play: Play, tmp_path: Path, confirm: str) -> None:
    later = ("--start-at-task", "Delete the registry")
    variables = {"model_registry_name": "one", "model_registry_delete_confirm": confirm}
    refused = play("delete", *later, variables=variables, model_registry={})
    assert refused.code and not asked(tmp_path) and "Nothing was deleted. Set model_registry_delete_confirm" in refused.summary, refused.output
    deleted = play("delete", *later, variables=variables | {"model_registry_delete_confirm": "one"}, model_registry={"changed": True})
    assert deleted.code == 0 and asked(tmp_path) == ["model_registry"], deleted.output


def test_a_registry_is_backed_up_before_it_is_deleted_and_stays_without_a_backup(play: Play, tmp_path: Path) -> None:
    variables = {"model_registry_name": "one", "model_registry_delete_confirm": "one", "model_registries_backup_first": True}
    answers: dict[str, Any] = {"model_registry_info": found(registry("one")), "model_registry": {"changed": True, "changes": [{"kind": "ModelRegistry"}]}}
    saved = {"changed": True, "summary": "12 rows, 345 bytes to /backups/one.zip"}
    done = play("delete", variables=variables, model_registry_backup=saved, **answers)
    assert done.code == 0 and asked(tmp_path) == ["model_registry_info", "model_registry_backup", "model_registry"], done.output
    assert "east/one: deleted: ModelRegistry; backup: 12 rows, 345 bytes to /backups/one.zip" in done.summary
    failed = play("delete", variables=variables, model_registry_backup={"failed": True, "msg": "The disk is full."}, **answers)
    assert failed.code and asked(tmp_path) == ["model_registry_info", "model_registry_backup"], failed.output
    assert "east/one: FAILED: The disk is full. Nothing was deleted, because the backup failed" in failed.summary
    skipped = play("delete", "--start-at-task", "Delete the registry", variables=variables, model_registry_backup=saved, **answers)
    assert skipped.code and not asked(tmp_path) and "There is no backup" in skipped.summary, skipped.output
    gone = play("delete", variables=variables, model_registry_info=found(), model_registry={"status": {"reason": "Registry 'one' does not exist"}})
    assert gone.code == 0 and asked(tmp_path) == ["model_registry_info", "model_registry"], gone.output


def test_a_registry_that_has_to_be_new_is_not_edited_wherever_a_run_begins(play: Play, tmp_path: Path) -> None:
    variables = {"model_registry_name": "one", "model_registry_must_be_new": True}
    for later in ("Create or edit the registry", "Fail if the registry exists"):
        refused = play("registry", "--start-at-task", later, variables=variables, model_registry={})
        assert refused.code and not asked(tmp_path) and "the check for an existing registry was skipped" in refused.summary, refused.output
