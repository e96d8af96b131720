# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a plan through the cluster: reads what is live, checks, writes in order, waits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import FORBIDDEN, NOT_FOUND, Cluster, ClusterError, Right
from ansible_collections.modelops.openshift_ai.plugins.module_utils._deletion import (
    CLUSTER_ROLE_BINDINGS,
    ROLE_BINDINGS,
    Remains,
    auth_delegator,
    is_upload,
    plan_deletion,
    used_secrets,
    why_not_deleted,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._manifests import Manifest, at
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import (
    APIS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    SECRETS,
    SERVICES,
    Capabilities,
    Change,
    Live,
    Plan,
    needed_objects,
    needs_password_secrets,
    plan,
    resource_after,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._readiness import (
    Observation,
    Verdict,
    condition,
    database_container,
    judge,
    newest_pod,
    restarts,
    serves_still,
    without_credentials,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import (
    GENERATED,
    Consent,
    InputError,
    Problem,
    Registry,
    ReportedError,
    registry_from_options,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._smoke_test import ask
from ansible_collections.modelops.openshift_ai.plugins.module_utils._writing import Outcome, rights_problems, send

if TYPE_CHECKING:
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database_info import Preflight
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._granting import Granting

PODS = ("v1", "pods")
EVENTS = ("v1", "events")
INFERENCE_SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices")
RBAC = CLUSTER_ROLE_BINDINGS[0].partition("/")[0]
ROUTES = ("route.openshift.io/v1", "routes")
HTTP_ROUTES = ("gateway.networking.k8s.io/v1", "httproutes")
# How often a plan is made anew because somebody else wrote in between, or because a write got no answer.
PLANS = 4
# The log of a pod changes without an event at the API server: it is read again after this many seconds.
LOG_SECONDS = 2
ABSENT: Manifest = {"serving": False, "reason": "the registry does not exist", "address": None, "hosts": [], "conditions": []}


class NotServingError(ReportedError):
    """The registry was written but does not serve."""

    def __init__(self, name: str, verdict: Verdict, seconds: float, old_serves: bool) -> None:
        self.verdict = verdict
        ended = "Waiting longer cannot change that" if verdict.final else f"Gave up after {seconds:.0f} s (wait_timeout)"
        previous = " The previous pod still serves with what it was started with." if old_serves else ""
        super().__init__(f"registry {name!r} does not serve: {verdict.sentence()}{previous} {ended}.")


class NotDeletedError(ReportedError):
    """The registry was deleted but is still there."""

    def __init__(self, name: str, reason: str, seconds: float) -> None:
        super().__init__(f"registry {name!r} is marked for deletion and still there after {seconds:.0f} s (wait_timeout): {reason}.")


def input_problems(options: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the options of a module whatever is in the cluster."""
    problems: list[Problem] = []
    is_absent = options["state"] == "absent"
    if "database" in options:
        registry_from_options(options, options["namespace"] or "", problems, [])
    if options["permissions"] is not None and not ("database" in options and is_absent):
        from ansible_collections.modelops.openshift_ai.plugins.module_utils._grants import permissions_from_options

        permissions_from_options(options["permissions"], is_absent, problems, [])
    return problems


def converge(cluster: Cluster, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> None:
    """Bring one registry to what the options of `model_registry` say; `outcome` is filled on the way.

    InputError: before anything was written, with everything that is wrong with the options and with what they refer to. ClusterError: a request was
    refused. NotServingError, NotDeletedError: written, but not effective within wait_timeout.
    """
    outcome.introduce(cluster)
    problems: list[Problem] = []
    namespace = options.get("namespace") or cluster.registries_namespace()
    wanted = registry_from_options(options, namespace, problems, outcome.warnings)
    consent = Consent(options["restart"], options["allow_data_change"], options["delete_data"])
    seconds = options["wait_timeout"] if options["wait"] and not check_mode else 0
    if options["state"] == "absent":
        _delete(cluster, wanted, consent, problems, seconds, check_mode, outcome)
    else:
        granting = None
        if options["permissions"] is not None:
            granting = _granting(cluster, options, namespace, problems, check_mode, outcome)
        preflight = _preflight(cluster, options["check_database"])
        _ensure(cluster, wanted, consent, granting, preflight, problems, seconds, check_mode, outcome)
        if options["smoke_test"] and outcome.status["serving"]:
            answer = ask(outcome.status["address"], cluster.bearer_token, cluster.ca_file)
            outcome.status["smoke_test"] = answer.as_result()
            if answer.result != "ok":
                outcome.warnings.append(f"smoke test of registry {wanted.name!r}: {answer.message}")


def converge_permissions(cluster: Cluster, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> None:
    """Bring the permissions of one registry to what the options of `model_registry_permission` say; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused.
    """
    outcome.introduce(cluster)
    problems: list[Problem] = []
    namespace, name = options["namespace"] or cluster.registries_namespace(), options["name"]
    granting = _granting(cluster, options, namespace, problems, check_mode, outcome)
    capabilities = cluster.capabilities()
    registry = cluster.read(capabilities.api, namespace, name) if name.strip() else None
    problems += granting.problems(capabilities.api[0], registry)
    if registry and "deletionTimestamp" in registry["metadata"] and options["state"] == "present":
        problems.append(Problem("name", "belongs to a registry that is being deleted", "Run again when it is gone", name))
    if options["verify"]:
        problems += granting.problems_of_verification()
    if problems:
        raise InputError(problems)
    outcome.registry = manifests.registry_result(registry) if registry else {"name": name, "namespace": namespace}
    granting.grant(registry)
    granting.set_members()
    if options["verify"] and not check_mode:
        granting.verify()
    if registry is None:
        outcome.status = dict(ABSENT)
        return
    try:
        wait_until_serving(cluster, Registry(name, namespace), capabilities, 0, outcome, None)
    except ClusterError as error:
        if error.status != FORBIDDEN:
            raise
        outcome.warn([f"whether the registry serves could not be seen: {error}"])


def _granting(cluster: Cluster, options: Mapping[str, Any], namespace: str, problems: list[Problem], check_mode: bool, outcome: Outcome) -> Granting:
    """What is to be done with the option `permissions`; `problems` is added to."""
    # Imported here: Ansible sends the modules' files without their compiled form, so that each of them costs every run that imports it.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._granting import granting_from_options

    return granting_from_options(cluster, options, namespace, problems, check_mode, outcome)


def _preflight(cluster: Cluster, check_database: str) -> Preflight | None:
    """The look at the database that the option `check_database` asks for."""
    if check_database == "false":
        return None
    # Imported here, as in `_granting`.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database_info import Preflight

    return Preflight(cluster, check_database == "fail")


def _placed(cluster: Cluster, wanted: Registry, capabilities: Capabilities) -> Registry:
    """The wanted registry, with the certificates that its options hold given the ConfigMap that they belong into."""
    database = wanted.database
    if database is None or database.ca is None or database.ca.pem is None:
        return wanted
    # Imported here, as in `_granting`.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._rotation import place_for

    reference = place_for(cluster, capabilities, wanted.namespace, wanted.name, database.ca.pem)
    return replace(wanted, database=replace(database, ca=replace(database.ca, reference=reference)))


def _ensure(
    cluster: Cluster,
    wanted: Registry,
    consent: Consent,
    granting: Granting | None,
    preflight: Preflight | None,
    problems: list[Problem],
    seconds: float,
    check_mode: bool,
    outcome: Outcome,
) -> None:
    """Make or edit the registry, and wait until it serves."""
    capabilities = cluster.capabilities()
    live = Live(capabilities)

    def planned() -> Plan:
        nonlocal live
        placed = _placed(cluster, wanted, capabilities)
        live = _read(cluster, placed, capabilities)
        made = plan(placed, live, consent, datetime.now(timezone.utc))
        if preflight and not problems and not made.problems:
            contents = {(change.kind, change.name): change.body for change in made.changes if change.kind in APIS and change.action != "delete"}
            warnings: list[str] = []
            found = preflight.check(resource_after(placed, live.registry, capabilities), contents, warnings)
            made = replace(made, problems=tuple(found), warnings=(*made.warnings, *warnings))
        return replace(made, problems=(*made.problems, *granting.problems(capabilities.api[0], live.registry))) if granting else made

    made, written = carry_out(cluster, wanted, planned, problems, check_mode, outcome)
    resource = written or live.registry
    outcome.registry = manifests.registry_result(resource) if resource else {}
    unchanged = None if outcome.changes else live
    is_predicted = live.registry is None and check_mode
    if granting:
        granting.grant(None if is_predicted else resource)
    if is_predicted:
        if granting:
            granting.set_members()
        outcome.status = {**ABSENT, "reason": "the registry does not exist yet", "restart_needed": False}
        return
    if made.incomplete and not made.changes:
        # Nothing of this run can make what is missing: said in a warning, and not waited for.
        seconds = 0
    try:
        wait_until_serving(cluster, wanted, capabilities, seconds, outcome, unchanged)
    except NotServingError as error:
        if preflight and resource:
            error.args = (f"{error} {preflight.explanation(resource)}".rstrip(),)
        raise
    if granting:
        granting.set_members()
    outcome.status["restart_needed"] = made.restart_needed
    if outcome.status["address"] is None and capabilities.has_metadata_server:
        outcome.status["address"] = _route_address(cluster, wanted)


def _route_address(cluster: Cluster, registry: Registry) -> str | None:
    """The public URL by the registry's Route: operators before v0.2.20 do not list it among the hosts."""
    try:
        host = at(cluster.read(ROUTES, registry.namespace, f"{registry.name}-https"), ("spec", "host"))
    except ClusterError as error:
        if error.status != FORBIDDEN:
            raise
        return None
    return f"https://{host}" if host else None


def _delete(cluster: Cluster, unwanted: Registry, consent: Consent, problems: list[Problem], seconds: float, check_mode: bool, outcome: Outcome) -> None:
    """Delete the registry and all that was made for it alone, and wait until it is gone."""
    capabilities = cluster.capabilities()

    def planned() -> Plan:
        return plan_deletion(unwanted, _read_remains(cluster, unwanted, capabilities), consent)

    def after(change: Change) -> None:
        if change.kind == manifests.KIND and seconds:
            # The server runs until then, with the Secret and the CA that are deleted next.
            _wait_until_gone(cluster, unwanted, capabilities, seconds)

    carry_out(cluster, unwanted, planned, problems, check_mode, outcome, after)
    outcome.status = {**ABSENT, **({"reason": "the registry is being deleted"} if outcome.changes and not seconds else {}), "restart_needed": False}


def carry_out(
    cluster: Cluster,
    wanted: Registry,
    planned: Callable[[], Plan],
    problems: list[Problem],
    check_mode: bool,
    outcome: Outcome,
    after: Callable[[Change], None] = lambda _change: None,
) -> tuple[Plan, Manifest | None]:
    """Plan, check and write, and again when the cluster turned out to be another than the plan was made for; the plan, and the registry if written."""
    attempt = 0
    while True:
        attempt += 1
        made = planned()
        outcome.settle(made)
        found = [*problems, *made.problems, *rights_problems(cluster, wanted.namespace, made.changes)]
        if found:
            raise InputError(found)
        try:
            written = _write(cluster, made, check_mode, outcome, after)
        except ClusterError as error:
            # 409, and what the webhook says of a registry that is there: somebody else was faster. No answer: the write may have been carried out.
            # Either way the truth is in the cluster.
            if error.status is not None:
                outcome.unanswered = None
            passing = error.status in (409, None) or f"already exists in namespace {wanted.namespace}" in str(error)
            if attempt == PLANS or not passing:
                raise _refused(error, wanted) from None
            continue
        outcome.warnings += made.warnings
        outcome.kept = list(made.kept)
        return made, written


def _read(cluster: Cluster, wanted: Registry, capabilities: Capabilities) -> Live:
    registry = cluster.read(capabilities.api, wanted.namespace, wanted.name)
    unseen: list[str] = []
    objects = {(kind, name): _object(cluster, wanted.namespace, kind, name, unseen) for kind, name in needed_objects(wanted, registry, capabilities)}
    password_secrets: tuple[Manifest, ...] = ()
    used: frozenset[str] = frozenset()
    if needs_password_secrets(wanted, registry):
        password_secrets = _password_secrets(cluster, wanted, unseen)
        if password_secrets:
            used = used_secrets(other for other in cluster.items(capabilities.api, wanted.namespace) if other["metadata"]["name"] != wanted.name)
    server = cluster.server_version() if registry is None and wanted.name[:1].isdigit() else None
    deployment = None if registry is None else cluster.read(DEPLOYMENTS, wanted.namespace, wanted.name)
    pods = () if registry is None else _pods(cluster, wanted)
    live = Live(capabilities, registry, objects, password_secrets, used, deployment, pods, tuple(unseen))
    return live if server is None else replace(live, server=server)


def _object(cluster: Cluster, namespace: str, kind: str, name: str, unseen: list[str]) -> Manifest | None:
    if kind != "Service":
        return cluster.read(APIS[kind], namespace, name)
    try:
        # Listed, because the right to get Services is the right to use registries.
        return next(iter(cluster.items(SERVICES, namespace, fieldSelector=f"metadata.name={name}")), None)
    except ClusterError as error:
        if error.status != FORBIDDEN:
            raise
        unseen.append(f"whether database.host {name!r} is a Service of namespace {namespace!r} could not be seen: {error}")
        return {}


def _password_secrets(cluster: Cluster, wanted: Registry, unseen: list[str]) -> tuple[Manifest, ...]:
    """The Secrets that are named like this registry's password, without their data. `unseen` is added to where the account may not list Secrets."""
    try:
        secrets = cluster.metadata(SECRETS, wanted.namespace)
    except ClusterError as error:
        if error.status != FORBIDDEN:
            raise
        unseen.append(f"Secrets that were left behind for the password of registry {wanted.name!r} could not be looked for: {error}")
        return ()
    return tuple(secret for secret in secrets if secret["metadata"]["name"].startswith(f"{wanted.name}-db-"))


def _read_remains(cluster: Cluster, unwanted: Registry, capabilities: Capabilities) -> Remains:
    namespace, name = unwanted.namespace, unwanted.name
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

    registries = cluster.items(capabilities.api, namespace)
    registry = next((item for item in registries if item["metadata"]["name"] == name), None)
    named = (manifests.live_database(registry).get("passwordSecret") or {}).get("name")
    secrets = list(_password_secrets(cluster, unwanted, unseen))
    if named and named not in [secret["metadata"]["name"] for secret in secrets]:
        secret = cluster.read(SECRETS, namespace, named)
        secrets += [secret] if secret else []
    names = seen("ConfigMaps with an uploaded CA", lambda: [entry["metadata"]["name"] for entry in cluster.metadata(CONFIG_MAPS, namespace)], [])
    uploads = [cluster.read(CONFIG_MAPS, namespace, entry) for entry in names if is_upload(entry, name)]
    delegator = auth_delegator(name)
    binding = seen(f"ClusterRoleBinding {delegator!r}", lambda: cluster.read(CLUSTER_ROLE_BINDINGS, "", delegator), None)
    if binding and cluster.missing_rights("", [Right("delete", RBAC, CLUSTER_ROLE_BINDINGS[1], delegator)]):
        unseen.append(f"ClusterRoleBinding {delegator!r} is left behind: the account in use may not delete clusterrolebindings.rbac.authorization.k8s.io")
        binding = None
    users: list[Manifest] = []
    if registry is not None:
        label = f"modelregistry.opendatahub.io/name={name}"
        users = seen("InferenceServices that refer to the registry", lambda: cluster.metadata(INFERENCE_SERVICES, "", labelSelector=label), [])
    bindings = _ownerless_bindings(capabilities, unwanted, seen("RoleBindings without an owner", lambda: cluster.items(ROLE_BINDINGS, namespace), []))
    generated = cluster.read(DEPLOYMENTS, namespace, f"{name}-postgres") is not None
    others = tuple(item for item in registries if item["metadata"]["name"] != name)
    found = tuple(upload for upload in uploads if upload)
    return Remains(capabilities, registry, generated, tuple(secrets), found, binding, bindings, others, tuple(users), tuple(unseen))


def _ownerless_bindings(capabilities: Capabilities, unwanted: Registry, live: list[Manifest]) -> tuple[Manifest, ...]:
    # Imported here, as in `_granting`.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._grants import Target, ownerless

    return tuple(ownerless(Target(unwanted.namespace, unwanted.name, capabilities.api[0], None), live))


def _selector(wanted: Registry) -> dict[str, str]:
    # The pod of a generated database has the same two labels.
    return {"labelSelector": f"app={wanted.name},component=model-registry,app.kubernetes.io/name!={wanted.name}-postgres"}


def _pods(cluster: Cluster, wanted: Registry) -> tuple[Manifest, ...]:
    return tuple(cluster.items(PODS, wanted.namespace, **_selector(wanted)))


def _refused(error: ClusterError, wanted: Registry) -> Exception:
    """A refusal of the API server or of the operator's webhooks as the problem of an option, where it is one."""
    text = str(error)
    other = re.search(r"namespace must be ([-a-z0-9]+)", text)
    if other:
        return InputError([Problem("namespace", f"is not where the operator keeps registries: {text}", f"Set it to {other[1]}", wanted.namespace)])
    if error.status == NOT_FOUND and f'namespaces "{wanted.namespace}" not found' in text:
        return InputError([Problem("namespace", "does not exist", "Name the registries namespace, or leave it out", wanted.namespace)])
    if "already exists in namespace" in text:
        return InputError([Problem("name", f"belongs to another registry: {text}", "Choose another name: it is unique in the whole cluster", wanted.name)])
    return error


def _write(cluster: Cluster, planned: Plan, check_mode: bool, outcome: Outcome, after: Callable[[Change], None]) -> Manifest | None:
    """Carry out the changes, or in check mode try each on the server; returns the registry as the server answered it, when it was written."""
    registry = None
    of_registry = [change for change in planned.changes if change.kind == manifests.KIND]
    if len(planned.changes) > 1 and of_registry and not check_mode:
        # The webhooks answer before the Secret is written, so that a refusal leaves nothing behind.
        send(cluster, of_registry[0], True)
    for change in planned.changes:
        unverified = check_mode and change.action == "restart"
        if not unverified:
            outcome.unanswered = None if check_mode else change
            answer = send(cluster, change, check_mode)
            outcome.unanswered = None
            if change.kind == manifests.KIND:
                registry = answer
        outcome.record(change, unverified)
        if not check_mode:
            after(change)
    return registry


def _wait_until_gone(cluster: Cluster, unwanted: Registry, capabilities: Capabilities, seconds: float) -> None:
    """Wait until the registry and its server are gone."""
    deadline = time.monotonic() + seconds
    named = {"fieldSelector": f"metadata.name={unwanted.name}"}
    watched = [(capabilities.api, unwanted.namespace, named), (DEPLOYMENTS, unwanted.namespace, named)]
    with cluster.changes(watched, seconds) as changed:
        while True:
            changed.clear()
            registry = cluster.read(capabilities.api, unwanted.namespace, unwanted.name)
            if registry is None and cluster.read(DEPLOYMENTS, unwanted.namespace, unwanted.name) is None:
                return
            left = deadline - time.monotonic()
            if left <= 0:
                reason = "its server is still being taken down" if registry is None else why_not_deleted(registry, cluster.serves(*HTTP_ROUTES))
                raise NotDeletedError(unwanted.name, reason, seconds)
            changed.wait(min(LOG_SECONDS, left))


def _warn_once(outcome: Outcome, warning: str) -> None:
    if warning not in outcome.warnings:
        outcome.warnings.append(warning)


def wait_until_serving(cluster: Cluster, wanted: Registry, capabilities: Capabilities, seconds: float, outcome: Outcome, unchanged: Live | None) -> None:
    """Wait until the registry serves; with 0 seconds only report whether it does. What was read just now, and not written, is not read again at first."""
    deadline = time.monotonic() + seconds
    named = {"fieldSelector": f"metadata.name={wanted.name}"}
    watched = [(capabilities.api, wanted.namespace, named), (DEPLOYMENTS, wanted.namespace, named), (PODS, wanted.namespace, _selector(wanted))]
    seen = _observe(cluster, wanted, capabilities, outcome, unchanged)
    if judge(seen).serving or not seconds:
        outcome.status = _status(seen, judge(seen))
        return
    with cluster.changes(watched, seconds) as changed:
        while True:
            changed.clear()
            seen = _observe(cluster, wanted, capabilities, outcome)
            verdict = judge(seen)
            outcome.status = _status(seen, verdict)
            left = deadline - time.monotonic()
            if verdict.serving:
                return
            if verdict.final or left <= 0:
                raise NotServingError(wanted.name, verdict, seconds, serves_still(seen.pods))
            changed.wait(min(LOG_SECONDS, left))


def _observe(cluster: Cluster, wanted: Registry, capabilities: Capabilities, outcome: Outcome, known: Live | None = None) -> Observation:
    registry = known.registry if known else cluster.read(capabilities.api, wanted.namespace, wanted.name)
    deployment = known.deployment if known else cluster.read(DEPLOYMENTS, wanted.namespace, wanted.name)
    pods = known.pods if known else _pods(cluster, wanted)
    newest = newest_pod(pods)
    if newest is None or (condition(newest, "Ready") or {}).get("status") == "True":
        return Observation(registry, deployment, pods)
    database: list[Manifest] = []
    if manifests.live_type(registry) == GENERATED:
        database = cluster.items(PODS, wanted.namespace, labelSelector=f"app.kubernetes.io/name={wanted.name}-postgres")
    return Observation(registry, deployment, pods, _log(cluster, newest, outcome), _events(cluster, newest, outcome), tuple(database))


def _log(cluster: Cluster, pod: Manifest, outcome: Outcome) -> str:
    """The end of the server's log; of the attempt before when the present one has said nothing yet."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    container = database_container(pod["spec"]["containers"])["name"]
    try:
        text = cluster.log(namespace, name, container, previous=False)
        return text if text.strip() or not restarts(pod) else cluster.log(namespace, name, container, previous=True)
    except ClusterError as error:
        # A container that was not started has no log.
        if error.status == FORBIDDEN:
            _warn_once(outcome, f"why the server does not serve could not be read in its log: {error}")
        return ""


def _events(cluster: Cluster, pod: Manifest, outcome: Outcome) -> tuple[str, ...]:
    try:
        events = cluster.items(EVENTS, pod["metadata"]["namespace"], fieldSelector=f"involvedObject.uid={pod['metadata']['uid']},type=Warning")
    except ClusterError as error:
        if error.status == FORBIDDEN:
            _warn_once(outcome, f"why the server does not serve could not be read in the events of its pod: {error}")
        return ()
    return tuple(event.get("message", "") for event in events)


def _status(seen: Observation, verdict: Verdict) -> Manifest:
    status: Manifest = at(seen.registry, ("status",)) or {}
    hosts = status.get("hosts") or []
    # The operator copies lines of the server's log into its messages.
    conditions = [
        {"message": without_credentials(entry["message"]), **{key: entry[key] for key in ("type", "status", "reason")}}
        for entry in status.get("conditions") or []
    ]
    public = [
        host for host in hosts if "/" in host or ("." in host and ".svc" not in host and not host.endswith(f".{at(seen.registry, ('metadata', 'namespace'))}"))
    ]
    return {
        "serving": verdict.serving,
        "reason": verdict.reason if verdict.serving else verdict.sentence(),
        "address": f"https://{public[0]}" if public else None,
        "hosts": hosts,
        "conditions": conditions,
    }
