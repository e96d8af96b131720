# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is a registry available with its current definition, and if not, why, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _options, _texts
from .._model import custom_resource, live_state, manifests, server_pods
from . import symptoms


@dataclass(frozen=True)
class Observation:
    """What the cluster shows of one registry at one moment."""

    registry: manifests.Manifest | None
    deployment: manifests.Manifest | None
    pods: tuple[manifests.Manifest, ...] = ()
    # Of the newest pod: the end of its server's log and of the one of the start before, and the messages of its warning events. Read only when they can
    # explain something.
    log: str = field(default="", repr=False)
    previous_log: str = field(default="", repr=False)
    events: tuple[str, ...] = ()
    # The pods of a generated database, read as sparingly.
    database_pods: tuple[manifests.Manifest, ...] = ()
    # How often the server of each pod had been started, by the pod's uid, before what is waited for: what those starts log may have been fixed since.
    baseline: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Whether a registry is available, and if not, why, what shows it, and what to do. `final`: waiting longer cannot change it, only another input can."""

    available: bool
    reason: str = ""
    evidence: str = ""
    remedy: str = ""
    final: bool = False

    def result(self) -> manifests.Manifest:
        """The verdict as results show it. Evidence is what others wrote, and the operator copies lines of the server's log into its messages."""
        evidence = _texts.line(symptoms.without_credentials(self.evidence))
        return {"available": self.available, "reason": self.reason or None, "evidence": evidence or None, "remedy": self.remedy or None}

    def sentence(self) -> str:
        """The verdict as text for people."""
        shown = self.result()
        parts = [self.reason, f"Evidence: {shown['evidence']}" if shown["evidence"] else "", self.remedy]
        return ". ".join(part.rstrip(".") for part in parts if part) + "."


def judge(seen: Observation) -> Verdict:
    """Whether the registry is available with its current definition: its condition Available alone does not tell, it stays True over an edit that fails."""
    if seen.registry is None:
        return Verdict(False, "the registry no longer exists", final=True)
    deployment = seen.deployment
    if deployment is None or manifests.at(deployment, ("status", "observedGeneration")) is None:
        return _not_deployed(seen.registry)
    if not reflects(seen.registry, deployment):
        return Verdict(False, "the operator has not processed the last change", remedy="Check that the model registry operator is running")
    if deployment["spec"].get("replicas") == 0:
        remedy = "Scale up the Deployment, and run again"
        return Verdict(False, "the registry is scaled down", f"Deployment {deployment['metadata'].get('name')!r} has 0 replicas", remedy, final=True)
    if not _rolled_out(deployment):
        return _pod_verdict(seen)
    available = manifests.condition(seen.registry, "Available")
    if available is None or available["status"] != "True":
        return _unavailable(seen.registry, available)
    return Verdict(True)


def is_seen_available(live: live_state.Live) -> bool:
    """Whether a registry is available, by what was read for a plan."""
    return judge(Observation(live.registry, live.deployment)).available


def reflects(registry: manifests.Manifest, deployment: manifests.Manifest) -> bool:
    """Whether the pods that the Deployment makes connect to the database as the registry says now."""
    kind = custom_resource.live_type(registry)
    if kind is None:
        return True
    section, effective = custom_resource.SECTIONS[kind], _effective_database(registry)
    pod: manifests.Manifest = manifests.at(deployment, ("spec", "template", "spec")) or {}
    container = server_pods.database_container(pod.get("containers") or [])
    arguments = " ".join([*container.get("args", []), ""])
    password = effective.get("passwordSecret")
    secrets = [manifests.at(variable, ("valueFrom", "secretKeyRef")) for variable in container.get("env", [])]
    reads_password = not password or password in secrets
    connects = _connection_string(effective, section) in arguments or all(part in arguments for part in _connection_parts(effective, section))
    files = (
        ("rootcert", r"ssl-?root-?cert", effective.get(custom_resource.CA_KEYS["ConfigMap"]), effective.get(custom_resource.CA_KEYS["Secret"])),
        ("cert", r"ssl-?cert", None, effective.get(custom_resource.CERTIFICATE_KEYS[0])),
        ("key", r"ssl-?key", None, effective.get(custom_resource.CERTIFICATE_KEYS[1])),
    )
    reads_files = all(_reads(pod, f"{section}-ssl-{volume}", re.findall(rf"[-_]{flag}=(\S+)", arguments), *wanted) for volume, flag, *wanted in files)
    reads_options = all(_is_told(field, kind, effective, container.get("args", [])) for field in _options.DATABASE_FIELDS if field.argument)
    return connects and reads_password and reads_options and reads_files


def _is_told(field: _options.Field, kind: str, database: manifests.Manifest, arguments: list[str]) -> bool:
    """Whether the server is given the value of an option, or nothing where the registry has none."""
    wanted = [str(database[key]).lower() if field.spec["type"] == "bool" else database[key] for key in field.keys if key in database and kind in field.types]
    return wanted == [argument.partition("=")[2] for argument in arguments if re.search(f"{field.argument}=", argument)]


def _effective_database(registry: manifests.Manifest) -> manifests.Manifest:
    """The database as the operator understands it: a generated one is filled in."""
    section, name = custom_resource.live_database(registry), registry["metadata"]["name"]
    if not section.get("generateDeployment"):
        return section
    made = custom_resource.GeneratedDatabase(name)
    return {
        "host": made.host,
        "port": made.port,
        "database": made.name,
        "username": made.username,
        "passwordSecret": custom_resource.reference(made.password_secret),
    }


def _connection_string(database: manifests.Manifest, section: str) -> str:
    """The connection string up to its end, or where parameters begin."""
    password = f":$({section.upper()}_PASSWORD)" if database.get("passwordSecret") else ""
    login, host, port, name = database.get("username"), database.get("host") or database.get("hostAddress"), database.get("port"), database.get("database")
    if section == "mysql":
        return f"-dsn={login}{password}@tcp({host}:{port})/{name}?"
    mode = f"?sslmode={database['sslMode']}" if database.get("sslMode") else ""
    return f"-dsn=postgresql://{login}{password}@{host}:{port}/{name}{mode} "


def _connection_parts(database: manifests.Manifest, section: str) -> list[str]:
    """The arguments of the metadata server that operators before v0.2.20 run: one for each part of the connection."""
    names = {"host": "host", "port": "port", "database": "database" if section == "mysql" else "dbname", "username": "user", "sslMode": "sslmode"}
    prefix = "mysql" if section == "mysql" else "postgres"
    return [f"--{prefix}_config_{part}={database[key]} " for key, part in names.items() if database.get(key) is not None]


def _reads(pod: manifests.Manifest, volume: str, files: list[str], config_map: manifests.Manifest | None, secret: manifests.Manifest | None) -> bool:
    """Whether a pod mounts the one object that is wanted and its server is told that key of it; or neither, when none is."""
    mounted: manifests.Manifest = next((entry for entry in pod.get("volumes") or [] if entry["name"] == volume), {})
    keys = [file.rpartition("/")[2] for file in files]
    if config_map:
        return keys == [config_map["key"]] and bool(manifests.at(mounted, ("configMap", "name")) == config_map["name"])
    if secret:
        return keys == [secret["key"]] and bool(manifests.at(mounted, ("secret", "secretName")) == secret["name"])
    return not keys


def _rolled_out(deployment: manifests.Manifest) -> bool:
    status, replicas = deployment["status"], deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"].get("generation")
        and status.get("updatedReplicas") == replicas == status.get("replicas")
        and not status.get("unavailableReplicas")
    )


def _not_deployed(registry: manifests.Manifest) -> Verdict:
    failed = manifests.condition(registry, "Available")
    if failed and "unexpected reconcile error" in failed["message"]:
        return Verdict(False, "the operator cannot create the objects of the registry", failed["message"], "Fix the error, and run again")
    if not manifests.at(registry, ("status", "conditions")):
        return Verdict(False, "the operator has not processed the registry", remedy="Check that the model registry operator is running")
    return Verdict(False, "the registry server is being deployed")


def _unavailable(registry: manifests.Manifest, available: manifests.Manifest | None) -> Verdict:
    for kind in ("KubeRBACProxyAvailable", "OAuthProxyAvailable"):
        proxy = manifests.condition(registry, kind)
        if proxy and proxy["status"] == "False" and "Route" in proxy["message"]:
            return Verdict(
                False,
                "the Route of the registry is not admitted by the ingress controller",
                proxy["message"],
                "Check the ingress controller and the host of the Route",
            )
    if available is None:
        return Verdict(False, "the operator has not reported the status of the registry", remedy="Check that the model registry operator is running")
    return Verdict(False, "the operator does not report the registry as available yet", available["message"])


def needs_explanation(seen: Observation) -> bool:
    """Whether the log and the events of its newest pod can tell why a registry is not available: there is such a pod, and it is not ready."""
    newest = server_pods.newest_pod(seen.pods)
    return newest is not None and not server_pods.is_ready(newest)


def _pod_verdict(seen: Observation) -> Verdict:
    pod = server_pods.newest_pod(seen.pods)
    deployment = seen.deployment or {}
    # The newest pod may be one of the template before, which fails for what an edit has fixed since.
    is_of_template = manifests.at(deployment, ("status", "observedGeneration")) == manifests.at(deployment, ("metadata", "generation")) and bool(
        manifests.at(deployment, ("status", "updatedReplicas"))
    )
    if pod is None or not is_of_template:
        failure = manifests.condition(deployment, "ReplicaFailure")
        if failure:
            return Verdict(
                False, "the pod of the registry cannot be created", failure.get("message", ""), "Check the quota and the admission policies of the namespace"
            )
        return Verdict(False, "the pod of the registry has not been created yet")
    verdict = _unscheduled(pod, "the pod of the registry")
    for status in manifests.at(pod, ("status", "containerStatuses")) or []:
        verdict = verdict or _waiting_verdict(seen, pod, status)
    database = server_pods.newest_pod(seen.database_pods)
    if verdict is None and database is not None:
        verdict = _unscheduled(database, "the pod of the generated database")
    return verdict or _log_verdict(seen, pod) or Verdict(False, "the registry server is starting")


def _unscheduled(pod: manifests.Manifest, what: str) -> Verdict | None:
    scheduled = manifests.condition(pod, "PodScheduled")
    if scheduled is None or scheduled["status"] != "False":
        return None
    return Verdict(False, f"{what} cannot be scheduled", scheduled.get("message", ""), "Check the capacity and the storage of the cluster")


def _waiting_verdict(seen: Observation, pod: manifests.Manifest, status: manifests.Manifest) -> Verdict | None:
    waiting: dict[str, Any] = manifests.at(status, ("state", "waiting")) or {}
    reason, message = waiting.get("reason"), waiting.get("message", "")
    if reason == "CreateContainerConfigError":
        return Verdict(False, "the pod refers to a Secret or ConfigMap that does not exist or does not have the key", message, "Create it")
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):
        return Verdict(False, f"the image of container {status['name']} cannot be pulled", message, "Check the image and the pull secrets")
    if reason == "ContainerCreating":
        mounts = [event for event in seen.events if "MountVolume" in event]
        if mounts:
            serving = f"{pod['metadata']['labels'].get('app', '')}-kube-rbac-proxy"
            if serving in mounts[-1]:
                return Verdict(
                    False,
                    f"Secret {serving!r} with the TLS certificate of the Service does not exist",
                    mounts[-1],
                    "OpenShift creates it automatically; on Kubernetes, create it yourself",
                )
            return Verdict(False, "the pod mounts a Secret or ConfigMap that does not exist", mounts[-1], "Create it")
    return None


def needs_previous_log(seen: Observation) -> bool:
    """Whether the log of the start before can tell more: the present one names no reason, or only what follows from an earlier one."""
    pod = server_pods.newest_pod(seen.pods)
    if pod is None or seen.registry is None or not server_pods.restarts(pod):
        return False
    found = symptoms.newest(symptoms.lines_of(seen.log), symptoms.connection_of(seen.registry))
    return found is None or found[0].follows


def _log_verdict(seen: Observation, pod: manifests.Manifest) -> Verdict | None:
    """What the server's log tells; final when it was seen twice, the last time in a start that is newer than the wait."""
    connection = symptoms.connection_of(seen.registry or {})
    [(uid, start)] = server_pods.starts([pod]).items()
    lines, previous = symptoms.lines_of(seen.log), symptoms.lines_of(seen.previous_log)
    found = symptoms.newest(lines, connection)
    if found is None:
        lines, start, found = previous, start - 1, symptoms.newest(previous, connection)
    if found is None:
        return None
    symptom, line = found
    is_repeated = start > 1 or sum(map(symptom.shows_in, lines)) > 1
    final = symptom.final and is_repeated and start > seen.baseline.get(uid, 0)
    if symptom.follows:
        cause = symptoms.newest([other for other in previous if symptoms.stops_migration(other)], connection)
        if cause:
            symptom, line = cause[0], f"{cause[1]}; {line}"
    if symptoms.stops_migration(line):
        return Verdict(False, f"{symptoms.DIRTY}: {symptom.reason}", line, f"{symptom.remedy}. {symptoms.REPAIR}", final)
    return Verdict(False, symptom.reason, line, symptom.remedy, final)
