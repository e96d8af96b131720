#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_component
short_description: Enable or disable the model registry component of OpenShift AI or Open Data Hub
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Sets the component C(modelregistry) in the DataScienceCluster to C(Managed) or C(Removed). Also sets the namespace of the model registries, if it can still
    be changed.
  - Waits until the registry operator and the namespace are ready, or until the component is removed. If this does not succeed, the module fails and reports the
    cause.
  - Does not change any other part of the DataScienceCluster. A warning is issued if another tool, such as Argo CD, manages the DataScienceCluster.
  - Checks the options and the cluster before anything is written. One error lists the problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  diff_mode:
    description: Shows the changes to the state and the namespace that were made or, in check mode, would be made.
    support: full
notes:
  - The module fails if the cluster does not have exactly one DataScienceCluster, or if the product is not installed, for example on Kubernetes.
  - The account needs the permissions in C(rbac/component.yml). The permissions for managing registries do not include them.
  - The module does not delete registries or their namespace. When the component is enabled again with the same namespace, the operator manages the registries
    in that namespace again.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry
options:
  state:
    description:
      - V(managed) enables the component. V(removed) disables it.
      - With V(removed), registries are no longer managed, and new registries do not become available. If the component is not yet disabled, the module fails if
        there are registries in the cluster, or if the account cannot list registries, unless O(force=true). The error lists the registries.
    type: str
    choices: [managed, removed]
    default: managed
  registries_namespace:
    description:
      - The namespace of the model registries. The product creates it if it does not exist.
      - If not set, the current value is kept. If there is no current value, the product uses its default, C(rhoai-model-registries) or C(odh-model-registries).
        In OpenShift AI 3.6 and later, the default is the applications namespace of the product.
      - The namespace can be set only when the component is changed from V(removed) to V(managed). Because the product rejects any other change, the module
        fails if the component is already V(managed) with another namespace.
      - The module fails if the value is not a valid name, or if it is set with O(state=removed).
    type: str
  force:
    description:
      - Whether to disable the component even if there are registries, or if the account cannot list registries. A warning lists the registries.
      - Ignored if O(state=managed).
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the component is in the state that O(state) specifies. With V(false), the module reports the current status without waiting.
      - V(managed) is reached when the condition C(ModelRegistryReady) of the DataScienceCluster is true, the namespace of the model registries is in the status
        of the DataScienceCluster or in the AIHub, the API of model registries is available, and the namespace is active.
      - V(removed) is reached when the condition is not true, the status no longer contains the namespace, and the object that the platform created for the
        component is deleted. In OpenShift AI 3.6 and later, this object is the AIHub. In earlier versions, it is the ModelRegistry of the platform.
      - Ignored in check mode.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. Ignored if O(wait=false).
      - After this time, the module fails and reports what is missing. The change is kept, and the next run continues to wait.
      - The module fails if the value is less than 1.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Enable the component with the current or default namespace
  modelops.openshift_ai.model_registry_component:
  register: component

- name: Show the namespace of the model registries
  ansible.builtin.debug:
    var: component.component.registries_namespace

- name: Disable the component even if there are registries
  modelops.openshift_ai.model_registry_component:
    state: removed
    force: true

- name: Enable the component with another namespace
  modelops.openshift_ai.model_registry_component:
    state: managed
    registries_namespace: team-model-registries
"""

RETURN = r"""
changes:
  description: The changes that were made. In check mode, the changes that would be made, verified with a dry run.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(update).
      type: str
    kind:
      description: V(DataScienceCluster).
      type: str
    namespace:
      description: Empty, because the object is cluster-scoped.
      type: str
    name:
      description: The name of the DataScienceCluster.
      type: str
    fields:
      description: The options whose values were changed.
      type: list
      elements: str
      sample: [state, registries_namespace]
component:
  description: The current component. In check mode, the component as it would be after the change. Empty if the module failed before the component was changed.
  returned: always
  type: dict
  contains:
    state:
      description: The state in the DataScienceCluster, V(managed) or V(removed).
      type: str
    registries_namespace:
      description:
        - The namespace of the model registries. Null if none is set.
        - For a removed component, the namespace that is used again when the component is enabled without another namespace.
      type: str
    ready:
      description: Whether registries can be created. Null in check mode if the component would be changed.
      type: bool
    reason:
      description: The reason why the component is not in the specified state, or a confirmation that it is ready or removed.
      type: str
  sample:
    state: managed
    registries_namespace: rhoai-model-registries
    ready: true
    reason: it is ready
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
  description: The problems that were found in the options, or that prevent the change.
  returned: if such problems were found
  type: list
  elements: dict
  contains:
    option:
      description: The option.
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import component


def main() -> None:
    _module.run_on_cluster(_options.COMPONENT, component.converge, component.input_problems, record.Outcome(own={"component": {}}))


if __name__ == "__main__":
    main()
