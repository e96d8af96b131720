"""Where a run and its list come from."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _provenance


def facts(variables: dict[str, Any], *hosts: dict[str, Any]) -> dict[str, str]:
    return dict(_provenance.facts_of(variables, hosts, ("list", "other"), "1.2.3"))


def git(folder: Path, *arguments: str) -> str:
    configured = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    return subprocess.run(["git", *configured, *arguments], cwd=folder, check=True, text=True, capture_output=True).stdout.strip()


class Read(list[str]):
    """A list as ansible-core before 2.19 reads it from a file."""

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self.ansible_pos = (str(path), 1, 1)


def tagged(path: Path | str) -> Any:
    """A list as ansible-core 2.19 and later read it from a file."""
    from ansible._internal._datatag._tags import Origin

    return Origin(path=str(path), line_num=1).tag([])


def test_what_is_known_of_a_run_on_this_machine() -> None:
    here = f"{getpass.getuser()} on {socket.gethostname()}"
    assert facts({}) == {"Started by": here, "Collection": "modelops.openshift_ai 1.2.3", "List": "none"}
    said = facts({"ansible_version": {"full": "2.19.4"}, "ansible_limit": "east", "ansible_inventory_sources": ["/none/a", "b,"]}, {"list": []})
    assert said["ansible-core"] == "2.19.4" and said["Limited to"] == "east" and said["Inventory"] == "/none/a, b,"
    assert said["List"] == "in variables that were not read from a file" and facts({}, {"unrelated": []})["List"] == "none"


@pytest.mark.parametrize("prefix", ["awx", "tower"])
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"user_name": "jana", "job_id": 7}, {"Started by": "jana (user of the controller)", "Job": "7"}),
        (
            {"user_name": "jana", "job_id": 7, "job_template_name": "report", "project_revision": "5f0d"},
            {"Started by": "jana (user of the controller)", "Job": "7, of template report, revision 5f0d"},
        ),
        ({"user_name": "jana", "job_id": 7, "project_revision": "5f0d"}, {"Started by": "jana (user of the controller)", "Job": "7, revision 5f0d"}),
        ({"user_name": "jana", "project_revision": "5f0d"}, {"Started by": "jana (user of the controller)"}),
    ],
)
def test_what_is_known_of_a_job_of_a_controller(prefix: str, variables: dict[str, Any], said: dict[str, str]) -> None:
    made = facts({f"{prefix}_{name}": value for name, value in variables.items()})
    assert {name: made[name] for name in made if name in ("Started by", "Job")} == said
    other = {"awx": "tower", "tower": "awx"}[prefix]
    assert facts({f"{prefix}_user_name": "", f"{other}_user_name": "tim"})["Started by"] == "tim (user of the controller)"


def test_a_user_without_a_name_is_told_by_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    for error in (KeyError("uid"), OSError("No username set in the environment")):

        def nobody(error: Exception = error) -> str:
            raise error

        # As in a container whose user has no entry in /etc/passwd.
        monkeypatch.setattr(getpass, "getuser", nobody)
        assert facts({})["Started by"] == f"user ID {os.geteuid()} on {socket.gethostname()}"


def test_each_file_that_lists_were_read_from_is_told_once_with_its_commit(tmp_path: Path) -> None:
    inside, outside = tmp_path / "repository" / "group_vars" / "all.yml", tmp_path / "elsewhere.yml"
    inside.parent.mkdir(parents=True)
    for file in (inside, outside):
        file.write_text("list: []")
    git(inside.parents[1], "init", "-q")
    assert facts({}, {"list": tagged(inside)})["List"] == str(inside), "there is no commit yet"
    git(inside.parents[1], "add", ".")
    git(inside.parents[1], "commit", "-qm", "x")
    commit = git(inside.parents[1], "rev-parse", "HEAD")
    committed = f"{inside} (commit {commit})"
    assert facts({}, {"list": tagged(inside)}, {"list": tagged(inside), "other": tagged(outside)})["List"] == f"{committed}, {outside}"
    assert facts({"ansible_inventory_sources": [str(inside.parents[1]), str(outside)]})["Inventory"] == f"{inside.parents[1]} (commit {commit}), {outside}"
    (inside.parent / "unrelated").touch()
    assert facts({}, {"list": tagged(inside)})["List"] == committed
    inside.write_text("list: [1]")
    assert facts({}, {"list": tagged(inside)})["List"] == f"{inside} (commit {commit}, with uncommitted changes)"
    gone = inside.parent / "gone" / "all.yml"
    assert facts({}, {"list": tagged(gone)})["List"] == str(gone)


def test_a_file_that_git_ignores_is_none_of_a_commit(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("list.yml")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    (tmp_path / "list.yml").touch()
    assert facts({}, {"list": tagged(tmp_path / "list.yml")})["List"].endswith(", with uncommitted changes)")


def test_without_git_files_are_told_without_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-qm", "x", "--allow-empty")
    file = tmp_path / "list.yml"
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60")
    (slow / "git").chmod(0o755)
    monkeypatch.setattr(_provenance, "GIT_SECONDS", 0.1)
    for folder in (slow, tmp_path / "none"):
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin:/bin" if folder == slow else str(folder))
        assert facts({}, {"list": tagged(file)})["List"] == str(file)


@pytest.mark.parametrize("read", [Read, tagged])
def test_a_value_that_was_read_from_no_file_has_no_origin(read: Callable[[str], Any]) -> None:
    assert _provenance.origin_of([]) == _provenance.origin_of(Read("<unknown>")) == _provenance.origin_of(Read("")) == ""
    assert _provenance.origin_of(read("/absolute.yml")) == "/absolute.yml"
