# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that bring a cluster to a wanted state: what they share beyond the shell of every module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _cluster, _registry, _writing
from ansible_collections.modelops.openshift_ai.plugins.module_utils import _shell as shell

# What a module does: with a cluster, its options, and whether it is only to tell what it would do.
Work = Callable[[_cluster.Cluster, Mapping[str, Any], bool, Any], None]
FindProblems = Callable[[Mapping[str, Any]], list[_registry.Problem]]


def run(argument_spec: dict[str, Any], work: Work, find_problems: FindProblems, outcome: _writing.Outcome | None = None, **rules: Any) -> None:
    """Run a module that does this work with its options; ends the process with its result. `find_problems` finds those that no cluster is needed for."""
    filled = outcome or _writing.Outcome()

    def on_cluster(module: Any) -> None:
        with_cluster(module, lambda cluster: work(cluster, module.params, module.check_mode, filled), find_problems)

    shell.run(argument_spec, on_cluster, filled, **rules)


def with_cluster(module: Any, work: Callable[[_cluster.Cluster], None], find_problems: FindProblems) -> None:
    """Do this work with the cluster of the module's options. ReportedError, as the work raises it."""
    try:
        work(_cluster.connect(module))
    except _cluster.ClusterError:
        problems = find_problems(module.params)
        if not problems:
            raise
        # What is wrong with the options is worth more than what is wrong with the cluster; with problems nothing is ever written.
        raise _registry.InputError(problems) from None
