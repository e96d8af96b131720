# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may use a registry: the option of all modules that grant access."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  permissions:
    description:
      - The subjects that have access to the registry. Subjects that are not listed keep their access, unless O(permissions.exclusive=true).
      - A RoleBinding is created for each subject other than a member, as in the dashboard, so that the access of groups, users and projects can also be viewed
        and revoked there. RoleBindings that were created in the dashboard are reused.
      - If a subject is listed twice, access is granted once and a warning is issued.
      - The module fails if a name is empty or not a string, begins or ends with white space, or contains a control character. All such names are reported at
        once. The module also fails if the name of a new group or user contains a space, unless the cluster has a group or user with this name and the account
        can list it.
    type: dict
    suboptions:
      groups:
        description:
          - The groups that have access. V(system:authenticated) contains all authenticated users of the cluster.
          - A warning is issued for a group that does not exist, if the cluster has OpenShift Groups and the account can list them.
        type: list
        elements: str
      users:
        description:
          - The users who have access, by their user names in the cluster.
          - A warning is issued for a user that does not exist, if the cluster has OpenShift Users and the account can list them. OpenShift creates a User at
            the first login.
          - A name such as V(system:serviceaccount:ci:pipeline) is treated as the service account, and a warning is issued.
        type: list
        elements: str
      projects:
        description:
          - The namespaces whose service accounts all have access. The dashboard shows them as projects.
          - A warning is issued for a namespace that does not exist, if the account can list namespaces.
          - The module fails if the value is not valid as the name of a namespace. If the account can list namespaces, the module also fails if the value is the
            display name of a project, and the error contains the name of the namespace.
          - The module fails if the service accounts of the same namespace are also listed in O(permissions.groups), as V(system:serviceaccounts:fraud-dev).
        type: list
        elements: str
      service_accounts:
        description:
          - The service accounts that have access. The dashboard does not show them.
          - A warning is issued for a service account that does not exist, if the account can list service accounts.
        type: list
        elements: dict
        suboptions:
          namespace:
            description: The namespace of the service account. The module fails if it is not a valid name.
            type: str
            required: true
          name:
            description: The name of the service account. The module fails if it is not a valid name.
            type: str
            required: true
      members:
        description:
          - The users to add to the group of the registry, C(<name>-users). The group is deleted together with the registry.
          - The module fails if the cluster has no OpenShift Groups, for example on Kubernetes or with an external identity provider.
          - The module fails if the group of an existing registry does not exist. For a new registry, the operator creates an empty group, and the members are
            added when the registry is available. For this reason, the module fails if members are set for a new registry with C(wait=false).
        type: list
        elements: str
      exclusive:
        description:
          - Whether to revoke the access of all subjects that are not listed. This applies to access that the dashboard shows or that this collection granted.
          - A list that is not set is treated as an empty list, except for O(permissions.members). Members are removed only if that list is set.
          - The RoleBinding that the operator creates for the group of the registry is kept. RoleBindings that do not have the labels of the dashboard, or that
            another tool manages, are also kept, and a warning is issued. See O(permissions.prune_unlabelled).
          - With V(true), M(modelops.openshift_ai.model_registry_permission) fails if C(state=absent).
        type: bool
        default: false
      prune_unlabelled:
        description:
          - Whether to also delete RoleBindings to the Role of the registry that do not have the labels of the dashboard. For listed subjects, RoleBindings with
            these labels are created first. When M(modelops.openshift_ai.model_registry_permission) revokes access with C(state=absent), only the listed
            subjects are removed from RoleBindings without the labels.
          - RoleBindings that are managed by another tool or by the platform are not deleted, because they would be created again. A warning lists them.
          - Requires O(permissions.exclusive=true), unless M(modelops.openshift_ai.model_registry_permission) revokes access with C(state=absent).
        type: bool
        default: false
"""
