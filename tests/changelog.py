"""Makes CHANGELOG.md of the fragments, for the version in galaxy.yml.

python -m sandbox.toolchain python tests/changelog.py [FOLDER]     the changelog of the checkout, or of a copy of the collection
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from sandbox.layout import ROOT
from tests import checks


def release(collection: Path) -> int:
    """Make the changelog in a folder with the collection and nothing else; the exit code of what makes it."""
    version = yaml.safe_load((collection / "galaxy.yml").read_text())["version"]
    known = yaml.safe_load((collection / "changelogs" / "changelog.yaml").read_text())["releases"].get(version)
    date = known["release_date"] if known else datetime.datetime.now(datetime.UTC).date().isoformat()
    update = ["--update-existing", "--refresh", "--reload-plugins"] if known else []
    return subprocess.run(["antsibull-changelog", "release", "--version", version, "--date", date, *update], cwd=collection, check=False).returncode


def main(folders: list[str]) -> int:
    if folders:
        return release(Path(folders[0]))
    # It copies everything that is in the folder, and a running sandbox has sockets in it.
    with tempfile.TemporaryDirectory() as folder:
        collection = Path(folder) / "collection"
        checks.copy_known_files(collection)
        code = release(collection)
        if not code:
            # Fragments are kept.
            for made in ("CHANGELOG.md", "changelogs/changelog.yaml"):
                shutil.copy(collection / made, ROOT / made)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
