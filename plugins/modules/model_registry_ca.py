#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_ca
short_description: Manage the CA certificates that model registries use to verify their databases
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Creates, updates or removes a bundle of CA certificates in a ConfigMap or Secret in the namespace of the model registries.
  - Checks each certificate before anything is written. With O(database), also checks that the certificate of the database can be verified with the bundle.
  - After a change, restarts only the registries that use the bundle, and waits until all of them are available.
  - If a registry was available with the previous bundle, that bundle stays in the object under another key until all registries are available with the new one.
    If no registry becomes available with the new bundle, the previous bundle is usually restored. For example, it is not restored if the database accepts the
    new one, if the previous one is known not to work, or if another process has changed the bundle in the meantime. The error reports the result. With
    O(wait=false), or if the run is interrupted, a later run of the same task removes or restores the previous bundle. With O(mode=add), the previous
    certificates stay in the bundle itself.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  diff_mode:
    description: Shows the subjects, expiry dates and fingerprints of the certificates. The PEM text is not shown.
    support: full
notes:
  - To rotate the CA of a database without downtime, add the new CA with O(mode=add), replace the certificate of the database, and then set only the new CA with
    O(mode=replace).
  - The module never changes or deletes a ConfigMap or Secret that is managed by the platform or another tool. This includes objects of the platform (such as
    C(odh-trusted-ca-bundle)), objects with an owner reference, objects with labels or annotations of a tool (such as Argo CD, Flux, Helm, External Secrets or
    cert-manager), and objects whose data a controller wrote. The module succeeds without a change if such an object already contains the desired bundle.
  - The module never replaces or deletes a key that a registry uses as a password, client certificate or private key. It also never replaces or deletes a key
    that contains a private key or text without a PEM certificate, or any key of a Secret that contains the password of a database.
  - Text between the certificates in O(pem) or O(path) is removed. Windows line endings and byte order marks are accepted. Duplicates are removed.
  - A run that was interrupted can be repeated, with the same result as an uninterrupted run.
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
      - The name of the ConfigMap or Secret. The module fails if it is not a valid name.
      - Mutually exclusive with O(registry). One of them is required.
    type: str
  namespace:
    description:
      - The namespace of the model registries.
      - If not set, it is read from the DataScienceCluster. If the DataScienceCluster does not specify a namespace, the value is read from the AIHub of
        OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - The module fails if it detects that the namespace does not exist or is not the one that the operator uses. The error contains the correct namespace, if
        it is known.
    type: str
  kind:
    description:
      - The kind of the object that contains the bundle. A new Secret is of type C(Opaque), the only type that the dashboard offers. The module fails if it
        would have to change an existing Secret of another type.
    type: str
    choices: [config_map, secret]
    default: config_map
  key:
    description:
      - The key of the bundle in the object. The module fails if it is not a valid key. Other keys, except for that of the previous bundle, are not changed.
    type: str
    default: ca.crt
  pem:
    description:
      - The certificates in PEM format. Mutually exclusive with O(path). With O(state=present), one of them is required. The module fails if one of them is set
        with O(state=absent).
      - A warning is issued for a certificate that has expired or is not yet valid, and for a self-signed server certificate.
      - The module fails if the text is empty, contains no certificate or an invalid certificate, contains a server certificate instead of the certificate of
        its CA, or is too large for one object. For an invalid certificate, the error contains the line number.
      - The module fails if no certificate of the bundle is currently valid.
      - The module fails if the text contains a private key. The key is never shown. The module also fails if the certificates are in DER, PKCS#7, PKCS#12 or
        Java keystore format. The error contains the command that converts them.
    type: str
  path:
    description:
      - The path of a file on the controller that contains the certificates. A relative path is also searched for in C(files/). A file that is encrypted with
        Ansible Vault is decrypted.
      - The module fails if the file does not exist on the controller, even if it exists on the managed host.
    type: str
  registry:
    description:
      - The registry whose CA is managed. The bundle is stored in the same ConfigMap as an upload in the dashboard. The name of the ConfigMap is
        C(<name>-db-credential). If that name is already in use, a number is appended, such as C(<name>-db-credential-2).
      - If the registry uses such a ConfigMap, it is updated. Otherwise, a ConfigMap of an upload with the same certificates is reused, or a new one is created.
        With O(mode=replace), a ConfigMap with other certificates is overwritten only if the registry uses it. With O(mode=add), the certificates are added to
        the ConfigMap of a previous upload, even if the registry does not use it yet.
      - A ConfigMap that another registry uses, or that neither the dashboard nor this collection created, is never overwritten.
      - If the registry uses C(db-credential), that ConfigMap is updated. The dashboard creates it if a certificate is uploaded before the registry has a name.
      - The registry does not need to exist. A warning is issued if it exists and does not use the bundle.
      - With O(state=absent), all ConfigMaps with CA certificates that were uploaded for the registry are deleted, if the dashboard or this collection created
        them.
      - The module fails if the name is not valid for a registry, if O(kind) is not V(config_map), or if O(key) is not V(ca.crt).
    type: str
  mode:
    description:
      - V(replace) replaces all certificates of the bundle. V(add) appends certificates that the bundle does not contain yet.
    type: str
    choices: [replace, add]
    default: replace
  state:
    description:
      - V(present) creates or updates the bundle. V(absent) removes it. If the object has other keys, only the key of the bundle is removed.
      - With V(absent), the module fails if a registry uses the bundle. The error lists the registries.
    type: str
    choices: [present, absent]
    default: present
  expiry_days:
    description:
      - A warning is issued for certificates that expire within this number of days. The module fails if the value is less than 0 or more than 1000000.
    type: int
    default: 30
  database:
    description:
      - A database whose certificate is verified with the bundle before anything is written. The options are those of M(modelops.openshift_ai.model_registry).
      - The host that executes the task connects to the database with TLS but does not log in. It verifies that the certificate of the database is signed by a
        CA in the bundle, and that it is valid for the host name.
      - A warning is issued if the database cannot be reached.
      - The module fails if the certificate cannot be verified. For MySQL, it also fails if the certificate is not valid for the host name. For PostgreSQL, a
        certificate that is not valid for the host name only causes a warning, because the product does not verify the host name if a CA is set.
      - Only O(database.type), O(database.host), O(database.namespace) and O(database.port) are used. O(database.ca) is ignored. All other suboptions are
        validated and then ignored. The same variable can therefore be used for all modules.
    type: dict
    suboptions:
      type:
        description:
          - The type of the database. Required. V(mysql) is for MySQL and MariaDB. The module fails for V(generated).
        type: str
        choices: [mysql, postgresql, generated]
      host:
        description:
          - The host name or IP address of the database server, as in the registry. Required.
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
        description: Ignored. The module fails if the value contains a character that is not valid in the connection string of the registry server.
        type: str
      username:
        description: Ignored. The module fails if the value contains a character that is not valid in the connection string of the registry server.
        type: str
      password:
        description: Ignored. The module fails if the registry server could not use the value.
        type: str
      password_secret:
        description: Ignored. Mutually exclusive with O(database.password).
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
        description: Ignored. The bundle is used instead.
        type: dict
        suboptions:
          source:
            description: Ignored.
            type: str
            choices: [cluster, openshift_ai, config_map, secret, upload, none]
            required: true
          name:
            description: Ignored.
            type: str
          key:
            description: Ignored.
            type: str
          pem:
            description: Ignored.
            type: str
          path:
            description: Ignored. The file is not read.
            type: str
      verify_server_cert:
        description: Ignored for MySQL, because this check always verifies the certificate and the host name. The module fails for PostgreSQL.
        type: bool
      ssl_cipher:
        description: Ignored for MySQL. The module fails for PostgreSQL.
        type: str
      ssl_mode:
        description: Ignored for PostgreSQL, because the connection is always encrypted. The module fails for MySQL.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      client_certificate:
        description: Ignored.
        type: dict
        suboptions:
          source:
            description: Ignored.
            type: str
            choices: [secret, none]
            required: true
          name:
            description: Ignored. The module fails if it is not a valid name.
            type: str
          certificate_key:
            description: Ignored. The module fails if it is not a valid key.
            type: str
            default: tls.crt
          private_key_key:
            description: Ignored. The module fails if it is not a valid key.
            type: str
            default: tls.key
  restart:
    description:
      - Whether to perform a rolling restart of the registries that use the bundle if the bundle has changed since their servers started.
      - With V(false), required restarts are only reported, in a warning and in RV(registries[].restart_needed).
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the registries that use the bundle are available.
      - The module fails if a registry does not become available. The error reports the cause.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for all registries together, in seconds. Ignored if O(wait=false).
      - For a registry that the task does not change, the time is counted from the last change to the registry. If O(wait_timeout) has already passed since
        then, the module waits at most 5 seconds or, if a restart of a failed server is due within 60 seconds, until 20 seconds after the restart.
      - The module fails if the value is less than 1.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Upload the CA certificate of the database of a registry, as in the dashboard
  modelops.openshift_ai.model_registry_ca:
    registry: fraud-models
    path: database-ca.pem
  register: uploaded

- name: Create the registry with this CA. Alternatively, set database.ca.source=upload to perform both steps in one task
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
        source: config_map
        name: "{{ uploaded.ca.name }}"
        key: "{{ uploaded.ca.key }}"

- name: Add the new CA before the certificate of the database is replaced
  modelops.openshift_ai.model_registry_ca:
    registry: fraud-models
    path: new-database-ca.pem
    mode: add

- name: Remove the old CA after the certificate of the database was replaced, and verify the database
  modelops.openshift_ai.model_registry_ca:
    registry: fraud-models
    path: new-database-ca.pem
    database:
      type: mysql
      host: mysql
      namespace: data

- name: Create a bundle for several registries in a Secret
  modelops.openshift_ai.model_registry_ca:
    name: company-ca
    kind: secret
    pem: "{{ lookup('ansible.builtin.file', 'database-ca.pem') }}"

- name: Remove the bundle
  modelops.openshift_ai.model_registry_ca:
    name: company-ca
    kind: secret
    state: absent
"""

RETURN = r"""
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
ca:
  description: The current bundle. In check mode, the bundle that would be written. Empty after a removal.
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
      description: The namespace of the ConfigMap or Secret.
      type: str
    key:
      description: The key of the bundle.
      type: str
    certificates:
      description: The certificates, each with C(subject), C(issuer), C(not_before), C(not_after), C(is_ca) and the fingerprint C(sha256).
      type: list
      elements: dict
    database:
      description: The result of the check of O(database).
      returned: if O(database) is set
      type: dict
      contains:
        verified:
          description: Whether the certificate of the database can be verified with the bundle. Null if the database cannot be reached.
          type: bool
        findings:
          description: The findings, each with C(check), C(result), C(message) and C(remedy).
          type: list
          elements: dict
        product:
          description: Which properties of the certificate the product itself verifies.
          type: str
kept:
  description: The object that still contains the previous bundle, with C(kind), C(name) and C(reason). A later run removes the previous bundle.
  returned: if the previous bundle was kept
  type: list
  elements: dict
registries:
  description: The registries that use the bundle.
  returned: success, or if a registry does not become available
  type: list
  elements: dict
  contains:
    name:
      description: The resource name of the registry.
      type: str
    available:
      description: Whether the registry is available.
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
    restart_needed:
      description: Whether a restart is required and was not performed, because O(restart=false).
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca


def main() -> None:
    _module.run_on_cluster(
        _options.BUNDLE,
        ca.converge,
        ca.input_problems,
        record.Outcome(own={"ca": {}, "registries": []}),
        required_one_of=[("name", "registry")],
        mutually_exclusive=[("name", "registry")],
    )


if __name__ == "__main__":
    main()
