"""The page about the playbooks: what docs/site/variables.yml says of them, with the variables of the roles that they call, and no variable missing.

A playbook has no argument specification. Which variables it takes is read from its expressions: those that it uses and does not set itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from antsibull_docs_parser.dom import PluginIdentifier
from antsibull_docs_parser.parser import Context, parse
from antsibull_docs_parser.rst import to_rst
from jinja2 import Environment, meta, nodes

from docs import sample

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "modelops.openshift_ai"
# Ansible's own, and the identity of the job that controllers set.
OWN = {"groups", "hostvars", "inventory_dir", "inventory_hostname", "lookup", "omit", "query", "tower_job_id", "awx_job_id", "undef"}
# Their values are expressions without braces.
CONDITIONS = {"when", "that", "until", "changed_when", "failed_when"}
REQUIRED = object()


class Disagreement(Exception):
    """The playbooks and what is said of them differ; the message lists where."""


class AnyFilter(dict[str, Any]):
    """Jinja refuses to read an expression with a filter that it does not know: this knows all."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __getitem__(self, _name: str) -> Any:
        return str

    def get(self, _name: str, _default: Any = None) -> Any:
        return str


ENVIRONMENT = Environment()
ENVIRONMENT.filters = AnyFilter()
ENVIRONMENT.tests = AnyFilter()


@dataclass
class Used:
    """The variables of a playbook: those that it reads with the defaults that it gives them, those that it sets, and the entry points of roles."""

    read: dict[str, Any] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    roles: list[tuple[str, str]] = field(default_factory=list)

    @property
    def taken(self) -> dict[str, Any]:
        """What it reads and does not set: name and default."""
        return {name: default for name, default in self.read.items() if name not in self.written and name not in OWN and not name.startswith("ansible_")}


def used_by(playbook: Path) -> Used:
    """The variables of a playbook with those of the playbooks that it imports."""
    used = Used()
    for play in yaml.safe_load(playbook.read_text()):
        _look(play, used, False)
        if imported := play.get("ansible.builtin.import_playbook"):
            other = used_by(playbook.parent / imported)
            used.read = other.read | used.read
            used.written |= other.written
            used.roles += other.roles
    return used


def used_in(file: Path) -> Used:
    """The variables of one file, without those of others that it imports."""
    used = Used()
    _look(yaml.safe_load(file.read_text()), used, False)
    return used


def _look(value: Any, used: Used, condition: bool) -> None:
    if isinstance(value, dict):
        used.written |= set(value.get("vars") or ())
        used.written |= set(value.get("ansible.builtin.set_fact") or ()) - {"cacheable"}
        used.written |= {value["register"]} if isinstance(value.get("register"), str) else set()
        if role := value.get("ansible.builtin.import_role") or value.get("ansible.builtin.include_role"):
            used.roles.append((role["name"].rpartition(".")[2], role.get("tasks_from", "main")))
        for key, each in value.items():
            _look(each, used, condition or key in CONDITIONS)
    elif isinstance(value, list):
        for each in value:
            _look(each, used, condition)
    elif isinstance(value, str):
        for name, default in _variables(f"{{{{ {value} }}}}" if condition and "{{" not in value else value):
            if used.read.get(name) in (None, ""):
                used.read[name] = default


def _variables(text: str) -> Iterator[tuple[str, Any]]:
    """The variables of a template, with a default where it is a constant, and REQUIRED where the template insists on them."""
    tree = ENVIRONMENT.parse(text)
    defaults: dict[str, Any] = {}
    for node in tree.find_all(nodes.Filter):
        if isinstance(node.node, nodes.Name) and node.name == "mandatory":
            defaults[node.node.name] = REQUIRED
        if isinstance(node.node, nodes.Name) and node.name == "default" and node.args and isinstance(node.args[0], nodes.Const):
            defaults.setdefault(node.node.name, node.args[0].value)
    for name in meta.find_undeclared_variables(tree):
        yield name, defaults.get(name)


def role_options(role: str, entry_point: str) -> dict[str, dict[str, Any]]:
    """The documented variables of an entry point of a role."""
    folder = ROOT / "roles" / role
    spec = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text())["argument_specs"][entry_point]
    options: dict[str, dict[str, Any]] = spec["options"]
    return options


def role_falls_back_on(role: str) -> set[str]:
    """The variables that the defaults of a role read."""
    return set(used_in(ROOT / "roles" / role / "defaults" / "main.yml").taken)


@dataclass(frozen=True)
class Row:
    """A variable of a playbook, in reStructuredText."""

    name: str
    type: str
    description: list[str]


def _row(name: str, spec: dict[str, Any], default: Any, role: tuple[str, str] | None = None) -> Row:
    shown = f":ansopt:`{COLLECTION}.{role[0]}#role:{role[1]}:{name}`" if role else f"``{name}``"
    description = _paragraphs(spec["description"], role)
    if "choices" in spec:
        description.append(f"**Choices:** {', '.join(f'``{choice}``' for choice in spec['choices'])}")
    if default not in (None, "", [], {}, REQUIRED):
        description.append(f"**Default:** ``{str(default).lower() if isinstance(default, bool) else default}``")
    kind = spec["type"] + (f" of {spec['elements']}" if "elements" in spec else "")
    return Row(shown, kind + (", required" if default is REQUIRED or spec.get("required") else ""), description)


def rows(name: str, said: dict[str, Any], common: dict[str, Any]) -> list[Row]:
    """The variables of one playbook but for those of all playbooks, checked against the playbook itself."""
    used = used_by(ROOT / "playbooks" / f"{name}.yml")
    options = {option: (spec, role) for role in used.roles for option, spec in role_options(*role).items() if option not in used.written}
    fallbacks = {option for role, _entry_point in used.roles for option in role_falls_back_on(role)} - set(options)
    own = set(used.taken) | fallbacks
    own -= set(common) | set(options)
    documented = said.get("variables") or {}
    problems = [f"playbooks/{name}.yml takes {each}, which docs/site/variables.yml does not describe" for each in sorted(own - set(documented))]
    problems += [f"docs/site/variables.yml describes {each}, which playbooks/{name}.yml does not take" for each in sorted(set(documented) - own)]
    if problems:
        raise Disagreement("\n".join(problems))
    mine = [_row(each, spec, REQUIRED if spec.get("required") else used.read.get(each)) for each, spec in documented.items()]
    return mine + [_row(each, spec, spec.get("default"), role) for each, (spec, role) in options.items()]


def page() -> str:
    """The page in reStructuredText; Disagreement when it would not be true."""
    said = yaml.safe_load((ROOT / "docs" / "site" / "variables.yml").read_text())
    common, playbooks = said["common"], said["playbooks"]
    problems = []
    there = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    problems += [f"docs/site/variables.yml does not describe playbooks/{name}.yml" for name in sorted(there - set(playbooks))]
    problems += [f"docs/site/variables.yml describes playbooks/{name}.yml, which does not exist" for name in sorted(set(playbooks) - there)]
    taken = {variable for name in there for variable in used_by(ROOT / "playbooks" / f"{name}.yml").taken}
    problems += [f"docs/site/variables.yml describes {name}, which no playbook takes" for name in sorted(set(common) - taken)]
    tables: dict[str, list[Row]] = {}
    for name in sorted(there & set(playbooks)):
        try:
            tables[name] = rows(name, playbooks[name], common)
        except Disagreement as error:
            problems.append(str(error))
    if problems:
        raise Disagreement("\n".join(problems))
    parts = [_heading("Playbooks", "="), *_paragraphs(said["introduction"])]
    parts += [
        _table(["Playbook", "Description"], [[f":ref:`{name} <playbook_{name}>`", *_paragraphs(playbooks[name]["summary"])] for name in playbooks], "summary")
    ]
    parts += [_heading("Variables of all playbooks", "-"), *_paragraphs(said["common_introduction"])]
    parts += [_variables_table([_row(name, spec, None) for name, spec in common.items()])]
    summaries = sample.summaries()
    for name, each in playbooks.items():
        parts += [f".. _playbook_{name}:", _heading(name, "-"), *_paragraphs(each["summary"]), *_paragraphs(each.get("description", []))]
        parts += [".. code-block:: shell\n\n" + "".join(f"   {line}\n" for line in each["example"].strip().splitlines())]
        if "summary_introduction" in each:
            parts += [*_paragraphs(each["summary_introduction"]), ".. code-block:: text\n\n" + "".join(f"   {line}\n" for line in summaries[name].splitlines())]
        parts += [_variables_table(tables[name])] if tables[name] else []
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _paragraphs(text: str | list[str], role: tuple[str, str] | None = None) -> list[str]:
    """Texts with Ansible's markup, as in documentation of modules, in reStructuredText; options without a plugin are those of the role."""
    context = Context(current_plugin=PluginIdentifier(f"{COLLECTION}.{role[0]}", "role"), role_entrypoint=role[1]) if role else Context()
    return [to_rst([paragraph]).strip() for paragraph in parse([text] if isinstance(text, str) else text, context, errors="exception")]


def _variables_table(of: list[Row]) -> str:
    return _table(["Variable", "Description"], [[f"{row.name}\n\n{row.type}", "\n\n".join(row.description)] for row in of], "variables")


def _table(header: list[str], body: list[list[str]], look: str) -> str:
    lines = [".. list-table::", "   :header-rows: 1", f"   :class: {look}", ""]
    for row in [header, *body]:
        for number, cell in enumerate(row):
            text = cell.replace("\n", "\n       ")
            lines.append(f"   {'*' if number == 0 else ' '} - {text}".rstrip())
    return "\n".join(lines)
