"""The model catalog: a run that finds nothing to do, and as many models as fit into its ConfigMaps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median, mode
from typing import Any

from bench.stand import Figure, Stand
from sandbox.layout import REGISTRIES_NAMESPACE
from tests.helpers import Run, Task

MODULE, CONFIG_MAPS, NAME = "modelops.openshift_ai.model_catalog", ("v1", "configmaps"), "model-catalog-sources"
MODELS = "models:\n  - name: org/one\n  - name: org/two\n"
LARGE_CATALOG = Path(__file__).with_name("large_catalog.py")
MOST_READS = 6
MOST_OF_A_K8S_TASK = 1.2
# Of the time that libyaml's own loader takes for the same texts.
MOST_OF_A_LOADER = 1.5
MOST_MEMORY = 300
REPETITIONS = 7


def no_change(stand: Stand) -> list[Figure]:
    """The task that finds the catalog as it should be, beside a task of kubernetes.core that finds the ConfigMap as it should be."""
    before = stand.cluster.get(*CONFIG_MAPS, NAME)["data"]
    options = {"namespace": REGISTRIES_NAMESPACE, "sources": [{"name": "Fraud models", "content": MODELS, "labels": ["Fraud"]}, {"id": "other_models"}]}
    try:
        [made] = stand.runner.sequence([Task({**options, "wait": False}, MODULE)])
        assert not made.failed and made.result["changed"], made.output
        live = stand.cluster.get(*CONFIG_MAPS, NAME)
        metadata = {"name": NAME, "namespace": REGISTRIES_NAMESPACE}
        definition = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": live["data"]}
        ours, theirs = Task(options, MODULE), Task({"resource_definition": definition}, "kubernetes.core.k8s")
        # The first two warm up; then in turns, so that both see the same machine, and each as often after the other as after itself.
        runs = stand.runner.sequence([ours, theirs, *[ours, theirs, theirs, ours] * ((REPETITIONS + 1) // 2)])[2:]
    finally:
        present = stand.cluster.get(*CONFIG_MAPS, NAME)["data"]
        stand.cluster.merge(*CONFIG_MAPS, NAME, {"data": {**dict.fromkeys(present), **before}})
    for run in runs:
        assert not run.failed and run.result["changed"] is False, run.output
    of_ours = [run for run in runs if "version" in run.result]
    # What most runs read: one may have counted requests of somebody else on the sandbox.
    reads = mode(tuple(request.path.rpartition("/")[2] for request in run.reads) for run in of_ours)
    mine, other = (_seconds(found) for found in (of_ours, [run for run in runs if run not in of_ours]))
    return [
        Figure("catalog, no change: reads of objects", len(reads), MOST_READS, ", ".join(reads)),
        Figure("catalog, no change: time / kubernetes.core.k8s", mine / other, MOST_OF_A_K8S_TASK, f"{mine:.2f} s / {other:.2f} s, medians of {len(of_ours)}"),
    ]


def size(_stand: Stand) -> list[Figure]:
    """The plan for 200 new sources with 20,000 models, beside libyaml's loader for the same texts; each in a process of its own, without Ansible."""
    found: dict[str, list[Mapping[str, Any]]] = {"plan": [], "load": []}
    for _turn in range(REPETITIONS):
        for what, measured in found.items():
            measured.append(json.loads(subprocess.run([sys.executable, LARGE_CATALOG, what], check=True, stdout=subprocess.PIPE).stdout))
    mine, other = (median(one["seconds"] for one in measured) for measured in found.values())
    memory = max(one["mib"] for one in found["plan"])
    return [
        Figure("20,000 models: time / libyaml's loader", mine / other, MOST_OF_A_LOADER, f"{mine:.2f} s / {other:.2f} s, medians of {REPETITIONS}"),
        Figure("20,000 models: MiB of memory", memory, MOST_MEMORY, "the process at its largest"),
    ]


def _seconds(runs: list[Run]) -> float:
    return median(run.seconds for run in runs)
