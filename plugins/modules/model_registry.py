#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry
short_description: Create, edit and delete a model registry of OpenShift AI or Open Data Hub
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Creates, edits and deletes a model registry. The database of the registry is an external MySQL, MariaDB or PostgreSQL database, or a database that the
    product generates.
  - Waits until the registry is available, which means that it serves requests with its current definition. If it does not become available, the module fails
    and reports the cause.
  - Writes the same objects as the dashboard. A registry can be created in the dashboard and edited with this module, and vice versa.
  - Checks the options and the cluster before anything is written. One error lists the problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.database
  - modelops.openshift_ai.permissions
notes:
  - Options that are not set keep their current values, unless their description states otherwise.
  - Labels, annotations and fields of a registry that do not correspond to an option are not changed.
  - For a new registry, access in O(permissions) is granted as soon as the registry exists. Members are added when the registry is available.
  - O(permissions) is ignored with O(state=absent). RoleBindings that the dashboard or this collection created for the registry are deleted together with it,
    including those that Kubernetes does not delete automatically.
  - To grant access, the account needs permission to C(bind) the Role of the registry, or all permissions of that Role. Otherwise, the module fails before
    anything is written.
  - A run that was interrupted can be repeated, with the same result as an uninterrupted run.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4, for O(database.ca.source=upload) and for O(check_database)
  - PyMySQL >= 1.0.2 for MySQL and psycopg >= 3.1.8 for PostgreSQL, for O(check_database)
seealso:
  - module: modelops.openshift_ai.model_registry_ca
  - module: modelops.openshift_ai.model_registry_database_info
options:
  name:
    description:
      - The resource name of the registry. It cannot be changed later.
      - The name must consist of lowercase letters, digits and hyphens, begin and end with a letter or digit, and have at most 48 characters. In Kubernetes 1.35
        and earlier, the name of a new registry must begin with a letter. With O(state=present), the module fails for any other name. If the name contains other
        characters, the error suggests the name that the dashboard would derive, if there is one.
      - In OpenShift AI 3.4 and later, the dashboard creates registries with a name of up to 40 characters, but it can edit registries with longer
        names.
      - The module fails if a new registry has the same name as a registry in another namespace. The error contains that namespace.
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
  state:
    description:
      - V(present) creates or edits the registry. V(absent) deletes the registry.
      - Together with the registry, V(absent) deletes the Secret that contains its password, and the ConfigMaps that contain its uploaded CA certificates, if
        the dashboard or this collection created these objects and no other registry uses them. Secrets and ConfigMaps that were created for a registry that no
        longer exists are deleted together with the last registry that uses them. V(absent) also deletes the ClusterRoleBinding that the operator leaves behind,
        and anything that an interrupted deletion has left behind. Objects that the module keeps are listed in RV(kept). A warning is issued for objects that
        the account cannot read, and for a ClusterRoleBinding that it cannot delete.
      - An external database is never changed or deleted.
    type: str
    choices: [present, absent]
    default: present
  display_name:
    description:
      - The display name of the registry. For a new registry, the default is O(name). The module fails if it is blank.
    type: str
  description:
    description:
      - The description of the registry. An empty string removes it.
    type: str
  check_database:
    description:
      - What to do if the database would prevent the registry from becoming available. V(warn) issues a warning. V(fail) makes the module fail before anything
        is written. V(ignore) does not check the database.
      - The database is checked only if the module creates the registry or changes an option of O(database), such as the password. A generated database is not
        checked.
      - The checks are those of M(modelops.openshift_ai.model_registry_database_info). They run on the host that executes the task. Each step takes at most 2
        seconds, and each check logs in only once. If the registry does not become available, the module can check the database again, for example with the
        previous password, which is another login.
      - Problems that depend on the address of the client never make the module fail. Examples are a host name that can be resolved only in the cluster, and a
        login that MySQL rejects, because MySQL accounts can be restricted to hosts.
      - Requires the Python package C(cryptography), and C(PyMySQL) for MySQL or C(psycopg) for PostgreSQL. If a package is missing, V(fail) makes the module
        fail. V(warn) only sets RV(database.checked) to V(false).
      - If the registry does not become available, the error also contains the problems that the check found.
    type: str
    choices: [ignore, warn, fail]
    default: warn
  restart:
    description:
      - Whether to perform a rolling restart if a Secret or ConfigMap used by the server has changed since the server started.
      - With V(false), a required restart is only reported, in a warning and in RV(status.restart_needed), and the server keeps running with the previous data.
        Outside of maintenance windows, use this value to postpone restarts.
      - After a change to the database settings, the operator always replaces the server.
    type: bool
    default: true
  allow_data_change:
    description:
      - Whether to allow an existing registry to be moved to another database, host, port or type of database. The models stay in the previous database.
      - With V(false), the module fails before anything is written if the registry would be moved.
      - A generated database that is no longer used is kept until the registry is deleted.
    type: bool
    default: false
  delete_data:
    description:
      - Whether to allow the deletion of a generated database together with the registry.
      - With V(false) and O(state=absent), the module fails before anything is written if the registry has a generated database, even if the registry no longer
        uses it.
      - Ignored with O(state=present). An external database is never deleted.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the registry is available with its current definition or, with O(state=absent), until it is deleted.
      - With V(true), the module fails if the registry does not become available. The error reports the cause.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. Ignored if O(wait=false).
      - The module stops waiting early if the same permanent error, such as a wrong password, is detected twice.
      - If the module does not change the registry, the time is counted from the last change to the registry. If O(wait_timeout) has already passed since
        then, the module waits at most 5 seconds or, if a restart of a failed server is due within 60 seconds, until 20 seconds after the restart.
      - The module fails if the value is less than 1.
    type: int
    default: 300
  smoke_test:
    description:
      - Whether to request the models of the registry at its public address when the registry is available. The request is authenticated with the token that is
        used to log in to the cluster. It does not write anything.
      - Version C(v1) of the REST API is requested first. C(v1alpha3) is requested if the registry does not provide C(v1), or to check whether its removal is
        announced. Registries of OpenShift AI 3.6 provide both versions.
      - The result is in RV(status.smoke_test). A warning is issued if the request does not succeed, or if the registry announces, in a C(Sunset) header, the
        date on which C(v1alpha3) will be removed.
      - The certificate of the registry is verified with the CA certificates of the system, and with those in O(ca_cert) or in the kubeconfig.
      - The token is sent only to hosts in the ingress domain of the cluster, or in one of O(smoke_test_domains), because users who can edit a registry can set
        any host in its status.
      - The request is not sent if the account logs in without a token, for example with a client certificate. It is also not sent if O(impersonate_user) or
        O(impersonate_groups) is set, because the token does not belong to the impersonated account.
    type: bool
    default: false
  smoke_test_domains:
    description:
      - Additional domains whose hosts can receive the token, such as the domain of a gateway. Ignored if O(smoke_test=false).
      - The ingress domain of the cluster is always included, provided that the account can read it. The permissions are in C(rbac/cluster.yml).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Create a registry on an external MariaDB and verify its certificate with the cluster-wide CA bundle
  modelops.openshift_ai.model_registry:
    name: fraud-models
    display_name: Fraud models
    description: Models of the fraud team
    database:
      type: mysql
      host: mysql
      namespace: data
      name: fraud_models
      username: registry
      password: "{{ vault_database_password }}"
      ca: {source: cluster}

- name: Change only the description
  modelops.openshift_ai.model_registry:
    name: fraud-models
    description: Models of the fraud and abuse teams

- name: Grant access to a group and to the service accounts of a project
  modelops.openshift_ai.model_registry:
    name: fraud-models
    permissions:
      groups:
        - data-scientists
      projects:
        - fraud-dev

- name: Move the registry to a PostgreSQL database and leave the models in MariaDB
  modelops.openshift_ai.model_registry:
    name: fraud-models
    allow_data_change: true
    database:
      type: postgresql
      host: postgres
      namespace: data
      name: fraud_models
      username: registry
      password: "{{ vault_database_password }}"
      ca: {source: cluster}

- name: Upload the CA certificate of the database and issue a warning if the database check fails
  modelops.openshift_ai.model_registry:
    name: fraud-models
    check_database: warn
    database:
      ca:
        source: upload
        path: database-ca.pem

- name: Delete the registry and keep the PostgreSQL database
  modelops.openshift_ai.model_registry:
    name: fraud-models
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
registry:
  description:
    - The current registry, in the format of the options and without secrets. Empty after a deletion. C(permissions) is included only if the option
      O(permissions) is set.
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
database:
  description: The result of the database check.
  returned: if O(check_database) is not V(ignore), and the module creates the registry or changes its connection to an external database
  type: dict
  contains:
    checked:
      description: Whether the check was conclusive. If V(true), all problems that were found are reported as warnings or in the error.
      type: bool
    usable:
      description: Whether the registry can become available with this database. Null if the check was not conclusive.
      type: bool
    reason:
      description:
        - Why the check was not conclusive, such as a missing Python package or a host that cannot be reached, or why the database is not usable.
      type: str
  sample:
    checked: true
    usable: true
    reason: ""
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
      description: Whether a restart is required and was not performed, because O(restart=false) or because a Secret, a ConfigMap or a key that the server uses
        does not exist.
      type: bool
    smoke_test:
      description:
        - The response of the registry, with C(result), C(message) and C(http_status). The result is V(ok), V(unauthorized), V(forbidden), V(failed),
          V(unreachable), V(no_token), V(no_address) or V(not_trusted).
        - C(api_version) is the version of the REST API that responded. Null if there was no response.
        - C(sunset) is the content of a C(Sunset) header, with C(api_version), C(date) and C(message). Null if there was no such header.
      returned: if O(smoke_test=true) and the registry is available
      type: dict
kept:
  description:
    - The objects that the module kept, each with C(kind), C(name) and C(reason).
    - If the registry is not yet available with its new definition, the Secret that it no longer uses, and the Secrets and ConfigMaps that contain its previous
      password or CA, are also listed. A later run deletes the unused Secret and removes the previous values when the registry is available.
  returned: if an object was kept
  type: list
  elements: dict
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registry


def main() -> None:
    _module.run_on_cluster(_options.REGISTRY, registry.converge, registry.input_problems)


if __name__ == "__main__":
    main()
