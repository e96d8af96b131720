# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What plans read of a cluster, in the words of registries: each thing when it is asked for, and as it is then."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from .. import _errors, _texts
from .._model import credentials, custom_resource, desired_state, hosts, kinds, live_state, manifests, naming, ownership, server_pods
from .._plan import dependencies, registry_plan
from . import client, visibility

T = TypeVar("T")
LABEL_VALUE = re.compile("[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


class Reader:
    """Reads one cluster and its registries namespace. ClusterError from every method when a request is refused or not answered."""

    def __init__(self, cluster: client.Cluster, capabilities: kinds.Capabilities, namespace: str) -> None:
        self.cluster, self.capabilities, self.namespace = cluster, capabilities, namespace

    @property
    def fresh(self) -> Reader:
        """One that answers with what is there now."""
        return self

    def until(self, deadline: float) -> Reader:
        """One that answers with what is there now, for the looks of a wait: its requests end soon after the deadline."""
        return Reader(self.cluster.until(deadline), self.capabilities, self.namespace)

    def registry(self, name: str) -> manifests.Manifest | None:
        """The registry of this name."""
        return self.cluster.read(self.capabilities.api, self.namespace, name)

    def registries(self) -> list[manifests.Manifest]:
        """All registries of the namespace."""
        return self.cluster.items(self.capabilities.api, self.namespace)

    def users(self) -> Mapping[tuple[str, str], Collection[str]]:
        """The names of the registries that refer to each ConfigMap and Secret, by its kind and name."""
        return custom_resource.users_of(self.registries())

    def held(self, kind: str, name: str) -> manifests.Manifest | None:
        """A ConfigMap or Secret with its data."""
        return self.cluster.read(kinds.APIS[kind], self.namespace, name)

    def service(self, name: str, namespace: str = "") -> manifests.Manifest | None:
        """A Service. It is listed, because the right to get Services is the right to use registries."""
        return next(iter(self.cluster.items(kinds.SERVICES, namespace or self.namespace, fieldSelector=f"metadata.name={name}")), None)

    def named(self, kind: str, prefix: str) -> list[manifests.Manifest]:
        """The ConfigMaps or Secrets whose name begins like this, without their data."""
        return [found for found in self.cluster.metadata(kinds.APIS[kind], self.namespace) if found["metadata"]["name"].startswith(prefix)]

    def deployment(self, name: str) -> manifests.Manifest | None:
        """A Deployment."""
        return self.cluster.read(kinds.DEPLOYMENTS, self.namespace, name)

    def route(self, name: str) -> manifests.Manifest | None:
        """A Route."""
        return self.cluster.read(kinds.ROUTES, self.namespace, name)

    def pods(self, registry: str) -> tuple[manifests.Manifest, ...]:
        """The pods of a registry's server."""
        selector = f"app={registry},{server_pods.POD_LABELS}"
        found = labelled(registry, lambda: self.cluster.items(kinds.PODS, self.namespace, labelSelector=selector))
        return tuple(pod for pod in found if not server_pods.is_database_pod(pod, registry))

    def role_bindings(self, _roles: Collection[str]) -> list[manifests.Manifest]:
        """The RoleBindings of the namespace, at least those to Roles of these names."""
        return self.cluster.items(kinds.ROLE_BINDINGS, self.namespace)

    def group(self, name: str, listed: bool = False) -> manifests.Manifest | None:
        """A Group of OpenShift's; with `listed` only as far as a list of all of them shows it, where many are asked for."""
        return self.cluster.read(kinds.USER_GROUPS, "", name)

    def ingress_domains(self) -> list[str]:
        """The domains of the cluster's own ingress; none where it has no such configuration."""
        return ingress_domains(self.cluster)

    def everywhere(self, api: tuple[str, str]) -> list[manifests.Manifest]:
        """All objects of a kind in the whole cluster."""
        return self.cluster.items(api, "")

    def names(self, api: tuple[str, str], namespace: str = "", name: str = "") -> list[manifests.Manifest]:
        """All objects of a kind in a namespace, or in the whole cluster, without their content. Who may list and not get them reads one by its name too."""
        return self.cluster.metadata(api, namespace, **({"fieldSelector": f"metadata.name={name}"} if name else {}))

    def serves(self, api: tuple[str, str]) -> bool:
        """Whether the cluster knows this kind of object."""
        return self.cluster.serves(*api)

    def missing_rights(self, namespace: str, rights: Iterable[client.Right]) -> list[client.Right]:
        """Those of the rights that this account does not have; without a namespace, in the whole cluster."""
        return self.cluster.missing_rights(namespace, rights)


def ingress_domains(cluster: client.Cluster) -> list[str]:
    """The domains of the cluster's own ingress; none where it has no such configuration."""
    spec: manifests.Manifest = manifests.at(cluster.read(kinds.INGRESSES, "", "cluster"), ("spec",)) or {}
    return [spec[key] for key in ("domain", "appsDomain") if spec.get(key)]


def can_be_label(value: str) -> bool:
    """Whether an object can have a label with this value: the API server refuses others, also in a selector. Names of registries may be longer."""
    return LABEL_VALUE.fullmatch(value) is not None


def labelled(value: str, read: Callable[[], list[manifests.Manifest]]) -> list[manifests.Manifest]:
    """The objects that `read` finds by a label with this value; none, without a request, where no object can have it."""
    return read() if can_be_label(value) else []


def need_namespace(cluster: client.Cluster, namespace: str, unseen: Callable[[str], object] = lambda _why: None) -> None:
    """Where nothing of a registry was found: InputError when the reason is the namespace, which does not exist or is not where registries are kept.

    A list in a namespace that does not exist is an empty one, so that nothing else tells. `unseen` is told when that cannot be determined.
    """
    if namespace in cluster.checked_namespaces:
        return
    kept = visibility.seen(cluster.registries_namespace, None)
    if kept == namespace:
        return
    what = f"whether the namespace {namespace!r} exists"
    found = visibility.seen(lambda: [cluster.read(kinds.NAMESPACES, "", namespace)], None, unseen if kept is None else lambda _why: None, what)
    remedy = f"Set it to {kept}, or omit it" if kept else "Set it to the registries namespace"
    problem = "does not exist" if found == [None] else "is not the registries namespace of the operator" if kept else ""
    if problem:
        raise _errors.InputError([_errors.Problem("namespace", problem, remedy, namespace)])
    cluster.checked_namespaces.add(namespace)


def objects(reader: Reader, what: str, api: tuple[str, str], unseen: list[str]) -> list[manifests.Manifest] | None:
    """All objects of a kind in the whole cluster, for advice alone; None where there is no such kind, or it may not be read, which `unseen` is told."""
    return advice(reader, what, api, lambda: reader.everywhere(api), unseen.append)


def advice(reader: Reader, what: str, api: tuple[str, str], read: Callable[[], T], unseen: Callable[[str], object]) -> T | None:
    """What is read of an API, for advice alone; None where there is no such kind, or it may not be read, which `unseen` is told."""
    return visibility.seen(read, None, unseen, what, served=lambda: "/" not in api[0] or reader.serves(api))


def names_of(read: Callable[[], Iterable[manifests.Manifest]]) -> frozenset[str]:
    """The names of what is read, for advice alone: none where it may not be read."""
    return frozenset(map(manifests.name_of, visibility.seen(read, ())))


def upload_place(reader: Reader, registry: str, pem: str, adds: bool = False) -> desired_state.KeyReference:
    """The ConfigMap that certificates which are uploaded for a registry belong into."""
    # Imported here: the library that reads certificates takes 45 ms to load, and most runs are given none.
    from .._plan import bundle_place

    def is_right(text: str) -> bool:
        return bundle_place.holds(text, bundle_place.after(text, pem, adds))

    users = reader.users()
    return bundle_place.place_of_upload(
        registry,
        bundle_place.named_bundle(reader.registry(registry), "ConfigMap"),
        lambda name: reader.held("ConfigMap", name),
        lambda name: users.get(("ConfigMap", name), ()),
        is_right,
        # To an upload that no registry reads yet others can be added.
        lambda text: adds or is_right(text),
    )


def with_upload_place(reader: Reader, wanted: desired_state.Registry) -> desired_state.Registry:
    """The wanted registry, with the certificates that its options hold given the ConfigMap that they belong into."""
    database = wanted.database
    if database is None or database.ca is None or database.ca.pem is None:
        return wanted
    reference = upload_place(reader, wanted.name, database.ca.pem)
    return replace(wanted, database=replace(database, ca=replace(database.ca, reference=reference)))


def read_live(reader: Reader, wanted: desired_state.Registry, foreseen: frozenset[tuple[str, str]] = frozenset()) -> live_state.Live:
    """What a plan for one registry depends on. `foreseen` are ConfigMaps and Secrets that the same run writes for others, by kind and name."""
    registry = reader.registry(wanted.name)
    if registry is None:
        need_namespace(reader.cluster, reader.namespace)
    unseen: list[str] = []
    objects = {(kind, name): _object(reader, kind, name, unseen) for kind, name in dependencies.needed_objects(wanted, registry, reader.capabilities)}
    password_secrets: tuple[manifests.Manifest, ...] = ()
    used: frozenset[str] = frozenset()
    if dependencies.needs_password_secrets(wanted, registry):
        password_secrets = tuple(password_secrets_of(reader, wanted.name, unseen))
        used = custom_resource.used_by_others(password_secrets, reader.users(), wanted.name) if password_secrets else used
    names = names_of(reader.registries) if registry is None and desired_state.creation_problems(wanted) else frozenset()
    server = None
    if registry is None and wanted.name[:1].isdigit():
        server = visibility.seen(reader.cluster.server_version, None, unseen.append, "the version of Kubernetes")
    deployment = None if registry is None else reader.deployment(wanted.name)
    written = frozenset(objects.keys() & foreseen)
    generates = dependencies.generates_database(wanted, registry)
    neighbors = {name: reader.registry(name) for name in ownership.neighbors(wanted.name, generates)} if registry is None or generates else {}
    live = live_state.Live(
        reader.capabilities,
        registry,
        objects,
        password_secrets,
        used,
        deployment,
        (),
        tuple(unseen),
        neighbors,
        written,
        server or naming.LEADING_DIGIT,
        names,
    )
    return replace(live, pods=reader.pods(wanted.name)) if registry_plan.needs_pods(wanted, live) else live


def _object(reader: Reader, kind: str, name: str, unseen: list[str]) -> manifests.Manifest | None:
    if kind in kinds.APIS:
        return reader.held(kind, name)
    if kind == "Deployment":
        return visibility.seen(lambda: reader.deployment(name), None, unseen.append, f"whether the operator would overwrite Deployment {name!r}")
    if kind == kinds.USER_GROUP:
        return own_group(reader, name, unseen.append, f"whether the operator would overwrite Group {name!r}")
    service, _dot, namespace = name.partition(".")
    what = f"whether database.host{_texts.repeated(service)} is a Service in namespace {reader.namespace!r}"
    # That an account may list Services elsewhere is not expected.
    return visibility.seen(lambda: reader.service(service, namespace), {}, lambda why: None if namespace else unseen.append(why), what)


def own_group(reader: Reader, name: str, unseen: Callable[[str], object] = lambda _why: None, what: str = "") -> manifests.Manifest | None:
    """A registry's own Group, for advice alone; None where there is none, the cluster has no groups, or it may not be read, which `unseen` is told."""
    return visibility.seen(lambda: reader.group(name), None, unseen, what, served=lambda: reader.serves(kinds.USER_GROUPS))


def missing_service(reader: Reader, registry: manifests.Manifest) -> str:
    """That the Service does not exist which the host of a registry's database is, as a sentence; empty where it does, or that cannot be seen."""
    host = custom_resource.live_database(registry).get("host")
    service = hosts.service_of(host, reader.namespace) if host else None
    if service is None or visibility.seen(lambda: [reader.service(service[1], service[0])], []) != [None]:
        return ""
    return f"Service {service[1]!r} does not exist in namespace {service[0]!r}. Correct database.host or database.namespace, or create the Service."


def password_secrets_of(reader: Reader, registry: str, unseen: list[str]) -> list[manifests.Manifest]:
    """The Secrets that are marked as a registry's password. `unseen` is added to where the account may not list Secrets."""
    prefix = credentials.password_prefix(registry)

    def marked() -> list[manifests.Manifest]:
        named = [secret["metadata"] for secret in reader.named("Secret", prefix)]
        # Whose they are depends on their keys, which a list of names does not have.
        return [held for metadata in named if metadata.get("generateName") == prefix and (held := reader.held("Secret", metadata["name"]))]

    return visibility.seen(marked, [], unseen.append, f"obsolete Secrets for the password of registry {registry!r}", advice=False)
