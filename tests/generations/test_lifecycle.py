"""A sandbox that was killed, whole or half way, is cleaned up and started again; one that is stopped leaves nothing.

Tests that take more than 20 s stop a sandbox and start one or two: a start takes 8.5 s of CPU.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.layout import MARKER
from tests.helpers import until

from .conftest import Sandbox, sandbox_of_a_copy

# etcd, three of Kubernetes, two databases (with the children of PostgreSQL counted once; MySQL, which not every machine can have, not at all), and three parts
# of ours.
PARTS = 9


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of_a_copy(tmp_path_factory.mktemp("lifecycle"), "3.x", "kubernetes") as sandbox:
        yield sandbox


def processes_of(sandbox: Sandbox) -> set[int]:
    """The live processes that carry this sandbox's marker."""
    marker = f"{MARKER}={sandbox.folder / '.sandbox'}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def nodes_of(sandbox: Sandbox) -> list[str]:
    return [node["metadata"]["name"] for node in sandbox.cluster.items("v1", "nodes", None)]


def test_a_second_start_finds_it_running(sandbox: Sandbox) -> None:
    before = processes_of(sandbox)
    assert len(before) >= PARTS
    sandbox.command("up", "--product", "3.x", "--platform", "kubernetes")
    assert before <= processes_of(sandbox)


def test_another_product_is_not_started_over_it(sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError, match=r"make sandbox-upgrade PRODUCT=2\.25"):
        sandbox.command("up", "--product", "2.25", "--platform", "kubernetes")


def test_one_whose_processes_were_killed_is_started_again(sandbox: Sandbox) -> None:
    before = processes_of(sandbox)
    # Some are left over, as after a crash: they hold the ports and files of the next one.
    killed = sorted(before)[: len(before) // 2]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(killed) & processes_of(sandbox))
    sandbox.command("up", "--product", "3.x", "--platform", "kubernetes")
    assert not before & processes_of(sandbox)
    assert nodes_of(sandbox) == ["sandbox"]


def naming(path: Path) -> list[int]:
    """The processes, whoever started them, with this path in their command."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and int(entry.name) != os.getpid() and str(path).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def start_to_kill(sandbox: Sandbox) -> Iterator[None]:
    """A start that is killed at the end of the block, and has not ended before."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(sandbox.folder), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "sandbox", "up", "--platform", "kubernetes"]
    start = subprocess.Popen(command, cwd=sandbox.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
        assert start.poll() is None
    finally:
        start.kill()
        start.wait()


def test_what_fills_the_folder_of_a_database_ends_with_a_stop_after_its_start_was_killed(sandbox: Sandbox) -> None:
    folder = sandbox.layout.data / ("mysql" if sandbox.layout.mysql else "mariadb")
    sandbox.command("down")
    assert not processes_of(sandbox)
    with start_to_kill(sandbox):
        until(lambda: naming(folder))
    sandbox.command("down")
    assert not naming(folder)


def test_one_whose_start_was_killed_half_way_and_again_later_is_started_again(sandbox: Sandbox) -> None:
    sandbox.command("down")
    assert not processes_of(sandbox)
    # The second one finds what the first has left.
    for seconds in (0.8, 3):
        with start_to_kill(sandbox):
            time.sleep(seconds)
    sandbox.command("up", "--product", "3.x", "--platform", "kubernetes")
    assert nodes_of(sandbox) == ["sandbox"]


def test_one_that_is_stopped_leaves_no_process_and_no_data(sandbox: Sandbox) -> None:
    data = sandbox.layout.data
    assert data.exists()
    sandbox.command("down")
    assert not processes_of(sandbox)
    assert not data.exists()
    assert sorted(entry.name for entry in (sandbox.folder / ".sandbox").iterdir()) == ["collections", "lock", "logs"]
