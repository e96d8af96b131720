"""The cipher suites for MySQL: an option that nothing but its entry in the table of the options is about."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import resolution, transport
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import custom_resource
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.drift import differences
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.export import exported_registry
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import readiness

from .builders import NAMESPACE, TODAY, live, options, planned, stored, wanted
from .test_readiness import deployment

CIPHER = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
PATH = ("spec", "mysql", "sslCipher")


def fields(registry, resource):
    return {path: value for _option, path, value in custom_resource.wanted_fields(registry, resource, "mysql")}


def test_it_is_written_to_a_new_registry_and_to_one_without_it():
    given = wanted(database__ssl_cipher=CIPHER)
    assert stored(given)["spec"]["mysql"]["sslCipher"] == CIPHER
    assert "sslCipher" not in stored(wanted())["spec"]["mysql"]
    assert fields(given, stored(wanted())) == {PATH: CIPHER}
    assert fields(given, stored(given)) == {}


def test_it_stays_when_it_is_not_set_and_an_empty_text_takes_it_back():
    assert fields(wanted(), stored(wanted(), sslCipher=CIPHER)) == {}
    assert fields(wanted(database__ssl_cipher=""), stored(wanted(), sslCipher=CIPHER)) == {PATH: ""}
    assert fields(wanted(database__ssl_cipher=""), stored(wanted())) == {}


def test_it_is_exported_and_the_export_converges_to_no_change():
    for cipher in (CIPHER, ""):
        export = exported_registry(stored(wanted(), sslCipher=cipher), TODAY)
        assert export.options["database"]["ssl_cipher"] == cipher and export.left_out == ()


def test_its_drift_is_told():
    present = live(wanted(), registry=stored(wanted(), sslCipher="other"))
    [drift] = differences("fraud", present, planned(wanted(database__ssl_cipher=CIPHER), present).changes, None, None)
    assert (drift.option, drift.before, drift.after) == ("database.ssl_cipher", "other", CIPHER)


@pytest.mark.parametrize("kind", ["postgresql", "generated"])
def test_only_mysql_has_it(kind):
    problems = []
    registry_from_options(options(kind, database__ssl_cipher=CIPHER), NAMESPACE, problems, [])
    assert [problem.option for problem in problems] == ["database.ssl_cipher"]


def test_a_registry_is_available_when_its_server_has_been_given_it():
    registry = stored(wanted(database__ssl_cipher=CIPHER))
    assert not readiness.reflects(registry, deployment())
    assert readiness.reflects(registry, deployment(arguments=[f"--embedmd-database-ssl-cipher={CIPHER}"]))
    assert not readiness.reflects(stored(wanted()), deployment(arguments=[f"--embedmd-database-ssl-cipher={CIPHER}"]))


@pytest.mark.parametrize(("cipher", "encrypted"), [(CIPHER, True), ("", False), (None, False)])
def test_the_database_check_knows_that_it_encrypts_without_a_ca(cipher, encrypted):
    registry = stored(wanted(database__ssl_cipher=cipher))
    for database in (wanted(database__ssl_cipher=cipher).database, resolution.live_database(registry)[0]):
        view, _findings = resolution.view_of(database, resolution.References(), lambda _source: None)
        assert transport.encryption(view) == transport.Encryption(encrypted)


def test_a_connection_that_only_it_encrypts_is_warned_of_as_not_verified():
    given = wanted(database__ssl_cipher=CIPHER)
    assert any("verify_server_cert" in warning for warning in planned(given, live(given)).warnings)
    assert not planned(wanted(), live(wanted())).warnings
