# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bundle of CA certificates in the cluster: put there, added to or removed, and the servers that read it restarted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, registry_reader, snapshots, writes
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import (
    certificates,
    custom_resource,
    desired_state,
    kinds,
    live_state,
    manifests,
    naming,
    ownership,
    server_pods,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import bundle_place, registry_plan
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import availability, observation, readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import rollback

if TYPE_CHECKING:
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import diagnosis

KINDS = {"config_map": "ConfigMap", "secret": "Secret"}
# A private key of any kind, and what stands for a byte of a binary key that is no text.
PRIVATE_KEY, UNREADABLE = "PRIVATE KEY-----", "\ufffd"
# What the look at a database shows of its TLS: the rest of it needs a login.
TLS_CHECKS = ("tls", "protocol", "certificate", "host_name", "expiry")
REACHED_CHECKS = ("address", "port")


class NotAllServingError(_errors.ReportedError):
    """The bundle was written, and not every registry that reads it serves."""


@dataclass(frozen=True)
class WantedBundle:
    """A bundle as the options of `model_registry_ca` describe it. Exactly one of `name` and `registry` is set, unless there are problems."""

    kind: str
    name: str | None
    key: str
    registry: str | None
    # None when the bundle is to be removed. `option` is where the certificates came from.
    pem: str | None
    option: str
    adds: bool
    is_absent: bool
    restart: bool
    expiry_days: int
    # The database that the bundle has to verify.
    database: desired_state.Database | None


@dataclass
class BundleOutcome(writes.Outcome):
    """What a run did with a bundle."""

    ca: manifests.Manifest = field(default_factory=dict)
    registries: list[manifests.Manifest] = field(default_factory=list)

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module."""
        shared = {key: value for key, value in super().result(diff).items() if key not in ("registry", "status")}
        return {**shared, "ca": self.ca, "registries": self.registries}


def bundle_from_options(options: Mapping[str, Any], problems: list[_errors.Problem], warnings: list[str]) -> WantedBundle:
    """The wanted bundle of the module's options; what is wrong or odd about them whatever is live is added to the lists."""
    is_absent, name, registry, key = options["state"] == "absent", options["name"], options["registry"], options["key"]
    if name is not None and not naming.OBJECT_NAME.fullmatch(name):
        problems.append(_errors.Problem("name", "cannot be the name of an object", "Use lower-case letters, digits, hyphens and dots", name))
    if not naming.KEY_NAME.fullmatch(key):
        problems.append(_errors.Problem("key", "cannot be a key", "Use letters, digits, hyphens, dots and underscores", key))
    if registry is not None:
        problems += naming.live_name_problems(registry, "registry")
        remedy = "Leave it out, or give name in place of registry"
        if options["kind"] != "config_map":
            problems.append(_errors.Problem("kind", "is given with registry, whose CA is in a ConfigMap, as the dashboard uploads it", remedy, options["kind"]))
        if key != ownership.UPLOADED_KEY:
            problems.append(
                _errors.Problem("key", f"is given with registry, whose CA has the key {ownership.UPLOADED_KEY}, as the dashboard uploads it", remedy, key)
            )
    problems += _options.time_problems("expiry_days", options["expiry_days"], 0) + _options.time_problems("wait_timeout", options["wait_timeout"])
    option = "pem" if options["path"] is None else "path"
    pem = None
    if is_absent:
        if options["pem"] is not None or options["path"] is not None:
            remedy = "Leave it out. To take single certificates away, give those that stay, with state=present"
            problems.append(_errors.Problem(option, "is given together with state=absent", remedy))
    elif options["pem"] is None:
        missing = "was not read on the controller" if options["path"] is not None else "is missing"
        problems.append(_errors.Problem(option, missing, "Give the CA's certificates in pem, or a file on the controller in path"))
    else:
        # The action plugin gives the bytes of a file as one character each.
        content = options["pem"] if option == "pem" else options["pem"].encode("latin-1", "replace")
        bundle = certificates.read_bundle(content, option, min(max(0, options["expiry_days"]), _options.MOST_TIME))
        problems += bundle.problems
        warnings += bundle.warnings
        pem = bundle.pem
    database = None if is_absent or options["database"] is None else _database_from_options(options["database"], problems)
    kind, adds = KINDS[options["kind"]], options["mode"] == "add"
    return WantedBundle(kind, name, key, registry, pem, option, adds, is_absent, options["restart"], options["expiry_days"], database)


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_registry_ca` whatever is in the cluster."""
    problems = naming.namespace_problems(options["namespace"])
    bundle_from_options(options, problems, [])
    return problems


def _database_from_options(options: Mapping[str, Any], problems: list[_errors.Problem]) -> desired_state.Database | None:
    # The bundle takes the place of its CA.
    database = (
        desired_state.registry_from_options({"name": "registry", "database": {**options, "ca": None}}, "", problems, []).database or desired_state.Database()
    )
    if database.type == _options.GENERATED:
        problems.append(_errors.Problem("database.type", "is one that the product makes itself, without a CA", "Give an external database", _options.GENERATED))
    problems += [
        _errors.Problem(f"database.{option}", "is missing", remedy)
        for option, value, remedy in (("type", database.type, "Set it to mysql or postgresql"), ("host", database.host, "Set the database server's host name"))
        if value is None
    ]
    return database


# The plan


@dataclass(frozen=True)
class LiveBundle:
    """What the cluster holds of a bundle at this moment: its object, all registries of the namespace, and the servers of those that read it."""

    capabilities: kinds.Capabilities
    place: bundle_place.Place
    present: manifests.Manifest | None
    registries: tuple[manifests.Manifest, ...] = ()
    deployments: Mapping[str, manifests.Manifest | None] = field(default_factory=dict)
    pods: Mapping[str, tuple[manifests.Manifest, ...]] = field(default_factory=dict)

    @property
    def readers(self) -> list[manifests.Manifest]:
        """The registries that read it."""
        return bundle_place.readers(self.place, self.registries)


def content_after(wanted: WantedBundle, live: LiveBundle) -> str:
    """The bundle once the plan is carried out."""
    return bundle_place.after(live.place.text(live.present), wanted.pem or "", wanted.adds)


def plan_bundle(wanted: WantedBundle, live: LiveBundle, now: datetime) -> tuple[registry_plan.Plan, list[str]]:
    """What makes the bundle as it is wanted and restarts exactly the servers that are older than it; and the registries whose restart is put off."""
    place, present, option = live.place, live.present, "name" if wanted.registry is None else "registry"
    text, after = place.text(present), content_after(wanted, live)
    warnings: list[str] = []
    if wanted.adds and text is not None:
        changes = [bundle_place.written(place, present, after, wanted.option)] if after != text else []
        warnings += certificates.read_bundle(text, str(place), wanted.expiry_days).warnings
    else:
        changes = bundle_place.replacement(place, present, after, wanted.option)
    problems = _write_problems(option, live, wanted.adds) if changes else []
    if changes and len(after.encode()) > certificates.LARGEST_OBJECT:
        problem = f"makes {place} larger than the {certificates.LARGEST_OBJECT} bytes that the cluster takes"
        problems.append(_errors.Problem(wanted.option, problem, "Use mode=replace, or give only the CA of the database's certificate"))
    put_off, restarts = [], []
    for registry in live.readers:
        name = registry["metadata"]["name"]
        server = live_state.Live(live.capabilities, registry, deployment=live.deployments.get(name), pods=live.pods.get(name, ()))
        is_older = present is not None and registry_plan.is_outdated(server, [(present, [place.reference.key])])
        outdated = bool(server.pods) and (bool(changes) or is_older)
        if outdated and wanted.restart:
            restarts.append(registry_plan.restart_of(desired_state.Registry(name, place.namespace), now, server.deployment))
        elif outdated:
            put_off.append(name)
            warnings.append(f"the server of registry {name!r} is older than the certificates that it reads: run again without `restart: false`")
    exists = any(entry["metadata"]["name"] == wanted.registry for entry in live.registries)
    if exists and wanted.registry not in [entry["metadata"]["name"] for entry in live.readers]:
        reference = f"{{config_map: {place.reference.name}, key: {place.reference.key}}}"
        warnings.append(f"registry {wanted.registry!r} does not read {place} yet: set its database.ca to {reference}")
    return registry_plan.Plan((*changes, *restarts), tuple(warnings), tuple(problems)), put_off


def plan_removal(wanted: WantedBundle, bundles: Iterable[LiveBundle]) -> registry_plan.Plan:
    """What removes the bundles: whole objects, or only the key where an object has others too. A bundle that a registry uses stays, as a problem."""
    option = "name" if wanted.registry is None else "registry"
    changes: list[registry_plan.Change] = []
    problems: list[_errors.Problem] = []
    for live in bundles:
        place, present = live.place, live.present
        if present is None or place.reference.key not in manifests.keys_of(present):
            continue
        alone = manifests.keys_of(present) == [place.reference.key]
        users = _users(live) if alone else live.readers
        names = ", ".join(repr(registry["metadata"]["name"]) for registry in users)
        if users:
            problems.append(_errors.Problem(option, f"names {place}, which is used by registry {names}", "Give the registry another CA first"))
        problems += _write_problems(option, live)
        if alone:
            changes.append(registry_plan.deletion(place.kind, kinds.APIS[place.kind], present))
        else:
            part = "data" if place.reference.key in (manifests.at(present, ("data",)) or {}) else "binaryData"
            body = {"metadata": {"resourceVersion": present["metadata"].get("resourceVersion")}, part: {place.reference.key: None}}
            shown = {f"{place.kind} {place.reference.name} {place.reference.key}": "present"}
            fields = (option,)
            changes.append(
                registry_plan.Change("update", place.kind, place.namespace, place.reference.name, fields, "PATCH", kinds.APIS[place.kind], body, shown)
            )
    return registry_plan.Plan(tuple(changes), problems=tuple(problems))


def _users(live: LiveBundle) -> list[manifests.Manifest]:
    """The registries that refer to the whole object in any way."""
    return [registry for registry in live.registries if (live.place.kind, live.place.reference.name) in custom_resource.named_objects(registry)]


def _write_problems(option: str, live: LiveBundle, adds: bool = False) -> list[_errors.Problem]:
    """Why an object must not, or cannot, be written."""
    place, present, key = live.place, live.present, live.place.reference.key
    for registry in live.registries:
        for use, *read in custom_resource.named_keys(registry):
            if read == [place.kind, place.reference.name, key] and use not in custom_resource.CA_KEYS.values():
                problem = f"names key {key!r} of {place}, which registry {registry['metadata']['name']!r} reads as its {use}"
                return [_errors.Problem(option, problem, "Give the name of an object that holds only CA certificates")]
    if present is None:
        return []
    if place.kind == "Secret" and ownership.is_password_secret(present):
        return [_errors.Problem(option, f"names {place}, which holds the password of a database", "Give the name of a Secret that holds only CA certificates")]
    owner = ownership.owner_of(place.kind, present)
    if owner.is_others:
        return [_errors.Problem(option, f"names {place}, which is {owner}", "Change the bundle where it is managed, or give another name")]
    if place.kind == "Secret" and present.get("type", "Opaque") != "Opaque":
        remedy = "Give another name: the dashboard offers only Secrets of type Opaque"
        return [_errors.Problem(option, f"names {place}, which is a Secret of type {present['type']}", remedy)]
    if present.get("immutable"):
        return [_errors.Problem(option, f"names {place}, which is immutable", "Give another name, and the registries that one as their CA")]
    text = place.text(present) if key in manifests.keys_of(present) else ""
    if text is None or (text.strip() and (registry_plan.PEM_CERTIFICATE not in text or PRIVATE_KEY in text)):
        problem = f"names key {key!r} of {place}, which holds something other than PEM certificates"
        return [_errors.Problem("key", problem, "Give the name of another key, or remove this one if it is no longer needed")]
    if adds and UNREADABLE in text:
        problem = f"names key {key!r} of {place}, which holds bytes that are not UTF-8 text, so that certificates cannot be added to it"
        return [_errors.Problem("mode", problem, "Use mode=replace with all certificates that are to stay", "add")]
    return []


# Carrying it out


def converge_bundle(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: BundleOutcome) -> None:
    """Bring a bundle to what the options of `model_registry_ca` say, and wait for the registries that read it; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused. NotAllServingError: written, but not effective within wait_timeout.
    """
    outcome.introduce(cluster)
    problems: list[_errors.Problem] = []
    namespace = options["namespace"] or cluster.registries_namespace()
    wanted = bundle_from_options(options, problems, outcome.warnings)
    if problems:
        raise _errors.InputError(problems)
    reader = registry_reader.Reader(cluster, cluster.capabilities(), namespace)
    name = wanted.name or wanted.registry or ""
    if wanted.is_absent:
        writes.carry_out(reader, lambda reader: plan_removal(wanted, _removed(reader, wanted)), name, check_mode, outcome)
        return
    live: LiveBundle | None = None
    put_off: list[str] = []
    # What was there before the change of the bundle.
    overwritten: tuple[registry_plan.Change, LiveBundle] | None = None

    def planned(reader: registry_reader.Reader) -> registry_plan.Plan:
        nonlocal live, put_off, overwritten
        live = _read(reader, wanted)
        outcome.ca, outcome.registries = _result(wanted, live), [{"name": registry["metadata"]["name"]} for registry in live.readers]
        made, put_off = plan_bundle(wanted, live, datetime.now(timezone.utc))
        overwritten = next(((change, live) for change in made.changes if change.action == "update"), overwritten)
        proven = _proven(wanted, content_after(wanted, live), outcome) if wanted.database else []
        return registry_plan.Plan(made.changes, made.warnings, (*made.problems, *proven))

    writes.carry_out(reader, planned, name, check_mode, outcome)
    seconds = options["wait_timeout"] if options["wait"] and not check_mode else 0
    if live is not None:
        verdicts = _wait_for_all(reader, live, seconds, put_off, outcome)
        if verdicts:
            put_back = _put_bundle_back(reader, wanted, *overwritten, verdicts, outcome) if overwritten else []
            raise NotAllServingError(" ".join([*(str(error) for error in verdicts.values()), *put_back]))


def _read(reader: registry_reader.Reader, wanted: WantedBundle) -> LiveBundle:
    if wanted.registry is not None:
        reference = bundle_place.place_for(reader, wanted.registry, wanted.pem or "", wanted.adds)
    else:
        reference = desired_state.KeyReference(wanted.name or "", wanted.key)
    place = bundle_place.Place(wanted.kind, reader.namespace, reference)
    present, registries = reader.held(place.kind, reference.name), reader.registries()
    if not registries:
        registry_reader.need_namespace(reader.cluster, reader.namespace)
    names = [registry["metadata"]["name"] for registry in bundle_place.readers(place, registries)]
    # All pods of the namespace's registries in one request; Deployments may be read only one by one.
    pods = reader.cluster.items(kinds.PODS, reader.namespace, labelSelector=server_pods.POD_LABELS) if names else []
    deployments = {name: reader.deployment(name) for name in names}
    return LiveBundle(reader.capabilities, place, present, tuple(registries), deployments, {name: _pods_of(name, pods) for name in names})


def _pods_of(registry: str, pods: Iterable[manifests.Manifest]) -> tuple[manifests.Manifest, ...]:
    return tuple(pod for pod in pods if manifests.at(pod, ("metadata", "labels", "app")) == registry and not server_pods.is_database_pod(pod, registry))


def _removed(reader: registry_reader.Reader, wanted: WantedBundle) -> list[LiveBundle]:
    """The bundles that are to be removed: the one of a name, or all that were uploaded for a registry."""
    registries = tuple(reader.registries())
    if not registries:
        registry_reader.need_namespace(reader.cluster, reader.namespace)

    def bundle(place: bundle_place.Place) -> LiveBundle:
        return LiveBundle(reader.capabilities, place, reader.held(place.kind, place.reference.name), registries)

    if wanted.registry is None:
        return [bundle(bundle_place.Place(wanted.kind, reader.namespace, desired_state.KeyReference(wanted.name or "", wanted.key)))]

    def upload(name: str) -> LiveBundle:
        return bundle(bundle_place.Place("ConfigMap", reader.namespace, desired_state.KeyReference(name, ownership.UPLOADED_KEY)))

    bundles = []
    number = 1
    while (found := upload(bundle_place.upload_name(wanted.registry, number))).present is not None:
        bundles.append(found)
        number += 1
    # One that was uploaded before the registry had a name is known by being read alone.
    read = bundle_place.named_bundle(next((entry for entry in registries if entry["metadata"]["name"] == wanted.registry), None), "ConfigMap")
    if read and read.name not in [found.place.reference.name for found in bundles] and ownership.is_upload(read.name, wanted.registry):
        bundles.append(upload(read.name))
    return [found for found in bundles if found.present and ownership.owner_of("ConfigMap", found.present, wanted.registry).is_ours]


def _result(wanted: WantedBundle, live: LiveBundle) -> manifests.Manifest:
    place = live.place
    return {
        "kind": next(option for option, kind in KINDS.items() if kind == place.kind),
        "name": place.reference.name,
        "namespace": place.namespace,
        "key": place.reference.key,
        "certificates": [certificate.described() for certificate in certificates.certificates_in(content_after(wanted, live))],
    }


def _tls_findings(database: desired_state.Database, content: str) -> list[diagnosis.Finding]:
    """What a look at the database with this bundle shows, up to the login."""
    # Imported here: only a few runs connect to a database.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import diagnosis, probe

    kind, host = database.type or _options.MYSQL, database.host or ""
    view = diagnosis.View(kind, host, database.port or _options.DEFAULT_PORTS[kind], "", "", None, ca=content, verify_server_cert=kind == _options.MYSQL)
    return [finding for finding in probe.look(view).findings if finding.check in (*TLS_CHECKS, *REACHED_CHECKS, "libraries")]


def _tls_failures(findings: Iterable[diagnosis.Finding]) -> list[diagnosis.Finding]:
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import diagnosis

    return [finding for finding in findings if finding.result == diagnosis.FAILURE and finding.check in TLS_CHECKS]


def _proven(wanted: WantedBundle, content: str, outcome: BundleOutcome) -> list[_errors.Problem]:
    """Why the bundle does not verify the database; what is known of it, and what the product makes of it, goes into the outcome."""
    # Imported here: only a few runs connect to a database.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import diagnosis

    database = wanted.database or desired_state.Database()
    kind, host = database.type or _options.MYSQL, database.host or ""
    findings = _tls_findings(database, content)
    failures = _tls_failures(findings)
    verified = any(finding.check == "certificate" and finding.result == diagnosis.OK for finding in findings)
    product = (
        "It encrypts the connection with this CA, and checks the certificate and its host name only with verify_server_cert, which the dashboard never sets"
        if kind == _options.MYSQL
        else "It encrypts the connection with this CA and checks who signed the certificate, whatever ssl_mode says, but never the host name"
    )
    outcome.ca["database"] = {
        "verified": False if failures else verified or None,
        "findings": diagnosis.as_results(findings),
        "product": f"{product}.",
    }
    if not failures:
        outcome.warn(f"database: {finding.message}. {finding.remedy}." for finding in findings if finding.result != diagnosis.OK)
        if not verified:
            outcome.warn([f"whether the CA verifies {host} could not be proven from here"])
    remedies = {"certificate": "Give the CA that signed it, and with mode=add the present one stays beside it", "tls": "Switch TLS on in the database"}
    return [
        _errors.Problem(wanted.option, f"does not verify the database {host}: {finding.message}", remedies.get(finding.check, finding.remedy))
        for finding in failures
    ]


def _put_bundle_back(
    reader: registry_reader.Reader,
    wanted: WantedBundle,
    change: registry_plan.Change,
    before: LiveBundle,
    failures: Mapping[str, observation.NotServingError],
    outcome: BundleOutcome,
) -> list[str]:
    """Put the previous bundle back where no server that was restarted with the new one is available; what was done, as sentences."""
    restarted = [done["name"] for done in outcome.changes if done["action"] == "restart"]
    if not restarted or change.result(False) not in outcome.changes:
        return []
    reason = _reason_to_leave(wanted, before, restarted, failures)
    if reason is None:
        users = [registry["metadata"]["name"] for registry in _users(before)]
        reason = rollback.write_back(reader, change, before.present or {}, users, outcome)
    if reason is not None:
        return [rollback.sentence(change, reason)]
    outcome.ca["certificates"] = [certificate.described() for certificate in certificates.certificates_in(before.place.text(before.present) or "")]
    return [rollback.sentence(change, None), *(rollback.restart(reader, name, outcome) for name in restarted)]


def _reason_to_leave(wanted: WantedBundle, before: LiveBundle, restarted: list[str], failures: Mapping[str, observation.NotServingError]) -> str | None:
    available = [name for name in restarted if name not in failures]
    if available:
        return f"registry {', '.join(map(repr, available))} is available with the new one, and registry {', '.join(map(repr, failures))} is not"
    servers = [(registry, before.deployments.get(registry["metadata"]["name"])) for registry in before.readers]
    if not any(readiness.judge(readiness.Observation(*server)).serving for server in servers):
        return "no registry was available with it either"
    if any(rollback.AFTER_TLS.search(error.verdict.evidence) for error in failures.values()):
        return rollback.ACCEPTED
    if wanted.database and _tls_failures(_tls_findings(wanted.database, before.place.text(before.present) or "")):
        return "it does not verify the database"
    return None


def _wait_for_all(
    reader: registry_reader.Reader, live: LiveBundle, seconds: float, put_off: list[str], outcome: BundleOutcome
) -> dict[str, observation.NotServingError]:
    """Wait for the registries that read the bundle, all together; those that do not serve, by name."""
    outcomes = {registry["metadata"]["name"]: writes.Outcome() for registry in live.readers}
    for change in outcome.changes:
        if change["action"] == "restart":
            outcomes[change["name"]].changes.append(change)
    failures: dict[str, observation.NotServingError] = {}

    def settled(name: str, verdict: readiness.Verdict, seen: readiness.Observation) -> None:
        if seconds and not verdict.serving:
            old_serves, unchanged = server_pods.serves_still(seen.pods), not outcomes[name].changes
            failures[name] = observation.NotServingError(name, verdict, seconds, old_serves, unchanged=unchanged)

    snapshot = snapshots.Snapshot(reader.cluster, reader.capabilities, reader.namespace)
    with ThreadPoolExecutor(snapshots.THREADS) as pool:
        availability.wait_for_all(snapshot, outcomes, list(outcomes) if seconds else (), seconds, settled, pool)
    for name, own in outcomes.items():
        shown = {"name": name, "serving": own.status["serving"], "reason": own.status["reason"], "restart_needed": name in put_off}
        outcome.registries = [shown if entry["name"] == name else entry for entry in outcome.registries]
        outcome.warn(own.warnings)
    return failures
