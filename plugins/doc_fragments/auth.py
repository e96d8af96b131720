# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the cluster and as whom: the options of kubernetes.core, in our words.

Galaxy cannot resolve a fragment of another collection and would show no documentation at all, so theirs is not used. A unit test compares the options.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - The kubeconfig with the cluster and the credentials, as a path or as a dictionary with its content.
      - With a local connection, a relative path is searched for in the role and in the directory of the playbook, including their C(files/), and a file that is
        encrypted with Ansible Vault is decrypted. With any other connection, the path refers to a file on the host that the module runs on.
      - Several paths are separated by C(:). The files are merged, as with C(kubectl).
      - If no option of the module, and no environment variable of such an option, specifies a cluster, a module that runs in a pod uses the service account of
        the pod. Otherwise, the file in E(KUBECONFIG) is used or, if it is not set, C(~/.kube/config). If the module runs in a pod with a service account and
        such a kubeconfig file also exists, the module fails, because it is not clear which cluster to use.
      - When this option or O(context) selects the cluster and O(host) is not set, the module fails if E(K8S_AUTH_HOST), E(K8S_AUTH_CONTEXT) or a variable with
        credentials, such as E(K8S_AUTH_API_KEY), is set without the corresponding option. Such a variable would take precedence over the kubeconfig.
      - Can also be specified via the E(K8S_AUTH_KUBECONFIG) environment variable.
    type: raw
  context:
    description:
      - The context of the kubeconfig to use. If not set, the current context is used.
      - Can also be specified via the E(K8S_AUTH_CONTEXT) environment variable.
    type: str
  host:
    description:
      - The URL of the API server, for example V(https://api.cluster.example.com:6443).
      - The module fails if the URL does not start with C(https://), unless it is the URL of a proxy on the same host, such as V(http://localhost:8001).
      - The module fails if the token is from a kubeconfig that specifies another API server. It also fails if the token or another credential is from an
        environment variable while E(K8S_AUTH_HOST) specifies another API server. The same applies to the token of the pod that the module runs in, unless the
        URL is the address of the API server inside the cluster, such as V(https://kubernetes.default.svc). In these cases, also set the credentials, such as
        O(api_key).
      - Can also be specified via the E(K8S_AUTH_HOST) environment variable.
    type: str
  api_key:
    description:
      - A bearer token, for example of a service account, or the output of C(oc whoami --show-token).
      - Can also be specified via the E(K8S_AUTH_API_KEY) environment variable.
    type: str
  username:
    description:
      - The user name for HTTP basic authentication. OpenShift and current versions of Kubernetes do not support it. Use O(api_key) instead.
      - Can also be specified via the E(K8S_AUTH_USERNAME) environment variable.
    type: str
  password:
    description:
      - The password for O(username).
      - Can also be specified via the E(K8S_AUTH_PASSWORD) environment variable.
    type: str
  client_cert:
    description:
      - The path of a client certificate for authentication.
      - Can also be specified via the E(K8S_AUTH_CLIENT_CERT) or E(K8S_AUTH_CERT_FILE) environment variable.
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - The path of the private key for O(client_cert).
      - Can also be specified via the E(K8S_AUTH_CLIENT_KEY) or E(K8S_AUTH_KEY_FILE) environment variable.
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - The path of a file with the CA certificates that are used to verify the certificate of the API server. It must include every intermediate certificate
        that the server does not send.
      - Can also be specified via the E(K8S_AUTH_CA_CERT) or E(K8S_AUTH_SSL_CA_CERT) environment variable.
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the certificate of the API server.
      - If not set, the setting of the kubeconfig is used. Without a kubeconfig, the certificate is verified.
      - Can also be specified via the E(K8S_AUTH_VALIDATE_CERTS) or E(K8S_AUTH_VERIFY_SSL) environment variable.
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - The URL of an HTTP proxy for connections to the API server.
      - Can also be specified via the E(K8S_AUTH_PROXY) environment variable.
    type: str
  no_proxy:
    description:
      - A comma-separated list of host names, domains, IP addresses and networks to connect to without O(proxy).
      - Can also be specified via the E(K8S_AUTH_NO_PROXY) or E(NO_PROXY) environment variable.
    type: str
  proxy_headers:
    description:
      - The headers to send to O(proxy).
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - The user name and password for the proxy, separated by a colon.
          - Can also be specified via the E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) environment variable. The variable is ignored if O(proxy_headers) is set.
        type: str
      basic_auth:
        description:
          - The user name and password for an C(Authorization) header, separated by a colon.
          - Can also be specified via the E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH) environment variable. The variable is ignored if O(proxy_headers) is set.
        type: str
      user_agent:
        description:
          - The C(User-Agent) header.
          - Can also be specified via the E(K8S_AUTH_PROXY_HEADERS_USER_AGENT) environment variable. The variable is ignored if O(proxy_headers) is set.
        type: str
  persist_config:
    description:
      - Whether to save tokens in the kubeconfig if they are renewed while the module runs.
      - Can also be specified via the E(K8S_AUTH_PERSIST_CONFIG) environment variable.
    type: bool
  impersonate_user:
    description:
      - The user to impersonate. The account that logs in must have permission to impersonate this user.
      - Can also be specified via the E(K8S_AUTH_IMPERSONATE_USER) environment variable.
    type: str
  impersonate_groups:
    description:
      - The groups to impersonate.
      - Can also be specified via the E(K8S_AUTH_IMPERSONATE_GROUPS) environment variable, as a comma-separated list.
    type: list
    elements: str
"""
