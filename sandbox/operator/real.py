"""Runs the product's own operator (a build of v0.3.14) in place of ours: `python -m sandbox.operator.real`.

Its webhooks take port 9443 of every address, and no option changes that. So it gets a network of its own, where the kernel allows one, and several sandboxes of
a machine can have it. Sockets in `.sandbox/run` lead out of that network to the API server, and into it to the webhooks.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

from sandbox.layout import APPS_DOMAIN, ROOT, WEBHOOK_PORT, Layout
from sandbox.platform.component import registries_namespace
from sandbox.processes import dies_with_parent

# A TCP address, or the path of a socket.
Place = tuple[str, int] | str
WEBHOOKS = ("127.0.0.1", 9443)
# Relative to `.sandbox/run`: a socket's path may have 107 characters at most.
TO_API, TO_WEBHOOKS = "operator-api.sock", "operator-webhooks.sock"
SET_INTERFACE_FLAGS, INTERFACE_UP = 0x8914, 1


def environment(layout: Layout) -> dict[str, str]:
    """Its environment. Its webhook certificate is put where it looks for one."""
    certificates = layout.path("run", "operator-tmp", "k8s-webhook-server", "serving-certs")
    certificates.mkdir(parents=True, exist_ok=True)
    for name in ("crt", "key"):
        shutil.copy(layout.path("pki", f"server.{name}"), certificates / f"tls.{name}")
    return {
        "KUBECONFIG": str(layout.path("kubeconfig")),
        "REGISTRIES_NAMESPACE": os.environ.get("REGISTRIES_NAMESPACE", registries_namespace(layout)),
        "DEFAULT_DOMAIN": os.environ.get("DEFAULT_DOMAIN", APPS_DOMAIN),
        "ENABLE_WEBHOOKS": "true",
        "TMPDIR": str(layout.path("run", "operator-tmp")),
    }


def arguments(layout: Layout) -> list[str]:
    """Its arguments."""
    return ["--metrics-bind-address=0", f"--health-probe-bind-address={layout.address('operator')}:8081", "--zap-log-level=info"]


def webhook_address(layout: Layout) -> tuple[str, int]:
    """Where its webhooks answer once it is ready."""
    return layout.address("operator"), WEBHOOK_PORT


def apart_command() -> list[str]:
    """What to put before a command so that it has a network of its own; nothing where that is not allowed."""
    command = ["unshare", *(["--user", "--map-root-user"] if os.getuid() else []), "--net", "--"]
    return [] if subprocess.run([*command, "true"], check=False, capture_output=True).returncode else command


async def _outside(layout: Layout) -> int:
    """Run it in a network of its own, or in this one; its exit code."""
    apart = apart_command()
    if not apart:
        return await _operator(layout, webhook_address(layout))
    await _forward(TO_API, (layout.address("control-plane"), 6443))
    inside = [*apart, *dies_with_parent(), sys.executable, "-m", "sandbox.operator.real", "inside"]
    process = await asyncio.create_subprocess_exec(*inside, env=os.environ | {"PYTHONPATH": str(ROOT)})
    await _answers(process, TO_WEBHOOKS)
    await _forward(webhook_address(layout), TO_WEBHOOKS)
    return await process.wait()


async def _inside(layout: Layout) -> int:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, struct.pack("16sh22x", b"lo", INTERFACE_UP))
    await _forward((layout.address("control-plane"), 6443), TO_API)
    return await _operator(layout, TO_WEBHOOKS)


async def _operator(layout: Layout, reached_at: Place) -> int:
    process = await asyncio.create_subprocess_exec(*dies_with_parent(), layout.operator, *arguments(layout), env=os.environ | environment(layout))
    await _answers(process, WEBHOOKS)
    await _forward(reached_at, WEBHOOKS)
    return await process.wait()


async def _answers(process: asyncio.subprocess.Process, place: Place) -> None:
    """Wait until something listens there; SystemExit when the process ends before that."""
    while True:
        try:
            (await _connected(place))[1].close()
        except OSError:
            if process.returncode is not None:
                sys.exit(process.returncode or 1)
            await asyncio.sleep(0.1)
        else:
            return


async def _forward(place: Place, target: Place) -> None:
    """Pass what comes to one place on to another one."""

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onwards = await _connected(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, onwards[1]), _copy(onwards[0], writer))
        onwards[1].close()
        writer.close()

    if isinstance(place, str):
        await asyncio.start_unix_server(passed, place)
    else:
        await asyncio.start_server(passed, *place)


async def _connected(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await (asyncio.open_unix_connection(place) if isinstance(place, str) else asyncio.open_connection(*place))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


def main(argv: list[str]) -> int:
    layout = Layout.load()
    os.chdir(layout.path("run", "operator-tmp").parent)
    return asyncio.run(_inside(layout) if argv == ["inside"] else _outside(layout))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
