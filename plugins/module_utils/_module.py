# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell around every module: options in, errors to messages, outcome out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from . import _errors, _interruption, _progress, _texts
from ._model import naming
from ._plan import record

if TYPE_CHECKING:
    from ._cluster import client

    # What a module does: with a cluster, its options, and whether it is only to tell what it would do.
    Work = Callable[[client.Cluster, Mapping[str, Any], bool, Any], None]
    FindProblems = Callable[[Mapping[str, Any]], list[_errors.Problem]]

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

    HAS_KUBERNETES_CORE = True
except ImportError:
    HAS_KUBERNETES_CORE = False

# The oldest version of the library `kubernetes` that kubernetes.core supports.
OLDEST_LIBRARY = "24.2.0"
# By what warnings of one kind differ: quoted names, what was requested, and numbers. And how many of them are told.
DETAILS = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|\b[a-z]+/\S+|\d+")
MOST_NAMES = 20


@dataclass
class Found(record.Outcome):
    """What a module that only reads has found."""

    found: dict[str, Any] = field(default_factory=dict)

    def result(self, _diff: bool) -> dict[str, Any]:
        """The result of the module."""
        return {"changed": False, **self.found}


class RegistryModule(AnsibleModule):
    """An AnsibleModule that never repeats its arguments.

    Ansible can mask only the secrets of options that exist, not that of a misspelt one. The action plugin takes the arguments out of a result too,
    but the result of a task in the background comes past it, through `async_status`.
    """

    def exit_json(self, **kwargs: Any) -> None:
        super().exit_json(**(kwargs | {"invocation": {}}))

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        super().fail_json(msg, **(kwargs | {"invocation": {}}))


class _Unusable(RegistryModule):
    """Says what is missing, whatever options it is given: without kubernetes.core those are not known, and Ansible would refuse them."""

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        super().fail_json("The collection kubernetes.core is not installed. Install it: ansible-galaxy collection install kubernetes.core")


def run(argument_spec: dict[str, Any], work: Callable[[Any], None], outcome: record.Outcome, needs_cluster: bool = True, **rules: Any) -> None:
    """Run a module that does this work, which fills the outcome; ends the process with its result. `rules` are those of AnsibleModule about options.

    A module that does not always need a cluster calls `need_cluster` when it does.
    """
    if not HAS_KUBERNETES_CORE:
        _Unusable(argument_spec={}, supports_check_mode=True, no_log=True).fail_json("")
    module = AnsibleK8SModule(
        module_class=RegistryModule,
        argument_spec={**AUTH_ARG_SPEC, **argument_spec},
        supports_check_mode=True,
        # To look for the library is to load it, which takes longer than many a task.
        check_k8s=False,
        check_pyyaml=False,
        # Keeps the options out of the system's log, to which Ansible writes all that it does not know to be secret, such as a key that was taken for a CA.
        no_log=True,
        **rules,
    )
    if needs_cluster:
        need_cluster(module)
    try:
        work(module)
    except _errors.InputError as error:
        _fail(module, outcome, str(error), problems=[asdict(problem) for problem in error.problems])
    except _errors.ReportedError as error:
        _fail(module, outcome, str(error))
    _warn(module, outcome)
    module.exit_json(**outcome.result(module._diff))


def run_on_cluster(argument_spec: dict[str, Any], work: Work, find_problems: FindProblems, outcome: record.Outcome | None = None, **rules: Any) -> None:
    """Run a module that does this work with its options; ends the process with its result. `find_problems` finds those that no cluster is needed for."""
    filled = outcome or record.Outcome()

    def on_cluster(module: Any) -> None:
        def followed(cluster: client.Cluster) -> None:
            # People see what is done and waited for, and the work stops before its next write when it was cancelled.
            folder = module._module.tmpdir
            progress = _progress.Progress(folder)
            cluster.before_writing, cluster.say, cluster.tell = _interruption.Interruption(folder).check, progress.say, progress.state
            filled.timeline = progress.timeline
            filled.introduce(cluster.identity())
            work(cluster, module.params, module.check_mode, filled)

        with_cluster(module, followed, find_problems)

    run(argument_spec, on_cluster, filled, **rules)


def run_reading(
    argument_spec: dict[str, Any],
    collect: Callable[[client.Cluster, Mapping[str, Any], Found], None],
    find_problems: FindProblems = lambda _options: [],
) -> None:
    """Run a module that only reads: it collects what it has found; ends the process with its result. Nothing is read where the options have problems."""
    outcome = Found()

    def work(module: Any) -> None:
        if problems := find_problems(module.params):
            raise _errors.InputError(problems)
        with_cluster(module, lambda cluster: collect(cluster, module.params, outcome), find_problems)

    run(argument_spec, work, outcome)


def with_cluster(module: Any, work: Callable[[client.Cluster], None], find_problems: FindProblems) -> None:
    """Do this work with the cluster of the module's options. ReportedError, as the work raises it."""
    if naming.namespace_problems(module.params.get("namespace")):
        # Nothing can be read there.
        raise _errors.InputError(find_problems(module.params))
    # Imported here: the library for clusters takes 230 ms to load, which is longer than a whole look at a database that refers to nothing in one.
    from ._cluster import login

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
            # Imported here: it takes 20 ms to load, and those that have nothing to do with registries do without it.
            from ._cluster import registry_reader

            registry_reader.need_namespace(cluster, namespace)
        raise


def need_cluster(module: Any) -> None:
    """End the process with what to install where the library for clusters is missing; warn where it is older than the collection supports."""
    module.requires("kubernetes")
    module.has_at_least("kubernetes", OLDEST_LIBRARY, warn=True)


def _fail(module: Any, outcome: record.Outcome, message: str, **more: Any) -> None:
    _warn(module, outcome)
    module.fail_json(msg=_texts.shown(message), **outcome.result(module._diff), **more)


def _warn(module: Any, outcome: record.Outcome) -> None:
    for warning in grouped(outcome.warnings):
        module.warn(_texts.shown(warning))


def grouped(warnings: Iterable[str]) -> list[str]:
    """One warning for each kind: the first one in full, and the names by which the others differ from it."""
    kinds: dict[str, list[str]] = {}
    for warning in warnings:
        kinds.setdefault(DETAILS.sub("", warning), []).append(warning)
    return [_joined(same) for same in kinds.values()]


def _joined(same: list[str]) -> str:
    """Warnings of one kind as one."""
    first, *others = same
    known = DETAILS.findall(first)
    different = (next((detail for detail, other in zip(DETAILS.findall(warning), known) if detail != other), "") for warning in others)
    names = [name for name in dict.fromkeys(different) if name]
    if not names:
        return first
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{first.rstrip('.')}. This also applies to {', '.join(names[:MOST_NAMES])}{more}."
