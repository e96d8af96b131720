"""Options of all kinds through the real argument specs: in this process, and some of them through Ansible."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import OF_MODULE
from sandbox import controlplane
from sandbox.layout import Layout
from tests.helpers import Runner, Task
from tests.unit.plugins import test_any_input as any_input

from .trials import Trials

# Through Ansible, of all cases.
THROUGH_ANSIBLE = 0.02
# What Ansible prints of an error of Python.
RAW = ("Traceback", "MODULE FAILURE", "unexpected failure", "Unexpected failure")
# What these hold is written into ConfigMaps, and shown when it is.
PUBLIC = ("labels", "named_queries")


def run(trials: Trials, layout: Layout) -> None:
    """Every module in turn."""
    kept: dict[str, list[dict[str, Any]]] = {}
    for number, module in enumerate(OF_MODULE):
        if not trials.wants(module):
            continue
        kept[module] = []

        def attempt(arguments: dict[str, Any], module: str = module) -> None:
            trials.cases += 1
            kept[module].append(arguments)
            any_input.assert_told_well(module, arguments)

        try:
            any_input.fuzzed(module, math.ceil(trials.limit / len(OF_MODULE)), trials.seed + number, attempt)
        except Exception as error:
            trials.found(f"{module}, as options", error)
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(layout, controlplane.ADMIN_TOKEN, Path(folder))
        for module, given in kept.items():
            _through_ansible(trials, runner, module, list(filter(_can_be_written, given)))


def _through_ansible(trials: Trials, runner: Runner, module: str, given: list[dict[str, Any]]) -> None:
    """Some of these options as tasks in check mode: what a playbook cannot hold is left out."""
    wanted = math.ceil(trials.limit * THROUGH_ANSIBLE / len(OF_MODULE))
    chosen = trials.random(module).sample(given, min(wanted, len(given)))
    tasks = [Task(arguments, f"modelops.openshift_ai.{module}", check=True, diff=True) for arguments in chosen]
    for task, done in zip(tasks, runner.sequence(tasks, verbosity=3), strict=True):
        with trials.case(f"{module}, through Ansible"):
            told = done.output.lower()
            public = "" if done.failed else json.dumps([task.options.get(option) for option in PUBLIC]).lower()
            assert not [secret for secret in any_input.SECRETS if secret in told and secret not in public], (task.options, done.output)
            assert not [raw for raw in RAW if raw in done.output], (task.options, done.output)
            assert not done.failed or done.result.get("msg"), (task.options, done.output)


def _can_be_written(arguments: dict[str, Any]) -> bool:
    """Whether a playbook can hold these options as they are."""
    try:
        written = json.dumps(arguments, allow_nan=False, ensure_ascii=False)
        written.encode()
    except (TypeError, ValueError):
        return False
    return "\\u0000" not in written and json.loads(written) == arguments
