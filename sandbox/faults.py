"""Faults on demand: switches of the cluster, and misbehaviour of the API server for those who reach it through the fault proxy."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from sandbox import crds
from sandbox.kube import Api, ApiError, Object, path
from sandbox.layout import Layout

AGENT = "sandbox-faults"
WEBHOOK_KINDS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
# Where a webhook configuration's addresses are kept while it points at nothing.
KEPT = "sandbox.test/addresses"
HTTP_ROUTES = "httproutes.gateway.networking.k8s.io"
CLOSED_PORT = 1


class FaultError(Exception):
    """A fault that cannot be made; the message says why."""


# Switches of the cluster


@dataclass(frozen=True)
class Faults:
    """The switches that the sandbox's parts look at while they work."""

    routes_not_admitted: bool = False
    pod_delay_seconds: float = 0


_read: dict[str, tuple[object, Faults]] = {}


def switches_file(layout: Layout) -> Path:
    """Where the switches are."""
    return layout.path("faults.json")


def version(file: Path) -> object:
    """Something that differs after the file was written anew; None when there is no such file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    # The time alone is too coarse for two writes in a row.
    return status.st_mtime_ns, status.st_ino, status.st_size


def read(layout: Layout) -> Faults:
    """The switches as they are now; cheap enough for any loop."""
    file = switches_file(layout)
    now = version(file)
    if now is None:
        return Faults()
    known = _read.get(layout.state)
    if known is None or known[0] != now:
        known = _read[layout.state] = now, Faults(**json.loads(file.read_text()))
    return known[1]


def set_switches(layout: Layout, **switches: Any) -> Faults:
    """Change the named switches and leave the others as they are."""
    changed = replace(read(layout), **switches)
    _write(switches_file(layout), asdict(changed))
    return changed


# Faults of the API server, for its clients at `layout.faulty_api_url`


@dataclass(frozen=True)
class Rule:
    """What happens to requests that match all that is given here: the verb, the path with its query, and the user agent.

    `verbs` are Kubernetes' own (get, list, watch, create, update, patch, delete, deletecollection); `path` and `user_agent` are regular expressions
    that are looked for anywhere. The first `skip` matching requests pass, then `count` are hit (all, when it is None).

    `fault` is one of
    status: an answer with this `status` (and Retry-After, when `seconds` is given or the status is 429);
    reset: the connection is reset;
    stall: no answer for `seconds` (for ever, when it is 0), then a reset;
    delay: the right answer, `seconds` late;
    drip: the right answer, with `seconds` between its bytes.
    With `forwarded` the API server does what was asked before the fault happens: the work is done, but its answer is lost.
    """

    fault: str
    status: int = 503
    seconds: float = 0
    verbs: Sequence[str] = ()
    path: str = ""
    user_agent: str = ""
    skip: int = 0
    count: int | None = 1
    forwarded: bool = False

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise FaultError(f"there is no fault {self.fault}: choose one of {', '.join(FAULTS)}")
        for pattern in (self.path, self.user_agent):
            try:
                re.compile(pattern)
            except re.error as error:
                raise FaultError(f"{pattern} is not a regular expression: {error}") from error

    def matches(self, verb: str, path_and_query: str, user_agent: str) -> bool:
        """Whether this rule is about such a request."""
        return (
            (not self.verbs or verb in self.verbs) and re.search(self.path, path_and_query) is not None and re.search(self.user_agent, user_agent) is not None
        )


FAULTS = ("status", "reset", "stall", "delay", "drip")


@dataclass(frozen=True)
class Request:
    """One request that the fault proxy saw. `status` is what the client was told: None when it was told nothing."""

    time: float
    verb: str
    method: str
    path: str
    query: dict[str, str]
    content_type: str
    user_agent: str
    status: int | None
    fault: str | None = None

    @property
    def dry_run(self) -> bool:
        """Whether the request asked the API server only to try."""
        return "dryRun" in self.query

    @property
    def writes(self) -> bool:
        """Whether the request is to change the cluster. Reviews are created, but change nothing."""
        asks = self.path.startswith(("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/"))
        return self.method not in ("GET", "HEAD", "OPTIONS") and not self.dry_run and not asks


def rules_file(layout: Layout) -> Path:
    """Where the rules are that the fault proxy follows."""
    return layout.path("run", "api-rules.json")


def requests_file(layout: Layout) -> Path:
    """Where the fault proxy writes down what it saw, a line for each request."""
    return layout.path("run", "api-requests.jsonl")


def api_rules(layout: Layout, rules: Sequence[Rule]) -> None:
    """Follow these rules from now on instead of the former ones; counting starts again. For each request the first rule that hits counts."""
    _write(rules_file(layout), [asdict(rule) for rule in rules])


def load_rules(layout: Layout) -> list[Rule]:
    """The rules that hold now."""
    try:
        return [Rule(**rule) for rule in json.loads(rules_file(layout).read_text())]
    except FileNotFoundError:
        return []


def recorded_requests(layout: Layout, after: int = 0) -> list[Request]:
    """All requests that went through the fault proxy since the last `clear` or `forget_requests`, oldest first; only those after a `recorded_so_far`."""
    try:
        with requests_file(layout).open("rb") as file:
            file.seek(after)
            # The last one may still be written.
            return [Request(**json.loads(line)) for line in file if line.endswith(b"\n")]
    except FileNotFoundError:
        return []


def recorded_so_far(layout: Layout) -> int:
    """A mark in the record of requests: a test may have recorded tens of thousands before."""
    file = requests_file(layout)
    return file.read_bytes().rfind(b"\n") + 1 if file.exists() else 0


def forget_requests(layout: Layout) -> None:
    """Start the record of requests again."""
    # Emptied, not removed: the fault proxy has it open.
    requests_file(layout).write_text("")


def clear(layout: Layout) -> None:
    """No switch, no rule, and nothing recorded."""
    _write(switches_file(layout), asdict(Faults()))
    api_rules(layout, [])
    forget_requests(layout)


# Faults that are changes of the cluster's objects


def webhook_unreachable(layout: Layout, unreachable: bool) -> None:
    """Let the registry operator's admission webhooks point to a port where nothing listens, or back."""
    asyncio.run(_move_webhooks(layout, unreachable))


def httproute(layout: Layout, served: bool) -> None:
    """Let the cluster serve HTTPRoute (gateway.networking.k8s.io), or not; HTTPRoutes that there are go with it."""
    asyncio.run(_serve_http_routes(layout, served))


async def _move_webhooks(layout: Layout, unreachable: bool) -> None:
    async with Api(layout, AGENT) as api:
        found = 0
        for plural in WEBHOOK_KINDS:
            collection = path("admissionregistration.k8s.io/v1", plural)
            for configuration in (await api.get(collection))["items"]:
                if not _concerns_registries(configuration):
                    continue
                found += 1
                moved = moved_webhooks(configuration, f"https://{layout.address('operator')}:{CLOSED_PORT}", unreachable)
                if moved:
                    await api.replace(f"{collection}/{configuration['metadata']['name']}", moved)
        if not found:
            raise FaultError("the cluster has no admission webhook for model registries")


def _concerns_registries(configuration: Object) -> bool:
    return any(crds.REGISTRY_GROUP in rule.get("apiGroups", []) for webhook in configuration.get("webhooks", []) for rule in webhook.get("rules", []))


def moved_webhooks(configuration: Object, nowhere: str, unreachable: bool) -> Object | None:
    """The webhook configuration with its webhooks at the address `nowhere`, or back at their own; None when it is so already."""
    annotations = dict(configuration["metadata"].get("annotations") or {})
    if unreachable == (KEPT in annotations):
        return None
    webhooks = configuration["webhooks"]
    if unreachable:
        annotations[KEPT] = json.dumps([webhook["clientConfig"] for webhook in webhooks])
        addresses = [{"url": nowhere, "caBundle": webhook["clientConfig"].get("caBundle", "")} for webhook in webhooks]
    else:
        addresses = json.loads(annotations.pop(KEPT))
    return configuration | {
        "metadata": configuration["metadata"] | {"annotations": annotations},
        "webhooks": [webhook | {"clientConfig": address} for webhook, address in zip(webhooks, addresses, strict=True)],
    }


async def _serve_http_routes(layout: Layout, served: bool) -> None:
    target = path("apiextensions.k8s.io/v1", "customresourcedefinitions", name=HTTP_ROUTES)
    every = crds.custom_resource_definitions(replace(layout, platform="openshift"), b"")
    definition = next(one for one in every if one["metadata"]["name"] == HTTP_ROUTES)
    async with Api(layout, AGENT) as api:
        while await _serves_http_routes(api) is not served:
            if not served:
                await api.delete(target)
            else:
                # Applied again and again: one that is still being removed has to be gone first.
                await api.apply(target, definition)
            await asyncio.sleep(0.2)


async def _serves_http_routes(api: Api) -> bool | None:
    """Whether the cluster knows HTTPRoute; None while it is about to."""
    try:
        return await api.find(path("gateway.networking.k8s.io/v1", "httproutes")) is not None
    except ApiError:
        return None


def _write(file: Path, content: Any) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(file)


# Command line


def main(argv: list[str]) -> int:
    """`python -m sandbox fault`: the exit status."""
    options = _parser().parse_args(argv)
    try:
        print(options.run(Layout.load(), options))
    except FileNotFoundError:
        print("there is no sandbox in this checkout: `make sandbox` starts one", file=sys.stderr)
        return 1
    except aiohttp.ClientConnectionError as error:
        print(f"the sandbox does not run: {error}", file=sys.stderr)
        return 1
    except (FaultError, ApiError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox fault", description="Make the sandbox misbehave, and look at what it was asked.")
    commands = parser.add_subparsers(required=True, metavar="FAULT")

    def command(name: str, text: str, run: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    command("show", "show the switches, the rules of the API, and where clients find them", _show)
    command("clear", "switch everything off, and forget the recorded requests", _clear)
    for name, text, run in (
        ("routes-not-admitted", "let the router refuse every Route", _switch_routes),
        ("webhook-unreachable", "let the registry operator's admission webhooks be unreachable", _switch_webhooks),
        ("no-httproute", "let the cluster not know HTTPRoutes: deletes of registries then hang", _switch_http_routes),
    ):
        command(name, text, run).add_argument("state", choices=("on", "off"))
    command("pod-delay", "let every new pod start this much later", _delay_pods).add_argument("seconds", type=float)
    api = command("api", "let the API server fail for clients that reach it through the fault proxy; adds to the rules that there are", _add_rule)
    api.add_argument("fault", choices=FAULTS, help="an error status, a reset connection, no answer at all, a late answer, or one that comes byte by byte")
    api.add_argument("--status", type=int, default=503, help="the error status (default %(default)s)")
    api.add_argument("--seconds", type=float, default=0, help="how late, how long without an answer or between bytes, or what Retry-After says")
    api.add_argument("--verb", dest="verbs", action="append", default=[], metavar="VERB", help="only for get, list, watch, create, update, patch, delete")
    api.add_argument("--path", default="", metavar="REGEX", help="only for requests whose path and query contain this")
    api.add_argument("--user-agent", default="", metavar="REGEX", help="only for clients whose user agent contains this")
    api.add_argument("--skip", type=int, default=0, help="let so many matching requests pass first")
    api.add_argument("--count", type=int, default=1, help="hit so many requests, 0 for all (default %(default)s)")
    api.add_argument("--forwarded", action="store_true", help="let the API server do what was asked, and lose its answer")
    command("requests", "list the requests that went through the fault proxy", _list_requests)
    return parser


def _show(layout: Layout, _options: argparse.Namespace) -> str:
    rules = load_rules(layout)
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in asdict(read(layout)).items()]
    lines += [f"api: {json.dumps({name: value for name, value in asdict(rule).items() if value not in ('', [], 0, None, False)})}" for rule in rules]
    return "\n".join([*lines, f"API with faults: {layout.faulty_api_url}"])


def _clear(layout: Layout, _options: argparse.Namespace) -> str:
    clear(layout)
    webhook_unreachable(layout, False)
    if layout.has_openshift:
        httproute(layout, True)
    return "every fault is off"


def _switch_routes(layout: Layout, options: argparse.Namespace) -> str:
    set_switches(layout, routes_not_admitted=options.state == "on")
    return "no Route is admitted any more" if options.state == "on" else "Routes are admitted"


def _switch_webhooks(layout: Layout, options: argparse.Namespace) -> str:
    webhook_unreachable(layout, options.state == "on")
    return "writes of registries now fail: their webhooks cannot be reached" if options.state == "on" else "the webhooks are back"


def _switch_http_routes(layout: Layout, options: argparse.Namespace) -> str:
    httproute(layout, options.state == "off")
    return "the cluster does not know HTTPRoute" if options.state == "on" else "the cluster knows HTTPRoute"


def _delay_pods(layout: Layout, options: argparse.Namespace) -> str:
    set_switches(layout, pod_delay_seconds=options.seconds)
    return f"new pods start {options.seconds:g} s later"


def _add_rule(layout: Layout, options: argparse.Namespace) -> str:
    names = ("fault", "status", "seconds", "verbs", "path", "user_agent", "skip", "forwarded")
    rule = Rule(**{name: getattr(options, name) for name in names}, count=options.count or None)
    api_rules(layout, [*load_rules(layout), rule])
    return f"for clients of {layout.faulty_api_url}"


def _list_requests(layout: Layout, _options: argparse.Namespace) -> str:
    lines = []
    for request in recorded_requests(layout):
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        told = request.status if request.status is not None else "no answer"
        lines.append(f"{told} {request.verb} {request.path}{'?' if query else ''}{query}" + (f" ({request.fault})" if request.fault else ""))
    return "\n".join(lines) or "no request went through the fault proxy"
