# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server of the model catalog makes of a change: waited for, and put back where the whole catalog is unavailable because of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from .. import _errors, _texts
from .._cluster import client, visibility, wait, writes
from .._model import catalog, catalog_merged, desired_state, kinds, manifests, server_pods
from .._plan import catalog_view, changeset, record, restarts
from .._rest import catalog_server
from .._status import symptoms

# What a kubelet needs to bring a change into a pod is up to a minute and a half, so that looking more often shows nothing.
POLL_SECONDS = 3.0
# A pod that does not accept a file is seen not to be ready after fifteen seconds.
REFUSED_SECONDS = 40.0
READ = "Config file changed"
# A source has its status a moment after its values.
SETTLE_SECONDS = 6.0
# Of its log, in which it notes every request: those of probes alone are two in five seconds.
LINES = 500
# Where the ConfigMaps are mounted in the server's pod.
MOUNT = re.compile(r"/data/(?:user-(model|mcp|agent)-sources|labeled-sources/([^/\s]+))/")
UNKNOWN = "it is not known whether the catalog server shows the change"
WHEN_SLOW = "A change can take up to two minutes. Check the pod of Deployment 'model-catalog' and its log"
FAILED = re.compile(r"unable to reload|^Error: |^panic: ")
# The server names the file that it reads last, whichever of the two was changed.
SAME_LABEL = re.compile(r"label with name '(.*)' already exists from another origin")
RELOAD = "unable to reload"
DEPLOYMENT = "model-catalog"
BY_PLACE = "The catalog server cannot read the labels of several ConfigMaps again"


class NotShownError(_errors.ReportedError):
    """The change was written, and the catalog server does not show it, or refuses it."""


@dataclass(frozen=True)
class Written:
    """One write: the ConfigMap as it was (None for a new one), and the API server's answer."""

    change: changeset.Change
    before: manifests.Manifest | None
    after: manifests.Manifest


@dataclass(frozen=True)
class Evidence:
    """Why the server is not ready, in its own words, with the ConfigMap that they name; empty for none."""

    line: str
    config_map: str = ""
    # About a label that is there twice, and one that the server only takes for such a one.
    of_label: bool = False
    is_mistaken: bool = False


@dataclass
class Rollout:
    """Begun before the first write: only then is it known what is new."""

    cluster: client.Cluster
    before: catalog_view.Live
    outcome: record.Outcome
    server: catalog_server.Server | None = None
    shown: dict[str, dict[str, catalog_server.Shown]] = field(default_factory=dict)
    pod: manifests.Manifest | None = None
    lines: frozenset[str] = frozenset()
    # What the log of each pod has said of files since then, in its order.
    said: dict[str, dict[str, None]] = field(default_factory=dict)
    refused_at: float | None = None
    # Since when it shows other labels than it has to, the pod that was there when it was restarted last, and the ConfigMaps that are known.
    mislabelled_at: float | None = None
    replaced: str = ""
    known: frozenset[str] = frozenset()
    # What it showed last.
    latest: dict[str, dict[str, catalog_server.Shown]] = field(default_factory=dict)

    @classmethod
    def begin(cls, cluster: client.Cluster, before: catalog_view.Live, outcome: record.Outcome) -> Rollout:
        """Note what the server shows, and whether it is ready. Where it cannot be asked, a warning says why."""
        made = cls(cluster, before, outcome)
        if not before.generation.tells_status:
            outcome.warn([f"{UNKNOWN}: the catalog server of OpenShift AI {before.generation.version} does not report the status of sources"])
            return made
        try:
            made.server = catalog_server.find(cluster, before.namespace)
            made.shown = made._look(made.server)
        except catalog_server.NoAnswerError as error:
            if not error.is_down:
                made.server = None
                outcome.warn([f"{UNKNOWN}: {error}"])
        if made.server is not None:
            made.pod = made._newest_pod()
            made.lines = frozenset(made._log(made.pod, False)) if made.pod else frozenset()
        return made

    def finish(self, written: Sequence[Written], after: catalog_view.Live, seconds: float, may_restore: bool) -> None:
        """Wait until the server shows what was written. NotShownError where it refuses it, or does not show it in time."""
        server = self.server
        if server is None:
            return
        self.known = frozenset(after.view.files)
        changed = self._changed(after)
        added = _labels(after.view).keys() - _labels(self.before.view).keys()
        may_be_stale = max(len(live.view.labelled) for live in (self.before, after)) > 1
        live_since: dict[tuple[str, str], float] = {}
        is_first = was_shown = True

        def look(is_last: bool) -> str:
            nonlocal is_first, was_shown
            evidence = self._evidence(written, added)
            if evidence and not evidence.is_mistaken:
                raise NotShownError(self._put_back(written, evidence, may_restore))
            missing = visible(is_last)
            was_shown, is_first = was_shown and (not is_first or not missing), False
            missing = missing or ("" if is_last else self._unread(written, added, was_shown))
            if why := evidence.line if evidence else self._stale(written) if missing and may_be_stale else "":
                missing = self._restart(why)
            return missing

        def visible(is_last: bool) -> str:
            try:
                shown = self.latest = self._look(server)
                of_sources = (self._missing(server, key, after, shown, live_since, is_last) for key in changed)
                return next(filter(None, of_sources), "") or self._missing_label(server, after)
            except catalog_server.NoAnswerError as error:
                return str(error)

        # The last look of a wait is at its deadline, when a server that refuses a file has long stopped to be ready.
        missing = wait.until(look, self.cluster, time.monotonic() + seconds, what="the catalog server: ", poll=lambda: POLL_SECONDS)
        if missing:
            raise NotShownError(f"the catalog server does not show the change after {seconds:.0f} s (wait_timeout): {missing}. {WHEN_SLOW}")

    # What is expected

    def _changed(self, after: catalog_view.Live) -> list[tuple[str, str]]:
        """The sources that the server has to show in another way than before."""
        known = {**self.before.view.sources, **after.view.sources}
        return [key for key in known if _content(self.before.view, key) != _content(after.view, key)]

    def _look(self, server: catalog_server.Server) -> dict[str, dict[str, catalog_server.Shown]]:
        return {kind.name: server.sources(kind) for kind in self.before.generation.kinds}

    def _missing(
        self,
        server: catalog_server.Server,
        key: tuple[str, str],
        after: catalog_view.Live,
        shown: Mapping[str, Mapping[str, catalog_server.Shown]],
        live_since: dict[tuple[str, str], float],
        is_last: bool,
    ) -> str:
        """What the server does not show yet of a source, in words. NotShownError where it has refused it."""
        kind, identity = key
        source, item = after.view.sources.get(key), shown.get(kind, {}).get(identity)
        what = f"source {identity!r}"
        if source is None or item is None:
            return "" if source is None and item is None else f"{what} is {'still' if source is None else 'not'} shown"
        if differs(source, item):
            return f"{what} is shown with its previous values"
        if not source.is_enabled:
            return ""
        expected = _names(after.view, source)
        if item.status is None:
            # The parts of the server that load each kind of sources now and then remove the status of a new source, which stays without one then.
            names = server.names(source.kind, identity)
            # What a new source of Hugging Face has to show is not known.
            is_loaded = names == expected if expected else bool(names) and expected is None and identity not in self.shown.get(kind, {})
            return "" if is_loaded else f"{what} has not been loaded, or the catalog server has lost its status"
        if item.status == "error":
            old = self.shown.get(kind, {}).get(identity)
            is_old = old is not None and (old.status, old.error) == (item.status, item.error)
            since = live_since.setdefault(key, time.monotonic())
            was_reloaded = old is not None and differs(source, old)
            if is_last or not is_old or (was_reloaded and time.monotonic() - since >= SETTLE_SECONDS):
                raise NotShownError(f"{what} was written, but the catalog server cannot load it: {_texts.line(item.error or 'it does not report the reason')}")
            return f"{what} still has the status error"
        if expected is not None and source.kind is catalog.MODEL and item.status == "available" and server.names(source.kind, identity) != expected:
            return f"{what} is shown with its previous {source.kind.entries}"
        if item.status == "partially-available":
            self.outcome.warn([f"source {identity!r}: the catalog server could not load everything: {_texts.line(item.error or '')}"])
        return ""

    def _missing_label(self, server: catalog_server.Server, after: catalog_view.Live) -> str:
        """Which label that was changed the server does not show yet, in words."""
        before, wanted = _labels(self.before.view), _labels(after.view)
        changed = [name for name in {**before, **wanted} if before.get(name) != wanted.get(name)]
        if not changed:
            return ""
        shown = {label.get("name"): label for label in server.labels(after.generation.kinds)}
        missing = [name for name in changed if shown.get(name) != wanted.get(name)]
        self.mislabelled_at = (self.mislabelled_at or time.monotonic()) if missing else None
        return f"label {missing[0]!r} is shown as before" if missing else ""

    # When it goes down

    def _newest_pod(self) -> manifests.Manifest | None:
        selector = "app=model-catalog,app.kubernetes.io/name=model-catalog"
        pods = visibility.seen(lambda: self.cluster.items(kinds.PODS, self.before.namespace, labelSelector=selector), [], self._unseen("the pods"))
        return server_pods.newest_pod(tuple(pods))

    def _log(self, pod: manifests.Manifest, previous: bool) -> list[str]:
        name = manifests.name_of(pod)
        read = visibility.seen(lambda: self.cluster.log(self.before.namespace, name, "catalog", previous, LINES), "", self._unseen("the log"))
        return [line for line in read.splitlines() if line.strip()]

    def _said(self, pod: manifests.Manifest) -> list[str]:
        """What the log of a pod has said of files since the run began. What it has said once counts, although its last lines may be about requests by now."""
        said = self.said.setdefault(_uid(pod), {})
        said.update(dict.fromkeys(line for line in self._log(pod, False) if line not in self.lines and (READ in line or FAILED.search(line))))
        return list(said)

    def _unseen(self, what: str) -> Callable[[str], None]:
        told = f"{what} of the catalog server, which can contain the reason if it becomes unavailable, could not be read"

        def tell(why: str) -> None:
            self.outcome.warn([f"{told}: {why}"])

        return tell

    def _evidence(self, written: Iterable[Written], added: Collection[Any]) -> Evidence | None:
        """What says that the server is not ready because of what was written, or of the labels that it added; None where nothing does."""
        pod = self._newest_pod()
        if pod is None or server_pods.is_ready(pod) or _uid(pod) == self.replaced:
            return None
        starts, before = _restarts(pod), _restarts(self.pod) if self.pod and _uid(self.pod) == _uid(pod) else 0
        lines = self._said(pod)
        if starts > before:
            lines += self._log(pod, True)
        names = {one.change.name for one in written}
        was_ready = self.pod is not None and server_pods.is_ready(self.pod)
        mistaken = ""
        for line in filter(FAILED.search, lines):
            config_map = _config_map_of(line)
            if self._is_mistaken(pod, line):
                mistaken = mistaken or line
            elif _is_blamed(line, names, added) or (not config_map and was_ready and line.startswith("panic: ")):
                return Evidence(_shown(line), config_map if config_map in names else "", SAME_LABEL.search(line) is not None)
        return Evidence(_shown(mistaken), is_mistaken=True) if mistaken else None

    def _is_mistaken(self, pod: manifests.Manifest, line: str) -> bool:
        """Whether a server that runs takes a label for one that is there twice, in files all of which are known.

        It knows the labels of a file by their places in one list, and does not correct them when it reads another file again.
        """
        containers = manifests.at(pod, ("spec", "containers")) or []
        arguments = [argument for container in containers for argument in container.get("args") or ()]
        return bool(SAME_LABEL.search(line)) and RELOAD in line and {_config_map_of(argument) for argument in arguments} <= {"", *self.known}

    def _stale(self, written: Iterable[Written]) -> str:
        """Why only a restart makes a server that is ready show the labels of several files, each of which is right; empty where it needs none."""
        pod = self._newest_pod()
        if pod is None or _uid(pod) == self.replaced:
            return ""
        lines = self._said(pod)
        if mistaken := next((line for line in lines if self._is_mistaken(pod, line)), ""):
            return _shown(mistaken)
        unread = {one.change.name for one in written} - {_config_map_of(line) for line in lines if READ in line}
        is_settled = self.mislabelled_at is not None and time.monotonic() - self.mislabelled_at >= SETTLE_SECONDS
        return "it shows other labels than those that it has read" if is_settled and not unread else ""

    def _restart(self, why: str) -> str:
        """Restart the server for that reason; what is waited for then. NotShownError where that is not possible."""
        pod = self._newest_pod()
        self.replaced, self.mislabelled_at = _uid(pod) if pod else "", None
        if failed := self._restarted():
            raise NotShownError(f"the catalog server does not show the change, which is correct and was kept: {why}. {failed}")
        self.outcome.warn([f"Deployment {DEPLOYMENT!r} was restarted. {BY_PLACE}: {why}"])
        return "the server is being restarted"

    def _restarted(self) -> str:
        """Restart the server. Why that was not possible, and what to do; empty when it was."""
        place = desired_state.Registry(DEPLOYMENT, self.before.namespace)
        change = restarts.restart_of(place, datetime.now(timezone.utc), None)
        try:
            writes.send(self.cluster, change, False)
        except _errors.ClusterError as error:
            command = f"kubectl rollout restart deployment/{DEPLOYMENT} --namespace {place.namespace}"
            return f"{BY_PLACE} until it is restarted: {command}. The module could not restart it: {str(error).rstrip('.')}"
        self.outcome.record(change)
        return ""

    def _unread(self, written: Iterable[Written], added: Collection[Any], was_shown: bool) -> str:
        """What the server's log says of files that it has not read yet, or does not accept, before its pod is seen not to be ready; empty for nothing.

        `was_shown`: what it shows cannot tell, because it showed the same before.
        """
        pod = self._newest_pod() if self.pod else None
        if pod is None or self.pod is None or _uid(pod) != _uid(self.pod):
            return ""
        names = {one.change.name for one in written}
        lines = self._said(pod)
        if any(FAILED.search(line) and (_is_blamed(line, names, added) or self._is_mistaken(pod, line)) for line in lines):
            self.refused_at = self.refused_at or time.monotonic()
            # Two files that are wrong only for as long as one of them is read are accepted in the end.
            return "" if time.monotonic() - self.refused_at > REFUSED_SECONDS else "a file is not accepted"
        unread = names - {_config_map_of(line) for line in lines if READ in line}
        return f"ConfigMap {sorted(unread)[0]!r} has not been read" if was_shown and unread and self.lines else ""

    def _put_back(self, written: Sequence[Written], evidence: Evidence, may_restore: bool) -> str:
        """Write what was there before, where that is wanted; what is to be said."""
        named = f" because of ConfigMap {evidence.config_map!r}" if evidence.config_map else ""
        said = f"the whole catalog is not available{named}: {evidence.line}"
        if not may_restore:
            return f"{said}. The previous content was not restored (rollback)."
        failures = []
        # One that was written twice was written by others in between. The one that is the reason is the first: then the catalog is there again.
        last = list(reversed(list({one.change.name: one for one in written}.values())))
        for one in sorted(last, key=lambda one: one.change.name != evidence.config_map):
            change = restoration(one)
            try:
                writes.send(self.cluster, change, False)
            except _errors.ClusterError as error:
                changed = error.status in (_errors.CONFLICT, _errors.NOT_FOUND)
                why = "another process has changed it since" if changed else str(error).rstrip(".")
                failures.append(f"ConfigMap {one.change.name!r} was not restored: {why}.")
            else:
                self.outcome.record(change)
                self.outcome.forget((*one.change.before, *one.change.after))
        if failures:
            return f"{said}. {' '.join(failures)}"
        if evidence.of_label:
            # It would take labels of the previous content for those of other files.
            then = self._restarted() or f"Deployment {DEPLOYMENT!r} was restarted, because the catalog server cannot read labels again otherwise"
            return f"{said}. The previous content was restored. {then}."
        return f"{said}. The previous content was restored, and the catalog becomes available again within two minutes."


def restoration(written: Written) -> changeset.Change:
    """What undoes one write, and not what another process has written since."""
    change, fields = written.change, ("rollback",)
    if written.before is None:
        return replace(changeset.deletion(change.kind, change.api, written.after), fields=fields, before={})
    return changeset.update(change.kind, change.api, written.after, fields, manifests.undone({"data": change.body["data"]}, written.before))


def differs(source: catalog_merged.Merged, item: catalog_server.Shown) -> bool:
    """Whether the server shows a source with other values than it has to."""
    values = source.values
    organization = (values.get("properties") or {}).get(catalog.ORGANIZATION)
    texts = [("labels", item.labels), *((key, found) for key, found in ((source.kind.included, item.included), (source.kind.excluded, item.excluded)) if key)]
    if source.kind is not catalog.MODEL:
        # The patterns of other kinds are not shown.
        texts = texts[:1]
    pairs = [(str(values.get("name") or ""), item.name), (source.is_enabled, item.is_enabled)]
    pairs += [(_plain(values.get(key) or (), organization), _plain(found, organization)) for key, found in texts]
    return any(wanted != found for wanted, found in pairs)


def _plain(texts: Iterable[str], organization: object) -> list[str]:
    """Texts without the organization, which the server adds to patterns once it has loaded them."""
    prefix = f"{organization}/"
    return sorted(text[len(prefix) :] if organization and text.startswith(prefix) else text for text in texts)


def _names(view: catalog_view.View, source: catalog_merged.Merged) -> set[str] | None:
    """The names that a source has to show; None where they are not known."""
    place = view.data_of(source)
    text = view.data(*place) if place else None
    return None if text is None else set(catalog_merged.names(text, source)[1])


def _content(view: catalog_view.View, key: tuple[str, str]) -> object:
    source = view.sources.get(key)
    place = view.data_of(source) if source else None
    return source and (source.values, view.data(*place) if place else None)


def _labels(view: catalog_view.View) -> dict[object, Mapping[str, object]]:
    """The labels, by name."""
    labels = [{**label, "name": label.get("name")} for file in view.files.values() for label in file.labels]
    return {label["name"]: label for label in labels if label["name"] is None or isinstance(label["name"], str)}


def _is_blamed(line: str, config_maps: Collection[str], labels: Collection[Any]) -> bool:
    """Whether a line of the log names one of these ConfigMaps, or one of these labels as one that is there twice."""
    twice = SAME_LABEL.search(line)
    return _config_map_of(line) in config_maps or (twice is not None and twice[1] in labels)


def _shown(line: str) -> str:
    return _texts.line(symptoms.without_credentials(line))


def _config_map_of(line: str) -> str:
    named = MOUNT.search(line)
    if named is None:
        return ""
    return catalog.KINDS[named[1]].config_map if named[1] else named[2]


def _restarts(pod: manifests.Manifest) -> int:
    statuses = manifests.at(pod, ("status", "containerStatuses")) or []
    return next((int(status.get("restartCount") or 0) for status in statuses if status.get("name") == "catalog"), 0)


def _uid(pod: manifests.Manifest) -> str:
    return str(pod["metadata"]["uid"])
