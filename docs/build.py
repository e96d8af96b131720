"""Builds the site: the modules from their documentation, the guides of docs/docsite/rst, the playbooks from themselves. A warning is an error, and nothing is
fetched.

    python -m sandbox.toolchain python docs/build.py [FOLDER]     docs/build/html when no folder is given

It needs antsibull-docs and Sphinx on PATH, and this collection in ANSIBLE_COLLECTIONS_PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
COLLECTION = "modelops.openshift_ai"
# Labels of Ansible's documentation that antsibull-docs refers to, with their pages.
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
# The pages that list plugins, by the kind of the plugin.
LISTS = {
    "module": ("Modules", "Use the modules in your own playbooks and roles. The attributes on each page state whether check mode and diff mode are supported."),
    "role": ("Roles", "The roles call one or two modules each. The playbooks of the collection call the roles."),
    "filter": ("Filters", "The playbooks and roles of the collection use these filters. You can also use them in your own playbooks."),
}


def inventory() -> bytes:
    """The labels in the form that Sphinx reads, its inventory version 2."""
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: latest\n# The remainder of this file is compressed using zlib.\n"
    lines = (f"{label} std:label -1 {page}#{label.replace('_', '-')} {label.replace('_', ' ')}\n" for label, page in LABELS.items())
    return head.encode() + zlib.compress("".join(lines).encode())


def plugin_list(kind: str, index: str) -> str:
    """The page that lists the plugins of a kind, from the index that antsibull-docs wrote; in the sidebar they have short names."""
    title, introduction = LISTS[kind]
    found = re.findall(rf"^\* :ansplugin:`(\w+) {kind} <[^>]+>` -- (.+)$", index, re.MULTILINE)
    rows = "\n".join(f"   * - :ansplugin:`{name} <{COLLECTION}.{name}#{kind}>`\n     - {summary}" for name, summary in found)
    entries = "\n".join(f"   {name} <{name}_{kind}>" for name, _summary in found)
    table = f".. list-table::\n   :header-rows: 1\n   :class: summary\n\n   * - {title[:-1]}\n     - Description\n{rows}"
    return f"{title}\n{'=' * len(title)}\n\n{introduction}\n\n{table}\n\n.. toctree::\n   :hidden:\n\n{entries}\n"


def links(source: Path) -> dict[str, str]:
    """What guides name, with the links to it: modules, options of a registry, variables of roles. An ambiguous name is omitted."""
    modules = [path.stem.removesuffix("_module") for path in source.glob("*_module.rst")]
    # Only with its section: `host` is an option of the connection as well as of the database.
    options = re.findall(r"__parameter-((?:database|permissions)/[\w/]+):", (source / "model_registry_module.rst").read_text())
    paths = [option.replace("/", ".") for option in options]
    variables = [
        (role.stem.removesuffix("_role"), entry_point, name)
        for role in source.glob("*_role.rst")
        for entry_point, name in re.findall(r"__parameter-(main)__(\w+):", role.read_text())
    ]
    found = {name: f":ansopt:`{COLLECTION}.{role}#role:{entry_point}:{name}`" for role, entry_point, name in variables}
    found |= {path: f":ansopt:`{COLLECTION}.model_registry#module:{path}`" for path in paths}
    return found | {name: f":ansplugin:`{name} <{COLLECTION}.{name}#module>`" for name in modules}


def main(target: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        # A path of its own: Ansible finds no roles where the checkout already is in a folder named ansible_collections.
        link = Path(folder, "ansible_collections", *COLLECTION.split("."))
        link.parent.mkdir(parents=True)
        link.symlink_to(DOCS.parent)
        path = os.pathsep.join([folder, os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")])
        generated = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version", "--dest-dir", str(source))
        if code := _run(folder, path, "antsibull-docs", "collection", *generated, COLLECTION):
            return code
        sys.path[:0] = [str(DOCS.parent), folder]
        from docs import playbooks, sample

        for kind in LISTS:
            (source / f"{kind}s.rst").write_text(plugin_list(kind, (source / "index.rst").read_text()))
        try:
            (source / "playbooks.rst").write_text(playbooks.page())
        except playbooks.Disagreement as error:
            print(error, file=sys.stderr)
            return 1
        (source / "links.json").write_text(json.dumps(links(source)))
        (source / "environment_variables.rst").unlink()
        for name in ("conf.py", "site/index.rst"):
            shutil.copy(DOCS / name, source)
        shutil.copytree(DOCS / "site" / "static", source / "static")
        shutil.copytree(DOCS.parent / "examples", source / "examples")
        (source / "ansible.inv").write_bytes(inventory())
        site = ("-b", "html", "-q", "-W", "--keep-going", "--jobs", "auto", "-d", str(Path(folder, "doctrees")), str(source), str(target))
        if code := _run(folder, path, "sphinx-build", *site):
            return code
        (target / "report.html").write_text(sample.page())
    print(f"{target / 'index.html'}")
    return 0


def _run(folder: str, path: str, *command: str) -> int:
    return subprocess.run(command, cwd=folder, env=os.environ | {"ANSIBLE_COLLECTIONS_PATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else DOCS / "build" / "html").resolve()))
