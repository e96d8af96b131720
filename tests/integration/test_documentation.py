"""What the documentation shows, run as it stands."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import databases, lifecycle
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests.component import component_kept, status_of, switch
from tests.fleet import remove
from tests.guides import Reader
from tests.helpers import REGISTRIES, shell, until

from .conftest import Cluster

VARIABLES = {"vault_database_password": databases.REGISTRY.password}


def play(layout: Layout, folder: Path, plays: Any, given: Mapping[str, Any] | None = None) -> str:
    """Run plays as a person in the shell of `. .sandbox/env` would; what they print."""
    playbook, variables = folder / "playbook.yml", folder / "variables.json"
    playbook.write_text(yaml.safe_dump(plays))
    variables.write_text(json.dumps(VARIABLES if given is None else given))
    environment = shell(layout)
    done = subprocess.run(
        ["ansible-playbook", playbook, "-e", f"@{variables}"], env=environment, cwd=folder, text=True, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def fraud_models(cluster: Cluster) -> Any:
    """The registry that the examples make, on databases that are there; it is gone afterwards."""
    yield "fraud-models"
    cluster.delete("modelregistry.opendatahub.io/v1beta1", "modelregistries", "fraud-models")
    for secret in cluster.items("v1", "secrets"):
        if secret["metadata"]["name"].startswith("fraud-models-db-"):
            cluster.delete("v1", "secrets", secret["metadata"]["name"])


def test_the_examples_of_the_module_run_in_their_order(cluster, layout, tmp_path, fraud_models):
    source = (ROOT / "plugins" / "modules" / "model_registry.py").read_text()
    tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
    (tmp_path / "database-ca.pem").write_text(layout.path("pki", "database-ca.crt").read_text())
    output = play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
    assert f"changed={len(tasks)}" in output
    assert cluster.registry(fraud_models) is None


def test_the_examples_of_the_ca_module_run_in_their_order(cluster, layout, tmp_path, fraud_models):
    source = (ROOT / "plugins" / "modules" / "model_registry_ca.py").read_text()
    tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
    (tmp_path / "files").mkdir()
    # The registry serves with both bundles.
    for file, authority in (("database-ca.pem", "ingress-ca"), ("new-database-ca.pem", "other-ca")):
        (tmp_path / "files" / file).write_text("".join(layout.path("pki", f"{name}.crt").read_text() for name in ("database-ca", authority)))
    try:
        output = play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
        assert f"changed={len(tasks)}" in output
        assert cluster.get("v1", "configmaps", f"{fraud_models}-db-credential")["data"]["ca.crt"].count("BEGIN") == 2
        assert cluster.get("v1", "secrets", "company-ca") is None
    finally:
        cluster.delete("v1", "configmaps", f"{fraud_models}-db-credential")


def test_the_examples_of_the_database_module_run_in_their_order(layout, tmp_path, fraud_models):
    source = (ROOT / "plugins" / "modules" / "model_registry_database_info.py").read_text()
    tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
    (tmp_path / "database-ca.pem").write_text(layout.path("pki", "database-ca.crt").read_text())
    login = {"host": "mysql", "namespace": "data", "name": "fraud_models", "username": "registry", "password": "{{ vault_database_password }}"}
    before = [
        {"modelops.openshift_ai.model_registry": {"name": fraud_models, "database": {"type": "mysql", **login}, "wait": False}},
        {"ansible.builtin.add_host": {"name": "bastion", "ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}},
    ]
    output = play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": before + tasks}])
    # Neither host can be reached from here, which is a finding and no failure.
    assert "failed=0" in output and "db.example.com" in output and "localhost -> bastion" in output


def test_the_examples_of_the_fleet_run_in_their_order(cluster, layout, tmp_path, fraud_models):
    source = (ROOT / "plugins" / "modules" / "model_registries.py").read_text()
    parts = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
    tasks, plays = [part for part in parts if "hosts" not in part], [part for part in parts if "hosts" in part]
    [[credit, *_grants]] = [[entry for entry in tasks[0]["modelops.openshift_ai.model_registries"]["registries"] if entry["name"] != fraud_models]]
    # Registries of other tests are listed by their names, so that nothing happens to them.
    others = [{"name": name} for registry in cluster.items(*REGISTRIES) if (name := registry["metadata"]["name"]) != fraud_models]
    login = {"vault_fraud_password": databases.REGISTRY.password, "vault_credit_password": databases.REGISTRY.password}
    kubeconfig = {"cluster_kubeconfig": lifecycle.shell_variables(layout)["KUBECONFIG"]}
    hosts = [{"ansible.builtin.add_host": {"name": name, "groups": "clusters"}} for name in ("east", "west")]
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    variables = login | kubeconfig | {"model_registries": [{"name": fraud_models}, *others]}
    output = play(layout, tmp_path, [{**head, "tasks": [*tasks, *hosts]}, *plays], variables)
    assert cluster.registry(credit["name"]) is None and cluster.registry(fraud_models) is not None
    # Made, and the unlisted one deleted; two hosts added; and on both clusters nothing left to do.
    assert re.search(rf"localhost +: ok={len(tasks) + len(hosts)} +changed=4 ", output) and re.search(r"east +: ok=1 +changed=0 ", output), output


def test_the_examples_of_the_component_module_run_in_their_order(cluster, layout, tmp_path):
    source = (ROOT / "plugins" / "modules" / "model_registry_component.py").read_text()
    tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
    with component_kept(layout, cluster):
        output = play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
        assert "changed=2" in output and REGISTRIES_NAMESPACE in output
        assert status_of(cluster)[0]["registriesNamespace"] == "team-model-registries"
    cluster.delete("v1", "namespaces", "team-model-registries", None)


def test_the_examples_of_the_filters_run(cluster, layout, tmp_path, fraud_models):
    for name in ("model_registry_name", "to_variables"):
        source = (ROOT / "plugins" / "filter" / f"{name}.py").read_text()
        tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
        play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
    assert cluster.registry(fraud_models)["metadata"]["annotations"]["openshift.io/display-name"] == "Fraud models"
    assert fraud_models in [entry["name"] for entry in yaml.safe_load((tmp_path / "model_registries.yml").read_text())["model_registries_list"]]


def test_the_example_of_the_report_writes_its_page(cluster, layout, tmp_path, fraud_models):
    source = (ROOT / "plugins" / "modules" / "model_registry_report.py").read_text()
    tasks = yaml.safe_load(re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)[1])
    listed = {"model_registries_list": [{"name": fraud_models, "database": {"type": "generated"}}]}
    play(layout, tmp_path, [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": listed, "tasks": tasks}])
    assert cluster.registry(fraud_models) is None
    drift = json.loads((tmp_path / "model-registries.json").read_text())["tables"]["drift"]["rows"]
    assert fraud_models in [row["Registry"] for row in drift] and fraud_models in (tmp_path / "model-registries.html").read_text()


def test_the_playbook_of_the_readme_runs(cluster, layout, tmp_path, fraud_models):
    text = (ROOT / "README.md").read_text()
    files = dict(re.findall(r"`(\w+\.yml)`:\n\n```yaml\n(.*?)```", text, re.DOTALL))
    assert set(files) == {"passwords.yml", "first.yml"} and all(len(content.splitlines()) <= 10 for content in files.values())
    for file, content in files.items():
        (tmp_path / file).write_text(content)
    look, do = re.findall(r"^ansible-playbook first.yml.*", text, re.MULTILINE)
    created, refused = (plain(block) for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL))
    reader = Reader(layout, tmp_path)
    assert reader.run(look) == 0 and "changed=1" in reader.output, reader.output
    assert cluster.registry(fraud_models) is None
    assert reader.run(f"{do.partition('#')[0]} -e vault_database_password=another-password") == 2 and refused in plain(reader.output), reader.output
    assert reader.run(do) == 0 and "changed=1" in reader.output and created in plain(reader.output), reader.output
    section = cluster.registry(fraud_models)["spec"]["mysql"]
    assert (section["host"], section["database"]) == ("mysql.data.svc", "fraud_models")
    assert reader.run(f"ansible-vault encrypt passwords.yml && {do}") == 0 and "changed=0" in reader.output, reader.output


def plain(output: str) -> str:
    """An output without line breaks, and without what differs from run to run: the number of the attempt, and the address of the server's pod."""
    return re.sub(r"(?<=attempt )\d+|(?<=@')[\d.]+", "0", " ".join(output.split()))


def test_the_example_playbook_runs_twice_and_changes_nothing_the_second_time(cluster, layout, tmp_path):
    playbook = yaml.safe_load((ROOT / "examples" / "first_registry.yml").read_text())
    # `make demo` may have made it, for somebody to look at.
    demonstrated = cluster.registry("first-models")
    play(layout, tmp_path, playbook)
    assert "changed=0" in play(layout, tmp_path, playbook)
    if not demonstrated:
        remove(cluster, "first-models")


def test_the_examples_of_the_roles_make_report_and_delete_a_registry(cluster, layout, tmp_path, fraud_models):
    page = tmp_path / "model-registries.html"
    given = VARIABLES | {"model_registry_report_file": str(page)}
    made = play(layout, tmp_path, example_of_role("model_registries"), given)
    assert cluster.registry(fraud_models)["metadata"]["annotations"]["openshift.io/display-name"] == "Fraud models"
    assert "1 registry: 0 unchanged, 1 changed" in made
    play(layout, tmp_path, example_of_role("model_registry_report"), given)
    assert "fraud-models" in page.read_text()
    play(layout, tmp_path, example_of_role("model_registry_delete"), given)
    assert cluster.registry(fraud_models) is None


def test_the_example_of_the_role_of_the_component_runs(cluster, layout, tmp_path):
    with component_kept(layout, cluster):
        switch(cluster, managementState="Removed")
        until(lambda: status_of(cluster)[1].get("reason") == "Removed")
        play(layout, tmp_path, example_of_role("model_registry_component"))
        assert status_of(cluster)[0]["registriesNamespace"] == "team-model-registries"
    cluster.delete("v1", "namespaces", "team-model-registries", None)


def example_of_role(role):
    """The play of a role's README, on the only cluster that there is."""
    [block] = re.findall(r"```yaml\n(.*?)```", (ROOT / "roles" / role / "README.md").read_text(), re.DOTALL)
    [shown] = yaml.safe_load(block)
    assert set(shown) == {"hosts", "gather_facts", "connection", "roles"}
    return [{**shown, "hosts": "localhost"}]
