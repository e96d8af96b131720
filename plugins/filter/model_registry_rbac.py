# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ClusterRoles that name single registries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.kinds import RBAC
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.naming import name_problems

DOCUMENTATION = r"""
name: model_registry_rbac
short_description: Generate the ClusterRoles for writing outside of the registries namespace
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Generates two ClusterRoles for a list of model registries. Their rules are restricted to the objects of these registries by name.
  - C(model-registry-members) grants permission to change the members of the groups of the registries.
  - C(model-registry-leftovers) grants permission to delete the ClusterRoleBindings that the operator leaves behind when the registries are deleted.
  - The filter fails if the list is empty, because a rule without names applies to all objects in Kubernetes. It also fails if a name is not a valid resource
    name of a registry.
positional: _input
options:
  _input:
    description: The registries. Only their names are used.
    type: list
    elements: dict
    required: true
seealso:
  - module: modelops.openshift_ai.model_registries
"""

EXAMPLES = r"""
- name: Write the ClusterRoles to a file
  ansible.builtin.copy:
    content: "{{ {'apiVersion': 'v1', 'kind': 'List', 'items': model_registries_list | modelops.openshift_ai.model_registry_rbac} | to_nice_yaml }}"
    dest: model-registries-rbac.yml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The two ClusterRoles.
  type: list
  elements: dict
"""

MEMBERS = (
    "With the token of an account with this ClusterRole, an attacker can add any user to the groups that it names, and with it grant all permissions of these "
    "groups in the cluster. Do not bind the groups to anything other than their registry."
)
LEFTOVERS = (
    "With the token of an account with this ClusterRole, an attacker can delete the ClusterRoleBindings that it names. Until the operator creates them again, "
    "the registries deny access to all users."
)


def model_registry_rbac(registries: object) -> list[dict[str, Any]]:
    """The ClusterRoles for these registries; the filter of the same name, see DOCUMENTATION."""
    # Ansible loads all filters of a collection in each task that uses one of them, and this takes 0.1 s.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.ownership import auth_delegator, name_conflict

    if not isinstance(registries, list) or not all(isinstance(entry, Mapping) and isinstance(entry.get("name"), str) for entry in registries):
        raise AnsibleFilterError("model_registry_rbac needs a list of registries, each a dictionary with a name")
    names = sorted({str(entry["name"]) for entry in registries})
    if not names:
        raise AnsibleFilterError("model_registry_rbac: the list of registries is empty, and in Kubernetes a rule without names applies to all objects")
    problems = [problem.sentence() for name in names for problem in name_problems(name)]
    # The model catalog has a ClusterRoleBinding of such a name.
    problems += [f"name {name!r} cannot be used: the operator would overwrite {taken}." for name in names if (taken := name_conflict(name, {}, ()))]
    if problems:
        raise AnsibleFilterError(f"model_registry_rbac: {' '.join(problems)}")
    return [
        _cluster_role("model-registry-members", MEMBERS, "user.openshift.io", "groups", [f"{name}-users" for name in names], ["get", "patch"]),
        _cluster_role("model-registry-leftovers", LEFTOVERS, RBAC, "clusterrolebindings", [auth_delegator(name) for name in names], ["get", "delete"]),
    ]


def _cluster_role(name: str, description: str, group: str, resource: str, names: list[str], verbs: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "annotations": {"openshift.io/description": description}},
        "rules": [{"apiGroups": [group], "resources": [resource], "resourceNames": names, "verbs": verbs}],
    }


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[[object], list[dict[str, Any]]]]:
        return {"model_registry_rbac": model_registry_rbac}
