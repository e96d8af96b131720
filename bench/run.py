"""Measure what the collection costs, as ratios to other ways of doing the same, side by side on the sandbox.

    python bench/run.py [--check] [NAME...]

It prints each figure with its limit, and what it was made from. With --check a figure beyond its limit is an error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import databases, one_registry, permissions
from bench.stand import Figure, Stand
from sandbox import lifecycle

BENCHES = {
    "no-change": one_registry.no_change,
    "create": one_registry.create,
    "permissions": permissions.no_change,
    "permissions-create": permissions.create,
    "database": databases.check,
    "silent-host": databases.silent_host,
    "bundle": databases.bundle,
}


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="bench/run.py", description="Measure the collection on the sandbox.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(BENCHES)} (default: everything)")
    parser.add_argument("--check", action="store_true", help="end with an error when a figure is beyond its limit")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    # A sandbox that runs already belongs to whoever started it.
    found = lifecycle.running()
    try:
        layout = found or lifecycle.up("3.x", "openshift")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            stand = Stand.on(layout, Path(folder))
            figures = [figure for name in options.names or BENCHES for figure in BENCHES[name](stand)]
    finally:
        if not found:
            lifecycle.down()
    print(_table(figures))
    return int(options.check and not all(figure.kept for figure in figures))


def _table(figures: list[Figure]) -> str:
    rows = [("", "measured", "limit", "from")]
    rows += [(figure.what, f"{figure.value:.3g}", f"{figure.limit:g}" + ("" if figure.kept else "  EXCEEDED"), figure.origin) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].ljust(widths[2]), row[3]]) for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
