#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_report
short_description: Write an HTML report on the model registries of one or more clusters
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Writes an HTML page from the results of M(modelops.openshift_ai.model_registry_info) for all hosts of the play, each of which is a cluster, and from the
    drift that M(modelops.openshift_ai.model_registries) detected in check mode. The page shows the findings, the databases, certificates and backups of the
    registries, the subjects that have access, the checks that were not possible, and the changes since the last report.
  - The results are read from the variables C(model_registry_report_found) and C(model_registry_report_compared) of the hosts. A result of
    M(modelops.openshift_ai.model_catalog_info) is read from C(model_registry_report_catalog_found).
  - Also writes each table of the page in CSV format, and all of them in JSON format, to the directory of the page. The next report with the same O(path) is
    compared with the JSON file.
  - The page requires no network. All data from clusters is escaped. In the CSV files, text that a spreadsheet would interpret as a formula is prefixed with an
    apostrophe.
  - The role P(modelops.openshift_ai.model_registry_report#role) reads the clusters and uses this module.
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
    description: In check mode, no files are written.
  diff_mode:
    description: The page differs in every run.
    support: none
  idempotent:
    description: The page contains the current time.
    support: none
  platform:
    description: The platform of the controller.
options:
  path:
    description:
      - The path of the page on the controller. A relative path is resolved against the current working directory of the run. The directory must exist.
      - The names of the other files begin with the name of the page without C(.html), for example C(model-registries.json) and
        C(model-registries-access.csv).
      - A new file can be read and written only by its owner. An existing file keeps its mode and, if Ansible runs as root, its owner and group.
    type: path
    required: true
  backup_folder:
    description: The directory on the controller with the backups that M(modelops.openshift_ai.model_registry_backup) wrote. If empty, backups are not checked.
    type: path
    default: ""
  backup_hours:
    description: The maximum age of the last backup in hours. A registry whose last backup is older, or that has no backup, is reported as a finding. Ignored if
      O(backup_folder) is empty.
    type: float
    default: 26
  policy:
    description: The rules for registries, in the format of C(model_registries_policy) of the role P(modelops.openshift_ai.model_registries#role).
    type: list
    elements: dict
    default: []
  expected:
    description: The hosts that the report should include. Hosts that are not part of the play, for example because of C(--limit), are listed as not checked.
    type: list
    elements: str
    default: []
seealso:
  - module: modelops.openshift_ai.model_registry_info
  - module: modelops.openshift_ai.model_registries
"""

EXAMPLES = r"""
- name: Read the registries
  modelops.openshift_ai.model_registry_info:
    include: [status, permissions, certificates]
  register: model_registry_report_found

- name: Compare the registries with the list
  modelops.openshift_ai.model_registries:
    registries: "{{ model_registries_list }}"
  check_mode: true
  register: model_registry_report_compared

- name: Write the page
  modelops.openshift_ai.model_registry_report:
    path: model-registries.html
  run_once: true
"""

RETURN = r"""
path:
  description: The path of the page, with symbolic links resolved.
  returned: success
  type: str
files:
  description: The paths of the other files.
  returned: success
  type: list
  elements: str
summary:
  description: For each cluster, a line with its status and a line with the URL of its API server.
  returned: success
  type: list
  elements: str
"""
