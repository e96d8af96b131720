# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at the database of a registry before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _errors, _options, _texts
from .._model import custom_resource, kinds, manifests
from . import connection, probe, resolution, vocabulary

if TYPE_CHECKING:
    from .._cluster import registry_reader

# A look before a write waits no longer for each step than this.
SHORT_SECONDS = 2.0


@dataclass(frozen=True)
class Preflight:
    """What a look at a registry's database before it is written found. `reason`: why nothing is known; `lacks_library`: because one is not installed here."""

    report: probe.Report = field(default_factory=probe.Report)
    reason: str = ""
    lacks_library: bool = False

    @property
    def unreached(self) -> bool:
        """Whether the database was not reached from here, which is usual and says nothing about it."""
        return any(finding.check in ("address", "port") and not finding.proven for finding in self.report.findings)

    def result(self) -> dict[str, Any]:
        """The look as part of a result."""
        usable = self.report.usable
        unproven = next((finding.message for finding in self.report.findings if not finding.proven), "")
        reason = self.reason or unproven if usable is None else "" if usable else self._failures
        return {"checked": usable is not None, "usable": usable, "reason": reason}

    def problems(self) -> list[_errors.Problem]:
        """What keeps the registry from serving, where it must pass. What only the cluster could tell is none."""
        if self.lacks_library:
            return [_errors.Problem("check_database", f"is not possible: {self.reason}", "Install it, or set check_database to warn")]
        failures = vocabulary.failures(self.report.findings)
        return [_errors.Problem("check_database", _lowered(finding.message), finding.remedy or "Fix the database") for finding in failures]

    def warnings(self, failures: bool) -> list[str]:
        """What people should know, with what keeps the registry from serving if `failures` says so. That it was not reached is `unreached_warning`."""
        told = [*([vocabulary.FAILURE] if failures else []), *([] if self.unreached else [vocabulary.WARNING])]
        # Whether the connection is encrypted is a choice of the options, and the plan warns of it.
        found = [finding.sentences for finding in self.report.findings if finding.result in told and finding.check != "tls"]
        unread = [] if self.lacks_library or not self.reason else [f"the database could not be checked: {self.reason}"]
        return [f"check_database: {text}" for text in (*unread, *found)]

    def explanation(self) -> str:
        """Why a registry may not serve, as far as its database shows it from here."""
        if self.report.usable is None:
            return ""
        if self.report.usable:
            return "The check of the database from this host found no problem."
        return f"The check of the database from this host found: {self._failures}"

    @property
    def _failures(self) -> str:
        return " ".join(finding.sentences for finding in vocabulary.failures(self.report.findings))


def look_before(
    reader: registry_reader.Reader,
    resource: manifests.Manifest,
    known: Mapping[tuple[str, str], manifests.Manifest | None],
    contents: Mapping[tuple[str, str], manifests.Manifest],
    withholds_password: bool = False,
) -> Preflight | None:
    """Look at the database of a custom resource that is written together with these contents of ConfigMaps and Secrets; None for the product's own.

    `known` are those that were read already; all of them by kind and name. It is short: most databases are reached in the cluster only.
    `withholds_password`: as in `vocabulary.View`.
    """
    kind = custom_resource.live_type(resource)
    if kind in (None, _options.GENERATED):
        return None
    missing = connection.missing_libraries(kind or _options.MYSQL)
    if missing:
        return Preflight(reason=f"the Python library {' and '.join(missing)} is not installed where this task runs", lacks_library=True)
    try:
        return Preflight(resolution.look_at(resource, _overlaid(resolution.reads(reader.held, known), contents), SHORT_SECONDS, withholds_password)[1])
    except _errors.ReportedError as error:
        # It is only advice: what may not be read stops no write.
        return Preflight(reason=str(error))


def unreached_warning(names: Sequence[str]) -> list[str]:
    """One warning for all registries whose database was not reached."""
    which, they, them = f"the database of registry {names[0]!r}", "it", "it"
    if len(names) > 1:
        which, they, them = f"the databases of {len(names)} registries ({_texts.names_of(names)})", "they", "them"
    remedy = f"Run the task on a host that can reach {them}, or set check_database to ignore"
    return [f"check_database: {which} could not be checked, because {they} cannot be reached from this host. {remedy}"]


def _overlaid(read: resolution.Read, contents: Mapping[tuple[str, str], manifests.Manifest]) -> resolution.Read:
    """Reads what these objects, which are still to be written, will hold, and everything else where it is."""

    def overlaid(source: resolution.Source) -> str | None:
        kind, reference = source
        body = contents.get((kind, reference.name)) or {}
        if reference.key not in (body.get("data") or {}):
            return read(source)
        text: str | None = manifests.decoded(body, reference.key) if kind == "Secret" else body["data"][reference.key]
        return text

    return overlaid


def _lowered(message: str) -> str:
    first, space, rest = message.partition(" ")
    # Not a name such as PostgreSQL or Secret.
    return f"{first.lower() if first.istitle() and first not in kinds.APIS else first}{space}{rest}"
