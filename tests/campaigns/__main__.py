"""Runs campaigns on the sandbox of this checkout, which is started when it does not run: `make campaign`.

python -m sandbox.toolchain python -m tests.campaigns [NAME...] [--seed NUMBER] [--cases NUMBER] [--only TEXT]
"""

from __future__ import annotations

import argparse
import sys
from unittest import mock

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from sandbox import faults, lifecycle

from . import CAMPAIGNS
from .trials import Trials

SEED = 20260501
# On a busy machine the API server answers late, which is no finding.
PATIENT = {"CONNECT_SECONDS": 120, "READ_SECONDS": 120, "REQUEST_SECONDS": 300}


def main(argv: list[str]) -> int:
    """The exit status: 1 when there is a finding."""
    parser = argparse.ArgumentParser(prog="make campaign", description="Run campaigns, all or those named.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CAMPAIGNS))
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed makes the same cases (default %(default)s)")
    parser.add_argument("--cases", type=int, help="how many cases of each campaign, instead of as many as it is made for")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the cases whose name contains this, such as that of a finding")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in CAMPAIGNS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(CAMPAIGNS)}")
    found = lifecycle.running()
    layout = found or lifecycle.up("3.x", "openshift")
    done: dict[str, Trials] = {}
    seconds: dict[str, float] = {}
    try:
        for name in options.names or CAMPAIGNS:
            campaign = CAMPAIGNS[name]
            print(f"==> {name}: {campaign.proves}", flush=True)
            faults.clear(layout)
            trials = done[name] = Trials(options.seed, options.cases or campaign.cases, options.only)
            try:
                with mock.patch.multiple(client, **PATIENT):
                    campaign.run(trials, layout)
            except Exception as error:
                trials.found("the campaign itself", error)
            faults.clear(layout)
            seconds[name] = trials.elapsed
            print(f"==> {name}: {trials.cases} cases, {seconds[name]:.0f} s, {len(trials.findings)} findings", flush=True)
    finally:
        if not found:
            lifecycle.down()
    print(f"\nseed {options.seed}\n{'campaign':16} {'cases':>7} {'seconds':>8} {'findings':>9}")
    for name, trials in done.items():
        print(f"{name:16} {trials.cases:7} {seconds.get(name, 0):8.0f} {len(trials.findings):9}")
        for reason in trials.not_run:
            print(f"  NOT RUN: {reason}")
        for finding in trials.findings:
            print(f"  {finding.case}: make campaign NAME={name} SEED={options.seed} ONLY='{finding.case}'")
    return 1 if any(trials.findings for trials in done.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
