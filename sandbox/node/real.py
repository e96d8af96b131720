"""The real servers in the place of ours: one process for each pod, in a mount namespace where the pod's files are at their paths."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import aiohttp

from sandbox.layout import MARKER, Layout
from sandbox.node.pod import Launch
from sandbox.node.postgres import copy_output, stop
from sandbox.node.programs import GO_STOPPED
from sandbox.processes import dies_with_parent
from sandbox.server.catalog import DELIVERED, RELOAD_SECONDS
from sandbox.server.log import Write
from sandbox.server.models import Answer

# Where programs look for the certificates that the machine trusts.
_SYSTEM_CERTIFICATES = ("ssl", "pki", "ca-certificates")
_SCRIPT = """
etc=$1; shift
for name in {names}; do if [ -d /etc/$name ]; then mkdir -p "$etc/$name" && mount --rbind /etc/$name "$etc/$name" || exit 125; fi; done
mount --rbind "$etc" /etc && exec "$@"
"""
# A root of its own: the pod's folders, and everything else as on the machine.
_ROOT_SCRIPT = """
root=$1; shift
for name in {names}; do if [ -d /etc/$name ]; then mkdir -p "$root/etc/$name" && mount --rbind /etc/$name "$root/etc/$name" || exit 125; fi; done
for entry in /*; do
  here=$root$entry
  if [ -e "$here" ] || [ -L "$here" ]; then continue; fi
  if [ -L "$entry" ]; then cp -P "$entry" "$here"; elif [ -d "$entry" ]; then mkdir "$here" && mount --rbind "$entry" "$here" || exit 125; fi
done
PATH=$PATH:/usr/sbin:/sbin exec chroot "$root" "$@"
"""


class RealServer:
    """One run of the real server."""

    stopped_code = GO_STOPPED
    always_passes = False

    def __init__(self, layout: Layout, binary: str, launch: Launch, write: Write, client: aiohttp.ClientSession, hosts: Mapping[str, str]):
        self._binary, self._launch, self._write, self._client = binary, launch, write, client
        self._address = layout.pod_address(launch.pod.number)
        self._marker = {MARKER: layout.state}
        self._etc = layout.path("run", "pods", launch.pod.uid, launch.container.name, "etc")
        self._port = 8080
        self._hosts = hosts

    async def run(self) -> int:
        shutil.rmtree(self._etc, ignore_errors=True)
        self._write_files()
        arguments, self._port = listening_at(self._address, self._launch.arguments)
        return await self._run(arguments, _SCRIPT, self._etc)

    async def _run(self, arguments: Sequence[str], script: str, folder: Path) -> int:
        unprivileged = ["--user", "--map-root-user"] if os.getuid() else []
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--mount", *unprivileged, "--", "sh", "-c", script.format(names=" ".join(_SYSTEM_CERTIFICATES)), "sh", str(folder)),
            *dies_with_parent(),
            *(self._binary, *(self._launch.container.spec.get("command") or [""])[1:], *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "HOME": "/", **self._launch.environment, **self._marker},
        )
        copying = asyncio.create_task(copy_output(process, self._write))
        try:
            code = await process.wait()
            return code if code >= 0 else 128 - code
        finally:
            await stop(process, signal.SIGTERM)
            await copying
            shutil.rmtree(self._etc.parent, ignore_errors=True)

    def tell_hosts(self, hosts: Mapping[str, str]) -> None:
        """The names that the server can resolve have changed."""
        self._hosts = hosts
        if self._etc.exists():
            self._write_hosts()

    async def check(self, path: str) -> tuple[bool, str]:
        try:
            answer = await self.answer("GET", path, {}, b"")
        except aiohttp.ClientConnectionError:
            url = f"http://{self._launch.pod.ip}:{self._port}{path}"
            return False, f'Get "{url}": dial tcp {self._launch.pod.ip}:{self._port}: connect: connection refused'
        return answer.status < 400, f"HTTP probe failed with statuscode: {answer.status}"

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        headers = {"Content-Type": _content_type(body)} if body else {}
        async with self._client.request(method, f"http://{self._address}:{self._port}{path}", params=query, data=body or None, headers=headers) as response:
            announced = {name: response.headers[name] for name in ("Deprecation", "Sunset", "Link") if name in response.headers}
            return Answer(response.status, await response.text(), response.headers.get("Content-Type", "text/plain"), announced)

    def _write_files(self) -> None:
        self._etc.mkdir(parents=True)
        self._write_hosts()
        # Names that are not in the file are unknown, whatever the machine's own resolver says.
        (self._etc / "nsswitch.conf").write_text("hosts: files\n")
        for mount, files in self._launch.mounts.items():
            folder = PurePosixPath(mount)
            if not folder.is_relative_to("/etc"):
                continue
            target = self._etc / folder.relative_to("/etc")
            target.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                file = target / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)

    def _write_hosts(self) -> None:
        draft = self._etc / "hosts.new"
        draft.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in self._hosts.items()))
        draft.replace(self._etc / "hosts")


class RealCatalog(RealServer):
    """One run of the real server of the model catalog. Its files follow the ConfigMaps that they are from."""

    def __init__(
        self, layout: Layout, binary: str, launch: Launch, write: Write, client: aiohttp.ClientSession, hosts: Mapping[str, str], changes: AsyncIterator[object]
    ):
        super().__init__(layout, binary, launch, write, client, hosts)
        self._changes = changes

    async def run(self) -> int:
        root = self._etc.parent
        shutil.rmtree(root, ignore_errors=True)
        self._write_files()
        for folder, texts in DELIVERED.items():
            self._write_folder(folder, {name: text.encode() for name, text in texts.items()})
        for mount, files in (await self._launch.look()).items():
            self._write_folder(mount, files)
        kept = [argument for argument in self._launch.arguments if not argument.startswith(("--listen=", "--performance-metrics="))]
        following = asyncio.create_task(self._follow())
        try:
            return await self._run([f"--listen={self._address}:{self._port}", *kept], _ROOT_SCRIPT, root)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def check(self, path: str) -> tuple[bool, str]:
        return await super().check(path or "/healthz")

    async def _follow(self) -> None:
        changed = asyncio.Event()

        async def watch() -> None:
            async for _change in self._changes:
                changed.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(watch())
            while True:
                await changed.wait()
                # It waits a second itself.
                await asyncio.sleep(RELOAD_SECONDS - 1)
                changed.clear()
                for mount, files in (await self._launch.look()).items():
                    self._write_folder(mount, files)

    def _write_folder(self, mount: str, files: Mapping[str, bytes]) -> None:
        folder = self._etc.parent / PurePosixPath(mount).relative_to("/")
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            if file.is_file() and file.name not in files:
                file.unlink()
        for name, content in files.items():
            file = folder / name
            if not file.exists() or file.read_bytes() != content:
                draft = folder.parent / f".{folder.name}.new"
                draft.write_bytes(content)
                draft.replace(file)


def _content_type(body: bytes) -> str:
    """What a body is: a form in several parts begins with its boundary, and everything else is JSON."""
    boundary = body.partition(b"\r\n")[0].decode("latin-1")
    return f"multipart/form-data; boundary={boundary[2:]}" if boundary.startswith("--") else "application/json"


def listening_at(address: str, arguments: Sequence[str]) -> tuple[list[str], int]:
    """The server's arguments with another address to listen at, and the port."""
    port = 8080
    kept = []
    for argument in arguments:
        if argument.startswith("--port="):
            port = int(argument.partition("=")[2])
        if not argument.startswith("--hostname="):
            kept.append(argument)
    return [f"--hostname={address}", *kept], port


def remove_files(layout: Layout) -> None:
    """Remove what servers of an earlier node process left."""
    shutil.rmtree(Path(layout.state, "run", "pods"), ignore_errors=True)
