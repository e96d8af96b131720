"""Which ConfigMaps and Secrets make the model catalog what is wanted."""

import base64

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_yaml, desired_catalog, marks
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import CATALOG, LABEL_ITEM, SOURCE_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_plan import plan_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_tokens import left as tokens_left
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_tokens import needed as secrets_needed

from .catalogs import CLICKED, MODELS, config_map, live

KEPT = {"id": "fraud_models", "name": "Fraud models", "type": "yaml", "enabled": True, "labels": ["Fraud"], "included": ["org/*"], "content": MODELS}


MARK = {"app.kubernetes.io/component": "model-catalog"}


def secret(source="granite", token="hf_old", data=None, **metadata):
    name = catalog.token_secret(source)
    labels = metadata.pop("labels", MARK)
    data = {"apiKey": encoded(token)} if data is None else data
    return {name: {"metadata": {"name": name, "uid": "u", "resourceVersion": "9", "labels": labels, **metadata}, "data": data}}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def item(spec, **given):
    assert not given.keys() - spec.keys()
    return {option: given.get(option, rule.get("default")) for option, rule in spec.items()}


def wanted(*sources, problems=None, **options):
    given = {option: rule.get("default") for option, rule in CATALOG.items()} | options
    given["sources"] = [item(SOURCE_ITEM, **source) for source in sources]
    given["labels"] = None if given["labels"] is None else [item(LABEL_ITEM, **label) for label in given["labels"]]
    found = [] if problems is None else problems
    made = desired_catalog.wanted_from_options(given, found)
    assert problems is not None or found == [], found
    return made


def planned(*sources, there=None, store="dashboard", purge=False, purge_limit=1, **options):
    return plan_catalog(wanted(*sources, **options), there or live(), store, purge, purge_limit)


def after(plan, name="model-catalog-sources", there=None):
    """The data of a ConfigMap with the plan carried out."""
    assert plan.problems == (), plan.problems
    data = dict((there or live()).config_maps.get(name, {"data": {}})["data"])
    for change in plan.changes:
        if (change.kind, change.name) == ("ConfigMap", name):
            data = {key: text for key, text in {**data, **change.body["data"]}.items() if text is not None}
    return data


def entries(data, section="catalogs"):
    content = catalog_yaml.parse(data["sources.yaml"])
    # Whatever Python makes of the text, it is the same.
    assert yaml.safe_load(data["sources.yaml"]) == content
    return {entry["id"]: entry for entry in content[section]}


def problems_of(plan):
    return [problem.option for problem in plan.problems]


def steps(plan):
    return [(change.action, change.kind, change.name, change.fields) for change in plan.changes]


# Nothing to do


def test_what_the_dashboard_made_is_adopted_without_a_change():
    plan = planned(KEPT, {"id": "granite", "name": "Granite", "type": "hf", "enabled": False, "organization": "ibm-granite"})
    assert (plan.changes, plan.problems, plan.warnings) == (
        (),
        (),
        ("source 'granite': properties.apiKey: is ignored by the catalog server of OpenShift AI 3.5. Remove it.",),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"id": "fraud_models"},
        {"name": "Fraud models"},
        {"name": "Fraud models", "entries": [{"name": "org/model"}]},
        {"id": "fraud_models", "content": MODELS.strip()},
        {"id": "fraud_models", "content": f"{MODELS}  \n\n".replace("\n", "\r\n")},
        {"id": "fraud_models", "included": ["org/*"], "excluded": []},
        {"id": "redhat_ai_models", "enabled": True, "included": ["a*"]},
        {"id": "gone", "state": "absent"},
    ],
)
def test_what_is_there_already_is_not_written(options):
    assert planned(options).changes == ()


# Sources


def test_a_new_source_is_written_as_the_dashboard_does_and_every_other_byte_stays():
    plan = planned({"name": "Credit-models 2", "content": MODELS, "labels": ["yes"]})
    data = after(plan)
    assert data["sources.yaml"].startswith(CLICKED)
    assert entries(data)["credit_models_2"] == {
        "enabled": True,
        "id": "credit_models_2",
        "labels": ["yes"],
        "name": "Credit-models 2",
        "properties": {"yamlCatalogPath": "credit_models_2.yaml"},
        "type": "yaml",
    }
    assert data["credit_models_2.yaml"] == MODELS
    (change,) = plan.changes
    assert (change.verb, change.body["metadata"]) == ("PATCH", {"resourceVersion": "7"})
    # Only what changes is sent.
    assert change.body["data"].keys() == {"sources.yaml", "credit_models_2.yaml"}


def test_a_changed_source_keeps_what_the_options_do_not_say():
    data = after(planned({"id": "fraud_models", "enabled": False, "included": []}))
    assert entries(data)["fraud_models"] == {
        "enabled": False,
        "id": "fraud_models",
        "labels": ["Fraud"],
        "name": "Fraud models",
        "properties": {"yamlCatalogPath": "fraud_models.yaml"},
        "type": "yaml",
    }
    assert "# from Hugging Face" in data["sources.yaml"]


def test_with_changed_data_the_file_with_sources_changes_by_an_empty_line_so_that_the_server_reads_both():
    (change,) = planned({"id": "fraud_models", "entries": [{"name": "org/other", "language": ["no"]}]}).changes
    before = live().texts["model-catalog-sources"]["sources.yaml"]
    assert change.body["data"].keys() == {"fraud_models.yaml", "sources.yaml"}
    assert change.body["data"]["sources.yaml"] != before
    assert change.body["data"]["sources.yaml"].rstrip("\n") == before.rstrip("\n")
    assert catalog_yaml.parse(change.body["data"]["fraud_models.yaml"]) == {"models": [{"name": "org/other", "language": ["no"]}]}


def test_sources_of_several_kinds_are_one_write_for_each_config_map():
    plan = planned(
        {"name": "One", "content": MODELS},
        {"name": "Two", "content": MODELS},
        {"name": "Servers", "kind": "mcp", "entries": [{"name": "server"}]},
        {"name": "Agents", "kind": "agent", "entries": [{"name": "agent"}]},
    )
    assert [change.name for change in plan.changes] == ["model-catalog-sources", "mcp-catalog-sources", "agent-catalog-sources"]
    assert entries(after(plan, "mcp-catalog-sources"), "mcp_catalogs")["servers"]["type"] == "yaml"


def test_a_removed_source_goes_with_its_data_and_its_secret():
    there = live(secrets=secret())
    plan = planned({"id": "fraud_models", "state": "absent"}, {"id": "granite", "state": "absent"}, there=there)
    assert after(plan, there=there) == {"sources.yaml": "catalogs: []\n"}
    assert [(change.verb, change.kind, change.name) for change in plan.changes] == [("PATCH", "ConfigMap", "model-catalog-sources")]
    # Only when the file does not name it any more.
    assert [(change.verb, change.kind, change.name) for change in plan.leftovers] == [("DELETE", "Secret", "catalog-granite-apikey")]
    assert plan.leftovers[0].body["preconditions"] == {"uid": "u", "resourceVersion": "9"}


def test_a_secret_that_a_killed_run_has_left_is_deleted_by_the_next_one():
    there = live("catalogs: []", secrets=secret())
    gone = {"id": "granite", "state": "absent"}
    assert [change.name for change in planned(gone, there=there).leftovers] == ["catalog-granite-apikey"]
    assert tokens_left(wanted(gone), there) == {"catalog-granite-apikey"}
    assert tokens_left(wanted(gone), live()) == tokens_left(wanted(KEPT), there) == set()


USED_BY_ANOTHER = "catalogs: [{id: theirs, name: T, type: hf, includedModels: [a/b], properties: {apiKey: catalog-granite-apikey}}]"


@pytest.mark.parametrize("text", [USED_BY_ANOTHER, "catalogs: [ # catalog-granite-apikey"])
def test_a_secret_that_another_file_names_is_kept(text):
    there = live(CLICKED, config_map("theirs", text, labels={catalog.SOURCE_LABEL: "true"}), secrets=secret())
    plan = planned({"id": "granite", "state": "absent"}, there=there)
    assert ([change.kind for change in plan.changes], plan.leftovers) == (["ConfigMap"], ())


def test_a_secret_that_is_being_deleted_is_not_deleted_again():
    there = live(secrets=secret(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert planned({"id": "granite", "state": "absent"}, there=there).leftovers == ()


def test_a_token_is_taken_back_from_a_run_that_is_about_to_delete_it():
    there = live(secrets=secret(annotations={marks.LEAVING: "9"}))
    (change,) = planned({"id": "granite", "token": "hf_old"}, there=there).changes
    assert (change.verb, change.kind, change.body["metadata"]["annotations"]) == ("PATCH", "Secret", {marks.LEAVING: None})


OWNER = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "token", "uid": "e"}


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": {}},
        {"ownerReferences": [OWNER]},
        {"ownerReferences": [{**OWNER, "apiVersion": "example.com/v1"}]},
        {"annotations": {"argocd.argoproj.io/tracking-id": "catalog:/Secret:ns/token"}},
        {"managedFields": [{"manager": "external-secrets", "fieldsV1": {"f:data": {}}}]},
        {"labels": {**MARK, "app.kubernetes.io/managed-by": "somebody"}},
        {"labels": {**MARK, "app.kubernetes.io/created-by": "model-registry-operator"}},
        {"data": {"apiKey": "eA==", "other": "eA=="}},
    ],
)
def test_a_secret_that_somebody_else_made_is_kept(changed):
    there = live(secrets=secret(**changed))
    plan = planned({"id": "granite", "state": "absent"}, there=there)
    assert ([change.kind for change in plan.changes], plan.leftovers) == (["ConfigMap"], ())
    assert any("'catalog-granite-apikey' is kept" in warning for warning in plan.warnings)
    assert problems_of(planned({"id": "granite", "token": "hf_new"}, there=there)) == ["sources[0].token"]


def test_a_secret_that_the_page_made_is_known_whatever_name_its_program_has():
    there = live(secrets=secret(managedFields=[{"manager": "bff", "fieldsV1": {"f:data": {}}}]))
    assert [change.name for change in planned({"id": "granite", "state": "absent"}, there=there).leftovers] == ["catalog-granite-apikey"]


def test_data_that_another_source_uses_too_are_kept():
    shared = CLICKED.replace("allowedOrganization: ibm-granite", "yamlCatalogPath: fraud_models.yaml").replace("type: hf", "type: yaml")
    assert "fraud_models.yaml" in after(planned({"id": "fraud_models", "state": "absent"}, there=live(shared)))


def test_a_source_of_the_product_is_overridden_with_what_differs_alone():
    data = after(planned({"id": "redhat_ai_models", "enabled": False, "included": [], "labels": []}))
    # Without a key, the list of the product would count.
    assert entries(data)["redhat_ai_models"] == {"id": "redhat_ai_models", "enabled": False, "includedModels": []}


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"state": "absent"}, "state"),
        ({"content": MODELS}, "content"),
        ({"organization": "o"}, "type"),
        ({"kind": "mcp", "content": "mcp_servers: []"}, "kind"),
    ],
)
def test_of_a_source_of_the_product_nothing_else_can_be_changed(options, option):
    plan = planned({"id": "redhat_ai_models", **options})
    assert problems_of(plan) == [f"sources[0].{option}"]
    assert plan.changes == ()


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"name": "New"}, "type"),
        ({"name": "New", "type": "yaml"}, "content"),
        ({"id": "new", "content": MODELS}, "name"),
        ({"id": "New-1", "name": "New", "content": MODELS}, "id"),
        ({"id": "fraud_models", "organization": "o"}, "type"),
        ({"name": "New", "type": "hf"}, "includedModels"),
        ({"name": "New", "type": "hf", "included": ["*"]}, "includedModels[0]"),
    ],
)
def test_what_cannot_be_created_or_changed_is_a_problem_of_its_option(options, option):
    assert problems_of(planned(options)) == [f"sources[0].{option}"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "sources[0].id"),
        ({"name": "!"}, "sources[0].id"),
        ({"id": "a", "kind": "agent", "included": ["x"]}, "sources[0].included"),
        ({"id": "a", "type": "hf", "content": MODELS}, "sources[0].content"),
        ({"id": "a", "kind": "mcp", "type": "hf"}, "sources[0].type"),
        ({"id": "a", "content": MODELS, "entries": []}, "sources[0].content"),
        ({"id": "a", "included": [" "]}, "sources[0].included[0]"),
        ({"id": "a", "organization": "a/*"}, "sources[0].organization"),
        ({"id": "a", "token": "secret"}, "sources[0].token"),
        ({"id": "a", "name": " "}, "sources[0].name"),
        ({"id": "a", "content": "models: ["}, "sources[0].content"),
        ({"id": "a", "content": "models: [{name: 1}]"}, "sources[0].content: models[0].name"),
        ({"id": "a", "entries": [{"name": 1}]}, "sources[0].entries[0].name"),
        ({"id": "a", "entries": [{"name": "m", "artifacts": [{"uri": "ftp://x"}]}]}, "sources[0].entries[0].artifacts[0].uri"),
        ({"id": "a", "entries": [{"name": "m", "artifactCounts": {"a": 2**70}}]}, "sources[0].entries"),
    ],
)
def test_what_is_wrong_whatever_is_in_the_cluster_is_said_with_its_place(options, path):
    problems = []
    wanted(options, problems=problems)
    assert path in [problem.option for problem in problems]
    assert "secret" not in str(problems)


def test_each_source_is_listed_once():
    problems = []
    wanted({"id": "a"}, {"name": "A", "kind": "mcp"}, problems=problems)
    assert [problem.option for problem in problems] == ["sources[1].id"]


# Tokens


def test_a_token_is_stored_before_the_source_that_names_it():
    plan = planned({"name": "New", "organization": "o", "token": "hf_new"})
    assert [(change.verb, change.kind, change.name) for change in plan.changes] == [
        ("POST", "Secret", "catalog-new-apikey"),
        ("PATCH", "ConfigMap", "model-catalog-sources"),
    ]
    assert plan.changes[0].body["data"] == {"apiKey": encoded("hf_new")}
    assert plan.changes[0].body["metadata"]["labels"] == {"app.kubernetes.io/component": "model-catalog"}
    assert entries(after(plan))["new"]["properties"] == {"allowedOrganization": "o", "apiKey": "catalog-new-apikey"}
    shown = str([(change.before, change.after, change.fields, change) for change in plan.changes]) + str(plan.warnings)
    assert "hf_new" not in shown
    assert encoded("hf_new") not in shown
    assert any("the token is stored, but" in warning for warning in plan.warnings)


def test_another_token_is_written_into_the_secret_alone():
    source = {"id": "granite", "token": "hf_new"}
    assert [(change.verb, change.name) for change in planned(source, there=live(secrets=secret())).changes] == [("PATCH", "catalog-granite-apikey")]
    assert planned({**source, "token": "hf_old"}, there=live(secrets=secret())).changes == ()
    assert problems_of(planned(source, there=live(secrets=secret(labels={})))) == ["sources[0].token"]


def test_only_secrets_are_read_that_are_to_be_written_or_go():
    gone, kept = wanted({"id": "granite", "state": "absent"}), wanted({"id": "granite"})
    assert secrets_needed(wanted({"id": "a", "token": "hf_x"}), live(), False) == ["catalog-a-apikey"]
    assert secrets_needed(gone, live(), False) == secrets_needed(wanted(KEPT), live(), True) == ["catalog-granite-apikey"]
    assert secrets_needed(kept, live(), True) == secrets_needed(wanted(KEPT), live(), False) == []
    assert secrets_needed(gone, live(CLICKED.replace("catalog-granite-apikey", "somebodys-password")), False) == []


# Purge


def test_purge_removes_what_is_not_listed_up_to_its_limit():
    assert list(entries(after(planned(KEPT, purge=True)))) == ["fraud_models"]
    plan = planned({"id": "redhat_ai_models"}, purge=True)
    assert problems_of(plan) == ["purge_limit"]
    assert plan.changes == ()


def test_purge_takes_an_override_back_and_leaves_the_files_of_others():
    override = "catalogs: [{id: redhat_ai_models, enabled: false}]"
    theirs = config_map("theirs", "catalogs: [{id: theirs, type: hf, includedModels: [a/b]}]", labels={catalog.SOURCE_LABEL: "true"})
    plan = planned({"id": "x", "state": "absent"}, there=live(override, theirs), purge=True)
    assert [change.name for change in plan.changes] == ["model-catalog-sources"]
    assert catalog_yaml.parse(plan.changes[0].body["data"]["sources.yaml"]) == {"catalogs": []}


# A ConfigMap of our own


def own(sources="catalogs: []", **data):
    return config_map(catalog.OWN, sources, data, {catalog.SOURCE_LABEL: "true"})


def test_in_a_store_of_our_own_the_page_erases_nothing():
    plan = planned({"name": "New", "content": MODELS}, store="own", labels=[{"name": "New", "display_name": "N"}])
    (change,) = plan.changes
    assert (change.verb, change.name, change.body["metadata"]["labels"]) == ("POST", catalog.OWN, {catalog.SOURCE_LABEL: "true"})
    assert catalog_yaml.parse(change.body["data"]["sources.yaml"])["labels"] == [{"name": "New", "displayName": "N"}]
    # Nothing of the page; but the product has labels too.
    [warning] = plan.warnings
    assert "default-catalog-sources and modelops-catalog describe labels" in warning and "restarted" in warning
    assert planned({"name": "New", "content": MODELS}, store="own").warnings == ()


def test_a_source_stays_where_it_is():
    there = live("catalogs: []", own("catalogs:\n- {id: new, name: New, type: yaml, properties: {yamlCatalogPath: new.yaml}}", **{"new.yaml": MODELS}))
    assert [change.name for change in planned({"id": "new", "enabled": False}, there=there).changes] == [catalog.OWN]


def test_an_older_catalog_has_no_such_store():
    assert problems_of(planned(KEPT, store="own", there=live(generation=catalog.WITH_LABELS))) == ["store"]


def test_a_source_that_does_not_fit_goes_into_the_next_config_map():
    large, too_large = ("models:\n" + "".join(f"- name: org/m{index}\n  description: {'x' * 1000}\n" for index in range(count)) for count in (600, 1200))
    plan = planned({"name": "One", "content": large}, {"name": "Two", "content": large})
    assert [change.name for change in plan.changes] == ["model-catalog-sources", catalog.own_name()]
    assert problems_of(planned({"name": "One", "content": large}, {"name": "Two", "content": large}, there=live(generation=catalog.WITH_LABELS))) == ["sources"]
    assert problems_of(planned({"name": "One", "content": too_large})) == ["sources"]


# What others have


def test_a_source_in_a_file_of_another_team_is_left_to_them():
    theirs = config_map("theirs", "catalogs: [{id: theirs, name: T, type: hf, includedModels: [a/b]}]", labels={catalog.SOURCE_LABEL: "true"})
    assert planned({"id": "theirs", "name": "T"}, there=live(CLICKED, theirs)).changes == ()
    assert problems_of(planned({"id": "theirs", "name": "Other"}, there=live(CLICKED, theirs))) == ["sources[0].id"]
    assert problems_of(planned({"id": "theirs", "state": "absent"}, there=live(CLICKED, theirs))) == ["sources[0].state"]


def test_a_config_map_that_another_tool_manages_is_not_written():
    there = live()
    there.config_maps["model-catalog-sources"]["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    assert problems_of(planned({"id": "fraud_models", "enabled": False}, there=there)) == ["store"]
    assert planned(KEPT, there=there).problems == ()


@pytest.mark.parametrize("broken", ["catalogs: [{id: x, bogus: 1}]", "catalogs: [", "catalogs: [{id: a}, {id: a}]"])
def test_a_file_that_the_server_refuses_is_not_written_before_it_is_right(broken):
    plan = planned({"name": "New", "content": MODELS}, there=live(broken))
    assert set(problems_of(plan)) == {"sources"}
    assert "unavailable" in plan.problems[0].problem


def test_a_file_of_others_that_the_server_refuses_is_told():
    theirs = config_map("theirs", "bogus: []", labels={catalog.SOURCE_LABEL: "true"})
    plan = planned({"name": "New", "content": MODELS}, there=live(CLICKED, theirs))
    assert plan.problems == ()
    assert any("'theirs'" in warning for warning in plan.warnings)


def test_what_is_wrong_with_an_unchanged_source_stops_nothing():
    there = live(data={"fraud_models.yaml": "model: []"})
    plan = planned({"id": "fraud_models"}, {"name": "New", "content": MODELS}, there=there)
    assert plan.problems == ()
    assert any("'fraud_models'" in warning for warning in plan.warnings)
    assert problems_of(planned({"id": "fraud_models", "enabled": False}, there=there)) == ["sources[0].model"]


def test_what_the_next_click_erases_is_said():
    plan = planned({"name": "New", "content": MODELS}, there=live(CLICKED + "labels: []\nnamedQueries: {}\n"))
    assert [warning for warning in plan.warnings if "removes" in warning and "labels and namedQueries" in warning] != []


# Labels and named queries


def test_a_label_of_the_product_is_neither_changed_nor_repeated():
    assert planned(labels=[{"name": "Red Hat AI", "display_name": "Red Hat"}]).changes == ()
    assert problems_of(planned(labels=[{"name": "Red Hat AI", "display_name": "Other"}])) == ["labels[0].name"]


def test_labels_are_added_changed_and_purged():
    there = live(CLICKED + "labels:\n- name: A  # ours\n  extra: x\n- name: B\n")
    data = after(planned(KEPT, labels=[{"name": "A", "description": "d"}, {"display_name": "None"}], there=there, purge=True), there=there)
    assert catalog_yaml.parse(data["sources.yaml"])["labels"] == [{"name": "A", "extra": "x", "description": "d"}, {"name": None, "displayName": "None"}]
    assert "# ours" in data["sources.yaml"]


QUERY = {"name": "q", "asset_type": None, "filters": [{"field": "license", "operator": "=", "value": "mit"}]}


def test_a_query_is_added_and_known_again():
    plan = planned(named_queries=[QUERY])
    written = {"assetType": "models", "filters": {"license": {"operator": "=", "value": "mit"}}}
    assert catalog_yaml.parse(after(plan)["sources.yaml"])["namedQueries"] == {"q": written}
    old = CLICKED + "namedQueries: {q: {license: {operator: '=', value: mit}}}\n"
    assert planned(named_queries=[QUERY], there=live(old)).changes == ()


def test_an_older_catalog_gets_queries_in_its_own_form():
    there = live(generation=catalog.WITH_MCP)
    data = after(planned(named_queries=[QUERY], there=there), there=there)
    assert catalog_yaml.parse(data["sources.yaml"])["namedQueries"] == {"q": {"license": {"operator": "=", "value": "mit"}}}
    assert problems_of(planned(named_queries=[QUERY], there=live(generation=catalog.DEFAULTS_WIN))) == ["named_queries"]


@pytest.mark.parametrize("kind", ["mcp", "agent"])
def test_a_kind_that_the_version_does_not_have_is_refused(kind):
    plan = planned({"id": "a", "kind": kind, "state": "absent"}, there=live(generation=catalog.WITH_LABELS))
    assert problems_of(plan) == ["sources[0].kind"]


# Generations


@pytest.mark.parametrize(
    ("names", "generation"),
    [
        (["default-catalog-sources", "model-catalog-sources", "mcp-catalog-sources", "agent-catalog-sources"], catalog.WITH_AGENTS),
        (["model-catalog-default-sources", "model-catalog-sources", "mcp-catalog-sources"], catalog.WITH_MCP),
        (["model-catalog-default-sources", "model-catalog-sources"], catalog.DEFAULTS_WIN),
        (["model-catalog-sources"], catalog.BEFORE_DEFAULTS),
        ([], None),
    ],
)
def test_the_generation_is_told_by_the_config_maps(names, generation):
    assert catalog.generation_of({name: config_map(name, "catalogs: []") for name in names}) == generation


def test_the_generation_with_labels_is_told_by_the_delivered_file():
    made = {name: config_map(name, "catalogs: []\nlabels: []\n") for name in ("model-catalog-default-sources", "model-catalog-sources")}
    assert catalog.generation_of(made) == catalog.WITH_LABELS


def test_the_catalog_of_the_dashboard_is_none_of_ours():
    old = {"model-catalog-sources": config_map("model-catalog-sources", None, {"modelCatalogSources": "{}"})}
    assert catalog.generation_of(old) is None
    assert catalog.is_of_dashboard(old)


@pytest.mark.parametrize(
    ("name", "identity"), [("Fraud models", "fraud_models"), (" A-b  c ", "a_b__c"), ("Ünïcode 1.5", "ncode_15"), ("!", ""), ("X_Y", "x_y")]
)
def test_the_id_is_derived_as_the_dashboard_does(name, identity):
    assert catalog.id_of(name) == identity


def test_config_maps_of_our_own_have_names_that_the_operator_takes():
    names = [catalog.own_name(number) for number in (1, 2, 999)]
    assert all(catalog.LABELLED_NAME.fullmatch(name) and catalog.is_own(name) for name in names)
    assert not catalog.is_own(f"{catalog.OWN}-theirs")


def test_a_clash_between_files_of_others_stops_nothing():
    labelled = {catalog.SOURCE_LABEL: "true"}
    theirs = [config_map(name, "labels: [{name: A}]", labels=labelled) for name in ("one", "two")]
    plan = planned({"name": "New", "content": MODELS}, there=live(CLICKED, *theirs))
    assert plan.problems == ()
    assert any("'two'" in warning and "label" in warning for warning in plan.warnings)
    assert set(problems_of(planned(labels=[{"name": "A", "display_name": "x"}], there=live(CLICKED, *theirs)))) == {"labels[0].name"}


EQUAL = {"field": "task", "operator": "=", "value": "x"}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"labels": [{"name": " "}, {"name": None}, {"name": "A"}]}, {"labels[0].name": "is empty"}),
        ({"labels": [{"name": "A"}, {"name": "B"}, {"name": "A"}]}, {"labels[2].name": "is also the name of labels[0]"}),
        ({"named_queries": [{"name": name, "asset_type": None, "filters": [EQUAL]} for name in "aba"]}, {"named_queries[2].name": "is repeated"}),
        ({"named_queries": [{"name": "a", "asset_type": None, "filters": []}]}, {"named_queries[0].filters": "is empty"}),
        ({"named_queries": [{"name": "a", "asset_type": None, "filters": [EQUAL, EQUAL]}]}, {"named_queries[0].filters[1].field": "is repeated"}),
        *(
            (
                {"named_queries": [{"name": "a", "asset_type": None, "filters": [{**EQUAL, "operator": operator}]}]},
                {"named_queries[0].filters[0].value": f"must be a list for {operator}"},
            )
            for operator in ("IN", "NOT IN")
        ),
    ],
)
def test_what_is_wrong_with_labels_and_queries_is_named(options, wrong):
    found = []
    wanted(problems=found, **options)
    assert {problem.option: problem.problem for problem in found} == wrong


@pytest.mark.parametrize(("asset_type", "problems"), [(None, []), ("models", []), ("mcp_servers", ["named_queries"])])
def test_an_older_catalog_has_queries_of_models_only(asset_type, problems):
    query = {"name": "a", "asset_type": asset_type, "filters": [EQUAL]}
    plan = planned(there=live(generation=catalog.WITH_MCP), named_queries=[query])
    assert problems_of(plan) == problems
    if not problems:
        assert catalog_yaml.parse(after(plan)["sources.yaml"])["namedQueries"] == {"a": {"task": {"operator": "=", "value": "x"}}}


def test_a_key_that_no_source_uses_is_replaced_with_a_warning():
    there = live(data={"fraud_models.yaml": MODELS, "new.yaml": "models: []"})
    plan = planned({"name": "New", "content": MODELS}, there=there)
    assert after(plan, there=there)["new.yaml"] == MODELS
    assert any("the key 'new.yaml', which no source uses, is replaced" in warning for warning in plan.warnings)
    assert not any("is replaced" in warning for warning in planned({"name": "Other", "content": MODELS}, there=there).warnings)


def test_a_file_that_must_be_written_anew_is_so_with_a_warning():
    there = live("# about them\nnamedQueries:\n  a: &one {task: {operator: '=', value: y}}\n  b: *one\n")
    for name, is_rewritten in (("a", True), ("c", False)):
        plan = planned(there=there, named_queries=[{"name": name, "asset_type": None, "filters": [EQUAL]}])
        assert any("its comments are lost" in warning for warning in plan.warnings) is is_rewritten
        assert ("# about them" in after(plan, there=there)["sources.yaml"]) is not is_rewritten
