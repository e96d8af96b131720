"""What `model_catalog` does after it has written: it waits for the server, tells what the server says, and puts back what takes the catalog down."""

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import wait
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.catalog_merged import Merged
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_view import View
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import catalog_server
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest.catalog_server import NoAnswerError, Preview, Shown
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import catalog_rollout

from .catalogs import MODELS, Cluster, run

USER = "model-catalog-sources"
NEW = {"name": "New", "content": MODELS}
LABEL = {"name": "Own", "display_name": None, "description": None, "asset_type": None}
PLAIN = Shown("New", True, (), (), (), "available", None)


class Server:
    """A catalog's server that shows what the cluster has, `late` looks after it was written; `says` changes what it says of a source, by ID."""

    def __init__(self, cluster, late=1):
        self.cluster, self.late, self.says, self.refuses = cluster, late, {}, ()
        self._seen = [self._view()]

    def _view(self):
        texts = {name: dict(one["data"]) for (plural, name), one in self.cluster.held.items() if plural == "configmaps"}
        order = catalog.in_order({name: one for (plural, name), one in self.cluster.held.items() if plural == "configmaps"}, catalog.WITH_AGENTS)
        return View(catalog.WITH_AGENTS, {name: texts[name] for name in order})

    @property
    def view(self):
        return self._seen[max(0, len(self._seen) - 1 - self.late)]

    def sources(self, kind):
        if kind is catalog.MODEL:
            self._seen.append(self._view())
        for refusal in self.refuses:
            raise refusal
        made = {}
        for (name, identity), source in self.view.sources.items():
            if name == kind.name:
                status, error = self.says.get(identity, ("available" if source.is_enabled else "disabled", None))
                lists = (tuple(source.values.get(key) or ()) for key in ("labels", kind.included, kind.excluded))
                made[identity] = Shown(source.values.get("name", ""), source.is_enabled, *lists, status, error)
        return made

    def labels(self, _kinds):
        return [dict(label) for file in self.view.files.values() for label in file.labels]

    def names(self, kind, identity):
        return catalog_rollout._names(self.view, self.view.sources[kind.name, identity])

    def preview(self, entry, data):
        if entry["type"] == "hf":
            raise NoAnswerError("the catalog server responded with status 422: failed to load models")
        return Preview(data.count("name:"), 1)


@pytest.fixture
def cluster(monkeypatch):
    made = Cluster()
    made.server = Server(made)
    monkeypatch.setattr(catalog_server, "find", lambda _cluster, _namespace: made.server)
    for name in ("PAUSE", "POLL_SECONDS"):
        monkeypatch.setattr(wait, name, 0)
    monkeypatch.setattr(catalog_rollout, "POLL_SECONDS", 0)
    monkeypatch.setattr(catalog_rollout, "SETTLE_SECONDS", 0)
    return made


def pod(ready, restarts=0, uid="u", others=()):
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    statuses = [{"name": "catalog", "restartCount": restarts}]
    metadata = {"name": f"model-catalog-{uid}", "uid": uid, "creationTimestamp": "2026-01-01T00:00:00Z"}
    folders = ["default-sources", "user-model-sources", "user-mcp-sources", *(f"labeled-sources/{name}" for name in others)]
    arguments = ["--listen=0.0.0.0:8080", *(f"--catalogs-path=/data/{folder}/sources.yaml" for folder in folders)]
    spec = {"containers": [{"name": "catalog", "args": arguments}, {"name": "kube-rbac-proxy"}]}
    return {"metadata": metadata, "spec": spec, "status": {"conditions": conditions, "containerStatuses": statuses}}


def goes_down(cluster, line, previous="", restarts=0, others=()):
    """With the first write, the server is not ready any more, and logs this. It is again when it is restarted."""

    def hook(_write):
        cluster.pods, cluster.logs = [pod(False, restarts, others=others)], {False: line, True: previous}
        cluster.server.refuses = (NoAnswerError("no pod of the catalog server is ready", True),)
        cluster.after = restarted

    def restarted(write):
        if write[0] == "restart":
            cluster.pods, cluster.logs, cluster.server.refuses = [pod(True, uid="new", others=others)], {False: "started", True: ""}, ()

    cluster.pods = [pod(True, others=others)]
    cluster.after = hook


def test_it_waits_until_the_server_shows_the_change(cluster):
    cluster.server.late = 3
    result = run(cluster, NEW)
    assert result["sources"] == [{"id": "new", "kind": "model", "status": "available", "error": None}]
    assert len(cluster.server._seen) > 4


def test_a_change_that_the_server_does_not_show_in_time_is_a_failure(cluster):
    cluster.server.late = 10**9
    with pytest.raises(catalog_rollout.NotShownError, match="source 'new' is not shown"):
        run(cluster, NEW, wait_timeout=1)
    assert "new.yaml" in cluster.data["configmaps", USER]


def test_it_waits_for_labels_too(cluster):
    cluster.server.late = 3
    label = {"name": "Fraud", "display_name": "The fraud team", "description": None, "asset_type": None}
    run(cluster, labels=[label])
    assert {"name": "Fraud", "displayName": "The fraud team"} in cluster.server.labels(None)
    cluster.server.late = 10**9
    with pytest.raises(catalog_rollout.NotShownError, match="'Fraud'"):
        run(cluster, labels=[{**label, "display_name": "Others"}], wait_timeout=1)


@pytest.mark.parametrize(
    ("source", "options", "status", "told"),
    [
        (NEW, {}, None, "source 'new' is not shown"),
        ({"id": "granite", "state": "absent"}, {}, None, "source 'granite' is still shown"),
        ({"id": "fraud_models", "enabled": False}, {}, None, "source 'fraud_models' is shown with its previous values"),
        ({"id": "fraud_models", "included": ["org/m*"]}, {}, None, "source 'fraud_models' is shown with its previous values"),
        ({"id": "fraud_models", "content": "models: [{name: org/other}]"}, {}, None, "source 'fraud_models' is shown with its previous models"),
        (
            {"id": "fraud_models", "content": "models: [{name: org/other}]"},
            {},
            (None, None),
            "source 'fraud_models' has not been loaded, or the catalog server has lost its status",
        ),
        ({"id": "fraud_models"}, {"labels": [LABEL]}, None, "label 'Own' is shown as before"),
    ],
)
def test_what_the_server_does_not_show_yet_is_told_while_it_is_waited_for(cluster, source, options, status, told):
    said, cluster.server.late = [], 3
    cluster.tell = said.append
    if status:
        # Until it shows the new entries it has no status.
        cluster.server.says["fraud_models"] = status
    run(cluster, source, **options)
    assert f"waiting for the catalog server: {told}" in said
    assert len(cluster.server._seen) > 4


def test_without_wait_the_server_is_not_asked(cluster):
    cluster.server.refuses = (AssertionError("asked"),)
    assert run(cluster, NEW, wait=False)["sources"][0]["status"] is None


def test_a_source_that_the_server_cannot_load_fails_with_its_words_and_stays(cluster):
    cluster.server.says["new"] = ("error", "failed to read the file")
    with pytest.raises(catalog_rollout.NotShownError, match="cannot load it: failed to read the file"):
        run(cluster, NEW)
    assert "new.yaml" in cluster.data["configmaps", USER]


def test_a_source_without_a_status_that_shows_its_models_is_loaded(cluster):
    cluster.server.says["new"] = (None, None)
    assert run(cluster, NEW)["sources"] == [{"id": "new", "kind": "model", "status": None, "error": None}]
    cluster.server.says["other"] = (None, None)
    with pytest.raises(catalog_rollout.NotShownError, match="has not been loaded"):
        run(cluster, {**NEW, "name": "Other", "content": "models: []"}, wait_timeout=1)


@pytest.mark.parametrize("names", [{"org/a"}, set()])
def test_a_new_source_of_hugging_face_without_a_status_is_loaded_when_it_shows_models(cluster, monkeypatch, names):
    hub = {"id": "hub", "name": "Hub", "type": "hf", "organization": "org", "included": ["*"]}
    cluster.server.says["hub"] = (None, None)
    monkeypatch.setattr(cluster.server, "names", lambda _kind, _identity: names)
    if names:
        assert run(cluster, hub)["sources"] == [{"id": "hub", "kind": "model", "status": None, "error": None}]
    else:
        with pytest.raises(catalog_rollout.NotShownError, match="source 'hub' has not been loaded, or the catalog server has lost its status"):
            run(cluster, hub, wait_timeout=1)


def test_an_error_from_before_the_change_is_waited_for_to_pass(cluster):
    looks = iter(range(10))
    original = cluster.server.sources

    def sources(kind):
        if kind is catalog.MODEL and next(looks) > 3:
            cluster.server.says.clear()
        return original(kind)

    cluster.server.says["fraud_models"] = ("error", "bad data")
    cluster.server.sources = sources
    result = run(cluster, {"id": "fraud_models", "content": "models:\n  - name: org/other\n"})
    assert result["sources"][0]["status"] == "available"


def test_what_could_be_loaded_only_in_part_is_a_warning(cluster):
    cluster.server.says["new"] = ("partially-available", "Failed to load 1 model(s)")
    warnings = []
    monitored = record.Outcome(warnings=warnings)
    run(cluster, NEW, outcome=monitored)
    assert any("'new'" in warning and "Failed to load 1 model(s)" in warning for warning in warnings)


REFUSED = "E1129 02:00:00.000000 1 base.go:94] unable to reload model config: unable to reload model sources from /data/user-model-sources/sources.yaml: bad"


@pytest.mark.parametrize(
    ("line", "previous", "restarts"),
    [
        (REFUSED, "", 0),
        ("", "Error: error starting plugins: model config: /data/user-model-sources/sources.yaml: bad", 1),
        ("", "panic: runtime error: invalid memory address", 1),
    ],
)
def test_what_takes_the_catalog_down_is_put_back(cluster, line, previous, restarts):
    before = dict(cluster.data["configmaps", USER])
    goes_down(cluster, line, previous, restarts)
    with pytest.raises(catalog_rollout.NotShownError, match="The previous content was restored"):
        run(cluster, NEW)
    assert cluster.data["configmaps", USER] == before
    assert cluster.writes == [("PATCH", USER)] * 2


def test_what_the_server_shows_already_is_known_to_be_read_by_its_log(cluster):
    """The same label is shown because of another ConfigMap."""
    read = "I1129 02:00:00.000000 1 base.go:92] Config file changed, reloading model sources: /data/user-model-sources/sources.yaml"
    looks = iter(["", "started", "started", "started", f"started\n{read}"])
    cluster.pods, cluster.server.late = [pod(True)], 0
    told = []

    def log(_namespace, _pod, _container, _previous, _lines):
        told.append(next(looks, f"started\n{read}"))
        return told[-1] or "started"

    cluster.log = log
    run(cluster, named_queries=[{"name": "q", "asset_type": None, "filters": [{"field": "f", "operator": "=", "value": "x"}]}])
    assert len(told) == 5


def test_a_file_that_is_refused_is_waited_for_until_the_pod_is_not_ready(cluster):
    cluster.pods, cluster.server.late = [pod(True)], 0
    lines = iter(["started", f"started\n{REFUSED}", f"started\n{REFUSED}"])
    before = dict(cluster.data["configmaps", USER])

    def log(_namespace, _pod, _container, _previous, _lines):
        line = next(lines, None)
        if line is None:
            cluster.pods = [pod(False)]
        return line or f"started\n{REFUSED}"

    cluster.log = log
    with pytest.raises(catalog_rollout.NotShownError, match="The previous content was restored"):
        run(cluster, NEW)
    assert cluster.data["configmaps", USER] == before


SECRET = "catalog-granite-apikey"


def store_token(cluster):
    labels = {"app.kubernetes.io/component": "model-catalog"}
    cluster.put("secrets", SECRET, {"metadata": {"name": SECRET, "uid": "u", "labels": labels}, "data": {"apiKey": manifests.encoded("hf_y")}})


def test_a_token_is_deleted_only_when_the_server_shows_the_catalog_without_its_source(cluster):
    store_token(cluster)
    seen = []
    original = cluster.server.sources

    def sources(kind):
        seen.append(("secrets", SECRET) in cluster.held)
        return original(kind)

    cluster.server.sources, cluster.server.late = sources, 3
    run(cluster, {"id": "granite", "state": "absent"})
    assert all(seen) and len(seen) > 4
    assert ("secrets", SECRET) not in cluster.held


def test_a_token_of_what_is_put_back_stays(cluster):
    store_token(cluster)
    before = dict(cluster.data["configmaps", USER])

    def down(write):
        if write == ("PATCH", USER):
            goes_down(cluster, REFUSED)
            cluster.after(write)

    cluster.pods, cluster.after = [pod(True)], down
    with pytest.raises(catalog_rollout.NotShownError, match="The previous content was restored"):
        run(cluster, {"id": "granite", "state": "absent"})
    assert cluster.data["configmaps", USER] == before
    assert ("secrets", SECRET) in cluster.held


def test_unless_the_user_does_not_want_that(cluster):
    goes_down(cluster, REFUSED)
    with pytest.raises(catalog_rollout.NotShownError, match="was not restored"):
        run(cluster, NEW, rollback=False)
    assert "new.yaml" in cluster.data["configmaps", USER]


def test_a_config_map_that_this_run_has_created_is_deleted_again(cluster):
    goes_down(cluster, REFUSED.replace("user-model-sources", "labeled-sources/modelops-catalog"))
    with pytest.raises(catalog_rollout.NotShownError, match="'modelops-catalog'"):
        run(cluster, NEW, store="own")
    assert cluster.writes == [("POST", "modelops-catalog"), ("DELETE", "modelops-catalog")]


@pytest.mark.parametrize("name", ["labeled-sources/of-others", "default-sources", "user-mcp-sources"])
def test_what_others_have_written_is_no_reason_to_put_anything_back(cluster, name):
    goes_down(cluster, REFUSED.replace("user-model-sources", name))
    with pytest.raises(catalog_rollout.NotShownError, match="no pod of the catalog server is ready"):
        run(cluster, NEW, wait_timeout=1)
    assert cluster.writes == [("PATCH", USER)]


TWICE = REFUSED.replace("user-model-sources", "labeled-sources/of-others").replace("bad", "label with name '{}' already exists from another origin")


def test_a_label_that_a_file_that_may_not_be_read_has_too_is_put_back_whichever_file_the_server_names(cluster):
    before = dict(cluster.data["configmaps", USER])
    goes_down(cluster, TWICE.format("Own"), others=["of-others"])
    with pytest.raises(catalog_rollout.NotShownError, match=r"not available: .*another origin.*The previous content was restored.*was restarted"):
        run(cluster, labels=[LABEL])
    assert cluster.data["configmaps", USER] == before
    assert cluster.writes == [("PATCH", USER), ("PATCH", USER), ("restart", "model-catalog")]
    goes_down(cluster, TWICE.format("Of others"), others=["of-others"])
    with pytest.raises(catalog_rollout.NotShownError, match="no pod of the catalog server is ready"):
        run(cluster, NEW, wait_timeout=1)
    assert "new.yaml" in cluster.data["configmaps", USER]


AGAIN = REFUSED.replace("bad", "label with name 'Own' already exists from another origin")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_label_that_no_other_file_has_is_no_reason_to_put_a_change_back_but_to_restart_the_server(cluster, is_there):
    """Also one that this run adds: the server may remember it of a file that had it before."""
    if is_there:
        run(cluster, labels=[LABEL])
        cluster.writes.clear()
    goes_down(cluster, AGAIN)
    outcome = record.Outcome()
    run(cluster, NEW, labels=[LABEL], outcome=outcome)
    assert "new.yaml" in cluster.data["configmaps", USER]
    assert cluster.writes == [("PATCH", USER), ("restart", "model-catalog")]
    assert [(change["action"], change["kind"], change["name"]) for change in outcome.changes][1:] == [("restart", "Deployment", "model-catalog")]
    assert any("was restarted" in warning and "'Own' already exists" in warning for warning in outcome.warnings)


def test_it_is_restarted_as_soon_as_its_log_shows_that_and_before_its_pod_is_seen_not_to_be_ready(cluster):
    cluster.pods, cluster.logs, cluster.server.late = [pod(True)], {False: "started", True: ""}, 10**9

    def after(write):
        cluster.logs = {False: f"started\n{AGAIN}", True: ""}
        if write[0] == "restart":
            cluster.pods, cluster.server.late = [pod(True, uid="new")], 0

    cluster.after = after
    run(cluster, labels=[LABEL])
    assert cluster.writes == [("PATCH", USER), ("restart", "model-catalog")]


def test_it_is_restarted_too_when_it_shows_the_change_and_names_a_file_that_was_not_changed(cluster):
    run(cluster, labels=[LABEL])
    cluster.writes.clear()
    cluster.pods, cluster.logs, cluster.server.late = [pod(True)], {False: "started", True: ""}, 0

    def after(write):
        cluster.logs = {False: f"started\n{AGAIN}", True: ""}
        if write[0] == "restart":
            cluster.pods = [pod(True, uid="new")]

    cluster.after = after
    run(cluster, {"name": "Servers", "kind": "mcp", "entries": [{"name": "s"}]})
    assert cluster.writes == [("PATCH", "mcp-catalog-sources"), ("restart", "model-catalog")]


def test_a_server_that_has_read_a_file_and_shows_other_labels_is_restarted(cluster):
    read = "I1129 02:00:00.000000 1 base.go:92] Config file changed, reloading model sources: /data/user-model-sources/sources.yaml"
    run(cluster, labels=[LABEL])
    cluster.writes.clear()
    cluster.pods, cluster.logs, original = [pod(True)], {False: "started", True: ""}, cluster.server.labels
    cluster.server.labels = lambda kinds: [{"name": "Own"}, *original(kinds)]

    def after(write):
        cluster.logs = {False: f"started\n{read}", True: ""}
        if write[0] == "restart":
            cluster.pods, cluster.server.labels = [pod(True, uid="new")], original

    cluster.after = after
    run(cluster, {"id": "fraud_models"}, labels=[], purge=True)
    assert cluster.writes == [("PATCH", USER), ("restart", "model-catalog")]


def test_a_server_whose_labels_are_in_one_file_is_not_restarted_for_those_that_it_shows(cluster, monkeypatch):
    read = "I1129 02:00:00.000000 1 base.go:92] Config file changed, reloading model sources: /data/user-model-sources/sources.yaml"
    monkeypatch.setitem(cluster.held["configmaps", "default-catalog-sources"]["data"], "sources.yaml", "catalogs: []")
    cluster.pods, cluster.logs, original, looks = [pod(True)], {False: "started", True: ""}, cluster.server.labels, iter(range(9))
    cluster.after = lambda _write: cluster.logs.update({False: f"started\n{read}"})
    # It needs some time.
    cluster.server.labels = lambda kinds: original(kinds) if next(looks) > 5 else []
    run(cluster, labels=[LABEL])
    assert cluster.writes == [("PATCH", USER)] and next(looks) > 6


def test_what_its_log_has_said_once_counts_although_it_is_full_of_requests_by_now(cluster, monkeypatch):
    """The server notes every request, so that the last lines are soon about others."""
    monkeypatch.setattr(catalog_rollout, "SETTLE_SECONDS", 0.1)
    read = "I1129 02:00:00.000000 1 base.go:92] Config file changed, reloading model sources: /data/user-model-sources/sources.yaml"
    run(cluster, labels=[LABEL])
    cluster.writes.clear()
    cluster.pods, original, looks = [pod(True)], cluster.server.labels, iter(["started", f"started\n{read}"])
    cluster.server.labels = lambda kinds: [{"name": "Own"}, *original(kinds)]
    cluster.log = lambda *_arguments: next(looks, '2026/11/29 02:00:09 "GET /readyz HTTP/1.1" - 200')

    def after(write):
        if write[0] == "restart":
            cluster.pods, cluster.server.labels = [pod(True, uid="new")], original

    cluster.after = after
    run(cluster, {"id": "fraud_models"}, labels=[], purge=True, wait_timeout=5)
    assert cluster.writes == [("PATCH", USER), ("restart", "model-catalog")]


def test_without_permission_to_restart_it_the_change_is_kept_and_the_failure_says_what_to_run(cluster):
    goes_down(cluster, AGAIN)
    cluster.is_restart_refused = True
    with pytest.raises(catalog_rollout.NotShownError, match=r"was kept.*kubectl rollout restart deployment/model-catalog --namespace registries.*was refused"):
        run(cluster, NEW, labels=[LABEL])
    assert "new.yaml" in cluster.data["configmaps", USER]
    assert cluster.writes == [("PATCH", USER)]


def test_a_label_that_is_there_twice_when_the_server_starts_is_put_back(cluster):
    """A server that starts has not mistaken it."""
    before = dict(cluster.data["configmaps", USER])
    goes_down(cluster, "", f"Error: error starting plugins: model config: {AGAIN.partition(' from ')[2]}", 1)
    with pytest.raises(catalog_rollout.NotShownError, match=r"The previous content was restored"):
        run(cluster, labels=[LABEL])
    assert cluster.data["configmaps", USER] == before


def test_nor_is_a_line_that_was_there_before_the_change(cluster):
    goes_down(cluster, REFUSED)
    cluster.logs = {False: REFUSED, True: ""}
    with pytest.raises(catalog_rollout.NotShownError, match="no pod"):
        run(cluster, NEW, wait_timeout=1)
    assert cluster.writes == [("PATCH", USER)]


def test_what_another_process_has_written_since_is_not_put_back(cluster):
    goes_down(cluster, REFUSED)

    def log(_namespace, _pod, _container, previous, _lines):
        if cluster.writes:
            cluster.put("configmaps", USER, cluster.held["configmaps", USER])
        return cluster.logs[previous]

    cluster.log = log
    with pytest.raises(catalog_rollout.NotShownError, match="another process has changed it since"):
        run(cluster, NEW)
    assert "new.yaml" in cluster.data["configmaps", USER]


@pytest.mark.parametrize("what", ["pods", "log"])
def test_what_may_not_be_read_of_the_server_is_a_warning_before_it_matters(cluster, monkeypatch, what):
    def refuse(api, *arguments, **query):
        if what == "log" or api[1] == "pods":
            raise _errors.ClusterError("no", _errors.FORBIDDEN)
        return original(api, *arguments, **query)

    original = cluster.items
    cluster.pods = [pod(True)]
    monkeypatch.setattr(cluster, "log" if what == "log" else "items", refuse)
    outcome = record.Outcome()
    assert run(cluster, NEW, outcome=outcome)["sources"][0]["status"] == "available"
    told = f"the {what} of the catalog server, which can contain the reason if it becomes unavailable, could not be read: no"
    assert told in outcome.warnings


def test_a_server_that_cannot_be_asked_is_a_warning(cluster, monkeypatch):
    def find(_cluster, _namespace):
        raise NoAnswerError("there is no way")

    monkeypatch.setattr(catalog_server, "find", find)
    outcome = record.Outcome()
    assert run(cluster, NEW, outcome=outcome)["sources"] == [{"id": "new", "kind": "model", "status": None, "error": None}]
    assert any("there is no way" in warning for warning in outcome.warnings)


def test_a_server_that_does_not_tell_the_status_of_sources_is_not_waited_for(cluster):
    cluster.held = {("configmaps", USER): cluster.held["configmaps", USER]}
    cluster.server.refuses = (AssertionError("asked"),)
    outcome = record.Outcome()
    run(cluster, NEW, outcome=outcome)
    assert any("2.24" in warning for warning in outcome.warnings)


def test_the_preview_tells_how_many_models_a_source_brings_and_what_keeps_it_from_that(cluster):
    outcome = record.Outcome()
    hugging = {"name": "Hugging", "organization": "ibm"}
    agents = {"name": "Agents", "kind": "agent", "entries": [{"name": "a"}]}
    result = run(cluster, NEW, hugging, agents, check=True, preview=True, outcome=outcome)
    assert [source["preview"] for source in result["sources"]] == [{"entries": 1, "shown": 1}, None, None]
    assert cluster.writes == []
    assert any("'hugging'" in warning and "422" in warning for warning in outcome.warnings)


def source(kind=catalog.MODEL, **values):
    return Merged(kind, "new", {"name": "New", **values}, {})


@pytest.mark.parametrize(
    ("wanted", "shown", "differs"),
    [
        (source(), PLAIN, False),
        (source(enabled=False), PLAIN, True),
        (source(name="Other"), PLAIN, True),
        (source(labels=["a"]), PLAIN, True),
        (source(includedModels=["a"]), PLAIN, True),
        (source(includedModels=["a"], properties={"allowedOrganization": "ibm"}), Shown("New", True, (), ("ibm/a",), (), None, None), False),
        (source(includedModels=["a"]), Shown("New", True, (), ("ibm/a",), (), None, None), True),
        (source(catalog.MCP, includedServers=["a"]), PLAIN, False),
    ],
)
def test_a_source_is_compared_with_what_the_server_shows_of_it(wanted, shown, differs):
    assert catalog_rollout.differs(wanted, shown) is differs


class Api:
    """What `find` reads of a cluster."""

    bearer_token, ca_file = "token", None

    def __init__(self, address, domain="apps.example.com"):
        self._held = {
            "services": {"metadata": {"annotations": {catalog_server.ADDRESS: address}}} if address else None,
            "ingresses": {"spec": {"domain": domain}},
        }

    def read(self, api, _namespace, _name):
        found = self._held[api[1]]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("model-catalog.apps.example.com:443", "https://model-catalog.apps.example.com"),
        ("gateway.apps.example.com/catalog", "https://gateway.apps.example.com/catalog"),
    ],
)
def test_the_server_is_found_by_its_service(address, url):
    assert catalog_server.find(Api(address), "registries").address == url


@pytest.mark.parametrize(
    "address", ["evil.example.org:443", "apps.example.com.evil.org", "x@evil.org/.apps.example.com", "model-catalog.apps.example.com:8443", ""]
)
def test_the_token_goes_to_no_host_that_is_not_of_the_ingress(address):
    with pytest.raises(NoAnswerError):
        catalog_server.find(Api(address), "registries")


def test_an_account_without_a_token_asks_nobody():
    api = Api("model-catalog.apps.example.com:443")
    api.bearer_token = None
    with pytest.raises(NoAnswerError, match="no token"):
        catalog_server.find(api, "registries")


def test_what_may_not_be_read_is_a_reason():
    api = Api("model-catalog.apps.example.com:443")
    api._held["ingresses"] = _errors.ClusterError("reading ingresses/cluster failed: forbidden.", _errors.FORBIDDEN)
    with pytest.raises(NoAnswerError, match="ingresses/cluster failed"):
        catalog_server.find(api, "registries")


def test_what_takes_the_catalog_down_is_put_back_first_and_a_run_that_is_stopped_then_is_completed(cluster):
    agents = {"name": "Agents", "kind": "agent", "entries": [{"name": "a"}]}
    before = cluster.data

    def stopped(write):
        if write == ("PATCH", USER):
            goes_down(cluster, REFUSED)
            cluster.after(write)
            cluster.after = stop

    def stop(write):
        if cluster.writes[-1] == ("PATCH", USER):
            raise _interruption.CancelledError

    cluster.pods, cluster.after = [pod(True)], stopped
    with pytest.raises(_interruption.CancelledError):
        run(cluster, NEW, agents)
    assert cluster.writes == [("PATCH", USER), ("PATCH", "agent-catalog-sources"), ("PATCH", USER)]
    assert cluster.data["configmaps", USER] == before["configmaps", USER]
    cluster.pods, cluster.logs, cluster.server.refuses, cluster.after = [pod(True)], {False: "", True: ""}, (), lambda _write: None
    run(cluster, NEW, agents)
    assert "new.yaml" in cluster.data["configmaps", USER] and "agents.yaml" in cluster.data["configmaps", "agent-catalog-sources"]
