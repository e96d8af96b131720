# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that bring a cluster to a wanted state: what they share beyond the shell of every module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _interruption, _progress, _shell
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, login, registry_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import naming
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record

# What a module does: with a cluster, its options, and whether it is only to tell what it would do.
Work = Callable[[client.Cluster, Mapping[str, Any], bool, Any], None]
FindProblems = Callable[[Mapping[str, Any]], list[_errors.Problem]]


def run(argument_spec: dict[str, Any], work: Work, find_problems: FindProblems, outcome: record.Outcome | None = None, **rules: Any) -> None:
    """Run a module that does this work with its options; ends the process with its result. `find_problems` finds those that no cluster is needed for."""
    filled = outcome or record.Outcome()

    def on_cluster(module: Any) -> None:
        def followed(cluster: client.Cluster) -> None:
            follow(module, cluster)
            work(cluster, module.params, module.check_mode, filled)

        with_cluster(module, followed, find_problems)

    _shell.run(argument_spec, on_cluster, filled, **rules)


def follow(module: Any, cluster: client.Cluster) -> _progress.Progress:
    """Let people see what is waited for, and the work stop before its next write when it was cancelled."""
    folder = module._module.tmpdir
    progress = _progress.Progress(folder)
    cluster.before_writing, cluster.tell = _interruption.Interruption(folder).check, progress.state
    return progress


def with_cluster(module: Any, work: Callable[[client.Cluster], None], find_problems: FindProblems) -> None:
    """Do this work with the cluster of the module's options. ReportedError, as the work raises it."""
    if naming.namespace_problems(module.params.get("namespace")):
        # Nothing can be read there.
        raise _errors.InputError(find_problems(module.params))
    cluster: client.Cluster | None = None
    try:
        cluster = login.connect(module)
        work(cluster)
    except _errors.ClusterError as error:
        problems = find_problems(module.params)
        if problems:
            # What is wrong with the options is worth more than what is wrong with the cluster; with problems nothing is ever written.
            raise _errors.InputError(problems) from None
        namespace = module.params.get("namespace")
        if cluster and namespace and error.status == _errors.FORBIDDEN:
            # An account that has its rights in one namespace alone is refused in every other, whether that exists or not.
            registry_reader.need_namespace(cluster, namespace)
        raise
