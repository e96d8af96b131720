"""Pod status as a kubelet reports it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from sandbox.node.logs import ContainerLog

Object = dict[str, Any]


def timestamp(moment: datetime.datetime | None = None) -> str:
    """A time as the API writes it."""
    return f"{moment or datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Container:
    """One container of a pod: its specification and what became of it so far."""

    spec: Object
    identifier: str
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: Object = field(default_factory=dict)
    restarts: int = 0
    started: bool = False
    ready: bool = False
    log: ContainerLog | None = None
    previous_log: ContainerLog | None = None

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def run_id(self) -> str:
        """What the runtime calls this run of the container."""
        return f"sandbox://{self.identifier}-{self.restarts}"

    def wait(self, reason: str, message: str = "") -> None:
        """It is not running, for this reason."""
        self.state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}

    def start(self) -> None:
        """A new run begins."""
        if self.log:
            self.previous_log = self.log
            self.restarts += 1
        self.log = ContainerLog()
        self.state = {"running": {"startedAt": timestamp()}}

    def end(self, exit_code: int) -> None:
        """The run is over."""
        began = self.state.get("running", {}).get("startedAt", timestamp())
        reason = "Completed" if exit_code == 0 else "Error"
        ended = {"exitCode": exit_code, "reason": reason, "startedAt": began, "finishedAt": timestamp(), "containerID": self.run_id}
        self.state = {"terminated": ended}
        self.last_state = {"terminated": ended}
        self.started = self.ready = False
        if self.log:
            self.log.end()

    def resume(self, before: Object) -> None:
        """Take over the status of an earlier node process: everything that ran then has ended without a trace, as after a power failure."""
        self.restarts = before.get("restartCount", 0)
        self.last_state = before.get("lastState") or {}
        if running := before.get("state", {}).get("running"):
            self.last_state = {
                "terminated": {
                    "exitCode": 255,
                    "reason": "Unknown",
                    "startedAt": running["startedAt"],
                    "finishedAt": timestamp(),
                    "containerID": before.get("containerID", ""),
                }
            }
            self.restarts += 1

    def status(self) -> Object:
        """Its entry in the pod's status."""
        image = self.spec.get("image", "")
        entry = {
            "name": self.name,
            "image": image,
            "imageID": image if self.log else "",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": {} if self.last_state.get("terminated") is self.state.get("terminated") else self.last_state,
        }
        return entry | ({"containerID": self.run_id} if self.log else {})


def pod_status(pod: Object, containers: list[Container], host_ip: str, pod_ip: str, started_at: str) -> Object:
    """The whole status of a pod whose containers are restarted for ever; conditions of others are kept."""
    created, reachable = (test(container.log for container in containers) for test in (all, any))
    unready = [container.name for container in containers if not container.ready]
    before = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions") or []}
    why = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(unready)}]"} if unready else {}
    facts: dict[str, tuple[bool, Object]] = {
        "PodReadyToStartContainers": (reachable, {}),
        "Initialized": (True, {}),
        "Ready": (not unready, why),
        "ContainersReady": (not unready, why),
    }
    conditions = [condition for kind, condition in before.items() if kind not in facts]
    for kind, (value, reason) in facts.items():
        text = "True" if value else "False"
        same = before.get(kind, {}).get("status") == text
        since = before[kind].get("lastTransitionTime") if same else timestamp()
        conditions.append({"type": kind, "status": text, "lastProbeTime": None, "lastTransitionTime": since, **reason})
    status: Object = {
        "phase": "Running" if created else "Pending",
        "conditions": conditions,
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": started_at,
        "containerStatuses": [container.status() for container in containers],
        "observedGeneration": pod["metadata"].get("generation", 0),
    }
    if reachable:
        status |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    return status
