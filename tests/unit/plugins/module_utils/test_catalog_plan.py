"""Which ConfigMaps and Secrets make the model catalog what is wanted."""

import base64

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_yaml, desired_catalog, marks
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import CATALOG, LABEL_ITEM, SOURCE_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_view, changeset
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_plan import plan_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_tokens import left as tokens_left
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_tokens import needed as secrets_needed

from .catalogs import CLICKED, MODELS, config_map, live

KEPT = {"id": "fraud_models", "name": "Fraud models", "type": "yaml", "enabled": True, "labels": ["Fraud"], "included": ["org/*"], "content": MODELS}


FRAUD, GRANITE = catalog_yaml.parse(CLICKED)["catalogs"]
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


def carried_out(plan, there):
    """The catalog with the plan carried out."""
    written = {change.name: {**there.config_maps[change.name], "data": after(plan, change.name, there)} for change in plan.changes}
    return catalog_view.Live(there.namespace, there.generation, {**there.config_maps, **written}, there.secrets)


def entries(data, section="catalogs"):
    content = catalog_yaml.parse(data["sources.yaml"])
    # Whatever Python makes of the text, it is the same.
    assert yaml.safe_load(data["sources.yaml"]) == content
    return {entry["id"]: entry for entry in content[section]}


def problems_of(plan):
    return [problem.option for problem in plan.problems]


def labelled(name, sources, data=None):
    """A ConfigMap of another team."""
    return config_map(name, sources, data, {catalog.SOURCE_LABEL: "true"})


def told(plan):
    return [problem.problem for problem in plan.problems]


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
        {"id": "fraud_models", "included": [" org/* "], "excluded": []},
        {"id": "fraud_models", "kind": "mcp", "state": "absent"},
        {"id": "redhat_ai_models", "enabled": True, "included": ["a*"]},
        {"id": "gone", "state": "absent"},
    ],
)
def test_what_is_there_already_is_not_written(options):
    plan = planned(options)
    assert (plan.changes, plan.leftovers, plan.problems) == ((), (), ())


@pytest.mark.parametrize(
    ("option", "one", "other", "is_same"),
    [
        ("enabled", None, True, True),
        ("enabled", None, False, False),
        ("enabled", False, False, True),
        *((option, ["b", " a"], ["a ", "b"], True) for option in ("labels", "included", "excluded")),
        ("labels", None, [], True),
        ("labels", ["a"], ["a", "a"], False),
        ("name", None, "", True),
        ("name", "a", "b", False),
        ("name", "a", "a ", False),
    ],
)
def test_two_values_are_the_same_if_the_server_does_not_distinguish_them(option, one, other, is_same):
    assert catalog_view.equals(option, one, other) is catalog_view.equals(option, other, one) is is_same


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


@pytest.mark.parametrize(
    ("there", "section"),
    [
        ("catalogs: []", "catalogs"),
        ("", "catalogs"),
        ("model_catalogs: []", "model_catalogs"),
        ("Model_Catalogs:\n- id: a\n  type: hf\n  includedModels: [a/b]\n", "Model_Catalogs"),
        ("model_catalogs: []\ncatalogs: []", "catalogs"),
    ],
)
def test_a_new_source_is_written_under_the_key_that_the_file_has(there, section):
    assert "new" in entries(after(planned({"name": "New", "content": MODELS}, there=live(there)), there=live(there)), section)


@pytest.mark.parametrize(
    ("options", "entry"),
    [
        ({"organization": "o", "labels": [], "included": ["a*"], "excluded": []}, {"properties": {"allowedOrganization": "o"}, "includedModels": ["a*"]}),
        ({"type": "hf", "included": ["o/*"], "enabled": False}, {"enabled": False, "properties": {}, "includedModels": ["o/*"]}),
    ],
)
def test_of_a_new_source_of_hugging_face_only_what_is_set_is_written(options, entry):
    assert entries(after(planned({"name": "New", **options})))["new"] == {"enabled": True, "id": "new", "name": "New", "type": "hf", **entry}


def test_an_entry_is_changed_as_it_is_spelled():
    there = live("labels: []\nCatalogs:\n- {ID: a, Name: A, Type: hf, Properties: {allowedOrganization: o, x: 1}, IncludedModels: [b]}\n")
    data = after(planned({"id": "a", "name": "B", "organization": "p", "included": ["c"]}, there=there), there=there)
    assert catalog_yaml.parse(data["sources.yaml"])["Catalogs"] == [
        {"ID": "a", "Name": "B", "Type": "hf", "Properties": {"allowedOrganization": "p", "x": 1}, "IncludedModels": ["c"]}
    ]


def test_an_override_that_is_there_is_changed_and_keeps_a_list_that_becomes_empty():
    there = live("catalogs: [{id: redhat_ai_models, enabled: false, includedModels: [b*]}]")
    data = after(planned({"id": "redhat_ai_models", "enabled": True, "included": []}, there=there), there=there)
    assert entries(data)["redhat_ai_models"] == {"id": "redhat_ai_models", "enabled": True, "includedModels": []}


def test_a_source_of_the_product_that_is_overridden_is_still_that_of_the_product():
    there = live("catalogs: [{id: redhat_ai_models, enabled: false}]")
    assert problems_of(planned({"id": "redhat_ai_models", "entries": [{"name": "m"}]}, there=there)) == ["sources[0].entries"]
    assert told(planned({"id": "redhat_ai_models", "state": "absent"}, there=there)) == ["cannot be absent for a source of the product"]


DATA_ELSEWHERE = "catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: %s, x: z}}]"


@pytest.mark.parametrize(
    ("path", "data", "key", "new_path"),
    [
        # Where there is one already, it is written.
        ("data.yaml", {"data.yaml": "models: []"}, "data.yaml", "data.yaml"),
        ("./data.yaml", {"data.yaml": "models: []"}, "data.yaml", "./data.yaml"),
        ("data.yaml", {}, "data.yaml", "data.yaml"),
        # Data that cannot be read, and those that are no data.
        ("data.yaml", {"data.yaml": "models: ["}, "data.yaml", "data.yaml"),
        ("data.yaml", {"data.yaml": "- name: org/model"}, "data.yaml", "data.yaml"),
        # Elsewhere, nothing can be written.
        ("/shared-data/data.yaml", {}, "a.yaml", "a.yaml"),
    ],
)
@pytest.mark.parametrize("given", ["content", "entries"])
def test_data_are_written_where_the_source_reads_them(path, data, key, new_path, given):
    there = live(DATA_ELSEWHERE % path, data=data)
    written = after(
        planned({"id": "a", "content": MODELS} if given == "content" else {"id": "a", "entries": [{"name": "org/model"}]}, there=there), there=there
    )
    assert catalog_yaml.parse(written[key]) == catalog_yaml.parse(MODELS)
    assert entries(written)["a"]["properties"] == {"yamlCatalogPath": new_path, "x": "z"}
    assert written.keys() == {"sources.yaml", *data, key}


def test_data_beside_an_entry_that_another_config_map_overrides_are_written_beside_that():
    there = live(DATA_ELSEWHERE % "a.yaml", own("catalogs: [{id: a, name: Other}]"), data={"a.yaml": "models: []"})
    plan = planned({"id": "a", "content": MODELS}, there=there)
    assert [change.name for change in plan.changes] == [catalog.OWN]
    written = after(plan, catalog.OWN, there)
    assert written["a.yaml"] == MODELS
    assert entries(written)["a"] == {"id": "a", "name": "Other", "properties": {"yamlCatalogPath": "a.yaml"}}


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
    assert plan.warnings == ()
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


@pytest.mark.parametrize(
    ("path", "left"),
    [("./data.yaml", set()), ("data.yaml", set()), ("gone.yaml", {"data.yaml"}), ("/data.yaml", {"data.yaml"}), ("sources.yaml", {"data.yaml"})],
)
def test_the_data_of_a_removed_source_go_with_it_and_nothing_else(path, left):
    there = live(DATA_ELSEWHERE % path, data={"data.yaml": MODELS})
    plan = planned({"id": "a", "state": "absent"}, there=there)
    assert after(plan, there=there).keys() == {"sources.yaml", *left}
    assert len(plan.changes[0].body["data"]) == 2 - len(left)


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


@pytest.mark.parametrize(("type_", "shown"), [("", "none"), (", type: rhec", "rhec")])
def test_the_type_that_cannot_change_is_told(type_, shown):
    plan = planned({"id": "a", "content": MODELS}, there=live(f"catalogs: [{{id: a, name: A{type_}}}]"))
    assert told(plan) == [f"cannot change: the source is of type {shown}"]


OTHER_ORGANIZATION = "is not the name of an organization. Set it without wildcards and slashes."
NO_TOKEN = "sources[0].token: is not a token of Hugging Face, which begins with hf_. Correct it, or remove the option."
NO_DATA = "sources[0].entries: contains a value that YAML cannot represent, such as a number that is too large. Correct it."
OTHER_SCHEMES = "Use one of the schemes az, file, gs, http, https, oci, s3."


@pytest.mark.parametrize(
    ("options", "sentences"),
    [
        ({}, ["sources[0].id: is required if name is not set. Set id or name."]),
        (
            {"name": ""},
            ["sources[0].id: is required if name is not set. Set id or name.", "sources[0].name: is empty. Set it, or omit it to keep the current name."],
        ),
        *(
            (options, ["sources[0].id: is empty, or cannot be derived from the name. Set id to lowercase letters, digits and underscores."])
            for options in ({"name": "!"}, {"id": ""})
        ),
        ({"id": "a", "name": " "}, ["sources[0].name: is empty. Set it, or omit it to keep the current name."]),
        ({"id": "a", "kind": "agent", "included": ["x"]}, ["sources[0].included: is not available for sources of kind agent. Remove the option."]),
        *(
            (
                {"id": "a", "kind": "mcp", option: value},
                [
                    f"sources[0].{option}: is not available for sources of kind mcp. Remove the option.",
                    "sources[0].type 'hf': is not available for sources of kind mcp. Set it to yaml.",
                ],
            )
            for option, value in (("organization", "o"), ("token", "hf_x"))
        ),
        ({"id": "a", "kind": "mcp", "type": "hf"}, ["sources[0].type 'hf': is not available for sources of kind mcp. Set it to yaml."]),
        ({"id": "a", "type": "hf", "content": MODELS}, ["sources[0].content: is not available for sources of type hf. Remove the option."]),
        ({"id": "a", "type": "yaml", "organization": "o"}, ["sources[0].organization: is not available for sources of type yaml. Remove the option."]),
        (
            {"id": "a", "entries": [{"name": "m"}], "content": MODELS, "path": "p"},
            [f"sources[0].{option}: is mutually exclusive with entries. Set one of them." for option in ("content", "path")],
        ),
        ({"id": "a", "content": MODELS, "entries": []}, ["sources[0].content: is mutually exclusive with entries. Set one of them."]),
        ({"id": "a", "included": ["x", " "]}, ["sources[0].included[1]: is empty. Remove it."]),
        ({"id": "a", "excluded": [""]}, ["sources[0].excluded[0]: is empty. Remove it."]),
        ({"id": "a", "labels": ["b", " "]}, ["sources[0].labels[1]: is empty. Remove it."]),
        ({"id": "a", "organization": "a*"}, [f"sources[0].organization: {OTHER_ORGANIZATION}"]),
        ({"id": "a", "organization": "a/b"}, [f"sources[0].organization 'a/b': {OTHER_ORGANIZATION}"]),
        ({"id": "a", "organization": " "}, [f"sources[0].organization ' ': {OTHER_ORGANIZATION}"]),
        ({"id": "a", "token": "secret"}, [NO_TOKEN]),
        ({"id": "a", "organization": "o", "token": "secret"}, [NO_TOKEN]),
        ({"id": "a", "content": "- a"}, ["sources[0].content: the data must be a mapping, but is a list. Begin it with models:."]),
        ({"id": "a", "content": "a: 1\na: 2"}, ["sources[0].content: the data cannot be read: key 'a' is repeated (line 2). Correct it."]),
        ({"id": "a", "content": "models: [{name: 1}]"}, ["sources[0].content: models[0].name: must be a string, but is a number. Write it in quotes."]),
        (
            {"id": "a", "content": "models: [{artifacts: [{uri: a}]}]"},
            [f"sources[0].content: models[0].artifacts[0].uri: has no scheme. {OTHER_SCHEMES}"],
        ),
        ({"id": "a", "entries": [{"name": 1}]}, ["sources[0].entries[0].name: must be a string, but is a number. Write it in quotes."]),
        (
            {"id": "a", "entries": [{"name": "m", "artifacts": [{"uri": "ftp://x"}]}]},
            [f"sources[0].entries[0].artifacts[0].uri: has a scheme 'ftp' that is not supported. {OTHER_SCHEMES}"],
        ),
        (
            {"id": "a", "kind": "mcp", "entries": [{"name": "m"}, None]},
            ["sources[0].entries[1]: is empty, which terminates the process of the server. Remove it."],
        ),
        (
            {"id": "a", "entries": [{"name": "m", "artifactCounts": {"a": 2**70}}]},
            [NO_DATA, "sources[0].entries[0].artifactCounts.a: is out of range. Set an integer from -2147483648 to 2147483647."],
        ),
        *(({"id": "a", "kind": "agent", "entries": [{"name": "m", "x": value}]}, [NO_DATA]) for value in (2**64, [-(2**63) - 1, 1], {"a": 1, 2: "b"})),
        (
            {"id": "a", "kind": "agent", "entries": [{"name": "m", "x": float("nan")}]},
            [NO_DATA, "sources[0].entries: a number is not finite. Write it in quotes."],
        ),
        ({"id": "a", "kind": "agent", "entries": [{"name": "m", "x": [2**64 - 1, -(2**63), 1.5, None, True, {"a": "b"}]}]}, []),
        ({"id": "a", "kind": "agent", "entries": []}, []),
        # What is to go has no values.
        ({"id": "a", "state": "absent", "content": "models: [", "included": [" "], "token": "secret"}, []),
        (
            {"id": "a", "state": "absent", "kind": "mcp", "organization": "o"},
            ["sources[0].organization: is not available for sources of kind mcp. Remove the option."],
        ),
    ],
)
def test_what_is_wrong_whatever_is_in_the_cluster_is_said_with_its_place_and_remedy(options, sentences):
    problems = []
    wanted(options, problems=problems)
    assert [problem.sentence() for problem in problems] == sentences
    assert "secret" not in str(problems)


def test_data_that_cannot_be_read_is_a_problem_of_its_option():
    for options, option in (({"content": "models: ["}, "content"), ({"content": "a: \x01"}, "content")):
        problems = []
        wanted({"id": "a", **options}, problems=problems)
        assert [problem.option for problem in problems] == [f"sources[0].{option}"]


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({}, None, None),
        ({"content": MODELS}, "yaml", MODELS),
        ({"entries": []}, "yaml", "models: []\n"),
        ({"kind": "mcp", "entries": [{"name": "yes", "b": 1}]}, "yaml", 'mcp_servers:\n- name: "yes"\n  b: 1\n'),
        ({"token": "hf_x"}, "hf", None),
        ({"organization": "o"}, "hf", None),
        ({"organization": "o", "type": "yaml"}, "yaml", None),
    ],
)
def test_a_source_has_the_type_that_the_options_tell_and_its_data_as_a_text(options, kind, text):
    [source] = wanted({"id": "a", **options}, problems=[]).sources
    assert (source.inferred_type, source.text if source.has_data else None) == (kind, text)
    assert "hf_x" not in repr(source)


def test_each_source_is_listed_once():
    problems = []
    wanted({"id": "a"}, {"id": ""}, {"id": "b"}, {"name": "A", "kind": "mcp"}, {"id": ""}, problems=problems)
    assert [problem.sentence() for problem in problems if "also" in problem.problem] == [
        "sources[3].id 'a': is also the ID of sources[0]. List each source once."
    ]


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


@pytest.mark.parametrize(
    "entry", ["properties: {allowedOrganization: o}, includedModels: [a*]", "includedModels: [o/a]", "Properties: {x: 1}, includedModels: [o/a]"]
)
def test_a_source_without_a_token_gets_one(entry):
    there = live(f"catalogs: [{{id: a, name: A, type: hf, {entry}}}]")
    plan = planned({"id": "a", "token": "hf_new"}, there=there)
    [before] = entries(there.texts["model-catalog-sources"]).values()
    key = "Properties" if "Properties" in before else "properties"
    assert entries(after(plan, there=there))["a"] == {**before, key: {**before.get(key, {}), "apiKey": "catalog-a-apikey"}}
    assert [(change.kind, change.fields) for change in plan.changes] == [("Secret", ("sources[a].token",)), ("ConfigMap", ("sources[a].token",))]


def test_only_secrets_are_read_that_are_to_be_written_or_go():
    several = [{"id": name, "token": "hf_x"} for name in ("zebra", "b", "a")]
    assert secrets_needed(wanted(*several), live(), False) == ["catalog-a-apikey", "catalog-b-apikey", "catalog-zebra-apikey"]
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


def test_the_sources_that_purge_would_delete_are_named():
    plan = planned({"id": "redhat_ai_models"}, purge=True)
    assert told(plan) == ["2 sources are not listed, which is more than purge_limit: 'fraud_models' and 'granite'"]
    assert planned({"id": "redhat_ai_models"}, purge=True, purge_limit=2).problems == ()


# A ConfigMap of our own


def own(sources="catalogs: []", **data):
    return config_map(catalog.OWN, sources, data, {catalog.SOURCE_LABEL: "true"})


def test_in_a_store_of_our_own_the_page_erases_nothing():
    plan = planned({"name": "New", "content": MODELS}, store="own", labels=[{"name": "New", "display_name": "N"}])
    (change,) = plan.changes
    assert (change.action, change.verb, change.namespace, change.name) == ("create", "POST", "registries", catalog.OWN)
    assert change.body["metadata"] == {"name": catalog.OWN, "namespace": "registries", "labels": {catalog.SOURCE_LABEL: "true"}}
    assert change.body["data"].keys() == {"sources.yaml", "new.yaml"}
    assert catalog_yaml.parse(change.body["data"]["sources.yaml"])["labels"] == [{"name": "New", "displayName": "N"}]
    # Nothing of the page; but the product has labels too.
    [warning] = plan.warnings
    assert "default-catalog-sources and modelops-catalog describe labels" in warning and "restarted" in warning
    assert planned({"name": "New", "content": MODELS}, store="own").warnings == ()


def test_a_config_map_of_the_dashboard_that_does_not_exist_is_created_without_a_label():
    there = live()
    del there.config_maps["mcp-catalog-sources"]
    plan = planned({"name": "Servers", "kind": "mcp", "entries": [{"name": "server"}]}, there=there)
    assert [(change.verb, change.body["metadata"]) for change in plan.changes] == [("POST", {"name": "mcp-catalog-sources", "namespace": "registries"})]
    assert entries(after(plan, "mcp-catalog-sources", there), "mcp_catalogs").keys() == {"servers"}
    # Nothing is said of what the page would erase there.
    assert planned({"id": "fraud_models", "enabled": False}, there=there).warnings == ()


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
    patterns = {"type": "hf", "included": [f"org/{'x' * 600_000}"]}
    assert [change.name for change in planned({"name": "One", **patterns}, {"name": "Two", **patterns}).changes] == [
        "model-catalog-sources",
        catalog.own_name(),
    ]
    # In the next one there is room for more than one.
    small = {"content": large[:100_000].rpartition("- name")[0]}
    plan = planned(*({"name": name, **({"content": large} if name == "One" else small)} for name in ("One", "Two", "Three", "Four", "Five", "Six", "Seven")))
    assert [(change.name, change.fields) for change in plan.changes] == [
        ("model-catalog-sources", tuple(f"sources[{name}].id" for name in ("one", "two", "three", "four", "five"))),
        (catalog.own_name(), ("sources[six].id", "sources[seven].id")),
    ]


def filled(size):
    """Data of so many bytes."""
    start = "models:\n- name: org/model\n  description: "
    return start + "x" * (size - len(start))


@pytest.mark.parametrize(
    ("generation", "remedy"),
    [(catalog.WITH_LABELS, "Use fewer or smaller sources"), (catalog.WITH_AGENTS, "Set store to own, or use fewer or smaller sources")],
    ids=lambda value: getattr(value, "version", None),
)
def test_a_config_map_may_be_as_large_as_the_api_server_takes_it(generation, remedy):
    there = live(generation=generation)
    # An empty line more, with which the server reads the data anew.
    room = catalog.LARGEST - catalog.size_of({**there.texts["model-catalog-sources"], "fraud_models.yaml": "\n"})
    assert planned({"id": "fraud_models", "content": filled(room)}, there=there).problems == ()
    [problem] = planned({"id": "fraud_models", "content": filled(room + 1)}, there=there).problems
    assert problem.problem == f"ConfigMap 'model-catalog-sources' would have {catalog.LARGEST + 1} bytes, and the limit is {catalog.LARGEST}"
    assert problem.remedy == remedy


def test_a_source_whose_data_alone_fit_goes_into_the_next_config_map():
    there = live(data={"other.yaml": "x" * 5000})
    room = catalog.LARGEST - catalog.size_of({**there.texts["model-catalog-sources"], "new.yaml": ""})
    plan = planned({"name": "New", "content": filled(room - 50)}, there=there)
    assert (plan.problems, [change.name for change in plan.changes]) == ((), [catalog.own_name()])


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


def test_a_config_map_that_the_platform_has_made_is_written():
    there = live()
    there.config_maps["model-catalog-sources"]["metadata"]["annotations"] = {"platform.opendatahub.io/instance": "x"}
    assert planned({"id": "fraud_models", "enabled": False}, there=there).problems == ()


def test_what_the_product_overrides_has_no_effect_and_is_refused():
    there = live(generation=catalog.DEFAULTS_WIN)
    plan = planned({"id": "fraud_models", "enabled": False}, {"id": "redhat_ai_models", "enabled": False, "name": "Other"}, there=there)
    assert problems_of(plan) == ["sources[1].name", "sources[1].enabled"]
    assert set(told(plan)) == {"would have no effect, because ConfigMap 'model-catalog-default-sources' overrides it"}


def test_of_a_file_that_the_server_refuses_it_is_not_said_that_options_have_no_effect():
    plan = planned({"id": "fraud_models", "enabled": False}, there=live(f"{CLICKED}bogus: []\n", generation=catalog.DEFAULTS_WIN))
    assert problems_of(plan) == ["sources"]
    there = live(generation=catalog.DEFAULTS_WIN)
    assert problems_of(planned({"id": "redhat_ai_models", "enabled": False}, {"name": "New"}, there=there)) == ["sources[1].type"]


@pytest.mark.parametrize("broken", ["catalogs: [{id: x, bogus: 1}]", "catalogs: [", "catalogs: [{id: a}, {id: a}]"])
def test_a_file_that_the_server_refuses_is_not_written_before_it_is_right(broken):
    plan = planned({"name": "New", "content": MODELS}, there=live(broken))
    assert set(problems_of(plan)) == {"sources"}
    assert "unavailable" in plan.problems[0].problem


def test_why_a_file_is_not_written_is_told_with_the_place():
    what = "sources.yaml of ConfigMap 'model-catalog-sources' makes the whole catalog unavailable: "
    plan = planned({"name": "New", "content": MODELS}, there=live("CATALOGS: [{id: 'a:b'}, {id: x, bogus: 1}]"))
    assert told(plan) == [f"{what}catalogs[1].bogus: is not a known key"]
    [problem] = told(planned(KEPT, there=live("catalogs: [")))
    assert problem.startswith(f"{what}the file cannot be read: ")


def test_a_file_of_others_that_the_server_refuses_is_told():
    theirs = labelled("theirs", "CATALOGS: []\nbogus: []")
    plan = planned({"name": "New", "content": MODELS}, there=live(CLICKED, theirs))
    assert plan.problems == ()
    assert "ConfigMap 'theirs' makes the whole catalog unavailable: bogus: is not a known key. Remove it." in plan.warnings


def test_what_is_wrong_with_an_unchanged_source_stops_nothing():
    there = live(data={"fraud_models.yaml": "model: []"})
    plan = planned({"id": "fraud_models"}, {"name": "New", "content": MODELS}, there=there)
    assert plan.problems == ()
    assert "source 'fraud_models': model: is not a known key. Did you mean models?" in plan.warnings
    assert problems_of(planned({"id": "fraud_models", "enabled": False}, there=there)) == ["sources[0].model"]
    # Of what has no place in the data, the source is named.
    assert problems_of(planned({"id": "fraud_models", "enabled": False}, there=live(data={"fraud_models.yaml": "models: ["}))) == ["sources[0].id"]


def test_what_the_next_click_erases_is_said():
    plan = planned({"name": "New", "content": MODELS}, there=live(CLICKED + "labels: []\nnamedQueries: {}\n"))
    assert [warning for warning in plan.warnings if "removes" in warning and "labels and namedQueries" in warning] != []
    # In alphabetical order, and without what the page knows.
    plan = planned({"name": "New", "content": MODELS}, there=live(f"namedQueries: {{}}\nlabels: []\n{CLICKED}"))
    assert [warning.partition(",")[0] for warning in plan.warnings] == ["ConfigMap 'model-catalog-sources' also contains labels and namedQueries"]
    # It has none for agents, and nothing is erased where nothing is written.
    agents = live()
    agents.config_maps["agent-catalog-sources"]["data"]["sources.yaml"] = "agent_catalogs: []\nnamedQueries: {}\n"
    assert planned({"name": "Agents", "kind": "agent", "entries": [{"name": "agent"}]}, there=agents).warnings == ()
    assert planned({"name": "Servers", "kind": "mcp", "entries": [{"name": "s"}]}, there=live(f"{CLICKED}labels: []\n")).warnings == ()


# Labels and named queries


def test_a_label_of_the_product_is_neither_changed_nor_repeated():
    assert planned(labels=[{"name": "Red Hat AI", "display_name": "Red Hat"}]).changes == ()
    assert problems_of(planned(labels=[{"name": "Red Hat AI", "display_name": "Other"}])) == ["labels[0].name"]


def test_labels_are_added_changed_and_purged():
    there = live(CLICKED + "labels:\n- name: A  # ours\n  extra: x\n- name: B\n")
    data = after(planned(KEPT, labels=[{"name": "A", "description": "d"}, {"display_name": "None"}], there=there, purge=True), there=there)
    assert catalog_yaml.parse(data["sources.yaml"])["labels"] == [{"name": "A", "extra": "x", "description": "d"}, {"name": None, "displayName": "None"}]
    assert "# ours" in data["sources.yaml"]
    # Those of the product stay, and without purge all others too.
    assert [change.name for change in planned(KEPT, labels=[{"name": "A"}], there=there, purge=True).changes] == ["model-catalog-sources"]
    assert planned(labels=[{"name": "A"}], there=there).changes == ()


QUERY = {"name": "q", "asset_type": None, "filters": [{"field": "license", "operator": "=", "value": "mit"}]}


def test_a_query_is_added_and_known_again():
    plan = planned(named_queries=[QUERY])
    written = {"assetType": "models", "filters": {"license": {"operator": "=", "value": "mit"}}}
    assert catalog_yaml.parse(after(plan)["sources.yaml"])["namedQueries"] == {"q": written}
    old = CLICKED + "namedQueries: {q: {license: {operator: '=', value: mit}}}\n"
    assert planned(named_queries=[QUERY], there=live(old)).changes == ()


def test_queries_are_purged_and_those_of_others_stay():
    theirs = labelled("theirs", "namedQueries: {t: {f: {operator: '=', value: 1}}}")
    there = live(CLICKED + "namedQueries: {q: {license: {operator: '=', value: mit}}, r: {f: {operator: '=', value: 1}}}\n", theirs)
    assert planned(KEPT, named_queries=[QUERY], there=there).changes == ()
    plan = planned(KEPT, named_queries=[QUERY], there=there, purge=True, purge_limit=1)
    assert [change.name for change in plan.changes] == ["model-catalog-sources"]
    assert catalog_yaml.parse(after(plan, there=there)["sources.yaml"])["namedQueries"].keys() == {"q"}


def test_a_query_of_the_product_is_overridden_and_one_of_another_team_is_left_to_them():
    there = live()
    there.config_maps["default-catalog-sources"]["data"]["sources.yaml"] += "namedQueries: {q: {f: {operator: '=', value: 1}}}\n"
    plan = planned(named_queries=[QUERY], there=there)
    assert [change.name for change in plan.changes] == ["model-catalog-sources"]
    assert planned(named_queries=[QUERY], there=carried_out(plan, there)).changes == ()
    theirs = labelled("theirs", "namedQueries: {q: {f: {operator: '=', value: 1}}}")
    plan = planned(named_queries=[{**QUERY, "name": "p"}, QUERY], there=live(CLICKED, theirs))
    assert problems_of(plan) == ["named_queries[1].name"]
    assert planned(named_queries=[QUERY], there=live(CLICKED, theirs)).warnings == ()
    same = labelled("theirs", "namedQueries: {q: {license: {operator: '=', value: mit}}}")
    assert (planned(named_queries=[QUERY], there=live(CLICKED, same)).problems, planned(named_queries=[QUERY], there=live(CLICKED, same)).changes) == ((), ())


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
    made = {name: config_map(name, "catalogs: []") for name in names}
    assert catalog.generation_of(made) == generation
    assert catalog.generation_of(made, has_custom_resource=True) == (catalog.WITH_SKILLS if generation is catalog.WITH_AGENTS else generation)


def test_the_generation_with_labels_is_told_by_the_delivered_file():
    made = {name: config_map(name, "catalogs: []\nlabels: []\n") for name in ("model-catalog-default-sources", "model-catalog-sources")}
    assert catalog.generation_of(made) == catalog.WITH_LABELS


def test_the_catalog_of_the_dashboard_is_none_of_ours():
    old = {"model-catalog-sources": config_map("model-catalog-sources", None, {"modelCatalogSources": "{}"})}
    assert catalog.generation_of(old) is None
    assert catalog.is_of_dashboard(old)
    assert not any(map(catalog.is_of_dashboard, ({}, live().config_maps, {"model-catalog-sources": {"metadata": {}}})))


@pytest.mark.parametrize(
    ("name", "identity"), [("Fraud models", "fraud_models"), (" A-b  c ", "a_b__c"), ("Ünïcode 1.5", "ncode_15"), ("!", ""), ("X_Y", "x_y")]
)
def test_the_id_is_derived_as_the_dashboard_does(name, identity):
    assert catalog.id_of(name) == identity


def test_config_maps_of_our_own_have_names_that_the_operator_takes():
    names = [catalog.own_name(number) for number in (1, 2, 999)]
    assert names == [catalog.own_name(), f"{catalog.OWN}-2", f"{catalog.OWN}-999"]
    assert all(catalog.LABELLED_NAME.fullmatch(name) and catalog.is_own(name) for name in names)
    assert not any(map(catalog.is_own, (f"{catalog.OWN}-theirs", f"{catalog.OWN}-0", f"a{catalog.OWN}", "theirs")))


LABELLED = {catalog.SOURCE_LABEL: "true"}


@pytest.mark.parametrize(
    ("generation", "names"),
    [
        (catalog.BEFORE_DEFAULTS, ["model-catalog-sources"]),
        (catalog.DEFAULTS_WIN, ["model-catalog-sources", "model-catalog-default-sources"]),
        (catalog.WITH_LABELS, ["model-catalog-default-sources", "model-catalog-sources"]),
        (catalog.WITH_MCP, ["model-catalog-default-sources", "model-catalog-sources", "a", "b"]),
        (catalog.WITH_AGENTS, ["default-catalog-sources", "model-catalog-sources", "agent-catalog-sources", "a", "b", "model-catalog-default-sources"]),
    ],
    ids=lambda value: getattr(value, "version", None),
)
def test_the_server_reads_those_config_maps_that_have_sources_and_later_ones_override_earlier_ones(generation, names):
    made = [config_map(name, "catalogs: []", labels=LABELLED) for name in ("b", "a")]
    made += [config_map("c", "catalogs: []"), config_map("d", None, labels=LABELLED), config_map("mcp-catalog-sources", None)]
    # The old one of the product is one of anybody's to a newer version.
    made += [config_map("model-catalog-default-sources", "catalogs: []", labels=LABELLED if generation is catalog.WITH_AGENTS else None)]
    made += [config_map(name, "catalogs: []") for name in ("agent-catalog-sources", "model-catalog-sources", "default-catalog-sources")]
    assert catalog.in_order({one["metadata"]["name"]: one for one in made}, generation) == names


@pytest.mark.parametrize(
    ("name", "sources", "labels", "is_labelled"),
    [
        ("a", "x: y", LABELLED, True),
        ("a" * 55, "", LABELLED, True),
        ("a" * 56, "x: y", LABELLED, False),
        ("a.b", "x: y", LABELLED, False),
        ("a", None, LABELLED, False),
        ("a", "x: y", {catalog.SOURCE_LABEL: "yes"}, False),
        ("a", "x: y", {}, False),
    ],
)
def test_the_operator_adds_config_maps_with_its_label_whose_name_is_short(name, sources, labels, is_labelled):
    made = config_map(name, sources, labels=labels)
    assert catalog.is_labelled(made) is is_labelled
    del made["metadata"]["labels"]
    assert not catalog.is_labelled(made)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("a.yaml", "a.yaml"),
        ("./x/../a.yaml", "a.yaml"),
        ("A_b-1.yaml", "A_b-1.yaml"),
        ("...", "..."),
        *((path, None) for path in ("", "/a.yaml", "x/a.yaml", "../a.yaml", "..", ".", "a b", "a" * 254, None, 5, ["a"])),
    ],
)
def test_a_path_names_a_key_of_the_same_config_map(path, key):
    assert catalog.key_at(path) == key


def test_a_secret_with_a_token_is_known_by_its_name():
    assert catalog.is_token_secret(catalog.token_secret("a_b")) and catalog.token_secret("a_b") == "catalog-a-b-apikey"
    assert not any(map(catalog.is_token_secret, ("catalog--apikey", "catalog-apikey", "a-catalog-b-apikey", "catalog-b-apikey-2")))


def test_the_size_of_a_config_map_is_that_of_its_keys_and_texts_in_bytes():
    assert catalog.size_of({"a": "é", "ü": "bcd"}) == 8
    assert catalog.size_of({}) == 0


def test_versions_tell_the_status_of_sources_since_they_know_labels():
    generations = [catalog.BEFORE_DEFAULTS, catalog.DEFAULTS_WIN, catalog.WITH_LABELS, catalog.WITH_MCP, catalog.WITH_AGENTS, catalog.WITH_SKILLS]
    assert [generation.tells_status for generation in generations] == [False, False, True, True, True, True]
    assert list(catalog.WITH_LABELS.sections) == ["catalogs"]
    assert list(catalog.WITH_AGENTS.sections) == ["catalogs", "model_catalogs", "mcp_catalogs", "agent_catalogs"]


def test_a_clash_between_files_of_others_stops_nothing():
    theirs = [labelled(name, "labels: [{name: A}]") for name in ("one", "two")]
    plan = planned({"name": "New", "content": MODELS}, there=live(CLICKED, *theirs))
    assert plan.problems == ()
    assert any("'two'" in warning and "label" in warning for warning in plan.warnings)
    assert set(problems_of(planned(labels=[{"name": "A", "display_name": "x"}], there=live(CLICKED, *theirs)))) == {"labels[0].name"}
    # Nor does one between that of others and one that is not written.
    before_ours = labelled("another", "labels: [{name: A}]")
    there = live(CLICKED, before_ours, own("catalogs: [{id: a, name: A, type: hf, includedModels: [a/b]}]\nlabels: [{name: A}]"))
    assert planned({"name": "New", "content": MODELS}, there=there).problems == ()
    # But the server refuses a file that is written.
    problem = "sources.yaml of ConfigMap 'modelops-catalog' makes the whole catalog unavailable: labels: label is also in ConfigMap 'another'"
    assert told(planned({"id": "a", "enabled": False}, there=there)) == [problem]


def test_an_id_that_is_also_one_of_another_kind_is_a_warning():
    there = live(CLICKED, own("mcp_catalogs: [{id: fraud_models, name: F, type: yaml, properties: {yamlCatalogPath: /f.yaml}}]"))
    plan = planned({"name": "New", "content": MODELS}, store="own", there=there)
    assert plan.problems == ()
    assert any("ConfigMap 'modelops-catalog'" in warning and "source of kind model" in warning for warning in plan.warnings)


EQUAL = {"field": "task", "operator": "=", "value": "x"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"labels": [{"name": " "}, {"name": None}, {"name": "A"}]}, "labels[0].name: is empty. Set it, or omit it for the sources without a label."),
        ({"labels": [{"name": "b"}, {"name": "c"}, {"name": "b"}]}, "labels[2].name 'b': is also the name of labels[0]. List each label once."),
        ({"labels": [{}, {"name": None}]}, "labels[1].name: is also the name of labels[0]. List each label once."),
        (
            {"named_queries": [{"name": name, "asset_type": None, "filters": [EQUAL]} for name in "aba"]},
            "named_queries[2].name 'a': is repeated. List each query once.",
        ),
        ({"named_queries": [{"name": "a", "asset_type": None, "filters": []}]}, "named_queries[0].filters: is empty. Set at least one filter."),
        (
            {"named_queries": [{"name": "a", "asset_type": None, "filters": [EQUAL, EQUAL]}]},
            "named_queries[0].filters[1].field 'task': is repeated. Set each field once.",
        ),
        *(
            (
                {"named_queries": [{"name": "a", "asset_type": None, "filters": [EQUAL, {"field": "f", "operator": operator, "value": "x"}]}]},
                f"named_queries[0].filters[1].value: must be a list for {operator}. Set a list.",
            )
            for operator in ("IN", "NOT IN")
        ),
    ],
)
def test_what_is_wrong_with_labels_and_queries_is_said_with_its_place_and_remedy(options, sentence):
    found = []
    wanted(problems=found, **options)
    assert [problem.sentence() for problem in found] == [sentence]


def test_labels_and_queries_are_wanted_as_a_file_has_them_and_only_if_they_are_given():
    assert (wanted().labels, wanted().queries) == (None, None)
    queries = [{"name": "a", "asset_type": "agents", "filters": [{"field": "f", "operator": "IN", "value": ["x"]}, EQUAL]}, {**QUERY, "name": "b"}]
    made = wanted(labels=[{"name": "A", "display_name": "B", "asset_type": "agents"}, {"description": "c"}], named_queries=queries)
    assert made.labels == ({"name": "A", "displayName": "B", "assetType": "agents"}, {"name": None, "description": "c"})
    assert made.queries == {
        "a": {"assetType": "agents", "filters": {"f": {"operator": "IN", "value": ["x"]}, "task": {"operator": "=", "value": "x"}}},
        "b": {"assetType": "models", "filters": {"license": {"operator": "=", "value": "mit"}}},
    }


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


# What a plan says of its changes

QUERIED = {"assetType": "models", "filters": {"license": {"operator": "=", "value": "mit"}}}
OLD_QUERY = {"assetType": "models", "filters": {"f": {"operator": "=", "value": 1}}}
WITH_MORE = CLICKED + "labels: [{name: A, description: d}, {name: B}]\nnamedQueries: {q: {f: {operator: '=', value: 1}}, r: {f: {operator: '=', value: 1}}}\n"


@pytest.mark.parametrize(
    ("sources", "options", "fields", "before", "after_"),
    [
        (
            [{"name": "New", "content": MODELS, "labels": ["x"]}],
            {},
            ["sources[new].id"],
            {},
            {"source new.id": "new", "source new.type": "yaml", "source new.name": "New", "source new.labels": ["x"], "source new.content": MODELS},
        ),
        (
            [{"name": "New", "organization": "o"}],
            {},
            ["sources[new].id"],
            {},
            {"source new.id": "new", "source new.type": "hf", "source new.name": "New", "source new.organization": "o"},
        ),
        (
            [{"id": "fraud_models", "enabled": False, "included": [], "name": "Fraud models"}],
            {},
            ["sources[fraud_models].enabled", "sources[fraud_models].included"],
            {"source fraud_models.enabled": True, "source fraud_models.included": ["org/*"]},
            {"source fraud_models.enabled": False, "source fraud_models.included": []},
        ),
        (
            [{"id": "fraud_models", "content": "models: []", "name": "F"}, {"id": "granite", "state": "absent"}],
            {},
            ["sources[fraud_models].name", "sources[fraud_models].content", "sources[granite]"],
            {"source fraud_models.name": "Fraud models", "source fraud_models.content": MODELS, "source granite": "present"},
            {"source fraud_models.name": "F", "source fraud_models.content": "models: []"},
        ),
        ([], {"labels": [{"name": "N", "description": "n"}]}, ["labels[N]"], {}, {"label N": {"name": "N", "description": "n"}}),
        (
            [],
            {"labels": [{"name": "A", "display_name": "x"}]},
            ["labels[A]"],
            {"label A": {"name": "A", "description": "d"}},
            {"label A": {"name": "A", "description": "d", "displayName": "x"}},
        ),
        ([KEPT], {"labels": [{"name": "B"}], "purge": True}, ["sources[granite]", "labels[A]"], {"source granite": "present", "label A": "present"}, {}),
        ([], {"named_queries": [{**QUERY, "name": "n"}]}, ["named_queries[n]"], {}, {"named query n": QUERIED}),
        ([], {"named_queries": [QUERY]}, ["named_queries[q]"], {"named query q": OLD_QUERY}, {"named query q": QUERIED}),
        (
            [{"id": "granite"}, KEPT],
            {"named_queries": [QUERY], "purge": True},
            ["named_queries[q]", "named_queries[r]"],
            {"named query q": OLD_QUERY, "named query r": "present"},
            {"named query q": QUERIED},
        ),
    ],
)
def test_a_change_shows_which_options_it_changes_and_from_what_to_what(sources, options, fields, before, after_):
    plan = planned(*sources, there=live(WITH_MORE), **options)
    assert [(list(change.fields), change.before, change.after) for change in plan.changes] == [(fields, before, after_)]


def test_data_that_do_not_exist_are_shown_as_none():
    [change] = planned({"id": "fraud_models", "content": MODELS}, there=live(data={})).changes
    assert (change.before, change.after) == ({"source fraud_models.content": None}, {"source fraud_models.content": MODELS})


def test_of_a_token_it_is_shown_that_it_changes_but_not_what_it_is():
    option = "sources[granite].token"
    for secrets, before, after_ in (({}, {}, {option: changeset.MASK}), (secret(), {option: changeset.MASK}, {option: f"{changeset.MASK} (changed)"})):
        [change] = planned({"id": "granite", "token": "hf_new"}, there=live(secrets=secrets)).changes
        assert (change.fields, change.before, change.after) == ((option,), before, after_)


# The server's preview


@pytest.mark.parametrize(
    ("options", "entry", "data"),
    [
        (
            {"name": "New", "organization": "o", "included": ["a*"]},
            {"name": "New", "includedModels": ["a*"], "type": "hf", "assetType": "models", "properties": {"allowedOrganization": "o"}},
            None,
        ),
        (
            {"name": "Servers", "kind": "mcp", "content": "mcp_servers: []", "excluded": ["a*"]},
            {"name": "Servers", "excludedServers": ["a*"], "type": "yaml", "assetType": "mcp_servers", "properties": {}},
            "mcp_servers: []",
        ),
        ({"id": "fraud_models", "included": ["b*"]}, {**FRAUD, "includedModels": ["b*"], "assetType": "models"}, MODELS),
        ({"id": "fraud_models", "content": "models: []"}, {**FRAUD, "assetType": "models"}, "models: []"),
        (
            {"id": "granite", "organization": "other"},
            {**GRANITE, "assetType": "models", "properties": {"allowedOrganization": "other", "apiKey": "catalog-granite-apikey"}},
            None,
        ),
    ],
)
def test_a_preview_is_of_the_source_as_it_would_be(options, entry, data):
    [source] = wanted(options).sources
    assert catalog_view.previewed(source, live().view) == (entry, data)


def test_the_entry_of_a_removed_source_that_the_older_key_still_has_is_no_obstacle():
    entry = "  - {id: fraud_models, name: Fraud models, type: yaml, properties: {yamlCatalogPath: fraud_models.yaml}}\n"
    there = live(f"catalogs:\n{entry}model_catalogs:\n{entry}")
    plan = planned({"id": "fraud_models", "name": "Fraud", "state": "absent"}, there=there)
    assert plan.problems == ()
    assert not any("fraud_models" in warning for warning in plan.warnings)
    assert catalog_yaml.parse(after(plan, there=there)["sources.yaml"])["model_catalogs"] == []


def test_a_token_that_takes_the_organization_from_a_source_of_the_product_is_refused():
    default = "catalogs:\n  - {id: granite, name: Granite, type: hf, includedModels: [a/*], properties: {allowedOrganization: ibm-granite}}\n"
    there = live("catalogs: []", config_map("default-catalog-sources", default))
    plan = planned({"id": "granite", "organization": "ibm-granite", "token": "hf_new"}, there=there)
    [problem] = plan.problems
    assert problem.option == "sources[0].organization"
    assert "'model-catalog-sources' overrides it" in problem.problem


@pytest.mark.parametrize("name", ["[a]", "{a: 1}"])
def test_a_label_whose_name_is_no_text_is_refused(name):
    there = live(f"labels: [{{name: {name}}}]\n")
    problems = planned(labels=[{"name": "Mine"}], there=there).problems
    assert any("labels[0].name: must be a string" in problem.problem for problem in problems), problems


@pytest.mark.parametrize("properties", ["text", "5", "[a]"])
def test_properties_that_are_no_mapping_are_refused_or_replaced(properties):
    there = live(f"catalogs:\n  - id: fraud_models\n    name: Fraud\n    type: yaml\n    properties: {properties}\n")
    problems = planned({"id": "fraud_models", "name": "New"}, there=there).problems
    assert any("properties: must be a mapping" in problem.problem for problem in problems), problems
    plan = planned({"id": "fraud_models", "content": MODELS}, there=there)
    [entry] = catalog_yaml.parse(after(plan, there=there)["sources.yaml"])["catalogs"]
    assert entry["properties"] == {"yamlCatalogPath": "fraud_models.yaml"}


@pytest.mark.parametrize("text", ["- a\n", "5\n", "text\n", "catalogs: text\n", "catalogs: 5\n", "catalogs: {a: 1}\n"])
def test_a_file_that_is_built_in_another_way_gets_no_source(text):
    plan = planned({"id": "new", "name": "New", "content": MODELS}, there=live(text))
    assert [problem for problem in plan.problems if "makes the whole catalog unavailable" in problem.problem and "must be a" in problem.problem]
    assert plan.changes == ()


@pytest.mark.parametrize("text", ["namedQueries: text\n", "namedQueries: [a]\n"])
def test_a_file_with_queries_that_are_no_mapping_gets_no_query(text):
    query = {"name": "q", "asset_type": None, "filters": [{"field": "f", "operator": "=", "value": 1}]}
    plan = planned(named_queries=[query], there=live(text))
    assert [problem for problem in plan.problems if "namedQueries: must be a mapping" in problem.problem]


def test_labels_beside_one_that_is_no_mapping_are_known_by_their_places_in_the_file():
    there = live("catalogs: []\nlabels:\n  - text\n  - name: Mine\n    displayName: Old\n  - name: Other\n")
    plan = planned(labels=[{"name": "Mine", "display_name": "New"}], purge=True, there=there)
    assert catalog_yaml.parse(after(plan, there=there)["sources.yaml"])["labels"] == [{"name": "Mine", "displayName": "New"}]
    [problem] = planned(labels=[{"name": "Mine", "display_name": "New"}], there=there).problems
    assert "labels[0]: must be a mapping, but is a string" in problem.problem
