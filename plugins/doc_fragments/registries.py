# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of registries: the shape of one registry, with the paths that its options have in a list, and what to read of all registries beside it."""

from __future__ import annotations

import re
import textwrap

from ansible_collections.modelops.openshift_ai.plugins.doc_fragments import database, info, permissions


def _within(option: str, documentation: str) -> str:
    """The documentation of options as that of suboptions."""
    _head, _options, text = documentation.partition("options:\n")
    located = re.sub(r"O\((database|permissions|allow_data_change|include)", rf"O({option}.\1", text)
    return textwrap.indent(located, "    ")


class ModuleDocFragment:
    # Annotated, because yamllint of ansible-test takes a plain assignment for a literal text.
    DOCUMENTATION: str = (
        r"""
options:
  registries:
    description:
      - The registries. Each entry has those options of M(modelops.openshift_ai.model_registry) that describe a registry. The entries that
        M(modelops.openshift_ai.model_registry_info) returns can also be used.
      - The module fails before anything is written if an entry is not valid. One error lists all such problems, each with its path, such as
        V(registries[17].database.port).
      - The module fails if a registry is listed twice.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The resource name of the registry. It cannot be changed later. Another name refers to another registry.
          - The name must consist of lowercase letters, digits and hyphens, begin and end with a letter or digit, and have at most 48 characters. In Kubernetes
            1.35 and earlier, the name of a new registry must begin with a letter. The module fails for any other name. If the name contains other characters,
            the error suggests the name that the dashboard would derive.
          - In OpenShift AI 3.4 and later, the dashboard creates registries with a name of up to 40 characters, but it can edit registries with longer
            names.
        type: str
        required: true
      display_name:
        description:
          - The display name of the registry. For a new registry, the default is O(registries[].name). The module fails if it is blank.
        type: str
      description:
        description:
          - The description of the registry. An empty string removes it.
        type: str
      namespace:
        description:
          - The namespace of the model registries, as M(modelops.openshift_ai.model_registry_info) returns it. The module fails if it differs from O(namespace),
            or from the default of O(namespace) if that option is not set.
        type: str
      allow_data_change:
        description:
          - Whether to allow an existing registry to be moved to another database, host, port or type of database. The models stay in the previous database.
          - If V(false), a registry that would be moved fails, and nothing is written for it.
        type: bool
        default: false
      status:
        description:
          - The status that M(modelops.openshift_ai.model_registry_info) returned. Ignored.
        type: dict
"""
        + _within("registries[]", database.ModuleDocFragment.DOCUMENTATION)
        + _within("registries[]", permissions.ModuleDocFragment.DOCUMENTATION)
        + r"""
  info:
    description:
      - In check mode, also returns the result of M(modelops.openshift_ai.model_registry_info) for all registries in the namespace, as RV(info). The comparison
        and this result use the same requests, which takes less time than two tasks. If not set, only the comparison is returned.
      - The module fails if this option is set and the task does not run in check mode.
    type: dict
    suboptions:
"""
        + _within("info", info.ModuleDocFragment.DOCUMENTATION)
    )
