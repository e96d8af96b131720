# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that takes what `model_registries` takes, does nothing, and returns what a file says: what Ansible itself costs."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options


def main() -> None:
    module = AnsibleModule(argument_spec={**AUTH_ARG_SPEC, **_options.REGISTRIES}, supports_check_mode=True, no_log=True)
    with open(os.environ["DO_NOTHING_RESULT"], encoding="utf-8") as file:
        result = json.load(file)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
