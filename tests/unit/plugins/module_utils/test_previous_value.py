"""What is replaced in place stays until what replaces it works."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import manifests, ownership
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import changeset, previous_value
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.changeset import Change, Plan

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
