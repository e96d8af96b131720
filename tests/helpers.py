"""What tests of a whole sandbox need: its API server, accounts with the rights of rbac/ or less, and the modules run as one of them."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.modelops.openshift_ai.plugins.filter import model_registry_rbac
from sandbox import controlplane, faults, lifecycle
from sandbox.kube import Api, path
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests import warm

AUTOMATION = "automation"
RBAC = "rbac.authorization.k8s.io"
ROLE_BINDINGS = (f"{RBAC}/v1", "rolebindings")
REGISTRIES = ("modelregistry.opendatahub.io/v1beta1", "modelregistries")
SECONDS = 120
CALLBACKS = Path(__file__).parent / "callback_plugins"
USER_AGENT = "modelops.openshift_ai"
BOUNDARY = "\x1e"
# Linux cuts the name of a process.
LONGEST_NAME = 15
# A variable that pytest sets for all that a test starts.
OF_A_TEST = "PYTEST_CURRENT_TEST"
# Requests that change the cluster: no dry runs, and no reviews, which are created but change nothing.
WRITING_VERBS = ("create", "update", "patch", "delete", "deletecollection")
WRITING_PATHS = r"^(?!/apis/auth(entication|orization)\.k8s\.io/)(?!.*[?&]dryRun=)"


def until(what: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """The first true value of `what`."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return found


def shell(layout: Layout, cold: bool = False) -> dict[str, str]:
    """The variables of the shell of `. .sandbox/env`. Playbooks are forked by `tests.warm` in it, unless it is `cold`."""
    environment = os.environ | lifecycle.shell_variables(layout)
    return environment if cold else warm.shell(environment)


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """Where the requests of tests run: connections stay open from one to the next. To open one costs the test and the API server more than a request."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


@functools.cache
def _api(layout: Layout, _authority: float) -> Api:
    """The administrator's client of a sandbox, for as long as it has this authority."""
    api = Api(layout, "tests")
    asyncio.run_coroutine_threadsafe(api.__aenter__(), _loop()).result()
    atexit.register(lambda: asyncio.run_coroutine_threadsafe(api.__aexit__(), _loop()).result())
    return api


class Cluster:
    """Requests to the sandbox's API server from tests that are not asynchronous."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def call(self, what: Callable[[Api], Any]) -> Any:
        """Run one coroutine of a client."""
        api = _api(self.layout, self.layout.path("pki", "ca.crt").stat().st_mtime)
        return asyncio.run_coroutine_threadsafe(what(api), _loop()).result()

    def get(self, api_version: str, plural: str, name: str, namespace: str | None = REGISTRIES_NAMESPACE) -> Any:
        return self.call(lambda api: api.find(path(api_version, plural, namespace, name)))

    def items(self, api_version: str, plural: str, namespace: str | None = REGISTRIES_NAMESPACE, **query: str) -> list[Any]:
        items: list[Any] = self.call(lambda api: api.get(path(api_version, plural, namespace), **query))["items"]
        return items

    def create(self, api_version: str, plural: str, manifest: dict[str, Any], namespace: str | None = REGISTRIES_NAMESPACE, **query: str) -> Any:
        return self.call(lambda api: api.create(path(api_version, plural, namespace), manifest, **query))

    def merge(self, api_version: str, plural: str, name: str, body: dict[str, Any], namespace: str | None = REGISTRIES_NAMESPACE, **query: str) -> Any:
        return self.call(lambda api: api.merge(path(api_version, plural, namespace, name), body, **query))

    def delete(self, api_version: str, plural: str, name: str, namespace: str | None = REGISTRIES_NAMESPACE) -> None:
        self.call(lambda api: api.delete(path(api_version, plural, namespace, name)))

    def registry(self, name: str) -> Any:
        return self.get("modelregistry.opendatahub.io/v1beta1", "modelregistries", name)

    def token(self, namespace: str, account: str) -> str:
        """A real token of a service account."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
        answer = self.call(lambda api: api.create(path("v1", "serviceaccounts", namespace, account, "token"), body))
        return str(answer["status"]["token"])


# Accounts


@dataclass(frozen=True, order=True)
class Right:
    """One thing that a role of rbac/ allows."""

    role: str
    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


def converging_roles() -> list[dict[str, Any]]:
    """Everything that an account for converging can have: rbac/converge.yml, rbac/cluster.yml, and what the playbook rbac writes, for every registry."""
    of_registries = [
        role | {"rules": [{key: value for key, value in rule.items() if key != "resourceNames"} for rule in role["rules"]]}
        for role in model_registry_rbac.model_registry_rbac([{"name": "any"}])
    ]
    return [*roles_of("converge.yml"), *roles_of("cluster.yml"), *of_registries]


def roles_of(file: str) -> list[dict[str, Any]]:
    """The Roles and ClusterRoles of a file in rbac/."""
    roles: list[dict[str, Any]] = yaml.safe_load((ROOT / "rbac" / file).read_text())["items"]
    return roles


def single_rights(roles: Sequence[dict[str, Any]]) -> list[Right]:
    """Every right that the roles give: one for each API group, resource and verb of each rule."""
    rights = [
        Right(role["metadata"]["name"], group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    return list(dict.fromkeys(rights))


def without(roles: Sequence[dict[str, Any]], missing: Right) -> list[dict[str, Any]]:
    """The roles with all their rights but one."""

    def rules(role: dict[str, Any]) -> list[dict[str, Any]]:
        split = (
            rule
            | {
                "apiGroups": [group],
                "resources": [resource],
                "verbs": [v for v in rule["verbs"] if Right(role["metadata"]["name"], group, resource, v) != missing],
            }
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
        )
        return [rule for rule in split if rule["verbs"]]

    return [role | {"rules": rules(role)} for role in roles]


def automation_token(cluster: Cluster) -> str:
    """A token of a service account that has the rights of rbac/converge.yml and of its optional parts, and no others."""
    token: str = cluster.call(lambda api: _account(api, "ansible", converging_roles()))
    return token


@contextlib.contextmanager
def account_with(cluster: Cluster, name: str, roles: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The token of a service account with these roles and nothing else; it is gone afterwards."""
    try:
        yield cluster.call(lambda api: _account(api, name, roles))
    finally:
        cluster.call(lambda api: _remove_account(api, name, roles))


@contextlib.contextmanager
def accounts_without_one_right(cluster: Cluster, roles: Sequence[dict[str, Any]]) -> Iterator[dict[Right, str]]:
    """For each single right of the roles the token of an account that has all the others; they are gone afterwards."""
    names = {right: f"without-{number}" for number, right in enumerate(single_rights(roles), 1)}

    async def make(api: Api) -> dict[Right, str]:
        return {right: await _account(api, name, without(roles, right)) for right, name in names.items()}

    async def remove(api: Api) -> None:
        for name in names.values():
            await _remove_account(api, name, roles)

    try:
        yield cluster.call(make)
    finally:
        cluster.call(remove)


async def _account(api: Api, name: str, roles: Sequence[dict[str, Any]]) -> str:
    """A token of a service account with these roles and nothing else; they are in force."""
    manifests: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": AUTOMATION}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": AUTOMATION}},
    ]
    for role in roles:
        metadata = {"name": f"{name}-{role['metadata']['name']}"} | ({"namespace": REGISTRIES_NAMESPACE} if role["kind"] == "Role" else {})
        binding = {
            "apiVersion": f"{RBAC}/v1",
            "kind": f"{role['kind']}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": role["kind"], "name": metadata["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": AUTOMATION}],
        }
        manifests += [role | {"metadata": metadata}, binding]
    await api.apply_all(manifests)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    token = (await api.create(path("v1", "serviceaccounts", AUTOMATION, name, "token"), body))["status"]["token"]
    for role in roles:
        await _in_force(api, name, role)
    return str(token)


async def _in_force(api: Api, account: str, role: dict[str, Any]) -> None:
    """Wait until the API server's authorizer has seen the role: a part of a second after it was written."""
    if not role["rules"]:
        return
    rule = role["rules"][-1]
    resource, _slash, subresource = rule["resources"][-1].partition("/")
    asked = {"verb": rule["verbs"][-1], "group": rule["apiGroups"][-1], "resource": resource, "subresource": subresource}
    asked |= {"namespace": REGISTRIES_NAMESPACE} if role["kind"] == "Role" else {}
    asked |= {"name": rule["resourceNames"][0]} if "resourceNames" in rule else {}
    spec = {"user": f"system:serviceaccount:{AUTOMATION}:{account}", "resourceAttributes": asked}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    for _attempt in range(100):
        if (await api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review))["status"]["allowed"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{account} has not got the rights of {role['metadata']['name']}")


async def _remove_account(api: Api, name: str, roles: Sequence[dict[str, Any]]) -> None:
    await api.delete(path("v1", "serviceaccounts", AUTOMATION, name))
    for role in roles:
        namespace = REGISTRIES_NAMESPACE if role["kind"] == "Role" else None
        for plural in (f"{role['kind'].lower()}bindings", f"{role['kind'].lower()}s"):
            await api.delete(path(f"{RBAC}/v1", plural, namespace, f"{name}-{role['metadata']['name']}"))


# Runs


@dataclass(frozen=True)
class Task:
    """One task of a playbook, by default of `model_registry`. It runs as the Runner's account when it has no `token` of its own."""

    options: dict[str, Any] = field(repr=False)
    module: str = "modelops.openshift_ai.model_registry"
    check: bool = False
    diff: bool = False
    ignore_errors: bool = True
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Run:
    """What one task returned, all that was printed of it, how long it took, and the requests that the fault proxy saw meanwhile."""

    result: dict[str, Any]
    output: str
    failed: bool
    seconds: float
    requests: tuple[faults.Request, ...] = field(repr=False)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """(action, kind) of every change, in order."""
        return [(change["action"], change["kind"]) for change in self.result["changes"]]

    @property
    def warnings(self) -> list[str]:
        """What Ansible shows as warnings of the task."""
        return list(self.result.get("warnings") or [])

    @property
    def writes(self) -> list[faults.Request]:
        """The requests that were to change the cluster: no dry runs, and no reviews."""
        return [request for request in self.requests if request.writes]

    @property
    def reads(self) -> list[faults.Request]:
        """The requests that read objects: discovery, schemas and watches are none, nor are reviews."""
        return [request for request in self.requests if request.verb in ("get", "list") and re.match(r"/(api|apis/[^/]+)/[^/]+/.", request.path)]


@dataclass(frozen=True)
class _Playbook:
    """One that runs: its process, the file that it writes results to, and the file with all that it prints."""

    process: subprocess.Popen[bytes]
    record: Path
    output: Path


@dataclass(frozen=True)
class Runner:
    """Runs modules in a playbook, as the automation's account, through the proxy that records requests and makes faults."""

    layout: Layout
    token: str = field(repr=False)
    folder: Path

    def __call__(self, check: bool = False, diff: bool = False, verbosity: int = 0, **options: Any) -> Run:
        """One run of `model_registry`."""
        [run] = self.sequence([Task(options, check=check, diff=diff)], verbosity)
        return run

    def sequence(self, tasks: Sequence[Task], verbosity: int = 0) -> list[Run]:
        """Run the tasks in one playbook, in their order: each start of Ansible costs as much as two tasks.

        A failed task that does not ignore its errors ends it: those after it have no Run.
        """
        before = faults.recorded_so_far(self.layout)
        with self._playbook(tasks, verbosity) as started:
            started.process.wait(SECONDS * 3 * len(tasks))
        output = started.output.read_text()
        records = [json.loads(line) for line in started.record.read_text().splitlines()] if started.record.exists() else []
        assert records, output
        head, *printed = output.split(BOUNDARY)
        requests = faults.recorded_requests(self.layout, before)
        return [
            Run(
                result=done["result"],
                output=(head if number == 0 else "") + printed[number],
                failed=done["failed"],
                seconds=done["ended"] - done["started"],
                requests=tuple(request for request in requests if done["started"] <= request.time <= done["ended"] and _is_of(task, request)),
            )
            for number, (task, done) in enumerate(zip(tasks, records, strict=False))
        ]

    def converged(self, **options: Any) -> Run:
        """The run of `model_registry` in the middle of three: check mode, which must predict it and write nothing; it; and again, which must change nothing."""
        predicted, done, again = self.sequence([Task(options, check=True, diff=True), Task(options, diff=True), Task(options, diff=True)])
        for run in (predicted, done, again):
            assert not run.failed, run.output
        assert not predicted.writes, f"check mode wrote: {predicted.writes}"
        for key in ("changed", "changes", "registry", "diff", "warnings"):
            said, was = (_verified(run.result.get(key)) for run in (predicted, done))
            assert said == was, f"check mode said of {key}: {said}, but the run: {was}"
        assert not again.result["changed"] and not again.changes, f"the second run changed again: {again.changes}"
        assert not again.writes, f"the second run wrote: {again.writes}"
        assert again.result["registry"] == done.result["registry"], again.output
        return done

    def killed_after(self, writes: int, module: str = Task.module, **options: Any) -> bool:
        """Kill a run of a module with SIGKILL as soon as the API server has carried out this many of its writes, dry runs not counted.

        False when the run ended by itself because it had fewer to do. The record of requests is started again.
        """
        # The first rule lets the last of these writes be done and keeps its answer back; the second stops those that might be sent beside it.
        last = faults.Rule("stall", verbs=WRITING_VERBS, path=WRITING_PATHS, skip=writes - 1, forwarded=True)
        beside = faults.Rule("stall", verbs=WRITING_VERBS, path=WRITING_PATHS, skip=writes - 1, count=None)
        faults.forget_requests(self.layout)
        faults.api_rules(self.layout, [last, beside])
        try:
            with self._playbook([Task(options, module)]) as started:
                while started.process.poll() is None:
                    if any(request.fault for request in faults.recorded_requests(self.layout)):
                        return True
                    time.sleep(0.02)
                return False
        finally:
            faults.api_rules(self.layout, [])

    def cancelled_after(self, writes: int, how: signal.Signals, task: Task) -> tuple[int, int]:
        """Send this signal to Ansible's process when a task has written so often, and leave its module running: how many writes there were by then, and a
        while after the module has ended. The record of requests is started again.
        """
        faults.forget_requests(self.layout)

        def written() -> int:
            return sum(request.writes for request in faults.recorded_requests(self.layout) if request.user_agent == USER_AGENT)

        with self._playbook([task], cold=True) as started:
            until(lambda: written() >= writes or started.process.poll() is not None)
            started.process.send_signal(how)
            before = written()
            until(lambda: not processes_of(started.record))
            return before, written()

    @contextlib.contextmanager
    def _playbook(self, tasks: Sequence[Task], verbosity: int = 0, cold: bool = False) -> Iterator[_Playbook]:
        """A running playbook. Nothing of it runs any more afterwards. With `cold`, all its programs are started for it, otherwise forked by `tests.warm`."""
        mark = uuid.uuid4().hex
        written = [self._written(task, f"{mark}-{number}") for number, task in enumerate(tasks, 1)]
        playbook = self.folder / f"{mark}.json"
        record, output = self.folder / f"{mark}.results", self.folder / f"{mark}.output"
        variables = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_STDOUT_CALLBACK": "recorder",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            # There is no inventory. To load the plugins for the others takes longer than to run a module.
            "ANSIBLE_INVENTORY_ENABLED": "host_list",
            "RECORDER_FILE": str(record),
        }
        environment = shell(self.layout, cold or verbosity > 0) | variables
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": written}
        playbook.write_text(json.dumps([play]))
        command = ["ansible-playbook", str(playbook), *["-" + "v" * verbosity] * bool(verbosity)]
        others = set(_processes())
        with output.open("w") as file, subprocess.Popen(command, cwd=self.folder, env=environment, stdout=file, stderr=file) as process:
            try:
                yield _Playbook(process, record, output)
            finally:
                _kill_all(record, others)

    def _written(self, task: Task, mark: str) -> dict[str, Any]:
        options = task.options
        if not task.module.startswith("ansible.builtin."):
            kubeconfig = self.folder / f"{mark}.kubeconfig"
            kubeconfig.write_text(json.dumps(controlplane.kubeconfig(self.layout, {"token": task.token or self.token}, self.layout.faulty_api_url)))
            options = {"kubeconfig": str(kubeconfig), **options}
        return {"name": task.module, task.module: options, "check_mode": task.check, "diff": task.diff, "ignore_errors": task.ignore_errors}


def _is_of(task: Task, request: faults.Request) -> bool:
    """Whether a request can be of this task: our modules name themselves."""
    return not task.module.startswith("modelops.") or request.user_agent == USER_AGENT


def _verified(part: Any) -> Any:
    """A part of a result, in the list of changes without the mark of those that check mode could not try."""
    if isinstance(part, list):
        return [{key: value for key, value in entry.items() if key != "unverified"} if isinstance(entry, dict) else entry for entry in part]
    return part


def processes_of(record: Path, others: Set[int] = frozenset()) -> list[int]:
    """The processes of the playbook with this record that run, Ansible's own and its modules.

    `others` ran before it. To look at all the processes of several sandboxes takes 15 ms.
    """
    return [pid for pid in _processes() if pid not in others and _is_of_playbook(pid, record)]


def _kill_all(record: Path, others: Set[int]) -> None:
    """End every process of the playbook with this record: Ansible's workers and modules are in process groups of their own. `others` ran before it.

    All are halted first, so that none of them sees another one end, and clears up.
    """
    while marked := processes_of(record, others):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in marked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        time.sleep(0.01)


def _is_of_playbook(pid: int, record: Path) -> bool:
    """Whether a process was started or forked for the playbook with this record. One that has ended, and whose parent does not know it yet, is none."""
    started = f"RECORDER_FILE={record}\0".encode() in _content(pid, "environ")
    return started or (_content(pid, "comm") == f"{record.stem[:LONGEST_NAME]}\n".encode() and bool(_content(pid, "cmdline")))


def _processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _environment(pid: int) -> list[str]:
    return _strings(pid, "environ")


def _strings(pid: int, file: str) -> list[str]:
    """The strings of a file in /proc that separates them by zeroes; none when the process has ended."""
    return [text.decode(errors="replace") for text in _content(pid, file).split(b"\0") if text]


def _content(pid: int, file: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{file}", "rb", buffering=0) as opened:
            return opened.read()
    except OSError:
        return b""


# Its connection string, and the variable that this is made from.
OF_A_SERVER = ("--embedmd-database-dsn=", "MYSQL_PASSWORD=")


# How often a process is looked at before it is looked at as seldom.
YOUNG = 20


class ProcessLists:
    """While it is entered: the arguments and variables of all processes that are started on this machine, looked at all the time.

    Variables that tests give to Ansible themselves do not count, and neither do the processes of other tests, which run at the same time in other lanes.
    """

    def __init__(self, layout: Layout) -> None:
        self._seen: set[str] = set()
        self._given = {f"{name}={value}" for name, value in (os.environ | lifecycle.shell_variables(layout)).items()}
        self._test = f"{OF_A_TEST}={os.environ[OF_A_TEST]}"
        self._others = set(_processes())
        self._looks: Counter[int] = Counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> ProcessLists:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def holding(self, secret: str) -> list[str]:
        """The arguments and variables seen that hold this, but for those that the product's operator itself gives to a registry server."""
        return sorted(text for text in self._seen if secret in text and not text.startswith(OF_A_SERVER))

    @property
    def arguments_seen(self) -> int:
        """How many different ones were seen, to tell a look at nothing from a look that found nothing."""
        return len(self._seen)

    def _look(self) -> None:
        while not self._ended.is_set():
            for pid in _processes():
                self._looks[pid] += 1
                # Only a young process becomes another program.
                if pid in self._others or (self._looks[pid] > YOUNG and self._looks[pid] % YOUNG):
                    continue
                variables = set(_environment(pid))
                if not any(text.startswith(f"{OF_A_TEST}=") and text != self._test for text in variables):
                    self._seen.update(_strings(pid, "cmdline"))
                    self._seen.update(variables - self._given)
            self._ended.wait(0.005)


# What a registry consists of


def footprint(cluster: Cluster, name: str) -> dict[str, Any]:
    """All objects of a registry, in a form that can be compared with another's: without times, identities and the registry's name.

    What the operator and others make of the registry by themselves counts only as being there.
    """
    places = [(*kind, REGISTRIES_NAMESPACE) for kind in (REGISTRIES, ("v1", "secrets"), ("v1", "configmaps"), ("apps/v1", "deployments"), ROLE_BINDINGS)]
    found = {
        f"{plural}/{item['metadata']['name']}": None if _is_derived(item) else _lasting(item)
        for api_version, plural, namespace in [*places, (f"{RBAC}/v1", "clusterrolebindings", None)]
        for item in cluster.items(api_version, plural, namespace)
        if _concerns(item, name)
    }
    text = re.sub(rf"\b{name}-db-[a-z0-9]{{5}}\b", "<password>", json.dumps(found)).replace(name, "<name>")
    comparable: dict[str, Any] = json.loads(text)
    return comparable


def _concerns(item: dict[str, Any], name: str) -> bool:
    labels = item["metadata"].get("labels") or {}
    return item["metadata"]["name"] == name or item["metadata"]["name"].startswith(f"{name}-") or labels.get("app.kubernetes.io/name") == name


def _is_derived(item: dict[str, Any]) -> bool:
    owners = item["metadata"].get("ownerReferences", [])
    made = any(owner.get("controller") or owner["kind"] != "ModelRegistry" for owner in owners)
    return made or "app.kubernetes.io/created-by" in (item["metadata"].get("labels") or {})


def _lasting(item: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: item["metadata"][key] for key in ("annotations", "finalizers", "generateName", "labels") if key in item["metadata"]}
    return {"metadata": metadata} | {key: item[key] for key in ("data", "roleRef", "spec", "subjects", "type") if key in item}
