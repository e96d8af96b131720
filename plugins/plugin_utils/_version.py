# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of this collection runs."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import yaml


@functools.cache
def collection_version() -> str:
    """The version of this collection: of a built one from its manifest, of a checkout from what it is built by."""
    root = Path(__file__).resolve().parents[2]
    manifest = root / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"])
