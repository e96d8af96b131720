#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_permission
short_description: Grant and revoke access to a model registry of OpenShift AI or Open Data Hub
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Grants access to one model registry to groups, users, projects and single service accounts, manages the members of its own group, or takes access away.
  - The objects are those that the dashboard of the product writes, so that access can be granted there and revoked here, and the other way round.
  - Two runs at the same time end in what both want together, and nobody is granted access twice.
  - Everything that can be known is checked before anything is written, and one message names all problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.permissions
attributes:
  diff_mode:
    description: In diff mode it shows what it changed, or would change, as a list of names with a line for each.
    support: full
notes:
  - The API server lets nobody grant rights that they do not have. The account needs the right to C(bind) the Role of the registry, or the same rights as that
    Role gives. Without either nothing is written, and the message names both.
  - A registry that was deleted and made again owns the RoleBindings of the listed grants again after the next run.
  - A RoleBinding to the Role C(registry-users-) and the registry's name, as documentation spells it, grants nothing, because the Role is called
    C(registry-user-) and the name. Such RoleBindings are reported; O(permissions.exact) replaces them.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry
options:
  name:
    description:
      - The resource name of the registry.
      - A registry that does not exist is refused. Permissions for a new registry are given to M(modelops.openshift_ai.model_registry), which creates it with
        them. With O(state=absent) it is a warning.
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
      - V(present) grants what is listed. V(absent) takes away what is listed, and nothing else.
    type: str
    choices: [present, absent]
    default: present
  verify:
    description:
      - Whether to ask the API server, after everything was written, if each listed subject really may use the registry, and who else may. The answers are in
        RV(verification), and what is not as it should be is a warning.
      - A user is asked about together with the groups of the cluster that the user is in. Where the account may not list groups, a warning says so.
      - Who else may is found among the subjects of all ClusterRoleBindings and of the other RoleBindings of the namespace. Where the account may not list
        ClusterRoleBindings, a warning says so.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: The data scientists and the pipelines of one project may use the registry
  modelops.openshift_ai.model_registry_permission:
    name: fraud-models
    permissions:
      groups:
        - data-scientists
      projects:
        - fraud-dev

- name: The whole truth of who may use it, asked of the cluster afterwards
  modelops.openshift_ai.model_registry_permission:
    name: fraud-models
    permissions:
      groups:
        - data-scientists
      users:
        - alice
      service_accounts:
        - namespace: ci
          name: pipeline
      exact: true
    verify: true
  register: access

- name: One of them no longer
  modelops.openshift_ai.model_registry_permission:
    name: fraud-models
    state: absent
    permissions:
      users:
        - alice
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
      description: One of V(create), V(update) and V(delete).
      type: str
    kind:
      description: The kind of the object, V(RoleBinding) or V(Group).
      type: str
    namespace:
      description: The namespace of the object; empty for a Group.
      type: str
    name:
      description: The name of the object.
      type: str
    fields:
      description: Who was granted access or lost it, as V(permissions.users[alice]), or which part of the object was mended.
      type: list
      elements: str
registry:
  description: The registry as it is now, in the shape of the options of M(modelops.openshift_ai.model_registry).
  returned: success
  type: dict
  contains:
    name:
      description: The resource name.
      type: str
    namespace:
      description: The namespace.
      type: str
    permissions:
      description: Who may use it by the RoleBindings that the dashboard or this collection made. C(members) only where the registry has a group of its own.
      type: dict
      sample:
        groups: [data-scientists]
        users: [alice]
        projects: [fraud-dev]
        service_accounts: [{namespace: ci, name: pipeline}]
        members: [bob]
status:
  description: How the registry is.
  returned: success, unless the account may not look at the Deployment and pods of the registry, which is a warning
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
verification:
  description: What the API server said of who may use the registry.
  returned: with O(verify=true), except in check mode
  type: dict
  contains:
    allowed:
      description: The listed subjects that may.
      type: list
      elements: str
      sample: [group data-scientists, user alice]
    denied:
      description: The listed subjects that may not.
      type: list
      elements: str
    others:
      description: Everybody else who may, by rights for the whole cluster or other rights in the namespace.
      type: list
      elements: dict
      contains:
        subject:
          description: The user, group or service account.
          type: str
        through:
          description: The binding by which the subject may.
          type: str
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
      description: Its value.
      type: raw
    problem:
      description: What is wrong.
      type: str
    remedy:
      description: What to do.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import permission


def main() -> None:
    _module.run_on_cluster(_options.PERMISSION, permission.converge, permission.input_problems)


if __name__ == "__main__":
    main()
