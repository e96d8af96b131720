# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run did and found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .. import _errors
from .._model import kinds, manifests
from . import changeset


@dataclass
class Outcome:
    """What a run did and found; filled as it goes on, so that a failure can report it too."""

    cluster: manifests.Manifest = field(default_factory=dict)
    changes: list[manifests.Manifest] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    registry: manifests.Manifest = field(default_factory=dict)
    status: manifests.Manifest = field(default_factory=dict)
    # What a module that is not about one registry tells in place of the two.
    own: manifests.Manifest = field(default_factory=dict)
    kept: list[manifests.Manifest] = field(default_factory=list)
    # Whether the database was looked at before it was written, and if not, why.
    database: manifests.Manifest = field(default_factory=dict)
    before: manifests.Manifest = field(default_factory=dict)
    after: manifests.Manifest = field(default_factory=dict)
    # Ansible's difference of the permissions, where they were asked for, and what the API server said of who has access.
    permissions_difference: manifests.Manifest = field(default_factory=dict)
    verification: manifests.Manifest = field(default_factory=dict)
    # Writes that have been sent and not been answered yet.
    unanswered: list[changeset.Change] = field(default_factory=list)
    # What people were told while it went on.
    timeline: list[manifests.Manifest] = field(default_factory=list)
    # What identifies each of the changes.
    recorded: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def makes_pods(self) -> bool:
        """Whether the changes have new pods made for the registry's server."""
        return any(
            change["action"] == "restart"
            or (change["kind"] == kinds.KIND and (change["action"] == "create" or any(option.startswith("database.") for option in change["fields"])))
            for change in self.changes
        )

    def introduce(self, identity: manifests.Manifest) -> None:
        """Note which cluster is spoken to, and as whom."""
        self.cluster = identity
        if not self.cluster["verify_ssl"]:
            host = self.cluster["host"]
            self.warnings.append(f"the certificate of {host} is not verified (validate_certs, K8S_AUTH_VERIFY_SSL): another server could read the passwords")

    def record(self, change: changeset.Change, unverified: bool = False) -> None:
        """Note a change that was made, or in check mode would be."""
        done = (change.action, change.kind, change.namespace, change.name, change.fields, unverified)
        # A plan that was made anew may repeat what another process has undone.
        if done not in self.recorded:
            self.recorded.add(done)
            self.changes.append(change.result(unverified))
        self.before.update(change.before)
        self.after.update(change.after)

    def forget(self, options: Iterable[str]) -> None:
        """Leave options that were put back out of the difference, which shows what has become of them in the end."""
        for option in options:
            self.before.pop(option, None)
            self.after.pop(option, None)

    def settle(self, planned: Iterable[changeset.Change]) -> None:
        """Note the writes that got no answer, where the new plan shows that they were carried out all the same."""
        again = {(change.action, change.kind, change.name) for change in planned if not change.begun}
        for change in self.unanswered:
            if (change.action, change.kind, change.name) not in again:
                self.record(change)
        self.unanswered = []

    @contextmanager
    def in_doubt(self) -> Iterator[None]:
        """While it is read whether writes without an answer were carried out: where that cannot be read, they are noted as unverified, with a warning."""
        try:
            yield
        except _errors.ClusterError:
            for change in self.unanswered:
                self.record(change, True)
                self.warn([f"it is not known whether the API server performed: {change.action} {change.kind} {change.name!r}"])
            raise

    def warn_of(self, warning: str) -> None:
        """Note one warning, if it has not been noted yet."""
        self.warn([warning])

    def warn(self, warnings: Iterable[str]) -> None:
        """Note warnings, each once: a plan that was made anew may repeat them."""
        self.warnings += [warning for warning in dict.fromkeys(warnings) if warning not in self.warnings]

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of a module."""
        result = {
            "changed": bool(self.changes),
            "changes": self.changes,
            **(self.own or {"registry": self.registry, "status": self.status}),
            "cluster": self.cluster,
            **({"kept": self.kept} if self.kept else {}),
            **({"database": self.database} if self.database else {}),
            **({"verification": self.verification} if self.verification else {}),
        }
        if diff:
            own = {"before": self.before, "after": self.after}
            result["diff"] = [own, self.permissions_difference] if self.permissions_difference else own
        return result
