# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host of a database: how a registry names it, and which Service it is."""

from __future__ import annotations

import functools
import re

from .. import _errors, _texts
from . import naming

# `service.namespace`
SERVICE_LABELS = 2
HOST_LABEL = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?")


def host_problems(host: str, namespace: str | None) -> list[_errors.Problem]:
    option = "database.host"
    if not host.strip():
        return [_errors.Problem(option, "is empty", "Set it to a host name or an IP address", host)]
    if re.search(r"\s", host):
        return [_errors.Problem(option, "contains white space", "Remove it", host)]
    if "/" in host:
        return [_errors.Problem(option, "is a URL or contains a path", "Use only the host; set the name of the database in database.name", host)]
    if _texts.ip_address(host) is not None:
        return [] if namespace is None else [_errors.Problem("database.namespace", "is not supported for a host that is an IP address", "Omit it", namespace)]
    if ":" in host:
        return [_errors.Problem(option, "contains a port", "Set the port in database.port", host)]
    if len(host) > _texts.LONGEST_NAME or not all(HOST_LABEL.fullmatch(label) for label in host.rstrip(".").split(".")):
        return [_errors.Problem(option, "is not a valid host name", "Use a host name, an IP address or the name of a Service", host)]
    if namespace == "":
        return [_errors.Problem("database.namespace", "is empty", "Set it to the namespace of the Service, or omit it", namespace)]
    wrong = naming.namespace_problems(namespace, "database.namespace")
    if not wrong and namespace is not None and "." in host:
        remedy = "Set database.host to the name of the Service only, or omit the namespace"
        return [_errors.Problem("database.namespace", "is not supported for a host that contains a dot", remedy, namespace)]
    return wrong


def qualified_host(host: str, namespace: str | None) -> str:
    """The host as it is written into the registry: a Service of another namespace so that every cluster finds it, an IPv6 address in brackets."""
    address = _texts.ip_address(host)
    if address is not None:
        return f"[{address}]" if address.version == 6 else str(address)
    return host if namespace is None else f"{host}.{namespace}.svc"


def same_host(one: str, other: str, namespace: str) -> bool:
    """Whether two spellings mean the same host for a registry in `namespace`: `db`, `db.data.svc` and the full name can be one Service."""
    return one == other or _canonical_host(one, namespace) == _canonical_host(other, namespace)


# Many registries share a database server.
@functools.lru_cache(maxsize=1024)
def _canonical_host(host: str, namespace: str) -> str:
    host = host.lower().rstrip(".")
    if _texts.ip_address(host) is not None:
        return str(_texts.ip_address(host))
    labels = host.split(".")
    if len(labels) == 1:
        labels.append(namespace)
    # A cluster's search domains make a Service of two labels as well.
    if len(labels) == SERVICE_LABELS or labels[SERVICE_LABELS:] in (["svc"], ["svc", "cluster", "local"]):
        return f"{labels[0]}.{labels[1]}.svc"
    return host


def service_of(host: str, namespace: str) -> tuple[str, str] | None:
    """The namespace and name of the Service that a host of a registry in `namespace` can only be; None for a host that may be outside of the cluster."""
    labels = _canonical_host(host, namespace).split(".")
    is_service = "." not in host or host.rstrip(".").endswith((".svc", ".svc.cluster.local"))
    return (labels[1], labels[0]) if is_service and _texts.ip_address(host) is None and labels[SERVICE_LABELS:] == ["svc"] else None
