# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What plans read of a cluster, in the words of registries: each thing when it is asked for, and as it is then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import FORBIDDEN, Cluster, ClusterError, Right
from ansible_collections.modelops.openshift_ai.plugins.module_utils._manifests import Manifest
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import (
    APIS,
    DEPLOYMENTS,
    ROLE_BINDINGS,
    SERVICES,
    USER_GROUPS,
    Capabilities,
    Live,
    needed_objects,
    needs_password_secrets,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._readiness import POD_LABELS, is_database_pod
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import LEADING_DIGIT, Registry

PODS = ("v1", "pods")


class Reader:
    """Reads one cluster and its registries namespace. ClusterError from every method when a request is refused or not answered."""

    def __init__(self, cluster: Cluster, capabilities: Capabilities, namespace: str) -> None:
        self.cluster, self.capabilities, self.namespace = cluster, capabilities, namespace

    @property
    def fresh(self) -> Reader:
        """One that answers with what is there now."""
        return self

    def registry(self, name: str) -> Manifest | None:
        """The registry of this name."""
        return self.cluster.read(self.capabilities.api, self.namespace, name)

    def registries(self) -> list[Manifest]:
        """All registries of the namespace."""
        return self.cluster.items(self.capabilities.api, self.namespace)

    def users(self) -> Mapping[tuple[str, str], Collection[str]]:
        """The names of the registries that refer to each ConfigMap and Secret, by its kind and name."""
        return users_of(self.registries())

    def held(self, kind: str, name: str) -> Manifest | None:
        """A ConfigMap or Secret with its data."""
        return self.cluster.read(APIS[kind], self.namespace, name)

    def service(self, name: str) -> Manifest | None:
        """A Service. It is listed, because the right to get Services is the right to use registries."""
        return next(iter(self.cluster.items(SERVICES, self.namespace, fieldSelector=f"metadata.name={name}")), None)

    def named(self, kind: str, prefix: str) -> list[Manifest]:
        """The ConfigMaps or Secrets whose name begins like this, without their data."""
        return [found for found in self.cluster.metadata(APIS[kind], self.namespace) if found["metadata"]["name"].startswith(prefix)]

    def deployment(self, name: str) -> Manifest | None:
        """A Deployment."""
        return self.cluster.read(DEPLOYMENTS, self.namespace, name)

    def pods(self, registry: str) -> tuple[Manifest, ...]:
        """The pods of a registry's server."""
        labelled = self.cluster.items(PODS, self.namespace, labelSelector=f"app={registry},{POD_LABELS}")
        return tuple(pod for pod in labelled if not is_database_pod(pod, registry))

    def role_bindings(self, _roles: Collection[str]) -> list[Manifest]:
        """The RoleBindings of the namespace, at least those to Roles of these names."""
        return self.cluster.items(ROLE_BINDINGS, self.namespace)

    def group(self, name: str) -> Manifest | None:
        """A Group of OpenShift's."""
        return self.cluster.read(USER_GROUPS, "", name)

    def everywhere(self, api: tuple[str, str]) -> list[Manifest]:
        """All objects of a kind in the whole cluster."""
        return self.cluster.items(api, "")

    def names(self, api: tuple[str, str], namespace: str = "") -> list[Manifest]:
        """All objects of a kind in a namespace, or in the whole cluster, without their content."""
        return self.cluster.metadata(api, namespace)

    def serves(self, api: tuple[str, str]) -> bool:
        """Whether the cluster knows this kind of object."""
        return self.cluster.serves(*api)

    def missing_rights(self, namespace: str, rights: Iterable[Right]) -> list[Right]:
        """Those of the rights that this account does not have; without a namespace, in the whole cluster."""
        return self.cluster.missing_rights(namespace, rights)


def users_of(registries: Iterable[Manifest]) -> dict[tuple[str, str], list[str]]:
    """The names of the registries that refer to each ConfigMap and Secret, by its kind and name."""
    found: dict[tuple[str, str], list[str]] = {}
    for registry in registries:
        for named in manifests.named_objects(registry):
            found.setdefault(named, []).append(registry["metadata"]["name"])
    return found


def read_live(reader: Reader, wanted: Registry) -> Live:
    """What a plan for one registry depends on."""
    registry = reader.registry(wanted.name)
    unseen: list[str] = []
    objects = {(kind, name): _object(reader, kind, name, unseen) for kind, name in needed_objects(wanted, registry, reader.capabilities)}
    password_secrets: tuple[Manifest, ...] = ()
    used: frozenset[str] = frozenset()
    if needs_password_secrets(wanted, registry):
        password_secrets = tuple(password_secrets_of(reader, wanted.name, unseen))
        if password_secrets:
            users = reader.users()
            named = [secret["metadata"]["name"] for secret in password_secrets]
            used = frozenset(name for name in named if any(user != wanted.name for user in users.get(("Secret", name), ())))
    server = reader.cluster.server_version() if registry is None and wanted.name[:1].isdigit() else LEADING_DIGIT
    deployment = None if registry is None else reader.deployment(wanted.name)
    pods = () if registry is None else reader.pods(wanted.name)
    return Live(reader.capabilities, registry, objects, password_secrets, used, deployment, pods, tuple(unseen), server)


def _object(reader: Reader, kind: str, name: str, unseen: list[str]) -> Manifest | None:
    if kind != "Service":
        return reader.held(kind, name)
    try:
        return reader.service(name)
    except ClusterError as error:
        if error.status != FORBIDDEN:
            raise
        unseen.append(f"whether database.host {name!r} is a Service of namespace {reader.namespace!r} could not be seen: {error}")
        return {}


def password_secrets_of(reader: Reader, registry: str, unseen: list[str]) -> list[Manifest]:
    """The Secrets that are named like a registry's password, without their data. `unseen` is added to where the account may not list Secrets."""
    try:
        return reader.named("Secret", manifests.password_prefix(registry))
    except ClusterError as error:
        if error.status != FORBIDDEN:
            raise
        unseen.append(f"Secrets that were left behind for the password of registry {registry!r} could not be looked for: {error}")
        return []
