"""Files of the model catalog, good and bad, of which nobody knows before what a server makes of them: what the modules say is what the sandbox's server does,
and the product's, where `SANDBOX_CATALOG_SERVER` names it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path

from sandbox import databases
from sandbox.layout import MARKER, Layout
from sandbox.processes import dies_with_parent
from sandbox.server.models import Answer
from tests import catalog_files

from .trials import Trials

BINARY = "SANDBOX_CATALOG_SERVER"
# Of the product's, how many are tried for each that is tried in this process: it needs some seconds for one.
SHARE = 20
# Of its address, which no pod has.
NUMBER = 250
# It is ready after two, and waits for nothing. On a busy machine, its parts often forget the status of a source for one another, for ever.
SECONDS, STARTS = 60, 4
SECONDS_OF_A_STATUS = 10


def run(trials: Trials, layout: Layout) -> None:
    """Each case is a ConfigMap."""
    binary = os.environ.get(BINARY)
    if not binary:
        trials.not_run.append(f"the product's own server: {BINARY} is not set")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(layout, binary, Path(folder)) if binary else None
        for number, (name, chance) in enumerate(trials.numbered()):
            files = catalog_files.generated(chance)
            with trials.case(name, catalog_files.shown(files)):
                said = catalog_files.predicted(files)
                differs = [f"emulated: {line}" for line in catalog_files.differences(said, catalog_files.emulated(files))]
                if server and (number % SHARE == 0 or trials.only):
                    differs += [f"the product: {line}" for line in catalog_files.differences(said, server.verdict(files))]
                assert not differs, differs


class Server:
    """The server of the product, which is started anew for each case: one that runs forgets now and then what became of a source."""

    def __init__(self, layout: Layout, binary: str, folder: Path) -> None:
        self._layout, self._binary, self._folder, self._database = layout, binary, folder, f"files_{uuid.uuid4().hex[:8]}"
        self._address = layout.pod_address(NUMBER)
        self._is_prepared = False
        (folder / "files").mkdir()

    def verdict(self, files: Mapping[str, str]) -> catalog_files.Verdict:
        """What it makes of files."""
        for file in (self._folder / "files").iterdir():
            file.unlink()
        for name, text in files.items():
            (self._folder / "files" / name).write_bytes(text.encode())
        for _start in range(STARTS):
            with databases.administration(self._layout, "postgresql") as run:
                run(f"CREATE DATABASE {self._database} TEMPLATE {self._prepared()}")
            try:
                found = self._started(self._database)
            finally:
                databases.drop_database(self._layout, "postgresql", self._database)
            if None not in found.statuses.values():
                break
        return found

    def close(self) -> None:
        """Remove what it has stored."""
        databases.drop_database(self._layout, "postgresql", f"{self._database}_0")

    def _prepared(self) -> str:
        """A database in which the server has made its tables, which takes it longer than to read files."""
        name = f"{self._database}_0"
        if not self._is_prepared:
            databases.create_databases(self._layout, "postgresql", [name])
            files = self._folder / "files" / catalog_files.SOURCES
            given = files.read_bytes()
            files.write_bytes(b"catalogs: []")
            assert self._started(name).state == catalog_files.UP
            files.write_bytes(given)
            with databases.administration(self._layout, "postgresql", name) as run:
                # A server that has ended holds it for a minute.
                run("DELETE FROM locks")
            self._is_prepared = True
        return name

    def _started(self, database: str) -> catalog_files.Verdict:
        log = self._folder / "log"
        environment = self._environment(database)
        with log.open("w") as output, subprocess.Popen(self._command(), env=environment, stdout=output, stderr=output, cwd=self._folder) as process:
            try:
                return self._judged(process, log)
            finally:
                process.kill()

    def _judged(self, process: subprocess.Popen[bytes], log: Path) -> catalog_files.Verdict:
        before, changed_at, deadline = None, 0.0, time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.3)
            if process.poll() is not None:
                text = log.read_text(errors="replace")
                lines = [line for line in text.splitlines() if line.startswith(("Error: ", "panic: "))]
                return catalog_files.Verdict(catalog_files.CRASHED if "panic: " in text else catalog_files.DOWN, why="; ".join(lines) or text[-1000:])
            if self._get("/readyz").status == 200:
                try:
                    now = self._verdict()
                except ValueError:
                    # Its process has ended in between.
                    continue
                if now == before and None not in now.statuses.values():
                    return now
                if now != before:
                    before, changed_at = now, time.monotonic()
                elif time.monotonic() - changed_at > SECONDS_OF_A_STATUS:
                    return now
        raise AssertionError(f"it does not come to an end: {before}")

    def _command(self) -> list[str]:
        arguments = ["catalog", "--listen", f"{self._address}:8080", "--catalogs-path", str(self._folder / "files" / catalog_files.SOURCES)]
        return [*dies_with_parent(), self._binary, *arguments]

    def _environment(self, database: str) -> dict[str, str]:
        account = databases.ADMINISTRATOR
        address = {"PGHOST": databases.address(self._layout, "postgresql"), "PGPORT": str(databases.POSTGRESQL_PORT), "PGSSLMODE": "require"}
        login = {"PGUSER": account.name, "PGPASSWORD": account.password, "PGDATABASE": database}
        return {"PATH": os.defpath, "HOME": str(self._folder), MARKER: str(self._layout.state), **address, **login}

    def _verdict(self) -> catalog_files.Verdict:
        asked = {kind: self._get(f"{catalog_files.MODEL_API}/sources?pageSize=1000&assetType={asset}") for kind, asset in catalog_files.ASSETS.items()}
        return catalog_files.Asked(asked, self._get(f"{catalog_files.ENTRIES['model']}?pageSize=1000")).verdict()

    def _get(self, path: str) -> Answer:
        try:
            with urllib.request.urlopen(f"http://{self._address}:8080{path}", timeout=20) as response:
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())
        except OSError as error:
            return Answer(503, str(error))
