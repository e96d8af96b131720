# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test's playbook prints: as `minimal` does, with a line before each task; and a file with each task's result and times."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback.minimal import CallbackModule as Minimal

DOCUMENTATION = """
name: recorder
type: stdout
short_description: Print like minimal, with a line before each task, and write the results to a file
description:
  - The file that the environment variable E(RECORDER_FILE) names gets a line of JSON for each task that has ended.
extends_documentation_fragment:
  - result_format_callback
"""

# The line before each task begins with it; nothing else prints this character.
BOUNDARY = "\x1e"


class CallbackModule(Minimal):  # type: ignore[misc]
    """`minimal`, and a record of each task: its result, warnings and differences included, and from when to when it ran."""

    CALLBACK_NAME = "recorder"

    def __init__(self) -> None:
        super().__init__()
        self._started = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._display.display(f"{BOUNDARY}{task.name}")
        self._started = time.time()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, False)
        super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, True)
        super().v2_runner_on_failed(result, ignore_errors)

    def _record(self, result: Any, failed: bool) -> None:
        # Before `minimal` prints it: that takes the warnings out.
        shown = {key: value for key, value in result._result.items() if not key.startswith("_ansible")}
        record = {"result": shown, "failed": failed, "started": self._started, "ended": time.time()}
        with open(os.environ["RECORDER_FILE"], "a", encoding="utf-8") as file:
            file.write(json.dumps(record, default=str) + "\n")
