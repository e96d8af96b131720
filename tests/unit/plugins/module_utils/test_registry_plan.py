"""Wanted against live."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import custom_resource, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.credentials import stored_password
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import Database, KeyReference, Registry, registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.kinds import APIS, SERVICES, Capabilities
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.live_state import Live
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.server_pods import server_start
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.dependencies import needed_objects, needs_password_secrets, references_of
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.prediction import password_reference, resource_after
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.registry_plan import needs_pods
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.restarts import RESTARTED_AT, changed_at, restart_of

from .builders import (
    CREATED,
    DEFAULTS,
    LATER,
    NAMESPACE,
    OLD,
    PEM,
    STARTED,
    TODAY,
    TYPES,
    body,
    config_map,
    edited,
    foreign_secret,
    held,
    live,
    named,
    options,
    planned,
    pod,
    secret,
    secret_name,
    steps,
    stored,
    wanted,
)
from .grants import OPERATOR_LABELS

OURS = secret_name(wanted())
ONE = trustme.CA(organization_name="one").cert_pem.bytes().decode()
VAULT = {"name": "vault", "key": "password"}
CLIENT = {"source": "secret", "name": "client"}
CERTIFICATE = {"tls.crt": "c", "tls.key": "k"}


def without_secret(kind="mysql", **changed):
    """A registry whose password is in a Secret that somebody else looks after."""
    return wanted(kind, **{"database__password": None, "database__password_secret": VAULT} | changed)


def said_nothing():
    """The registry of a call that names it and nothing else."""
    return registry_from_options({"name": "fraud"}, NAMESPACE, [], [])


# Creating


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_new_registry_gets_its_secret_first(kind):
    made = planned(wanted(kind), Live(TODAY))
    assert steps(made) == [("create", "Secret"), ("create", "ModelRegistry")]
    assert [change.verb for change in made.changes] == ["POST", "POST"]
    assert [change.api for change in made.changes] == [("v1", "secrets"), ("modelregistry.opendatahub.io/v1beta1", "modelregistries")]
    assert not made.restart_needed and not made.incomplete
    section = custom_resource.live_database(body(made))
    assert section["passwordSecret"] == {"name": body(made, "Secret")["metadata"]["name"], "key": "database-password"}
    assert manifests.decoded(body(made, "Secret"), "database-password") == "secret-word"


def test_a_new_registry_on_a_generated_database_gets_no_secret_and_a_warning():
    made = planned(wanted("generated"), Live(TODAY))
    assert steps(made) == [("create", "ModelRegistry")]
    assert body(made)["spec"]["postgres"] == {"generateDeployment": True}
    [warning] = made.warnings
    assert "not intended for production" in warning


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_new_registry_on_somebody_elses_secret_writes_none(kind):
    made = planned(without_secret(kind), Live(TODAY, objects={("Secret", "vault"): foreign_secret()}))
    assert steps(made) == [("create", "ModelRegistry")]
    assert custom_resource.live_database(body(made))["passwordSecret"] == VAULT


def test_a_creation_names_what_was_given_and_shows_what_will_be():
    change = planned(wanted(description=None), Live(TODAY)).changes[1]
    assert change.fields == ("database.host", "database.name", "database.username", "display_name")
    assert change.before == {} and change.after["database.port"] == 3306 and change.after["description"] == ""
    [generated] = planned(wanted("generated"), Live(TODAY)).changes
    assert generated.fields == ("database.type", "description", "display_name")


@pytest.mark.parametrize(("kind", "verified"), [("mysql", True), ("postgresql", False)])
def test_a_creation_with_a_ca_names_the_check_that_comes_with_it(kind, verified):
    made = planned(wanted(kind, database__ca={"source": "cluster"}), Live(TODAY)).changes[-1]
    assert "database.ca" in made.fields and ("database.verify_server_cert" in made.fields) is verified


def test_a_creation_uses_the_api_and_the_authentication_of_the_cluster():
    made = planned(wanted(), Live(OLD)).changes[1]
    assert made.api == ("modelregistry.opendatahub.io/v1alpha1", "modelregistries")
    assert made.body["apiVersion"] == made.api[0] and "oauthProxy" in made.body["spec"]


def test_a_postgresql_password_is_stored_so_that_the_server_can_use_it():
    registry = wanted("postgresql", database__password="p?ss/w#rd")
    assert manifests.decoded(body(planned(registry, Live(TODAY)), "Secret"), "database-password") == "p%3Fss%2Fw%23rd"
    # The metadata server gets it by itself, not as a part of a URL.
    assert manifests.decoded(body(planned(registry, Live(OLD)), "Secret"), "database-password") == "p?ss/w#rd"
    mysql = wanted(database__password="p/w#rd")
    assert manifests.decoded(body(planned(mysql, Live(TODAY)), "Secret"), "database-password") == "p/w#rd"


@pytest.mark.parametrize("missing", ["type", "host", "username", "password"])
def test_a_new_registry_needs_its_database(missing):
    given = options(database__namespace=None)
    given["database"][missing] = None
    made = planned(registry_from_options(given, NAMESPACE, [], []), Live(TODAY))
    assert [problem.sentence() for problem in made.problems] == [
        f"name: Registry 'fraud' does not exist in namespace 'registries'. To create it, set database.{missing}."
    ]
    assert not any("password_secret" in warning for warning in made.warnings)


def test_a_new_registry_without_a_database_is_told_all_that_it_lacks():
    made = planned(said_nothing(), Live(TODAY, names=frozenset({"fraud-2", "churn"})))
    [problem] = made.problems
    assert problem.sentence() == (
        "name: Registry 'fraud' does not exist in namespace 'registries' (did you mean 'fraud-2'?)."
        " To create it, set database.type, database.host, database.username and database.password."
    )
    # So that the rights for it are checked too.
    assert "ModelRegistry" in [change.kind for change in made.changes]


def test_an_operator_that_cannot_generate_databases_is_a_problem():
    other = Capabilities("v1beta1", "oauthProxy", generates_databases=False)
    [problem] = planned(wanted("generated"), Live(other)).problems
    assert (problem.option, problem.value) == ("database.type", "generated")
    [problem] = planned(wanted("generated"), live(wanted(), capabilities=other), allow_data_change=True).problems
    assert (problem.option, problem.value) == ("database.type", "generated")
    assert planned(wanted("generated"), live(wanted("generated"), capabilities=other)).problems == ()


@pytest.mark.parametrize(("server", "refused"), [((1, 35), True), ((1, 36), False), ((2, 0), False)])
def test_a_leading_digit_is_refused_where_no_service_may_have_it(server, refused):
    assert named(planned(wanted(name="1a"), Live(TODAY, server=server)).problems) == ["name"] * refused
    assert planned(wanted(name="a1"), Live(TODAY, server=server)).problems == ()
    registry = wanted(name="1a")
    assert planned(registry, live(registry, server=server)).problems == ()


@pytest.mark.parametrize(("name", "refused"), [("fraud_models2", False), ("fraud-models", True), (None, True)])
def test_the_metadata_server_of_old_products_limits_a_databases_name(name, refused):
    registry = wanted(database__name=name)
    assert planned(registry, Live(TODAY)).problems == ()
    assert named(planned(registry, Live(OLD)).problems) == ["database.name"] * refused


def test_the_metadata_server_of_old_products_limits_another_databases_name_too():
    found = planned(edited(name="fraud-models"), live(wanted(), capabilities=OLD), allow_data_change=True)
    assert named(found.problems) == ["database.name"]
    assert planned(edited(name="fraud-models"), live(wanted()), allow_data_change=True).problems == ()
    assert planned(edited(username="me"), live(wanted(), capabilities=OLD)).problems == ()


def test_the_metadata_server_of_old_products_cannot_use_the_default_name_after_a_move_either():
    made = planned(wanted("postgresql", database__name=None), live(wanted(), capabilities=OLD), allow_data_change=True)
    assert named(made.problems) == ["database.name"]


# Runs that were killed


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_secret_left_by_a_killed_run_is_used_again(kind):
    registry = wanted(kind)
    assert steps(planned(registry, Live(TODAY, objects={("Secret", OURS): secret(registry)}))) == [("create", "ModelRegistry")]


def test_a_secret_left_by_a_killed_run_with_another_password_is_corrected():
    registry = wanted()
    made = planned(registry, Live(TODAY, objects={("Secret", OURS): secret(registry, password="old", resourceVersion="7")}))
    assert steps(made) == [("update", "Secret"), ("create", "ModelRegistry")]
    # As it was read, and not over what another process has written since.
    assert body(made, "Secret") == {"metadata": {"resourceVersion": "7"}, "data": {"database-password": manifests.encoded("secret-word")}}


def test_a_secret_left_by_a_killed_run_goes_when_another_one_is_named():
    left = secret(wanted())
    cluster = Live(TODAY, objects={("Secret", "vault"): foreign_secret()}, password_secrets=(left,))
    made = planned(without_secret(), cluster)
    assert steps(made) == [("create", "ModelRegistry")] and given_up(made) == [OURS]
    made = planned(wanted("generated"), dataclasses.replace(cluster, objects={}))
    assert steps(made) == [("create", "ModelRegistry")] and given_up(made) == [OURS]


def test_a_rotation_that_was_killed_before_its_restart_is_finished():
    registry = wanted()
    cluster = live(registry, {("Secret", OURS): secret(registry, LATER)})
    assert steps(planned(registry, cluster)) == [("restart", "Deployment")]


# Leaving alone


@pytest.mark.parametrize("kind", TYPES)
def test_an_equal_registry_has_nothing_to_do(kind):
    made = planned(wanted(kind), live(wanted(kind)))
    assert made.changes == () and made.problems == () and made.warnings == ()
    assert not made.restart_needed and not made.incomplete


@pytest.mark.parametrize("kind", TYPES)
def test_an_option_that_is_left_out_keeps_its_live_value(kind):
    assert steps(planned(said_nothing(), live(wanted(kind)))) == []
    assert steps(planned(edited(type=kind), live(wanted(kind)))) == []


def dashboards(api="v1beta1", authentication=None, **database):
    """A registry of the dashboard's as the API server stores it, written down by hand."""
    return {
        "apiVersion": f"modelregistry.opendatahub.io/{api}",
        "kind": "ModelRegistry",
        "metadata": {
            "name": "fraud",
            "namespace": NAMESPACE,
            "uid": "1",
            "annotations": {"openshift.io/description": "", "openshift.io/display-name": "Fraud"},
            "finalizers": ["modelregistry.opendatahub.io/finalizer"],
        },
        "spec": {
            "grpc": {"port": 9090},
            "rest": {"port": 8080, "serviceRoute": "disabled"},
            **(authentication or {"kubeRBACProxy": {"port": 8443, "routePort": 443, "serviceRoute": "enabled"}}),
            **database,
        },
    }


DASHBOARDS_PASSWORD = {"name": "fraud-db-x7k2p", "key": "database-password"}
CONNECTION = {"database": "models", "username": "registry", "skipDBCreation": False, "passwordSecret": DASHBOARDS_PASSWORD}
ON_MYSQL = {"mysql": {"host": "mysql.data.svc", "port": 3306, **CONNECTION}}
ON_POSTGRESQL = {"postgres": {"host": "pg.data.svc", "port": 5432, "sslMode": "disable", **CONNECTION}}
ISTIO = {"istio": {"authProvider": "a", "tlsMode": "ISTIO_MUTUAL", "gateway": {"domain": "d", "rest": {"port": 443, "tls": {"mode": "SIMPLE"}}}}}
OAUTH = {"oauthProxy": {"port": 8443, "routePort": 443, "serviceRoute": "enabled"}}


def dashboards_secret(password="secret-word", changed_at=CREATED):
    return secret(wanted(), changed_at, password) | {"metadata": secret(wanted(), changed_at)["metadata"] | {"name": "fraud-db-x7k2p", "uid": "7"}}


@pytest.mark.parametrize(
    ("kind", "registry", "capabilities"),
    [
        ("mysql", dashboards("v1alpha1", ISTIO, **ON_MYSQL), Capabilities("v1alpha1", "oauthProxy", False)),
        ("mysql", dashboards("v1alpha1", OAUTH, **ON_MYSQL), Capabilities("v1alpha1", "oauthProxy", False)),
        ("mysql", dashboards("v1beta1", OAUTH, **ON_MYSQL), Capabilities("v1beta1", "oauthProxy", False)),
        ("mysql", dashboards(**ON_MYSQL), TODAY),
        ("postgresql", dashboards(**ON_POSTGRESQL), TODAY),
        ("generated", dashboards(postgres={"generateDeployment": True, "port": 5432, "skipDBCreation": False, "sslMode": "disable"}), TODAY),
    ],
)
def test_a_registry_of_the_dashboard_is_adopted_without_a_change(kind, registry, capabilities):
    given = {"database__ssl_mode": None} if kind == "postgresql" else {}
    cluster = Live(capabilities, registry, {("Secret", "fraud-db-x7k2p"): dashboards_secret()}, pods=(pod(),))
    made = planned(wanted(kind, description="", **given), cluster)
    assert steps(made) == []


@pytest.mark.parametrize(
    ("held_one", "rewritten"),
    [
        (stored_password("päss w?rd", in_url=True), False),
        # Escapes of somebody else's hand.
        ("p%c3%a4ss%20w%3frd", False),
        # As a dashboard writes it, with which the server cannot start.
        ("päss w?rd", True),
        ("another", True),
    ],
)
def test_a_postgresql_password_is_compared_by_what_it_means(held_one, rewritten):
    registry = wanted("postgresql", database__password="päss w?rd")
    made = planned(registry, live(registry, {("Secret", OURS): secret(registry, password=held_one)}))
    assert steps(made) == [("update", "Secret"), ("restart", "Deployment")] * rewritten


# Editing


def test_another_description_changes_the_registry_and_restarts_nothing():
    [change] = planned(wanted(description="New"), live(wanted())).changes
    assert (change.action, change.verb, change.api) == ("update", "PATCH", TODAY.api)
    assert (change.namespace, change.name, change.fields) == (NAMESPACE, "fraud", ("description",))
    assert change.body == {"metadata": {"annotations": {"openshift.io/description": "New"}}}
    assert (change.before, change.after) == ({"description": "Models"}, {"description": "New"})
    assert change.result(False) == {"action": "update", "kind": "ModelRegistry", "namespace": NAMESPACE, "name": "fraud", "fields": ["description"]}
    assert change.result(True)["unverified"] is True


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_another_password_changes_the_secret_and_restarts_the_server(kind):
    made = planned(wanted(kind, database__password="new-word"), live(wanted(kind)))
    assert steps(made) == [("update", "Secret"), ("restart", "Deployment")]
    assert body(made, "Secret")["data"] == {"database-password": manifests.encoded("new-word")}
    assert body(made, "Deployment") == {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-05-01T12:00:00Z"}}}}}
    assert [(change.verb, change.api) for change in made.changes] == [("PATCH", ("v1", "secrets")), ("PATCH", ("apps/v1", "deployments"))]


def test_the_diff_of_a_password_tells_only_whether_there_is_a_change():
    shown = [
        (made.before, made.after)
        for made in (
            planned(wanted(), Live(TODAY)).changes[0],
            planned(wanted(database__password="new-word"), live(wanted())).changes[0],
        )
    ]
    assert shown == [({}, {"database.password": "********"}), ({"database.password": "********"}, {"database.password": "******** (changed)"})]


def test_a_password_is_seen_to_change_and_never_seen():
    for before in (Live(TODAY), live(wanted())):
        found = planned(wanted(database__password="new-word"), before).changes
        shown = repr(found) + repr([change.result(False) for change in found])
        assert "new-word" not in shown and manifests.encoded("new-word") not in shown
        assert found[0].fields == ("database.password",) and found[0].before != found[0].after


@pytest.mark.parametrize("texts", [{}, {"description": "New"}])
def test_a_change_of_the_pod_needs_no_restart_beside_it(texts):
    made = planned(wanted(database__password="new-word", database__username="me", **texts), live(wanted()))
    assert steps(made) == [("update", "Secret"), ("update", "ModelRegistry")]
    # A text does not change the pod.
    made = planned(wanted(database__password="new-word", description="New"), live(wanted()))
    assert steps(made) == [("update", "Secret"), ("update", "ModelRegistry"), ("restart", "Deployment")]


def test_the_options_that_an_edit_changes_are_told_in_the_order_of_their_names():
    given = {"database__port": 1, "database__username": "me", "database__host": "x", "database__name": "y", "description": "New", "display_name": "New"}
    [change] = planned(wanted(**given), live(wanted()), allow_data_change=True).changes
    assert change.fields == ("database.host", "database.name", "database.port", "database.username", "description", "display_name")
    assert tuple(sorted(change.before)) == tuple(sorted(change.after)) == change.fields


def test_an_edit_of_a_registry_that_a_tool_manages_is_a_warning():
    registry = stored(wanted())
    registry["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = "x"
    [warning] = planned(wanted(description="New"), live(wanted(), registry=registry)).warnings
    assert "'fraud'" in warning and "argocd.argoproj.io/tracking-id" in warning
    # What is in another object is no change of the registry.
    assert planned(wanted(database__password="new-word"), live(wanted(), registry=registry)).warnings == ()


def test_what_the_same_run_writes_for_another_registry_restarts_the_server():
    cluster = live(wanted(), deployment={"metadata": {"creationTimestamp": LATER}})
    assert steps(planned(said_nothing(), cluster)) == [] and not needs_pods(said_nothing(), cluster)
    cluster = dataclasses.replace(cluster, foreseen=frozenset({("Secret", OURS)}))
    assert steps(planned(said_nothing(), cluster)) == [("restart", "Deployment")] and needs_pods(said_nothing(), cluster)


def test_only_what_is_new_and_named_after_a_registry_has_to_be_claimed():
    registry = wanted(database__ca={"source": "secret", "name": "vault", "key": "k"})
    objects = {("Secret", "vault"): foreign_secret("vault", k=PEM)}
    assert planned(registry, Live(TODAY, objects=objects)).relied_on == (("Secret", OURS),)
    assert planned(registry, live(wanted(), objects)).relied_on == ()
    theirs = wanted(database__ca={"source": "config_map", "name": "churn-db-credential", "key": "ca.crt"})
    made = planned(theirs, live(wanted(), {("ConfigMap", "churn-db-credential"): config_map("churn-db-credential")}))
    assert made.relied_on == (("ConfigMap", "churn-db-credential"),)


def test_a_password_goes_into_the_key_that_the_registry_reads():
    registry = stored(wanted(), passwordSecret={"name": OURS, "key": "other"})
    made = planned(wanted(), live(wanted(), registry=registry))
    assert body(made, "Secret")["data"] == {"other": manifests.encoded("secret-word")}
    lost = planned(wanted(), live(wanted(), {("Secret", OURS): None}, registry=registry, pods=()))
    assert manifests.decoded(body(lost, "Secret"), "other") == "secret-word"


def test_a_secret_that_was_lost_is_made_again_with_the_live_user():
    registry = wanted(database__username=None, database__name=None, database__password="new-word")
    made = planned(registry, live(wanted(), {("Secret", OURS): None}, pods=()))
    assert steps(made) == [("create", "Secret")]
    data = {key: manifests.decoded(body(made, "Secret"), key) for key in body(made, "Secret")["data"]}
    assert data == {"database-name": "models", "database-user": "registry", "database-password": "new-word"}
    given = body(planned(wanted(database__username="me"), live(wanted(), {("Secret", OURS): None}, pods=())), "Secret")
    assert manifests.decoded(given, "database-user") == "me"


def test_a_registry_without_a_secret_is_pointed_at_the_one_for_its_new_password():
    registry = stored(wanted(), passwordSecret=None)
    made = planned(wanted(), live(wanted(), {("Secret", OURS): None}, registry=registry))
    assert steps(made) == [("create", "Secret"), ("update", "ModelRegistry")]
    assert body(made) == {"spec": {"mysql": {"passwordSecret": {"name": OURS, "key": "database-password"}}}}
    assert made.changes[1].fields == ("database.password", "database.password_secret")
    with_another = planned(wanted(database__port=1), live(wanted(), {("Secret", OURS): None}, registry=registry))
    assert body(with_another)["spec"]["mysql"] == {"port": 1, "passwordSecret": {"name": OURS, "key": "database-password"}}
    referenced = planned(without_secret(), live(wanted(), {("Secret", "vault"): foreign_secret()}, registry=registry))
    assert referenced.changes[0].fields == ("database.password_secret",)


def test_a_registry_without_a_password_may_stay_so():
    registry = stored(wanted(), passwordSecret=None)
    assert steps(planned(edited(username="registry"), live(wanted(), registry=registry))) == []


def test_a_registry_that_is_being_deleted_is_not_edited():
    registry = stored(wanted())
    registry["metadata"]["deletionTimestamp"] = LATER
    assert named(planned(wanted(), live(wanted(), registry=registry)).problems) == ["name"]


def test_what_the_live_database_cannot_be_told_is_refused_without_its_type():
    assert named(planned(edited(ssl_mode="require"), live(wanted())).problems) == ["database.ssl_mode"]
    assert named(planned(edited(verify_server_cert=True), live(wanted("postgresql"))).problems) == ["database.verify_server_cert"]
    assert named(planned(edited(port=1), live(wanted("generated"))).problems) == ["database.port"]
    assert named(planned(edited(password="a?b"), live(wanted())).problems) == ["database.password"]
    # With its type the options are judged before anything is read.
    assert planned(registry_from_options(options(database__ssl_mode="require"), NAMESPACE, [], []), live(wanted())).problems == ()
    assert planned(edited(password="a?b"), live(wanted("postgresql"))).problems == ()


def test_a_host_for_a_generated_database_is_wrong_for_one_reason():
    assert named(planned(edited(host="db.data"), live(wanted("generated"))).problems) == ["database.host"]


def test_options_of_a_database_where_there_is_none_need_its_type():
    registry = stored(wanted())
    del registry["spec"]["mysql"]
    assert named(planned(edited(username="me"), live(wanted(), registry=registry)).problems) == ["database.type"]
    made = planned(said_nothing(), live(wanted(), registry=registry))
    assert (made.changes, made.problems) == ((), ())


def test_a_first_database_loses_no_models():
    registry = stored(wanted())
    del registry["spec"]["mysql"]
    made = planned(wanted(), live(wanted(), {("Secret", OURS): None}, registry=registry))
    assert steps(made) == [("create", "Secret"), ("update", "ModelRegistry")]


# Another database


@pytest.mark.parametrize(("option", "value"), [("host", "other"), ("port", 1), ("name", "other")])
@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_another_database_is_refused_because_models_would_seem_to_vanish(kind, option, value):
    given = {f"database__{option}": value}
    [problem] = planned(wanted(kind, **given), live(wanted(kind))).problems
    assert problem.option == f"database.{option}" and problem.value in (value, "other.data.svc")
    assert "no longer be visible" in problem.problem and "allow_data_change" in problem.remedy
    assert repr(custom_resource.live_database(stored(wanted(kind)))[{"host": "host", "port": "port", "name": "database"}[option]]) in problem.problem
    assert steps(planned(wanted(kind, **given), live(wanted(kind)), allow_data_change=True)) == [("update", "ModelRegistry")]


@pytest.mark.parametrize(("option", "value"), [("username", "me"), ("password", "new-word"), ("ca", {"source": "none"})])
def test_another_way_to_the_same_database_needs_no_consent(option, value):
    assert planned(wanted(**{f"database__{option}": value}), live(wanted())).problems == ()


@pytest.mark.parametrize(("before", "after"), [(before, after) for before in TYPES for after in TYPES if before != after])
def test_another_type_of_database_is_refused_because_models_would_seem_to_vanish(before, after):
    [problem] = planned(wanted(after), live(wanted(before))).problems
    assert (problem.option, problem.value) == ("database.type", after)
    assert repr(before) in problem.problem


WRITTEN = {
    "mysql": {
        "host": "mysql.data.svc",
        "port": 3306,
        "database": "models",
        "username": "registry",
        "skipDBCreation": False,
        "passwordSecret": {"name": OURS, "key": "database-password"},
    },
    "postgresql": {
        "host": "pg.data.svc",
        "port": 5432,
        "database": "models",
        "username": "registry",
        "skipDBCreation": False,
        "passwordSecret": {"name": OURS, "key": "database-password"},
        "sslMode": "require",
    },
    "generated": {"generateDeployment": True},
}
# What moves a registry, and nothing more: what is left out of the section it has already.
MOVES = {
    ("mysql", "postgresql"): {"mysql": None, "postgres": WRITTEN["postgresql"]},
    ("mysql", "generated"): {"mysql": None, "postgres": WRITTEN["generated"]},
    ("postgresql", "mysql"): {"postgres": None, "mysql": WRITTEN["mysql"]},
    ("generated", "mysql"): {"postgres": None, "mysql": WRITTEN["mysql"]},
    ("postgresql", "generated"): {
        "postgres": {"host": None, "database": None, "username": None, "passwordSecret": None, "sslMode": None, "generateDeployment": True}
    },
    ("generated", "postgresql"): {
        "postgres": {key: value for key, value in WRITTEN["postgresql"].items() if key not in ("port", "skipDBCreation")} | {"generateDeployment": None}
    },
}


def refusals(spec):
    """What the rules of the definition (operator v0.3.14) and the operator's webhook say against a specification."""
    postgres, mysql = spec.get("postgres"), spec.get("mysql")
    found = []
    if postgres is not None:
        host = postgres.get("host") or postgres.get("hostAddress")
        generated = postgres.get("generateDeployment", False)
        if not generated and not host:
            found.append("GenerateDeployment must be set to true if host/hostAddress are not provided")
        if postgres.get("database") and not postgres.get("username"):
            found.append("Username must be set if database is specified")
        if generated and ("host" in postgres or "hostAddress" in postgres):
            found.append("host and hostAddress must not be set when generateDeployment is true")
    if mysql is not None and not all(key in mysql for key in ("host", "username", "database")):
        found.append("Required value")
    if postgres is None and mysql is None:
        found.append("required one of `postgres` or `mysql` database")
    return found


@pytest.mark.parametrize("more", [{}, {"database__ca": {"source": "secret", "name": "s", "key": "k"}, "database__client_certificate": CLIENT}])
@pytest.mark.parametrize(("before", "after"), MOVES)
def test_a_move_writes_what_the_definition_accepts_and_leaves_nothing_behind(before, after, more):
    of = wanted(before, **({} if before == "generated" else more))
    registry = wanted(after, **({} if after == "generated" else more))
    objects = {("Secret", "s"): foreign_secret("s", k=config_map()["data"]["ca.crt"]), ("Secret", "client"): foreign_secret("client", **CERTIFICATE)}
    made = planned(registry, live(of, objects), allow_data_change=True)
    patch = body(made)
    if not more:
        assert patch == {"spec": MOVES[before, after]}
    moved = manifests.patched(stored(of), patch)
    for section in {"mysql", "postgres"} & set(moved["spec"]):
        moved["spec"][section] = {**DEFAULTS[section], **moved["spec"][section]}
    assert refusals(moved["spec"]) == []
    assert moved["spec"] == stored(registry)["spec"]
    [change] = [change for change in made.changes if change.kind == "ModelRegistry"]
    assert "database.type" in change.fields and set(change.fields) <= {*change.before, *change.after}


def test_a_move_changes_the_texts_too():
    made = planned(wanted("generated", description="New"), live(wanted()), allow_data_change=True)
    assert body(made)["metadata"] == {"annotations": {"openshift.io/description": "New"}}
    assert {"description", "database.type"} <= set(made.changes[0].fields)
    assert made.changes[0].before["database.type"] == "mysql" and made.changes[0].after["database.type"] == "generated"


def test_a_move_keeps_what_others_have_set():
    registry = stored(wanted("postgresql"), image="somebodys", hostAddress="10.0.0.1")
    registry["spec"]["mysql"] = {"host": "stale", "username": "u", "database": "d"}
    made = planned(wanted("generated"), live(wanted("postgresql"), registry=registry), allow_data_change=True)
    moved = manifests.patched(registry, body(made))
    assert moved["spec"]["postgres"]["image"] == "somebodys" and "hostAddress" not in moved["spec"]["postgres"]
    assert "mysql" not in moved["spec"]


def test_a_move_fills_up_what_an_earlier_hand_has_left():
    registry = stored(wanted("generated"))
    registry["spec"]["mysql"] = {"host": "mysql.data.svc", "username": "old", "database": "models", "verifyServerCert": True}
    made = planned(wanted(), live(wanted("generated"), {("Secret", OURS): None}, registry=registry), allow_data_change=True)
    assert manifests.patched(registry, body(made))["spec"]["mysql"] == WRITTEN["mysql"]


@pytest.mark.parametrize("after", ["mysql", "postgresql"])
def test_a_move_needs_the_whole_new_database(after):
    before = "postgresql" if after == "mysql" else "mysql"
    found = planned(edited(type=after), live(wanted(before)), allow_data_change=True)
    assert named(found.problems) == ["database.host", "database.username", "database.password"]


def test_a_move_between_external_databases_keeps_the_secret():
    made = planned(wanted("postgresql", database__password="new"), live(wanted()), allow_data_change=True)
    assert steps(made) == [("update", "Secret"), ("update", "ModelRegistry")]
    theirs = Live(TODAY, dashboards(**ON_MYSQL), {("Secret", "fraud-db-x7k2p"): dashboards_secret()})
    moved = planned(wanted("postgresql"), theirs, allow_data_change=True)
    assert body(moved)["spec"]["postgres"]["passwordSecret"] == DASHBOARDS_PASSWORD


def test_a_move_away_from_somebody_elses_secret_makes_one_of_ours():
    made = planned(wanted("postgresql"), live(without_secret(), {("Secret", "vault"): foreign_secret(), ("Secret", OURS): None}), allow_data_change=True)
    assert steps(made) == [("create", "Secret"), ("update", "ModelRegistry")]
    assert body(made)["spec"]["postgres"]["passwordSecret"]["name"] == OURS


# Orphans


def given_up(made):
    """The names of the Secrets that go once the registry is available."""
    return [change.name for change in made.leftovers]


def test_a_move_to_a_generated_database_removes_the_secret():
    cluster = live(wanted(), password_secrets=(secret(wanted(), resourceVersion="7"),))
    made = planned(wanted("generated"), cluster, allow_data_change=True)
    assert steps(made) == [("update", "ModelRegistry")]
    [delete] = made.leftovers
    assert (delete.verb, delete.api, delete.name, delete.namespace) == ("DELETE", ("v1", "secrets"), OURS, NAMESPACE)
    assert delete.body["preconditions"] == {"uid": f"uid-of-{OURS}", "resourceVersion": "7"} and delete.before != delete.after
    assert [(kept["kind"], kept["name"]) for kept in made.kept] == [("Secret", OURS)]


def test_a_password_that_is_somebody_elses_from_now_on_leaves_no_secret_of_ours():
    objects = {("Secret", "vault"): foreign_secret()}
    made = planned(without_secret(), live(wanted(), objects, password_secrets=(secret(wanted()),)))
    assert steps(made) == [("update", "ModelRegistry")] and given_up(made) == [OURS]
    assert body(made) == {"spec": {"mysql": {"passwordSecret": VAULT}}}


def test_an_orphan_of_a_killed_move_is_removed():
    cluster = live(wanted("generated"), password_secrets=(secret(wanted()),))
    made = planned(wanted("generated"), cluster)
    assert steps(made) == [] and given_up(made) == [OURS]


@pytest.mark.parametrize(
    "kept",
    [
        {"password_secrets": (secret(wanted(), annotations={}),)},
        {"password_secrets": (secret(wanted(), generateName="fraud-2-db-"),)},
        {"password_secrets": (secret(wanted(), ownerReferences=[{"kind": "ExternalSecret", "name": "x"}]),)},
        {"password_secrets": (secret(wanted()),), "used_secrets": frozenset({OURS})},
    ],
)
def test_a_secret_that_is_no_orphan_of_ours_stays(kept):
    made = planned(wanted("generated"), live(wanted("generated"), **kept))
    assert steps(made) == given_up(made) == []


@pytest.mark.parametrize("kind", ["mysql", "generated"])
def test_what_the_dashboard_leaves_behind_when_it_moves_a_registry_stays(kind):
    registry = without_secret() if kind == "mysql" else wanted(kind)
    moved = stored(registry)
    moved["metadata"]["managedFields"][0]["manager"] = "node-fetch"
    assert not needs_password_secrets(registry, moved)


def test_the_secret_that_is_named_is_no_orphan():
    registry = without_secret(database__password_secret={"name": OURS, "key": "database-password"})
    cluster = live(registry, {("Secret", OURS): secret(wanted())}, password_secrets=(secret(wanted()),))
    made = planned(registry, cluster)
    assert steps(made) == given_up(made) == []


@pytest.mark.parametrize(
    ("registry", "live_one", "needed"),
    [
        (wanted(), None, False),
        (wanted(), stored(wanted()), False),
        (said_nothing(), stored(wanted()), False),
        (without_secret(), None, True),
        (without_secret(), stored(wanted()), True),
        (said_nothing(), stored(without_secret()), True),
        (wanted("generated"), None, True),
        (said_nothing(), stored(wanted("generated")), True),
        (said_nothing(), stored(wanted(), passwordSecret=None), True),
        # A name that begins as ours does not make it ours.
        (without_secret(database__password_secret={"name": "fraud-db-vault", "key": "password"}), stored(wanted()), True),
    ],
)
def test_secrets_are_listed_only_where_there_can_be_orphans(registry, live_one, needed):
    assert needs_password_secrets(registry, live_one) is needed


# Restarts


@pytest.mark.parametrize(
    ("changed", "started", "restarted"),
    [
        ("2026-05-01T10:00:06Z", STARTED, True),
        ("2026-05-01T10:00:05Z", STARTED, True),
        ("2026-05-01T10:00:04Z", STARTED, False),
        # Written once, when it was made, in the second in which the server started.
        (CREATED, CREATED, False),
        # A server that was never started reads the new password when it is.
        (LATER, None, False),
    ],
)
@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_server_is_restarted_exactly_when_it_is_older_than_its_password(kind, changed, started, restarted):
    registry = wanted(kind)
    cluster = live(registry, {("Secret", OURS): secret(registry, changed)}, pods=(pod(started),))
    assert steps(planned(registry, cluster)) == [("restart", "Deployment")] * restarted
    # Whoever changed it, and whatever this call is about.
    assert steps(planned(said_nothing(), cluster)) == [("restart", "Deployment")] * restarted


@pytest.mark.parametrize(
    ("registry", "objects"),
    [
        (wanted(database__ca={"source": "config_map", "name": "bundle", "key": "ca.crt"}), lambda at: {("ConfigMap", "bundle"): config_map(changed_at=at)}),
        (
            wanted(database__ca={"source": "secret", "name": "bundle", "key": "ca"}),
            lambda at: {("Secret", "bundle"): foreign_secret("bundle", at, ca=config_map()["data"]["ca.crt"])},
        ),
        (wanted(database__client_certificate=CLIENT), lambda at: {("Secret", "client"): foreign_secret("client", at, **CERTIFICATE)}),
        (without_secret(), lambda at: {("Secret", "vault"): foreign_secret(changed_at=at)}),
        (wanted("generated"), lambda at: {("Secret", "fraud-postgres-credentials"): foreign_secret("fraud-postgres-credentials", at)}),
    ],
)
def test_a_server_is_restarted_when_it_is_older_than_anything_that_it_reads(registry, objects):
    assert steps(planned(registry, live(registry, objects(LATER)))) == [("restart", "Deployment")]
    assert steps(planned(registry, live(registry, objects(CREATED)))) == []


def asked_at(time, manager="kubectl-rollout"):
    """A Deployment whose restart somebody asked for."""
    annotation = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}}}
    others = [{"manager": "operator", "time": "2026-05-01T23:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}}, {"fieldsV1": annotation}]
    return {"metadata": {"managedFields": [*others, {"manager": manager, "time": time, "fieldsV1": annotation}]}}


@pytest.mark.parametrize(
    ("asked", "restarted"),
    [
        # Of before the change: it brought the old data.
        ("2026-05-01T10:59:59Z", True),
        # In the same second: what a run does that writes and then restarts.
        (LATER, False),
        ("2026-05-01T11:00:01Z", False),
    ],
)
def test_a_rollout_in_progress_is_not_asked_for_again(asked, restarted):
    registry = wanted()
    cluster = live(registry, {("Secret", OURS): secret(registry, LATER)}, deployment=asked_at(asked))
    assert steps(planned(registry, cluster)) == [("restart", "Deployment")] * restarted


@pytest.mark.parametrize("times", [("2026-05-01T10:59:59Z", LATER), (LATER, "2026-05-01T10:59:59Z")])
def test_of_several_restarts_the_last_one_counts(times):
    deployment = asked_at(times[0])
    deployment["metadata"]["managedFields"] += asked_at(times[1], "other")["metadata"]["managedFields"]
    assert steps(planned(wanted(), live(wanted(), {("Secret", OURS): secret(wanted(), LATER)}, deployment=deployment))) == []


@pytest.mark.parametrize(("rolled", "restarted"), [("2026-05-01T10:00:04Z", True), (STARTED, False)])
def test_in_one_second_the_operators_rollout_tells_that_the_password_was_read(rolled, restarted):
    registry = wanted()
    template = {"f:spec": {"f:template": {"f:spec": {}}}}
    deployment = {"metadata": {"managedFields": [{"manager": "operator", "time": rolled, "fieldsV1": template}]}}
    same_second = live(registry, {("Secret", OURS): secret(registry, STARTED)}, deployment=deployment)
    assert steps(planned(registry, same_second)) == [("restart", "Deployment")] * restarted
    # It does not tell that for data that is newer than the server.
    newer = live(registry, {("Secret", OURS): secret(registry, LATER)}, deployment=deployment)
    assert steps(planned(registry, newer)) == [("restart", "Deployment")]


@pytest.mark.parametrize(("changed", "restarted"), [(CREATED, False), (LATER, True)])
@pytest.mark.parametrize("state", ["state", "lastState"])
def test_a_server_that_ended_need_not_wait_for_its_next_attempt(state, changed, restarted):
    registry, ended = wanted(), pod(None)
    [status] = ended["status"]["containerStatuses"]
    status |= {state: {"terminated": {"startedAt": STARTED}}}
    cluster = live(registry, {("Secret", OURS): secret(registry, changed)}, pods=(ended,))
    assert steps(planned(registry, cluster)) == [("restart", "Deployment")] * restarted


def test_a_server_that_was_never_started_is_not_restarted_for_a_new_password():
    made = planned(wanted(database__password="new-word"), live(wanted(), pods=(pod(None),)))
    assert steps(made) == [("update", "Secret")]


def test_a_password_written_now_is_read_by_a_restart_even_while_another_goes_on():
    cluster = live(wanted(), deployment=asked_at("2026-05-01T11:59:59Z"))
    assert steps(planned(wanted(database__password="new-word"), cluster)) == [("update", "Secret"), ("restart", "Deployment")]


def test_the_newest_pod_tells_how_old_the_server_is():
    registry = wanted()
    old, new = pod(), pod("2026-05-01T11:00:09Z", "fraud-2", "2026-05-01T11:00:05Z")
    objects = {("Secret", OURS): secret(registry, LATER)}
    assert steps(planned(registry, live(registry, objects, pods=(old, new)))) == []
    assert steps(planned(registry, live(registry, objects, pods=(new, old)))) == []
    new["metadata"]["deletionTimestamp"] = "2026-05-01T11:00:10Z"
    assert steps(planned(registry, live(registry, objects, pods=(old, new)))) == [("restart", "Deployment")]


def test_a_service_that_is_newer_than_the_server_is_no_reason():
    registry = stored(wanted(), host=f"mysql.{NAMESPACE}.svc")
    service = {"metadata": {"name": "mysql", "creationTimestamp": LATER}}
    assert steps(planned(edited(host="mysql"), live(wanted(), {("Service", "mysql"): service}, registry=registry))) == []


def test_without_a_pod_nothing_is_restarted():
    made = planned(wanted(database__password="new-word"), live(wanted(), pods=()))
    assert steps(made) == [("update", "Secret")]


@pytest.mark.parametrize("password", ["secret-word", "new-word"])
@pytest.mark.parametrize("asked", [None, CREATED, STARTED, LATER])
@pytest.mark.parametrize("changed", [CREATED, "2026-05-01T10:00:02Z", "2026-05-01T10:00:03Z", STARTED, LATER])
def test_pods_are_read_whenever_they_can_cause_a_restart(changed, asked, password):
    registry = wanted(database__password=password)
    deployment = asked_at(asked) if asked else {"metadata": {}}
    deployment["metadata"]["creationTimestamp"] = "2026-05-01T10:00:02Z"
    cluster = live(registry, {("Secret", OURS): secret(wanted(), changed)}, registry=stored(wanted()), deployment=deployment)
    for started in ("2026-05-01T10:00:02Z", STARTED):
        restarted = ("restart", "Deployment") in steps(planned(registry, dataclasses.replace(cluster, pods=(pod(started),))))
        assert needs_pods(registry, dataclasses.replace(cluster, pods=())) or not restarted


@pytest.mark.parametrize(
    ("changed", "needed"),
    # Of a Deployment that was made at 10:00:02.
    [(CREATED, False), ("2026-05-01T10:00:01Z", False), ("2026-05-01T10:00:02Z", True), (LATER, True)],
)
def test_pods_are_not_read_where_they_cannot_cause_a_restart(changed, needed):
    deployment = {"metadata": {"creationTimestamp": "2026-05-01T10:00:02Z"}}
    cluster = live(wanted(), {("Secret", OURS): secret(wanted(), changed)}, deployment=deployment)
    assert needs_pods(wanted(), cluster) is needed
    assert needs_pods(wanted(database__password="new-word"), cluster)
    assert not needs_pods(wanted(), dataclasses.replace(cluster, registry=None))


def test_in_a_maintenance_window_a_restart_is_only_reported():
    rotated = planned(wanted(database__password="new-word"), live(wanted()), restart=False)
    assert steps(rotated) == [("update", "Secret")]
    later = planned(wanted(), live(wanted(), {("Secret", OURS): secret(wanted(), LATER)}), restart=False)
    assert steps(later) == []
    for made in (rotated, later):
        [warning] = made.warnings
        assert made.restart_needed and "restart: false" in warning
    assert not planned(wanted(database__password="new-word"), live(wanted())).restart_needed
    assert not planned(wanted(), live(wanted()), restart=False).restart_needed


def test_a_server_that_would_not_start_again_is_not_restarted_for_a_new_password():
    registry = wanted(database__ca={"source": "config_map", "name": "bundle", "key": "ca.crt"})
    made = planned(registry, live(registry, {("Secret", OURS): secret(registry, LATER), ("ConfigMap", "bundle"): None}))
    assert steps(made) == [] and made.restart_needed and made.incomplete
    rotated = planned(edited(password="new-word"), live(registry, {("ConfigMap", "bundle"): None}))
    assert steps(rotated) == [("update", "Secret")] and rotated.restart_needed and rotated.incomplete
    assert not planned(said_nothing(), live(registry, {("ConfigMap", "bundle"): None})).restart_needed
    assert any("was not restarted, because it would not start again" in warning for warning in made.warnings)


def test_the_data_of_an_object_are_as_old_as_their_last_write():
    made = {"metadata": {"creationTimestamp": CREATED}}
    assert changed_at(made).isoformat() == "2026-05-01T10:00:00+00:00"
    twice = held({"metadata": {"name": "x"}})
    twice["metadata"]["managedFields"] += [{"time": LATER, "fieldsV1": {"f:data": {"f:k": {}}}}, {"fieldsV1": {"f:data": {}}}, {"time": LATER}]
    assert changed_at(twice).isoformat() == "2026-05-01T11:00:00+00:00"


def written(key, at, manager="unknown", part="f:data"):
    """A field manager's entry for a key."""
    return {"manager": manager, "time": at, "fieldsV1": {part: {f"f:{key}": {}}}}


@pytest.mark.parametrize("part", ["f:data", "f:binaryData", "f:stringData"])
def test_only_the_keys_that_are_read_tell_how_old_the_data_are(part):
    shared = held({"metadata": {"name": "x"}}, managedFields=[written("ca.crt", CREATED, part=part), written("note", LATER, "tests")])
    assert changed_at(shared, ["ca.crt"]) == changed_at(held({"metadata": {"name": "x"}}))
    assert changed_at(shared, ["ca.crt", "note"]) == changed_at(shared) == changed_at(shared, ["note"])
    # Whatever else the entry of its writer has.
    shared["metadata"]["managedFields"][0]["fieldsV1"] |= {"f:metadata": {"f:annotations": {}}, "f:type": None}
    assert changed_at(shared, ["ca.crt"]).isoformat() == "2026-05-01T10:00:00+00:00"
    # The same manager has one time for both: rather one restart too many.
    shared["metadata"]["managedFields"] += [written("ca.crt", LATER, "other", part)]
    assert changed_at(shared, ["ca.crt"]).isoformat() == "2026-05-01T11:00:00+00:00"


def test_a_key_that_nobody_is_known_to_have_written_is_as_old_as_the_last_write_of_any():
    for keys in (["lost"], ["ca.crt", "lost"]):
        source = held({"metadata": {"name": "x"}}, managedFields=[written("ca.crt", CREATED), written("note", LATER, "tests")])
        assert changed_at(source, keys).isoformat() == "2026-05-01T11:00:00+00:00"


@pytest.mark.parametrize(
    ("registry", "kind", "read", "other"),
    [
        (wanted(), "Secret", "database-password", "database-user"),
        (wanted(database__ca={"source": "config_map", "name": "bundle", "key": "ca.crt"}), "ConfigMap", "ca.crt", "note"),
        (wanted(database__ca={"source": "secret", "name": "vault", "key": "ca"}), "Secret", "ca", "password"),
    ],
)
def test_a_server_is_restarted_only_for_the_keys_that_it_reads(registry, kind, read, other):
    name = registry.database.ca.reference.name if registry.database.ca else OURS
    for changed, restarted in ((other, False), (read, True)):
        entries = [written(key, LATER if key == changed else CREATED, f"manager-of-{key}") for key in (read, other)]
        source = config_map() if kind == "ConfigMap" else foreign_secret("vault", ca=PEM, password="x") if name == "vault" else secret(registry)
        source["metadata"]["managedFields"] = entries
        assert steps(planned(registry, live(registry, {(kind, name): source}))) == [("restart", "Deployment")] * restarted


@pytest.mark.parametrize("ahead", [-3600, -60, -1, 0, 1, 60, 3600])
@pytest.mark.parametrize(("changed", "restarted"), [("2026-05-01T10:00:09Z", True), ("2026-05-01T09:59:59Z", False)])
def test_a_nodes_clock_loses_no_rotation(ahead, changed, restarted):
    def shown(time):
        return (datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ") + timedelta(seconds=ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")

    started = pod(shown("2026-05-01T10:00:08Z"))
    started["status"]["startTime"] = shown("2026-05-01T10:00:01Z")
    source = secret(wanted(), changed, creationTimestamp="2026-05-01T09:00:00Z")
    assert steps(planned(wanted(), live(wanted(), {("Secret", OURS): source}, pods=(started,)))) == [("restart", "Deployment")] * restarted


def test_without_a_time_at_which_the_node_saw_the_pod_its_creation_counts():
    started = pod("2026-05-01T12:00:00Z")
    del started["status"]["startTime"]
    cluster = live(wanted(), {("Secret", OURS): secret(wanted(), LATER)}, pods=(started,))
    assert steps(planned(wanted(), cluster)) == [("restart", "Deployment")]


def test_a_server_that_waited_for_its_secret_is_not_restarted_for_it():
    waited = pod("2026-05-01T11:00:05Z")
    cluster = live(wanted(), {("Secret", OURS): secret(wanted(), LATER, creationTimestamp=LATER)}, pods=(waited,))
    assert steps(planned(wanted(), cluster)) == []


def test_a_pod_of_an_old_product_serves_since_its_metadata_server_runs():
    both = pod(LATER)
    metadata_server = {"name": "grpc-container", "restartCount": 0, "state": {"running": {"startedAt": STARTED}}}
    both["status"]["containerStatuses"].append(metadata_server)
    assert server_start(both).isoformat() == "2026-05-01T10:00:05+00:00"
    assert server_start(pod(None)) is None
    assert server_start({"metadata": {}}) is None


# Somebody else's Secret


def test_certificates_are_not_written_into_a_config_map_that_a_tool_tracks():
    registry = wanted(database__ca={"source": "upload", "pem": ONE})
    object.__setattr__(registry.database.ca, "reference", KeyReference("fraud-db-credential", "ca.crt"))
    theirs = config_map("fraud-db-credential")
    theirs["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    [problem] = planned(registry, live(registry, {("ConfigMap", "fraud-db-credential"): theirs})).problems
    assert problem.option == "database.ca" and "argocd.argoproj.io/tracking-id of Argo CD" in problem.problem
    for ours in (config_map("fraud-db-credential"), None):
        assert planned(registry, live(registry, {("ConfigMap", "fraud-db-credential"): ours})).problems == ()


@pytest.mark.parametrize("kind", TYPES)
def test_a_new_registry_does_not_take_a_name_that_the_operator_uses(kind):
    def found(name, objects=None, **beside):
        registry = wanted(kind, name=name)
        return named(planned(registry, Live(TODAY, objects=objects or {}, neighbors=beside)).problems)

    assert found("fraud") == found("external-postgres", external=stored(wanted(name="external"))) == []
    for name in ("model-catalog", "model-catalog-postgres"):
        assert found(name) == ["name"]
    assert found("big-postgres", big=stored(wanted("generated", name="big"))) == ["name"]
    assert found("fraud", {("Deployment", "fraud"): {"metadata": {"name": "fraud"}}}) == ["name"]
    assert found("fraud", {("Group", "fraud-users"): {"metadata": {"name": "fraud-users"}}}) == ["name"]
    assert found("fraud", {("Group", "fraud-users"): {"metadata": {"name": "fraud-users", "labels": OPERATOR_LABELS}}}) == []
    assert found("fraud", {("Deployment", "fraud"): None, ("Service", "fraud"): {"metadata": {"name": "fraud"}}}) == []
    # An existing one can be edited.
    assert planned(Registry("model-catalog", NAMESPACE, description="New"), live(wanted(kind, name="model-catalog"))).problems == ()


def test_a_registry_does_not_move_to_a_generated_database_that_has_another_ones_name():
    taken = {
        ("Deployment", "fraud-postgres"): {"metadata": {"name": "fraud-postgres", "ownerReferences": [{"kind": "ModelRegistry", "name": "fraud-postgres"}]}}
    }
    made = planned(wanted("generated"), live(wanted(), taken), allow_data_change=True)
    assert named(made.problems) == ["name"]


@pytest.mark.parametrize(
    "foreign",
    [
        {"annotations": {}},
        {"annotations": None},
        {"annotations": {"template.openshift.io/expose-password": "{.data['database-password']}"}},
        {"generateName": "other-db-"},
        {"ownerReferences": [{"kind": "ExternalSecret", "name": "x"}]},
    ],
)
def test_the_secret_of_somebody_else_is_never_written(foreign):
    theirs = secret(wanted(), **foreign)
    [problem] = planned(wanted(database__password="new-word"), live(wanted(), {("Secret", OURS): theirs})).problems
    assert problem.option == "database.password" and problem.value is None
    assert f"Secret {OURS!r} is " in problem.problem and "password_secret" in problem.remedy
    assert steps(planned(wanted(), live(wanted(), {("Secret", OURS): theirs}))) == []
    # Nor is it taken over by a new registry.
    new = planned(wanted(database__password="new-word"), Live(TODAY, objects={("Secret", OURS): theirs}))
    assert named(new.problems) == ["database.password"]


@pytest.mark.parametrize(("theirs", "said"), [(foreign_secret(password="old"), "Secret 'vault' is not known"), (None, "Secret 'vault' does not exist")])
def test_another_password_is_not_written_into_a_secret_with_another_name(theirs, said):
    cluster = live(without_secret(), {("Secret", "vault"): theirs})
    found = planned(edited(password="new-word"), cluster)
    assert named(found.problems) == ["database.password"] and said in found.problems[0].problem


# References

REFERENCES = [
    (
        {"database__password": None, "database__password_secret": VAULT},
        "database.password_secret",
        ("Secret", "vault"),
        [
            None,
            foreign_secret(other="x"),
            foreign_secret(password=""),
            foreign_secret(password="word\n"),
            foreign_secret(password="word\r"),
            foreign_secret(password="w?rd"),
        ],
        foreign_secret(password="word#"),
    ),
    (
        {"database__ca": {"source": "config_map", "name": "bundle", "key": "ca.crt"}},
        "database.ca",
        ("ConfigMap", "bundle"),
        [None, config_map(key="other"), config_map(content=""), config_map(content="-----BEGIN RSA PRIVATE KEY-----")],
        config_map(),
    ),
    (
        {"database__ca": {"source": "secret", "name": "bundle", "key": "ca"}},
        "database.ca",
        ("Secret", "bundle"),
        [None, foreign_secret("bundle", other="x"), foreign_secret("bundle", ca="no"), {**foreign_secret("bundle"), "data": {"ca": "/w=="}}],
        foreign_secret("bundle", ca=config_map()["data"]["ca.crt"]),
    ),
    (
        {"database__client_certificate": CLIENT},
        "database.client_certificate",
        ("Secret", "client"),
        [None, foreign_secret("client", **{"tls.crt": "c"}), foreign_secret("client", **{"tls.key": "k"})],
        foreign_secret("client", **CERTIFICATE),
    ),
]
WRONG = [(given, option, entry, wrong) for given, option, entry, wrongs, _good in REFERENCES for wrong in wrongs]


@pytest.mark.parametrize(("given", "option", "entry", "wrong"), WRONG)
def test_a_new_reference_that_nothing_good_stands_behind_is_a_problem(given, option, entry, wrong):
    for cluster in (Live(TODAY, objects={entry: wrong}), live(wanted(), {entry: wrong})):
        made = planned(wanted(**given), cluster)
        assert named(made.problems) == [option]
        assert made.problems[0].value == entry[1]
        assert "nothing was written" in made.problems[0].remedy and not made.incomplete


@pytest.mark.parametrize(("given", "option", "entry", "wrong"), WRONG)
def test_a_live_reference_that_nothing_good_stands_behind_is_a_warning_when_nothing_is_written(given, option, entry, wrong):
    registry = wanted(**given)
    cluster = live(registry, {entry: wrong})
    for same in (registry, said_nothing()):
        made = planned(same, cluster)
        assert made.changes == () and made.problems == ()
        [warning] = [warning for warning in made.warnings if option in warning]
        # What is there and cannot work shows when the server starts; what is not there cannot be waited for.
        missing = "does not exist" in warning or "does not have the key" in warning
        assert made.incomplete == missing
        assert repr(entry[1]) in warning
    # With something else to write, what the call says must be true.
    assert named(planned(dataclasses.replace(registry, description="New"), cluster).problems) == [option]
    # What it does not say, it need not care for.
    other = planned(dataclasses.replace(said_nothing(), description="New"), cluster)
    assert steps(other) == [("update", "ModelRegistry")] and other.incomplete == missing


@pytest.mark.parametrize(("given", "option", "entry", "good"), [(given, option, entry, good) for given, option, entry, _wrong, good in REFERENCES])
def test_a_good_reference_is_neither(given, option, entry, good):
    for cluster in (Live(TODAY, objects={entry: good}), live(wanted(), {entry: good}), live(wanted(**given), {entry: good})):
        made = planned(wanted(**given), cluster)
        assert made.problems == () and not made.incomplete and not any(option in warning for warning in made.warnings)


def test_a_client_certificate_and_its_key_in_two_secrets_are_both_read():
    halves = stored(wanted(), sslCertificateSecret={"name": "one", "key": "c"}, sslKeySecret={"name": "two", "key": "k"})
    objects = {("Secret", "one"): foreign_secret("one", c="c"), ("Secret", "two"): foreign_secret("two", k="k")}
    [unverified] = planned(said_nothing(), live(wanted(), objects, registry=halves)).warnings
    assert "does not verify" in unverified
    changed = objects | {("Secret", "two"): foreign_secret("two", LATER, k="k")}
    assert steps(planned(said_nothing(), live(wanted(), changed, registry=halves))) == [("restart", "Deployment")]


def test_a_key_that_is_not_there_is_told_with_those_that_are():
    [problem] = planned(without_secret(), Live(TODAY, objects={("Secret", "vault"): foreign_secret(b="1", a="2")})).problems
    assert "keys: a, b" in problem.problem and problem.value == "vault"
    [problem] = planned(without_secret(), Live(TODAY, objects={("Secret", "vault"): {"metadata": {"name": "vault"}}})).problems
    assert "keys: none" in problem.problem


@pytest.mark.parametrize(
    ("kind", "capabilities", "password", "refused"),
    [
        ("mysql", TODAY, "w?rd", True),
        ("mysql", TODAY, "w#rd", False),
        ("postgresql", TODAY, "w#rd", True),
        ("postgresql", TODAY, "w%23rd", False),
        ("postgresql", OLD, "w#rd", False),
    ],
)
def test_a_referenced_password_that_the_server_cannot_start_with_is_a_problem(kind, capabilities, password, refused):
    made = planned(without_secret(kind), Live(capabilities, objects={("Secret", "vault"): foreign_secret(password=password)}))
    assert named(made.problems) == ["database.password_secret"] * refused
    assert password not in repr(made.problems)


def test_a_password_that_is_lost_is_a_warning_until_it_is_given():
    lost = {("Secret", OURS): None}
    made = planned(said_nothing(), live(wanted(), lost))
    assert made.incomplete and OURS in made.warnings[0]
    again = planned(wanted(), live(wanted(), lost, pods=()))
    assert steps(again) == [("create", "Secret")] and not again.incomplete


def test_references_are_those_of_the_registry_as_it_will_be():
    registry = wanted(database__ca={"source": "cluster"}, database__client_certificate=CLIENT)
    before = stored(wanted(database__ca={"source": "secret", "name": "old", "key": "k"}))
    found = references_of(resource_after(registry, before, TODAY), before)
    assert [(entry.option, entry.object, entry.keys, entry.live) for entry in found] == [
        ("database.password_secret", ("Secret", OURS), ("database-password",), True),
        ("database.ca", ("ConfigMap", "odh-trusted-ca-bundle"), ("ca-bundle.crt",), False),
        ("database.client_certificate", ("Secret", "client"), ("tls.crt", "tls.key"), False),
    ]


@pytest.mark.parametrize("missing", ["sslCertificateSecret", "sslKeySecret"])
def test_a_reference_is_new_as_long_as_a_part_of_it_is(missing):
    registry = wanted(database__client_certificate=CLIENT)
    before = stored(registry, **{missing: None})
    [_password, found] = references_of(resource_after(registry, before, TODAY), before)
    assert (found.keys, found.live) == (("tls.crt", "tls.key"), False)
    [_password, found] = references_of(stored(registry), stored(registry))
    assert (found.keys, found.live) == (("tls.crt", "tls.key"), True)


# What the operator writes for a new registry.
MADE, GROUP = ("Deployment", "fraud"), ("Group", "fraud-users")


@pytest.mark.parametrize(
    ("registry", "live_one", "needed"),
    [
        (wanted(), None, [("Secret", OURS), MADE, GROUP, ("Service", "mysql.data")]),
        (wanted(database__host="db.example.com", database__namespace=None), None, [("Secret", OURS), MADE, GROUP]),
        (wanted(database__namespace=None, database__host="db"), None, [("Secret", OURS), MADE, GROUP, ("Service", "db")]),
        (edited(host="db"), stored(wanted()), [("Secret", OURS), ("Service", "db")]),
        (edited(host="db"), stored(wanted(), host="db"), [("Secret", OURS)]),
        (edited(host="db"), stored(wanted(), host=f"db.{NAMESPACE}.svc.cluster.local"), [("Secret", OURS)]),
        (wanted("generated"), None, [MADE, ("Deployment", "fraud-postgres"), GROUP]),
        (said_nothing(), stored(wanted("generated")), [("Secret", "fraud-postgres-credentials")]),
        (wanted("generated"), stored(wanted()), [("Secret", "fraud-postgres-credentials"), ("Deployment", "fraud-postgres")]),
        # The same Secret is read once.
        (
            wanted(
                database__host="10.0.0.1",
                database__namespace=None,
                database__ca={"source": "secret", "name": "s", "key": "k"},
                database__client_certificate={"source": "secret", "name": "s"},
            ),
            None,
            [("Secret", OURS), ("Secret", "s"), MADE, GROUP],
        ),
        (said_nothing(), stored(without_secret()), [("Secret", "vault")]),
    ],
)
def test_only_what_the_plan_depends_on_is_read(registry, live_one, needed):
    assert needed_objects(registry, live_one, TODAY) == needed


def test_what_is_needed_is_read_from_the_api_of_its_kind():
    assert APIS == {"Secret": ("v1", "secrets"), "ConfigMap": ("v1", "configmaps")}
    assert SERVICES == ("v1", "services")


@pytest.mark.parametrize(
    ("registry", "live_one", "reference"),
    [
        (wanted(), None, OURS),
        (without_secret(), None, "vault"),
        (wanted("generated"), None, None),
        (wanted(), stored(without_secret()), "vault"),
        (wanted("generated"), stored(wanted()), None),
        (wanted(), stored(wanted(), passwordSecret=None), OURS),
        (said_nothing(), stored(wanted(), passwordSecret=None), None),
        (wanted("postgresql"), stored(without_secret()), OURS),
        (wanted("postgresql"), stored(wanted(), passwordSecret=DASHBOARDS_PASSWORD), "fraud-db-x7k2p"),
    ],
)
def test_the_password_is_read_from_where_it_is_kept(registry, live_one, reference):
    found = password_reference(registry, live_one)
    assert (found and found["name"]) == reference


def test_the_registry_as_it_will_be():
    assert resource_after(wanted(), None, OLD)["apiVersion"] == "modelregistry.opendatahub.io/v1alpha1"
    after = resource_after(wanted(description="New"), stored(wanted()), TODAY)
    assert after["metadata"]["annotations"]["openshift.io/description"] == "New" and after["metadata"]["labels"] == {"other": "manager"}


# Warnings


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("mysql", {"database__ca": {"source": "cluster"}}, None),
        ("mysql", {}, None),
        ("mysql", {"database__ca": {"source": "cluster"}, "database__verify_server_cert": False}, "does not verify"),
        ("mysql", {"database__ca": {"source": "secret", "name": "s", "key": "k"}, "database__verify_server_cert": False}, "does not verify"),
        ("postgresql", {"database__ssl_mode": None}, "ssl_mode disable"),
        ("postgresql", {"database__ssl_mode": "disable"}, "ssl_mode disable"),
        ("postgresql", {"database__ssl_mode": "allow"}, "ssl_mode allow"),
        ("postgresql", {"database__ssl_mode": "prefer"}, "ssl_mode prefer"),
        ("postgresql", {"database__ssl_mode": "require"}, None),
        ("postgresql", {"database__ssl_mode": "verify-ca"}, None),
        ("postgresql", {"database__ssl_mode": None, "database__ca": {"source": "cluster"}}, None),
        ("postgresql", {"database__ssl_mode": "verify-full", "database__ca": {"source": "cluster"}}, "does not verify the host name"),
        ("postgresql", {"database__ssl_mode": "verify-full"}, None),
        ("mysql", {"database__client_certificate": CLIENT}, "does not verify"),
        ("mysql", {"database__client_certificate": CLIENT, "database__verify_server_cert": True}, None),
        ("postgresql", {"database__ssl_mode": "disable", "database__client_certificate": CLIENT}, None),
        ("postgresql", {"database__ssl_mode": "verify-full", "database__client_certificate": CLIENT}, "does not verify the host name"),
        ("generated", {}, None),
    ],
)
def test_what_is_unsafe_about_the_connection_is_a_warning(kind, given, said):
    bundle = {
        ("ConfigMap", "odh-trusted-ca-bundle"): config_map(key="ca-bundle.crt"),
        ("Secret", "s"): foreign_secret("s", k=config_map()["data"]["ca.crt"]),
        ("Secret", "client"): foreign_secret("client", **CERTIFICATE),
    }
    registry = wanted(kind, **given)
    for same in (registry, said_nothing()):
        assert [said in warning for warning in planned(same, live(registry, bundle)).warnings] == [True] * bool(said)
    found = [warning for warning in planned(registry, Live(TODAY, objects=bundle)).warnings if "not intended for production" not in warning]
    found = [warning for warning in found if "verifies the CA" not in warning]
    assert [said in warning for warning in found] == [True] * bool(said)


@pytest.mark.parametrize(("service", "warned"), [(None, True), ({"metadata": {"name": "db"}}, False), ({}, False)])
def test_a_bare_host_without_such_a_service_is_a_warning(service, warned):
    registry = wanted(database__namespace=None, database__host="db")
    made = planned(registry, Live(TODAY, objects={("Service", "db"): service}))
    missing = "database.host 'db': the Service does not exist in namespace"
    assert made.problems == () and not made.incomplete
    assert list(made.warnings) == [f"{missing} 'registries'. If it is in another namespace, set database.namespace"] * warned
    elsewhere = planned(wanted(database__host="db", database__namespace="dta"), Live(TODAY, objects={("Service", "db.dta"): service}))
    assert list(elsewhere.warnings) == [f"{missing} 'dta'. Correct database.host or database.namespace"] * warned


@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.1", "fd00::1"])
def test_a_host_that_is_no_service_nearby_is_not_looked_for(host):
    assert planned(wanted(database__namespace=None, database__host=host), Live(TODAY)).warnings == ()


def test_what_could_not_be_seen_is_said():
    assert planned(wanted(), live(wanted(), unseen=("no look",))).warnings == ("no look",)


def test_a_change_does_not_print_what_it_sends():
    assert "passwordSecret" not in repr(planned(wanted(), Live(TODAY)).changes[1]).replace("password_secret", "")


def test_a_database_is_compared_whatever_else_is_open():
    registry = dataclasses.replace(said_nothing(), database=Database())
    assert planned(registry, live(wanted())).changes == ()


@pytest.mark.parametrize("part", ["sslCertificateSecret", "sslKeySecret"])
@pytest.mark.parametrize(("kind", "given", "said"), [("mysql", {}, "does not verify"), ("postgresql", {"database__ssl_mode": "disable"}, "ssl_mode disable")])
def test_half_a_client_certificate_encrypts_only_the_connection_to_mysql(kind, given, said, part):
    half = stored(wanted(kind, **given), **{part: {"name": "client", "key": "tls.crt"}})
    cluster = live(wanted(kind), {("Secret", "client"): foreign_secret("client", **CERTIFICATE)}, registry=half)
    [warning] = planned(said_nothing(), cluster).warnings
    assert said in warning


def test_what_the_product_checks_of_postgresql_is_told_when_its_ca_is_set():
    bundle = {("ConfigMap", "odh-trusted-ca-bundle"): config_map(key="ca-bundle.crt")}
    registry = wanted("postgresql", database__ca={"source": "cluster"})
    assert "not the host name" in planned(registry, Live(TODAY, objects=bundle)).warnings[0]
    assert planned(registry, live(registry, bundle)).warnings == ()


def test_a_second_restart_in_the_same_second_is_one_too():
    now = datetime(2026, 5, 1, 10, 0, 0, tzinfo=timezone.utc)

    def stamps(deployment):
        body = restart_of(wanted(), now, deployment).body
        return body["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT], body

    first, deployment = stamps(None)
    second, deployment = stamps(deployment)
    third, _deployment = stamps(deployment)
    assert [stamp[-3:] for stamp in (first, second, third)] == ["00Z", "01Z", "00Z"]
