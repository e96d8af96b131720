# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registries namespace as it was at one moment: each kind of object is listed once, however many registries are planned by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from .._model import custom_resource, kinds, manifests, marks, server_pods
from .._plan import restarts
from . import client, registry_reader, visibility

T = TypeVar("T")
# By name.
Objects = dict[str, manifests.Manifest]
# What was read since a moment, behind a lock.
Answers = tuple[threading.Lock, float, dict[Hashable, Future[Any]]]
THREADS = 8
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Snapshot(registry_reader.Reader):
    """Reads each list once, and answers from it. What may not be listed is read one by one where that is allowed."""

    def __init__(self, cluster: client.Cluster, capabilities: kinds.Capabilities, namespace: str, known: Answers | None = None) -> None:
        super().__init__(cluster, capabilities, namespace)
        self._known = known or (threading.Lock(), time.monotonic(), {})
        self._lock, self._made, self._answers = self._known

    @property
    def fresh(self) -> registry_reader.Reader:
        """One that answers with what is there now."""
        return registry_reader.Reader(self.cluster, self.capabilities, self.namespace)

    @property
    def age(self) -> float:
        """How many seconds ago it was made."""
        return time.monotonic() - self._made

    @property
    def renewed(self) -> Snapshot:
        """The same of this moment."""
        return Snapshot(self.cluster, self.capabilities, self.namespace)

    def until(self, deadline: float) -> Snapshot:
        """The same of this moment, for the looks of a wait."""
        return Snapshot(self.cluster.until(deadline), self.capabilities, self.namespace)

    def survey(self) -> Survey:
        """The same lists, for reading."""
        return Survey(self.cluster, self.capabilities, self.namespace, {}, self._known)

    def load(self, further: Iterable[Callable[[], object]] = ()) -> None:
        """Read everything that every plan needs, and further lists, at the same time. Errors are kept for those who ask."""
        held = [partial(self._listed, api, self.namespace) for api in (kinds.SECRETS, kinds.CONFIG_MAPS, kinds.DEPLOYMENTS)]
        self.load_all([self._role_bindings, self._registries, *held, partial(self._listed, kinds.USER_GROUPS), *further])

    def load_all(self, loads: Iterable[Callable[[], object]]) -> None:
        """Read several lists at the same time. Errors are kept for those who ask."""
        with ThreadPoolExecutor(THREADS) as pool:
            for load in loads:
                pool.submit(load)

    def registry(self, name: str) -> manifests.Manifest | None:
        """The registry of this name."""
        return self._registries().get(name)

    def registries(self) -> list[manifests.Manifest]:
        """All registries of the namespace."""
        return list(self._registries().values())

    def users(self) -> Mapping[tuple[str, str], Collection[str]]:
        """The names of the registries that refer to each ConfigMap and Secret, by its kind and name."""
        return self._once("users", lambda: custom_resource.users_of(self._registries().values()))

    def held(self, kind: str, name: str) -> manifests.Manifest | None:
        """A ConfigMap or Secret with its data."""
        return self._one(kinds.APIS[kind], self.namespace, name, partial(super().held, kind, name))

    def service(self, name: str, namespace: str = "") -> manifests.Manifest | None:
        """A Service."""
        return self._listed(kinds.SERVICES, namespace or self.namespace).get(name)

    def named(self, kind: str, prefix: str) -> list[manifests.Manifest]:
        """The ConfigMaps or Secrets whose name begins like this."""
        listed = partial(self._listed, kinds.APIS[kind], self.namespace)
        begins = self._once(("beginnings", kind), lambda: _grouped(listed().values(), lambda held: _beginning_of(manifests.name_of(held))))
        return [found for found in begins.get(_beginning_of(prefix), ()) if found["metadata"]["name"].startswith(prefix)]

    def deployment(self, name: str) -> manifests.Manifest | None:
        """A Deployment."""
        return self._one(kinds.DEPLOYMENTS, self.namespace, name, partial(super().deployment, name))

    def route(self, name: str) -> manifests.Manifest | None:
        """A Route. That of a registry which has just been created may be newer than the list."""
        return visibility.if_allowed(lambda: self._listed(kinds.ROUTES, self.namespace).get(name), lambda: None) or super().route(name)

    def pods(self, registry: str) -> tuple[manifests.Manifest, ...]:
        """The pods of a registry's server."""
        return tuple(pod for pod in self._pods().get(registry, ()) if not server_pods.is_database_pod(pod, registry))

    def role_bindings(self, roles: Collection[str]) -> list[manifests.Manifest]:
        """The RoleBindings to Roles of these names."""
        bindings = self._role_bindings()
        return [binding for role in roles for binding in bindings.get(role, ())]

    def group(self, name: str, listed: bool = False) -> manifests.Manifest | None:
        """A Group of OpenShift's; with `listed` not one by one where the account may not list them."""
        if not self.serves(kinds.USER_GROUPS):
            return None
        return self._listed(kinds.USER_GROUPS).get(name) if listed else self._one(kinds.USER_GROUPS, "", name, partial(super().group, name))

    def ingress_domains(self) -> list[str]:
        """The domains of the cluster's own ingress."""
        return self._once("ingress", super().ingress_domains)

    def everywhere(self, api: tuple[str, str]) -> list[manifests.Manifest]:
        """All objects of a kind that is in no namespace."""
        return list(self._listed(api).values())

    def names(self, api: tuple[str, str], namespace: str = "", name: str = "") -> list[manifests.Manifest]:
        """All objects of a kind in a namespace, or in the whole cluster, without their content; with a name only that one, which is read by itself."""
        read = super().names
        if name:
            return read(api, namespace, name)

        def listed(where: str) -> list[manifests.Manifest]:
            return self._once(("names", api, where), partial(read, api, where))

        if namespace in ("", self.namespace):
            return listed(namespace)
        # Of other namespaces there are as many as people list: they are read together.
        return visibility.if_allowed(
            lambda: self._once(("names by namespace", api), lambda: _grouped(listed(""), _namespace)).get(namespace, []), lambda: listed(namespace)
        )

    def serves(self, api: tuple[str, str]) -> bool:
        """Whether the cluster knows this kind of object. What was listed it knows."""
        if api == kinds.USER_GROUPS and visibility.seen(lambda: [self._listed(api)], []):
            return True
        return self._once(("api", api), partial(super().serves, api))

    def missing_rights(self, namespace: str, rights: Iterable[client.Right]) -> list[client.Right]:
        """Those of the rights that this account does not have; without a namespace, in the whole cluster."""
        ask = super().missing_rights
        return [missing for right in dict.fromkeys(rights) for missing in self._once((namespace, right), partial(ask, namespace, [right]))]

    def _registries(self) -> Objects:
        return self._listed(self.capabilities.api, self.namespace)

    def _pods(self) -> dict[str, list[manifests.Manifest]]:
        listed = partial(self._listed, kinds.PODS, self.namespace, labelSelector=server_pods.POD_LABELS)
        return self._once("pods", lambda: _grouped(listed().values(), lambda pod: str(manifests.at(pod, ("metadata", "labels", "app")))))

    def _role_bindings(self) -> dict[str, list[manifests.Manifest]]:
        return self._once("bindings", lambda: _grouped(self._listed(kinds.ROLE_BINDINGS, self.namespace).values(), _role))

    def _listed(self, api: tuple[str, str], where: str = "", **query: str) -> Objects:
        """A list, by name, with what plans look at."""
        trim = KEPT.get(api, _trimmed)
        return self._once(("list", api, where), lambda: {manifests.name_of(found): found for found in self.cluster.items(api, where, trim, **query)})

    def _one(self, api: tuple[str, str], where: str, name: str, read: Callable[[], manifests.Manifest | None]) -> manifests.Manifest | None:
        """One of a list; read one by one where the account may not list."""
        return visibility.if_allowed(lambda: self._listed(api, where).get(name), lambda: self._once((api, where, name), read))

    def _once(self, what: Hashable, load: Callable[[], T]) -> T:
        """What `load` returned, or raised, the first time that this was asked for, by whichever thread."""
        with self._lock:
            known = self._answers.get(what)
            answer: Future[T] = known or Future()
            self._answers[what] = answer
        if known is None:
            try:
                answer.set_result(load())
            except Exception as error:
                answer.set_exception(error)
        return answer.result()


def _grouped(objects: Iterable[manifests.Manifest], key: Callable[[manifests.Manifest], str]) -> dict[str, list[manifests.Manifest]]:
    groups: dict[str, list[manifests.Manifest]] = {}
    for found in objects:
        groups.setdefault(key(found), []).append(found)
    return groups


def _namespace(manifest: manifests.Manifest) -> str:
    return str(manifest["metadata"].get("namespace", ""))


def _role(binding: manifests.Manifest) -> str:
    # A ClusterRole is none of a registry's Roles, whatever it is called.
    return binding["roleRef"]["name"] if binding["roleRef"]["kind"] == "Role" else ""


def _beginning_of(name: str) -> str:
    # The names that are looked for are those of registries with `-db-` and more behind.
    return name.partition("-db-")[0]


class Survey(Snapshot):
    """A snapshot for reading: lists only, so that the number of requests is the same for one registry and a thousand, and those of all other Roles."""

    def __init__(
        self, cluster: client.Cluster, capabilities: kinds.Capabilities, namespace: str, selection: Mapping[str, str], known: Answers | None = None
    ) -> None:
        super().__init__(cluster, capabilities, namespace, known)
        # For plans, ConfigMaps and Secrets are listed with their data anyway.
        self._selection, self._has_content = selection, known is not None

    def source(self, kind: str, name: str) -> manifests.Manifest | None:
        """A ConfigMap or Secret without its data: when it was changed."""
        if self._has_content:
            return self._listed(kinds.APIS[kind], self.namespace).get(name)
        return self._once(("sources", kind), lambda: {manifests.name_of(found): found for found in self.names(kinds.APIS[kind], self.namespace)}).get(name)

    def group(self, name: str, listed: bool = False) -> manifests.Manifest | None:
        """A Group of OpenShift's."""
        return self._listed(kinds.USER_GROUPS).get(name)

    def other_bindings(self, own_roles: Iterable[str]) -> list[manifests.Manifest]:
        """The RoleBindings of the namespace to other Roles than these, and to ClusterRoles."""
        own = frozenset(own_roles)
        return [binding for role, bindings in self._role_bindings().items() if role not in own for binding in bindings]

    def roles(self) -> list[manifests.Manifest]:
        """The Roles of the namespace."""
        return list(self._listed(kinds.ROLES, self.namespace).values())

    def route(self, name: str) -> manifests.Manifest | None:
        """A Route."""
        return self._listed(kinds.ROUTES, self.namespace).get(name)

    def _registries(self) -> Objects:
        return self._listed(self.capabilities.api, self.namespace, **self._selection)

    def _one(self, api: tuple[str, str], where: str, name: str, _read: Callable[[], manifests.Manifest | None]) -> manifests.Manifest | None:
        return self._listed(api, where).get(name)


def _trimmed(manifest: manifests.Manifest) -> manifests.Manifest:
    """A manifest without its history and without the copy of itself that `kubectl apply` leaves."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    annotations = metadata.get("annotations") or {}
    if LAST_APPLIED in annotations:
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != LAST_APPLIED}
    return {**manifest, "metadata": metadata}


def _with_history(keep: Callable[[manifests.Manifest], manifests.Manifest], manifest: manifests.Manifest) -> manifests.Manifest:
    """A manifest, of its history only who wrote these fields and when."""
    entries = manifest["metadata"].get("managedFields") or []
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": [{**entry, "fieldsV1": keep(entry.get("fieldsV1") or {})} for entry in entries]}}


def _parts(*names: str) -> Callable[[manifests.Manifest], manifests.Manifest]:
    return lambda fields: {name: value for name, value in fields.items() if name in names}


def _template(fields: manifests.Manifest) -> manifests.Manifest:
    """What tells who changed the pod template of a Deployment, and its annotations."""
    changed = manifests.at(fields, restarts.POD_TEMPLATE)
    return {} if changed is None else manifests.nested(restarts.POD_TEMPLATE, {key: value for key, value in changed.items() if key == "f:metadata"})


def _registry(registry: manifests.Manifest) -> manifests.Manifest:
    history = _with_history(_parts("f:metadata", "f:spec"), registry)["metadata"]["managedFields"]
    return manifests.merged(_trimmed(registry), {"metadata": {"managedFields": [entry for entry in history if entry["fieldsV1"]]}})


def _pod(pod: manifests.Manifest) -> manifests.Manifest:
    names = [{"name": container["name"], "image": container.get("image")} for container in pod["spec"]["containers"]]
    return {"metadata": _trimmed(pod)["metadata"], "spec": {"containers": names}, "status": pod.get("status") or {}}


# What plans look at, and as much of the history as tells who wrote that and when. The rest of a thousand objects of each kind would fill the memory.
KEPT: dict[tuple[str, str], client.Trim] = {
    **dict.fromkeys(kinds.REGISTRIES, _registry),
    **dict.fromkeys(kinds.APIS.values(), partial(_with_history, _parts(*marks.DATA_FIELDS))),
    **dict.fromkeys((kinds.ROLE_BINDINGS, kinds.CLUSTER_ROLE_BINDINGS), partial(_with_history, _parts())),
    **dict.fromkeys((kinds.ROLES, kinds.CLUSTER_ROLES), lambda role: {"metadata": {"name": manifests.name_of(role)}, "rules": role.get("rules")}),
    kinds.USER_GROUPS: partial(_with_history, _parts("f:users")),
    kinds.DEPLOYMENTS: partial(_with_history, _template),
    kinds.PODS: _pod,
}
