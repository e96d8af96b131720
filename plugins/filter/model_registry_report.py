# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups

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
positional: _input, backup_folder, backup_hours
options:
  _input:
    description:
      - The results for each cluster, as a list of three or four items. These are the name of the cluster, the result of
        M(modelops.openshift_ai.model_registry_info), the result of M(modelops.openshift_ai.model_registries) in check mode or an empty dictionary, and the
        result of M(modelops.openshift_ai.model_catalog_info), if the page has a section about the model catalog.
      - If a result has failed, the page shows that the cluster could not be read.
    type: list
    elements: list
    required: true
  backup_folder:
    description: The folder on the controller with the backups that M(modelops.openshift_ai.model_registry_backup) wrote. If empty, backups are not shown.
    type: path
    default: ""
  backup_hours:
    description: A registry without a backup that is at most this number of hours old is marked.
    type: float
    default: 26
seealso:
  - module: modelops.openshift_ai.model_registry_info
  - module: modelops.openshift_ai.model_registries
"""

EXAMPLES = r"""
- name: Read the registries
  modelops.openshift_ai.model_registry_info:
    include: [status, permissions, certificates]
  register: found

- name: Write the page
  ansible.builtin.copy:
    content: "{{ ([['production', found, {}]] | modelops.openshift_ai.model_registry_report).page }}"
    dest: model-registries.html
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The page and its summary.
  type: dict
  contains:
    page:
      description: The page in HTML format.
      type: str
    summary:
      description: One line for each cluster.
      type: list
      elements: str
"""


def model_registry_report(clusters: Any, backup_folder: str = "", backup_hours: Any = _backups.HOURS) -> dict[str, Any]:
    """The page about clusters, and a line about each."""
    # Ansible loads all filters of a collection in each task that uses one of them, and this takes 0.1 s.
    from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import html, report_of
    from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._version import collection_version

    report = report_of(clusters, datetime.now(timezone.utc), collection_version(), _backups.wanted(backup_folder, backup_hours))
    return {"page": html(report), "summary": list(report.summary)}


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"model_registry_report": model_registry_report}
