# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that every playbook's connections to clusters come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _inventory

DOCUMENTATION = r"""
name: model_registry_connection
short_description: Return the connection options for the cluster of a host
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns the value of C(model_registry_cluster), or an empty dictionary for the cluster that the environment variables or the kubeconfig specify.
  - The filter fails if the inventory has several hosts, and this host does not set its cluster or the clusters were not compared.
positional: _input, host, hosts, clusters, compared
options:
  _input:
    description: The value of C(model_registry_cluster), or null.
    type: dict
    required: true
  host:
    description: The name of the host.
    type: str
    required: true
  hosts:
    description: All hosts of the inventory.
    type: list
    elements: str
    required: true
  clusters:
    description: The pattern that selects the hosts, if it is set.
    type: str
  compared:
    description: Whether the clusters of the hosts were compared in this run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Connect to the only cluster of an inventory, or to that of the environment
  hosts: all
  module_defaults:
    group/modelops.openshift_ai.all: >-
      {{ model_registry_cluster | default(none) | modelops.openshift_ai.model_registry_connection(inventory_hostname, groups['all']) }}
"""

RETURN = r"""
_value:
  description: The connection options for the modules.
  type: dict
"""


def model_registry_connection(options: Any, host: str, hosts: Any, clusters: Any = None, compared: bool = False) -> Any:
    """The options for the modules. AnsibleFilterError when the host must not be connected to."""
    try:
        return _inventory.connection(options, host, hosts, clusters, compared)
    except _inventory.RefusedError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registry_connection": model_registry_connection}
