#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_restore
short_description: Restore the data of a model registry from a backup
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Writes the data in an archive of M(modelops.openshift_ai.model_registry_backup) into the database of an existing registry that does not contain any models
    or other objects. IDs, timestamps and relations are preserved, so that the IDs in the labels of deployments remain valid.
  - The type of the database can differ from that in the backup, for example PostgreSQL instead of MySQL.
  - Before anything is written, the whole archive is verified. All rows are written in one transaction, which is committed only after they have been read back
    and compared with the archive. If the run fails or is killed before the commit, the registry stays empty.
  - Does not change the registry itself or its permissions. The configuration and the permissions in the archive are not applied. See the guide R(Restore a
    model registry,ansible_collections.modelops.openshift_ai.docsite.restore).
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: Writes all rows into the database and compares them, but rolls the transaction back instead of committing it.
  diff_mode:
    description: The changed rows are not shown, because the data of a registry can be large. RV(database.tables) contains the number of rows of each table.
    support: none
  idempotent:
    description: If the database already contains exactly the data of the backup, nothing is written, and the module reports C(changed=false).
    support: full
notes:
  - The host that executes the task connects to the database and reads the archive. If this host cannot reach the database, use C(delegate_to) with a host that
    can.
  - The connection to a generated database goes through the API server to the port of its pod (C(pods/portforward)). Through the port of the pod of the registry
    server, the module checks that the server shows the first object of each kind. If the server cannot be reached, a warning is issued.
  - The registry server is not restarted. It does not cache any data of the database, and the IDs of its object types do not change.
  - While the rows are written and compared, other connections can read the database, but their writes must wait.
  - The module logs in to the database as the database user of the registry. The password is read from the cluster.
  - The memory that the module needs does not depend on the size of the registry.
  - The required permissions are in C(rbac/data.yml) of this collection. If O(namespace) is not set, the account also needs permission to read the
    DataScienceCluster, as in C(rbac/cluster.yml).
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4
  - PyMySQL >= 1.0.2, for MySQL and MariaDB
  - psycopg >= 3.1.8 with libpq, for PostgreSQL and generated databases
seealso:
  - module: modelops.openshift_ai.model_registry
  - module: modelops.openshift_ai.model_registry_backup
options:
  name:
    description:
      - The resource name of the registry into which the data is restored. The name and the cluster can differ from those of the registry in the backup.
      - The module fails if the registry does not exist or has no database, or if its server has not created the tables of the database yet. It also fails if
        the database contains tables that do not belong to a model registry, or if a migration of the database is incomplete.
      - The module fails if the database contains rows that differ from those in the backup. The module never deletes or replaces rows.
      - The module fails if the schema of the database and that of the backup have different versions. This does not apply to schema versions that store the
        same data, which are versions 19 to 21 for MySQL and 19 to 25 for PostgreSQL. Only between these versions, the types of the databases can differ. For
        the same type of database, the module also fails if the schema of the database is older than that of the backup.
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
  skip_orphans:
    description:
      - Whether to omit rows that belong to objects that do not exist. Such rows can remain in MySQL if objects were deleted with SQL statements. A registry
        does not show them, and PostgreSQL cannot store them. If the database is MySQL, only rows whose object type does not exist are omitted.
      - With V(false), the module fails if there are rows that would be omitted. The error contains their number.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Restore a registry from a backup
  modelops.openshift_ai.model_registry_restore:
    name: fraud-models
    src: /var/backups/model-registries/api.example.com-6443_fraud-models_20260501T020000Z.zip

- name: Restore a registry from an encrypted backup
  modelops.openshift_ai.model_registry_restore:
    name: fraud-models
    command: [gpg, --batch, --decrypt, /var/backups/api.example.com-6443_fraud-models_20260501T020000Z.zip.gpg]
"""

RETURN = r"""
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
      description: The number of rows of all tables, including the types of objects.
      type: int
  sample:
    registry: fraud-models
    cluster: https://api.example.com:6443
    taken_at: "2026-05-01T02:00:00Z"
    engine: mysql
    schema_version: 21
    rows: 1204
database:
  description: The database of the registry.
  returned: success
  type: dict
  contains:
    engine:
      description: The type of the database, V(mysql) or V(postgresql).
      type: str
    database_version:
      description: The version of the database server.
      type: str
    schema_version:
      description: The version of the schema. It is the number of the last migration.
      type: int
    rows:
      description: The number of rows that were written or, in check mode, would be written. The types of objects, which the registry server has created, are
        not counted.
      type: int
    tables:
      description: For each table, the number of rows, and a digest that does not depend on the order of the rows.
      type: dict
    orphans:
      description: The number of rows that were omitted from each table because the objects to which they belong do not exist.
      type: dict
    write_seconds:
      description: How long it took to write the rows. Not present if the data was restored before.
      type: float
    verify_seconds:
      description: How long it took to compare the rows. Not present if the data was restored before.
      type: float
  sample:
    engine: postgresql
    schema_version: 25
    rows: 1042
    orphans: {}
    write_seconds: 0.4
    verify_seconds: 0.2
server:
  description: The result of the comparison with the responses of the registry server. Null in check mode or if the server could not be reached.
  returned: success
  type: dict
  contains:
    compared:
      description: The first object of each kind, by its path in the REST API.
      type: list
      elements: str
    missing:
      description: The objects that the server does not show. If there are any, the module fails.
      type: list
      elements: str
deployments:
  description:
    - The InferenceServices of the cluster whose labels refer to the registry.
    - Null if the account is not permitted to list InferenceServices.
    - A warning is issued if the labels of an InferenceService do not refer to a version in the backup.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace of the InferenceService.
      type: str
    name:
      description: The name of the InferenceService.
      type: str
    registered_model_id:
      description: The ID of the model in the labels of the InferenceService.
      type: str
    model_version_id:
      description: The ID of the version in the labels of the InferenceService.
      type: str
    found:
      description: Whether the backup contains this version of this model.
      type: bool
  sample:
    - {namespace: fraud-prod, name: fraud, registered_model_id: "1", model_version_id: "4", found: true}
summary:
  description: The number of rows, and the registry, the cluster and the time of the backup in one line.
  returned: success
  type: str
  sample: 1042 rows of registry fraud-models of https://api.example.com:6443 from 2026-05-01T02:00:00Z
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import restore


def main() -> None:
    _module.run_on_cluster(
        _options.RESTORE,
        restore.restore,
        restore.input_problems,
        restore.Outcome(),
        mutually_exclusive=[("src", "command")],
        required_one_of=[("src", "command")],
    )


if __name__ == "__main__":
    main()
