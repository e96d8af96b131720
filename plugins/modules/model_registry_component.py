#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_component
short_description: Switch the model registry component of OpenShift AI or Open Data Hub on or off
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Switches the component C(modelregistry) in the DataScienceCluster to C(Managed) or C(Removed), and sets the namespace of the registries while that is still
    possible.
  - It waits until the registry operator and the namespace are ready, or the component is gone, and says why when they are not.
  - Nothing else in the DataScienceCluster is read or written.
  - Everything that can be known is checked before anything is written, and one message names all problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  diff_mode:
    description: In diff mode it shows the state and the namespace that it changed, or would change.
    support: full
notes:
  - There must be exactly one DataScienceCluster. A cluster with none, with several or without the product, such as plain Kubernetes, is refused.
  - The account needs the rights in C(rbac/component.yml). Those that look after registries do not have them.
  - A component that was removed leaves the namespace of the registries and everything in it. When it is switched on again with the same namespace, the
    registries in it are looked after again.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry
options:
  state:
    description:
      - V(managed) switches the component on. V(removed) switches it off.
      - With V(removed) registries are no longer looked after, and no new ones can be made. While there are any in the cluster it is refused, and the message
        names them, unless O(force) is set.
    type: str
    choices: [managed, removed]
    default: managed
  registries_namespace:
    description:
      - The namespace that the product keeps its registries in, and makes when there is none of that name.
      - Left out, the one that is set stays. Where none is set, the product takes its own, C(rhoai-model-registries) or C(odh-model-registries).
      - Another one than that of a component that is V(managed) already is refused, as the product itself does. It can be set only together with the switch
        from V(removed) to V(managed).
      - What cannot be the name of a namespace is refused, and so is any value together with O(state=removed).
    type: str
  force:
    description:
      - Whether O(state=removed) is carried out although registries are left behind, or although the account cannot see whether there are any. A warning names
        them.
      - It changes nothing with O(state=managed).
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the component is what O(state) says. With V(false) the result only says how it is.
      - For V(managed) that is when the condition C(ModelRegistryReady) of the DataScienceCluster holds, its status names the namespace of the registries, the
        cluster knows model registries, and the namespace is active. For V(removed) it is when the status no longer names the namespace and what the platform
        made for the component is gone.
      - In check mode nothing is waited for.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait. After that the module fails and names what is missing. The switch stays as it was written, and the next run waits again.
      - Less than 1 is refused.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: The component is on, with the namespace that the product chooses or already has
  modelops.openshift_ai.model_registry_component:
  register: component

- name: Where the registries are
  ansible.builtin.debug:
    var: component.component.registries_namespace

- name: The component is off, whatever registries are left behind
  modelops.openshift_ai.model_registry_component:
    state: removed
    force: true

- name: It is on again, with a namespace of our choice
  modelops.openshift_ai.model_registry_component:
    state: managed
    registries_namespace: team-model-registries
"""

RETURN = r"""
changes:
  description: What was done. In check mode what would be done; the API server has tried it and would take it.
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
      description: Empty, because the object is one of the whole cluster.
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
  description: The component as it is now, in check mode as it would be. Empty when the input was refused.
  returned: always
  type: dict
  contains:
    state:
      description: What the DataScienceCluster asks for, V(managed) or V(removed).
      type: str
    registries_namespace:
      description: The namespace of the registries, also the one that a removed component would get again. Null when none is set.
      type: str
    ready:
      description: Whether registries can be made now. Null in check mode when it would be switched.
      type: bool
    reason:
      description: Why not, or that it is ready.
      type: str
  sample:
    state: managed
    registries_namespace: rhoai-model-registries
    ready: true
    reason: it is ready
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
  description: What is wrong with the input, or keeps it from being carried out.
  returned: when the input was refused
  type: list
  elements: dict
  contains:
    option:
      description: The option.
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import component


def main() -> None:
    _module.run_on_cluster(_options.COMPONENT, component.converge, component.input_problems, component.ComponentOutcome())


if __name__ == "__main__":
    main()
