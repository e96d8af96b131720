"""Is it available, and if not, why."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import server_pods
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.readiness import Observation, judge

from .builders import LATER, pod, secret_name, stored, wanted

LOGIN_REFUSED = "Retrying connection to MySQL (attempt {}/25): Error 1045 (28000): Access denied for user 'registry'@'10.0.0.9' (using password: YES)"
METADATA_REFUSED = "Check failed: absl::OkStatus() == status (OK vs. INTERNAL:"
SYNTAX = "errno: You have an error in your SQL syntax; check the manual"
FAILED_LOGIN = (
    'failed to connect to `user=registry database=models`: 10.0.0.1:5432 (pg): failed SASL auth: FATAL: password authentication failed for user "registry"'
)
HBA = 'FATAL: no pg_hba.conf entry for host "10.0.0.9", user "registry", database "models"'
OURS = {"name": secret_name(wanted()), "key": "database-password"}
# The connection strings that the operator writes (operator v0.3.14).
DSN = {
    "mysql": "registry:$(MYSQL_PASSWORD)@tcp(mysql.data.svc:3306)/models?charset=utf8mb4",
    "postgresql": "postgresql://registry:$(POSTGRES_PASSWORD)@pg.data.svc:5432/models?sslmode=require",
    "generated": "postgresql://modelregistry:$(POSTGRES_PASSWORD)@fraud-postgres:5432/model_registry",
}


def deployment(kind="mysql", dsn=None, password=None, arguments=(), volumes=(), **status):
    """The Deployment of a registry, rolled out."""
    secret = password or ({"name": "fraud-postgres-credentials", "key": "password"} if kind == "generated" else OURS)
    variable = "MYSQL_PASSWORD" if kind == "mysql" else "POSTGRES_PASSWORD"
    container = {
        "name": "rest-container",
        "args": ["--hostname=0.0.0.0", f"--embedmd-database-dsn={dsn or DSN[kind]}", *arguments],
        "env": [{"name": "PLAIN", "value": "x"}, {"name": variable, "valueFrom": {"secretKeyRef": secret}}],
    }
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "kube-rbac-proxy"}, container], "volumes": list(volumes)}}},
        "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, **status},
    }


def scaled(replicas):
    """The Deployment of a registry that was scaled."""
    found = deployment()
    return {**found, "spec": {**found["spec"], "replicas": replicas}}


def registry(**conditions):
    resource = stored(wanted())
    resource["status"] = {"conditions": [{"type": kind, "status": status, "message": message} for kind, (status, message) in conditions.items()]}
    return resource


AVAILABLE = registry(Available=("True", "Deployment is available"))
ROLLING = deployment(unavailableReplicas=1)


def waiting_pod(reason, message=""):
    waiting = pod()
    waiting["status"] = {"containerStatuses": [{"name": "rest-container", "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}}]}
    return waiting


def unscheduled_pod(message="0/1 nodes are available"):
    return {"metadata": pod()["metadata"], "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}}


def test_a_registry_whose_condition_and_deployment_say_so_is_available():
    assert judge(Observation(AVAILABLE, deployment(), (pod(),))).available


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (Observation(None, None), "no longer exists"),
        (Observation(stored(wanted()), None), "operator has not processed"),
        (Observation(AVAILABLE, None), "being deployed"),
        (Observation(AVAILABLE, {**deployment(), "status": {}}), "being deployed"),
        (Observation(registry(Available=("False", "unexpected reconcile error: bad label")), None), "cannot create"),
        (Observation(AVAILABLE, deployment(dsn=DSN["mysql"].replace("mysql.data", "old.data"))), "not processed"),
        # The old pod runs and the condition stays True while the new one is not even running.
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),)), "starting"),
        (Observation(AVAILABLE, deployment(observedGeneration=1), ()), "not been created"),
        (Observation(AVAILABLE, deployment(updatedReplicas=0), ()), "not been created"),
        (Observation(AVAILABLE, deployment(replicas=2), (pod(),)), "starting"),
        (Observation(AVAILABLE, deployment(updatedReplicas=2), (pod(),)), "starting"),
        (Observation(AVAILABLE, {**deployment(), "metadata": {"generation": 3}}, ()), "not been created"),
        (Observation({**registry(), "status": {}}, {**deployment(), "status": {}}), "operator has not processed"),
        (Observation(registry(Available=("False", "something else")), None), "being deployed"),
        (Observation(registry(Available=("Unknown", "x"), KubeRBACProxyAvailable=("True", "Route is there")), deployment(), ()), "does not report"),
        (Observation(registry(Available=("False", "x"), KubeRBACProxyAvailable=("False", "no Deployment")), deployment(), ()), "does not report"),
        (Observation(registry(KubeRBACProxyAvailable=("False", "no Route")), deployment(), ()), "Route"),
        (Observation(AVAILABLE, scaled(0), ()), "scaled down"),
        (Observation(registry(Available=("False", "Service endpoints not found")), deployment(), (pod(),)), "not report"),
        (Observation(registry(), deployment(), (pod(),)), "not reported"),
        (
            Observation(
                registry(Available=("False", "x"), KubeRBACProxyAvailable=("False", "KubeRBACProxy Route fraud-https is unavailable")), deployment(), (pod(),)
            ),
            "Route",
        ),
        (
            Observation(registry(Available=("False", "x"), OAuthProxyAvailable=("False", "OAuthProxy Route fraud-https is unavailable")), deployment(), ()),
            "Route",
        ),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("CreateContainerConfigError", 'secret "x" not found'),)), "does not exist"),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ErrImagePull", "no"),)), "image of container rest-container"),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ImagePullBackOff", "no"),)), "image of container rest-container"),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("InvalidImageName", "no"),)), "image of container rest-container"),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=('MountVolume.SetUp failed: configmap "ca" not found',)), "mounts"),
        (
            Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=('MountVolume.SetUp: secret "fraud-kube-rbac-proxy"',)),
            "TLS certificate",
        ),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=("Pulling image",)), "starting"),
        (Observation(AVAILABLE, ROLLING, (unscheduled_pod(),)), "the pod of the registry cannot be scheduled"),
        (Observation(AVAILABLE, ROLLING, (pod(None),), log=LOGIN_REFUSED.format(1)), "password is wrong"),
        (Observation(AVAILABLE, ROLLING, (pod(None),), database_pods=(unscheduled_pod(),)), "the pod of the generated database cannot be scheduled"),
        (Observation(AVAILABLE, ROLLING, (pod(None),), log=LOGIN_REFUSED.format(1), database_pods=(pod(),)), "password is wrong"),
        # What is wrong with the registry's own pod comes first.
        (Observation(AVAILABLE, ROLLING, (unscheduled_pod(),), database_pods=(unscheduled_pod(),)), "pod of the registry"),
    ],
)
def test_what_keeps_a_registry_from_being_available_is_named(seen, reason):
    verdict = judge(seen)
    assert not verdict.available
    assert reason in verdict.reason


def test_a_deployment_that_names_no_replicas_has_one():
    one = deployment()
    del one["spec"]["replicas"]
    assert judge(Observation(AVAILABLE, one, ())).available
    one["status"] |= {"replicas": 2, "updatedReplicas": 2}
    assert not judge(Observation(AVAILABLE, one, ())).available


@pytest.mark.parametrize("gone", [Observation(None, None), Observation(AVAILABLE, scaled(0), ())])
def test_what_no_wait_can_mend_is_final(gone):
    assert judge(gone).final


def test_a_registry_that_is_scaled_down_is_told_with_what_to_do():
    of_name = scaled(0)
    of_name["metadata"]["name"] = "fraud"
    verdict = judge(Observation(AVAILABLE, of_name, ()))
    assert verdict.evidence == "Deployment 'fraud' has 0 replicas" and verdict.remedy.startswith("Scale up")


@pytest.mark.parametrize(
    ("seen", "evidence"),
    [
        (Observation(registry(Available=("False", "unexpected reconcile error: bad label")), None), "unexpected reconcile error: bad label"),
        (Observation(registry(Available=("False", "no endpoints")), deployment(), ()), "no endpoints"),
        (Observation(registry(Available=("False", "x"), KubeRBACProxyAvailable=("False", "no Route")), deployment(), ()), "no Route"),
        (Observation(AVAILABLE, ROLLING, (unscheduled_pod("0/1 nodes"),)), "0/1 nodes"),
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ErrImagePull", "not found"),)), "not found"),
        # The newest one counts.
        (Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=("MountVolume: one", "MountVolume: two", "Pulling")), "MountVolume: two"),
        (
            Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=("MountVolume: fraud-kube-rbac-proxy", "MountVolume: two")),
            "MountVolume: two",
        ),
        (Observation(AVAILABLE, ROLLING, (pod(None),), log=f"{LOGIN_REFUSED.format(1)}\n"), LOGIN_REFUSED.format(1)),
    ],
)
def test_what_shows_it_is_told(seen, evidence):
    assert judge(seen).evidence == evidence


def test_the_secret_of_the_service_that_is_missing_is_that_of_the_registry():
    verdict = judge(Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=('MountVolume.SetUp: secret "fraud-kube-rbac-proxy"',)))
    assert verdict.reason.startswith("Secret 'fraud-kube-rbac-proxy' with the TLS certificate")
    other = judge(Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=('MountVolume.SetUp: secret "credit-kube-rbac-proxy"',)))
    assert "mounts a Secret or ConfigMap" in other.reason


def test_each_container_of_a_pod_can_be_what_waits_and_the_first_one_is_told():
    both = waiting_pod("ErrImagePull", "one")
    [status] = both["status"]["containerStatuses"]
    running = {"name": "a", "restartCount": 0, "state": {"running": {}}}
    second = {**status, "name": "b", "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "two"}}}
    both["status"]["containerStatuses"] = [running, status, second]
    assert judge(Observation(AVAILABLE, ROLLING, (both,))).evidence == "one"
    both["status"]["containerStatuses"] = [running, second]
    assert judge(Observation(AVAILABLE, ROLLING, (both,))).evidence == "two"


@pytest.mark.parametrize(
    ("pods", "status", "reason"),
    [
        ((), {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}, "cannot be created"),
        (({"metadata": pod()["metadata"], "status": {"conditions": [{"type": "PodScheduled", "status": "False"}]}},), {}, "cannot be scheduled"),
        (
            ({**pod(), "status": {"containerStatuses": [{"name": "a", "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}}]}},),
            {},
            "cannot be pulled",
        ),
    ],
)
def test_what_comes_without_a_message_is_told_without_evidence(pods, status, reason):
    verdict = judge(Observation(AVAILABLE, deployment(unavailableReplicas=1, **status), pods))
    assert reason in verdict.reason and verdict.result()["evidence"] is None


def test_a_pod_that_is_scheduled_is_not_told_as_one_that_is_not():
    scheduled = pod(None)
    scheduled["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}]
    assert "starting" in judge(Observation(AVAILABLE, ROLLING, (scheduled,))).reason


@pytest.mark.parametrize(("pods", "needed"), [((), False), ((pod(),), False), ((unscheduled_pod(),), True)])
def test_only_a_pod_that_is_not_ready_has_something_to_explain(pods, needed):
    assert readiness.needs_explanation(Observation(AVAILABLE, ROLLING, pods)) is needed


@pytest.mark.parametrize("behind", [{"observedGeneration": 1}, {"updatedReplicas": 0}], ids=["template not seen", "no new pod"])
def test_the_pod_of_the_definition_before_is_not_blamed(behind):
    # It may fail for what the last edit has just mended.
    verdict = judge(Observation(AVAILABLE, deployment(unavailableReplicas=1, **behind), (pod(None),), log=LOGIN_REFUSED.format(1) * 3))
    assert "not been created" in verdict.reason and not verdict.final


def test_a_quota_that_refuses_the_pod_is_named():
    refused = deployment(unavailableReplicas=1, conditions=[{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}])
    verdict = judge(Observation(AVAILABLE, refused, ()))
    assert (verdict.evidence, verdict.final) == ("exceeded quota", False) and "quota" in verdict.remedy


@pytest.mark.parametrize(
    "seen",
    [
        Observation(AVAILABLE, ROLLING, (waiting_pod("CreateContainerConfigError", 'secret "x" not found'),)),
        Observation(AVAILABLE, ROLLING, (waiting_pod("ImagePullBackOff", "back-off"),)),
        Observation(AVAILABLE, ROLLING, (waiting_pod("ContainerCreating"),), events=("MountVolume.SetUp failed",)),
        Observation(AVAILABLE, ROLLING, (unscheduled_pod(),)),
        Observation(AVAILABLE, deployment(dsn="x")),
        Observation(stored(wanted()), None),
    ],
)
def test_what_may_cure_itself_is_waited_for(seen):
    assert not judge(seen).final


def test_a_verdict_is_in_parts_for_programs():
    missing = judge(Observation(AVAILABLE, ROLLING, (waiting_pod("CreateContainerConfigError", 'secret "x" not found'),))).result()
    assert missing["evidence"] == 'secret "x" not found' and missing["evidence"] not in missing["reason"] + missing["remedy"]
    assert judge(Observation(AVAILABLE, deployment(), (pod(),))).result() == {"available": True, "reason": None, "evidence": None, "remedy": None}
    assert judge(Observation(None, None)).result() == {"available": False, "reason": "the registry no longer exists", "evidence": None, "remedy": None}


def test_evidence_is_one_line_without_passwords_and_heads_of_a_log():
    said = "registry:a-secret-word@tcp(db:3306)/x\nE0101 12:00:00.000000       1 main.go:64] cannot connect " + "y" * 3000
    verdict = judge(Observation(registry(Available=("False", said)), deployment(), (pod(),)))
    for text in (verdict.result()["evidence"], verdict.sentence()):
        assert "cannot connect" in text and "********@tcp(db:3306)" in text and "a-secret-word" not in text
        assert "main.go" not in text and "\n" not in text and len(text) < 2200


def test_a_verdict_is_one_sentence_after_the_other():
    said = judge(Observation(AVAILABLE, ROLLING, (waiting_pod("CreateContainerConfigError", 'secret "x" not found'),))).sentence()
    assert said.endswith('. Evidence: secret "x" not found. Create it.')


STOPPED = "(details: Error 3750 (HY000): Unable to create or change a table without a primary key)"
DIRTY = "Error: {{ALERT}} error connecting to datastore: Dirty database version 8. Fix and force version."
NOPE = "Error 1049 (42000): Unknown database 'nope'"


def started(times: int, uid: str = "1") -> dict[str, Any]:
    """A pod whose server has been started this often, and is not ready."""
    made = pod()
    made["metadata"]["uid"] = uid
    made["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    made["status"]["containerStatuses"][0]["restartCount"] = times - 1
    return made


def verdict_of(log: str, times: int = 1, previous: str = "", registry: Any = None, **baseline: int) -> readiness.Verdict:
    """What is said of a registry whose server was started so often and logs this; `baseline` are the starts of each pod before the wait."""
    starts = {uid.removeprefix("uid_"): number for uid, number in baseline.items()}
    return judge(Observation(registry or AVAILABLE, ROLLING, (started(times),), log, previous, baseline=starts))


def test_a_line_that_is_logged_twice_is_final() -> None:
    assert not verdict_of(NOPE).final
    assert verdict_of(f"{NOPE}\n{NOPE}").final
    assert verdict_of(NOPE, times=2).final
    # What may pass by itself never is.
    assert not verdict_of("connect: connection refused\n" * 2, times=2).final


def test_a_log_of_before_the_wait_is_never_final() -> None:
    # The cause may have been fixed since: only a server that was started after that can tell.
    assert not verdict_of(f"{NOPE}\n{NOPE}", times=3, uid_1=3).final
    assert not verdict_of(f"{NOPE}\n{NOPE}", times=3, uid_1=4).final
    assert verdict_of(NOPE, times=4, uid_1=3).final
    # Another pod's starts are not those of this one.
    assert verdict_of(f"{NOPE}\n{NOPE}", times=1, uid_2=3).final


def test_the_log_of_the_start_before_explains_but_is_as_old_as_that_start() -> None:
    old = verdict_of("I1128 14:17:21.236476       1 proxy.go:186] Proxy server started", times=4, previous=NOPE, uid_1=3)
    assert "does not exist" in old.reason and not old.final
    assert verdict_of("", times=5, previous=NOPE, uid_1=3).final


def test_the_cause_of_a_dirty_schema_is_in_the_log_before() -> None:
    verdict = verdict_of(DIRTY, times=2, previous=f"Error: migration failed in line 0: CREATE TABLE (\n);\n {STOPPED}")
    assert "marked dirty" in verdict.reason and "requires a primary key" in verdict.reason
    assert "3750" in verdict.evidence and "Dirty database version 8" in verdict.evidence
    assert "sql_require_primary_key to OFF" in verdict.remedy and "schema_migrations" in verdict.remedy
    assert verdict.evidence.endswith(f"; {DIRTY}") and verdict.evidence.startswith(STOPPED)
    # Whatever else that log holds is no cause.
    assert "connection refused" not in verdict_of(DIRTY, times=2, previous="connect: connection refused\nbye").sentence()


def test_a_migration_that_fails_leaves_the_schema_dirty_at_once() -> None:
    verdict = verdict_of(f"migration failed in line 0: CREATE TABLE (\n);\n {STOPPED}")
    assert "marked dirty" in verdict.reason and "requires a primary key" in verdict.reason and "schema_migrations" in verdict.remedy


def test_the_log_before_is_read_where_it_can_tell_more() -> None:
    def needed(log: str, times: int) -> bool:
        return readiness.needs_previous_log(Observation(AVAILABLE, ROLLING, (started(times),), log))

    assert needed("listening on 8080", 2) and needed(DIRTY, 2)
    assert not needed(NOPE, 2) and not needed(DIRTY, 1)
    assert not readiness.needs_previous_log(Observation(AVAILABLE, ROLLING, ()))


def test_the_starts_of_a_server_are_counted() -> None:
    never = waiting_pod("CreateContainerConfigError")
    never["metadata"]["uid"] = "new"
    crashed = waiting_pod("CrashLoopBackOff")
    crashed["metadata"]["uid"] = "crashed"
    crashed["status"]["containerStatuses"][0] |= {"restartCount": 2, "lastState": {"terminated": {"startedAt": LATER}}}
    # Of the starts before, its node may remember only their number.
    forgotten = waiting_pod("CrashLoopBackOff")
    forgotten["metadata"]["uid"] = "forgotten"
    forgotten["status"]["containerStatuses"][0]["restartCount"] = 1
    assert server_pods.starts([never, crashed, started(1, "once"), forgotten]) == {"new": 0, "crashed": 3, "once": 1, "forgotten": 2}


def test_the_last_known_line_of_a_log_counts() -> None:
    assert "nothing is listening" in verdict_of(f"{LOGIN_REFUSED.format(1)}\nconnect: connection refused\nbye").reason


def test_a_log_without_a_known_line_tells_nothing() -> None:
    assert "is starting" in verdict_of("listening on 8080").reason


def test_the_previous_pod_that_is_still_running_is_recognised():
    old, new = pod(), waiting_pod("CrashLoopBackOff")
    new["metadata"]["creationTimestamp"] = LATER
    assert server_pods.previous_runs((old, new))
    assert not server_pods.previous_runs((new,))
    old["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    assert not server_pods.previous_runs((old, new))


def test_a_pod_that_is_being_deleted_explains_nothing():
    old, new = waiting_pod("ImagePullBackOff"), pod()
    old["metadata"] |= {"creationTimestamp": LATER, "deletionTimestamp": "2026-05-01T11:00:01Z"}
    assert server_pods.newest_pod((old, new)) is new
    assert server_pods.newest_pod((old,)) is None


def test_a_generated_database_is_connected_to_as_soon_as_it_runs():
    def database(**given: Any) -> dict[str, Any]:
        made = pod(**given)
        made["metadata"]["labels"]["app.kubernetes.io/name"] = "fraud-postgres"
        made["status"]["containerStatuses"][0]["name"] = "postgres"
        return made

    ready, starting, waiting = database(), database(created=LATER), database(started=None, created=LATER)
    starting["status"]["conditions"] = []
    assert server_pods.running_database_pod([pod(), waiting, starting], "fraud") is starting
    # One that is ready is rather the one that the others connect to.
    assert server_pods.running_database_pod([starting, ready], "fraud") is ready
    assert server_pods.running_database_pod([pod(), waiting], "fraud") is None
    assert server_pods.running_database_pod([starting], "credit") is None
    # A container that the cluster has added runs on beside a database that has crashed.
    for place in (0, 1):
        waiting["status"]["containerStatuses"].insert(place, {"name": "istio-proxy", "restartCount": 0, "state": {"running": {"startedAt": LATER}}})
        assert server_pods.running_database_pod([waiting], "fraud") is None
        starting["status"]["containerStatuses"].insert(place, {"name": "istio-proxy", "restartCount": 1, "state": {"waiting": {}}})
        assert server_pods.running_database_pod([waiting, starting], "fraud") is starting


def test_the_restarts_are_those_of_the_container_that_speaks_to_the_database():
    both = pod()
    both["status"]["containerStatuses"] = [{"name": "grpc-container", "restartCount": 3}, *both["status"]["containerStatuses"]]
    assert server_pods.restarts(both) == 3
    assert server_pods.restarts(pod()) == 0 and server_pods.restarts({"metadata": {}}) == 0


# Has the operator taken over what the registry says?


@pytest.mark.parametrize("kind", ["mysql", "postgresql", "generated"])
def test_a_deployment_that_connects_as_the_registry_says_reflects_it(kind):
    assert readiness.reflects(stored(wanted(kind)), deployment(kind))


@pytest.mark.parametrize(("before", "after"), [(one, other) for one in DSN for other in DSN if one != other])
def test_a_deployment_of_another_type_of_database_has_not_been_taken_over(before, after):
    assert not readiness.reflects(stored(wanted(after)), deployment(before))


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (kind, changed)
        for kind in ("mysql", "postgresql")
        for changed in (
            {"passwordSecret": {"name": "another", "key": "database-password"}},
            {"passwordSecret": {"name": OURS["name"], "key": "another"}},
            {"username": "another"},
            # The end of the live one: a login is compared whole.
            {"username": "gistry"},
            {"host": "another"},
            {"port": 3307},
            {"port": 543},
            {"database": "another"},
            {"database": "model"},
            {"sslRootCertificateConfigMap": {"name": "bundle", "key": "ca.crt"}},
            {"sslRootCertificateSecret": {"name": "bundle", "key": "ca.crt"}},
            {"sslCertificateSecret": {"name": "client", "key": "tls.crt"}},
            {"sslKeySecret": {"name": "client", "key": "tls.key"}},
        )
    ]
    + [("mysql", {"verifyServerCert": True}), ("postgresql", {"sslMode": "verify-ca"}), ("postgresql", {"sslMode": None})],
)
def test_a_deployment_that_connects_otherwise_has_not_been_taken_over(kind, changed):
    assert not readiness.reflects(stored(wanted(kind), **changed), deployment(kind))


def test_a_generated_database_with_another_secret_has_not_been_taken_over():
    assert not readiness.reflects(stored(wanted("generated")), deployment("generated", password=OURS))


def test_a_generated_database_is_the_operators_whatever_is_left_beside_it():
    assert readiness.reflects(stored(wanted("generated"), port=5433, sslMode="require"), deployment("generated"))


def test_a_host_address_stands_for_the_host():
    registry = stored(wanted("postgresql"), host=None, hostAddress="10.0.0.1")
    assert readiness.reflects(registry, deployment("postgresql", dsn=DSN["postgresql"].replace("pg.data.svc", "10.0.0.1")))


@pytest.mark.parametrize("verify", [True, False])
def test_verification_is_told_to_mysqls_server(verify):
    told = deployment(arguments=[f"--embedmd-database-ssl-verify-server-cert={str(verify).lower()}"])
    assert readiness.reflects(stored(wanted(), verifyServerCert=verify), told)
    assert not readiness.reflects(stored(wanted(), verifyServerCert=not verify), told)
    assert not readiness.reflects(stored(wanted()), told)


def test_a_field_that_only_mysql_has_means_nothing_for_postgresql():
    assert readiness.reflects(stored(wanted("postgresql"), verifyServerCert=True), deployment("postgresql"))


@pytest.mark.parametrize(("kind", "section"), [("mysql", "mysql"), ("postgresql", "postgres")])
def test_a_deployment_that_still_reads_a_ca_has_not_been_taken_over(kind, section):
    live = deployment(
        kind,
        arguments=[f"--embedmd-database-ssl-root-cert=/etc/{section}_ssl_rootcert/ca.crt"],
        volumes=[{"name": f"{section}-ssl-rootcert", "configMap": {"name": "bundle"}}],
    )
    assert readiness.reflects(stored(wanted(kind), sslRootCertificateConfigMap={"name": "bundle", "key": "ca.crt"}), live)
    for field, reference in (
        ("sslRootCertificateConfigMap", None),
        ("sslRootCertificateConfigMap", {"name": "another", "key": "ca.crt"}),
        ("sslRootCertificateConfigMap", {"name": "bundle", "key": "another"}),
        ("sslRootCertificateSecret", {"name": "bundle", "key": "ca.crt"}),
    ):
        assert not readiness.reflects(stored(wanted(kind), **{field: reference}), live)


@pytest.mark.parametrize(("kind", "section"), [("mysql", "mysql"), ("postgresql", "postgres")])
def test_a_deployment_reads_the_client_certificate_of_the_registry(kind, section):
    live = deployment(
        kind,
        arguments=[
            f"--embedmd-database-ssl-cert=/etc/{section}_ssl_cert/tls.crt",
            f"--embedmd-database-ssl-key=/etc/{section}_ssl_key/tls.key",
            f"--embedmd-database-ssl-root-cert=/etc/{section}_ssl_rootcert/ca",
        ],
        volumes=[{"name": f"{section}-ssl-{volume}", "secret": {"secretName": "client"}} for volume in ("cert", "key", "rootcert")],
    )
    given = {
        "database__client_certificate": {"source": "secret", "name": "client"},
        "database__ca": {"source": "secret", "name": "client", "key": "ca"},
        "database__verify_server_cert": None,
    }
    of = stored(wanted(kind, **given), verifyServerCert=None)
    assert readiness.reflects(of, live)
    for field in ("sslCertificateSecret", "sslKeySecret", "sslRootCertificateSecret"):
        for reference in (None, {"name": "another", "key": "tls.crt"}, {"name": "client", "key": "another"}):
            assert not readiness.reflects(stored(wanted(kind, **given), **{"verifyServerCert": None, field: reference}), live)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (
            "mysql",
            {
                "mysql_config_host": "mysql.data.svc",
                "mysql_config_port": 3306,
                "mysql_config_database": "models",
                "mysql_config_user": "registry",
            },
        ),
        (
            "postgresql",
            {
                "postgres_config_host": "pg.data.svc",
                "postgres_config_port": 5432,
                "postgres_config_dbname": "models",
                "postgres_config_user": "registry",
                "postgres_config_sslmode": "require",
            },
        ),
    ],
)
def test_the_metadata_server_of_old_operators_is_understood(kind, parts):
    live = deployment(kind)
    [_proxy, server] = live["spec"]["template"]["spec"]["containers"]
    metadata_server = {**server, "name": "grpc-container", "args": [f"--{part}={value}" for part, value in parts.items()]}
    live["spec"]["template"]["spec"]["containers"] = [{**server, "args": []}, metadata_server]
    assert readiness.reflects(stored(wanted(kind)), live)
    for changed in ({"database": "model"}, {"host": "pg"}, {"port": 33}, {"username": "regis"}):
        assert not readiness.reflects(stored(wanted(kind), **changed), live)
    if kind == "postgresql":
        assert not readiness.reflects(stored(wanted(kind), sslMode="disable"), live)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"template": {"spec": {"containers": None}}},
        {"template": {"spec": {"containers": [{"name": "kube-rbac-proxy"}]}}},
        {"template": {"spec": {"containers": [{"name": "rest-container"}]}}},
    ],
)
def test_a_deployment_without_a_server_reflects_nothing(spec):
    assert not readiness.reflects(stored(wanted()), {"spec": spec})


def test_a_registry_without_a_password_is_recognised():
    for kind in ("mysql", "postgresql"):
        passwordless = stored(wanted(kind), passwordSecret=None)
        assert not readiness.reflects(passwordless, deployment(kind))
        without = deployment(kind, dsn=DSN[kind].replace(":$(MYSQL_PASSWORD)", "").replace(":$(POSTGRES_PASSWORD)", ""))
        assert readiness.reflects(passwordless, without)
        assert not readiness.reflects(stored(wanted(kind)), without)


def test_a_registry_without_a_database_has_nothing_to_reflect():
    resource = stored(wanted())
    del resource["spec"]["mysql"]
    assert readiness.reflects(resource, deployment())


@pytest.mark.parametrize("turn", [1, -1])
def test_of_pods_of_the_same_second_the_one_that_is_not_ready_is_the_newest(turn):
    ready, stuck = pod(), pod(None, "fraud-2")
    stuck["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    pods = (ready, stuck)[::turn]
    assert server_pods.newest_pod(pods) is stuck
    assert server_pods.previous_runs(pods)
