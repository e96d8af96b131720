"""How the product's own operator (a build of v0.3.14) is run in place of ours."""

from __future__ import annotations

import os
import shutil

from sandbox.layout import APPS_DOMAIN, Layout
from sandbox.platform.component import registries_namespace


def environment(layout: Layout) -> dict[str, str]:
    """Its environment. Its webhook certificate is put where it looks for one."""
    certificates = layout.path("run", "operator-tmp", "k8s-webhook-server", "serving-certs")
    certificates.mkdir(parents=True, exist_ok=True)
    for name in ("crt", "key"):
        shutil.copy(layout.path("pki", f"server.{name}"), certificates / f"tls.{name}")
    return {
        "KUBECONFIG": str(layout.path("kubeconfig")),
        "REGISTRIES_NAMESPACE": os.environ.get("REGISTRIES_NAMESPACE", registries_namespace(layout)),
        "DEFAULT_DOMAIN": os.environ.get("DEFAULT_DOMAIN", APPS_DOMAIN),
        "ENABLE_WEBHOOKS": "true",
        "TMPDIR": str(layout.path("run", "operator-tmp")),
    }


def arguments(layout: Layout) -> list[str]:
    """Its arguments. The port of its webhooks cannot be chosen, and it listens on every address."""
    return ["--metrics-bind-address=0", f"--health-probe-bind-address={layout.address('operator')}:8081", "--zap-log-level=info"]


def webhook_address(layout: Layout) -> tuple[str, int]:
    """Where its webhooks answer once it is ready."""
    return layout.address("operator"), layout.webhook_port
