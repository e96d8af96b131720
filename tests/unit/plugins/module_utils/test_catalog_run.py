"""A run of `model_catalog` while others write, and one that is stopped between two writes."""

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _interruption, _module
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import catalog_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_yaml, manifests, marks
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import CATALOG, SOURCE_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import catalog_server
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog as catalog_run
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog_info

from .catalogs import CLICKED, DEFAULT, MODELS, NAMESPACE, Cluster, config_map, run


def ids(cluster):
    text = cluster.held["configmaps", "model-catalog-sources"]["data"]["sources.yaml"]
    return [entry["id"] for entry in catalog_yaml.parse(text)["catalogs"]]


def once(cluster, what):
    """Do something at the first write alone."""

    def hook(_write):
        cluster.before = cluster.after = lambda _again: None
        what()

    return hook


NEW = {"name": "New", "content": MODELS}
SECRET = "catalog-granite-apikey"


@pytest.mark.parametrize(("status", "is_known_to_be_refused"), [(_errors.FORBIDDEN, True), (500, False), (0, False)])
def test_only_without_the_permission_a_catalog_is_planned_without_its_tokens(status, is_known_to_be_refused):
    class Refusing(Cluster):
        def metadata(self, *_api, **_query):
            raise _errors.ClusterError("no", status)

    said = []
    if is_known_to_be_refused:
        assert catalog_reader.token_secrets(Refusing(), "registries", said.append) is None
        assert said == ["Secrets with tokens could not be determined: no"]
    else:
        with pytest.raises(_errors.ClusterError, match="no"):
            catalog_reader.token_secrets(Refusing(), "registries", said.append)


def test_what_the_dashboard_writes_in_between_stays():
    cluster = Cluster()
    clicked = CLICKED.replace("id: granite\n", "id: other\n").replace("catalog-granite-apikey", "")

    def click():
        cluster.put("configmaps", "model-catalog-sources", config_map("model-catalog-sources", clicked, {"fraud_models.yaml": MODELS}))

    cluster.before = once(cluster, click)
    result = run(cluster, NEW)
    assert ids(cluster) == ["fraud_models", "other", "new"]
    assert [change["name"] for change in result["changes"]] == ["model-catalog-sources"]


def test_a_run_that_is_overtaken_by_the_same_run_changes_nothing_twice():
    cluster = Cluster()
    cluster.before = once(cluster, lambda: run(cluster, NEW))
    assert run(cluster, NEW)["changed"] is False
    assert ids(cluster) == ["fraud_models", "granite", "new"]
    assert len(cluster.writes) == 1


def test_a_write_without_an_answer_that_was_carried_out_is_a_change():
    cluster = Cluster()

    def lose():
        raise _errors.ClusterError("no answer", unclear=True)

    cluster.after = once(cluster, lose)
    result = run(cluster, NEW)
    assert [change["action"] for change in result["changes"]] == ["update"]
    assert len(cluster.writes) == 1


def test_a_config_map_that_is_always_written_by_others_ends_the_run():
    cluster = Cluster()

    def write(_write):
        cluster.put("configmaps", "model-catalog-sources", config_map("model-catalog-sources", CLICKED, {"fraud_models.yaml": MODELS}))

    cluster.before = write
    with pytest.raises(_errors.ClusterError):
        run(cluster, NEW)
    assert cluster.writes == []


EVERYTHING = (
    {"name": "Hugging", "organization": "o", "token": "hf_x"},
    {"id": "granite", "state": "absent"},
    NEW,
    {"name": "Servers", "kind": "mcp", "entries": [{"name": "s"}]},
    {"name": "Agents", "kind": "agent", "entries": [{"name": "a"}]},
)


def with_secret():
    cluster = Cluster()
    labels = {"app.kubernetes.io/component": "model-catalog"}
    secret = {"metadata": {"name": SECRET, "uid": "u", "labels": labels}, "data": {"apiKey": manifests.encoded("hf_y")}}
    cluster.put("secrets", SECRET, secret)
    return cluster


KEPT = ({"id": "fraud_models"}, *(source for source in EVERYTHING if source.get("state") != "absent"))
OPTIONS = [(EVERYTHING, {}), (KEPT, {"purge": True})]


@pytest.mark.parametrize(("sources", "options"), OPTIONS)
@pytest.mark.parametrize("number", range(1, 7))
def test_a_run_that_is_stopped_after_any_write_is_completed_by_the_next_one(number, sources, options):
    whole, stopped = with_secret(), with_secret()
    done = run(whole, *sources, **options)
    # Beside these writes, the deletion is announced.
    assert len(whole.writes) == len(done["changes"]) + 1 == 6
    assert whole.writes[-2:] == [("PATCH", "agent-catalog-sources"), ("DELETE", SECRET)]

    def stop(_write):
        if len(stopped.writes) == number:
            raise _interruption.CancelledError

    stopped.after = stop
    with pytest.raises(_interruption.CancelledError):
        run(stopped, *sources, **options)
    stopped.after = lambda _write: None
    run(stopped, *sources, **options)
    assert stopped.data == whole.data
    assert run(stopped, *sources, **options)["changes"] == []


def test_a_token_that_is_stored_again_in_between_is_kept():
    cluster = with_secret()

    def store(write):
        if write == ("PATCH", "model-catalog-sources"):
            cluster.after = lambda _again: None
            # By a run that has not written its file yet.
            run(cluster, {"id": "granite", "name": "Granite", "organization": "ibm-granite", "token": "hf_y"}, wait=False)

    cluster.after = store
    outcome = record.Outcome()
    run(cluster, {"id": "granite", "state": "absent"}, outcome=outcome)
    assert ids(cluster) == ["fraud_models", "granite"]
    assert ("secrets", SECRET) in cluster.held
    assert any(SECRET in warning and "was not deleted" in warning for warning in outcome.warnings)


@pytest.mark.parametrize("options", [{}, {"purge": True}])
@pytest.mark.parametrize("is_announced", [False, True])
def test_a_token_that_no_source_uses_goes_only_with_a_purge_that_finds_its_deletion_announced(options, is_announced):
    cluster, name = with_secret(), "catalog-unused-apikey"
    metadata = {"name": name, "uid": "v", "labels": {"app.kubernetes.io/component": "model-catalog"}}
    metadata |= {"annotations": {marks.LEAVING: "1"}} if is_announced else {}
    cluster.put("secrets", name, {"metadata": metadata, "data": {"apiKey": manifests.encoded("hf_z")}})
    # The source that it lists is gone already, so that its Secret is looked for.
    run(cluster, {"id": "fraud_models"}, {"id": "granite"}, {"id": "gone", "state": "absent"}, **options)
    assert (("secrets", name) in cluster.held) is not (is_announced and bool(options))
    assert ("secrets", SECRET) in cluster.held


def test_tokens_go_in_the_order_of_their_names():
    cluster, names = Cluster(), [f"catalog-{letter}-apikey" for letter in "hbfzqacw"]
    for name in names:
        metadata = {"name": name, "uid": name, "labels": {"app.kubernetes.io/component": "model-catalog"}, "annotations": {marks.LEAVING: "1"}}
        cluster.put("secrets", name, {"metadata": metadata, "data": {"apiKey": manifests.encoded("hf_z")}})
    run(cluster, {"id": "fraud_models"}, {"id": "granite"}, purge=True)
    assert cluster.writes == [("DELETE", name) for name in sorted(names)]


def test_the_token_of_a_source_that_is_gone_is_looked_for_also_where_secrets_may_not_be_listed():
    class Refusing(Cluster):
        def metadata(self, *_api, **_query):
            raise _errors.ClusterError("no", _errors.FORBIDDEN)

    cluster, name = Refusing(), "catalog-gone-apikey"
    metadata = {"name": name, "uid": "v", "labels": {"app.kubernetes.io/component": "model-catalog"}}
    cluster.put("secrets", name, {"metadata": metadata, "data": {"apiKey": manifests.encoded("hf_z")}})
    run(cluster, {"id": "gone", "state": "absent"})
    assert ("secrets", name) not in cluster.held


def test_a_deletion_without_an_answer_that_was_carried_out_is_a_change():
    cluster = with_secret()

    def lose(write):
        if write[0] == "DELETE":
            raise _errors.ClusterError("no answer", unclear=True)

    cluster.after = lose
    outcome = record.Outcome()
    result = run(cluster, {"id": "granite", "state": "absent"}, outcome=outcome)
    assert [change["action"] for change in result["changes"]] == ["update", "delete"]
    assert not any(SECRET in warning for warning in outcome.warnings)


def test_check_mode_writes_nothing_and_tells_the_same():
    cluster = with_secret()
    predicted = run(cluster, *EVERYTHING, check=True)
    assert cluster.writes == []
    assert predicted == run(cluster, *EVERYTHING)


def test_what_another_process_has_deleted_in_between_is_planned_anew():
    cluster = Cluster()

    def gone():
        raise _errors.ClusterError("there is none", _errors.NOT_FOUND)

    cluster.before = once(cluster, gone)
    assert [change["action"] for change in run(cluster, NEW)["changes"]] == ["update"]
    assert ids(cluster) == ["fraud_models", "granite", "new"]


@pytest.mark.parametrize("verb", ["PATCH", "DELETE"])
def test_a_refusal_ends_the_run_and_what_was_refused_is_no_change(verb):
    cluster = with_secret()

    def refuse(write):
        if write == (verb, SECRET if verb == "DELETE" else "model-catalog-sources"):
            raise _errors.ClusterError("a policy refuses it", _errors.FORBIDDEN)

    cluster.before = refuse
    outcome = record.Outcome()
    with pytest.raises(_errors.ClusterError, match="a policy refuses it"):
        run(cluster, {"id": "granite", "state": "absent"}, outcome=outcome)
    assert ("secrets", SECRET) in cluster.held
    assert [change["action"] for change in outcome.changes] == (["update"] if verb == "DELETE" else [])


def test_a_deletion_without_an_answer_that_was_not_carried_out_is_no_change():
    cluster = with_secret()
    tries = []

    def lose(write):
        if write[0] == "DELETE":
            tries.append(write)
            raise _errors.ClusterError("no answer", unclear=True)

    cluster.before = lose
    outcome = record.Outcome()
    with pytest.raises(_errors.ClusterError, match="no answer"):
        run(cluster, {"id": "granite", "state": "absent"}, outcome=outcome)
    assert len(tries) > 1 and [change["action"] for change in outcome.changes] == ["update"]


def test_a_secret_that_another_process_has_deleted_is_no_change_of_this_run():
    cluster = with_secret()

    def delete(write):
        if write[0] == "DELETE":
            raise _errors.ClusterError("there is none", _errors.NOT_FOUND)

    cluster.before = delete
    assert [change["action"] for change in run(cluster, {"id": "granite", "state": "absent"})["changes"]] == ["update"]


def test_without_a_server_nothing_is_previewed_and_a_warning_says_why(monkeypatch):
    def find(_cluster, _namespace):
        raise catalog_server.NoAnswerError("there is no way")

    monkeypatch.setattr(catalog_server, "find", find)
    outcome = record.Outcome()
    result = run(Cluster(), NEW, check=True, preview=True, outcome=outcome)
    assert [source["preview"] for source in result["sources"]] == [None]
    assert "the sources cannot be previewed: there is no way" in outcome.warnings


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, []),
        ({"purge": True, "purge_limit": 0}, []),
        ({"purge_limit": -1}, ["purge_limit"]),
        ({"purge": True, "sources": []}, ["sources"]),
        ({"sources": []}, []),
        ({"namespace": "No Name", "wait_timeout": 0}, ["namespace", "wait_timeout"]),
    ],
)
def test_options_are_checked_before_the_cluster_is_asked(options, wrong):
    given = {option: rule.get("default") for option, rule in CATALOG.items()}
    listed = [{option: NEW.get(option, rule.get("default")) for option, rule in SOURCE_ITEM.items()}]
    assert [problem.option for problem in catalog_run.input_problems({**given, "namespace": NAMESPACE, "sources": listed, **options})] == wrong


# What is read of a catalog

USER, MCP, AGENTS = "model-catalog-sources", "mcp-catalog-sources", "agent-catalog-sources"
LABELLED = config_map("of-others", "catalogs: []", labels={catalog.SOURCE_LABEL: "true"})


class OfGeneration(Cluster):
    """A cluster with these ConfigMaps alone."""

    checked_namespaces = frozenset({NAMESPACE})

    def __init__(self, *config_maps, has_custom_resource=False):
        super().__init__()
        self.held = {("configmaps", one["metadata"]["name"]): one for one in (*config_maps, LABELLED)}
        self.has_custom_resource, self.asked = has_custom_resource, []

    def serves(self, *api):
        self.asked.append(api)
        return self.has_custom_resource


SKILLS = config_map(USER, "skill_catalogs: []")


@pytest.mark.parametrize(
    ("config_maps", "has_custom_resource", "generation", "read"),
    [
        ([config_map(USER, CLICKED)], False, catalog.BEFORE_DEFAULTS, [USER]),
        ([config_map(catalog.OLD_DEFAULTS, "catalogs: []"), config_map(USER, CLICKED)], False, catalog.DEFAULTS_WIN, [catalog.OLD_DEFAULTS, USER]),
        (
            [config_map(catalog.OLD_DEFAULTS, DEFAULT), config_map(MCP, ""), config_map(USER, CLICKED), config_map(AGENTS, "")],
            False,
            catalog.WITH_MCP,
            [catalog.OLD_DEFAULTS, USER, MCP, "of-others"],
        ),
        (
            [
                config_map(catalog.DEFAULTS, DEFAULT),
                config_map(catalog.OLD_DEFAULTS, DEFAULT),
                config_map(AGENTS, ""),
                config_map(MCP, ""),
                config_map(USER, ""),
            ],
            True,
            catalog.WITH_AGENTS,
            [catalog.DEFAULTS, USER, MCP, AGENTS, "of-others"],
        ),
        ([config_map(catalog.DEFAULTS, DEFAULT), SKILLS], True, catalog.WITH_SKILLS, [catalog.DEFAULTS, USER, "of-others"]),
        ([config_map(catalog.DEFAULTS, DEFAULT), SKILLS], False, catalog.WITH_AGENTS, [catalog.DEFAULTS, USER, "of-others"]),
    ],
)
def test_the_config_maps_of_each_version_are_read_and_no_others(config_maps, has_custom_resource, generation, read):
    cluster = OfGeneration(*config_maps, has_custom_resource=has_custom_resource)
    found = catalog_reader.read(cluster, NAMESPACE, pytest.fail)
    assert found.generation == generation and set(found.config_maps) == set(read)
    # Whether there is a custom resource is asked only where it matters.
    assert bool(cluster.asked) == (SKILLS in config_maps)


def test_whether_there_is_a_custom_resource_may_not_be_known():
    class Refusing(OfGeneration):
        def serves(self, *_api):
            raise _errors.ClusterError("no", _errors.FORBIDDEN)

    told = []
    found = catalog_reader.read(Refusing(config_map(catalog.DEFAULTS, DEFAULT), SKILLS), NAMESPACE, told.append)
    assert found.generation == catalog.WITH_AGENTS and told == ["no"]


@pytest.mark.parametrize(
    ("config_maps", "said"),
    [
        ([], f"there is no model catalog in namespace '{NAMESPACE}': ConfigMap '{USER}' does not exist. Check that the model registry operator is running"),
        ([{**config_map(USER, None), "data": {catalog.OF_DASHBOARD: "x"}}], "is not supported: it is that of a version before OpenShift AI 2.24."),
    ],
)
def test_a_namespace_without_a_catalog_is_told_with_what_is_there_instead(config_maps, said):
    with pytest.raises(_errors.ClusterError) as caught:
        catalog_reader.read(OfGeneration(*config_maps), NAMESPACE, pytest.fail)
    assert said in str(caught.value) and caught.value.status == _errors.NOT_FOUND


@pytest.mark.parametrize(("status", "is_missing"), [(_errors.FORBIDDEN, True), (500, False)])
def test_config_maps_of_others_that_may_not_be_listed_are_missing_with_a_warning(status, is_missing):
    class Refusing(OfGeneration):
        def items(self, *_api, **_query):
            raise _errors.ClusterError("no", status)

    cluster, told = Refusing(config_map(catalog.DEFAULTS, DEFAULT), config_map(USER, CLICKED)), []
    if is_missing:
        assert set(catalog_reader.read(cluster, NAMESPACE, told.append).config_maps) == {catalog.DEFAULTS, USER}
        assert told == [f"sources in ConfigMaps with the label {catalog.SOURCE_LABEL}=true could not be determined: no"]
    else:
        with pytest.raises(_errors.ClusterError, match="no"):
            catalog_reader.read(cluster, NAMESPACE, told.append)


def test_a_secret_that_may_not_be_read_is_named():
    class Refusing(Cluster):
        status = _errors.FORBIDDEN

        def read(self, api, namespace, name):
            if api[1] == "secrets":
                raise _errors.ClusterError("no", self.status)
            return super().read(api, namespace, name)

    outcome, broken = record.Outcome(), Refusing()
    broken.status = 500
    with pytest.raises(_errors.ClusterError, match="no"):
        run(broken, {"id": "granite", "state": "absent"})
    assert broken.writes == []
    run(Refusing(), {"id": "granite", "state": "absent"}, outcome=outcome)
    assert f"Secret '{SECRET}', which contains the token of a source, could not be read: no" in outcome.warnings


# model_catalog_info


class Server:
    """A catalog's server that cannot load one of the sources."""

    address = "https://catalog.example.com"

    def sources(self, kind):
        shown = {"fraud_models": ("available", None), "granite": ("error", "no models found"), "redhat_ai_models": ("error", None)}
        return {name: catalog_server.Shown(name, True, (), (), (), *said) for name, said in shown.items()} if kind is catalog.MODEL else {}

    def counts(self, kind):
        return {"fraud_models": 7} if kind is catalog.MODEL else {}


def seen(monkeypatch, cluster, find, **options):
    monkeypatch.setattr(catalog_server, "find", find)
    outcome = _module.Found()
    catalog_info.collect(cluster, {"namespace": NAMESPACE, "include": ["server"], "managed_only": False, **options}, outcome)
    return outcome


def test_everything_about_a_catalog_and_what_its_server_says(monkeypatch):
    cluster = with_secret()
    for name in ("catalog-z-apikey", "catalog-b-apikey", "catalog-k-apikey"):
        cluster.put("secrets", name, {"metadata": {"name": name, "labels": {"app.kubernetes.io/component": "model-catalog"}}, "data": {}})
    cluster.held["configmaps", USER]["data"]["sources.yaml"] += "labels: [{name: x, assetType: other}]\n"
    outcome = seen(monkeypatch, cluster, lambda *_arguments: Server())
    servers = {source["id"]: source["status"]["server"] for source in outcome.found["sources"]}
    assert servers == {
        "fraud_models": {"status": "available", "error": None, "entries": 7},
        "granite": {"status": "error", "error": "no models found", "entries": 0},
        "redhat_ai_models": {"status": "error", "error": None, "entries": 0},
    }
    assert "source 'granite': the catalog server cannot load it: no models found" in outcome.warnings
    assert "source 'redhat_ai_models': the catalog server cannot load it: it does not report the reason" in outcome.warnings
    # One that a source uses is none of them.
    assert outcome.found["unused_secrets"] == ["catalog-b-apikey", "catalog-k-apikey", "catalog-z-apikey"]
    assert any(warning.startswith("not exported, and not changed by a run: ") for warning in outcome.warnings)
    assert (outcome.found["server"], outcome.found["version"]) == (Server.address, "3.5")
    assert outcome.found["config_maps"] == [catalog.DEFAULTS, USER, MCP, AGENTS] == [write["config_map"] for write in outcome.found["last_writes"]]
    assert outcome.found["cluster"] == cluster.identity() and not outcome.found["findings"]
    assert "content" not in outcome.found["sources"][0]
    # Nobody asks the server unless that is wanted.
    content = seen(monkeypatch, cluster, pytest.fail, include=["content"]).found
    assert content["server"] is None and "content" in content["sources"][0]


@pytest.mark.parametrize("is_down", [False, True])
def test_a_server_that_cannot_be_asked_is_a_warning_and_one_that_is_down_a_finding(monkeypatch, is_down):
    def find(*_arguments):
        raise catalog_server.NoAnswerError("no answer", is_down)

    outcome = seen(monkeypatch, Cluster(), find)
    assert "the status of the sources could not be determined: no answer" in outcome.warnings
    assert [finding["problem"] for finding in outcome.found["findings"]] == (["the catalog server is unavailable: no answer"] if is_down else [])
    assert outcome.found["server"] is None and all(source["status"]["server"] is None for source in outcome.found["sources"])
    # Where a file says why, the server adds nothing.
    broken = Cluster("catalogs: [{id: x, name: yes}]")
    found = seen(monkeypatch, broken, find)
    assert not any(finding["config_map"] is None for finding in found.found["findings"])
    assert any("makes the whole catalog unavailable" in warning for warning in found.warnings)
