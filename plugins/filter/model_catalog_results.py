# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that tells programs what became of the model catalogs of several clusters, and of the registries of the same run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _catalog, _outcome

DOCUMENTATION = r"""
name: model_catalog_results
short_description: Return the outcomes of several clusters, including their model catalogs
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Adds the variable C(model_catalog_outcome) of each host to the results of the filter P(modelops.openshift_ai.model_registries_results#filter). If the run
    did not include the registries, only the model catalogs are returned.
positional: _input, hostvars, alive, batch
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
  alive:
    description: The hosts that have not failed, as in C(ansible_play_hosts).
    type: list
    elements: str
    required: true
  batch:
    description: The hosts in the current batch, as in C(ansible_play_batch).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Write the results to a file
  ansible.builtin.copy:
    dest: result.json
    content: "{{ ansible_play_hosts_all | modelops.openshift_ai.model_catalog_results(hostvars, ansible_play_hosts, ansible_play_batch) | to_nice_json }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - A dictionary with C(status), the worst status of all clusters, and C(clusters), a dictionary with one entry for each host. In each entry, C(catalog) is
      the outcome of the model catalog, with its C(status), its C(lines) and the C(results) of the modules.
  type: dict
"""


def model_catalog_results(hosts: Any, variables: Any, alive: Any, batch: Any) -> dict[str, Any]:
    """The results of these hosts. AnsibleFilterError when nothing was done on one that has not failed."""
    try:
        return _catalog.results(hosts, _outcome.raw(hosts, variables), alive, batch)
    except _outcome.NothingDone as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_catalog_results": model_catalog_results}
