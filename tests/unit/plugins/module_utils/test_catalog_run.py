"""A run of `model_catalog` while others write, and one that is stopped between two writes."""

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import catalog_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog_yaml, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record

from .catalogs import CLICKED, MODELS, Cluster, config_map, run


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
