"""The module that moves a registry to another database, as far as it needs no cluster and no database."""

from __future__ import annotations

import contextlib
import dataclasses
from types import SimpleNamespace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import credentials
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import changeset
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import samples
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import migrate
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import availability, readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import closing, loader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import data_access, move, new_schema

DATABASE = {"type": "mysql", "host": "mysql.example.com", "username": "registry", "password": "word"}
MYSQL = {"host": "mysql.example.com", "port": 3306, "database": "models", "username": "one"}


def wrong(database, **options):
    given = {"name": "models", "namespace": None, "lock_timeout": 60, "wait_timeout": 300, "to": {"database": database}, **options}
    return [problem.option for problem in migrate.input_problems(given)]


@pytest.mark.parametrize(
    ("database", "options", "expected"),
    [
        (DATABASE, {}, []),
        ({"type": "mysql"}, {}, ["to.database.host", "to.database.username", "to.database.password"]),
        ({"type": "generated"}, {}, ["to.database.type"]),
        (DATABASE | {"port": 0}, {}, ["to.database.port"]),
        (DATABASE, {"name": "a/b", "lock_timeout": 0, "wait_timeout": 0}, ["name", "lock_timeout", "wait_timeout"]),
    ],
)
def test_options_are_checked_before_the_cluster_is_asked(database, options, expected):
    assert wrong(database, **options) == expected


def resource(**spec):
    return {"apiVersion": "g/v1", "kind": "ModelRegistry", "metadata": {"name": "models", "namespace": "ns", "uid": "u"}, "spec": spec}


@pytest.mark.parametrize(
    ("after", "same"),
    [
        ({"mysql": MYSQL | {"username": "two", "passwordSecret": {"name": "x", "key": "y"}}}, True),
        ({"mysql": MYSQL | {"database": "others"}}, False),
        ({"mysql": MYSQL | {"port": 3307}}, False),
        ({"postgres": MYSQL}, False),
    ],
)
def test_a_registry_is_in_a_database_by_its_place_alone(after, same):
    assert migrate._is_in(resource(mysql=MYSQL), resource(**after)) is same


def test_other_registries_are_suspects_by_the_type_and_the_name_of_their_database():
    states = {
        "same": MYSQL,
        "elsewhere": MYSQL | {"host": "10.0.0.1"},
        "behind-a-proxy": MYSQL | {"host": "proxy", "port": 3307},
        "others": MYSQL | {"host": "10.0.0.1", "database": "others"},
    }
    others = [resource(mysql=state) | {"metadata": {"name": name}} for name, state in states.items()]
    others.append(resource(postgres=MYSQL | {"host": "10.0.0.1"}) | {"metadata": {"name": "target"}})
    here, there = resource(mysql=MYSQL), resource(postgres=MYSQL)
    found = [(side.option, other["metadata"]["name"]) for side, other in migrate.suspects(here, there, [here, *others])]
    assert found == [("name", "elsewhere"), ("name", "behind-a-proxy"), ("to.database", "target")]
    made = resource(postgres={"generateDeployment": True})
    assert [side.option for side, _other in migrate.suspects(made, here, others)] == ["to.database"] * 2


def test_a_database_that_another_registry_uses_is_neither_closed_nor_filled():
    here, there = resource(mysql=MYSQL), resource(postgres=MYSQL)
    one, two, made = (
        state | {"metadata": {"name": name}} for name, state in (("one", here), ("two", there), ("made", resource(postgres={"generateDeployment": True})))
    )
    found = {problem.option: problem.problem for problem in migrate.shared_problems(here, there, [here, one, two, made])}
    assert "'one'" in found["name"] and "'two'" in found["to.database"]
    assert migrate.shared_problems(here, there, [here, made]) == []
    generated = resource(postgres={"generateDeployment": True})
    assert migrate.shared_problems(generated, there, [generated, made]) == []


def test_another_registry_with_the_name_of_the_temporary_one_is_found_before_anything_is_written():
    mine, other = resource(mysql=MYSQL), {"metadata": {"name": "x"}}
    assert new_schema.problems(mine, None) == new_schema.problems(mine, {"metadata": {"ownerReferences": [{"uid": "u"}]}}) == []
    assert [problem.option for problem in new_schema.problems(mine, other)] == ["name"]


def test_what_was_changed_through_the_api_meanwhile_is_no_difference():
    one, newer, other = ({"id": "1", "name": name, "lastUpdateTimeSinceEpoch": time} for name, time in (("a", "5"), ("b", "6"), ("b", "5")))
    assert samples.changed({"x/1": one}, {"x/1": one, "x/2": other}) == []
    assert samples.changed({"x/1": one}, {"x/1": newer}) == []
    assert samples.changed({"x/1": one}, {"x/1": other}) == samples.changed({"x/1": one}, {}) == ["x/1"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("8.0.21-commercial", False),
        ("8.0.22", True),
        ("8.4.0-log", True),
        ("10.0.0", True),
        ("5.7.44", False),
        ("10.11.6-MariaDB-0+deb12u1", False),
        ("5.5.5-10.11.6-MariaDB", False),
        ("of our own", False),
    ],
)
def test_only_newer_servers_of_mysql_have_databases_that_are_read_only(version, expected):
    assert closing.has_read_only(version) is expected


def test_the_secret_of_each_database_has_a_name_of_its_own_that_is_found_again():
    names = [credentials.secret_name("ns", "models", database) for database in ("", "mysql/a", "mysql/b", "mysql/a")]
    assert len(set(names)) == 3 and names[1] == names[3] and all(name.startswith("models-db-") for name in names)


def test_the_temporary_registry_uses_the_new_database_with_the_same_image_and_goes_with_its_registry():
    reader = SimpleNamespace(namespace="ns", capabilities=SimpleNamespace(api_version="v1beta1", authentication="kubeRBACProxy", api=("g/v1beta1", "x")))
    after = resource(postgres=MYSQL, rest={"image": "one", "serviceRoute": "enabled"}, kubeRBACProxy={"domain": "d"})
    body = new_schema.creation(reader, resource(mysql=MYSQL), after).body
    assert body["spec"] == {"kubeRBACProxy": {}, "grpc": {}, "rest": {"image": "one"}, "postgres": MYSQL}
    assert body["metadata"]["ownerReferences"][0]["uid"] == "u"
    long = resource(mysql=MYSQL) | {"metadata": {"name": "m" * 48, "uid": "u"}}
    assert body["metadata"]["name"] == new_schema.temporary_name(resource(mysql=MYSQL)) != "models" and len(new_schema.temporary_name(long)) <= 48


def test_a_new_database_that_is_written_to_while_the_previous_one_is_put_back_stays_the_registrys(monkeypatch):
    """A server can become available just after the time to wait for it."""
    before, after = resource(mysql=MYSQL), resource(postgres=MYSQL)
    cluster = [after]
    change = changeset.Change("update", "ModelRegistry", "ns", "models", (), "PATCH", ("g/v1", "x"), {"spec": {"mysql": None, "postgres": MYSQL}})

    def send(_cluster, written, _check_mode):
        spec = {**cluster[0]["spec"], **written.body["spec"]}
        cluster[0] = resource(**{key: value for key, value in spec.items() if value is not None})
        return cluster[0]

    def take_back():
        assert cluster[0]["spec"] == before["spec"]
        raise loader.ChangedError("The database has been written to")

    monkeypatch.setattr(migrate.writes, "send", send)
    moving = object.__new__(migrate.Migration)
    moving._reader = SimpleNamespace(cluster=None, fresh=SimpleNamespace(registry=lambda _name: cluster[0]))
    moving._resource, moving._after, moving._options = before, after, {"name": "models"}
    moving._plan = SimpleNamespace(made=SimpleNamespace(changes=[change]))
    error = _errors.ReportedError("not available.")
    moving._take_back(SimpleNamespace(prove_target_unchanged=lambda: None, take_back=take_back), error)
    assert cluster[0]["spec"] == after["spec"] and "keeps the new database" in str(error)


@pytest.mark.parametrize("present", [None, {"spec": {"mysql": {**MYSQL, "username": "two"}}}])
def test_a_registry_that_was_changed_or_deleted_after_it_was_read_is_not_moved(monkeypatch, present):
    moving = object.__new__(migrate.Migration)
    moving._resource, moving._options = resource(mysql=MYSQL), {"name": "models"}
    moving._reader = SimpleNamespace(fresh=SimpleNamespace(registry=lambda _name: present))
    monkeypatch.setattr(migrate.Migration, "_begun", lambda _self: contextlib.nullcontext())
    with pytest.raises(_errors.ReportedError, match=r"was changed or deleted after it was read.*Nothing was written"):
        moving.carry_out()


def test_a_server_that_cannot_use_the_new_database_ends_the_run_and_its_temporary_registry(monkeypatch):
    def unavailable(*_arguments):
        raise availability.NotAvailableError("models-new", readiness.Verdict(False), 1, SimpleNamespace(pods=()))

    removed = []
    monkeypatch.setattr(new_schema, "remove", lambda *_arguments: removed.append(True))
    monkeypatch.setattr(new_schema.writes, "send", lambda *_arguments: None)
    monkeypatch.setattr(new_schema.availability, "wait_until_available", unavailable)
    capabilities = SimpleNamespace(api_version="v1beta1", authentication="kubeRBACProxy", api=("g/v1beta1", "x"))
    reader = SimpleNamespace(namespace="ns", capabilities=capabilities, cluster=None, fresh=None)
    with pytest.raises(availability.NotAvailableError, match=r"The temporary registry .* shows what the registry server reports about the new database"):
        new_schema.make(reader, resource(mysql=MYSQL), resource(postgres=MYSQL, rest={}), 1)
    assert len(removed) == 2


# What is taken back


def moving(**attributes):
    """A move of rows without databases."""
    made = object.__new__(move.Move)
    made.__dict__.update({"filled": False, "closed": False, "was_closed": False, "facts": move.Facts(ways_back=["OPEN IT"]), **attributes})
    return made


def unreachable():
    raise data_access.UnreachableError("The database is gone")


def opening():
    return contextlib.nullcontext(SimpleNamespace(connection=None, view=SimpleNamespace(type="mysql")))


MAY_CONTAIN = "The new database may contain rows of the registry. Empty it before the next run: The database is gone."
STILL_CLOSED = "The previous database is still closed for writes"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, ""),
        ({"filled": True, "open_target": unreachable}, MAY_CONTAIN),
        ({"closed": True, "open_source": opening, "source": SimpleNamespace(suffix="")}, "The previous database was opened for writes again."),
        (
            {"filled": True, "open_target": unreachable, "closed": True, "open_source": unreachable, "source": SimpleNamespace(suffix="")},
            f"{MAY_CONTAIN} {STILL_CLOSED}: The database is gone. Run the task again, or open it as the documentation describes.",
        ),
        # One that was closed before stays so, unless nobody could read it.
        (
            {"closed": True, "was_closed": True, "open_source": unreachable, "source": SimpleNamespace(suffix="")},
            f"{STILL_CLOSED}, as it was before this run. To open it, run OPEN IT.",
        ),
        (
            {"closed": True, "was_closed": True, "open_source": opening, "source": SimpleNamespace(suffix="__moved")},
            "The previous database was opened for writes again.",
        ),
    ],
)
def test_what_came_of_taking_a_move_back_is_told(monkeypatch, attributes, said):
    monkeypatch.setattr(move.closing, "Source", lambda *_arguments: SimpleNamespace(reopen=lambda: None))
    assert moving(**attributes).take_back() == said


@pytest.mark.parametrize(("copied", "occupied", "emptied", "said"), [(True, True, 1, ""), (False, False, 0, ""), (False, True, 0, "it is not known whether")])
def test_only_rows_that_this_run_has_written_are_deleted_again(monkeypatch, copied, occupied, emptied, said):
    deleted = []
    monkeypatch.setattr(move.snapshot, "Snapshot", lambda *_arguments: None)
    monkeypatch.setattr(move.loader, "occupied", lambda _taken: occupied)
    monkeypatch.setattr(move.loader, "empty", lambda *arguments: deleted.append(arguments))
    made = moving(filled=True, open_target=opening, facts=move.Facts(rows={"Context": 1}, digests={"Context": "x"}, copied=copied))
    assert said in made.take_back() and bool(said) == bool(made.take_back())
    assert len(deleted) == 2 * emptied


def migration(monkeypatch, registry=None, **attributes):
    """A migration without a cluster; `registry` is what there is now."""
    made = object.__new__(migrate.Migration)
    fresh = SimpleNamespace(registry=lambda _name: registry, held=lambda kind, name: {"metadata": {"name": name, "namespace": "ns", "uid": "u"}})
    made._reader = SimpleNamespace(cluster=SimpleNamespace(before_writing=lambda: None), fresh=fresh)
    made._options, made._outcome = {"name": "models"}, migrate.Outcome()
    made.__dict__.update(attributes)
    return made


SECRET = changeset.Change("create", "Secret", "ns", "new", ("database.password",), "POST", ("v1", "secrets"), {})


@pytest.mark.parametrize(("registry", "is_deleted"), [(None, True), (resource(mysql=MYSQL | {"passwordSecret": {"name": "new", "key": "k"}}), False)])
def test_what_was_created_for_the_new_database_is_deleted_unless_the_registry_uses_it(monkeypatch, registry, is_deleted):
    sent = []
    monkeypatch.setattr(migrate.writes, "send", lambda _cluster, change, _dry_run: sent.append((change.action, change.name)))
    made = migration(monkeypatch, registry)
    made._outcome.record(SECRET)
    made._delete([SECRET, dataclasses.replace(SECRET, action="update", name="there")], _errors.ReportedError("x"))
    assert sent == ([("delete", "new")] if is_deleted else []) and len(made._outcome.changes) == (not is_deleted)


def test_what_was_created_and_cannot_be_deleted_is_told(monkeypatch):
    def refuse(*_arguments):
        raise _errors.ClusterError("no")

    monkeypatch.setattr(migrate.writes, "send", refuse)
    error = _errors.ReportedError("The move failed.")
    migration(monkeypatch)._delete([SECRET], error)
    assert str(error) == "The move failed. What was created for the new database was not deleted: no"
    # Of a run that is stopped nobody is told.
    migration(monkeypatch)._delete([SECRET], KeyboardInterrupt())


def test_a_registry_that_cannot_be_asked_is_moved_and_not_compared(monkeypatch):
    def taken(*_arguments):
        raise samples.NoAnswerError("no pod")

    monkeypatch.setattr(samples, "taken", taken)
    made = migration(monkeypatch)
    assert made._samples() == {} and made._outcome.warnings == ["no objects could be compared through the API of the registry: no pod"]
    made._compare({})
    assert made._outcome.migration == {"compared_objects": 0}


def test_a_registry_that_shows_other_objects_after_a_migration_is_a_failure_that_names_some(monkeypatch):
    before = {f"x/{number}": {"id": str(number), "name": "a", "lastUpdateTimeSinceEpoch": "5"} for number in range(9)}
    monkeypatch.setattr(samples, "taken", lambda *_arguments: before)
    made = migration(monkeypatch)
    made._compare(before)
    assert made._outcome.migration == {"compared_objects": 9}
    monkeypatch.setattr(samples, "taken", lambda *_arguments: {})
    with pytest.raises(_errors.ReportedError, match=r"does not show the same objects with the new database: x/0, x/1, x/2, x/3, x/4$"):
        made._compare(before)


def test_what_is_taken_back_is_taken_back_although_the_run_is_stopped(monkeypatch):
    class StoppedError(Exception):
        pass

    def stop():
        raise StoppedError

    made = migration(monkeypatch)
    made._reader.cluster.before_writing = stop
    with made._undisturbed():
        made._reader.cluster.before_writing()
    with pytest.raises(StoppedError):
        made._reader.cluster.before_writing()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (loader.ChangedError("The database has been written to"), "The database has been written to. The registry therefore keeps the new database."),
        (_errors.ClusterError("no answer"), "The previous database was not restored: no answer"),
        (None, "It is open again."),
    ],
)
def test_what_came_of_taking_a_migration_back_is_told_with_its_error(monkeypatch, failure, said):
    def take_back():
        if failure:
            raise failure
        return "It is open again."

    made = migration(monkeypatch, _after=resource(postgres=MYSQL))
    error = _errors.ReportedError("The move failed.")
    made._take_back(SimpleNamespace(take_back=take_back), error)
    assert str(error) == f"The move failed. {said}"
    made._take_back(SimpleNamespace(take_back=take_back), KeyboardInterrupt())


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_keeps_the_previous_database_from_being_closed_is_found_before_anything_is_written(monkeypatch, is_closed):
    suffixes, asked = [], []

    class Taken:
        def schema_version(self):
            asked.append("version")

        def need_registry(self):
            raise migrate.snapshot.UnusableDatabaseError("It is no registry's")

    def taken(_connection, _kind, suffix):
        suffixes.append(suffix)
        return contextlib.nullcontext(Taken())

    source = SimpleNamespace(problems=lambda: ["the user lacks ALTER"], is_closed=lambda: is_closed, suffix="__moved")
    monkeypatch.setattr(migrate.closing, "Source", lambda *_arguments: source)
    monkeypatch.setattr(migrate.snapshot, "snapshot", taken)
    opened = SimpleNamespace(connection=None, view=SimpleNamespace(type="mysql"))
    assert migrate.Migration._source_problems(opened) == ["the user lacks ALTER", "It is no registry's"]
    assert suffixes == ["__moved" if is_closed else ""] and asked == ["version"]


def test_rows_on_their_way_are_counted_with_what_is_done_with_them(monkeypatch):
    monkeypatch.setattr(move, "time", SimpleNamespace(monotonic=lambda: 5.0))
    copied = move.loader.COPIED[0]
    types = next(table for table in move.layout.TABLES if table not in move.loader.COPIED)
    blocks = {copied.name: [[b'{"id":1}', b'{"id":2}'], [b'{"id":3}']], types.name: [[b'{"id":9}']]}
    told = []
    counted = move._Counted(SimpleNamespace(blocks=lambda table: iter(blocks.get(table.name, []))), told.append)
    counted.told("writing")
    assert list(counted.blocks(copied)) == blocks[copied.name]
    # Types are there already, and are not compared.
    assert list(counted.blocks(types)) == blocks[types.name]
    assert told == ["writing", "writing: 2 rows so far, 2 per second", "writing: 3 rows so far, 3 per second"]
    assert counted.counts == {copied.name: 3} and counted.texts.keys() == {copied.name}
    again = move._Counted(SimpleNamespace(blocks=lambda table: iter(blocks.get(table.name, []))), told.append)
    again.read_all()
    assert again.texts[copied.name] == counted.texts[copied.name] and again.counts == {table.name: 3 * (table == copied) for table in move.loader.COPIED}
    assert f"reading table {copied.name}" in told
