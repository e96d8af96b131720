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
short_description: Return a value that is safe to show in a message
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Returns the value if it is a name, a few words or a small number. Returns C((not shown)) for all other values, because they can contain credentials.
  - The modules use the same rule for their own messages.
positional: _input
options:
  _input:
    description: The value.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Fail for an unexpected name
  ansible.builtin.fail:
    msg: "{{ registry | modelops.openshift_ai.model_registry_shown }} is not a registry of this team"
"""

RETURN = r"""
_value:
  description: The value, or C((not shown)).
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
