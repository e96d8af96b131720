"""Campaigns: many cases of one kind of trouble, far more than `make test` has time for. Each promise of the collection that they try is tried by a small
fixed part in `make test` too.

    make campaign [NAME=options] [SEED=1] [CASES=500] [ONLY='case 17']
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.layout import Layout

from .trials import Trials


@dataclass(frozen=True)
class Campaign:
    """One kind of trouble. `run` is a function of the file of that name: it gets the sandbox."""

    name: str
    # What no case may show otherwise.
    proves: str
    # How many cases there are, where they are chosen at random; otherwise the most that are run of those that there are.
    cases: int
    # The tests in which `make test` runs a small part of it.
    fixed_part: tuple[str, ...]

    @property
    def run(self) -> Callable[[Trials, Layout], None]:
        found: Callable[[Trials, Layout], None] = importlib.import_module(f"{__name__}.{self.name}").run
        return found


CAMPAIGNS = {
    campaign.name: campaign
    for campaign in (
        Campaign(
            "options",
            "Whatever is given as options is told in words, with its place, and never with a credential that is in it.",
            10_000,
            ("tests/unit/plugins/test_any_input.py",),
        ),
        Campaign(
            "kills",
            "A run that is killed after any of its writes is completed by the same run, which ends as it would have without that.",
            1000,
            (
                "tests/integration/test_registry_robust.py",
                "tests/integration/test_interleavings.py",
                "tests/integration/test_given_up_last.py",
            ),
        ),
        Campaign(
            "migrations",
            "A migration that is killed after any of its writes is completed by the same run: every answer of the registry is as before.",
            100,
            ("tests/integration/test_migrate.py", "tests/integration/test_move.py"),
        ),
        Campaign(
            "interleavings",
            "Two runs for the same registry lose nothing, whatever they do and wherever one of them was when the other went by.",
            500,
            ("tests/integration/test_interleavings.py",),
        ),
        Campaign(
            "broken_answers",
            "Whatever an answer of the API server becomes on its way: no error of Python, and the result says truly what was written.",
            10_000,
            ("tests/integration/test_broken_answers.py", "tests/unit/plugins/module_utils/test_client.py"),
        ),
        Campaign(
            "api_faults",
            "Whatever is wrong with the API server and from when on: the result says truly what was written, and the same run completes it afterwards.",
            10_000,
            ("tests/unit/plugins/module_utils/test_client.py", "tests/integration/test_model_registry.py"),
        ),
        Campaign(
            "catalog_files",
            "Whatever the files of the model catalog hold, the modules say what its server makes of them.",
            10_000,
            ("tests/unit/sandbox/test_catalog.py", "tests/unit/plugins/module_utils/test_catalog_rules.py"),
        ),
        Campaign(
            "clocks",
            "A server is restarted exactly when it is older than what it reads, also where the clocks of controller and node are ten minutes off.",
            6,
            ("tests/unit/plugins/module_utils/test_registry_plan.py",),
        ),
        Campaign(
            "secrets",
            "No password and no private key is in anything that a run prints at -vvvv with any callback, or in a file that is kept, on any ansible-core.",
            100,
            ("tests/integration/test_registry_robust.py", "tests/unit/plugins/plugin_utils/test_action.py"),
        ),
        Campaign(
            "live_objects",
            "Whatever the objects in a cluster hold, a run ends with a result or in words, and its result and the page show no secret and run nothing.",
            500,
            ("tests/integration/test_live_objects.py", "tests/integration/test_hostile_texts.py"),
        ),
    )
}
