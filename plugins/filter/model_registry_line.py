# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for texts of clusters in messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts

DOCUMENTATION = r"""
name: model_registry_line
short_description: Convert text from a cluster to one safe line
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Line breaks and other white space are replaced by single spaces. Control characters, and characters that change the text direction, are shown as escape
    sequences.
  - Two braces, and other characters that start a template of Ansible, are separated by a space.
  - The header of log messages of Kubernetes components is removed. Text with more than 2000 characters is truncated.
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the description of a registry
  ansible.builtin.debug:
    msg: "{{ found.registries[0].description | modelops.openshift_ai.model_registry_line }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
"""


def model_registry_line(text: Any) -> str:
    """The text as a line; the filter of the same name, see DOCUMENTATION."""
    return _texts.inert(str(text))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[[Any], str]]:
        """Its name and function."""
        return {"model_registry_line": model_registry_line}
