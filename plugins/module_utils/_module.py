# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell around every module: options and client of kubernetes.core, results without arguments, one place where errors become messages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import ClusterError, connect
from ansible_collections.modelops.openshift_ai.plugins.module_utils._converge import NotServingError, Outcome, converge
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import InputError, registry_from_options

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

    HAS_KUBERNETES_CORE = True
except ImportError:
    HAS_KUBERNETES_CORE = False


class RegistryModule(AnsibleModule):
    """An AnsibleModule that never repeats its arguments.

    Ansible can mask only the secrets of options that exist, not that of a misspelt one. The action plugin takes the arguments out of a result too,
    but the result of a task in the background comes past it, through `async_status`.
    """

    def exit_json(self, **kwargs: Any) -> None:
        super().exit_json(**(kwargs | {"invocation": {}}))

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        super().fail_json(msg, **(kwargs | {"invocation": {}}))


def run(argument_spec: dict[str, Any]) -> None:
    """Run a module that converges registries; ends the process with its result."""
    if not HAS_KUBERNETES_CORE:
        # The options are not known without it: take none, and say what is missing.
        RegistryModule(argument_spec={}, bypass_checks=True).fail_json(
            msg="The collection kubernetes.core is missing: ansible-galaxy collection install kubernetes.core"
        )
    module = AnsibleK8SModule(module_class=RegistryModule, argument_spec={**AUTH_ARG_SPEC, **argument_spec}, supports_check_mode=True)
    outcome = Outcome()
    try:
        # The rules that need no cluster come first, so that a wrong input is named even where the cluster cannot be reached.
        registry_from_options(module.params, module.params["namespace"] or "", [])
        converge(connect(module), module.params, module.check_mode, outcome)
    except InputError as error:
        _fail(module, outcome, str(error), problems=[asdict(problem) for problem in error.problems])
    except (ClusterError, NotServingError) as error:
        _fail(module, outcome, str(error))
    _warn(module, outcome)
    module.exit_json(**outcome.result(module._diff))


def _fail(module: Any, outcome: Outcome, message: str, **more: Any) -> None:
    _warn(module, outcome)
    module.fail_json(msg=message, **outcome.result(module._diff), **more)


def _warn(module: Any, outcome: Outcome) -> None:
    for warning in outcome.warnings:
        module.warn(warning)
