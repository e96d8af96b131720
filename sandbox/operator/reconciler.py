"""The operator's control loop: from what a registry says to its objects, from those to its status, and its end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import socket
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from sandbox.generations import Generation
from sandbox.kube import Api, ApiError, Queue, path
from sandbox.operator import catalog, manifests, registry_catalog
from sandbox.operator import status as statuses
from sandbox.operator.deployment import deployment
from sandbox.operator.lastapplied import annotated, differs
from sandbox.operator.manifests import Object, Registry
from sandbox.operator.specs import effective, generated_postgres, migrate_proxy, read_spec, without_runtime_defaults
from sandbox.operator.status import Outcome, Seen, Verdict

log = logging.getLogger(__name__)
Key = tuple[str, str]

FINALIZER = "modelregistry.opendatahub.io/finalizer"
CONTROLLER = "modelregistry-controller"
OWN = {"labelSelector": "app.kubernetes.io/created-by=model-registry-operator"}
PODS = {"labelSelector": "component=model-registry"}
HTTP_ROUTE_NAMESPACE = "redhat-ods-applications"
NOT_FOUND, CONFLICT, INVALID, FORBIDDEN = 404, 409, 422, 403
# Between two looks at a registry that has just been written to, so that its next look finds the effects.
SETTLE_SECONDS = 0.05


@dataclass(frozen=True)
class Kind:
    """A kind of objects that is watched; `causes` tells whether a change of one is a reason to reconcile all objects of its registry."""

    api_version: str
    plural: str
    namespaced: bool = True
    selector: tuple[tuple[str, str], ...] = tuple(OWN.items())
    causes: bool = True


DEPLOYMENT = "Deployment"
KINDS = {
    "ServiceAccount": Kind("v1", "serviceaccounts"),
    "Service": Kind("v1", "services"),
    DEPLOYMENT: Kind("apps/v1", "deployments"),
    "Role": Kind("rbac.authorization.k8s.io/v1", "roles"),
    "NetworkPolicy": Kind("networking.k8s.io/v1", "networkpolicies"),
    "PersistentVolumeClaim": Kind("v1", "persistentvolumeclaims", causes=False),
    "ConfigMap": Kind("v1", "configmaps", causes=False),
    "Secret": Kind("v1", "secrets", causes=False),
    "ClusterRoleBinding": Kind("rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    "Pod": Kind("v1", "pods", selector=tuple(PODS.items()), causes=False),
    "Endpoints": Kind("v1", "endpoints", causes=False),
}
OPENSHIFT_KINDS = {
    "RoleBinding": Kind("rbac.authorization.k8s.io/v1", "rolebindings"),
    "Route": Kind("route.openshift.io/v1", "routes"),
}
# What the model catalog needs beside the kinds above: the ConfigMaps that administrators label as its sources, which are read and never written.
CATALOG_SOURCE = "CatalogSource"
CATALOG_KINDS = {CATALOG_SOURCE: Kind("v1", "configmaps", selector=(("labelSelector", f"{catalog.SOURCE_LABEL}=true"),))}
CATALOG: Key = ("", catalog.NAME)
# The catalog's own resource, where the product has one: the platform makes it, and this operator finishes its removal.
CATALOG_RESOURCE = "Catalog"
CATALOG_RESOURCE_KIND = {CATALOG_RESOURCE: Kind("aihub.opendatahub.io/v1alpha1", "catalogs", selector=())}
CATALOG_FINALIZER = "catalog.aihub.opendatahub.io/finalizer"
GROUP_KIND = {"Group": Kind("user.openshift.io/v1", "groups", namespaced=False, selector=(), causes=False)}


@dataclass(frozen=True)
class Capabilities:
    """Which of OpenShift's APIs the cluster had when the operator started."""

    has_routes: bool
    has_groups: bool


@dataclass(frozen=True)
class Settings:
    generation: Generation
    capabilities: Capabilities
    domain: str
    # Where the catalog is; registries may be wherever the webhooks let them.
    namespace: str


class Reconciler:
    """Keeps the objects and the status of every registry. Everything it reads comes from watches, everything it writes is first compared."""

    def __init__(self, api: Api, settings: Settings):
        self._api = api
        self._generation, self._capabilities, self._domain = settings.generation, settings.capabilities, settings.domain
        self._namespace = settings.namespace
        self._kinds = {"ModelRegistry": Kind(self._generation.api_version, "modelregistries", selector=())} | KINDS
        if settings.capabilities.has_routes:
            self._kinds |= OPENSHIFT_KINDS
            if settings.capabilities.has_groups or not self._generation.is_today:
                self._kinds |= GROUP_KIND
        if settings.generation.is_today:
            self._kinds |= CATALOG_KINDS | {"RoleBinding": OPENSHIFT_KINDS["RoleBinding"]}
        if settings.generation.singleton.brings_catalog:
            self._kinds |= CATALOG_RESOURCE_KIND
        self._objects: dict[str, dict[Key, Object]] = {name: {} for name in self._kinds}
        self._pods: dict[Key, set[Key]] = defaultdict(set)
        self._whole: set[Key] = set()
        self._known_apis: set[str] = set()
        self._primed = asyncio.Event()
        self._queue = Queue(self._work)

    async def registries(self) -> Iterable[Key]:
        """Namespace and name of every registry of the cluster, once they have been read."""
        await self._primed.wait()
        return self._objects["ModelRegistry"].keys()

    async def prime(self) -> None:
        """Read everything once, so that nothing is taken for missing that only has not been seen yet."""
        for name, kind in self._kinds.items():
            listed = await self._until_served(path(kind.api_version, kind.plural), dict(kind.selector))
            for item in listed["items"]:
                self._keep(name, item)
        self._primed.set()

    async def _until_served(self, address: str, selector: dict[str, str]) -> Any:
        while True:
            try:
                return await self._api.get(address, **selector)
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                log.info("%s: %s", address, error)
                await asyncio.sleep(0.5)

    async def run(self) -> None:
        for key in await self.registries():
            self._ask(key, whole=True)
        if self._generation.is_today:
            self._queue.add(CATALOG)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run())
            for name in self._kinds:
                tasks.create_task(self._watch(name))

    # What there is

    async def _watch(self, name: str) -> None:
        kind = self._kinds[name]
        async for event, item in self._api.watch(path(kind.api_version, kind.plural), **dict(kind.selector)):
            key = _key(item)
            if event == "DELETED":
                old = self._objects[name].get(key)
                # A younger object of the same name may have been written since.
                if old is not None and old["metadata"]["uid"] == item["metadata"]["uid"]:
                    del self._objects[name][key]
                    self._pods[(key[0], _label(item, "app"))].discard(key)
                    self._ask_for_catalog(name, item)
                    self._ask(_registry_of(name, item), whole=kind.causes)
                continue
            old = self._objects[name].get(key)
            if self._keep(name, item):
                if old is None or _identity(name, old) != _identity(name, item):
                    self._ask_for_catalog(name, item)
                self._ask(_registry_of(name, item), whole=kind.causes and (old is None or _identity(name, old) != _identity(name, item)))

    def _keep(self, name: str, item: Object) -> bool:
        """Remember the object unless a newer state of it is known: our own writes are kept before their events arrive."""
        key = _key(item)
        old = self._objects[name].get(key)
        if old is not None and int(old["metadata"]["resourceVersion"]) >= int(item["metadata"]["resourceVersion"]):
            return False
        self._objects[name][key] = item
        if name == "Pod":
            self._pods[(key[0], _label(item, "app"))].add(key)
        return True

    def _ask_for_catalog(self, name: str, item: Object) -> None:
        if name in (CATALOG_SOURCE, CATALOG_RESOURCE) or _label(item, "app") == catalog.NAME or _label(item, "component") == catalog.POSTGRES:
            self._queue.add(CATALOG)

    def _ask(self, key: Key | None, whole: bool) -> None:
        if key in self._objects["ModelRegistry"]:
            if whole:
                self._whole.add(key)
            self._queue.add(key)

    # One registry

    async def _work(self, key: Key) -> float | None:
        if key == CATALOG:
            await self._reconcile_catalog()
            return None
        stored = self._objects["ModelRegistry"].get(key)
        if stored is None:
            self._whole.discard(key)
            return None
        if "deletionTimestamp" in stored["metadata"]:
            await self._finalize(stored)
            return None
        whole = key in self._whole
        self._whole.discard(key)
        try:
            return await self._reconcile(stored, whole)
        except Exception:
            self._whole.add(key)
            raise

    async def _reconcile(self, stored: Object, whole: bool) -> float | None:
        if FINALIZER not in stored["metadata"].get("finalizers", []):
            finalizers = [*stored["metadata"].get("finalizers", []), FINALIZER]
            stored = await self._update(stored | {"metadata": stored["metadata"] | {"finalizers": finalizers}})
            whole = True
        spec = read_spec(self._generation, self._generation.version, stored)
        if self._generation.is_today and self._has_other_proxy(spec):
            migrate_proxy(spec)
            spec.setdefault("kubeRBACProxy", {})
            await self._update(stored | {"spec": spec})
            return self._again(stored)
        registry = Registry(
            generation=self._generation,
            name=stored["metadata"]["name"],
            namespace=stored["metadata"]["namespace"],
            uid=stored["metadata"]["uid"],
            annotations=stored["metadata"].get("annotations", {}),
            original=spec,
            spec=effective(self._generation, stored["metadata"]["name"], spec, self._domain),
        )
        generated = self._generation.is_today and spec.get("postgres", {}).get("generateDeployment")
        try:
            outcome = await self._objects_of(registry, bool(generated)) if whole else Outcome.UNCHANGED
        except ApiError as error:
            if error.status != CONFLICT or error.reason == "AlreadyExists":
                await self._blame(stored, error)
            raise
        if generated:
            registry.spec["postgres"] = generated_postgres(registry.name)
        await self._announce(stored, outcome)
        wait = await self._report(stored, registry, outcome)
        return self._again(stored) if outcome is not Outcome.UNCHANGED else wait

    def _has_other_proxy(self, spec: Object) -> bool:
        return "oauthProxy" in spec or (self._capabilities.has_routes and "kubeRBACProxy" not in spec)

    def _again(self, stored: Object) -> float:
        self._whole.add(_key(stored))
        return SETTLE_SECONDS

    async def _update(self, registry: Object) -> Object:
        updated = await self._api.replace(self._path("ModelRegistry", registry), registry)
        self._keep("ModelRegistry", updated)
        return updated

    async def _objects_of(self, registry: Registry, generated: bool) -> Outcome:
        """Bring every object of the registry to what it must be; the first that the API server refuses ends it."""
        outcomes = []
        if generated:
            outcomes += await self._database(registry)
            registry.spec["postgres"] = generated_postgres(registry.name)
        outcomes.append(await self._ensure(manifests.service_account(registry)))
        outcomes.append(await self._ensure(manifests.service(registry)))
        outcomes.append(await self._ensure_deployment(deployment(registry)))
        outcomes.append(await self._ensure(manifests.role(registry)))
        if self._capabilities.has_routes:
            if "Group" in self._kinds:
                outcomes.append(await self._ensure(manifests.group(registry), "failed to create OpenShift Group: "))
            outcomes.append(await self._ensure(manifests.role_binding(registry), "failed to create RoleBinding: "))
            outcomes += await self._ensure_if(registry.spec["rest"].get("serviceRoute") == "enabled", manifests.http_route(registry))
        outcomes += await self._proxy(registry)
        if self._generation.has_catalog_of_registries:
            outcomes += await self._catalog_of(registry)
        return next((outcome for outcome in reversed(outcomes) if outcome is not Outcome.UNCHANGED), Outcome.UNCHANGED)

    async def _database(self, registry: Registry) -> list[Outcome]:
        password = base64.urlsafe_b64encode(os.urandom(16)).decode()
        secret = manifests.database_secret(registry, password)
        # It has no label by which it would be watched: it is asked for each time.
        if await self._api.find(self._path("Secret", secret)) is None:
            await self._api.create(path("v1", "secrets", registry.namespace), annotated(secret))
        await self._ensure(manifests.database_claim(registry))
        outcomes = [await self._ensure_deployment(manifests.database_deployment(registry))]
        await self._ensure(manifests.database_service(registry))
        outcomes.append(await self._ensure(manifests.database_network_policy(registry)))
        return outcomes

    async def _catalog_of(self, registry: Registry) -> list[Outcome]:
        outcomes = [await self._ensure_once(registry_catalog.sources(registry)), await self._ensure_deployment(registry_catalog.deployment(registry))]
        outcomes.append(await self._ensure(registry_catalog.service(registry)))
        if self._capabilities.has_routes:
            outcomes += [await self._ensure(wanted) for wanted in registry_catalog.of_openshift(registry)]
        return outcomes

    async def _proxy(self, registry: Registry) -> list[Outcome]:
        outcomes, runs = [], registry.proxy is not None
        if self._generation.is_today:
            if runs:
                outcomes.append(await self._ensure_once(manifests.proxy_config(registry)))
            else:
                await self._remove(manifests.proxy_config(registry))
        outcomes += await self._ensure_if(runs, manifests.cluster_role_binding(registry))
        if runs and self._generation.has_cookie_secret:
            outcomes.append(await self._ensure_once(manifests.cookie_secret(registry, base64.b64encode(os.urandom(32)).decode())))
        if self._capabilities.has_routes:
            outcomes += await self._ensure_if(registry.has_proxy_route, manifests.https_route(registry))
            if registry.has_proxy_route:
                outcomes.append(await self._ensure(manifests.network_policy(registry)))
            else:
                await self._remove({"kind": "NetworkPolicy", "metadata": {"namespace": registry.namespace, "name": f"{registry.name}-https-route"}})
        return outcomes

    async def _reconcile_catalog(self) -> None:
        """Bring the model catalog's objects to what they must be. What administrators edit is made once and then left alone."""
        singleton, resource = self._generation.singleton, self._objects.get(CATALOG_RESOURCE, {}).get((self._namespace, "catalog"))
        if singleton.brings_catalog:
            if resource is None or "deletionTimestamp" in resource["metadata"]:
                return await self._finalize_catalog(resource)
            if CATALOG_FINALIZER not in resource["metadata"].get("finalizers", []):
                finalizers = [*resource["metadata"].get("finalizers", []), CATALOG_FINALIZER]
                await self._replace_catalog(resource | {"metadata": resource["metadata"] | {"finalizers": finalizers}})
        owner = resource or await self._api.find(path(singleton.api_version, singleton.plural, name=singleton.name))
        controls = {"controller": True, "blockOwnerDeletion": True} if singleton.brings_catalog else {}
        owner = owner and {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **_named(owner), **controls}
        sources = [item["metadata"]["name"] for item in self._objects[CATALOG_SOURCE].values() if item["metadata"]["namespace"] == self._namespace]
        made = catalog.Catalog(self._generation, self._namespace, self._domain, owner, sources)
        await self._ensure(made.service_account())
        await self._ensure(made.default_sources())
        for wanted in made.user_sources():
            await self._ensure_once(wanted)
        for wanted_deployment, dependents in (
            (made.deployment(), lambda owner: made.of_deployment(owner, self._capabilities.has_routes)),
            (made.database_deployment(), made.of_database),
        ):
            if wanted_deployment["metadata"]["name"] == catalog.POSTGRES:
                await self._ensure(self._catalog_password(made))
            await self._ensure_deployment(wanted_deployment)
            live = self._objects[DEPLOYMENT].get(_key(wanted_deployment))
            if live is None:
                self._queue.add_later(CATALOG, SETTLE_SECONDS)
                return
            for wanted in dependents({"apiVersion": "apps/v1", "kind": DEPLOYMENT, **_named(live)}):
                await self._ensure(wanted)
        await self._ensure(made.proxy_config())
        await self._ensure(made.cluster_role_binding())
        if owner is None and self._capabilities.has_routes:
            # The platform makes it after this operator, and nothing here watches it.
            self._queue.add_later(CATALOG, 1)
        if resource is not None:
            await self._report_catalog()

    async def _finalize_catalog(self, resource: Object | None) -> None:
        """What no owner reference takes away, then the finalizer."""
        if resource is None or CATALOG_FINALIZER not in resource["metadata"].get("finalizers", []):
            return
        await self._remove({"kind": "ClusterRoleBinding", "metadata": {"name": f"{catalog.NAME}-auth-delegator"}})
        finalizers = [finalizer for finalizer in resource["metadata"]["finalizers"] if finalizer != CATALOG_FINALIZER]
        await self._api.replace(self._path(CATALOG_RESOURCE, resource), resource | {"metadata": resource["metadata"] | {"finalizers": finalizers}})

    async def _replace_catalog(self, resource: Object, subresource: str | None = None) -> None:
        self._keep(CATALOG_RESOURCE, await self._api.replace(self._path(CATALOG_RESOURCE, resource, subresource), resource))

    async def _report_catalog(self) -> None:
        """Say in the catalog's resource whether it is available; as long as it is not, look again."""
        resource = self._objects[CATALOG_RESOURCE][self._namespace, "catalog"]
        deployed = self._objects[DEPLOYMENT].get((self._namespace, catalog.NAME), {})
        found = any(one["type"] == "Available" and one["status"] == "True" for one in deployed.get("status", {}).get("conditions", []))
        verdict = Verdict("True", "DeploymentAvailable", "Deployment is available") if found else Verdict("False", "DeploymentUnavailable", "not available")
        old = resource.get("status", {})
        made = statuses.set_condition(old, "Available", verdict, datetime.now(UTC)) | {"observedGeneration": resource["metadata"]["generation"]}
        if made != old:
            await self._replace_catalog(resource | {"status": made}, "status")
        if not found:
            self._queue.add_later(CATALOG, 1)

    def _catalog_password(self, made: catalog.Catalog) -> Object:
        """The Secret of the catalog's database: with a new password, or with the one that there is."""
        wanted = made.database_secret(base64.urlsafe_b64encode(os.urandom(16)).decode())
        present = self._objects["Secret"].get(_key(wanted))
        if present is None:
            return wanted
        return {name: value for name, value in wanted.items() if name != "stringData"} | {"data": present["data"]}

    # Single objects

    def _path(self, name: str, item: Object, subresource: str | None = None) -> str:
        kind = self._kinds[name]
        return path(kind.api_version, kind.plural, item["metadata"].get("namespace"), item["metadata"]["name"], subresource)

    async def _ensure(self, wanted: Object, blame: str = "") -> Outcome:
        """Create the object, or replace it if it lacks something; `blame` goes before the API server's refusal."""
        name = wanted["kind"]
        current = self._objects[name].get(_key(wanted))
        try:
            if current is None:
                current = await self._create(wanted)
                if current is None:
                    return Outcome.CREATED
            if not differs(current, wanted):
                return Outcome.UNCHANGED
            await self._replace(wanted, current)
        except ApiError as error:
            if blame:
                raise ApiError(error.status, error.body | {"message": f"{blame}{error}"}) from error
            raise
        return Outcome.UPDATED

    async def _create(self, wanted: Object) -> Object | None:
        """Create the object; one that is there already, and ours to write, is returned instead."""
        kind = self._kinds[wanted["kind"]]
        try:
            created = await self._api.create(path(kind.api_version, kind.plural, wanted["metadata"].get("namespace")), annotated(wanted))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            found = await self._api.find(self._path(wanted["kind"], wanted))
            if found is None or (kind.selector and _label(found, "app.kubernetes.io/created-by") != "model-registry-operator"):
                raise
            self._keep(wanted["kind"], found)
            return found
        self._keep(wanted["kind"], created)
        return None

    async def _replace(self, wanted: Object, current: Object) -> None:
        made = annotated(wanted)
        made = made | {"metadata": made["metadata"] | {"resourceVersion": current["metadata"]["resourceVersion"]}}
        try:
            self._keep(wanted["kind"], await self._api.replace(self._path(wanted["kind"], wanted), made))
        except ApiError as error:
            if error.status == NOT_FOUND:
                self._objects[wanted["kind"]].pop(_key(wanted), None)
            raise

    async def _ensure_once(self, wanted: Object) -> Outcome:
        """Create the object if there is none; an existing one is left as it is, whoever made it."""
        if _key(wanted) in self._objects[wanted["kind"]]:
            return Outcome.UNCHANGED
        kind = self._kinds[wanted["kind"]]
        try:
            created = await self._api.create(path(kind.api_version, kind.plural, wanted["metadata"].get("namespace")), annotated(wanted))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return Outcome.UNCHANGED
        self._keep(wanted["kind"], created)
        return Outcome.CREATED

    async def _ensure_if(self, condition: bool, wanted: Object) -> list[Outcome]:
        if condition:
            return [await self._ensure(wanted)]
        await self._remove(wanted)
        return []

    async def _ensure_deployment(self, wanted: Object) -> Outcome:
        """Like `_ensure`; a Deployment with a change that the API server does not allow is deleted, to be made anew."""
        try:
            return await self._ensure(wanted)
        except ApiError as error:
            if not (error.status == FORBIDDEN or (error.status == INVALID and "field is immutable" in str(error))):
                raise
            log.info("%s: %s: it is made anew", _key(wanted), error)
            await self._remove(wanted)
            return Outcome.UPDATED

    async def _remove(self, item: Object) -> None:
        if self._objects[item["kind"]].pop(_key(item), None) is not None:
            await self._api.delete(self._path(item["kind"], item), {"propagationPolicy": "Background"})

    # Status

    async def _report(self, stored: Object, registry: Registry, outcome: Outcome) -> float | None:
        stored = self._objects["ModelRegistry"].get(_key(stored), stored)
        key = _key(stored)
        deployed = self._objects[DEPLOYMENT].get(key)
        if deployed is None:
            return self._again(stored)
        pods = [self._objects["Pod"][pod] for pod in sorted(self._pods[key]) if pod in self._objects["Pod"]]
        seen = Seen(
            deployment=deployed,
            endpoints=self._objects["Endpoints"].get(key),
            pods=pods,
            routes=[route for route in (self._objects.get("Route", {}).get((key[0], f"{key[1]}-{end}")) for end in ("http", "https")) if route],
            is_openshift=self._capabilities.has_routes,
            now=datetime.now(UTC),
            log_errors=await self._log_errors(registry, pods) if deployed.get("status", {}).get("unavailableReplicas") else {},
        )
        made, wait = statuses.status(registry, stored.get("status", {}), outcome, seen)
        if made["specDefaults"] == "{}":
            stored = await self._without_runtime_defaults(stored)
        await self._write_status(stored, made)
        return wait

    async def _without_runtime_defaults(self, stored: Object) -> Object:
        """Nothing was added to this spec: what it says of the operator's own image was not the user's word."""
        spec = read_spec(self._generation, self._generation.version, stored)
        cleaned = without_runtime_defaults(self._generation, {name: dict(value) if isinstance(value, dict) else value for name, value in spec.items()}, "")
        return stored if cleaned == spec else await self._update(stored | {"spec": cleaned})

    async def _log_errors(self, registry: Registry, pods: list[Object]) -> dict[str, str]:
        found = {}
        for pod in statuses.pods_with_logs(registry, pods):
            with contextlib.suppress(ApiError, aiohttp.ClientError, TimeoutError):
                text = await self._api.get(self._path("Pod", pod, "log"), container=statuses.logging_container(self._generation))
                if error := statuses.log_error(str(text)):
                    found[pod["metadata"]["name"]] = error
        return found

    async def _write_status(self, stored: Object, made: Object) -> Object:
        if stored.get("status") == made:
            return stored
        updated = await self._api.replace(self._path("ModelRegistry", stored, "status"), stored | {"status": made})
        self._keep("ModelRegistry", updated)
        return updated

    async def _blame(self, stored: Object, error: ApiError) -> None:
        """Say in the registry's status that its objects cannot be made."""
        verdict = Verdict("False", "DeploymentUnavailable", f"unexpected reconcile error: {error}")
        stored = self._objects["ModelRegistry"].get(_key(stored), stored)
        with contextlib.suppress(ApiError):
            await self._write_status(stored, statuses.set_condition(stored.get("status", {}), "Available", verdict, datetime.now(UTC)))

    # Events and the end

    async def _announce(self, stored: Object, outcome: Outcome) -> None:
        verbs = {Outcome.CREATED: "Created", Outcome.UPDATED: "Updated"}
        if verb := verbs.get(outcome):
            metadata = stored["metadata"]
            text = f"{verb} service for custom resource {metadata['name']} in namespace {metadata['namespace']}"
            await self._event(stored, "Normal", f"Service{verb}", text)

    async def _event(self, stored: Object, kind: str, reason: str, note: str) -> None:
        metadata, now = stored["metadata"], datetime.now(UTC)
        reference = {"apiVersion": self._generation.api_version, "kind": "ModelRegistry"} | {
            name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion")
        }
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{time.time_ns():x}", "namespace": metadata["namespace"]},
            "type": kind,
            "reason": reason,
            "action": reason,
            "note": note,
            "regarding": reference,
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": f"{CONTROLLER}-{socket.gethostname()}",
        }
        try:
            await self._api.create(path("events.k8s.io/v1", "events", metadata["namespace"]), event)
        except ApiError as error:
            # No reason to stop: the namespace may be going away.
            log.warning("event %s of %s: %s", reason, metadata["name"], error)

    async def _finalize(self, stored: Object) -> None:
        """What no owner reference takes away, then the finalizer. It is tried again, for ever, while the cluster refuses."""
        metadata = stored["metadata"]
        if FINALIZER not in metadata.get("finalizers", []):
            return
        name, now = metadata["name"], datetime.now(UTC)
        begun = Verdict("Unknown", "Finalizing", f"Performing finalizer operations for the custom resource: {name} ")
        stored = await self._write_status(stored, statuses.set_condition(stored.get("status", {}), "Degraded", begun, now))
        await self._delete_outside(name)
        note = f"Custom Resource {name} is being deleted from the namespace {metadata['namespace']}"
        await self._event(stored, "Warning", "Deleting", note)
        done = Verdict("True", "Finalizing", f"Finalizer operations for custom resource {name} were successfully accomplished")
        stored = await self._write_status(stored, statuses.set_condition(stored.get("status", {}), "Degraded", done, now))
        finalizers = [finalizer for finalizer in metadata["finalizers"] if finalizer != FINALIZER]
        await self._api.replace(self._path("ModelRegistry", stored), stored | {"metadata": stored["metadata"] | {"finalizers": finalizers}})

    async def _delete_outside(self, name: str) -> None:
        """The objects in other places."""
        if not self._generation.is_today or (self._capabilities.has_routes and self._capabilities.has_groups):
            await self._delete_served("user.openshift.io/v1", "groups", None, f"{name}-users")
        if self._generation.is_today:
            await self._delete_served("gateway.networking.k8s.io/v1", "httproutes", HTTP_ROUTE_NAMESPACE, f"model-registry-{name}")

    async def _delete_served(self, api_version: str, plural: str, namespace: str | None, name: str) -> None:
        """Delete an object if there is one. An API that the cluster has not served since the operator started is an error.

        So it is in the real operator, whose client asks once for each kind where it is served.
        """
        if plural not in self._known_apis:
            served = await self._api.get(f"/apis/{api_version}")
            if plural not in {resource["name"] for resource in served["resources"]}:
                raise ApiError(NOT_FOUND, {"message": f"no matches for {plural} of {api_version}"})
            self._known_apis.add(plural)
        await self._api.delete(path(api_version, plural, namespace, name))


def _named(item: Object) -> dict[str, str]:
    return {key: item["metadata"][key] for key in ("name", "uid")}


def _key(item: Object) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _label(item: Object, name: str) -> str:
    value: str = item["metadata"].get("labels", {}).get(name, "")
    return value


def _identity(name: str, item: Object) -> tuple[Any, ...]:
    """What of an object changes when somebody writes to it, and not when a controller reports on it."""
    reports = {"resourceVersion", "managedFields"} | ({"annotations"} if name == DEPLOYMENT else set())
    metadata = {field: value for field, value in item["metadata"].items() if field not in reports}
    if "generation" in metadata:
        return (metadata,)
    return metadata, {field: value for field, value in item.items() if field not in ("apiVersion", "kind", "metadata", "status")}


def _registry_of(name: str, item: Object) -> Key | None:
    """The registry that an object belongs to: its controller, or else what its labels say."""
    metadata = item["metadata"]
    if name == "ModelRegistry":
        return _key(item)
    for owner in metadata.get("ownerReferences", []):
        if owner["kind"] == "ModelRegistry" and owner.get("controller"):
            return metadata["namespace"], owner["name"]
    namespace = metadata.get("namespace") or _label(item, "modelregistry.opendatahub.io/namespace")
    return (namespace, _label(item, "app")) if namespace else None
