# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share: what happens on the controller before and after a module runs."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.version import SemanticVersion

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.module_utils._texts import may_repeat
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._following import following
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._input import LIST, option_problems, read_dictionary

# The option with the database that a registry moves to.
TARGET = "to"
# As in galaxy.yml.
OLDEST_KUBERNETES_CORE = "5.0.0"
LOOKED_FOR = (
    "The file must be on the controller. Relative paths are also searched for in files/. To use a file of a managed host, read it with"
    " ansible.builtin.slurp and set {} to its content, with the filter b64decode"
)
# How many registries a result has that is printed with -v.
MOST_SHOWN = 5


class RegistryAction(ActionBase):
    """Run the module of the same name with its kubeconfig found on the controller, and keep the task's arguments out of the result."""

    _supports_async = True

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Many registries may have the same CA.
        self._files: dict[str, bytes] = {}

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._run(tmp, task_vars)
        except AnsibleActionFail as error:
            # Ansible prints what is raised, even if failed_when says that the task has not failed.
            return {"failed": True, "msg": error.message, "problems": error.result.get("problems", [])}

    def _run(self, tmp: None, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        _need_kubernetes_core()
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        problems = option_problems(self._task.action.rpartition(".")[2], arguments, _shared_options())
        if problems:
            raise refusal(problems)
        # With any other connection the module runs on another machine, and a path is one of that machine.
        is_local = self._connection.transport == "local"
        if arguments.get("kubeconfig") and isinstance(arguments["kubeconfig"], str) and is_local:
            arguments["kubeconfig"] = self._find_kubeconfig(arguments["kubeconfig"])
        arguments = self._completed(arguments)
        in_background = bool(self._task.async_val and not self._connection.has_native_async)
        is_followed = is_local and not in_background
        with _without_garbage_collection(), self._following(task_vars or {}) if is_followed else contextlib.nullcontext():
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=in_background))
        # ansible-core up to 2.20 puts the arguments there, and can mask only the secrets of options that exist: not that of a misspelt one.
        result.pop("invocation", None)
        if len(result.get("registries", ())) > MOST_SHOWN and Display().verbosity == 1:
            # With -v, Ansible would print the whole result in one line. It is registered as a whole, and printed with -vv.
            result["_ansible_verbose_override"] = True
        return result

    def _following(self, task_vars: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
        """While entered: what the module says is shown. Made before the module's arguments are, because one of them is the temporary folder."""
        host = f"{task_vars['inventory_hostname']}: " if len(task_vars.get("ansible_play_hosts_all", ())) > 1 else ""

        def show(line: str) -> None:
            if not self._task.no_log:
                # Apart from the output proper, which callbacks may write in a format for programs. In AWX and AAP both are one.
                Display().display(host + line, stderr=True)

        return following(self._connection._shell.tmpdir or self._make_tmp_path(), show)

    def _completed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments that the module gets: CA certificates to upload are read from their files."""
        problems: list[Problem] = []
        given = arguments.get(LIST)
        items = [self._with_ca(item, f"{LIST}[{index}].", problems) for index, item in enumerate(given if isinstance(given, list) else ())]
        completed = self._with_ca(arguments, "", problems)
        if TARGET in arguments:
            completed = {**completed, TARGET: self._with_ca(arguments[TARGET], f"{TARGET}.", problems)}
        if problems:
            raise refusal(problems)
        return {**completed, LIST: items} if items else completed

    def _with_ca(self, described: Any, prefix: str, problems: list[Problem]) -> Any:
        """What describes a registry, with the content of the file that `database.ca` names."""
        registry = read_dictionary(described) or {}
        database = read_dictionary(registry.get("database")) or {}
        ca = read_dictionary(database.get("ca")) or {}
        if ca.get("source") != "upload" or ca.get("path") is None:
            return described
        return {**registry, "database": {**database, "ca": self._with_certificates(ca, f"{prefix}database.ca.", problems)}}

    def _with_certificates(self, options: Mapping[str, Any], prefix: str, problems: list[Problem]) -> dict[str, Any]:
        """Options with the content of the file `path` as `pem`."""
        path = str(options["path"])
        if options.get("pem") is not None:
            problems.append(Problem(f"{prefix}path", "is mutually exclusive with pem", "Set one of them", path))
            return dict(options)
        content = self._content_of(path, f"{prefix}path", "pem", problems)
        # The module recognises other formats by their bytes, and arguments are text: each character stands for one byte.
        return {**options, "pem": None if content is None else content.decode("latin-1")}

    def _content_of(self, path: str, option: str, instead: str, problems: list[Problem]) -> bytes | None:
        """What a file of the controller contains; None where it cannot be read, which is added to the problems. `instead` takes the content itself."""
        if path not in self._files:
            try:
                with open(self._loader.get_real_file(self._find_needle("files", path)), "rb") as file:
                    self._files[path] = file.read()
            except (AnsibleError, OSError, ValueError) as error:
                remedy = LOOKED_FOR.format(instead)
                problems.append(Problem(option, f"cannot be read: {' '.join(reason_of(error, path).split())}", remedy, path))
        return self._files.get(path)

    def _find_kubeconfig(self, kubeconfig: str) -> str | dict[str, Any]:
        """The paths that a kubeconfig is read from, looked up as Ansible looks up every file of a play, and decrypted."""
        if "\n" in kubeconfig:
            # Never repeat the value: it holds credentials.
            raise AnsibleActionFail("kubeconfig: is the content of a kubeconfig, not its path. Set it to a dictionary, with the filter `from_yaml`.")
        try:
            sources = [self._find_needle("files", path) for path in kubeconfig.split(os.pathsep)]
            paths = [self._loader.get_real_file(source) for source in sources]
        except (AnsibleError, OSError, ValueError) as error:
            raise AnsibleActionFail(f"kubeconfig: {reason_of(error, kubeconfig)}") from None
        if self._task.async_val and paths != sources and len(paths) == 1:
            # The decrypted copy is deleted as soon as the task is in the background, maybe before the module reads it.
            return _kubeconfig_in(paths[0])
        return os.pathsep.join(paths)


def _kubeconfig_in(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        # What they say repeats lines of the file.
        content = None
    if isinstance(content, dict):
        return content
    raise refusal([Problem("kubeconfig", "the decrypted file is not a kubeconfig in YAML", "Check the file with ansible-vault view")])


def _need_kubernetes_core() -> None:
    """AnsibleActionFail where the collection that the modules are built on is missing or too old: an archive that is installed by hand brings no other."""
    try:
        package = importlib.import_module("ansible_collections.kubernetes.core")
    except ImportError:
        raise AnsibleActionFail("The collection kubernetes.core is not installed. Install it: ansible-galaxy collection install kubernetes.core") from None
    manifest = Path(package.__path__[0], "MANIFEST.json")
    # A checkout has none, and whoever works with one knows its version.
    if manifest.exists():
        version = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
        if SemanticVersion(version) < SemanticVersion(OLDEST_KUBERNETES_CORE):
            needed = f"version {OLDEST_KUBERNETES_CORE} or later of the collection kubernetes.core is required, and {version} is installed"
            raise AnsibleActionFail(f"Update kubernetes.core: {needed}. Run: ansible-galaxy collection install --upgrade kubernetes.core")


def _shared_options() -> dict[str, Any]:
    # Imported here: whether it is installed has been seen before.
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

    options: dict[str, Any] = AUTH_ARG_SPEC
    return options


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Ansible parses every file that a module imports. With the variables of a play in memory a third of that would be the search for garbage.

    Of a play over 100 registries, it would be 0.3 of 3.7 s of CPU.

    What is there at the end is left out of every later search: the process of a worker ends with its task.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def reason_of(error: Exception, path: str) -> str:
    """Why a file was not found. Ansible repeats the path, which may be a credential, and ends with advice on an option that copying modules have."""
    if isinstance(error, OSError):
        return str(error.strerror)
    said, _heading, searched = str(error).partition("\nIf you are using a module")[0].partition("Searched in:")
    if not may_repeat(path):
        return "the file does not exist or cannot be decrypted"
    if not searched:
        return said.rstrip(".")
    places = dict.fromkeys(line.strip() for line in searched.replace(" on the Ansible Controller.", "").splitlines())
    return f"the file does not exist. Searched in: {', '.join(filter(None, places))}"


def refusal(problems: list[Problem]) -> AnsibleActionFail:
    """What ends a task with these problems, as the modules report them."""
    return AnsibleActionFail(" ".join(problem.sentence() for problem in problems), result={"problems": [asdict(problem) for problem in problems]})
