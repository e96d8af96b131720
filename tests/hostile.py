"""Texts that somebody who may only write into a cluster would try on those who read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.dashboard import Dashboard, Database, Form
from tests.helpers import Cluster

# Makes the file if anything ever takes it for code of Ansible's.
CANARY = "lookup('ansible.builtin.pipe', 'touch {canary}')"


def texts(canary: Path) -> dict[str, str]:
    """The texts by what they try; each that is run makes the file `canary`."""
    call = CANARY.format(canary=canary)
    return {
        "expression": f"{{{{ {call} }}}}",
        "statement": f"{{% set x = {call} %}}",
        "other marks": f"#jinja2: variable_start_string:'<<', variable_end_string:'>>'\n<< {call} >>",
        "other marks in brackets": f"#jinja2: variable_start_string:'[', variable_end_string:']'\n[{call}]",
        "other marks of letters": f"#jinja2: variable_start_string:'aa', variable_end_string:'zz'\naa {call} zz",
        "line statements": f"#jinja2: line_statement_prefix:'@'\n@ set x = {call}",
        "raw": f"{{% endraw %}}{{{{ {call} }}}}",
        "tag": "!unsafe x",
        "vault": "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61",
        "end of a quote": f"'\n{{{{ {call} }}}}\n'",
        "new key": f"x\nansible_connection: '{{{{ {call} }}}}'\n",
        "document": "---\n...\n%YAML 1.1\n",
        "page": "</td></tr><script>window.attacked = 1</script><img src=x onerror='window.attacked = 1'><style>*{display:none}</style>&lt;\"'",
        "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\x08\x7fx",
        "forged line": "x\neast: 0 registries: all as it should be\r\nok: [east]",
        "line breaks": "a\x85b\u2028c\u2029d\x0be\x0cf",
        "order": "\u202egnp.exe\u2066\u200f\u061cend",
        "invisible": "a\u200bb\ufeffc\u00add\U000e0041",
        "letters": "Größe, שלום, سلام, 中文, 🎉",
        "bytes": "\x01\ufffe\uffff\U0010ffff",
        "long": f"{'x' * 60_000} {{{{ {call} }}}}",
        "long lines": "\n".join(["y" * 300] * 200),
        "true": "True",
        "number": "1e3",
        "list": f"[{call}]",
        "dictionary": f"{{'a': {call}}}",
    }


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
            assert re.search(r'"OK: \S+ \(https://.*\): \d+ registries: \d+ unchanged"', outputs[-1]), outputs[-1]
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
