"""The collections that are installed for the tests, and Ansible."""

from __future__ import annotations

import os
from pathlib import Path

import ansible

[KUBERNETES_CORE] = [
    found for part in os.environ["ANSIBLE_COLLECTIONS_PATH"].split(os.pathsep) if (found := Path(part, "ansible_collections", "kubernetes", "core")).is_dir()
]


def link_kubernetes_core(collections: Path) -> None:
    """Install kubernetes.core into a folder `ansible_collections` as well: no module of ours runs without it."""
    (collections / "kubernetes").mkdir()
    (collections / "kubernetes" / "core").symlink_to(KUBERNETES_CORE)


def environment() -> dict[str, str]:
    """The environment of this process, whose PYTHONPATH has no collections, but Ansible: with `ansible-test` it is nowhere else."""
    return os.environ | {"PYTHONPATH": str(Path(ansible.__file__).parents[1])}
