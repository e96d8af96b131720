"""Whole fleets: a run that finds nothing to do, the making of a hundred registries, the wait for fifty, and what grows with their number."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from bench import plays
from bench.plays import Play
from bench.stand import Figure, Stand, seconds
from sandbox import controlplane, processes, toolchain
from sandbox.kube import Api, path
from sandbox.layout import REGISTRIES_NAMESPACE
from tests import filling
from tests.filling import Fleet
from tests.helpers import REGISTRIES, ROLE_BINDINGS, Task, until

MODULE = "modelops.openshift_ai.model_registries"
RAW_FLEET = Path(__file__).with_name("raw_fleet.py")
LISTED = {"registries": "{{ registries }}"}
# The fleet that grows from one measurement to the next.
GROWING = "grown"
MEDIUM = 100
SIZES = (MEDIUM, 250, 500, 1000)
REPETITIONS = 3
FEWER_REPETITIONS = 2
MOST_OVER_A_PING = 1.0
# Of the time that the requests take which cannot be saved.
OVERHEAD = 1.5
MOST_OVER_NOTHING = 3.0
MOST_MEMORY = 400
MOST_REQUESTS = 12
# The line through the two halves may bend by this factor: what a run costs once is not in it.
MOST_BEND = 1.5
WAITED_FOR = 50
MOST_AFTER_THE_SLOWEST = 2.0
# Our grants wait until the operator has made the Role; by the time those tasks come to theirs, it is there.
MOST_OF_K8S_TASKS = 0.3
# Of the objects of a hundred registries, so many are enough for a loop of tasks; the rest is calculated.
LOOPED = 3
COMING_UP_SECONDS = 1200
SETTLING_SECONDS = 5


def no_change(stand: Stand) -> list[Figure]:
    """A play that finds 100 registries with 10 grants each as they should be, beside one that pings with the same variables, and other tools."""
    registries = grown(stand, MEDIUM)
    variables = plays.write_variables(stand, {"registries": registries.wanted()})
    definitions = _live_definitions(stand, registries)
    ours, ping = _ours(stand, variables), Play("ansible.builtin.ping", {}, variables)
    _unchanged(stand, ours)
    times = _in_turns(partial(_unchanged, stand, ours), partial(_seconds, stand, ping))
    mine, floor = map(median, times)
    theirs = _others(stand, definitions, floor)
    return [
        Figure(f"{MEDIUM} registries, no change: seconds over a ping play", mine - floor, MOST_OVER_A_PING, f"{mine:.2f} s - {floor:.2f} s, same variables"),
        *_beside(f"{MEDIUM} registries, no change", mine, theirs),
    ]


def create(stand: Stand) -> list[Figure]:
    """A play that makes 100 registries with 10 grants each and does not wait, beside one that pings and a program that sends the requests in parallel."""
    times: dict[str, list[float]] = {"play": [], "ping": [], "raw": []}
    direct = stand.runner.layout.api_url
    config = str(plays.kubeconfig(stand, server=direct))
    # The servers that would come up meanwhile would only be noise, the same for everybody.
    with _no_new_pods(stand):
        for turn in range(REPETITIONS):
            by_module, by_hand = Fleet(MEDIUM, f"made-{turn}"), Fleet(MEDIUM, f"raw-{turn}")
            variables = plays.write_variables(stand, {"registries": by_module.wanted()})
            times["ping"].append(plays.run(stand, Play("ansible.builtin.ping", {}, variables)).seconds)
            with _cleared(stand, by_module):
                made = plays.run(stand, Play(MODULE, LISTED | {"wait": False}, variables, server=direct))
                assert made.changed
                times["play"].append(made.seconds)
                _check_objects(stand, by_module)
            with _cleared(stand, by_hand):
                manifests = plays.write_variables(stand, [filling.manifests(name) for name in by_hand.names])
                times["raw"].append(seconds(partial(subprocess.run, [sys.executable, RAW_FLEET, config, manifests], check=True)))
                _check_objects(stand, by_hand)
        play, ping, raw = (median(times[part]) for part in ("play", "ping", "raw"))
        others = Fleet(MEDIUM, "other")
        theirs = _others(
            stand, [_unowned(manifest) for name in others.names for manifest in filling.manifests(name)], ping, lambda: filling.clear(stand.cluster, others)
        )
    origin = f"{play:.2f} s / ({ping:.2f} s + {OVERHEAD} * {raw:.2f} s), medians of {REPETITIONS}"
    return [
        Figure(f"create {MEDIUM} registries: time / (ping play + 1.5 * raw client)", play / (ping + OVERHEAD * raw), 1.0, origin),
        *_beside(f"create {MEDIUM} registries", play, theirs),
    ]


def growth(stand: Stand) -> list[Figure]:
    """A run that finds nothing to do, at several sizes, beside a module that does nothing with the same options and result."""
    figures: list[Figure] = []
    costs: dict[int, float] = {}
    for size in SIZES:
        registries = grown(stand, size)
        variables = plays.write_variables(stand, {"registries": registries.wanted()})
        seen = plays.record(stand, Play(MODULE, LISTED, variables))
        assert seen.result["changed"] is False, seen.result["changes"]
        returned = plays.write_variables(stand, {key: value for key, value in seen.result.items() if key != "warnings"})
        ours, nothing = _ours(stand, variables), Play("do_nothing", LISTED, variables, environment={"DO_NOTHING_RESULT": str(returned)})
        memory: list[float] = []
        # Only the largest has limits; the others are points of the line.
        last = size == SIZES[-1]
        repetitions = REPETITIONS if last else FEWER_REPETITIONS
        times = _in_turns(partial(_unchanged, stand, ours, memory), partial(_seconds, stand, nothing), repetitions=repetitions)
        mine, floor = map(median, times)
        costs[size] = mine
        further = sum("continue" in request.query for request in seen.requests)
        what = f"{size} registries, no change"
        figures += [
            Figure(
                f"{what}: seconds over a module that does nothing",
                mine - floor,
                MOST_OVER_NOTHING if last else None,
                f"{mine:.2f} s - {floor:.2f} s",
            ),
            Figure(f"{what}: seconds", mine, None, "the whole play", ("model_registries", size)),
            Figure(f"{what}: seconds of a module that does nothing", floor, None, "the whole play", ("a module that does nothing", size)),
            Figure(f"{what}: MiB of memory", max(memory), MOST_MEMORY if last else None, "the module's process at its largest"),
            Figure(f"{what}: requests", len(seen.requests) - further, MOST_REQUESTS, f"and {further} for further pages"),
        ]
    first, middle, largest = SIZES[0], SIZES[-2], SIZES[-1]
    early, late = ((costs[end] - costs[begin]) / (end - begin) * 100 for begin, end in ((first, middle), (middle, largest)))
    origin = f"{late:.2f} s for 100 more from {middle} to {largest} / {early:.2f} s from {first} to {middle}"
    return [*figures, Figure("how much steeper the cost grows at the end", late / early, MOST_BEND, origin)]


def wait(stand: Stand) -> list[Figure]:
    """A run that makes 50 registries and waits for all of them, beside the moment at which the last of them was available."""
    registries = Fleet(WAITED_FOR, "waited")
    variables = plays.write_variables(stand, {"registries": registries.wanted()})
    filling.create_databases(stand.runner.layout, registries)
    with _cleared(stand, registries), _Watcher(stand, registries) as watcher:
        made = plays.record(stand, Play(MODULE, LISTED, variables))
        assert made.result["changed"]
        slowest = watcher.last()
    filling.drop_databases(stand.runner.layout, registries)
    origin = f"all available after {slowest - watcher.began:.1f} s"
    return [Figure(f"wait for {WAITED_FOR} registries: seconds after the slowest", made.ended - slowest, MOST_AFTER_THE_SLOWEST, origin)]


def one(stand: Stand) -> list[Figure]:
    """A task that makes a registry with a CA and five grants and does not wait, beside the tasks of kubernetes.core that make the same objects.

    Those do not look at the database, so neither does it: what that costs is measured by itself.
    """
    authority = stand.cluster.layout.path("pki", "database-ca.crt").read_text()
    grants = {"groups": ["data-scientists", "ml-engineers"], "users": ["alice", "bob"], "projects": ["fraud-dev"]}
    theirs: list[Task] = []
    times: dict[str, list[float]] = {"ours": [], "k8s": []}
    with stand.names(2 * (REPETITIONS + 1)) as names, stand.database() as database, _unowned_removed(stand, names):
        described = {"database": database | {"ca": {"source": "upload", "pem": authority}}, "permissions": grants}
        for by_module, by_hand in zip(names[::2], names[1::2], strict=True):
            [run] = stand.runner.sequence([Task({"registries": [{"name": by_module, **described}], "wait": False, "check_database": "ignore"}, MODULE)])
            assert not run.failed and run.result["changed"], run.output
            times["ours"].append(run.seconds)
            theirs = _k8s_tasks(stand, by_module, by_hand)
            runs = stand.runner.sequence(theirs)
            assert len(runs) == len(theirs) and not any(task.failed for task in runs), runs[-1].output
            times["k8s"].append(sum(task.seconds for task in runs))
    # The first turn warms up.
    ours, k8s = (median(times[part][1:]) for part in ("ours", "k8s"))
    origin = f"{ours:.2f} s / {k8s:.2f} s in {len(theirs)} tasks, medians of {REPETITIONS}"
    return [Figure("create one with a CA and 5 grants: time / kubernetes.core.k8s", ours / k8s, MOST_OF_K8S_TASKS, origin)]


# Plays


def _ours(stand: Stand, variables: Path) -> Play:
    """Straight to the API server: what the proxy that records requests takes is no cost of the module."""
    return Play(MODULE, LISTED, variables, server=stand.runner.layout.api_url)


def _unchanged(stand: Stand, play: Play, memory: list[float] | None = None) -> float:
    """How long it takes when it changes nothing."""
    played = plays.run(stand, play)
    assert not played.changed
    if memory is not None:
        memory.append(played.peak_mib)
    return played.seconds


def _seconds(stand: Stand, play: Play) -> float:
    return plays.run(stand, play).seconds


def _in_turns(*measured: Callable[[], float], repetitions: int = REPETITIONS) -> list[list[float]]:
    """The times of each, so that all see the same machine."""
    turns = [[measure() for measure in measured] for _turn in range(repetitions)]
    return [list(times) for times in zip(*turns, strict=True)]


# Other tools


LOOP, ONE_TASK, KUBECTL = "kubernetes.core.k8s in a loop", "kubernetes.core.k8s in one task", "kubectl apply --server-side"
# kubectl does not start Ansible, checks nothing and knows no registries: it is only shown.
_BESIDE = {LOOP: 1.0, ONE_TASK: 1.0, KUBECTL: None}


def _others(stand: Stand, definitions: list[dict[str, Any]], ping: float, undo: Callable[[], None] = lambda: None) -> dict[str, float]:
    """How long other tools take for the same objects, with the administrator's rights: they read each object by its name."""
    direct = stand.runner.layout.api_url
    part = LOOPED * len(filling.manifests("any"))
    all_of_them, some = (plays.write_variables(stand, {"definitions": chosen}) for chosen in (definitions, definitions[:part]))
    one_task = Play("kubernetes.core.k8s", {"resource_definition": "{{ definitions }}"}, all_of_them, token=controlplane.ADMIN_TOKEN, server=direct)
    loop = Play("kubernetes.core.k8s", {"definition": "{{ item }}"}, some, "{{ definitions }}", token=controlplane.ADMIN_TOKEN, server=direct)
    files = stand.runner.folder / "definitions.yml"
    files.write_text(yaml.safe_dump_all(definitions))
    config = plays.kubeconfig(stand, controlplane.ADMIN_TOKEN, direct)
    kubectl = [toolchain.kubectl() / "kubectl", f"--kubeconfig={config}", "apply", "--server-side", "--force-conflicts", f"--filename={files}"]
    measured: dict[str, Callable[[], float]] = {
        LOOP: lambda: ping + (_seconds(stand, loop) - ping) * len(definitions) / part,
        ONE_TASK: lambda: _seconds(stand, one_task),
        KUBECTL: lambda: seconds(partial(subprocess.run, kubectl, check=True, stdout=subprocess.DEVNULL)),
    }
    times = {}
    for name, measure in measured.items():
        times[name] = measure()
        undo()
    return times


def _beside(what: str, mine: float, theirs: dict[str, float]) -> list[Figure]:
    return [Figure(f"{what}: time / {name}", mine / other, _BESIDE[name], f"{mine:.2f} s / {other:.2f} s, from start to end") for name, other in theirs.items()]


def _k8s_tasks(stand: Stand, live: str, name: str) -> list[Task]:
    """A task for each object that somebody would have written for a registry like the live one."""
    registry = stand.cluster.registry(live)
    section = registry["spec"]["mysql"]
    objects = [
        stand.cluster.get("v1", "secrets", section["passwordSecret"]["name"]),
        stand.cluster.get("v1", "configmaps", section["sslRootCertificateConfigMap"]["name"]),
        registry,
    ]
    for number, binding in enumerate(_bindings(stand, {live})):
        metadata = binding["metadata"] | {"name": f"{live}-{number}"}
        objects.append(binding | {"apiVersion": ROLE_BINDINGS[0], "kind": "RoleBinding", "metadata": metadata})
    definitions = json.loads(json.dumps([_unowned(_definition(item)) for item in objects]).replace(live, name))
    return [Task({"definition": definition}, "kubernetes.core.k8s", token=controlplane.ADMIN_TOKEN) for definition in definitions]


def _definition(live: dict[str, Any]) -> dict[str, Any]:
    """The manifest that somebody would have written for an object."""
    kept = ("name", "generateName", "namespace", "labels", "annotations", "ownerReferences")
    metadata = {key: value for key, value in live["metadata"].items() if key in kept}
    return {key: value for key, value in live.items() if key != "status"} | {"metadata": metadata}


def _unowned(manifest: dict[str, Any]) -> dict[str, Any]:
    """Without its owner, whose uid nobody knows before it is made."""
    return manifest | {"metadata": {key: value for key, value in manifest["metadata"].items() if key != "ownerReferences"}}


def _live_definitions(stand: Stand, registries: Fleet) -> list[dict[str, Any]]:
    """The manifests of a fleet that is there."""
    uids = {registry["metadata"]["name"]: registry["metadata"]["uid"] for registry in stand.cluster.items(*REGISTRIES)}
    definitions = []
    for name in registries.names:
        secret, registry, *bindings = filling.manifests(name)
        definitions += [secret, registry, *(filling.owned(binding, uids[name]) for binding in bindings)]
    return definitions


# The sandbox


def grown(stand: Stand, size: int) -> Fleet:
    """A fleet of this size that serves. It stays for the measurements after this one, and goes at the end."""
    registries = Fleet(size, GROWING)
    there = sum(registry["metadata"]["name"].startswith(f"{GROWING}-") for registry in stand.cluster.items(*REGISTRIES))
    if not there:
        stand.afterwards.callback(_remove_grown, stand)
    if there < size:
        toolchain.say(f"{size} registries come up")
        added = Fleet(size - there, GROWING, there + 1)
        filling.create_databases(stand.runner.layout, added)
        filling.fill(stand.cluster, added)
    until(lambda: len(filling.available(stand.cluster, registries)) == size, COMING_UP_SECONDS)
    # The last events and leases.
    time.sleep(SETTLING_SECONDS)
    return registries


def _remove_grown(stand: Stand) -> None:
    everything = Fleet(SIZES[-1], GROWING)
    filling.clear(stand.cluster, everything)
    filling.drop_databases(stand.runner.layout, everything)


@contextmanager
def _cleared(stand: Stand, registries: Fleet) -> Iterator[None]:
    """Afterwards nothing of the fleet is left."""
    try:
        yield
    finally:
        filling.clear(stand.cluster, registries)


@contextmanager
def _unowned_removed(stand: Stand, names: list[str]) -> Iterator[None]:
    """Afterwards the RoleBindings and uploaded CAs of these registries that have no owner are gone."""
    try:
        yield
    finally:
        for binding in _bindings(stand, set(names)):
            if "ownerReferences" not in binding["metadata"]:
                stand.cluster.delete(*ROLE_BINDINGS, binding["metadata"]["name"])
        for name in names:
            stand.cluster.delete("v1", "configmaps", f"{name}-db-credential")


@contextmanager
def _no_new_pods(stand: Stand) -> Iterator[None]:
    """Meanwhile no pod gets a node."""
    with processes.paused(stand.runner.layout, "kube-scheduler"):
        yield


def _check_objects(stand: Stand, registries: Fleet) -> None:
    """Everything that belongs to a fleet is there."""
    names = set(registries.names)
    assert names <= {registry["metadata"]["name"] for registry in stand.cluster.items(*REGISTRIES)}
    assert len(_bindings(stand, names)) == filling.GRANTS * len(names)


def _bindings(stand: Stand, names: set[str]) -> list[dict[str, Any]]:
    """The RoleBindings of these registries but for the operator's."""
    found = stand.cluster.items(*ROLE_BINDINGS, labelSelector="component=model-registry")
    mine = [binding for binding in found if binding["metadata"].get("labels", {}).get("app.kubernetes.io/name") in names]
    return [binding for binding in mine if "app.kubernetes.io/created-by" not in binding["metadata"]["labels"]]


class _Watcher:
    """While it is entered: when each registry of a fleet was seen to be available for the first time."""

    def __init__(self, stand: Stand, registries: Fleet) -> None:
        self._stand, self._missing = stand, set(registries.names)
        self._seen: dict[str, float] = {}
        self._complete = threading.Event()
        self._thread = threading.Thread(target=lambda: stand.cluster.call(self._watch), daemon=True)
        self.began = time.time()

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """The thread ends with the process if the fleet never comes up."""

    def last(self) -> float:
        """When the last one was; AssertionError when one is not available yet."""
        assert self._complete.wait(10), f"not available: {sorted(self._missing)}"
        return max(self._seen.values())

    async def _watch(self, api: Api) -> None:
        async for _event, registry in api.watch(path(*REGISTRIES, REGISTRIES_NAMESPACE)):
            if registry["metadata"]["name"] in self._missing and filling.is_available(registry):
                self._missing.remove(registry["metadata"]["name"])
                self._seen[registry["metadata"]["name"]] = time.time()
                if not self._missing:
                    self._complete.set()
                    return
