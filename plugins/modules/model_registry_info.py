#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry_info
short_description: Read model registries, as code and with everything about how they are
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Reads one, some or all model registries of a cluster, in the shape that M(modelops.openshift_ai.model_registries) takes. What it returns, given to that
    module, changes nothing, however the registries were made. That is how registries of the dashboard become code.
  - With it comes how each registry is, who has access and through what, when its certificates expire, and what a look at its database finds.
  - It never writes. What the account may not read is missing in the result, and a warning says so. Only the registries themselves must be readable.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
attributes:
  check_mode:
    description: It changes nothing, in check mode and otherwise.
  diff_mode:
    description: It changes nothing, so that there is nothing to show.
    support: none
notes:
  - Passwords are never returned. RV(registries[].database) refers to the Secret that holds the password, as C(password_secret).
  - What options cannot say as it is, such as a database's name that M(modelops.openshift_ai.model_registries) would refuse for a new registry, is left out of
    RV(registries), and a warning names it. A run without it keeps it as it is.
  - C(rbac/read.yml) of this collection has the rights for all of it, and tells what each of them shows.
  - The number of requests does not depend on the number of registries, but that a registry that does not serve takes two or three more to tell why.
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
      - The resource name of the one registry to read.
      - Where there is no such registry, RV(registries) is empty. An empty text is refused. So is one in O(label_selector) and O(name_pattern).
      - A registry is read when it matches all of O(name), O(label_selector) and O(name_pattern) that are given. Without any of them all are read.
    type: str
  label_selector:
    description:
      - Labels that the registries must have, as C(kubectl) takes them, such as V(team=fraud,stage!=test).
      - What the API server does not take for a selector is an error.
    type: str
  name_pattern:
    description:
      - A shell pattern for the resource name, such as V(fraud-*).
    type: str
  namespace:
    description:
      - The namespace that the product keeps its registries in.
      - Left out, it is read from the DataScienceCluster. Where there is none, or the account may not read it, an error says so.
      - A namespace that does not exist or is not the operator's is refused, and the operator's is named.
    type: str
  include:
    description:
      - What to tell beside the registries themselves.
      - V(status), how each is.
      - V(permissions), who may use each, as options and as found.
      - V(certificates), those of each database's CA, and the one that the registry shows to its database.
      - V(database), a look at each database as M(modelops.openshift_ai.model_registry_database_info) takes, from the host that the task runs on. All are
        looked at at the same time.
    type: list
    elements: str
    choices: [status, permissions, certificates, database]
    default: [status, permissions]
  query:
    description:
      - A JMESPath expression (https://jmespath.org) over the result, such as V(registries[?status.serving==`false`].name). Its answer is RV(result).
      - An expression that is none is refused before anything is read.
    type: str
  expiry_days:
    description:
      - A certificate that expires within this many days is marked, and warned of. Less than 0 or more than 1000000 is refused.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: All registries as code
  modelops.openshift_ai.model_registry_info:
    include: [permissions]
  register: export

- name: The same registries, from now on by this list
  modelops.openshift_ai.model_registries:
    registries: "{{ export.registries }}"

- name: Which registries do not serve, and why
  modelops.openshift_ai.model_registry_info:
    include: [status]
    query: "registries[?status.serving!=`true`].{name: name, reason: status.reason}"
  register: unwell

- name: Certificates of the fraud team's registries that end within 60 days
  modelops.openshift_ai.model_registry_info:
    name_pattern: fraud-*
    include: [certificates]
    expiry_days: 60
    query: "registries[].status.certificates[?expires_soon || expired][]"
"""

RETURN = r"""
registries:
  description:
    - The registries, by name, each in the shape of the options of M(modelops.openshift_ai.model_registries), without secrets.
    - C(permissions) is there when it is included and the account may list RoleBindings. It tells of the RoleBindings of the dashboard and this collection.
      All others are in C(status.access).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The resource name.
      type: str
    namespace:
      description: The registries namespace.
      type: str
    display_name:
      description: The name that people see, when the registry has one of its own.
      type: str
    description:
      description: What the registry is for.
      type: str
    database:
      description: The database, when the registry has one.
      type: dict
    permissions:
      description: Who may use it.
      type: dict
    status:
      description: How it is. M(modelops.openshift_ai.model_registries) accepts it and ignores it.
      returned: when something is included
      type: dict
      contains:
        serving:
          description: Whether it serves what its definition says. Null when that could not be seen.
          type: bool
        reason:
          description: Why it does not serve, with the evidence and what to do.
          type: str
        address:
          description: Its public URL.
          type: str
        hosts:
          description: The hosts that the operator reports.
          type: list
          elements: str
        conditions:
          description: The operator's conditions, each with C(type), C(status), C(reason) and C(message).
          type: list
          elements: dict
        api_version:
          description: The newest version of its API that the cluster serves.
          type: str
        server_image:
          description: The image of its server's newest pod.
          type: str
        server_version:
          description: The tag of that image, when it has one.
          type: str
        started_at:
          description: When the server was started last.
          type: str
        restart_needed:
          description: Whether the server is older than the data of something that it reads. Null when that could not be seen.
          type: bool
        sources:
          description: The Secrets and ConfigMaps that the server reads for its database.
          type: list
          elements: dict
          contains:
            kind:
              description: V(Secret) or V(ConfigMap).
              type: str
            name:
              description: Its name.
              type: str
            read_keys:
              description: The keys that are read; none when the whole object is mounted.
              type: list
              elements: str
            exists:
              description: Whether there is such an object. Null when that could not be seen.
              type: bool
            changed_at:
              description: When its data was last written.
              type: str
            age:
              description: How many seconds ago that was.
              type: int
            restart_needed:
              description: Whether the server is older than that. Null when that could not be seen.
              type: bool
        access:
          description: Everybody who is let in by a RoleBinding of this registry, or by another right for it by name; an entry for each subject.
          type: list
          elements: dict
          contains:
            kind:
              description: V(group), V(user), V(project) or V(service_account).
              type: str
            name:
              description: Its name.
              type: str
            namespace:
              description: The namespace of a service account.
              type: str
            through:
              description: The binding's name.
              type: str
            through_kind:
              description: V(RoleBinding) or V(ClusterRoleBinding).
              type: str
            role:
              description: The Role or ClusterRole that it is bound to.
              type: str
            made_by:
              description: V(dashboard-or-collection), V(operator) or V(other).
              type: str
            effective:
              description: Whether the binding gives access. One to C(registry-users-<name>), a Role that the product's documentation names, gives none.
              type: bool
            everybody:
              description: Whether it is a group that holds nearly everybody, such as C(system:authenticated). It is worth a warning.
              type: bool
            platform:
              description: Whether it belongs to the cluster itself.
              type: bool
        certificates:
          description: The certificates that the server reads.
          type: list
          elements: dict
          contains:
            use:
              description: V(ca), or V(client) for the one that is shown to the database.
              type: str
            kind:
              description: V(Secret) or V(ConfigMap).
              type: str
            name:
              description: Its name.
              type: str
            key:
              description: The key that holds the certificate.
              type: str
            subject:
              description: Its subject.
              type: str
            issuer:
              description: Who signed it.
              type: str
            not_before:
              description: From when on it is valid.
              type: str
            not_after:
              description: Until when it is valid.
              type: str
            is_ca:
              description: Whether it may sign others.
              type: bool
            sha256:
              description: Its fingerprint.
              type: str
            days_left:
              description: How many days it is valid still. Less than 0 for one that has expired.
              type: int
            expired:
              description: Whether it has expired.
              type: bool
            expires_soon:
              description: Whether it expires within O(expiry_days).
              type: bool
        database:
          description:
            - What a look at the database found. C(serves), C(findings) as of M(modelops.openshift_ai.model_registry_database_info), C(version),
              C(schema_version) and C(certificate).
            - Null for a database that the product generated, which can be reached only in the cluster, and for one that could not be looked at.
          type: dict
skipped_registries:
  description:
    - Registries that no list can have, with C(name) and C(reason). They are being deleted, or have a name that cannot work.
  returned: success
  type: list
  elements: dict
not_found:
  description:
    - That there is no registry of this O(name), with the name that was probably meant.
  returned: when O(name) is given, without O(label_selector), and there is no such registry
  type: str
  sample: Registry 'fraud-model' does not exist in namespace 'rhoai-model-registries' (did you mean 'fraud-models'?)
access_by_other_roles:
  description:
    - Everybody who may use all registries of the namespace by other rights than those that a registry gives, for the whole namespace or cluster. An entry
      for each subject, as in C(status.access).
  returned: when permissions are included
  type: list
  elements: dict
result:
  description: The answer to O(query).
  returned: when O(query) is given
  type: raw
cluster:
  description: Which cluster was spoken to, and as whom.
  returned: success
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
  description: What is wrong with the input.
  returned: when the input was refused
  type: list
  elements: dict
  contains:
    option:
      description: The path of the option.
      type: str
    value:
      description: Its value, unless it is secret.
      type: raw
    problem:
      description: What is wrong.
      type: str
    remedy:
      description: What to do.
      type: str
"""

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import info


def main() -> None:
    info.run(_options.INFO)


if __name__ == "__main__":
    main()
