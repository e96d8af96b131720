# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as the text of a variables file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts

DOCUMENTATION = r"""
name: to_variables
short_description: Convert values to the YAML text of a variables file
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Converts a dictionary of variables to the YAML text of a variables file. The order of the variables is kept.
  - Strings are marked with C(!unsafe), unless they contain only letters, digits, spaces and common punctuation. Ansible therefore never evaluates them as
    templates when it reads the file.
  - Characters that an editor or a terminal might not display, such as those that change the text direction, are written as escape sequences.
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

- name: Write all registries to a variables file
  ansible.builtin.copy:
    content: "{{ {'model_registries_list': export.registries} | modelops.openshift_ai.to_variables }}"
    dest: model_registries.yml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The YAML text.
  type: str
"""

# Texts of these characters alone mean nothing to any ansible-core's templates: no braces, and no `#`, with which a text may choose other marks for them.
PLAIN = re.compile(r"""[\w ,.:;!?@/()+*=&'"\n-]*""")
WIDTH = 160


class VariablesDumper(yaml.SafeDumper):
    """Writes also the kinds of texts, numbers, dates, lists and dictionaries that Ansible makes of values."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists in dictionaries, as ansible-lint and yamllint want them."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Nobody wants anchors in a file to edit."""
        return True

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        """Only texts with odd characters are in double quotes. They are shown as escapes, together with all others that are not ASCII."""
        self.allow_unicode = False
        super().write_double_quoted(text, split)
        self.allow_unicode = True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    # What an editor might not show as it is, and what YAML takes for the end of a line.
    is_odd = _texts.shown(value) != value.replace("\n", " ")
    style = '"' if is_odd else "|" if "\n" in value else None
    if PLAIN.fullmatch(value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style)
    return dumper.represent_scalar("!unsafe", str(value), style or "'")


VariablesDumper.add_representer(str, _text)
VariablesDumper.add_multi_representer(str, _text)
VariablesDumper.add_multi_representer(dict, lambda dumper, value: dumper.represent_dict(value.items()))
VariablesDumper.add_multi_representer(list, lambda dumper, value: dumper.represent_list(value))
# ansible-core 2.19 has its own kinds of these, which know where they are from.
VariablesDumper.add_multi_representer(int, lambda dumper, value: dumper.represent_int(value))
VariablesDumper.add_multi_representer(float, lambda dumper, value: dumper.represent_float(float(value)))
VariablesDumper.add_multi_representer(date, lambda dumper, value: dumper.represent_date(value))
VariablesDumper.add_multi_representer(datetime, lambda dumper, value: dumper.represent_datetime(value))


def to_variables(variables: Any) -> str:
    """The text of a variables file. AnsibleFilterError when it is not given a dictionary, or one with something that no variables file can hold."""
    if not isinstance(variables, Mapping):
        raise AnsibleFilterError(f"to_variables: requires a dictionary of variables, but the value is of type {type(variables).__name__}")
    try:
        text: str = yaml.dump(variables, Dumper=VariablesDumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    except yaml.representer.RepresenterError as error:
        # Its second part is the value, which may be a secret of Ansible Vault.
        raise AnsibleFilterError(f"to_variables: a variables file does not support values of type {type(error.args[-1]).__name__}") from None
    return text


class FilterModule:
    """The filter, as Ansible looks for it."""

    def filters(self) -> dict[str, Callable[[Any], str]]:
        """Its name and function."""
        return {"to_variables": to_variables}
