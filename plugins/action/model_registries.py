# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on the controller before and while `model_registries` runs: everything that is wrong with the list is found there, and progress is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import RegistryAction


class ActionModule(RegistryAction):
    """Refuses a wrong list before anything is sent; it is passed on as it was given."""

    def _completed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if "registries" in arguments:
            # Imported here: Ansible loads every action plugin of a play when the play is read.
            from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._items import item_problems

            problems = item_problems(arguments["registries"], arguments.get("namespace"))
            if problems:
                message = " ".join(problem.sentence() for problem in problems)
                raise AnsibleActionFail(message, result={"problems": [asdict(problem) for problem in problems]})
        return arguments
