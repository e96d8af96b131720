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
  - Connects to the cluster of the options, the environment or the kubeconfig, and returns its API server, its identity and the account in use.
  - The playbooks use it to refuse an inventory in which two hosts are the same cluster.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: It changes nothing, in check mode and otherwise.
  diff_mode:
    description: It changes nothing, so that there is nothing to show.
    support: none
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_registry_info
"""

EXAMPLES = r"""
- name: Check which cluster the current context leads to
  modelops.openshift_ai.model_registry_cluster_info:
  register: found

- name: Refuse any other cluster than the one for tests
  ansible.builtin.assert:
    that: found.cluster.host == 'https://api.test.example.com:6443'
"""

RETURN = r"""
cluster:
  description: The cluster, and as whom it is used.
  returned: when the cluster answered
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
    uid:
      description:
        - The uid of the namespace C(kube-system), which no other cluster has.
        - V(null), with a warning, if the account is not allowed to get that namespace.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import cluster_info


def main() -> None:
    cluster_info.run()


if __name__ == "__main__":
    main()
