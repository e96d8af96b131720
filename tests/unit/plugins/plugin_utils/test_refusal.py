"""What is refused on the controller, by every module of the collection in a real `ansible-playbook -vvv`: no module is sent, and no cluster is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import installed

ROOT = Path(__file__).resolve().parents[4]
SECRET = "Tr0ub4dor-and-3"
ODD = "{{ lookup('ansible.builtin.env', 'ODD_PASSWORD') }}"
CERTIFICATES = ["database.ca", "database.client_certificate.secret", "database.client_certificate.source"]
UPLOAD, UPLOADS = {"source": "upload", "path": f"{SECRET}.pem"}, [f"registries[{number}].database.ca.path" for number in (0, 1)]
# Tasks, and the options that have a problem.
WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("model_registry", {"name": "models", "database": True}, ["database"]),
    ("model_registry", {"name": "models", "database": [SECRET]}, ["database"]),
    ("model_registry", {"name": "models", "database": f"password={SECRET}"}, ["database"]),
    ("model_registry", {"name": "models", "database": {"password": [SECRET]}}, ["database.password"]),
    ("model_registry", {"name": "models", "database": {"password": 1.5}}, ["database.password"]),
    ("model_registry", {"name": "models", "database": {"password": ODD}}, ["database.password"]),
    ("model_registry", {"name": "models", "database": {"ca": {"source": "upload", "pem": ODD}}}, ["database.ca.pem"]),
    ("model_registry", {"name": "models", "database": {"ca": SECRET, "client_certificate": {"secret": SECRET}}}, CERTIFICATES),
    ("model_registry", {"name": "models", "database": {"ca": {"source": "upload", "path": SECRET}}}, ["database.ca.path"]),
    ("model_registry", {"name": "models", "database": {"ca": {"source": "upload", "path": "."}}}, ["database.ca.path"]),
    ("model_registry", {"name": "models", "database": {"ca": {"source": "upload", "path": "ca.pem", "pem": SECRET}}}, ["database.ca.path"]),
    ("model_registry", {"name": "models", "database": json.dumps({"ca": json.dumps({"source": "upload", "path": SECRET})})}, ["database.ca.path"]),
    ("model_registry", {"name": "models", "database": {SECRET: 1, "pasword": SECRET}}, ["database", "database.pasword"]),
    ("model_registry", {"name": "models", "wait_timeout": "9" * 5000}, ["wait_timeout"]),
    ("model_registry", {"name": "models", "wait_timeout": None, "permissions": 5}, ["permissions", "wait_timeout"]),
    ("model_registry", {"name": "", "database": {"port": "many", "host": f"root:{SECRET}@h"}}, ["database.host", "database.port", "name"]),
    ("model_registry", {"name": ["a"], "api_key": [SECRET], "impersonate_groups": [5]}, ["api_key", "impersonate_groups[0]", "name"]),
    ("model_registry_permission", {"name": "models", "permissions": ["a"]}, ["permissions"]),
    (
        "model_registry_permission",
        {"name": " ", "permissions": {"groups": [None, 7], "exclusive": SECRET}},
        ["name", *(f"permissions.groups[{n}]" for n in (0, 1)), "permissions.exclusive"],
    ),
    ("model_registry_ca", {"registry": {"a": 1}, "pem": [SECRET]}, ["pem", "registry"]),
    ("model_registry_ca", {"registry": "models", "path": f"/{SECRET}\0"}, ["path"]),
    ("model_registry_ca", {"registry": "models", "path": SECRET}, ["path"]),
    ("model_registries", {"registries": SECRET}, ["registries"]),
    ("model_registries", {"registries": [{"name": "models", "database": {"port": SECRET}}, SECRET]}, ["registries[0].database.port", "registries[1]"]),
    ("model_registries", {"registries": [{"name": name, "database": {"ca": UPLOAD}} for name in ("one", "two")]}, UPLOADS),
    ("model_registry_info", {"name": ["a"], "include": ["status", SECRET]}, ["include[1]", "name"]),
    ("model_registry_database_info", {"database": "a", "timeout": "inf"}, ["database", "timeout"]),
    ("model_registry_component", {"state": SECRET, "force": []}, ["force", "state"]),
    ("model_registry_ca", {"registry": "models", "path": "ca.pem", "pem": SECRET}, ["path"]),
    ("model_registry_migrate", {"name": "models", "to": {"database": {"ca": UPLOAD}}}, ["to.database.ca.path"]),
    ("model_registry_info", {"kubeconfig": f"/{SECRET}\0"}, []),
    ("model_registry_info", {"kubeconfig": SECRET}, []),
]
# A task whose error the play reports itself.
QUIET = {"name": "models", "quietly": 1}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """What `ansible-playbook` printed, and the result of each task."""
    folder = tmp_path_factory.mktemp("refusal")
    namespace = folder / "collections" / "ansible_collections" / "modelops"
    namespace.mkdir(parents=True)
    (namespace / "openshift_ai").symlink_to(ROOT)
    installed.link_kubernetes_core(namespace.parent)
    tasks = [
        {"name": str(number), f"modelops.openshift_ai.{module}": options, "register": f"result_{number}", "ignore_errors": True}
        for number, (module, options, _wrong) in enumerate(WRONG)
    ]
    tasks.append({"name": "quiet", "modelops.openshift_ai.model_registries": {"registries": [QUIET]}, "register": "result_quiet", "failed_when": False})
    results = "[" + ", ".join([*(f"result_{number}" for number in range(len(WRONG))), "result_quiet"]) + "]"
    written = {"name": "results", "ansible.builtin.copy": {"dest": str(folder / "results.json"), "content": f"{{{{ {results} | to_json }}}}", "mode": "0600"}}
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "vars": {"ansible_python_interpreter": sys.executable}, "tasks": [*tasks, written]}
    (folder / "play.json").write_text(json.dumps([play]))
    environment = installed.environment() | {
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
    }
    command = ["ansible-playbook", "-vvv", "-i", "one,", folder / "play.json"]
    # As whoever sets a variable from a file in another encoding.
    odd = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()} | {b"ODD_PASSWORD": b"caf\xe9"}
    done = subprocess.run(command, env=odd, cwd=folder, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, output
    return output, json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("number", range(len(WRONG)), ids=[f"{module}-{'-'.join(wrong)}" for module, _options, wrong in WRONG])
def test_what_has_the_wrong_type_is_one_problem_with_its_path(refusals: tuple[str, list[dict[str, Any]]], number: int) -> None:
    result = refusals[1][number]
    assert result["failed"] and "module_stderr" not in result, result
    assert sorted(problem["option"] for problem in result["problems"]) == sorted(WRONG[number][2])
    for problem in result["problems"]:
        assert problem.keys() == {"option", "problem", "remedy", "value"}
        assert f": {problem['problem']}. {problem['remedy']}" in result["msg"] and not problem["problem"].endswith(".")


def test_none_of_it_is_sent_to_a_module_or_repeated(refusals: tuple[str, list[dict[str, Any]]]) -> None:
    output, results = refusals
    assert "AnsiballZ_model" not in output and "Traceback" not in output
    # Ansible itself names the folder of the playbook and the tasks, and not what they were given.
    assert SECRET not in output + json.dumps(results)


def test_ansible_reports_no_error_where_the_play_says_that_the_task_has_not_failed(refusals: tuple[str, list[dict[str, Any]]]) -> None:
    output, results = refusals
    quiet = results[-1]
    assert quiet["failed_when_result"] is False and [problem["option"] for problem in quiet["problems"]] == ["registries[0].quietly"]
    assert not [line for line in output.splitlines() if line.startswith("[ERROR]") and quiet["msg"][:40] in line], output
