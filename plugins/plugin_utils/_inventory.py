# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster each host of an inventory is: what its variable `model_registry_cluster` says, and which hosts are one cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ansible.module_utils.parsing.convert_bool import boolean

VARIABLE = "model_registry_cluster"
# That several hosts are one cluster is intended.
INTENDED = "model_registries_same_cluster"
# The options that say which cluster it is.
NAMING = ("host", "kubeconfig", "context")
LOCALHOST = "localhost"
HTTPS_PORT = 443

_Side = TypeVar("_Side")


class RefusedError(Exception):
    """A task must not connect to a cluster."""


@dataclass(frozen=True)
class Refused:
    """Hosts that no task may connect to: those that do not say which cluster they are, and the groups of those that are the same cluster."""

    silent: list[str]
    same: list[list[str]]


def needs_options(host: str, hosts: Collection[str], clusters: Any, is_slice: bool = False) -> bool:
    """Whether a host must set `model_registry_cluster`. `hosts` are all of the inventory, or a slice of it, and `clusters` is the pattern that selects some.

    Otherwise a misspelled variable leads to whatever cluster one is logged in to. That one is meant where the inventory has no other host, and by the localhost
    that Ansible adds to every inventory, or that alone was selected.
    """
    if host == LOCALHOST and (host not in hosts or clusters == host):
        return False
    return is_slice or len(hosts) > 1


def hosts_to_refuse(variables: Mapping[str, Mapping[str, Any]], hosts: Collection[str], selected: Collection[str], clusters: Any, is_slice: bool) -> Refused:
    """Which of the selected hosts must not be connected to, by what all hosts of the inventory say, also those that are not in the run."""
    options = {host: variables[host].get(VARIABLE) for host in dict.fromkeys((*hosts, *selected))}
    silent = [
        host for host in selected if (not isinstance(options[host], Mapping) or empty_in(options[host])) and needs_options(host, hosts, clusters, is_slice)
    ]
    # The cluster of the environment.
    options |= {host: {} for host in selected if options[host] is None and host not in silent}
    compared = {
        host: given for host, given in options.items() if isinstance(given, Mapping) and not boolean(variables[host].get(INTENDED, False), strict=False)
    }
    same = _groups({host: _place(given) for host, given in compared.items()}, lambda one, other: one == other)
    return Refused(sorted(silent), [group for group in same if not set(group).isdisjoint(selected)])


def connection(options: Any, host: str, hosts: Collection[str], clusters: Any, is_compared: bool) -> Any:
    """The options with which the modules connect to the cluster of a host. RefusedError where the first plays would have refused it, or did not run."""
    if len(hosts) > 1 and not is_compared:
        why = "tasks were skipped, such as with --start-at-task. Run the whole playbook"
        raise RefusedError(f"Nothing was read or written: the clusters of the inventory were not compared, because {why}")
    if options is None and needs_options(host, hosts, clusters):
        raise RefusedError(f"Nothing was read or written: {host} does not set {VARIABLE}")
    if empty := empty_in(options):
        raise RefusedError(f"Nothing was read or written: {empty} in {VARIABLE} of {host} is empty")
    return {} if options is None else options


def empty_in(options: Any) -> str:
    """The option without a value that was to say which cluster it is: without it, that is the one that somebody is logged in to. Empty for none."""
    return next((name for name in NAMING if name in options and not options[name]), "") if isinstance(options, Mapping) else ""


def same_clusters(clusters: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """The names that lead to one cluster, together. `clusters` are results of `model_registry_cluster_info`, by name, without those that did not answer."""
    return _groups(clusters, _is_same)


def _groups(sides: Mapping[str, _Side], is_same: Callable[[_Side, _Side], bool]) -> list[list[str]]:
    groups: list[list[str]] = []
    for name, side in sides.items():
        group = next((group for group in groups if any(is_same(sides[member], side) for member in group)), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return [group for group in groups if len(group) > 1]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one.get("uid") and other.get("uid"):
        return bool(one["uid"] == other["uid"])
    return _address(one["host"]) == _address(other["host"])


def _place(options: Mapping[str, Any]) -> tuple[Any, ...]:
    """What decides where options lead to. The address of a server goes before a kubeconfig, and credentials are of no account."""
    if options.get("host"):
        return _address(options["host"])
    kubeconfig = options.get("kubeconfig") or None
    path = os.path.normpath(os.path.expanduser(kubeconfig)) if isinstance(kubeconfig, str) else kubeconfig
    return path, options.get("context") or None


def _address(host: Any) -> tuple[Any, ...]:
    try:
        parts = urlsplit(str(host).strip())
        return (parts.hostname or parts.scheme).rstrip("."), parts.port or HTTPS_PORT, parts.path.rstrip("/")
    except ValueError:
        # It holds a port that is not a number.
        return (str(host),)
