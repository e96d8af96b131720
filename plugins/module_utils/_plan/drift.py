# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a live registry differs from what is wanted, from what to what, and who wrote it when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .. import _options
from .._model import custom_resource, kinds, live_state, manifests
from . import changeset

if TYPE_CHECKING:
    from .._model import permissions, role_bindings

GRANTED = "granted"


@dataclass(frozen=True)
class Difference:
    """One option of a registry that is live other than wanted. `manager` and `time` are those of the last write; None where nobody is known."""

    registry: str
    option: str
    before: Any
    after: Any
    manager: str | None = None
    time: str | None = None

    def as_result(self) -> manifests.Manifest:
        """The difference as results show it."""
        return asdict(self)


def differences(
    name: str, live: live_state.Live, changes: Iterable[changeset.Change], grants: role_bindings.LiveGrants | None, group: manifests.Manifest | None
) -> list[Difference]:
    """What planned changes say of a registry: `grants` are the live ones, `group` is its live Group."""
    found: list[Difference] = []
    of_bindings: dict[str, changeset.Change] = {}
    for change in changes:
        if change.kind == kinds.KIND and change.action == "create":
            found.append(Difference(name, "name", None, name))
        elif change.kind == "RoleBinding":
            of_bindings[change.name] = change
        elif change.kind == "Group":
            found += _of_group(name, change, group)
        elif change.action in ("create", "update") and live.registry is not None:
            found += _of_object(name, live, change)
    return found + (_of_access(name, of_bindings, grants) if grants else [])


def _of_object(name: str, live: live_state.Live, change: changeset.Change) -> list[Difference]:
    """Of the custom resource, the password's Secret, or the ConfigMap with the CA."""
    found = []
    if change.kind == kinds.KIND:
        for option in sorted({*change.before, *change.after}):
            paths = _paths(option, live.registry or {})
            found.append(Difference(name, option, change.before.get(option), change.after.get(option), **manifests.last_write(live.registry, paths)))
        return found
    data = change.body.get("data") or {}
    writer = manifests.last_write(live.objects.get((change.kind, change.name)), [("data", key) for key in data])
    option = change.fields[0]
    # A bundle is shown under the name of its key.
    before, after = next(iter(change.before.values()), None), next(iter(change.after.values()), None)
    return [Difference(name, option, before, after, **writer)]


def _of_access(name: str, changes: Mapping[str, changeset.Change], live: role_bindings.LiveGrants) -> list[Difference]:
    """Whose access differs, and what RoleBindings are surplus: those with whose end nobody loses access. `changes` are those of RoleBindings, by name."""
    created = [change for change in changes.values() if change.action == "create"]
    found = [Difference(name, field, None, GRANTED) for change in created for field in change.fields]

    def taken(binding: role_bindings.Binding) -> list[permissions.Grant]:
        change = changes.get(binding.name)
        return [grant for grant in binding.grants if change and grant.path in change.fields]

    kept = {grant.key for binding in live.bindings if binding.grants_access for grant in binding.grants if grant not in taken(binding)}
    for binding in live.bindings:
        writer = manifests.last_write(binding.manifest)
        lost = [grant for grant in taken(binding) if binding.grants_access and grant.key not in kept]
        found += [Difference(name, grant.path, GRANTED, None, **writer) for grant in lost]
        kept |= {grant.key for grant in lost}
        # What only mends a binding, its owner or a label, changes nobody's access.
        if not lost and (surplus := taken(binding)):
            subjects = ", ".join(map(str, surplus))
            found.append(Difference(name, "permissions.exclusive", f"RoleBinding {binding.name!r} ({subjects})", None, **writer))
    return found


def _of_group(name: str, change: changeset.Change, group: manifests.Manifest | None) -> list[Difference]:
    users = set((group or {}).get("users") or ())
    writer = manifests.last_write(group, [("users",)])
    found = []
    for field in change.fields:
        is_member = field.partition("[")[2].rstrip("]") in users
        found.append(Difference(name, field, GRANTED if is_member else None, None if is_member else GRANTED, **writer))
    return found


def _paths(option: str, registry: manifests.Manifest) -> list[tuple[str, ...]]:
    """Where a registry keeps the value of an option."""
    section = custom_resource.SECTIONS[custom_resource.live_type(registry) or _options.MYSQL]
    field = _options.BY_OPTION.get(option)
    return [("spec", section)] if option == "database.type" else field.places(section) if field else []
