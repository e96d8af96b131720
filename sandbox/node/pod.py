"""The life of one pod: its volumes, its containers with their probes and restarts, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.node import expansion
from sandbox.node.expansion import NotThereYet
from sandbox.node.programs import Program
from sandbox.node.status import Container, pod_status, timestamp
from sandbox.node.timing import BackOff, Probe, Verdict
from sandbox.server.connection import Files

Object = dict[str, Any]

# A missing Secret or ConfigMap is looked for again after this time, a little longer after each time.
FIRST_LOOK, LONGEST_LOOK = 0.5, 3.0
# How soon a success is noticed that a kubelet would notice at its next probe only.
EAGER_PAUSE = 0.1


@dataclass(frozen=True)
class Launch:
    """A container that is about to run: its pod, and what it finds when it starts."""

    pod: Pod
    container: Container
    arguments: list[str]
    environment: Mapping[str, str]
    files: Files
    mounts: Mapping[str, Mapping[str, bytes]]
    # The mounted files as they are later on.
    look: Callable[[], Awaitable[Mapping[str, Mapping[str, bytes]]]]


@dataclass(frozen=True)
class Surroundings:
    """What a pod needs of its node."""

    read: Callable[[str, str, str], Awaitable[Mapping[str, bytes] | None]]
    program: Callable[[Launch], Awaitable[Program]]
    changed: Callable[[str], None]
    event: Callable[[Object, str, str, str], None]
    delay: Callable[[], float]


class Pod:
    """A pod on this node. `run` lasts until it is cancelled."""

    def __init__(self, item: Object, number: int, host_ip: str, surroundings: Surroundings):
        self.item, self.number = item, number
        self._host_ip, self._node = host_ip, surroundings
        self.ip = f"10.{128 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
        before = item.get("status", {})
        statuses = {entry["name"]: entry for entry in before.get("containerStatuses") or []}
        self.started_at = before.get("startTime") or timestamp()
        self.containers = [Container(spec, uuid.uuid4().hex) for spec in item["spec"]["containers"]]
        for container in self.containers:
            if container.name in statuses:
                container.resume(statuses[container.name])
        self.programs: dict[str, Program] = {}
        self._volumes: dict[str, dict[str, bytes]] = {}

    @property
    def uid(self) -> str:
        return str(self.item["metadata"]["uid"])

    @property
    def namespace(self) -> str:
        return str(self.item["metadata"]["namespace"])

    @property
    def name(self) -> str:
        return str(self.item["metadata"]["name"])

    def container(self, name: str) -> Container | None:
        """The container of this name."""
        return next((container for container in self.containers if container.name == name), None)

    def status(self) -> Object:
        """The pod's status as it is now."""
        return pod_status(self.item, self.containers, self._host_ip, self.ip, self.started_at)

    async def run(self) -> None:
        """Live. Cancelling stops the containers."""
        if delay := self._node.delay():
            self._changed()
            await asyncio.sleep(delay)
        await self._patiently(self._mount, "FailedMount", "ContainerCreating")
        async with asyncio.TaskGroup() as group:
            for container in self.containers:
                group.create_task(self._keep_running(container))

    def _changed(self) -> None:
        self._node.changed(self.uid)

    async def _read(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        return await self._node.read(kind, self.namespace, name)

    async def _mount(self) -> None:
        self._volumes = await expansion.volumes(self.item, self._read)

    async def _patiently(self, work: Callable[[], Awaitable[Any]], event: str, reason: str, container: Container | None = None) -> Any:
        """The result of `work`, tried again until nothing is missing."""
        pause, told = FIRST_LOOK, ""
        while True:
            try:
                return await work()
            except NotThereYet as error:
                if str(error) != told:
                    told = str(error)
                    self._node.event(self.item, "Warning", event, f"Error: {told}" if container else told)
                    if container:
                        container.wait(reason, told)
                    self._changed()
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LONGEST_LOOK)

    async def _keep_running(self, container: Container) -> None:
        pauses = BackOff()
        await self._patiently(lambda: _pull(container.spec.get("image", "")), "Failed", "ImagePullBackOff", container)
        while True:
            launch = await self._patiently(lambda: self._launch(container), "Failed", "CreateContainerConfigError", container)
            container.start()
            self._changed()
            began = time.monotonic()
            program = self.programs[container.name] = await self._node.program(launch)
            code = program.stopped_code
            try:
                code = await self._attend(container, program)
            finally:
                container.end(code)
                self.programs.pop(container.name, None)
                self._changed()
            if pause := pauses.after_exit(time.monotonic() - began):
                where = f"{self.name}_{self.namespace}({self.uid})"
                container.wait("CrashLoopBackOff", f"back-off {_duration(pause)} restarting failed container={container.name} pod={where}")
                self._node.event(self.item, "Warning", "BackOff", f"Back-off restarting failed container {container.name} in pod {where}")
                self._changed()
                await asyncio.sleep(pause)

    async def _launch(self, container: Container) -> Launch:
        # Mounted files follow their Secret or ConfigMap; a container that starts sees them as they are.
        if container.log:
            with contextlib.suppress(NotThereYet):
                await self._mount()
        variables = await expansion.environment(container.spec, self.item, self.ip, self._read)
        arguments = [expansion.expand(text, variables) for text in container.spec.get("args") or []]
        mounts = expansion.mounts(container.spec, self._volumes)

        async def look() -> Mapping[str, Mapping[str, bytes]]:
            with contextlib.suppress(NotThereYet):
                await self._mount()
            return expansion.mounts(container.spec, self._volumes)

        return Launch(self, container, arguments, variables, Files(mounts), mounts, look)

    async def _attend(self, container: Container, program: Program) -> int:
        """Run a program under its probes; its exit code, or that of a stop that its probes demanded."""
        running = asyncio.ensure_future(program.run())
        probing = asyncio.ensure_future(self._probe(container, program))
        try:
            await asyncio.wait((running, probing), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return running.result()
            probing.result()
            return program.stopped_code
        finally:
            for task in (probing, running):
                task.cancel()
            await asyncio.gather(probing, running, return_exceptions=True)

    async def _probe(self, container: Container, program: Program) -> None:
        """Keep `started` and `ready` true to what the probes find; returns when the container has to be killed."""
        if program.always_passes:
            container.started = container.ready = True
            self._changed()
            await asyncio.Event().wait()
        began = time.monotonic()
        startup = Probe.of(container.spec, "startup")
        if startup and not await self._succeeds_early(program, startup):
            await asyncio.sleep(max(0, began + startup.initial_delay - time.monotonic()))
            if not await self._until(container, program, "Startup", startup, wanted=True):
                return
        container.started = True
        readiness, liveness = (Probe.of(container.spec, kind) for kind in ("readiness", "liveness"))
        watch = asyncio.ensure_future(self._watch_readiness(container, program, readiness))
        try:
            if not liveness:
                await watch
            else:
                await asyncio.sleep(max(0, began + liveness.initial_delay - time.monotonic()))
                await self._until(container, program, "Liveness", liveness, wanted=False)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _succeeds_early(self, program: Program, probe: Probe) -> bool:
        """Whether the probe would succeed before its initial delay is over: a test need not wait for that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(probe.initial_delay):
                pause = EAGER_PAUSE
                while not (await program.check(probe.path))[0]:
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, 1)
                return True
        return False

    async def _until(self, container: Container, program: Program, kind: str, probe: Probe, wanted: bool) -> bool:
        """Probe until the verdict is success (if that is `wanted`) or failure, which kills the container."""
        verdict = Verdict(probe)
        while True:
            began = time.monotonic()
            decided = verdict.count(await self._passes(container, program, kind, probe))
            if decided and wanted:
                return True
            if decided is False:
                self._node.event(self.item, "Normal", "Killing", f"Container {container.name} failed {kind.lower()} probe, will be restarted")
                return False
            await asyncio.sleep(max(0, began + probe.period - time.monotonic()))

    async def _watch_readiness(self, container: Container, program: Program, probe: Probe | None) -> None:
        if not probe or await self._succeeds_early(program, probe):
            container.ready = True
        self._changed()
        if not probe:
            await asyncio.Event().wait()
            return
        verdict = Verdict(probe)
        while True:
            await asyncio.sleep(probe.period)
            decided = verdict.count(await self._passes(container, program, "Readiness", probe))
            if decided is not None and decided != container.ready:
                container.ready = decided
                self._changed()

    async def _passes(self, container: Container, program: Program, kind: str, probe: Probe) -> bool:
        try:
            async with asyncio.timeout(probe.timeout):
                passed, why = await program.check(probe.path)
        except TimeoutError:
            url = f"http://{self.ip}:{_port(container, probe)}{probe.path}"
            passed, why = False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        if not passed:
            self._node.event(self.item, "Warning", "Unhealthy", f"{kind} probe failed: {why}")
        return passed


def _port(container: Container, probe: Probe) -> str:
    """The number of a probe's port, which may be given by name."""
    return next((str(port["containerPort"]) for port in container.spec.get("ports") or [] if port.get("name") == probe.port), probe.port)


def _duration(seconds: float) -> str:
    """As Go writes it: 10s, 1m20s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


async def _pull(image: str) -> None:
    """No image is needed here, but one of a host that can never exist cannot be pulled anywhere."""
    host = image.partition("/")[0].partition(":")[0]
    if host.endswith(".invalid"):
        raise NotThereYet(f'failed to pull and unpack image "{image}": dial tcp: lookup {host}: no such host')
