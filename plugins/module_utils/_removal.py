# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletes a registry and all that was made for it alone, and waits until it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import FORBIDDEN, NOT_FOUND, ClusterError, Right
from ansible_collections.modelops.openshift_ai.plugins.module_utils._deletion import (
    Remains,
    auth_delegator,
    is_upload,
    plan_deletion,
    upload_prefix,
    why_not_deleted,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._grants import Target, ownerless
from ansible_collections.modelops.openshift_ai.plugins.module_utils._manifests import Manifest
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import CLUSTER_ROLE_BINDINGS, DEPLOYMENTS, Change, Plan
from ansible_collections.modelops.openshift_ai.plugins.module_utils._reading import Reader, password_secrets_of
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import Consent, Problem, Registry, ReportedError
from ansible_collections.modelops.openshift_ai.plugins.module_utils._waiting import ABSENT, LOG_SECONDS
from ansible_collections.modelops.openshift_ai.plugins.module_utils._writing import Outcome, carry_out, rights_problems

INFERENCE_SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices")
HTTP_ROUTES = ("gateway.networking.k8s.io/v1", "httproutes")


class NotDeletedError(ReportedError):
    """The registry was deleted but is still there."""

    def __init__(self, name: str, reason: str, seconds: float) -> None:
        super().__init__(f"registry {name!r} is marked for deletion and still there after {seconds:.0f} s (wait_timeout): {reason}.")


class Removal:
    """One registry on its way out of the cluster: `problems` before anything is written, then `carry_out`."""

    def __init__(self, reader: Reader, unwanted: Registry, consent: Consent, check_mode: bool, outcome: Outcome) -> None:
        self._reader, self._unwanted, self._consent, self._check_mode, self._outcome = reader, unwanted, consent, check_mode, outcome
        self._first: Plan | None = None

    def problems(self) -> list[Problem]:
        """Everything for which it cannot or must not be deleted. ClusterError when something may not be read."""
        self._first = self._planned(self._reader)
        return [*self._first.problems, *rights_problems(self._reader, self._first.changes)]

    def carry_out(self, seconds: float, problems: Iterable[Problem] = ()) -> None:
        """Delete it, and with more than 0 seconds wait until it is gone. InputError, ClusterError; NotDeletedError when it is not gone by then."""

        def after(change: Change) -> None:
            if change.kind == manifests.KIND and seconds:
                # The server runs until then, with the Secret and the CA that are deleted next.
                _wait_until_gone(self._reader, self._unwanted.name, seconds)

        first, self._first = self._first, None
        carry_out(self._reader, self._planned, self._unwanted.name, self._check_mode, self._outcome, problems, after, first)
        leaves = {"reason": "the registry is being deleted"} if self._outcome.changes and not seconds else {}
        self._outcome.status = {**ABSENT, **leaves, "restart_needed": False}

    def _planned(self, reader: Reader) -> Plan:
        return plan_deletion(self._unwanted, read_remains(reader, self._unwanted.name), self._consent)


def read_remains(reader: Reader, name: str) -> Remains:
    """Everything in the cluster that can be of a registry."""
    unseen: list[str] = []

    def seen(what: str, look: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return look()
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return otherwise
            if error.status != FORBIDDEN:
                raise
            unseen.append(f"{what} could not be looked for, and may be left behind: {error}")
            return otherwise

    registries = reader.registries()
    registry = next((item for item in registries if item["metadata"]["name"] == name), None)
    named = (manifests.live_database(registry).get("passwordSecret") or {}).get("name")
    secrets = password_secrets_of(reader, name, unseen)
    if named and named not in [secret["metadata"]["name"] for secret in secrets]:
        secret = reader.held("Secret", named)
        secrets += [secret] if secret else []
    found = seen("ConfigMaps with an uploaded CA", lambda: [entry["metadata"]["name"] for entry in reader.named("ConfigMap", upload_prefix(name))], [])
    uploads = [reader.held("ConfigMap", entry) for entry in found if is_upload(entry, name)]
    delegator = auth_delegator(name)
    binding = seen(f"ClusterRoleBinding {delegator!r}", lambda: reader.cluster.read(CLUSTER_ROLE_BINDINGS, "", delegator), None)
    if binding and reader.missing_rights("", [Right("delete", manifests.RBAC, CLUSTER_ROLE_BINDINGS[1], delegator)]):
        unseen.append(f"ClusterRoleBinding {delegator!r} is left behind: the account in use may not delete clusterrolebindings.rbac.authorization.k8s.io")
        binding = None
    users: list[Manifest] = []
    if registry is not None:
        label = f"modelregistry.opendatahub.io/name={name}"
        users = seen("InferenceServices that refer to the registry", lambda: reader.cluster.metadata(INFERENCE_SERVICES, "", labelSelector=label), [])
    target = Target(reader.namespace, name, reader.capabilities.api[0], None)
    bindings = seen("RoleBindings without an owner", lambda: ownerless(target, reader.role_bindings(target.roles)), [])
    return Remains(
        capabilities=reader.capabilities,
        registry=registry,
        has_generated_database=reader.deployment(manifests.GeneratedDatabase(name).host) is not None,
        secrets=tuple(secrets),
        config_maps=tuple(upload for upload in uploads if upload),
        cluster_role_binding=binding,
        role_bindings=tuple(bindings),
        others=tuple(item for item in registries if item is not registry),
        inference_services=tuple(users),
        unseen=tuple(unseen),
    )


def _wait_until_gone(reader: Reader, name: str, seconds: float) -> None:
    """Wait until the registry and its server are gone."""
    deadline = time.monotonic() + seconds
    named = {"fieldSelector": f"metadata.name={name}"}
    watched = [(reader.capabilities.api, reader.namespace, named), (DEPLOYMENTS, reader.namespace, named)]
    now = reader.fresh
    with reader.cluster.changes(watched, seconds) as changed:
        while True:
            changed.clear()
            registry = now.registry(name)
            if registry is None and now.deployment(name) is None:
                return
            left = deadline - time.monotonic()
            if left <= 0:
                reason = "its server is still being taken down" if registry is None else why_not_deleted(registry, now.serves(HTTP_ROUTES))
                raise NotDeletedError(name, reason, seconds)
            changed.wait(min(LOG_SECONDS, left))
