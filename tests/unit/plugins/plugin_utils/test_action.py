"""The action plugin in a real `ansible-playbook -vvv`, in front of a module that only answers what it was given."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError, AnsibleFileNotFound

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _action
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import OLDEST_KUBERNETES_CORE, reason_of
from tests import installed

ROOT = Path(__file__).resolve().parents[4]
PLUGINS = ROOT / "plugins"
SECRET = "Tr0ub4dor-and-3"
KUBECONFIG = {"apiVersion": "v1", "kind": "Config", "users": [{"name": "me", "user": {"token": "t0ken-of-the-kubeconfig"}}]}

MODULE = """
import os
import time
from ansible_collections.modelops.openshift_ai.plugins.module_utils._module import RegistryModule

database = dict(type="dict", options=dict(host=dict(), password=dict(no_log=True)))
module = RegistryModule(dict(kubeconfig=dict(type="raw"), database=database, sleep=dict(type="int", default=0)), supports_check_mode=True)
time.sleep(module.params["sleep"])
kubeconfig = module.params["kubeconfig"]
paths = kubeconfig.split(":") if isinstance(kubeconfig, str) else []
module.exit_json(
    changed=False,
    host=(module.params["database"] or {}).get("host"),
    kubeconfig_type=type(kubeconfig).__name__,
    kubeconfig_paths=paths,
    kubeconfig_readable=all(os.path.isfile(path) and "t0ken" in open(path).read() for path in paths),
)
"""

PLAY = [
    {"name": "nested secret", "database": {"host": "mysql", "password": SECRET}},
    {"name": "misspelt option", "pasword": SECRET},
    {"name": "misspelt nested option", "database": {"pasword": SECRET}},
    {"name": "misspelt option in the background", "pasword": SECRET},
    {"name": "relative path", "kubeconfig": "clusters/plain"},
    {"name": "two paths", "kubeconfig": "clusters/plain:clusters/vaulted"},
    {"name": "vaulted file", "kubeconfig": "clusters/vaulted"},
    {"name": "two paths in the background", "kubeconfig": "clusters/plain:clusters/vaulted"},
    {"name": "vaulted file in the background", "kubeconfig": "clusters/vaulted", "sleep": 2},
    {"name": "vaulted file that is no YAML in the background", "kubeconfig": "clusters/broken"},
    {"name": "vaulted file that is a text in the background", "kubeconfig": "clusters/text"},
    {"name": "mapping", "kubeconfig": KUBECONFIG},
    {"name": "content instead of a path", "kubeconfig": yaml.safe_dump(KUBECONFIG)},
    {"name": "does not exist", "kubeconfig": "clusters/none"},
    {"name": "empty", "kubeconfig": ""},
    {"name": "path on another machine", "kubeconfig": "clusters/plain"},
]


def task(number: int, name: str, **options: Any) -> dict[str, Any]:
    keywords: dict[str, Any] = {"register": f"result_{number}", "ignore_errors": True}
    if name.endswith("in the background"):
        keywords |= {"async": 30, "poll": 1}
    if name.endswith("on another machine"):
        keywords |= {"connection": "modelops.openshift_ai.elsewhere"}
    return {"name": name, "modelops.openshift_ai.probe": options, **keywords}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, Any]]]:
    """What `ansible-playbook -vvv` printed, and the result of each task by its name."""
    folder = tmp_path_factory.mktemp("action")
    collection = folder / "collections" / "ansible_collections" / "modelops" / "openshift_ai" / "plugins"
    for part in ("action", "connection", "modules"):
        (collection / part).mkdir(parents=True)
    for shared in ("module_utils", "plugin_utils"):
        (collection / shared).symlink_to(PLUGINS / shared)
    shutil.copy(PLUGINS / "action" / "model_registry.py", collection / "action" / "probe.py")
    (collection / "modules" / "probe.py").write_text(MODULE)
    installed.link_kubernetes_core(collection.parents[2])
    # A connection to this machine that does not call itself local.
    (collection / "connection" / "elsewhere.py").write_text(
        "from ansible.plugins.connection.local import Connection as Local\n\n\nclass Connection(Local):\n    transport = 'elsewhere'\n"
    )
    clusters = folder / "files" / "clusters"
    clusters.mkdir(parents=True)
    for name in ("plain", "vaulted"):
        (clusters / name).write_text(yaml.safe_dump(KUBECONFIG))
    vaulted = ("vaulted", "broken", "text")
    (clusters / "broken").write_text("token: [t0ken-of-the-kubeconfig\n  user: {")
    (clusters / "text").write_text("t0ken-of-the-kubeconfig")
    (folder / "vault-password").write_text("open sesame")
    env = installed.environment() | {
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_ASYNC_DIR": str(folder / "async"),
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(folder / "vault-password"),
        "ANSIBLE_NOCOLOR": "1",
    }
    subprocess.run(["ansible-vault", "encrypt", *(clusters / name for name in vaulted)], env=env, check=True, capture_output=True)

    tasks = [task(number, **arguments) for number, arguments in enumerate(PLAY)]
    results = f"{{{{ [{', '.join(f'result_{number}' for number in range(len(PLAY)))}] | to_json }}}}"
    tasks.append({"ansible.builtin.copy": {"dest": str(folder / "results.json"), "content": results, "mode": "0600"}})
    variables = {"ansible_python_interpreter": sys.executable}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}]
    (folder / "play.yml").write_text(yaml.safe_dump(play, sort_keys=False))
    command = ["ansible-playbook", "-vvv", "-i", "localhost,", folder / "play.yml"]
    done = subprocess.run(command, check=False, env=env, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    answers = json.loads((folder / "results.json").read_text())
    return done.stdout, {arguments["name"]: answer for arguments, answer in zip(PLAY, answers, strict=True)}


Run = tuple[str, dict[str, dict[str, Any]]]


def test_no_secret_is_printed_or_registered(run: Run) -> None:
    output, results = run
    for text in (output, json.dumps(results)):
        assert SECRET not in text
        assert "t0ken-of-the-kubeconfig" not in text


def test_no_task_prints_its_arguments(run: Run) -> None:
    printed = {section.split("]")[0]: section for section in run[0].split("\nTASK [")}
    for name in run[1]:
        # What comes from `async_status` passes no action plugin: there the module leaves them out, and an empty `invocation` stays.
        assert ("module_args" if name.endswith("in the background") else "invocation") not in printed[name]


def test_the_result_stays_useful_beside_a_secret(run: Run) -> None:
    assert run[1]["nested secret"]["host"] == "mysql"


@pytest.mark.parametrize("name", ["misspelt option", "misspelt nested option", "misspelt option in the background"])
def test_a_misspelt_option_is_named(run: Run, name: str) -> None:
    result = run[1][name]
    assert result["failed"] and "pasword" in result["msg"]


@pytest.mark.parametrize(("name", "count"), [("relative path", 1), ("two paths", 2), ("vaulted file", 1)])
def test_a_kubeconfig_is_found_in_files_and_readable(run: Run, name: str, count: int) -> None:
    result = run[1][name]
    assert len(result["kubeconfig_paths"]) == count
    assert result["kubeconfig_readable"]


def test_a_vaulted_kubeconfig_outlives_its_decrypted_copy_in_the_background(run: Run) -> None:
    result = run[1]["vaulted file in the background"]
    assert result["finished"] and not result.get("failed")
    assert result["kubeconfig_type"] == "dict"


@pytest.mark.parametrize("name", ["vaulted file that is no YAML in the background", "vaulted file that is a text in the background"])
def test_a_vaulted_file_that_is_no_kubeconfig_is_one_problem(run: Run, name: str) -> None:
    result = run[1][name]
    assert result["failed"] and result["msg"].startswith("kubeconfig: ") and "yaml" not in result["msg"]
    assert [problem["option"] for problem in result["problems"]] == ["kubeconfig"] and "is not a kubeconfig in YAML" in result["msg"]


def test_a_kubeconfig_may_be_a_mapping(run: Run) -> None:
    assert run[1]["mapping"]["kubeconfig_type"] == "dict"


def test_the_content_of_a_kubeconfig_is_refused_without_repeating_it(run: Run) -> None:
    result = run[1]["content instead of a path"]
    assert result["failed"] and "from_yaml" in result["msg"]


def test_a_kubeconfig_that_does_not_exist_is_named_with_the_places_searched(run: Run) -> None:
    result = run[1]["does not exist"]
    assert result["failed"] and "files/clusters/none" in result["msg"] and "remote_src" not in result["msg"]


def test_an_empty_kubeconfig_is_left_to_the_module(run: Run) -> None:
    assert run[1]["empty"]["kubeconfig_paths"] == [""]


def test_a_path_on_another_machine_is_not_looked_up_here(run: Run) -> None:
    assert run[1]["path on another machine"]["kubeconfig_paths"] == ["clusters/plain"]


def test_several_paths_are_left_as_they_are_in_the_background(run: Run) -> None:
    result = run[1]["two paths in the background"]
    assert (result["kubeconfig_type"], len(result["kubeconfig_paths"])) == ("str", 2)


def test_nothing_searches_for_garbage_while_a_module_is_made_and_later_not_in_what_was_there() -> None:
    with _action._without_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled() and gc.get_freeze_count() > 0
    gc.disable()
    with _action._without_garbage_collection():
        pass
    assert not gc.isenabled()
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize(
    ("error", "path", "said"),
    [
        (IsADirectoryError(21, "Is a directory"), "ca.pem", "Is a directory"),
        (AnsibleFileNotFound(file_name="ca.pem", paths=["/a/ca.pem", "/b/ca.pem", "/a/ca.pem"]), "ca.pem", "Searched in: /a/ca.pem, /b/ca.pem"),
        (AnsibleFileNotFound(file_name=SECRET, paths=[f"/a/{SECRET}"]), SECRET, "the file does not exist or cannot be decrypted"),
        (AnsibleError("Decryption failed."), "ca.pem", "Decryption failed"),
        (ValueError("embedded null byte"), "ca.pem", "embedded null byte"),
    ],
)
def test_why_a_file_cannot_be_read_is_said_without_what_may_be_a_secret(error: Exception, path: str, said: str) -> None:
    told = reason_of(error, path)
    assert told == (f"the file does not exist. {said}" if said.startswith("Searched") else said)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", "The collection kubernetes.core is not installed. Install it: ansible-galaxy collection install kubernetes.core"),
        ("4.9.0", "4.9.0 is installed. Run: ansible-galaxy collection install --upgrade kubernetes.core"),
    ],
)
def test_a_kubernetes_core_that_is_missing_or_too_old_is_said_in_one_line(tmp_path: Path, version: str, said: str) -> None:
    collections = tmp_path / "collections" / "ansible_collections"
    (collections / "modelops").mkdir(parents=True)
    (collections / "modelops" / "openshift_ai").symlink_to(ROOT)
    if version:
        core = collections / "kubernetes" / "core"
        core.mkdir(parents=True)
        for name in ("plugins", "meta"):
            (core / name).symlink_to(installed.KUBERNETES_CORE / name)
        manifest = json.loads((installed.KUBERNETES_CORE / "MANIFEST.json").read_text())
        manifest["collection_info"]["version"] = version
        (core / "MANIFEST.json").write_text(json.dumps(manifest))
    env = installed.environment() | {"HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_NOCOLOR": "1"}
    command = ["ansible", "localhost", "-m", "modelops.openshift_ai.model_registry_info"]
    done = subprocess.run(command, check=False, env=env, cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode
    assert said in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_the_oldest_kubernetes_core_is_that_of_the_dependencies() -> None:
    needed = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]["kubernetes.core"]
    assert needed == f">={OLDEST_KUBERNETES_CORE}"
