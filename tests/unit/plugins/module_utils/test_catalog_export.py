"""The live model catalog as the options that describe it."""

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, desired_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import CATALOG, LABEL_ITEM, SOURCE_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_export import exported, of_server
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_plan import plan_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_view import Live

DEFAULT = """\
catalogs:
  - {name: Red Hat AI, id: redhat, type: yaml, labels: [Red Hat AI], includedModels: [a*], properties: {yamlCatalogPath: /shared-data/a.yaml}}
labels:
  - name: Red Hat AI
  - {name: null, displayName: Other, extra: x}
namedQueries:
  fast: {ttft: {operator: '<', value: 10}}
"""
# What people and the dashboard have written, right and wrong.
USERS = {
    "clicked": "catalogs: [{enabled: true, id: a, name: A, labels: [x], properties: {yamlCatalogPath: a.yaml}, type: yaml}]",
    "override": "catalogs: [{id: redhat, enabled: false, excludedModels: ['*']}]",
    "hugging face": "catalogs: [{id: h, name: H, type: hf, properties: {allowedOrganization: o, apiKey: ''}, includedModels: [b*]}]",
    "no name": "catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]",
    "no file": "catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: gone.yaml}}]",
    "bad data": "catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: bad.yaml}}]",
    "old type": "catalogs: [{id: a, name: A, type: rhec}]",
    "no type": "catalogs: [{id: a, name: A}]",
    "old type with data": "catalogs: [{id: a, name: A, type: rhec, properties: {yamlCatalogPath: a.yaml}}]",
    "no type with data": "catalogs: [{id: a, name: A, properties: {yamlCatalogPath: a.yaml}}]",
    "hugging face with data": "catalogs: [{id: h, name: H, type: hf, properties: {allowedOrganization: o, yamlCatalogPath: a.yaml}}]",
    "organization": "catalogs: [{id: h, name: H, type: hf, properties: {allowedOrganization: 1}, includedModels: [o/b]}]",
    "blank id": "catalogs: [{id: ' ', name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}]",
    "odd id": "catalogs: [{id: 'A b/c', name: A, type: hf, properties: {allowedOrganization: 'o*'}}]",
    "empty label": "catalogs: [{id: a, name: A, type: yaml, labels: [''], properties: {yamlCatalogPath: a.yaml}}]",
    "newer key": "model_catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}]",
    "capitals": "Catalogs: [{ID: a, Name: A, Type: yaml, Properties: {yamlCatalogPath: ./a.yaml}}]",
    "queries": "namedQueries: {q: {assetType: agents, filters: {f: {operator: in, value: [a, 1]}}}, r: {f: {Operator: like, value: x}}}",
    "labels": "labels: [{name: x, displayName: X, assetType: models}, {name: w, assetType: other, extra: v}]",
    "type of another kind": "mcp_catalogs: [{id: s, name: S, type: hf}]",
    "organization of other data": "catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml, allowedOrganization: o}}]",
    "empty organization": "catalogs: [{id: h, name: H, type: hf, properties: {allowedOrganization: ''}, includedModels: [o/b]}]",
    "nothing": "",
}


def live(user, generation=catalog.WITH_AGENTS):
    files = {
        "default-catalog-sources": {"sources.yaml": DEFAULT},
        "model-catalog-sources": {"sources.yaml": user, "a.yaml": "models: [{name: o/a}, {name: o/b}]", "bad.yaml": "model: []"},
        "mcp-catalog-sources": {
            "sources.yaml": "mcp_catalogs: [{id: m, name: M, type: yaml, properties: {yamlCatalogPath: m.yaml}}]",
            "m.yaml": "mcp_servers: []",
        },
        "agent-catalog-sources": {"sources.yaml": "agent_catalogs: []"},
    }
    return Live("registries", generation, {name: {"metadata": {"name": name, "resourceVersion": "1"}, "data": data} for name, data in files.items()})


def item(spec, given):
    return {option: given.get(option, rule.get("default")) for option, rule in spec.items()}


def options_of(export):
    """What a user would hand on."""
    given = {option: rule.get("default") for option, rule in CATALOG.items()}
    queries = export.named_queries
    return {
        **given,
        "sources": [item(SOURCE_ITEM, source) for source in export.sources],
        "labels": [item(LABEL_ITEM, label) for label in export.labels],
        "named_queries": queries,
    }


@pytest.mark.parametrize("managed_only", [False, True])
@pytest.mark.parametrize("with_content", [False, True])
@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_a_run_with_what_was_exported_changes_nothing(user, with_content, managed_only):
    there = live(user)
    problems = []
    wanted = desired_catalog.wanted_from_options(options_of(exported(there, with_content, managed_only)), problems)
    assert problems == []
    plan = plan_catalog(wanted, there, purge=True, purge_limit=0)
    assert (plan.problems, plan.changes) == ((), ())


def test_of_what_others_provide_only_what_is_overridden_is_exported():
    theirs = "catalogs: [{id: a, name: Theirs, labels: [x]}, {id: theirs, name: T, type: hf}]\nlabels: [{name: T}]\n"
    theirs += "namedQueries: {t: {f: {operator: '=', value: 1}}}"
    there = live(f"{USERS['clicked'][:-1]}, {USERS['override'].partition('[')[2]}\n{USERS['labels']}\n{USERS['queries']}")
    labelled = {"name": "theirs", "resourceVersion": "1", "labels": {catalog.SOURCE_LABEL: "true"}}
    there.config_maps["theirs"] = {"metadata": labelled, "data": {"sources.yaml": theirs}}
    export = exported(there, True, managed_only=True)
    described = {source["id"]: {option for option in source if option not in ("id", "kind", "status")} for source in export.sources}
    assert described == {
        "a": {"type", "enabled", "content"},
        "redhat": {"enabled", "excluded"},
        "m": {"name", "type", "enabled", "labels", "included", "excluded", "content"},
    }
    assert all("findings" in source["status"] for source in export.sources)
    assert [label["name"] for label in export.labels] == ["x", "w"]
    assert [query["name"] for query in export.named_queries] == ["q", "r"]


def test_everything_is_exported_in_an_order_that_does_not_depend_on_the_files():
    user = "catalogs: [{id: z, name: Z, type: rhec}, {id: a, name: A, type: rhec}]\nlabels: [{name: x}]\n"
    user += "namedQueries: {z: {f: {operator: '=', value: 1}}, a: {f: {operator: '=', value: 1}}}"
    export = exported(live(user), False)
    assert [(source["kind"], source["id"]) for source in export.sources] == [("mcp", "m"), ("model", "a"), ("model", "redhat"), ("model", "z")]
    assert export.labels == [{"name": "Red Hat AI"}, {"display_name": "Other"}, {"name": "x"}]
    assert export.named_queries == [
        {"name": "a", "asset_type": "models", "filters": [{"field": "f", "operator": "=", "value": 1}]},
        {"name": "fast", "asset_type": "models", "filters": [{"field": "ttft", "operator": "<", "value": 10}]},
        {"name": "z", "asset_type": "models", "filters": [{"field": "f", "operator": "=", "value": 1}]},
    ]


def test_labels_and_conditions_that_no_option_can_describe_are_not_exported():
    assert (
        exported(live("labels: [{displayName: x}, {name: '', description: x}, {name: 1}, {name: text, extra: 1}]"), False).labels
        == exported(live(""), False).labels
    )
    [_fast, query] = exported(live("namedQueries: {q: {f: x, g: {operator: '=', value: 1}}}"), False).named_queries
    assert query["filters"] == [{"field": "g", "operator": "=", "value": 1}]


@pytest.mark.parametrize("generation", [catalog.BEFORE_DEFAULTS, catalog.DEFAULTS_WIN], ids=lambda generation: generation.version)
def test_what_an_older_version_does_not_have_is_exported_as_nothing(generation):
    there = Live("registries", generation, {"model-catalog-sources": {"metadata": {"name": "m"}, "data": {"sources.yaml": "catalogs: []"}}})
    export = exported(there, True, managed_only=True)
    assert (export.labels, export.named_queries) == ([], [])
    plan = plan_catalog(desired_catalog.wanted_from_options(options_of(export), []), there)
    assert (plan.problems, plan.changes) == ((), ())


def sources_of(user, with_content=False):
    return {source["id"]: source for source in exported(live(user), with_content).sources}


def test_a_source_tells_where_each_value_comes_from():
    source = sources_of(USERS["override"])["redhat"]
    assert source["enabled"] is False
    assert source["included"] == ["a*"]
    assert source["status"]["is_default"]
    assert source["status"]["origins"] == {
        "name": "default-catalog-sources",
        "type": "default-catalog-sources",
        "enabled": "model-catalog-sources",
        "labels": "default-catalog-sources",
        "included": "default-catalog-sources",
        "excluded": "model-catalog-sources",
    }


def test_a_source_of_another_kind_with_the_id_of_one_of_the_product_is_none_of_the_product():
    sources = exported(live("mcp_catalogs: [{id: redhat, name: R, type: yaml}]"), False).sources
    assert {(source["kind"], source["status"]["is_default"]) for source in sources if source["id"] == "redhat"} == {("model", True), ("mcp", False)}


def test_a_source_without_an_id_is_exported_as_it_is():
    assert sources_of("catalogs: [{name: A, type: hf, properties: {allowedOrganization: o}}]")[""]["organization"] == "o"


def test_data_of_the_product_are_counted_and_not_exported():
    there = live("")
    data = there.config_maps["default-catalog-sources"]["data"]
    data.update({"sources.yaml": DEFAULT.replace("/shared-data/a.yaml", "a.yaml"), "a.yaml": "models: [{name: a}]"})
    [source] = [source for source in exported(there, True).sources if source["id"] == "redhat"]
    assert (source["status"]["entries"], "content" in source) == (1, False)


def test_entries_are_counted_as_the_patterns_show_them():
    user = "catalogs: [{id: a, name: A, type: yaml, includedModels: ['*/a'], properties: {yamlCatalogPath: a.yaml}}]"
    status = sources_of(user)["a"]["status"]
    assert (status["entries"], status["shown"]) == (2, 1)
    assert sources_of(USERS["hugging face"])["h"]["status"]["entries"] is None


def test_the_data_are_exported_only_when_they_are_asked_for():
    assert "content" not in sources_of(USERS["clicked"])["a"]
    assert sources_of(USERS["clicked"], True)["a"]["content"] == "models: [{name: o/a}, {name: o/b}]"


@pytest.mark.parametrize(
    ("user", "omitted"),
    [
        ("odd id", ["source 'A b/c': organization"]),
        ("old type with data", ["source 'a': content"]),
        ("no type with data", ["source 'a': content"]),
        ("labels", ["label 'w': asset_type"]),
        ("type of another kind", ["source 's': type"]),
        ("organization", ["source 'h': organization"]),
        ("bad data", ["source 'a': content"]),
        # Nothing is omitted of what has no meaning.
        ("organization of other data", []),
        ("empty organization", []),
        ("hugging face with data", []),
        ("clicked", []),
    ],
)
def test_what_no_option_can_say_is_named(user, omitted):
    assert [text.partition(" (")[0] for text in exported(live(USERS[user]), True).left_out] == omitted


def test_a_file_that_takes_the_catalog_down_is_a_finding():
    export = exported(live("bogus: []"), False)
    assert [(finding["config_map"], finding["effect"], finding["path"]) for finding in export.findings] == [("model-catalog-sources", "catalog", "bogus")]
    assert export.why_unavailable == ["ConfigMap 'model-catalog-sources' makes the whole catalog unavailable: bogus: is not a known key"]


def test_what_does_not_take_the_catalog_down_is_no_reason_why_it_is_unavailable():
    for user in (USERS["bad data"], "CATALOGS: []"):
        export = exported(live(user), False)
        assert [*export.findings, *(finding for source in export.sources for finding in source["status"]["findings"])] != []
        assert export.why_unavailable == []


def test_a_label_in_two_files_is_a_finding_with_what_to_do():
    assert exported(live("labels: [{name: Red Hat AI}]"), False).findings == [
        {
            "config_map": "model-catalog-sources",
            "effect": "catalog",
            "path": "labels",
            "problem": "label is also in ConfigMap 'default-catalog-sources'",
            "remedy": "Remove it from one of them",
        }
    ]


def test_data_with_which_the_server_ends_are_told():
    user = "catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: fatal.yaml}}]"
    there = live(user)
    there.config_maps["model-catalog-sources"]["data"]["fatal.yaml"] = "models: [{name: m, artifacts: [null]}]"
    assert len(exported(there, False).why_unavailable) == 1


def test_a_server_that_is_down_although_no_file_says_why_is_a_finding():
    found = of_server("no pod is ready", live(USERS["clicked"]))
    assert (found["effect"], found["config_map"], found["problem"]) == ("catalog", None, "the catalog server is unavailable: no pod is ready")
    assert found["remedy"].startswith("Check the pod of Deployment 'model-catalog'")
    # Labels of several files are what it can stumble upon.
    labelled = of_server("no pod is ready", live("labels: [{name: Fraud}]"))
    assert labelled["remedy"].startswith("Restart Deployment 'model-catalog': ConfigMaps default-catalog-sources and model-catalog-sources describe labels")
