# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to know of registries at one moment, as far as the account may see it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _errors, _options, _texts
from .._cluster import registry_reader, snapshots
from .._model import custom_resource, desired_state, kinds, live_state, manifests, naming, permissions, server_pods
from .._plan import deletion_plan, dependencies, record, restarts
from .._status import audit, observation, readiness
from . import definition

# What looks at a database takes 80 ms to load, what reads certificates 45 ms, and what asks registries 10 ms: Ansible sends sources only, so that each file
# is compiled in every run that imports it. They are included only where they are asked for, so functions import them.
if TYPE_CHECKING:
    from .._model import certificates

STATUS, PERMISSIONS, CERTIFICATES, DATABASE, SMOKE_TEST = ("status", "permissions", "certificates", "database", "smoke_test")
# The options that select all registries.
ALL = dict.fromkeys(("name", "label_selector", "name_pattern"))
# What separates the names and values of a label selector.
SYNTAX_OF_SELECTORS = re.compile(r"[\s,()=!<>]+")
OF_CLUSTER = (kinds.CLUSTER_ROLE_BINDINGS, kinds.CLUSTER_ROLES)
T = TypeVar("T")


class Collector:
    """Collects what is asked for: `result`. What may not be read is missing in it, and a warning says so."""

    def __init__(self, survey: snapshots.Survey, options: Mapping[str, Any], outcome: record.Outcome) -> None:
        self._survey, self._options, self._included, self._outcome = survey, options, frozenset(options["include"]), outcome
        self._now = datetime.now(timezone.utc)
        self._bundles: dict[tuple[str, desired_state.KeyReference], list[manifests.Manifest] | None] = {}
        self._readers: dict[tuple[str, desired_state.KeyReference], list[str]] = {}

    def result(self) -> manifests.Manifest:
        """Everything. ClusterError when the registries may not be read, or a request is not answered; InputError for a selector that is none."""
        name, survey = self._options["name"], self._survey
        selected, skipped = self._selected()
        if DATABASE in self._included:
            self._need_database_libraries(selected)
        if CERTIFICATES in self._included:
            from .._model import certificates

            if not certificates.HAS_CRYPTOGRAPHY:
                raise _errors.MissingLibraryError(["cryptography"])
        if selected:
            survey.load_all(self.loads())
        registries = [definition.exported(survey, registry, PERMISSIONS in self._included, self._seen, self._outcome) for registry in selected]
        # Ansible takes `skipped` in a result to mean that the whole task was.
        found: manifests.Manifest = {"registries": registries, "skipped_registries": skipped, "cluster": self._outcome.cluster}
        if name and not self._options["label_selector"] and not survey.registries():
            names = registry_reader.names_of(lambda: survey.names(survey.capabilities.api, survey.namespace))
            found["not_found"] = naming.not_found(name, survey.namespace, names)
        if self._included & {STATUS, SMOKE_TEST}:
            self._each(self._add_status, selected, registries)
        if PERMISSIONS in self._included:
            found["access_by_other_roles"] = self._add_access(selected, registries)
            found["groups"] = self._groups(
                [*found["access_by_other_roles"], *(one for shown in registries for one in shown.get("status", {}).get("access", ()))]
            )
        if CERTIFICATES in self._included:
            for registry, shown in zip(selected, registries):
                status = shown.setdefault("status", {})
                status["certificates"], status["unread_certificates"] = self._expiring(registry)
            self._warn_of_certificates()
        if DATABASE in self._included:
            self._each(self._add_database, selected, registries)
        if SMOKE_TEST in self._included:
            self._each(self._add_smoke_test, selected, registries)
            from .._rest import smoke_test

            self._outcome.warn(smoke_test.warnings((shown["name"], shown["status"].get("smoke_test")) for shown in registries))
        return found

    def _selected(self) -> tuple[list[manifests.Manifest], list[manifests.Manifest]]:
        """The registries to tell of, and why others are skipped, by name."""
        try:
            live = self._survey.registries()
        except _errors.ClusterError as error:
            if error.status != _errors.BAD_REQUEST or self._options["label_selector"] is None:
                raise
            selector = self._options["label_selector"]
            # The API server repeats it.
            said = f": {error}" if _texts.may_repeat(SYNTAX_OF_SELECTORS.split(selector)) else ""
            remedy = "Use the syntax of kubectl, such as team=fraud,stage!=test"
            raise _errors.InputError([_errors.Problem("label_selector", f"is not a valid label selector{said}", remedy, selector)]) from None
        if not live:
            registry_reader.need_namespace(self._survey.cluster, self._survey.namespace, self._outcome.warn_of)
        pattern = self._options["name_pattern"] or "*"
        selected, skipped = [], []
        for registry in sorted(live, key=lambda found: str(found["metadata"]["name"])):
            name = registry["metadata"]["name"]
            if not fnmatch.fnmatchcase(name, pattern):
                continue
            # No list of registries can name one whose name a new registry could not have.
            reason = " ".join(problem.sentence() for problem in naming.name_problems(name))
            if deletion_plan.is_going(registry):
                why = deletion_plan.why_not_deleted(registry, self._survey.serves(kinds.HTTP_ROUTES))
                reason = f"was marked for deletion on {registry['metadata']['deletionTimestamp']}: {why}"
            if reason:
                skipped.append({"name": name, "reason": reason})
            else:
                selected.append(registry)
        return selected, skipped

    def loads(self) -> list[Callable[[], object]]:
        """The lists that all registries need."""
        survey = self._survey
        of_status: list[Callable[[], object]] = [partial(look, "") for look in (survey.deployment, survey.pods)]
        of_status += [partial(survey.source, kind, "") for kind in kinds.APIS]
        of_permissions = [partial(survey.role_bindings, ()), *(partial(survey.everywhere, api) for api in (kinds.USER_GROUPS, *OF_CLUSTER))]
        return [*(of_status if self._included & {STATUS, SMOKE_TEST} else ()), *(of_permissions if PERMISSIONS in self._included else ())]

    def _each(
        self,
        work: Callable[[manifests.Manifest, manifests.Manifest, record.Outcome], None],
        selected: list[manifests.Manifest],
        registries: list[manifests.Manifest],
    ) -> None:
        """Do this for all registries at the same time. Of warnings that differ only in what they were refused for, the first is given."""
        outcomes = [record.Outcome() for _one in selected]
        with ThreadPoolExecutor(snapshots.THREADS) as pool:
            list(pool.map(work, selected, registries, outcomes))
        first: dict[str, str] = {}
        for outcome in outcomes:
            for warning in outcome.warnings:
                first.setdefault(warning.partition(": ")[0], warning)
        self._outcome.warn(first.values())

    def _seen(self, what: str, api: tuple[str, str], read: Callable[[], T], outcome: record.Outcome | None = None) -> T | None:
        """What is read, or None where the cluster has no such thing, or with a warning where it cannot be read."""
        return registry_reader.advice(self._survey, what, api, read, (outcome or self._outcome).warn_of)

    def _target(self, registry: manifests.Manifest) -> permissions.Target:
        return definition.target_of(registry, self._survey.capabilities)

    # Status

    def _add_status(self, registry: manifests.Manifest, shown: manifests.Manifest, outcome: record.Outcome) -> None:
        survey, name = self._survey, registry["metadata"]["name"]
        deployment = self._seen("the availability of registries", kinds.DEPLOYMENTS, lambda: [survey.deployment(name)], outcome)
        pods = self._seen("the state of the pods of registries", kinds.PODS, lambda: survey.pods(name), outcome)
        seen = readiness.Observation(registry, deployment[0] if deployment else None, pods or ())
        verdict = readiness.judge(seen)
        if deployment is not None and not verdict.available and readiness.needs_explanation(seen):
            seen = observation.explained(survey, seen, outcome)
            verdict = readiness.judge(seen)
        elif deployment is not None and not verdict.available and pods is None:
            verdict = readiness.Verdict(False, "the reason is not known, because its pods cannot be read")
        status = observation.status_of(seen, verdict)
        if deployment is None:
            status.update(available=None, reason="its Deployment cannot be read", evidence=None, remedy=None)
        observation.complete_address(survey, name, status, outcome.warn_of)
        pod = server_pods.newest_pod(seen.pods)
        started = None if pod is None else server_pods.server_start(pod)
        live = live_state.Live(survey.capabilities, registry, deployment=seen.deployment, pods=seen.pods)
        server = None if deployment is None or pods is None else live
        sources = [self._source(kind, source, keys, server, outcome) for (kind, source), keys in _sources(registry).items()]
        shown["status"] = {
            **status,
            "api_version": survey.capabilities.api[0],
            **server_pods.image(pod),
            "started_at": None if started is None else manifests.time_text(started),
            "sources": sources,
            "restart_needed": _any(source["restart_needed"] for source in sources),
        }

    def _source(self, kind: str, name: str, keys: Iterable[str], live: live_state.Live | None, outcome: record.Outcome) -> manifests.Manifest:
        """What a registry reads; `live` is None where its server could not be seen."""
        found = self._seen(f"the age of the {kind}s that registries use", kinds.APIS[kind], lambda: [self._survey.source(kind, name)], outcome)
        source = found[0] if found else None
        read = list(keys)
        changed = None if source is None else restarts.changed_at(source, read)
        return {
            "kind": kind,
            "name": name,
            "read_keys": read,
            "exists": None if found is None else source is not None,
            "changed_at": None if changed is None else manifests.time_text(changed),
            "age": None if changed is None else max(0, int((self._now - changed).total_seconds())),
            "restart_needed": None if live is None or found is None else source is not None and restarts.is_outdated(live, [(source, read)]),
        }

    # Access

    def _add_access(self, selected: list[manifests.Manifest], registries: list[manifests.Manifest]) -> list[manifests.Manifest]:
        """Who has access to each registry; returned are those who have access to all of them by rights that are not a registry's."""
        survey = self._survey
        own_roles = {self._target(registry).role for registry in survey.registries()}
        what = "access to registries through permissions for the whole namespace or cluster"
        of_namespace = self._seen("access to registries", kinds.ROLE_BINDINGS, lambda: survey.other_bindings(own_roles)) or []
        is_bound = any(binding["roleRef"]["kind"] == "Role" for binding in of_namespace)
        roles = (self._seen(what, kinds.ROLES, survey.roles) or []) if is_bound else []
        of_cluster, cluster_roles = (self._seen(what, api, partial(survey.everywhere, api)) or [] for api in OF_CLUSTER)
        others = audit.access_by_other_roles(of_namespace, roles, of_cluster, cluster_roles, own_roles)
        exposed = []
        for registry, shown in zip(selected, registries):
            target = self._target(registry)
            if "permissions" in shown:
                access = audit.access_of(target, survey.role_bindings(target.roles), others)
                shown.setdefault("status", {})["access"] = access
                if any(entry["everybody"] and entry["effective"] for entry in access):
                    exposed.append(target.name)
        for_all = [other.entry for other in others if other.services is None]
        if exposed:
            self._outcome.warn([f"a group with nearly all users, such as system:authenticated, has access to registry {_texts.names_of(exposed)}"])
        through = [f"{entry['through_kind']} {entry['through']!r}" for entry in for_all if entry["everybody"]]
        if through:
            named = _texts.names_of(dict.fromkeys(through))
            self._outcome.warn([f"a group with nearly all users has access to all registries in namespace {survey.namespace!r}, through {named}"])
        return for_all

    def _groups(self, access: Iterable[manifests.Manifest]) -> list[manifests.Manifest] | None:
        """The users of the groups with access. None where the account may not list Groups, or the cluster has none: their users are known elsewhere."""
        listed = self._seen("the members of the groups of registries", kinds.USER_GROUPS, lambda: self._survey.everywhere(kinds.USER_GROUPS))
        return None if listed is None else audit.groups_of(access, listed)

    # Certificates

    def _expiring(self, registry: manifests.Manifest) -> tuple[list[manifests.Manifest], list[str]]:
        """The certificates that a registry reads, of the CA, and its own for the database, and the objects that could not be read."""
        section = custom_resource.live_database(registry)
        read = [("ca", kind, section.get(key)) for kind, key in custom_resource.CA_KEYS.items()]
        read.append(("client", "Secret", section.get(custom_resource.CERTIFICATE_KEYS[0])))
        found: list[manifests.Manifest] = []
        unread = []
        for use, kind, held in read:
            if held:
                place = kind, desired_state.KeyReference(held["name"], held["key"])
                self._readers.setdefault(place, []).append(registry["metadata"]["name"])
                described = {"use": use, "kind": kind, "name": held["name"], "key": held["key"]}
                bundle = self._bundle(place)
                found += [{**described, **certificate} for certificate in bundle or ()]
                unread += [f"{kind} {held['name']}"] if bundle is None else []
        return found, unread

    def _bundle(self, place: tuple[str, desired_state.KeyReference]) -> list[manifests.Manifest] | None:
        """The certificates of a key of a ConfigMap or Secret, read once however many registries use it; None when it cannot be read."""
        from .._model import certificates

        if place not in self._bundles:
            kind, reference = place
            held = self._seen(f"the certificates in {kind}s", kinds.APIS[kind], lambda: [self._survey.held(kind, reference.name)])
            text = manifests.text_of(kind, held[0], reference.key) if held else None
            self._bundles[place] = None if held is None else [self._described(certificate) for certificate in certificates.certificates_in(text or "")]
        return self._bundles[place]

    def _described(self, certificate: certificates.Certificate) -> manifests.Manifest:
        days_left = (certificate.not_after - self._now).days
        expired = certificate.not_after < self._now
        return {**certificate.described(), "days_left": days_left, "expired": expired, "expires_soon": not expired and days_left < self._options["expiry_days"]}

    def _warn_of_certificates(self) -> None:
        for (kind, reference), names in self._readers.items():
            ended = [
                f"{certificate['subject']!r} ({'expired' if certificate['expired'] else 'expires'} on {certificate['not_after']})"
                for certificate in self._bundles[kind, reference] or ()
                if certificate["expired"] or certificate["expires_soon"]
            ]
            if ended:
                self._outcome.warn(
                    [f"certificates in {kind} {reference.name!r}, key {reference.key!r}, used by {_texts.names_of(map(repr, names))}: {_texts.names_of(ended)}"]
                )

    # Databases

    def _need_database_libraries(self, selected: Iterable[manifests.Manifest]) -> None:
        from .._database import connection

        kinds = {custom_resource.live_type(registry) for registry in selected} - {None, _options.GENERATED}
        missing = dict.fromkeys(library for kind in sorted(map(str, kinds)) for library in connection.missing_libraries(kind))
        if missing:
            raise _errors.MissingLibraryError(missing)

    def _add_database(self, registry: manifests.Manifest, shown: manifests.Manifest, outcome: record.Outcome) -> None:
        """What a look at the registry's database finds, as `model_registry_database_info` returns it."""
        from .._database import resolution, vocabulary

        status = shown.setdefault("status", {})
        status["database"] = None
        # The product's own database is reachable in the cluster only.
        if custom_resource.live_type(registry) in (None, _options.GENERATED):
            return
        what = "the state of the databases of registries"
        looked = self._seen(what, kinds.APIS["Secret"], lambda: resolution.look_at(registry, resolution.reads(self._survey.held)), outcome)
        if looked is not None:
            _view, report = looked
            status["database"] = {"usable": report.usable, **report.facts(), "findings": vocabulary.as_results(report.findings)}

    # Registries

    def _add_smoke_test(self, _registry: manifests.Manifest, shown: manifests.Manifest, _outcome: record.Outcome) -> None:
        """What an available registry answers at its public address."""
        from .._rest import smoke_test

        status = shown["status"]
        if status["available"]:
            answer = smoke_test.ask_registry(self._survey, status["address"], self._options["smoke_test_domains"])
            status["smoke_test"] = answer.as_result()


def _sources(registry: manifests.Manifest) -> dict[tuple[str, str], list[str]]:
    """The keys of the ConfigMaps and Secrets that a registry's server reads for its database, by their kind and name."""
    section = custom_resource.live_database(registry)
    found: dict[tuple[str, str], list[str]] = {}
    for reference in dependencies.references_of(registry, registry):
        found.setdefault(reference.object, []).extend(reference.keys)
    if custom_resource.live_type(registry) == _options.GENERATED:
        made = custom_resource.GeneratedDatabase(manifests.name_of(registry)).password_secret
        found["Secret", made.name] = [made.key]
    for kind, key in zip(custom_resource.CA_KEYS, custom_resource.CA_DIRECTORIES):
        if section.get(key):
            found.setdefault((kind, section[key]), [])
    return found


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Whether one of them is true; None where that cannot be told."""
    known = set(answers)
    return True if True in known else None if None in known else False
