#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registries
short_description: Bring all model registries of a cluster to what one list says
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Creates and edits any number of model registries with their databases, CA certificates and permissions, and can delete those that are not listed.
  - It reads once, plans everything, writes only what differs, many registries side by side, and waits for all of them together.
  - Everything that M(modelops.openshift_ai.model_registry) does it does in the same way, for each of them.
  - In check mode it is the report of drift. It tells what differs, from what to what, and who wrote it when.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.registries
notes:
  - What is wrong with the list itself is refused before anything is written. What only the cluster tells of a registry, such as a Secret that does not exist or
    a database that refuses the login, is a failure of that registry. The others are brought to what is wanted all the same, and the task then fails with
    the reason of each that was not.
  - Each registry is written in an order that is safe. CA and password come before it, who may use it after it, and the members of its group when it serves.
  - A run that was killed can be run again. It ends in the state that an undisturbed run ends in. With C(connection=local), and not
    in the background, it writes nothing more a moment after the run of Ansible that started it has ended. Elsewhere it stops when it is told to (SIGTERM).
  - While it runs, it says what it does and what it waits for, on the error output of Ansible. With another connection than C(local), in the background
    (C(async)) and with C(no_log) it says nothing. RV(timeline) has all of it.
  - It speaks to one cluster. A play over an inventory of clusters with C(connection=local) converges them all.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - cryptography >= 3.4, for C(pem) in O(registries[].database.ca) and for O(check_database)
  - PyMySQL >= 1.0.2 for MySQL and psycopg >= 3.1.8 for PostgreSQL, for O(check_database)
seealso:
  - module: modelops.openshift_ai.model_registry
  - module: modelops.openshift_ai.model_registry_info
options:
  namespace:
    description:
      - The namespace that the product keeps its registries in.
      - Left out, it is read from the DataScienceCluster. Where there is none, or the account may not read it, an error says so.
      - A namespace that does not exist or is not the operator's is refused, and the operator's is named.
    type: str
  purge:
    description:
      - Whether registries that are not listed are deleted, with what was made for each of them alone, as M(modelops.openshift_ai.model_registry) does with
        C(state=absent). An external database is never touched.
      - They are deleted when all others are as wanted. When one of those failed, nothing is deleted, which is a warning.
      - What a listed registry reads, or is to read after this run, is not deleted with them. So one that is listed by another name can go on with the password
        and the CA of the one before. RV(kept) tells what was left.
      - Deletions that somebody has begun it completes, of registries that are still there and of those that left something behind. These need neither
        O(purge_limit) nor O(delete_data). What was left behind is found by the ClusterRoleBinding C(<name>-auth-delegator), which the operator leaves with
        every deletion. An account that may not list and delete ClusterRoleBindings gets a warning in its place.
      - One that no list can name, such as one with more than 48 characters, is left, which is a warning. M(modelops.openshift_ai.model_registry) deletes it
        with C(state=absent).
      - An empty O(registries) is refused with it.
    type: bool
    default: false
  purge_limit:
    description:
      - How many registries O(purge) may delete in one run. When more are not listed, the run is refused before anything is written, and they are named. Less
        than 0 is refused.
    type: int
    default: 1
  delete_data:
    description:
      - Whether O(purge) may delete registries together with the databases that were generated for them. Without it such a run is refused before anything is
        written.
    type: bool
    default: false
  check_database:
    description:
      - What to do if a database would keep its registry server from becoming available, as in O(modelops.openshift_ai.model_registry#module:check_database).
        With V(warn) a warning is issued. With V(fail) the registry fails, and nothing of it is written. With V(ignore) no database is checked.
      - Only databases whose connection this run writes are checked, in parallel. One warning names all that cannot be reached from the host that the task runs
        on.
    type: str
    choices: [ignore, warn, fail]
    default: warn
  restart:
    description:
      - Whether servers are restarted that are older than the data of the Secrets or ConfigMaps that they read. Restarts roll.
      - With V(false) it is only reported, in a warning and in C(status.restart_needed) of RV(registries). For maintenance windows.
    type: bool
    default: true
  smoke_test:
    description:
      - Whether to ask each registry that serves for its models, as O(modelops.openshift_ai.model_registry#module:smoke_test) does.
    type: bool
    default: false
  smoke_test_domains:
    description:
      - More domains below which a host may get the token of this run, as with O(modelops.openshift_ai.model_registry#module:smoke_test_domains).
    type: list
    elements: str
    default: []
  wait:
    description:
      - Whether to wait until all registries serve, for all of them together, and for those that are purged until they are gone.
      - A registry that does not is a failure of that registry, with the reason.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at most until all of them serve, for all together, and then once more as long until those that are purged are gone, for all of
        these together. At least 1. Less is refused.
      - Eight are purged side by side. Those whose turn has not come by then are left, and fail.
      - What only another input can cure, such as a wrong password, ends the wait for that registry as soon as it has shown twice.
      - A registry that this run does not change is waited for only until this many seconds have passed since its last change. One that has failed for longer is
        reported at once.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: All registries of the platform, with the groups that use them
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
          ca: cluster
        permissions:
          groups: [fraud-scientists]
          exact: true
      - name: credit-models
        database:
          type: postgresql
          host: postgres
          namespace: data
          name: credit_models
          username: registry
          password: "{{ vault_credit_password }}"
          ca: cluster
        permissions:
          groups: [credit-scientists]
          projects: [credit-dev]

- name: What differs from that, without changing anything
  modelops.openshift_ai.model_registries:
    registries: "{{ model_registries }}"
  check_mode: true
  register: report

- name: Delete the one registry that is not listed any more, and refuse when there are more
  modelops.openshift_ai.model_registries:
    registries: "{{ model_registries }}"
    purge: true
    purge_limit: 1

- name: All clusters of the inventory have the same registries
  hosts: clusters
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Converge the registries of this cluster
      modelops.openshift_ai.model_registries:
        kubeconfig: "{{ cluster_kubeconfig }}"
        registries: "{{ model_registries }}"
"""

RETURN = r"""
registries:
  description:
    - Each registry of O(registries), in their order, in the shape of the options, without secrets. C(permissions) only where they were given.
    - A registry that does not exist, as in check mode before it is made, has what is known of it.
  returned: always, unless the list itself was refused
  type: list
  elements: dict
  contains:
    name:
      description: The resource name.
      type: str
    changed:
      description: Whether something of it was changed, or in check mode would be.
      type: bool
    failed:
      description: Whether something went wrong with it. What ended a whole run is in its C(msg) alone.
      type: bool
    msg:
      description: Why not.
      returned: when it failed
      type: str
    status:
      description:
        - How it is, as RV(modelops.openshift_ai.model_registry#module:status) of the single module tells.
      type: dict
changes:
  description:
    - What was done, for one registry after the other. In check mode what would be done; C(unverified) marks what the cluster could not be asked about
      beforehand. After a failure it marks a write of which it is not known whether it was carried out.
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
drift:
  description: What was live other than wanted when the run began. In check mode it is still so.
  returned: always
  type: list
  elements: dict
  contains:
    registry:
      description: The registry.
      type: str
    option:
      description:
        - The option, such as V(database.port) or V(permissions.groups[fraud-scientists]). For a registry that does not exist it is V(name).
        - V(permissions.exact) stands for a RoleBinding with whose end nobody loses access, because it grants nothing or the same as another one.
      type: str
    before:
      description: The live value; for access V(granted) or nothing. A password is masked.
      type: raw
    after:
      description: The wanted value.
      type: raw
    manager:
      description: The field manager that wrote the live value last, where the cluster tells.
      type: str
    time:
      description: When that was.
      type: str
unlisted:
  description: The live registries that O(registries) does not list, each with C(name) and C(display_name).
  returned: always
  type: list
  elements: dict
databases:
  description: Whether the databases were checked before they were written, each with the C(name) of the registry.
  returned: when O(check_database) is not V(ignore), and the call creates registries or changes their connections to external databases
  type: list
  elements: dict
  contains:
    name:
      description: The name of the registry.
      type: str
    checked:
      description: Whether the check came to a conclusion.
      type: bool
    reason:
      description: Why there is no conclusion.
      type: str
kept:
  description:
    - What O(purge) has left, each with C(kind), C(name) and C(reason).
    - Secrets that are not needed anymore when their registry is available, if it was not seen available with its new definition. A later run deletes them.
  returned: when something was kept
  type: list
  elements: dict
timeline:
  description: What was said while it ran, each with C(seconds) since its start and C(message).
  returned: always
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
  description: What is wrong, with the input or with single registries.
  returned: when the input is wrong, or single registries failed
  type: list
  elements: dict
  contains:
    option:
      description: The path of the option, such as V(registries[17].database.port), or of the registry.
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

import gc

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options


def main() -> None:
    # Imported here: what is imported and what is read stays until the end, so that a search for garbage in it only takes time. `run` ends with the process.
    gc.disable()
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registries

    registries.run(_options.REGISTRIES)


if __name__ == "__main__":
    main()
