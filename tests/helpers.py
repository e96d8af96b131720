"""What tests of a whole sandbox need: its API server, the module run as the account of rbac/converge.yml, requests through the router."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import controlplane, lifecycle
from sandbox.kube import Api, path
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout

AUTOMATION = "automation"
SECONDS = 120


def until(what: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """The first true value of `what`."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Run:
    """What a run of the module returned, and all that it printed."""

    result: dict[str, Any]
    output: str
    failed: bool

    @property
    def changes(self) -> list[tuple[str, str]]:
        """(action, kind) of every change, in order."""
        return [(change["action"], change["kind"]) for change in self.result["changes"]]


class Cluster:
    """Requests to the sandbox's API server from tests that are not asynchronous."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def call(self, what: Callable[[Api], Any]) -> Any:
        """Run one coroutine of a client of its own."""

        async def with_client() -> Any:
            async with Api(self.layout, "tests") as api:
                return await what(api)

        return asyncio.run(with_client())

    def get(self, api_version: str, plural: str, name: str, namespace: str | None = REGISTRIES_NAMESPACE) -> Any:
        return self.call(lambda api: api.find(path(api_version, plural, namespace, name)))

    def items(self, api_version: str, plural: str, namespace: str | None = REGISTRIES_NAMESPACE, **query: str) -> list[Any]:
        items: list[Any] = self.call(lambda api: api.get(path(api_version, plural, namespace), **query))["items"]
        return items

    def create(self, api_version: str, plural: str, manifest: dict[str, Any], namespace: str | None = REGISTRIES_NAMESPACE) -> Any:
        return self.call(lambda api: api.create(path(api_version, plural, namespace), manifest))

    def merge(self, api_version: str, plural: str, name: str, body: dict[str, Any], namespace: str | None = REGISTRIES_NAMESPACE) -> Any:
        return self.call(lambda api: api.merge(path(api_version, plural, namespace, name), body))

    def delete(self, api_version: str, plural: str, name: str, namespace: str | None = REGISTRIES_NAMESPACE) -> None:
        self.call(lambda api: api.delete(path(api_version, plural, namespace, name)))

    def registry(self, name: str) -> Any:
        return self.get("modelregistry.opendatahub.io/v1beta1", "modelregistries", name)

    def token(self, namespace: str, account: str) -> str:
        """A real token of a service account."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
        answer = self.call(lambda api: api.create(path("v1", "serviceaccounts", namespace, account, "token"), body))
        return str(answer["status"]["token"])


def automation_token(cluster: Cluster) -> str:
    """A token of a service account that has the rights of rbac/converge.yml and no others."""
    role, cluster_role = yaml.safe_load((ROOT / "rbac" / "converge.yml").read_text())["items"]
    role["metadata"]["namespace"] = REGISTRIES_NAMESPACE
    account = {"kind": "ServiceAccount", "name": "ansible", "namespace": AUTOMATION}
    group = "rbac.authorization.k8s.io"
    manifests = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": AUTOMATION}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ansible", "namespace": AUTOMATION}},
        role,
        cluster_role,
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "converge", "namespace": REGISTRIES_NAMESPACE},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": role["metadata"]["name"]},
            "subjects": [account],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "automation-find"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": cluster_role["metadata"]["name"]},
            "subjects": [account],
        },
    ]
    cluster.call(lambda api: api.apply_all(manifests))
    return cluster.token(AUTOMATION, "ansible")


@dataclass(frozen=True)
class Runner:
    """Runs `model_registry` in a playbook, as the automation's account, through the proxy that records requests and makes faults."""

    layout: Layout
    token: str
    folder: Path

    def __call__(self, check: bool = False, diff: bool = False, verbosity: int = 0, **options: Any) -> Run:
        kubeconfig = self.folder / f"{uuid.uuid4().hex}.kubeconfig"
        kubeconfig.write_text(json.dumps(controlplane.kubeconfig(self.layout, {"token": self.token}, self.layout.faulty_api_url)))
        task = {"name": "Run the module", "modelops.openshift_ai.model_registry": {"kubeconfig": str(kubeconfig), **options}}
        playbook = self.folder / f"{kubeconfig.stem}.json"
        playbook.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]))
        command = ["ansible-playbook", str(playbook)]
        command += ["--check"] * check + ["--diff"] * diff + ["-" + "v" * verbosity] * bool(verbosity)
        environment = os.environ | lifecycle.shell_variables(self.layout) | {"ANSIBLE_STDOUT_CALLBACK": "minimal", "ANSIBLE_LOCALHOST_WARNING": "false"}
        done = subprocess.run(command, cwd=self.folder, env=environment, text=True, capture_output=True, check=False, timeout=SECONDS * 3)
        before, _arrow, after = done.stdout.partition("=> ")
        start = after.find("{")
        assert start >= 0, done.stdout + done.stderr
        result, _end = json.JSONDecoder().raw_decode(after[start:])
        return Run(result, done.stdout + done.stderr, "FAILED" in before)
