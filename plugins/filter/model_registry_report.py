# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _outcome

DOCUMENTATION = r"""
name: model_registry_report
short_description: Generate an HTML report on the model registries of one or more clusters
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Generates an HTML page from the results of M(modelops.openshift_ai.model_registry_info) for one or more clusters, and from the drift that
    M(modelops.openshift_ai.model_registries) detected in check mode.
  - The page is a single file and requires no network. All data from clusters is escaped.
  - The role P(modelops.openshift_ai.model_registry_report#role) reads the clusters and writes the page.
positional: _input, hostvars, part, backup_folder, backup_hours, policy
options:
  _input:
    description: The hosts of the play. Each of them is a cluster.
    type: list
    elements: str
    required: true
  hostvars:
    description:
      - The variable C(hostvars). For each host, it contains C(model_registry_report_found), which is the result of
        M(modelops.openshift_ai.model_registry_info), C(model_registry_report_compared), which is the result of M(modelops.openshift_ai.model_registries) in
        check mode, if the registries were compared with a list, and C(model_registry_report_catalog_found), which is the result of
        M(modelops.openshift_ai.model_catalog_info), if the page has a section about the model catalog.
      - If a result has failed or does not exist, the page shows that the cluster could not be read.
    type: dict
    required: true
  part:
    description: V(page) is the page in HTML format, and V(summary) a list of lines about the clusters.
    type: str
    choices: [page, summary]
    required: true
  backup_folder:
    description: The folder on the controller with the backups that M(modelops.openshift_ai.model_registry_backup) wrote. If empty, backups are not shown.
    type: path
    default: ""
  backup_hours:
    description: A registry without a backup that is at most this number of hours old is marked.
    type: float
    default: 26
  policy:
    description: The rules for registries, as C(model_registries_policy) of the role P(modelops.openshift_ai.model_registries#role).
    type: list
    elements: dict
    default: []
seealso:
  - module: modelops.openshift_ai.model_registry_info
  - module: modelops.openshift_ai.model_registries
"""

EXAMPLES = r"""
- name: Read the registries
  modelops.openshift_ai.model_registry_info:
    include: [status, permissions, certificates]
  register: model_registry_report_found

- name: Write the page
  ansible.builtin.copy:
    content: "{{ ansible_play_hosts_all | modelops.openshift_ai.model_registry_report(hostvars, 'page') }}"
    dest: model-registries.html
    mode: "0600"
  run_once: true
"""

RETURN = r"""
_value:
  description: The page, or the lines of the summary.
  type: raw
"""

# The results, as the role registers them.
RESULTS = ("model_registry_report_found", "model_registry_report_compared", "model_registry_report_catalog_found")


def model_registry_report(
    hosts: Any, variables: Any, part: str, backup_folder: str = "", backup_hours: Any = _backups.HOURS, policy: Any = ()
) -> str | list[str]:
    """The page about clusters, or a line about each."""
    # Ansible loads all filters of a collection in each task that uses one of them, and this takes 0.1 s.
    from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._policy import PolicyError
    from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import html, report_of
    from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._version import collection_version

    known = _outcome.raw(hosts, variables)
    clusters = [(host, *(known[host].get(name) or {} for name in RESULTS)) for host in hosts]
    groups = {host: known[host].get("group_names") or () for host in hosts}
    try:
        report = report_of(clusters, datetime.now(timezone.utc), collection_version(), _backups.wanted(backup_folder, backup_hours), policy, groups)
    except PolicyError as error:
        raise AnsibleFilterError(str(error)) from None
    return html(report) if part == "page" else list(report.summary)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"model_registry_report": model_registry_report}
