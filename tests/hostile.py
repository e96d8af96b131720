"""Hostile texts in a cluster, and what must not come of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.dashboard import Dashboard, Database, Form
from tests.helpers import Cluster
from tests.hostile_texts import texts

# Those that a registry has for its name and its description, each of another kind; subjects of grants are all of them.
OF_REGISTRIES = ("expression", "other marks", "line statements", "end of a quote", "vault", "page", "terminal", "line breaks", "order", "long")


class Loader(yaml.SafeLoader):
    """Reads a variables file as Ansible does."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


@dataclass(frozen=True)
class Planted:
    """Registries whose names for people, descriptions and subjects are hostile, and the file that is made when one of them is run."""

    texts: dict[str, str]
    canary: Path

    def assert_inert(self, run: Callable[..., str], exported: Path, page: Path) -> None:
        """Export them, converge them, check them and write the page, with `run`, which returns what a playbook printed, with its options and variables."""
        [first, *_others] = self.texts
        outputs = [run("export", "--diff")]
        listed = {entry["name"]: entry for entry in yaml.load(exported.read_text(), Loader=Loader)["model_registries_list"]}
        for name, text in self.texts.items():
            entry = listed[name]
            assert entry["description"] == text and entry["display_name"] == text, (name, entry)
        for options in (("--check", "--diff"), ("--diff",), ("--check", "--diff")):
            outputs.append(run("converge", *options, model_registries_wait=False))
            assert re.search(r'"OK: \S+ \(https://.*\): \d+ registries: \d+ unchanged(, \d+ not available)?"', outputs[-1]), outputs[-1]
        drifted = [{"name": name, "display_name": "Wanted", "description": "Wanted"} for name in self.texts]
        outputs.append(run("check", model_registries_list=drifted))
        outputs.append(run("report", model_registry_report_file=str(page), model_registry_report_registries=drifted))
        outputs.append(run("permissions", "--check", "--diff", model_registry_name=first, model_registry_permissions={"groups": ["wanted"], "exclusive": True}))
        for output in outputs:
            odd = {character for character in output if not character.isprintable() and character != "\n"}
            assert not odd, (odd, output)
        assert "Wanted" in outputs[-3] and "<script>window" not in page.read_text()
        assert not self.canary.exists()


def plant(cluster: Cluster, prefix: str, canary: Path) -> Planted:
    """Make them as the dashboard does, on a database that does not exist; `fleet.remove` takes them away."""
    hostile = texts(canary)
    dashboard = Dashboard(cluster)
    database = Database("mysql.data.svc.cluster.local", "nowhere", "nobody", "word")
    planted = {f"{prefix}-{number}": hostile[what] for number, what in enumerate(OF_REGISTRIES)}
    for name, text in planted.items():
        dashboard.create(name, Form(text, text, database))
    [first, *_others] = planted
    for text in hostile.values():
        for kind in ("Group", "User"):
            dashboard.grant(first, kind, text)
    return Planted(planted, canary)
