# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that speaks to the API server."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests, _plan, _registry

# Whatever is missing is reported by the shell of the modules before any of this is used.
try:
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client
except ImportError:
    get_api_client = None

try:
    from kubernetes.client.rest import ApiException
    from urllib3.exceptions import HTTPError
except ImportError:

    class ApiException(Exception):  # type: ignore[no-redef]
        """Stands in for the library's."""

    class HTTPError(Exception):  # type: ignore[no-redef]
        """Stands in for the library's."""


UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE, BUSY, BROKEN = 401, 403, 404, 410, 429, 500
CONNECT_SECONDS = 10
READ_SECONDS = 30
# How often a request is sent that the API server puts off (429, 503) or does not answer, and the longest pause that it may ask for.
ATTEMPTS = 5
LONGEST_PAUSE = 30
JSON = "application/json"
# Objects without their data: nothing secret leaves the API server for a list of names.
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE = "500"
MERGE_PATCH = "application/merge-patch+json"


class ClusterError(_registry.ReportedError):
    """The cluster cannot do what is needed, refused a request or did not answer. `status` is the HTTP status, None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered in a while: there was no answer, or the API server is busy or broken."""
        return self.status is None or self.status == BUSY or self.status >= BROKEN


def _no_answer(what: str, error: BaseException) -> ClusterError:
    remedy = "Check the address (kubeconfig, host), the network and the proxies"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        remedy = "Give the CA of the API server's certificate in ca_cert"
    return ClusterError(f"{what}: the API server did not answer: {_first_line(error)}. {remedy}.")


def _refusal(what: str, error: Any) -> ClusterError:
    try:
        message = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        message = str(error.reason)
    remedy = ""
    if error.status == UNAUTHORIZED:
        remedy = " The credentials are wrong or have expired: log in again."
    elif "failed calling webhook" in message:
        remedy = " The operator's webhook cannot be reached: check that the model registry operator runs."
    return ClusterError(f"{what}: the API server answered {error.status}: {message}.{remedy}", error.status)


@dataclass(frozen=True)
class Right:
    """One thing that an account may or may not do, to one object or (without a name) to every one of its kind."""

    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


def connect(module: Any) -> Cluster:
    """The cluster of the module's options, environment or kubeconfig, by kubernetes.core's rules. ClusterError when none of them names one."""
    # Some releases of the library take a proxy from the environment, but not which hosts are to be reached without it.
    no_proxy = next(filter(None, map(os.environ.get, ("K8S_AUTH_NO_PROXY", "NO_PROXY", "no_proxy"))), None)
    try:
        client = get_api_client(module, no_proxy=no_proxy)
    except HTTPError as error:
        raise _no_answer("connecting to the cluster", error) from error
    except Exception as error:  # kubernetes.core lets every failure of the kubernetes library through, such as those of a kubeconfig
        remedy = "Set kubeconfig, or host and api_key, or log in with `oc login`"
        raise ClusterError(f"there is no cluster to speak to: {_first_line(error)} {remedy}.") from error
    # The library would send a deletion again by itself, also when nothing may be written any more, and wait as long as a server asks.
    client.client.client.rest_client.pool_manager.connection_pool_kw["retries"] = False
    # Audit logs tell our requests from those of other modules by it.
    client.client.client.user_agent = _manifests.FIELD_MANAGER
    return Cluster(client.client, client.configuration, module.params.get("context"))


class Cluster:
    """Requests to one API server as one account."""

    def __init__(self, client: Any, configuration: Any, context: str | None) -> None:
        self._client, self._configuration, self._context = client, configuration, context
        # Called before each request that writes; it raises when nothing may be written any more.
        self.before_writing: Callable[[], None] = lambda: None

    def identity(self) -> _manifests.Manifest:
        """Which cluster this is and as whom it is used."""
        user = None
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            review = self._request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body, what="asking who this account is")
            user = _manifests.at(review, ("status", "userInfo", "username"))
        except ClusterError as error:
            if error.status in (None, UNAUTHORIZED):
                raise
        return {"host": self._configuration.host, "context": self._context, "user": user, "verify_ssl": bool(self._configuration.verify_ssl)}

    def capabilities(self) -> _plan.Capabilities:
        """What this cluster's definition of a registry understands; ClusterError where it knows no registries, or none with a proxy that we can ask for."""
        for version in ("v1beta1", "v1alpha1"):
            path = f"/openapi/v3/apis/{_manifests.GROUP}/{version}"
            document = self._find(path, f"reading the schema of {_manifests.GROUP}/{version}")
            if document is None:
                continue
            properties = _spec_properties(document)
            for key in ("kubeRBACProxy", "oauthProxy"):
                if key in properties:
                    return _plan.Capabilities(version, key, _manifests.at(properties, ("postgres", "properties", "generateDeployment")) is not None)
            message = "its ModelRegistry definition knows only the Istio service mesh as authentication; a registry without it would be open to everybody"
            raise ClusterError(f"this cluster is too old: {message}. Operator v0.2.16 or newer is needed.")
        message = f"there is no {_manifests.PLURAL}.{_manifests.GROUP} here. Switch the component on, with model_registry_component or the playbook enable"
        raise ClusterError(f"this cluster cannot hold model registries: {message}.")

    def registries_namespace(self) -> str:
        """The namespace that the platform keeps registries in. ClusterError says to set `namespace` where it cannot be found out."""
        hint = "Set the option `namespace`"
        for version in ("v2", "v1"):
            path = f"/apis/datasciencecluster.opendatahub.io/{version}/datascienceclusters"
            try:
                listed = self._find(path, "looking for the registries namespace in the DataScienceCluster")
            except ClusterError as error:
                if error.status == FORBIDDEN:
                    raise ClusterError(f"{error} {hint}.", FORBIDDEN) from error
                raise
            if listed is None:
                continue
            for item in listed["items"]:
                namespace = _manifests.at(item, ("status", "components", "modelregistry", "registriesNamespace"))
                if namespace:
                    return str(namespace)
            raise ClusterError(f"no DataScienceCluster has the component modelregistry Managed. {hint}, or switch it on with model_registry_component.")
        raise ClusterError(f"this cluster has no DataScienceCluster that would name the registries namespace. {hint}.")

    def server_version(self) -> tuple[int, int]:
        """The version of the API server, major and minor."""
        version = self._request("GET", "/version", what="asking for the cluster's version")
        # Some distributions add a plus sign.
        return int(version["major"]), int(re.sub(r"\D", "", version["minor"]))

    def serves(self, api_version: str, plural: str) -> bool:
        """Whether the cluster knows this kind of object."""
        listed = self._find(f"/apis/{api_version}", f"looking for {plural}")
        return listed is not None and any(resource["name"] == plural for resource in listed["resources"])

    def read(self, api: tuple[str, str], namespace: str, name: str) -> _manifests.Manifest | None:
        """An object, or None when there is none; without a namespace, of the whole cluster."""
        return self._find(path_of(api, namespace, name), f"reading {api[1]}/{name}" + (f" in {namespace}" if namespace else ""))

    def items(self, api: tuple[str, str], namespace: str, **query: str) -> list[_manifests.Manifest]:
        """The objects of a kind in a namespace, or without one in the whole cluster, by label or field selector. ClusterError 404 for an unknown kind."""
        return self._pages(api, namespace, query, JSON)

    def listed(
        self, api: tuple[str, str], namespace: str, trim: Callable[[_manifests.Manifest], _manifests.Manifest], **query: str
    ) -> list[_manifests.Manifest]:
        """As `items`, but only what `trim` leaves of each: what it drops is dropped page by page."""
        return self._pages(api, namespace, query, JSON, trim)

    def metadata(self, api: tuple[str, str], namespace: str, **query: str) -> list[_manifests.Manifest]:
        """As `items`, but only the metadata of each."""
        return self._pages(api, namespace, query, METADATA)

    def _pages(
        self,
        api: tuple[str, str],
        namespace: str,
        query: dict[str, str],
        accept: str,
        trim: Callable[[_manifests.Manifest], _manifests.Manifest] = lambda item: item,
    ) -> list[_manifests.Manifest]:
        what = f"listing {api[1]}" + (f" in {namespace}" if namespace else "")
        found: list[_manifests.Manifest] = []
        more = ""
        may_begin_anew = True
        while True:
            page = {**query, "limit": PAGE, **({"continue": more} if more else {})}
            try:
                listed: _manifests.Manifest = json.loads(self._send("GET", path_of(api, namespace), None, page, JSON, what, accept))
            except ClusterError as error:
                # The API server has forgotten the state that the pages before were of.
                if error.status != GONE or not may_begin_anew:
                    raise
                found, more, may_begin_anew = [], "", False
                continue
            # An empty list of metadata alone is null.
            found += map(trim, listed["items"] or [])
            more = _manifests.at(listed, ("metadata", "continue")) or ""
            if not more:
                return found

    def log(self, namespace: str, pod: str, container: str, previous: bool) -> str:
        """The last lines of a container's log."""
        query = {"container": container, "tailLines": "60", **({"previous": "true"} if previous else {})}
        response = self._send("GET", path_of(("v1", "pods"), namespace, pod) + "/log", None, query, JSON, what=f"reading the log of pod {pod}")
        return response.decode(errors="replace")

    def write(self, verb: str, api: tuple[str, str], namespace: str, name: str, body: _manifests.Manifest, dry_run: bool) -> _manifests.Manifest:
        """Create (POST), merge-patch (PATCH) or delete (DELETE) an object; with `dry_run` the server only says what it would answer."""
        query = {} if verb == "DELETE" else {"fieldManager": _manifests.FIELD_MANAGER, "fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        if verb == "DELETE" and dry_run:
            # The API server looks at the query of a deletion only when it has no body.
            body = {**body, "dryRun": ["All"]}
        path = path_of(api, namespace) if verb == "POST" else path_of(api, namespace, name)
        content_type = MERGE_PATCH if verb == "PATCH" else JSON
        doing = {"POST": "creating", "PATCH": "changing", "DELETE": "deleting"}[verb]
        return self._request(verb, path, body, query, content_type, f"{doing} {api[1]}/{name}" + (f" in {namespace}" if namespace else ""))

    def missing_rights(self, namespace: str, rights: Iterable[Right]) -> list[Right]:
        """Those of the rights that this account does not have; without a namespace, in the whole cluster."""
        missing = []
        for right in dict.fromkeys(rights):
            attributes = {"namespace": namespace, "verb": right.verb, "group": right.group, "resource": right.resource, "name": right.name}
            body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
            review = self._request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body, what=f"asking for the right to {right}")
            if not _manifests.at(review, ("status", "allowed")):
                missing.append(right)
        return missing

    @property
    def bearer_token(self) -> str | None:
        """The token that this account is known by; None for one that has a client certificate or a password, or that another one impersonates."""
        # Impersonation is headers of every request (kubernetes.core); the token is that of the account that logged in.
        if any(str(header).lower().startswith("impersonate-") for header in self._client.client.default_headers):
            return None
        # The library's name for it has changed with its versions.
        names = ("BearerToken", "authorization")
        header = next((value for value in map(self._configuration.get_api_key_with_prefix, names) if value), "")
        scheme, _space, token = header.partition(" ")
        return token if scheme.lower() == "bearer" and token else None

    @property
    def ca_file(self) -> str | None:
        """The file with the CA of the API server's certificate, when there is one."""
        path: str | None = self._configuration.ssl_ca_cert
        return path

    @contextmanager
    def changes(self, watched: Iterable[tuple[tuple[str, str], str, dict[str, str]]], seconds: float) -> Iterator[threading.Event]:
        """An event that is set whenever one of the watched (api, namespace, selector) changes. Where watching is not allowed it is never set."""
        changed, stopped = threading.Event(), threading.Event()
        # `seconds` bounds the watches on the server's side too, so that no thread outlives the wait by more than one of its last events.
        for api, namespace, selector in watched:
            arguments = (path_of(api, namespace), selector, time.monotonic() + seconds, changed, stopped)
            threading.Thread(target=self._follow, args=arguments, daemon=True).start()
        try:
            yield changed
        finally:
            stopped.set()

    def _follow(self, path: str, selector: dict[str, str], deadline: float, changed: threading.Event, stopped: threading.Event) -> None:
        while not stopped.is_set() and time.monotonic() < deadline:
            query = {**selector, "watch": "true", "timeoutSeconds": str(max(1, int(deadline - time.monotonic())))}
            try:
                response = self._client.request("GET", path, query_params=list(query.items()), serialize=False, _request_timeout=(CONNECT_SECONDS, None))
                for _event in response.stream(amt=None, decode_content=False):
                    changed.set()
                    if stopped.is_set():
                        break
            except (ApiException, HTTPError, OSError):
                time.sleep(1)

    def _request(
        self,
        verb: str,
        path: str,
        body: _manifests.Manifest | None = None,
        query: dict[str, str] | None = None,
        content_type: str = JSON,
        what: str = "",
    ) -> _manifests.Manifest:
        content: _manifests.Manifest = json.loads(self._send(verb, path, body, query or {}, content_type, what))
        return content

    def _find(self, path: str, what: str) -> _manifests.Manifest | None:
        """What there is at a path, or None."""
        try:
            return self._request("GET", path, what=what)
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def _send(self, verb: str, path: str, body: _manifests.Manifest | None, query: dict[str, str], content_type: str, what: str, accept: str = JSON) -> bytes:
        attempt = 0
        while True:
            attempt += 1
            if verb != "GET":
                self.before_writing()
            try:
                response = self._client.request(
                    verb,
                    path,
                    body=body,
                    query_params=list(query.items()),
                    content_type=content_type,
                    header_params={"Accept": accept},
                    serialize=False,
                    _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
                )
                return bytes(response.data)
            except ApiException as error:
                pause = _pause(error)
                if pause is None or attempt == ATTEMPTS:
                    raise _refusal(what, error) from None
            except (HTTPError, OSError) as error:
                # Whether a write without an answer was carried out is not known: its caller reads again and plans anew.
                if verb != "GET" or attempt == ATTEMPTS:
                    raise _no_answer(what, error) from error
                pause = 1.0
            time.sleep(pause)


def path_of(api: tuple[str, str], namespace: str, name: str | None = None) -> str:
    """The request path of a kind in a namespace (or, without one, of the whole cluster), or of one object of it."""
    version, plural = api
    root = f"/{'apis' if '/' in version else 'api'}/{version}"
    path = f"{root}/namespaces/{quote(namespace, safe='')}/{plural}" if namespace else f"{root}/{plural}"
    return path if name is None else f"{path}/{quote(name, safe='')}"


def _spec_properties(document: _manifests.Manifest) -> _manifests.Manifest:
    for schema in document.get("components", {}).get("schemas", {}).values():
        if any(kind.get("kind") == _manifests.KIND for kind in schema.get("x-kubernetes-group-version-kind", [])):
            return _manifests.at(schema, ("properties", "spec", "properties")) or {}
    return {}


def _pause(error: Any) -> float | None:
    """How long to wait before the request is sent again; None for an answer that will not change."""
    if error.status not in (429, 503):
        return None
    asked = (error.headers or {}).get("Retry-After", "1")
    return min(float(asked), LONGEST_PAUSE) if asked.isdigit() else 1.0


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
