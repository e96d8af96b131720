"""Measure what the collection costs, as ratios to other ways of doing the same, side by side on the sandbox.

    python bench/run.py [--check] [NAME...]

It prints each figure with its limit, and what it was made from, and writes them to bench/results, with a plot of what depends on the number of registries.
With --check a figure beyond its limit is an error.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench import catalog, data, databases, fleet, one_registry, permissions, playbooks, report
from bench.stand import Stand
from sandbox import lifecycle, toolchain
from sandbox.layout import ROOT
from tests import warm

BENCHES = {
    "no-change": one_registry.no_change,
    "create": one_registry.create,
    "permissions": permissions.no_change,
    "permissions-create": permissions.create,
    "database": databases.check,
    "silent-host": databases.silent_host,
    "bundle": databases.bundle,
    "data": data.million_rows,
    "writes-held": data.writes_held,
    "catalog": catalog.no_change,
    "catalog-size": catalog.size,
    "fleet-one": fleet.one,
    "fleet-wait": fleet.wait,
    "fleet-create": fleet.create,
    "fleet-no-change": fleet.no_change,
    "playbook-converge": playbooks.converge,
    "fleet-growth": fleet.growth,
    # With the registries of the one before.
    "playbook-check-report": playbooks.check_and_report,
}


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="bench/run.py", description="Measure the collection on the sandbox.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(BENCHES)} (default: everything)")
    parser.add_argument("--check", action="store_true", help="end with an error when a figure is beyond its limit")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    # What a user would do instead is started too.
    os.environ[warm.COLD] = "1"
    # A sandbox that runs already belongs to whoever started it.
    found = lifecycle.running()
    try:
        layout = found or lifecycle.up("3.x", "openshift")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            stand = Stand.on(layout, Path(folder))
            figures = []
            try:
                for name in options.names or BENCHES:
                    toolchain.say(name)
                    figures += BENCHES[name](stand)
            finally:
                if found:
                    stand.afterwards.close()
    finally:
        if not found:
            lifecycle.down()
    print(report.table(figures))
    for file in report.write(figures):
        print(file.relative_to(ROOT))
    return int(options.check and not all(figure.kept for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
