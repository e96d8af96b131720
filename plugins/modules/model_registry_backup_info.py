#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_backup_info
short_description: Verify a backup of a model registry and read the configuration in it
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Reads the whole archive of M(modelops.openshift_ai.model_registry_backup), compares it with its checksums, and returns the configuration of the registry
    that was backed up, in the format of M(modelops.openshift_ai.model_registries).
  - Does not connect to a cluster or a database.
extends_documentation_fragment:
  - modelops.openshift_ai.attributes
attributes:
  action_group:
    description: This module does not connect to a cluster.
    support: none
    membership: []
  check_mode:
    description: This module never changes anything.
  diff_mode:
    description: This module never changes anything.
    support: none
  platform:
    description: The platforms that the module runs on.
notes:
  - The archive is read on the host that executes the task.
  - An archive can be altered together with its checksums. The module fails if the configuration in the archive contains C(allow_data_change) or an unknown
    option. Before you create a registry from an archive of unknown origin, review the database and the permissions in RV(registry).
requirements:
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry_backup
  - module: modelops.openshift_ai.model_registry_restore
  - module: modelops.openshift_ai.model_registries
options:
  src:
    description:
      - The path of the archive on the host that executes the task.
      - Mutually exclusive with O(command). Either O(src) or O(command) is required.
      - The module fails if the file is not a complete and undamaged archive in a supported format.
    type: path
  command:
    description:
      - A program and its arguments, such as a decryption program or a client of an object store. The program writes the archive to its standard output. It is
        not run by a shell. It is also run in check mode.
      - The archive is kept in an unnamed and unencrypted temporary file until the end of the task. To use another directory for this file, set the environment
        variable E(TMPDIR).
      - Mutually exclusive with O(src). One of them is required.
      - The module fails if the program fails. The error contains the last part of its error output.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Verify a backup and read the configuration of its registry
  modelops.openshift_ai.model_registry_backup_info:
    src: /var/backups/model-registries/api.example.com-6443_fraud-models_20260501T020000Z.zip
  register: found

- name: Recreate the registry from the backup, with its permissions
  modelops.openshift_ai.model_registries:
    registries:
      - "{{ found.registry | combine({'database': found.registry.database | combine({'password': fraud_password, 'password_secret': none})}) }}"
"""

RETURN = r"""
registry:
  description:
    - The configuration of the registry at the time of the backup, in the format of O(modelops.openshift_ai.model_registries#module:registries[]).
    - Does not contain passwords. C(database.password_secret) is the Secret that contained the password of an external database.
  returned: success
  type: dict
  sample:
    name: fraud-models
    namespace: odh-model-registries
    display_name: Fraud models
    description: ""
    database:
      type: mysql
      host: mysql.example.com
      port: 3306
      name: fraud
      username: registry
      password_secret: {name: fraud-models-db-7xk2p, key: database-password}
      ca: {source: cluster}
    permissions:
      groups: [fraud-team]
backup:
  description: Information about the backup, from its manifest.
  returned: success
  type: dict
  contains:
    registry:
      description: The resource name of the registry that was backed up.
      type: str
    cluster:
      description: The URL of the API server of the cluster in which the registry was backed up.
      type: str
    namespace:
      description: The namespace of the registry that was backed up.
      type: str
    taken_at:
      description: The time of the backup in UTC.
      type: str
    server_version:
      description: The version of the registry server that was backed up.
      type: str
    engine:
      description: The type of the database that was backed up, V(mysql) or V(postgresql).
      type: str
    schema_version:
      description: The version of the schema of the database that was backed up.
      type: int
    rows:
      description: The total number of rows in all tables, including the rows that define object types.
      type: int
  sample:
    registry: fraud-models
    cluster: https://api.example.com:6443
    taken_at: "2026-05-01T02:00:00Z"
    engine: mysql
    schema_version: 21
    rows: 1204
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import backup_info


def main() -> None:
    backup_info.run(_options.BACKUP_INFO)


if __name__ == "__main__":
    main()
