"""Clocks of the controller and of the node that are ten minutes off: the life of a registry, and of its password in a Secret of somebody else."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from sandbox import controlplane, databases, lifecycle, processes
from sandbox.layout import Layout
from sandbox.toolchain import build_once
from tests.helpers import Cluster, Run, Runner, Task, until

from .operations import PATIENCE
from .trials import Trials

SOURCE, LIBRARY = Path(__file__).with_name("clock.c"), "clock.so"
SECRETS = ("v1", "secrets")
MINUTES = 10
# The controller's clock and the node's.
OFF = [(MINUTES, 0), (-MINUTES, 0), (0, MINUTES), (0, -MINUTES), (MINUTES, -MINUTES), (-MINUTES, MINUTES)]
RESTART = ("restart", "Deployment")


class NotHereError(Exception):
    """This machine cannot have the library; the message says why."""


def library() -> Path:
    """The library that gives a process another time of day.

    It is ours: libfaketime 0.9.10, which Debian has, lets each sleep of Python fail or last for ever, because these name a moment of the monotonic clock.
    """
    compiler = shutil.which("cc")
    if not compiler:
        raise NotHereError("there is no C compiler (cc)")

    def build(folder: Path) -> None:
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(folder / LIBRARY), str(SOURCE)], check=True)

    return build_once(f"clock-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}", "compiling the library for other clocks", build) / LIBRARY


@contextlib.contextmanager
def clock(minutes: int) -> Iterator[None]:
    """Processes that are started meanwhile have a clock that is so much ahead."""
    if not minutes:
        yield
        return
    variables = {"LD_PRELOAD": str(library()), "CLOCK_OFFSET": str(60 * minutes)}
    with mock.patch.dict(os.environ, variables):
        yield


@contextlib.contextmanager
def node_with_clock(layout: Layout, minutes: int) -> Iterator[None]:
    """The sandbox's node with another clock meanwhile."""
    if not minutes:
        yield
        return
    processes.stop(layout, "node")
    try:
        with clock(minutes):
            lifecycle.start(layout, "node")
        yield
    finally:
        processes.stop(layout, "node")
        lifecycle.start(layout, "node")


def run(trials: Trials, layout: Layout) -> None:
    """Each pair of clocks."""
    try:
        library()
    except NotHereError as error:
        trials.not_run.append(str(error))
        return
    for controller, node in trials.chosen(OFF):
        case = f"controller {controller:+} min, node {node:+} min"
        if trials.wants(case):
            with tempfile.TemporaryDirectory() as folder, node_with_clock(layout, node), trials.case(case):
                _Life(layout, Path(folder), controller).live()


class _Life:
    """A registry with a login of its own, whose password is in a Secret that others manage."""

    def __init__(self, layout: Layout, folder: Path, controller: int) -> None:
        self.layout, self.cluster, self.controller = layout, Cluster(layout), controller
        self.runner = Runner(layout, controlplane.ADMIN_TOKEN, folder)
        self.name = f"clock-{uuid.uuid4().hex[:6]}"
        self.login = self.name.replace("-", "_")

    def live(self) -> None:
        """From its creation to its deletion."""
        databases.create_databases(self.layout, "mysql", [self.login])
        self._sql(f"CREATE USER '{self.login}'@'%' IDENTIFIED BY 'word-0'", f"GRANT ALL ON `{self.login}`.* TO '{self.login}'@'%'")
        self.cluster.create(*SECRETS, {"metadata": {"name": f"{self.name}-vault"}, "stringData": {"pw": "word-0"}})
        try:
            self._steps()
        finally:
            self._run({"state": "absent", "delete_data": True})
            self.cluster.delete(*SECRETS, f"{self.name}-vault")
            self._sql(f"DROP USER IF EXISTS '{self.login}'@'%'")
            databases.drop_database(self.layout, "mysql", self.login)

    def _steps(self) -> None:
        bundle, other = (self.layout.path("pki", f"{authority}.crt").read_text() for authority in ("database-ca", "other-ca"))
        database = {
            "type": "mysql",
            "host": "mysql.data.svc.cluster.local",
            "name": self.login,
            "username": self.login,
            "password_secret": {"name": f"{self.name}-vault", "key": "pw"},
            "ca": {"source": "upload", "pem": bundle},
        }
        made, again = self._run({"database": database, "permissions": {"groups": ["readers"]}}, {})
        assert ("create", "ModelRegistry") in made.changes and not again.changes, (made.changes, again.changes)
        for number in (1, 2):
            word, now = f"word-{number}", int(time.time())
            # Times in objects are whole seconds: no one can tell a change in the second of a restart from the one that the restart was for.
            until(lambda now=now: int(time.time()) > now)
            self._sql(f"ALTER USER '{self.login}'@'%' IDENTIFIED BY '{word}'")
            self.cluster.merge(*SECRETS, f"{self.name}-vault", {"stringData": {"pw": word}})
            restarted, again = self._run({}, {})
            assert restarted.changes == [RESTART] and not again.changes, (number, restarted.changes, again.changes)
        rotated, again = self._run({"database": {"ca": {"source": "upload", "pem": bundle + other}}}, {})
        assert RESTART in rotated.changes and not again.changes, (rotated.changes, again.changes)
        with clock(self.controller):
            [seen] = self.runner.sequence([Task({"name": self.name}, "modelops.openshift_ai.model_registry_info")])
        [told] = seen.result["registries"]
        assert told["status"]["available"] and not told["status"]["restart_needed"], told

    def _run(self, *options: dict[str, Any]) -> list[Run]:
        """Runs of `model_registry` by the controller's clock."""
        with clock(self.controller):
            runs = self.runner.sequence([Task({"name": self.name, "wait_timeout": PATIENCE, **given}, diff=True) for given in options])
        for run in runs:
            assert not run.failed, run.output
        return runs

    def _sql(self, *statements: str) -> None:
        with databases.administration(self.layout, "mysql") as sql:
            for statement in statements:
                sql(statement)
