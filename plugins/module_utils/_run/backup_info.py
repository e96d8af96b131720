# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_backup_info`: what an archive says of the registry that it was taken of. It needs no cluster."""

from __future__ import annotations

from typing import Any

from .. import _errors, _module, _texts
from .._tables import archive, origin


def run(argument_spec: dict[str, Any]) -> None:
    """Run the module that reads a backup; ends the process with its result."""
    places = [("src", "command")]
    # The command may have a credential.
    module = _module.RegistryModule(argument_spec, supports_check_mode=True, no_log=True, mutually_exclusive=places, required_one_of=places)
    command = module.params["command"]
    try:
        if problems := origin.problems(module.params):
            raise _errors.InputError(problems)
        with origin.of_command(command, lambda: None) if command else origin.of_file(module.params["src"]) as stream:
            saved = archive.Reader(stream)
            saved.prove()
            found = {"registry": saved.definition(), "backup": saved.described()}
    except _errors.ReportedError as error:
        module.fail_json(msg=_texts.shown(str(error)))
    module.exit_json(changed=False, **found)
