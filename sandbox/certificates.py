"""The sandbox's certificates: of the cluster, of its ingress, of services, and of the databases."""

from __future__ import annotations

from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.layout import APPS_DOMAIN, DATABASE_NAMESPACE, Layout

PARTS = ("control-plane", "platform", "faults", "operator", "node")


def service_names(service: str, namespace: str) -> list[str]:
    """All names by which pods of any namespace can call a Service, and its bare name."""
    return [service, f"{service}.{namespace}", f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local"]


def create(layout: Layout) -> None:
    """Make everything below `.sandbox/pki`, once."""
    complete = layout.path("pki", ".complete")
    if complete.exists():
        return
    cluster, ingress, services, databases, other = (
        trustme.CA(organization_name=f"sandbox {name}") for name in ("cluster", "ingress", "services", "databases", "other")
    )
    for authority, name in ((cluster, "ca"), (ingress, "ingress-ca"), (services, "service-ca"), (databases, "database-ca"), (other, "other-ca")):
        authority.cert_pem.write_to_path(layout.path("pki", f"{name}.crt"))
        _private(layout.path("pki", f"{name}.key"), authority.private_key_pem.bytes())
    addresses = [layout.address(part) for part in PARTS]
    _issue(layout, "server", cluster.issue_cert(*addresses, *service_names("kubernetes", "default"), "localhost"))
    _issue(layout, "admin", cluster.issue_cert("admin.sandbox.test", common_name="sandbox-admin", organization_name="system:masters"))
    _issue(layout, "ingress", ingress.issue_cert(f"*.{APPS_DOMAIN}"))
    names = [name for service in ("mysql", "postgres", "mariadb") for name in service_names(service, DATABASE_NAMESPACE)]
    _issue(layout, "database", databases.issue_cert(*names, "localhost", *(layout.address(part) for part in ("mariadb", "postgresql", "mysql"))))
    # What a registry shows to a database that asks for a client certificate; the other one no database accepts.
    _issue(layout, "client", databases.issue_cert("registry.sandbox.test", common_name="registry"))
    _issue(layout, "other-client", other.issue_cert("registry.sandbox.test", common_name="registry"))
    key = ec.generate_private_key(ec.SECP256R1())
    _private(layout.path("pki", "service-account.key"), key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    complete.touch()


def _issue(layout: Layout, name: str, certificate: trustme.LeafCert) -> None:
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    layout.path("pki", f"{name}.crt").write_bytes(chain)
    _private(layout.path("pki", f"{name}.key"), certificate.private_key_pem.bytes())


def _private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
