# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which evidence an object is whose, without regard to what it is for: its owners, labels, annotations and field managers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import kinds, manifests

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
TRUSTED_CA_CONFIG_MAP = "odh-trusted-ca-bundle"
PLATFORM_CONFIG_MAPS = (TRUSTED_CA_CONFIG_MAP, "openshift-service-ca.crt", "kube-root-ca.crt")
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


def known_owner(kind: str, manifest: manifests.Manifest, registry: str = "") -> Owner | None:
    """Whose an object is that shows it, as seen from a registry or from none: a registry's, the platform's, or that of another tool."""
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
    controllers = [manager for manager in managers(metadata, kind in HELD) if CONTROLLERS.search(manager)]
    return Owner(TOOL, f"field manager {controllers[0]!r}") if controllers else None


def owner_of_token(secret: manifests.Manifest) -> Owner:
    """Whose the Secret with the token of a source of the catalog is. It has a label that says so, and the page that writes it gives the API server a name."""
    metadata = secret["metadata"]
    labels = dict(metadata.get("labels") or {})
    part = labels.pop(PART, None)
    found = known_owner("Secret", {**secret, "metadata": {**metadata, "labels": labels}})
    if found is not None:
        return found
    if part != CATALOG:
        return Owner(UNKNOWN, f"it lacks the label {PART}={CATALOG}")
    if manifests.keys_of(secret) != [TOKEN_KEY]:
        return Owner(UNKNOWN, f"it has keys other than {TOKEN_KEY}")
    return by_writers(metadata, "its label, content and field managers")


def by_writers(metadata: manifests.Manifest, evidence: str) -> Owner:
    """Ours, or the dashboard's where anybody else has written an object that only the two make."""
    is_ours = set(managers(metadata)) == {kinds.FIELD_MANAGER}
    return Owner(OURS if is_ours else DASHBOARD, evidence)


def is_leaving(manifest: manifests.Manifest) -> bool:
    """Whether a run has announced that it is about to delete this."""
    return LEAVING in (manifest["metadata"].get("annotations") or {})


def tool_of(manifest: manifests.Manifest) -> Owner | None:
    """Which tool or platform keeps an object that people write too, by its owners, labels and annotations; None for none of them."""
    metadata = manifest["metadata"]
    return _by_owners(metadata) or _by_marks(kinds.KIND, metadata, metadata.get("labels") or {}, metadata.get("annotations") or {})


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
            if maker := _maker_by(name):
                return Owner(PLATFORM, f"{what} {name}") if maker == PLATFORM else Owner(TOOL, f"{what} {name} of {maker}")
    if OPERATOR in (labels.get(CREATED_BY), labels.get(MANAGED_BY)):
        return None
    for name in labels:
        # The dashboard gives a Secret or ConfigMap no label; those with a prefix are a tool's, those without are people's.
        if name in (MANAGED_BY, INSTANCE) or (kind in HELD and "/" in name and not name.startswith(DASHBOARD_LABELS)):
            return Owner(TOOL, f"label {name}={labels[name]}")
    return None


# The same few names stand in all objects of a kind.
@functools.lru_cache(maxsize=1024)
def _maker_by(name: str) -> str:
    """The platform, or the tool, that gives objects labels and annotations of this name; empty for none of them."""
    of_prefix = next((tool for prefix, tool in TOOL_PREFIXES.items() if name.startswith(prefix)), "")
    return PLATFORM if _domain_of(name, PLATFORM_DOMAINS) else TOOLS.get(_domain_of(name, TOOLS), of_prefix)


def _domain_of(name: str, domains: Iterable[str]) -> str:
    """The domain that a label's or annotation's name belongs to; empty for none of them."""
    prefix = name.rpartition("/")[0]
    return next((domain for domain in domains if prefix == domain or prefix.endswith(f".{domain}")), "")


def managers(metadata: manifests.Manifest, of_data: bool = False) -> list[str]:
    """Who wrote an object, or only its data."""
    entries = metadata.get("managedFields") or []
    return [entry.get("manager", "") for entry in entries if not of_data or not DATA_FIELDS.isdisjoint(entry.get("fieldsV1") or {})]
