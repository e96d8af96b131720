#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_migrate
short_description: Move a model registry to another database
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Moves a model registry with all of its data to an external database, such as from a generated PostgreSQL database to a managed one, or from MySQL to
    PostgreSQL. IDs and timestamps are preserved, so that deployments still refer to their model versions.
  - The module copies all rows, compares both databases by digest, closes the previous database for writes, changes the registry, and waits until it is
    available. A write that the registry server has acknowledged is never lost. The previous database is not deleted.
  - If the move fails, the registry keeps or returns to its previous database, and that database is opened for writes again. If clients have already written to
    the new database, the registry keeps the new database instead. The error reports what could not be restored. On PostgreSQL, and on MySQL 8.0.22 and later, a
    database that was already closed before the run, such as a MySQL database that is read-only, stays closed.
  - If a run is killed, run the task again with the same options. The new run continues from the state of both databases.
  - If the new database has no tables, the registry server creates them. For this purpose, a temporary registry is created and deleted, which also verifies that
    the registry server can use the new database.
  - If the new database already contains the same rows, for example because they were copied with the tools of the database, the module compares the rows
    instead of copying them.
  - The guide R(Move a registry to another database,ansible_collections.modelops.openshift_ai.docsite.migrate) describes what is locked, for how long, and how
    to return to the previous database.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description:
      - Performs all checks on both databases and predicts the changes. If the new database has empty tables, all rows are written to it in a transaction that
        is rolled back. If it has rows, they are compared. Writes to the registry are not blocked.
    support: full
notes:
  - The host that executes the task connects to both databases. If this host cannot reach one of them, use C(delegate_to) with a host that can reach both. The
    connection to a generated database goes through the API server to the port of its pod (C(pods/portforward)).
  - The module logs in to each database as the database user of the registry. To close the previous database, its user requires the privileges C(LOCK TABLES)
    and C(ALTER) on MySQL 8.0.22 and later. On MariaDB and earlier versions of MySQL, the user also requires C(DROP), C(CREATE) and C(INSERT). On PostgreSQL,
    the user must own the tables, and must not be a superuser.
  - To move a registry to another cluster, see R(Restore a model registry,ansible_collections.modelops.openshift_ai.docsite.restore).
  - The required permissions are in C(rbac/data.yml) and C(rbac/converge.yml) of this collection. If O(namespace) is not set, the account also needs permission
    to read the DataScienceCluster, as in C(rbac/cluster.yml).
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4
  - PyMySQL >= 1.0.2, for MySQL and MariaDB
  - psycopg >= 3.1.8 with libpq, for PostgreSQL and generated databases
seealso:
  - module: modelops.openshift_ai.model_registry
  - module: modelops.openshift_ai.model_registry_backup
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
  to:
    description: Where the registry is moved to.
    type: dict
    required: true
    suboptions:
      database:
        description:
          - The new database, with the suboptions of M(modelops.openshift_ai.model_registry). If its type is that of the current database, suboptions that are
            not set keep their current values. If the registry already uses this database, nothing is changed.
          - A password in O(to.database.password) is stored in a separate Secret. The Secret of the previous database is not changed.
          - The module fails if the registry server cannot use the database. It also fails if the database has rows that differ from those of the registry,
            tables that do not belong to a model registry, an incomplete migration, or a schema version before 21.
          - The module also fails if another registry in the namespace uses the new database or the current one, even under another host name. If the use under
            another host name could not be checked, a warning is issued.
          - The module fails if the database cannot store rows of the registry. MySQL considers names that differ only in case, accents or trailing blanks to be
            equal, and PostgreSQL cannot store null characters. The error lists the rows.
        type: dict
        required: true
        suboptions:
          type:
            description:
              - The type of the database. Required. V(mysql) is for MySQL and MariaDB.
              - The module fails for V(generated), because a registry can only be moved to an external database.
            type: str
            choices: [mysql, postgresql, generated]
          host:
            description:
              - The host name or IP address of the database server. Required.
              - The module fails if the value contains a scheme, a port, a path or white space.
            type: str
          namespace:
            description:
              - The namespace of the Service in O(to.database.host). Requires O(to.database.host). The module fails if the host is an IP address or contains a
                dot.
            type: str
          port:
            description:
              - The port of the database server. If the type of the database changes, the default is 3306 for MySQL and 5432 for PostgreSQL. The module fails if
                the value is not between 1 and 65535.
            type: int
          name:
            description:
              - The name of the database. The database must exist. If the type of the database changes, the default is V(model-registry).
              - The module fails if the name contains a character that is not valid in the connection string of the registry server.
            type: str
          username:
            description:
              - The database user of the registry. Required.
              - The module fails if the name contains a character that is not valid in the connection string of the registry server.
            type: str
          password:
            description:
              - The password of the user. Either this option or O(to.database.password_secret) is required.
              - The module fails if the password is empty, ends with a line break, or contains a null character. For MySQL, it also fails if the password
                contains V(?), because the registry server does not start with such a password.
            type: str
          password_secret:
            description:
              - A Secret in O(namespace) with the password. Mutually exclusive with O(to.database.password).
              - The module fails if the Secret does not exist, or if the password is not valid.
            type: dict
            suboptions:
              name:
                description: The name of the Secret. The module fails if it is empty.
                type: str
                required: true
              key:
                description: The key of the password in the Secret. The module fails if it is empty.
                type: str
                required: true
          ca:
            description:
              - The CA certificates that are used to verify the certificate of the database. If the type of the database changes and this option is not set, no
                CA is used.
              - The module fails if a suboption is set that does not apply to the value of O(to.database.ca.source).
            type: dict
            suboptions:
              source:
                description:
                  - Where the CA certificates come from. V(cluster) is the cluster-wide CA bundle. V(openshift_ai) is the CA bundle of OpenShift AI.
                  - V(config_map) and V(secret) are a ConfigMap and a Secret in O(namespace). They require O(to.database.ca.name) and O(to.database.ca.key).
                  - V(upload) requires O(to.database.ca.pem) or O(to.database.ca.path). With V(none), no CA is used.
                type: str
                choices: [cluster, openshift_ai, config_map, secret, upload, none]
                required: true
              name:
                description: The name of the ConfigMap or Secret. The module fails if it does not exist.
                type: str
              key:
                description: The key of the certificates in the ConfigMap or Secret. The module fails if it does not exist.
                type: str
              pem:
                description:
                  - The CA certificates in PEM format. Mutually exclusive with O(to.database.ca.path).
                  - The module fails if the value is not a bundle of valid CA certificates.
                type: str
              path:
                description:
                  - A file on the controller with the CA certificates. A relative path is also searched for in C(files/). Mutually exclusive with
                    O(to.database.ca.pem).
                  - The module fails if the file cannot be read, or if it does not contain a bundle of valid CA certificates.
                type: str
          verify_server_cert:
            description:
              - Whether the registry server verifies the certificate and the host name of a MySQL server.
              - If not set, it is V(true) if O(to.database.ca) specifies a CA, and the CA or the type of the database changes. Otherwise, the current value is
                kept if the type of the database does not change.
              - The module fails for PostgreSQL.
            type: bool
          ssl_cipher:
            description: The TLS cipher suites for MySQL, separated by colons. If set, the connection is encrypted. The module fails for PostgreSQL.
            type: str
          ssl_mode:
            description:
              - How the registry server encrypts connections to PostgreSQL. If the type of the database changes, the default is V(disable). With a CA or a
                client certificate, connections are always encrypted.
              - The module fails for MySQL.
            type: str
            choices: [disable, allow, prefer, require, verify-ca, verify-full]
          client_certificate:
            description:
              - The client certificate that the registry server presents to the database. If the type of the database changes and this option is not set, no
                client certificate is used.
            type: dict
            suboptions:
              source:
                description:
                  - Where the client certificate comes from. V(secret) is a Secret in O(namespace) and requires O(to.database.client_certificate.name).
                  - With V(none), no client certificate is used. The module fails if other suboptions are set.
                type: str
                choices: [secret, none]
                required: true
              name:
                description: The name of the Secret. The module fails if it does not exist.
                type: str
              certificate_key:
                description: The key of the certificate in the Secret. The module fails if it does not exist.
                type: str
                default: tls.crt
              private_key_key:
                description: The key of the private key in the Secret. The module fails if it does not exist.
                type: str
                default: tls.key
  skip_orphans:
    description:
      - Whether to omit rows that belong to objects that no longer exist. PostgreSQL cannot store them, and the registry does not show them. If the new database
        is MySQL, only rows whose object type does not exist are omitted. The number of omitted rows is in RV(migration.orphans).
      - With V(false), the module fails if there are rows that would be omitted. The error contains their number.
    type: bool
    default: false
  lock_timeout:
    description:
      - How long to wait for transactions that are writing to the previous database, in seconds. In the meantime, new writes must also wait.
      - The module fails if the lock is not granted within this time, or if the value is less than 1. In both cases, the registry is not changed.
    type: int
    default: 60
  wait_timeout:
    description:
      - How long to wait until the registry is available with the new database, in seconds. The time for creating the tables is limited separately by the same
        value.
      - The module fails if the registry does not become available. In this case, the registry returns to its previous database, unless clients have already
        written to the new one. The module also fails if the value is less than 1.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Move a registry from its generated database to a managed one
  modelops.openshift_ai.model_registry_migrate:
    name: fraud-models
    to:
      database:
        type: postgresql
        host: postgres.example.com
        name: fraud_models
        username: registry
        password: "{{ vault_database_password }}"
        ca:
          source: cluster
  register: moved

- name: Show how long writes were blocked
  ansible.builtin.debug:
    msg: "{{ moved.migration.writes_held_seconds }} s"
  when: "'writes_held_seconds' in moved.migration"
"""

RETURN = r"""
migration:
  description: What was moved or, in check mode, would be moved. Empty if the registry already uses the database. Can also be empty after a failure.
  returned: always
  type: dict
  contains:
    source:
      description:
        - The previous database, which was not deleted, with C(type), C(host), C(port) and C(name). C(open_again) contains the SQL statements that open it for
          writes again.
      type: dict
    rows:
      description: The number of rows that were compared. In check mode, if the new database has no tables, the number of rows of the registry.
      type: int
    tables:
      description: The number of rows of each table.
      type: dict
    orphans:
      description: The number of omitted rows of each table.
      type: dict
    copied:
      description: Whether the rows were copied. False in check mode, or if the new database already had the same rows.
      type: bool
    repeated:
      description: Whether the rows were copied again, because another process wrote to the previous database before it was closed.
      type: bool
    copy_seconds:
      description: How long it took to write the rows.
      type: float
    verify_seconds:
      description: How long it took to compare the rows.
      type: float
    writes_held_seconds:
      description: How long writes were blocked before the registry became available with the new database. Includes RV(migration.restart_seconds).
      returned: if the registry was moved
      type: float
    restart_seconds:
      description: How long the registry took to become available with the new database.
      returned: if the registry was moved
      type: float
    compared_objects:
      description: The number of objects that were compared through the API of the registry, before and after the move.
      returned: if the registry was moved
      type: int
changes:
  description:
    - The changes that were made, in order. In check mode, the changes that would be made.
    - C(unverified) marks a change that could not be verified with a dry run. After a failure, it marks a write whose result is unknown.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update), V(delete) and V(restart).
      type: str
    kind:
      description: The kind of the object.
      type: str
    namespace:
      description: The namespace of the object. Empty for a cluster-scoped object.
      type: str
    name:
      description: The name of the object.
      type: str
    fields:
      description: The options whose values were set or changed.
      type: list
      elements: str
registry:
  description:
    - The registry with the new database, in the format of the options and without secrets.
  returned: success
  type: dict
  sample:
    name: fraud-models
    namespace: rhoai-model-registries
    display_name: Fraud models
    description: Models of the fraud team
    database:
      type: mysql
      host: mysql.data.svc
      port: 3306
      name: fraud_models
      username: registry
      password_secret: {name: fraud-models-db-k4mzt, key: database-password}
      ca: {source: cluster}
      verify_server_cert: true
status:
  description: The status of the registry.
  returned: success, or if the registry does not become available
  type: dict
  contains:
    available:
      description: Whether the registry is available with its current definition.
      type: bool
    reason:
      description: Why the registry is not available. Null if it is available.
      type: str
    evidence:
      description: The evidence for the reason, such as a line of the log of the server, an event or a condition. Null if none was found.
      type: str
    remedy:
      description: How to fix it. Null if it is not known.
      type: str
    address:
      description: The public URL.
      type: str
    hosts:
      description: All host names of the registry, inside and outside of the cluster.
      type: list
      elements: str
    conditions:
      description: The conditions that the operator reports.
      type: list
      elements: dict
    restart_needed:
      description: Whether a restart is required.
      type: bool
cluster:
  description: The cluster and the account that were used.
  returned: always
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
  description: The problems that were found.
  returned: if problems were found in the options or in the databases
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import migrate


def main() -> None:
    _module.run_on_cluster(_options.MIGRATE, migrate.migrate, migrate.input_problems, migrate.Outcome())


if __name__ == "__main__":
    main()
