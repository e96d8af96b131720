# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on the controller before `model_catalog` runs: files with data are read there."""

from __future__ import annotations

from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import RegistryAction, refusal
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._input import read_dictionary

LIST = "sources"


class ActionModule(RegistryAction):
    """Gives the module the content of the file `path` of each source as `content`."""

    def _completed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        given = arguments.get(LIST)
        if not isinstance(given, list):
            return arguments
        problems: list[Problem] = []
        sources = [self._with_content(source, f"{LIST}[{index}].", problems) for index, source in enumerate(given)]
        if problems:
            raise refusal(problems)
        return {**arguments, LIST: sources}

    def _with_content(self, given: Any, prefix: str, problems: list[Problem]) -> Any:
        source = read_dictionary(given) or {}
        path = source.get("path")
        if path is None:
            return given
        other = next((option for option in ("entries", "content") if source.get(option) is not None), None)
        if other:
            problems.append(Problem(f"{prefix}path", f"is mutually exclusive with {other}", "Set one of them", path))
            return given
        content = self._content_of(str(path), f"{prefix}path", "content", problems)
        try:
            text = None if content is None else content.decode()
        except UnicodeDecodeError:
            problems.append(Problem(f"{prefix}path", "is not a text in UTF-8", "Save the file in UTF-8", path))
            return given
        return {**{option: value for option, value in source.items() if option != "path"}, "content": text}
