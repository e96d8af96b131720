# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of a registry: the option of all modules that make registries."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  database:
    description:
      - The database of the registry. Required when the registry does not exist yet.
      - A registry that exists keeps what is left out here.
    type: dict
    suboptions:
      type:
        description:
          - The kind of database. It must be given for a new registry.
          - V(mysql) stands for MariaDB too, from 10.11 on. V(postgresql) has to be 16 or newer. A server that is too old shows when the registry starts, and
            the message says so.
          - V(generated) is a PostgreSQL that the product sets up beside the registry. It is not for production, which is a warning. It is deleted with the
            registry, and no other option of O(database) may be given with it. Products before 3.0 do not know it, and it is refused there.
          - Another type for an existing registry is refused without O(allow_data_change).
        type: str
        choices: [mysql, postgresql, generated]
      host:
        description:
          - The host name or address of the database server, or the name of a Service, together with O(database.namespace) when it is in another namespace.
          - A URL, a port, white space or a path in it is refused.
          - With O(database.namespace), the address C(host.namespace.svc) is written, which resolves on every cluster.
          - Two spellings of one Service, like V(db) with O(database.namespace=data) and V(db.data.svc), are the same host.
          - Another host for an existing registry is refused without O(allow_data_change), because all of its models would seem to vanish.
          - A single word that is no Service of the registries namespace is a warning. A host that the cluster does not know shows when the server starts, and
            the message then names it.
        type: str
      namespace:
        description:
          - The namespace of the Service that O(database.host) names. It is refused together with a host that has a dot or is an address.
        type: str
      port:
        description:
          - The port of the database server, 1 to 65535. Anything else is refused. A new registry gets 3306 for MySQL and 5432 for PostgreSQL.
        type: int
      name:
        description:
          - The name of the database. It must exist; the product never creates it. A new registry gets V(model-registry).
          - Characters that break the server's connection string are refused. These are V(/), V(%) and V(?) for MySQL, and V(%), V(?) and V(#) for PostgreSQL.
            OpenShift AI 2.21 can use only letters, digits and underscores, so that the name must be given there.
          - Another one for an existing registry is refused without O(allow_data_change), because all of its models would seem to vanish.
        type: str
      username:
        description:
          - The user that the registry logs in as. It needs all privileges on the database.
          - Characters that break the server's connection string are refused, like V(:).
        type: str
      password:
        description:
          - The password of the user. It is kept in a Secret beside the registry, as the dashboard keeps it.
          - A new one is written into that Secret, and the server is restarted so that it takes effect.
          - If the registry was available before and does not become available with the new one within the wait, the previous password is put back and the
            server is restarted again. It is not put back if the database refuses it, if the database accepts the new one, or if another process has changed the
            Secret since. The error reports which.
          - For MySQL a password with V(?), with which the registry server does not start, is refused. For PostgreSQL every password works, because it is stored
            percent-encoded where that is needed. An empty one, or one with a line break at its end, is refused.
          - The module fails if a new password would have to be written to a Secret that neither the dashboard nor this collection created, or that another
            client, such as C(kubectl), has edited since. Change the password there and omit this option, or delete that Secret so that it is created again.
        type: str
      password_secret:
        description:
          - A Secret in O(namespace) that somebody else looks after, and the key in it with the password. It is never changed and never deleted.
          - Refused together with O(database.password). Also refused are a Secret or key that does not exist, and a password in it that cannot work.
          - When that Secret changes, the next run restarts the server. A PostgreSQL password in it has to be percent-encoded.
          - The Secret that the dashboard or this collection created for the previous password is deleted when the registry has been seen available without it.
            Until then RV(kept) names it, and a later run deletes it.
        type: dict
        suboptions:
          name:
            description: The name of the Secret. An empty one is refused.
            type: str
            required: true
          key:
            description: The key in it. An empty one is refused.
            type: str
            required: true
      ca:
        description:
          - Where the CA certificates are that the database's certificate is checked with.
          - V(cluster) and V(openshift_ai) are the cluster-wide bundle and the product's, as the dashboard offers them.
          - A dictionary with C(config_map) and C(key), or with C(secret) and C(key), names a ConfigMap or Secret in O(namespace).
          - One that does not exist, has no such key or holds no certificate is refused.
          - A dictionary with C(pem) holds the certificates themselves, as PEM text. They go into the ConfigMap that an upload in the dashboard makes, which
            is called like the registry with C(-db-credential) at its end, and with C(-2), C(-3) and so on where that name is taken. Here that works for
            PostgreSQL too. Other certificates for a registry that reads such a ConfigMap replace what is in it, and the server is restarted. If another
            registry reads it too, or something else manages it, they are written to a new one.
          - Text that is no bundle of valid CA certificates is refused as in M(modelops.openshift_ai.model_registry_ca), which also adds to bundles.
          - V(none) takes the CA away, and a connection to MySQL is no longer encrypted unless O(database.verify_server_cert=true).
        type: raw
      verify_server_cert:
        description:
          - Whether the server checks MySQL's certificate and host name. The dashboard never sets it, and a CA alone only encrypts. Without a CA the system's
            are used.
          - Left out it becomes V(true) when this call creates the registry with a CA, or changes which CA it reads. Otherwise the live value stays, with a
            warning when it is off, also when the certificates in the ConfigMap change.
          - It is refused for PostgreSQL, where a CA always checks the certificate, and nothing ever checks the host name.
          - A host name that the certificate does not have shows when the server starts, and the message then names it.
        type: bool
      ssl_mode:
        description:
          - How the server encrypts its connection to PostgreSQL. A new registry gets V(disable). With a CA the connection is always encrypted.
          - Without a CA anything below V(require) is a warning. V(verify-full) is a warning too, because the product does not check the host name all the same.
          - It is refused for MySQL.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      client_certificate:
        description:
          - The certificate that the server shows to the database. A dictionary with C(secret), the name of a Secret in O(namespace), C(certificate_key),
            V(tls.crt) when left out, and C(private_key_key), V(tls.key) when left out.
          - A Secret or key that does not exist is refused. V(none) takes the certificate away.
        type: raw
"""
