#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_database_info
short_description: Look at a database as the server of a model registry will
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Connects to a MySQL, MariaDB or PostgreSQL database the way the registry server does, and reports everything that is found, not only the first fault.
  - It looks whether the name resolves and the port is open, whether TLS is offered and required, at the certificate, its host name and its end, whether the
    login works, at the server's version, the database, its character set, the privileges that the server's migrations need, its schema, a migration that
    stopped half way, and the limit of connections.
  - Nothing is written to the database.
  - It fails only when the options are wrong or the cluster cannot be read. What is wrong with the database is in RV(findings), and RV(serves) sums it up.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: It changes nothing, in check mode and otherwise.
  diff_mode:
    description: It changes nothing, so that there is nothing to show.
    support: none
notes:
  - It connects from the host that the task runs on. With C(delegate_to) that can be one that reaches the database, where the controller does not.
  - What depends on the address of the client is a V(warning) in RV(findings), and RV(serves) is null. For example, a host that cannot be resolved or reached
    from here, a login that MySQL refuses, whose accounts are for hosts, or access rules of PostgreSQL (C(pg_hba.conf)).
  - The user logs in once, because wrong passwords can lock an account. The password is never sent to a MySQL server that asks for it in clear text
    (C(mysql_clear_password)), which the registry server does not do either, and without TLS not to a PostgreSQL server that does (C(password) in
    C(pg_hba.conf)). Before libpq 16 there is no login to PostgreSQL without TLS, because the library cannot be told so.
  - The cluster is asked only with O(registry), or when O(database) refers to a Secret or ConfigMap.
  - No password is sent to a server whose certificate does not hold and would be refused by the registry server.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4
  - PyMySQL >= 1.0.2, for MySQL and MariaDB
  - psycopg >= 3.1.8 with libpq, for PostgreSQL
options:
  registry:
    description:
      - The registry whose database is looked at. Its host, user, Secret and CA are read from the cluster.
      - A registry that does not exist, or has no database, is refused. A database that the product generated is reachable only inside of the cluster.
      - Exactly one of O(registry) and O(database) must be given.
    type: str
  namespace:
    description:
      - The namespace that the product keeps its registries in, and that the Secrets and ConfigMaps of O(database) are in.
      - Left out, it is read from the DataScienceCluster when it is needed. Where there is none, or the account may not read it, an error says so.
      - A namespace that does not exist or is not the operator's is refused, and the operator's is named.
    type: str
  database:
    description:
      - The database to look at, in the same shape as in M(modelops.openshift_ai.model_registry).
    type: dict
    suboptions:
      type:
        description:
          - The kind of database. It must be given. V(mysql) stands for MariaDB too.
          - V(generated) is refused, because only O(registry) tells which one is meant.
        type: str
        choices: [mysql, postgresql, generated]
      host:
        description:
          - The host name or address of the database server. It must be given.
          - A URL, a port, white space or a path in it is refused.
        type: str
      namespace:
        description:
          - The namespace of the Service that O(database.host) names. It is refused together with a host that has a dot or is an address.
        type: str
      port:
        description:
          - The port of the database server, 1 to 65535. Anything else is refused. Left out it is 3306 for MySQL and 5432 for PostgreSQL.
        type: int
      name:
        description:
          - The name of the database, V(model-registry) when left out. Characters that break the server's connection string are refused.
        type: str
      username:
        description:
          - The user that the registry would log in as. It must be given. Characters that break the server's connection string are refused.
        type: str
      password:
        description:
          - The password of the user. It or O(database.password_secret) must be given.
          - For MySQL a password with V(?), with which the registry server does not start, is refused, as is an empty one or one with a line break at its end.
        type: str
      password_secret:
        description:
          - A Secret in O(namespace), and the key in it with the password. Refused together with O(database.password).
          - One that does not exist, or a password in it that cannot work, is among RV(findings).
        type: dict
        suboptions:
          name:
            description: The name of the Secret. An empty one is refused.
            type: str
            required: true
          key:
            description: The key in it. An empty one is refused.
            type: str
            required: true
      ca:
        description:
          - Where the CA certificates are that the database's certificate is checked with.
          - V(cluster) and V(openshift_ai) are the bundles that the dashboard offers. A dictionary with C(config_map) and C(key), or with C(secret) and
            C(key), names a ConfigMap or Secret in O(namespace). One with C(pem) holds the certificates themselves, which need to be in no object yet.
          - V(none), and an option that is left out, stand for no CA. Anything else is refused, and so is C(pem) text that is no bundle of valid CA
            certificates.
          - A reference to something that does not exist is among RV(findings).
        type: raw
      verify_server_cert:
        description:
          - Whether the server checks MySQL's certificate and host name. Left out it is V(true) when there is a CA, as for a new registry.
          - It is refused for PostgreSQL.
        type: bool
      ssl_mode:
        description:
          - How the server encrypts its connection to PostgreSQL, V(disable) when left out. With a CA the connection is always encrypted.
          - It is refused for MySQL.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      client_certificate:
        description:
          - The certificate that the server shows to the database. A dictionary with C(secret), the name of a Secret in O(namespace), C(certificate_key),
            V(tls.crt) when left out, and C(private_key_key), V(tls.key) when left out. Or V(none). Anything else is refused.
        type: raw
  timeout:
    description:
      - How many seconds each step may take on the network. All of them together take at most twice that. Less than 0.1 or more than 1000000 is refused.
    type: float
    default: 5
"""

EXAMPLES = r"""
- name: A database before its registry is made
  modelops.openshift_ai.model_registry_database_info:
    database:
      type: mysql
      host: db.example.com
      name: fraud_models
      username: registry
      password: "{{ vault_database_password }}"
      ca:
        pem: "{{ lookup('ansible.builtin.file', 'database-ca.pem') }}"
  register: looked

- name: What is wrong with it
  ansible.builtin.debug:
    msg: "{{ looked.findings | rejectattr('result', 'equalto', 'ok') }}"

- name: The database of a registry, seen from a host that reaches it
  modelops.openshift_ai.model_registry_database_info:
    registry: fraud-models
  delegate_to: bastion
"""

RETURN = r"""
findings:
  description:
    - Everything that was looked at, in that order. What could not be looked at after a failure is not in it.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description:
        - What was looked at.
        - V(settings), whether the server can use the options; V(ca), the CA bundle; V(address), the host name; V(port); V(tls), whether it is offered and used;
          V(protocol), V(certificate), V(host_name) and V(expiry), what TLS showed; V(tls_required); V(login); V(version); V(connections), their limit;
          V(database); V(character_set); V(schema), its version; V(migration), one that stopped half way; V(primary_key), a server that requires one in every
          table; V(privileges).
      type: str
    result:
      description: V(ok), V(warning), or V(failure) for what keeps the registry server from serving.
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do; empty when there is nothing to do.
      type: str
  sample:
    - check: tls_required
      result: failure
      message: The database accepts only encrypted connections, and the registry server does not encrypt (error 3159)
      remedy: Set database.ca
serves:
  description: Whether the registry server would serve with this database. Null when that cannot be told from here.
  returned: success
  type: bool
database:
  description: The database that was looked at.
  returned: success
  type: dict
  contains:
    type:
      description: V(mysql) or V(postgresql).
      type: str
    host:
      description: Its host.
      type: str
    port:
      description: Its port.
      type: int
    name:
      description: The name of the database.
      type: str
    username:
      description: The user.
      type: str
    version:
      description: The server's version, when it told it.
      type: str
    schema_version:
      description: The migration that its schema is at, when there is one.
      type: int
    certificate:
      description: The certificate that the server showed, when the registry server encrypts the connection.
      type: dict
      contains:
        subject:
          description: Its subject.
          type: str
        issuer:
          description: Who signed it.
          type: str
        not_before:
          description: From when on it is valid.
          type: str
        not_after:
          description: Until when it is valid.
          type: str
        is_ca:
          description: Whether it may sign others.
          type: bool
        sha256:
          description: Its fingerprint.
          type: str
cluster:
  description: Which cluster was spoken to, and as whom.
  returned: when the cluster was asked
  type: dict
  contains:
    host:
      description: The address of the API server.
      type: str
    context:
      description: The context of the kubeconfig, when it was given.
      type: str
    user:
      description: The name that the cluster knows the account by.
      type: str
    verify_ssl:
      description: Whether the API server's certificate was checked.
      type: bool
problems:
  description: What is wrong with the input.
  returned: when the input was refused
  type: list
  elements: dict
  contains:
    option:
      description: The path of the option.
      type: str
    value:
      description: Its value, unless it is secret.
      type: raw
    problem:
      description: What is wrong.
      type: str
    remedy:
      description: What to do.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import database_info


def main() -> None:
    database_info.run(_options.DATABASE_INFO)


if __name__ == "__main__":
    main()
