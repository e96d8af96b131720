#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_ca
short_description: Put the CA of a registry's database into the cluster, check it, rotate it and remove it
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Puts a bundle of CA certificates into a ConfigMap or Secret in the namespace of the registries, adds certificates to one, replaces or removes it.
  - Each certificate is checked before anything is written, and with O(database) also whether the bundle verifies that server.
  - After a change exactly the registries that read the bundle are restarted, and waited for until they serve, all at the same time.
  - If none of them becomes available with the new bundle, and one was available with the previous one, the previous bundle is put back, unless it is known not
    to work or another process has changed it since. The error reports it.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  diff_mode:
    description: In diff mode it shows the subjects, ends and fingerprints of the certificates, and no PEM text.
    support: full
notes:
  - To change a database's CA without downtime, put the new CA beside the old one with O(mode=add), change the certificate of the database, then give the new
    CA alone with O(mode=replace).
  - A ConfigMap or Secret that something else manages is never written or deleted. That is one of the platform, such as C(odh-trusted-ca-bundle), one with an
    owner reference, one with labels or annotations of a tool such as Argo CD, Flux, Helm, External Secrets or cert-manager, and one whose data a controller
    wrote. If it already holds the wanted bundle, that is no change.
  - The module never replaces or deletes a key that a registry reads as a password, client certificate or private key, a key of a Secret that holds the password
    of a registry's database, or a key that holds anything other than PEM certificates.
  - The text around the certificates of a bundle is not written. Windows line ends and byte-order marks are accepted, and duplicates are dropped.
  - A run that was killed can be run again. It ends in the state that an undisturbed run ends in.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4
seealso:
  - module: modelops.openshift_ai.model_registry
  - module: modelops.openshift_ai.model_registry_database_info
options:
  name:
    description:
      - The name of the ConfigMap or Secret. What cannot be one is refused.
      - Exactly one of O(name) and O(registry) must be given.
    type: str
  namespace:
    description:
      - The namespace that the product keeps its registries in.
      - Left out, it is read from the DataScienceCluster. Where there is none, or the account may not read it, an error says so.
      - A namespace that does not exist or is not the operator's is refused, and the operator's is named.
    type: str
  kind:
    description:
      - Whether the bundle is in a ConfigMap or in a Secret. A new Secret has the type Opaque, the only one that the dashboard offers, and a Secret of another
        type is refused.
    type: str
    choices: [config_map, secret]
    default: config_map
  key:
    description:
      - The key of the bundle in it. What cannot be one is refused. Other keys stay as they are.
    type: str
    default: ca.crt
  pem:
    description:
      - The certificates, as PEM text. It or O(path) must be given, and with O(state=absent) neither.
      - Refused are an empty text, one without certificates, a broken certificate, which is named with its line, the certificate of a server in place of its
        CA's, and more than the cluster takes in one object. Private keys are refused and never shown. DER, PKCS#7, PKCS#12 and Java key stores are
        recognised, and the conversion is named.
      - A bundle of which no certificate is valid now is refused. A single one that has expired or is not valid yet is a warning.
      - A server's certificate that is signed by itself is a warning.
    type: str
  path:
    description:
      - A file with the certificates on the controller, looked up in C(files/) as Ansible does and decrypted when it is vaulted.
      - A file that is not there is refused, also when it is on the managed host.
    type: str
  registry:
    description:
      - The registry whose CA it is. The bundle is then in the ConfigMap that an upload in the dashboard makes, which is called like the registry with
        C(-db-credential) at its end, and with C(-2), C(-3) and so on where that name is taken.
      - It is the one that the registry reads, or one with the same certificates, or a new one. One with other certificates that the registry does not read is
        never overwritten; with O(mode=add) they are added to it. Neither is one that another registry reads, or that neither the dashboard nor this collection
        created.
      - If the registry reads C(db-credential), as the dashboard names a certificate that is uploaded before the registry has a name, that is the one.
      - The registry does not need to exist yet. One that exists and does not read the bundle yet is a warning.
      - With O(state=absent) all such ConfigMaps of the registry are removed.
      - A name that no registry can have is refused, and so is a O(kind) or O(key) that no upload has.
    type: str
  mode:
    description:
      - V(replace) makes the bundle hold exactly these certificates. V(add) puts those that it does not hold yet behind the others.
    type: str
    choices: [replace, add]
    default: replace
  state:
    description:
      - V(absent) removes the bundle. A bundle that a registry uses is refused, and the registries are named. One that does not exist is no change.
      - An object that has other keys too keeps them.
    type: str
    choices: [present, absent]
    default: present
  expiry_days:
    description:
      - A certificate that expires within so many days is a warning. Less than 0 is refused.
    type: int
    default: 30
  database:
    description:
      - A database that the bundle has to verify, in the same shape as in M(modelops.openshift_ai.model_registry). It connects from the host that the task
        runs on, with TLS and without a login, and proves that the database's certificate was signed by the bundle and is for that host.
      - A bundle that does not verify the certificate is refused before anything is written. So is a host name that the certificate does not have, but for
        PostgreSQL, where the product never checks it and it is a warning.
      - A database that cannot be reached from there is a warning.
      - Only O(database.type), O(database.host), O(database.namespace) and O(database.port) matter. The others may be given, so that one variable serves all
        modules. They are checked and then ignored.
    type: dict
    suboptions:
      type:
        description:
          - The kind of database. It must be given. V(mysql) stands for MariaDB too. V(generated) is refused.
        type: str
        choices: [mysql, postgresql, generated]
      host:
        description:
          - The host name or address of the database server, as the registry has it. It must be given.
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
        description: Ignored. Characters that break the server's connection string are refused.
        type: str
      username:
        description: Ignored. Characters that break the server's connection string are refused.
        type: str
      password:
        description: Ignored. One that the registry server could not use is refused.
        type: str
      password_secret:
        description: Ignored. Refused together with O(database.password).
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
        description: Ignored, whatever it is. The bundle takes its place.
        type: raw
      verify_server_cert:
        description: Ignored for MySQL, where the certificate and the host name are checked in any case. It is refused for PostgreSQL.
        type: bool
      ssl_mode:
        description: Ignored for PostgreSQL, where the connection is encrypted in any case. It is refused for MySQL.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      client_certificate:
        description: Ignored. What is no reference to a Secret is refused.
        type: raw
  restart:
    description:
      - Whether the registries that read the bundle are restarted after a change of it. One whose server is older than the bundle is restarted too, whoever
        changed that. Restarts roll.
      - With V(false) that is only reported, in a warning and in RV(registries).
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the registries that read the bundle serve. One that does not is an error that names the reason.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at most, for all registries together, at least 1. Less is refused.
      - A registry that this run does not change is waited for only until this many seconds have passed since its last change. One that has failed for longer is
        reported at once.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: The CA of the database of a registry, as an upload in the dashboard would put it there
  modelops.openshift_ai.model_registry_ca:
    registry: fraud-models
    path: database-ca.pem
  register: uploaded

- name: A registry that reads it; with `pem` in `database.ca` both are made in this one call
  modelops.openshift_ai.model_registry:
    name: fraud-models
    database:
      type: mysql
      host: mysql
      namespace: data
      name: fraud_models
      username: registry
      password: "{{ vault_database_password }}"
      ca:
        config_map: "{{ uploaded.ca.name }}"
        key: "{{ uploaded.ca.key }}"

- name: The new CA beside the old one, before the database gets its new certificate
  modelops.openshift_ai.model_registry_ca:
    registry: fraud-models
    path: new-database-ca.pem
    mode: add

- name: The new CA alone, once the database has its new certificate; it must verify the database
  modelops.openshift_ai.model_registry_ca:
    registry: fraud-models
    path: new-database-ca.pem
    database:
      type: mysql
      host: mysql
      namespace: data

- name: A bundle for many registries in a Secret
  modelops.openshift_ai.model_registry_ca:
    name: company-ca
    kind: secret
    pem: "{{ lookup('ansible.builtin.file', 'database-ca.pem') }}"

- name: No such bundle any more
  modelops.openshift_ai.model_registry_ca:
    name: company-ca
    kind: secret
    state: absent
"""

RETURN = r"""
changes:
  description:
    - What was done, in order. In check mode what would be done; C(unverified) marks what the cluster could not be asked about beforehand. After a failure it
      marks a write of which it is not known whether it was carried out.
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
      description: The namespace of the object; empty for one of the whole cluster.
      type: str
    name:
      description: The name of the object.
      type: str
    fields:
      description: The options whose values were set or changed.
      type: list
      elements: str
ca:
  description: The bundle as it is now, in check mode as it would be. Empty after a removal.
  returned: success
  type: dict
  contains:
    kind:
      description: V(config_map) or V(secret).
      type: str
    name:
      description: The name of the ConfigMap or Secret.
      type: str
    namespace:
      description: Its namespace.
      type: str
    key:
      description: The key of the bundle in it.
      type: str
    certificates:
      description: Its certificates, each with C(subject), C(issuer), C(not_before), C(not_after), C(is_ca) and its fingerprint C(sha256).
      type: list
      elements: dict
    database:
      description: What the look at O(database) showed.
      returned: when O(database) was given
      type: dict
      contains:
        verified:
          description: Whether the bundle verifies the database's certificate. Null when the database cannot be reached from here.
          type: bool
        findings:
          description: Everything that was looked at, each with C(check), C(result), C(message) and C(remedy).
          type: list
          elements: dict
        product:
          description: What the product itself checks.
          type: str
registries:
  description: The registries that read the bundle.
  returned: success, and when one of them does not serve
  type: list
  elements: dict
  contains:
    name:
      description: The name of the registry.
      type: str
    serving:
      description: Whether it serves.
      type: bool
    reason:
      description: Why it does not serve.
      type: str
    restart_needed:
      description: Whether its server is older than the bundle and was not restarted, because of O(restart=false).
      type: bool
cluster:
  description: Which cluster was spoken to, and as whom.
  returned: always
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

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca


def main() -> None:
    _module.run_on_cluster(
        _options.BUNDLE,
        ca.converge,
        ca.input_problems,
        ca.BundleOutcome(),
        required_one_of=[("name", "registry")],
        mutually_exclusive=[("name", "registry")],
    )


if __name__ == "__main__":
    main()
