"""The lists that `model_registries` takes, what a snapshot keeps of a cluster, and how many registries are waited for."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster.registry_reader import Reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster.snapshots import KEPT, Snapshot
from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import FORBIDDEN, ClusterError, InputError, Problem
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import kinds
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import Registry
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.manifests import at
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant, Permissions
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.server_pods import server_start
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.record import Outcome
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.restarts import POD_TEMPLATE, RESTART_MARK, changed_at, is_outdated
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registries
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run.registries import FleetOutcome, Item, NotAllConvergedError, input_problems
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.availability import is_in_trouble, with_explanation
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.readiness import Observation
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import authorization, collector

from .builders import LATER, NAMESPACE, TODAY, live, options, pod, secret, stored, wanted

CALL = {"namespace": None, "purge": False, "purge_limit": 1, "wait_timeout": 300, "info": None}


def entry(name, **changed):
    return {"permissions": None, "namespace": None, "allow_data_change": False, "status": None, **options(name=name), **changed}


def refused(*registries, **call):
    return {problem.option for problem in input_problems({**CALL, "registries": list(registries), **call})}


def test_a_list_without_mistakes_is_not_refused():
    assert refused(entry("one"), entry("two"), purge=True, purge_limit=0) == set()


def test_every_problem_has_its_path():
    assert refused(
        entry("One"),
        entry("two", database=options(database__port=0, database__password=" ")["database"]),
        entry("three", permissions={"groups": ["", " x"]}),
        entry("two"),
    ) == {
        "registries[0].name",
        "registries[1].database.port",
        "registries[1].database.password",
        "registries[2].permissions.groups[0]",
        "registries[2].permissions.groups[1]",
        "registries[3].name",
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [("fraud-models", "fraud-models"), ("model-20240101120000", "model-20240101120000"), ("Fraud Models", "Fraud Models"), ("S3cretPw99", "(not shown)")],
)
def test_the_result_repeats_no_name_that_no_registry_can_have_and_may_be_a_password(name, said):
    assert Item("registries[0]", {}, Registry(name, NAMESPACE), Outcome()).result()["name"] == said


@pytest.mark.parametrize(
    ("call", "option"),
    [({"wait_timeout": 0}, "wait_timeout"), ({"purge_limit": -1}, "purge_limit"), ({"purge": True}, "registries")],
)
def test_what_is_wrong_with_the_call_is_no_registrys(call, option):
    assert refused(*([] if option == "registries" else [entry("one")]), **call) == {option}


# What came of them


def item(number, *failures, **outcome):
    return Item(
        f"registries[{number}]", {}, Registry(f"r{number}", NAMESPACE), Outcome(**outcome), [Problem(f"o{number}", said, "Mend it") for said in failures]
    )


@pytest.mark.parametrize(("check_mode", "done"), [(True, "compared"), (False, "reconciled")])
def test_a_failure_names_those_that_failed_and_what_became_of_the_others(check_mode, done):
    error = NotAllConvergedError([item(1, "is wrong", "is odd"), item(3, "is wrong")], 5, check_mode)
    assert str(error) == f"2 of 5 registries failed: r1 and r3. All others were {done}. o1: is wrong. Mend it. o1: is odd. Mend it. o3: is wrong. Mend it."
    assert [problem.option for problem in error.problems] == ["o1", "o1", "o3"]


@pytest.mark.parametrize(("failures", "more"), [(20, ""), (21, " And 1 more, see `problems`."), (30, " And 10 more, see `problems`.")])
def test_a_message_tells_only_so_many_failures(failures, more):
    # What is said twice counts once.
    error = NotAllConvergedError([item(1, *(f"problem {number}" for number in range(failures)), "problem 0")], 1, False)
    assert len(error.problems) == failures + 1 and "problem 19" in str(error) and "problem 20" not in str(error)
    assert str(error).endswith(f"problem 19. Mend it.{more}")


def failing(error):
    def work():
        raise error

    return work


def test_what_fails_for_one_registry_is_noted_with_its_place_and_does_not_stop_the_others():
    one = item(1)
    one.attempt(failing(ClusterError("the API server is busy.")))
    one.attempt(failing(InputError([Problem("name", "is taken", "Choose another"), Problem("namespace", "does not exist", "Set it")])))
    assert [(problem.option, problem.problem) for problem in one.failures] == [
        ("registries[1]", "the API server is busy"),
        ("registries[1].name", "is taken"),
        # That of the call is none of the registry's.
        ("namespace", "does not exist"),
    ]
    assert one.error == "the API server is busy." and one.failures[0].value == "r1"
    with pytest.raises(_interruption.CancelledError):
        one.attempt(failing(_interruption.CancelledError()))
    said = " ".join(problem.sentence() for problem in one.failures)
    assert one.result() == {"name": "r1", "namespace": NAMESPACE, "changed": False, "failed": True, "msg": said, "status": {}}
    assert one.brief() == {"name": "r1", "namespace": NAMESPACE, "changed": False, "failed": True, "msg": said}
    assert item(2, changes=[{"kind": "Secret"}]).brief() == {"name": "r2", "namespace": NAMESPACE, "changed": True, "failed": False}


def test_a_difference_is_shown_only_where_there_is_one():
    permissions = {"before": {"users": []}, "after": {"users": ["alice"]}}
    assert item(1, before={"a": 1}, after={"a": 1}, permissions_difference={"before": {}, "after": {}}).difference() == []
    assert item(1).difference() == []
    assert item(1, before={"a": 1}, after={"a": 2}, permissions_difference=permissions).difference() == [
        {"before_header": "registry r1", "after_header": "registry r1", "before": {"a": 1}, "after": {"a": 2}},
        permissions,
    ]


def test_the_result_of_a_fleet_has_all_that_was_done_and_keeps_only_what_is_still_there():
    def change(action, kind, name):
        return {"action": action, "kind": kind, "name": name}

    def kept(kind, name):
        return {"kind": kind, "name": name, "reason": "x"}

    one = item(1, changes=[change("create", "Secret", "a")], kept=[kept("Secret", "b"), kept("ConfigMap", "c")], database={"usable": True}, before={"a": 1})
    gone = item(2, changes=[change("delete", "Secret", "b")], kept=[kept("Secret", "a"), kept("mysql", "d")])
    outcome = FleetOutcome(items=[one], removals=[gone], unlisted=[{"name": "r2"}])
    result = outcome.result(True)
    assert result["changes"] == [change("create", "Secret", "a"), change("delete", "Secret", "b")] and result["changed"] is True
    assert result["kept"] == [kept("ConfigMap", "c"), kept("Secret", "a"), kept("mysql", "d")]
    assert result["databases"] == [{"name": "r1", "usable": True}] and len(result["diff"]) == 1
    assert result["registries"] == [one.result()] and result["unlisted"] == [{"name": "r2"}] and result["compared"] is False
    # What `info` tells anyway is not told twice.
    outcome.info = {"registries": []}
    assert outcome.result(False)["registries"] == [one.brief()] and outcome.result(False)["info"] == {"registries": []}
    assert not {"kept", "databases", "info", "diff"} & FleetOutcome().result(False).keys() and FleetOutcome().result(False)["changed"] is False


class Broken:
    """A collector of what cannot be read."""

    def __init__(self, *_arguments):
        pass

    def loads(self):
        return []

    def result(self):
        raise ClusterError("the libraries are missing")


def test_what_is_wrong_with_everything_about_registries_does_not_stop_the_comparison(monkeypatch):
    monkeypatch.setattr(collector, "Collector", Broken)
    outcome = FleetOutcome()
    registries._inform(SimpleNamespace(survey=lambda: None, load=lambda _further: None), {}, outcome)
    assert outcome.info is None and outcome.warnings == ["info was not read: the libraries are missing"]


def test_a_registry_of_another_namespace_is_none_of_the_call_s_namespace():
    listed = [entry("one", namespace="elsewhere"), entry("two", namespace=NAMESPACE)]
    assert refused(*listed, namespace=NAMESPACE) == set()
    assert refused(entry("one"), info={"expiry_days": -1}) == {"info.expiry_days"} and refused(entry("one"), info={"expiry_days": 0}) == set()


# What a snapshot keeps


def test_what_is_dropped_of_sources_pods_and_deployments_changes_no_judgement():
    source, running = secret(wanted(), changed_at=LATER), {**pod(), "spec": {"containers": [{"name": "rest-container", "image": "server:1", "args": ["x"]}]}}
    source["metadata"]["managedFields"].append({"manager": "other", "time": "2026-06-01T10:00:00Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}})
    assert changed_at(KEPT[kinds.SECRETS](source)) == changed_at(source)
    assert server_start(KEPT[kinds.PODS](running)) == server_start(running)
    for path in (POD_TEMPLATE, RESTART_MARK):
        fields = {}
        here = fields
        for part in path:
            here = here.setdefault(part, {})
        deployment = {"metadata": {"managedFields": [{"time": LATER, "fieldsV1": fields}, {"time": LATER, "fieldsV1": {"f:status": {}}}]}}
        kept = KEPT[kinds.DEPLOYMENTS](deployment)["metadata"]["managedFields"]
        assert [at(part["fieldsV1"], path) is not None for part in kept] == [True, False]
        before, after = (
            live(wanted(), registry=stored(wanted()), deployment=one, pods=(running,)) for one in (deployment, KEPT[kinds.DEPLOYMENTS](deployment))
        )
        assert is_outdated(before, [(source, [])]) == is_outdated(after, [(source, [])])


def test_of_a_binding_only_who_wrote_it_and_when_is_kept_of_its_history():
    binding = {"metadata": {"name": "b", "managedFields": [{"manager": "m", "time": LATER, "fieldsV1": {"f:subjects": {}}}]}, "subjects": []}
    assert KEPT[kinds.ROLE_BINDINGS](binding)["metadata"]["managedFields"] == [{"manager": "m", "time": LATER, "fieldsV1": {}}]
    assert KEPT[kinds.ROLE_BINDINGS](binding)["subjects"] == []
    registry = stored(wanted())
    metadata = registry["metadata"]
    metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "all of it once more"
    operators = {"manager": "operator", "time": LATER, "subresource": "status", "fieldsV1": {"f:status": {"f:conditions": {}}}}
    metadata["managedFields"].append(operators)
    kept = KEPT[kinds.REGISTRIES[0]](registry)
    assert kept["metadata"]["managedFields"] == metadata["managedFields"][:-1] and kept["spec"] == registry["spec"]
    assert kept["metadata"]["annotations"].keys() == metadata["annotations"].keys() - {"kubectl.kubernetes.io/last-applied-configuration"}


class Lists:
    """A cluster that counts what is listed and read, and refuses the lists of some kinds."""

    def __init__(self, refuses=(), **objects):
        self.objects, self.refuses, self.asked = objects, refuses, []

    def items(self, api, namespace, trim=lambda item: item, **_query):
        self.asked.append(f"list {api[1]}")
        if api[1] in self.refuses:
            raise ClusterError("no", FORBIDDEN)
        return [trim(found) for found in self.objects.get(api[1], ())]

    def read(self, api, namespace, name):
        self.asked.append(f"get {api[1]}/{name}")
        return next((found for found in self.objects.get(api[1], ()) if found["metadata"]["name"] == name), None)


def held(*names):
    return [{"metadata": {"name": name}, "data": {}} for name in names]


def test_each_kind_is_listed_once_whoever_asks_first():
    cluster = Lists(secrets=held("a", "b"))
    snapshot = Snapshot(cluster, TODAY, NAMESPACE)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: snapshot.held("Secret", name), ["a", "b", "c"] * 20))
    assert [one and one["metadata"]["name"] for one in found[:3]] == ["a", "b", None]
    assert cluster.asked == ["list secrets"]


def test_what_may_not_be_listed_is_read_once_each():
    cluster = Lists(refuses=("secrets", "deployments"), secrets=held("a"), deployments=held("a"))
    snapshot = Snapshot(cluster, TODAY, NAMESPACE)
    for _again in range(2):
        assert snapshot.held("Secret", "a")["metadata"]["name"] == "a"
        assert snapshot.deployment("a")["metadata"]["name"] == "a"
        assert snapshot.held("Secret", "b") is None
    assert sorted(cluster.asked) == ["get deployments/a", "get secrets/a", "get secrets/b", "list deployments", "list secrets"]
    with pytest.raises(ClusterError):
        snapshot.named("Secret", "a")


def test_groups_whose_members_nobody_sets_are_not_read_one_by_one():
    cluster = Lists(refuses=("groups",))
    cluster.serves = lambda *_api: True
    snapshot = Snapshot(cluster, TODAY, NAMESPACE)

    def plan(name, members):
        return authorization.plan(snapshot, authorization.Request(Permissions(members=members), name, True, Outcome(), waits=True), None)

    assert [plan(name, None).standing.group.is_readable for name in ("a", "b", "c")] == [False] * 3
    assert cluster.asked == ["list rolebindings", "list groups"]
    assert plan("a", ()).standing.group.is_readable
    assert cluster.asked[2:] == ["get groups/a-users"]


@pytest.mark.parametrize(("number", "refuses"), [(5, False), (6, False), (6, True)])
def test_service_accounts_of_many_namespaces_are_listed_together(number, refuses):
    namespaces = [f"n{index}" for index in range(number)]
    everywhere = [{"metadata": {"name": "pipeline", "namespace": where}} for where in (*namespaces[1:], "other")]

    def metadata(api, namespace):
        if api[1] == "serviceaccounts":
            cluster.asked.append(f"names {namespace}")
            if refuses:
                raise ClusterError("no", FORBIDDEN)
        return [found for found in everywhere if namespace in ("", found["metadata"]["namespace"])]

    cluster = Lists()
    cluster.metadata, cluster.serves, cluster.missing_rights = metadata, lambda *_api: True, lambda *_rights: []
    grants = tuple(Grant("service_accounts", "pipeline", where) for where in namespaces)
    outcome = Outcome()
    reader = Reader(cluster, TODAY, NAMESPACE)
    known = authorization.plan(reader, authorization.Request(Permissions(grants), "fraud", True, outcome), stored(wanted())).known
    assert [asked for asked in cluster.asked if asked.startswith("names ")] == (["names "] if number > 5 else [f"names {where}" for where in namespaces])
    # Nobody is told that an account is unknown where they may not be listed.
    assert {where: set(names) for where, names in known.service_accounts.items()} == (
        {} if refuses else {where: set() if where == "n0" else {"pipeline"} for where in namespaces}
    )
    assert any("whether the service accounts exist could not be determined" in warning for warning in outcome.warnings) is refuses


def test_the_secrets_of_a_registry_are_found_by_how_their_names_begin():
    snapshot = Snapshot(Lists(secrets=held("a-db-12345", "a-db-b-db-12345", "ab-db-12345", "other")), TODAY, NAMESPACE)
    assert {found["metadata"]["name"] for found in snapshot.named("Secret", "a-db-")} == {"a-db-12345", "a-db-b-db-12345"}
    assert {found["metadata"]["name"] for found in snapshot.named("Secret", "a-db-b-db-")} == {"a-db-b-db-12345"}
    assert snapshot.named("Secret", "nobody-db-") == []


@pytest.mark.parametrize(("refuses", "served"), [((), True), (("groups",), False)])
def test_whether_a_kind_is_served_is_asked_once_and_not_of_what_was_listed(refuses, served):
    cluster, asked = Lists(refuses, groups=held("fraud-users")), []

    def serves(_version, plural):
        asked.append(plural)
        return plural == "httproutes"

    cluster.serves = serves
    snapshot = Snapshot(cluster, TODAY, NAMESPACE)
    assert [snapshot.serves(kinds.HTTP_ROUTES) for _again in range(2)] == [True, True] and not snapshot.serves(kinds.AI_HUBS)
    assert (asked, cluster.asked) == (["httproutes", kinds.AI_HUBS[1]], [])
    assert snapshot.serves(kinds.USER_GROUPS) is served and (snapshot.group("fraud-users") is not None) is served
    # A cluster without groups is asked for none.
    assert ("groups" in asked) is not served and cluster.asked == ["list groups"]


def test_names_of_other_namespaces_are_listed_once_for_the_whole_cluster_where_that_is_allowed():
    def metadata(cluster, refuses):
        def answer(api, namespace):
            cluster.asked.append(f"names {api[1]} {namespace}")
            if not namespace and refuses:
                raise ClusterError("no", FORBIDDEN)
            everywhere = [{"metadata": {"name": "pipeline", "namespace": where}} for where in ("ci", "dev", NAMESPACE)]
            return [found for found in everywhere if namespace in ("", found["metadata"]["namespace"])]

        return answer

    accounts = ("v1", "serviceaccounts")
    for refuses, asked in ((False, ["names serviceaccounts "]), (True, ["names serviceaccounts ", "names serviceaccounts ci", "names serviceaccounts dev"])):
        cluster = Lists()
        cluster.metadata = metadata(cluster, refuses)
        snapshot = Snapshot(cluster, TODAY, NAMESPACE)
        for namespace in ("ci", "dev", "ci"):
            assert [found["metadata"]["namespace"] for found in snapshot.names(accounts, namespace)] == [namespace]
        assert cluster.asked == asked
        assert len(snapshot.names(accounts, NAMESPACE)) == 1
        assert cluster.asked[-1] == f"names serviceaccounts {NAMESPACE}"


def test_pods_are_those_of_the_server_and_not_of_its_generated_database():
    def labelled(name, app, kind):
        return {"metadata": {"name": name, "labels": {"app": app, "app.kubernetes.io/name": kind}}, "spec": {"containers": []}}

    cluster = Lists(pods=[labelled("server", "fraud", "fraud"), labelled("database", "fraud", "fraud-postgres"), labelled("other", "other", "other")])
    snapshot = Snapshot(cluster, TODAY, NAMESPACE)
    assert [found["metadata"]["name"] for found in snapshot.pods("fraud")] == ["server"]
    assert snapshot.pods("nobody") == ()


def test_bindings_are_found_by_their_role_and_not_by_a_cluster_role_of_its_name():
    def to(kind, name):
        return {"metadata": {"name": f"{kind}-{name}"}, "roleRef": {"kind": kind, "name": name}}

    snapshot = Snapshot(Lists(rolebindings=[to("Role", "one"), to("ClusterRole", "one"), to("Role", "two")]), TODAY, NAMESPACE)
    assert [found["metadata"]["name"] for found in snapshot.role_bindings(("one", "none"))] == ["Role-one"]


# Waiting


def test_what_was_seen_closely_is_remembered_for_the_same_pod_alone():
    def observed(uid, ready="False", **explained):
        one = pod()
        one["metadata"]["uid"] = uid
        one["status"]["conditions"] = [{"type": "Ready", "status": ready}]
        return Observation(None, None, (one,), **explained)

    before = observed("1", log="refused", events=("no",))
    assert with_explanation(observed("1"), before) == before
    assert with_explanation(observed("2"), before) == observed("2")
    assert with_explanation(observed("1", ready="True"), before) == observed("1", ready="True")


@pytest.mark.parametrize(
    ("status", "is_it"),
    [
        ({"restartCount": 0, "state": {"running": {}}}, False),
        ({"restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}, False),
        ({"restartCount": 1, "state": {"running": {}}}, True),
        ({"restartCount": 0, "state": {"waiting": {"reason": "CreateContainerConfigError"}}}, True),
    ],
)
def test_a_server_in_trouble_is_looked_at_closely_at_once(status, is_it):
    troubled = pod()
    troubled["status"]["containerStatuses"] = [{"name": "rest-container", **status}]
    assert is_in_trouble(Observation(None, None, (troubled,))) is is_it
