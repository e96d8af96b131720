# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_catalog_info`: the sources of the model catalog as its server merges them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _errors, _module
from .._cluster import catalog_reader, client
from .._model import catalog, manifests, naming
from .._plan import catalog_export, catalog_view, record
from .._rest import catalog_server

CONTENT, SERVER = "content", "server"


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options whatever is in the cluster."""
    return naming.namespace_problems(options["namespace"])


def collect(cluster: client.Cluster, options: Mapping[str, Any], outcome: _module.Found) -> None:
    """Everything. InputError for a namespace that is not that of the registries, ClusterError where there is no catalog or it may not be read."""
    outcome.introduce(cluster.identity())
    namespace = options["namespace"] or cluster.registries_namespace()
    live = catalog_reader.read(cluster, namespace, lambda why: outcome.warn([why]))
    export = catalog_export.exported(live, CONTENT in options["include"], options["managed_only"])
    outcome.warn(f"not exported, and not changed by a run: {omitted}" for omitted in export.left_out)
    outcome.warn(export.why_unavailable)
    used = {str((source.values.get("properties") or {}).get(catalog.API_KEY) or "") for source in live.view.sources.values()}
    address = _add_server(cluster, live, export, outcome) if SERVER in options["include"] else None
    secrets = catalog_reader.token_secrets(cluster, namespace, lambda why: outcome.warn([why]))
    outcome.found = {
        "sources": export.sources,
        "labels": export.labels,
        "named_queries": export.named_queries,
        "findings": export.findings,
        "unused_secrets": None if secrets is None else sorted(secrets.keys() - used),
        "version": live.generation.version,
        "config_maps": list(live.texts),
        "last_writes": [{"config_map": name, **manifests.last_write(live.config_maps[name])} for name in live.texts],
        "server": address,
        "cluster": outcome.cluster,
    }


def _add_server(cluster: client.Cluster, live: catalog_view.Live, export: catalog_export.Export, outcome: record.Outcome) -> str | None:
    """Add what the catalog server says of each source, or None where it cannot be asked, and that it is not there; its address."""
    shown: dict[str, dict[str, catalog_server.Shown]] = {}
    counts: dict[str, dict[str, int]] = {}
    server: catalog_server.Server | None = None
    try:
        server = catalog_server.find(cluster, live.namespace)
        for kind in live.generation.kinds:
            shown[kind.name], counts[kind.name] = server.sources(kind), server.counts(kind)
    except catalog_server.NoAnswerError as error:
        outcome.warn([f"the status of the sources could not be determined: {error}"])
        if error.is_down and not export.why_unavailable:
            export.findings.append(catalog_export.of_server(str(error), live))
    for source in export.sources:
        found = shown.get(source["kind"], {}).get(source["id"])
        entries = counts.get(source["kind"], {}).get(source["id"], 0)
        source["status"]["server"] = None if found is None else {"status": found.status, "error": found.error, "entries": entries}
        if found is not None and found.status == "error":
            outcome.warn([f"source {source['id']!r}: the catalog server cannot load it: {found.error or 'it does not report the reason'}"])
    return server.address if server else None
