#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_backup
short_description: Back up the data of a model registry
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Writes a consistent snapshot of all data of a model registry to one archive, together with the configuration of the registry and its permissions. The
    archive does not contain the password of the database.
  - The archive is a ZIP file that contains a manifest and one JSON Lines file for each table. It can be read without this collection. The guide R(Back up a
    model registry,ansible_collections.modelops.openshift_ai.docsite.backup) describes the format.
  - Only reads the registry and its database. The registry stays available, and writes are not blocked.
  - With O(dest), the archive gets its final name only after it has been written completely and read back. If the archive cannot be completed, for example
    because the run is killed, existing backups are not changed. An incomplete file is removed immediately or, if the run was killed, by the next backup of the
    same registry to O(dest).
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: Reads the whole database and reports the number of rows and the size of the archive, but does not write the archive.
  diff_mode:
    description: A backup does not change anything in the cluster.
    support: none
  idempotent:
    description: Each run writes another backup and reports C(changed=true).
    support: none
notes:
  - The host that executes the task connects to the database and writes the archive. If this host cannot reach the database, use C(delegate_to) with a host that
    can.
  - The connection to a generated database goes through the API server to the port of its pod (C(pods/portforward)).
  - The module logs in to the database as the database user of the registry. The password is read from the cluster.
  - The memory that the module needs does not depend on the size of the registry.
  - The required permissions are in C(rbac/data.yml) of this collection. If O(namespace) is not set, the account also needs permission to read the
    DataScienceCluster, as in C(rbac/cluster.yml).
  - The archive contains the names, descriptions, owners and custom properties of all models. In O(dest), its mode is C(0600). To encrypt a backup, use
    O(command).
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4
  - PyMySQL >= 1.0.2, for MySQL and MariaDB
  - psycopg >= 3.1.8 with libpq, for PostgreSQL and generated databases
seealso:
  - module: modelops.openshift_ai.model_registry_info
  - module: modelops.openshift_ai.model_registry_database_info
options:
  name:
    description:
      - The resource name of the registry.
      - The module fails if the registry does not exist or has no database, if the database contains tables that do not belong to a model registry, or if a
        migration of the database is incomplete.
    type: str
    required: true
  namespace:
    description:
      - The namespace of the model registries.
      - If not set, it is read from the DataScienceCluster. If the DataScienceCluster does not specify a namespace, the value is read from the AIHub of
        OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - The module fails if it detects that the namespace does not exist or is not the one that the operator uses. The error contains the correct namespace, if
        it is known.
    type: str
  dest:
    description:
      - An existing directory on the host that executes the task. The name of the file is C(CLUSTER_REGISTRY_TIME.zip), with the address of the API server, the
        name of the registry, and the time in UTC.
      - In automation controller, the files of a job are discarded after the job. Set a mounted path, or use O(command).
      - Mutually exclusive with O(command). Either O(dest) or O(command) is required.
      - The module fails if the directory does not exist or cannot be written to, or if the disk is full.
    type: path
  command:
    description:
      - A program and its arguments, such as a client of an object store. The program reads the archive from its standard input. It is not run by a shell.
      - In each argument, C({file}) is replaced with the name of the file.
      - If the archive cannot be completed, the program is terminated before it has received all of its input. Use a program that discards incomplete input.
      - Mutually exclusive with O(dest). One of them is required. Not run in check mode.
      - The module fails if the program fails. The error contains the last part of its output.
    type: list
    elements: str
  checksum:
    description:
      - Whether to write a file with the SHA-256 checksum next to the archive, in the format of C(sha256sum --check).
      - With V(true), the module fails if O(command) is set.
    type: bool
    default: false
  keep_count:
    description:
      - The number of backups of this registry that are kept in O(dest), including the new one. Older backups are deleted after the new one has been written.
      - If O(keep_days) is also set, a backup is deleted only if neither of the two options keeps it. If neither option is set, no backup is deleted.
      - Only files that are named like backups of this registry in this cluster, and their checksum files, are deleted.
      - The module fails if the value is less than 1, or if O(command) is set.
    type: int
  keep_days:
    description:
      - The number of days for which backups of this registry are kept in O(dest). The new backup is always kept. See O(keep_count).
      - The module fails if the value is not between 0 and 1000000, or if O(command) is set.
    type: float
"""

EXAMPLES = r"""
- name: Back up a registry, and keep the backups of the last 30 days
  modelops.openshift_ai.model_registry_backup:
    name: fraud-models
    dest: /var/backups/model-registries
    keep_days: 30
    checksum: true
  register: backup
"""

RETURN = r"""
backup:
  description: The backup that was written or, in check mode, would be written.
  returned: success
  type: dict
  contains:
    file:
      description: The name of the file.
      type: str
    path:
      description: The path of the file. Null if O(command) is set.
      type: str
    size:
      description: The size of the archive in bytes.
      type: int
    sha256:
      description: The SHA-256 checksum of the archive. In check mode, the checksum of an archive that was discarded.
      type: str
    taken_at:
      description: The time of the backup in UTC.
      type: str
    namespace:
      description: The namespace of the registry.
      type: str
    engine:
      description: The type of the database, V(mysql) or V(postgresql).
      type: str
    database_version:
      description: The version of the database server.
      type: str
    schema_version:
      description: The version of the schema. It is the number of the last migration.
      type: int
    server_version:
      description: The version of the registry server, from the tag of its image. Null if it is not known.
      type: str
    rows:
      description: The total number of rows in all tables.
      type: int
    tables:
      description: For each table, the number of rows, a digest that does not depend on the order of the rows, and the SHA-256 checksum of its file in the
        archive.
      type: dict
  sample:
    file: api.example.com-6443_fraud-models_20260501T020000Z.zip
    path: /var/backups/model-registries/api.example.com-6443_fraud-models_20260501T020000Z.zip
    size: 48211
    rows: 1204
summary:
  description: One line with the number of rows, the size, the destination and, if backups were deleted, their number.
  returned: success
  type: str
  sample: 1204 rows, 48211 bytes to /var/backups/model-registries/api.example.com-6443_fraud-models_20260501T020000Z.zip
removed:
  description: The names of the backups that were deleted or, in check mode, would be deleted.
  returned: success
  type: list
  elements: str
registry:
  description: The configuration of the registry in the archive, in the format of M(modelops.openshift_ai.model_registries).
  returned: success
  type: dict
cluster:
  description: The cluster and the account that were used.
  returned: success
  type: dict
  contains:
    host:
      description: The URL of the API server.
      type: str
    context:
      description: The context of the kubeconfig, if one was set.
      type: str
    user:
      description: The name of the account in the cluster.
      type: str
    verify_ssl:
      description: Whether the certificate of the API server is verified.
      type: bool
problems:
  description: The problems that were found in the options.
  returned: if the options are not valid
  type: list
  elements: dict
  contains:
    option:
      description: The path of the option.
      type: str
    value:
      description: The value of the option. Secrets are omitted.
      type: raw
    problem:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import backup


def main() -> None:
    _module.run_on_cluster(
        _options.BACKUP,
        backup.back_up,
        backup.input_problems,
        backup.Outcome(),
        mutually_exclusive=[("dest", "command")],
        required_one_of=[("dest", "command")],
    )


if __name__ == "__main__":
    main()
