"""How long a registry is waited for, and where it is looked for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import registry_reader, snapshots
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import desired_state, live_state
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import bundle_place, bundle_plan, record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import availability, observation, readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import removal

from .builders import OLD, TODAY, pod

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


class Always(threading.Event):
    """Something that changes all the time."""

    def wait(self, timeout=None):
        return True


class Servers(Registries):
    """A cluster with these registries, as each look finds them; `looks` are of each look the names whose pod's log was read."""

    def __init__(self, *names, deployments=(), pods=(), log="", refused=(), ending=0):
        super().__init__(0)
        self.manifests = [manifest(name) for name in names]
        self.objects = {"deployments": list(deployments), "pods": list(pods), "events": [{"message": "an event"}, {}]}
        self.said, self.refused, self.looks, self.queries, self.watched = log, refused, [[]], [], []
        # With which look all registries are gone, so that nobody waits any longer.
        self.ending = ending

    def items(self, api, _namespace, trim=lambda manifest: manifest, **query):
        self.queries.append((api[1], query))
        found = super().items(api, "") or self.objects.get(api[1], [])
        if api[1] in self.refused:
            raise _errors.ClusterError("it is forbidden", 403)
        return list(map(trim, found))

    def read(self, api, namespace, name):
        return next((one for one in self.items(api, namespace) if one["metadata"]["name"] == name), None)

    def log(self, _namespace, name, container, previous):
        if not previous:
            self.looks[-1].append(name)
        self.queries.append(("log", (name, container, previous)))
        if "log" in self.refused:
            raise _errors.ClusterError("it is forbidden", 403)
        return "what was said before" if previous else self.said

    def until(self, _deadline):
        self.looks.append([])
        self.looked(len(self.looks))
        return self

    def looked(self, number):
        """What happens before a look after the first one."""
        if number == self.ending:
            self.manifests = []

    @contextmanager
    def changes(self, watched, _deadline):
        self.watched += [(api[1], selector) for api, _namespace, selector in watched]
        yield Always()


def server(name, restarts=0, ready=False):
    """The pod of a registry's server."""
    made = pod(None, f"{name}-1")
    made["metadata"] |= {"uid": f"uid-of-{name}", "labels": {"app": name}}
    made["spec"] = {"containers": [{"name": "rest-container"}]}
    made["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
    reason = "CrashLoopBackOff" if restarts else "ContainerCreating"
    made["status"]["containerStatuses"][0] |= {"restartCount": restarts, "state": {"waiting": {"reason": reason}}}
    return made


def told(registry, **conditions):
    """A registry of which the operator says this."""
    return {**registry, "status": {"conditions": [{"type": kind, "status": "False", "message": message, "reason": ""} for kind, message in conditions.items()]}}


def serving(name):
    """A registry that is available, and its Deployment."""
    registry = {"metadata": {"name": name, "namespace": "ns"}, "spec": {}}
    available = told(registry, Available="")
    available["status"]["conditions"][0]["status"] = "True"
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
    return available, {"metadata": {"name": name, "generation": 1}, "spec": {}, "status": status}


def waited_for(cluster, patient=None, seconds=30.0, changed=(), waited=0.0):
    """What became of the registries of a cluster, in this order."""
    names, settled = [one["metadata"]["name"] for one in cluster.manifests], []
    change = {"action": "update", "kind": "Secret", "fields": []}
    outcomes = {name: record.Outcome(changes=[change] if name in changed else []) for name in names}
    snapshot = snapshots.Snapshot(cluster, TODAY, "ns")
    with ThreadPoolExecutor() as pool:
        availability.wait_for_all(
            snapshot,
            outcomes,
            names if patient is None else patient,
            seconds,
            lambda name, verdict, _seen: settled.append((name, verdict.available)),
            pool,
            waited,
        )
    assert {name: outcome.status["available"] for name, outcome in outcomes.items()} == dict(settled)
    return settled


def test_those_that_nobody_waits_for_are_settled_by_one_look_and_explained_where_that_can_help():
    cluster = Servers(
        "unchanged", "changed", "crashing", "ready", pods=[server("unchanged"), server("changed"), server("crashing", 1), server("ready", ready=True)]
    )
    assert waited_for(cluster, (), changed=("changed", "crashing")) == [(name, False) for name in ("unchanged", "changed", "crashing", "ready")]
    # What was written just now needs its time.
    assert list(map(sorted, cluster.looks)) == [["crashing-1", "unchanged-1"]]


@pytest.mark.parametrize("given", [{"seconds": 0}, {"seconds": 30, "waited": 30}])
def test_without_time_there_is_one_look_in_which_everything_is_explained(monkeypatch, given):
    monkeypatch.setattr(availability, "CLOSELY", 1)
    cluster = Servers("a", "b", "c", pods=[server(name) for name in "abc"])
    assert waited_for(cluster, **given) == [("a", False), ("b", False), ("c", False)]
    assert list(map(sorted, cluster.looks)) == [["a-1", "b-1", "c-1"]]


def test_of_many_that_are_in_trouble_some_are_looked_at_closely_in_each_round(monkeypatch):
    monkeypatch.setattr(availability, "CLOSELY", 2)
    monkeypatch.setattr(observation, "PATIENCE", 100)
    cluster = Servers(*"abcde", "nothing", pods=[server(name, 1) for name in "abcde"], ending=5)
    assert waited_for(cluster) == [(name, False) for name in (*"abcde", "nothing")]
    assert [sorted(name[0] for name in look) for look in cluster.looks] == [["a", "b"], ["c", "d"], ["e"], [], []]


def test_who_is_in_no_trouble_is_looked_at_closely_after_a_while_and_again_after_a_while(monkeypatch):
    class Passing(Servers):
        def looked(self, number):
            super().looked(number)
            # Whether that while has passed by this look.
            monkeypatch.setattr(observation, "PATIENCE", 0 if number in (3, 5) else 100)

    monkeypatch.setattr(observation, "PATIENCE", 100)
    cluster = Passing("a", pods=[server("a")], ending=6)
    waited_for(cluster)
    assert [len(look) for look in cluster.looks] == [0, 0, 1, 0, 1, 0]


def test_how_long_a_registry_is_waited_for_is_found_out_once(monkeypatch):
    class Aging(Servers):
        def looked(self, number):
            super().looked(number)
            self.now += timedelta(hours=1)

    monkeypatch.setattr(observation, "PATIENCE", 0)
    cluster = Aging("a", pods=[server("a")], ending=3)
    cluster.objects["pods"][0]["metadata"]["creationTimestamp"] = "2026-06-01T11:59:50Z"
    waited_for(cluster)
    assert len(cluster.looks) == 3


def test_those_whose_server_serves_are_settled_as_soon_as_it_does_and_the_wait_for_the_others_goes_on():
    class Starting(Servers):
        def looked(self, number):
            registry, deployment = serving("b" if number == 2 else "a")
            self.manifests = [registry if one["metadata"]["name"] == registry["metadata"]["name"] else one for one in self.manifests]
            self.objects["deployments"].append(deployment)

    cluster = Starting("a", "b")
    assert waited_for(cluster) == [("b", True), ("a", True)]
    assert [text.partition(":")[0] for text in cluster.told] == ["waiting for 2 of 2", "waiting for 1 of 2"]
    assert cluster.watched == [("modelregistries", {}), ("deployments", {}), ("pods", {"labelSelector": "component=model-registry"})]


def test_a_registry_that_is_gone_is_settled_at_once():
    cluster = Servers("a", "b", ending=2)
    outcomes = {name: record.Outcome() for name in ("a", "b")}
    del cluster.manifests[0]
    settled = []
    with ThreadPoolExecutor() as pool:
        snapshot = snapshots.Snapshot(cluster, TODAY, "ns")
        availability.wait_for_all(snapshot, outcomes, "ab", 30, lambda name, verdict, _seen: settled.append((name, verdict.final, len(cluster.looks))), pool)
    assert settled == [("a", True, 1), ("b", True, 2)]
    assert cluster.told[0].startswith("waiting for 1 of 2: 1 (b) because ")


def test_what_many_wait_for_is_told_by_how_many_and_the_names_of_three():
    cluster = Servers(*"abcdefghij", ending=2)
    for index, one in enumerate(cluster.manifests):
        if index in (1, 2):
            cluster.manifests[index] = told(one, Available="unexpected reconcile error: x")
        elif index in (3, 4, 5):
            cluster.manifests[index] = told(one, Available="x")
        elif index == 0:
            failing = {"type": "ReplicaFailure", "status": "True"}
            cluster.manifests[0] = {"metadata": one["metadata"], "spec": {}}
            cluster.objects["deployments"] = [{"metadata": {"name": "a"}, "spec": {}, "status": {"observedGeneration": 1, "conditions": [failing]}}]
    waited_for(cluster)
    assert cluster.told[0] == (
        "waiting for 10 of 10: 4 because the operator has not processed the registry; 3 (d, e and f) because the registry server is being deployed;"
        " 2 (b and c) because the operator cannot create the objects of the registry"
    )


def test_a_look_at_many_that_fails_ends_the_wait_with_its_reason(monkeypatch):
    cluster = Servers("a", refused=("modelregistries",))
    monkeypatch.setattr(_errors.ClusterError, "may_pass", True)
    with pytest.raises(_errors.ClusterError, match="it is forbidden"):
        waited_for(cluster, seconds=0.1)


# One


def awaited(cluster, seconds=30.0, **given):
    """The status of the only registry after the wait for it."""
    outcome = record.Outcome()
    try:
        availability.wait_until_available(registry_reader.Reader(cluster, TODAY, "ns"), "a", seconds, outcome, **given)
    finally:
        cluster.status = outcome.status
    return outcome.status["available"]


def test_without_time_only_whether_it_is_available_is_found_out():
    cluster = Servers("a", pods=[server("a", 1)])
    assert awaited(cluster, 0) is False
    assert cluster.looks == [["a-1"], []]


def test_a_registry_that_was_changed_is_waited_for_until_it_is_available(monkeypatch):
    monkeypatch.setattr(observation, "PATIENCE", 0)

    class Starting(Servers):
        def looked(self, number):
            if number == 2:
                registry, deployment = serving("a")
                self.manifests, self.objects["deployments"] = [registry], [deployment]

    cluster = Starting("a", pods=[server("a")])
    assert awaited(cluster) is True
    assert len(cluster.looks) == 3, "one before the second look, and one before a third"
    assert cluster.told[0].startswith("waiting for registry 'a': the operator has not processed the registry")
    named = {"fieldSelector": "metadata.name=a"}
    assert cluster.watched == [("modelregistries", named), ("deployments", named), ("pods", {"labelSelector": "app=a,component=model-registry"})]


def test_a_registry_whose_name_can_be_no_label_is_waited_for_without_its_pods():
    cluster = Servers("a" * 64, ending=2)
    with pytest.raises(availability.NotAvailableError, match="no longer exists"):
        availability.wait_until_available(registry_reader.Reader(cluster, TODAY, "ns"), "a" * 64, 30, record.Outcome())
    assert [plural for plural, _selector in cluster.watched] == ["modelregistries", "deployments"]


def test_a_wait_that_has_taken_its_time_already_ends_with_the_first_look():
    cluster = Servers("a")
    with pytest.raises(availability.NotAvailableError, match=r"The wait ended after 30 s \(wait_timeout\)\. And more"):
        awaited(cluster, waited=30, explain=lambda: "And more")
    assert len(cluster.looks) == 2 and cluster.status["available"] is False


def test_a_registry_that_is_gone_is_not_waited_for():
    cluster = Servers()
    with pytest.raises(availability.NotAvailableError, match=r"no longer exists\. The wait ended early"):
        awaited(cluster)
    assert cluster.told == []


def test_a_registry_that_was_not_changed_is_not_read_again_at_first_and_waited_for_since_its_last_change(monkeypatch):
    monkeypatch.setattr(observation, "PATIENCE", 0.6)
    cluster = Servers("a", pods=[server("a")])
    known = live_state.Live(TODAY, cluster.manifests[0], deployment=None)
    with pytest.raises(availability.NotAvailableError, match="did not wait again"):
        awaited(cluster, unchanged=known)
    assert cluster.queries[0][0] == "pods", "the registry and its Deployment were read just now"
    assert 1 < len(cluster.looks) < 20 and any(plural == "modelregistries" for plural, _query in cluster.queries)


def test_a_look_that_fails_ends_the_wait_with_its_reason(monkeypatch):
    monkeypatch.setattr(_errors.ClusterError, "may_pass", True)
    with pytest.raises(_errors.ClusterError, match="it is forbidden") as failed:
        availability.wait_until_available(registry_reader.Reader(Servers("a", refused=("modelregistries",)), TODAY, "ns"), "a", 0.1, record.Outcome())
    assert not isinstance(failed.value, availability.NotAvailableError)


def test_what_was_seen_last_is_told_where_later_looks_fail(monkeypatch):
    class Failing(Servers):
        def looked(self, number):
            self.refused = ("modelregistries",)

    monkeypatch.setattr(_errors.ClusterError, "may_pass", True)
    with pytest.raises(availability.NotAvailableError, match=r"has not processed the registry\. .* The wait ended after 0 s"):
        awaited(Failing("a"), 0.3)


# Looks


def looked_at(cluster, **given):
    outcome = record.Outcome()
    reader = registry_reader.Reader(cluster, TODAY, "ns")
    seen = observation.explained(reader, observation.look_at(reader, "a", **given), outcome)
    return seen, outcome.warnings


def test_the_pods_of_an_available_registry_are_not_read():
    registry, deployment = serving("a")
    cluster = Servers(deployments=[deployment], pods=[server("a")])
    cluster.manifests = [registry]
    seen, warnings = looked_at(cluster)
    assert (seen.pods, seen.baseline, warnings) == ((), {}, [])
    assert [plural for plural, _query in cluster.queries] == ["modelregistries", "deployments"]


def test_a_look_is_the_baseline_unless_there_was_one():
    cluster = Servers("a", pods=[server("a", 2)])
    assert looked_at(cluster)[0].baseline == {"uid-of-a": 3}
    assert looked_at(cluster, baseline={})[0].baseline == {}
    assert looked_at(cluster, baseline={"uid-of-a": 1})[0].baseline == {"uid-of-a": 1}


@pytest.mark.parametrize(("restarts", "log", "previous"), [(0, "nothing", ""), (1, "nothing", "what was said before"), (1, "Error 1049 (42000)", "")])
def test_the_log_of_the_start_before_is_read_where_the_present_one_says_nothing(restarts, log, previous):
    cluster = Servers("a", pods=[server("a", restarts)], log=log)
    seen, warnings = looked_at(cluster)
    assert (seen.log, seen.previous_log, seen.events, warnings) == (log, previous, ("an event", ""), [])
    assert ("log", ("a-1", "rest-container", False)) in cluster.queries
    assert ("events", {"fieldSelector": "involvedObject.uid=uid-of-a,type=Warning"}) in cluster.queries


def test_what_explains_a_registry_and_may_not_be_read_is_warned_of():
    seen, warnings = looked_at(Servers("a", pods=[server("a")], refused=("log", "events")))
    assert (seen.log, seen.events) == ("", ())
    assert ["the log of the registry server" in warnings[0], "the events of the pod" in warnings[1]] == [True, True]
    assert all(warning.endswith("it is forbidden") for warning in warnings) and len(warnings) == 2


def test_a_pod_of_somebody_else_has_no_log_of_a_server_and_a_registry_without_a_pod_none_at_all():
    foreign = server("a")
    foreign["spec"]["containers"] = [{"name": "other"}]
    cluster = Servers("a", pods=[foreign])
    assert looked_at(cluster)[0].log == "" and cluster.looks == [[]]
    cluster = Servers("a")
    assert looked_at(cluster)[0].events == () and "events" not in [plural for plural, _query in cluster.queries]


@pytest.mark.parametrize(("spec", "read"), [({"postgres": {"generateDeployment": True}}, True), ({"postgres": {"host": "db"}}, False)])
def test_the_pods_of_a_generated_database_are_read_with_those_of_the_server(spec, read):
    cluster = Servers("a", pods=[server("a")])
    cluster.manifests[0]["spec"] = spec
    seen, _warnings = looked_at(cluster)
    assert bool(seen.database_pods) is read
    assert (("pods", {"labelSelector": "app.kubernetes.io/name=a-postgres"}) in cluster.queries) is read


@pytest.mark.parametrize(
    ("capabilities", "address", "route", "expected"),
    [
        (OLD, None, {"metadata": {"name": "a-https"}, "spec": {"host": "a.example.com"}}, "https://a.example.com"),
        (OLD, None, {"metadata": {"name": "a-https"}, "spec": {}}, None),
        (OLD, None, {"metadata": {"name": "b-https"}, "spec": {"host": "b.example.com"}}, None),
        (OLD, "https://known", {"metadata": {"name": "a-https"}, "spec": {"host": "a.example.com"}}, "https://known"),
        (TODAY, None, {"metadata": {"name": "a-https"}, "spec": {"host": "a.example.com"}}, None),
    ],
)
def test_an_old_operators_registry_has_the_address_of_its_route(capabilities, address, route, expected):
    cluster, status = Servers("a"), {"address": address}
    cluster.objects["routes"] = [route]
    observation.complete_address(registry_reader.Reader(cluster, capabilities, "ns"), "a", status)
    assert status == {"address": expected}


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
