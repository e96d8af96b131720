"""OpenShift's service-ca: a Service that asks for one by annotation gets a serving certificate in a Secret."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.kube import Api, ApiError, Object, Queue, path
from sandbox.layout import Layout

PREFIX = "service.beta.openshift.io/"
SECRET_NAME = PREFIX + "serving-cert-secret-name"
SIGNED_BY = PREFIX + "serving-cert-signed-by"
ERROR = PREFIX + "serving-cert-generation-error"
SERVICE_UID = PREFIX + "originating-service-uid"
SERVICE_NAME = PREFIX + "originating-service-name"
EXPIRY = PREFIX + "expiry"
SIGNER = "openshift-service-serving-signer"
LIFETIME = timedelta(days=2 * 365)


@dataclass(frozen=True)
class Authority:
    """The certificate authority that signs for Services."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def load(cls, layout: Layout) -> Authority:
        certificate = x509.load_pem_x509_certificate(layout.path("pki", "service-ca.crt").read_bytes())
        key = load_pem_private_key(layout.path("pki", "service-ca.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the service CA's key is not an elliptic curve key")
        return cls(certificate, key)

    def issue(self, names: list[str], now: datetime) -> tuple[bytes, bytes]:
        """A certificate for these names, followed by the authority's own, and its key; both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(seconds=1))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        chain = certificate.public_bytes(Encoding.PEM) + self.certificate.public_bytes(Encoding.PEM)
        return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def secret(service: Object, authority: Authority, now: datetime) -> Object:
    """The Secret that a Service asks for; it goes when the Service goes."""
    metadata = service["metadata"]
    host = f"{metadata['name']}.{metadata['namespace']}.svc"
    chain, key = authority.issue([host, f"{host}.cluster.local"], now)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {
            "name": metadata["annotations"][SECRET_NAME],
            "namespace": metadata["namespace"],
            "annotations": {
                SERVICE_UID: metadata["uid"],
                SERVICE_NAME: metadata["name"],
                EXPIRY: (now + LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": metadata["name"], "uid": metadata["uid"]}],
        },
        "data": {"tls.crt": base64.b64encode(chain).decode(), "tls.key": base64.b64encode(key).decode()},
    }


async def run(layout: Layout, api: Api) -> None:
    """Make the Secrets that Services ask for, and make them again when somebody deletes them."""
    authority = Authority.load(layout)
    services: dict[tuple[str, str], Object] = {}

    async def serve(key: tuple[str, str]) -> None:
        service = services.get(key)
        name = (service or {}).get("metadata", {}).get("annotations", {}).get(SECRET_NAME)
        if not service or not name or service["metadata"].get("deletionTimestamp"):
            return
        live = await api.find(path("v1", "secrets", key[0], name))
        if live is None:
            wanted = await asyncio.to_thread(secret, service, authority, datetime.now(UTC))
            try:
                live = await api.create(path("v1", "secrets", key[0]), wanted)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
                live = await api.get(path("v1", "secrets", key[0], name))
        await _note(key, service, live)

    async def _note(key: tuple[str, str], service: Object, live: Object) -> None:
        """Tell on the Service who signed, or why nobody did."""
        annotations = service["metadata"]["annotations"]
        marks: dict[str, str | None] = {SIGNED_BY: SIGNER, ERROR: None}
        if (live["metadata"].get("annotations") or {}).get(SERVICE_UID) != service["metadata"]["uid"]:
            problem = f"secret {key[0]}/{live['metadata']['name']} does not have corresponding service UID {service['metadata']['uid']}"
            marks = {SIGNED_BY: None, ERROR: problem}
        if any(annotations.get(mark) != value for mark, value in marks.items()):
            await api.merge(path("v1", "services", *key), {"metadata": {"annotations": marks}})

    queue = Queue(serve, workers=2)

    async def follow_services() -> None:
        async for event, service in api.watch(path("v1", "services")):
            key = service["metadata"]["namespace"], service["metadata"]["name"]
            if event == "DELETED":
                services.pop(key, None)
            else:
                services[key] = service
                queue.add(key)

    async def follow_secrets() -> None:
        async for event, found in api.watch(path("v1", "secrets"), fieldSelector="type=kubernetes.io/tls"):
            service = (found["metadata"].get("annotations") or {}).get(SERVICE_NAME)
            if event == "DELETED" and service:
                queue.add((found["metadata"]["namespace"], service))

    async with asyncio.TaskGroup() as group:
        for part in (queue.run(), follow_services(), follow_secrets()):
            group.create_task(part)
