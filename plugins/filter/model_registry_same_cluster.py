# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that finds hosts of an inventory that are one cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _inventory

DOCUMENTATION = r"""
name: model_registry_same_cluster
short_description: Find hosts of an inventory that refer to the same cluster
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Compares the results of M(modelops.openshift_ai.model_registry_cluster_info) for several hosts.
  - If the unique ID of a cluster is not known, the URLs of the API servers are compared.
  - Hosts whose cluster did not respond are ignored.
positional: _input
options:
  _input:
    description: The results by host name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Fail if two hosts of the inventory refer to the same cluster
  ansible.builtin.assert:
    that: "{'east': one, 'west': other} | modelops.openshift_ai.model_registry_same_cluster | length == 0"
"""

RETURN = r"""
_value:
  description: A list of hosts for each cluster that several hosts connect to.
  type: list
  elements: list
"""


def model_registry_same_cluster(results: Any) -> list[list[str]]:
    """The hosts that are one cluster; the filter of the same name, see DOCUMENTATION."""
    answered = {host: result["cluster"] for host, result in results.items() if (result.get("cluster") or {}).get("host")}
    return _inventory.same_clusters(answered)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[[Any], list[list[str]]]]:
        """Its name and function."""
        return {"model_registry_same_cluster": model_registry_same_cluster}
