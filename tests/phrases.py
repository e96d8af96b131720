"""Phrases that nobody in the field would write, with what to write in their place, and where users would read them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

PHRASES = {
    r"certificates?( that)? ends?|ends? soon|ends? (in|within) (so|this|\d+)": "expires, expires soon",
    r"(serves?|serving)(?! requests)": "is available, is not available (say once that it serves requests with its current definition)",
    r"mend(s|ed|ing)?|heal(s|ed|ing)?": "fix, repair",
    r"what differs|how (it|they|each) (is|are)": "drift, status",
    r"(to|as) what (the|one|a) list says|as (the|one) list says": "reconcile with the list",
    r"restarts? rolls?": "rolling restart",
    r"switch(es|ed|ing)?( [\w-]+){0,6} (on|off)": "enable, disable",
    r"look(s|ed|ing)? at": "check",
    r"sp(eak|eaks|oke|oken) to": "connect to",
    r"t(ake|akes|aken|aking|ook)( \w+)? away": "revoke, remove",
    r"le(ft|ave|aves|aving)( \w+)? out": "omitted, if not set",
    r"(is|are|was|were|be) refused|refused (are|together|while|where|by|without)": "the module fails",
    r"(is|are) (only )?(a )?warnings?": "a warning is issued",
    r"(?<!there\x20)is no(?! longer| more)|is none": "is not a valid …",
    r"side by side|at the same time": "in parallel",
    r"whole truth": "exclusive",
    r"dialogues?|dialogue's": "dialog, form",
    r"found unchanged": "unchanged, idempotent",
    r"h(eld|olds?|olding) back": "blocked",
    r"(error|warning|message) names": "the error contains, the warning lists",
    r"(?<!there\x20)(is a finding|are findings)": "is reported as a finding",
    r"(is|are) told": "is reported, is specified",
    r"stays? as (it is|they are)": "is not changed",
    r"takes? (it|the \w+|each \w+) from (its )?standard input": "reads from standard input",
    r"ill health": "findings",
}
# Names of options and values, code, and the keys of YAML say nothing.
NAMES = re.compile(r"``[^`]*``|`[^`\n]*`|[\w-]+(?:\.[\w-]+)+|\b(?:RV|[CEFIMOPV])\([^)]*\)|<[^>\n]*>|^ *[\w.-]+:(?= |$)|\{\{.*?\}\}|:\w+:", re.MULTILINE)
READABLE = re.compile(r"(?:#(?!:)|^ *(?:- )?(?:name|description|question_\w+|short_description): ).*$", re.MULTILINE)


def whole(text: str) -> Iterator[tuple[int, str]]:
    """All of a text, from its first line on."""
    yield 1, text


def with_literals(text: str) -> Iterator[tuple[int, str]]:
    """All of a YAML file, and the texts in its expressions."""
    yield 1, text
    for expression in re.finditer(r"\{\{.*?\}\}", text, re.DOTALL):
        for literal in re.finditer(r"'([^']*)'", expression[0]):
            yield text.count("\n", 0, expression.start() + literal.start()) + 1, literal[1]


def comments_and_names(text: str) -> Iterator[tuple[int, str]]:
    """The comments of a YAML file, and the names of its plays and tasks; not the messages in it."""
    kept = [" " * match.start() + match[0] if (match := READABLE.search(line)) else "" for line in text.split("\n")]
    yield 1, "\n".join(kept)


def literals(text: str) -> Iterator[tuple[int, str]]:
    """The texts in a Python file with their lines, the documentation of modules among them, but no docstrings."""
    tree = ast.parse(text)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body]
    docstrings = {id(node.value) for node in first if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


# What users read, and what of a file it is.
SOURCES: dict[str, Callable[[str], Iterator[tuple[int, str]]]] = {
    "README.md": whole,
    "aap/**/*.md": whole,
    "aap/objects/*.yml": whole,
    "aap/*.yml": with_literals,
    "aap/project/**/*.yml": with_literals,
    "changelogs/fragments/*.yml": whole,
    "docs/docsite/rst/*.rst": whole,
    "docs/site/*.rst": whole,
    "docs/site/*.yml": whole,
    "examples/**/*.md": whole,
    "examples/**/*.yml": comments_and_names,
    "execution-environment.yml": comments_and_names,
    "playbooks/**/*.yml": with_literals,
    "plugins/doc_fragments/*.py": literals,
    "plugins/action/*.py": literals,
    "plugins/filter/*.py": literals,
    "plugins/module_utils/**/*.py": literals,
    "plugins/modules/*.py": literals,
    "plugins/plugin_utils/*.py": literals,
    "rbac/*.yml": whole,
    "roles/*/README.md": whole,
    "roles/*/defaults/*.yml": comments_and_names,
    "roles/*/meta/*.yml": whole,
    "roles/*/tasks/*.yml": with_literals,
    "roles/model_registry_report/templates/report.html.j2": whole,
}


def found_in(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, phrase and replacement of each phrase in a text."""
    shown = NAMES.sub(lambda match: "`" * len(match[0]), text)
    for pattern, replacement in PHRASES.items():
        # A space of a pattern is any white space, and the mark of a comment that goes on in the next line.
        for match in re.finditer(r"\b(?:" + pattern.replace(" ", r"[\s#]+") + r")\b", shown, re.IGNORECASE):
            yield text.count("\n", 0, match.start()), " ".join(text[match.start() : match.end()].replace("#", " ").split()), replacement


def problems(collection: Path) -> list[str]:
    """A line for each phrase that users would read, with the file, its line, and what to write."""
    return [
        f"{path.relative_to(collection)}:{start + line}: not '{phrase}' but: {replacement}"
        for pattern, reader in SOURCES.items()
        for path in sorted(collection.glob(pattern))
        for start, text in reader(path.read_text())
        for line, phrase, replacement in found_in(text)
    ]
