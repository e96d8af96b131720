"""What is made of a look at a database that is about to be written."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import registry_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import preflight, probe
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.preflight import Preflight
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, OK, WARNING, Finding

from .builders import config_map, foreign_secret, stored, wanted

LOGIN = Finding("login", OK, "")
CLOSED = Finding("port", WARNING, "The port is closed", "Open it", proven=False)
UNKNOWN = Finding("address", WARNING, "The host is unknown", "Correct it", proven=False)
MISSING = Finding("database", FAILURE, "The database does not exist", "Create it")
OLD = Finding("version", FAILURE, "MySQL 4 is not supported")
SCARCE = Finding("connections", WARNING, "Few are left", "Increase the limit")
PLAIN = Finding("tls", WARNING, "It is not encrypted", "Encrypt it")
REFUSED = Finding("login", WARNING, "The login is refused", "Check it", proven=False)
LACKING = Preflight(reason="PyMySQL is not installed", lacks_library=True)
FORBIDDEN = Preflight(reason="the Secret may not be read")


def found(*findings: Finding) -> Preflight:
    return Preflight(probe.Report(list(findings)))


@pytest.mark.parametrize(
    ("seen", "usable", "reason"),
    [
        (found(LOGIN, SCARCE), True, ""),
        (found(LOGIN, MISSING, OLD), False, "The database does not exist. Create it. MySQL 4 is not supported."),
        (found(PLAIN, CLOSED, REFUSED), None, "The port is closed"),
        (found(LOGIN, UNKNOWN, MISSING), False, "The database does not exist. Create it."),
        (found(), None, ""),
        (LACKING, None, "PyMySQL is not installed"),
    ],
)
def test_the_result_says_whether_the_database_can_be_used_and_why_that_is_not_known(seen: Preflight, usable: bool | None, reason: str) -> None:
    assert seen.result() == {"checked": usable is not None, "usable": usable, "reason": reason}


@pytest.mark.parametrize(
    ("seen", "unreached"),
    [
        (found(UNKNOWN), True),
        (found(Finding("address", OK, ""), CLOSED), True),
        (found(REFUSED), False),
        (found(Finding("port", FAILURE, "The server is not MySQL")), False),
        (LACKING, False),
    ],
)
def test_a_database_behind_a_closed_door_is_not_reached_and_one_that_refuses_is(seen: Preflight, unreached: bool) -> None:
    assert seen.unreached is unreached


def test_where_the_check_must_pass_each_failure_is_a_problem_with_a_remedy() -> None:
    tls = Finding("tls", FAILURE, "TLS is required", "Enable it")
    certificate = Finding("settings", FAILURE, "A key is missing", "Set both")
    password = Finding("password", FAILURE, "Secret 'fraud-db' with the password does not exist", "Create it")
    sentences = [(problem.option, problem.problem, problem.remedy) for problem in found(LOGIN, SCARCE, MISSING, OLD, tls, certificate, password).problems()]
    assert sentences == [
        ("check_database", "the database does not exist", "Create it"),
        ("check_database", "MySQL 4 is not supported", "Fix the database"),
        ("check_database", "TLS is required", "Enable it"),
        ("check_database", "a key is missing", "Set both"),
        ("check_database", "Secret 'fraud-db' with the password does not exist", "Create it"),
    ]
    assert found(LOGIN, SCARCE).problems() == found(CLOSED, REFUSED).problems() == FORBIDDEN.problems() == []
    [problem] = LACKING.problems()
    assert (problem.option, problem.problem) == ("check_database", "is not possible: PyMySQL is not installed")
    assert "set check_database to warn" in problem.remedy


@pytest.mark.parametrize(
    ("seen", "failures", "warnings"),
    [
        (found(LOGIN, SCARCE, MISSING), True, ["Few are left. Increase the limit.", "The database does not exist. Create it."]),
        (found(LOGIN, SCARCE, MISSING), False, ["Few are left. Increase the limit."]),
        # What the plan warns of itself.
        (found(LOGIN, PLAIN), True, []),
        # That it was not reached is one warning for all registries.
        (found(PLAIN, SCARCE, CLOSED), True, []),
        (found(CLOSED, MISSING), True, ["The database does not exist. Create it."]),
        (FORBIDDEN, False, ["the database could not be checked: the Secret may not be read"]),
        (LACKING, True, []),
        (found(LOGIN), True, []),
    ],
)
def test_people_are_warned_of_what_nothing_else_tells_them(seen: Preflight, failures: bool, warnings: list[str]) -> None:
    assert seen.warnings(failures) == [f"check_database: {warning}" for warning in warnings]


@pytest.mark.parametrize(
    ("seen", "explanation"),
    [
        (found(LOGIN), "The check of the database from this host found no problem."),
        (found(LOGIN, MISSING), "The check of the database from this host found: The database does not exist. Create it."),
        (found(CLOSED), ""),
        (LACKING, ""),
    ],
)
def test_a_registry_that_does_not_serve_is_explained_as_far_as_the_database_was_seen(seen: Preflight, explanation: str) -> None:
    assert seen.explanation() == explanation


def test_databases_that_were_not_reached_are_one_warning() -> None:
    assert preflight.unreached_warning(["fraud"]) == [
        "check_database: the database of registry 'fraud' could not be checked, because it cannot be reached from this host."
        " Run the task on a host that can reach it, or set check_database to ignore"
    ]
    [several] = preflight.unreached_warning(["fraud", "credit"])
    assert "the databases of 2 registries (" in several and "fraud" in several and "credit" in several
    assert "because they cannot be reached" in several and "that can reach them" in several


class Held(registry_reader.Reader):
    """Reads Secrets and ConfigMaps of these, and notes which; None for one that may not be read."""

    def __init__(self, **objects: object) -> None:
        self.objects, self.asked = objects, []

    def held(self, kind, name):
        self.asked.append((kind, name))
        if self.objects[name] is None:
            raise _errors.ClusterError("the Secret may not be read", 403)
        return self.objects[name]


@pytest.fixture
def looks(monkeypatch):
    """The views and times that were looked at, with nothing found."""
    seen = []
    monkeypatch.setattr(probe, "look", lambda view, timeout: seen.append((view, timeout)) or probe.Report([LOGIN]))
    return seen


CA = {"name": "bundle", "key": "ca.crt"}
REGISTRY = stored(wanted(database__password=None, database__password_secret={"name": "vault", "key": "password"}), sslRootCertificateConfigMap=CA)


def test_what_is_about_to_be_written_is_looked_at_and_the_rest_where_it_is(looks):
    reader = Held(bundle=config_map(content="live bundle"), vault=foreign_secret(password="live-word"))
    written = {("Secret", "vault"): foreign_secret(password="new-word"), ("ConfigMap", "bundle"): config_map(key="another")}
    assert preflight.look_before(reader, REGISTRY, {}, written) == found(LOGIN)
    [(view, timeout)] = looks
    assert (view.host, view.password, view.ca, view.withholds_password) == ("mysql.data.svc", "new-word", "live bundle", False)
    assert timeout == preflight.SHORT_SECONDS
    assert reader.asked == [("ConfigMap", "bundle")]
    written["ConfigMap", "bundle"] = config_map(content="new bundle")
    preflight.look_before(reader, REGISTRY, {}, written, withholds_password=True)
    assert (looks[1][0].ca, looks[1][0].withholds_password) == ("new bundle", True)
    known = {("ConfigMap", "bundle"): config_map(content="known bundle"), ("Secret", "vault"): None}
    preflight.look_before(reader, REGISTRY, known, {})
    assert (looks[2][0].ca, looks[2][0].password) == ("known bundle", None)
    assert reader.asked == [("ConfigMap", "bundle")]


def test_a_database_that_the_product_makes_is_not_looked_at(looks):
    assert preflight.look_before(Held(), stored(wanted("generated")), {}, {}) is None
    assert preflight.look_before(Held(), {"metadata": {"name": "fraud", "namespace": "registries"}, "spec": {}}, {}, {}) is None
    assert looks == []


def test_what_may_not_be_read_or_is_not_installed_stops_no_write(looks, monkeypatch):
    assert preflight.look_before(Held(bundle=None, vault=None), REGISTRY, {}, {}) == FORBIDDEN
    monkeypatch.setattr(preflight.connection, "missing_libraries", lambda kind: ["a driver", f"another for {kind}"])
    reason = "the Python library a driver and another for mysql is not installed where this task runs"
    assert preflight.look_before(Held(), REGISTRY, {}, {}) == Preflight(reason=reason, lacks_library=True)
    assert looks == []
