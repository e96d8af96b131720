# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for what a check has found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _outcome

DOCUMENTATION = r"""
name: model_registries_findings
short_description: Return the findings of a check of model registries
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns drift from a list, registries that are not available, certificates that expire soon, and the reasons why registries could not be read or compared.
    If the result contains smoke tests, also returns registries that failed the test, and versions of the REST API whose removal is announced.
  - The status is V(failed) if the registries could not be read or compared, and V(findings) for all other findings.
  - Control characters and templates in data from clusters are escaped.
positional: _input, host, listed, purge, fail_on, backup_folder, backup_hours, policy
options:
  _input:
    description:
      - The variable C(hostvars). C(model_registries_result) of the host is the result of M(modelops.openshift_ai.model_registries) in check mode, and
        C(model_registries_seen) the result of M(modelops.openshift_ai.model_registry_info) with status and certificates.
    type: dict
    required: true
  host:
    description: The host.
    type: str
    required: true
  listed:
    description: Whether there is a list of registries.
    type: bool
    required: true
  purge:
    description: Whether registries that are not listed are reported as findings.
    type: bool
    default: false
  fail_on:
    description:
      - The findings that make the run fail. V(health) includes unusable databases.
      - Registries that could not be read or compared always make the run fail.
    type: list
    elements: str
    choices: [drift, health, certificates, backup, policy]
    default: [drift, health, certificates, backup, policy]
  backup_folder:
    description: The directory on the controller with the backups that M(modelops.openshift_ai.model_registry_backup) wrote. If empty, backups are not checked.
    type: path
    default: ""
  backup_hours:
    description: A registry whose last backup is older than this number of hours, or that has no backup, is reported as a finding.
    type: float
    default: 26
  policy:
    description: The rules for registries, as C(model_registries_policy) of the role P(modelops.openshift_ai.model_registries#role).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show the findings
  ansible.builtin.debug:
    msg: "{{ (hostvars | modelops.openshift_ai.model_registries_findings(inventory_hostname, false)).findings | map(attribute='text') }}"
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
      description: The findings, each with C(kind), C(registry), C(text) and C(detail). C(registry) is empty for the whole cluster.
      type: list
      elements: dict
    failing:
      description: Whether the findings make the run fail.
      type: bool
    checked:
      description:
        - The registries that were checked or should have been checked. C(results) contains the result of each check, which is V(passed), V(failed), V(skipped),
          or V(error) if the check was not possible. C(reasons) contains the reason if a check was not performed.
      type: list
      elements: dict
"""


def model_registries_findings(
    variables: Any,
    host: str,
    listed: bool,
    purge: bool = False,
    fail_on: Any = _outcome.FAIL_ON,
    backup_folder: str = "",
    backup_hours: Any = _backups.HOURS,
    policy: Any = (),
) -> dict[str, Any]:
    """The outcome of these results; the filter of the same name, see DOCUMENTATION."""
    backups = _backups.wanted(backup_folder, backup_hours)
    known = _outcome.raw([host], variables)[host]
    compared, seen = _outcome.separated(*(known.get(name) or {} for name in _outcome.REGISTERED))
    places = {host, *(known.get("group_names") or ())}
    return _outcome.as_fact(_outcome.checked(compared, seen, listed, purge, backups, _outcome.named(fail_on), policy, places))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registries_findings": model_registries_findings}
