# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as the text of a variables file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: to_variables
short_description: Write values as the text of a variables file that means just these values
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Makes the YAML text of a variables file from a dictionary of variables, in the order that they have.
  - A text that Ansible would take for a template when it reads the file, such as a description with two braces, is marked with C(!unsafe).
positional: _input
options:
  _input:
    description: The variables.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the registries
  modelops.openshift_ai.model_registry_info:
    include: [permissions]
  register: export

- name: All registries as a variables file
  ansible.builtin.copy:
    content: "{{ {'model_registries_list': export.registries} | modelops.openshift_ai.to_variables }}"
    dest: model_registries.yml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

TEMPLATE_MARKS = ("{{", "{%", "{#")
WIDTH = 160


class VariablesDumper(yaml.SafeDumper):
    """Writes also the kinds of texts, lists and dictionaries that Ansible makes of values."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists in dictionaries, as ansible-lint and yamllint want them."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Nobody wants anchors in a file to edit."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    if any(mark in value for mark in TEMPLATE_MARKS):
        return dumper.represent_scalar("!unsafe", str(value), style or "'")
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style)


VariablesDumper.add_representer(str, _text)
VariablesDumper.add_multi_representer(str, _text)
VariablesDumper.add_multi_representer(dict, lambda dumper, value: dumper.represent_dict(value.items()))
VariablesDumper.add_multi_representer(list, lambda dumper, value: dumper.represent_list(value))
VariablesDumper.add_multi_representer(int, lambda dumper, value: dumper.represent_int(value))


def to_variables(variables: Any) -> str:
    """The text of a variables file. AnsibleFilterError when it is not given a dictionary."""
    if not isinstance(variables, Mapping):
        raise AnsibleFilterError(f"to_variables: a dictionary of variables is needed, this is of type {type(variables).__name__}")
    text: str = yaml.dump(variables, Dumper=VariablesDumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


class FilterModule:
    """The filter, as Ansible looks for it."""

    def filters(self) -> dict[str, Callable[[Any], str]]:
        """Its name and function."""
        return {"to_variables": to_variables}
