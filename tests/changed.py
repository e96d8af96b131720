"""The tests that concern what was changed since another branch: those that were changed, import a changed file, are named after one, or name one."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.layout import ROOT

COLLECTION = "ansible_collections.modelops.openshift_ai"
PLAYBOOKS, ROLES, GUIDES = ROOT / "playbooks", ROOT / "roles", ROOT / "docs" / "docsite" / "rst"


def changed_files(since: str) -> list[str]:
    """What differs in the checkout, committed or not, from where it left this branch."""
    base = _git("merge-base", since, "HEAD").strip()
    return sorted({*_git("diff", "--name-only", base).splitlines(), *_git("ls-files", "--others", "--exclude-standard").splitlines()})


def concerned(changed: Iterable[str]) -> list[str]:
    """Files with tests, as paths in the checkout."""
    paths = {ROOT / name for name in changed}
    # What a module does is in another file than the module; the tests on the sandbox are named after the module.
    doors = {door for door in (ROOT / "plugins" / "modules").glob("*.py") if _imported(door) & set(map(_dotted, paths))}
    tests = [test for folder in ("unit", "integration", "generations") for test in sorted((ROOT / "tests" / folder).rglob("test_*.py"))]
    return [str(test.relative_to(ROOT)) for test in tests if any(_concerns(path, test) for path in paths | doors)]


def _concerns(path: Path, test: Path) -> bool:
    if path == test or (path.name == "conftest.py" and path.parent in test.parents):
        return True
    text = test.read_text()
    for folder, word in ((PLAYBOOKS, "playbook"), (ROLES, "playbook"), (GUIDES, "guide")):
        if folder in path.parents and word in text and any(re.search(rf'"{name}"|openshift_ai\.{name}\b', text) for name in _names(path)):
            return True
    if path.suffix != ".py":
        return f"/{path.name}" in text or f'"{path.name}"' in text
    return test.stem == f"test_{path.stem.lstrip('_')}" or _dotted(path) in _imported(test)


def _names(path: Path) -> list[str]:
    """By which names tests run a guide, a playbook, or the playbooks with a role."""
    if ROLES not in path.parents:
        return [path.stem]
    role = path.relative_to(ROLES).parts[0]
    return [playbook.stem for playbook in PLAYBOOKS.glob("*.yml") if f"openshift_ai.{role}\n" in playbook.read_text()]


def _dotted(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return f"{COLLECTION}.{name}" if name.startswith("plugins.") else name


@functools.cache
def _imported(path: Path) -> set[str]:
    """The full names of what a file imports: files, and what is in them."""
    return set(_imports(ast.parse(path.read_text())))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, text=True, capture_output=True, check=True).stdout
