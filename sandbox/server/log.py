"""Lines as the registry server logs them, by its logging library's format and its command-line library's way to end."""

from __future__ import annotations

import datetime
from collections.abc import Callable

Write = Callable[[str], None]

# File and line of the server v0.3.14 that say each thing.
PLACES = {
    "started": "proxy.go:186",
    "connecting": "service.go:131",
    "connected": "service.go:138",
    "migrating": "service.go:163",
    "migrated": "service.go:168",
    "syncing": "service.go:170",
    "synced": "service.go:175",
    "types": "repos.go:35",
    "retrieved": "repos.go:47",
    "validated": "repos.go:63",
    "service": "proxy.go:223",
    "mysql-retry": "connect.go:91",
    "mysql": "connect.go:100",
    "postgresql-retry": "connect.go:86",
    "postgresql": "connect.go:94",
    "exit": "root.go:42",
    "catalog-listening": "catalog.go:219",
    "catalog-changed": "base.go:92",
    "catalog-refused": "base.go:94",
}

USAGE = """Usage:
  model-registry proxy [flags]

Flags:
      --datastore-type string
      --embedmd-database-dsn string
      --embedmd-database-ssl-ca string
      --embedmd-database-ssl-cert string
      --embedmd-database-ssl-cipher string
      --embedmd-database-ssl-key string
      --embedmd-database-ssl-root-cert string
      --embedmd-database-ssl-verify-server-cert
      --embedmd-database-type string
  -h, --help
  -n, --hostname string
  -p, --port int

Global Flags:
      --alsologtostderr
  -c, --config string
      --log_backtrace_at traceLocations
      --log_dir string
      --log_link string
      --logbuflevel int
      --logtostderr
      --stderrthreshold severityFlag
  -v, --v Level
      --vmodule vModuleFlag
"""


def line(severity: str, place: str, message: str, now: datetime.datetime | None = None) -> str:
    """One line: severity (I, W, E, F), month and day, time, process, file and line, message."""
    moment = now or datetime.datetime.now(datetime.UTC)
    return f"{severity}{moment:%m%d %H:%M:%S.%f} {1:>7} {PLACES[place]}] {message}"


def driver_line(message: str, now: datetime.datetime | None = None) -> str:
    """One line of the driver of MySQL, which has a format of its own."""
    moment = now or datetime.datetime.now(datetime.UTC)
    return f"[mysql] {moment:%Y/%m/%d %H:%M:%S} packets.go:58 {message}"


def farewell(message: str) -> str:
    """What the server says when it gives up: the error, how it is used, and the error once more."""
    return f"Error: {message}\n{USAGE}\n{line('F', 'exit', f'error: {message}')}"
