"""One registry server: from its command line to serving, or to the words with which it gives up."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sandbox.generations import V1, V1ALPHA3
from sandbox.server import dsn, log, models, mysql, postgresql, schema
from sandbox.server.arguments import Options, UsageError, parse
from sandbox.server.connection import Connection, DatabaseError, Files, Lookup
from sandbox.server.models import Answer

ATTEMPTS = 25
UNAVAILABLE = "Datastore service is down or unavailable. Please check that the database is reachable and try again later.\n"
# What the health check counts.
_COUNTED = ("registered_models", "artifacts", "model_versions", "serving_environments", "inference_services", "experiments", "experiment_runs")
_VERSION_QUERY = "SELECT version, dirty FROM schema_migrations ORDER BY version DESC LIMIT 1"

Result = TypeVar("Result")


class _Exit(Exception):
    """The server ends with this message."""


@dataclass(frozen=True)
class Start:
    """What a container hands to the server when it starts. `apis` are the bases that the server of its image knows."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    files: Files
    lookup: Lookup
    apis: tuple[str, ...] = (V1ALPHA3,)


class RegistryServer:
    """The server of one container. `run` lasts as long as its process would."""

    def __init__(self, start: Start, write: log.Write, threads: Executor):
        self._start, self._write, self._threads = start, write, threads
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        # Readiness checks are not answered before the first connection: they wait for the same lock as the attempts to connect.
        self._connected = asyncio.Event()
        self._serving = self._stopped = False
        # Told with every answer of v1alpha3, from when on it may not be served any more.
        self._sunset: Mapping[str, str] = {}

    async def run(self) -> int:
        """Serve until cancelled; the exit code when the server gives up by itself."""
        try:
            try:
                options = parse(self._start.arguments, self._start.environment)
            except UsageError as error:
                raise _Exit(str(error)) from None
            self._say("I", "started", f"Proxy server started at {options.hostname}:{options.port}")
            self._check(options)
            # Older servers do not know the option.
            self._sunset = sunset_headers(options.alpha_sunset_date) if V1 in self._start.apis else {}
            try:
                await self._connect(options)
            except DatabaseError as error:
                raise _Exit(f"{{{{ALERT}}}} error connecting to datastore: {error}") from None
            await asyncio.Event().wait()
        except _Exit as error:
            self._write(log.farewell(str(error)))
            return 1
        finally:
            self._stopped = True
            if self._connection:
                self._threads.submit(self._connection.close)
        return 0

    async def is_dirty(self) -> Answer:
        """`/readyz/isDirty`; does not return before there was a connection."""
        await self._connected.wait()
        return await self._checked(_DATABASE)

    async def health(self) -> Answer:
        """`/readyz/health`; does not return before there was a connection."""
        await self._connected.wait()
        return await self._checked(_SERVICE if self._serving else _NO_SERVICE, _DATABASE)

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        """Any request, as the server would answer it."""
        for suffix, check in (("/readyz/isDirty", self.is_dirty), ("/readyz/health", self.health)):
            if path.endswith(suffix):
                if method != "GET":
                    return Answer(405, "method not allowed\n", "text/plain; charset=utf-8")
                found = await check()
                if query.get("format") == "json":
                    return found
                return Answer(found.status, "OK" if found.status == 200 else _first_failure(found), "text/plain; charset=utf-8")
        if not self._serving:
            return Answer(503, UNAVAILABLE, "text/plain; charset=utf-8")
        base = next((base for base in self._start.apis if path.startswith(base)), "")
        if not base or (base == V1 and path.startswith(f"{V1}experiment")):
            return Answer(404, "404 page not found\n", "text/plain; charset=utf-8")
        same = models.BASE + path.removeprefix(base)
        # Only v1 has parameters with underscores.
        asked = {_camel(name): value for name, value in query.items()} if base == V1 else query
        try:
            found = await self._use(lambda connection: models.answer(connection, method, same, asked, body))
        except DatabaseError as error:
            found = Answer(500, json.dumps({"code": "Internal Server Error", "message": str(error)}) + "\n")
        return replace(found, headers=self._sunset) if base == V1ALPHA3 else found

    def _say(self, severity: str, place: str, message: str) -> None:
        self._write(log.line(severity, place, message))

    def _check(self, options: Options) -> None:
        """What the server checks before it connects."""
        prefix = "error creating datastore: "
        if options.datastore_type != "embedmd":
            raise _Exit(f"{prefix}unsupported datastore type: {options.datastore_type}. Supported types: [embedmd]")
        kinds: dict[str, tuple[str, Callable[[str], object]]] = {"mysql": ("MySQL", dsn.parse_mysql), "postgres": ("PostgreSQL", dsn.check_postgresql)}
        if options.embedmd_database_type not in kinds:
            raise _Exit(f"{prefix}invalid EmbedMD config: unsupported database type: {options.embedmd_database_type}. Supported types: mysql, postgres")
        name, check = kinds[options.embedmd_database_type]
        try:
            check(options.embedmd_database_dsn)
        except dsn.InvalidDsn as error:
            raise _Exit(f"{prefix}invalid EmbedMD config: invalid {name} DSN: {error}") from None

    async def _connect(self, options: Options) -> None:
        self._say("I", "connecting", "Connecting to EmbedMD service...")
        is_mysql = options.embedmd_database_type == "mysql"
        self._open = self._mysql(options) if is_mysql else self._postgresql(options)
        name, place = ("MySQL", "mysql") if is_mysql else ("PostgreSQL", "postgresql")
        last: DatabaseError | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._connection = await self._open()
                break
            except DatabaseError as error:
                if error.driver:
                    self._write(log.driver_line(error.driver))
                self._say("W", f"{place}-retry", f"Retrying connection to {name} (attempt {attempt}/{ATTEMPTS}): {error}")
                last = error
            await asyncio.sleep(attempt)
        else:
            raise DatabaseError(f"failed to connect to {name}: {last}")
        self._say("I", place, f"Successfully connected to {name} database")
        self._connected.set()
        self._say("I", "connected", "Connected to EmbedMD service")
        self._say("I", "migrating", "Running migrations...")
        await self._use(schema.migrate)
        await self._open_another()
        for place, message in (
            ("migrated", "Migrations completed"),
            ("syncing", "Syncing types..."),
            ("synced", "Syncing types completed"),
            ("types", "Getting types..."),
            ("retrieved", "Types retrieved"),
            ("validated", "All required types validated successfully"),
            ("service", "EmbedMD service connected"),
        ):
            self._say("I", place, message)
        self._serving = True

    async def _open_another(self) -> None:
        """The server opens a second connection while the first one is busy."""
        try:
            second = await self._open()
        except DatabaseError as error:
            raise DatabaseError(f"kf.ServeModel: unable to create type: {error}") from None
        await self._in_thread(second.close)

    def _mysql(self, options: Options) -> Callable[[], Any]:
        context = mysql.tls_context(options, self._start.files)
        parts = dsn.parse_mysql(options.embedmd_database_dsn)

        async def connect() -> Connection:
            reached = await mysql.reach(parts, self._start.lookup)
            return await self._in_thread(lambda: mysql.login(parts, context, reached))

        return connect

    def _postgresql(self, options: Options) -> Callable[[], Any]:
        string = postgresql.with_tls(options.embedmd_database_dsn, options)

        async def connect() -> Connection:
            parts, address = await postgresql.reach(string, self._start.lookup)
            return await self._in_thread(lambda: postgresql.login(string, parts, address, self._start.files))

        return connect

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _use(self, work: Callable[[Connection], Result]) -> Result:
        """Do something with the connection, a new one if the old one was lost meanwhile."""
        async with self._lock:
            if self._stopped:
                raise DatabaseError("the server has stopped")
            if self._connection:
                connection = self._connection
                try:
                    return await self._in_thread(lambda: work(connection))
                except DatabaseError as error:
                    if not error.lost:
                        raise
                    self._connection = None
                    connection.close()
            fresh = self._connection = await self._open()
            return await self._in_thread(lambda: work(fresh))

    async def _checked(self, *checks: _Check) -> Answer:
        """The outcome of all checks, with one turn of the connection: in a large sandbox a hundred servers are asked in every second."""
        try:
            return _health(await self._use(lambda connection: [check.on(connection) for check in checks]))
        except DatabaseError as error:
            return _health([check.refused(error) for check in checks])


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def sunset_headers(date: str) -> dict[str, str]:
    """The headers that announce the end of v1alpha3 on this day; none without one."""
    if not date:
        return {}
    try:
        day = datetime.datetime.strptime(date, "%Y-%m-%d")
    except ValueError:
        raise _Exit(f'invalid --alpha-sunset-date "{date}": must be YYYY-MM-DD') from None
    return {"Deprecation": "true", "Sunset": f"{day:%a, %d %b %Y} 00:00:00 GMT", "Link": f'<{V1}>; rel="successor-version"'}


@dataclass(frozen=True)
class _Check:
    """One part of the server's health: its name, how it is found out, and the server's words when the database refuses that."""

    name: str
    find: Callable[[Connection], dict[str, Any]]
    words: str = ""

    def on(self, connection: Connection) -> dict[str, Any]:
        """What is found. DatabaseError when the connection is lost: a new one may do better."""
        try:
            return self.find(connection)
        except DatabaseError as error:
            if error.lost:
                raise
            return self.refused(error)

    def refused(self, error: DatabaseError) -> dict[str, Any]:
        return _check_result(self.name, f"{self.words}: {error}")


def _look_at_database(connection: Connection) -> dict[str, Any]:
    rows = connection.run(_VERSION_QUERY)
    version, dirty = rows[0] if rows else (0, False)
    details = {"schema_dirty": bool(dirty), "schema_version": version}
    if dirty:
        return _check_result("database", "database schema is in dirty state", details)
    return _check_result("database", "database is healthy", details, passed=True)


def _look_at_service(connection: Connection) -> dict[str, Any]:
    store = models.Store(connection)
    details: dict[str, Any] = {}
    for name in _COUNTED:
        # The size of a page of one.
        details |= {f"{name}_accessible": True, f"{name}_count": store.page(models.COLLECTIONS[name], {"pageSize": "1"})["size"]}
    details["total_resources_checked"] = 5
    return _check_result("model-registry", "model registry service is healthy", details, passed=True)


def _no_service(_connection: Connection) -> dict[str, Any]:
    return _check_result("model-registry", "model registry service not yet initialized", {"service_ready": False})


_DATABASE = _Check("database", _look_at_database, "schema_migrations query error")
_SERVICE = _Check("model-registry", _look_at_service, "failed to list registered models")
_NO_SERVICE = _Check("model-registry", _no_service)


def _check_result(name: str, message: str, details: dict[str, Any] | None = None, passed: bool = False) -> dict[str, Any]:
    return {"Name": name, "Status": "pass" if passed else "fail", "Message": message, "Details": details or {}}


def _health(checks: list[dict[str, Any]]) -> Answer:
    failed = any(check["Status"] == "fail" for check in checks)
    now = datetime.datetime.fromtimestamp(int(time.time()), datetime.UTC)
    meta = {"Name": "meta", "Status": "pass", "Message": "", "Details": {"check_duration_ms": 0, "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}"}}
    body = {"status": "fail" if failed else "pass", "checks": {check["Name"]: check for check in [*checks, meta]}}
    return Answer(503 if failed else 200, json.dumps(body) + "\n", "application/json")


def _first_failure(found: Answer) -> str:
    return str(next(check["Message"] for check in json.loads(found.body)["checks"].values() if check["Status"] == "fail"))
