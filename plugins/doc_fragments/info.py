# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to read of registries: the options of `model_registry_info`, which `model_registries` has as suboptions of `info`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  include:
    description:
      - The information to return for each registry, in addition to its options.
      - V(status) is its status.
      - V(permissions) are the subjects that have access, in the format of the options and as a list of the bindings that grant the access.
      - V(certificates) are the CA certificates that are used to verify its database, and its client certificate.
      - V(database) is the result of a check of its database, which runs on the host that executes the task. The checks are those of
        M(modelops.openshift_ai.model_registry_database_info). All databases are checked in parallel.
      - V(smoke_test) is the result of a request for the models of each available registry at its public address, as with
        O(modelops.openshift_ai.model_registry#module:smoke_test). It includes V(status). The account needs access to the registries.
    type: list
    elements: str
    choices: [status, permissions, certificates, database, smoke_test]
    default: [status, permissions]
  expiry_days:
    description:
      - Certificates that expire within this number of days are marked, and a warning is issued.
      - The module fails if the value is less than 0 or more than 1000000.
    type: int
    default: 30
  smoke_test_domains:
    description:
      - Additional domains whose hosts can receive the token, as in O(modelops.openshift_ai.model_registry#module:smoke_test_domains). Ignored if O(include)
        does not contain V(smoke_test).
    type: list
    elements: str
    default: []
"""
