#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_file
short_description: Write what was read in a cluster into a file on the controller
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Writes a text into a file on the controller. The playbooks C(export) and C(report) use it.
  - A new file can be read and written only by its owner. An existing file keeps its mode and its owner.
  - The text is written beside the file, which is then replaced as a whole. A run that is killed leaves either the old or the new content.
  - Links are followed only if root or the user of the run owns them, and only within O(folder), or within the folder of the file if O(folder) is not set.
    Otherwise, the module fails and nothing is written.
extends_documentation_fragment:
  - modelops.openshift_ai.attributes
attributes:
  action_group:
    description: It connects to no cluster.
    support: none
    membership: []
  async:
    description: It runs on the controller.
    support: none
  check_mode:
    description: In check mode it reports whether the file would change, and writes nothing.
  diff_mode:
    description: In diff mode it shows the difference. Characters that a terminal would not show as they are, are shown as escapes.
  idempotent:
    description: If the file has this content already, it is not written.
  platform:
    description: The controller.
options:
  path:
    description:
      - The path of the file on the controller.
      - A relative path starts at the folder that the run was started in.
    type: path
    required: true
  content:
    description: The text.
    type: str
    required: true
  folder:
    description:
      - The folder that the file must be in, at any depth. Missing folders are created.
      - If not set, it is the folder in O(path), which must exist.
    type: path
  backup:
    description: Whether to keep the replaced content beside the file, under its name with the time, ending in C(~).
    type: bool
    default: false
  replace:
    description:
      - Whether an existing file with another content is replaced.
      - If V(false), the module fails in that case.
    type: bool
    default: true
seealso:
  - module: modelops.openshift_ai.model_registry_info
"""

EXAMPLES = r"""
- name: Read the registries
  modelops.openshift_ai.model_registry_info:
    include: [permissions]
  register: found

- name: Write them into a variables file, unless there are none
  modelops.openshift_ai.model_registry_file:
    path: host_vars/east/model_registries.yml
    folder: "{{ playbook_dir }}"
    content: "{{ {'model_registries_list': found.registries} | modelops.openshift_ai.to_variables }}"
    backup: true
    replace: "{{ found.registries | length > 0 }}"
"""

RETURN = r"""
path:
  description: The path of the file, without links.
  returned: success
  type: str
backup_file:
  description: The file with the content that was replaced.
  returned: when O(backup) is set and a content was replaced
  type: str
"""
