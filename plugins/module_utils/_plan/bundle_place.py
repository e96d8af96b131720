# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key of a ConfigMap or Secret that holds a bundle of CA certificates: which registries read it, and what writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .._model import certificates, custom_resource, desired_state, kinds, manifests, ownership
from . import changeset

# A mark that some editors put at the beginning of a text, and that the registry server does not expect.
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Place:
    """A key of a ConfigMap or Secret in a namespace."""

    kind: str
    namespace: str
    reference: desired_state.KeyReference

    def text(self, manifest: manifests.Manifest | None) -> str | None:
        """What the object holds there; None when it does not exist or has no such key."""
        return manifests.text_of(self.kind, manifest, self.reference.key)

    def __str__(self) -> str:
        return f"{self.kind} {self.reference.name!r}"


def replacement(place: Place, present: manifests.Manifest | None, pem: str, option: str) -> list[changeset.Change]:
    """What makes the place hold exactly these certificates; nothing when it does already, in whatever order and with whatever text around them."""
    return [] if holds(place.text(present), pem) else [written(place, present, pem, option)]


def holds(text: str | None, pem: str) -> bool:
    """Whether a bundle is exactly these certificates, and need not be written."""
    return text is not None and BYTE_ORDER_MARK not in text and certificates.same_certificates(text, pem)


def written(place: Place, present: manifests.Manifest | None, content: str, option: str) -> changeset.Change:
    """What writes this text there, into a new object or into the one that was read, but not over somebody else's write since. Diffs show no PEM."""
    key, name = place.reference.key, place.reference.name
    data = {key: manifests.encoded(content) if place.kind == "Secret" else content}
    before, after = described(place, place.text(present)), described(place, content)
    if present is None:
        body: manifests.Manifest = {"apiVersion": "v1", "kind": place.kind, "metadata": {"name": name, "namespace": place.namespace}, "data": data}
        if place.kind == "Secret":
            # The only type that the dashboard offers.
            body["type"] = "Opaque"
        return changeset.Change("create", place.kind, place.namespace, name, (option,), "POST", kinds.APIS[place.kind], body, before, after)
    binary = {"binaryData": {key: None}} if manifests.at(present, ("binaryData", key)) else {}
    return changeset.update(place.kind, kinds.APIS[place.kind], present, (option,), {"data": data, **binary}, before, after)


def described(place: Place, text: str | None) -> manifests.Manifest:
    """A bundle as a diff shows it; the fingerprint tells certificates of one CA apart."""
    if text is None:
        return {}
    found = certificates.certificates_in(text)
    shown = [f"{certificate.subject}, until {certificate.not_after:%Y-%m-%d}, SHA-256 {certificate.fingerprint[:16]}" for certificate in found]
    return {f"{place.kind} {place.reference.name} {place.reference.key}": shown}


def upload_name(registry: str, number: int) -> str:
    """The dashboard's names for uploaded CAs of a registry, the first one for number 1."""
    return ownership.upload_prefix(registry) + (f"-{number}" if number > 1 else "")


def place_of_upload(
    registry: str,
    named: desired_state.KeyReference | None,
    read: Callable[[str], manifests.Manifest | None],
    users: Callable[[str], Iterable[str]],
    is_right: Callable[[str], bool],
    fits: Callable[[str], bool],
) -> desired_state.KeyReference:
    """The ConfigMap for a CA that is uploaded for a registry: the one that it reads (`named`), or one that `fits` already, or the first free name.

    One that `is_right` is not written, and stays whoever made it. Otherwise a ConfigMap that neither the dashboard nor this collection made, or that another
    registry uses too, is passed over, as is every other name that is taken.
    """

    def may_write(name: str, present: manifests.Manifest) -> bool:
        return ownership.owner_of("ConfigMap", present, registry, users(name)).is_ours

    if named is not None and named.key == ownership.UPLOADED_KEY and ownership.is_upload(named.name, registry):
        present = read(named.name)
        text = manifests.text_of("ConfigMap", present, named.key)
        is_free = present is None and set(users(named.name)) <= {registry}
        if is_free or (text is not None and is_right(text)) or (present is not None and may_write(named.name, present)):
            return named
    number = 1
    while (present := read(upload_name(registry, number))) is not None:
        name = upload_name(registry, number)
        if may_write(name, present) and fits(manifests.text_of("ConfigMap", present, ownership.UPLOADED_KEY) or ""):
            break
        number += 1
    return desired_state.KeyReference(upload_name(registry, number), ownership.UPLOADED_KEY)


def after(text: str | None, pem: str, adds: bool) -> str:
    """What a bundle holds once certificates were put there, or added to it."""
    return certificates.added_to(text, certificates.certificates_in(pem)) if adds and text is not None else pem


def named_bundle(registry: manifests.Manifest | None, kind: str) -> desired_state.KeyReference | None:
    """The key of a ConfigMap or Secret that a registry reads its CA from."""
    named = custom_resource.live_database(registry).get(custom_resource.CA_KEYS[kind])
    return desired_state.KeyReference(named["name"], named["key"]) if named else None


def readers(place: Place, registries: Iterable[manifests.Manifest]) -> list[manifests.Manifest]:
    """The registries that read their CA there."""
    return [registry for registry in registries if named_bundle(registry, place.kind) == place.reference]
