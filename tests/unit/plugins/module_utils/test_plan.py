"""Wanted against live."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import Capabilities, Live, plan
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import InputError

from .builders import TODAY, live, options, pod, secret, stored, wanted

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def changes(registry, cluster):
    return [(change.action, change.kind, change.name) for change in plan(registry, cluster, NOW).changes]


def test_a_new_registry_gets_its_secret_first():
    made = changes(wanted(), Live(TODAY))
    assert [(action, kind) for action, kind, _name in made] == [("create", "Secret"), ("create", "ModelRegistry")]


def test_a_secret_left_by_a_killed_run_is_used_again():
    registry = wanted()
    assert changes(registry, Live(TODAY, secret=secret(registry))) == [("create", "ModelRegistry", "fraud")]


def test_a_secret_left_by_a_killed_run_with_another_password_is_corrected():
    registry = wanted()
    made = changes(registry, Live(TODAY, secret=secret(registry, database_password="old")))
    assert [(action, kind) for action, kind, _name in made] == [("update", "Secret"), ("create", "ModelRegistry")]


@pytest.mark.parametrize("missing", ["type", "host", "username", "password"])
def test_a_new_registry_needs_its_database(missing):
    given = options()
    given["database"][missing] = None
    given["database"]["namespace"] = None
    with pytest.raises(InputError) as caught:
        plan(wanted(**given), Live(TODAY), NOW)
    assert f"database.{missing}" in [problem.option for problem in caught.value.problems]


def test_an_equal_registry_has_nothing_to_do():
    registry = wanted()
    assert changes(registry, live(registry)) == []


def test_an_option_that_is_left_out_keeps_its_live_value():
    assert changes(wanted(display_name=None, description=None, database=None), live(wanted())) == []


def test_another_description_changes_the_registry_and_restarts_nothing():
    [change] = plan(wanted(description="New"), live(wanted()), NOW).changes
    assert change.body == {"metadata": {"annotations": {"openshift.io/description": "New"}}}
    assert (change.before, change.after) == ({"description": "Models"}, {"description": "New"})


def test_another_password_changes_the_secret_and_restarts_the_server():
    found = plan(wanted(database__password="new-word"), live(wanted()), NOW).changes
    assert [(change.action, change.kind) for change in found] == [("update", "Secret"), ("restart", "Deployment")]
    assert list(found[0].body["data"]) == ["database-password"]
    shown = repr(found) + repr([change.result(False) for change in found])
    assert "new-word" not in shown and found[0].before != found[0].after


def test_a_change_of_the_pod_needs_no_restart_beside_it():
    found = changes(wanted(database__password="new-word", database__port=3307), live(wanted()))
    assert [(action, kind) for action, kind, _name in found] == [("update", "Secret"), ("update", "ModelRegistry")]


@pytest.mark.parametrize(
    ("changed_at", "started", "restarted"),
    [
        ("2026-05-01T10:00:06Z", "2026-05-01T10:00:05Z", True),
        ("2026-05-01T10:00:05Z", "2026-05-01T10:00:05Z", True),
        ("2026-05-01T10:00:04Z", "2026-05-01T10:00:05Z", False),
        # Written once, when it was made, in the second in which the server started.
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z", False),
    ],
)
def test_a_server_is_restarted_exactly_when_it_is_older_than_its_password(changed_at, started, restarted):
    registry = wanted()
    found = changes(registry, live(registry, secret=secret(registry, changed_at), pods=(pod(started),)))
    assert found == ([("restart", "Deployment", "fraud")] if restarted else [])


def test_a_server_is_restarted_when_it_is_older_than_its_ca():
    registry = wanted(database__ca="cluster")
    bundle = secret(registry, "2026-05-01T11:00:00Z")
    assert changes(registry, live(registry, ca_bundle=bundle)) == [("restart", "Deployment", "fraud")]


@pytest.mark.parametrize("option", ["database__host", "database__name"])
def test_another_database_is_refused_because_models_would_seem_to_vanish(option):
    with pytest.raises(InputError, match="vanish"):
        plan(wanted(**{option: "other"}), live(wanted()), NOW)


@pytest.mark.parametrize(
    "foreign",
    [
        {"name": "vault-made"},
        {"annotations": {}},
        {"ownerReferences": [{"kind": "ExternalSecret", "name": "x"}]},
    ],
)
def test_the_secret_of_somebody_else_is_never_written(foreign):
    registry = wanted()
    theirs = secret(registry)
    theirs["metadata"] |= foreign
    resource = stored(registry, passwordSecret={"name": theirs["metadata"]["name"], "key": "database-password"})
    with pytest.raises(InputError, match="somebody else"):
        plan(wanted(database__password="new-word"), live(registry, registry=resource, secret=theirs), NOW)
    assert plan(registry, live(registry, registry=resource, secret=theirs), NOW).changes == ()


def test_a_secret_that_was_lost_is_made_again_with_the_live_user():
    registry = wanted(database__username=None, database__name=None)
    [change] = plan(registry, live(wanted(), secret=None, pods=()), NOW).changes
    assert (change.action, change.kind) == ("create", "Secret")
    assert set(change.body["data"]) == {"database-name", "database-user", "database-password"}


def test_a_registry_that_does_not_verify_its_database_is_a_warning():
    registry = wanted(database__ca="cluster")
    resource = stored(registry, verifyServerCert=None)
    found = plan(wanted(), live(wanted(), registry=resource), NOW)
    assert found.changes == () and "does not check" in found.warnings[0]


def test_mysql_options_for_a_registry_on_another_database_are_refused():
    resource = stored(wanted())
    resource["spec"]["postgres"] = resource["spec"].pop("mysql")
    with pytest.raises(InputError, match="does not use MySQL"):
        plan(wanted(), live(wanted(), registry=resource), NOW)


def test_a_registry_without_a_secret_is_pointed_at_the_one_for_its_new_password():
    resource = stored(wanted())
    del resource["spec"]["mysql"]["passwordSecret"]
    found = plan(wanted(), live(wanted(), registry=resource, secret=None, pods=()), NOW).changes
    assert [(change.action, change.kind) for change in found] == [("create", "Secret"), ("update", "ModelRegistry")]
    assert found[1].body == {"spec": {"mysql": {"passwordSecret": {"name": found[0].name, "key": "database-password"}}}}


def test_a_lost_secret_of_somebody_else_is_not_made():
    resource = stored(wanted(), passwordSecret={"name": "vault-made", "key": "password"})
    with pytest.raises(InputError, match="somebody else"):
        plan(wanted(), live(wanted(), registry=resource, secret=None), NOW)


@pytest.mark.parametrize(("name", "refused"), [("fraud_models2", False), ("fraud-models", True), (None, True)])
def test_the_metadata_server_of_old_products_limits_a_databases_name(name, refused):
    old = Live(Capabilities("v1alpha1", "oauthProxy"))
    registry = wanted(database__name=name)
    assert plan(registry, Live(TODAY), NOW).changes
    if refused:
        with pytest.raises(InputError, match=r"database\.name .*letters, digits and underscores"):
            plan(registry, old, NOW)
    else:
        assert plan(registry, old, NOW).changes
