# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for what users give in messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts

DOCUMENTATION = r"""
name: model_registry_shown
short_description: A value as a message may repeat it
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns a value that is the name of something, a few words or a small number, and the text C((not shown)) in place of one that may hold a credential.
  - The modules repeat the same values in their messages, and no others.
positional: _input
options:
  _input:
    description: The value.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Refuse a name
  ansible.builtin.fail:
    msg: "{{ registry | modelops.openshift_ai.model_registry_shown }} is not a registry of this team"
"""

RETURN = r"""
_value:
  description: The value, or a text in its place.
  type: raw
"""


def model_registry_shown(value: Any) -> Any:
    """The value, if it may be repeated; the filter of the same name, see DOCUMENTATION."""
    return value if _texts.may_repeat(value) else _texts.NOT_SHOWN


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, Callable[[Any], Any]]:
        """Its name and function."""
        return {"model_registry_shown": model_registry_shown}
