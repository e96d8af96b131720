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
    description: Takes the options that C(module_defaults) sets for this group, which also sets them for the modules of kubernetes.core.
    support: full
    membership:
      - modelops.openshift_ai.all
      - kubernetes.core.k8s
  async:
    description: Can run in the background with C(async).
    support: full
  check_mode:
    description: In check mode it says what it would change and changes nothing.
    support: full
  diff_mode:
    description: In diff mode it shows what it changed, or would change. Secrets are masked.
    support: full
  idempotent:
    description: Run again with the same options on a cluster that nobody changed, it writes nothing and reports C(changed=false).
    support: full
  platform:
    description: Where the module itself can run. The cluster that it manages may be anywhere.
    support: full
    platforms: posix
"""
