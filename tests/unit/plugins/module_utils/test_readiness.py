"""Is it serving, and if not, why."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _readiness as readiness
from ansible_collections.modelops.openshift_ai.plugins.module_utils._readiness import Observation, judge

from .builders import pod, stored, wanted

LOGIN_REFUSED = "Retrying connection to MySQL (attempt {}/25): Error 1045 (28000): Access denied for user 'registry'@'10.0.0.9' (using password: YES)"
METADATA_REFUSED = "Check failed: absl::OkStatus() == status (OK vs. INTERNAL:"
SYNTAX = "errno: You have an error in your SQL syntax; check the manual"


def deployment(host="mysql.data.svc.cluster.local", **status):
    arguments = [f"--embedmd-database-dsn=registry:$(MYSQL_PASSWORD)@tcp({host}:3306)/models?charset=utf8mb4"]
    environment = [{"name": "MYSQL_PASSWORD", "valueFrom": {"secretKeyRef": stored(wanted())["spec"]["mysql"]["passwordSecret"]}}]
    container = {"name": "rest-container", "args": arguments, "env": environment}
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, **status},
    }


def registry(**conditions):
    resource = stored(wanted())
    resource["status"] = {"conditions": [{"type": kind, "status": status, "message": message} for kind, (status, message) in conditions.items()]}
    return resource


AVAILABLE = registry(Available=("True", "Deployment is available"))


def waiting_pod(reason, message=""):
    waiting = pod()
    waiting["metadata"]["labels"] = {"app": "fraud"}
    waiting["status"] = {"containerStatuses": [{"name": "rest-container", "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}}]}
    return waiting


def test_an_available_registry_whose_deployment_is_rolled_out_serves():
    assert judge(Observation(AVAILABLE, deployment(), (pod(),))).serving


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (Observation(None, None), "gone"),
        (Observation(stored(wanted()), None), "operator has not acted"),
        (Observation(registry(Available=("False", "unexpected reconcile error: bad label")), None), "cannot create"),
        (Observation(AVAILABLE, deployment(host="old.data.svc.cluster.local")), "not taken over"),
        # The old pod serves and the condition stays True while the new one is not even running.
        (Observation(AVAILABLE, deployment(unavailableReplicas=1), (waiting_pod("ContainerCreating"),)), "starting"),
        (Observation(AVAILABLE, deployment(observedGeneration=1), ()), "not been made"),
        (Observation(AVAILABLE, deployment(updatedReplicas=0), ()), "not been made"),
        (Observation(AVAILABLE, deployment(replicas=2), (pod(),)), "starting"),
        (Observation(registry(Available=("False", "Service endpoints not found")), deployment(), (pod(),)), "not report"),
        (Observation(registry(), deployment(), (pod(),)), "not reported"),
        (
            Observation(
                registry(Available=("False", "x"), KubeRBACProxyAvailable=("False", "KubeRBACProxy Route fraud-https is unavailable")), deployment(), (pod(),)
            ),
            "Route",
        ),
        (Observation(AVAILABLE, deployment(unavailableReplicas=1), (waiting_pod("CreateContainerConfigError", 'secret "x" not found'),)), "missing"),
        (Observation(AVAILABLE, deployment(unavailableReplicas=1), (waiting_pod("ImagePullBackOff", "no"),)), "image"),
        (
            Observation(
                AVAILABLE,
                deployment(unavailableReplicas=1),
                (waiting_pod("ContainerCreating"),),
                events=('MountVolume.SetUp failed: configmap "ca" not found',),
            ),
            "mounts",
        ),
        (
            Observation(
                AVAILABLE, deployment(unavailableReplicas=1), (waiting_pod("ContainerCreating"),), events=('MountVolume.SetUp: secret "fraud-kube-rbac-proxy"',)
            ),
            "serving certificate",
        ),
    ],
)
def test_what_keeps_a_registry_from_serving_is_named(seen, reason):
    verdict = judge(seen)
    assert not verdict.serving
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("line", "reason", "final"),
    [
        (LOGIN_REFUSED.format(2), "password or the user", True),
        ("Error 1049 (42000): Unknown database 'nope'", "does not exist", True),
        ("Error 3159 (HY000): Connections using insecure transport are prohibited", "encrypted", True),
        ("dial tcp: lookup nohost.invalid on 10.96.0.10:53: no such host", "unknown in the cluster", False),
        ("dial tcp 10.0.0.1:3306: connect: connection refused", "nothing listens", False),
        ("dial tcp 10.0.0.1:3306: i/o timeout", "does not answer", False),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "did not sign", True),
        ("tls: failed to verify certificate: x509: certificate is valid for localhost, not db", "host name", True),
        ("Dirty database version 25. Fix and force version.", "dirty", True),
        ("invalid EmbedMD config: invalid MySQL DSN: database name must not contain", "connection string", True),
        ("{{ALERT}} error connecting to datastore: failed to parse SSL root certificate from /etc/x", "no PEM", True),
        (f"{METADATA_REFUSED} mysql_real_connect failed: errno: , error:  [mysql-error-info=''])", "does not say whether", False),
        (f"{METADATA_REFUSED} Creating database model-registry in ConnectImplmysql_query failed: {SYNTAX})", "cannot use a database of this name", True),
        (f"{METADATA_REFUSED} mysql_query failed: errno: Access denied for user 'u'@'%' to database 'd')", "no rights on the database", True),
    ],
)
def test_the_servers_log_is_told_in_words(line, reason, final):
    verdict = readiness.log_verdict(f"starting\n{line}\n{line}", 0)
    assert reason in verdict.reason
    assert verdict.final is final
    assert line in verdict.evidence


def test_one_attempt_alone_does_not_end_the_wait_but_a_restart_after_it_does():
    line = LOGIN_REFUSED.format(1)
    assert not readiness.log_verdict(line, 0).final
    assert readiness.log_verdict(line, 1).final


def test_a_log_without_a_known_line_tells_nothing():
    assert readiness.log_verdict("listening on 8080", 0) is None


@pytest.mark.parametrize(
    "line",
    [
        'parse "postgresql://registry:secret/word@db:5432/models": invalid port ":secret" after host',
        "cannot open registry:secret-word@tcp(db:3306)/models",
    ],
)
def test_credentials_of_a_connection_string_are_masked(line):
    masked = readiness.without_credentials(line)
    assert "secret-word" not in masked and "secret/word" not in masked


def test_the_previous_pod_that_still_serves_is_recognised():
    old, new = pod(), waiting_pod("CrashLoopBackOff")
    new["metadata"]["creationTimestamp"] = "2026-05-01T11:00:00Z"
    assert readiness.serves_still((old, new))
    assert not readiness.serves_still((new,))


def test_a_pod_that_is_being_deleted_explains_nothing():
    old, new = waiting_pod("ImagePullBackOff"), pod()
    old["metadata"] |= {"creationTimestamp": "2026-05-01T11:00:00Z", "deletionTimestamp": "2026-05-01T11:00:01Z"}
    assert readiness.newest_pod((old, new)) is new


@pytest.mark.parametrize(
    "mysql",
    [
        {"sslRootCertificateConfigMap": {"name": "bundle", "key": "ca.crt"}},
        {"passwordSecret": {"name": "another", "key": "database-password"}},
        {"username": "another"},
        # The end of the live one: a login is compared whole.
        {"username": "gistry"},
        {"port": 3307},
        {"verifyServerCert": True},
        {"database": "another"},
    ],
)
def test_a_deployment_that_connects_otherwise_has_not_been_taken_over(mysql):
    assert readiness.reflects(stored(wanted()), deployment())
    assert not readiness.reflects(stored(wanted(), **mysql), deployment())


def test_a_deployment_that_still_reads_a_ca_has_not_been_taken_over():
    live = deployment()
    live["spec"]["template"]["spec"]["containers"][0]["args"].append("--embedmd-database-ssl-root-cert=/etc/mysql_ssl_rootcert/ca.crt")
    live["spec"]["template"]["spec"]["volumes"] = [{"name": "mysql-ssl-rootcert", "configMap": {"name": "bundle"}}]
    assert not readiness.reflects(stored(wanted()), live)
    assert not readiness.reflects(stored(wanted(), sslRootCertificateConfigMap={"name": "another", "key": "ca.crt"}), live)
    assert not readiness.reflects(stored(wanted(), sslRootCertificateSecret={"name": "bundle", "key": "ca.crt"}), live)
    assert readiness.reflects(stored(wanted(), sslRootCertificateConfigMap={"name": "bundle", "key": "ca.crt"}), live)


def test_the_metadata_server_of_old_operators_is_understood():
    live = deployment()
    [server] = live["spec"]["template"]["spec"]["containers"]
    parts = {"host": "mysql.data.svc.cluster.local", "port": 3306, "database": "models", "user": "registry"}
    arguments = [f"--mysql_config_{part}={value}" for part, value in parts.items()]
    live["spec"]["template"]["spec"]["containers"] = [{**server, "args": []}, {**server, "name": "grpc-container", "args": arguments}]
    assert readiness.reflects(stored(wanted()), live)
    assert not readiness.reflects(stored(wanted(), database="model"), live)


def test_a_registry_without_a_password_is_recognised():
    passwordless = stored(wanted())
    del passwordless["spec"]["mysql"]["passwordSecret"]
    live = deployment()
    assert not readiness.reflects(passwordless, live)
    [server] = live["spec"]["template"]["spec"]["containers"]
    server |= {"env": [], "args": [server["args"][0].replace(":$(MYSQL_PASSWORD)", "")]}
    assert readiness.reflects(passwordless, live)
