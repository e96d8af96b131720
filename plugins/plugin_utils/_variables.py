# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks and roles, and which of a user's variables are probably one of them, misspelled: Ansible ignores what nobody reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PREFIX = "model_"
CATALOG = "model_catalog_"
PREFIXES = ("model_registries_", "model_registry_", CATALOG)
# Settings for a controller, which no playbook takes.
SETTINGS = "model_registries_aap_"
# What users set: the variables of docs/site/variables.yml and of the roles, without their prefix.
OF_ALL = """
    backup_first backup_hours check_database clusters delete_data expiry_days export_empty export_folder fail_on junit_file list metrics_file metrics_mode
    namespace policy purge purge_limit rbac_folder restart result_file same_cluster smoke_test smoke_test_domains wait wait_timeout
"""
OF_ONE = """
    allow_data_change ca_key ca_mode ca_name ca_path ca_pem ca_source clear_description cluster database_host database_name database_password database_port
    database_type database_username description display_name must_be_new name permissions permissions_state permissions_verify python
    backup_checksum backup_command backup_folder backup_keep_count backup_keep_days backup_names backup_namespace
    component_force component_namespace component_state component_wait component_wait_timeout
    delete_backup_command delete_backup_first delete_backup_folder delete_confirm delete_data delete_name delete_namespace delete_wait delete_wait_timeout
    migrate_database migrate_lock_timeout migrate_name migrate_namespace migrate_skip_orphans migrate_wait_timeout
    report_backup_folder report_backup_hours report_catalog report_expiry_days report_file report_namespace report_policy report_registries report_smoke_test
    report_smoke_test_domains
    restore_command restore_database restore_file restore_name restore_namespace restore_skip_orphans
"""
OF_CATALOG = "fail_on included labels named_queries namespace preview purge purge_limit result_file rollback sources store wait wait_timeout"
TAKEN = frozenset(
    f"{prefix}{name}" for prefix, names in (("model_registries_", OF_ALL), ("model_registry_", OF_ONE), (CATALOG, OF_CATALOG)) for name in names.split()
)
# How many letters may be missing, added, exchanged or wrong, in names up to a length and in longer ones.
SHORT, MOST_IN_SHORT, MOST_IN_LONG = 5, 1, 2


def misspelled(names: Iterable[str], variables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence for each variable that is none of ours, but almost. `names` are the variables of the play, and `variables` those of each host."""
    hosts: dict[str, str] = dict.fromkeys(names, "")
    for host in variables:
        for name in variables[host]:
            if name.startswith(PREFIX):
                hosts.setdefault(name, f" of host {host}")
    return [f"Variable {name}{where} does not exist. Did you mean {close}?" for name, where in sorted(hosts.items()) if (close := _meant(name))]


def _meant(name: str) -> str:
    """The variable that a name was probably meant to be; empty for one of ours, and for the user's own."""
    if name in TAKEN or name.startswith(SETTINGS):
        return ""
    prefix, part = _parts(name)
    # Of the catalog's variables many have the same ends as those of registries, which are meant more often.
    near = [(_distance(part, other), of != prefix, of == CATALOG, taken) for taken in TAKEN for of, other in [_parts(taken)]]
    if not prefix:
        near = [(_distance(name, taken), False, False, taken) for taken in TAKEN]
    distance, _prefix_differs, _of_catalog, meant = min(near)
    return meant if distance <= (MOST_IN_SHORT if len(part) <= SHORT else MOST_IN_LONG) else ""


def _parts(name: str) -> tuple[str, str]:
    prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
    return prefix, name[len(prefix) :]


def _distance(one: str, other: str) -> int:
    """How many letters are to be changed, where two neighbors that change places are one change."""
    before, row = list[int](), list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        earlier, before, row = before, row, [number]
        for place, wanted in enumerate(other, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != wanted)))
            if place > 1 and number > 1 and letter == other[place - 2] and one[number - 2] == wanted:
                row[-1] = min(row[-1], earlier[place - 2] + 1)
    return row[-1]
