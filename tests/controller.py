"""What an automation controller does with the objects of aap/, as AWX 24.6 does it: rules of surveys, answers, credentials, and a job by ansible-runner."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import yaml

from sandbox import lifecycle
from sandbox.layout import ROOT, Layout

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
        [template] = [item for item in self.objects["controller_templates"] if item["name"] == f"Model registries: {name}"]
        return template

    def launch(
        self,
        name: str,
        answers: dict[str, Any] | None = None,
        password: str = "",
        token: str = "",
        check: bool = False,
        listed: Sequence[dict[str, Any]] = (),
    ) -> Job:
        """Run a job template with these answers to its survey, the defaults for the others, and a credential with the password if there is one.

        With `token` another login takes the place of the template's. With `check` it is of the type "check". `listed` are the registries of the list in the
        project.
        """
        template = self.template(name)
        questions = template["survey_spec"]["spec"]
        assert not refusals(questions, answers or {}), refusals(questions, answers or {})
        folder = self.folder / uuid.uuid4().hex
        shutil.copytree(AAP / "project", folder / "project")
        [inventory] = self.objects["controller_inventories"]
        hosts = {host["name"]: host.get("variables", {}) for host in self.objects["controller_hosts"]}
        if listed:
            _write(folder / "project" / "host_vars" / f"{next(iter(hosts))}.yml", yaml.safe_dump({"model_registries_list": list(listed)}))
        _write(folder / "inventory" / "hosts.yml", yaml.safe_dump({"all": {"hosts": hosts, "vars": inventory["variables"]}}))
        variables = template.get("extra_vars", {}) | defaults(questions) | (answers or {})
        _write(folder / "env" / "extravars", yaml.dump(variables, Dumper=_UnsafeStrings, allow_unicode=True))
        credentials = [item for item in self.objects["controller_credentials"] if item["name"] in template["credentials"]]
        assert template.get("ask_credential_on_launch") or not (password or token)
        if token:
            credentials = [item | {"inputs": item["inputs"] | {"bearer_token": token}} for item in credentials]
        if password:
            credentials.append({"credential_type": PASSWORD_TYPE, "inputs": {"password": password}})
        environment = {name: value for name, value in (os.environ | lifecycle.shell_variables(self.layout)).items() if name not in OTHER_WAYS}
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
