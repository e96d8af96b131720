# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is a registry serving what its definition says, and if not, why, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests, _registry

SERVER = "rest-container"
# The label of every pod that the operator makes: of servers and of generated databases.
POD_LABELS = "component=model-registry"


@dataclass(frozen=True)
class Observation:
    """What the cluster shows of one registry at one moment."""

    registry: _manifests.Manifest | None
    deployment: _manifests.Manifest | None
    pods: tuple[_manifests.Manifest, ...] = ()
    # Of the newest pod: the end of its server's log, and the messages of its warning events. Read only when they can explain something.
    log: str = field(default="", repr=False)
    events: tuple[str, ...] = ()
    # The pods of a generated database, read as sparingly.
    database_pods: tuple[_manifests.Manifest, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a registry serves. `final`: waiting longer cannot change it, only another input can."""

    serving: bool
    reason: str
    evidence: str = ""
    remedy: str = ""
    final: bool = False

    def sentence(self) -> str:
        """The verdict as text for people."""
        parts = [self.reason, f"Evidence: {self.evidence}" if self.evidence else "", self.remedy]
        return ". ".join(part.rstrip(".") for part in parts if part) + "."


@dataclass(frozen=True)
class Symptom:
    """A line of the server's log that tells what is wrong. A `final` one is cured only by another input."""

    pattern: re.Pattern[str]
    reason: str
    remedy: str
    final: bool = True


def _symptom(pattern: str, reason: str, remedy: str, final: bool = True) -> Symptom:
    return Symptom(re.compile(pattern), reason, remedy, final)


# What the registry server logs when it cannot use its database (server v0.3.8 on MariaDB 10.11).
SYMPTOMS = (
    _symptom(
        r"Error 1045 ",
        "the database refuses the login: the password or the user name is wrong, or the user must use TLS and this registry has no CA",
        "Check database.username and database.password, or give database.ca",
    ),
    _symptom(
        r"SQLSTATE 28P01|password authentication failed",
        "the database refuses the login: the password or the user name is wrong",
        "Check database.username and database.password",
    ),
    _symptom(
        r"Error 3159 |no encryption",
        "the database accepts only encrypted connections, and this one is not",
        "Give database.ca, or for PostgreSQL set database.ssl_mode to require",
    ),
    _symptom(r"SQLSTATE 28000|Error 1130\b", "the database accepts no login of this user from the cluster", "Allow it there"),
    _symptom(r"Error 1049 |SQLSTATE 3D000", "the database does not exist on the server", "Create it, or correct database.name"),
    _symptom(r"Error 1044 ", "the user has no rights on the database", "Grant the user all privileges on the database"),
    _symptom(r"Error 1142 |SQLSTATE 42501", "the user lacks a privilege that the server's migrations need", "Grant the user all privileges on the database"),
    _symptom(
        r"server does not support TLS|server refused TLS",
        "the registry is to encrypt its connection, and the database offers no encryption",
        "Switch it on there, or set database.ca to none",
    ),
    _symptom(r"Error 1040\b|SQLSTATE 53300", "the database has no connection left", "Raise its limit of connections", False),
    _symptom(
        r'syntax error at or near "JSON"|Dirty database version 25\b',
        "the server's migration 25 did not succeed, which is so with every PostgreSQL before 16, and the schema is now marked dirty",
        "Use PostgreSQL 16 or newer; repair the schema, then clear `dirty` in schema_migrations",
    ),
    _symptom(r"x509: certificate signed by unknown authority", "the CA did not sign the database's certificate", "Give the right one in database.ca"),
    _symptom(
        r"x509: certificate is valid for .*, not ",
        "the database's certificate is not valid for this host name",
        "Use a host name of the certificate in database.host",
    ),
    _symptom(r"x509: certificate has expired", "the database's certificate has expired or is not valid yet", "Renew it, and check the clocks"),
    _symptom(r"failed to parse SSL root certificate", "the CA bundle holds no PEM certificate", "Correct what database.ca names"),
    _symptom(r"failed to read SSL root certificate", "the CA bundle has no such key", "Correct the key in database.ca"),
    _symptom(
        r"Dirty database version",
        "an earlier migration of the database stopped half way and left its schema marked dirty",
        "Repair the schema, then clear `dirty` in schema_migrations",
    ),
    _symptom(
        r"invalid EmbedMD config|invalid (MySQL|PostgreSQL) DSN|net/url: invalid userinfo|cannot parse `postgresql:",
        "the connection string is not valid: a value of `database` has a character that breaks it",
        "Change that value",
    ),
    # The metadata server that is beside the registry server with operators before v0.2.20. Whatever keeps it from connecting, its words are the same.
    _symptom(
        r"mysql_real_connect failed",
        "the metadata server of this product version cannot connect to the database, and does not say whether the host, the port, the user name, the password"
        " or the CA is wrong",
        "Check all of them in `database`, and that the database runs",
        False,
    ),
    _symptom(
        r"mysql_query failed: .* error in your SQL syntax",
        "the metadata server of this product version cannot use a database of this name: other characters than letters, digits and _ break its statements",
        "Use a database with another name",
    ),
    _symptom(r"mysql_query failed: .* denied ", "the user has no rights on the database, or it does not exist", "Create it, and grant the user all privileges"),
    _symptom(r"no such host", "the database's host name is unknown in the cluster", "Correct database.host, or wait until its Service exists", False),
    _symptom(r"connection refused", "nothing listens at the database's address", "Check database.host, database.port and that the database runs", False),
    _symptom(r"i/o timeout|deadline exceeded", "the database does not answer", "Check that the network lets the registries namespace reach it", False),
)
# Connection strings in a log. Their passwords stand there as they are, with any character: up to the last @, or where the rest was cut off, to the end of
# the quotes. Go's parser of URLs repeats in quotes what it stumbled upon.
CREDENTIALS = (
    (re.compile(r"(\bpostgres(?:ql)?://[^:/\s\"@]*:).*@"), r"\1********@"),
    (re.compile(r"(\bpostgres(?:ql)?://[^:/\s\"@]*:)(?!\*{8}@)[^\"]*"), r"\1********"),
    (re.compile(r"(\binvalid (?:port|URL escape|character) \")(?:[^\"\\]|\\.)*"), r"\1********"),
    (re.compile(r"([^\s:]+:).*(@tcp\()"), r"\1********\2"),
)


def judge(seen: Observation) -> Verdict:
    """Whether the registry serves what its definition says now: its condition Available alone does not tell, it stays True over an edit that fails."""
    if seen.registry is None:
        return Verdict(False, "the registry is gone", final=True)
    deployment = seen.deployment
    if deployment is None or _manifests.at(deployment, ("status", "observedGeneration")) is None:
        return _not_deployed(seen.registry)
    if not reflects(seen.registry, deployment):
        return Verdict(False, "the operator has not taken over the last change", remedy="Check that the model registry operator runs")
    if deployment["spec"].get("replicas") == 0:
        remedy = "Scale the Deployment up, and run again"
        return Verdict(False, "the registry is hibernated", f"Deployment {deployment['metadata'].get('name')!r} has 0 replicas", remedy, final=True)
    if not _rolled_out(deployment):
        return _pod_verdict(seen)
    available = condition(seen.registry, "Available")
    if available is None or available["status"] != "True":
        return _unavailable(seen.registry, available)
    return Verdict(True, "serving")


def condition(manifest: _manifests.Manifest, kind: str) -> _manifests.Manifest | None:
    """The condition of this type."""
    return next((entry for entry in _manifests.at(manifest, ("status", "conditions")) or [] if entry["type"] == kind), None)


def reflects(registry: _manifests.Manifest, deployment: _manifests.Manifest) -> bool:
    """Whether the pods that the Deployment makes connect to the database as the registry says now."""
    kind = _manifests.live_type(registry)
    if kind is None:
        return True
    section, effective = _manifests.SECTIONS[kind], _effective_database(registry)
    pod: _manifests.Manifest = _manifests.at(deployment, ("spec", "template", "spec")) or {}
    container = database_container(pod.get("containers") or [])
    arguments = " ".join([*container.get("args", []), ""])
    password = effective.get("passwordSecret")
    secrets = [_manifests.at(variable, ("valueFrom", "secretKeyRef")) for variable in container.get("env", [])]
    reads_password = not password or password in secrets
    verifies = re.findall(r"verify.server.cert=(\S+)", arguments)
    verification = [str(effective["verifyServerCert"]).lower()] if "verifyServerCert" in effective and kind == _registry.MYSQL else []
    connects = _connection_string(effective, section) in arguments or all(part in arguments for part in _connection_parts(effective, section))
    files = (
        ("rootcert", r"ssl-?root-?cert", effective.get(_manifests.CA_KEYS["ConfigMap"]), effective.get(_manifests.CA_KEYS["Secret"])),
        ("cert", r"ssl-?cert", None, effective.get(_manifests.CERTIFICATE_KEYS[0])),
        ("key", r"ssl-?key", None, effective.get(_manifests.CERTIFICATE_KEYS[1])),
    )
    reads_files = all(_reads(pod, f"{section}-ssl-{volume}", re.findall(rf"[-_]{flag}=(\S+)", arguments), *wanted) for volume, flag, *wanted in files)
    return connects and reads_password and verifies == verification and reads_files


def _effective_database(registry: _manifests.Manifest) -> _manifests.Manifest:
    """The database as the operator understands it: a generated one is filled in."""
    section, name = _manifests.live_database(registry), registry["metadata"]["name"]
    if not section.get("generateDeployment"):
        return section
    made = _manifests.GeneratedDatabase(name)
    return {
        "host": made.host,
        "port": made.port,
        "database": made.name,
        "username": made.username,
        "passwordSecret": _manifests.reference(made.password_secret),
    }


def _connection_string(database: _manifests.Manifest, section: str) -> str:
    """The connection string up to its end, or where parameters begin."""
    password = f":$({section.upper()}_PASSWORD)" if database.get("passwordSecret") else ""
    login, host, port, name = database.get("username"), database.get("host") or database.get("hostAddress"), database.get("port"), database.get("database")
    if section == "mysql":
        return f"-dsn={login}{password}@tcp({host}:{port})/{name}?"
    mode = f"?sslmode={database['sslMode']}" if database.get("sslMode") else ""
    return f"-dsn=postgresql://{login}{password}@{host}:{port}/{name}{mode} "


def _connection_parts(database: _manifests.Manifest, section: str) -> list[str]:
    """The arguments of the metadata server that operators before v0.2.20 run: one for each part of the connection."""
    names = {"host": "host", "port": "port", "database": "database" if section == "mysql" else "dbname", "username": "user", "sslMode": "sslmode"}
    prefix = "mysql" if section == "mysql" else "postgres"
    return [f"--{prefix}_config_{part}={database[key]} " for key, part in names.items() if database.get(key) is not None]


def _reads(pod: _manifests.Manifest, volume: str, files: list[str], config_map: _manifests.Manifest | None, secret: _manifests.Manifest | None) -> bool:
    """Whether a pod mounts the one object that is wanted and its server is told that key of it; or neither, when none is."""
    mounted: _manifests.Manifest = next((entry for entry in pod.get("volumes") or [] if entry["name"] == volume), {})
    keys = [file.rpartition("/")[2] for file in files]
    if config_map:
        return keys == [config_map["key"]] and bool(_manifests.at(mounted, ("configMap", "name")) == config_map["name"])
    if secret:
        return keys == [secret["key"]] and bool(_manifests.at(mounted, ("secret", "secretName")) == secret["name"])
    return not keys


def database_container(containers: list[_manifests.Manifest]) -> _manifests.Manifest:
    """The container (or its status) that speaks to the database: the server, or with operators before v0.2.20 the metadata server beside it."""
    return next((container for name in ("grpc-container", SERVER) for container in containers if container["name"] == name), {})


def _rolled_out(deployment: _manifests.Manifest) -> bool:
    status, replicas = deployment["status"], deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas") == replicas == status.get("replicas")
        and not status.get("unavailableReplicas")
    )


def _not_deployed(registry: _manifests.Manifest) -> Verdict:
    failed = condition(registry, "Available")
    if failed and "unexpected reconcile error" in failed["message"]:
        return Verdict(False, "the operator cannot create the registry's objects", failed["message"], "Correct what the message names")
    if not _manifests.at(registry, ("status", "conditions")):
        return Verdict(False, "the operator has not acted on the registry", remedy="Check that the model registry operator runs")
    return Verdict(False, "the registry's server is being deployed")


def _unavailable(registry: _manifests.Manifest, available: _manifests.Manifest | None) -> Verdict:
    for kind in ("KubeRBACProxyAvailable", "OAuthProxyAvailable"):
        proxy = condition(registry, kind)
        if proxy and proxy["status"] == "False" and "Route" in proxy["message"]:
            return Verdict(
                False, "the registry's Route is not admitted by the ingress controller", proxy["message"], "Check the ingress controller and the Route's host"
            )
    if available is None:
        return Verdict(False, "the operator has not reported on the registry", remedy="Check that the model registry operator runs")
    return Verdict(False, "the operator does not report the registry as available yet", available["message"])


def is_database_pod(pod: _manifests.Manifest, registry: str) -> bool:
    """Whether a pod that has a registry's labels is of its generated database, and not of its server."""
    return bool(_manifests.at(pod, ("metadata", "labels", "app.kubernetes.io/name")) == _manifests.GeneratedDatabase(registry).host)


def newest_pod(pods: tuple[_manifests.Manifest, ...]) -> _manifests.Manifest | None:
    """The pod that was made last and is not being deleted: the one of the current template while a Deployment rolls.

    Of those that were made in the same second it is one that is not ready: a Deployment rolls on only because there is one.
    """
    candidates = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return max(candidates, key=lambda pod: (str(pod["metadata"]["creationTimestamp"]), not _is_ready(pod)), default=None)


def _is_ready(pod: _manifests.Manifest) -> bool:
    return (condition(pod, "Ready") or {}).get("status") == "True"


def needs_explanation(seen: Observation) -> bool:
    """Whether the log and the events of its newest pod can tell why a registry does not serve: there is such a pod, and it is not ready."""
    newest = newest_pod(seen.pods)
    return newest is not None and not _is_ready(newest)


def serves_still(pods: tuple[_manifests.Manifest, ...]) -> bool:
    """Whether a pod older than the newest one is ready, so that the registry answers although its newest pod does not."""
    newest = newest_pod(pods)
    return any(pod is not newest and _is_ready(pod) for pod in pods)


def _pod_verdict(seen: Observation) -> Verdict:
    pod = newest_pod(seen.pods)
    deployment = seen.deployment or {}
    # The newest pod may be one of the template before, which fails for what an edit has mended since.
    is_of_template = _manifests.at(deployment, ("status", "observedGeneration")) == _manifests.at(deployment, ("metadata", "generation")) and bool(
        _manifests.at(deployment, ("status", "updatedReplicas"))
    )
    if pod is None or not is_of_template:
        failure = condition(deployment, "ReplicaFailure")
        if failure:
            return Verdict(False, "the pod of the registry is refused", failure["message"], "Check the quota and the admission policies of the namespace")
        return Verdict(False, "the pod of the registry has not been made yet")
    verdict = _unscheduled(pod, "the pod of the registry")
    for status in _manifests.at(pod, ("status", "containerStatuses")) or []:
        verdict = verdict or _waiting_verdict(seen, pod, status)
    database = newest_pod(seen.database_pods)
    if verdict is None and database is not None:
        verdict = _unscheduled(database, "the pod of the generated database")
    return verdict or log_verdict(seen.log, restarts(pod)) or Verdict(False, "the registry's server is starting")


def _unscheduled(pod: _manifests.Manifest, what: str) -> Verdict | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled is None or scheduled["status"] != "False":
        return None
    return Verdict(False, f"no node takes {what}", scheduled.get("message", ""), "Check the cluster's capacity and storage")


def _waiting_verdict(seen: Observation, pod: _manifests.Manifest, status: _manifests.Manifest) -> Verdict | None:
    waiting: dict[str, Any] = _manifests.at(status, ("state", "waiting")) or {}
    reason, message = waiting.get("reason"), waiting.get("message", "")
    if reason == "CreateContainerConfigError":
        return Verdict(False, "the pod reads a Secret or ConfigMap that is missing or has no such key", message, "Create it")
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):
        return Verdict(False, f"the image of container {status['name']} cannot be pulled", message, "Check the image and the pull secrets")
    if reason == "ContainerCreating":
        mounts = [event for event in seen.events if "MountVolume" in event]
        if mounts:
            serving = f"{pod['metadata']['labels'].get('app', '')}-kube-rbac-proxy"
            if serving in mounts[-1]:
                return Verdict(
                    False, f"Secret {serving!r} with the serving certificate is missing", mounts[-1], "OpenShift makes it; on plain Kubernetes create it"
                )
            return Verdict(False, "the pod mounts a Secret or ConfigMap that is missing", mounts[-1], "Create it")
    return None


def restarts(pod: _manifests.Manifest) -> int:
    """How often the pod's server was started again."""
    return int(database_container(_manifests.at(pod, ("status", "containerStatuses")) or []).get("restartCount", 0))


def log_verdict(log: str, restarted: int) -> Verdict | None:
    """What the end of the server's log tells; final when two attempts in a row have shown the same."""
    lines = log.splitlines()
    for line in reversed(lines):
        for symptom in SYMPTOMS:
            if symptom.pattern.search(line):
                attempts = sum(1 for other in lines if symptom.pattern.search(other))
                final = symptom.final and (attempts > 1 or restarted > 0)
                return Verdict(False, symptom.reason, without_credentials(line.strip()), symptom.remedy, final)
    return None


def without_credentials(line: str) -> str:
    """A line of a log without the password of a connection string in it."""
    for pattern, masked in CREDENTIALS:
        line = pattern.sub(masked, line)
    return line
