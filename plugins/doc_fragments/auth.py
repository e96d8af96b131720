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
      - The kubeconfig that names the cluster and the credentials. Either a path, or the content as a mapping.
      - With a local connection a relative path is also looked for in C(files/) of the role and next to the playbook, and a file that
        is encrypted with Ansible Vault is decrypted. With any other connection it is a path on the host that the module runs on.
      - Several paths are separated by C(:) and merged as C(kubectl) merges them.
      - If this option or O(context) is set and O(host) is not, the module fails if E(K8S_AUTH_HOST), or a variable with credentials such as
        E(K8S_AUTH_API_KEY), is set and its option is not. It would take precedence over the kubeconfig.
      - When neither this nor any other option or variable says where the cluster is, the service account of the pod that the module runs in
        is used, and outside of a pod C(~/.kube/config).
      - The environment variable E(K8S_AUTH_KUBECONFIG) takes its place when it is not set.
    type: raw
  context:
    description:
      - The context of the kubeconfig to use instead of its current one.
      - The environment variable E(K8S_AUTH_CONTEXT) takes its place when it is not set.
    type: str
  host:
    description:
      - The address of the API server, for example V(https://api.cluster.example.com:6443).
      - The module fails if the token is that of a kubeconfig which names another API server. Set O(api_key) too.
      - The environment variable E(K8S_AUTH_HOST) takes its place when it is not set.
    type: str
  api_key:
    description:
      - A bearer token, such as a service account's, or what C(oc whoami --show-token) prints.
      - The environment variable E(K8S_AUTH_API_KEY) takes its place when it is not set.
    type: str
  username:
    description:
      - The user name for HTTP basic authentication. OpenShift and today's Kubernetes do not offer it on their API; use O(api_key) there.
      - The environment variable E(K8S_AUTH_USERNAME) takes its place when it is not set.
    type: str
  password:
    description:
      - The password that belongs to O(username).
      - The environment variable E(K8S_AUTH_PASSWORD) takes its place when it is not set.
    type: str
  client_cert:
    description:
      - Path of the client certificate to log in with.
      - The environment variables E(K8S_AUTH_CLIENT_CERT) and E(K8S_AUTH_CERT_FILE) take its place when it is not set.
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the private key that belongs to O(client_cert).
      - The environment variables E(K8S_AUTH_CLIENT_KEY) and E(K8S_AUTH_KEY_FILE) take its place when it is not set.
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the CA certificates that the API server's certificate is checked against, with every intermediate certificate that the server does not send.
      - The environment variables E(K8S_AUTH_CA_CERT) and E(K8S_AUTH_SSL_CA_CERT) take its place when it is not set.
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether the API server's certificate is checked. Left out, the kubeconfig decides, and without one it is checked.
      - The environment variables E(K8S_AUTH_VALIDATE_CERTS) and E(K8S_AUTH_VERIFY_SSL) take its place when it is not set.
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - The URL of the HTTP proxy through which the API server is reached.
      - The environment variable E(K8S_AUTH_PROXY) takes its place when it is not set.
    type: str
  no_proxy:
    description:
      - Comma-separated host names, domains, addresses and networks that are reached without O(proxy).
      - The environment variables E(K8S_AUTH_NO_PROXY) and E(NO_PROXY) take its place when it is not set.
    type: str
  proxy_headers:
    description:
      - The headers that are sent to O(proxy).
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User name and password for the proxy, separated by a colon.
          - The environment variable E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) takes its place when O(proxy_headers) is not set.
        type: str
      basic_auth:
        description:
          - User name and password for an C(Authorization) header, separated by a colon.
          - The environment variable E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH) takes its place when O(proxy_headers) is not set.
        type: str
      user_agent:
        description:
          - The C(User-Agent) header.
          - The environment variable E(K8S_AUTH_PROXY_HEADERS_USER_AGENT) takes its place when O(proxy_headers) is not set.
        type: str
  persist_config:
    description:
      - Whether tokens that were renewed during the call are written back into the kubeconfig.
      - The environment variable E(K8S_AUTH_PERSIST_CONFIG) takes its place when it is not set.
    type: bool
  impersonate_user:
    description:
      - The user to act as. The account that logs in needs the right to impersonate it.
      - The environment variable E(K8S_AUTH_IMPERSONATE_USER) takes its place when it is not set.
    type: str
  impersonate_groups:
    description:
      - The groups to act as a member of.
      - The environment variable E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas, takes its place when it is not set.
    type: list
    elements: str
"""
