# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._action import RegistryAction as ActionModule

__all__ = ["ActionModule"]
