"""What connecting to either database has in common: mounted files, names, TCP, certificates, and Go's words for what goes wrong."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Protocol

# The address of a host name as a pod sees it; raises DatabaseError with the resolver's words for a name that means nothing.
Lookup = Callable[[str], Awaitable[str]]

NAME_SERVER = "10.96.0.10:53"
_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ENETUNREACH: "network is unreachable",
    errno.EHOSTUNREACH: "no route to host",
    errno.ETIMEDOUT: "connection timed out",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
}


class DatabaseError(Exception):
    """What the database, or the way to it, answered; the text is what the server would log, after what its `driver` does. `lost`: the connection is gone."""

    def __init__(self, text: str, lost: bool = False, duplicate: bool = False, driver: str = ""):
        super().__init__(text)
        self.lost, self.duplicate, self.driver = lost, duplicate, driver


class Connection(Protocol):
    """An open connection to a database."""

    kind: str

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, if it has any. DatabaseError when the database refuses."""

    def close(self) -> None:
        """End the connection."""


class Closable:
    """A connection of a driver that another thread may close while a statement runs: it is closed when that has ended. libpq would end the whole process."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._busy = threading.Lock()
        self._is_over = False

    @contextmanager
    def _statement(self) -> Iterator[None]:
        try:
            with self._busy:
                yield
        finally:
            if self._is_over:
                self.close()

    def close(self) -> None:
        """End the connection, now or with what runs on it."""
        self._is_over = True
        if self._busy.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._busy.release()


class Files:
    """The files that a container sees in its mounts: {mount path: {name: content}}, as they were when it started."""

    def __init__(self, mounts: Mapping[str, Mapping[str, bytes]]):
        self._mounts = mounts

    def read(self, path: str) -> bytes:
        """The content, or OSError whose text is Go's."""
        file = PurePosixPath(path)
        for mount, names in self._mounts.items():
            folder = PurePosixPath(mount)
            if file == folder:
                raise IsADirectoryError(f"read {path}: is a directory")
            if file.is_relative_to(folder) and str(file.relative_to(folder)) in names:
                return names[str(file.relative_to(folder))]
        raise FileNotFoundError(f"open {path}: no such file or directory")


def no_such_host(host: str) -> DatabaseError:
    """What a name that nobody knows gets."""
    return DatabaseError(f"lookup {host} on {NAME_SERVER}: no such host")


async def dial(address: str, port: int) -> socket.socket:
    """A connected TCP socket, or DatabaseError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except OSError as error:
        connection.close()
        shown = f"[{address}]" if ":" in address else address
        raise DatabaseError(f"dial tcp {shown}:{port}: connect: {_WORDS.get(error.errno or 0, str(error))}") from None
    except BaseException:
        connection.close()
        raise
    connection.setblocking(True)
    return connection


def pem_text(content: bytes) -> str:
    """A bundle for Python's library as Go reads it: a BEGIN line that has anything in front of it, such as a byte order mark, begins nothing."""
    return content.decode("ascii", errors="replace").replace("\ufffd", "?")


def has_certificates(content: bytes) -> bool:
    """Whether Go finds a certificate in this file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem_text(content))
    except (ssl.SSLError, ValueError):
        return False
    return bool(context.get_ca_certs()) or bool(context.cert_store_stats()["x509"])


@contextmanager
def on_disk(content: bytes) -> Iterator[str]:
    """The path of a file with this content, for libraries that read files only."""
    with tempfile.NamedTemporaryFile(prefix="registry-") as file:
        file.write(content)
        file.flush()
        yield file.name


def verification_text(error: ssl.SSLCertVerificationError) -> str:
    """Go's words for a certificate that does not hold."""
    if error.verify_code in (9, 10):
        return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority"


def check_host(certificate: Mapping[str, Any], host: str) -> None:
    """Whether a certificate (as `getpeercert` shows it) is for this host by Go's rules: alternative names only, never the common name."""
    prefix = "tls: failed to verify certificate: x509: "
    names = certificate.get("subjectAltName", ())
    if not names and any(part == (("commonName", host),) for part in certificate.get("subject", ())):
        raise DatabaseError(prefix + "certificate relies on legacy Common Name field, use SANs instead")
    hosts = [value for kind, value in names if kind == "DNS"]
    addresses = [value for kind, value in names if kind == "IP Address"]
    try:
        wanted = ipaddress.ip_address(host)
    except ValueError:
        if any(_matches(pattern, host) for pattern in hosts):
            return
        if not hosts:
            raise DatabaseError(prefix + f"certificate is not valid for any names, but wanted to match {host}") from None
        raise DatabaseError(prefix + f"certificate is valid for {', '.join(hosts)}, not {host}") from None
    if any(ipaddress.ip_address(address) == wanted for address in addresses):
        return
    if not addresses:
        raise DatabaseError(prefix + f"cannot validate certificate for {host} because it doesn't contain any IP SANs")
    raise DatabaseError(prefix + f"certificate is valid for {', '.join(addresses)}, not {host}")


# TLS alerts by OpenSSL's names and by Go's.
_ALERTS = {
    "unknown ca": "unknown certificate authority",
    "bad certificate": "bad certificate",
    "unsupported certificate": "unsupported certificate",
    "certificate revoked": "revoked certificate",
    "certificate expired": "expired certificate",
    "certificate unknown": "unknown certificate",
    "certificate required": "certificate required",
    "handshake failure": "handshake failure",
}


def alert_text(error: object) -> str:
    """Go's words for the alert with which the other side ended TLS; empty when it was none."""
    alert = re.search(r"alert ([a-z ]+?)(?= \(|$)", str(error))
    return f"remote error: tls: {_ALERTS.get(alert[1], alert[1])}" if alert else ""


def pair_problem(certificate: bytes, key: bytes) -> str:
    """Go's words for a client certificate and key that it cannot use; empty for good ones."""
    for content, which in ((certificate, "certificate"), (key, "key")):
        if b"-----BEGIN" not in content:
            return f"tls: failed to find any PEM data in {which} input"
    with on_disk(certificate) as certificate_file, on_disk(key) as key_file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate_file, key_file, password="")
        except (ssl.SSLError, ValueError):
            return "tls: private key does not match public key"
    return ""


def _matches(pattern: str, host: str) -> bool:
    wanted, offered = host.lower().rstrip(".").split("."), pattern.lower().split(".")
    if offered[0] == "*":
        wanted, offered = wanted[1:], offered[1:]
    return wanted == offered
