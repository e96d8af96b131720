# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on the controller after `model_registries` ran: what was read of all registries becomes a text."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import RegistryAction


class ActionModule(RegistryAction):
    """Returns `info` in JSON format."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        if "info" in result:
            # Ansible sends a result from its worker and copies it for each callback and variable, part by part: of 1,000 registries for 1 s or more.
            result["info"] = json.dumps(result["info"])
        return result
