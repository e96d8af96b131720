# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that finds misspelled variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _variables

DOCUMENTATION = r"""
name: model_registry_misspelled
short_description: Find misspelled variables of the playbooks and roles
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Finds variables whose names are similar to a variable of the playbooks and roles of this collection, but not equal. Ansible ignores such variables.
  - All other variables are ignored.
positional: _input, hostvars
options:
  _input:
    description: The names of the variables of the play, such as from the lookup plugin C(ansible.builtin.varnames).
    type: list
    elements: str
    required: true
  hostvars:
    description: The variable C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Fail if a variable is misspelled
  ansible.builtin.assert:
    that: query('ansible.builtin.varnames', '^model_') | modelops.openshift_ai.model_registry_misspelled(hostvars) | length == 0
"""

RETURN = r"""
_value:
  description: A sentence for each misspelled variable, with the most similar name.
  type: list
  elements: str
"""


def model_registry_misspelled(names: Any, variables: Any) -> list[str]:
    """The variables that nobody reads; the filter of the same name, see DOCUMENTATION."""
    return _variables.misspelled(names, variables)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and function."""
        return {"model_registry_misspelled": model_registry_misspelled}
