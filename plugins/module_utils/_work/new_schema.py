# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of a new database, made by the registry server itself: the operator runs one for a temporary registry that uses this database.

Nothing has to be known of how the operator starts a server, and it is proven that one can use the database from inside of the cluster before writes are held.
"""

from __future__ import annotations

from .. import _errors
from .._cluster import registry_reader, writes
from .._model import credentials, custom_resource, desired_state, kinds, manifests
from .._plan import changeset, record
from .._status import availability
from . import removal


def temporary_name(resource: manifests.Manifest) -> str:
    """The name of the temporary registry, which a later run finds again."""
    name = resource["metadata"]["name"]
    return f"{name[:42].rstrip('-')}-{credentials.derived_letters(resource['metadata']['uid'])}"


def creation(reader: registry_reader.Reader, resource: manifests.Manifest, after: manifests.Manifest) -> changeset.Change:
    """What makes the temporary registry of one that is to become `after`."""
    name, metadata = temporary_name(resource), resource["metadata"]
    section = custom_resource.SECTIONS[custom_resource.live_type(after) or ""]
    image = {key: value for key, value in (manifests.at(after, ("spec", "rest")) or {}).items() if key == "image"}
    body = {
        "apiVersion": f"{kinds.GROUP}/{reader.capabilities.api_version}",
        "kind": kinds.KIND,
        "metadata": {
            "name": name,
            "namespace": reader.namespace,
            "annotations": {
                "openshift.io/display-name": f"{metadata['name']} (new database)",
                "openshift.io/description": f"Temporary: creates the tables in the new database of {metadata['name']}. It is deleted when they exist.",
            },
            "ownerReferences": [
                {key: resource[key] for key in ("apiVersion", "kind")} | {"name": metadata["name"], "uid": metadata["uid"], "blockOwnerDeletion": False}
            ],
        },
        "spec": {reader.capabilities.authentication: {}, "grpc": {}, "rest": image, section: after["spec"][section]},
    }
    return changeset.Change("create", kinds.KIND, reader.namespace, name, ("database",), "POST", reader.capabilities.api, body)


def make(reader: registry_reader.Reader, resource: manifests.Manifest, after: manifests.Manifest, seconds: float) -> None:
    """Make the tables. NotAvailableError where the registry server cannot use the database; ClusterError."""
    change = creation(reader, resource, after)
    remove(reader, resource, seconds)
    try:
        writes.send(reader.cluster, change, False)
        availability.wait_until_available(reader.fresh, change.name, seconds, record.Outcome(changes=[change.result(False)]))
    except availability.NotAvailableError as error:
        error.add(f"The temporary registry {change.name!r} shows what the registry server reports about the new database.")
        raise
    finally:
        remove(reader.fresh, resource, seconds)


def problems(resource: manifests.Manifest, present: manifests.Manifest | None) -> list[_errors.Problem]:
    """What is wrong with the registry that has the name of the temporary one, if there is one."""
    owners = [owner["uid"] for owner in manifests.at(present, ("metadata", "ownerReferences")) or []]
    if present is None or resource["metadata"]["uid"] in owners:
        return []
    name = temporary_name(resource)
    return [_errors.Problem("name", f"cannot be migrated: there is another registry {name!r}", "Delete or rename that registry", name)]


def remove(reader: registry_reader.Reader, resource: manifests.Manifest, seconds: float) -> None:
    """Delete the temporary registry, where there is one. InputError when another registry has its name."""
    name = temporary_name(resource)
    present = reader.registry(name)
    if present is None:
        return
    found = problems(resource, present)
    if found:
        raise _errors.InputError(found)
    removal.Removal(desired_state.Registry(name, reader.namespace), desired_state.Consent(), False, record.Outcome()).carry_out(reader, seconds)
