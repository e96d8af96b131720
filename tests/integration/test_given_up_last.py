"""What works is given up last: a password or CA that a registry used stays until the registry is available with what replaces it, or comes back."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import ownership
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import previous_value
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import rollback
from sandbox import databases, processes
from sandbox.layout import Layout
from tests.dashboard import Dashboard, Form, database_of
from tests.helpers import Cluster, until
from tests.interleaving import Ended, InProcess, KilledError, Sent, Work, bundle, registries, registry

SECRETS = ("v1", "secrets")
CONFIG_MAPS = ("v1", "configmaps")
DEPLOYMENTS = ("apps/v1", "deployments")
KEY = "database-password"
WORD, OTHER = "word-before-the-edit", "word-after-the-edit"


class Home:
    """One registry, and a login of its own in the database server."""

    def __init__(self, cluster: Cluster, process: InProcess) -> None:
        self.cluster, self.process, self.layout = cluster, process, cluster.layout
        mark = uuid.uuid4().hex[:6]
        self.name, self.login = f"last-{mark}", f"last_{mark}"
        self.bundle = self.layout.path("pki", "database-ca.crt").read_text()
        host = {"host": databases.address(self.layout, "mysql"), "port": databases.MYSQL_PORT}
        self.mysql = {"type": "mysql", **host, "name": self.login, "username": self.login, "password": WORD, "verify_server_cert": False}

    def sql(self, *statements: str) -> None:
        with databases.administration(self.layout, "mysql") as run:
            for statement in statements:
                run(statement)

    def run(self, **options: Any) -> Ended:
        return self.process.run(registry(**{"name": self.name, "wait_timeout": 20, "check_database": "ignore", **options}))

    def create(self, **database: Any) -> None:
        ended = self.run(database=self.mysql | {"ca": {"source": "upload", "pem": self.bundle}} | database, wait_timeout=120)
        assert ended.error is None, ended.error

    @property
    def passwords(self) -> dict[str, str]:
        """What each Secret of the registry holds as the password."""
        items = self.cluster.items(*SECRETS)
        return {item["metadata"]["name"]: item["data"][KEY] for item in items if item["metadata"]["name"].startswith(f"{self.name}-db-")}

    @property
    def copies(self) -> list[str]:
        """The previous passwords and CA certificates that objects of the registry keep."""
        held = [item for kind in (SECRETS, CONFIG_MAPS) for item in self.cluster.items(*kind) if self.name in item["metadata"]["name"]]
        return [value for item in held for key, value in {**item.get("data", {}), **item.get("binaryData", {})}.items() if key.startswith(ownership.PREVIOUS)]

    def vault(self, password: str) -> dict[str, str]:
        """A Secret of another manager."""
        name = f"vault-{self.name}"
        if self.cluster.get(*SECRETS, name) is None:
            self.cluster.create(*SECRETS, {"metadata": {"name": name}, "stringData": {"pw": password}})
        else:
            self.cluster.merge(*SECRETS, name, {"stringData": {"pw": password}})
        return {"name": name, "key": "pw"}

    def is_available(self) -> bool:
        ended = self.run(wait=False, check=True)
        return bool(ended.outcome.status["available"])


def changes(ended: Ended) -> list[tuple[str, str]]:
    return [(change["action"], change["kind"]) for change in ended.outcome.changes]


def kept(ended: Ended) -> set[str]:
    return {entry["name"] for entry in ended.outcome.kept}


@pytest.fixture
def home(layout: Layout, cluster: Cluster, tmp_path: Path) -> Iterator[Home]:
    made = Home(cluster, InProcess(layout, tmp_path))
    databases.create_databases(layout, "mysql", [made.login])
    made.sql(f"CREATE USER '{made.login}'@'%' IDENTIFIED BY '{WORD}'", f"GRANT ALL ON `{made.login}`.* TO '{made.login}'@'%'")
    yield made
    made.run(state="absent", delete_data=True, wait_timeout=60)
    cluster.delete(*SECRETS, f"vault-{made.name}")
    made.sql(f"DROP USER IF EXISTS '{made.login}'@'%'")
    databases.drop_database(layout, "mysql", made.login)


# Leftovers


@pytest.mark.parametrize("made_by", ["us", "the dashboard"])
def test_it_never_deletes_a_working_password_before_the_replacement_works(home: Home, made_by: str) -> None:
    if made_by == "us":
        home.create(ca={"source": "none"})
    else:
        Dashboard(home.cluster).create(home.name, Form(home.name, "", database_of(home.mysql | {"ca": {"source": "none"}}), None))
        until(home.is_available)
    [old] = home.passwords
    wanted = {"database": {"password_secret": home.vault("not-the-word")}}
    failed = home.run(**wanted)
    assert failed.error and "is not available" in failed.error
    assert list(home.passwords) == [old] and kept(failed) == {old} and ("delete", "Secret") not in changes(failed)
    home.vault(WORD)
    # The restart that the vault's new data need, and then what is not needed anymore.
    done, again = home.run(**wanted, wait_timeout=120), home.run(**wanted)
    assert done.error is None and changes(done) == [("restart", "Deployment"), ("delete", "Secret")], done.error
    assert home.passwords == {} and kept(done) == set()
    assert again.error is None and changes(again) == [] and again.writes == 0


def test_without_waiting_the_old_password_stays_for_a_later_run(home: Home) -> None:
    home.create(ca={"source": "none"})
    [old] = home.passwords
    wanted = {"database": {"password_secret": home.vault(WORD)}}
    # Else the registry may be available with the other password when a slow run looks for the last time.
    with processes.paused(home.layout, "kube-scheduler"):
        edited = home.run(**wanted, wait=False)
    assert changes(edited) == [("update", "ModelRegistry")] and kept(edited) == {old}
    until(home.is_available)
    later = home.run(**wanted, wait=False)
    assert changes(later) == [("delete", "Secret")] and home.passwords == {}


def test_check_mode_says_that_a_deletion_depends_on_the_registry(home: Home) -> None:
    home.create(ca={"source": "none"})
    wanted = {"database": {"password_secret": home.vault(WORD)}}
    predicted = home.process.run(registry(name=home.name, check=True, **wanted))
    not_waiting = home.process.run(registry(name=home.name, check=True, wait=False, **wanted))
    assert predicted.writes == 0 and changes(predicted) == [("update", "ModelRegistry"), ("delete", "Secret")]
    assert [change.get("unverified", False) for change in predicted.outcome.changes] == [False, True]
    assert changes(not_waiting) == [("update", "ModelRegistry")] and kept(not_waiting) == set(home.passwords)
    home.vault("not-the-word")
    assert home.run(**wanted, wait_timeout=10).error
    unavailable = home.process.run(registry(name=home.name, check=True, **wanted))
    assert changes(unavailable) == [("delete", "Secret")] and unavailable.outcome.changes[0]["unverified"] is True
    home.vault(WORD)
    home.run(wait=False)
    until(home.is_available)
    later = home.process.run(registry(name=home.name, check=True, **wanted))
    assert changes(later) == [("delete", "Secret")] and len(home.passwords) == 1 and later.writes == 0


def test_a_fleet_gives_up_old_passwords_when_the_registries_are_available(home: Home) -> None:
    home.create(ca={"source": "none"})
    [old] = home.passwords

    def fleet(password: str, **options: Any) -> Work:
        entry = {"name": home.name, "database": {"password_secret": home.vault(password)}}
        return registries(registries=[entry], check_database="ignore", **options)

    failed = home.process.run(fleet("not-the-word", wait_timeout=20))
    assert failed.error and kept(failed) == {old} and list(home.passwords) == [old]
    checked = home.process.run(fleet("not-the-word", wait=False, check=True))
    assert checked.outcome.registry["drift"] == [] and kept(checked) == {old}
    done = home.process.run(fleet(WORD, wait_timeout=120))
    assert done.error is None and ("delete", "Secret") in changes(done) and home.passwords == {}


# In place


def test_a_password_with_which_the_registry_does_not_serve_is_put_back(home: Home) -> None:
    home.create()
    before = home.passwords
    failed = home.run(database={"password": OTHER})
    assert failed.error and f"The previous password was restored in Secret '{next(iter(before))}'." in failed.error
    assert f"The server of registry '{home.name}' is being restarted." in failed.error
    assert home.passwords == before and WORD not in failed.error and OTHER not in failed.error
    assert changes(failed) == [("update", "Secret"), ("restart", "Deployment")] and failed.writes == 4
    assert failed.outcome.result(True)["diff"] == {"before": {}, "after": {}}
    # The password that is back is given up only by the next one.
    assert home.copies == list(before.values()) and kept(failed) == set(before)
    until(home.is_available)
    later, again = home.run(database={"password": WORD}), home.run(database={"password": WORD})
    assert changes(later) == [("update", "Secret")] and home.copies == [] and kept(later) == set() and again.writes == 0


def test_a_password_that_works_leaves_no_copy_of_the_previous_one(home: Home) -> None:
    home.create()
    home.sql(f"ALTER USER '{home.login}'@'%' IDENTIFIED BY '{OTHER}'")
    wanted = {"database": {"password": OTHER}}
    predicted = home.process.run(registry(check=True, name=home.name, check_database="ignore", **wanted))
    changed, again = home.run(**wanted, wait_timeout=120), home.run(**wanted)
    assert changed.error is None and changes(changed) == changes(predicted) == [("update", "Secret"), ("restart", "Deployment")]
    assert home.copies == [] and kept(changed) == set() and changed.writes == 3
    assert again.error is None and again.writes == 0
    assert not any(change.get("unverified") and change["kind"] == "Secret" for change in predicted.outcome.changes)


def test_a_password_change_without_waiting_is_completed_by_a_later_run(home: Home) -> None:
    home.create()
    [secret], [old] = home.passwords, home.passwords.values()
    home.sql(f"ALTER USER '{home.login}'@'%' IDENTIFIED BY '{OTHER}'")
    changed = home.run(database={"password": OTHER}, wait=False)
    assert kept(changed) == {secret} and home.copies == [old]
    until(home.is_available)
    checked = home.process.run(registries(registries=[{"name": home.name, "database": {"password": OTHER}}], check_database="ignore", check=True))
    assert checked.outcome.registry["drift"] == [] and changes(checked) == [("update", "Secret")] and home.copies == [old]
    later, again = home.run(), home.run()
    assert later.error is None and changes(later) == [("update", "Secret")] and home.copies == []
    assert again.error is None and again.writes == 0
    assert home.is_available()


def test_a_password_change_without_waiting_that_does_not_work_is_undone_by_a_later_run(home: Home) -> None:
    """It takes more than 20 s: a run waits for a server that fails, and for its return."""
    home.create()
    before = home.passwords
    for password in (OTHER, "third-word"):
        # The second one keeps what worked, and not the first one.
        assert kept(home.run(database={"password": password}, wait=False)) == set(before)
        assert home.copies == list(before.values())
    failed = home.run()
    assert failed.error and f"The previous password was restored in Secret '{next(iter(before))}'." in failed.error
    assert home.passwords == before and ("update", "Secret") in changes(failed)
    until(home.is_available)
    assert home.run(wait_timeout=120).error is None and home.copies == [] and home.run().writes == 0


def test_a_previous_password_stays_where_nothing_shows_that_the_new_one_is_wrong(home: Home) -> None:
    home.create()
    before = home.passwords
    home.sql(f"ALTER USER '{home.login}'@'%' IDENTIFIED BY '{OTHER}'", f"ALTER USER '{home.login}'@'%' ACCOUNT LOCK")
    home.run(database={"password": OTHER}, wait=False)
    failed = home.run()
    assert failed.error and "was not restored" in failed.error and rollback.UNPROVEN in failed.error and previous_value.key_of(KEY) in failed.error
    assert home.copies == list(before.values()) and home.passwords != before
    home.sql(f"ALTER USER '{home.login}'@'%' ACCOUNT UNLOCK")
    until(home.is_available)
    assert home.run(wait_timeout=120).error is None and home.copies == []


def test_a_previous_password_of_another_login_is_not_put_back(home: Home) -> None:
    """It takes more than 20 s: three runs wait for a server that fails."""
    home.create()
    before = home.passwords
    home.run(database={"username": "nobody", "password": OTHER}, wait=False)
    failed = home.run()
    assert failed.error and f"it belongs to another user or database ({home.login}@" in failed.error
    assert home.copies == list(before.values()) and home.passwords != before
    # The pod that was started with the previous password may still be there, and come back: the second run restarts it.
    home.run(database={"username": home.login})
    assert home.copies == list(before.values())
    home.run()
    assert home.passwords == before


def test_a_password_that_another_process_wrote_is_not_replaced_by_the_one_before_ours(home: Home) -> None:
    """It takes more than 20 s: a run waits for a server that fails, until the time is over."""
    home.create()
    [secret], [old] = home.passwords, home.passwords.values()
    home.run(database={"password": OTHER}, wait=False)
    home.cluster.merge(*SECRETS, secret, {"stringData": {KEY: "third-word"}}, fieldManager="unknown")
    failed = home.run()
    assert failed.error and rollback.CHANGED_SINCE in failed.error and home.copies == [old]
    assert base64.b64decode(home.passwords[secret]) == b"third-word"


@pytest.mark.parametrize("what", ["password", "CA", "bundle"])
def test_a_change_in_place_that_is_killed_after_any_write_has_lost_nothing(home: Home, shared_bundle: str, what: str) -> None:
    """It takes more than 20 s: after each write, a run waits for a server that cannot start, and another one until the registry is available again."""
    named = {"source": "config_map", "name": shared_bundle, "key": "ca.crt"}
    ca = named if what == "bundle" else {"source": "upload", "pem": home.bundle}
    home.create(verify_server_cert=True, ca=ca)
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    old = home.bundle if what != "password" else home.passwords[next(iter(home.passwords))]

    def held() -> list[str]:
        """What works, where it is."""
        items = [item for kind in (SECRETS, CONFIG_MAPS) for item in home.cluster.items(*kind)]
        begins = shared_bundle if what == "bundle" else f"{home.name}-db-"
        return [key for item in items for key, value in item.get("data", {}).items() if value == old and item["metadata"]["name"].startswith(begins)]

    def change() -> Work:
        if what == "bundle":
            return bundle(name=shared_bundle, pem=foreign, wait_timeout=20)
        database = {"password": OTHER} if what == "password" else {"ca": {"source": "upload", "pem": foreign}}
        return registry(name=home.name, wait_timeout=20, check_database="ignore", database=database)

    key = KEY if what == "password" else "ca.crt"
    for number in range(1, 5):
        if not home.process.killed_after(change(), number):
            break
        assert held(), number
        again = home.process.run(change())
        assert again.error and "was restored" in again.error and key in held(), (number, again.error)
        # What another run had written is a change when it is put back.
        assert ("update", "Secret" if what == "password" else "ConfigMap") in changes(again)
        until(home.is_available)
        good = bundle(name=shared_bundle, pem=home.bundle, wait_timeout=120) if what == "bundle" else registry(name=home.name, wait_timeout=120)
        completed = home.process.run(good)
        assert completed.error is None and home.copies == [] and held() == [key], (number, completed.error)
        assert home.process.run(good).writes == 0
    assert number >= 3


def test_it_never_deletes_a_working_ca_certificate_before_the_replacement_works(home: Home) -> None:
    home.create(verify_server_cert=True)
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    replaced = home.run(database={"ca": {"source": "upload", "pem": foreign}})
    assert replaced.error and "The previous CA certificate was restored" in replaced.error
    assert content(home, f"{home.name}-db-credential") == home.bundle
    until(home.is_available)
    assert home.run(wait_timeout=120).error is None and home.copies == []
    home.cluster.create(*CONFIG_MAPS, {"metadata": {"name": f"own-{home.name}"}, "data": {"ca.crt": foreign}})
    try:
        moved = home.run(database={"ca": {"source": "config_map", "name": f"own-{home.name}", "key": "ca.crt"}})
        assert moved.error and home.cluster.get(*CONFIG_MAPS, f"{home.name}-db-credential")["data"] == {"ca.crt": home.bundle}
    finally:
        home.cluster.delete(*CONFIG_MAPS, f"own-{home.name}")


def test_a_password_that_the_database_refuses_is_not_put_back(home: Home) -> None:
    host = {"host": home.layout.address("postgresql"), "port": databases.POSTGRESQL_PORT}
    databases.create_databases(home.layout, "postgresql", [home.login])
    try:
        with databases.administration(home.layout, "postgresql") as run:
            run(f"CREATE ROLE {home.login} LOGIN PASSWORD '{WORD}'")
            run(f"ALTER DATABASE {home.login} OWNER TO {home.login}")
        database = {"type": "postgresql", **host, "name": home.login, "username": home.login, "password": WORD, "ssl_mode": "require"}
        assert home.run(database=database, wait_timeout=120).error is None
        # It was changed there, and mistyped here.
        databases.set_password(home.layout, "postgresql", home.login, "third-word")
        failed = home.run(database={"password": OTHER}, check_database="warn")
        assert failed.error and "was not restored" in failed.error and "the database rejects it" in failed.error
        assert changes(failed) == [("update", "Secret"), ("restart", "Deployment")]
    finally:
        home.run(state="absent", wait_timeout=60)
        databases.drop_database(home.layout, "postgresql", home.login)
        with databases.administration(home.layout, "postgresql") as run:
            run(f"DROP ROLE IF EXISTS {home.login}")


@pytest.mark.parametrize("look", ["warn", "ignore"])
def test_a_new_password_that_the_database_accepts_stays(home: Home, look: str) -> None:
    home.create()
    # A rotation that comes together with another fault.
    home.sql(f"ALTER USER '{home.login}'@'%' IDENTIFIED BY '{OTHER}'", f"DROP DATABASE `{home.login}`")
    failed = home.run(database={"password": OTHER}, check_database=look)
    assert failed.error and "was not restored" in failed.error and "the database accepts the new value" in failed.error
    home.sql(f"CREATE DATABASE `{home.login}`")
    until(home.is_available)


def test_a_password_with_which_the_registry_was_not_available_is_not_put_back(home: Home) -> None:
    assert home.run(database=home.mysql | {"ca": {"source": "none"}, "password": "first-guess"}).error
    failed = home.run(database={"password": OTHER})
    assert failed.error and "was not restored" in failed.error and "was not available with the previous value either" in failed.error
    assert changes(failed) == [("update", "Secret"), ("restart", "Deployment")]


def test_a_password_that_another_process_has_changed_since_is_not_put_back(home: Home) -> None:
    home.create()
    [secret] = home.passwords

    def before(ended: Ended, request: Sent) -> None:
        if ended.writes == 2 and request.path.endswith(f"/secrets/{secret}"):
            home.cluster.merge(*SECRETS, secret, {"stringData": {KEY: WORD, "note": "by another process"}})

    failed = home.process.run(registry(name=home.name, wait_timeout=20, check_database="ignore", database={"password": OTHER}), before)
    assert failed.error and "another process has changed it since" in failed.error
    assert changes(failed) == [("update", "Secret"), ("restart", "Deployment")]


def test_a_password_that_another_process_changes_before_the_write_is_not_overwritten_unseen(home: Home) -> None:
    home.create()
    [secret] = home.passwords

    def before(ended: Ended, request: Sent) -> None:
        if ended.writes == 0 and request.writes and request.path.endswith(f"/secrets/{secret}"):
            # Also when the write is repeated: what was read is what is written over, and what is put back.
            home.cluster.merge(*SECRETS, secret, {"stringData": {KEY: "third-word"}}, fieldManager="unknown")

    failed = home.process.run(registry(name=home.name, wait_timeout=20, check_database="ignore", database={"password": OTHER}), before)
    assert failed.error and "The previous password was restored" in failed.error
    assert base64.b64decode(home.passwords[secret]) == b"third-word"


# Settings that belong to a password


def login_of(home: Home) -> dict[str, Any]:
    section: dict[str, Any] = home.cluster.registry(home.name)["spec"]["mysql"]
    return section


def test_what_was_changed_together_with_a_password_is_put_back_with_it(home: Home) -> None:
    home.create()
    before, section = home.passwords, login_of(home)
    failed = home.run(display_name="Stays", database={"username": "nobody", "verify_server_cert": True, "password": OTHER})
    assert failed.error and "The previous password was restored in" in failed.error
    assert "(database.username, database.verify_server_cert) were also restored" in failed.error
    assert (home.passwords, login_of(home)) == (before, section)
    assert failed.outcome.registry["database"]["username"] == home.login and failed.outcome.registry["display_name"] == "Stays"
    # The operator rolls, and the difference shows what stays.
    assert changes(failed) == [("update", "Secret"), ("update", "ModelRegistry")] and failed.writes == 4
    assert set(failed.outcome.result(True)["diff"]["after"]) == {"display_name"}
    until(home.is_available)


def test_a_run_that_is_killed_while_it_puts_back_has_saved_the_password(home: Home) -> None:
    home.create()
    before = home.passwords

    def kill(ended: Ended, _request: Sent) -> None:
        if ended.writes == 3:
            raise KilledError

    edit = registry(name=home.name, wait_timeout=20, check_database="ignore", database={"username": "nobody", "password": OTHER})
    killed = home.process.run(edit, kill)
    assert killed.writes == 3 and home.passwords == before
    restored = home.run(database={"username": home.login}, wait_timeout=120)
    assert restored.error is None and changes(restored) == [("update", "ModelRegistry")], restored.error


def test_nothing_is_put_back_where_another_process_has_changed_the_settings_since(home: Home) -> None:
    home.create()

    def before(ended: Ended, _request: Sent) -> None:
        if ended.writes == 2 and not edited:
            edited.append(home.cluster.merge("modelregistry.opendatahub.io/v1beta1", "modelregistries", home.name, {"spec": {"mysql": {"username": "third"}}}))

    edited: list[Any] = []
    edit = registry(name=home.name, wait_timeout=20, check_database="ignore", database={"username": "nobody", "password": OTHER})
    failed = home.process.run(edit, before)
    assert (
        failed.error and f"was not restored in Secret '{next(iter(home.passwords))}': another process has changed registry '{home.name}' since" in failed.error
    )
    assert failed.writes == 2 and login_of(home)["username"] == "third"
    assert [base64.b64decode(word).decode() for word in home.passwords.values()] == [OTHER]


# Another registry that reads it


@pytest.fixture
def second(home: Home) -> Iterator[dict[str, Any]]:
    """A registry that reads the Secret of the first one, as its options."""
    home.create()
    [secret] = home.passwords
    database = {**home.mysql, "ca": {"source": "none"}, "password": None, "password_secret": {"name": secret, "key": KEY}}
    made = {"name": f"{home.name}-too", "database": database, "allow_data_change": True, "check_database": "ignore"}
    assert home.process.run(registry(**made, wait_timeout=120)).error is None
    yield made
    home.process.run(registry(name=made["name"], state="absent", wait_timeout=60))


def test_a_password_that_another_registry_reads_is_announced_and_put_back_for_both(home: Home, second: dict[str, Any]) -> None:
    """It takes more than 20 s: two runs wait for servers that fail, and two for their return."""
    before, reader = home.passwords, second["name"]
    warning = (
        f"Secret '{next(iter(before))}' is also used by registry '{reader}', whose password also changes. To"
        " restart its server, run the task again for that registry"
    )
    entries = [{"name": home.name, "database": {"password": OTHER}}, {"name": reader}]
    together = home.process.run(registries(registries=entries, check_database="ignore", check=True))
    assert together.error is None and warning not in " ".join(together.outcome.warnings)
    alone = home.process.run(registries(registries=entries[:1], check_database="ignore", check=True))
    assert warning in " ".join(alone.outcome.warnings)
    # The other one is started with the new password too.
    assert warning in home.run(database={"password": OTHER}, wait=False).outcome.warnings
    assert home.process.run(registry(name=reader, wait_timeout=20, check_database="ignore")).error
    failed = home.run(database={"password": OTHER})
    assert failed.error and f"The previous password was restored in Secret '{next(iter(before))}'." in failed.error
    restarted = [change["name"] for change in failed.outcome.changes if change["action"] == "restart"]
    assert sorted(restarted) == [home.name, reader] and home.passwords == before
    assert home.process.run(registry(name=reader, wait_timeout=120, check_database="ignore")).error is None
    until(home.is_available)
    assert home.run().error is None and home.copies == []


def test_a_password_with_which_another_registry_is_available_stays_beside_the_previous_one(home: Home, second: dict[str, Any]) -> None:
    """It takes more than 20 s: the servers of two registries are restarted several times, and one of them fails."""
    [secret], [old] = home.passwords, home.passwords.values()
    # Only the other one can log in with the new password.
    other = f"{home.login}_too"
    home.sql(f"CREATE USER '{other}'@'%' IDENTIFIED BY '{OTHER}'", f"GRANT ALL ON `{home.login}`.* TO '{other}'@'%'")
    try:
        home.run(database={"password": OTHER}, wait=False)
        moved = registry(name=second["name"], wait_timeout=120, check_database="ignore", database={"username": other})
        assert home.process.run(moved).error is None
        failed = home.run(database={"password": OTHER})
        assert failed.error and f"was not restored in Secret '{secret}': registry '{second['name']}' is available with the new value" in failed.error
        assert home.copies == [old] and kept(failed) == {secret}
        # And the other way round: what the other one needs is not given up for the first one.
        home.sql(f"ALTER USER '{home.login}'@'%' IDENTIFIED BY '{OTHER}'", f"ALTER USER '{other}'@'%' IDENTIFIED BY '{WORD}'")
        until(home.is_available)
        home.process.run(registry(name=second["name"], wait=False, database={"username": "nobody"}, check_database="ignore"))
        waiting = home.run(wait_timeout=60)
        assert waiting.error is None and kept(waiting) == {secret} and home.copies == [old] and waiting.writes == 0
    finally:
        home.sql(f"DROP USER IF EXISTS '{other}'@'%'")


# Permissions that are refused


def refuse(_ended: Ended, request: Sent) -> None:
    if request.writes and "/rolebindings" in request.path:
        raise _errors.ClusterError("a policy of the cluster refuses it", _errors.FORBIDDEN)


@pytest.mark.parametrize("several", [False, True])
def test_a_refused_permission_is_reported_after_a_password_was_put_back(home: Home, several: bool) -> None:
    home.create()
    before = home.passwords

    def edit(password: str) -> Ended:
        entry: dict[str, Any] = {"name": home.name, "database": {"password": password}, "permissions": {"groups": ["some"]}}
        shared: dict[str, Any] = {"check_database": "ignore", "wait_timeout": 20}
        return home.process.run(registries(registries=[entry], **shared) if several else registry(**entry, **shared), refuse)

    failed = edit(OTHER)
    assert failed.error and "The previous password was restored" in failed.error and "a policy of the cluster refuses it" in failed.error
    assert home.passwords == before
    until(home.is_available)
    refused = edit(WORD)
    assert refused.error and "a policy of the cluster refuses it" in refused.error and "is not available" not in refused.error


# A bundle that several registries read


@pytest.fixture
def shared_bundle(home: Home) -> Iterator[str]:
    name = f"shared-{home.name}"
    home.cluster.create(*CONFIG_MAPS, {"metadata": {"name": name}, "data": {"ca.crt": home.bundle}})
    yield name
    home.cluster.delete(*CONFIG_MAPS, name)


def content(home: Home, name: str) -> str:
    return str(home.cluster.get(*CONFIG_MAPS, name)["data"]["ca.crt"])


def test_a_bundle_with_which_no_registry_is_available_is_put_back(home: Home, shared_bundle: str) -> None:
    home.create(verify_server_cert=True, ca={"source": "config_map", "name": shared_bundle, "key": "ca.crt"})
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    failed = home.process.run(bundle(name=shared_bundle, pem=foreign, wait_timeout=20))
    assert failed.error and f"The previous CA certificate was restored in ConfigMap '{shared_bundle}'." in failed.error
    assert f"The server of registry '{home.name}' is being restarted." in failed.error
    assert content(home, shared_bundle) == home.bundle and failed.writes == 4
    assert failed.outcome.registry["diff"] == {"before": {}, "after": {}}
    [certificate] = failed.outcome.registry["ca"]["certificates"]
    assert "sandbox databases" in certificate["subject"]
    until(home.is_available)

    def before(ended: Ended, request: Sent) -> None:
        if ended.writes == 2 and request.path.endswith(f"/configmaps/{shared_bundle}"):
            home.cluster.merge(*CONFIG_MAPS, shared_bundle, {"data": {"ca.crt": home.bundle + foreign}})

    overtaken = home.process.run(bundle(name=shared_bundle, pem=foreign, wait_timeout=20), before)
    assert overtaken.error and "another process has changed it since" in overtaken.error and overtaken.writes == 2
    assert content(home, shared_bundle) == home.bundle + foreign


def test_a_bundle_with_which_some_registry_is_available_stays(home: Home, shared_bundle: str) -> None:
    reference = {"source": "config_map", "name": shared_bundle, "key": "ca.crt"}
    home.create(verify_server_cert=True, ca=reference)
    easy = f"{home.name}-easy"
    made = registry(name=easy, check_database="ignore", wait_timeout=120, database=home.mysql | {"ca": reference, "verify_server_cert": False})
    assert home.process.run(made).error is None
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    try:
        failed = home.process.run(bundle(name=shared_bundle, pem=foreign, wait_timeout=20))
        said = f"was not restored in ConfigMap '{shared_bundle}': registry '{easy}' is available with the new value, and registry '{home.name}' is not."
        assert failed.error and said in failed.error and content(home, shared_bundle) == foreign
    finally:
        home.process.run(registry(name=easy, state="absent", wait_timeout=60))


def test_a_bundle_that_the_database_accepts_is_not_put_back(home: Home, shared_bundle: str) -> None:
    home.create(verify_server_cert=True, ca={"source": "config_map", "name": shared_bundle, "key": "ca.crt"})
    home.sql(f"DROP DATABASE `{home.login}`")
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    failed = home.process.run(bundle(name=shared_bundle, pem=foreign + home.bundle, wait_timeout=20))
    assert failed.error and f"The previous CA certificate was not restored in ConfigMap '{shared_bundle}': the database accepts the new value." in failed.error
    assert "BEGIN" not in failed.error and failed.writes == 2


def test_a_bundle_in_bytes_is_put_back_as_it_was(home: Home, shared_bundle: str) -> None:
    home.create(verify_server_cert=True, ca={"source": "config_map", "name": shared_bundle, "key": "ca.crt"})
    in_bytes = {"ca.crt": base64.b64encode(home.bundle.encode()).decode()}
    home.cluster.merge(*CONFIG_MAPS, shared_bundle, {"data": None, "binaryData": in_bytes})
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    failed = home.process.run(bundle(name=shared_bundle, pem=foreign, wait_timeout=20))
    assert failed.error and f"The previous CA certificate was restored in ConfigMap '{shared_bundle}'." in failed.error
    found = home.cluster.get(*CONFIG_MAPS, shared_bundle)
    assert found["binaryData"]["ca.crt"] == in_bytes["ca.crt"] and "data" not in found
    until(home.is_available)
    completed = home.process.run(bundle(name=shared_bundle, pem=home.bundle, wait_timeout=120))
    assert completed.error is None and home.copies == []
    assert home.cluster.get(*CONFIG_MAPS, shared_bundle)["binaryData"] == in_bytes


def test_a_bundle_that_works_leaves_no_copy_of_the_previous_one(home: Home, shared_bundle: str) -> None:
    home.create(verify_server_cert=True, ca={"source": "config_map", "name": shared_bundle, "key": "ca.crt"})
    both = home.layout.path("pki", "other-ca.crt").read_text() + home.bundle

    def replaced(pem: str, **options: Any) -> Ended:
        return home.process.run(bundle(name=shared_bundle, pem=pem, wait_timeout=120, **options))

    changed = replaced(both)
    assert changed.error is None and changes(changed) == [("update", "ConfigMap"), ("restart", "Deployment")] and home.copies == []
    assert replaced(both).writes == 0
    not_waiting = replaced(home.bundle, wait=False)
    assert not_waiting.error is None and home.copies == [both] and [entry["name"] for entry in not_waiting.outcome.registry["kept"]] == [shared_bundle]
    until(home.is_available)
    later = replaced(home.bundle)
    assert later.error is None and changes(later) == [("update", "ConfigMap")] and home.copies == [] and replaced(home.bundle).writes == 0


def test_a_bundle_with_which_the_registry_was_not_available_is_not_put_back(home: Home, shared_bundle: str) -> None:
    foreign = home.layout.path("pki", "other-ca.crt").read_text()
    home.cluster.merge(*CONFIG_MAPS, shared_bundle, {"data": {"ca.crt": foreign}})
    assert home.run(database=home.mysql | {"ca": {"source": "config_map", "name": shared_bundle, "key": "ca.crt"}, "verify_server_cert": True}).error
    third = home.layout.path("pki", "ingress-ca.crt").read_text()
    failed = home.process.run(bundle(name=shared_bundle, pem=third, wait_timeout=20))
    assert failed.error and "no registry was available with the previous value either" in failed.error and content(home, shared_bundle) == third
