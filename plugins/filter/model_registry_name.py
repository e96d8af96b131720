# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that makes a registry's resource name of its display name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.naming import resource_name

DOCUMENTATION = r"""
name: model_registry_name
short_description: Derive the resource name of a registry from its display name
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Derives the resource name of a registry from its display name, as the dashboard does.
  - The name is converted to lowercase, white space is replaced by hyphens, and all characters other than the letters a to z, digits and hyphens are removed.
    The name is truncated to 40 characters.
  - If no character remains, the dashboard uses C(gen-) and six random characters. This filter derives the six characters from the display name, so that the
    result is always the same.
  - For a blank display name, the result is an empty string, which M(modelops.openshift_ai.model_registry) rejects.
options:
  _input:
    description: The display name.
    type: str
    required: true
seealso:
  - module: modelops.openshift_ai.model_registry
"""

EXAMPLES = r"""
- name: Create a registry for which only the display name is known
  modelops.openshift_ai.model_registry:
    name: "{{ 'Fraud models' | modelops.openshift_ai.model_registry_name }}" # fraud-models
    display_name: Fraud models
    database:
      type: generated
"""

RETURN = r"""
_value:
  description: The resource name.
  type: str
"""


def model_registry_name(display_name: object) -> str:
    """The name for this text; the filter of the same name, see DOCUMENTATION."""
    if not isinstance(display_name, str):
        raise AnsibleFilterError(f"model_registry_name needs a display name, which is a string, not {display_name!r}")
    if not display_name.strip():
        return ""
    return resource_name(display_name) or f"gen-{hashlib.sha256(display_name.strip().encode()).hexdigest()[:6]}"


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[[object], str]]:
        return {"model_registry_name": model_registry_name}
