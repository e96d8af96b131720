#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_info
short_description: Export model registries as code and report their status
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Reads one, several or all model registries of a cluster, in the format of M(modelops.openshift_ai.model_registries). If RV(registries) is used as the input
    of that module, no settings and no permissions of the registries are changed. Registries that were created in the dashboard can therefore be exported as
    code.
  - Can also report the status of each registry, which subjects have access and how, when certificates expire, and the result of a database check.
  - Does not write anything. Information that the account cannot read is omitted, and a warning describes the missing information. The only
    required permissions are to list the registries and, if O(namespace) is not set, to read the namespace from the DataScienceCluster.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
  - modelops.openshift_ai.info
attributes:
  check_mode:
    description: This module never changes anything.
  diff_mode:
    description: This module never changes anything.
    support: none
notes:
  - Passwords are never returned. C(password_secret) in RV(registries[].database) refers to the Secret with the password.
  - Values that M(modelops.openshift_ai.model_registries) would reject or change, such as the name of a database with an invalid character, are omitted from
    RV(registries), and a warning lists them. Values that are omitted are not changed by that module.
  - The permissions for all information are in C(rbac/read.yml) of this collection. The file also explains what each permission reveals.
  - The number of requests to the API server does not depend on the number of registries, except that each registry that is not available requires up to four
    more requests to determine the cause.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
  - jmespath >= 1.0.0, for O(query)
  - cryptography >= 3.4, for V(certificates) and V(database) in O(include)
  - PyMySQL >= 1.0.2 for MySQL and psycopg >= 3.1.8 for PostgreSQL, for V(database) in O(include)
seealso:
  - module: modelops.openshift_ai.model_registries
  - module: modelops.openshift_ai.model_registry_database_info
options:
  name:
    description:
      - The resource name of the registry to read. If it does not exist, RV(registries) is empty.
      - If several of O(name), O(label_selector) and O(name_pattern) are set, only registries that match all of them are read. If none of them is set, all
        registries are read.
      - The module fails if O(name), O(label_selector) or O(name_pattern) is empty.
    type: str
  label_selector:
    description:
      - A label selector, in the format of C(kubectl), such as V(team=fraud,stage!=test). The module fails if the API server does not accept it.
    type: str
  name_pattern:
    description:
      - A shell pattern for the resource name, such as V(fraud-*).
    type: str
  namespace:
    description:
      - The namespace of the model registries.
      - If not set, it is read from the DataScienceCluster. If the DataScienceCluster does not specify a namespace, the value is read from the AIHub of
        OpenShift AI 3.6 and later. The module fails if there is no DataScienceCluster, or if the account cannot read it.
      - The module fails if it detects that the namespace does not exist or is not the one that the operator uses. The error contains the correct namespace, if
        it is known.
    type: str
  query:
    description:
      - A JMESPath expression (https://jmespath.org) that is applied to the result, such as V(registries[?status.available==`false`].name). The result of the
        expression is in RV(result).
      - The module fails before anything is read if the expression is not valid.
    type: str
"""

EXAMPLES = r"""
- name: Export all registries
  modelops.openshift_ai.model_registry_info:
    include: [permissions]
  register: export

- name: Manage the exported registries with this list from now on
  modelops.openshift_ai.model_registries:
    registries: "{{ export.registries }}"

- name: List the registries that are not available or whose status is not known, with the cause
  modelops.openshift_ai.model_registry_info:
    include: [status]
    query: "registries[?status.available!=`true`].{name: name, reason: status.reason, remedy: status.remedy}"
  register: unwell

- name: List the certificates of the fraud team that have expired or expire within 60 days
  modelops.openshift_ai.model_registry_info:
    name_pattern: fraud-*
    include: [certificates]
    expiry_days: 60
    query: "registries[].status.certificates[?expires_soon || expired][]"
"""

RETURN = r"""
registries:
  description:
    - The registries, sorted by name, in the format of the options of M(modelops.openshift_ai.model_registries) and without secrets.
    - C(permissions) is returned if it is included and the account can list RoleBindings. It contains the subjects of the RoleBindings that the dashboard or
      this collection created. The subjects of all RoleBindings of the registry are in C(status.access).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The resource name.
      type: str
    namespace:
      description: The namespace.
      type: str
    display_name:
      description: The display name, if one is set.
      type: str
    description:
      description: The description.
      type: str
    database:
      description: The database, if one is set.
      type: dict
    permissions:
      description: The subjects that have access.
      type: dict
    status:
      description: The status. M(modelops.openshift_ai.model_registries) accepts this field and ignores it.
      returned: if O(include) is not empty
      type: dict
      contains:
        available:
          description: Whether the registry is available with its current definition. Null if this is not known.
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
          description: The host names that the operator reports.
          type: list
          elements: str
        conditions:
          description: The conditions that the operator reports, each with C(type), C(status), C(reason) and C(message).
          type: list
          elements: dict
        api_version:
          description: The newest version of the API of model registries in the cluster.
          type: str
        server_image:
          description: The image of the registry server in the newest pod.
          type: str
        server_version:
          description: The tag of that image, if it has one.
          type: str
        started_at:
          description: The time at which the server last started.
          type: str
        restart_needed:
          description: Whether data that the server uses has changed since it started. Null if this is not known.
          type: bool
        sources:
          description: The Secrets and ConfigMaps that the server uses for its database connection.
          type: list
          elements: dict
          contains:
            kind:
              description: V(Secret) or V(ConfigMap).
              type: str
            name:
              description: The name of the object.
              type: str
            read_keys:
              description: The keys that are used. Empty if the whole object is mounted.
              type: list
              elements: str
            exists:
              description: Whether the object exists. Null if this is not known.
              type: bool
            changed_at:
              description: The time at which the data was last changed.
              type: str
            age:
              description: The number of seconds since the data was last changed.
              type: int
            restart_needed:
              description: Whether the data has changed since the server started. Null if this is not known.
              type: bool
        access:
          description:
            - The subjects that have access through a RoleBinding of this registry, or through another permission for this registry. There is one entry for each
              subject of each binding.
          type: list
          elements: dict
          contains:
            kind:
              description: V(group), V(user), V(project) or V(service_account).
              type: str
            name:
              description: The name of the subject.
              type: str
            namespace:
              description: The namespace of a service account.
              type: str
            through:
              description: The name of the binding.
              type: str
            through_kind:
              description: V(RoleBinding) or V(ClusterRoleBinding).
              type: str
            role:
              description: The Role or ClusterRole of the binding.
              type: str
            made_by:
              description: What created the binding. One of V(dashboard-or-collection), V(operator) and V(other).
              type: str
            created_at:
              description: The time at which the binding was created.
              type: str
            last_changed_at:
              description: The time at which the binding was created or last changed. Null if the API server does not report it.
              type: str
            last_changed_by:
              description:
                - The client that last changed the binding, as it identified itself to the API server. V(unknown) is a client without a name, such as the
                  dashboard. The user is recorded only in the audit log of the API server.
              type: str
            effective:
              description:
                - Whether the binding grants access. A binding to C(registry-users-<name>), a Role that is mentioned in the documentation of the product, does
                  not grant access.
              type: bool
            everybody:
              description: Whether the subject is a group that contains nearly all users, such as C(system:authenticated).
              type: bool
            platform:
              description: Whether the subject is part of the platform, such as a service account in a namespace whose name begins with C(openshift) or
                C(kube-).
              type: bool
        certificates:
          description: The certificates that the server uses.
          type: list
          elements: dict
          contains:
            use:
              description: V(ca) for a CA certificate, V(client) for the client certificate.
              type: str
            kind:
              description: V(Secret) or V(ConfigMap).
              type: str
            name:
              description: The name of the object.
              type: str
            key:
              description: The key of the certificate.
              type: str
            subject:
              description: The subject.
              type: str
            issuer:
              description: The issuer.
              type: str
            not_before:
              description: The start of the validity period.
              type: str
            not_after:
              description: The end of the validity period.
              type: str
            is_ca:
              description: Whether it is a CA certificate.
              type: bool
            sha256:
              description: The SHA-256 fingerprint.
              type: str
            days_left:
              description: The number of days until the certificate expires. Negative if it has expired.
              type: int
            expired:
              description: Whether the certificate has expired.
              type: bool
            expires_soon:
              description: Whether the certificate expires within O(expiry_days).
              type: bool
        unread_certificates:
          description: The ConfigMaps and Secrets that could not be read and that contain certificates of the registry, such as V(Secret fraud-ca).
          type: list
          elements: str
        database:
          description:
            - The result of the database check, with C(usable), C(findings), C(version), C(schema_version) and C(certificate). See
              M(modelops.openshift_ai.model_registry_database_info).
            - Null for a generated database, which this module does not check, for a registry without a database, and if the account cannot
              read the Secrets or ConfigMaps of the database connection.
          type: dict
        smoke_test:
          description:
            - The response of the registry, as in RV(modelops.openshift_ai.model_registry#module:status.smoke_test).
          returned: if O(include) contains V(smoke_test), and the registry is available
          type: dict
skipped_registries:
  description:
    - The registries that cannot be managed with M(modelops.openshift_ai.model_registries), with C(name) and C(reason). These are registries that are being
      deleted, and registries whose name is not valid.
  returned: success
  type: list
  elements: dict
not_found:
  description:
    - A message stating that the registry in O(name) does not exist, with a similar name if there is one.
  returned: if O(name) is set without O(label_selector), and the registry does not exist
  type: str
  sample: Registry 'fraud-model' does not exist in namespace 'rhoai-model-registries' (did you mean 'fraud-models'?)
access_by_other_roles:
  description:
    - The subjects that have access to all registries through permissions for the whole namespace or cluster. There is one entry for each subject of each
      binding, as in C(status.access).
  returned: if O(include) contains V(permissions)
  type: list
  elements: dict
groups:
  description:
    - The OpenShift groups that have access, with their users.
    - Null if the account cannot list Groups, or if the cluster has no Groups, for example because users are authenticated by an external identity provider.
  returned: if O(include) contains V(permissions)
  type: list
  elements: dict
  contains:
    name:
      description: The name of the group.
      type: str
    users:
      description: The names of the users.
      type: list
      elements: str
    last_changed_at:
      description: The time at which the group was last changed. Null if the API server does not report it.
      type: str
    last_changed_by:
      description: The client that last changed the group, as it identified itself to the API server.
      type: str
result:
  description: The result of the expression in O(query).
  returned: if O(query) is set
  type: raw
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
      description: The value of the option. Secrets are omitted.
      type: raw
    problem:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
"""

import gc

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options


def main() -> None:
    # Imported here: what is read stays until the end, so that a search for garbage in it only takes time: of the 3.2 s of CPU for 1,000 registries 1 s.
    gc.disable()
    from ansible_collections.modelops.openshift_ai.plugins.module_utils import _module
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import info

    _module.run_reading(_options.INFO, info.collect, info.input_problems)


if __name__ == "__main__":
    main()
