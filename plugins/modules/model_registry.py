#!/usr/bin/python

# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_registry
short_description: Create and edit a model registry of OpenShift AI or Open Data Hub
version_added: 0.1.0
author:
  - The modelops.openshift_ai authors (@modelops)
description:
  - Creates one model registry on an external MySQL or MariaDB database, or edits it in place, and waits until it really serves.
  - The objects are those that the dashboard of the product writes, so that a registry can be made there and edited here, and the other way round.
  - Everything that can be known is checked before anything is written, and one message names all problems that were found.
extends_documentation_fragment:
  - modelops.openshift_ai.auth
  - modelops.openshift_ai.attributes
notes:
  - An option that is left out keeps its live value.
  - Only the fields that are given are compared and written. Labels, annotations and fields of others stay as they are.
requirements:
  - kubernetes >= 24.2.0
  - kubernetes.core >= 5.0.0
options:
  name:
    description:
      - The resource name of the registry. It cannot be changed later.
      - Lower-case letters, digits and hyphens, beginning and ending with a letter or digit. Anything else is refused, and the name that the dashboard would
        derive is suggested.
      - At most 48 characters. With more than 40 the dashboard cannot edit the registry, which is a warning.
      - A name that a registry in another namespace has is refused by the cluster.
    type: str
    required: true
  namespace:
    description:
      - The namespace that the product keeps its registries in.
      - Left out, it is read from the DataScienceCluster. Where there is none, or the account may not read it, an error says so.
      - A namespace other than the operator's is refused by the cluster.
    type: str
  display_name:
    description:
      - The name that people see. A new registry gets O(name).
      - A blank text is refused.
    type: str
  description:
    description:
      - What the registry is for. An empty text clears it.
    type: str
  database:
    description:
      - The database of the registry. Required when the registry does not exist yet.
      - A registry that exists keeps what is left out here.
    type: dict
    suboptions:
      type:
        description:
          - The kind of database. V(mysql) stands for MariaDB too, from 10.11 on. It must be given for a new registry.
        type: str
        choices: [mysql]
      host:
        description:
          - The host name or address of the database server, or the name of a Service, together with O(database.namespace) when it is in another namespace.
          - A URL, a port, white space or a path in it is refused.
          - Two spellings of one Service, like V(db) with O(database.namespace=data) and V(db.data.svc), are the same host.
          - Pointing an existing registry at another host is refused, because all of its models would seem to vanish.
          - A host that the cluster does not know shows when the server starts; the message then names it.
        type: str
      namespace:
        description:
          - The namespace of the Service that O(database.host) names. It is refused together with a host that has a dot or is an address.
        type: str
      port:
        description:
          - The port of the database server, 1 to 65535. A new registry gets 3306.
        type: int
      name:
        description:
          - The name of the database. It must exist; the product never creates it. A new registry gets V(model-registry).
          - V(/), V(%) and V(?) in it are refused, because the registry server cannot connect with them. OpenShift AI 2.21 can use only letters, digits and
            underscores, so that the name must be given there.
          - Another one for an existing registry is refused, because all of its models would seem to vanish.
        type: str
      username:
        description:
          - The user that the registry logs in as. It needs all privileges on the database.
          - A V(:) in it is refused, because the registry server would cut it off there.
        type: str
      password:
        description:
          - The password of the user. It is kept in a Secret beside the registry, as the dashboard keeps it.
          - A new one is written into that Secret, and the server is restarted so that it takes effect.
          - A password with V(?), which the registry server does not start with, or with a line break at its end is refused.
          - When the registry uses a Secret that somebody else made, a new password is refused. Change it there.
        type: str
      ca:
        description:
          - Where the CA certificates are that the database's certificate is checked with.
          - V(cluster) and V(openshift_ai) are the cluster-wide bundle and the product's, as the dashboard offers them.
          - A dictionary with C(config_map) and C(key) names a ConfigMap in O(namespace). One that does not exist, has no such key or holds no
            certificate is refused.
          - V(none) takes the CA away, and the connection is no longer encrypted.
        type: raw
      verify_server_cert:
        description:
          - Whether the server checks the database's certificate and host name. The dashboard never sets it, and a CA alone only encrypts.
          - Left out it becomes V(true) when this call sets or changes O(database.ca). Otherwise the live value stays, with a warning when it is off.
          - A host name that the certificate does not have shows when the server starts; the message then names it.
        type: bool
  wait:
    description:
      - Whether to wait until the registry serves, with the definition that it has after this call. A registry that does not is an error that names the reason.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at most, at least 1. What only another input can cure, such as a wrong password, ends the wait as soon as it has shown twice.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: A registry on an external MariaDB, its certificate checked with the cluster-wide CA bundle
  modelops.openshift_ai.model_registry:
    name: fraud-models
    display_name: Fraud models
    description: Models of the fraud team
    database:
      type: mysql
      host: mysql
      namespace: data
      name: fraud_models
      username: registry
      password: "{{ vault_database_password }}"
      ca: cluster

- name: Another description for it; everything else stays
  modelops.openshift_ai.model_registry:
    name: fraud-models
    description: Models of the fraud and abuse teams
"""

RETURN = r"""
changes:
  description: What was done, in order. In check mode what would be done; C(unverified) marks what the cluster could not be asked about beforehand.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update) and V(restart).
      type: str
    kind:
      description: The kind of the object.
      type: str
    namespace:
      description: The namespace of the object.
      type: str
    name:
      description: The name of the object.
      type: str
    fields:
      description: The options whose values were set or changed.
      type: list
      elements: str
registry:
  description: The registry as it is now, in the shape of the options, without secrets.
  returned: success
  type: dict
  sample:
    name: fraud-models
    namespace: rhoai-model-registries
    display_name: Fraud models
    description: Models of the fraud team
    database:
      type: mysql
      host: mysql.data.svc.cluster.local
      port: 3306
      name: fraud_models
      username: registry
      password_secret: {name: fraud-models-db-k4mzt, key: database-password}
      ca: cluster
      verify_server_cert: true
status:
  description: How the registry is.
  returned: success, and when it does not serve
  type: dict
  contains:
    serving:
      description: Whether it serves what its definition says.
      type: bool
    reason:
      description: Why it does not serve.
      type: str
    address:
      description: The public URL.
      type: str
    hosts:
      description: All names under which it can be reached, from outside and inside of the cluster.
      type: list
      elements: str
    conditions:
      description: The conditions that the operator reports.
      type: list
      elements: dict
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

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _arguments
from ansible_collections.modelops.openshift_ai.plugins.module_utils._module import run


def main() -> None:
    run({**_arguments.REGISTRY, **_arguments.WAIT})


if __name__ == "__main__":
    main()
