# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfigMaps and Secrets that hold bundles of CA certificates: which is whose, who reads it, and what writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _certificates, _deletion, _manifests, _plan, _registry

if TYPE_CHECKING:
    from ansible_collections.modelops.openshift_ai.plugins.module_utils import _reading

# Written by the platform operator, and by OpenShift and Kubernetes into every namespace.
PLATFORM_CONFIG_MAPS = (_registry.TRUSTED_CA_CONFIG_MAP, "openshift-service-ca.crt", "kube-root-ca.crt")
# By these a tool knows what it keeps as it wants it. Labels with a prefix are a tool's too; those without are people's.
ANNOTATIONS_OF_TOOLS = ("meta.helm.sh/", "argocd.argoproj.io/", "service.beta.openshift.io/inject-cabundle", "cert-manager.io/")
# The dashboard's prefix for what it lists; it does not keep the data.
DASHBOARD_LABELS = "opendatahub.io/"
# A mark that some editors put at the beginning of a text, and that the registry server does not expect.
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Place:
    """A key of a ConfigMap or Secret in a namespace."""

    kind: str
    namespace: str
    reference: _registry.KeyReference

    def text(self, manifest: _manifests.Manifest | None) -> str | None:
        """What the object holds there; None when it does not exist or has no such key."""
        return _manifests.text_of(self.kind, manifest, self.reference.key)

    def __str__(self) -> str:
        return f"{self.kind} {self.reference.name!r}"


def replacement(place: Place, present: _manifests.Manifest | None, pem: str, option: str) -> list[_plan.Change]:
    """What makes the place hold exactly these certificates; nothing when it does already, in whatever order and with whatever text around them."""
    text = place.text(present)
    if text is not None and BYTE_ORDER_MARK not in text and _certificates.same_certificates(text, pem):
        return []
    return [written(place, present, pem, option)]


def written(place: Place, present: _manifests.Manifest | None, content: str, option: str) -> _plan.Change:
    """What writes this text there, into a new object or into the one that was read, but not over somebody else's write since. Diffs show no PEM."""
    key, name = place.reference.key, place.reference.name
    data = {key: _manifests.encoded(content) if place.kind == "Secret" else content}
    before, after = described(place, place.text(present)), described(place, content)
    if present is None:
        body: _manifests.Manifest = {"apiVersion": "v1", "kind": place.kind, "metadata": {"name": name, "namespace": place.namespace}, "data": data}
        if place.kind == "Secret":
            # The only type that the dashboard offers.
            body["type"] = "Opaque"
        return _plan.Change("create", place.kind, place.namespace, name, (option,), "POST", _plan.APIS[place.kind], body, before, after)
    body = {"metadata": {"resourceVersion": present["metadata"].get("resourceVersion")}, "data": data}
    if _manifests.at(present, ("binaryData", key)):
        body["binaryData"] = {key: None}
    return _plan.Change("update", place.kind, place.namespace, name, (option,), "PATCH", _plan.APIS[place.kind], body, before, after)


def described(place: Place, text: str | None) -> _manifests.Manifest:
    """A bundle as a diff shows it; the fingerprint tells certificates of one CA apart."""
    if text is None:
        return {}
    found = _certificates.certificates_in(text)
    shown = [f"{certificate.subject}, until {certificate.not_after:%Y-%m-%d}, SHA-256 {certificate.fingerprint[:16]}" for certificate in found]
    return {f"{place.kind} {place.reference.name} {place.reference.key}": shown}


def upload_name(registry: str, number: int) -> str:
    """The dashboard's names for uploaded CAs of a registry, the first one for number 1."""
    return _deletion.upload_prefix(registry) + (f"-{number}" if number > 1 else "")


def place_of_upload(
    registry: str,
    named: _registry.KeyReference | None,
    read: Callable[[str], _manifests.Manifest | None],
    is_used: Callable[[str], bool],
    fits: Callable[[str], bool],
) -> _registry.KeyReference:
    """The ConfigMap for a CA that is uploaded for a registry: the one that it reads (`named`), or one that `fits` already, or the first free name.

    A ConfigMap that somebody else made, or that another registry uses too, is passed over, as is every other name that is taken.
    """
    if named is not None and named.key == _deletion.UPLOADED_KEY and _deletion.is_upload(named.name, registry) and not is_used(named.name):
        present = read(named.name)
        if present is None or _deletion.is_own_upload(present):
            return named
    number = 1
    while (present := read(upload_name(registry, number))) is not None:
        name = upload_name(registry, number)
        if not is_used(name) and _deletion.is_own_upload(present) and fits(present["data"][_deletion.UPLOADED_KEY]):
            break
        number += 1
    return _registry.KeyReference(upload_name(registry, number), _deletion.UPLOADED_KEY)


def place_for(reader: _reading.Reader, registry: str, pem: str, adds: bool = False) -> _registry.KeyReference:
    """The ConfigMap that certificates which are uploaded for a registry belong into. ClusterError when a request is refused."""

    def fits(text: str) -> bool:
        # To an upload that no registry reads yet others can be added.
        return adds or _certificates.same_certificates(text, pem)

    users = reader.users()

    def is_used(name: str) -> bool:
        return any(user != registry for user in users.get(("ConfigMap", name), ()))

    return place_of_upload(registry, named_bundle(reader.registry(registry), "ConfigMap"), lambda name: reader.held("ConfigMap", name), is_used, fits)


def named_bundle(registry: _manifests.Manifest | None, kind: str) -> _registry.KeyReference | None:
    """The key of a ConfigMap or Secret that a registry reads its CA from."""
    named = _manifests.live_database(registry).get(_manifests.CA_KEYS[kind])
    return _registry.KeyReference(named["name"], named["key"]) if named else None


def readers(place: Place, registries: Iterable[_manifests.Manifest]) -> list[_manifests.Manifest]:
    """The registries that read their CA there."""
    return [registry for registry in registries if named_bundle(registry, place.kind) == place.reference]


def manager_of(manifest: _manifests.Manifest) -> str | None:
    """Who else keeps an object as it is, in words; None when nobody is known to."""
    metadata = manifest["metadata"]
    if manifest.get("kind", "ConfigMap") == "ConfigMap" and metadata["name"] in PLATFORM_CONFIG_MAPS:
        return "the platform"
    owners = [f"{owner['kind']} {owner['name']!r}" for owner in metadata.get("ownerReferences") or []]
    labels = [label for label in metadata.get("labels") or {} if "/" in label and not label.startswith(DASHBOARD_LABELS)]
    annotations = [name for name in metadata.get("annotations") or {} if name.startswith(ANNOTATIONS_OF_TOOLS)]
    marks = [
        *(f"its owner {owner}" for owner in owners),
        *(f"whoever labelled it {label}" for label in labels),
        *(f"whoever set {name}" for name in annotations),
    ]
    return marks[0] if marks else None
