# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a file on the controller; there is no module that would be sent anywhere."""

from __future__ import annotations

import os
import re
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _files

OPTIONS = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str", "required": True},
    "folder": {"type": "str"},
    "backup": {"type": "bool", "default": False},
    "replace": {"type": "bool", "default": True},
    "mode": {"type": "str"},
}


class ActionModule(ActionBase):
    """The whole of `model_registry_file`."""

    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(OPTIONS)
        path, folder = (os.path.abspath(os.path.expanduser(options[name])) if options[name] else "" for name in ("path", "folder"))
        if not path:
            raise AnsibleActionFail("path: is empty. Set it to the path of a file on the controller.")
        content = options["content"]
        try:
            written = _files.write(path, content, folder, options["backup"], options["replace"], self._task.check_mode, _mode_of(options["mode"]))
        except _files.FileRefused as error:
            raise AnsibleActionFail(f"Nothing was written: {_texts.line(str(error))}.") from None
        except OSError as error:
            raise AnsibleActionFail(f"Nothing was written: {path}: {error.strerror}.") from None
        result.update(changed=written.changed, path=written.path, **({"backup_file": written.backup} if written.backup else {}))
        if self._task.diff:
            before, after = ("\n".join(map(_texts.shown, text.split("\n"))) for text in (written.before or "", content))
            result["diff"] = {"before": before, "after": after, "before_header": written.path, "after_header": written.path}
        return result


def _mode_of(text: str | None) -> int | None:
    """The permissions that an octal number stands for."""
    if text is None:
        return None
    if not re.fullmatch("0?[0-7]{3}", text):
        raise AnsibleActionFail(f"mode: {text} is not valid. Set it to an octal number in quotes, such as '0644'.")
    return int(text, 8)
