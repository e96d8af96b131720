"""The playbooks in a real `ansible-playbook`, in front of modules that answer what they are told to: what no cluster of ours says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.found import certificate, found, registry
from tests.hostile import Loader, texts
from tests.installed import link_kubernetes_core
from tests.playing import Played

ROOT = Path(__file__).resolve().parents[3]
# Ansible runs it with the module's options, which it does not look at.
MODULE = """#!/usr/bin/python
import os
print(open(os.path.join(os.environ["ANSWERS"], "{name}.json")).read())
"""
ANSWERING = ("model_registry_info", "model_registries", "model_registry_permission")

Play = Callable[..., Played]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this collection, some of whose modules only answer."""
    folder = tmp_path_factory.mktemp("collections")
    collection = folder / "ansible_collections" / "modelops" / "openshift_ai"
    collection.mkdir(parents=True)
    for part in ("meta", "playbooks", "roles", "galaxy.yml"):
        (collection / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "plugins", collection / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ANSWERING:
        (collection / "plugins" / "modules" / f"{name}.py").write_text(MODULE.format(name=name))
    link_kubernetes_core(folder / "ansible_collections")
    return folder


@pytest.fixture
def play(collections: Path, tmp_path: Path) -> Play:
    """Runs a playbook, with the answers of modules and variables."""

    def run(playbook: str, *options: str, variables: dict[str, Any] | None = None, **answers: dict[str, Any]) -> Played:
        for name, answer in answers.items():
            (tmp_path / f"{name}.json").write_text(json.dumps({"changed": False, **answer}))
        (tmp_path / "inventory.yml").write_text("all: {hosts: {east: }}\n")
        environment = os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSWERS": str(tmp_path), "ANSIBLE_NOCOLOR": "1", "HOME": str(tmp_path)}
        environment.pop("PYTHONPATH", None)
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", "inventory.yml", f"modelops.openshift_ai.{playbook}", *options]
        command += ["-e", json.dumps(variables or {})]
        done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False, timeout=300)
        return Played(done.returncode, done.stdout + done.stderr)

    return run


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
        assert refused.code and "exists, and is not to be replaced" in refused.summary and "-e model_registries_export_empty=true" in refused.summary
        assert file.read_text() == first and len(list(file.parent.iterdir())) == 1
    told = play("export", model_registry_info=found(), variables={"model_registries_export_empty": True})
    assert told.code == 0 and "[]" in file.read_text(), told.output
    [backup] = [path for path in file.parent.iterdir() if path != file]
    assert backup.read_text() == first and f"the file before is {backup.resolve()}" in told.summary


def test_an_export_is_not_written_through_a_link_that_leads_out_of_the_folder(play: Play, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "repository" / "host_vars").mkdir(parents=True)
    (tmp_path / "repository" / "host_vars" / "east").symlink_to(outside)
    refused = play("export", model_registry_info=found(registry("one")), variables={"export_folder": "repository"})
    assert refused.code and "east: FAILED: Nothing was written: " in refused.summary and "is not below" in refused.summary, refused.output
    assert not list(outside.iterdir())


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


def test_hostile_texts_of_every_kind_are_shown_and_written_as_texts(play: Play, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = list(texts(canary).values())
    registries = [
        registry(
            f"r{number}",
            status={"serving": False, "reason": text, "certificates": [certificate(1, text, key=text)]},
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
    played.append(play("permissions", variables={"registry": "r0"}, model_registry_permission=changed))
    for text in hostile[:2]:
        refused = {"failed": True, "msg": text}
        played.append(play("check", variables=variables, model_registry_info=refused, model_registries=refused))
        played.append(play("permissions", variables={"registry": "r0"}, model_registry_permission=refused))
    for run in played:
        summary = "\n".join(line for lines in run.summaries for line in lines)
        assert summary.replace("\n", "").isprintable() and "{{" not in summary
        # Whoever writes texts cannot write lines.
        assert not [line for line in summary.splitlines() if not line.startswith(("east", "the page is"))], summary
        assert not canary.exists(), run.output
    listed = yaml.load(exported(tmp_path).read_text(), Loader=Loader)["model_registries_list"]
    assert [entry["description"] for entry in listed] == hostile
    assert "<script>window" not in (tmp_path / "page.html").read_text()


def test_a_failed_check_prints_no_list_of_python(play: Play) -> None:
    unwell = found(registry("one", status={"serving": False, "reason": "no"}))
    checked = play("check", model_registry_info=unwell)
    assert checked.code and "['east" not in checked.output and "east/one: does not serve: no" in checked.summary.splitlines(), checked.output
