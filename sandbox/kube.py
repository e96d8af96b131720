"""A small asynchronous client of the API server for the sandbox's own parts: requests, watches, and a keyed work queue."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp

from sandbox.layout import Layout

log = logging.getLogger(__name__)
Object = dict[str, Any]
ADMIN_TOKEN = "sandbox-admin"


class ApiError(Exception):
    """An answer of the API server with a status of 400 or more."""

    def __init__(self, status: int, body: Any):
        self.status = status
        self.body = body if isinstance(body, dict) else {}
        self.reason = self.body.get("reason", "")
        super().__init__(self.body.get("message") or str(body))


def path(api_version: str, plural: str, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
    """The request path of a collection or an object: path("apps/v1", "deployments", "ns", "web")."""
    parts = ["", "apis" if "/" in api_version else "api", api_version]
    if namespace:
        parts += ["namespaces", namespace]
    parts.append(plural)
    if name:
        parts.append(name)
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


class Api:
    """Requests to the API server of one sandbox as its administrator, or as the owner of `token`. `agent` is the field manager's name.

    Not with the administrator's certificate: the API server verifies one anew for each request.
    """

    def __init__(self, layout: Layout, agent: str, token: str = ADMIN_TOKEN):
        self._layout, self._agent, self._token = layout, agent, token

    async def __aenter__(self) -> Api:
        tls = ssl.create_default_context(cafile=str(self._layout.path("pki", "ca.crt")))
        headers = {"User-Agent": self._agent, "Authorization": f"Bearer {self._token}"}
        self._session = aiohttp.ClientSession(
            base_url=self._layout.api_url,
            headers=headers,
            connector=aiohttp.TCPConnector(ssl=tls, limit=100),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def request(self, verb: str, path: str, body: Any = None, content_type: str = "application/json", **params: str) -> Any:
        """One request; the decoded answer. ApiError for a refusal, aiohttp.ClientError or TimeoutError without an answer."""
        data = None if body is None else json.dumps(body)
        async with self._session.request(
            verb, path, data=data, params=params, headers={"Content-Type": content_type}, timeout=aiohttp.ClientTimeout(total=30)
        ) as answer:
            text = await answer.text()
            content = json.loads(text) if answer.content_type == "application/json" else text
            if answer.status >= 400:
                raise ApiError(answer.status, content)
            return content

    async def get(self, path: str, **params: str) -> Any:
        return await self.request("GET", path, **params)

    async def find(self, path: str) -> Object | None:
        """The object, or None when there is none, or not even its API."""
        try:
            found: Object = await self.get(path)
            return found
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def create(self, path: str, body: Object, **params: str) -> Object:
        return await self._write("POST", path, body, "application/json", **params)

    async def replace(self, path: str, body: Object, **params: str) -> Object:
        return await self._write("PUT", path, body, "application/json", **params)

    async def merge(self, path: str, body: Object, **params: str) -> Object:
        return await self._write("PATCH", path, body, "application/merge-patch+json", **params)

    async def apply(self, path: str, body: Object) -> Object:
        """Create or update by server-side apply, taking over fields of others."""
        return await self._write("PATCH", path, body, "application/apply-patch+yaml", fieldManager=self._agent, force="true")

    async def _write(self, verb: str, path: str, body: Object, content_type: str, **params: str) -> Object:
        written: Object = await self.request(verb, path, body, content_type, **params)
        return written

    async def apply_all(self, manifests: list[Object]) -> None:
        """Apply manifests of any kind in their order; waits for a kind whose CustomResourceDefinition has just been made."""
        for manifest in manifests:
            metadata = manifest["metadata"]
            plural, namespaced = await self._plural(manifest["apiVersion"], manifest["kind"])
            namespace = metadata.get("namespace", "default") if namespaced else None
            await self.apply(path(manifest["apiVersion"], plural, namespace, metadata["name"]), manifest)

    async def _plural(self, api_version: str, kind: str) -> tuple[str, bool]:
        for _attempt in range(100):
            served = await self.find(f"/{'apis' if '/' in api_version else 'api'}/{api_version}")
            for resource in (served or {}).get("resources", []):
                if resource["kind"] == kind and "/" not in resource["name"]:
                    return resource["name"], resource["namespaced"]
            await asyncio.sleep(0.1)
        raise LookupError(f"the API server does not serve {kind} of {api_version}")

    async def delete(self, path: str, body: Object | None = None, **params: str) -> None:
        """Delete the object; one that does not exist is no error."""
        try:
            await self.request("DELETE", path, body, **params)
        except ApiError as error:
            if error.status != 404:
                raise

    async def watch(self, path: str, **params: str) -> AsyncIterator[tuple[str, Object]]:
        """("ADDED" | "MODIFIED" | "DELETED", object) for everything there is and then for every change, for ever.

        It lists again after a lost connection or an expired version, and then also yields DELETED for what is gone. While the API is not served (404)
        it asks again every two seconds.
        """
        known: dict[tuple[str | None, str], Object] = {}

        def key(item: Object) -> tuple[str | None, str]:
            return item["metadata"].get("namespace"), item["metadata"]["name"]

        while True:
            try:
                listed = await self.get(path, **params)
                current = {key(item): item for item in listed["items"]}
                for gone in [k for k in known if k not in current]:
                    yield "DELETED", known.pop(gone)
                for k, item in current.items():
                    seen = known.get(k)
                    known[k] = item
                    if seen is None or seen["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                        yield ("ADDED" if seen is None else "MODIFIED"), item
                version = listed["metadata"]["resourceVersion"]
                async with self._session.get(
                    path, params=params | {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}, read_bufsize=2**22
                ) as answer:
                    async for line in answer.content:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        item = event["object"]
                        if event["type"] == "BOOKMARK":
                            continue
                        if event["type"] == "DELETED":
                            known.pop(key(item), None)
                        else:
                            known[key(item)] = item
                        yield event["type"], item
            except (ApiError, aiohttp.ClientError, OSError, ValueError) as error:
                if not (isinstance(error, ApiError) and error.status == 404):
                    log.info("watch of %s: %s", path, error)
                await asyncio.sleep(2 if isinstance(error, ApiError) else 0.5)


class Queue:
    """Calls `work(key)` once for any number of `add(key)` before it, one call a key at a time, and again with growing pauses after a failure."""

    def __init__(self, work: Callable[[Any], Awaitable[float | None]], workers: int = 8, longest_pause: float = 30):
        self._work, self._workers, self._longest_pause = work, workers, longest_pause
        self._ready: asyncio.Queue[Any] = asyncio.Queue()
        self._waiting: set[Any] = set()
        self._running: set[Any] = set()
        self._again: set[Any] = set()
        self._failures: dict[Any, int] = {}

    def add(self, key: Any, after: float = 0) -> None:
        """Ask for a call of `work(key)`, `after` seconds from now."""
        if after > 0:
            asyncio.get_running_loop().call_later(after, self.add, key)
        elif key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _worker in range(self._workers):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while True:
            key = await self._ready.get()
            self._waiting.discard(key)
            self._running.add(key)
            try:
                after = await self._work(key)
                self._failures.pop(key, None)
                if after is not None:
                    self.add_later(key, after)
            except Exception as error:
                failures = self._failures[key] = self._failures.get(key, 0) + 1
                expected = isinstance(error, (ApiError, aiohttp.ClientError, TimeoutError))
                log.log(logging.INFO if expected else logging.ERROR, "%s: %s", key, error, exc_info=not expected)
                self.add_later(key, min(0.2 * 2**failures, self._longest_pause))
            finally:
                self._running.discard(key)
                if key in self._again:
                    self._again.discard(key)
                    self.add(key)

    def add_later(self, key: Any, after: float) -> None:
        """Like `add`, and never at once: the caller may still be inside `work(key)`."""
        asyncio.get_running_loop().call_later(max(after, 0.01), self.add, key)


async def run_forever(*parts: Awaitable[object]) -> None:
    """Run the parts of a process until one fails or the process is told to stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.ensure_future(part) for part in parts]
    stopping = asyncio.ensure_future(stop.wait())
    done, _pending = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in [*tasks, stopping]:
        task.cancel()
    await asyncio.gather(*tasks, stopping, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        for task in done:
            task.result()
