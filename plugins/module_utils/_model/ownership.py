# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose an object is, by evidence. Whatever changes or deletes an object that the run did not just create asks here."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .. import _options
from . import credentials, custom_resource, desired_state, kinds, manifests, previous

REGISTRY, DASHBOARD, OURS, PLATFORM, TOOL, UNKNOWN = "registry", "dashboard", "ours", "platform", "tool", "unknown"
WORDS = {
    REGISTRY: "part of a model registry",
    DASHBOARD: "created by the dashboard",
    OURS: "created by this collection",
    PLATFORM: "managed by the platform",
    TOOL: "managed by another tool",
    UNKNOWN: "not known to be created by the dashboard or this collection",
}
OPERATOR = "model-registry-operator"
CREATED_BY, MANAGED_BY, INSTANCE, NAME, PART = (f"app.kubernetes.io/{label}" for label in ("created-by", "managed-by", "instance", "name", "component"))
COMPONENT = "model-registry"
NAMESPACE_LABEL = "modelregistry.opendatahub.io/namespace"
# The model catalog, which the same operator makes in the same namespace, with a ClusterRoleBinding of the same shape.
CATALOG = "model-catalog"
PLATFORM_CONFIG_MAPS = (desired_state.TRUSTED_CA_CONFIG_MAP, "openshift-service-ca.crt", "kube-root-ca.crt")
# By the domain of their labels, annotations, and owners' APIs; a domain stands for those below it too.
PLATFORM_DOMAINS = ("config.openshift.io", "service.alpha.openshift.io", "service.beta.openshift.io", "platform.opendatahub.io")
TOOLS = {
    "argoproj.io": "Argo CD",
    "fluxcd.io": "Flux",
    "helm.sh": "Helm",
    "external-secrets.io": "External Secrets",
    "cert-manager.io": "cert-manager",
    "operators.coreos.com": "OLM",
    "operatorframework.io": "OLM",
    "secrets.hashicorp.com": "Vault Secrets Operator",
    "secrets-store.csi.k8s.io": "Secrets Store CSI Driver",
    "bitnami.com": "Sealed Secrets",
    "stakater.com": "Reloader",
    "emberstack.com": "Reflector",
    "mittwald.de": "Kubernetes Replicator",
    "appscode.com": "Config Syncer",
    "open-cluster-management.io": "Open Cluster Management",
    "cattle.io": "Rancher Fleet",
    "k14s.io": "kapp",
    "crossplane.io": "Crossplane",
    "config.k8s.io": "kpt",
    "redhat-cop.io": "Group Sync Operator",
}
# Where a name has no domain of its tool's.
TOOL_PREFIXES = {"olm.": "OLM", "openshift.io/ldap.": "LDAP group synchronization"}
# Field managers of controllers and of tools that apply what is stored elsewhere. People's clients, such as kubectl, are not among them.
NAMED_TOOLS = re.compile("argocd|flux|helm|external-?secrets|cert-manager|terraform|pulumi|crossplane|kapp", re.IGNORECASE)
CONTROLLERS = re.compile(rf"{NAMED_TOOLS.pattern}|^(olm|catalog|service-ca)$|(^|[-_./])(controller|operator|manager)($|[-_./])", re.IGNORECASE)
HELD = ("Secret", "ConfigMap")
# As managedFields name them; `stringData` is what a server-side apply owns that sends it.
DATA_FIELDS = frozenset({"f:data", "f:binaryData", "f:stringData"})
# How the API server notes a client that gives no name, as that of the dashboard's server does.
NAMELESS = "unknown"
# The dashboard's prefix for what it lists, and the labels that its plug-in pages give a password's Secret; neither keeps the data.
DASHBOARD_LABELS = ("opendatahub.io/", "modelregistry.opendatahub.io/managed", "modelregistry.opendatahub.io/name")
OUR_ANNOTATIONS = "openshift-ai.modelops/"
# Announces that a Secret or ConfigMap is about to be deleted: who has begun to rely on it takes the annotation away, and the deletion is refused.
LEAVING = f"{OUR_ANNOTATIONS}about-to-be-deleted"
# The only key of a Secret with the token of a source of the catalog.
TOKEN_KEY = "apiKey"
PASSWORD_KEYS = frozenset({"database-name", "database-user", credentials.PASSWORD_KEY})
# The key under which the dashboard stores an uploaded CA.
UPLOADED_KEY = "ca.crt"


@dataclass(frozen=True)
class Owner:
    """Whose an object is, and by which evidence."""

    whose: str
    evidence: str

    @property
    def is_ours(self) -> bool:
        """Whether the dashboard or this collection made it, so that the collection may change and delete it."""
        return self.whose in (DASHBOARD, OURS)

    @property
    def is_others(self) -> bool:
        """Whether it is known to be somebody else's, so that it must not be written although the user names it."""
        return self.whose in (REGISTRY, PLATFORM, TOOL)

    def __str__(self) -> str:
        return f"{WORDS[self.whose]} ({self.evidence})"


def owner_of(kind: str, manifest: manifests.Manifest, registry: str = "", readers: Iterable[str] = ()) -> Owner:
    """Whose an object is, as seen from a registry; without one nothing is the dashboard's or ours.

    `readers` are the current registries that read it, where it is to be deleted. A Secret or ConfigMap has to be there with its keys.
    """
    metadata = manifest["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    found = _by_owners(metadata) or _by_marks(kind, metadata, labels, annotations)
    if found is not None:
        return found
    if labels.get(CREATED_BY) == OPERATOR or labels.get(MANAGED_BY) == OPERATOR:
        is_its = labels.get("component") == COMPONENT and registry in ("", labels.get(NAME))
        if not is_its or kind != "RoleBinding" or metadata["name"] == f"{registry}-users":
            return Owner(REGISTRY if is_its else PLATFORM, f"labels of {OPERATOR} for {labels.get('component')} {labels.get(NAME)!r}")
    if kind in HELD and metadata.get("ownerReferences"):
        return Owner(REGISTRY, f"owner {kinds.KIND} {metadata['ownerReferences'][0]['name']!r}")
    controllers = [manager for manager in _managers(metadata, kind in HELD) if CONTROLLERS.search(manager)]
    if controllers:
        return Owner(TOOL, f"field manager {controllers[0]!r}")
    others = [reader for reader in readers if reader != registry]
    if others:
        return Owner(REGISTRY, f"registry {others[0]!r} also uses it")
    missing = _missing_evidence(kind, manifest, registry)
    if missing:
        return Owner(UNKNOWN, missing)
    is_ours = set(_managers(metadata)) == {kinds.FIELD_MANAGER}
    return Owner(OURS if is_ours else DASHBOARD, "its name, content, labels, annotations and field managers")


def owner_of_token(secret: manifests.Manifest) -> Owner:
    """Whose the Secret with the token of a source of the catalog is. It has a label that says so, and the page that writes it gives the API server a name."""
    metadata = secret["metadata"]
    labels = dict(metadata.get("labels") or {})
    part = labels.pop(PART, None)
    found = owner_of("Secret", {**secret, "metadata": {**metadata, "labels": labels}})
    if found.whose != UNKNOWN:
        return found
    if part != CATALOG:
        return Owner(UNKNOWN, f"it lacks the label {PART}={CATALOG}")
    if manifests.keys_of(secret) != [TOKEN_KEY]:
        return Owner(UNKNOWN, f"it has keys other than {TOKEN_KEY}")
    is_ours = set(_managers(metadata)) == {kinds.FIELD_MANAGER}
    return Owner(OURS if is_ours else DASHBOARD, "its label, content and field managers")


def is_leaving(manifest: manifests.Manifest) -> bool:
    """Whether a run has announced that it is about to delete this."""
    return LEAVING in (manifest["metadata"].get("annotations") or {})


def tool_of(manifest: manifests.Manifest) -> Owner | None:
    """Which tool or platform keeps an object that people write too, by its owners, labels and annotations; None for none of them."""
    metadata = manifest["metadata"]
    return _by_owners(metadata) or _by_marks(kinds.KIND, metadata, metadata.get("labels") or {}, metadata.get("annotations") or {})


def keeper_of(registry: manifests.Manifest) -> Owner | None:
    """As `tool_of`, of a registry: also by its field managers, as Terraform marks nothing else. Its operator is no tool, and neither are people's clients."""
    managers = [manager for manager in _managers(registry["metadata"]) if NAMED_TOOLS.search(manager)]
    return tool_of(registry) or (Owner(TOOL, f"field manager {managers[0]!r}") if managers else None)


def is_owned_by(manifest: manifests.Manifest | None, uid: str | None) -> bool:
    """Whether an object is deleted together with the registry of this uid, and not with one that was there before it."""
    return any(owner["uid"] == uid for owner in manifests.at(manifest, ("metadata", "ownerReferences")) or ())


def tool_warnings(registry: manifests.Manifest) -> list[str]:
    """That another tool manages a registry which is changed or deleted all the same, because a task names it."""
    owner = keeper_of(registry)
    return [f"registry {registry['metadata']['name']!r} is {owner}, which may undo this change: change it there too"] if owner else []


def auth_delegator(registry: str) -> str:
    """The name of the ClusterRoleBinding that the operator makes for a registry, and leaves behind."""
    return f"{registry}-auth-delegator"


def registry_of(binding: manifests.Manifest, namespace: str) -> str | None:
    """The registry of this namespace whose ClusterRoleBinding this is; None when it is no registry's.

    It has the operator's labels for a registry, and gives the registry's service account what the operator gives it, and nothing else.
    """
    metadata, subjects = binding["metadata"], binding.get("subjects") or []
    name = (metadata.get("labels") or {}).get(NAME)
    account = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    is_one = (
        name not in (None, CATALOG)
        and metadata["name"] == auth_delegator(name)
        and [{key: subject.get(key) for key in account} for subject in subjects] == [account]
        and manifests.at(binding, ("roleRef", "name")) == "system:auth-delegator"
        and metadata["labels"].get(NAMESPACE_LABEL, namespace) == namespace
        and owner_of("ClusterRoleBinding", binding, name).whose == REGISTRY
    )
    return name if is_one else None


def upload_prefix(registry: str) -> str:
    """How the names of the ConfigMaps begin that the dashboard and this collection make for uploaded CAs of a registry."""
    return f"{registry}-db-credential"


def is_upload(config_map: str, registry: str) -> bool:
    """Whether the dashboard gives this name to an uploaded CA of this registry, or of one whose name was not typed yet."""
    return re.fullmatch(rf"({re.escape(registry)}-)?db-credential(-[2-9]|-[1-9]\d+)?", config_map) is not None


def left_by(held: str, present: Iterable[str]) -> str:
    """The registry after which a Secret or ConfigMap is named as one that is made for it, where it is not among those present; empty for none."""
    maker = held.rpartition("-db-")[0]
    return "" if maker in present else maker


def is_password_secret(secret: manifests.Manifest) -> bool:
    """Whether a Secret has a mark of those that hold a registry's password, whoever made it."""
    metadata = secret["metadata"]
    marked = not credentials.SECRET_ANNOTATIONS.keys().isdisjoint(metadata.get("annotations") or {})
    return marked or str(metadata.get("generateName", "")).endswith("-db-") or credentials.PASSWORD_KEY in manifests.keys_of(secret)


def neighbors(registry: str, generates: bool) -> list[str]:
    """The names of other registries with which one of this name may share a Deployment and a Service, if it has a generated database."""
    host = custom_resource.GeneratedDatabase("").host
    return [*([registry[: -len(host)]] if registry.endswith(host) else []), *([registry + host] if generates else [])]


def name_conflict(registry: str, others: Mapping[str, manifests.Manifest | None], present: Iterable[tuple[str, manifests.Manifest]]) -> str | None:
    """What the operator would overwrite for a new registry or its generated database; None for nothing.

    `others` are its `neighbors`, `present` the objects that there are of the names that the operator will write, each after its kind.
    """
    if registry in (CATALOG, custom_resource.GeneratedDatabase(CATALOG).host):
        return "objects of the model catalog with this name"
    for name, other in others.items():
        if other is not None and (name > registry or custom_resource.live_type(other) == _options.GENERATED):
            return f"the generated database of registry {min(name, registry)!r} and the server of registry {max(name, registry)!r} with each other"
    return next(filter(None, (foreign(kind, manifest, registry) for kind, manifest in present)), None)


def foreign(kind: str, manifest: manifests.Manifest, registry: str) -> str | None:
    """What an object is that has the name of one that the operator makes for a registry, and is not that one; None where it is."""
    owners = manifest["metadata"].get("ownerReferences") or ()
    owner = owner_of(kind, manifest, registry)
    if owner.whose == REGISTRY or any(one["kind"] == kinds.KIND and one["name"] == registry for one in owners):
        return None
    return f"{kind} {manifest['metadata']['name']!r}, which is {owner}"


def _by_owners(metadata: manifests.Manifest) -> Owner | None:
    for owner in metadata.get("ownerReferences") or ():
        group = owner.get("apiVersion", "").rpartition("/")[0]
        if (owner["kind"], group) != (kinds.KIND, kinds.GROUP):
            return Owner(PLATFORM if _domain_of(f"{group}/", PLATFORM_DOMAINS) else TOOL, f"owner {owner['kind']} {owner['name']!r}")
    return None


def _by_marks(kind: str, metadata: manifests.Manifest, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Owner | None:
    if kind == "ConfigMap" and metadata["name"] in PLATFORM_CONFIG_MAPS:
        return Owner(PLATFORM, "its name")
    for what, names in (("label", labels), ("annotation", annotations)):
        for name in names:
            if _domain_of(name, PLATFORM_DOMAINS):
                return Owner(PLATFORM, f"{what} {name}")
            tool = TOOLS.get(_domain_of(name, tuple(TOOLS))) or next((tool for prefix, tool in TOOL_PREFIXES.items() if name.startswith(prefix)), None)
            if tool:
                return Owner(TOOL, f"{what} {name} of {tool}")
    if OPERATOR in (labels.get(CREATED_BY), labels.get(MANAGED_BY)):
        return None
    for name in labels:
        # The dashboard gives a Secret or ConfigMap no label; those with a prefix are a tool's, those without are people's.
        if name in (MANAGED_BY, INSTANCE) or (kind in HELD and "/" in name and not name.startswith(DASHBOARD_LABELS)):
            return Owner(TOOL, f"label {name}={labels[name]}")
    return None


# The same few names stand in all objects of a kind.
@functools.lru_cache(maxsize=1024)
def _domain_of(name: str, domains: tuple[str, ...]) -> str:
    """The domain that a label's or annotation's name belongs to; empty for none of them."""
    prefix = name.rpartition("/")[0]
    return next((domain for domain in domains if prefix == domain or prefix.endswith(f".{domain}")), "")


def _managers(metadata: manifests.Manifest, of_data: bool = False) -> list[str]:
    """Who wrote an object, or only its data."""
    entries = metadata.get("managedFields") or []
    return [entry.get("manager", "") for entry in entries if not of_data or not DATA_FIELDS.isdisjoint(entry.get("fieldsV1") or {})]


def _missing_evidence(kind: str, manifest: manifests.Manifest, registry: str) -> str:
    """What an object lacks of those that the dashboard and this collection make for a registry; empty for nothing."""
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    if kind == "RoleBinding":
        shown = labels.get("component") == COMPONENT and labels.get(NAME) == registry
        return "" if shown else "it lacks the labels by which the dashboard lists it"
    if kind not in HELD or not registry:
        return "nothing shows who created it"
    annotations = {name: value for name, value in (metadata.get("annotations") or {}).items() if not name.startswith(OUR_ANNOTATIONS)}
    others = [manager for manager in _managers(metadata) if manager not in (NAMELESS, kinds.FIELD_MANAGER)]
    if kind == "Secret":
        prefix = credentials.password_prefix(registry)
        named, expected, keys = (metadata["name"].startswith(prefix) and metadata.get("generateName") == prefix, credentials.SECRET_ANNOTATIONS, PASSWORD_KEYS)
    else:
        named, expected, keys = is_upload(metadata["name"], registry), {}, frozenset({UPLOADED_KEY})
    unlike = {
        "its name or generateName": not named,
        "its annotations": annotations != expected,
        "its labels": any(not name.startswith(DASHBOARD_LABELS) for name in labels),
        "its keys": keys != set(previous.own_keys(manifest)),
        f"field manager {others[0]!r}" if others else "no field manager": bool(others) or not _managers(metadata),
    }
    return ", ".join(what for what, differs in unlike.items() if differs)


def gave_database(registry: manifests.Manifest | None) -> bool:
    """Whether a run of ours gave the registry its database, and may have been killed before it deleted what that left over. What others leave is theirs."""
    section = custom_resource.SECTIONS.get(custom_resource.live_type(registry) or "", "")
    entries = manifests.at(registry, ("metadata", "managedFields")) or []
    return any(entry.get("manager") == kinds.FIELD_MANAGER and manifests.at(entry.get("fieldsV1"), ("f:spec", f"f:{section}")) is not None for entry in entries)


def is_named_as_ours(secret: str, registry: str) -> bool:
    return secret.startswith(credentials.password_prefix(registry))
