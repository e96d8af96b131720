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
      - The database of the registry. Required to create a registry.
      - Suboptions that are not set keep their current values. If the type of the database changes, the defaults and requirements of a new registry apply. If a
        Secret or ConfigMap that the registry already uses is missing or not valid, and nothing would be written, a warning is issued instead of an error.
    type: dict
    suboptions:
      type:
        description:
          - The type of the database. Required to create a registry.
          - V(mysql) is for MySQL 8.0.3 or later, and for MariaDB 10.11 or later. The database check issues a warning for an older server.
          - V(postgresql) is for PostgreSQL 16 or later. With an older server, the registry does not become available, and the error reports the cause.
          - V(generated) is a PostgreSQL database that the product creates for the registry. It is deleted together with the registry. When a registry is
            created with a generated database, a warning is issued, because such a database is not intended for production. Mutually exclusive with all other
            suboptions of O(database). The module fails if the product is older than OpenShift AI 3.0, which is the first version that supports generated
            databases. If the generated database of a deleted registry of the same name is still being deleted, the module waits up to 60 seconds until the
            deletion is complete, and fails after this time.
          - The module fails if the database type of an existing registry would change, unless O(allow_data_change=true).
        type: str
        choices: [mysql, postgresql, generated]
      host:
        description:
          - The host name or IP address of the database server, or the name of a Service. For a Service in another namespace, also set O(database.namespace).
          - With O(database.namespace), the address C(host.namespace.svc) is written. This form of address does not depend on the DNS domain of the cluster.
          - Different names of the same Service are considered the same host. For example, this applies to V(db) with O(database.namespace=data) and to
            V(db.data.svc).
          - The module fails if the value contains a scheme, a port, a path or white space.
          - The module fails if the host of an existing registry would change, unless O(allow_data_change=true), because the models stay in the previous
            database.
          - A warning is issued if a new value refers to a Service, such as V(db) or V(db.data.svc), and the Service does not exist. In another namespace, the
            Service is checked only if the account can list Services there. If the host name cannot be resolved in the cluster, the registry does not become
            available, and the error contains the host name.
        type: str
      namespace:
        description:
          - The namespace of the Service in O(database.host). Requires O(database.host). The module fails if the host is an IP address or contains a dot.
        type: str
      port:
        description:
          - The port of the database server. For a new registry, the default is 3306 for MySQL and 5432 for PostgreSQL.
          - The module fails if the value is not between 1 and 65535.
          - The module fails if the port of an existing registry would change, unless O(allow_data_change=true), because a different port is considered a
            different server.
        type: int
      name:
        description:
          - The name of the database. For a new registry, the default is V(model-registry). The database must exist. The product never creates it.
          - The module fails if the name is not valid in the connection string of the registry server. For MySQL, the characters V(/), V(%) and V(?) are not
            valid. For PostgreSQL, the characters V(%), V(?) and V(#), and V(/) at the beginning of the name, are not valid.
          - With OpenShift AI 2.21, only letters, digits and underscores are valid. For a new registry, this option is therefore required, because the default
            contains a hyphen.
          - The module fails if the database name of an existing registry would change, unless O(allow_data_change=true), because the models stay in the
            previous database.
        type: str
      username:
        description:
          - The database user of the registry. For MySQL, grant the user all privileges on the database. For PostgreSQL, make the user the owner of the database
            and of its tables. With OpenShift AI 2.21, a MySQL user must use the authentication plugin C(mysql_native_password).
          - The module fails if the name contains a character that is not valid in the connection string of the registry server, such as V(:).
        type: str
      password:
        description:
          - The password of the user. It is stored in a Secret in the namespace of the registry, as in the dashboard.
          - If the password differs from the stored one, the Secret is updated and the server is restarted so that the change takes effect. With
            O(restart=false), the module does not restart the server.
          - If the registry was available before, the previous password stays in the Secret under another key until the registry is available with the new one.
            If the registry does not become available in time, the previous password is restored and the server is restarted again. The previous password is not
            restored if the database rejects it, if it belongs to another user or database, if the database accepts the new password, if another registry is
            available with the new password, or if another process has changed the Secret or the database settings in the meantime. The error reports the
            result.
          - With O(wait=false), or if the run is interrupted, a later run removes or restores the previous password.
          - The module fails if the password is empty, ends with a line break, or contains a null character. For MySQL, it also fails if the password contains
            V(?), because the registry server does not start with such a password. Passwords for PostgreSQL are percent-encoded if required.
          - The module fails if a new password would have to be written to a Secret that neither the dashboard nor this collection created, or that another
            client, such as C(kubectl), has edited since. Change the password in that Secret and omit this option. If the dashboard or this collection created
            the Secret, you can also delete it. It is then created again.
        type: str
      password_secret:
        description:
          - An existing Secret in O(namespace) with the password. A Secret that neither the dashboard nor this collection created is not changed or deleted.
          - If the password in the Secret changes, the next run restarts the server, unless O(restart=false). In a password for PostgreSQL, special characters
            must be percent-encoded in the Secret, except with OpenShift AI 2.21.
          - The Secret that the dashboard or this collection created for the previous password is deleted after the registry has become available with the
            Secret in this option. Until then, the previous Secret is listed in RV(kept), and a later run deletes it.
          - Mutually exclusive with O(database.password).
          - The module fails if the Secret or the key does not exist, or if the password in it is not valid.
        type: dict
        suboptions:
          name:
            description: The name of the Secret. The module fails if it is empty.
            type: str
            required: true
          key:
            description: The key of the password in the Secret. The module fails if it is empty.
            type: str
            required: true
      ca:
        description:
          - The CA certificates that are used to verify the certificate of the database.
          - The module fails if a suboption is set that does not apply to the value of O(database.ca.source).
        type: dict
        suboptions:
          source:
            description:
              - Where the CA certificates come from. The choices are those of the dashboard.
              - V(cluster) is the cluster-wide CA bundle. V(openshift_ai) is the CA bundle of OpenShift AI.
              - V(config_map) and V(secret) are a ConfigMap and a Secret in O(namespace). They require O(database.ca.name) and O(database.ca.key).
              - V(upload) stores the certificates in O(database.ca.pem) or O(database.ca.path) in the same ConfigMap as an upload in the dashboard. The name of
                the ConfigMap is C(<name>-db-credential). If that name is already in use, a number is appended, such as C(<name>-db-credential-2). Certificates
                can be uploaded for both MySQL and PostgreSQL.
              - If the registry already uses such a ConfigMap, V(upload) replaces its content, and the server is restarted, unless O(restart=false). If another
                registry also uses the ConfigMap, or if another client, such as C(kubectl), created or edited it, a new ConfigMap is created.
              - V(none) removes the CA. Connections to MySQL are then not encrypted, unless O(database.verify_server_cert=true), O(database.ssl_cipher) or
                O(database.client_certificate) is set.
            type: str
            choices: [cluster, openshift_ai, config_map, secret, upload, none]
            required: true
          name:
            description: The name of the ConfigMap or Secret. The module fails if the object does not exist.
            type: str
          key:
            description: The key of the certificates in the ConfigMap or Secret. The module fails if the key does not exist or does not contain a certificate.
            type: str
          pem:
            description:
              - The CA certificates to upload, in PEM format. Mutually exclusive with O(database.ca.path).
              - The module fails if the value is not a bundle of valid CA certificates. The rules are those of M(modelops.openshift_ai.model_registry_ca), which
                can also add certificates to a bundle.
            type: str
          path:
            description:
              - A file on the controller with the CA certificates to upload. A relative path is also searched for in C(files/). A file that is encrypted with
                Ansible Vault is decrypted. Mutually exclusive with O(database.ca.pem).
              - The module fails if the file cannot be read, or if it does not contain a bundle of valid CA certificates.
            type: str
      verify_server_cert:
        description:
          - Whether the registry server verifies the certificate and the host name of a MySQL server. With V(false) and a CA, the connection is encrypted but
            the server is not verified. With V(true) and without a CA, the server is verified with the CA certificates of the system. The dashboard never sets
            this field.
          - If not set, the value is V(true) when the task creates a registry with a CA, or selects another CA, and V(false) when the task removes the CA.
            Otherwise, the current value is kept. The current value is also kept if only the certificates in the ConfigMap change.
          - A warning is issued if a CA, O(database.ssl_cipher) or O(database.client_certificate) is set, and the value is V(false).
          - With V(true), the registry does not become available if the certificate is not valid for the host name. The error contains the host name.
          - The module fails for PostgreSQL. With a CA, the certificate of a PostgreSQL server is always verified, but not its host name.
        type: bool
      ssl_cipher:
        description:
          - The TLS cipher suites that the registry server offers to a MySQL server, separated by colons, such as V(TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384). The
            names are those of the Go package C(crypto/tls). The cipher suites of TLS 1.3 cannot be restricted. If not set for a new registry, or if empty, the
            defaults of the registry server are used.
          - With this option, the connection is encrypted even without a CA. The server is verified only with O(database.verify_server_cert=true).
          - If a name is unknown or a cipher suite is insecure, the registry does not become available, and the error reports the cause.
          - The module fails for PostgreSQL.
        type: str
      ssl_mode:
        description:
          - How the registry server encrypts connections to PostgreSQL. For a new registry, the default is V(disable). With a CA or a client certificate,
            connections are always encrypted.
          - A warning is issued for V(disable), V(allow) and V(prefer) without a CA and without a client certificate. With a CA or a client certificate, a
            warning is issued for V(verify-full), because the product does not verify the host name in this case.
          - The module fails for MySQL.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      client_certificate:
        description:
          - The client certificate that the registry server presents to the database.
        type: dict
        suboptions:
          source:
            description:
              - Where the client certificate comes from. V(secret) is a Secret in O(namespace) and requires O(database.client_certificate.name).
              - V(none) removes the client certificate. The module fails if other suboptions are set.
            type: str
            choices: [secret, none]
            required: true
          name:
            description: The name of the Secret. The module fails if the Secret does not exist.
            type: str
          certificate_key:
            description: The key of the certificate in the Secret. The module fails if the key does not exist.
            type: str
            default: tls.crt
          private_key_key:
            description: The key of the private key in the Secret. The module fails if the key does not exist.
            type: str
            default: tls.key
"""
