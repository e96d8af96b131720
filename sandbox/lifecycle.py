"""The life of a sandbox: start it, upgrade its product in place, stop it, tell how it is."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from sandbox import certificates, controlplane, crds, databases, people, processes, toolchain
from sandbox.kube import Api
from sandbox.layout import OPERATOR_NAMESPACE, REGISTRIES_NAMESPACE, ROOT, Layout
from sandbox.operator import real as real_operator
from sandbox.operator.configurations import webhook_configurations
from sandbox.platform import seed
from sandbox.processes import Command

STATE = ROOT / ".sandbox"
# What a stop leaves: the lock that is being held, the logs, and the link by which Ansible finds this checkout.
KEPT = ("lock", "logs", "collections")
PARTS = ("operator", "node", "platform")
START_SECONDS = 120


def up(product: str, platform: str) -> Layout:
    """Start a sandbox, or find that the one of this checkout runs; what a killed one left behind is removed first."""
    started = time.monotonic()
    with _alone():
        layout = running()
        if layout:
            if (layout.product, layout.platform) != (product, platform):
                raise processes.ProcessError(
                    f"a sandbox of product {layout.product} on {layout.platform} is running: "
                    f"`make sandbox-stop` first, or `make sandbox-upgrade PRODUCT={product}` to upgrade it with what is in it"
                )
            toolchain.say("the sandbox is running")
            return layout
        _remove()
        shutil.rmtree(STATE / "logs", ignore_errors=True)
        layout = Layout.create(product, platform, toolchain.mysql())
        try:
            _start_all(layout)
        except BaseException:
            # The logs stay, for whoever wants to know why.
            processes.stop_all(STATE)
            raise
    toolchain.say(f"the sandbox is ready after {time.monotonic() - started:.0f} s: product {product} on {platform}. Enter it with `. .sandbox/env`")
    return layout


def _start_all(layout: Layout) -> None:
    programs, postgres = toolchain.control_plane(), toolchain.postgresql()
    certificates.create(layout)
    controlplane.write_kubeconfigs(layout)
    with ThreadPoolExecutor(1) as background:
        data = background.submit(_start_databases, layout, postgres)
        platform_part = _part(layout, "platform")
        core = [controlplane.etcd(layout, programs), controlplane.api_server(layout, programs)]
        processes.start(layout, core[0])
        processes.wait(layout, core[0], seconds=START_SECONDS)
        processes.start(layout, core[1])
        processes.wait(layout, core[1], seconds=START_SECONDS)
        asyncio.run(_seed(layout))
        # After the definitions, so that garbage collection knows them from its first look at the API on.
        rest = [controlplane.controller_manager(layout, programs), controlplane.scheduler(layout, programs), platform_part, _part(layout, "operator")]
        for command in rest:
            processes.start(layout, command)
        data.result()
        node = _part(layout, "node")
        processes.start(layout, node)
        processes.wait(layout, *rest, node, seconds=START_SECONDS)
    asyncio.run(_settled(layout))
    write_environment(layout)


def down() -> None:
    """Stop every process of this checkout's sandbox and remove its files; the logs stay until the next start."""
    with _alone():
        _remove()


def _remove() -> None:
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        layout = Layout.load(STATE)
        # The API server would wait ten seconds for its clients, and for etcd: it goes after the former and before the latter.
        for name in (*PARTS, "kube-scheduler", "kube-controller-manager", "kube-apiserver"):
            processes.stop(layout, name)
    folders = Layout.folders(STATE)
    processes.stop_all(STATE)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for entry in STATE.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let nobody else start or stop the sandbox of this checkout meanwhile. The kernel releases the lock when this process dies."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    with open(STATE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def running() -> Layout | None:
    """The sandbox of this checkout, if every part of it runs; an operator that the platform stopped on purpose counts as well."""
    try:
        layout = Layout.load(STATE)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    parts = (
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "mariadb",
        "postgresql",
        *(["mysql"] if layout.mysql else []),
        "node",
        "platform",
    )
    # The file for shells is written last: without it, the start was killed half way. A checkout that was moved is not the one that was started.
    complete = (STATE / "env").exists() and layout.state == str(STATE)
    return layout if complete and all(processes.running(layout, name) for name in parts) else None


def upgrade(product: str) -> Layout:
    """Install another generation of the product over a running sandbox, as an upgrade of the platform does: definitions first, then the operator."""
    layout = Layout.load(STATE)
    for part in ("platform", "operator"):
        processes.stop(layout, part)
    layout = replace(layout, product=product)
    layout.save()
    asyncio.run(_definitions(layout))
    # The platform starts an operator that does not run.
    for part in ("operator", "platform"):
        start(layout, part)
    asyncio.run(_settled(layout))
    return layout


def start(layout: Layout, name: str) -> None:
    """Start one of the sandbox's own parts and wait until it serves."""
    command = _part(layout, name)
    processes.start(layout, command)
    processes.wait(layout, command, seconds=START_SECONDS)


def serves(layout: Layout, name: str) -> bool:
    """Whether one of the sandbox's own parts runs and serves."""
    return processes.running(layout, name) is not None and _part(layout, name).ready()


def _start_databases(layout: Layout, postgres: Path) -> None:
    databases.prepare(layout, postgres)
    commands = databases.commands(layout, postgres)
    for command in commands:
        processes.start(layout, command)
    processes.wait(layout, *commands, seconds=START_SECONDS)
    databases.provision(layout)


def _part(layout: Layout, name: str) -> Command:
    ready = layout.path("run", f"{name}.ready")
    if not processes.running(layout, name):
        ready.unlink(missing_ok=True)
    if name == "operator" and layout.operator:
        address = real_operator.webhook_address(layout)
        return Command(name, [sys.executable, "-m", "sandbox.operator.real"], lambda: _accepts(*address), {"PYTHONPATH": str(ROOT)})
    return Command(name, [sys.executable, "-m", f"sandbox.{name}"], ready.exists, {"PYTHONPATH": str(ROOT)})


def _accepts(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


async def _definitions(layout: Layout) -> None:
    authority = layout.path("pki", "ca.crt").read_bytes()
    async with Api(layout, "sandbox-seed") as api:
        await api.apply_all(crds.custom_resource_definitions(layout, authority))
        await api.apply_all(webhook_configurations(layout, authority))


async def _seed(layout: Layout) -> None:
    await _definitions(layout)
    async with Api(layout, "sandbox-seed") as api:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE}}
        await api.apply_all([namespace, *databases.services(layout), *seed.manifests(layout), *(people.manifests(layout) if layout.has_openshift else [])])


async def _settled(layout: Layout) -> None:
    """Wait until a registry could be made: its namespace has a service account, and a node is ready for its pod."""
    async with Api(layout, "sandbox-seed") as api:
        for _attempt in range(START_SECONDS * 10):
            nodes = (await api.get("/api/v1/nodes"))["items"]
            ready = any(c["type"] == "Ready" and c["status"] == "True" for node in nodes for c in node.get("status", {}).get("conditions", []))
            if ready and await api.find(f"/api/v1/namespaces/{REGISTRIES_NAMESPACE}/serviceaccounts/default"):
                return
            await asyncio.sleep(0.1)
    raise processes.ProcessError(f"no node or no namespace {REGISTRIES_NAMESPACE} after {START_SECONDS} s: see .sandbox/logs")


def write_environment(layout: Layout) -> None:
    """Write `.sandbox/env`, a file for a POSIX shell to source. What it sets is undone by `sandbox_deactivate`, also when it is sourced again."""
    variables = shell_variables(layout)
    # For hosts of an inventory that names no Python. Tests do not set it: playbooks and examples have to work without.
    variables["ANSIBLE_PYTHON_INTERPRETER"] = f"{variables['VIRTUAL_ENV']}/bin/python"
    del variables["PATH"]
    lines = [
        "# Source this in a shell: it finds the tools, the collection, the cluster and the databases. `sandbox_deactivate` ends it.",
        "if command -v sandbox_deactivate > /dev/null 2>&1; then sandbox_deactivate; fi",
    ]
    undone = []
    for name in [*variables, "PATH"]:
        lines += [f'_sandbox_had_{name}="${{{name}+yes}}"', f'_sandbox_old_{name}="${{{name}-}}"']
        undone.append(f'    if [ -n "$_sandbox_had_{name}" ]; then export {name}="$_sandbox_old_{name}"; else unset {name}; fi')
        undone.append(f"    unset _sandbox_had_{name} _sandbox_old_{name}")
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    # The tools come before the machine's own programs, kubectl after them.
    before, after = (shlex.quote(os.pathsep.join(map(str, folders))) for folders in (_tools(layout), [toolchain.kubectl()]))
    lines.append(f'export PATH={before}:"$PATH":{after}')
    lines += ["sandbox_deactivate() {", *undone, "    unset -f sandbox_deactivate", "}"]
    layout.path("env").write_text("\n".join(lines) + "\n")


def _tools(layout: Layout) -> list[Path]:
    """The folders of programs that are used in place of the machine's own."""
    clients = [toolchain.postgresql_clients(), *([toolchain.mysql_clients(Path(layout.mysql))] if layout.mysql else [])]
    return [toolchain.python_environment() / "bin", *clients]


def shell_variables(layout: Layout) -> dict[str, str]:
    """The variables with which Ansible, kubectl and people find the tools, the cluster, its public names and the databases."""
    tools = toolchain.tool_environment()
    direct = [
        "localhost",
        "127.0.0.1",
        "127.0.0.0/8",
        *(layout.address(part) for part in ("control-plane", "faults", "platform", "mariadb", "postgresql", "mysql")),
    ]
    proxies = {"HTTPS_PROXY": layout.router_url, "NO_PROXY": ",".join(direct)}
    return {
        **{name: tools[name] for name in ("VIRTUAL_ENV", "PYTHONPATH", "ANSIBLE_COLLECTIONS_PATH")},
        "PATH": os.pathsep.join(map(str, [*_tools(layout), tools["PATH"], toolchain.kubectl()])),
        "KUBECONFIG": str(layout.path("kubeconfig")),
        "K8S_AUTH_KUBECONFIG": str(layout.path("kubeconfig")),
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        "SANDBOX_INGRESS_CA": str(layout.path("pki", "ingress-ca.crt")),
        # Playbooks without an inventory run on localhost: no warning is needed.
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        **databases.environment(layout),
        **people.environment(layout),
    }
