"""What an automation controller does with the objects of aap/, as AWX 24.6 does it: rules of surveys, answers, credentials, and a job by ansible-runner.

`Api` is where the objects are written: it keeps them as the roles of infra.aap_configuration leave them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import jinja2
import yaml

from sandbox.layout import ROOT, Layout
from tests import helpers

AAP = ROOT / "aap"
PASSWORD_TYPE = "Model registry database password"
BEARER_TOKEN_TYPE = "OpenShift or Kubernetes API Bearer Token"
DEFAULT_TYPES = {"text": str, "textarea": str, "multiplechoice": str, "integer": int}
# What leads to the sandbox's cluster by another way than the job's credentials.
OTHER_WAYS = ("KUBECONFIG", "K8S_AUTH_KUBECONFIG")


class _UnsafeStrings(yaml.SafeDumper):
    """Writes every text as one that Ansible takes as it is, whatever stands in it: that is what becomes of answers."""

    def represent_data(self, data: Any) -> yaml.Node:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


@dataclass(frozen=True)
class Job:
    """One job: how it ended, all that it printed, and what its process was given."""

    status: str
    output: str
    folder: Path

    @property
    def failed(self) -> bool:
        return self.status != "successful"

    @property
    def seen(self) -> str:
        """What people who may see the job read: its output, its events and its extra variables."""
        paths = [*self.folder.glob("artifacts/*/job_events/*.json"), self.folder / "env" / "extravars"]
        return self.output + "".join(path.read_text() for path in paths)


@dataclass(frozen=True)
class Controller:
    """A controller with the objects of aap/, which runs jobs on the sandbox."""

    layout: Layout
    objects: dict[str, list[dict[str, Any]]] = field(repr=False)
    folder: Path

    def template(self, name: str) -> dict[str, Any]:
        [template] = [item for item in self.objects["controller_templates"] if item["name"].partition(": ")[2] == name]
        return template

    def launch(
        self,
        name: str,
        answers: dict[str, Any] | None = None,
        password: str = "",
        token: str = "",
        check: bool = False,
        listed: Sequence[dict[str, Any]] = (),
        catalog: dict[str, Any] | None = None,
    ) -> Job:
        """Run a job template with these answers to its survey, the defaults for the others, and a credential with the password if there is one.

        With `token` another login takes the place of the template's. With `check` it is of the type "check". `listed` are the registries of the list in the
        project, `catalog` more variables beside that list.
        """
        template = self.template(name)
        questions = template["survey_spec"]["spec"]
        assert not refusals(questions, answers or {}), refusals(questions, answers or {})
        folder = self.folder / uuid.uuid4().hex
        shutil.copytree(AAP / "project", folder / "project")
        [inventory] = self.objects["controller_inventories"]
        hosts = {host["name"]: host.get("variables", {}) for host in self.objects["controller_hosts"]}
        if listed or catalog:
            own = {"model_registries_list": list(listed), **(catalog or {})}
            _write(folder / "project" / "host_vars" / f"{next(iter(hosts))}.yml", yaml.safe_dump(own))
        _write(folder / "inventory" / "hosts.yml", yaml.safe_dump({"all": {"hosts": hosts, "vars": inventory["variables"]}}))
        variables = template.get("extra_vars", {}) | defaults(questions) | (answers or {})
        _write(folder / "env" / "extravars", yaml.dump(variables, Dumper=_UnsafeStrings, allow_unicode=True))
        credentials = [item for item in self.objects["controller_credentials"] if item["name"] in template["credentials"]]
        assert template.get("ask_credential_on_launch") or not (password or token)
        if token:
            credentials = [item | {"inputs": item["inputs"] | {"bearer_token": token}} for item in credentials]
        if password:
            credentials.append({"credential_type": PASSWORD_TYPE, "inputs": {"password": password}})
        environment = {name: value for name, value in helpers.shell(self.layout).items() if name not in OTHER_WAYS}
        for number, credential in enumerate(credentials):
            environment |= self._injected(credential, folder / "env" / f"credential-{number}")
        environment["ANSIBLE_NOCOLOR"] = "1"
        command = ["ansible-runner", "run", str(folder), "--playbook", template["playbook"], "--quiet"]
        command.append("--cmdline=" + " ".join(["--check"] * check + ["--diff"] * template["diff_mode"]))
        # As a process of its own: jobs run side by side, each with its own environment.
        done = subprocess.run(command, env=environment, check=False, text=True, capture_output=True, timeout=300)
        assert (folder / "artifacts").exists(), done.stdout + done.stderr
        [artifacts] = (folder / "artifacts").iterdir()
        return Job((artifacts / "status").read_text(), (artifacts / "stdout").read_text(), folder)

    def walk(self, listed: Sequence[dict[str, Any]]) -> list[str]:
        """The nodes of the workflow that are reached, up to the approval, which nobody gives. The sync of the project succeeds."""
        [workflow] = self.objects["controller_workflows"]
        nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
        reached = [next(iter(nodes))]
        while True:
            node = nodes[reached[-1]]
            of = node["unified_job_template"]
            if of["type"] == "workflow_approval":
                return reached
            failed = of["type"] == "job_template" and self.launch(of["name"].removeprefix("Model registries: "), listed=listed).failed
            following = node.get("related", {}).get("failure_nodes" if failed else "success_nodes", [])
            if not following:
                return reached
            [after] = following
            reached.append(after["identifier"])

    def _injected(self, credential: dict[str, Any], path: Path) -> dict[str, str]:
        """The variables that a credential becomes."""
        inputs = credential["inputs"]
        if credential["credential_type"] == BEARER_TOKEN_TYPE:
            variables = {"K8S_AUTH_HOST": inputs["host"], "K8S_AUTH_API_KEY": inputs["bearer_token"], "K8S_AUTH_VERIFY_SSL": "False"}
            if inputs.get("verify_ssl") and inputs.get("ssl_ca_cert"):
                _write(path, inputs["ssl_ca_cert"])
                variables |= {"K8S_AUTH_VERIFY_SSL": "True", "K8S_AUTH_SSL_CA_CERT": str(path)}
            return variables
        [kind] = [item for item in self.objects["controller_credential_types"] if item["name"] == credential["credential_type"]]
        names = {}
        for name, text in kind["injectors"].get("file", {}).items():
            _write(path.with_suffix(f".{name}"), _filled(text, inputs))
            names[name.removeprefix("template.")] = str(path.with_suffix(f".{name}"))
        return {name: _filled(text, inputs | {"tower": {"filename": names}}) for name, text in kind["injectors"]["env"].items()}


# The variables of the roles, in the order in which the role `dispatch` calls them, and where the API has their objects.
KINDS = {
    "controller_credential_types": "credential_types",
    "controller_credentials": "credentials",
    "controller_execution_environments": "execution_environments",
    "controller_projects": "projects",
    "controller_inventories": "inventories",
    "controller_hosts": "hosts",
    "controller_templates": "job_templates",
    "controller_workflows": "workflow_job_templates",
    "controller_schedules": "schedules",
}
# In place of the roles: they send what the real ones would write, and go on as those do when a job template is refused. All kinds are one request, because
# each needs a process of its own, which takes a quarter of a second.
WRITE = """---
- name: Write the objects of each kind
  ansible.builtin.uri:
    url: "{{ aap_hostname }}/write"
    method: POST
    body_format: json
    body: "{{ dict(defined | zip(query('ansible.builtin.vars', *defined))) }}"
    return_content: true
  vars:
    kinds: %s
    defined: "{{ kinds | select('in', vars) }}"
  register: written
  failed_when: written.json.failure | default('') | length > 0

- name: Keep the job templates that could not be written
  ansible.builtin.set_fact:
    __templates_error_list: "{{ written.json.refused | default([]) }}"
  when: vars['controller_templates'] is defined
"""
ROLES = {"dispatch": list(KINDS), "controller_inventories": ["controller_inventories"], "controller_roles": ["controller_roles"]}


def handed_on(item: dict[str, Any]) -> dict[str, Any]:
    """What the roles hand to a module: lists of objects as names, and nothing that is empty."""
    related = {name: [entry["name"] for entry in entries] for name, entries in item.get("related", {}).items()}
    values = {"credential" if name == "scm_credential" else name: value for name, value in item.items() if name != "related"} | related
    return {name: value for name, value in values.items() if value not in ("", [], None)}


class Api:
    """The API of a controller, and what the roles of infra.aap_configuration write to it, as AWX 24.6 was seen to keep it."""

    def __init__(self, folder: Path) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in (*KINDS.values(), "organizations", "teams", "notification_templates")}
        self.objects["organizations"]["Default"] = {"name": "Default"}
        # Who was granted what on which object.
        self.roles: set[tuple[str, str, str]] = set()
        # How the next sync of a project ends, and which job templates the API refuses.
        self.sync, self.refused = "successful", ""
        # What the sync answers before that, each time that it is asked.
        self.syncing: list[str] = []
        for role, variables in ROLES.items():
            path = folder / "collections" / "ansible_collections" / "infra" / "aap_configuration" / "roles" / role / "tasks" / "main.yml"
            _write(path, WRITE % json.dumps(variables))
        self.collections = str(folder / "collections")

    def __enter__(self) -> Api:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self._answer(api.found(parts.path.strip("/").removeprefix("api/v2/"), dict(parse_qsl(parts.query))))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                kind, *more = self.path.strip("/").removeprefix("api/v2/").split("/")
                self._answer(api.all_written(body) if kind == "write" else api.associated(kind, more, body))

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                kind, name = self.path.strip("/").removeprefix("api/v2/").split("/")
                api.objects[kind][unquote(name)] |= body
                self._answer({})

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked is no part of a test's output."""

            def _answer(self, content: dict[str, Any]) -> None:
                # The login of the lookup and of the requests is the same.
                self.send_response(200 if self.headers.get("Authorization") == "Bearer token" or self.path == "/write" else 401)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def found(self, kind: str, query: dict[str, str]) -> dict[str, Any]:
        """A list of the API: the objects of a kind by name, or the events of a failed sync."""
        if kind.startswith("project_updates"):
            results = [{"event_data": {"res": {"msg": "fatal: could not read from robot:pass@git.example.com"}}}]
        else:
            results = [
                item | {"id": name, "url": f"/api/v2/{kind}/{quote(name)}/"} for name, item in self.objects[kind].items() if query.get("name", name) == name
            ]
        if kind == "projects" and self.syncing:
            results = [item | {"status": self.syncing.pop()} for item in results]
        if kind == "inventories":
            results = [item | {"variables": json.dumps(item["variables"])} for item in results]
        return {"count": len(results), "next": None, "previous": None, "results": results}

    def associated(self, kind: str, path: Sequence[str], body: dict[str, Any]) -> dict[str, Any]:
        """An object is taken from a list of another one."""
        assert body["disassociate"]
        name, listed = path
        self.objects[kind][unquote(name)][listed].remove(body["id"])
        return {}

    def all_written(self, items: dict[str, Sequence[dict[str, Any]]]) -> dict[str, Any]:
        """What becomes of the items of all roles, by the variable that has them: what was refused, and how a role failed. The others go on."""
        answers = [self.written(variable, items[variable]) for variable in items]
        return {"refused": [item for answer in answers for item in answer.get("refused", [])], "failure": "".join(a.get("failure", "") for a in answers)}

    def written(self, variable: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """What becomes of the items of a role: what is not empty replaces what was there, a list of credentials too."""
        if variable == "controller_roles":
            for item in items:
                self._grant(item)
            return {}
        kind = KINDS[variable]
        refused = []
        for item in items:
            name = item["name"]
            if item.get("state") == "absent":
                self.objects[kind].pop(name, None)
                continue
            if kind == "job_templates" and (name == self.refused or not self._can_play(item)):
                refused.append({"name": name, "error": "Playbook not found for project."})
                continue
            known = self.objects[kind].get(name, {})
            self.objects[kind][name] = known | handed_on(item)
            if kind == "projects" and (not known or item.get("update_project")):
                self.objects[kind][name] |= {"status": self.sync, "summary_fields": {"last_update": {"id": 7}}}
                if self.sync != "successful" and item.get("update_project"):
                    return {"failure": "Project update failed"}
        return {"refused": refused}

    def _grant(self, item: dict[str, Any]) -> None:
        assert item["lookup_organization"] == "Default" and set(item["teams"]) <= set(self.objects["teams"])
        objects = {"job_templates": item.get("job_templates", []), "workflow_job_templates": item.get("workflows", [])}
        assert all(set(names) <= set(self.objects[kind]) for kind, names in objects.items())
        named = {(team, item["role"], name) for team in item["teams"] for names in objects.values() for name in names}
        self.roles = self.roles - named if item.get("state") == "absent" else self.roles | named

    def _can_play(self, template: dict[str, Any]) -> bool:
        return bool(self.objects["projects"].get(template["project"], {}).get("status") == "successful")


def refusals(questions: Sequence[dict[str, Any]], answers: dict[str, Any]) -> list[str]:
    """The variables whose answers the controller refuses, before any job."""
    asked = {question["variable"]: question for question in questions}
    missing = [name for name, question in asked.items() if question["required"] and name not in defaults(questions) | answers]
    return missing + [name for name, answer in answers.items() if name not in asked or not _fits(asked[name], answer)]


def defaults(questions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answers that nobody gives."""
    return {question["variable"]: question["default"] for question in questions if "default" in question and _fits(question, question["default"])}


def _fits(question: dict[str, Any], answer: Any) -> bool:
    # A truth is a number to Python, but not to a controller.
    if not isinstance(answer, DEFAULT_TYPES[question["type"]]) or isinstance(answer, bool):
        return False
    if question["type"] == "multiplechoice":
        return answer in question["choices"]
    size = len(answer) if isinstance(answer, str) else answer
    return bool(question.get("min", size) <= size <= question.get("max", size))


def _filled(text: str, values: dict[str, Any]) -> str:
    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render(values)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
