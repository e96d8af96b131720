#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_catalog
short_description: Manage the sources of the model catalog
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Creates, edits and deletes sources of models, MCP servers and agents in the model catalog, together with their data. Also manages the descriptions of
    labels and the named queries of the catalog.
  - Validates the changes against the rules of the catalog server before anything is written. An invalid file can make the whole catalog unavailable for all
    users.
  - By default, adds sources to the ConfigMaps that the product provides for administrators. Sources of models that were created on the settings page of the
    dashboard are in one of these ConfigMaps, and can be managed on that page and with this module.
  - Preserves comments and, unless O(purge=true), everything that the options do not specify. If a file cannot be edited in place, it is rewritten without its
    comments, and a warning is issued.
  - Writes all changes to a ConfigMap in one request, and only if there are differences.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
notes:
  - There is one model catalog for the whole cluster, in the registries namespace. All authenticated users can read all of it.
  - The version of the catalog is determined from its ConfigMaps. The module fails if that version does not support a kind of source, O(labels),
    O(named_queries) or O(store=own). It also fails with OpenShift AI 2.23 and earlier, in which the catalog is part of the dashboard.
  - Sources that the product provides cannot be deleted. Only their names, labels and patterns, and O(sources[].enabled), can be overridden. In OpenShift AI 3.0
    and 3.1, the values of the product take precedence, and the module fails if an override would have no effect.
  - A change on the settings page of the dashboard removes comments, descriptions of labels, named queries, and everything else that the page does not manage. A
    warning is issued if the module changes a ConfigMap that contains any such entry other than comments. To prevent the removal, see O(store).
  - The module fails if a ConfigMap that it would change is managed by another tool, such as Argo CD.
  - If O(wait=true) or O(preview=true), the catalog server is contacted at its public address, with the token of the account. The token is sent only to hosts in
    the ingress domain of the cluster, which the account must be able to read. The permission is in C(rbac/cluster.yml).
  - If only the data of a source changes, an empty line is added to or removed from the end of C(sources.yaml). Otherwise, the catalog server might not read the
    new data.
  - The required permissions are in C(rbac/catalog.yml) of this collection. If O(namespace) is not set, the account also needs permission to read the
    DataScienceCluster, as in C(rbac/cluster.yml). To manage tokens, it also needs permission to get, create, patch and delete Secrets. If sources are stored in
    additional ConfigMaps (see O(store)), add the names of these ConfigMaps to the Role in C(rbac/catalog.yml).
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
seealso:
  - module: modelops.openshift_ai.model_catalog_info
options:
  namespace:
    description:
      - The namespace of the model registries, which also contains the model catalog.
      - If not set, it is read from the DataScienceCluster. If the DataScienceCluster does not specify a namespace, the value is read from the AIHub of
        OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - The module fails if the namespace does not exist or has no model catalog.
    type: str
  sources:
    description:
      - The sources. Options that are not set keep their current values.
      - The module fails if a source is listed twice.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description:
          - The ID. It cannot be changed.
          - If not set, it is derived from O(sources[].name), as in the dashboard. For example, C(Fraud models) becomes C(fraud_models).
          - The module fails if the ID of a new source has more than 238 characters, or characters other than lowercase letters, digits and underscores.
        type: str
      kind:
        description:
          - The type of assets that the source contains. It cannot be changed.
          - V(mcp) requires OpenShift AI 3.4 or later, and V(agent) requires 3.5 or later.
        type: str
        choices: [model, mcp, agent]
        default: model
      name:
        description:
          - The name that the dashboard shows. Required to create a source.
        type: str
      type:
        description:
          - V(yaml) for data in the ConfigMap, V(hf) for Hugging Face. It cannot be changed.
          - If not set, it is derived from the data, from O(sources[].organization) or from O(sources[].token). Required to create a source if none of these
            options is set. Only sources of kind V(model) can have the type V(hf).
        type: str
        choices: [yaml, hf]
      enabled:
        description:
          - Whether the entries of the source are shown. A new source is enabled if this option is not set.
        type: bool
      labels:
        description:
          - The labels of the source. Users can filter the catalog by label.
        type: list
        elements: str
      organization:
        description:
          - The organization on Hugging Face whose models are shown. The catalog server adds the name of the organization to the patterns in
            O(sources[].included) and O(sources[].excluded). Omit the name in these patterns.
        type: str
      included:
        description:
          - Patterns for the names of models or MCP servers to show. The only wildcard is C(*), and case is ignored. An empty list matches all entries of the
            source.
          - Required for a source of type V(hf) without an organization. In this case, each pattern must begin with an organization, such as C(ibm-granite/*).
        type: list
        elements: str
      excluded:
        description:
          - Patterns for the names of models or MCP servers that are not shown, even if they match O(sources[].included).
        type: list
        elements: str
      entries:
        description:
          - The models, MCP servers or agents of a source of type V(yaml), in the format of the catalog server.
          - Mutually exclusive with O(sources[].content) and O(sources[].path).
        type: list
        elements: dict
      content:
        description:
          - The data of a source of type V(yaml) as the content of a YAML file in the same format as for an upload in the dashboard.
          - Mutually exclusive with O(sources[].entries) and O(sources[].path).
        type: str
      path:
        description:
          - A file on the controller with the data. Relative paths are also searched for in C(files/).
          - Mutually exclusive with O(sources[].entries) and O(sources[].content).
        type: path
      token:
        description:
          - The token for Hugging Face. It is stored in a Secret, as in the dashboard.
          - The catalog server of OpenShift AI 3.5 and earlier ignores the token. If a token is set, a warning with the version of the catalog is always issued.
          - The module fails if the token does not begin with C(hf_).
        type: str
      state:
        description:
          - Whether the source exists. V(absent) deletes the source, its data, and the Secret with its token. Data and Secrets that another source uses are
            kept.
          - With V(absent), the module fails if the product provides the source. Set O(sources[].enabled) to V(false) instead. The module also fails if the
            source is in a ConfigMap that other users or tools manage.
        type: str
        choices: [present, absent]
        default: present
      status:
        description:
          - Ignored. Accepted so that the sources that M(modelops.openshift_ai.model_catalog_info) returns can be used as they are.
        type: dict
  labels:
    description:
      - Descriptions of labels. If not set, they are not changed.
      - The module fails if a ConfigMap of the product or of other users already describes a label differently, because the same label in two ConfigMaps makes
        the catalog unavailable.
      - If more than one ConfigMap describes labels, for example because the product itself also describes labels, the catalog server can fail to reload the
        labels after any source has changed. The catalog is then unavailable until the Deployment C(model-catalog) is restarted. A warning is issued if the
        module changes a ConfigMap while more than one ConfigMap describes labels.
      - With O(wait=true), the module restarts the Deployment if the catalog server fails to reload the labels. This requires the Role C(model-catalog-restart)
        in C(rbac/catalog.yml). Without this Role, the module fails, and the error contains the command to run.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The label. If not set, the description applies to the sources without labels.
        type: str
      display_name:
        description:
          - The name that the dashboard shows.
        type: str
      description:
        description:
          - The description that the dashboard shows.
        type: str
      asset_type:
        description:
          - The type of asset that the label applies to.
        type: str
        choices: [models, mcp_servers, agents]
  named_queries:
    description:
      - The named queries, each of which is a set of filters. If not set, they are not changed.
      - The module fails if a ConfigMap that other users or tools manage already contains a query of the same name with other filters.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The name.
        type: str
        required: true
      asset_type:
        description:
          - The type of asset that the filters apply to. If not set, they apply to models.
          - V(mcp_servers) and V(agents) require OpenShift AI 3.5 or later.
        type: str
        choices: [models, mcp_servers, agents]
      filters:
        description:
          - The conditions, all of which must be met. The module fails if the list is empty.
        type: list
        elements: dict
        required: true
        suboptions:
          field:
            description:
              - The field to filter by.
            type: str
            required: true
          operator:
            description:
              - The comparison operator.
            type: str
            choices: ['=', '!=', '>', '<', '>=', '<=', LIKE, ILIKE, IN, NOT IN]
            default: '='
          value:
            description:
              - The value to compare the field with. For V(IN) and V(NOT IN), it is a list.
            type: raw
            required: true
  store:
    description:
      - Where new sources, labels and named queries are stored. Existing sources, labels and named queries are not moved.
      - V(dashboard) stands for the ConfigMaps that the product provides for administrators, such as C(model-catalog-sources), which the settings page of the
        dashboard edits.
      - V(own) is the ConfigMap C(modelops-catalog) with the label C(opendatahub.io/catalog-source=true), which the dashboard never changes. The settings page
        does not show its sources. Requires OpenShift AI 3.4 or later.
      - In OpenShift AI 3.4 and later, new sources that do not fit into the ConfigMap are stored in additional ConfigMaps with the same label, such as
        C(modelops-catalog-2).
    type: str
    choices: [dashboard, own]
    default: dashboard
  purge:
    description:
      - Whether to delete sources that are not listed. If O(labels) or O(named_queries) is set, labels or named queries that are not listed are also deleted.
      - Overrides of sources that the product provides are also removed if the sources are not listed. Sources, labels and named queries in ConfigMaps of the
        product, or in ConfigMaps that other users or tools manage, are kept.
      - With V(true), the module fails if O(sources) is empty.
    type: bool
    default: false
  purge_limit:
    description:
      - The maximum number of sources that O(purge) can delete in one run. Sources of the product whose overrides are removed are also counted.
      - If there are more such sources, the module fails before anything is written, and the error lists them.
      - The module fails if the value is less than 0.
    type: int
    default: 1
  preview:
    description:
      - Whether to request a preview of each source of kind V(model) or V(mcp) from the catalog server. The preview contains the number of models or MCP
        servers in the source, and the number of those that are shown. The result is in RV(sources). Previews are also requested in check mode.
      - The preview does not verify that the catalog server accepts the source. This is verified by the module itself.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the catalog server shows the changes. The module does not wait if nothing was changed.
      - The module fails if the server cannot load a changed source. The error contains the reason that the server reports.
      - If the server cannot be contacted from the host where the task runs, or does not report the status of sources, as in OpenShift AI 3.1 and earlier, a
        warning is issued, and the module does not wait.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. It can take up to two minutes until the catalog server shows a change. Ignored if O(wait=false).
      - After this time, the module fails, and the changes are kept. The module also fails if the value is less than 1.
    type: int
    default: 300
  rollback:
    description:
      - Whether to restore the previous content of the ConfigMaps if the whole catalog becomes unavailable because of the changes. In this case, the module
        fails regardless of this option.
      - The changes are considered the cause if the pod of the catalog server is not ready, and its log contains an error about a changed ConfigMap or an added
        label, or shows that the server has crashed.
      - A ConfigMap is not restored if another process has changed it in the meantime. Changed tokens are not restored. Secrets with tokens are deleted last,
        and only if the module has not failed.
      - Ignored if O(wait=false).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Add the models of the fraud team to the catalog
  modelops.openshift_ai.model_catalog:
    sources:
      - name: Fraud models
        labels: [Fraud]
        path: fraud-models.yaml

- name: Show only some of the models that the product provides
  modelops.openshift_ai.model_catalog:
    sources:
      - id: redhat_ai_models
        included: ["RedHatAI/granite-*"]
      - id: other_models
        enabled: false

- name: Add models of an organization on Hugging Face
  modelops.openshift_ai.model_catalog:
    sources:
      - name: Granite
        organization: ibm-granite
        excluded: ["*-draft"]

- name: Detect drift without changing anything
  modelops.openshift_ai.model_catalog:
    sources: "{{ model_catalog_sources }}"
    purge: true
    purge_limit: 100
  check_mode: true
  diff: true
"""

RETURN = r"""
changes:
  description:
    - The changes that were made. In check mode, the changes that would be made.
    - After a failure, C(unverified) marks a write whose result is unknown.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update), V(delete) and V(restart).
      type: str
    kind:
      description: V(ConfigMap), V(Secret), or V(Deployment) for a restart of the catalog server.
      type: str
    namespace:
      description: The namespace of the object.
      type: str
    name:
      description: The name of the object.
      type: str
    fields:
      description: The options whose values were set or changed, such as V(sources[fraud_models].enabled).
      type: list
      elements: str
sources:
  description: The sources in O(sources), in the same order. Empty if the module failed before the changes were written.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The ID.
      type: str
    kind:
      description: V(model), V(mcp) or V(agent).
      type: str
    status:
      description: The status in the catalog server, V(available), V(partially-available), V(error) or V(disabled). Null if the module did not wait, or if the
        server does not report a status.
      type: str
    error:
      description: The reason for the status, as reported by the server.
      type: str
    preview:
      description: The preview, with C(entries), the number of entries, and C(shown), the number of entries that are shown. Null for agents and for
        O(sources[].state=absent), or if the server did not return a preview.
      returned: if O(preview=true)
      type: dict
version:
  description: The oldest version of OpenShift AI that has this version of the catalog, for example V(3.5). Null if it was not determined.
  returned: always
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
  description: The problems that were found.
  returned: if problems were found in the options, or in the changes that they require
  type: list
  elements: dict
  contains:
    option:
      description: The path of the option, such as V(sources[2].name).
      type: str
    value:
      description: The value of the option. Secrets are omitted.
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
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog


def main() -> None:
    _module.run_on_cluster(_options.CATALOG, catalog.converge, catalog.input_problems, record.Outcome(own={"sources": [], "version": None}))


if __name__ == "__main__":
    main()
