"""What is replaced in place stays until what replaces it works."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import preflight, vocabulary
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import desired_state, manifests, ownership
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import changeset, previous_value, record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.changeset import Change, Plan, update
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import rollback

from .builders import LATER, PEM, body, config_map, edited, held, live, planned, pod, secret, secret_name, steps, stored, wanted

KEY = "database-password"
OURS = secret_name(wanted())
LOGIN = "registry@mysql.data.svc:3306/models"
ONE, OTHER = (trustme.CA(organization_name=name).cert_pem.bytes().decode() for name in ("one", "other"))


def holding(password: str, kept: str | None = None, changed_at: str = "2026-05-01T10:00:00Z", manager: str = "modelops.openshift_ai") -> dict[str, Any]:
    """The Secret with a password, and a previous one."""
    made = secret(wanted(), changed_at, password, resourceVersion="7")
    made["metadata"]["managedFields"] = [{"manager": manager, "time": changed_at, "fieldsV1": {"f:data": {f"f:{KEY}": {}}}}]
    if kept is not None:
        made["data"][previous_value.key_of(KEY)] = manifests.encoded(kept)
        made["metadata"]["annotations"] |= {previous_value.LOGIN: LOGIN}
    return made


def rotated(present: dict[str, Any], password: str = "new", available: bool = True, **given: Any) -> Plan:
    return planned(edited(password=password), live(wanted(), {("Secret", OURS): present}, is_available=available, **given))


def removals(made: Plan) -> list[Change]:
    return [change for change in made.leftovers if change.action == "update"]


def test_a_password_that_works_stays_beside_its_replacement() -> None:
    made = rotated(holding("old"))
    assert steps(made) == [("update", "Secret"), ("restart", "Deployment")]
    written = body(made, "Secret")
    assert {key: manifests.decoded(written, key) for key in written["data"]} == {KEY: "new", previous_value.key_of(KEY): "old"}
    assert written["metadata"] == {"resourceVersion": "7", "annotations": {previous_value.LOGIN: LOGIN}}
    assert [(kept["kind"], kept["name"], kept["reason"]) for kept in made.kept] == [("Secret", OURS, previous_value.STILL_KEPT)]
    # Both are one change for people.
    [removal] = removals(made)
    assert removal.result(False) == made.changes[0].result(False)
    assert removal.body["data"] == {previous_value.key_of(KEY): None} and removal.body["metadata"]["annotations"] == {previous_value.LOGIN: None}
    # A Secret has no binary data.
    assert removal.body.keys() == {"metadata", "data"}


def test_a_password_that_does_not_work_is_not_kept() -> None:
    made = rotated(holding("old"), available=False)
    assert list(body(made, "Secret")["data"]) == [KEY] and removals(made) == [] and made.kept == ()


@pytest.mark.parametrize(
    ("available", "changed_at", "kept"),
    [
        (True, "2026-05-01T10:00:00Z", "second"),
        # The server has not read it, or is not available with it.
        (True, LATER, "first"),
        (False, "2026-05-01T10:00:00Z", "first"),
    ],
)
def test_a_previous_password_is_replaced_only_by_one_that_works(available: bool, changed_at: str, kept: str) -> None:
    present = holding("second", "first", changed_at)
    made = rotated(present, "third", available, pods=(pod("2026-05-01T10:00:05Z"),))
    after = manifests.patched(present, body(made, "Secret"))
    assert (manifests.decoded(after, KEY), manifests.decoded(after, previous_value.key_of(KEY))) == ("third", kept)
    assert len(removals(made)) == 1


@pytest.mark.parametrize(
    ("available", "before", "kept"),
    [
        # That one of several servers works with a value is reason enough to keep it, and that one does not to keep the previous one.
        ((True, False), None, "second"),
        ((False, True), None, "second"),
        ((False, False), None, None),
        ((True, True), "first", "second"),
        ((True, False), "first", "first"),
        ((False, True), "first", "first"),
    ],
)
def test_a_value_that_several_servers_read_is_kept_for_those_that_work_with_it(available: tuple[bool, ...], before: str | None, kept: str | None) -> None:
    present = holding("second", before)
    change = changeset.update("Secret", ("v1", "secrets"), present, ("pem",), {"data": {KEY: manifests.encoded("third")}})
    servers = [live(wanted(), is_available=one, pods=(pod("2026-05-01T10:00:05Z"),)) for one in available]
    after = manifests.patched(present, previous_value.keeping(change, present, KEY, servers).body)
    assert manifests.decoded(after, previous_value.key_of(KEY)) == kept


def test_a_later_run_removes_what_an_earlier_one_kept() -> None:
    made = planned(edited(), live(wanted(), {("Secret", OURS): holding("secret-word", "old")}, is_available=True))
    assert steps(made) == [] and [removal.name for removal in removals(made)] == [OURS]


def test_a_secret_with_a_previous_password_is_still_ours() -> None:
    assert ownership.owner_of("Secret", holding("new", "old"), "fraud").is_ours
    assert not ownership.owner_of("Secret", manifests.patched(holding("new"), {"data": {"another": "a2V5"}}), "fraud").is_ours


def test_a_previous_value_in_an_object_of_others_is_left() -> None:
    present = holding("secret-word", "old") | {"data": {KEY: "", "another": "", previous_value.key_of(KEY): ""}}
    assert removals(planned(edited(), live(wanted(), {("Secret", OURS): present}))) == []


def test_an_uploaded_ca_that_works_stays_beside_its_replacement() -> None:
    registry = wanted(database__ca={"source": "config_map", "name": "fraud-db-credential", "key": "ca.crt"})
    uploaded = config_map("fraud-db-credential", content=ONE)
    cluster = live(registry, {("ConfigMap", "fraud-db-credential"): uploaded}, is_available=True)
    change = edited(ca={"source": "upload", "pem": OTHER})
    reference = registry.database.ca.reference
    placed = dataclasses.replace(change, database=dataclasses.replace(change.database, ca=dataclasses.replace(change.database.ca, reference=reference)))
    made = planned(placed, cluster)
    assert body(made, "ConfigMap")["data"] == {"ca.crt": OTHER, previous_value.key_of("ca.crt"): ONE}
    [removal] = removals(made)
    assert removal.fields == ("database.ca",) == made.changes[0].fields
    unavailable = planned(placed, dataclasses.replace(cluster, is_available=False))
    assert body(unavailable, "ConfigMap")["data"] == {"ca.crt": OTHER} and removals(unavailable) == []


# Putting back


def test_a_restoration_keeps_the_value_until_it_is_known_to_work_again() -> None:
    present = holding("new", "old")
    removal = previous_value.removal("Secret", present, KEY, "database.password")
    change = previous_value.restoration(removal, present)
    assert change and change.body == {"metadata": {"resourceVersion": "7"}, "data": {KEY: manifests.encoded("old")}}
    back = manifests.patched(present, change.body)
    assert not previous_value.is_put_back(removal, present) and previous_value.is_put_back(removal, back)
    assert previous_value.with_previous(removal, present)["data"] == back["data"]
    assert "old" not in f"{change.before}{change.after}" and change.before != change.after
    assert change.before.keys() == change.after.keys() == {"database.password"}
    assert previous_value.restoration(removal, holding("new")) is None


def test_bytes_are_kept_and_put_back_as_bytes() -> None:
    present = held({"metadata": {"name": "bundle", "namespace": "registries"}, "binaryData": {"ca.crt": "b2xk"}})
    change = Change(
        "update", "ConfigMap", "registries", "bundle", ("pem",), "PATCH", ("v1", "configmaps"), {"data": {"ca.crt": PEM}, "binaryData": {"ca.crt": None}}
    )
    cluster = live(wanted(), is_available=True)
    after = manifests.patched(present, previous_value.keeping(change, present, "ca.crt", [cluster]).body)
    assert after["data"] == {"ca.crt": PEM} and after["binaryData"] == {previous_value.key_of("ca.crt"): "b2xk"}
    restored = previous_value.restoration(previous_value.removal("ConfigMap", after, "ca.crt", "pem"), after)
    assert restored
    back = manifests.patched(after, restored.body)
    assert back["binaryData"] == {"ca.crt": "b2xk", previous_value.key_of("ca.crt"): "b2xk"} and back["data"] == {}


@pytest.mark.parametrize(("part", "other"), [("data", "binaryData"), ("binaryData", "data")])
def test_a_kept_value_is_in_one_part_of_an_object_whichever_held_the_one_before(part: str, other: str) -> None:
    kept = previous_value.key_of("ca.crt")
    present = held({"metadata": {"name": "bundle", "namespace": "registries"}, part: {"ca.crt": "bmV3"}, other: {kept: "b2xk", "note": "bm90ZQ=="}})
    change = changeset.update("ConfigMap", ("v1", "configmaps"), present, ("pem",), {"data": {"ca.crt": PEM}})
    after = manifests.patched(present, previous_value.keeping(change, present, "ca.crt", [live(wanted(), is_available=True)]).body)
    assert after[part][kept] == "bmV3" and after[other].keys() - {"ca.crt"} == {"note"}


@pytest.mark.parametrize(("manager", "is_ours"), [("modelops.openshift_ai", True), ("unknown", False)])
def test_the_last_writer_of_a_key_is_known(manager: str, is_ours: bool) -> None:
    assert previous_value.is_written_by_us(holding("new", "old", manager=manager), KEY) is is_ours


def test_a_key_that_somebody_else_wrote_too_is_not_ours_alone() -> None:
    present = holding("new")
    entries = present["metadata"]["managedFields"]
    other = {**entries[0], "manager": "unknown"}
    present["metadata"]["managedFields"] = [*entries, {**other, "fieldsV1": {"f:data": {"f:other": {}}}}]
    assert previous_value.is_written_by_us(present, KEY)
    present["metadata"]["managedFields"] = [*entries, other]
    assert not previous_value.is_written_by_us(present, KEY)
    for nobody in ([], None):
        present["metadata"]["managedFields"] = nobody
        assert not previous_value.is_written_by_us(present, KEY)


def test_a_previous_value_names_the_login_that_it_belongs_to() -> None:
    registry = stored(wanted())
    assert previous_value.login_of(registry) == LOGIN
    assert previous_value.login_of(stored(wanted(), username="other")) != LOGIN


# Putting it back


REMOVING = previous_value.removal("Secret", holding("new", "old"), KEY, "database.password")
OF_CA = previous_value.removal("ConfigMap", {**config_map(content=ONE), "binaryData": {previous_value.key_of("ca.crt"): "eA=="}}, "ca.crt", "database.ca")


def login(result: str) -> Any:
    """What a look at a database found of the login."""
    findings = [vocabulary.ok("port", "It is open"), vocabulary.Finding("login", result, "x")]
    return SimpleNamespace(report=SimpleNamespace(findings=findings))


@pytest.mark.parametrize(
    ("removing", "evidence", "reason"),
    [
        # What an earlier run has written may have worked since.
        (REMOVING, "", rollback.UNPROVEN),
        (REMOVING, "x509: certificate signed by unknown authority", rollback.UNPROVEN),
        *((REMOVING, text, None) for text in ("Error 1045 (28000)", "Error 1698 (28000)", "SQLSTATE 28P01", "password authentication failed")),
        *((REMOVING, text, rollback.ACCEPTED) for text in ("Error 1049 (42000)", "SQLSTATE 42501", "Dirty database version 5", "Error 1045 x Error 1049 y")),
        (OF_CA, "", rollback.UNPROVEN),
        (OF_CA, "x509: certificate signed by unknown authority", None),
        (OF_CA, "failed to parse SSL CA certificate", None),
        # Who gets as far as a login has a connection.
        (OF_CA, "Error 1045 (28000)", rollback.ACCEPTED),
    ],
)
def test_what_an_earlier_run_replaced_is_put_back_only_where_it_is_seen_to_be_the_cause(removing: Change, evidence: str, reason: str | None) -> None:
    plan: Any = SimpleNamespace(preflight=None)
    assert rollback._reason_to_leave(plan, removing, None, {}, readiness.Verdict(False, evidence=evidence)) == reason


OK, FAILURE, WARNING = vocabulary.OK, vocabulary.FAILURE, vocabulary.WARNING


@pytest.mark.parametrize(
    ("removing", "registry", "before", "now", "reason"),
    [
        (REMOVING, {}, None, None, None),
        (REMOVING, {"spec": {}}, login(OK), login(FAILURE), rollback.ACCEPTED),
        (REMOVING, {"spec": {}}, login(FAILURE), login(OK), None),
        (REMOVING, {"spec": {}}, login(FAILURE), login(WARNING), None),
        (REMOVING, {"spec": {}}, login(FAILURE), login(FAILURE), "the database rejects it"),
        (REMOVING, {"spec": {}}, login(FAILURE), None, None),
        # Of a registry that was not there before, and of a CA, the look says nothing.
        (REMOVING, {}, login(OK), login(FAILURE), None),
        (OF_CA, {"spec": {}}, login(OK), login(FAILURE), None),
    ],
)
def test_what_this_run_replaced_is_put_back_unless_the_database_wants_it_no_more(
    monkeypatch: pytest.MonkeyPatch, removing: Change, registry: dict[str, Any], before: Any, now: Any, reason: str | None
) -> None:
    contents: list[Any] = []

    def look(_reader: Any, _resource: Any, _objects: Any, held: Any) -> Any:
        contents.append(held)
        return now

    monkeypatch.setattr(preflight, "look_before", look)
    plan: Any = SimpleNamespace(preflight=before, reader=SimpleNamespace(fresh=None))
    entry: Any = SimpleNamespace(before=SimpleNamespace(registry=registry))
    assert rollback._reason_to_leave(plan, removing, entry, holding("new", "old"), readiness.Verdict(False)) == reason
    # With the password that was there before.
    assert [manifests.decoded(held["Secret", OURS], KEY) for held in contents] == ["old"] * len(contents)


class Holder:
    """A reader of one Secret as it is now."""

    cluster = None

    def __init__(self, present: Any) -> None:
        self._present = present

    @property
    def fresh(self) -> Any:
        return self

    def held(self, _kind: str, _name: str) -> Any:
        if isinstance(self._present, Exception):
            raise self._present
        return self._present


def with_login(present: dict[str, Any], of: str) -> dict[str, Any]:
    present["metadata"]["annotations"][previous_value.LOGIN] = of
    return present


REFUSED = _errors.ClusterError("changing secrets failed: the API server responded with 403: no.", _errors.FORBIDDEN)


@pytest.mark.parametrize(
    ("present", "is_own", "reason"),
    [
        (holding("new", "old"), True, None),
        (holding("new", "old"), False, None),
        (holding("new", "old", manager="other"), True, None),
        (holding("new", "old", manager="other"), False, rollback.CHANGED_SINCE),
        (holding("newer", "old"), True, rollback.CHANGED_SINCE),
        (holding("new"), True, rollback.CHANGED_SINCE),
        (None, True, rollback.CHANGED_SINCE),
        (with_login(holding("new", "old"), "other@host:1/db"), True, "it belongs to another user or database (other@host:1/db)"),
        (REFUSED, True, "changing secrets failed: the API server responded with 403: no"),
    ],
)
def test_only_what_is_still_as_it_was_written_is_put_back(monkeypatch: pytest.MonkeyPatch, present: Any, is_own: bool, reason: str | None) -> None:
    sent: list[Change] = []
    monkeypatch.setattr(rollback.writes, "send", lambda _cluster, change, dry_run: sent.append(change) if not dry_run else pytest.fail("a dry run"))
    outcome, reader = record.Outcome(), Holder(present)
    given: Any = reader
    assert rollback.write_back(given, REMOVING, holding("new", "old"), outcome, is_own, LOGIN) == reason
    assert [manifests.decoded(change.body, KEY) for change in sent] == ([] if reason else ["old"])
    # That a run takes back what it did itself is no change of it.
    assert len(outcome.changes) == (reason is None and not is_own)


def test_a_previous_value_whose_login_nobody_knows_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback.writes, "send", lambda *_arguments: None)
    reader: Any = Holder(with_login(holding("new", "old"), "other@host:1/db"))
    assert rollback.write_back(reader, REMOVING, holding("new", "old"), record.Outcome(), True) is None


def test_what_was_put_back_and_where_the_rest_is_is_said() -> None:
    change = update("Secret", ("v1", "secrets"), holding("new"), ("database.password",), {})
    bundle = update("ConfigMap", ("v1", "configmaps"), config_map(), ("database.ca",), {})
    assert rollback.sentence(change, None) == f"The previous password was restored in Secret {OURS!r}."
    assert rollback.sentence(bundle, "x") == "The previous CA certificate was not restored in ConfigMap 'bundle': x."
    kept = f" It remains in the key {previous_value.key_of(KEY)}."
    assert rollback.sentence(change, "x", REMOVING) == f"The previous password was not restored in Secret {OURS!r}: x.{kept}"
    assert rollback.sentence(change, rollback.CHANGED_SINCE, REMOVING).endswith(f": {rollback.CHANGED_SINCE}.")


@pytest.mark.parametrize("error", [None, REFUSED])
def test_a_restart_for_what_was_put_back_is_said_and_noted(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    def send(_cluster: Any, _change: Change, dry_run: bool) -> None:
        assert not dry_run
        if error:
            raise error

    monkeypatch.setattr(rollback.writes, "send", send)
    outcome = record.Outcome()
    reader: Any = SimpleNamespace(namespace="registries", cluster=None, fresh=SimpleNamespace(deployment=lambda _name: None))
    said = rollback.restart(reader, "fraud", outcome)
    assert said == (f"The server of registry 'fraud' could not be restarted: {error}" if error else "The server of registry 'fraud' is being restarted.")
    assert [change["action"] for change in outcome.changes] == ([] if error else ["restart"])


BEFORE = {"metadata": {"name": "fraud", "namespace": "registries", "resourceVersion": "1"}, "spec": {"mysql": {"username": "one", "host": "db"}}}
WRITTEN = {"metadata": {"name": "fraud", "namespace": "registries", "resourceVersion": "2"}, "spec": {"mysql": {"username": "two", "host": "db"}}}
CONFLICT = _errors.ClusterError("changed", _errors.CONFLICT)


@pytest.mark.parametrize(
    ("present", "answers", "said", "tries"),
    [
        (WRITTEN, [BEFORE], "The {} were also restored, and the operator restarts the server.", 1),
        # The operator writes the status all the time.
        (WRITTEN, [CONFLICT, CONFLICT, CONFLICT, BEFORE], "The {} were also restored, and the operator restarts the server.", 4),
        (WRITTEN, [CONFLICT] * 5, "The {} were not restored: changed", 4),
        (WRITTEN, [REFUSED], f"The {{}} were not restored: {REFUSED}", 1),
        ({**WRITTEN, "spec": {"mysql": {"username": "three"}}}, [], "The {} were not restored: another process has changed them since.", 0),
    ],
)
def test_settings_that_belong_to_a_password_are_put_back_with_it(
    monkeypatch: pytest.MonkeyPatch, present: dict[str, Any], answers: list[Any], said: str, tries: int
) -> None:
    sent: list[Change] = []

    def send(_cluster: Any, change: Change, dry_run: bool) -> Any:
        sent.append(change)
        answer = answers[len(sent) - 1]
        if isinstance(answer, Exception):
            raise answer
        assert not dry_run
        return answer

    monkeypatch.setattr(rollback.writes, "send", send)
    # What is not of the database stays changed.
    patch = {"spec": {"mysql": {"username": "two"}, "rest": {"image": "x"}}}
    change = update("ModelRegistry", ("v1", "modelregistries"), BEFORE, ("description", "database.username"), patch)
    outcome = record.Outcome(before={"database.username": "one", "description": "x"}, after={"database.username": "two", "description": "y"})
    reader = SimpleNamespace(cluster=None, fresh=SimpleNamespace(registry=lambda _name: present))
    request = SimpleNamespace(wanted=SimpleNamespace(name="fraud"), outcome=outcome)
    plan: Any = SimpleNamespace(request=request, reader=reader)
    settings: Any = SimpleNamespace(change=change, before=SimpleNamespace(registry=BEFORE))
    named = "previous settings of registry 'fraud' (database.username)"
    assert rollback._put_settings_back(plan, WRITTEN, settings) == said.format(named)
    assert len(sent) == tries and all(change.body == {"metadata": {"resourceVersion": "2"}, "spec": {"mysql": {"username": "one"}}} for change in sent)
    # What stays changed is shown.
    assert outcome.after.keys() == ({"description"} if "also restored" in said else {"description", "database.username"})
    described: Any = SimpleNamespace(change=dataclasses.replace(change, body={"metadata": {}}), before=settings.before)
    assert rollback._undoing(described) == {}
    reason = rollback._reason_to_leave_settings(plan, WRITTEN, settings)
    assert reason == (None if present is WRITTEN else "another process has changed registry 'fraud' since")


@pytest.mark.parametrize("section", ["mysql", "postgres"])
def test_of_settings_in_two_sections_both_have_to_be_as_they_were_written(section: str) -> None:
    change = update("ModelRegistry", ("v1", "modelregistries"), BEFORE, ("database.type",), {"spec": {"mysql": None, "postgres": {"username": "two"}}})
    written = {"metadata": WRITTEN["metadata"], "spec": {"postgres": {"username": "two"}}}
    present = {**written, "spec": {**written["spec"], section: {"username": "three"}}}
    request = SimpleNamespace(wanted=SimpleNamespace(name="fraud"))
    plan: Any = SimpleNamespace(request=request, reader=SimpleNamespace(fresh=SimpleNamespace(registry=lambda _name: present)))
    settings: Any = SimpleNamespace(change=change, before=SimpleNamespace(registry=BEFORE))
    assert rollback._reason_to_leave_settings(plan, written, settings) == "another process has changed registry 'fraud' since"


# A bundle that several registries read


def unavailable(**evidence: str) -> Any:
    return {name: SimpleNamespace(verdict=readiness.Verdict(False, evidence=text)) for name, text in evidence.items()}


def bundle_of(database: desired_state.Database | None = None) -> Any:
    return SimpleNamespace(database=database)


UNKNOWN_CA = "x509: certificate signed by unknown authority"


@pytest.mark.parametrize(
    ("failures", "is_own", "reason"),
    [
        (unavailable(one="", two=""), True, None),
        (unavailable(one=UNKNOWN_CA), True, "registry 'two' is available with the new value, and registry 'one' is not"),
        # One that got as far as the login proves it for all.
        (unavailable(one=UNKNOWN_CA, two="Error 1045 (28000)"), True, rollback.ACCEPTED),
        (unavailable(one="", two=UNKNOWN_CA), False, None),
        (unavailable(one="", two=""), False, rollback.UNPROVEN),
    ],
)
def test_a_bundle_is_put_back_only_where_it_helps_all(failures: Any, is_own: bool, reason: str | None) -> None:
    assert ca._reason_to_leave(bundle_of(), ONE, is_own, ["one", "two"], failures) == reason


CERTIFICATE, TLS = vocabulary.failure("certificate", "It is not signed by the CA", "x"), vocabulary.failure("tls", "It has no TLS", "x")
EXPIRED, AWAY = vocabulary.failure("expiry", "It has expired", "Renew it"), vocabulary.warning("address", "It cannot be reached", "Go there")


def test_a_previous_bundle_that_does_not_verify_the_database_is_not_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [CERTIFICATE]
    monkeypatch.setattr(ca, "_tls_findings", lambda _database, content: found if content == ONE else pytest.fail("another bundle"))
    wanted_bundle = bundle_of(desired_state.Database(type="mysql", host="db"))
    assert ca._reason_to_leave(wanted_bundle, ONE, True, ["one"], unavailable(one="")) == "it does not verify the database"
    found[:] = [AWAY]
    assert ca._reason_to_leave(wanted_bundle, ONE, True, ["one"], unavailable(one="")) is None


@pytest.mark.parametrize(
    ("findings", "verified", "remedies", "warnings"),
    [
        ([vocabulary.ok("tls", "It has TLS"), vocabulary.ok("certificate", "It is signed")], True, [], []),
        # Of a database that refuses a connection its certificate is not known.
        ([vocabulary.failure("port", "It is closed", "Open it")], None, [], ["It is closed. Open it", "could not be determined from this host"]),
        ([vocabulary.ok("tls", "It has TLS"), AWAY], None, [], ["It cannot be reached. Go there", "could not be determined from this host"]),
        ([CERTIFICATE], False, ["Use the CA certificate that signed it. To also keep the current one, set mode=add"], []),
        ([TLS, EXPIRED], False, ["Enable TLS in the database", "Renew it"], []),
    ],
)
def test_a_bundle_is_compared_with_the_database_that_it_is_for(
    monkeypatch: pytest.MonkeyPatch, findings: list[vocabulary.Finding], verified: bool | None, remedies: list[str], warnings: list[str]
) -> None:
    monkeypatch.setattr(ca, "_tls_findings", lambda _database, _content: findings)
    for kind, product in (("mysql", "only with verify_server_cert"), ("postgresql", "regardless of ssl_mode, but not its host name")):
        outcome = record.Outcome(own={"ca": {}})
        given: Any = SimpleNamespace(database=desired_state.Database(type=kind, host="db"), option="pem")
        problems = ca._proven(given, ONE, outcome)
        assert [(problem.option, problem.remedy) for problem in problems] == [("pem", remedy) for remedy in remedies]
        assert all("does not verify the database db: " in problem.problem for problem in problems)
        told = outcome.own["ca"]["database"]
        assert told["verified"] is verified and product in told["product"] and len(told["findings"]) == len(findings)
        assert len(outcome.warnings) == len(warnings) and all(part in said for part, said in zip(warnings, outcome.warnings))
