"""The node's rules that need no cluster: variables, volumes, logs, probes, restarts, status."""

from __future__ import annotations

import asyncio
import base64
import datetime
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox import databases
from sandbox.layout import Layout
from sandbox.node import expansion
from sandbox.node.expansion import NotThereYet, expand
from sandbox.node.logs import ContainerLog, Selection
from sandbox.node.pod import Launch
from sandbox.node.postgres import Postgres
from sandbox.node.real import listening_at
from sandbox.node.status import Container, pod_status
from sandbox.node.timing import BackOff, Probe, Verdict
from sandbox.node.volumes import PROVISIONER, needs_volume, volume_for

OBJECTS: dict[tuple[str, str], dict[str, bytes]] = {
    ("secret", "login"): {"password": b"$(HOME)", "user": b"me"},
    ("configmap", "ca"): {"ca.crt": b"pem", "other": b"x"},
}


async def read(kind: str, name: str) -> Mapping[str, bytes] | None:
    return OBJECTS.get((kind, name))


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "a"}}, "spec": {"containers": [], **spec}}


def environment(*variables: dict[str, Any], **container: Any) -> dict[str, str]:
    return asyncio.run(expansion.environment({"env": list(variables), **container}, pod(), "10.0.0.1", read))


def from_secret(name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a$(A)b$(A)", "a1b1"),
        ("$(NOBODY)", "$(NOBODY)"),
        ("$$(A)", "$(A)"),
        ("$A $", "$A $"),
        ("$(B)", "$(A)"),
    ],
)
def test_references_to_variables(text: str, result: str) -> None:
    assert expand(text, {"A": "1", "B": "$(A)"}) == result


def test_environment_from_everywhere() -> None:
    found = environment(
        from_secret("login", "password"),
        {"name": "PLAIN", "value": "$(V)/$(NAME)"},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        envFrom=[{"prefix": "P_", "secretRef": {"name": "login"}}],
    )
    assert found == {"P_password": "$(HOME)", "P_user": "me", "V": "$(HOME)", "PLAIN": "$(HOME)/$(NAME)", "NAME": "a", "IP": "10.0.0.1"}


def test_missing_secret_or_key() -> None:
    with pytest.raises(NotThereYet, match=r'^secret "none" not found$'):
        environment(from_secret("none", "password"))
    with pytest.raises(NotThereYet, match=r"^couldn't find key none in Secret ns/login$"):
        environment(from_secret("login", "none"))
    assert environment(from_secret("login", "none", optional=True), from_secret("none", "k", optional=True)) == {}


def volumes(*items: dict[str, Any]) -> dict[str, dict[str, bytes]]:
    return asyncio.run(expansion.volumes(pod(volumes=list(items)), read))


def test_volumes_and_mounts() -> None:
    found = volumes(
        {"name": "all", "configMap": {"name": "ca"}},
        {"name": "one", "secret": {"secretName": "login", "items": [{"key": "user", "path": "deep/user"}]}},
        {"name": "scratch", "emptyDir": {}},
    )
    assert found == {"all": OBJECTS["configmap", "ca"], "one": {"deep/user": b"me"}}
    mounts = [{"name": "all", "mountPath": "/a"}, {"name": "all", "mountPath": "/b/ca.crt", "subPath": "ca.crt"}, {"name": "scratch", "mountPath": "/s"}]
    assert expansion.mounts({"volumeMounts": mounts}, found) == {"/a": OBJECTS["configmap", "ca"], "/b/ca.crt": {"ca.crt": b"pem"}}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        ({"secret": {"secretName": "login", "items": [{"key": "none", "path": "x"}]}}, "references non-existent secret key: none"),
        ({"configMap": {"name": "ca", "items": [{"key": "none", "path": "x"}]}}, "configmap references non-existent config key: none"),
    ],
)
def test_volume_that_cannot_be_mounted(volume: dict[str, Any], message: str) -> None:
    with pytest.raises(NotThereYet) as error:
        volumes({"name": "v", **volume})
    assert str(error.value) == f'MountVolume.SetUp failed for volume "v" : {message}'


def test_content_of_objects() -> None:
    assert expansion.decoded("secret", {"data": {"a": base64.b64encode(b"\xff").decode()}}) == {"a": b"\xff"}
    assert expansion.decoded("configmap", {"data": {"a": "x"}, "binaryData": {"b": base64.b64encode(b"y").decode()}}) == {"a": b"x", "b": b"y"}


def test_pauses_between_restarts() -> None:
    pauses = BackOff()
    assert [pauses.after_exit(1) for _time in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]
    assert pauses.after_exit(601) == 0
    assert pauses.after_exit(1) == 10


def test_probe_settings_and_their_defaults() -> None:
    spec = {
        "httpGet": {"path": "/readyz/isDirty", "port": "http-api"},
        "initialDelaySeconds": 10,
        "periodSeconds": 5,
        "timeoutSeconds": 6,
        "failureThreshold": 7,
    }
    assert Probe.of({"startupProbe": spec}, "startup") == Probe("/readyz/isDirty", "http-api", 10, 5, 6, 7, 1)
    assert Probe.of({"livenessProbe": {"exec": {}}}, "liveness") == Probe("", "", 0, 10, 1, 3, 1)
    assert Probe.of({}, "startup") is None


def test_probe_needs_as_many_failures_in_a_row_as_it_says() -> None:
    verdict = Verdict(Probe(failures=3))
    assert [verdict.count(result) for result in (False, False, True, False, False, False)] == [None, None, True, None, None, False]


NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ENTRIES = [(NOW - datetime.timedelta(seconds=age), text) for age, text in ((60, "one"), (30, "two"), (10, "three"))]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, "one\ntwo\nthree\n"),
        ({"tailLines": "2"}, "two\nthree\n"),
        ({"tailLines": "0"}, ""),
        ({"sinceSeconds": "30"}, "two\nthree\n"),
        ({"sinceTime": "2025-12-31T23:59:45Z"}, "three\n"),
        ({"limitBytes": "5"}, "one\nt"),
        ({"tailLines": "1", "timestamps": "true"}, "2025-12-31T23:59:50.000000000Z three\n"),
    ],
)
def test_parts_of_a_log(query: dict[str, str], shown: str) -> None:
    assert Selection.of(query, NOW).of_entries(ENTRIES).decode() == shown


def test_log_is_followed_to_its_end() -> None:
    async def story() -> str:
        log = ContainerLog()
        log.write("one\ntwo")

        async def read_all() -> str:
            return b"".join([chunk async for chunk in log.follow(Selection(tail=1))]).decode()

        reading = asyncio.create_task(read_all())
        await asyncio.sleep(0)
        log.write("three")
        await asyncio.sleep(0)
        log.end()
        return await reading

    assert asyncio.run(story()) == "two\nthree\n"


def test_status_of_a_container_that_crashed() -> None:
    container = Container({"name": "c", "image": "i"}, "id")
    assert container.status()["state"] == {"waiting": {"reason": "ContainerCreating"}}
    container.start()
    assert "running" in container.status()["state"]
    container.end(1)
    container.wait("CrashLoopBackOff", "why")
    status = container.status()
    assert status["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "why"}}
    assert (status["lastState"]["terminated"]["exitCode"], status["lastState"]["terminated"]["reason"]) == (1, "Error")
    container.start()
    assert container.status()["restartCount"] == 1
    assert container.previous_log


def test_container_that_ran_when_the_node_stopped_has_been_restarted() -> None:
    before = {"restartCount": 2, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "containerID": "x"}
    container = Container({"name": "c"}, "id")
    container.resume(before)
    container.start()
    status = container.status()
    assert status["restartCount"] == 3
    assert status["lastState"]["terminated"]["exitCode"] == 255


def test_pod_is_ready_when_all_its_containers_are() -> None:
    first, second = Container({"name": "a"}, "1"), Container({"name": "b"}, "2")
    kept = {"type": "PodScheduled", "status": "True"}
    item = pod() | {"status": {"conditions": [kept]}}
    status = pod_status(item, [first, second], "127.0.0.1", "10.1.1.1", "then")
    assert status["phase"] == "Pending"
    assert "podIP" not in status
    for container in (first, second):
        container.start()
    first.ready = True
    status = pod_status(item, [first, second], "127.0.0.1", "10.1.1.1", "then")
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    assert (status["phase"], status["podIP"]) == ("Running", "10.1.1.1")
    assert conditions["PodScheduled"] == kept
    assert (conditions["Ready"]["status"], conditions["Ready"]["message"]) == ("False", "containers with unready status: [b]")
    second.ready = True
    status = pod_status(item, [first, second], "127.0.0.1", "10.1.1.1", "then")
    assert next(condition for condition in status["conditions"] if condition["type"] == "Ready")["status"] == "True"


def test_real_server_listens_on_the_address_of_its_pod() -> None:
    assert listening_at("127.9.16.1", ["--hostname=0.0.0.0", "--port=8081", "--x=y"]) == (["--hostname=127.9.16.1", "--port=8081", "--x=y"], 8081)


@pytest.mark.parametrize(
    ("metadata", "spec", "needed"),
    [
        ({"annotations": {"volume.kubernetes.io/storage-provisioner": PROVISIONER}}, {}, True),
        # Kubernetes has not looked yet for a volume that there is, or asks another provisioner.
        ({}, {}, False),
        ({"annotations": {"volume.kubernetes.io/storage-provisioner": "another"}}, {}, False),
        ({"annotations": {"volume.kubernetes.io/storage-provisioner": PROVISIONER}, "deletionTimestamp": "now"}, {}, False),
        ({"annotations": {"volume.kubernetes.io/storage-provisioner": PROVISIONER}}, {"volumeName": "v"}, False),
    ],
)
def test_a_claim_gets_a_volume_when_kubernetes_asks_for_one(metadata: dict[str, Any], spec: dict[str, Any], needed: bool) -> None:
    assert needs_volume({"metadata": metadata, "spec": {"storageClassName": "standard", **spec}}) is needed


def test_volume_satisfies_its_claim() -> None:
    claim = {
        "metadata": {"name": "c", "namespace": "ns", "uid": "u"},
        "spec": {"resources": {"requests": {"storage": "5Gi"}}, "accessModes": ["ReadWriteOnce"], "storageClassName": "standard"},
    }
    volume = volume_for(claim, "/data/u")
    assert volume["spec"]["capacity"] == {"storage": "5Gi"}
    assert volume["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert volume["spec"]["claimRef"] == {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "ns", "name": "c", "uid": "u"}


def test_a_database_that_is_stopped_before_it_serves_sets_no_password_at_its_address_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(databases, "installed_home", lambda _layout: tmp_path)
    monkeypatch.setattr(databases, "copy_new_postgresql", lambda *_arguments: None)
    monkeypatch.setattr(databases, "write_access_rules", lambda *_arguments: None)
    # A program that never listens, so that nobody answers at the address.
    monkeypatch.setattr(databases, "postgresql_arguments", lambda *_arguments: ["sh", "-c", f"touch {tmp_path}/started; exec sleep 60"])
    monkeypatch.setattr(databases, "server_environment", lambda _layout: {"PATH": os.defpath})
    monkeypatch.setattr(databases, "unprivileged", lambda _user: {})
    variables = {"POSTGRESQL_USER": "u", "POSTGRESQL_PASSWORD": "p", "POSTGRESQL_DATABASE": "d"}
    launch = SimpleNamespace(environment=variables, pod=SimpleNamespace(number=9, uid="u"))

    async def still_running_after_it() -> set[str]:
        with ThreadPoolExecutor() as threads:
            database = Postgres(Layout(str(tmp_path), network=99), cast(Launch, launch), "claim", print, threads, lambda _serves: None)
            run = asyncio.create_task(database.run())
            async with asyncio.timeout(60):
                while not (tmp_path / "started").exists():
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            run.cancel()
            await asyncio.wait([run])
            await asyncio.sleep(0)
            return {str(task.get_coro()) for task in asyncio.all_tasks()}

    assert not [coroutine for coroutine in asyncio.run(still_running_after_it()) if "Postgres._prepare" in coroutine]
