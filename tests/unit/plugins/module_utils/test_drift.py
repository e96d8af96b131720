"""What live registries have that is not wanted, and who wrote it."""

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.directory import Known
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant, Permissions
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.role_bindings import LiveGrants
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.drift import Difference, differences
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.permission_plan import grant_changes, member_changes

from .builders import config_map, live, planned, secret, secret_name, stored, wanted
from .grants import OPERATOR_LABELS, TARGET, binding, dashboards

EARLY, LATE = "2026-05-01T10:00:00Z", "2026-05-02T10:00:00Z"
CLICKED, TYPED = ("node-fetch", LATE), ("kubectl-edit", EARLY)


def written(manifest, manager, time, *paths):
    """The manifest with one more entry of who wrote what."""
    fields = {}
    for path in paths:
        here = fields
        for part in path:
            here = here.setdefault(f"f:{part}", {})
    entry = {"manager": manager, "time": time, "operation": "Update", "fieldsV1": fields}
    entries = [*manifest["metadata"].get("managedFields", []), entry]
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": entries}}


def drift(registry, live_one, objects=None):
    cluster = live(registry, objects or {("Secret", secret_name(wanted())): secret(wanted())}, registry=live_one)
    return differences("fraud", cluster, planned(registry, cluster).changes, None, None)


def test_each_field_is_told_with_its_last_writer():
    present = written(stored(wanted(display_name="Theirs", database__port=3307)), *TYPED, ("spec", "mysql", "port"), ("spec", "mysql", "host"))
    present = written(present, *CLICKED, ("metadata", "annotations", "openshift.io/display-name"))
    assert drift(wanted(database__port=3306), present) == [
        Difference("fraud", "database.port", 3307, 3306, *TYPED),
        Difference("fraud", "display_name", "Theirs", "Fraud", *CLICKED),
    ]


def test_of_several_writers_the_last_one_counts():
    present = written(written(stored(wanted(display_name="Theirs")), *CLICKED, ("metadata", "annotations", "openshift.io/display-name")), "older", EARLY)
    present = written(present, *TYPED, ("metadata", "annotations", "openshift.io/display-name"))
    [difference] = drift(wanted(), present)
    assert (difference.manager, difference.time) == CLICKED


def test_a_field_that_somebody_took_away_has_no_writer():
    present = stored(wanted())
    del present["metadata"]["annotations"]["openshift.io/description"]
    assert drift(wanted(), present) == [Difference("fraud", "description", "", "Models")]


def test_another_ca_is_told_by_where_it_is():
    present = written(stored(wanted(database__ca={"source": "cluster"})), *CLICKED, ("spec", "mysql", "sslRootCertificateConfigMap", "name"))
    objects = {("Secret", secret_name(wanted())): secret(wanted()), ("ConfigMap", "ca"): config_map("ca", "k")}
    [ca] = [
        found for found in drift(wanted(database__ca={"source": "config_map", "name": "ca", "key": "k"}), present, objects) if found.option == "database.ca"
    ]
    assert (ca.before, ca.after, ca.manager) == ({"source": "cluster"}, {"source": "config_map", "name": "ca", "key": "k"}, "node-fetch")


def test_a_password_is_masked_and_told_by_who_wrote_its_secret():
    held = written(secret(wanted(), password="theirs"), *CLICKED, ("data", "database-password"))
    [password] = drift(wanted(), stored(wanted()), {("Secret", secret_name(wanted())): held})
    assert (password.option, password.manager, password.time) == ("database.password", *CLICKED)
    assert password.before != password.after and "theirs" not in str(password) and "secret-word" not in str(password)
    # Another key of the same Secret is not the password.
    beside = written(held, "other", "2026-05-03T10:00:00Z", ("data", "database-user"))
    assert drift(wanted(), stored(wanted()), {("Secret", secret_name(wanted())): beside}) == [password]


def test_a_registry_that_is_missing_is_one_difference():
    cluster = live(wanted(), registry=None)
    assert differences("fraud", cluster, planned(wanted(), cluster).changes, None, None) == [Difference("fraud", "name", None, "fraud")]


def test_a_registry_without_a_database_differs_by_its_type_too():
    present = stored(wanted())
    del present["spec"]["mysql"]
    found = {difference.option: (difference.before, difference.after) for difference in drift(wanted(), written(present, *TYPED, ("spec", "rest")))}
    assert found["database.type"] == (None, "mysql") and found["database.port"] == (None, 3306)


@pytest.mark.parametrize(("kind", "section"), [("mysql", "mysql"), ("postgresql", "postgres")])
def test_another_type_of_database_is_told_by_who_wrote_the_database(kind, section):
    present = written(written(stored(wanted(kind)), *TYPED, ("spec", section, "host")), *CLICKED, ("spec", "rest"))
    found = {difference.option: difference for difference in drift(wanted("generated"), present)}
    assert found["database.type"] == Difference("fraud", "database.type", kind, "generated", *TYPED)


def test_a_difference_is_a_dictionary_in_a_result():
    shown = {"registry": "fraud", "option": "database.port", "before": 1, "after": 2, "manager": "kubectl-edit", "time": EARLY}
    assert Difference("fraud", "database.port", 1, 2, *TYPED).as_result() == shown


def test_what_is_as_wanted_does_not_drift():
    assert drift(wanted(), stored(wanted())) == []
    # A server that has to be restarted is none of the options.
    assert drift(wanted(), stored(wanted()), {("Secret", secret_name(wanted())): secret(wanted(), LATE)}) == []


def test_options_are_told_in_the_order_of_their_names():
    present = stored(wanted(display_name="Theirs", description="Theirs", database__port=1, database__username="x", database__ca={"source": "cluster"}))
    found = drift(wanted(database__port=3306, database__ca={"source": "none"}), present)
    names = ["database.ca", "database.port", "database.username", "database.verify_server_cert", "description", "display_name"]
    assert [difference.option for difference in found] == names


def test_access_is_granted_or_not():
    theirs = written(dashboards(Grant("users", "mallory"), name="theirs"), *TYPED)
    wished = Permissions((Grant("groups", "scientists"),), exclusive=True)
    assert set(access_drift(wished, theirs)) == {
        Difference("fraud", "permissions.groups[scientists]", None, "granted"),
        Difference("fraud", "permissions.users[mallory]", "granted", None, *TYPED),
    }


def access_drift(wished, *bindings):
    grants = LiveGrants.of(TARGET, bindings)
    return differences("fraud", live(wanted()), grant_changes(wished, grants, Known()).changes, grants, None)


def test_a_surplus_role_binding_is_told_as_such_and_not_as_lost_access():
    one, other = (dashboards(Grant("groups", "scientists"), name=name) for name in ("one", "other"))
    wished = Permissions((Grant("groups", "scientists"),), exclusive=True)
    assert access_drift(wished, one, written(other, *TYPED)) == [
        Difference("fraud", "permissions.exclusive", "RoleBinding 'other' (group scientists)", None, *TYPED)
    ]


def test_access_by_two_role_bindings_is_lost_once():
    both = (dashboards(Grant("users", "mallory"), name=name) for name in ("one", "other"))
    found = access_drift(Permissions((), exclusive=True), *both)
    assert [(entry.option, entry.before, entry.after) for entry in found] == [
        ("permissions.users[mallory]", "granted", None),
        ("permissions.exclusive", "RoleBinding 'other' (user mallory)", None),
    ]


def test_a_role_binding_that_grants_nothing_is_no_access_that_is_lost():
    wrong = dashboards(Grant("groups", "scientists"), name="wrong")
    wrong = {**wrong, "roleRef": {**wrong["roleRef"], "name": TARGET.wrong_role}}
    found = access_drift(Permissions((Grant("groups", "scientists"),), exclusive=True), wrong)
    assert [(entry.option, entry.before, entry.after) for entry in found] == [
        ("permissions.groups[scientists]", None, "granted"),
        ("permissions.exclusive", "RoleBinding 'wrong' (group scientists)", None),
    ]


def test_access_is_lost_although_a_role_binding_that_grants_nothing_stays():
    mallory = Grant("users", "mallory")
    found = access_drift(Permissions((), exclusive=True), dashboards(mallory, name="theirs"), binding("other", mallory, role=TARGET.wrong_role))
    assert [(entry.option, entry.before, entry.after) for entry in found] == [("permissions.users[mallory]", "granted", None)]


def test_members_are_told_by_who_wrote_the_group():
    group = written({"metadata": {"name": "fraud-users", "resourceVersion": "1", "labels": OPERATOR_LABELS}, "users": ["mallory"]}, *CLICKED, ("users",))
    changes = member_changes(Permissions(members=("alice",), exclusive=True), TARGET, group, True).changes
    assert set(differences("fraud", live(wanted()), changes, None, group)) == {
        Difference("fraud", "permissions.members[alice]", None, "granted", *CLICKED),
        Difference("fraud", "permissions.members[mallory]", "granted", None, *CLICKED),
    }


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_every_option_of_a_database_has_a_place_to_look_for_its_writer(kind):
    changed = {"database__host": "elsewhere", "database__username": "other"}
    section = {"mysql": "mysql", "postgresql": "postgres"}[kind]
    present = written(stored(wanted(kind, **changed)), *CLICKED, ("spec", section, "host"), ("spec", section, "username"))
    cluster = live(wanted(kind), {("Secret", secret_name(wanted(kind))): secret(wanted(kind))}, registry=present)
    found = differences("fraud", cluster, planned(wanted(kind), cluster, allow_data_change=True).changes, None, None)
    assert {entry.option: entry.manager for entry in found} == {"database.host": "node-fetch", "database.username": "node-fetch"}
