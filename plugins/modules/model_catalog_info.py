#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_catalog_info
short_description: Export the sources of the model catalog and check its configuration
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Reads the sources, labels and named queries of the model catalog, as the catalog server merges them from its ConfigMaps, and reports which ConfigMap each
    value of a source comes from.
  - Validates all files against the rules of the catalog server. Each finding reports whether the whole catalog is unavailable, a single source fails, an entry
    is missing, or the server accepts something that is probably not intended.
  - Does not write anything. The module fails if the account cannot read the ConfigMaps of the catalog. Other information that the account cannot read is
    omitted, and a warning describes the missing information.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: This module never changes anything.
  diff_mode:
    description: This module never changes anything.
    support: none
notes:
  - There is one model catalog for the whole cluster, in the registries namespace. All authenticated users can read all of it.
  - The version of the catalog is determined from its ConfigMaps. The module fails with OpenShift AI 2.23 and earlier, in which the catalog is part of the
    dashboard.
  - The permissions to read the ConfigMaps of the catalog, and to find those with the label C(opendatahub.io/catalog-source=true), are in C(rbac/catalog.yml) of
    this collection. The permissions to read the DataScienceCluster, which are required if O(namespace) is not set, and the ingress domain are in
    C(rbac/cluster.yml). To find Secrets with tokens, the account also needs permission to list Secrets.
  - If O(include) contains V(server), the catalog server is contacted at its public address, with the token of the account. The token is sent only to hosts in
    the ingress domain of the cluster, which the account must be able to read. If the server cannot be contacted, a warning is issued.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_catalog
options:
  namespace:
    description:
      - The namespace of the model registries, which also contains the model catalog.
      - If not set, it is read from the DataScienceCluster. If the DataScienceCluster does not specify a namespace, the value is read from the AIHub of
        OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - The module fails if the namespace does not exist or has no model catalog.
    type: str
  include:
    description:
      - The information to return in addition to the sources.
      - V(content) is the data of the sources that the product does not provide. The data of a source can be up to one megabyte in size.
      - V(server) is the status of each source in the catalog server.
    type: list
    elements: str
    choices: [content, server]
    default: [server]
  managed_only:
    description:
      - Whether to return only the configuration that administrators manage, which is the configuration to keep in Git. It consists of the sources, labels and
        named queries in the ConfigMaps that M(modelops.openshift_ai.model_catalog) can change. For a source that the product provides, only the overridden
        options are returned.
      - If V(false), the sources, labels and named queries of the product and of ConfigMaps that other users or tools manage are also returned.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Export what administrators have configured, with the data of the sources
  modelops.openshift_ai.model_catalog_info:
    include: [server, content]
    managed_only: true
  register: catalog

- name: Reconcile the catalog with the export, which changes nothing
  modelops.openshift_ai.model_catalog:
    sources: "{{ catalog.sources }}"
    labels: "{{ catalog.labels }}"
    named_queries: "{{ catalog.named_queries }}"

- name: Fail if the files that define the sources make the catalog unavailable
  ansible.builtin.assert:
    that: catalog.findings | selectattr('effect', 'equalto', 'catalog') | length == 0

# This requires include=[server], which is the default, in the task that reads the catalog. Sources whose status could not be determined are not checked
- name: Fail if the catalog server cannot load a source
  ansible.builtin.assert:
    that: catalog.sources | selectattr('status.server') | selectattr('status.server.status', 'equalto', 'error') | length == 0

- name: List the sources that fail, with the reasons
  ansible.builtin.debug:
    msg: "{{ item.id }}: {{ item.status.findings | rejectattr('effect', 'equalto', 'advice') | map(attribute='problem') | join(', ') }}"
  loop: "{{ catalog.sources }}"
  loop_control:
    label: "{{ item.id }}"
  when: item.status.findings | rejectattr('effect', 'equalto', 'advice') | length > 0
"""

RETURN = r"""
sources:
  description: The sources as the catalog server merges them, sorted by kind and ID, without tokens.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The ID.
      type: str
    kind:
      description: V(model), V(mcp) or V(agent).
      type: str
    name:
      description: The name, if one is set.
      type: str
    type:
      description: V(yaml), or V(hf) for Hugging Face.
      type: str
    enabled:
      description: Whether the entries of the source are shown.
      type: bool
    labels:
      description: The labels of the source.
      type: list
      elements: str
    organization:
      description: The organization of a source of type V(hf), if one is set.
      type: str
    included:
      description: The patterns for the names of entries to show. An empty list matches all entries.
      type: list
      elements: str
    excluded:
      description: The patterns for the names of entries that are not shown.
      type: list
      elements: str
    content:
      description: The data of the source.
      returned: if O(include) contains V(content), the data is in a ConfigMap, and the product does not provide the source
      type: str
    status:
      description: Further information.
      type: dict
      contains:
        is_default:
          description: Whether the product provides the source. Such a source can be overridden, but not deleted.
          type: bool
        origins:
          description: The ConfigMap that each value comes from, by option.
          type: dict
        entries:
          description: The number of entries in the data. Null if the data is not in a ConfigMap.
          type: int
        shown:
          description: The number of entries in the data that are shown. Null if the data is not in a ConfigMap.
          type: int
        server:
          description: The status in the catalog server. Null if the server was not contacted, could not be reached, or does not have the source.
          returned: if O(include) contains V(server)
          type: dict
          contains:
            status:
              description: V(available), V(partially-available), V(error) or V(disabled). Null if the source was not loaded.
              type: str
            error:
              description: The reason for the status, as reported by the server.
              type: str
            entries:
              description: The number of entries that the server shows.
              type: int
        findings:
          description: The findings about this source, each as in RV(findings), without C(config_map).
          type: list
          elements: dict
labels:
  description: The labels, each with C(name), C(display_name), C(description) and C(asset_type) if they are set. The label without a name applies to the
    sources without labels.
  returned: success
  type: list
  elements: dict
named_queries:
  description: The named queries, each with C(name), C(asset_type) and C(filters), a list of C(field), C(operator) and C(value).
  returned: success
  type: list
  elements: dict
findings:
  description: The findings about the files that define the sources, and about the catalog server if it is unavailable for another reason.
  returned: success
  type: list
  elements: dict
  contains:
    config_map:
      description: The name of the ConfigMap. Null if the catalog server is unavailable, and no ConfigMap is known to be the reason.
      type: str
    effect:
      description:
        - V(catalog) means that the whole catalog is unavailable, V(source) that the source fails, V(entry) that an entry is missing, and V(advice) that the
          server accepts something that is probably not intended.
      type: str
    path:
      description: The location in the file, such as V(catalogs[2].name).
      type: str
    problem:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
unused_secrets:
  description: The names of Secrets with tokens that no source uses. Null if the account cannot list Secrets.
  returned: success
  type: list
  elements: str
version:
  description: The oldest version of OpenShift AI that has this version of the catalog, for example V(3.5).
  returned: success
  type: str
config_maps:
  description: The ConfigMaps that the server reads. Later ones take precedence.
  returned: success
  type: list
  elements: str
last_writes:
  description: The last write to each of the ConfigMaps in RV(config_maps).
  returned: success
  type: list
  elements: dict
  contains:
    config_map:
      description: The name of the ConfigMap.
      type: str
    manager:
      description: The field manager that last wrote the ConfigMap. Requests of the dashboard are recorded as V(unknown).
      type: str
    time:
      description: The time of the write.
      type: str
server:
  description: The public address of the catalog server. Null if the server was not contacted.
  returned: success
  type: str
cluster:
  description: The cluster and the account that were used.
  returned: success
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
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog_info


def main() -> None:
    _module.run_reading(_options.CATALOG_INFO, catalog_info.collect, catalog_info.input_problems)


if __name__ == "__main__":
    main()
