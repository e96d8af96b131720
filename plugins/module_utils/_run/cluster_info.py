# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_cluster_info`: which cluster the options of a task lead to, and as whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _module
from .._cluster import client, visibility
from .._model import kinds, manifests

# Every cluster has it, nobody can delete it, and its uid is of no other cluster.
NAMESPACE = "kube-system"


def collect(cluster: client.Cluster, _options: Mapping[str, Any], outcome: _module.Found) -> None:
    """Which cluster it is. ClusterError when its API server does not answer."""
    outcome.found["cluster"] = {**cluster.identity(), "uid": None}

    def unseen(why: str) -> None:
        outcome.warn_of(f"this cluster can be identified only by the URL of its API server: {why}")

    found = visibility.seen(lambda: cluster.read(kinds.NAMESPACES, "", NAMESPACE), None, unseen, advice=False)
    outcome.found["cluster"]["uid"] = manifests.at(found, ("metadata", "uid"))
