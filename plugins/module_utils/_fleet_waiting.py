# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for many registries together: as long as the slowest one takes, with as few requests as for one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Protocol

from ansible_collections.modelops.openshift_ai.plugins.module_utils import (
    _cluster,
    _manifests,
    _plan,
    _readiness,
    _reading,
    _snapshot,
    _waiting,
    _writing,
)

# A server that has not started after this many seconds is looked at closely, and again after as many; one that is in trouble at once.
PATIENCE = 5
# How many are looked at closely in one round: each takes requests of its own.
CLOSELY = 20
# Changes that come together are looked at together.
PAUSE = 0.2
TROUBLE = ("CrashLoopBackOff", "CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff", "InvalidImageName")


class Narrator(Protocol):
    """Who is told what is being done."""

    def say(self, message: str) -> None:
        """Something that happens a few times in a run."""

    def state(self, text: str, at_once: bool = False) -> None:
        """How far it is, as often as one likes; what is to be shown `at_once` is not left out for what was shown just before."""


def wait_for_all(
    first: _snapshot.Snapshot,
    outcomes: Mapping[str, _writing.Outcome],
    patient: Collection[str],
    seconds: float,
    settled: Callable[[str, _readiness.Verdict, _readiness.Observation], None],
    pool: Executor,
    narrator: Narrator,
) -> None:
    """Look at the registries of these outcomes, first as a snapshot shows them, and call `settled` for each as soon as it is known how it ends.

    Those that are `patient` are waited for, up to this many seconds; the others are settled by the first look. Each outcome gets the status.
    """
    deadline = time.monotonic() + seconds
    pending = list(outcomes)
    # When each was looked at closely, and what was seen.
    closely: dict[str, tuple[float, _readiness.Observation]] = {}
    # What had been started of each before the wait. The pods of a change are as new as it is.
    baselines: dict[str, Mapping[str, int]] = {name: {} for name, outcome in outcomes.items() if outcome.makes_pods}
    now = first

    def look(round_ends_all: bool) -> list[str]:
        """One look at all that are pending; those that are still."""
        observed = {name: _waiting.look_at(now, name, baseline=baselines.get(name)) for name in pending}
        baselines.update({name: seen.baseline for name, seen in observed.items()})
        due = [name for name in pending if _readiness.needs_explanation(observed[name]) and is_due(name, observed[name])]
        later = [] if round_ends_all else [name for name in due if name in patient][CLOSELY:]
        chosen = [name for name in due if name not in later]
        for name, seen in zip(chosen, pool.map(lambda name: _waiting.explained(now, observed[name], outcomes[name]), chosen)):
            closely[name] = time.monotonic(), seen
        observed = {name: with_explanation(seen, closely[name][1]) if name in closely else seen for name, seen in observed.items()}
        left = []
        reasons: Counter[str] = Counter()
        for name, seen in observed.items():
            verdict = _readiness.judge(seen)
            outcomes[name].status = _waiting.status_of(seen, verdict)
            if verdict.serving or round_ends_all or name not in patient or verdict.final:
                settled(name, verdict, seen)
            else:
                left.append(name)
                reasons[verdict.reason] += 1
        if left:
            told = "; ".join(f"{count} because {reason}" for reason, count in reasons.most_common(3))
            # That waiting begins is said whatever was said just before.
            narrator.state(f"waiting for {len(left)} of {len(outcomes)}: {told}", at_once=now is first)
        return left

    def try_to_look(round_ends_all: bool) -> list[str]:
        """As `look`, but what may pass until the next round does not end the wait."""
        try:
            return look(round_ends_all)
        except _cluster.ClusterError as error:
            if round_ends_all or not error.may_pass:
                raise
            narrator.state(f"waiting for {len(pending)} of {len(outcomes)}: {error}")
            return pending

    def is_due(name: str, seen: _readiness.Observation) -> bool:
        if name not in patient:
            # What was written just now needs its time.
            return is_in_trouble(seen) or not outcomes[name].changes
        if time.monotonic() >= deadline:
            return True
        if name in closely:
            return time.monotonic() - closely[name][0] >= PATIENCE
        return is_in_trouble(seen) or deadline - seconds + PATIENCE <= time.monotonic()

    pending = try_to_look(not seconds)
    if not pending:
        return
    watched = [
        (now.capabilities.api, now.namespace, {}),
        (_plan.DEPLOYMENTS, now.namespace, {}),
        (_reading.PODS, now.namespace, {"labelSelector": _readiness.POD_LABELS}),
    ]
    with now.cluster.changes(watched, seconds) as changed:
        while pending:
            now.cluster.before_writing()
            changed.clear()
            started = time.monotonic()
            now = now.renewed
            pending = try_to_look(started >= deadline)
            left = deadline - time.monotonic()
            if pending and left > 0:
                # Not more than half of the time is spent on looking.
                time.sleep(min(left, max(PAUSE, time.monotonic() - started)))
                changed.wait(max(0.0, min(_waiting.LOG_SECONDS, deadline - time.monotonic())))


def with_explanation(seen: _readiness.Observation, before: _readiness.Observation) -> _readiness.Observation:
    """An observation with what an earlier one tells of the same start of a server, as long as that can explain anything."""
    one, other = (_readiness.starts(pod for pod in [_readiness.newest_pod(observation.pods)] if pod) for observation in (seen, before))
    if one != other or not _readiness.needs_explanation(seen):
        return seen
    return replace(seen, log=before.log, previous_log=before.previous_log, events=before.events, database_pods=before.database_pods)


def is_in_trouble(seen: _readiness.Observation) -> bool:
    """Whether the server has ended before, or a container of its newest pod cannot be started."""
    statuses = _manifests.at(_readiness.newest_pod(seen.pods), ("status", "containerStatuses")) or []
    return any(status.get("restartCount") or _manifests.at(status, ("state", "waiting", "reason")) in TROUBLE for status in statuses)
