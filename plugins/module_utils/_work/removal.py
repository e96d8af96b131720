# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletes a registry and all that was made for it alone, and waits until it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from .. import _errors
from .._cluster import client, registry_reader, registry_writes, visibility, wait, writes
from .._model import custom_resource, desired_state, kinds, manifests, naming, ownership, permissions, role_bindings
from .._plan import changeset, deletion_plan, record
from .._status import observation

# The garbage collector of a cluster takes seconds for what a deleted registry had.
COLLECTION_SECONDS = 60


class NotDeletedError(_errors.ReportedError):
    """The registry was deleted but is still there."""

    def __init__(self, name: str, reason: str, seconds: float) -> None:
        super().__init__(f"registry {name!r} is marked for deletion, but still exists after {seconds:.0f} s (wait_timeout): {reason}.")


class Removal:
    """One registry on its way out of the cluster: `problems` before anything is written, then `carry_out`.

    `expected` are registries by name as the same run will leave them, before it has: what they will read stays, whatever they read now. `uid` is that of
    the registry that is meant, empty where it does not exist anymore; with None it is the one that has the name when it is first looked at.
    """

    def __init__(
        self,
        unwanted: desired_state.Registry,
        consent: desired_state.Consent,
        check_mode: bool,
        outcome: record.Outcome,
        expected: Mapping[str, manifests.Manifest] = MappingProxyType({}),
        uid: str | None = None,
    ) -> None:
        self._unwanted, self._consent, self._check_mode, self._outcome = unwanted, consent, check_mode, outcome
        self._expected, self._uid = expected, uid
        # The names of the other registries of the namespace.
        self._others: list[str] = []
        # The registry as it was last seen: once it is deleted nothing else tells what it read.
        self._last: manifests.Manifest = {}

    def problems(self, reader: registry_reader.Reader) -> list[_errors.Problem]:
        """Everything for which it cannot or must not be deleted. ClusterError when something may not be read."""
        plan = self._planned(reader, self._expected)
        return [*plan.problems, *writes.rights_problems(reader.missing_rights, reader.namespace, plan.changes)]

    def carry_out(
        self,
        reader: registry_reader.Reader,
        seconds: float,
        problems: Iterable[_errors.Problem] = (),
        deadline: float | None = None,
    ) -> None:
        """Delete it, and with more than 0 seconds wait until it is gone; with a deadline of several not longer than until then.

        InputError, ClusterError; NotDeletedError when it is not gone by then; CancelledError when the run is to stop.
        """

        def after(change: changeset.Change) -> None:
            if change.kind == kinds.KIND and seconds:
                # The server runs until then, with the Secret and the CA that are deleted next.
                _wait_until_gone(reader, self._unwanted.name, self._uid, seconds, deadline or time.monotonic() + seconds)

        # What the others read once they were written is what they read now.
        expected = self._expected if self._check_mode else {}
        registry_writes.carry_out(reader, partial(self._planned, expected=expected), self._unwanted.name, self._check_mode, self._outcome, problems, after)
        reason = observation.ABSENT["reason"]
        # Deleted before this run, so that only its end was waited for.
        is_going = bool(self._last) and deletion_plan.is_going(self._last)
        if not seconds and (self._outcome.changes or is_going):
            reason = "the registry is being deleted"
        elif not self._outcome.changes and not is_going:
            reason = naming.not_found(self._unwanted.name, reader.namespace, self._others)
        self._outcome.status = {**observation.ABSENT, "reason": reason, "restart_needed": False}

    def _planned(self, reader: registry_reader.Reader, expected: Mapping[str, manifests.Manifest]) -> changeset.Plan:
        remains = read_remains(reader, self._unwanted.name, expected, self._last)
        self._last = remains.registry or self._last
        self._others = [other["metadata"]["name"] for other in remains.others]
        uid = remains.registry["metadata"]["uid"] if remains.registry else ""
        if self._uid is None:
            self._uid = uid
        if uid not in ("", self._uid):
            return changeset.Plan(warnings=(f"registry {self._unwanted.name!r} was created by another process during this run, and is not deleted",))
        return deletion_plan.plan_deletion(self._unwanted, remains, self._consent)


def read_remains(reader: registry_reader.Reader, name: str, expected: Mapping[str, manifests.Manifest], last: manifests.Manifest) -> deletion_plan.Remains:
    """Everything in the cluster that can be of a registry, beside others, some of which are expected to become what they are not yet.

    `last` is the registry before this run deleted it.
    """
    unseen: list[str] = []

    def seen(what: str, look: Callable[[], Any], otherwise: Any) -> Any:
        return visibility.seen(look, otherwise, lambda why: unseen.append(f"{what} could not be determined, and may remain: {why}"), advice=False)

    registries = {item["metadata"]["name"]: item for item in reader.registries()}
    registry = registries.get(name)
    others = [item for other, item in {**registries, **expected}.items() if other != name]
    database = custom_resource.live_database(registry or last)
    if registry is None:
        registry_reader.need_namespace(reader.cluster, reader.namespace, unseen.append)
    named = (database.get("passwordSecret") or {}).get("name")
    secrets = registry_reader.password_secrets_of(reader, name, unseen)
    if named and named not in [secret["metadata"]["name"] for secret in secrets]:
        secret = reader.held("Secret", named)
        secrets += [secret] if secret else []
    found = seen(
        "ConfigMaps with an uploaded CA", lambda: [entry["metadata"]["name"] for entry in reader.named("ConfigMap", ownership.upload_prefix(name))], []
    )
    # Uploaded in the dashboard before the registry had a name, it is known by being read alone.
    read = (database.get(custom_resource.CA_KEYS["ConfigMap"]) or {}).get("name", "")
    maker = ownership.left_by(read, (other["metadata"]["name"] for other in others if not deletion_plan.is_going(other)))
    made_for = dict.fromkeys(found, name) | {read: maker or name}
    uploads = [reader.held("ConfigMap", entry) for entry, registry_name in made_for.items() if ownership.is_upload(entry, registry_name)]
    delegator = ownership.auth_delegator(name)
    binding = seen(f"ClusterRoleBinding {delegator!r}", lambda: reader.cluster.read(kinds.CLUSTER_ROLE_BINDINGS, "", delegator), None)
    right = client.Right("delete", kinds.RBAC, kinds.CLUSTER_ROLE_BINDINGS[1], delegator)
    if binding and reader.missing_rights("", [right]):
        remedy = "To delete it, bind the account to the ClusterRole in the output of the playbook modelops.openshift_ai.rbac"
        unseen.append(f"ClusterRoleBinding {delegator!r} remains: the account in use lacks permission to: {right}. {remedy}")
        binding = None
    users: list[manifests.Manifest] = []
    generated: list[manifests.Manifest | None] = []
    if registry is not None:
        made = custom_resource.GeneratedDatabase(name)
        # Its data is in the volume, whatever has become of its server.
        volumes = visibility.seen(
            lambda: reader.names(kinds.VOLUME_CLAIMS, reader.namespace),
            [],
            unseen.append,
            f"whether registry {name!r} has a generated database, which is deleted together with it,",
            advice=False,
        )
        generated = [reader.deployment(made.host), reader.held("Secret", made.password_secret.name), *volumes]
        label = f"modelregistry.opendatahub.io/name={name}"
        users = visibility.seen(
            lambda: registry_reader.labelled(name, lambda: reader.cluster.metadata(kinds.INFERENCE_SERVICES, "", labelSelector=label)),
            [],
            unseen.append,
            "InferenceServices that refer to the registry",
        )
    target = permissions.Target(reader.namespace, name, reader.capabilities.api[0], None)
    group = None if registry is None else registry_reader.own_group(reader, target.own_group)
    bindings = seen("RoleBindings without an owner", lambda: role_bindings.ownerless(target, reader.role_bindings(target.roles)), [])
    return deletion_plan.Remains(
        capabilities=reader.capabilities,
        registry=registry,
        last=last,
        has_generated_database=registry is not None and any(ownership.is_owned_by(part, registry["metadata"]["uid"]) for part in generated),
        secrets=tuple(secrets),
        config_maps=tuple(upload for upload in uploads if upload),
        cluster_role_binding=binding,
        role_bindings=tuple(bindings),
        others=tuple(others),
        inference_services=tuple(users),
        group=group,
        unseen=tuple(unseen),
    )


def left_behind(reader: registry_reader.Reader) -> list[str]:
    """The names of registries that are no more and of which something is left. ClusterError 403 for an account that may not look for it."""
    present = {registry["metadata"]["name"] for registry in reader.registries()}
    # The operator leaves its ClusterRoleBinding whoever deletes a registry, and a deletion of ours takes it last.
    named = {ownership.registry_of(binding, reader.namespace) for binding in reader.everywhere(kinds.CLUSTER_ROLE_BINDINGS)}
    return sorted(name for name in named if name and name not in present)


def wait_for_collection(reader: registry_reader.Reader, name: str, most: float = 0) -> float:
    """Wait until nothing is left of the generated database of a deleted registry of this name, at most this long, if there is a limit; how long it took.

    ClusterError when something remains.

    The operator would take it for that of the new registry, and does not notice when it is deleted after that.
    """
    made = custom_resource.GeneratedDatabase(name)
    seconds = min(most or COLLECTION_SECONDS, COLLECTION_SECONDS)
    started = time.monotonic()
    deadline = started + seconds
    now = reader.fresh.until(deadline)

    def left(_is_last: bool) -> str:
        claim = next(iter(visibility.seen(lambda: now.names(kinds.VOLUME_CLAIMS, now.namespace, made.volume_claim), [])), None)
        parts = {"Secret": now.held("Secret", made.password_secret.name), "PersistentVolumeClaim": claim}
        # A registry that another process has created meanwhile owns parts of its own.
        registry = now.registry(name) if any(map(ownership.is_of_registry, parts.values())) else None
        uid = registry["metadata"]["uid"] if registry else None
        for kind, part in parts.items():
            if part and ownership.is_of_registry(part) and not ownership.is_owned_by(part, uid):
                return f"{kind} {part['metadata']['name']!r} of a deleted registry still exists"
        return ""

    watched = [(kinds.APIS["Secret"], reader.namespace, {"fieldSelector": f"metadata.name={made.password_secret.name}"})]
    if reason := wait.until(left, reader.cluster, deadline, watched, f"the creation of registry {name!r}: "):
        remedy = "The garbage collector of the cluster deletes it. Run again, or delete it"
        limit = " (wait_timeout)" if seconds == most else ""
        raise _errors.ClusterError(f"registry {name!r} was not created: {reason} after {seconds:.0f} s{limit}. {remedy}.")
    return time.monotonic() - started


def _wait_until_gone(reader: registry_reader.Reader, name: str, uid: str | None, seconds: float, deadline: float) -> None:
    """Wait until the registry of this uid and its server are gone. NotDeletedError at the deadline; CancelledError when the run is to stop."""
    named = {"fieldSelector": f"metadata.name={name}"}
    watched = [(reader.capabilities.api, reader.namespace, named), (kinds.DEPLOYMENTS, reader.namespace, named)]
    # A snapshot would answer with what it read at the first look.
    now = reader.fresh.until(deadline)

    def why_present(_is_last: bool) -> str:
        registry = now.registry(name)
        if registry is not None and registry["metadata"]["uid"] != uid:
            # Another process has created it anew.
            return ""
        if registry is not None:
            return deletion_plan.why_not_deleted(registry, now.serves(kinds.HTTP_ROUTES))
        return "its server still exists" if now.deployment(name) else ""

    reason = wait.until(why_present, reader.cluster, deadline, watched, f"the deletion of registry {name!r}: ")
    if reason:
        raise NotDeletedError(name, reason, seconds)
