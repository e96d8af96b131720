# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of registries: the shape of one registry, with the paths that its options have in a list."""

from __future__ import annotations

import re
import textwrap

from ansible_collections.modelops.openshift_ai.plugins.doc_fragments import database, permissions


def _of_an_entry(documentation: str) -> str:
    """The documentation of an option as that of a suboption of the list."""
    _head, _options, text = documentation.partition("options:\n")
    located = re.sub(r"O\((database|permissions|allow_data_change)", r"O(registries[].\1", text)
    return textwrap.indent(located, "    ")


class ModuleDocFragment:
    # Annotated, because yamllint of ansible-test takes a plain assignment for a literal text.
    DOCUMENTATION: str = (
        r"""
options:
  registries:
    description:
      - The registries, each in the shape that M(modelops.openshift_ai.model_registry) takes as its options and
        M(modelops.openshift_ai.model_registry_info) returns.
      - Everything that is wrong with the entries whatever is in the cluster is refused before anything is written, all of it in one message, each problem with
        its path, such as V(registries[17].database.port).
      - A registry that is listed twice is refused.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The resource name of the registry. It cannot be changed later; another name is another registry.
          - Lower-case letters, digits and hyphens, at most 48 characters. Anything else is refused, and the name that the dashboard would derive is suggested.
            The dashboard creates only registries with at most 40 characters, and edits longer ones too.
        type: str
        required: true
      display_name:
        description:
          - The name that people see. A new registry gets O(registries[].name). A blank text is refused.
        type: str
      description:
        description:
          - What the registry is for. An empty text clears it.
        type: str
      namespace:
        description:
          - The registries namespace, as M(modelops.openshift_ai.model_registry_info) returns it. Another one than O(namespace) is refused.
        type: str
      allow_data_change:
        description:
          - Whether this registry may be moved to another database, host or type of database. Its models stay behind in the old one.
          - Without it that is a failure of this registry, of which nothing is written then.
        type: bool
        default: false
      status:
        description:
          - How the registry was when M(modelops.openshift_ai.model_registry_info) returned it. It is ignored, as Kubernetes ignores the status of a manifest.
        type: dict
"""
        + _of_an_entry(database.ModuleDocFragment.DOCUMENTATION)
        + _of_an_entry(permissions.ModuleDocFragment.DOCUMENTATION)
    )
