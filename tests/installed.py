"""The collections that are installed for the tests."""

from __future__ import annotations

import os
from pathlib import Path

[KUBERNETES_CORE] = [
    found for part in os.environ["ANSIBLE_COLLECTIONS_PATH"].split(os.pathsep) if (found := Path(part, "ansible_collections", "kubernetes", "core")).is_dir()
]


def link_kubernetes_core(collections: Path) -> None:
    """Install kubernetes.core into a folder `ansible_collections` as well: no module of ours runs without it."""
    (collections / "kubernetes").mkdir()
    (collections / "kubernetes" / "core").symlink_to(KUBERNETES_CORE)
