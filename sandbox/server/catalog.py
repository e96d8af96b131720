"""The server of the model catalog: from its command line to serving, to being taken out of service by a file that it refuses, or to its end."""

from __future__ import annotations

import asyncio
import base64
import email.parser
import email.policy
import json
import posixpath
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from sandbox.server import log, sources
from sandbox.server.models import Answer
from sandbox.server.sources import AGENTS, MCP_SERVERS, MODELS, Crash, File, Loaded, Refused

MODEL_API, MCP_API, AGENT_API = (f"/api/{kind}_catalog/v1alpha1" for kind in ("model", "mcp", "agent"))
# A kubelet needs a minute to bring a change into a pod. Tests cannot wait for that.
RELOAD_SECONDS = 2.0
DEFAULT_PAGE = 10
# What the product delivers with its image, by the folder that it is copied to.
DELIVERED = {
    "/shared-data": {
        **{
            f"{file}-catalog.yaml": (
                f"source: Red Hat\nmodels:\n  - name: RedHatAI/{model}\n    artifacts:\n      - uri: oci://registry.redhat.io/rhai/{model}:1.0\n"
            )
            for file, model in (("models", "granite-3.1-8b-lab"), ("validated-models", "granite-3.1-8b-base"), ("other-models", "mistral-small"))
        },
        **{f"{file}-mcp-servers-catalog.yaml": f"mcp_servers:\n  - name: {file}-server\n" for file in ("redhat", "partner", "community")},
        "redhat-agents-catalog.yaml": "agents:\n  - name: an-agent\n",
    }
}
# The files of a pod by the folder that they are mounted at.
Mounts = Mapping[str, Mapping[str, bytes]]


class CatalogServer:
    """The server of one container. `look` reads the files as they are mounted now, `changes` tells when they may have changed."""

    def __init__(
        self, arguments: Sequence[str], look: Callable[[], Awaitable[Mounts]], changes: AsyncIterator[Any], write: log.Write, knows_skills: bool = False
    ):
        self._paths = [argument.partition("=")[2] for argument in arguments if argument.startswith("--catalogs-path=")]
        self._look, self._changes, self._write, self._knows_skills = look, changes, write, knows_skills
        self._mounts: Mounts = {}
        # The files as they were when each part of the server accepted them last, and what each makes of them.
        self._files: dict[str, dict[str, File]] = {plugin: {} for plugin in sources.PLUGINS.values()}
        self._labels = sources.Labels()
        self._healthy = dict.fromkeys(sources.PLUGINS.values(), True)
        self._loaded: dict[str, dict[str, Loaded]] = {}
        self._serving = False

    async def run(self) -> int:
        """Serve until cancelled; the exit code when the server ends by itself."""
        self._mounts = await self._look()
        if refused := self._reload():
            plugin, why = next(iter(refused.items()))
            self._write(f"Error: error starting plugins: plugin {plugin} start failed: {plugin} config: {why}")
            self._write(log.line("F", "exit", f"error: plugin {plugin} start failed: {plugin} config: {why}"))
            return 1
        self._serving = True
        self._write(log.line("I", "catalog-listening", "Catalog API server listening on 0.0.0.0:8080"))
        try:
            self._load()
            await self._follow()
        except Crash as crash:
            self._write(f"{crash}\n\ngoroutine 1 [running]:")
            return 2
        finally:
            self._serving = False
        return 0

    async def _follow(self) -> None:
        changed = asyncio.Event()

        async def watch() -> None:
            async for _change in self._changes:
                changed.set()

        watching = asyncio.create_task(watch())
        try:
            while True:
                await changed.wait()
                await asyncio.sleep(RELOAD_SECONDS)
                changed.clear()
                before, self._mounts = self._mounts, await self._look()
                if self._mounts != before:
                    self._act_on(before)
        finally:
            watching.cancel()

    def _act_on(self, before: Mounts) -> None:
        texts = [{path: self._text(mounts, path) for path in self._paths} for mounts in (before, self._mounts)]
        if texts[0] == texts[1]:
            # Only data have changed. It watches those of models that it could read, and goes on with the old ones where it cannot read the new ones.
            watched = {identity for identity, found in self._loaded.get(MODELS, {}).items() if found.status != "error"}
            found = {identity: found for identity, found in self._read(MODELS).items() if identity in watched and found.status != "error"}
            self._loaded.setdefault(MODELS, {}).update(found)
            return
        # It reads all files again for each of those that have changed.
        for path in [path for path in self._paths if texts[0][path] != texts[1][path]]:
            for plugin in self._files:
                self._write(log.line("I", "catalog-changed", f"Config file changed, reloading {plugin} sources: {path}"))
            refused = self._reload()
            for plugin, why in refused.items():
                self._write(log.line("E", "catalog-refused", f"unable to reload {plugin} config: {why}"))
            self._healthy = {plugin: plugin not in refused for plugin in self._healthy}
        self._load()

    def _reload(self) -> dict[str, str]:
        """Read all files with sources; what each part of the server refuses, in words. A file that is refused counts as it was.

        One that is refused for its labels alone counts nevertheless, with the labels that it had.
        """
        refused: dict[str, list[str]] = {}
        for path in self._paths:
            text = self._text(self._mounts, path)
            try:
                if text is None:
                    raise Refused(f"open {path}: no such file or directory")
                file = sources.read(text, self._knows_skills)
            except Refused as error:
                for plugin in self._files:
                    refused.setdefault(plugin, []).append(f"unable to reload {plugin} sources from {path}: {error}")
                continue
            for plugin, files in self._files.items():
                why = file.refused.get(plugin)
                if why is None:
                    files[path] = file
                    why = (file.wrong_label or self._labels.refused(path, file.labels)) if plugin == "model" else ""
                if why:
                    refused.setdefault(plugin, []).append(f"unable to reload {plugin} sources from {path}: {why}")
        return {plugin: "\n".join(lines) for plugin, lines in refused.items()}

    def _merged(self, asset: str) -> dict[str, dict[str, Any]]:
        files = self._files[sources.PLUGINS[asset]]
        return sources.merged([(path, files[path]) for path in self._paths if path in files], asset)

    def _read(self, asset: str) -> dict[str, Loaded]:
        taken: dict[str, Any] = {}
        return {identity: sources.loaded(source, asset, self._data, taken) for identity, source in self._merged(asset).items()}

    def _load(self) -> None:
        self._loaded |= {asset: self._read(asset) for asset, plugin in sources.PLUGINS.items() if self._healthy[plugin]}

    def _data(self, origin: str, path: str) -> str | None:
        return self._text({**self._mounts, **_delivered()}, posixpath.normpath(posixpath.join(posixpath.dirname(origin), path)))

    @staticmethod
    def _text(mounts: Mounts, path: str) -> str | None:
        folder, _slash, name = path.rpartition("/")
        content = mounts.get(folder, {}).get(name)
        return None if content is None else content.decode(errors="replace")

    # Requests

    def ready(self) -> Answer:
        """`/readyz`."""
        ready = self._serving and all(self._healthy.values())
        return Answer(200 if ready else 503, json.dumps({"plugins": self._healthy, "status": "ready" if ready else "not_ready"}) + "\n")

    def respond(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        """Any request, as the server would answer it."""
        if path == "/readyz":
            return self.ready()
        if path == "/healthz":
            return Answer(200, '{"status":"ok"}\n')
        if not self._serving:
            return Answer(503, "")
        handlers: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", f"{MODEL_API}/sources"): lambda: self._sources(query),
            ("GET", f"{MODEL_API}/labels"): lambda: _page(self._labels_of(query.get("assetType") or MODELS), query),
            ("GET", f"{MODEL_API}/models"): lambda: self._entries(MODELS, query),
            ("GET", f"{MCP_API}/mcp_servers"): lambda: self._entries(MCP_SERVERS, query),
            ("GET", f"{AGENT_API}/agents"): lambda: self._entries(AGENTS, query),
            ("POST", f"{MODEL_API}/sources/preview"): lambda: self._preview(query, body),
        }
        handler = handlers.get((method, path))
        if handler is None:
            return Answer(404, "404 page not found\n", "text/plain; charset=utf-8")
        try:
            return handler()
        except Refused as error:
            return _failure(422, "Unprocessable Entity", str(error))
        except ValueError as error:
            return _failure(400, "Bad Request", str(error))

    def _sources(self, query: Mapping[str, str]) -> Answer:
        asset = query.get("assetType") or MODELS
        if asset not in sources.PLUGINS:
            raise ValueError(f"invalid value '{asset}' for CatalogAssetType")
        items = [
            self._source(source, own)
            for own in sources.PLUGINS
            for source in self._merged(own).values()
            if source.get("assetType", own) == asset and query.get("name", "").lower() in source.get("name", "").lower()
        ]
        return _page(sorted(items, key=lambda item: str(item["id"])), query)

    def _source(self, source: Mapping[str, Any], asset: str) -> dict[str, Any]:
        item: dict[str, Any] = {"id": source["id"], "name": source.get("name", ""), "enabled": source.get("enabled", True), "labels": source.get("labels", [])}
        if asset == MODELS:
            item |= {name: source[name] for name in sources.LISTS[MODELS] if source.get(name)}
            organization = (source.get("properties") or {}).get("allowedOrganization")
            if source.get("type") == "hf" and organization and source.get("enabled") is not False:
                # It completes the patterns in place.
                item |= {name: [f"{organization}/{text}" for text in source[name]] for name in sources.LISTS[MODELS] if source.get(name)}
        else:
            item["assetType"] = asset
        found = self._loaded.get(asset, {}).get(source["id"])
        return item if found is None or not sources.has_status(source) else {**item, "status": found.status, "error": found.error or None}

    def _labels_of(self, asset: str) -> list[dict[str, Any]]:
        return [label for label in self._labels.all if label.get("assetType", MODELS) == asset]

    def _entries(self, asset: str, query: Mapping[str, str]) -> Answer:
        wanted = [text for text in query.get("source", "").split(",") if text]
        known = self._merged(asset)
        items = [
            {"name": f"{identity}:{name}".partition(":")[2], "source_id": identity}
            for identity, found in sorted(self._loaded.get(asset, {}).items())
            if identity in known and (not wanted or identity in wanted)
            for name in sorted(found.names)
        ]
        return _page(items, query)

    def _preview(self, query: Mapping[str, str], body: bytes) -> Answer:
        parts = parts_of(body)
        wanted = query.get("filterStatus", "all").lower()
        if wanted not in ("all", "included", "excluded"):
            raise ValueError("invalid filterStatus: must be 'all', 'included', or 'excluded'")
        if "config" not in parts:
            raise ValueError("required file field 'config' is missing from the request")
        config = sources.load(parts["config"], strict=False)
        if not isinstance(config, dict) or not config.get("type"):
            raise Refused("invalid config: missing required field: type")
        asset = MCP_SERVERS if config.get("assetType") == MCP_SERVERS else MODELS
        try:
            names = [str(name) for name in self._names(config, asset, parts.get("catalogData"))]
        except Refused as error:
            raise Refused(f"failed to load models: {error}") from None
        found = [{"name": name, "included": sources.allows(name, config, asset)} for name in names]
        items = [item for item in found if wanted == "all" or item["included"] == (wanted == "included")]
        counts = {f"{word}{'Models' if asset == MODELS else 'Assets'}": sum(counted) for word, counted in _counts(found).items()}
        page = json.loads(_page(items, query).body)
        return Answer(200, json.dumps({"assetType": asset, "summary": counts, **page}) + "\n")

    def _names(self, config: Mapping[str, Any], asset: str, data: str | None) -> list[str]:
        if config["type"] == "hf" and asset == MODELS:
            raise Refused(sources.loaded({**config, "id": "preview"}, asset, lambda _origin, _path: None, {}).error)
        if config["type"] != "yaml":
            raise Refused(f"unsupported source type: {config['type']}")
        if data is None:
            raise Refused("missing required property: yamlCatalogPath (provide catalogData file or set yamlCatalogPath in config)")
        # Data that end the process of the server end the request here, whose handler is guarded.
        try:
            entries = sources.models_of(data) if asset == MODELS else sources.others_of(data, asset)
        except Crash:
            entries = []
        return [entry.get("name", "") for entry in entries]


def _delivered() -> Mounts:
    return {folder: {name: text.encode() for name, text in files.items()} for folder, files in DELIVERED.items()}


def _counts(found: Sequence[Mapping[str, Any]]) -> dict[str, list[bool]]:
    included = [bool(item["included"]) for item in found]
    return {"total": [True] * len(found), "included": included, "excluded": [not one for one in included]}


def parts_of(body: bytes) -> dict[str, str]:
    """The fields of a form in several parts, by name."""
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--")
    head = b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n'
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    named = [(part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in message.iter_parts()]
    return {str(name): content.decode() for name, content in named if isinstance(content, bytes)}


def _page(items: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> Answer:
    size = int(query.get("pageSize") or DEFAULT_PAGE)
    if size < 1:
        raise ValueError(f"pageSize must be at least 1, got {size}")
    start = int(base64.b64decode(query["nextPageToken"])) if query.get("nextPageToken") else 0
    shown = items[start : start + size]
    following = base64.b64encode(str(start + size).encode()).decode() if start + size < len(items) else ""
    return Answer(200, json.dumps({"items": shown, "nextPageToken": following, "pageSize": size, "size": len(shown)}) + "\n")


def _failure(status: int, code: str, message: str) -> Answer:
    return Answer(status, json.dumps({"code": code, "message": message}) + "\n")
