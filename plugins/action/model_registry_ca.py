# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on the controller before `model_registry_ca` runs: a file with certificates is read there."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import RegistryAction, reason_of, refusal

REMEDY = (
    "The file is looked for on the controller, in files/ too. One on a managed host is read with ansible.builtin.slurp and given in pem,"
    " with the filter `b64decode`"
)


class ActionModule(RegistryAction):
    """Gives the module the content of `path` in place of `pem`."""

    def _completed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        path = arguments.get("path")
        if path is None:
            return arguments
        if arguments.get("pem") is not None:
            raise refusal([Problem("path", "is given together with pem", "Give one of them", path)])
        try:
            with open(self._loader.get_real_file(self._find_needle("files", str(path))), "rb") as file:
                content = file.read()
        except (AnsibleError, OSError, ValueError) as error:
            raise refusal([Problem("path", f"cannot be read: {' '.join(reason_of(error, str(path)).split())}", REMEDY, path)]) from None
        # The module recognises other formats by their bytes, and arguments are text: each character stands for one byte.
        return {**arguments, "pem": content.decode("latin-1")}
