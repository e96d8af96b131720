# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_ca`: a bundle of CA certificates is put into the cluster, and the servers that read it are restarted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .. import _errors, _options
from .._cluster import client, registry_reader, registry_writes, snapshots
from .._model import certificates, desired_state, live_state, manifests, naming, ownership
from .._plan import bundle_place, bundle_plan, changeset, previous_value, record
from .._status import availability, readiness
from .._work import rollback

# What looks at a database takes 20 ms to load: Ansible sends sources only, so that each file is compiled in every run
# that imports it. Few runs connect to one, so functions import it.
if TYPE_CHECKING:
    from .._database import vocabulary

# What the look at a database shows of its TLS: the rest of it needs a login.
TLS_CHECKS = ("tls", "protocol", "certificate", "host_name", "expiry")
REACHED_CHECKS = ("address", "port")


class NotAllAvailableError(_errors.ReportedError):
    """The bundle was written, and not every registry that reads it is available."""


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_registry_ca` whatever is in the cluster."""
    problems = naming.namespace_problems(options["namespace"])
    bundle_plan.bundle_from_options(options, problems, [])
    return problems


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: record.Outcome) -> None:
    """Bring a bundle to what the options of `model_registry_ca` say, and wait for the registries that read it; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused. NotAllAvailableError: written, but not effective within wait_timeout.
    """
    problems: list[_errors.Problem] = []
    namespace = options["namespace"] or cluster.registries_namespace()
    wanted = bundle_plan.bundle_from_options(options, problems, outcome.warnings)
    if problems:
        raise _errors.InputError(problems)
    reader = registry_reader.Reader(cluster, cluster.capabilities(), namespace)
    name = wanted.name or wanted.registry or ""
    if wanted.is_absent:
        registry_writes.carry_out(reader, lambda reader: bundle_plan.plan_removal(wanted, _removed(reader, wanted)), name, check_mode, outcome)
        return
    live: bundle_plan.LiveBundle | None = None
    put_off: list[str] = []
    # The change of the bundle, also when the plan had to be made anew because it got no answer.
    overwritten: changeset.Change | None = None

    def planned(reader: registry_reader.Reader) -> changeset.Plan:
        nonlocal live, put_off, overwritten
        live = _read(reader, wanted)
        outcome.own = {"ca": _result(wanted, live), "registries": [{"name": manifests.name_of(registry)} for registry in live.readers]}
        made, put_off = bundle_plan.plan_bundle(wanted, live, datetime.now(timezone.utc))
        overwritten = next((change for change in made.changes if change.action == "update"), overwritten)
        proven = _proven(wanted, bundle_plan.content_after(wanted, live), outcome) if wanted.database else []
        return replace(made, problems=(*made.problems, *proven))

    def cleaned_up(reader: registry_reader.Reader) -> changeset.Plan:
        now = _read(reader, wanted)
        made, put_off = bundle_plan.plan_bundle(wanted, now, datetime.now(timezone.utc))
        is_needed = made.problems or made.changes or put_off or not all(server.is_available for server in now.servers.values())
        return changeset.Plan(kept=made.kept) if is_needed else changeset.Plan(made.leftovers)

    made, _registry = registry_writes.carry_out(reader, planned, name, check_mode, outcome)
    seconds = options["wait_timeout"] if options["wait"] and not check_mode else 0
    if live is None:
        return
    verdicts = _wait_for_all(reader, live, seconds, put_off, outcome)
    if verdicts:
        own = overwritten if overwritten and overwritten.result(False) in outcome.changes else None
        put_back = _put_bundle_back(reader, wanted, live, made, own, put_off, verdicts, outcome)
        raise NotAllAvailableError(" ".join([*(str(error) for error in verdicts.values()), *put_back]))
    # What is available with the new bundle gives the previous one up.
    if made.leftovers and not (check_mode and made.changes) and all(entry.get("available") for entry in outcome.own["registries"]):
        outcome.kept = []
        registry_writes.carry_out(reader, cleaned_up, name, check_mode, outcome)


def _read(reader: registry_reader.Reader, wanted: bundle_plan.WantedBundle) -> bundle_plan.LiveBundle:
    if wanted.registry is not None:
        reference = registry_reader.upload_place(reader, wanted.registry, wanted.pem or "", wanted.adds)
    else:
        reference = desired_state.KeyReference(wanted.name or "", wanted.key)
    place = bundle_place.Place(wanted.kind, reader.namespace, reference)
    present, registries = reader.held(place.kind, reference.name), reader.registries()
    if not registries:
        registry_reader.need_namespace(reader.cluster, reader.namespace)
    reading = bundle_place.readers(place, registries)
    # All pods of the namespace's registries in one request; Deployments may be read only one by one.
    now = snapshots.Snapshot(reader.cluster, reader.capabilities, reader.namespace)
    servers = {}
    for registry in reading:
        name = manifests.name_of(registry)
        server = live_state.Live(reader.capabilities, registry, deployment=reader.deployment(name), pods=now.pods(name))
        servers[name] = replace(server, is_available=readiness.is_seen_available(server))
    return bundle_plan.LiveBundle(place, present, tuple(registries), servers)


def _removed(reader: registry_reader.Reader, wanted: bundle_plan.WantedBundle) -> list[bundle_plan.LiveBundle]:
    """The bundles that are to be removed: the one of a name, or all that were uploaded for a registry."""
    registries = tuple(reader.registries())
    if not registries:
        registry_reader.need_namespace(reader.cluster, reader.namespace)

    def bundle(place: bundle_place.Place) -> bundle_plan.LiveBundle:
        return bundle_plan.LiveBundle(place, reader.held(place.kind, place.reference.name), registries)

    if wanted.registry is None:
        return [bundle(bundle_place.Place(wanted.kind, reader.namespace, desired_state.KeyReference(wanted.name or "", wanted.key)))]

    def upload(name: str) -> bundle_plan.LiveBundle:
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


def _result(wanted: bundle_plan.WantedBundle, live: bundle_plan.LiveBundle) -> manifests.Manifest:
    place = live.place
    return {
        "kind": next(option for option, kind in bundle_plan.KINDS.items() if kind == place.kind),
        "name": place.reference.name,
        "namespace": place.namespace,
        "key": place.reference.key,
        "certificates": [certificate.described() for certificate in certificates.certificates_in(bundle_plan.content_after(wanted, live))],
    }


def _tls_findings(database: desired_state.Database, content: str) -> list[vocabulary.Finding]:
    """What a look at the database with this bundle shows, up to the login."""
    from .._database import probe, vocabulary

    kind, host = database.type or _options.MYSQL, database.host or ""
    view = vocabulary.View(
        kind, host, database.port or _options.BY_OPTION["database.port"].default[kind], "", "", None, ca=content, verify_server_cert=kind == _options.MYSQL
    )
    return [finding for finding in probe.look(view).findings if finding.check in (*TLS_CHECKS, *REACHED_CHECKS, "libraries")]


def _tls_failures(findings: Iterable[vocabulary.Finding]) -> list[vocabulary.Finding]:
    from .._database import vocabulary

    return [finding for finding in vocabulary.failures(findings) if finding.check in TLS_CHECKS]


def _proven(wanted: bundle_plan.WantedBundle, content: str, outcome: record.Outcome) -> list[_errors.Problem]:
    """Why the bundle does not verify the database; what is known of it, and what the product makes of it, goes into the outcome."""
    from .._database import vocabulary

    database = wanted.database or desired_state.Database()
    kind, host = database.type or _options.MYSQL, database.host or ""
    findings = _tls_findings(database, content)
    failures = _tls_failures(findings)
    verified = any(finding.check == "certificate" and finding.result == vocabulary.OK for finding in findings)
    product = (
        "The registry server encrypts the connection, but verifies the certificate and its host name only with verify_server_cert (the dashboard cannot set it)"
        if kind == _options.MYSQL
        else "The registry server encrypts the connection and verifies the certificate with this CA, regardless of ssl_mode, but not its host name"
    )
    outcome.own["ca"]["database"] = {
        "verified": False if failures else verified or None,
        "findings": vocabulary.as_results(findings),
        "product": f"{product}.",
    }
    if not failures:
        outcome.warn(f"database: {finding.message}. {finding.remedy}." for finding in findings if finding.result != vocabulary.OK)
        if not verified:
            outcome.warn([f"whether the CA certificate verifies the database {host} could not be determined from this host"])
    remedies = {"certificate": "Use the CA certificate that signed it. To also keep the current one, set mode=add", "tls": "Enable TLS in the database"}
    return [
        _errors.Problem(wanted.option, f"does not verify the database {host}: {finding.message}", remedies.get(finding.check, finding.remedy))
        for finding in failures
    ]


def _put_bundle_back(
    reader: registry_reader.Reader,
    wanted: bundle_plan.WantedBundle,
    live: bundle_plan.LiveBundle,
    made: changeset.Plan,
    own: changeset.Change | None,
    put_off: Collection[str],
    failures: Mapping[str, availability.NotAvailableError],
    outcome: record.Outcome,
) -> list[str]:
    """Put the previous bundle back where no server that was started with the new one is available; what was done, as sentences.

    `own` is the change of the bundle by this run, None where an earlier one changed it.
    """
    removing = next(iter(made.leftovers), None)
    restarted = [name for name, server in live.servers.items() if server.pods and name not in put_off]
    change = own or removing
    if not restarted or change is None or (wanted.adds and removing is None):
        return []
    known = manifests.patched(live.present or {}, own.body if own else {})
    if removing and previous_value.is_put_back(removing, known):
        return []
    reason: str | None = "no registry was available with the previous value either"
    before = previous_value.with_previous(removing, known) if removing else {}
    if removing:
        reason = _reason_to_leave(wanted, live.place.text(before) or "", own is not None, restarted, failures) or rollback.write_back(
            reader, removing, known, outcome, own is not None
        )
    if reason:
        return [rollback.sentence(change, reason, removing)]
    if own:
        outcome.forget((*own.before, *own.after))
    outcome.own["ca"]["certificates"] = [certificate.described() for certificate in certificates.certificates_in(live.place.text(before) or "")]
    return [rollback.sentence(change, None), *(rollback.restart(reader, name, outcome) for name in restarted)]


def _reason_to_leave(
    wanted: bundle_plan.WantedBundle, before: str, is_own: bool, restarted: list[str], failures: Mapping[str, availability.NotAvailableError]
) -> str | None:
    available = [name for name in restarted if name not in failures]
    if available:
        return f"registry {', '.join(map(repr, available))} is available with the new value, and registry {', '.join(map(repr, failures))} is not"
    evidence = [error.verdict.evidence for error in failures.values()]
    if any(map(rollback.AFTER_TLS.search, evidence)):
        return rollback.ACCEPTED
    # Where an earlier run wrote it, the new one may have worked since.
    if not is_own and not any(map(rollback.CA_REFUSED.search, evidence)):
        return rollback.UNPROVEN
    if wanted.database and _tls_failures(_tls_findings(wanted.database, before)):
        return "it does not verify the database"
    return None


def _wait_for_all(
    reader: registry_reader.Reader, live: bundle_plan.LiveBundle, seconds: float, put_off: list[str], outcome: record.Outcome
) -> dict[str, availability.NotAvailableError]:
    """Wait for the registries that read the bundle, all together; those that are not available, by name."""
    outcomes = {registry["metadata"]["name"]: record.Outcome() for registry in live.readers}
    for change in outcome.changes:
        if change["action"] == "restart":
            outcomes[change["name"]].changes.append(change)
    failures: dict[str, availability.NotAvailableError] = {}

    def settled(name: str, verdict: readiness.Verdict, seen: readiness.Observation) -> None:
        if seconds and not verdict.available:
            failures[name] = availability.NotAvailableError(name, verdict, seconds, seen, unchanged=not outcomes[name].changes)

    snapshot = snapshots.Snapshot(reader.cluster, reader.capabilities, reader.namespace)
    with ThreadPoolExecutor(snapshots.THREADS) as pool:
        availability.wait_for_all(snapshot, outcomes, list(outcomes) if seconds else (), seconds, settled, pool)
    for name, own in outcomes.items():
        verdict = {key: own.status[key] for key in ("available", "reason", "evidence", "remedy")}
        shown = {"name": name, **verdict, "restart_needed": name in put_off}
        outcome.own["registries"] = [shown if entry["name"] == name else entry for entry in outcome.own["registries"]]
        outcome.warn(own.warnings)
    return failures
