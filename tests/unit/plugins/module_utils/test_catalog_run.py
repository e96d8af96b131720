"""A run of `model_catalog` while others write, and one that is stopped between two writes."""

import copy

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_yaml, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import CATALOG, SOURCE_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog as catalog_run

from .catalogs import CLICKED, MODELS, NAMESPACE, config_map, live

KINDS = {"configmaps": "ConfigMap", "secrets": "Secret"}


class Cluster:
    """An API server with ConfigMaps and Secrets. `before` is called before a write is carried out, `after` after it."""

    def __init__(self, user=CLICKED):
        self.held = {("configmaps", name): copy.deepcopy(one) for name, one in live(user).config_maps.items()}
        self.writes = []
        self.before = self.after = lambda _write: None
        self._version = 100

    def identity(self):
        return {"host": "https://api", "context": None, "user": "ansible", "verify_ssl": True}

    def read(self, api, _namespace, name):
        return copy.deepcopy(self.held.get((api[1], name)))

    def items(self, api, _namespace, **_query):
        return [copy.deepcopy(one) for (plural, _name), one in self.held.items() if plural == api[1] and catalog.SOURCE_LABEL in one["metadata"]["labels"]]

    def missing_rights(self, _namespace, _rights):
        return []

    def put(self, plural, name, manifest):
        """Somebody writes."""
        self._version += 1
        manifest["metadata"]["resourceVersion"] = str(self._version)
        self.held[plural, name] = manifest

    def write(self, verb, api, _namespace, name, body, dry_run):
        if dry_run:
            return {}
        self.before((verb, name))
        present = self.held.get((api[1], name))
        if verb == "POST":
            if present:
                raise _errors.ClusterError("exists", _errors.CONFLICT)
            self.put(api[1], name, {**body, "metadata": {"labels": {}, **body["metadata"], "uid": name}})
        else:
            wanted = body["preconditions" if verb == "DELETE" else "metadata"]["resourceVersion"]
            if present is None or present["metadata"]["resourceVersion"] != wanted:
                raise _errors.ClusterError("changed", _errors.CONFLICT)
            if verb == "DELETE":
                del self.held[api[1], name]
            else:
                self.put(api[1], name, manifests.patched(present, body))
        self.writes.append((verb, name))
        self.after((verb, name))
        return {}

    @property
    def data(self):
        return {key: one["data"] for key, one in self.held.items()}


def run(cluster, *sources, check=False, **options):
    given = {option: rule.get("default") for option, rule in CATALOG.items()} | {"namespace": NAMESPACE, **options}
    given["sources"] = [{option: source.get(option, rule.get("default")) for option, rule in SOURCE_ITEM.items()} for source in sources]
    outcome = catalog_run.CatalogOutcome()
    catalog_run.converge(cluster, given, check, outcome)
    return outcome.result(True)


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
    secret = {"metadata": {"name": "catalog-granite-apikey", "uid": "u", "labels": labels}, "data": {"apiKey": manifests.encoded("hf_y")}}
    cluster.put("secrets", "catalog-granite-apikey", secret)
    return cluster


@pytest.mark.parametrize("number", range(1, 6))
def test_a_run_that_is_stopped_after_any_write_is_completed_by_the_next_one(number):
    whole, stopped = with_secret(), with_secret()
    run(whole, *EVERYTHING)
    assert len(whole.writes) == 5

    def stop(_write):
        if len(stopped.writes) == number:
            raise _interruption.CancelledError

    stopped.after = stop
    with pytest.raises(_interruption.CancelledError):
        run(stopped, *EVERYTHING)
    stopped.after = lambda _write: None
    run(stopped, *EVERYTHING)
    assert stopped.data == whole.data
    assert run(stopped, *EVERYTHING)["changes"] == []


def test_check_mode_writes_nothing_and_tells_the_same():
    cluster = with_secret()
    predicted = run(cluster, *EVERYTHING, check=True)
    assert cluster.writes == []
    assert predicted == run(cluster, *EVERYTHING)
