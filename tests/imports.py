"""Imports every module that the plugins of an installed collection import, in whatever Python runs this: with nothing of the project but its path.

    python tests/imports.py COLLECTIONS

The plugins guard imports of packages that only some of their work needs, so that importing the plugins alone would not show that one is missing.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

# Ansible has it from 2.22 on; the plugins do without it where it is not.
OPTIONAL = {"ansible.module_utils.secrets"}


def imports(source: str) -> Iterator[tuple[str, list[str]]]:
    """The modules that some code imports anywhere, each with the names that it takes from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, [alias.name for alias in node.names]


def main(collections: Path) -> int:
    sys.path.insert(0, str(collections))
    plugins = sorted((collections / "ansible_collections" / "modelops" / "openshift_ai" / "plugins").rglob("*.py"))
    wanted = {(module, name) for plugin in plugins for module, names in imports(plugin.read_text()) for name in (names or [""])}
    wanted |= {(".".join(plugin.relative_to(collections).with_suffix("").parts), "") for plugin in plugins}
    missing = []
    for module, name in sorted(wanted):
        try:
            found = importlib.import_module(module)
            if name and not hasattr(found, name):
                importlib.import_module(f"{module}.{name}")
        except ImportError as error:
            if module not in OPTIONAL:
                missing.append(f"{module} {name}: {error}")
    print("\n".join(missing) or f"{len(wanted)} imports of {len(plugins)} plugins satisfied")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
