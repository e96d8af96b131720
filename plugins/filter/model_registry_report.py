# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import collection_version, html, report_of

DOCUMENTATION = r"""
name: model_registry_report
short_description: Model registries of many clusters as one HTML page
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Makes one page of what M(modelops.openshift_ai.model_registry_info) returned for one or many clusters, and of what
    M(modelops.openshift_ai.model_registries) in check mode found to differ from a list.
  - The page needs no other file and no network. What comes from a cluster is text in it, whatever it looks like.
  - The role P(modelops.openshift_ai.model_registry_report#role) reads the clusters and writes the page.
positional: _input
options:
  _input:
    description:
      - For each cluster a list of three, its name, the result of M(modelops.openshift_ai.model_registry_info), and the result of
        M(modelops.openshift_ai.model_registries) in check mode, or an empty dictionary.
      - A result that failed is a cluster that could not be read.
    type: list
    elements: list
    required: true
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
  description: The page, and what to say of it.
  type: dict
  contains:
    page:
      description: The page, as HTML.
      type: str
    summary:
      description: A line about each cluster.
      type: list
      elements: str
"""


def model_registry_report(clusters: Any) -> dict[str, Any]:
    """The page about clusters, and a line about each."""
    report = report_of(clusters, datetime.now(timezone.utc), collection_version())
    return {"page": html(report), "summary": list(report.summary)}


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"model_registry_report": model_registry_report}
