# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for what a reconciliation came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome

DOCUMENTATION = r"""
name: model_registries_outcome
short_description: Return the outcome of a reconciliation of model registries
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns the status of a run of M(modelops.openshift_ai.model_registries), the changes that it made, and the registries that failed.
  - Control characters and templates in data from clusters are escaped.
positional: _input, check_mode, policy, places
options:
  _input:
    description: The result of M(modelops.openshift_ai.model_registries).
    type: dict
    required: true
  check_mode:
    description: Whether the module ran in check mode.
    type: bool
    default: false
  policy:
    description:
      - The rules for registries, as C(model_registries_policy) of the role P(modelops.openshift_ai.model_registries#role). In check mode, registries of the
        list that violate the rules are reported as findings.
    type: list
    elements: dict
    default: []
  places:
    description: The name of the host and the names of its groups. Rules can be limited to hosts and groups.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what would be changed
  ansible.builtin.debug:
    msg: "{{ (result | modelops.openshift_ai.model_registries_outcome(true)).findings | map(attribute='text') }}"
"""

RETURN = r"""
_value:
  description: The outcome.
  type: dict
  contains:
    status:
      description: V(ok), V(changed), V(findings) if the policy is violated, or V(failed).
      type: str
    server:
      description: The URL of the API server.
      type: str
    registries:
      description: The number of registries.
      type: int
    counts:
      description: The number of registries by kind of finding.
      type: dict
    findings:
      description: The findings, each with C(kind), C(registry), C(text) and C(detail). C(registry) is empty for the whole cluster.
      type: list
      elements: dict
"""


def model_registries_outcome(result: Any, check_mode: bool = False, policy: Any = (), places: Any = ()) -> dict[str, Any]:
    """The outcome of this result; the filter of the same name, see DOCUMENTATION."""
    return _outcome.as_fact(_outcome.converged(result, check_mode, policy, places))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registries_outcome": model_registries_outcome}
