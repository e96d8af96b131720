# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that connects to the API server."""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from .. import _deadline, _errors, _texts
from .._model import kinds, manifests
from . import answers, visibility

# Whatever is missing is reported by the shell of the modules before any of this is used.
try:
    from kubernetes.client.rest import ApiException
    from urllib3.exceptions import HTTPError
except ImportError:

    class ApiException(Exception):  # type: ignore[no-redef]
        """Stands in for the library's."""

    class HTTPError(Exception):  # type: ignore[no-redef]
        """Stands in for the library's."""


# What the libraries raise for a refusal, and where there was no answer.
REFUSED, UNANSWERED = ApiException, HTTPError
# What a proxy says that got no answer itself, or none that it understood.
OF_PROXIES = (502, 504)
CONNECT_SECONDS = 10
READ_SECONDS = 30
# For a whole request, as the API server's own limit (--request-timeout): a body that comes byte by byte never lets a read time out.
REQUEST_SECONDS = 60
# How long after its deadline the last look of a wait may take.
GRACE_SECONDS = 10
# How often a request is sent that the API server puts off or does not answer, the pause before it is sent again, and the longest that it may ask for.
ATTEMPTS = 5
PAUSE = 1.0
LONGEST_PAUSE = 30.0
# Between two starts of a watch; doubled as long as it ends again at once.
WATCH_PAUSE = 1.0
JSON = "application/json"
# Objects without their data: nothing secret leaves the API server for a list of names, unless it knows no such form.
METADATA = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, {JSON}"
# How many objects an answer has, one answer after the other. Of RoleBindings there are ten times as many as of registries, and all are small.
PAGE, PAGES = "500", {kinds.ROLE_BINDINGS: "2000"}
MERGE_PATCH = "application/merge-patch+json"
# Requests that are sent like writes and only ask.
REVIEWS = ("/apis/authentication.k8s.io/", "/apis/authorization.k8s.io/")
LONGEST_LOG = 2**18
Trim = Callable[[manifests.Manifest], manifests.Manifest]


def no_answer(what: str, host: str, reason: str) -> _errors.ClusterError:
    if _texts.OF_HEADERS in reason:
        return _errors.ClusterError(f"{what} failed: {reason}.", unclear=True)
    remedy = "Check the address (kubeconfig, host), the network and the proxies"
    if re.search("mismatch|doesn't match|not valid for", reason):
        remedy = "Use a host name that is in the certificate of the API server"
    elif re.search("has expired|not yet valid", reason):
        remedy = "Renew the certificate of the API server, or correct the clock of this host"
    elif "CERTIFICATE_VERIFY_FAILED" in reason:
        remedy = "Set ca_cert (K8S_AUTH_SSL_CA_CERT) to the CA certificate of the API server"
    server = f"the API server {host}".rstrip()
    return _errors.ClusterError(f"{what} failed: {server} did not respond: {reason}. {remedy}.", unclear=True)


def refusal(what: str, host: str, error: Any, path: str = "") -> _errors.ClusterError:
    """An answer that is no success; where it cannot be of the API server itself, no answer."""
    said = answers.message_of(error.body)
    message = _texts.line(str(error.reason) if said is None else said)
    if not error.status:
        return no_answer(what, host, message)
    # The API server says in its own words that there is no such object, in plain text no such kind, and with nothing no such schema: another 404 is of
    # somebody on the way to it.
    text = answers.text_of(error.body)
    is_own = said is not None or text.startswith("404 page not found") or (not text and path.startswith("/openapi/"))
    is_foreign = error.status == _errors.NOT_FOUND and not is_own
    # The API server redirects nobody.
    is_redirect = error.status < _errors.BAD_REQUEST
    if is_foreign or is_redirect or error.status in OF_PROXIES:
        return no_answer(what, host, f"{error.status} {message}")
    remedy = ""
    if error.status == _errors.UNAUTHORIZED:
        remedy = " The credentials are not valid or have expired. Log in again with `oc login`, or set api_key (K8S_AUTH_API_KEY) to a valid token."
    of_webhook = "failed calling webhook" in message
    if of_webhook:
        remedy = " The webhook of the operator cannot be reached. Check that the model registry operator is running."
    # Webhooks are called before anything is written. Other errors may come after that.
    return _errors.ClusterError(
        f"{what} failed: the API server responded with {error.status}: {message}.{remedy}", error.status, error.status >= _errors.BROKEN and not of_webhook
    )


@dataclass(frozen=True)
class Right:
    """One thing that an account may or may not do, to one object or (without a name) to every one of its kind."""

    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "") + (f" {self.name!r}" if self.name else "")


class Cluster:
    """Requests to one API server as one account."""

    def __init__(self, client: Any, configuration: Any, context: str | None) -> None:
        self._client, self._configuration, self._context = client, configuration, context
        self.host = _texts.without_user(configuration.host)
        # Called before each request that writes, and while waiting; it raises when nothing may be written any more.
        self.before_writing: Callable[[], None] = lambda: None
        # Told what is done, a few times in a run; and how far it is and what is waited for, as often as one likes.
        self.say: Callable[[str], None] = lambda _message: None
        self.tell: Callable[[str], None] = lambda _state: None
        # When requests are not waited for any more, for those of a wait.
        self._deadline: float | None = None
        self._date: str | None = None
        # Of these it is known that they are where registries are kept, or it cannot be known.
        self.checked_namespaces: set[str] = set()

    def until(self, deadline: float) -> Cluster:
        """The same cluster for the reads of a wait, which end soon after its deadline."""
        limited = copy.copy(self)
        limited._deadline = deadline
        return limited

    @property
    def now(self) -> datetime:
        """The time by the API server's clock, as it was with its last answer."""
        try:
            return parsedate_to_datetime(self._date or "").astimezone(timezone.utc)
        except (TypeError, ValueError, IndexError):
            return datetime.now(timezone.utc)

    def identity(self) -> manifests.Manifest:
        """Which cluster this is and as whom it is used."""
        user = None
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            review = self._request("POST", f"{REVIEWS[0]}v1/selfsubjectreviews", body, what="determining the account", parsed=answers.review_in)
            user = manifests.at(review, ("status", "userInfo", "username"))
        except _errors.ClusterError as error:
            if error.status in (None, _errors.UNAUTHORIZED):
                raise
        verified = bool(self._configuration.verify_ssl) and not self.host.lower().startswith("http:")
        return {"host": self.host, "context": self._context, "user": user, "verify_ssl": verified}

    def capabilities(self) -> kinds.Capabilities:
        """What this cluster's definition of a registry understands; ClusterError where it knows no registries, or none with a proxy that we can ask for."""
        for version in ("v1beta1", "v1alpha1"):
            path = f"/openapi/v3/apis/{kinds.GROUP}/{version}"
            document = self._find(path, f"reading the schema of {kinds.GROUP}/{version}", answers.schemas_in)
            if document is None:
                continue
            properties = _spec_properties(document)
            for key in ("kubeRBACProxy", "oauthProxy"):
                if key in properties:
                    return kinds.Capabilities(version, key, manifests.at(properties, ("postgres", "properties", "generateDeployment")) is not None)
            message = "its ModelRegistry API supports only the Istio service mesh for authentication; without it, all users would have access"
            raise _errors.ClusterError(f"the version of the product in this cluster is not supported: {message}. Update the operator to v0.2.16 or later.")
        message = f"the API {kinds.PLURAL}.{kinds.GROUP} is not available. Enable the component, with model_registry_component or the playbook enable"
        raise _errors.ClusterError(f"this cluster does not support model registries: {message}.")

    def registries_namespace(self) -> str:
        """The namespace that the platform keeps registries in. ClusterError says to set `namespace` where it cannot be found out."""
        hint = "Set namespace"
        for version in ("v2", "v1"):
            path = f"/apis/datasciencecluster.opendatahub.io/{version}/datascienceclusters"
            try:
                listed = self._find(path, "reading the registries namespace from the DataScienceCluster", answers.list_in)
            except _errors.ClusterError as error:
                if error.status == _errors.FORBIDDEN:
                    error.add(f"{hint}, or bind the account to the ClusterRole in rbac/cluster.yml or rbac/read.yml.")
                raise
            if listed is None:
                continue
            told = [manifests.at(item, ("status", "components", "modelregistry", "registriesNamespace")) for item in listed["items"]]
            unseen: list[str] = []
            namespace = next(filter(None, told), None) or self.ai_hub_namespace(unseen.append)
            if namespace:
                self.checked_namespaces.add(str(namespace))
                return str(namespace)
            reason = unseen[0] if unseen else "the component modelregistry is not Managed."
            message = f"the registries namespace is not known: {reason} {hint}, or enable it with model_registry_component."
            raise _errors.ClusterError(message, _errors.NOT_FOUND)
        raise _errors.ClusterError(f"the registries namespace is not known: this cluster has no DataScienceCluster. {hint}.", _errors.NOT_FOUND)

    def ai_hub_namespace(self, unseen: Callable[[str], object], what: str = "") -> str | None:
        """The namespace of the registries by the platform's AIHub; None where there is none. `unseen` is told where it may not be read.

        OpenShift AI 3.6 keeps them with the applications unless the DataScienceCluster names another namespace, and only the AIHub tells.
        """
        hub = visibility.seen(lambda: self.read(kinds.AI_HUBS, "", kinds.AI_HUB), None, unseen, what, advice=False, served=lambda: self.serves(*kinds.AI_HUBS))
        return manifests.at(hub, ("spec", "instancesNamespace")) or None

    def server_version(self) -> tuple[int, int] | None:
        """The version of the API server, major and minor; None where it does not say."""
        version = self._request("GET", "/version", what="reading the version of the cluster", parsed=answers.dictionary_in)
        # Some distributions add a plus sign.
        numbers = [re.match(r"[0-9]+", str(version.get(part))) for part in ("major", "minor")]
        return None if None in numbers else (int(numbers[0][0]), int(numbers[1][0]))  # type: ignore[index]

    def serves(self, api_version: str, plural: str) -> bool:
        """Whether the cluster knows this kind of object."""
        listed = self._find(f"/apis/{api_version}", f"looking up {plural}", answers.resources_in)
        return listed is not None and any(resource["name"] == plural for resource in listed["resources"])

    def read(self, api: tuple[str, str], namespace: str, name: str) -> manifests.Manifest | None:
        """An object, or None when there is none; without a namespace, of the whole cluster."""
        if name in ("", ".", ".."):
            # No object can have such a name, and the path would be that of others.
            return None
        return self._find(path_of(api, namespace, name), f"reading {api[1]}/{name}" + (f" in {namespace}" if namespace else ""))

    def items(self, api: tuple[str, str], namespace: str, trim: Trim = lambda item: item, **query: str) -> list[manifests.Manifest]:
        """The objects of a kind in a namespace, or without one in the whole cluster, by label or field selector. ClusterError 404 for an unknown kind.

        What `trim` does not leave of each is dropped page by page.
        """
        return self._pages(api, namespace, query, JSON, trim)

    def metadata(self, api: tuple[str, str], namespace: str, **query: str) -> list[manifests.Manifest]:
        """As `items`, but only the metadata of each."""
        return self._pages(api, namespace, query, METADATA, lambda item: {"metadata": item["metadata"]})

    def _pages(self, api: tuple[str, str], namespace: str, query: dict[str, str], accept: str, trim: Trim) -> list[manifests.Manifest]:
        what = f"listing {api[1]}" + (f" in {namespace}" if namespace else "")
        found: list[manifests.Manifest] = []
        begun: set[str] = set()
        more = ""
        may_begin_anew = True
        while True:
            page = {**query, "limit": PAGES.get(api, PAGE), **({"continue": more} if more else {})}
            try:
                listed = self._request("GET", path_of(api, namespace), None, page, what, accept, answers.list_in)
            except _errors.ClusterError as error:
                # The API server has forgotten the state that the pages before were of.
                if error.status != _errors.GONE or not may_begin_anew:
                    raise
                found, more, may_begin_anew = [], "", False
                begun.clear()
                continue
            first = next((item["metadata"]["uid"] for item in listed["items"]), more)
            if first in begun:
                # A proxy that drops the query of a request would let the first page come for ever.
                raise no_answer(what, self.host, "the same page of the list was received twice")
            begun.add(first)
            found += map(trim, listed["items"])
            more = manifests.at(listed, ("metadata", "continue")) or ""
            if not isinstance(more, str) or not more:
                return found

    def log(self, namespace: str, pod: str, container: str, previous: bool, lines: int = 60) -> str:
        """The last lines of a container's log."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": str(LONGEST_LOG), **({"previous": "true"} if previous else {})}
        text: str = self._request(
            "GET", path_of(("v1", "pods"), namespace, pod) + "/log", None, query, what=f"reading the log of pod {pod!r}", parsed=answers.text_of
        )
        # A line that was cut may end within a password, where nothing tells any more that it is one.
        return text if len(text.encode()) < LONGEST_LOG else text.rpartition("\n")[0]

    def websocket(self, path: str, query: dict[str, str], protocol: str, what: str) -> Any:
        """An open WebSocket (websocket-client) to this path. ClusterError when it is refused or not answered."""
        # Imported here: they take 60 ms to load.
        try:
            from kubernetes.stream import ws_client
            from websocket import WebSocketBadStatusException, WebSocketException
        except ImportError:
            raise _errors.MissingLibraryError(["websocket-client"]) from None

        if self._impersonates:
            # The library sends only the header of the login, so that the request would be that of another account.
            raise _errors.ClusterError(f"{what} is not possible for an account that another one impersonates. Log in as that account.")
        token = self.bearer_token
        headers = {"sec-websocket-protocol": protocol, **({"authorization": f"Bearer {token}"} if token else {})}
        url = ws_client.get_websocket_url(f"{self._configuration.host.rstrip('/')}{path}?{urlencode(query)}")
        try:
            return _deadline.within(CONNECT_SECONDS + READ_SECONDS, lambda: ws_client.create_websocket(self._configuration, url, headers))
        except WebSocketBadStatusException as error:
            answer = ApiException(status=error.status_code, reason=_texts.line(str(error).partition("-+-+-")[0]))
            answer.body = getattr(error, "resp_body", None)
            raise refusal(what, self.host, answer, path) from None
        except (WebSocketException, OSError, ValueError) as error:
            raise no_answer(what, self.host, _texts.reason(error)) from None

    def write(self, verb: str, api: tuple[str, str], namespace: str, name: str, body: manifests.Manifest, dry_run: bool) -> manifests.Manifest:
        """Create (POST), merge-patch (PATCH) or delete (DELETE) an object; with `dry_run` the server only says what it would answer."""
        query = {} if verb == "DELETE" else {"fieldManager": kinds.FIELD_MANAGER, "fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        if verb == "DELETE" and dry_run:
            # The API server looks at the query of a deletion only when it has no body.
            body = {**body, "dryRun": ["All"]}
        path = path_of(api, namespace) if verb == "POST" else path_of(api, namespace, name)
        doing = {"POST": "creating", "PATCH": "changing", "DELETE": "deleting"}[verb]
        what = f"{doing} {api[1]}/{name}" + (f" in {namespace}" if namespace else "")
        # What a deletion is answered with depends on whether the object is gone already.
        parsed = answers.deletion_in if verb == "DELETE" else answers.object_in
        answer: manifests.Manifest = self._request(verb, path, body, query, what, parsed=parsed)
        return answer

    def allows(self, path: str, review: manifests.Manifest, what: str) -> bool:
        """Whether the API server says that a review's request would be allowed."""
        return manifests.at(self._request("POST", path, review, what=what, parsed=answers.review_in), ("status", "allowed")) is True

    def missing_rights(self, namespace: str, rights: Iterable[Right]) -> list[Right]:
        """Those of the rights that this account does not have; without a namespace, in the whole cluster."""
        missing = []
        for right in dict.fromkeys(rights):
            attributes = {"namespace": namespace, "verb": right.verb, "group": right.group, "resource": right.resource, "name": right.name}
            body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
            if not self.allows(f"{REVIEWS[1]}v1/selfsubjectaccessreviews", body, f"checking the permission to {right}"):
                missing.append(right)
        return missing

    @property
    def bearer_token(self) -> str | None:
        """The token that this account is known by; None for one that has a client certificate or a password, or that another one impersonates."""
        # The token is that of the account that logged in.
        if self._impersonates:
            return None
        # The library's name for it has changed with its versions.
        names = ("BearerToken", "authorization")
        header = next((value for value in map(self._configuration.get_api_key_with_prefix, names) if value), "")
        scheme, _space, token = header.partition(" ")
        return token if scheme.lower() == "bearer" and token else None

    @property
    def _impersonates(self) -> bool:
        # By headers of every request (kubernetes.core).
        return any(str(header).lower().startswith("impersonate-") for header in self._client.client.default_headers)

    @property
    def ca_file(self) -> str | None:
        """The file with the CA of the API server's certificate, when there is one."""
        path: str | None = self._configuration.ssl_ca_cert
        return path

    @contextmanager
    def changes(self, watched: Iterable[tuple[tuple[str, str], str, dict[str, str]]], deadline: float) -> Iterator[threading.Event]:
        """An event that is set whenever one of the watched (api, namespace, selector) changes. Where watching is not allowed it is never set."""
        changed, stopped = threading.Event(), threading.Event()
        # The deadline bounds the watches on the server's side too, so that no thread outlives the wait by more than one of its last events.
        for api, namespace, selector in watched:
            arguments = (path_of(api, namespace), selector, deadline, changed, stopped)
            threading.Thread(target=self._follow, args=arguments, daemon=True).start()
        try:
            yield changed
        finally:
            stopped.set()

    def _follow(self, path: str, selector: dict[str, str], deadline: float, changed: threading.Event, stopped: threading.Event) -> None:
        pause = WATCH_PAUSE
        while not stopped.is_set() and time.monotonic() < deadline:
            started = time.monotonic()
            seconds = max(1, int(deadline - started))
            query = {**selector, "watch": "true", "timeoutSeconds": str(seconds)}
            try:
                timeout = (CONNECT_SECONDS, seconds + READ_SECONDS)
                response = self._client.request("GET", path, query_params=list(query.items()), serialize=False, _request_timeout=timeout)
                for _event in response.stream(amt=None, decode_content=False):
                    changed.set()
                    if stopped.is_set():
                        break
            except ApiException as error:
                if not refusal("watching", "", error).may_pass and error.status != _errors.GONE:
                    # Whoever may not watch may not a second later either.
                    return
            except (HTTPError, OSError, ValueError):
                pass
            # A proxy that does not let streams through ends each at once, and so does an API server that is about to stop.
            pause = WATCH_PAUSE if time.monotonic() - started > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            stopped.wait(max(0.0, min(started + pause, deadline) - time.monotonic()))

    def _request(
        self,
        verb: str,
        path: str,
        body: manifests.Manifest | None = None,
        query: dict[str, str] | None = None,
        what: str = "",
        accept: str = JSON,
        parsed: Callable[[bytes], Any] = answers.object_in,
    ) -> Any:
        """What `parsed` makes of the answer to a request, which is sent again as long as that is safe and can help. ClusterError."""
        is_safe = verb == "GET" or path.startswith(REVIEWS) or bool((query or {}).get("dryRun") or (body or {}).get("dryRun"))
        started, attempt, unclear = time.monotonic(), 0, False
        while True:
            attempt += 1
            if verb != "GET":
                self.before_writing()
            try:
                response = _deadline.within(self._seconds_left, lambda: self._answer(verb, path, body, query or {}, accept))
                self._date = response.headers.get("Date")
                return parsed(response.data)
            except ApiException as error:
                asked = (error.headers or {}).get("Retry-After") or ""
                failure = refusal(what, self.host, error, path)
            except (HTTPError, OSError, ValueError) as error:
                asked, failure = "", no_answer(what, self.host, _texts.reason(error))
            pause = min(float(asked), LONGEST_PAUSE) if re.fullmatch("[0-9]{1,9}", asked) else PAUSE
            failure.unclear = unclear = not is_safe and (failure.unclear or unclear)
            now = time.monotonic()
            is_late = self._deadline is not None and now + pause >= self._deadline
            gave_up = attempt == ATTEMPTS or is_late or now - started >= REQUEST_SECONDS
            if gave_up or not _may_be_repeated(failure, is_safe):
                raise failure from None
            time.sleep(pause)

    @property
    def _seconds_left(self) -> float:
        left = REQUEST_SECONDS if self._deadline is None else self._deadline + GRACE_SECONDS - time.monotonic()
        return min(REQUEST_SECONDS, max(1.0, left))

    def _answer(self, verb: str, path: str, body: manifests.Manifest | None, query: dict[str, str], accept: str) -> Any:
        response = self._client.request(
            verb,
            path,
            body=body,
            query_params=list(query.items()),
            content_type=MERGE_PATCH if verb == "PATCH" else JSON,
            header_params={"Accept": accept},
            serialize=False,
            _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        # Read here, where it counts for the time that the request may take.
        response.data  # noqa: B018
        return response

    def _find(self, path: str, what: str, parsed: Callable[[bytes], Any] = answers.object_in) -> manifests.Manifest | None:
        """What there is at a path, or None."""
        try:
            content: manifests.Manifest = self._request("GET", path, what=what, parsed=parsed)
        except _errors.ClusterError as error:
            if error.status == _errors.NOT_FOUND:
                return None
            raise
        return content


def _may_be_repeated(failure: _errors.ClusterError, is_safe: bool) -> bool:
    """Whether a request that failed is sent again as it is. Whoever has sent a write that may have been carried out reads again and plans anew."""
    return failure.may_pass if is_safe else failure.status in (_errors.BUSY, _errors.UNAVAILABLE)


def path_of(api: tuple[str, str], namespace: str, name: str | None = None) -> str:
    """The request path of a kind in a namespace (or, without one, of the whole cluster), or of one object of it."""
    version, plural = api
    root = f"/{'apis' if '/' in version else 'api'}/{version}"
    path = f"{root}/namespaces/{quote(namespace, safe='')}/{plural}" if namespace else f"{root}/{plural}"
    return path if name is None else f"{path}/{quote(name, safe='')}"


def _spec_properties(document: manifests.Manifest) -> manifests.Manifest:
    for schema in document.get("components", {}).get("schemas", {}).values():
        if any(kind.get("kind") == kinds.KIND for kind in schema.get("x-kubernetes-group-version-kind", [])):
            return manifests.at(schema, ("properties", "spec", "properties")) or {}
    return {}
