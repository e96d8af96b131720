# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait until registries are available: for many as long as the slowest one takes, with as few requests as for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import _errors, _texts
from .._cluster import registry_reader, wait
from .._model import kinds, live_state, manifests, server_pods
from .._plan import record
from . import observation, readiness

if TYPE_CHECKING:
    from .._cluster import snapshots

# How many are looked at closely in one round: each takes requests of its own.
CLOSELY = 20
# A line of progress names no more registries than that.
NAMED = 3
TROUBLE = ("CrashLoopBackOff", "CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def wait_for_all(
    first: snapshots.Snapshot,
    outcomes: Mapping[str, record.Outcome],
    patient: Collection[str],
    seconds: float,
    settled: Callable[[str, readiness.Verdict, readiness.Observation], None],
    pool: Executor,
    waited: float = 0.0,
) -> None:
    """Look at the registries of these outcomes, first as a snapshot shows them, and call `settled` for each as soon as it is known how it ends.

    Those that are `patient` are waited for, up to this many seconds, or if nothing of them was changed, since their last change; the others are settled by
    the first look. Each outcome gets the status. `waited` is how many of these seconds have passed already.
    """
    started = time.monotonic()
    deadline = started + seconds - waited
    pending = list(outcomes)
    # When each was looked at closely, and what was seen; and until when it is waited for.
    closely: dict[str, tuple[float, readiness.Observation]] = {}
    ends: dict[str, float] = {}
    # What had been started of each before the wait. The pods of a change are as new as it is.
    baselines: dict[str, Mapping[str, int]] = {name: {} for name, outcome in outcomes.items() if outcome.makes_pods}
    now = first
    following: snapshots.Snapshot | None = first

    def look(is_last: bool) -> str:
        """One look at all that are pending; why some are still."""
        nonlocal now, following, pending
        now, following = following or now.until(deadline), None
        observed = {name: observation.look_at(now, name, baseline=baselines.get(name)) for name in pending}
        baselines.update({name: seen.baseline for name, seen in observed.items()})
        for name in observed.keys() - ends.keys():
            patience = seconds if outcomes[name].changes else observation.patience(observed[name], seconds, now.cluster.now)
            ends[name] = min(deadline, started + patience)
        due = [name for name in pending if readiness.needs_explanation(observed[name]) and is_due(name, observed[name])]
        later = [] if is_last else [name for name in due if name in patient][CLOSELY:]
        chosen = [name for name in due if name not in later]
        for name, seen in zip(chosen, pool.map(lambda name: observation.explained(now, observed[name], outcomes[name]), chosen)):
            closely[name] = time.monotonic(), seen
        observed = {name: with_explanation(seen, closely[name][1]) if name in closely else seen for name, seen in observed.items()}
        pending = []
        reasons: dict[str, list[str]] = {}
        for name, seen in observed.items():
            verdict = readiness.judge(seen)
            outcomes[name].status = observation.status_of(seen, verdict)
            is_over = is_last or name not in patient or (time.monotonic() >= ends[name] and name not in later)
            if verdict.available or verdict.final or is_over:
                settled(name, verdict, seen)
            else:
                pending.append(name)
                reasons.setdefault(verdict.reason, []).append(name)
        most = sorted(reasons.items(), key=lambda entry: -len(entry[1]))[:3]
        told = "; ".join(f"{len(names)}{f' ({_texts.names_of(names)})' if len(names) <= NAMED else ''} because {reason}" for reason, names in most)
        return f"{len(pending)} of {len(outcomes)}: {told}" if pending else ""

    def is_due(name: str, seen: readiness.Observation) -> bool:
        if name not in patient:
            # What was written just now needs its time.
            return is_in_trouble(seen) or not outcomes[name].changes
        moment = time.monotonic()
        if moment >= ends[name]:
            return True
        if name in closely:
            return moment - closely[name][0] >= observation.PATIENCE
        return is_in_trouble(seen) or started + observation.PATIENCE <= moment

    watched = [
        (first.capabilities.api, first.namespace, {}),
        (kinds.DEPLOYMENTS, first.namespace, {}),
        (kinds.PODS, first.namespace, {"labelSelector": server_pods.POD_LABELS}),
    ]
    if not seconds:
        look(True)
        return
    missing = wait.until(look, first.cluster, deadline, watched)
    if pending:
        # The last look failed.
        raise _errors.ClusterError(missing)


def with_explanation(seen: readiness.Observation, before: readiness.Observation) -> readiness.Observation:
    """An observation with what an earlier one tells of the same start of a server, as long as that can explain anything."""
    one, other = (server_pods.starts(pod for pod in [server_pods.newest_pod(observation.pods)] if pod) for observation in (seen, before))
    if one != other or not readiness.needs_explanation(seen):
        return seen
    return replace(seen, log=before.log, previous_log=before.previous_log, events=before.events, database_pods=before.database_pods)


def is_in_trouble(seen: readiness.Observation) -> bool:
    """Whether the server has ended before, or a container of its newest pod cannot be started."""
    statuses = manifests.at(server_pods.newest_pod(seen.pods), ("status", "containerStatuses")) or []
    return any(status.get("restartCount") or manifests.at(status, ("state", "waiting", "reason")) in TROUBLE for status in statuses)


class NotAvailableError(_errors.ReportedError):
    """The registry is not available, although it was written or waited for; `unchanged` when this run had nothing to write."""

    def __init__(
        self, name: str, verdict: readiness.Verdict, seconds: float, seen: readiness.Observation, explanation: str = "", unchanged: bool = False
    ) -> None:
        ended = f"The wait ended after {seconds:.0f} s (wait_timeout)"
        if verdict.final:
            ended = "The wait ended early, because waiting longer would not fix the problem"
        elif unchanged:
            ended = (
                f"This run did not change the registry, and its last change was more than {seconds:.0f} s (wait_timeout) ago: the module did not wait again."
                " If the cause is fixed, run again after the next start of its server, within 5 minutes"
            )
        previous = "The previous pod is still running with the previous configuration." if server_pods.previous_runs(seen.pods) else ""
        parts = (f"registry {name!r} is not available: {verdict.sentence()}", previous, f"{ended}.", explanation)
        super().__init__(" ".join(part for part in parts if part))
        self.verdict = verdict


def wait_until_available(
    reader: registry_reader.Reader,
    name: str,
    seconds: float,
    outcome: record.Outcome,
    unchanged: live_state.Live | None = None,
    explain: Callable[[], str] = lambda: "",
    waited: float = 0.0,
) -> None:
    """Wait until the registry is available; with 0 seconds only report whether it does.

    What was read just now, and not written, is not read again at first. `explain` adds to the NotAvailableError what else is known. `waited` is how many of
    these seconds have passed already.
    """

    started = time.monotonic()
    deadline = started + seconds - waited
    # Of one that was not written, only what is left of the time since its last change is waited for.
    ends = deadline if unchanged is None else None
    known, now = unchanged, reader
    last: tuple[readiness.Observation, readiness.Verdict] | None = None
    # The pods of a change are as new as it is.
    baseline: Mapping[str, int] | None = {} if outcome.makes_pods else None

    def not_available(seen: readiness.Observation, verdict: readiness.Verdict) -> NotAvailableError:
        return NotAvailableError(name, verdict, seconds, seen, explain(), unchanged is not None)

    def look(_is_last: bool) -> str:
        nonlocal ends, known, now, last, baseline
        seen = observation.look_at(now, name, known, baseline)
        if readiness.needs_explanation(seen):
            seen = observation.explained(now, seen, outcome)
        baseline = seen.baseline
        verdict = readiness.judge(seen)
        outcome.status = observation.status_of(seen, verdict)
        known, last, now = None, (seen, verdict), reader.until(deadline)
        if verdict.available:
            return ""
        if ends is None:
            ends = started + observation.patience(seen, seconds, now.cluster.now)
        if seconds and (verdict.final or time.monotonic() >= ends):
            raise not_available(seen, verdict)
        return verdict.reason

    if not seconds:
        look(True)
        return
    named = {"fieldSelector": f"metadata.name={name}"}
    watched = [(reader.capabilities.api, reader.namespace, named), (kinds.DEPLOYMENTS, reader.namespace, named)]
    if registry_reader.can_be_label(name):
        watched.append((kinds.PODS, reader.namespace, {"labelSelector": f"app={name},{server_pods.POD_LABELS}"}))
    missing = wait.until(look, reader.cluster, deadline, watched, f"registry {name!r}: ")
    if missing:
        if last is None:
            raise _errors.ClusterError(missing)
        raise not_available(*last)
