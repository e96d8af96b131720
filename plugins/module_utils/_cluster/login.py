# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to a cluster: by the options, the environment or a kubeconfig."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .. import _deadline, _errors, _texts
from .._model import kinds
from . import client

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client
except ImportError:
    get_api_client = None
# The options that kubernetes.core takes from the environment, each for itself, whatever the others say: where the cluster is, and as whom it is used.
OF_ENVIRONMENT = {
    "context": ("K8S_AUTH_CONTEXT",),
    "host": ("K8S_AUTH_HOST",),
    "api_key": ("K8S_AUTH_API_KEY",),
    "username": ("K8S_AUTH_USERNAME",),
    "password": ("K8S_AUTH_PASSWORD",),
    "client_cert": ("K8S_AUTH_CLIENT_CERT", "K8S_AUTH_CERT_FILE"),
    "client_key": ("K8S_AUTH_CLIENT_KEY", "K8S_AUTH_KEY_FILE"),
}
# The options with which a host needs no kubeconfig; with neither them nor a kubeconfig or context, kubernetes.core looks first whether it runs in a pod.
LOGINS = (("api_key",), ("username", "password"), ("client_cert", "client_key"))
OF_PODS = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


def connect(module: Any) -> client.Cluster:
    """The cluster of the module's options, environment or kubeconfig, by kubernetes.core's rules. ClusterError when none of them names one, or two."""
    _refuse_environment(module.params)
    _refuse_own_cluster(module.params)
    _refuse_unencrypted(module.params.get("host") or os.environ.get("K8S_AUTH_HOST") or "https://", "host (K8S_AUTH_HOST)")
    # Some releases of the library take a proxy from the environment, but not which hosts are to be reached without it.
    no_proxy = next(filter(None, map(os.environ.get, ("K8S_AUTH_NO_PROXY", "NO_PROXY", "no_proxy"))), None)
    what, host = "connecting to the cluster", ""
    try:
        # Asks the API server what it offers, unless a run before left that behind.
        dynamic = _deadline.within(client.REQUEST_SECONDS, lambda: get_api_client(module, no_proxy=no_proxy))
        # Brings the configuration into the state that it has after a request.
        dynamic.configuration.get_api_key_with_prefix("authorization")
    except (client.UNANSWERED, TimeoutError) as error:
        raise client.no_answer(what, host, _texts.reason(error)) from None
    except client.REFUSED as error:
        raise client.refusal(what, host, error) from None
    except Exception as error:  # kubernetes.core lets every failure of the kubernetes library through, such as those of a kubeconfig
        reason = _texts.reason(error).rstrip(".")
        if reason == _texts.OF_HEADERS:
            raise client.no_answer(what, host, reason) from None
        raise _errors.ClusterError(f"there is no cluster to connect to: {_login_problem(module, reason)}") from None
    _refuse_other_host(module.params, dynamic.configuration)
    _refuse_unencrypted(dynamic.configuration.host, "the server in the kubeconfig")
    # The library would send a deletion again by itself, also when nothing may be written any more, and wait as long as a server asks.
    dynamic.client.client.rest_client.pool_manager.connection_pool_kw["retries"] = False
    # Audit logs tell our requests from those of other modules by it.
    dynamic.client.client.user_agent = kinds.FIELD_MANAGER
    return client.Cluster(dynamic.client, dynamic.configuration, module.params.get("context"))


def _refuse_environment(options: Mapping[str, Any]) -> None:
    """ClusterError where a variable would lead to another cluster than the options, or take credentials of another one there."""
    # What a template has made of nothing would lead to the cluster that somebody is logged in to.
    empty = next((name for name in ("host", "kubeconfig", "context") if options.get(name) is not None and not options[name]), None)
    if empty:
        raise _errors.ClusterError(f"the option {empty}, which names the cluster, is empty. Set it, or omit it for the cluster that you are logged in to.")
    host, other = options.get("host"), os.environ.get("K8S_AUTH_HOST")
    given = next((name for name in ("context", "kubeconfig") if options.get(name)), None)
    if host is not None and (not other or _is_same_address(host, other)):
        return
    if host is not None:
        given, what = "host", "belongs to the API server in K8S_AUTH_HOST"
    elif given is not None:
        what = "would take precedence over its kubeconfig"
    else:
        return
    for option, variables in OF_ENVIRONMENT.items():
        variable = next(filter(os.environ.get, variables), None)
        if variable and options.get(option) is None:
            raise _errors.ClusterError(
                f"the option {given} names the cluster, and the environment variable {variable} {what}. Unset {variable}, or set the option {option}."
            )


def _refuse_own_cluster(options: Mapping[str, Any]) -> None:
    """ClusterError where this host is a pod whose service account the library would use, although a kubeconfig or another API server is there."""

    def given(*names: str) -> bool:
        variables = {**OF_ENVIRONMENT, "kubeconfig": ("K8S_AUTH_KUBECONFIG",)}
        return all(options.get(name) or any(map(os.environ.get, variables[name])) for name in names)

    if given("kubeconfig") or given("context") or any(given("host", *login) for login in LOGINS):
        return
    # Both are parts of the library that `get_api_client` is of.
    from kubernetes.config import incluster_config, kube_config

    files = (incluster_config.SERVICE_TOKEN_FILENAME, incluster_config.SERVICE_CERT_FILENAME)
    if not all(map(os.environ.get, OF_PODS)) or not all(map(os.path.isfile, files)):
        return
    host = urlsplit(options.get("host") or os.environ.get("K8S_AUTH_HOST") or "").hostname
    named = kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    if host is not None and host != os.environ[OF_PODS[0]] and not f"{host}.".startswith("kubernetes.default."):
        raise _errors.ClusterError(
            f"host (K8S_AUTH_HOST) names the API server {_texts.line(host)} without a login, and the token of the service account of this pod would be sent"
            " there. Set api_key (K8S_AUTH_API_KEY)."
        )
    if host is None and any(os.path.exists(os.path.expanduser(path)) for path in named.split(os.pathsep) if path):
        raise _errors.ClusterError(
            f"it is not clear which cluster is meant: this host is a pod, whose own cluster would take precedence over the kubeconfig {_texts.line(named)}."
            " Set kubeconfig (K8S_AUTH_KUBECONFIG) or context (K8S_AUTH_CONTEXT). For the cluster of the pod, delete the kubeconfig, or set KUBECONFIG=none."
        )


def _refuse_unencrypted(address: str, origin: str) -> None:
    """ClusterError where the login would be sent without TLS, as the library does to an address without a scheme. A proxy on this host has no other."""
    named = address.lower()
    try:
        host = urlsplit(named).hostname if named.startswith("http://") else None
    except ValueError:
        host = None
    number = _texts.ip_address(host or "")
    if not named.startswith("https://") and host != "localhost" and not (number and number.is_loopback):
        # It is not repeated: without its scheme nothing tells where a password in it ends.
        message = f"{origin} does not start with https://, and the login and passwords would be sent unencrypted"
        raise _errors.ClusterError(f"{message}. Set it to a URL such as https://api.cluster.example.com:6443.")


def _refuse_other_host(options: Mapping[str, Any], configuration: Any) -> None:
    """ClusterError where the library goes to the address in a kubeconfig although another one was named: it reads both again with the token in it."""
    named = options.get("host") or os.environ.get("K8S_AUTH_HOST")
    if named and not _is_same_address(named, configuration.host):
        addresses = [_texts.line(_texts.without_user(address)) for address in (named, configuration.host)]
        raise _errors.ClusterError(
            "host (K8S_AUTH_HOST) names the API server {}, and the kubeconfig whose token would be used names {}."
            " Set api_key for the first one, or do not set host.".format(*addresses)
        )


def _is_same_address(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()


def _login_problem(module: Any, reason: str) -> str:
    """What was looked for, what there is instead, and what to do. The library's reason is that of its last attempt: where the cause is known, it misleads."""
    named = {"the option kubeconfig": module.params.get("kubeconfig"), **{name: os.environ.get(name) for name in ("K8S_AUTH_KUBECONFIG", "KUBECONFIG")}}
    origin, kubeconfig = next(((origin, value) for origin, value in named.items() if value), ("the default", "~/.kube/config"))
    context = module.params.get("context") or os.environ.get("K8S_AUTH_CONTEXT")
    contexts: list[str] = []
    configurations, used = [kubeconfig], origin
    if isinstance(kubeconfig, str):
        used = f"{_texts.line(kubeconfig)} ({origin})"
        files = [path for path in map(os.path.expanduser, kubeconfig.split(os.pathsep)) if os.path.exists(path)]
        if not files:
            return (
                f"the kubeconfig {used} does not exist. Log in with `oc login`, set kubeconfig (K8S_AUTH_KUBECONFIG) to an existing file,"
                " or set host (K8S_AUTH_HOST) and api_key (K8S_AUTH_API_KEY)."
            )
        configurations = files
    try:
        # Imported here: the library `kubernetes` needs it, and whoever has that has it too.
        import yaml

        for configuration in configurations:
            content: Any = configuration
            if isinstance(configuration, str):
                with open(configuration, encoding="utf-8") as file:
                    content = yaml.safe_load(file)
            contexts += [str(entry["name"]) for entry in content["contexts"]]
    except Exception:  # whatever a broken file makes the parser, or this, stumble upon: the library has said already that it is broken
        contexts = []
    if context and contexts and context not in contexts:
        present = ", ".join(repr(_texts.line(name)) for name in contexts)
        return f"the kubeconfig {used} has no context {_texts.line(context)!r}. Set context (K8S_AUTH_CONTEXT) to one of its contexts: {present}."
    return f"{reason}. The kubeconfig that was used is {used}. Correct it, or set host and api_key, or log in with `oc login`."
