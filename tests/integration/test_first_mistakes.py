"""The mistakes of a new user who follows the guide to a first registry, each made in a shell: the message names what is wrong, and what to do next."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.guides import Reader
from tests.helpers import Cluster


@dataclass(frozen=True)
class Mistake:
    """What is written in place of what the guide shows, in which file, or set in the shell, and what the message then has to say."""

    facts: tuple[str, ...]
    right: str = ""
    wrong: str = ""
    file: str = "registry.yml"
    variables: dict[str, str] = field(default_factory=dict)


NO_KUBECONFIG = {"KUBECONFIG": "", "K8S_AUTH_KUBECONFIG": ""}
MISTAKES = {
    "password": Mistake(
        ("rejects the login", "1045", "Check database.username and database.password"), "registry-password", "registry-pasword", "passwords.yml"
    ),
    "database host": Mistake(("Service 'mysq1' does not exist in namespace 'data'", "orrect database.host"), "host: mysql", "host: mysq1"),
    "registry name": Mistake(("name", "Fraud Models", "lower"), "name: fraud-models", "name: Fraud Models"),
    "registries namespace": Mistake(("namespace 'registries'", "does not exist", REGISTRIES_NAMESPACE), "display_name: Fraud models", "namespace: registries"),
    "missing database": Mistake(("Unknown database 'fraud_modles'", "orrect database.name"), "fraud_models", "fraud_modles"),
    "option": Mistake(("databse", "not a valid option", "database?"), "database:", "databse:"),
    "sub-option": Mistake(("database.user_name", "not a valid option", "username?"), "username:", "user_name:"),
    "no login": Mistake(("kubeconfig ~/.kube/config (the default) does not exist", "oc login", "K8S_AUTH_HOST"), variables=NO_KUBECONFIG),
    "expired token": Mistake(("401", "expired", "oc login", "K8S_AUTH_API_KEY")),
    "kubeconfig path": Mistake(
        ("kubeconfig /home/me/kube/config (K8S_AUTH_KUBECONFIG) does not exist", "oc login"), variables={"K8S_AUTH_KUBECONFIG": "/home/me/kube/config"}
    ),
    "context": Mistake(("no context 'production'", "K8S_AUTH_CONTEXT", "its contexts: 'sandbox'"), variables={"K8S_AUTH_CONTEXT": "production"}),
    "certificate of the API server": Mistake(("certificate verify failed", "ca_cert", "K8S_AUTH_SSL_CA_CERT")),
    "quotes": Mistake(("missing quotes around a template", "registry.yml:"), '"{{ vault_database_password }}"', "{{ vault_database_password }}"),
    "missing file": Mistake(("database.ca.path", "does not exist", "files/db-ca.pem"), "{source: cluster}", "{source: upload, path: db-ca.pem}"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty one for all: playbooks are forked for each home anew."""
    return str(tmp_path_factory.mktemp("home"))


@pytest.fixture
def reader(layout: Layout, tmp_path: Path, name: str, home: str) -> Reader:
    """One who has written the files of the guide, about a registry of another name."""
    reader = Reader(layout, tmp_path)
    reader.write_files("first_registry")
    reader.variables |= {"HOME": home}
    return reader


def kubeconfig(layout: Layout, token: str = "", trusted: bool = True) -> str:
    """The sandbox's kubeconfig, with another token, or without the CA."""
    content = yaml.safe_load(layout.path("kubeconfig").read_text())
    if token:
        content["users"][0]["user"]["token"] = token
    if not trusted:
        content["clusters"][0]["cluster"].pop("certificate-authority")
    return json.dumps(content)


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_named_with_what_to_do_next(reader: Reader, layout: Layout, cluster: Cluster, name: str, what: str) -> None:
    mistake = MISTAKES[what]
    file = reader.folder / mistake.file
    text = file.read_text()
    assert mistake.right in text
    file.write_text(text.replace(mistake.right, mistake.wrong, 1) if mistake.right else text)
    playbook = reader.folder / "registry.yml"
    playbook.write_text(playbook.read_text().replace("name: fraud-models", f"name: {name}\n        wait_timeout: 20"))
    if what in ("expired token", "certificate of the API server"):
        (reader.folder / "config").write_text(kubeconfig(layout, "sha256~expired" if what == "expired token" else "", what == "expired token"))
        reader.variables["K8S_AUTH_KUBECONFIG"] = str(reader.folder / "config")
    reader.variables |= mistake.variables
    assert reader.run("ansible-playbook registry.yml") != 0, reader.output
    said = " ".join(reader.output.split())
    assert [fact for fact in mistake.facts if fact not in said] == [], reader.output
    assert "Traceback" not in said and "registry-password" not in said
