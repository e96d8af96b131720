"""One registry: a run that finds nothing to do, and a create that does not wait."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median, mode
from typing import Any

from bench.stand import Figure, Stand, seconds
from sandbox import controlplane
from sandbox.layout import REGISTRIES_NAMESPACE
from tests.helpers import REGISTRIES, Task

RAW_CLIENT = Path(__file__).with_name("raw_client.py")
PING = Task({}, "ansible.builtin.ping")
MOST_READS = 8
MOST_OF_A_K8S_TASK = 1.2
# Of the time that the requests take which cannot be saved.
OVERHEAD = 1.5
REPETITIONS = 7


def no_change(stand: Stand) -> list[Figure]:
    """The task that finds a registry as it should be, beside a task of kubernetes.core that finds the same."""
    with stand.names(1) as [name], stand.database() as database:
        options: dict[str, Any] = {"name": name, "display_name": name, "description": "", "database": database}
        made = stand.runner(**options)
        assert not made.failed, made.output
        definition = {"resource_definition": _definition(stand.cluster.registry(name))}
        ours, theirs = Task(options), Task(definition, "kubernetes.core.k8s")
        # The first two warm up; then in turns, so that both see the same machine, and each as often after the other as after itself.
        runs = stand.runner.sequence([ours, theirs, *[ours, theirs, theirs, ours] * ((REPETITIONS + 1) // 2)])[2:]
    for run in runs:
        assert not run.failed and run.result["changed"] is False, run.output
    of_ours = [run for run in runs if "cluster" in run.result]
    of_theirs = [run for run in runs if "cluster" not in run.result]
    # What most runs read: one may have counted requests of somebody else on the sandbox.
    reads = mode(tuple(_plural(request.path) for request in run.reads) for run in of_ours)
    mine, other = median([run.seconds for run in of_ours]), median([run.seconds for run in of_theirs])
    return [
        Figure("no change: reads of objects", len(reads), MOST_READS, ", ".join(reads)),
        Figure("no change: time / kubernetes.core.k8s", mine / other, MOST_OF_A_K8S_TASK, f"{mine:.2f} s / {other:.2f} s, medians of {len(of_ours)}"),
    ]


def create(stand: Stand) -> list[Figure]:
    """A play that creates a registry and does not wait, beside a play that only pings and a program that sends the necessary requests.

    The program is a process of its own, as the module is: it loads the kubernetes library and connects, too.
    """
    times: dict[str, list[float]] = {"play": [], "ping": [], "raw": []}
    with stand.names(2 * REPETITIONS) as names, stand.database() as database:
        for by_module, by_hand in zip(names[::2], names[1::2], strict=True):
            times["ping"].append(seconds(partial(stand.runner.sequence, [PING])))
            times["play"].append(seconds(partial(_create, stand, by_module, database)))
            files = _raw_files(stand, stand.cluster.registry(by_module), by_module, by_hand, database)
            times["raw"].append(seconds(partial(subprocess.run, [sys.executable, RAW_CLIENT, *files], check=True)))
    play, ping, raw = (median(times[part]) for part in ("play", "ping", "raw"))
    origin = f"{play:.2f} s / ({ping:.2f} s + {OVERHEAD} * {raw:.2f} s), medians of {REPETITIONS}"
    return [Figure("create: time / (ping play + 1.5 * raw client)", play / (ping + OVERHEAD * raw), 1.0, origin)]


def _create(stand: Stand, name: str, database: dict[str, Any]) -> None:
    run = stand.runner(name=name, database=database, wait=False)
    assert not run.failed, run.output


def _definition(live: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    """The manifest that somebody would have written for a registry."""
    metadata = {"name": name or live["metadata"]["name"], "namespace": REGISTRIES_NAMESPACE, "annotations": live["metadata"]["annotations"]}
    return {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "metadata": metadata, "spec": live["spec"]}


def _raw_files(stand: Stand, live: Mapping[str, Any], origin: str, name: str, database: Mapping[str, Any]) -> list[str]:
    """A kubeconfig, and the manifests of a registry like the live one and of its Secret, for the raw client."""
    values = {"database-name": database["name"], "database-user": database["username"], "database-password": database["password"]}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"generateName": f"{name}-db-"},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }
    kubeconfig = controlplane.kubeconfig(stand.runner.layout, {"token": stand.runner.token}, stand.runner.layout.faulty_api_url)
    files = []
    for what, content in (("kubeconfig", kubeconfig), ("manifests", [secret, _definition(live, name)])):
        file = stand.runner.folder / f"{name}.{what}"
        file.write_text(json.dumps(content).replace(origin, name))
        files.append(str(file))
    return files


def _plural(path: str) -> str:
    parts = path.split("/")
    return parts[parts.index("namespaces") + 2] if "namespaces" in parts else parts[-1]
