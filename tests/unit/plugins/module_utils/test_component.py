"""The switch of the component, and what its DataScienceCluster tells of it."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import wait
from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import CONFLICT, ClusterError, InputError
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.ownership import tool_warnings
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.component_plan import (
    KIND,
    Live,
    Surroundings,
    Wanted,
    left_behind,
    plan_switch,
    why_not_managed,
    why_not_removed,
    without_labels_of_sample,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.record import Outcome
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import component
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run.component import converge, input_problems

API = ("datasciencecluster.opendatahub.io/v2", "datascienceclusters")
OPTIONS = {"state": "managed", "registries_namespace": None, "force": False, "wait": True, "wait_timeout": 300}
REMOVED = {"status": "False", "reason": "Removed", "message": "Component ManagementState is set to Removed"}
NOTHING_MISSING = Surroundings(True, "Active", None)


def live(spec=None, told=None, condition=None):
    """A DataScienceCluster with this in its specification of the component, and this namespace and condition in its status."""
    components = {} if spec is None else {"modelregistry": spec}
    conditions = [{"type": "Ready", "status": "True"}] + ([{"type": "ModelRegistryReady", **condition}] if condition else [])
    status = {"conditions": conditions, "components": {"modelregistry": {"registriesNamespace": told} if told else {}}}
    return Live(API, {"metadata": {"name": "default-dsc"}, "spec": {"components": components}, "status": status})


def ready(told="registries", spec="registries"):
    return live({"managementState": "Managed", "registriesNamespace": spec}, told, {"status": "True", "reason": "Ready"})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"wait_timeout": 0}, ["wait_timeout"]),
        ({"registries_namespace": "-x"}, ["registries_namespace"]),
        ({"registries_namespace": ""}, ["registries_namespace"]),
        ({"registries_namespace": "a.b"}, ["registries_namespace"]),
        ({"registries_namespace": "a" * 64}, ["registries_namespace"]),
        ({"registries_namespace": "a" * 63}, []),
        ({"registries_namespace": "fine", "state": "removed"}, ["registries_namespace"]),
        ({"registries_namespace": "Not Fine", "wait_timeout": -1}, ["registries_namespace", "wait_timeout"]),
    ],
)
def test_wrong_options_are_all_named(options, named):
    assert [problem.option for problem in input_problems(OPTIONS | options)] == named


@pytest.mark.parametrize(
    ("spec", "wanted", "asked"),
    [
        (None, Wanted("managed", None, False), {"managementState": "Managed"}),
        (None, Wanted("managed", "ours", False), {"managementState": "Managed", "registriesNamespace": "ours"}),
        ({"managementState": "Removed", "registriesNamespace": "ours"}, Wanted("managed", "ours", False), {"managementState": "Managed"}),
        (
            {"managementState": "Removed", "registriesNamespace": "old"},
            Wanted("managed", "ours", False),
            {"managementState": "Managed", "registriesNamespace": "ours"},
        ),
        ({"managementState": "Managed", "registriesNamespace": "ours"}, Wanted("removed", None, True), {"managementState": "Removed"}),
    ],
)
def test_only_what_differs_is_written(spec, wanted, asked):
    change, problems = plan_switch(wanted, live(spec))
    assert problems == [] and change is not None
    assert change.body == {"spec": {"components": {"modelregistry": asked}}}
    assert len(change.fields) == len(asked)
    assert (change.verb, change.api, change.name) == ("PATCH", API, "default-dsc")


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        (None, Wanted("removed", None, False)),
        ({"managementState": "Removed"}, Wanted("removed", None, False)),
        ({"managementState": "Managed", "registriesNamespace": "ours"}, Wanted("managed", None, False)),
        ({"managementState": "Managed", "registriesNamespace": "ours"}, Wanted("managed", "ours", False)),
    ],
)
def test_what_is_as_wanted_is_not_written(spec, wanted):
    assert plan_switch(wanted, live(spec)) == (None, [])


# The product takes another namespace while the specification names none; what is in the old one would be left without a word.
@pytest.mark.parametrize("spec", [{"registriesNamespace": "ours"}, {"registriesNamespace": ""}])
def test_the_namespace_of_a_managed_component_stays(spec):
    change, [problem] = plan_switch(Wanted("managed", "other", False), live({"managementState": "Managed", **spec}, "ours"))
    assert change is None
    assert (problem.option, problem.value) == ("registries_namespace", "other")
    assert "while the component is managed (current: 'ours')" in problem.problem


@pytest.mark.parametrize(
    ("seen", "around", "told"),
    [
        (live({"managementState": "Managed"}), NOTHING_MISSING, "has no condition ModelRegistryReady"),
        (live({"managementState": "Managed"}, None, REMOVED), NOTHING_MISSING, "Removed: Component ManagementState is set to Removed"),
        (
            live({"managementState": "Managed"}, "ours", {"status": "False", "reason": "DeploymentsNotReady", "message": "0/1 deployments ready"}),
            NOTHING_MISSING,
            "DeploymentsNotReady: 0/1 deployments ready. Check the pods",
        ),
        (live({"managementState": "Managed"}, "ours", {"status": "Unknown"}), NOTHING_MISSING, "ModelRegistryReady=Unknown"),
        (ready(told=None), NOTHING_MISSING, "reports no registries namespace"),
        (ready(told="old"), NOTHING_MISSING, "'old' instead of 'registries'"),
        (ready(), replace(NOTHING_MISSING, serves_registries=False), "modelregistries.modelregistry.opendatahub.io is not available"),
        (ready(), replace(NOTHING_MISSING, namespace_phase=""), "the namespace 'registries' does not exist"),
        (ready(), replace(NOTHING_MISSING, namespace_phase="Terminating"), "'registries' is being deleted (phase Terminating)"),
    ],
)
def test_what_a_managed_component_lacks_is_said(seen, around, told):
    assert told in why_not_managed(seen, around)


# From OpenShift AI 3.6 on the DataScienceCluster need not name the namespace, not even in its status.
def test_a_namespace_that_only_the_platform_knows_is_that_of_the_component():
    silent = ready(told=None, spec=None)
    assert "reports no registries namespace" in why_not_managed(silent, NOTHING_MISSING)
    known = replace(silent, unnamed_namespace="applications")
    assert why_not_managed(known, NOTHING_MISSING) == "" and known.namespace == "applications"
    assert plan_switch(Wanted("managed", "applications", False), known) == (None, [])
    change, [problem] = plan_switch(Wanted("managed", "other", False), known)
    assert change is None and "(current: 'applications')" in problem.problem


# A namespace that may not be looked at is taken to be there.
@pytest.mark.parametrize("phase", ["Active", None])
def test_a_managed_component_that_lacks_nothing_is_ready(phase):
    assert why_not_managed(ready(), replace(NOTHING_MISSING, namespace_phase=phase)) == ""


@pytest.mark.parametrize(
    ("seen", "singleton", "told"),
    [
        (ready(), "", "still reports a managed component"),
        (live({"managementState": "Removed"}, None, {"status": "True"}), "", "still reports a managed component"),
        (
            live({"managementState": "Removed"}, None, REMOVED),
            "aihubs.components.platform.opendatahub.io 'default-aihub'",
            "aihubs.components.platform.opendatahub.io 'default-aihub' still exists",
        ),
        (live({"managementState": "Removed"}, None, REMOVED), "", ""),
        (live({"managementState": "Removed"}, None, REMOVED), None, ""),
        (live(), "", ""),
    ],
)
def test_a_removed_component_is_gone_with_all_that_was_made_of_it(seen, singleton, told):
    found = why_not_removed(seen, Surroundings(True, None, singleton))
    assert (told in found) if told else found == ""


def test_registries_that_would_remain_are_told_with_their_namespaces():
    one, other = ({"metadata": {"name": name, "namespace": namespace}} for name, namespace in (("fraud", "ours"), ("churn", "theirs")))
    assert left_behind([one, other]) == "'fraud' in namespace 'ours', 'churn' in namespace 'theirs'"


def test_labels_of_the_sample_are_not_those_of_a_tool():
    labels = {"app.kubernetes.io/managed-by": "kustomize", "app.kubernetes.io/instance": "default-dsc", "app.kubernetes.io/name": "datasciencecluster"}
    sample = {"metadata": {"name": "default-dsc", "labels": labels}}
    assert tool_warnings(without_labels_of_sample(sample), KIND) == []
    for label, value in (("app.kubernetes.io/managed-by", "Helm"), ("app.kubernetes.io/instance", "platform"), ("argocd.argoproj.io/instance", "x")):
        [told] = tool_warnings(without_labels_of_sample({"metadata": {"name": "default-dsc", "labels": labels | {label: value}}}), KIND)
        assert told.startswith("DataScienceCluster 'default-dsc' is managed by another tool") and label in told


class Overtaken:
    """A cluster in which another process changes the component before the first write."""

    def __init__(self, before, after):
        self.found = [before.manifest, after.manifest]

    def serves(self, *_api):
        return True

    def items(self, _api, _namespace):
        return [self.found.pop(0)]

    def missing_rights(self, _namespace, _rights):
        return []

    def write(self, *_request):
        raise ClusterError("changed since", CONFLICT)


class Switched(Overtaken):
    """A cluster in which another process changes the component after the write."""

    def items(self, _api, _namespace):
        return [self.found[0]]

    def write(self, *_request):
        answer, self.found[:1] = {**self.found[0], "spec": {"components": {"modelregistry": {"managementState": "Managed"}}}}, []
        return answer

    def read(self, *_request):
        return None

    def until(self, _deadline):
        return self

    def before_writing(self):
        """Nobody stops it."""

    def tell(self, _state):
        """Nobody watches."""

    def changes(self, _watched, _deadline):
        return contextlib.nullcontext(threading.Event())


def test_a_component_that_another_process_switches_back_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(wait, "PAUSE", 0)
    monkeypatch.setattr(component, "POLL_SECONDS", 0)
    removed = live({"managementState": "Removed"}, None, REMOVED)
    outcome = Outcome(own={"component": {}})
    with pytest.raises(component.NotSwitchedError, match="was set to managed, but another process has set it to removed since"):
        component.converge(Switched(removed, removed), OPTIONS, False, outcome)
    assert [change["action"] for change in outcome.changes] == ["update"]


def test_what_another_process_has_made_impossible_in_between_is_told():
    with pytest.raises(InputError) as told:
        converge(Overtaken(live(), ready(spec="theirs")), OPTIONS | {"registries_namespace": "ours"}, False, Outcome(own={"component": {}}))
    assert [(problem.option, problem.value) for problem in told.value.problems] == [("registries_namespace", "ours")]
