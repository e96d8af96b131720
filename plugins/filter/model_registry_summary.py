# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter with which every playbook ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _summary

DOCUMENTATION = r"""
name: model_registry_summary
short_description: Summarize a run on one or more clusters
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Collects the reports of the hosts of a play, and the URLs of the API servers that they used.
  - The filter fails if a host that has not failed has no report, which means that its tasks were skipped. A host that was not checked is never reported as
    successful.
  - Control characters and templates in data from clusters are escaped.
positional: _input, hostvars, prefix, alive, batch
options:
  _input:
    description: The hosts of the play.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variable C(hostvars).
    type: dict
    required: true
  prefix:
    description:
      - The prefix of the variable names. C(<prefix>_report) is the text, or the list of texts, of a host. The URL of its API server is read from the result
        C(<prefix>_result), C(<prefix>_seen) or C(<prefix>_found).
    type: str
    required: true
  alive:
    description: The hosts that have not failed, as in C(ansible_play_hosts).
    type: list
    elements: str
    required: true
  batch:
    description: The hosts of the current batch of a play with C(serial), as in C(ansible_play_batch). The default is O(alive).
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Summary
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | modelops.openshift_ai.model_registry_summary(hostvars, 'model_registries', ansible_play_hosts) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines of the summary.
  type: list
  elements: str
"""


def model_registry_summary(hosts: Any, variables: Any, prefix: str, alive: Any, batch: Any = None) -> list[str]:
    """The lines about these hosts. AnsibleFilterError when nothing was done on one that has not failed."""
    try:
        return _summary.summary(hosts, variables, prefix, alive, alive if batch is None else batch)
    except _summary.NothingDone as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registry_summary": model_registry_summary}
