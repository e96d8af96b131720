"""The PostgreSQL server of a pod that the registry operator generated: a real one, on an address of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox import databases
from sandbox.layout import Layout
from sandbox.node.pod import Launch
from sandbox.node.volumes import claim_folder
from sandbox.processes import dies_with_parent
from sandbox.server.log import Write
from sandbox.server.models import Answer

# Of a generated database, and of that of the model catalog, which only the real server of it needs.
CONTAINER, CATALOG_CONTAINER = "postgres", "postgresql"
SUPERUSER, SUPERUSER_PASSWORD = "postgres", "sandbox-postgres"
CONNECTIONS = 40
START_PAUSE = 0.05
STOP_SECONDS = 5


class Postgres:
    """One run of a generated PostgreSQL. `serving` is told when it starts (True) and stops (False) to accept connections."""

    stopped_code = 0
    always_passes = False

    def __init__(self, layout: Layout, launch: Launch, claim: str | None, write: Write, threads: Executor, serving: Callable[[bool], None]):
        self._layout, self._write, self._threads, self._serving = layout, write, threads, serving
        self._variables = launch.environment
        self.address = layout.pod_address(launch.pod.number)
        self._temporary = claim is None
        self._folder: Path = claim_folder(layout, claim or launch.pod.uid)
        self._ready = False

    async def run(self) -> int:
        if missing := [name for name in ("POSTGRESQL_USER", "POSTGRESQL_PASSWORD", "POSTGRESQL_DATABASE") if not self._variables.get(name)]:
            self._write(f"You must specify: {', '.join(missing)}")
            return 1
        loop = asyncio.get_running_loop()
        home = databases.installed_home(self._layout)
        await loop.run_in_executor(self._threads, databases.copy_new_postgresql, self._layout, home, self._folder, SUPERUSER, SUPERUSER_PASSWORD)
        databases.write_access_rules(self._folder, [])
        arguments = databases.postgresql_arguments(home, self._folder, self.address, None, CONNECTIONS)
        environment = databases.server_environment(self._layout)
        process = await asyncio.create_subprocess_exec(
            *dies_with_parent(),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
            env=environment,
            **databases.unprivileged(databases.server_user()),
        )
        copying = asyncio.create_task(copy_output(process, self._write))
        waiting = asyncio.create_task(process.wait())
        preparing = asyncio.create_task(self._prepare())
        try:
            await asyncio.wait((waiting, preparing), return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                preparing.result()
                self._ready = True
                self._serving(True)
            return await waiting
        finally:
            self._ready = False
            self._serving(False)
            # A later pod may get this address: it must not get the password of this one.
            for task in (preparing, waiting):
                task.cancel()
            await stop(process, signal.SIGINT)
            await copying
            if self._temporary:
                databases.remove_data(self._folder)

    async def check(self, _path: str) -> tuple[bool, str]:
        return self._ready, "command check-container exited with 1"

    async def answer(self, _method: str, _path: str, _query: Mapping[str, str], _body: bytes) -> Answer:
        return Answer(502, "")

    async def _prepare(self) -> None:
        """Wait for the server and make the user and the database that the environment names; the password is set at every start."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                await loop.run_in_executor(self._threads, self._provision)
                return
            await asyncio.sleep(START_PAUSE)

    def _provision(self) -> None:
        user, password, database = (self._variables[f"POSTGRESQL_{name}"] for name in ("USER", "PASSWORD", "DATABASE"))
        with psycopg.connect(
            host=self.address,
            port=databases.POSTGRESQL_PORT,
            user=SUPERUSER,
            password=SUPERUSER_PASSWORD,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,)).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(user), sql.Literal(password)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(user)))


def claim_of(launch: Launch) -> str | None:
    """The name of the claim that the container's only persistent volume comes from."""
    mounted = {mount["name"] for mount in launch.container.spec.get("volumeMounts") or []}
    for volume in launch.pod.item["spec"].get("volumes") or []:
        if volume["name"] in mounted and "persistentVolumeClaim" in volume:
            return str(volume["persistentVolumeClaim"]["claimName"])
    return None


async def copy_output(process: asyncio.subprocess.Process, write: Write) -> None:
    """Copy what a process prints to a log until it ends."""
    assert process.stdout
    async for line in process.stdout:
        write(line.decode(errors="replace").rstrip("\n"))


async def stop(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """End a process, at last by force."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
