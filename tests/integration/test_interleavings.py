"""Two runs at once, one of them stopped before each of its requests while the other goes by; and runs that are killed after each of their writes.

Those that take more than 20 s have a registry of its own for each stop, with all that the operator makes of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import authorization, removal
from sandbox import faults
from sandbox.layout import Layout
from tests.helpers import REGISTRIES, until
from tests.interleaving import CLUSTER_ROLE_BINDINGS, CONFIG_MAPS, SECRETS, Ended, Room, Sent, Work, in_room, permission, registries, registry

KEY = "database-password"
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def room(layout: Layout, tmp_path: Path) -> Iterator[Room]:
    with in_room(layout, tmp_path) as made:
        yield made


# Two runs


@pytest.mark.usefixtures("without_pods")
def test_a_creation_and_a_deletion_of_what_was_left_of_the_same_name_lose_nothing(room: Room) -> None:
    def prepared(number: int) -> tuple[Work, Work]:
        # A killed creation has left a Secret and a ConfigMap.
        assert room.process.killed_after(room.create(number), 2)
        return room.create(number), room.delete(number)

    ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared)]
    assert {True, False} == set(ends)


@pytest.mark.usefixtures("without_pods")
def test_a_deletion_of_what_was_left_and_a_creation_of_the_same_name_lose_nothing(room: Room) -> None:
    def prepared(number: int) -> tuple[Work, Work]:
        assert room.process.killed_after(room.create(number), 2)
        return room.delete(number), room.create(number)

    ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared)]
    assert ends[-1] is True


@pytest.mark.usefixtures("without_pods")
def test_a_purge_and_a_creation_of_the_same_name_lose_nothing(room: Room) -> None:
    def prepared(number: int) -> tuple[Work, Work]:
        room.process.run(room.delete(number - 1, wait=False))
        room.do(room.create(number))
        # By another process, which leaves the Secret, the ConfigMap and the ClusterRoleBinding.
        room.cluster.delete(*REGISTRIES, room.name(number))
        until(lambda: room.cluster.registry(room.name(number)) is None)
        return room.purge(number), room.create(number)

    for number, purging, creating in room.interleaved(prepared):
        # Before it has read the registries it knows no better.
        is_deleted = ("delete", "ModelRegistry") in [(change["action"], change["kind"]) for change in purging.outcome.changes]
        assert creating.error is None and room.check(number, purging, creating) is not is_deleted


@pytest.mark.usefixtures("without_pods")
def test_two_creations_of_the_same_registry_make_one(room: Room) -> None:
    for number, one, other in room.interleaved(lambda number: (room.create(number), room.create(number)), writes=1):
        assert one.error is None and other.error is None and room.check(number, one, other)
        assert [change["kind"] for run in (one, other) for change in run.outcome.changes].count("ModelRegistry") == 1
        assert room.do(room.create(number)).writes == 0


@pytest.mark.parametrize("first", ["rotation", "edit"])
def test_a_rotation_beside_an_edit_takes_effect(room: Room, first: str) -> None:
    room.do(room.create(1, wait=True))
    room.numbers = 1
    [secret] = room.held(SECRETS, 1)

    def prepared(number: int) -> tuple[Work, Work]:
        rotation = registry(name=room.name(1), wait=False, database={"password": f"word-{number}"})
        edit = registry(name=room.name(1), wait=False, description=f"Edit {number}")
        return (rotation, edit) if first == "rotation" else (edit, rotation)

    for number, one, other in room.process.interleaved(prepared):
        assert one.error is None and other.error is None, (one.error, other.error)
        assert room.cluster.get(*SECRETS, secret)["data"][KEY] == manifests.encoded(f"word-{number}")
        assert room.cluster.registry(room.name(1))["metadata"]["annotations"]["openshift.io/description"] == f"Edit {number}"
        # The server was restarted for it, whoever did that.
        assert room.do(registry(name=room.name(1), wait=False)).writes == 0


def test_an_edit_that_gives_a_password_up_beside_one_that_returns_to_it_leaves_a_complete_registry(room: Room) -> None:
    vault = f"{room.prefix}-vault"
    room.cluster.create(*SECRETS, {"metadata": {"name": vault}, "stringData": {"pw": room.mysql["password"]}})

    def prepared(number: int) -> tuple[Work, Work]:
        room.do(room.create(number))
        [secret] = room.held(SECRETS, number)
        away = registry(name=room.name(number), wait_timeout=60, database={"password_secret": {"name": vault, "key": "pw"}})
        back = registry(name=room.name(number), wait=False, database={"password_secret": {"name": secret, "key": KEY}})
        return away, back

    try:
        ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared, writes=1)]
        assert set(ends) == {True}
    finally:
        room.cluster.delete(*SECRETS, vault)


def test_members_from_two_runs_are_all_members(room: Room) -> None:
    room.do(room.create(1, wait=True))
    room.numbers = 1

    def prepared(number: int) -> tuple[Work, Work]:
        one, other = (permission(name=room.name(1), permissions={"members": [f"{who}-{number}"]}) for who in ("alice", "bob"))
        return one, other

    for number, one, other in room.process.interleaved(prepared):
        assert one.error is None and other.error is None, (one.error, other.error)
        members = room.cluster.get("user.openshift.io/v1", "groups", f"{room.name(1)}-users", None)["users"]
        assert {f"alice-{number}", f"bob-{number}"} <= set(members) and len(members) == len(set(members))


@pytest.mark.usefixtures("without_pods")
def test_nothing_is_deleted_while_it_is_not_known_what_goes_with_it(room: Room) -> None:
    room.numbers = 1
    room.do(room.create(1))
    until(lambda: room.cluster.get(*CLUSTER_ROLE_BINDINGS, f"{room.name(1)}-auth-delegator", None))

    def without(path: str) -> Ended:
        def before(_ended: Ended, request: Sent) -> None:
            if request.verb == "GET" and request.path.endswith(path):
                raise _errors.ClusterError("the API server is broken", 500)

        return room.process.run(room.delete(1), before)

    for path in ("/persistentvolumeclaims", "/secrets", "/configmaps", "/rolebindings", f"/clusterrolebindings/{room.name(1)}-auth-delegator"):
        failed = without(path)
        assert failed.error == "the API server is broken" and failed.writes == 0, path
    # What only a warning tells of does not stop it.
    deleted = without("/inferenceservices")
    assert deleted.error is None and any("InferenceServices that refer to the registry could not be" in warning for warning in deleted.outcome.warnings)


def test_a_registry_that_the_cluster_refuses_leaves_nothing_behind(room: Room) -> None:
    room.numbers = 1

    def refuse(_ended: Ended, request: Sent) -> None:
        if request.verb == "POST" and request.path.endswith("/modelregistries"):
            raise _errors.ClusterError("a policy refuses it", _errors.FORBIDDEN)

    failed = room.process.run(room.create(1), refuse)
    assert failed.error == "a policy refuses it" and failed.writes == 0
    assert room.held(SECRETS, 1) == room.held(CONFIG_MAPS, 1) == []


@pytest.mark.usefixtures("without_pods")
def test_members_that_another_process_takes_away_again_and_again_are_a_failure(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.numbers = 1
    room.do(room.create(1))
    group = ("user.openshift.io/v1", "groups", f"{room.name(1)}-users")
    until(lambda: room.cluster.get(*group, None))
    monkeypatch.setattr(authorization, "SECONDS", 1)

    def before(ended: Ended, request: Sent) -> None:
        # As a sync of groups does, between what was written and what is read back.
        if ended.writes and request.verb == "GET" and request.path.endswith(f"/{group[2]}"):
            room.cluster.merge(*group, {"users": ["carol"]}, None)

    failed = room.process.run(permission(name=room.name(1), permissions={"members": ["alice"]}), before)
    assert failed.error and f"group '{group[2]}' were set, but another process changes them repeatedly" in failed.error and failed.writes > 1
    # Nor is one that is refused for as long as that tried for ever.
    refused = room.process.run(permission(name=room.name(1), permissions={"members": ["bob"]}), overtaken)
    assert refused.error == "the group was changed" and refused.outcome.changes == []


def overtaken(_ended: Ended, request: Sent) -> None:
    if request.writes:
        raise _errors.ClusterError("the group was changed", _errors.CONFLICT)


@pytest.mark.usefixtures("without_pods")
def test_a_wait_that_is_refused_is_told_once_or_with_what_was_refused_of_each_registry(room: Room) -> None:
    room.numbers = 2
    refuses: list[str] = []
    begun: list[Sent] = []

    def fleet(group: str) -> Work:
        names = [room.name(number) for number in (1, 2)]
        return registries(registries=[{"name": name, "database": dict(room.mysql), "permissions": {"groups": [group]}} for name in names], wait_timeout=20)

    def before(_ended: Ended, request: Sent) -> None:
        begun.extend([request] if request.writes else [])
        if begun and request.verb == "GET" and request.path.endswith("/pods"):
            raise _errors.ClusterError("pods cannot be listed", _errors.FORBIDDEN)
        if request.writes and "/rolebindings" in request.path and refuses:
            raise _errors.ClusterError("a policy refuses it", _errors.FORBIDDEN)

    once = room.process.run(fleet("one"), before)
    assert once.error == "pods cannot be listed"
    refuses.append("rolebindings")
    begun.clear()
    both = room.process.run(fleet("two"), before)
    assert both.error and both.error.startswith("2 of 2 registries failed")
    for registry_ in both.outcome.registry["registries"]:
        assert "pods cannot be listed" in registry_["msg"] and "a policy refuses it" in registry_["msg"], registry_


@pytest.mark.usefixtures("without_pods")
def test_it_never_deletes_a_new_registry_that_is_created_under_the_same_name_while_the_previous_registry_is_being_deleted(room: Room) -> None:
    """Nor does either of the two lose anything."""

    def prepared(number: int) -> tuple[Work, Work]:
        room.do(room.create(number))
        return room.delete(number), room.create(number)

    created = set()
    for number, deleting, creating in room.interleaved(prepared):
        is_new = creating.error is None and ("create", "ModelRegistry") in [(change["action"], change["kind"]) for change in creating.outcome.changes]
        # Before its first write it has deleted nothing yet, and deletes the one that both know.
        assert room.check(number, deleting, creating) is is_new
        created.add(is_new)
    assert created == {True, False}


@pytest.mark.usefixtures("without_pods")
def test_a_deletion_spares_a_database_that_was_generated_after_it_looked(room: Room) -> None:
    switched: list[int] = []

    def prepared(number: int) -> tuple[Work, Work]:
        room.do(registry(name=room.name(number), wait=False, database=room.mysql))

        def switch(*_: Any) -> None:
            found = room.cluster.registry(room.name(number))
            if found and "deletionTimestamp" not in found["metadata"]:
                room.cluster.merge(*REGISTRIES, room.name(number), {"spec": {"mysql": None, "postgres": {"generateDeployment": True}}})
                switched.append(number)

        return room.delete(number, wait=False), switch

    for number, deleting, _switching in room.interleaved(prepared):
        found = room.cluster.registry(room.name(number))
        if number in switched:
            assert deleting.error and "delete_data" in deleting.error, (number, deleting.sent)
            assert "deletionTimestamp" not in found["metadata"] and found["spec"]["postgres"]["generateDeployment"]
        else:
            assert deleting.error is None
    assert len(switched) > 3


def test_a_registry_whose_status_is_written_all_the_time_is_deleted(room: Room) -> None:
    room.numbers = 1
    room.do(room.create(1))
    writes_left = 8

    def before(_ended: Ended, request: Sent) -> None:
        nonlocal writes_left
        if request.verb == "DELETE" and request.path.endswith(f"/modelregistries/{room.name(1)}") and writes_left:
            writes_left -= 1
            status = {"conditions": [{"type": "Written", "status": "True", "reason": "Test", "message": str(writes_left), "lastTransitionTime": NOW}]}
            room.cluster.merge(*REGISTRIES, f"{room.name(1)}/status", {"status": status})

    ended = room.process.run(room.delete(1), before)
    assert ended.error is None and writes_left == 0 and room.check(1) is False
    assert room.held(SECRETS, 1) == room.held(CONFIG_MAPS, 1) == []


@pytest.mark.parametrize("kind", ["Secret", "PersistentVolumeClaim"])
def test_a_registry_with_a_generated_database_waits_for_the_end_of_that_of_a_deleted_one(room: Room, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    room.numbers = 1
    name = room.name(1)
    left = (*SECRETS, f"{name}-postgres-credentials") if kind == "Secret" else ("v1", "persistentvolumeclaims", f"{name}-postgres-storage")
    owner = {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "name": name, "uid": str(uuid.uuid4())}
    # The garbage collector deletes it, and the finalizer keeps it until then.
    metadata = {"name": left[2], "ownerReferences": [owner], "finalizers": ["test.example.com/hold"]}
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    content = {"stringData": {"password": "word-of-the-first"}} if kind == "Secret" else {"spec": storage}
    room.cluster.create(left[0], left[1], {"metadata": metadata, **content})
    looks, freed_at = 0, 0

    def before(ended: Ended, request: Sent) -> None:
        nonlocal looks
        # A PersistentVolumeClaim is looked for in a list.
        if request.path.endswith(f"/{left[2] if kind == 'Secret' else left[1]}"):
            looks += 1
            assert ended.writes == 0 or looks > freed_at > 0
            if looks == freed_at:
                room.cluster.merge(*left, {"metadata": {"finalizers": None}})

    for limit, options in (("1 s (wait_timeout).", {"wait_timeout": 1}), ("2 s.", {"wait": False})):
        with monkeypatch.context() as patched:
            patched.setattr(removal, "COLLECTION_SECONDS", 2)
            failed = room.process.run(registry(name=name, database={"type": "generated"}, **options), before)
        assert failed.error and f"{kind} '{left[2]}' of a deleted registry still exists after {limit}" in failed.error, failed.error
        assert failed.writes == 0 and room.cluster.registry(name) is None
    freed_at = looks + 2
    created = room.process.run(registry(name=name, database={"type": "generated"}), before)
    assert created.error is None and created.outcome.status["available"] and looks >= freed_at
    assert [entry["uid"] for entry in room.cluster.get(*left)["metadata"]["ownerReferences"]] == [room.cluster.registry(name)["metadata"]["uid"]]


def test_a_registry_is_waited_for_only_in_what_is_left_of_the_time(layout: Layout, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.numbers = 2
    generated = {"type": "generated"}
    # All of it was needed until nothing was left of a deleted registry. No server starts in the time that a look takes.
    monkeypatch.setattr(removal, "wait_for_collection", lambda _reader, _name, most: most)
    faults.set_switches(layout, pod_delay_seconds=5)
    try:
        one = room.process.run(registry(name=room.name(1), database=generated, wait_timeout=300))
        many = room.process.run(registries(registries=[{"name": room.name(2), "database": generated}], wait_timeout=300))
    finally:
        faults.clear(layout)
    for ended in (one, many):
        assert ended.error and "The wait ended after 300 s (wait_timeout)" in ended.error, ended.error


@pytest.mark.parametrize("way", ["first", "last", "purge", "purge with a wait"])
def test_what_two_registries_use_is_deleted_with_the_last_of_them(room: Room, way: str) -> None:
    room.numbers = 3
    room.do(room.create(1))
    [secret], [bundle] = room.held(SECRETS, 1), room.held(CONFIG_MAPS, 1)
    login = {"password": None, "password_secret": {"name": secret, "key": KEY}, "ca": {"source": "config_map", "name": bundle, "key": "ca.crt"}}
    for number in (2, 3):
        room.do(room.create(number, database={**room.mysql, **login}))
    # That of the first is gone before: nothing is named after a registry that is there.
    room.do(room.delete(1))
    assert room.held(SECRETS, 1) == [secret] and room.held(CONFIG_MAPS, 1) == [bundle]
    if way.startswith("purge"):
        room.do(room.create(1, database={**room.mysql, **login}))
        options = {"wait": way != "purge"}
        foreseen, ended = room.do(room.purge(1, 2, 3, check=True, **options)), room.do(room.purge(1, 2, 3, **options))
        assert sorted(map(str, foreseen.outcome.changes)) == sorted(map(str, ended.outcome.changes))
        assert not {"Secret", "ConfigMap"} & {kept["kind"] for run in (foreseen, ended) for kept in run.outcome.kept}
    else:
        for number in (2, 3) if way == "first" else (3, 2):
            assert room.held(SECRETS, 1) == [secret] and room.held(CONFIG_MAPS, 1) == [bundle]
            room.do(room.delete(number))
    assert room.held(SECRETS, 1) == room.held(CONFIG_MAPS, 1) == []


# Kills


@pytest.mark.parametrize("scenario", ["create", "move", "delete", "purge"])
def test_a_run_that_was_killed_after_any_write_is_completed_by_the_next(room: Room, scenario: str) -> None:
    vault = f"{room.prefix}-vault"
    room.cluster.create(*SECRETS, {"metadata": {"name": vault}, "stringData": {"pw": room.mysql["password"]}})

    def work(number: int) -> Work:
        if scenario == "purge":
            return room.purge(number)
        moved = {"password_secret": {"name": vault, "key": "pw"}}
        works = {"create": room.create(number), "move": room.create(number, wait=True, database=moved), "delete": room.delete(number)}
        return works[scenario]

    kills = 0
    for number in range(1, 20):
        room.numbers = number
        if scenario != "create":
            room.do(room.create(number))
        if not room.process.killed_after(work(number), number):
            break
        kills += 1
        room.do(work(number))
        again = room.process.run(work(number))
        assert again.error is None and again.writes == 0, (number, again.error, again.sent)
        assert room.check(number) is (scenario in ("create", "move"))
        assert len(room.held(SECRETS, number)) == (1 if scenario == "create" else 0)
        assert len(room.held(CONFIG_MAPS, number)) == (1 if scenario in ("create", "move") else 0)
    room.cluster.delete(*SECRETS, vault)
    assert kills >= 2
