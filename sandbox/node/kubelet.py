"""The node: registered and kept alive, with a `Pod` for every pod that is scheduled to it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from sandbox.kube import Api, ApiError, Queue, path
from sandbox.layout import Layout
from sandbox.node import expansion
from sandbox.node.pod import Launch, Pod, Surroundings
from sandbox.node.programs import Program
from sandbox.node.status import timestamp

log = logging.getLogger(__name__)
Object = dict[str, Any]

NODE_NAME = "sandbox"
KUBELET_PORT = 10250
LEASE_SECONDS = 40
HEARTBEAT = 10
# Changes of a pod within this time are reported together.
REPORT_PAUSE = 0.03
_CAPACITY = {"cpu": "1000", "memory": "4000Gi", "ephemeral-storage": "4000Gi", "pods": "5000"}


class Node:
    """Everything that runs on the sandbox's one node."""

    def __init__(self, api: Api, layout: Layout, program: Callable[[Launch], Awaitable[Program]], gone: Callable[[str], None], delay: Callable[[], float]):
        self._api, self._gone = api, gone
        self._host_ip = layout.address("node")
        self.pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._reported: dict[str, Object] = {}
        self._reports = Queue(self._report, workers=12)
        self._free_numbers: list[int] = []
        self._next_number = 0
        self._events: dict[tuple[str, str, str], tuple[str, int]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._surroundings = Surroundings(self._read, program, self._changed, self.event, delay)

    def find(self, namespace: str, name: str) -> Pod | None:
        """The pod of this name."""
        return next((pod for pod in self.pods.values() if pod.name == name and pod.namespace == namespace), None)

    async def register(self) -> None:
        """Make the Node object, or take over the one of an earlier process, and say that it is alive."""
        await self._renew()
        with contextlib.suppress(ApiError):
            await self._api.create(path("v1", "nodes"), {"apiVersion": "v1", "kind": "Node", **self._description(), "status": self._node_status()})
        await self._api.merge(path("v1", "nodes", None, NODE_NAME), self._description())
        await self._api.merge(path("v1", "nodes", None, NODE_NAME, "status"), {"status": self._node_status()})

    async def keep_alive(self) -> None:
        """Renew the lease for ever, and come back after nobody heard of this node, as when the machine was asleep or busy."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                await self._renew()
                node = await self._api.get(path("v1", "nodes", None, NODE_NAME))
                if not any(condition["type"] == "Ready" and condition["status"] == "True" for condition in node.get("status", {}).get("conditions") or []):
                    await self._api.merge(path("v1", "nodes", None, NODE_NAME, "status"), {"status": self._node_status()})
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                log.info("lease: %s", error)

    async def run(self) -> None:
        """Look after pods for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._reports.run())
                group.create_task(self._watch())
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _description(self) -> Object:
        return {
            "metadata": {
                "name": NODE_NAME,
                "labels": {
                    "kubernetes.io/hostname": NODE_NAME,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "node-role.kubernetes.io/worker": "",
                },
            }
        }

    def _node_status(self) -> Object:
        now = timestamp()
        pressures = [
            (kind, "False", f"KubeletHas{what}")
            for kind, what in (("MemoryPressure", "SufficientMemory"), ("DiskPressure", "NoDiskPressure"), ("PIDPressure", "SufficientPID"))
        ]
        return {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            # The API server would rather follow a host name, which it could not resolve.
            "addresses": [{"type": "InternalIP", "address": self._host_ip}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
            "nodeInfo": {
                "machineID": "sandbox",
                "systemUUID": "sandbox",
                "bootID": "sandbox",
                "kernelVersion": "sandbox",
                "osImage": "sandbox",
                "containerRuntimeVersion": "sandbox://1",
                "kubeletVersion": "v1.36.3",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
            "conditions": [
                {"type": kind, "status": status, "reason": reason, "lastHeartbeatTime": now, "lastTransitionTime": now}
                for kind, status, reason in [*pressures, ("Ready", "True", "KubeletReady")]
            ],
        }

    async def _renew(self) -> None:
        now = time.time()
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1e6):06d}Z"
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NODE_NAME, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": NODE_NAME, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": moment},
        }
        await self._api.apply(path("coordination.k8s.io/v1", "leases", "kube-node-lease", NODE_NAME), body)

    async def _watch(self) -> None:
        async for kind, item in self._api.watch(path("v1", "pods"), fieldSelector=f"spec.nodeName={NODE_NAME}"):
            uid = item["metadata"]["uid"]
            if kind == "DELETED":
                self._forget(uid)
            elif uid in self.pods:
                self.pods[uid].item = item
                if item["metadata"].get("deletionTimestamp"):
                    self._stop(uid)
            elif item.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                self.pods[uid] = Pod(item, self._take_number(), self._host_ip, self._surroundings)
                if item["metadata"].get("deletionTimestamp"):
                    self._stop(uid)
                else:
                    self._tasks[uid] = asyncio.create_task(self._live(uid))

    async def _live(self, uid: str) -> None:
        try:
            await self.pods[uid].run()
        except Exception:
            log.exception("pod %s", self.pods[uid].name)

    def _stop(self, uid: str) -> None:
        if task := self._tasks.get(uid):
            task.cancel()
        self._reports.add(uid)

    def _forget(self, uid: str) -> None:
        self._stop(uid)
        self._tasks.pop(uid, None)
        self._reported.pop(uid, None)
        for key in [key for key in self._events if key[0] == uid]:
            del self._events[key]
        if pod := self.pods.pop(uid, None):
            heapq.heappush(self._free_numbers, pod.number)
        self._gone(uid)

    def _take_number(self) -> int:
        if self._free_numbers:
            return heapq.heappop(self._free_numbers)
        self._next_number += 1
        return self._next_number

    def _changed(self, uid: str) -> None:
        self._reports.add(uid, after=REPORT_PAUSE)

    async def _report(self, uid: str) -> float | None:
        """Send a pod's status; remove it from the API once its containers have ended, if it is being deleted."""
        pod = self.pods.get(uid)
        if not pod:
            return None
        where = path("v1", "pods", pod.namespace, pod.name)
        going = bool(pod.item["metadata"].get("deletionTimestamp"))
        if going and (task := self._tasks.get(uid)):
            await asyncio.gather(task, return_exceptions=True)
        status = pod.status()
        try:
            if status != self._reported.get(uid):
                self._reported[uid] = status
                await self._api.merge(where + "/status", {"metadata": {"uid": uid}, "status": status})
            if going:
                await self._api.delete(where, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
        except ApiError as error:
            if error.status not in (404, 409):
                self._reported.pop(uid, None)
                raise
        except BaseException:
            self._reported.pop(uid, None)
            raise
        return None

    async def _read(self, kind: str, namespace: str, name: str) -> Mapping[str, bytes] | None:
        plural = "secrets" if kind == "secret" else "configmaps"
        item = await self._api.find(path("v1", plural, namespace, name))
        return None if item is None else expansion.decoded(kind, item)

    def event(self, item: Object, kind: str, reason: str, message: str) -> None:
        """Tell the API about something that happened to a pod; the same again counts up."""
        task = asyncio.create_task(self._send_event(item, kind, reason, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_event(self, item: Object, kind: str, reason: str, message: str) -> None:
        meta, now = item["metadata"], timestamp()
        key = (meta["uid"], reason, message)
        name, count = self._events.get(key, (f"{meta['name']}.{time.time_ns():x}", 0))
        self._events[key] = (name, count + 1)
        events = path("v1", "events", meta["namespace"])
        with contextlib.suppress(ApiError, aiohttp.ClientError, TimeoutError):
            if count:
                await self._api.merge(f"{events}/{name}", {"count": count + 1, "lastTimestamp": now})
                return
            body = {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": meta["namespace"]},
                "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
                "type": kind,
                "reason": reason,
                "message": message,
                "source": {"component": "kubelet", "host": NODE_NAME},
                "reportingComponent": "kubelet",
                "reportingInstance": NODE_NAME,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            }
            await self._api.create(events, body)
