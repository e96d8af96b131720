#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_database_info
short_description: Check a database as the server of a model registry would use it
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Connects to a MySQL, MariaDB or PostgreSQL database in the same way as the registry server, and reports all problems that it can find, instead of only the
    first.
  - Checks the host name, the port, whether TLS is available and required, the certificate with its host name and expiry date, and the login. If the login
    succeeds, also checks the server version, the database, its character set, the privileges that the migrations need, the schema, incomplete migrations, and
    the connection limit.
  - Does not write to the database.
  - Fails only if the options are not valid, if the cluster cannot be read, or if a required Python library is missing. Problems of the database are reported in
    RV(findings) and summarized in RV(usable).
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: This module never changes anything.
  diff_mode:
    description: This module never changes anything.
    support: none
notes:
  - The host that executes the task connects to the database. If the controller cannot reach the database, use C(delegate_to) with a host that can.
  - Problems that depend on the address of the client are reported as V(warning) in RV(findings), and RV(usable) is null unless there is also a V(failure).
    Examples are a host that cannot be resolved or reached, access rules of PostgreSQL (C(pg_hba.conf)), and a login that MySQL rejects, because MySQL accounts
    can be restricted to hosts.
  - The module logs in only once, because repeated logins with a wrong password can lock an account.
  - The password is not sent to a server whose certificate the registry server would reject.
  - The password is never sent to a MySQL server that requests it in clear text (C(mysql_clear_password)). The registry server does not send it either. Without
    TLS, the password is never sent to a PostgreSQL server that requests it in clear text (C(password) in C(pg_hba.conf)). With libpq 15 and earlier, which do
    not support this restriction, the module does not log in to PostgreSQL without TLS.
  - The cluster is contacted only if O(registry) is set, or if O(database) refers to a Secret or ConfigMap.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4
  - PyMySQL >= 1.0.2, for MySQL and MariaDB
  - psycopg >= 3.1.8 with libpq, for PostgreSQL
options:
  registry:
    description:
      - The registry whose database is checked. The host, user, Secret and CA of the database are read from the cluster.
      - This module does not connect to databases through the API server. To check a generated database, run the module inside the cluster. Otherwise, a warning
        is reported in RV(findings), and RV(usable) is null.
      - Mutually exclusive with O(database). One of them is required.
      - The module fails if the registry does not exist or has no database.
    type: str
  namespace:
    description:
      - The namespace of the model registries, and of the Secrets and ConfigMaps in O(database).
      - If not set, it is read from the DataScienceCluster when it is needed. If the DataScienceCluster does not specify a namespace, the value is read from the
        AIHub of OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - With O(registry), the module fails if it detects that the namespace does not exist or is not the one that the operator uses. The error contains the
        correct namespace, if it is known.
    type: str
  database:
    description:
      - The database to check. The options are those of M(modelops.openshift_ai.model_registry).
    type: dict
    suboptions:
      type:
        description:
          - The type of the database. Required. V(mysql) is for MySQL and MariaDB.
          - The module fails for V(generated). Use O(registry) to check a generated database.
        type: str
        choices: [mysql, postgresql, generated]
      host:
        description:
          - The host name or IP address of the database server. Required.
          - The module fails if the value contains a scheme, a port, a path or white space.
        type: str
      namespace:
        description:
          - The namespace of the Service in O(database.host). Requires O(database.host). The module fails if the host is an IP address or contains a dot.
        type: str
      port:
        description:
          - The port of the database server. The default is 3306 for MySQL and 5432 for PostgreSQL. The module fails if the value is not between 1 and 65535.
        type: int
      name:
        description:
          - The name of the database. The default is V(model-registry).
          - The module fails if the name contains a character that is not valid in the connection string of the registry server.
        type: str
      username:
        description:
          - The database user of the registry. Required.
          - The module fails if the name contains a character that is not valid in the connection string of the registry server.
        type: str
      password:
        description:
          - The password of the user. Either this option or O(database.password_secret) is required.
          - The module fails if the password is empty, ends with a line break, or contains a null character. For MySQL, it also fails if the password contains
            V(?), because the registry server does not start with such a password.
        type: str
      password_secret:
        description:
          - A Secret in O(namespace) with the password. Mutually exclusive with O(database.password).
          - A Secret that does not exist, or a password that is not valid, is reported in RV(findings).
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
          - The CA certificates that are used to verify the certificate of the database. If not set, no CA is used.
          - The module fails if a suboption is set that does not apply to the value of O(database.ca.source).
        type: dict
        suboptions:
          source:
            description:
              - Where the CA certificates come from. V(cluster) is the cluster-wide CA bundle. V(openshift_ai) is the CA bundle of OpenShift AI.
              - V(config_map) and V(secret) are a ConfigMap and a Secret in O(namespace). They require O(database.ca.name) and O(database.ca.key).
              - V(upload) requires O(database.ca.pem) or O(database.ca.path). With V(none), no CA is used.
            type: str
            choices: [cluster, openshift_ai, config_map, secret, upload, none]
            required: true
          name:
            description: The name of the ConfigMap or Secret. An object that does not exist is reported in RV(findings).
            type: str
          key:
            description: The key of the certificates in the ConfigMap or Secret. A key that does not exist is reported in RV(findings).
            type: str
          pem:
            description:
              - The CA certificates in PEM format. Mutually exclusive with O(database.ca.path).
              - The module fails if the value is not a bundle of valid CA certificates.
            type: str
          path:
            description:
              - A file on the controller that contains the CA certificates. A relative path is also searched for in C(files/). Mutually exclusive with
                O(database.ca.pem).
              - The module fails if the file cannot be read, or if it does not contain a bundle of valid CA certificates.
            type: str
      verify_server_cert:
        description:
          - Whether the registry server verifies the certificate and the host name of a MySQL server.
          - If not set, it is V(true) with a CA, as for a new registry. Without a CA, it is V(false).
          - The module fails for PostgreSQL.
        type: bool
      ssl_cipher:
        description: The TLS cipher suites for MySQL. If set, the connection is encrypted, but the check itself offers the default cipher suites. The module
                     fails for PostgreSQL.
        type: str
      ssl_mode:
        description:
          - How the registry server encrypts connections to PostgreSQL. The default is V(disable). With a CA or a client certificate, connections are always
            encrypted.
          - The module fails for MySQL.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      client_certificate:
        description:
          - The client certificate that the registry server presents to the database. If not set, no client certificate is used.
        type: dict
        suboptions:
          source:
            description:
              - Where the client certificate comes from. V(secret) is a Secret in O(namespace) and requires O(database.client_certificate.name).
              - With V(none), no client certificate is used. The module fails if other suboptions are set.
            type: str
            choices: [secret, none]
            required: true
          name:
            description: The name of the Secret. A Secret that does not exist is reported in RV(findings).
            type: str
          certificate_key:
            description: The key of the certificate in the Secret. A key that does not exist is reported in RV(findings).
            type: str
            default: tls.crt
          private_key_key:
            description: The key of the private key in the Secret. A key that does not exist is reported in RV(findings).
            type: str
            default: tls.key
  timeout:
    description:
      - The timeout for each step of the check, in seconds. All steps together take at most twice this time.
      - The module fails if the value is less than 0.1 or more than 1000000.
    type: float
    default: 5
"""

EXAMPLES = r"""
- name: Check a database before its registry is created
  modelops.openshift_ai.model_registry_database_info:
    database:
      type: mysql
      host: db.example.com
      name: fraud_models
      username: registry
      password: "{{ vault_database_password }}"
      ca:
        source: upload
        path: database-ca.pem
  register: looked

- name: Show the problems
  ansible.builtin.debug:
    msg: "{{ looked.findings | rejectattr('result', 'equalto', 'ok') }}"

- name: Check the database of a registry from a host that can reach it
  modelops.openshift_ai.model_registry_database_info:
    registry: fraud-models
  delegate_to: bastion
"""

RETURN = r"""
findings:
  description:
    - The results of all checks, in order. Checks that cannot be performed after a failure are omitted.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description:
        - The check.
        - V(settings) checks whether the registry server can use the options. V(ca) checks the CA bundle, V(address) the host name, and V(port) the port. V(tls)
          checks whether TLS is available and used, and V(tls_required) whether the server requires it. V(protocol), V(certificate), V(host_name) and V(expiry)
          check the properties of the TLS connection. V(login) checks the login, V(version) the server version, and V(connections) the connection limits and
          hourly limits. V(database) checks whether the database exists and is writable, V(character_set) its character set, V(schema) the version of its
          schema, and V(migration) whether a migration is incomplete. V(primary_key) checks whether the server requires a primary key in each table, and
          V(privileges) the privileges of the user.
      type: str
    result:
      description: V(ok), V(warning), or V(failure). A V(failure) prevents the registry from becoming available.
      type: str
    message:
      description: The finding.
      type: str
    remedy:
      description: How to fix it. Empty if no action is required.
      type: str
  sample:
    - check: tls_required
      result: failure
      message: The database accepts only encrypted connections, and the connection of the registry server is not encrypted (error 3159)
      remedy: Set database.ca
usable:
  description: Whether a registry with this database would become available. Null if this cannot be determined.
  returned: success
  type: bool
database:
  description: The database that was checked.
  returned: success
  type: dict
  contains:
    type:
      description: V(mysql) or V(postgresql).
      type: str
    host:
      description: The host.
      type: str
    port:
      description: The port.
      type: int
    name:
      description: The name of the database.
      type: str
    username:
      description: The user.
      type: str
    version:
      description: The version of the server, if it is known.
      type: str
    schema_version:
      description: The version of the schema, if there is one. It is the number of the last migration.
      type: int
    certificate:
      description: The certificate of the server, if the registry server encrypts the connection.
      type: dict
      contains:
        subject:
          description: The subject.
          type: str
        issuer:
          description: The issuer.
          type: str
        not_before:
          description: The start of the validity period.
          type: str
        not_after:
          description: The end of the validity period.
          type: str
        is_ca:
          description: Whether it is a CA certificate.
          type: bool
        sha256:
          description: The SHA-256 fingerprint.
          type: str
cluster:
  description: The cluster and the account that were used.
  returned: if the cluster was contacted
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

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import database_info


def main() -> None:
    database_info.run(_options.DATABASE_INFO)


if __name__ == "__main__":
    main()
