"""Builds the site: the modules from their documentation, the guides of docs/docsite/rst. A warning is an error, and nothing is fetched.

    python -m sandbox.toolchain python docs/build.py [FOLDER]     docs/build/html when no folder is given

It needs antsibull-docs and Sphinx on PATH, and this collection in ANSIBLE_COLLECTIONS_PATH.
"""

from __future__ import annotations

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


def inventory() -> bytes:
    """The labels in the form that Sphinx reads, its inventory version 2."""
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: latest\n# The remainder of this file is compressed using zlib.\n"
    lines = (f"{label} std:label -1 {page}#{label.replace('_', '-')} {label.replace('_', ' ')}\n" for label, page in LABELS.items())
    return head.encode() + zlib.compress("".join(lines).encode())


def main(target: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        shutil.copy(DOCS / "conf.py", source)
        (source / "ansible.inv").write_bytes(inventory())
        generated = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version", "--dest-dir", str(source))
        site = ("-b", "html", "-q", "-W", "--keep-going", "--jobs", "auto", "-d", str(Path(folder, "doctrees")), str(source), str(target))
        for command in (["antsibull-docs", "collection", *generated, COLLECTION], ["sphinx-build", *site]):
            if code := subprocess.run(command, cwd=folder, check=False).returncode:
                return code
    print(f"{target / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else DOCS / "build" / "html").resolve()))
