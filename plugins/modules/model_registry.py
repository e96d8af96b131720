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
  - Creates one model registry on an external MySQL, MariaDB or PostgreSQL database, or on one that the product generates, edits it in place, and deletes it.
  - It waits until the registry really serves, or says why it does not.
  - The objects are those that the dashboard of the product writes, so that a registry can be made there and edited here, and the other way round.
  - Everything that can be known is checked before anything is written, and one message names all problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.database
  - modelops.openshift_ai.permissions
notes:
  - An option that is left out keeps its live value.
  - Only the fields that are given are compared and written. Labels, annotations and fields of others stay as they are.
  - O(permissions) of a new registry are granted as soon as there is one, and its members are added when it serves.
  - O(permissions) are not looked at when a registry is deleted. RoleBindings that the dashboard or this collection made for it go with it, also those that
    nothing else would delete.
  - To grant access, the account needs the right to C(bind) the Role of the registry, or the same rights as that Role gives. Without either nothing is written.
  - A run that was killed can be run again. It ends in the state that an undisturbed run ends in.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4, for O(database.ca) with C(pem) and for O(check_database)
  - PyMySQL >= 1.0.2 for MySQL and psycopg >= 3.1.8 for PostgreSQL, for O(check_database)
seealso:
  - module: modelops.openshift_ai.model_registry_ca
  - module: modelops.openshift_ai.model_registry_database_info
options:
  name:
    description:
      - The resource name of the registry. It cannot be changed later.
      - Lower-case letters, digits and hyphens, beginning and ending with a letter or digit. Anything else is refused, and the name that the dashboard would
        derive is suggested. Before Kubernetes 1.36 a digit at the beginning is refused too.
      - At most 48 characters. The dashboard creates only registries with at most 40, and edits longer ones too.
      - A name that a registry in another namespace has is refused, and that namespace is named.
    type: str
    required: true
  namespace:
    description:
      - The namespace that the product keeps its registries in.
      - Left out, it is read from the DataScienceCluster. Where there is none, or the account may not read it, an error says so.
      - A namespace that does not exist or is not the operator's is refused, and the operator's is named.
    type: str
  state:
    description:
      - V(absent) deletes the registry with what was made for it alone. That is the Secret of its password and uploaded CA certificates, when the dashboard or
        this collection made them and no other registry uses them, and the ClusterRoleBinding that the operator leaves behind. An external database is never
        touched. RV(kept) names what stays.
      - What a deletion that was stopped has left is deleted as well. A registry that does not exist is no change.
    type: str
    choices: [present, absent]
    default: present
  display_name:
    description:
      - The name that people see. A new registry gets O(name).
      - A blank text is refused.
    type: str
  description:
    description:
      - What the registry is for. An empty text clears it.
    type: str
  check_database:
    description:
      - What to do if the database would keep the registry server from becoming available. With V(warn) a warning is issued. With V(fail) the module fails
        before anything is written. With V(ignore) the database is not checked.
      - The database is checked as M(modelops.openshift_ai.model_registry_database_info) does, from the host that the task runs on, and only if the call creates
        the registry, or changes an option of O(database) or the password. Each step takes at most 2 seconds. The user logs in once. A generated database is not
        checked.
      - What depends on the address of the client is a warning at most, such as a host name that only the cluster can resolve, or a login that MySQL refuses,
        whose accounts are for hosts.
      - Requires the Python packages C(cryptography) and C(PyMySQL) or C(psycopg). Where they are missing, V(fail) makes the module fail, and V(warn) is only
        reported in RV(database).
      - If the registry does not become available, the message reports what is wrong with the database.
    type: str
    choices: [ignore, warn, fail]
    default: warn
  restart:
    description:
      - Whether a server is restarted that is older than the data of the Secrets or ConfigMaps that it reads. Restarts roll.
      - With V(false) it is only reported, in a warning and in RV(status.restart_needed), and goes on with what it has read. For maintenance windows.
      - A change of the registry's database makes the operator replace the server in any case.
    type: bool
    default: true
  allow_data_change:
    description:
      - Whether an existing registry may be moved to another database, host or type of database. Its models stay behind in the old one.
      - Without it that is refused before anything is written.
      - A generated database that a registry leaves stays until the registry is deleted.
    type: bool
    default: false
  delete_data:
    description:
      - Whether a registry may be deleted together with the database that was generated for it. Without it that is refused before anything is written.
      - It has no effect on an external database, which is never deleted.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the registry serves, with the definition that it has after this call, or until it is gone.
      - A registry that does not is an error that names the reason.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at most, at least 1. Less is refused.
      - What only another input can cure, such as a wrong password, ends the wait as soon as it has shown twice.
      - A registry that this run does not change is waited for only until this many seconds have passed since its last change. One that has failed for longer is
        reported at once.
    type: int
    default: 300
  smoke_test:
    description:
      - Whether to ask a registry that serves for its models, at its public address, with the token that this run logs in to the cluster with. Nothing is
        written to it. The certificate is checked with the CAs of the system, then with O(ca_cert).
      - The token is sent only to a host below the domain of the cluster's own ingress, or below one of O(smoke_test_domains). The host in the status of a
        registry is the choice of those who may edit it.
      - No request is sent if O(impersonate_user) or O(impersonate_groups) is set. The token is not that of the impersonated account.
      - RV(status.smoke_test) tells the answer. Any other than success is a warning.
    type: bool
    default: false
  smoke_test_domains:
    description:
      - More domains below which a host may get the token of this run, such as that of a gateway with a domain of its own.
      - The domain of the cluster's ingress does not have to be listed if the account may read it, with the permissions of C(rbac/cluster.yml).
      - Ignored if O(smoke_test=false).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: A registry on an external MariaDB, its certificate checked with the cluster-wide CA bundle
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
      ca: cluster

- name: Another description for it; everything else stays
  modelops.openshift_ai.model_registry:
    name: fraud-models
    description: Models of the fraud and abuse teams

- name: The data scientists, and the pipelines of one project, may use it
  modelops.openshift_ai.model_registry:
    name: fraud-models
    permissions:
      groups:
        - data-scientists
      projects:
        - fraud-dev

- name: The same registry, moved to a PostgreSQL; its models stay behind in the MariaDB
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
      ca: cluster

- name: Its database's CA given here, and the database looked at first where it can be reached
  modelops.openshift_ai.model_registry:
    name: fraud-models
    check_database: warn
    database:
      ca:
        pem: "{{ lookup('ansible.builtin.file', 'database-ca.pem') }}"

- name: No registry any more; the PostgreSQL and its data stay
  modelops.openshift_ai.model_registry:
    name: fraud-models
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
registry:
  description:
    - The registry as it is now, in the shape of the options, without secrets. Empty after a deletion. C(permissions) only when O(permissions) was given.
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
      ca: cluster
      verify_server_cert: true
database:
  description: Whether the database was checked before it was written.
  returned: when O(check_database) is not V(ignore), and the call creates the registry or changes its connection to an external database
  type: dict
  contains:
    checked:
      description: Whether the check came to a conclusion. If it is V(true), everything that was found is in the warnings or in the error.
      type: bool
    reason:
      description: Why there is no conclusion, such as a Python package that is missing, or a host that cannot be reached from here.
      type: str
  sample:
    checked: true
    reason: ""
status:
  description: How the registry is.
  returned: success, and when it does not serve
  type: dict
  contains:
    serving:
      description: Whether it serves what its definition says.
      type: bool
    reason:
      description: Why it does not serve.
      type: str
    address:
      description: The public URL.
      type: str
    hosts:
      description: All names under which it can be reached, from outside and inside of the cluster.
      type: list
      elements: str
    conditions:
      description: The conditions that the operator reports.
      type: list
      elements: dict
    restart_needed:
      description: Whether the server is older than what it reads and was not restarted, because of O(restart=false).
      type: bool
    smoke_test:
      description:
        - What the registry answered, with C(result), C(message) and C(http_status). The result is V(ok), V(unauthorized), V(forbidden), V(failed),
          V(unreachable), V(no_token), V(no_address) or V(not_trusted).
      returned: when O(smoke_test=true) and the registry serves
      type: dict
kept:
  description:
    - What a deletion has left, each with C(kind), C(name) and C(reason).
    - Secrets that are not needed anymore when the registry is available, if it was not seen available with its new definition. A later run deletes them.
  returned: when something was kept
  type: list
  elements: dict
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registry


def main() -> None:
    _module.run_on_cluster(_options.REGISTRY, registry.converge, registry.input_problems)


if __name__ == "__main__":
    main()
