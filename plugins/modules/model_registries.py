#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registries
short_description: Reconcile all model registries of a cluster with a list
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Creates and edits any number of model registries, with their databases, CA certificates and permissions. It can also delete registries that are not listed.
  - Plans all changes before the first write, writes only the differences, processes registries in parallel, and waits for all of them together.
  - Treats each registry in the same way as M(modelops.openshift_ai.model_registry).
  - In check mode, reports drift, with the current value, the desired value, and the client and time of the last change.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.registries
notes:
  - If the list itself is not valid, the module fails before anything is written. Problems that can be detected only in the cluster, such as a Secret that does
    not exist or a login that the database rejects, affect only the registry in question. All other registries are reconciled, and the module then fails and
    reports the reason for each registry that was not reconciled.
  - For each registry, the CA certificate and the password are written before the registry, and the permissions after it. Members are added to the group of the
    registry when the registry is available.
  - A run that was interrupted can be repeated, with the same result as an uninterrupted run. With C(connection=local) and without C(async), the module stops
    writing shortly after the Ansible process that started it has ended. The module also stops when it receives the signal SIGTERM, SIGINT or SIGHUP.
  - Progress is shown on the standard error stream of Ansible while the module runs. It is not shown with connections other than C(local), with C(async), or
    with C(no_log). All progress messages are in RV(timeline).
  - On each host of a play, the module connects to one cluster. A play with C(connection=local) over an inventory of clusters reconciles all clusters.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4, for O(registries[].database.ca.source=upload), O(check_database), and V(certificates) and V(database) in O(info.include)
  - PyMySQL >= 1.0.2 for MySQL and psycopg >= 3.1.8 for PostgreSQL, for O(check_database) and for V(database) in O(info.include)
seealso:
  - module: modelops.openshift_ai.model_registry
  - module: modelops.openshift_ai.model_registry_info
options:
  namespace:
    description:
      - The namespace of the model registries.
      - If not set, it is read from the DataScienceCluster. If the DataScienceCluster does not specify a namespace, the value is read from the AIHub of
        OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - The module fails if it detects that the namespace does not exist or is not the one that the operator uses. The error contains the correct namespace, if
        it is known.
    type: str
  purge:
    description:
      - Whether to delete registries that are not listed, together with the objects that M(modelops.openshift_ai.model_registry) deletes with C(state=absent).
        An external database is never changed or deleted.
      - Registries are deleted after all listed registries have been reconciled. If a listed registry fails, nothing is deleted and a warning is issued.
      - Objects that a listed registry uses, or will use after this run, are kept. For example, a registry that is listed under a new name can use the password
        and the CA of the previous one. Objects that the module keeps are listed in RV(kept).
      - Deletions that an earlier run started are completed, regardless of O(purge_limit) and O(delete_data). Leftovers of a deleted registry are detected by
        its ClusterRoleBinding C(<name>-auth-delegator), which the operator leaves behind. A warning is issued if the account cannot list ClusterRoleBindings,
        or cannot delete one that was left behind.
      - A registry whose name is not valid in O(registries), such as a name with more than 48 characters, is kept and a warning is issued. Delete it with
        M(modelops.openshift_ai.model_registry) and C(state=absent).
      - A registry that another tool manages, such as Argo CD, is also kept and a warning is issued. Delete the registry with that tool.
      - With V(true), the module fails if O(registries) is empty.
    type: bool
    default: false
  purge_limit:
    description:
      - The maximum number of registries that O(purge) can delete in one run.
      - If more registries would be deleted, the module fails before anything is written. The error contains their number and at most ten of their names.
      - The module fails if the value is less than 0.
    type: int
    default: 1
  delete_data:
    description:
      - Whether to allow O(purge) to delete generated databases together with their registries.
      - With V(false), the module fails before anything is written if a registry with a generated database would be deleted, even if the registry no longer uses
        that database.
    type: bool
    default: false
  check_database:
    description:
      - What to do if a database would prevent its registry from becoming available. V(warn) issues a warning. With V(fail), the registry is reported as failed,
        and nothing is written for it. V(ignore) does not check any database. See O(modelops.openshift_ai.model_registry#module:check_database).
      - Only databases whose connection settings this run writes are checked, in parallel. One warning is issued for all databases that cannot be reached from
        the host that executes the task.
    type: str
    choices: [ignore, warn, fail]
    default: warn
  restart:
    description:
      - Whether to perform a rolling restart if a Secret or ConfigMap used by a server has changed since the server started.
      - With V(false), required restarts are only reported, in a warning and in C(status.restart_needed) of RV(registries), and the servers keep running with
        the previous data. Outside of maintenance windows, use this value to postpone restarts.
    type: bool
    default: true
  smoke_test:
    description:
      - Whether to request the models of each available registry, as O(modelops.openshift_ai.model_registry#module:smoke_test) does.
    type: bool
    default: false
  smoke_test_domains:
    description:
      - Additional domains whose hosts can receive the token, as in O(modelops.openshift_ai.model_registry#module:smoke_test_domains). Ignored if
        O(smoke_test=false).
    type: list
    elements: str
    default: []
  wait:
    description:
      - Whether to wait until all registries are available, and until the registries that O(purge) deletes no longer exist.
      - With V(true), a registry that does not become available is reported as failed, with the cause.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait until all registries are available, in seconds. The deletion of purged registries has a separate timeout of the same length. Ignored if
        O(wait=false).
      - Up to eight registries are purged in parallel. Registries whose deletion has not started within this time are kept and reported as failed.
      - The module stops waiting for a registry early if the same permanent error, such as a wrong password, is detected twice.
      - For a registry that the module does not change, the time is counted from the last change to the registry. If O(wait_timeout) has already passed
        since then, the module waits at most 5 seconds or, if a restart of a failed server is due within 60 seconds, until 20 seconds after the restart.
      - The module fails if the value is less than 1.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Reconcile all registries and their permissions
  modelops.openshift_ai.model_registries:
    registries:
      - name: fraud-models
        display_name: Fraud models
        database:
          type: mysql
          host: mysql
          namespace: data
          name: fraud_models
          username: registry
          password: "{{ vault_fraud_password }}"
          ca: {source: cluster}
        permissions:
          groups: [fraud-scientists]
          exclusive: true
      - name: credit-models
        database:
          type: postgresql
          host: postgres
          namespace: data
          name: credit_models
          username: registry
          password: "{{ vault_credit_password }}"
          ca: {source: cluster}
        permissions:
          groups: [credit-scientists]
          projects: [credit-dev]

- name: Detect drift without changing anything
  modelops.openshift_ai.model_registries:
    registries: "{{ model_registries }}"
  check_mode: true
  register: report

- name: Detect drift, and read the status of all registries with the same requests
  modelops.openshift_ai.model_registries:
    registries: "{{ model_registries }}"
    info: {include: [status, certificates]}
  check_mode: true
  register: report

- name: Delete the registry that is no longer listed, and fail if there is more than one
  modelops.openshift_ai.model_registries:
    registries: "{{ model_registries }}"
    purge: true
    purge_limit: 1

- name: Reconcile the registries of all clusters in the inventory
  hosts: clusters
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Reconcile the registries of this cluster
      modelops.openshift_ai.model_registries:
        kubeconfig: "{{ cluster_kubeconfig }}"
        registries: "{{ model_registries }}"
"""

RETURN = r"""
registries:
  description:
    - The registries in O(registries), in the same order and in the format of the options, without secrets. C(permissions) is included only if the option
      O(registries[].permissions) is set.
    - For a registry that does not exist, only the known values are included.
    - If RV(info) is returned, only C(name), C(namespace), C(changed), C(failed) and C(msg) are included. All other values are in RV(info).
  returned: always, unless the list itself is not valid
  type: list
  elements: dict
  contains:
    name:
      description: The resource name of the registry.
      type: str
    changed:
      description: Whether the registry was changed or, in check mode, would be changed.
      type: bool
    failed:
      description: Whether the registry failed. An error that stops the whole run is reported only in the C(msg) of the result.
      type: bool
    msg:
      description: Why the registry failed.
      returned: if the registry failed
      type: str
    status:
      description:
        - The status of the registry, as in RV(modelops.openshift_ai.model_registry#module:status).
      type: dict
changes:
  description:
    - The changes that were made, by registry. In check mode, the changes that would be made.
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
compared:
  description: Whether the registries were compared with the list. If V(false), RV(drift) and RV(unlisted) are empty, because there was no comparison.
  returned: always
  type: bool
drift:
  description: The differences between the cluster and the list at the start of the run. In check mode, they still exist.
  returned: always
  type: list
  elements: dict
  contains:
    registry:
      description: The resource name of the registry.
      type: str
    option:
      description:
        - The option, such as V(database.port) or V(permissions.groups[fraud-scientists]).
        - V(name) stands for a registry that does not exist.
        - V(permissions.exclusive) stands for a RoleBinding that can be deleted without revoking any access, because it grants no access, or only access that
          another RoleBinding also grants.
      type: str
    before:
      description: The current value. For permissions, it is V(granted), or null. For V(permissions.exclusive), it is the RoleBinding with its subjects.
        Passwords are masked.
      type: raw
    after:
      description: The desired value.
      type: raw
    manager:
      description: The field manager that last wrote the current value, if it is known.
      type: str
    time:
      description: The time of that write.
      type: str
unlisted:
  description: The registries in the cluster that are not in O(registries), each with C(name) and C(display_name).
  returned: always
  type: list
  elements: dict
databases:
  description: The results of the database checks.
  returned: if O(check_database) is not V(ignore), and the module creates registries or changes their connections to external databases
  type: list
  elements: dict
  contains:
    name:
      description: The resource name of the registry.
      type: str
    checked:
      description: Whether the check was conclusive.
      type: bool
    usable:
      description: Whether the registry can become available with this database. Null if the check was not conclusive.
      type: bool
    reason:
      description: Why the check was not conclusive, or why the database is not usable.
      type: str
kept:
  description:
    - The objects that O(purge) kept, each with C(kind), C(name) and C(reason).
    - If a registry is not yet available with its new definition, the Secret that it no longer uses, and the Secrets and ConfigMaps that contain its previous
      password or CA, are also listed. A later run deletes the unused Secret and removes the previous values when the registry is available.
  returned: if an object was kept
  type: list
  elements: dict
info:
  description:
    - The result of M(modelops.openshift_ai.model_registry_info) for all registries in the namespace, as a string in JSON format. Ansible processes a string
      faster than a large dictionary. Use the filter C(from_json) to read it. With C(async), the result is a dictionary.
    - A warning is issued if the registries could not be read.
  returned: if O(info) is set, in check mode, and the registries could be read
  type: str
timeline:
  description: The progress messages, each with C(seconds) since the start and C(message).
  returned: always
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
  description: The problems that were found in the options or in individual registries.
  returned: if the options are not valid, or if individual registries failed
  type: list
  elements: dict
  contains:
    option:
      description: The path of the option, such as V(registries[17].database.port), or of the registry.
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

import gc

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options


def main() -> None:
    # Imported here: what is imported and what is read stays until the end, so that a search for garbage in it only takes time: of the 3.7 s of CPU of a play
    # over 100 registries 0.3 s. `run_on_cluster` ends with the process.
    gc.disable()
    from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registries

    _module.run_on_cluster(_options.REGISTRIES, registries.converge, registries.input_problems, registries.FleetOutcome())


if __name__ == "__main__":
    main()
