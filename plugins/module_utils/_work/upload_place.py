# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ConfigMap that a CA certificate is uploaded to for a registry."""

from __future__ import annotations

from dataclasses import replace

from .._cluster import registry_reader
from .._model import desired_state


def place_for(reader: registry_reader.Reader, registry: str, pem: str, adds: bool = False) -> desired_state.KeyReference:
    """The ConfigMap that certificates which are uploaded for a registry belong into. ClusterError when a request is refused."""

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


def placed(reader: registry_reader.Reader, wanted: desired_state.Registry) -> desired_state.Registry:
    """The wanted registry, with the certificates that its options hold given the ConfigMap that they belong into."""
    database = wanted.database
    if database is None or database.ca is None or database.ca.pem is None:
        return wanted
    reference = place_for(reader, wanted.name, database.ca.pem)
    return replace(wanted, database=replace(database, ca=replace(database.ca, reference=reference)))
