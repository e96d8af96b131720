"""How long a registry is waited for, and where it is looked for."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import registry_reader, snapshots
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import desired_state
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import bundle_place, bundle_plan, record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import availability, observation, readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import removal

from .builders import TODAY

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=timezone.utc)
LONG_AGO, JUST_NOW = "2026-05-01T12:00:00Z", "2026-06-01T11:59:30Z"


def seen(registry=LONG_AGO, deployment=LONG_AGO, pod=LONG_AGO, status=JUST_NOW, container=None):
    def changed(at):
        entries = [{"manager": "m", "time": at}, {"manager": "operator", "time": status, "subresource": "status"}]
        return {"metadata": {"name": "one", "managedFields": entries}}

    made = {"metadata": {"name": "one-1", "creationTimestamp": pod}, "status": {"containerStatuses": [container] if container else []}}
    return readiness.Observation(changed(registry), changed(deployment), (made,) if pod else ())


def test_a_registry_that_failed_long_before_the_run_is_not_waited_for_again():
    assert observation.patience(seen(), 300, NOW) == observation.PATIENCE
    assert observation.patience(seen(pod=None), 300, NOW) == observation.PATIENCE


@pytest.mark.parametrize("part", ["registry", "deployment", "pod"])
def test_a_registry_that_was_changed_just_before_the_run_is_waited_for_as_long_as_is_left(part):
    assert observation.patience(seen(**{part: JUST_NOW}), 300, NOW) == 270
    assert observation.patience(seen(**{part: "2026-06-03T12:00:00Z"}), 300, NOW) == 300


@pytest.mark.parametrize(
    ("message", "ended", "seconds"),
    [
        ("back-off 40s restarting failed container=rest-container pod=x", "2026-06-01T11:59:50Z", 50),
        ("back-off 1m20s restarting failed container=rest-container pod=x", "2026-06-01T11:59:30Z", 70),
        # Too far away, over already, and nothing that is known.
        ("back-off 5m0s restarting failed container=rest-container pod=x", "2026-06-01T11:59:50Z", 5),
        ("back-off 10s restarting failed container=rest-container pod=x", "2026-06-01T11:59:30Z", 5),
        # A minute is near, now is over, and one second is not.
        ("back-off 1m restarting failed container=rest-container pod=x", "2026-06-01T12:00:00Z", 80),
        ("back-off 1m1s restarting failed container=rest-container pod=x", "2026-06-01T12:00:00Z", 5),
        ("back-off 10s restarting failed container=rest-container pod=x", "2026-06-01T11:59:50Z", 5),
        ("back-off 11s restarting failed container=rest-container pod=x", "2026-06-01T11:59:50Z", 21),
        ("back-off 2m restarting failed container=rest-container pod=x", "2026-06-01T11:58:30Z", 50),
        ("back-off 40s restarting failed container=rest-container pod=x", None, 5),
        ("something else", "2026-06-01T11:59:50Z", 5),
        (None, None, 5),
    ],
)
def test_the_next_start_of_a_server_is_waited_for_when_it_is_near(message, ended, seconds):
    last = {"terminated": {"finishedAt": ended}} if ended else {}
    container = {"name": "rest-container", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}}, "lastState": last}
    assert observation.patience(seen(container=container), 300, NOW) == seconds


def test_no_registry_is_waited_for_longer_than_was_asked_for():
    assert observation.patience(seen(), 3, NOW) == 3
    last = {"terminated": {"finishedAt": "2026-06-01T11:59:50Z"}}
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}
    assert observation.patience(seen(container={"name": "rest-container", "state": {"waiting": waiting}, "lastState": last}), 30, NOW) == 30


def test_a_write_without_a_time_says_nothing_of_when_a_registry_was_changed():
    entries = [{"manager": "old"}, {"manager": "m", "time": JUST_NOW}]
    assert observation.patience(readiness.Observation({"metadata": {"managedFields": entries}}, None), 300, NOW) == 270


NOTHING = readiness.Observation(None, None)


def test_a_registry_of_which_nothing_is_known_is_waited_for():
    assert observation.patience(NOTHING, 300, NOW) == 300


def test_that_a_registry_was_not_waited_for_is_said():
    verdict = readiness.Verdict(False, "the database does not respond")
    assert "did not wait again" in str(availability.NotAvailableError("one", verdict, 300, NOTHING, unchanged=True))
    assert "The wait ended after 300 s (wait_timeout)" in str(availability.NotAvailableError("one", verdict, 300, NOTHING))


# The status

AVAILABLE = readiness.Verdict(True)


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        (["one", "one.registries", "one.registries.svc", "one.registries.svc.cluster.local", "one.example.com", "two.example.com"], "https://one.example.com"),
        (["one.registries.svc.cluster.local", "one.registries.example.com"], "https://one.registries.example.com"),
        (["one.registries.svcs"], "https://one.registries.svcs"),
        (["one", "one.registries", "one.registries.svc"], None),
        ([], None),
        (None, None),
    ],
)
def test_the_address_is_the_first_host_that_is_not_the_service(hosts, address):
    registry = {"metadata": {"name": "one", "namespace": "registries"}, "status": {"hosts": hosts}}
    status = observation.status_of(readiness.Observation(registry, None), AVAILABLE)
    assert status == {"available": True, "reason": None, "evidence": None, "remedy": None, "address": address, "hosts": hosts or [], "conditions": []}


def test_conditions_are_shown_without_passwords_and_nothing_is_shown_of_what_is_not_there():
    told = {"type": "Available", "status": "False", "reason": "x", "message": "cannot open u:a-secret-word@tcp(db:3306)/d", "lastTransitionTime": JUST_NOW}
    registry = {"metadata": {"name": "one", "namespace": "registries"}, "status": {"conditions": [told]}}
    [condition] = observation.status_of(readiness.Observation(registry, None), AVAILABLE)["conditions"]
    assert condition == {"type": "Available", "status": "False", "reason": "x", "message": "cannot open u:********@tcp(db:3306)/d"}
    gone = observation.status_of(NOTHING, readiness.Verdict(False, "the registry does not exist"))
    assert gone == observation.ABSENT


# Labels


@pytest.mark.parametrize(("name", "can"), [("a" * 63, True), ("a" * 64, False), ("a" * 253, False), ("a.b", True), ("-a", False), ("", False)])
def test_what_cannot_be_a_label_is_not_asked_for(name, can):
    asked = []
    assert registry_reader.labelled(name, lambda: asked.append(name) or [{}]) == ([{}] if can else [])
    assert asked == ([name] if can else [])


# The namespace


class Namespaces:
    """A cluster with these namespaces, and one of them for registries; None for what the account may not see."""

    def __init__(self, present, kept):
        self.present, self.kept, self.checked_namespaces, self.asked = present, kept, set(), []

    def registries_namespace(self):
        self.asked.append("DataScienceCluster")
        if not self.kept:
            raise _errors.ClusterError("no", 403 if self.kept is None else 404)
        return self.kept

    def read(self, _api, _namespace, name):
        self.asked.append("namespace")
        if self.present is None:
            raise _errors.ClusterError("forbidden", 403)
        return {"metadata": {"name": name}} if name in self.present else None


@pytest.mark.parametrize(
    ("present", "kept", "problem"),
    [
        (["models"], "models", "does not exist"),
        (["models"], "", "does not exist"),
        (["models"], None, "does not exist"),
        (["models", "modles"], "models", "is not the registries namespace of the operator"),
        (None, "models", "is not the registries namespace of the operator"),
        (["modles"], "", None),
        (["modles"], None, None),
        (None, None, None),
    ],
)
def test_a_namespace_with_a_typo_is_one_problem(present, kept, problem):
    cluster, unseen = Namespaces(present, kept), []
    if problem is None:
        registry_reader.need_namespace(cluster, "modles", unseen.append)
    else:
        with pytest.raises(_errors.InputError) as refused:
            registry_reader.need_namespace(cluster, "modles", unseen.append)
        [found] = refused.value.problems
        assert (found.option, found.problem, found.value) == ("namespace", problem, "modles")
        assert "models" in found.remedy or not kept
    assert bool(unseen) == (present is None and not kept)


def test_the_namespace_is_asked_for_once_and_not_at_all_where_the_cluster_has_named_it():
    cluster = Namespaces(["models"], "models")
    for _again in range(3):
        registry_reader.need_namespace(cluster, "models")
        cluster.checked_namespaces.add("models")
    assert cluster.asked == ["DataScienceCluster"]


# Many together


class Registries:
    """A cluster with this many registries whose servers are never deployed; it notes what is asked."""

    def __init__(self, count):
        self.manifests = [manifest(f"r-{number}") for number in range(count)]
        self.asked, self.told, self.now = [], [], NOW

    def items(self, api, _namespace, trim=lambda manifest: manifest, **_query):
        self.asked.append(api[1])
        return list(map(trim, self.manifests)) if api[1] == "modelregistries" else []

    def until(self, _deadline):
        return self

    def before_writing(self):
        """Nothing stops it."""

    def tell(self, state):
        self.told.append(state)

    @contextmanager
    def changes(self, watched, _deadline):
        self.asked += [f"watch {api[1]}" for api, _namespace, _selector in watched]
        yield threading.Event()


def manifest(name):
    database = {"host": "db", "database": "d", "username": "u", "sslRootCertificateConfigMap": {"name": "ca", "key": "ca.crt"}}
    return {"metadata": {"name": name, "namespace": "ns", "uid": name}, "spec": {"mysql": database}}


def test_the_readers_of_a_bundle_are_waited_for_together_and_the_time_counts_once():
    cluster = Registries(100)
    place = bundle_place.Place("ConfigMap", "ns", desired_state.KeyReference("ca", "ca.crt"))
    live = bundle_plan.LiveBundle(place, None, tuple(cluster.manifests))
    outcome = record.Outcome(own={"registries": [{"name": one["metadata"]["name"]} for one in cluster.manifests]})
    failures = ca._wait_for_all(registry_reader.Reader(cluster, TODAY, "ns"), live, 0.5, [], outcome)
    assert len(failures) == 100 and all("the operator has not processed the registry" in str(error) for error in failures.values())
    assert [entry["available"] for entry in outcome.own["registries"]] == [False] * 100
    # One watch of each kind, and lists alone, as many as there were looks.
    looks = cluster.asked.count("modelregistries")
    assert len(set(cluster.asked)) == 6 and cluster.asked.count("watch pods") == 1
    assert len(cluster.asked) == 3 * looks + 3
    assert cluster.told[0].startswith("waiting for 100 of 100: 100 because ")


class Leaving(Registries):
    """A cluster whose only registry is gone after this many looks at it."""

    def __init__(self, looks):
        super().__init__(1)
        self.looks = looks
        [gone] = self.manifests
        gone["metadata"]["deletionTimestamp"] = JUST_NOW

    def read(self, api, _namespace, name):
        self.asked.append(f"get {api[1]}")
        if api[1] != "modelregistries" or self.asked.count("get modelregistries") > self.looks:
            return None
        return next((one for one in self.manifests if one["metadata"]["name"] == name), None)

    def serves(self, *_api):
        return True


@pytest.mark.parametrize("kind", [registry_reader.Reader, snapshots.Snapshot])
def test_the_end_of_a_registry_is_seen_although_it_was_there_at_first(kind):
    cluster = Leaving(looks=2)
    removal._wait_until_gone(kind(cluster, TODAY, "ns"), "r-0", "r-0", 30, time.monotonic() + 30)
    assert cluster.asked.count("get modelregistries") == 3
