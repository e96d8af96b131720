#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_cluster_info
short_description: Report which cluster a task connects to
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Connects to the cluster that the options, the environment variables or the kubeconfig specify, and returns its API server, its unique ID and the account.
  - The playbooks use this module to detect an inventory in which two hosts refer to the same cluster.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: This module never changes anything.
  diff_mode:
    description: This module never changes anything.
    support: none
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry_info
"""

EXAMPLES = r"""
- name: Report the cluster of the current context
  modelops.openshift_ai.model_registry_cluster_info:
  register: found

- name: Fail if the cluster is not the test cluster
  ansible.builtin.assert:
    that: found.cluster.host == 'https://api.test.example.com:6443'
"""

RETURN = r"""
cluster:
  description: The cluster and the account that were used.
  returned: if the cluster responded
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
    uid:
      description:
        - The UID of the namespace C(kube-system), which is unique for each cluster.
        - Null if the account cannot get that namespace. A warning is issued in this case.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import cluster_info


def main() -> None:
    _module.run_reading({}, cluster_info.collect)


if __name__ == "__main__":
    main()
