"""Makes CHANGELOG.md of the fragments, for the version in galaxy.yml.

python -m sandbox.toolchain python tests/changelog.py
"""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    known = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text())["releases"].get(version)
    date = known["release_date"] if known else datetime.datetime.now(datetime.UTC).date().isoformat()
    update = ["--update-existing", "--refresh", "--reload-plugins"] if known else []
    return subprocess.run(["antsibull-changelog", "release", "--version", version, "--date", date, *update], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
