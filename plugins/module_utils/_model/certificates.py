# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundles of CA certificates as PEM text: what is in them, what is wrong with them, and what they are good for."""

from __future__ import annotations

import base64
import codecs
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from .. import _errors, _texts
from . import manifests

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False
# The API server refuses a ConfigMap or Secret whose values are longer in all than this.
LARGEST_OBJECT = 1024 * 1024
EXPIRY_DAYS = 30
LABEL = "CERTIFICATE"
MARKER = re.compile(r"-----(BEGIN|END) ([A-Z0-9 ]+)-----")
DAMAGED_MARKER = re.compile(r"-{2,}\s*(BEGIN|END)\b.*|(BEGIN|END) CERTIFICATE\b.*", re.IGNORECASE)
# The identifier of PKCS#7 signed data, in which certificates are exported as .p7b.
PKCS7 = bytes.fromhex("06092a864886f70d010702")
DER_SEQUENCE = 0x30


@dataclass(frozen=True)
class Certificate:
    """One certificate of a bundle. `line` is where it begins in the text that it came from."""

    pem: str
    line: int
    fingerprint: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    # Whether Go, which the registry server is written in, lets it sign other certificates.
    is_ca: bool
    is_self_issued: bool
    # What it is a certificate for: DNS names, possibly with a wildcard, and addresses.
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """The certificate as part of a result."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "not_before": manifests.time_text(self.not_before),
            "not_after": manifests.time_text(self.not_after),
            "is_ca": self.is_ca,
            "sha256": self.fingerprint,
        }


@dataclass(frozen=True)
class Bundle:
    """The certificates of a text without duplicates, and what is to be said about them. With a problem it must not be written."""

    certificates: tuple[Certificate, ...] = ()
    problems: tuple[_errors.Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def pem(self) -> str:
        """The bundle as it is written: certificates alone, with the line ends that everything reads."""
        return pem_of(self.certificates)


@dataclass(frozen=True)
class _Block:
    """What is between two PEM markers; `flaw` tells why it cannot be read."""

    label: str
    line: int
    body: str = ""
    flaw: str = ""


def given_bundle(options: Mapping[str, Any], prefix: str = "", expiry_days: int = EXPIRY_DAYS) -> Bundle:
    """The CA certificates of the options `pem` and `path`; the action plugin has read the file, and its content is in `pem`."""
    pem, path = options.get("pem"), options.get("path")
    option = f"{prefix}pem" if path is None else f"{prefix}path"
    if pem is None:
        missing = "is required" if path is None else "was not read on the controller"
        return Bundle(problems=(_errors.Problem(option, missing, "Set pem to the CA certificates, or path to a file on the controller"),))
    # The action plugin gives the bytes of a file as one character each.
    return read_bundle(pem if path is None else pem.encode("latin-1", "replace"), option, expiry_days)


def read_bundle(content: str | bytes, option: str, expiry_days: int = EXPIRY_DAYS, now: datetime | None = None) -> Bundle:
    """The CA certificates of a text or file that a user gives, with every problem under the path of the option. The text is never part of a message.

    A bundle in which no certificate is valid now is a problem; single ones that are not, or will not be in `expiry_days`, are warnings.
    """
    if not HAS_CRYPTOGRAPHY:
        problem = "cannot be checked: the Python library cryptography is not installed where this task runs"
        return Bundle(problems=(_errors.Problem(option, problem, "Install it: pip install cryptography"),))
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    text = _text(data)
    if "BEGIN" not in text:
        return Bundle(problems=(_not_pem(data, text, option),))
    blocks = list(_blocks(text))
    certificates, problems = _read_blocks(blocks, option)
    problems = [*_foreign_blocks(blocks, option), *problems]
    if not certificates and not problems:
        problems = [_not_pem(data, text, option)]
    warnings: list[str] = []
    for certificate in certificates:
        problems += _leaf_problems(certificate, option, warnings)
    problems += _expiry_problems(certificates, option, expiry_days, now or datetime.now(timezone.utc), warnings)
    bundle = Bundle(_unique(certificates), tuple(problems), tuple(warnings))
    size = len(bundle.pem.encode())
    if size > LARGEST_OBJECT:
        problem = f"contains {size} bytes of certificates, and the limit of a ConfigMap or Secret is {LARGEST_OBJECT}"
        return Bundle(
            bundle.certificates,
            (*bundle.problems, _errors.Problem(option, problem, "Use only the CA certificate that signed the certificate of the database")),
            bundle.warnings,
        )
    return bundle


def certificates_in(content: str | bytes) -> tuple[Certificate, ...]:
    """The certificates of a bundle that exists, without duplicates. What cannot be read is passed over, as the registry server does."""
    if not HAS_CRYPTOGRAPHY:
        return ()
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    certificates, _problems = _read_blocks(list(_blocks(_text(data))), "")
    return _unique(certificates)


def pem_of(certificates: Iterable[Certificate]) -> str:
    """A bundle's text."""
    return "".join(certificate.pem for certificate in certificates)


def added_to(existing: str, certificates: Sequence[Certificate]) -> str:
    """An existing bundle with those certificates behind it that it does not have yet, so that old and new stand side by side. Its own text stays as it is."""
    present = {certificate.fingerprint for certificate in certificates_in(existing)}
    new = pem_of(certificate for certificate in certificates if certificate.fingerprint not in present)
    return existing + ("\n" if new and existing and not existing.endswith("\n") else "") + new


def same_certificates(one: str, other: str) -> bool:
    """Whether two bundles hold the same certificates, in whatever order, with whatever text around them."""
    first, second = ({certificate.fingerprint for certificate in certificates_in(text)} for text in (one, other))
    return first == second


def covers(certificate: Certificate, host: str) -> bool:
    """Whether a certificate is for this host by the rules of Go: only its alternative names count, and a wildcard stands for one whole label."""
    address = _texts.ip_address(host)
    return any(_name_matches(pattern, host) for pattern in certificate.dns_names) if address is None else str(address) in certificate.addresses


def _name_matches(pattern: str, host: str) -> bool:
    offered, wanted = pattern.lower().split("."), host.lower().rstrip(".").split(".")
    if offered[0] == "*":
        offered, wanted = offered[1:], wanted[1:]
    return bool(offered) and offered == wanted


def _text(data: bytes) -> str:
    """The text of a file, without a byte-order mark, with line feeds only."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = data.decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> Iterator[_Block]:
    """Every PEM block, whole or not. Text between blocks, like the names of the CAs in a system's bundle, is passed over."""
    opened: tuple[str, int] | None = None
    body: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        marker = MARKER.fullmatch(line)
        if marker is None:
            if DAMAGED_MARKER.fullmatch(line):
                yield _Block(LABEL, opened[1] if opened else number, flaw=f"line {number} is not a complete BEGIN or END line")
                opened = None
            elif opened:
                body.append(line)
            continue
        kind, label = marker.groups()
        if kind == "BEGIN":
            if opened:
                yield _Block(opened[0], opened[1], flaw="its END line is missing")
            opened, body = (label, number), []
        elif opened is None:
            yield _Block(label, number, flaw="its BEGIN line is missing")
        else:
            flaw = "" if label == opened[0] else f"it ends as {label} in line {number}"
            yield _Block(opened[0], opened[1], "".join(body), flaw)
            opened = None
    if opened:
        yield _Block(opened[0], opened[1], flaw="its END line is missing")


def _read_blocks(blocks: Sequence[_Block], option: str) -> tuple[list[Certificate], list[_errors.Problem]]:
    certificates, problems = [], []
    wanted = [block for block in blocks if block.label == LABEL]
    for number, block in enumerate(wanted, 1):
        try:
            if block.flaw:
                raise ValueError(block.flaw)
            certificates.append(_certificate(block))
        except ValueError as error:
            place = f"certificate {number} of {len(wanted)}, in line {block.line},"
            problems.append(_errors.Problem(option, f"{place} is damaged: {error}", "Copy this certificate again from its source, or remove it"))
    return certificates, problems


def _certificate(block: _Block) -> Certificate:
    """ValueError says what is wrong with it."""
    try:
        der = base64.b64decode(block.body, validate=True)
    except ValueError:
        raise ValueError("the text between BEGIN and END is not base64") from None
    try:
        parsed = x509.load_der_x509_certificate(der)
        return _described(parsed, der, block.line)
    # The library raises more than it documents for extensions that are not as they should be.
    except Exception:
        raise ValueError("the text between BEGIN and END is not a complete X.509 certificate") from None


def _described(parsed: Any, der: bytes, line: int) -> Certificate:
    names = _extension(parsed, x509.SubjectAlternativeName)
    return Certificate(
        pem=ssl.DER_cert_to_PEM_cert(der),
        line=line,
        fingerprint=parsed.fingerprint(hashes.SHA256()).hex(),
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.rfc4514_string(),
        not_before=_utc(parsed, "not_valid_before"),
        not_after=_utc(parsed, "not_valid_after"),
        is_ca=_is_ca(parsed),
        is_self_issued=parsed.subject == parsed.issuer,
        dns_names=tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        addresses=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)) if names else (),
    )


def _is_ca(parsed: Any) -> bool:
    """Go's rule: a certificate of version 3 must say that it is a CA, and a limit of its use must leave signing certificates in."""
    constraints, usage = _extension(parsed, x509.BasicConstraints), _extension(parsed, x509.KeyUsage)
    claimed = constraints.ca if constraints else parsed.version == x509.Version.v1
    return bool(claimed and (usage is None or usage.key_cert_sign))


def _extension(parsed: Any, kind: Any) -> Any:
    try:
        return parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _utc(parsed: Any, name: str) -> datetime:
    # cryptography before 42 has only the names without time zone, which newer ones warn about.
    moment: datetime | None = getattr(parsed, f"{name}_utc", None)
    return moment if moment is not None else getattr(parsed, name).replace(tzinfo=timezone.utc)


def _foreign_blocks(blocks: Sequence[_Block], option: str) -> list[_errors.Problem]:
    problems = []
    for block in blocks:
        if "PRIVATE KEY" in block.label:
            problem, remedy = f"contains a private key in line {block.line}", "Remove it, and replace the key if other users can read this text"
        elif block.label == LABEL:
            continue
        elif block.label in ("PKCS7", "CMS"):
            problem = f"contains PKCS#7 data in line {block.line}, which the registry server does not support"
            remedy = "Convert it with `openssl pkcs7 -print_certs -in FILE -out ca.pem`"
        elif block.label in ("TRUSTED CERTIFICATE", "X509 CERTIFICATE"):
            problem = f"contains a {block.label} in line {block.line}, which the registry server does not support"
            remedy = "Convert it with `openssl x509 -in FILE -out ca.pem`"
        else:
            problem, remedy = f"contains a {block.label} in line {block.line}, which is not a certificate", "Remove it"
        problems.append(_errors.Problem(option, problem, remedy))
    return problems


def _place(certificate: Certificate) -> str:
    return f"the certificate in line {certificate.line} ({certificate.subject})"


def _leaf_problems(certificate: Certificate, option: str, warnings: list[str]) -> list[_errors.Problem]:
    if certificate.is_ca:
        return []
    place = _place(certificate)
    if certificate.is_self_issued:
        # The server trusts exactly this certificate then, which is enough for a database that made its own.
        warnings.append(
            f"{option}: {place} is a self-signed server certificate, not a CA certificate. Replace it here whenever the certificate of the server is replaced"
        )
        return []
    return [_errors.Problem(option, f"{place} is a server certificate, not a CA certificate", f"Use the certificate of its issuer, {certificate.issuer}")]


def _expiry_problems(certificates: Sequence[Certificate], option: str, expiry_days: int, now: datetime, warnings: list[str]) -> list[_errors.Problem]:
    outdated = []
    for certificate in certificates:
        place = _place(certificate)
        if certificate.not_after < now:
            outdated.append(_errors.Problem(option, f"{place} expired on {manifests.time_text(certificate.not_after)}", "Use the new CA certificate"))
        elif certificate.not_before > now:
            remedy = "Wait until then, or check the clock of this host"
            outdated.append(_errors.Problem(option, f"{place} is not valid before {manifests.time_text(certificate.not_before)}", remedy))
        elif certificate.not_after < now + timedelta(days=expiry_days):
            days = (certificate.not_after - now).days
            warnings.append(f"{option}: {place} expires in {days} days, on {manifests.time_text(certificate.not_after)}")
    if len(outdated) == len(certificates):
        return outdated
    warnings += [f"{problem.option}: {problem.problem}" for problem in outdated]
    return []


def _not_pem(data: bytes, text: str, option: str) -> _errors.Problem:
    """What a file without a PEM block is, and how to make one of it."""
    if not text.strip("\x00 \t\n"):
        return _errors.Problem(option, "is empty", "Set it to the CA certificate in PEM format")
    if data.startswith((bytes.fromhex("feedfeed"), bytes.fromhex("cececece"))):
        return _errors.Problem(
            option, "is a Java key store", "Export the CA certificate with `keytool -exportcert -rfc -keystore FILE -alias NAME -file ca.pem`"
        )
    if data[0] == DER_SEQUENCE:
        return _der_problem(data, option)
    if text.lstrip().startswith(base64.b64encode(b"-----BEGIN").decode()[:12]):
        return _errors.Problem(option, "is PEM text with additional base64 encoding", "Decode it, in a playbook with the filter `b64decode`")
    if "\n" not in text.strip() and re.fullmatch(r"(/|~|\.).*|.*\.(pem|crt|cer)", text.strip()):
        return _errors.Problem(
            option, "is probably the path of a file, not its content", "Set it to the content of the file, in a playbook with the lookup `file`"
        )
    return _errors.Problem(
        option, "contains no PEM certificate", "Use the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, with its line breaks"
    )


def _der_problem(data: bytes, option: str) -> _errors.Problem:
    """The kinds of binary file that begin with an ASN.1 sequence. The content is that of its first element, behind one to five bytes of length."""
    content = data[2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0) :]
    if PKCS7 in content[:16]:
        return _errors.Problem(option, "is PKCS#7 data in DER, not PEM text", "Convert it with `openssl pkcs7 -inform der -print_certs -in FILE -out ca.pem`")
    if content.startswith(bytes.fromhex("020103")):
        remedy = "Extract the CA certificate with `openssl pkcs12 -in FILE -cacerts -nokeys -out ca.pem`"
        return _errors.Problem(option, "is a PKCS#12 file, which usually also contains a private key", remedy)
    if content[:3] in (bytes.fromhex("020100"), bytes.fromhex("020101")):
        return _errors.Problem(option, "is a private key in DER", "Use the CA certificate, and replace the key if other users can read it here")
    try:
        x509.load_der_x509_certificate(data)
    except ValueError:
        return _errors.Problem(option, "is a binary file, not PEM text", "Use the CA certificate in PEM format")
    return _errors.Problem(option, "is a certificate in DER, not PEM text", "Convert it with `openssl x509 -inform der -in FILE -out ca.pem`")


def _unique(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    unique: dict[str, Certificate] = {}
    for certificate in certificates:
        unique.setdefault(certificate.fingerprint, certificate)
    return tuple(unique.values())
