"""The objects of aap/: what the modules that receive them accept, what the dashboard's dialogs ask, and each job template run as the controller runs it."""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from sandbox import controlplane, databases
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests.component import component_kept, is_ready, status_of, switch
from tests.controller import AAP, BEARER_TOKEN_TYPE, DEFAULT_TYPES, Api, Controller, Job, defaults, handed_on, refusals
from tests.fleet import remove
from tests.helpers import Runner, Task, account_with, converging_roles, roles_of, shell, until

from .conftest import Cluster
from .test_migrate import Client
from .test_migrate import answers as is_served

# The variables that the roles of infra.aap_configuration read, and the modules that their items go to.
MODULES = {
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_hosts": "host",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
    "controller_schedules": "schedule",
}
CLUSTER = "openshift-ai"
KEEP, NO, YES = "Keep as it is", "No", "Yes"
SCHEDULE = "DTSTART;TZID=Europe/Berlin:20260101T060000 RRULE:FREQ=DAILY;INTERVAL=1"


def objects_of(folder: Path, layout: Layout, environment: Mapping[str, str] | None = None, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """The objects as the roles see them, after everything in them was filled in but what is the controller's to fill in."""
    plays = yaml.safe_load((AAP / "configure.yml").read_text())
    files = list(dict.fromkeys(file for play in plays for file in play["vars_files"]))
    written = folder / f"{uuid.uuid4().hex}.json"
    shown = {name: f"{{{{ {name} }}}}" for name in (*MODULES, "model_registries_aap_roles")}
    tasks = [{"ansible.builtin.copy": {"content": "{{ shown | to_json }}", "dest": str(written), "mode": "0600"}, "vars": {"shown": shown}}]
    files = [str(AAP / file) for file in files]
    playbook = folder / f"{written.stem}.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars_files": files, "tasks": tasks}]))
    given = {f"model_registries_aap_{name}": value for name, value in {"earlier": {}, "receiving": {}, **settings}.items()}
    command = ["ansible-playbook", str(playbook), "-e", json.dumps(given)]
    variables = {**shell(layout), **(environment or {})}
    done = subprocess.run(command, env=variables, check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    objects: dict[str, list[dict[str, Any]]] = json.loads(written.read_text())
    return objects


@pytest.fixture(scope="module")
def controller(layout: Layout, automation_token: str, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """One with the bearer token of the automation's account."""
    folder = tmp_path_factory.mktemp("controller")
    certificate = layout.path("pki", "ca.crt").read_text()
    settings = {"api_server": layout.api_url, "token": automation_token, "api_server_ca": certificate, "report_file": str(folder / "report.html")}
    settings |= {"schedules": {"check": SCHEDULE, "backup": SCHEDULE}, "backup_folder": str(folder)}
    return Controller(layout, objects_of(folder, layout, **settings), folder)


@pytest.fixture(scope="module")
def fleet(layout: Layout, automation_token: str, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """One with a kubeconfig for two clusters, which are both the sandbox's."""
    folder = tmp_path_factory.mktemp("fleet")
    kubeconfig = controlplane.kubeconfig(layout, {"token": automation_token})
    [context] = kubeconfig["contexts"]
    kubeconfig["contexts"] = [context | {"name": name} for name in ("east", "west")]
    del kubeconfig["current-context"]
    variables = {name: {"model_registry_cluster": {"context": name}, "model_registries_same_cluster": True} for name in ("east", "west")}
    clusters = [{"name": name, "variables": own} for name, own in variables.items()]
    settings = {"clusters": clusters, "login": "Model registries: clusters", "kubeconfig": json.dumps(kubeconfig), "namespace": REGISTRIES_NAMESPACE}
    return Controller(layout, objects_of(folder, layout, **settings), folder)


# The objects


class _Asked(Exception):
    """A module has said what it accepts."""


def specification(module: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a module of awx.awx gives to AnsibleModule."""
    code = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{module}")

    def asked(**arguments: Any) -> None:
        raise _Asked(arguments)

    monkeypatch.setattr(code, "ControllerAPIModule", asked)
    with pytest.raises(_Asked) as caught:
        code.main()
    arguments: dict[str, Any] = caught.value.args[0]
    if module == "workflow_job_template":
        # It only documents what a node may have.
        documented = yaml.safe_load(code.DOCUMENTATION)["options"]["workflow_nodes"]["suboptions"]
        arguments["argument_spec"]["workflow_nodes"]["options"] = _as_specification(documented)
    return arguments


def _as_specification(options: dict[str, Any]) -> dict[str, Any]:
    known = ("type", "elements", "required", "choices")
    return {
        name: {key: option[key] for key in known if key in option} | ({"options": _as_specification(option["suboptions"])} if "suboptions" in option else {})
        for name, option in options.items()
    }


@pytest.mark.parametrize(("variable", "module"), MODULES.items())
def test_every_object_is_accepted_by_the_module_that_receives_it(
    controller: Controller, fleet: Controller, monkeypatch: pytest.MonkeyPatch, variable: str, module: str
) -> None:
    arguments = specification(module, monkeypatch)
    rules = {
        key: value for key, value in arguments.items() if key in ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
    }
    items = controller.objects[variable] + fleet.objects[variable]
    assert items
    for item in items:
        errors = ArgumentSpecValidator(arguments["argument_spec"], **rules).validate(handed_on(item)).error_messages
        assert errors == [], item["name"]


def test_the_objects_of_the_role_are_those_that_are_tested() -> None:
    text = "".join(path.read_text() for path in (AAP / "objects").glob("*.yml"))
    assert set(re.findall(r"^(controller_(?!configuration)\w+):", text, re.MULTILINE)) == set(MODULES)


def test_every_name_that_an_object_refers_to_is_there(controller: Controller, fleet: Controller) -> None:
    for objects in (controller.objects, fleet.objects):
        names = {variable: {item["name"] for item in items if "name" in item} for variable, items in objects.items()}
        for template in objects["controller_templates"]:
            assert (AAP / "project" / template["playbook"]).is_file()
            assert template["project"] in names["controller_projects"] and template["inventory"] in names["controller_inventories"]
            assert template["execution_environment"] in names["controller_execution_environments"]
            assert set(template["credentials"]) <= names["controller_credentials"]
        assert {host["inventory"] for host in objects["controller_hosts"]} <= names["controller_inventories"]
        for workflow in objects["controller_workflows"]:
            nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
            assert len(nodes) == len(workflow["workflow_nodes"])
            run = {node["unified_job_template"]["name"] for node in nodes.values() if node["unified_job_template"]["type"] == "job_template"}
            assert run <= names["controller_templates"]
            following = [entry["identifier"] for node in nodes.values() for ends in node.get("related", {}).values() for entry in ends]
            assert sorted([*following, next(iter(nodes))]) == sorted(nodes)


def test_a_schedule_answers_the_survey_of_its_template_for_all_clusters(layout: Layout, controller: Controller, tmp_path: Path) -> None:
    kept = objects_of(tmp_path, layout, schedules={"check": SCHEDULE, "backup": SCHEDULE}, backup_keep_days=30, token="t", api_server_ca="ca")
    assert [(item["state"], item["rrule"]) for item in kept["controller_schedules"]] == 2 * [("present", SCHEDULE)]
    check, backup = kept["controller_schedules"]
    for item in (check, backup):
        name = item["unified_job_template"].removeprefix("Model registries: ")
        # Nobody fills in the defaults.
        questions = [question | {"default": None} for question in controller.template(name)["survey_spec"]["spec"]]
        assert refusals(questions, item["extra_data"]) == []
        assert item["extra_data"]["model_registries_clusters"] == "all"
    assert backup["extra_data"]["model_registry_backup_keep_days"] == 30
    fewer = {"schedules": {"check": "", "backup": SCHEDULE}, "earlier": {"schedules": ["check"]}}
    [gone, left] = objects_of(tmp_path, layout, **fewer, token="t", api_server_ca="ca")["controller_schedules"]
    assert (gone["state"], left["state"]) == ("absent", "present") and "model_registry_backup_keep_days" not in left["extra_data"]
    # The page of a report tells of backups only where they are made.
    assert [item["extra_vars"]["model_registry_backup_folder"] for item in kept["controller_templates"] if item["playbook"] == "report.yml"] != [""]
    without = objects_of(tmp_path, layout, token="t", api_server_ca="ca")
    assert [item["extra_vars"]["model_registry_backup_folder"] for item in without["controller_templates"] if item["playbook"] == "report.yml"] == [""]
    assert without["controller_schedules"] == []


def test_each_job_template_but_enable_is_run_by_one_kind_of_team(layout: Layout, tmp_path: Path) -> None:
    teams = {name: [name] for name in ("check", "apply", "approve", "manage")}
    objects = objects_of(tmp_path, layout, receiving=teams, token="t", api_server_ca="ca")
    granted = objects["model_registries_aap_roles"]
    run = {item["teams"][0]: item["job_templates"] for item in granted if item["role"] == "execute" and "job_templates" in item}
    assert run["check"] == [f"Model registries: {name}" for name in ("check", "find drift", "export", "report")]
    every = {template["name"] for template in objects["controller_templates"]}
    assert sorted(run["check"] + run["manage"]) == sorted(every - {"Model registries: enable"}) and set(run) == {"check", "manage"}
    [workflow] = [item["name"] for item in objects["controller_workflows"]]
    others = {
        (item["role"], *item["teams"]): item.get("workflows") or item["job_templates"] for item in granted if "workflows" in item or item["role"] == "read"
    }
    shown = ["Model registries: check", "Model registries: find drift", "Model registries: apply the list"]
    assert others == {("execute", "apply"): [workflow], ("approval", "approve"): [workflow], ("read", "apply", "approve"): shown}


def test_the_login_that_is_not_used_needs_no_values(layout: Layout, tmp_path: Path) -> None:
    ca, kubeconfig = tmp_path / "ca.pem", tmp_path / "kubeconfig"
    earlier = {"logins": ["Model registries: cluster", "Model registries: clusters"]}
    ca.write_text("the CA")
    kubeconfig.write_text("apiVersion: v1\nkind: Config")
    one = objects_of(tmp_path, layout, {"MODEL_REGISTRIES_TOKEN": "the token", "MODEL_REGISTRIES_CA_FILE": str(ca)}, earlier=earlier)
    several = objects_of(tmp_path, layout, {"MODEL_REGISTRIES_KUBECONFIG": str(kubeconfig)}, login="Model registries: clusters", earlier=earlier)
    for objects in (one, several):
        assert [item.get("state") for item in objects["controller_credentials"]] == [None, "absent"]
        assert objects["controller_credentials"][1]["inputs"] == {}
    token, file = one["controller_credentials"][0], several["controller_credentials"][0]
    assert (token["name"], token["credential_type"]) == ("Model registries: cluster", BEARER_TOKEN_TYPE)
    inputs = {"host": "https://api.example.com:6443", "bearer_token": "the token", "verify_ssl": True, "ssl_ca_cert": "the CA"}
    assert token["inputs"] == inputs and "one cluster" in token["description"]
    assert (file["name"], file["credential_type"]) == ("Model registries: clusters", several["controller_credential_types"][1]["name"])
    assert file["inputs"] == {"kubeconfig": kubeconfig.read_text()} and "several clusters" in file["description"]


def test_all_jobs_work_in_the_namespace_of_the_settings(controller: Controller, fleet: Controller) -> None:
    given = [inventory["variables"]["model_registries_namespace"] for each in (controller, fleet) for inventory in each.objects["controller_inventories"]]
    assert given == ["", REGISTRIES_NAMESPACE]


def test_the_workflow_applies_only_what_somebody_has_approved(controller: Controller) -> None:
    [workflow] = controller.objects["controller_workflows"]
    before = {
        entry["identifier"]: (node["identifier"], end)
        for node in workflow["workflow_nodes"]
        for end, entries in node.get("related", {}).items()
        for entry in entries
    }
    assert before == {
        "check": ("sync", "success_nodes"),
        "drift": ("check", "failure_nodes"),
        "approve": ("drift", "success_nodes"),
        "apply": ("approve", "success_nodes"),
        "check-again": ("apply", "success_nodes"),
    }
    kinds = {node["identifier"]: node["unified_job_template"]["type"] for node in workflow["workflow_nodes"]}
    assert kinds["approve"] == "workflow_approval"


def test_surveys_are_as_the_controller_wants_them_and_ask_for_no_password(controller: Controller) -> None:
    for template in controller.objects["controller_templates"]:
        survey = template["survey_spec"]
        assert isinstance(survey["name"], str) and isinstance(survey["description"], str) and survey["spec"]
        variables = [question["variable"] for question in survey["spec"]]
        names = [question["question_name"] for question in survey["spec"]]
        assert len(set(variables)) == len(variables) and len(set(names)) == len(names), template["name"]
        for question in survey["spec"]:
            assert question["type"] in DEFAULT_TYPES and isinstance(question["required"], bool) and question["question_description"], question
            assert "password" not in question["variable"], question
            assert all(isinstance(question[limit], int) for limit in ("min", "max") if limit in question), question
            assert ("choices" in question) == (question["type"] == "multiplechoice"), question
            if "default" in question:
                assert question["variable"] in defaults([question]), question


def test_a_survey_asks_for_variables_that_its_playbook_reads(controller: Controller) -> None:
    for template in controller.objects["controller_templates"]:
        own = (AAP / "project" / template["playbook"]).read_text()
        imported = re.findall(r"import_playbook: modelops\.openshift_ai\.([\w.]+)", own)
        text = own + "".join((ROOT / "playbooks" / f"{name.replace('.', '/')}.yml").read_text() for name in imported)
        roles = re.findall(r"name: modelops\.openshift_ai\.(\w+)$", text, re.MULTILINE)
        text += "".join(path.read_text() for role in roles for path in (ROOT / "roles" / role / "tasks").glob("*.yml"))
        for question in template["survey_spec"]["spec"]:
            assert re.search(rf"\b{question['variable']}\b", text), (template["name"], question["variable"])


@pytest.mark.parametrize("name", ["check", "converge", "report"])
def test_a_playbook_that_cannot_be_imported_does_the_same_as_the_one_of_the_collection(name: str) -> None:
    """It is in the project, because Ansible loads the group_vars beside a playbook only."""
    own, other = (yaml.safe_load(path.read_text())[-1] for path in (AAP / "project" / f"{name}.yml", ROOT / "playbooks" / f"{name}.yml"))
    assert [own[part] for part in ("vars", "module_defaults")] == [other[part] for part in ("vars", "module_defaults")]
    assert own["tasks"][-len(other["tasks"]) :] == other["tasks"]


# The dashboard's dialog: the label of each field, and what stands in it at first. Its password is a credential. What the dashboard shows only after a choice
# is always there in a survey, and "existing certificate" names the choice that it belongs to.
CREATE = {
    "Name": None,
    "Resource name": "",
    "Description": "",
    "Database source": "Default database (non-production)",
    "Database type": "MySQL",
    "Host": "",
    "Port": None,
    "Username": "",
    "Database": "model-registry",
    "Add CA certificate to secure database connection": NO,
    "CA certificate": "Use cluster-wide CA bundle",
    "Existing certificate - kind": "ConfigMap",
    "Existing certificate - resource": "",
    "Existing certificate - key": "",
    "Certificate": "",
}


def test_the_survey_for_a_new_registry_is_the_dashboards_dialog(controller: Controller) -> None:
    questions = {question["question_name"]: question for question in controller.template("create")["survey_spec"]["spec"]}
    assert {name: question.get("default") for name, question in questions.items()} == {"Cluster": CLUSTER} | CREATE
    assert list(questions) == ["Cluster", *CREATE]
    limits = {name: (question.get("min"), question.get("max")) for name, question in questions.items()}
    assert limits["Name"] == (1, 40) and limits["Resource name"] == (0, 40) and limits["Port"] == (1, 65535) and limits["Description"] == (None, None)
    assert questions["Database type"]["choices"] == ["MySQL", "PostgreSQL"]


def test_the_survey_for_an_edit_has_the_same_fields_and_changes_nothing_by_default(controller: Controller) -> None:
    questions = {question["question_name"]: question for question in controller.template("edit")["survey_spec"]["spec"]}
    assert set(questions) == {"Cluster", *CREATE, "Clear the description", "Move to another database"}
    given = {question["variable"]: answer for question in questions.values() if (answer := question.get("default")) not in ("", None)}
    assert {name: answer for name, answer in given.items() if answer not in (KEEP, NO, CLUSTER)} == {"ca": "Use cluster-wide CA bundle", "ca_kind": "ConfigMap"}
    assert given["ca_wanted"] == KEEP


def test_the_survey_for_a_source_is_the_form_of_the_settings_page(controller: Controller) -> None:
    questions = {question["question_name"]: question for question in controller.template("source")["survey_spec"]["spec"]}
    form = ["Name", "Source type", "Allowed organization", "YAML", "Included models", "Excluded models", "Enable source"]
    assert list(questions) == ["Cluster", "Change", *form]
    assert [questions[name].get("default") for name in form] == [None, KEEP, "", "", "", "", KEEP]
    assert questions["Name"]["max"] == 238 and questions["Source type"]["choices"] == [KEEP, "Hugging Face repository", "YAML file"]


def test_the_controller_refuses_what_the_dialog_refuses(controller: Controller) -> None:
    questions = controller.template("create")["survey_spec"]["spec"]
    name, port = "model_registry_display_name", "model_registry_database_port"
    odd = {name: "x" * 41, "model_registry_name": "x" * 41, port: 65536, "database_type": "Oracle", "model_registry_description": "x" * 9999}
    assert refusals(questions, odd) == [name, "model_registry_name", port, "database_type"]
    assert refusals(questions, {name: ""}) == [name]
    assert refusals(questions, {}) == [name]
    assert refusals(controller.template("delete")["survey_spec"]["spec"], {"model_registry_name": "x"}) == ["confirmation"]


# Jobs


def is_removed(cluster: Cluster) -> bool:
    return bool(status_of(cluster)[1].get("reason") == "Removed")


def test_enable_switches_the_component_on_with_a_login_that_is_given_at_launch(controller: Controller, layout: Layout, cluster: Cluster) -> None:
    roles = roles_of("component.yml")
    with component_kept(layout, cluster), account_with(cluster, "enables", roles) as token:
        switch(cluster, managementState="Removed")
        until(lambda: is_removed(cluster))
        odd = controller.launch("enable", {"registries_namespace": "{{ 'x' }} y"}, token=token)
        assert odd.failed and "registries_namespace: is not a valid name of a namespace" in odd.output and is_removed(cluster), odd.output
        job = controller.launch("enable", token=token)
        assert not job.failed, job.output
        assert is_ready(cluster)
        assert token not in job.seen


@pytest.fixture(scope="module")
def database_name(layout: Layout) -> Iterator[str]:
    """An empty MySQL database."""
    name = f"test_{uuid.uuid4().hex[:10]}"
    databases.create_databases(layout, "mysql", [name])
    yield name
    databases.drop_database(layout, "mysql", name)


WORD = uuid.uuid4().hex[:6]
DEFAULT, EXTERNAL, LISTED = f"default-{WORD}", f"{WORD}-gre-67-x", f"listed-{WORD}"
# What people and pranksters type: it is taken as it is.
ODD = f"  {WORD} größe {{{{ 6*7 }}}} 'x\" "
DESCRIPTION = "first: {{ 6 * 7 }}\n- 'second' {% raw %}\n"
LIST = [{"name": LISTED, "display_name": "Listed", "database": {"type": "generated"}}]


@pytest.fixture(scope="module")
def jobs(controller: Controller, database_name: str, cluster: Cluster) -> Iterator[dict[str, Job]]:
    """Every job template with its defaults and with odd answers, by what each is to show: two lives side by side.

    It takes more than 20 s: more than twenty jobs, each with a start of ansible-runner, and three registries.
    """
    default, missing = {"model_registry_name": DEFAULT}, {"model_registry_name": f"no-{WORD}"}
    odd = {"model_registry_display_name": ODD, "model_registry_description": DESCRIPTION}
    login = {"database_host": "mysql.data.svc.cluster.local", "database_username": databases.REGISTRY.name, "database_name": database_name}
    external = odd | {f"model_registry_{name}": value for name, value in login.items()} | {"database_source": "External database", "ca_wanted": YES}
    wrong = {"name": "Bad {{ name }}", "database_host": "a b", "ca_pem": "{{ none }}"}
    bad = external | {f"model_registry_{name}": value for name, value in wrong.items()} | {"ca": "Upload new certificate"}
    named = {"model_registry_display_name": f"Default {WORD}"}
    password = {"password": databases.REGISTRY.password}
    lives: list[list[tuple[str, str, dict[str, Any], dict[str, Any]]]] = [
        [
            ("create", "create", named, {}),
            ("create again", "create", named | {"model_registry_description": "Taken over"}, {}),
            ("create again, check", "create", {"model_registry_display_name": "Another"} | default, {"check": True}),
            ("edit", "edit", default, {}),
            ("odd edit", "edit", default | odd, {}),
            ("external without a type", "edit", default | {"database_source": "External database"}, {}),
            ("permissions", "manage permissions", default, {}),
            ("remove from nothing", "manage permissions", missing | {"access_change": "Remove", "access_users": "alice"}, {}),
            ("delete nothing", "delete", missing | {"confirmation": f"no-{WORD}"}, {}),
            (
                "odd permissions",
                "manage permissions",
                default | {"access_users": "\n alice \n\nbob\n", "access_groups": "{{6*7}}\n", "access_projects": "a"},
                {},
            ),
            ("no password", "rotate password", default, {}),
            ("odd confirmation", "delete", default | {"confirmation": "{{ model_registry_name }}"}, {}),
            ("delete", "delete", default | {"confirmation": f" {DEFAULT} ", "model_registry_delete_data": YES}, {}),
        ],
        [
            ("external, check", "create", external, password | {"check": True}),
            ("external", "create", external, password),
            ("odd rotate", "rotate password", {"model_registry_name": "{{ none }}"}, password),
            ("bad", "create", bad, {}),
            ("check", "check", {}, {"listed": LIST}),
            ("drift", "find drift", {}, {"listed": LIST}),
            ("apply", "apply the list", {}, {"listed": LIST}),
            ("no drift", "find drift", {}, {"listed": LIST}),
            ("export, check", "export", {}, {"check": True}),
            ("export", "export", {}, {}),
            ("report", "report", {}, {}),
            ("report that is lost", "report", {"model_registry_report_file": " {{ 6*7 }}.html"}, {}),
        ],
    ]

    def lived(life: list[tuple[str, str, dict[str, Any], dict[str, Any]]]) -> dict[str, Job]:
        return {step: controller.launch(template, answers, **more) for step, template, answers, more in life}

    with ThreadPoolExecutor() as pool:
        done = {step: job for life in pool.map(lived, lives) for step, job in life.items()}
    # When no registry is on its way any more.
    yield done | lived([("odd check", "check", {"model_registries_expiry_days": 3650}, {"listed": LIST})])
    for name in (DEFAULT, EXTERNAL, LISTED):
        remove(cluster, name)


def test_jobs_fail_when_they_should_and_never_else(jobs: dict[str, Job]) -> None:
    failed = {step for step, job in jobs.items() if job.failed}
    refused = {"create again", "create again, check", "no password", "odd confirmation", "odd rotate", "bad", "check", "no drift"}
    refused |= {"external without a type", "remove from nothing", "delete nothing", "report that is lost"}
    assert failed == refused, "".join(jobs[step].output for step in failed)


def test_a_name_alone_makes_a_registry_on_a_default_database_and_an_edit_changes_nothing_by_default(jobs: dict[str, Job]) -> None:
    assert f"{CLUSTER}/{DEFAULT}: changed; available at https://" in jobs["create"].output
    assert f"{CLUSTER}/{DEFAULT}: no change; available at https://" in jobs["edit"].output
    assert f"{CLUSTER}/{DEFAULT}: no change" in jobs["permissions"].output
    assert "changed=1" in jobs["odd edit"].output


def test_only_an_edit_changes_a_registry_that_exists(jobs: dict[str, Job], controller: Controller) -> None:
    assert controller.template("create")["extra_vars"] == {"model_registry_must_be_new": True} and "extra_vars" not in controller.template("edit")
    for step in ("create again", "create again, check"):
        assert f"registry '{DEFAULT}' already exists" in jobs[step].output and "changed=0" in jobs[step].output, jobs[step].output


def test_answers_are_taken_as_they_are_typed(jobs: dict[str, Job], cluster: Cluster, database_name: str) -> None:
    assert f"{CLUSTER}/{EXTERNAL}: would be changed" in jobs["external, check"].output and f"{CLUSTER}/{EXTERNAL}: changed" in jobs["external"].output
    registry = cluster.registry(EXTERNAL)
    annotations = registry["metadata"]["annotations"]
    assert annotations["openshift.io/display-name"] == ODD.strip() and annotations["openshift.io/description"] == DESCRIPTION
    database = registry["spec"]["mysql"]
    assert (database["host"], database["port"], database["database"]) == ("mysql.data.svc.cluster.local", 3306, database_name)
    assert database["sslRootCertificateConfigMap"] == {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"}
    # Nothing of it is evaluated, nor can be by whoever takes the summary for a template.
    assert "{ {6*7}}" in jobs["odd permissions"].output.split("Summary")[-1] and '"42' not in jobs["odd permissions"].output
    assert 'Its value is \\"(not shown)\\"' in jobs["odd confirmation"].output


def test_the_password_of_a_credential_reaches_the_registry_and_nobody_else(jobs: dict[str, Job], controller: Controller, cluster: Cluster) -> None:
    reference = cluster.registry(EXTERNAL)["spec"]["mysql"]["passwordSecret"]
    secret = cluster.get("v1", "secrets", reference["name"])["data"][reference["key"]]
    assert base64.b64decode(secret).decode() == databases.REGISTRY.password
    login = controller.objects["controller_credentials"][0]
    for step, job in jobs.items():
        assert databases.REGISTRY.password not in job.seen and secret not in job.seen, step
        assert login["inputs"]["bearer_token"] not in job.seen, step
    assert "The new password is missing" in jobs["no password"].output


def test_everything_that_is_wrong_is_told_at_once(jobs: dict[str, Job]) -> None:
    for words in (
        "name: is not a valid resource name",
        "database.host 'a b': contains white space",
        "database.ca.pem: contains no",
        "database.password",
    ):
        assert words in jobs["bad"].output, words
    assert "is not a valid resource name" in jobs["odd rotate"].output


def test_a_list_is_applied_between_a_check_that_fails_and_one_that_does_not(jobs: dict[str, Job], cluster: Cluster) -> None:
    assert f"{CLUSTER}/{LISTED}: does not exist" in jobs["check"].output
    assert cluster.registry(LISTED)["metadata"]["annotations"]["openshift.io/display-name"] == "Listed"
    assert "compared with the list: no findings" in jobs["odd check"].output
    assert "There is no drift" in jobs["no drift"].output


def test_a_job_that_cannot_do_what_was_asked_fails_and_says_why(jobs: dict[str, Job]) -> None:
    for step, words in {
        "external without a type": "database.type 'External database'",
        "remove from nothing": f'registry \\"no-{WORD}\\" does not exist',
        "delete nothing": "Nothing was deleted, because the registry does not exist",
        "report that is lost": 'model_registry_report_file \\"(not shown)\\": is not an absolute path',
    }.items():
        assert words in jobs[step].output and "changed=0" in jobs[step].output, jobs[step].output


def test_export_and_report_show_the_registries(jobs: dict[str, Job], controller: Controller) -> None:
    exported = (jobs["export"].folder / "inventory" / "host_vars" / CLUSTER / "model_registries.yml").read_text()
    assert f"\n{exported}" in jobs["export"].output.replace("\r\n", "\n") and f"name: {EXTERNAL}" in exported
    page = (controller.folder / "report.html").read_text()
    # Backups are scheduled.
    assert EXTERNAL in page and f"There is no backup in {controller.folder}" in page


def test_one_job_serves_several_clusters(fleet: Controller) -> None:
    job = fleet.launch("check")
    assert "east: " in job.output and "west: " in job.output, job.output


SOURCES = ("v1", "configmaps", "model-catalog-sources")
MODELS = "models:\n  - name: '{{ 6 * 7 }}'\n  - name: org/two\n"


@pytest.fixture
def cataloging(controller: Controller, cluster: Cluster, layout: Layout, tmp_path: Path) -> Iterator[Controller]:
    """A controller whose jobs include the catalog, with the permissions for it; the catalog is as before afterwards."""
    before = until(lambda: cluster.get(*SOURCES))["data"]
    with account_with(cluster, "catalog-jobs", [*converging_roles(), *roles_of("catalog.yml")]) as token:
        settings = {"api_server": layout.api_url, "token": token, "api_server_ca": layout.path("pki", "ca.crt").read_text(), "catalog": True}
        objects = objects_of(tmp_path, layout, **settings, report_file=str(tmp_path / "report.html"))
        try:
            yield Controller(layout, objects, tmp_path)
        finally:
            cluster.merge(*SOURCES, {"data": {**dict.fromkeys(cluster.get(*SOURCES)["data"]), **before}})


def test_jobs_manage_the_catalog(cataloging: Controller, cluster: Cluster) -> None:
    """Ten jobs, each of which takes 2 to 4 s, and three waits for the server of the catalog."""
    name = {"source_name": "Bank {{ models }}"}
    answers = {**name, "source_type": "YAML file", "source_yaml": MODELS, "source_included": " org/*,, {{*\n", "source_enabled": YES}
    made = cataloging.launch("source", answers)
    assert not made.failed, made.output
    data = cluster.get(*SOURCES)["data"]
    [source] = [entry for entry in yaml.safe_load(data["sources.yaml"])["catalogs"] if entry["id"] == "bank__models_"]
    assert (source["name"], source["enabled"], source["includedModels"]) == ("Bank {{ models }}", True, ["org/*", "{{*"])
    assert data["bank__models_.yaml"].strip() == MODELS.strip()
    again = cataloging.launch("source", name)
    assert not again.failed and "model catalog: no change" in again.output, again.output
    listed = {"model_catalog_sources": [{"id": "bank__models_", "enabled": False}]}
    drift = cataloging.launch("find drift", catalog=listed)
    assert not drift.failed and "sources[bank__models_].enabled" in drift.output, drift.output
    file = cataloging.folder / "results.json"
    checked = cataloging.launch("check", catalog=listed | {"model_registries_result_file": str(file)})
    assert checked.failed and "sources[bank__models_].enabled" in checked.output, checked.output
    # The file has the registries and the catalog.
    told = json.loads(file.read_text())["clusters"][CLUSTER]
    assert "checked" in told and told["catalog"]["failing"], told
    applied = cataloging.launch("apply the list", catalog=listed)
    assert not applied.failed and cluster.get(*SOURCES)["data"] != data, applied.output
    assert cataloging.launch("find drift", catalog=listed).failed
    exported = cataloging.launch("export")
    text = (exported.folder / "inventory" / "host_vars" / CLUSTER / "model_catalog.yml").read_text()
    assert not exported.failed and f"\n{text}" in exported.output.replace("\r\n", "\n"), exported.output
    assert not cataloging.launch("report").failed and "bank__models_" in (cataloging.folder / "report.html").read_text()
    gone = cataloging.launch("source", {**name, "source_change": "Delete"})
    assert not gone.failed and "bank__models_" not in str(cluster.get(*SOURCES)["data"]), gone.output
    nothing = cataloging.launch("source", {**name, "source_change": "Delete"})
    assert nothing.failed and "Nothing was deleted, because the catalog has no source" in nothing.output, nothing.output


# The workflow


def test_only_drift_leads_to_an_approval_and_no_check_that_could_not_look(controller: Controller, tmp_path: Path) -> None:
    drifting = [{"name": f"drifting-{WORD}", "database": {"type": "generated"}}]
    assert controller.walk(drifting) == ["sync", "check", "drift", "approve"]
    logins = [item | {"inputs": {**item["inputs"], "bearer_token": "expired"}} for item in controller.objects["controller_credentials"]]
    expired = dataclasses.replace(controller, objects=controller.objects | {"controller_credentials": logins}, folder=tmp_path)
    assert expired.walk(drifting) == ["sync", "check", "drift"]
    # As when a vault credential is missing: what the list refers to cannot be had.
    unreadable = [{"name": f"drifting-{WORD}", "database": {"type": "generated"}, "description": "{{ missing_secret }}"}]
    assert controller.walk(unreadable) == ["sync", "check", "drift"]
    refused = [{"name": f"drifting-{WORD}", "database": {"type": "mysql"}}]
    assert controller.walk(refused) == ["sync", "check", "drift"]


# configure.yml


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    # The roles in place of the collection's are in one folder for all tests: in an environment of its own, a playbook takes a second more.
    with Api(tmp_path_factory.getbasetemp()) as made:
        yield made


@pytest.fixture
def configure(api: Api, layout: Layout, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs configure.yml with these settings."""

    def run(**settings: Any) -> subprocess.CompletedProcess[str]:
        given = {f"model_registries_aap_{name}": value for name, value in {"token": "t", "api_server_ca": "ca", "kubeconfig": "k", **settings}.items()}
        given |= {"aap_hostname": api.url, "aap_token": "token"}
        variables = shell(layout)
        variables["ANSIBLE_COLLECTIONS_PATH"] = f"{api.collections}:{variables['ANSIBLE_COLLECTIONS_PATH']}"
        command = ["ansible-playbook", str(AAP / "configure.yml"), "-e", json.dumps(given)]
        done = subprocess.run(command, env=variables, cwd=tmp_path, check=False, text=True, capture_output=True, timeout=300)
        return subprocess.CompletedProcess(done.args, done.returncode, " ".join(done.stdout.split()), done.stderr)

    return run


WORKFLOW = "Model registries: check, approve, apply"
EVERYTHING = {
    "clusters": [{"name": "east"}, {"name": "west"}],
    "project_credential": "Git",
    "image_credential": "Quay",
    "image_pull": "always",
    "webhook": "github",
    "teams": {"check": ["Viewers"], "apply": ["Operators"], "approve": ["Owners"], "manage": ["Owners"]},
    "notifications": {"failure": ["Mail"], "approval": ["Chat"]},
    "schedules": {"check": SCHEDULE, "backup": SCHEDULE},
}


def stock(api: Api) -> None:
    """The controller has what EVERYTHING names."""
    for kind, names in {
        "credentials": ("Git", "Quay"),
        "teams": ("Viewers", "Operators", "Owners"),
        "notification_templates": ("Mail", "Chat", "Pager"),
    }.items():
        api.objects[kind] |= {name: {"name": name} for name in names}


def fields(api: Api) -> tuple[Any, ...]:
    """What the settings say about the project, the execution environment and the webhook."""
    environment = api.objects["execution_environments"]["Model registries"]
    workflow = api.objects["workflow_job_templates"][WORKFLOW]
    return api.objects["projects"]["Model registries"]["credential"], environment["credential"], environment["pull"], workflow["webhook_service"]


def notifications(api: Api) -> list[list[str]]:
    """Those for failures of the check, the backup and the workflow, and those for approvals."""
    workflow = api.objects["workflow_job_templates"][WORKFLOW]
    failing = [*(api.objects["job_templates"][f"Model registries: {name}"] for name in ("check", "backup")), workflow]
    return [*(item["notification_templates_error"] for item in failing), workflow["notification_templates_approvals"]]


def test_configuring_again_keeps_the_credentials_of_the_list(api: Api, configure: Callable[..., Any]) -> None:
    api.objects["credentials"]["Our vault"] = {"name": "Our vault"}
    for _run in range(2):
        done = configure(list_credentials=["Our vault"])
        assert done.returncode == 0 and "no longer list it" not in done.stdout, done.stdout
    given = {name: template["credentials"] for name, template in api.objects["job_templates"].items()}
    reading = {f"Model registries: {name}" for name in ("check", "find drift", "apply the list", "report")}
    assert {name for name, credentials in given.items() if "Our vault" in credentials} == reading
    assert all("Model registries: cluster" in credentials for credentials in given.values())


def test_settings_are_what_the_controller_has_and_what_they_no_longer_list_is_removed(api: Api, configure: Callable[..., Any]) -> None:
    """It takes more than 20 s: the playbook that configures the controller is run several times."""
    stock(api)
    done = configure(**EVERYTHING)
    assert done.returncode == 0, done.stdout
    objects = api.objects
    assert fields(api) == ("Git", "Quay", "always", "github") and notifications(api) == [["Mail"], ["Mail"], ["Mail"], ["Chat"]]
    assert len(objects["schedules"]) == 2
    assert ("Viewers", "execute", "Model registries: check") in api.roles and ("Owners", "approval", WORKFLOW) in api.roles
    # What others have added to the same objects.
    objects["hosts"]["of others"] = {"name": "of others", "inventory": "Model registry clusters"}
    objects["workflow_job_templates"][WORKFLOW]["notification_templates_approvals"].append("Pager")
    others = {("Viewers", "admin", "Model registries: check"), ("Strangers", "execute", WORKFLOW)}
    api.roles |= others
    # A team that lost one permission keeps what another one needs, and one that was deleted is no obstacle.
    del objects["teams"]["Viewers"]
    api.roles.discard(("Viewers", "execute", "Model registries: check"))
    fewer = {"clusters": EVERYTHING["clusters"][:1], "teams": {"apply": ["Operators", "Owners"]}}
    changed = configure(**fewer)
    assert changed.returncode == 0, changed.stdout
    for text in ("the cluster west", "permission to check for the team Viewers", "permission to approve for the team Owners", "the webhook of github"):
        assert f"no longer list it: {text}" in changed.stdout, text
    assert set(objects["hosts"]) == {"of others", "east"} and objects["schedules"] == {}
    assert fields(api) == (None, None, "missing", "") and notifications(api) == [[], [], [], ["Pager"]]
    read = {(team, "read", f"Model registries: {name}") for team in ("Operators", "Owners") for name in ("check", "find drift", "apply the list")}
    mine = {role for role in api.roles - others if role[0] != "Viewers"}
    assert mine == read | {(team, "execute", WORKFLOW) for team in ("Operators", "Owners")} and others <= api.roles
    again = configure(**fewer)
    assert again.returncode == 0 and "no longer list it" not in again.stdout, again.stdout


def test_the_login_of_earlier_settings_is_removed(api: Api, configure: Callable[..., Any]) -> None:
    contexts = [{"name": name, "variables": {"model_registry_cluster": {"context": name}}} for name in ("east", "west")]
    assert configure(clusters=contexts, login="Model registries: clusters").returncode == 0
    assert set(api.objects["credentials"]) == {"Model registries: clusters"}
    changed = configure(clusters=contexts)
    assert changed.returncode == 0 and set(api.objects["credentials"]) == {"Model registries: cluster"}
    assert "no longer list it: the credential Model registries: clusters" in changed.stdout


def test_a_run_that_fails_does_not_forget_what_an_earlier_one_has_set(api: Api, configure: Callable[..., Any]) -> None:
    stock(api)
    assert configure(**EVERYTHING).returncode == 0
    api.refused = "Model registries: check"
    assert configure(clusters=EVERYTHING["clusters"]).returncode and ("Viewers", "execute", "Model registries: check") in api.roles
    api.refused = ""
    assert configure(clusters=EVERYTHING["clusters"]).returncode == 0
    assert api.roles == set() and api.objects["projects"]["Model registries"]["credential"] is None


def test_everything_that_is_wrong_or_missing_is_told_at_once_and_nothing_is_written(api: Api, configure: Callable[..., Any]) -> None:
    before = json.dumps(api.objects)
    wrong = configure(token="", image_pull="sometimes", webhook="svn", teams={"approvers": ["Owners"]}, schedules={"export": SCHEDULE}, backup_keep_days="x")
    for words in (
        "token is empty",
        "pull is not valid",
        "webhook is not valid",
        "entries: check, apply, approve, manage",
        "entries: check, backup",
        "keep_days must",
    ):
        assert words in wrong.stdout, words
    missing = configure(**EVERYTHING, list_credentials=["Our vault"])
    names = (
        "the credential Git, the credential Quay, the credential Our vault, the notification template Mail, the notification template Chat, the team Viewers"
    )
    assert names in missing.stdout, missing.stdout
    assert wrong.returncode and missing.returncode and json.dumps(api.objects) == before
    absent = configure(organization="Nobody")
    assert absent.returncode and "the organization Nobody" in absent.stdout, absent.stdout


def test_a_project_that_cannot_be_fetched_fails_once_with_its_cause_and_is_tried_again(api: Api, configure: Callable[..., Any]) -> None:
    api.sync = "failed"
    failed = configure()
    assert failed.returncode and "fatal: could not read from ***@git.example.com" in failed.stdout, failed.stdout
    assert "could not be fetched from https://git.example.com" in failed.stdout and "Playbook not found" not in failed.stdout
    assert api.objects["job_templates"] == {}
    # The controller is still syncing when the role has given up.
    api.syncing = ["running"]
    api.sync = "successful"
    done = configure()
    assert done.returncode == 0 and not api.syncing and len(api.objects["job_templates"]) > 9, done.stdout


def test_it_fails_when_an_object_is_not_written(api: Api, configure: Callable[..., Any]) -> None:
    api.refused = "Model registries: check"
    refused = configure()
    assert refused.returncode and "Model registries: check: Playbook not found for project." in refused.stdout, refused.stdout


def test_a_role_that_is_not_installed_is_no_failure_of_the_project(api: Api, configure: Callable[..., Any]) -> None:
    api.collections = str(Path(api.collections).parent / "none")
    done = configure()
    assert done.returncode and "infra.aap_configuration.dispatch" in done.stdout and "could not be fetched" not in done.stdout, done.stdout


def test_a_registry_with_a_generated_database_is_recovered_by_jobs_after_it_was_lost(
    controller: Controller, layout: Layout, cluster: Cluster, tmp_path: Path
) -> None:
    """A registry is made, backed up, deleted and made again.

    It takes more than 20 s: four jobs, each with a start of ansible-runner, and two servers of databases.
    """
    name = f"lost-{WORD}"
    try:
        with account_with(cluster, "recovers", [*converging_roles(), *roles_of("data.yml")]) as token:
            made = controller.launch("create", {"model_registry_display_name": name})
            assert not made.failed, made.output
            client = Client(layout, name)
            until(lambda: is_served(client), 60)
            model = client("POST", "registered_models", {"name": "fraud", "description": "Finds it"})["id"]
            client("POST", "model_versions", {"name": "v1", "registeredModelId": model})
            before = [client("GET", path) for path in ("registered_models", "model_versions")]
            # The login of this template has no permission for data, and another cannot be chosen.
            options = {"namespace": REGISTRIES_NAMESPACE, "name": name, "dest": str(tmp_path)}
            [kept] = Runner(layout, token, tmp_path).sequence([Task(options, "modelops.openshift_ai.model_registry_backup")])
            assert not kept.failed, kept.output
            [archive] = tmp_path.glob("*.zip")
            deleted = controller.launch("delete", {"model_registry_name": name, "confirmation": name, "model_registry_delete_data": YES})
            assert not deleted.failed, deleted.output
            answers = {"model_registry_restore_file": str(archive)}
            predicted = controller.launch("recover", answers, token=token, check=True)
            assert not predicted.failed and cluster.registry(name) is None, predicted.output
            recovered = controller.launch("recover", answers, token=token)
            assert not recovered.failed and "configuration written; restored: " in recovered.output, recovered.output
            assert [client("GET", path) for path in ("registered_models", "model_versions")] == before
            assert token not in recovered.seen
    finally:
        remove(cluster, name)
