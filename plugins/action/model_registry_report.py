# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the report on the controller; there is no module that would be sent anywhere."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _files, _outcome, _report_changes

OPTIONS = {
    "path": {"type": "str", "required": True},
    "backup_folder": {"type": "str", "default": ""},
    "backup_hours": {"type": "float", "default": _backups.HOURS},
    "policy": {"type": "list", "elements": "dict", "default": []},
    "expected": {"type": "list", "elements": "str", "default": []},
}
# The results, as the role registers them, and the variables that can hold the list that registries were compared with.
RESULTS = ("model_registry_report_found", "model_registry_report_compared", "model_registry_report_catalog_found")
LISTS = ("model_registry_report_registries", "model_registries_list")


class ActionModule(ActionBase):
    """The whole of `model_registry_report`."""

    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        # What is made here stays until the page is written, and the process of a worker ends with its task. Of 1,000 registries it would be searched for 1 s.
        gc.disable()
        # 0.2 s, most of it for certificates, in each task that uses an action plugin of the collection.
        from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _policy, _provenance, _report, _version

        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(OPTIONS)
        variables = task_vars or {}
        if not options["path"].strip():
            raise AnsibleActionFail("path: is empty. Set it to the path of a file on the controller.")
        path = os.path.abspath(os.path.expanduser(options["path"]))
        folder, name = os.path.split(path)
        hosts = list(variables["ansible_play_hosts_all"])
        known = _outcome.raw(hosts, variables["hostvars"])
        results = [(host, *_found_in(known[host])) for host in hosts]
        version = _version.collection_version()
        listing = [host for host in known.values() if "drift" in (host.get("model_registry_report_compared") or {})]
        # Of both variables, the one that is more specific is what the role compares with.
        used = [{"list": next(host[kind] for kind in LISTS if kind in host)} for host in listing if any(kind in host for kind in LISTS)]
        run = _report.Run(
            _provenance.facts_of(variables, used, ("list",), version),
            [host for host in options["expected"] if host not in hosts],
            _previous(os.path.join(folder, f"{_report.stem_of(name)}.json")),
        )
        groups = {host: known[host].get("group_names") or () for host in hosts}
        backups = _backups.wanted(options["backup_folder"], options["backup_hours"])
        try:
            report = _report.report_of(results, datetime.now(timezone.utc), version, backups, options["policy"], groups, run)
        except _policy.PolicyError as error:
            raise AnsibleActionFail(f"{error}.") from None
        *tables, compared_next = _report.files(report, name).items()
        # A run that is killed leaves no new page beside old tables, and the next report compares with the last one that has a page.
        content = dict([*tables, (name, _report.html(report, _report.stem_of(name))), compared_next])
        written: dict[str, str] = {}
        try:
            # What refuses the page is found before its tables are written.
            _files.write(path, content[name], check_mode=True)
            for file, text in content.items():
                written[file] = _files.write(os.path.join(folder, file), text, check_mode=self._task.check_mode).path
        except (_files.FileRefused, OSError) as error:
            done = f"The report is incomplete: {len(written)} of {len(content)} files were written" if written else "Nothing was written"
            reason = _texts.line(str(error)) if isinstance(error, _files.FileRefused) else f"{error.filename or path}: {error.strerror}"
            raise AnsibleActionFail(f"{done}: {reason}.") from None
        page = written.pop(name)
        result.update(changed=True, summary=list(report.summary), path=page, files=list(written.values()))
        return result


def _found_in(variables: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """What was read of a cluster, what was compared, and what was read of the catalog."""
    found, compared, catalog = (variables.get(kind) or {} for kind in RESULTS)
    compared, found = _outcome.separated(compared, found)
    return found, compared, catalog


def _previous(path: str) -> _report_changes.Previous:
    """What the last report has left beside its page, or why it cannot be compared."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _report_changes.read(file.read())
    except FileNotFoundError:
        return _report_changes.MISSING
    except OSError as error:
        return _report_changes.Previous(problem=f"The file of the earlier report cannot be read: {error.strerror}")
