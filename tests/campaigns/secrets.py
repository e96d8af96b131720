"""Secrets in what a run leaves: everything that it prints at -vvvv, its log, its results and the files that Ansible keeps, on every ansible-core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import controlplane, databases
from sandbox.layout import Layout
from sandbox.toolchain import build_once
from tests import matrix
from tests.checks import Check

from .trials import Trials

# The release of the package `ansible` whose callbacks are used; they fit every ansible-core.
BUNDLE = matrix.CORES[-1].bundle
POSIX = "ansible_collections/ansible/posix/"
MODULE = "modelops.openshift_ai.model_registry"
# How runs print, or write results elsewhere.
CALLBACKS: dict[str, dict[str, str]] = {
    "default": {},
    "json": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
    "yaml and junit": {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit"},
}
# Ansible itself keeps the module with its arguments in it where files are kept: under the names that it gives these.
OF_ANSIBLE = ("AnsiballZ_", "args", "arguments")


@dataclass(frozen=True)
class Planted:
    """What must not be found, by what it is."""

    password: str
    other: str
    misspelled: str
    key: str

    def found_in(self, text: str) -> list[str]:
        """Which of them are in a text."""
        return [what for what, secret in vars(self).items() if secret in text or json.dumps(secret)[1:-1] in text]


def run(trials: Trials, layout: Layout) -> None:
    """Each ansible-core with each callback."""
    posix = _posix()
    for core, callback in trials.chosen([(core, callback) for core in matrix.CORES for callback in CALLBACKS]):
        case = f"{core}, {callback}"
        if not trials.wants(case):
            continue
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            check = Check("secrets", lambda _check: None, Path(folder).resolve())
            try:
                controller, environment, _layout = matrix.controller(core, matrix.requirements(), check)
            except matrix.NotRun as reason:
                trials.not_run.append(f"{case}: {reason}")
                continue
            with trials.case(case):
                (check.workspace / "ansible_collections" / "ansible").mkdir(exist_ok=True)
                (check.workspace / "ansible_collections" / "ansible" / "posix").symlink_to(posix)
                _play(check, controller, {**environment, **CALLBACKS[callback]}, layout)


def _posix() -> Path:
    """The collection ansible.posix, which has the callback `json`."""

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as download:
            arguments = ("--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-requires-python", "--dest", download, f"ansible=={BUNDLE}")
            subprocess.run([sys.executable, "-m", "pip", "download", *arguments], check=True)
            [wheel] = Path(download).glob("*.whl")
            with zipfile.ZipFile(wheel) as content:
                content.extractall(folder, [name for name in content.namelist() if name.startswith(POSIX)])

    return build_once(f"posix-{BUNDLE}", f"fetching ansible.posix (from ansible {BUNDLE})", build) / POSIX


def _tasks(planted: Planted, name: str, ca: str, kubeconfig: str) -> Iterator[dict[str, Any]]:
    """Every module that is given a secret, and those that read what holds one; some of them fail."""
    login = {"username": databases.REGISTRY.name, "password": planted.password}
    database = {"type": "mysql", "host": "mysql", "namespace": "data", "name": "nowhere", "ca": {"source": "upload", "pem": ca}, **login}
    shared = {"kubeconfig": kubeconfig}
    calls: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("model_registry", {"name": name, "database": {**database, "pasword": planted.misspelled}}, {}),
        ("model_registry", {"name": name, "database": {**database, "port": planted.misspelled}}, {}),
        ("model_registry", {"name": name, "database": database}, {"check_mode": True}),
        ("model_registry", {"name": name, "database": database, "wait": False}, {}),
        ("model_registry", {"name": name, "database": {"password": planted.other}, "wait_timeout": 5}, {}),
        ("model_registry", {"name": name, "database": {"password": planted.other}, "wait": False}, {"async": 120, "poll": 1}),
        ("model_registry", {"name": name, "database": {"password": "?" + planted.other}}, {}),
        ("model_registry", {"name": name, "database": {"ca": {"source": "upload", "pem": planted.key}}}, {}),
        ("model_registry_ca", {"registry": name, "pem": planted.key}, {}),
        ("model_registry_ca", {"registry": name, "pem": ca, "mode": "add", "wait": False}, {}),
        ("model_registries", {"registries": [{"name": name, "database": {**database, "password": planted.password}}], "wait": False}, {}),
        ("model_registry_database_info", {"database": {key: value for key, value in database.items() if key != "ca"}}, {}),
        ("model_registry_database_info", {"registry": name}, {}),
        ("model_registry_backup", {"name": name, "dest": "/nonexistent"}, {}),
        ("model_registry_migrate", {"name": name, "to": {"database": {**database, "name": "other", "password": planted.password}}}, {}),
        ("model_registry_restore", {"name": name, "src": "/nonexistent"}, {}),
        ("model_registry_info", {"include": ["status", "permissions", "certificates", "database"]}, {}),
        ("model_registry", {"name": name, "state": "absent"}, {}),
    ]
    for number, (module, options, more) in enumerate(calls):
        called = f"modelops.openshift_ai.{module}"
        yield {"name": f"{number} {module}", called: {**shared, **options}, "ignore_errors": True, "diff": True, "register": f"result_{number}", **more}
        yield {"name": f"{number} shown", "ansible.builtin.debug": {"var": f"result_{number}"}}


def _play(check: Check, controller: Path, variables: dict[str, str], layout: Layout) -> None:
    name, words = f"quiet-{uuid.uuid4().hex[:6]}", [f"word-{uuid.uuid4().hex}" for _word in range(3)]
    # A line in the middle: the first ones are alike in many keys.
    key = layout.path("pki", "other-ca.key").read_text()
    planted = Planted(*words, key.splitlines()[2])
    kept = check.workspace / "kept"
    kept.mkdir()
    kubeconfig = check.workspace / "kubeconfig"
    kubeconfig.write_text(json.dumps(controlplane.kubeconfig(layout, {"token": controlplane.ADMIN_TOKEN})))
    ca = layout.path("pki", "database-ca.crt").read_text()
    tasks = list(_tasks(Planted(*words, key), name, ca, str(kubeconfig)))
    # Read at run time, as from a vault: a playbook that holds them would be printed by whoever prints playbooks.
    given = {**vars(planted), "key": key}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars_files": ["given.json"], "tasks": _with_variables(tasks, given)}
    (check.workspace / "given.json").write_text(json.dumps(given))
    (check.workspace / "play.json").write_text(json.dumps([play]))
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(check.workspace),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_REMOTE_TEMP": str(kept / "remote"),
        "ANSIBLE_LOCAL_TEMP": str(kept / "local"),
        "ANSIBLE_ASYNC_DIR": str(kept / "async"),
        "ANSIBLE_LOG_PATH": str(kept / "log"),
        "JUNIT_OUTPUT_DIR": str(kept / "junit"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": str(controller / "bin" / "python"),
        **variables,
    }
    command = [str(controller / "bin" / "ansible-playbook"), "play.json", "-vvvv", "--diff"]
    done = subprocess.run(command, cwd=check.workspace, env=os.environ | environment, text=True, capture_output=True, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 0 and all(f"{number} model_regist" in printed for number in range(len(tasks) // 2)), printed[-3000:]
    assert not planted.found_in(printed), (planted.found_in(printed), _around(printed, planted))
    files = [path for path in kept.rglob("*") if path.is_file()]
    assert any(path.name.startswith(OF_ANSIBLE[0]) for path in files), "nothing was kept"
    for path in files:
        if not path.name.startswith(OF_ANSIBLE):
            assert not planted.found_in(path.read_text(errors="replace")), path


def _with_variables(part: Any, given: dict[str, str]) -> Any:
    """Tasks with variables in place of the secrets."""
    if isinstance(part, dict):
        return {key: _with_variables(value, given) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_variables(value, given) for value in part]
    name = next((name for name, secret in given.items() if isinstance(part, str) and part.removeprefix("?") == secret), None)
    return part if name is None else part.replace(given[name], f"{{{{ {name} }}}}")


def _around(printed: str, planted: Planted) -> list[str]:
    """Where the secrets stand."""
    found = [(line, line.find(secret)) for secret in vars(planted).values() for line in printed.splitlines() if secret in line]
    return [line[max(0, at - 300) : at + 20] for line, at in found]
