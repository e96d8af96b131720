# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that finds hosts of an inventory that no playbook may connect to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _inventory

DOCUMENTATION = r"""
name: model_registry_hosts
short_description: Find hosts of an inventory that do not set their cluster or share it with another host
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Compares C(model_registry_cluster) of all hosts of an inventory. No cluster is contacted.
  - Two hosts are considered to refer to the same cluster if they have the same C(host) or, without a host, the same C(kubeconfig) and C(context).
  - Hosts with C(model_registries_same_cluster=true) are not compared.
positional: _input, hostvars, hosts, clusters, sliced
options:
  _input:
    description: The selected hosts, including those that C(--limit) excludes.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: All hosts of the inventory.
    type: list
    elements: str
    required: true
  clusters:
    description: The pattern that selects the hosts, if it is set.
    type: str
  sliced:
    description: Whether the inventory can have more hosts than these, as in a job slice of a controller.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Fail if a host does not set its cluster
  ansible.builtin.assert:
    that: (groups['all'] | modelops.openshift_ai.model_registry_hosts(hostvars, groups['all'])).silent | length == 0
"""

RETURN = r"""
_value:
  description:
    - C(silent) is the list of selected hosts for which C(model_registry_cluster) is required and is not a dictionary.
    - C(same) contains a list of hosts for each cluster that several hosts connect to, if one of them is selected.
  type: dict
"""


def model_registry_hosts(selected: Any, hostvars: Any, hosts: Any, clusters: Any = None, sliced: bool = False) -> dict[str, Any]:
    """The hosts that are to be refused; the filter of the same name, see DOCUMENTATION."""
    return asdict(_inventory.hosts_to_refuse(hostvars, hosts, selected, clusters, sliced))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registry_hosts": model_registry_hosts}
