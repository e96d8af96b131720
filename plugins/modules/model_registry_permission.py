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
  - Grants groups, users, projects and service accounts access to a model registry, or revokes their access. Also manages the members of the group of the
    registry.
  - Writes the same objects as the dashboard. Access can be granted in the dashboard and revoked with this module, and vice versa.
  - If several runs grant access in parallel, the permissions of all runs are applied, unless O(permissions.exclusive=true). These runs do not create
    duplicate RoleBindings.
  - Checks the options and the cluster before anything is written. One error lists the problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.permissions
attributes:
  diff_mode:
    description: Shows the changes that were made or, in check mode, would be made, as a list with one name on each line.
    support: full
notes:
  - To grant access, the account needs permission to C(bind) the Role of the registry, or all permissions of that Role, because the API server does not allow
    accounts to grant permissions that they do not have. Otherwise, the module fails before anything is written, and the error describes both alternatives.
  - If a registry was deleted and created again, the next run sets it as the owner of the RoleBindings of the listed subjects.
  - Some documentation of the product mentions the Role C(registry-users-<name>). A RoleBinding to this Role does not grant access, because the correct name of
    the Role is C(registry-user-<name>). A warning lists such RoleBindings. To grant the intended access, list the subjects in O(permissions). To delete the
    RoleBindings, set O(permissions.exclusive=true) and, if they do not have the labels of the dashboard, O(permissions.prune_unlabelled=true).
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry
options:
  name:
    description:
      - The resource name of the registry.
      - The module fails if the registry does not exist. With O(state=absent), a warning is issued instead. To create a registry with permissions, use
        M(modelops.openshift_ai.model_registry).
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
      - V(present) grants access to the listed subjects. V(absent) revokes the access of the listed subjects only.
    type: str
    choices: [present, absent]
    default: present
  verify:
    description:
      - Whether to verify with the API server, after everything was written, that each listed subject has access or, with O(state=absent), no longer has access.
        The result is in RV(verification). A warning is issued if this is not the case for a subject.
      - With V(true), the module fails if the account does not have permission to create LocalSubjectAccessReviews in the namespace.
      - A user is verified together with the groups of the cluster that contain the user. A warning is issued if the account cannot list groups.
      - Also reports which other subjects have access, through ClusterRoleBindings and through other RoleBindings in the namespace. A warning is issued if the
        account cannot list ClusterRoleBindings.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Grant access to a group and to the service accounts of a project
  modelops.openshift_ai.model_registry_permission:
    name: fraud-models
    permissions:
      groups:
        - data-scientists
      projects:
        - fraud-dev

- name: Grant access only to the listed subjects, and verify the access
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
      exclusive: true
    verify: true
  register: access

- name: Revoke the access of a user
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
    - The changes that were made, in order. In check mode, the changes that would be made.
    - C(unverified) marks a change that could not be verified with a dry run. After a failure, it marks a write whose result is unknown.
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
      description: The namespace of the object. Empty for a Group.
      type: str
    name:
      description: The name of the object.
      type: str
    fields:
      description: The subjects whose access was granted or revoked, such as V(permissions.users[alice]), or the part of the object that was repaired.
      type: list
      elements: str
registry:
  description: The current registry, in the format of the options of M(modelops.openshift_ai.model_registry).
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
      description:
        - The subjects that have access through RoleBindings of the dashboard or of this collection. C(members) is included only if the registry has a group and
          the account can read it.
      type: dict
      sample:
        groups: [data-scientists]
        users: [alice]
        projects: [fraud-dev]
        service_accounts: [{namespace: ci, name: pipeline}]
        members: [bob]
status:
  description: The status of the registry.
  returned: success, unless the account cannot read the Deployment or the pods of the registry; a warning is issued in that case
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
verification:
  description: The result of the verification with the API server.
  returned: if O(verify=true), except in check mode
  type: dict
  contains:
    allowed:
      description: The listed subjects that have access.
      type: list
      elements: str
      sample: [group data-scientists, user alice]
    denied:
      description: The listed subjects that do not have access.
      type: list
      elements: str
    others:
      description: The other subjects that have access, through permissions for the whole cluster or other permissions in the namespace.
      type: list
      elements: dict
      contains:
        subject:
          description: The user, group or service account.
          type: str
        through:
          description: The binding that grants the access.
          type: str
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
      description: The value of the option.
      type: raw
    problem:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import permission


def main() -> None:
    _module.run_on_cluster(_options.PERMISSION, permission.converge, permission.input_problems)


if __name__ == "__main__":
    main()
