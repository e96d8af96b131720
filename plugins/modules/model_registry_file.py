#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_file
short_description: Write data from a cluster to a file on the controller
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Writes text to a file on the controller. The playbook C(export) and the roles P(modelops.openshift_ai.model_registries#role) and
    P(modelops.openshift_ai.model_catalog#role) use this module.
  - Unless O(mode) is set, a new file can be read and written only by its owner, and an existing file keeps its mode. If Ansible runs as root, a replaced file
    also keeps its owner and group. Otherwise, it belongs to the user who runs Ansible.
  - The file is replaced atomically. If the run is interrupted, the file contains either the old or the new content.
  - A symbolic link is followed only if it is owned by root or by the user who runs Ansible. After all links are followed, the file must be within O(folder) or,
    if O(folder) is not set, within the parent directory of O(path). Otherwise, the module fails, and the file is not written. The module also fails if an
    existing file in a world-writable directory belongs to a user other than root and the user who runs Ansible.
extends_documentation_fragment:
  - modelops.openshift_ai.attributes
attributes:
  action_group:
    description: This module does not connect to a cluster.
    support: none
    membership: []
  async:
    description: This module runs on the controller.
    support: none
  check_mode:
    description: In check mode, reports whether the file would change and writes nothing.
  diff_mode:
    description: Shows the difference. Characters that a terminal would not display are shown as escape sequences.
  idempotent:
    description: The file is not written if it already has this content and, if O(mode) is set, this mode.
  platform:
    description: The platform of the controller.
options:
  path:
    description:
      - The path of the file on the controller.
      - A relative path is resolved against the current working directory of the run.
    type: path
    required: true
  content:
    description: The content of the file.
    type: str
    required: true
  folder:
    description:
      - The directory that must contain the file, at any depth. Missing directories are created.
      - If not set, it is the parent directory of O(path), which must exist.
    type: path
  backup:
    description: Whether to keep the replaced content in a file in the same directory. The name of this file consists of the name of the original file, a
      timestamp, random characters, and C(~).
    type: bool
    default: false
  replace:
    description:
      - Whether to replace an existing file that has different content or, if O(mode) is set, another mode. If V(false), the module fails in this case.
    type: bool
    default: true
  mode:
    description:
      - The permissions of the file, as an octal number in quotes, such as V('0644').
      - If not set, a new file has V('0600'), and an existing file keeps its mode.
    type: str
seealso:
  - module: modelops.openshift_ai.model_registry_info
"""

EXAMPLES = r"""
- name: Read the registries
  modelops.openshift_ai.model_registry_info:
    include: [permissions]
  register: found

- name: Write the registries to a variables file, but do not replace a list with an empty list
  modelops.openshift_ai.model_registry_file:
    path: "{{ playbook_dir }}/host_vars/east/model_registries.yml"
    folder: "{{ playbook_dir }}"
    content: "{{ {'model_registries_list': found.registries} | modelops.openshift_ai.to_variables }}"
    backup: true
    replace: "{{ found.registries | length > 0 }}"
"""

RETURN = r"""
path:
  description: The path of the file, with symbolic links resolved.
  returned: success
  type: str
backup_file:
  description: The path of the file with the replaced content.
  returned: if O(backup=true) and an existing file was replaced or, in check mode, would be replaced
  type: str
"""
