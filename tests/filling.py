"""Whole fleets of registries: as the list that the module takes, as the objects that belong to them, and on a sandbox."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox import databases
from sandbox.kube import Api, Object, path
from sandbox.layout import DATABASE_NAMESPACE, REGISTRIES_NAMESPACE, Layout
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster

GRANTS = 10
CA = {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"}
SECRETS = ("v1", "secrets")
AT_THE_SAME_TIME = 64


@dataclass(frozen=True)
class Fleet:
    """So many registries, called prefix-0001 and so on, each with a MySQL database of its own and ten grants. Equal fleets have equal registries."""

    count: int
    prefix: str = "fleet"
    first: int = 1

    @property
    def names(self) -> list[str]:
        return [f"{self.prefix}-{number:04}" for number in range(self.first, self.first + self.count)]

    def wanted(self) -> list[dict[str, Any]]:
        """The fleet as `model_registries` takes it."""
        return [
            {
                "name": name,
                "display_name": _display_name(name),
                "description": _description(name),
                "database": {
                    "type": "mysql",
                    "host": databases.SERVICES["mysql"],
                    "namespace": DATABASE_NAMESPACE,
                    "name": _database(name),
                    "username": databases.REGISTRY.name,
                    "password": databases.REGISTRY.password,
                    "ca": {"source": "cluster"},
                },
                "permissions": _permissions(name),
            }
            for name in self.names
        ]


def manifests(name: str) -> list[Object]:
    """A registry of a fleet as the objects that are written for it: its Secret, itself, and its RoleBindings, which lack its uid (see `owned`)."""
    return [_secret(name), _registry(name), *(_binding(name, number, subject) for number, subject in enumerate(_subjects(name)))]


def create_databases(layout: Layout, fleet: Fleet) -> None:
    """Make the databases of a fleet."""
    databases.create_databases(layout, "mysql", map(_database, fleet.names))


def drop_databases(layout: Layout, fleet: Fleet) -> None:
    """Remove the databases of a fleet."""
    for name in fleet.names:
        databases.drop_database(layout, "mysql", _database(name))


def fill(cluster: Cluster, fleet: Fleet) -> None:
    """Make all objects of a fleet as fast as the API server takes them; its databases have to exist. It does not wait until anything serves."""

    async def make(api: Api) -> None:
        async def one(name: str) -> None:
            secret, registry, *bindings = manifests(name)
            # The dashboard's server gives no name to the API server.
            await api.create(path(*SECRETS, REGISTRIES_NAMESPACE), secret, fieldManager="unknown")
            uid = (await api.create(path(*REGISTRIES, REGISTRIES_NAMESPACE), registry))["metadata"]["uid"]
            for binding in bindings:
                await api.create(path(*ROLE_BINDINGS, REGISTRIES_NAMESPACE), owned(binding, uid))

        await _together(one(name) for name in fleet.names)

    cluster.call(make)


def clear(cluster: Cluster, fleet: Fleet) -> None:
    """Delete a fleet's registries and what would stay of them, and wait until they are gone. Its databases stay."""
    names = set(fleet.names)

    async def remove(api: Api) -> None:
        secrets = [secret for secret in await _items(api, SECRETS) if secret["metadata"].get("generateName", "").removesuffix("-db-") in names]
        bindings = [binding for binding in await _items(api, ROLE_BINDINGS) if _label(binding) in names and "ownerReferences" not in binding["metadata"]]
        await _together(api.delete(path(*REGISTRIES, REGISTRIES_NAMESPACE, name)) for name in fleet.names)
        for kind, found in ((SECRETS, secrets), (ROLE_BINDINGS, bindings)):
            await _together(api.delete(path(*kind, REGISTRIES_NAMESPACE, item["metadata"]["name"])) for item in found)
        while names & {registry["metadata"]["name"] for registry in await _items(api, REGISTRIES)}:
            await asyncio.sleep(0.5)
        # The operator forgets these.
        await _together(api.delete(path(f"{RBAC}/v1", "clusterrolebindings", None, f"{name}-auth-delegator")) for name in fleet.names)

    cluster.call(remove)


def available(cluster: Cluster, fleet: Fleet) -> set[str]:
    """The names of a fleet's registries that are available."""
    return {registry["metadata"]["name"] for registry in cluster.items(*REGISTRIES) if is_available(registry)} & set(fleet.names)


def is_available(registry: Object) -> bool:
    """Whether the operator says that a registry is."""
    return any(condition["type"] == "Available" and condition["status"] == "True" for condition in registry.get("status", {}).get("conditions") or [])


def owned(binding: Object, uid: str) -> Object:
    """A RoleBinding that goes when its registry goes, which has this uid."""
    [owner] = binding["metadata"]["ownerReferences"]
    return binding | {"metadata": binding["metadata"] | {"ownerReferences": [owner | {"uid": uid}]}}


async def _items(api: Api, kind: tuple[str, str]) -> list[Object]:
    listed: list[Object] = (await api.get(path(*kind, REGISTRIES_NAMESPACE)))["items"]
    return listed


def _label(binding: Object) -> str:
    return str((binding["metadata"].get("labels") or {}).get("app.kubernetes.io/name", ""))


async def _together(work: Iterable[Awaitable[Any]]) -> None:
    turn = asyncio.Semaphore(AT_THE_SAME_TIME)

    async def one(part: Awaitable[Any]) -> None:
        async with turn:
            await part

    await asyncio.gather(*map(one, work))


def _display_name(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _description(name: str) -> str:
    return f"Models of the team {name}"


def _database(name: str) -> str:
    return name.replace("-", "_")


def _permissions(name: str) -> dict[str, Any]:
    return {
        "groups": [f"{name}-{role}" for role in ("scientists", "engineers", "reviewers", "auditors")],
        "users": [f"{name}-{person}" for person in ("owner", "deputy", "guest")],
        "projects": [f"{name}-{stage}" for stage in ("development", "production")],
        "service_accounts": [{"namespace": f"{name}-ci", "name": "pipeline"}],
    }


def _subjects(name: str) -> list[Object]:
    granted = _permissions(name)
    accounts = [{"kind": "ServiceAccount", **account} for account in granted["service_accounts"]]
    groups = [*granted["groups"], *(f"system:serviceaccounts:{project}" for project in granted["projects"])]
    named = [*(("Group", group) for group in groups), *(("User", user) for user in granted["users"])]
    return [*({"apiGroup": RBAC, "kind": kind, "name": who} for kind, who in named), *accounts]


def _secret(name: str) -> Object:
    values = {"database-name": _database(name), "database-user": databases.REGISTRY.name, "database-password": databases.REGISTRY.password}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": _secret_name(name),
            "generateName": f"{name}-db-",
            "namespace": REGISTRIES_NAMESPACE,
            "annotations": {
                "template.openshift.io/expose-database_name": "{.data['database-name']}",
                "template.openshift.io/expose-username": "{.data['database-user']}",
                "template.openshift.io/expose-password": "{.data['database-password']}",
            },
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def _secret_name(name: str) -> str:
    return f"{name}-db-fleet"


def _registry(name: str) -> Object:
    return {
        "apiVersion": REGISTRIES[0],
        "kind": "ModelRegistry",
        "metadata": {
            "name": name,
            "namespace": REGISTRIES_NAMESPACE,
            "annotations": {"openshift.io/display-name": _display_name(name), "openshift.io/description": _description(name)},
        },
        "spec": {
            "kubeRBACProxy": {},
            "grpc": {},
            "rest": {},
            "mysql": {
                "host": f"{databases.SERVICES['mysql']}.{DATABASE_NAMESPACE}.svc.cluster.local",
                "port": databases.MYSQL_PORT,
                "database": _database(name),
                "username": databases.REGISTRY.name,
                "skipDBCreation": False,
                "passwordSecret": {"name": _secret_name(name), "key": "database-password"},
                "sslRootCertificateConfigMap": CA,
                "verifyServerCert": True,
            },
        },
    }


def _binding(name: str, number: int, subject: Object) -> Object:
    is_project = subject["name"].startswith("system:serviceaccounts:")
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {
            "name": f"dashboard-permissions-{name}-{number}",
            "namespace": REGISTRIES_NAMESPACE,
            "labels": {
                "opendatahub.io/dashboard": "true",
                "app": name,
                "app.kubernetes.io/component": "model-registry",
                "app.kubernetes.io/part-of": "model-registry",
                "app.kubernetes.io/name": name,
                "component": "model-registry",
                **({"opendatahub.io/rb-project-subject": "true"} if is_project else {}),
            },
            "ownerReferences": [{"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "name": name, "uid": "", "blockOwnerDeletion": False}],
        },
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": f"registry-user-{name}"},
        "subjects": [subject],
    }
