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
      - Who may use the registry. What is left out stays as it is, unless O(permissions.exact) is set.
      - Every entry gets a RoleBinding of its own, like those that the dashboard makes, so that it can be seen and taken away there. Those that were made in
        the dashboard are used as they are.
      - A name that is empty, is no text, begins or ends with white space, or holds a control character is refused, and all such names are reported at once. A
        name with a space is refused unless the cluster knows somebody of that name.
      - An entry that is listed twice is granted once, with a warning.
    type: dict
    suboptions:
      groups:
        description:
          - Groups. V(system:authenticated) stands for everybody who can log in to the cluster.
          - A group that the cluster does not have is a warning, where the cluster has groups of its own and the account may list them.
        type: list
        elements: str
      users:
        description:
          - Users, by the name that the cluster knows them by.
          - A user that the cluster does not have is a warning; users exist only after their first login.
          - V(system:serviceaccount:ci:pipeline) is taken for the service account that it names, with a warning.
        type: list
        elements: str
      projects:
        description:
          - Namespaces, all of whose service accounts may use the registry. The dashboard shows them as projects.
          - A display name is refused, and the namespace that has it is suggested. A namespace that does not exist is a warning.
          - The same namespace among O(permissions.groups), as V(system:serviceaccounts:fraud-dev), is refused.
        type: list
        elements: str
      service_accounts:
        description:
          - Single service accounts. The dashboard cannot show them.
          - One that does not exist is a warning, where the account may list them.
        type: list
        elements: dict
        suboptions:
          namespace:
            description: The namespace of the service account. What cannot be a namespace's name is refused.
            type: str
            required: true
          name:
            description: The name of the service account. What cannot be one is refused.
            type: str
            required: true
      members:
        description:
          - Users who are to be in the group of the registry, which is called like the registry with C(-users) at its end and is deleted with it.
          - Refused where the cluster has no groups of its own, as on plain Kubernetes and with an external identity provider.
          - Refused while there is no such group. The operator makes it for a new registry, empty, so members are added when the registry is available. With a
            new registry they are refused when that is not waited for.
        type: list
        elements: str
      exact:
        description:
          - Whether the lists are the whole truth. Everybody else whom the dashboard shows, or this collection granted access, loses it. A list that is left out
            counts as empty, but for O(permissions.members), which are only taken away when that list is given.
          - The RoleBinding that the operator makes for the registry's group stays. RoleBindings that somebody else made stay too, with a warning.
          - Refused by M(modelops.openshift_ai.model_registry_permission) when it takes access away.
        type: bool
        default: false
      prune_unlabelled:
        description:
          - Whether RoleBindings without the labels of the dashboard are deleted too, if they grant access to subjects that are not listed.
          - RoleBindings that another tool or the platform manages are not deleted, because they would be created again. A warning names them.
          - Refused without O(permissions.exact), unless M(modelops.openshift_ai.model_registry_permission) takes access away.
        type: bool
        default: false
"""
