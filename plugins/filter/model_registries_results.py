# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for the results of a check in formats for machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome, _results

DOCUMENTATION = r"""
name: model_registries_results
short_description: Return the results of a run as JSON, and those of a check also as JUnit XML or metrics
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns the variables C(model_registries_outcome) and C(model_catalog_outcome) of the hosts of a play as text. Both are set by the checks of the roles
    P(modelops.openshift_ai.model_registries#role) and P(modelops.openshift_ai.model_catalog#role).
  - The filter fails if a host that has not failed has no outcome, which means that its tasks were skipped. A check that was not performed is never returned as
    passed.
  - Control characters, templates and markup in data from clusters are escaped.
positional: _input, hostvars, alive, batch, format, fail_on, expected, previous
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
  format:
    description:
      - V(json) is described by the schema C(docs/docsite/results.schema.json) of the collection, V(junit) is JUnit XML, and V(metrics) is the text format of
        Prometheus.
    type: str
    choices: [json, junit, metrics]
    required: true
  fail_on:
    description: The findings that make the run fail.
    type: list
    elements: str
    choices: [drift, health, certificates, backup, policy]
    default: [drift, health, certificates, backup, policy]
  expected:
    description:
      - For a check, the expected scope. C(clusters) lists the hosts, including those that C(--limit) excludes. C(catalog) is true if the catalog was included.
    type: dict
  previous:
    description: The file with the metrics of the previous run. If it exists, the times of the last checks are read from it for clusters that could not be
      checked.
    type: path
    default: ""
"""

EXAMPLES = r"""
- name: Show the results
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | modelops.openshift_ai.model_registries_results(hostvars, ansible_play_hosts, ansible_play_batch, 'junit') }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def model_registries_results(
    hosts: Any,
    variables: Any,
    alive: Any,
    batch: Any,
    format: str,
    fail_on: Any = _outcome.FAIL_ON,
    expected: Any = None,
    previous: str = "",
) -> str:
    """The results in this format. AnsibleFilterError when nothing was done on a host that has not failed."""
    variables = _outcome.raw(hosts, variables)
    try:
        if expected is None:
            return _results.of_reconciliation(_outcome.of_hosts(hosts, variables, alive, batch), variables)
        run = _results.run_of(hosts, variables, alive, batch, expected, _outcome.named(fail_on))
    except _outcome.NothingDone as error:
        raise AnsibleFilterError(str(error)) from None
    if format == "junit":
        return _results.as_junit(run)
    if format == "metrics":
        return _results.as_metrics(run, _results.held(previous))
    return _results.as_json(run, variables)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registries_results": model_registries_results}
