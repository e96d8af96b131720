"""Where the objects are that the product's own operator made, to compare the sandbox's with."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.layout import ROOT

FOLDER = Path(os.environ.get("SANDBOX_GOLDEN") or ROOT.parent / "shared" / "golden")


def files(pattern: str, without: str = "") -> list[Path]:
    """The files of the folder with such names; none where there is no folder."""
    return sorted(file for file in FOLDER.glob(pattern) if file.name != without)
