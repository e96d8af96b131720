"""Whatever the objects in a cluster hold: a small part of the campaign of that name, with a seed of its own.

It needs half a minute: registries are made of each state first, one with a generated database, one whose server fails again and again.
"""

from __future__ import annotations

from sandbox.layout import Layout
from tests.campaigns import live_objects
from tests.campaigns.trials import Trials


def test_a_run_ends_with_a_result_or_in_words_whatever_an_object_in_the_cluster_holds(layout: Layout) -> None:
    """It takes more than 20 s: twenty cases, in each of which several modules read what was changed."""
    trials = Trials(seed=7, limit=20)
    live_objects.run(trials, layout)
    assert trials.cases == 20 and trials.findings == [], trials.findings
