"""The Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as they come, with RBAC."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from sandbox import kube
from sandbox.layout import Layout
from sandbox.platform.tokens import webhook_kubeconfig
from sandbox.processes import Command

ADMIN_TOKEN = kube.ADMIN_TOKEN

# Less memory for a little more garbage collection: all of a sandbox is to fit beside a desktop.
THRIFTY = {"GOGC": "50"}
# But this is the part that everything waits for: with half of it, a third of its work is garbage collection. With hundreds of registries it saves memory too.
UNTHRIFTY = {"GOGC": "200", "GOMEMLIMIT": "2GiB"}
# With their default limits two hundred registries would come up a few at a time.
UNHURRIED = ("--kube-api-qps=500", "--kube-api-burst=1000")
# In the folder of the sandbox, which nobody else may enter: so what the API server and etcd say to each other need not be encrypted, which takes time.
# A socket's path may have 107 characters at most.
ETCD_SOCKET = "unix://run/etcd.sock"
# Of those that there are, the ones whose objects there are in a sandbox.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "taint-eviction-controller",
)


def etcd(layout: Layout, programs: Path) -> Command:
    """The command of etcd; without fsync, because a sandbox is never kept over a crash of the machine."""
    address = layout.address("control-plane")
    client, peer = f"https://{address}:2379", f"http://{address}:2380"
    return Command(
        "etcd",
        [
            programs / "etcd",
            f"--data-dir={layout.path('etcd')}",
            f"--listen-client-urls={client},{ETCD_SOCKET}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            f"--cert-file={layout.path('pki', 'server.crt')}",
            f"--key-file={layout.path('pki', 'server.key')}",
            f"--trusted-ca-file={layout.path('pki', 'ca.crt')}",
            "--client-cert-auth",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        lambda: _answers(layout, f"{client}/health"),
        THRIFTY,
        folder=layout.state,
    )


def api_server(layout: Layout, programs: Path) -> Command:
    """The command of kube-apiserver."""
    _write(layout.path("run", "tokens.csv"), f'{ADMIN_TOKEN},sandbox-admin,sandbox-admin,"system:masters"\n')
    _write(layout.path("run", "token-webhook.json"), json.dumps(webhook_kubeconfig(layout)))
    pki = {name: layout.path("pki", name) for name in ("ca.crt", "server.crt", "server.key", "admin.crt", "admin.key", "service-account.key")}
    return Command(
        "kube-apiserver",
        [
            programs / "kube-apiserver",
            f"--etcd-servers={ETCD_SOCKET}",
            f"--bind-address={layout.address('control-plane')}",
            # A loopback address may not be advertised, and nothing in a sandbox follows it.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--tls-cert-file={pki['server.crt']}",
            f"--tls-private-key-file={pki['server.key']}",
            f"--client-ca-file={pki['ca.crt']}",
            f"--token-auth-file={layout.path('run', 'tokens.csv')}",
            f"--authentication-token-webhook-config-file={layout.path('run', 'token-webhook.json')}",
            "--authentication-token-webhook-version=v1",
            "--authentication-token-webhook-cache-ttl=0s",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki['service-account.key']}",
            f"--service-account-signing-key-file={pki['service-account.key']}",
            f"--kubelet-certificate-authority={pki['ca.crt']}",
            f"--kubelet-client-certificate={pki['admin.crt']}",
            f"--kubelet-client-key={pki['admin.key']}",
            # Nobody has to be kept from taking it all, and other servers of its kind there are none.
            "--enable-priority-and-fairness=false",
            "--feature-gates=APIServerIdentity=false,UnknownVersionInteroperabilityProxy=false",
            "--profiling=false",
        ],
        lambda: _answers(layout, f"{layout.api_url}/readyz"),
        UNTHRIFTY,
        folder=layout.state,
    )


def controller_manager(layout: Layout, programs: Path) -> Command:
    """The command of kube-controller-manager."""
    address = layout.address("control-plane")
    return Command(
        "kube-controller-manager",
        [
            programs / "kube-controller-manager",
            f"--kubeconfig={layout.path('run', 'controllers.kubeconfig')}",
            f"--bind-address={address}",
            f"--root-ca-file={layout.path('pki', 'ca.crt')}",
            f"--service-account-private-key-file={layout.path('pki', 'service-account.key')}",
            f"--controllers={','.join(CONTROLLERS)}",
            *UNHURRIED,
            "--leader-elect=false",
            "--profiling=false",
        ],
        lambda: _answers(layout, f"https://{address}:10257/healthz", verify=False),
        THRIFTY,
    )


def scheduler(layout: Layout, programs: Path) -> Command:
    """The command of kube-scheduler."""
    address = layout.address("control-plane")
    return Command(
        "kube-scheduler",
        [
            programs / "kube-scheduler",
            f"--kubeconfig={layout.path('run', 'controllers.kubeconfig')}",
            f"--bind-address={address}",
            *UNHURRIED,
            "--leader-elect=false",
            "--profiling=false",
        ],
        lambda: _answers(layout, f"https://{address}:10259/healthz", verify=False),
        THRIFTY,
    )


def write_kubeconfigs(layout: Layout) -> None:
    """The administrator's kubeconfig, with a token so that it works through the proxy that makes faults too, and the controllers' with a certificate."""
    certificate = {
        "client-certificate": str(layout.path("pki", "admin.crt")),
        "client-key": str(layout.path("pki", "admin.key")),
    }
    for path, user in ((layout.path("run", "controllers.kubeconfig"), certificate), (layout.path("kubeconfig"), {"token": ADMIN_TOKEN})):
        _write(path, json.dumps(kubeconfig(layout, user), indent=2) + "\n")


def kubeconfig(layout: Layout, user: dict[str, str], server: str | None = None) -> dict[str, Any]:
    """A kubeconfig for this user of the sandbox's API server; `server` is another way to it, as through the proxy that makes faults."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": {"server": server or layout.api_url, "certificate-authority": str(layout.path("pki", "ca.crt"))}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "user"}}],
        "current-context": "sandbox",
    }


def _answers(layout: Layout, url: str, verify: bool = True) -> bool:
    tls = ssl.create_default_context(cafile=str(layout.path("pki", "ca.crt")))
    if not verify:
        # These two serve health with a certificate that they make up at every start.
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    tls.load_cert_chain(layout.path("pki", "admin.crt"), layout.path("pki", "admin.key"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
