# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on the controller before `model_registry_ca` runs: a file with certificates is read there."""

from __future__ import annotations

from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import RegistryAction, refusal


class ActionModule(RegistryAction):
    """Gives the module the content of `path` in place of `pem`."""

    def _completed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("path") is None:
            return arguments
        problems: list[Problem] = []
        completed = self._with_certificates(arguments, "", problems)
        if problems:
            raise refusal(problems)
        return completed
