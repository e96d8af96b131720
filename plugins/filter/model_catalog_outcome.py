# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that tells what became of the model catalog of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _catalog, _outcome

DOCUMENTATION = r"""
name: model_catalog_outcome
short_description: Summarize the outcome for the model catalog of a cluster
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns a status, and the lines of the summary, for the results of M(modelops.openshift_ai.model_catalog) and M(modelops.openshift_ai.model_catalog_info).
positional: _input, seen, check, predicted, fail_on
options:
  _input:
    description: The result of M(modelops.openshift_ai.model_catalog). It can be an empty dictionary.
    type: dict
    required: true
  seen:
    description: The result of M(modelops.openshift_ai.model_catalog_info). It can be an empty dictionary.
    type: dict
    required: true
  check:
    description: Whether each difference is reported as a finding.
    type: bool
    default: false
  predicted:
    description: Whether the module ran in check mode.
    type: bool
    default: false
  fail_on:
    description:
      - The findings of a check that make the run fail. V(drift) is a difference from the lists, and V(health) is a problem with a file or source.
      - A catalog that could not be read always makes the run fail.
    type: list
    elements: str
    choices: [drift, health]
    default: [drift, health]
"""

EXAMPLES = r"""
- name: Show the outcome
  ansible.builtin.debug:
    msg: "{{ result | modelops.openshift_ai.model_catalog_outcome({}) }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(status), C(failing) and C(lines). C(status) is V(ok), V(changed), V(findings) or V(failed). C(failing) is true if the run
    fails. C(lines) are the lines of the summary.
  type: dict
"""


def model_catalog_outcome(result: Any, seen: Any, check: bool = False, predicted: bool = False, fail_on: Any = _catalog.FAIL_ON) -> dict[str, Any]:
    """The status and the lines."""
    return _catalog.outcome(result, seen, check, predicted, _outcome.named(fail_on))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_catalog_outcome": model_catalog_outcome}
