# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules have in common in their `attributes`. A module names only those in which it differs."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Uses the options that C(module_defaults) sets for the group C(modelops.openshift_ai.all). Options that are set for that group also apply to the
      modules in the group C(kubernetes.core.k8s).
    support: full
    membership:
      - modelops.openshift_ai.all
  async:
    description: Can run in the background with C(async).
    support: full
  check_mode:
    description: In check mode, reports the changes that would be made and writes nothing.
    support: full
  diff_mode:
    description: Shows the changes that were made or, in check mode, would be made. Secrets are masked.
    support: full
  idempotent:
    description: A second run with the same options writes nothing and reports C(changed=false), unless the cluster has changed in the meantime.
    support: full
  platform:
    description: The platforms that the module runs on. The cluster can run on any platform.
    support: full
    platforms: posix
"""
