"""A playbook whose programs are forked ends as one whose programs are started: same output, result and exit code, nothing of one run in another."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.helpers import CALLBACKS, until

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "none", "user": {"token": "not-shown"}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "current-context": "none",
}
# Of a process, in bytes.
LONGEST_NAME = 15
MODULE = "modelops.openshift_ai.model_registry_permission"
TASKS: tuple[dict[str, Any], ...] = (
    {MODULE: {"name": "fraud", "namespace": "registries", "permissions": {"groups": ["data"]}}, "ignore_errors": True},
    {MODULE: {"name": "Fraud", "namespace": "registries", "permissions": {"groups": ["data"]}}, "ignore_errors": True},
    {MODULE: {"name": "fraud", "grups": ["data"]}, "ignore_errors": True},
    # It looks like an archive in Base64.
    {MODULE: {"name": "fraud", "namespace": "registries", "permissions": {"groups": ["A" * 20_000]}}, "ignore_errors": True},
    {"ansible.builtin.command": "sh -c 'echo $VARIABLE; pwd; read line || echo no input'"},
    {MODULE: {"name": "fraud", "namespace": "registries", "permissions": {"groups": ["data"]}}, "environment": {"K8S_AUTH_HOST": "https://127.0.0.1:10"}},
)


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_STDOUT_CALLBACK": "recorder",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote"),
    }


def played(tmp_path: Path, environment: Mapping[str, str], *tasks: dict[str, Any]) -> tuple[int, str, list[dict[str, Any]]]:
    """A play's exit code, output, and what its tasks returned, without times and the names of temporary files."""
    (tmp_path / "kubeconfig").write_text(json.dumps(KUBECONFIG))
    written = [{**task, MODULE: {**task[MODULE], "kubeconfig": "kubeconfig"}} if MODULE in task else task for task in tasks]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": written}
    (tmp_path / "play.json").write_text(json.dumps([play]))
    record = tmp_path / "record"
    record.unlink(missing_ok=True)
    ended = subprocess.run(
        ["ansible-playbook", "play.json"],
        cwd=tmp_path,
        env={**environment, "RECORDER_FILE": str(record)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    results = [json.loads(line)["result"] for line in record.read_text().splitlines()]
    for result in results:
        for key in ("start", "end", "delta"):
            result.pop(key, None)
    return ended.returncode, ended.stdout, results


def test_a_forked_playbook_ends_as_a_started_one(tmp_path: Path, environment: Mapping[str, str]) -> None:
    started = played(tmp_path, {**environment, "VARIABLE": "first"}, *TASKS)
    forked, again = (played(tmp_path, {**warm.shell(environment), "VARIABLE": variable}, *TASKS) for variable in ("first", "second"))
    assert len(started[2]) == len(TASKS)
    # The module itself has run, in the task's own environment.
    assert "port=9)" in started[2][0]["msg"] and "K8S_AUTH_HOST" in started[2][5]["msg"]
    assert forked[2] == started[2]
    assert (forked[0], without_times(forked[1])) == (started[0], without_times(started[1]))
    assert again[2][4]["stdout_lines"] == ["second", *started[2][4]["stdout_lines"][1:]]
    # The temporary folders of the tasks.
    assert list((tmp_path / "remote").iterdir()) == []


def test_a_forked_playbook_reads_the_variables_beside_it(tmp_path: Path, environment: Mapping[str, str]) -> None:
    for folder in ("group_vars/all.yml", "host_vars/localhost.yml"):
        path = tmp_path / folder
        path.parent.mkdir()
        path.write_text(json.dumps({path.parent.name: "read"}))
    shown: dict[str, Any] = {"ansible.builtin.debug": {"msg": "{{ group_vars | default('not') }} {{ host_vars | default('not') }}"}}
    told = [played(tmp_path, how, shown)[2][0]["msg"] for how in (environment, warm.shell(environment))]
    assert told == ["read read", "read read"]


def test_the_module_of_a_forked_playbook_is_forked(tmp_path: Path, environment: Mapping[str, str]) -> None:
    known = set(warm.programs().glob("model_registry_permission-*.socket"))
    played(tmp_path, {**warm.shell(environment), "LANG": "C"}, TASKS[0])
    assert set(warm.programs().glob("model_registry_permission-*.socket")) - known


def test_a_server_whose_start_was_killed_is_started_again(tmp_path: Path, environment: Mapping[str, str]) -> None:
    variables = {**warm.shell(environment), "ANSIBLE_FORKS": "11"}
    known = set(warm.programs().glob("*.socket"))
    first = played(tmp_path, variables, TASKS[0])
    [address] = [path for path in set(warm.programs().glob("*.socket")) - known if path.name.startswith(warm.PLAYBOOK)]
    address.unlink()
    with socket.socket(socket.AF_UNIX) as nobody_listens:
        nobody_listens.bind(str(address))
    assert played(tmp_path, variables, TASKS[0])[2] == first[2]


def test_what_ansible_reads_at_its_start_is_read_for_each_environment_and_folder(tmp_path: Path, environment: Mapping[str, str]) -> None:
    def forks(**variables: str) -> object:
        _code, _output, [result] = played(tmp_path, {**warm.shell(environment), **variables}, {"ansible.builtin.debug": {"var": "ansible_forks"}})
        return result["ansible_forks"]

    assert [forks(), forks(ANSIBLE_FORKS="7"), forks()] == [5, 7, 5]
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = 9\n")
    assert forks() == 9


def test_a_server_ends_when_nobody_has_used_it_for_a_while(tmp_path: Path, environment: Mapping[str, str]) -> None:
    variables = {**warm.shell(environment), "WARM_IDLE_SECONDS": "0.5", "ANSIBLE_FORKS": "3"}
    known = set(warm.programs().glob("*.socket"))
    first = played(tmp_path, variables, TASKS[0])
    assert first[0] == 0
    mine = set(warm.programs().glob("*.socket")) - known
    deadline = time.monotonic() + 20
    while any(path.exists() for path in mine):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert played(tmp_path, variables, TASKS[0])[2] == first[2]


def without_times(output: str) -> list[str]:
    return [line for line in output.splitlines() if " | CHANGED | " not in line]


def test_whoever_stands_for_a_forked_process_takes_it_along_when_it_is_killed(tmp_path: Path, environment: Mapping[str, str]) -> None:
    name = uuid.uuid4().hex[:LONGEST_NAME]
    task = {"ansible.builtin.wait_for": {"path": str(tmp_path / "never"), "timeout": 60}}
    (tmp_path / "play.json").write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]))
    variables = {**warm.shell(environment), "RECORDER_FILE": str(tmp_path / f"{name}.results")}
    with subprocess.Popen(["ansible-playbook", "play.json"], cwd=tmp_path, env=variables, stdout=subprocess.DEVNULL) as client:
        # Its worker, which it forks at once, has the same name, and outlives it as it would outlive ansible-playbook.
        [forked] = until(lambda: [pid for pid in named(name) if parent(pid) not in named(name)])
        client.send_signal(signal.SIGKILL)
    until(lambda: not Path(f"/proc/{forked}").exists(), 20)


def named(name: str) -> set[int]:
    found = set()
    for entry in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if entry.read_text().strip() == name:
                found.add(int(entry.parent.name))
    return found


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
