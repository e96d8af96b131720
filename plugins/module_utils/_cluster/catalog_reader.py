# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ConfigMaps of the model catalog: each is read by its name, because an account may not be allowed to list them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from .. import _errors
from .._model import catalog, desired_catalog, kinds, manifests, marks
from .._plan import catalog_tokens, catalog_view
from . import client, visibility

# What says that a cluster has a custom resource for the catalog.
CATALOG_API = ("aihub.opendatahub.io/v1alpha1", "catalogs")
TOKEN_SELECTOR = f"{marks.PART}={marks.CATALOG}"


def read(cluster: client.Cluster, namespace: str, unseen: Callable[[str], object]) -> catalog_view.Live:
    """The catalog of a cluster as it is. InputError for a namespace that is not the registries namespace; ClusterError where there is no catalog.

    `unseen` is told what may not be read and is not needed.
    """

    def found(names: Iterable[str]) -> dict[str, manifests.Manifest]:
        read_ones = ((name, cluster.read(kinds.CONFIG_MAPS, namespace, name)) for name in names)
        return {name: config_map for name, config_map in read_ones if config_map is not None}

    config_maps = found([catalog.DEFAULTS]) or found([catalog.OLD_DEFAULTS])
    config_maps |= found([catalog.MODEL.config_map])
    if catalog.DEFAULTS in config_maps:
        config_maps |= found([catalog.MCP.config_map, catalog.AGENT.config_map])
    elif catalog.OLD_DEFAULTS in config_maps:
        config_maps |= found([catalog.MCP.config_map])
    generation = catalog.generation_of(config_maps)
    if generation is None:
        # Imported here: it takes 20 ms to load, and most clusters have a catalog.
        from . import registry_reader

        registry_reader.need_namespace(cluster, namespace)
        raise _errors.ClusterError(_why_none(config_maps, namespace), _errors.NOT_FOUND)
    if generation is catalog.WITH_AGENTS and any("skill_catalogs" in (catalog.file_of(one) or "") for one in config_maps.values()):
        # Only then does it matter, and a request less is worth it.
        generation = catalog.generation_of(config_maps, visibility.seen(lambda: cluster.serves(*CATALOG_API), False, unseen)) or generation
    if generation.has_labelled:
        config_maps |= _labelled(cluster, namespace, unseen)
    return catalog_view.Live(namespace, generation, config_maps)


def _why_none(config_maps: dict[str, manifests.Manifest], namespace: str) -> str:
    if catalog.is_of_dashboard(config_maps):
        return f"the model catalog of this cluster is not supported: it is that of a version before OpenShift AI {catalog.BEFORE_DEFAULTS.version}."
    remedy = f"Check that the model registry operator is running and that the product is OpenShift AI {catalog.BEFORE_DEFAULTS.version} or later"
    return f"there is no model catalog in namespace {namespace!r}: ConfigMap {catalog.MODEL.config_map!r} does not exist. {remedy}."


def _labelled(cluster: client.Cluster, namespace: str, unseen: Callable[[str], object]) -> dict[str, manifests.Manifest]:
    selector = f"{catalog.SOURCE_LABEL}=true"
    what = f"sources in ConfigMaps with the label {selector} could not be determined"
    listed = visibility.seen(
        lambda: cluster.items(kinds.CONFIG_MAPS, namespace, labelSelector=selector), [], lambda why: unseen(f"{what}: {why}"), advice=False
    )
    return {manifests.name_of(config_map): config_map for config_map in listed}


def token_secrets(cluster: client.Cluster, namespace: str, unseen: Callable[[str], object]) -> dict[str, manifests.Manifest] | None:
    """The metadata of the Secrets with tokens of sources, by name; None where they may not be listed."""
    what = "Secrets with tokens could not be determined"
    listed = visibility.seen(
        lambda: cluster.metadata(kinds.SECRETS, namespace, labelSelector=TOKEN_SELECTOR), None, lambda why: unseen(f"{what}: {why}"), advice=False
    )
    return None if listed is None else {name: item for item in listed if catalog.is_token_secret(name := manifests.name_of(item))}


@dataclass(frozen=True)
class CatalogReader:
    """Reads the catalog of one namespace for plans; `unseen` is told what may not be read and is not needed."""

    cluster: client.Cluster
    namespace: str
    unseen: Callable[[str], object]

    def live(self, wanted: desired_catalog.Wanted, purge: bool) -> catalog_view.Live:
        """The catalog as it is, with the Secrets that a plan for what is wanted has to know."""
        live = read(self.cluster, self.namespace, self.unseen)
        secrets = {name: self._secret(name, self.unseen) for name in catalog_tokens.needed(wanted, live, purge)}
        left = catalog_tokens.left(wanted, live)
        if left or purge:
            # An account without permission for Secrets has left none.
            secrets |= {name: self._secret(name, lambda _why: None) for name in self._left(left, purge) if name not in secrets}
        return replace(live, secrets=secrets)

    def _left(self, names: Collection[str], purge: bool) -> list[str]:
        """Those of the Secrets that are there. With `purge`, also all whose deletion a run has announced that was killed before it."""
        listed = token_secrets(self.cluster, self.namespace, lambda _why: None)
        if listed is None:
            return sorted(names)
        leaving = {name for name, secret in listed.items() if purge and marks.is_leaving(secret)}
        return sorted(leaving | (listed.keys() & set(names)))

    def _secret(self, name: str, unseen: Callable[[str], object]) -> manifests.Manifest | None:
        what = f"Secret {name!r}, which contains the token of a source, could not be read"
        return visibility.seen(lambda: self.cluster.read(kinds.SECRETS, self.namespace, name), None, lambda why: unseen(f"{what}: {why}"), advice=False)
