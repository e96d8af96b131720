"""Permissions: a run that finds all grants made, beside one with a single grant and beside kubernetes.core; and the making of many."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.stand import Figure, Stand, seconds
from sandbox import controlplane
from sandbox.kube import Api, path
from sandbox.layout import REGISTRIES_NAMESPACE
from tests.helpers import RBAC, ROLE_BINDINGS, Task

MODULE = "modelops.openshift_ai.model_registry_permission"
RAW_BINDINGS = Path(__file__).with_name("raw_bindings.py")
PING = Task({}, "ansible.builtin.ping")
GRANTS = 200
# How much longer a run may take that finds so many grants than one that finds a single one: a factor, and seconds.
FACTOR, MORE = 1.2, 0.3
# Of the time that the requests take which cannot be saved.
OVERHEAD = 1.5
REPETITIONS = 5


def no_change(stand: Stand) -> list[Figure]:
    """The task that finds 200 grants as they should be, beside one that asks for a single one of them, and one of kubernetes.core for all of them."""
    with _registry(stand) as name:
        everybody, one = _task(name, GRANTS), _task(name, 1)
        made = stand.runner.sequence([everybody])[0]
        assert not made.failed, made.output
        definitions = [_definition(binding) for binding in _bindings(stand, name)]
        theirs = _task_of_theirs(definitions)
        runs = stand.runner.sequence([everybody, one, theirs] * (REPETITIONS + 1))[3:]
    for run in runs:
        assert not run.failed and run.result["changed"] is False, run.output
    many, single, k8s = (median(run.seconds for run in runs[number::3]) for number in range(3))
    reads, least = (len(runs[number].reads) for number in range(2))
    limit = FACTOR * single + MORE
    return [
        Figure(f"{GRANTS} grants, no change: reads more than with 1", reads - least, 0, f"{reads} - {least}"),
        Figure(f"{GRANTS} grants, no change: time / (1.2 * 1 grant + 0.3 s)", many / limit, 1.0, f"{many:.2f} s / (1.2 * {single:.2f} s + 0.3 s)"),
        Figure(f"{GRANTS} grants, no change: time / kubernetes.core.k8s", many / k8s, 1.0, f"{many:.2f} s / {k8s:.2f} s, medians of {REPETITIONS}"),
    ]


def create(stand: Stand) -> list[Figure]:
    """A play that makes 200 grants, beside a play that pings and a program that sends the requests in parallel; and one of kubernetes.core for the same."""
    times: dict[str, list[float]] = {"play": [], "ping": [], "raw": [], "k8s": []}
    with _registry(stand) as name:
        files: list[str] = []
        theirs = PING
        for _turn in range(REPETITIONS):
            times["ping"].append(seconds(partial(_play, stand, PING)))
            times["play"].append(seconds(partial(_play, stand, _task(name, GRANTS))))
            definitions = [_definition(binding) for binding in _bindings(stand, name)]
            assert len(definitions) == GRANTS
            if not files:
                files = _raw_files(stand, definitions)
                theirs = _task_of_theirs(definitions)
            _clear(stand, name)
            times["raw"].append(seconds(partial(subprocess.run, [sys.executable, RAW_BINDINGS, *files], check=True)))
            _clear(stand, name)
            times["k8s"].append(seconds(partial(_play, stand, theirs)))
            _clear(stand, name)
    play, ping, raw, k8s = (median(times[part]) for part in ("play", "ping", "raw", "k8s"))
    origin = f"{play:.2f} s / ({ping:.2f} s + {OVERHEAD} * {raw:.2f} s), medians of {REPETITIONS}"
    return [
        Figure(f"create {GRANTS} grants: time / (ping play + 1.5 * raw client)", play / (ping + OVERHEAD * raw), 1.0, origin),
        Figure(f"create {GRANTS} grants: time / kubernetes.core.k8s", play / k8s, 1.0, f"{play:.2f} s / {k8s:.2f} s, whole plays"),
    ]


@contextmanager
def _registry(stand: Stand) -> Iterator[str]:
    with stand.names(1) as [name], stand.database() as database:
        made = stand.runner(name=name, database=database)
        assert not made.failed, made.output
        yield name


def _task(name: str, grants: int) -> Task:
    return Task({"name": name, "permissions": {"users": [f"user-{number}" for number in range(grants)]}}, MODULE)


def _task_of_theirs(definitions: list[dict[str, Any]]) -> Task:
    # It reads each object by its name, for which our account has no right.
    return Task({"resource_definition": definitions}, "kubernetes.core.k8s", token=controlplane.ADMIN_TOKEN)


def _play(stand: Stand, task: Task) -> None:
    [run] = stand.runner.sequence([task])
    assert not run.failed, run.output


def _bindings(stand: Stand, name: str) -> list[dict[str, Any]]:
    """The RoleBindings of the registry but for the operator's."""
    found = stand.cluster.items(*ROLE_BINDINGS, labelSelector=f"component=model-registry,app.kubernetes.io/name={name}")
    return [binding for binding in found if binding["metadata"]["name"] != f"{name}-users"]


def _definition(live: dict[str, Any]) -> dict[str, Any]:
    """The manifest that somebody would have written for a RoleBinding."""
    metadata = {key: live["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")}
    return {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": metadata, "roleRef": live["roleRef"], "subjects": live["subjects"]}


def _clear(stand: Stand, name: str) -> None:
    names = [binding["metadata"]["name"] for binding in _bindings(stand, name)]

    async def delete(api: Api) -> None:
        await asyncio.gather(*(api.delete(path(*ROLE_BINDINGS, REGISTRIES_NAMESPACE, name)) for name in names))

    stand.cluster.call(delete)


def _raw_files(stand: Stand, definitions: list[dict[str, Any]]) -> list[str]:
    """A kubeconfig and the manifests for the raw client."""
    kubeconfig = controlplane.kubeconfig(stand.runner.layout, {"token": stand.runner.token}, stand.runner.layout.faulty_api_url)
    files = []
    for what, content in (("kubeconfig", kubeconfig), ("manifests", {"namespace": REGISTRIES_NAMESPACE, "items": definitions})):
        file = stand.runner.folder / f"bindings.{what}"
        file.write_text(json.dumps(content))
        files.append(str(file))
    return files
