# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for the summary of a run over the registries of clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome

DOCUMENTATION = r"""
name: model_registries_summary
short_description: Summarize the outcomes of several clusters
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Summarizes the variable C(model_registries_outcome) of the hosts of a play on one screen. The most important findings come first, identical findings are
    grouped, and the remaining findings are counted.
  - The filter fails if a host that has not failed has no outcome, which means that its tasks were skipped. A host that was not checked is never reported as
    successful.
positional: _input, hostvars, alive, batch, expected
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
  expected:
    description:
      - For a check, the expected scope. C(clusters) lists the hosts, including those that C(--limit) excludes. The status of a run that does not include all of
        them is V(incomplete) instead of V(ok).
    type: dict
"""

EXAMPLES = r"""
- name: Summary
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | modelops.openshift_ai.model_registries_summary(hostvars, ansible_play_hosts, ansible_play_batch) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines to display. The first word is the status of all clusters in upper case.
  type: list
  elements: str
"""


def model_registries_summary(hosts: Any, variables: Any, alive: Any, batch: Any, expected: Any = None) -> list[str]:
    """The summary about these hosts. AnsibleFilterError when nothing was done on one that has not failed."""
    try:
        outcomes = _outcome.of_hosts(hosts, _outcome.raw(hosts, variables), alive, batch, is_check=expected is not None)
    except _outcome.NothingDone as error:
        raise AnsibleFilterError(str(error)) from None
    # Those of a later batch of the play are in the summary of that.
    excluded = [host for host in (expected or {}).get("clusters") or () if host not in hosts]
    return _outcome.screen(outcomes, excluded)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registries_summary": model_registries_summary}
