"""Texts in a cluster that would like to be code, exported, converged, checked and reported. `make test-matrix` does the same with each ansible-core."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.layout import Layout
from tests import hostile
from tests.fleet import remove
from tests.helpers import Cluster
from tests.playing import Player


def test_it_never_runs_code_that_is_stored_in_a_cluster(layout: Layout, cluster: Cluster, automation_token: str, tmp_path: Path) -> None:
    player = Player(layout, automation_token, tmp_path)
    player.kubeconfig()
    (tmp_path / "inventory.yml").write_text("all: {hosts: {east: }}\n")

    def run(playbook: str, *options: str, **variables: object) -> str:
        given = ["-e", json.dumps(variables)] if variables else []
        return player.run(f"ansible-playbook -i inventory.yml modelops.openshift_ai.{playbook}", *options, *given).output

    try:
        planted = hostile.plant(cluster, "hostile", tmp_path / "canary")
        planted.assert_inert(run, tmp_path / "host_vars" / "east" / "model_registries.yml", tmp_path / "page.html")
    finally:
        remove(cluster, "hostile")
