# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for what a check has found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome

DOCUMENTATION = r"""
name: model_registries_findings
short_description: Return the findings of a check of model registries
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns drift from a list, registries that are not available, certificates that expire soon, and why registries could not be read or compared. If the result
    contains smoke tests, also returns registries that failed the test, and versions of the REST API whose removal is announced.
  - The status is V(failed) if the registries could not be read or compared, and V(findings) for all other findings.
  - Control characters and templates in data from clusters are escaped.
positional: _input, seen, listed, purge
options:
  _input:
    description: The result of M(modelops.openshift_ai.model_registries) in check mode, or an empty dictionary.
    type: dict
    required: true
  seen:
    description: The result of M(modelops.openshift_ai.model_registry_info) with status and certificates, or an empty dictionary.
    type: dict
    required: true
  listed:
    description: Whether there is a list of registries.
    type: bool
    required: true
  purge:
    description: Whether registries that are not listed are findings.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the findings
  ansible.builtin.debug:
    msg: "{{ ({} | modelops.openshift_ai.model_registries_findings(seen, false)).findings | map(attribute='text') }}"
"""

RETURN = r"""
_value:
  description: The outcome.
  type: dict
  contains:
    status:
      description: V(ok), V(findings) or V(failed).
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
      description: What is reported, each with C(kind), C(registry), C(text) and C(detail). C(registry) is empty for the whole cluster.
      type: list
      elements: dict
"""


def model_registries_findings(compared: Any, seen: Any, listed: bool, purge: bool = False) -> dict[str, Any]:
    """The outcome of these results; the filter of the same name, see DOCUMENTATION."""
    return _outcome.as_fact(_outcome.checked(compared, seen, listed, purge))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registries_findings": model_registries_findings}
