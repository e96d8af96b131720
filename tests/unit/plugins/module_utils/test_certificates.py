"""Bundles of CA certificates: read, judged, added to, and compared."""

from __future__ import annotations

import base64
import ipaddress
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs7, pkcs12

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import certificates
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.certificates import (
    Bundle,
    added_to,
    certificates_in,
    covers,
    given_bundle,
    read_bundle,
    same_certificates,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import CertificateAuthority, registry_from_options

OPTION = "database.ca.pem"
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
YEAR = timedelta(days=365)
KEY = ec.generate_private_key(ec.SECP256R1())
KEY_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def made(name="ca", ca=True, issuer=None, start=NOW - YEAR, end=NOW + YEAR, names=(), says_what_it_is=True, may_sign=True):
    """A certificate; without an issuer it is self-signed."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer or name)])
    builder = x509.CertificateBuilder(signer, subject, KEY.public_key(), x509.random_serial_number(), start, end)
    if says_what_it_is:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if ca:
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False
        )
        builder = builder.add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=may_sign, **usage), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    return builder.sign(KEY, hashes.SHA256())


def pem(*arguments, **options):
    return made(*arguments, **options).public_bytes(Encoding.PEM).decode()


def der(*arguments, **options):
    return made(*arguments, **options).public_bytes(Encoding.DER)


def read(content, **options):
    return read_bundle(content, OPTION, now=NOW, **options)


def the_problem(content):
    """The sentence of the only problem."""
    [problem] = read(content).problems
    assert problem.option == OPTION
    assert problem.value is None
    return problem.sentence()


def test_a_bundle_is_read_with_what_there_is_to_know():
    bundle = read("# our CA\n" + pem("one") + "\n" + pem("two", end=NOW + 2 * YEAR))
    assert not bundle.problems
    assert not bundle.warnings
    assert [certificate.subject for certificate in bundle.certificates] == ["CN=one", "CN=two"]
    assert [certificate.line for certificate in bundle.certificates] == [2, 3 + pem("one").count("\n")]
    assert bundle.pem == pem("one") + pem("two", end=NOW + 2 * YEAR)
    assert bundle.certificates[0].described() == {
        "subject": "CN=one",
        "issuer": "CN=one",
        "not_before": "2025-06-01T00:00:00Z",
        "not_after": "2027-06-01T00:00:00Z",
        "is_ca": True,
        "sha256": made("one").fingerprint(hashes.SHA256()).hex(),
    }


@pytest.mark.parametrize(
    "content",
    [
        pem().replace("\n", "\r\n").encode(),
        pem().replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + pem().encode(),
        "\ufeff" + pem(),
        pem().encode("utf-16"),
        b"\xfe\xff" + pem().encode("utf-16-be"),
        pem().strip(),
        "\n".join("    " + line for line in pem().splitlines()),
        "Größe\n" + pem(),
        pem() + pem(),
    ],
    ids=[
        "windows",
        "old macintosh",
        "byte-order mark",
        "byte-order mark in text",
        "utf-16",
        "utf-16, big endian",
        "no last line end",
        "indented",
        "comment",
        "duplicate",
    ],
)
def test_what_editors_do_to_a_file_is_undone(content):
    bundle = read(content)
    assert not bundle.problems
    assert bundle.pem == pem()


@pytest.mark.parametrize("content", ["", " \n\t", b"\xef\xbb\xbf", b"\x00\x00"])
def test_an_empty_file_is_called_empty(content):
    assert "is empty" in the_problem(content)


@pytest.mark.parametrize(
    ("options", "option", "said"),
    [
        ({"pem": None}, "ca.pem", "is required. Set pem to"),
        ({"path": "ca.pem"}, "ca.path", "was not read on the controller. Set pem to"),
        # The content of a file comes with one character for each of its bytes.
        ({"path": "ca.der", "pem": der().decode("latin-1")}, "ca.path", "openssl x509 -inform der"),
        ({"path": "ca.pem", "pem": "漢"}, "ca.path", "contains no PEM certificate"),
        ({"pem": "漢"}, "ca.pem", "contains no PEM certificate"),
    ],
)
def test_a_problem_names_the_option_that_was_given(options, option, said):
    [problem] = given_bundle(options, "ca.").problems
    assert problem.option == option and said in problem.sentence()


LASTING = pem(end=NOW + 100 * YEAR)


@pytest.mark.parametrize("given", [{"pem": "Größe\n" + LASTING}, {"path": "ca.pem", "pem": ("Größe\n" + LASTING).encode().decode("latin-1")}])
def test_a_text_and_a_file_are_read_alike(given):
    bundle = given_bundle(given)
    assert bundle == Bundle(certificates_in("\n" + LASTING))
    [warning] = given_bundle(given, "ca.", 50_000).warnings
    assert warning.startswith("ca.path: " if "path" in given else "ca.pem: ") and "expires in" in warning


def test_an_uploaded_bundle_is_part_of_the_registry_with_its_warnings():
    odd, warnings = pem("db", ca=False, end=NOW + 100 * YEAR), []
    upload = {"source": "upload", "pem": "# ours\n" + odd}
    registry = registry_from_options({"name": "fraud", "database": {"ca": upload}}, "registries", [], warnings)
    assert registry.database.ca == CertificateAuthority("ConfigMap", pem=odd)
    [warning] = warnings
    assert warning.startswith("database.ca.pem: ") and "self-signed" in warning


PKCS12 = pkcs12.serialize_key_and_certificates(b"db", KEY, made(), None, BestAvailableEncryption(b"word"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (der(), "openssl x509 -inform der"),
        (PKCS12, "openssl pkcs12 -in FILE -cacerts -nokeys"),
        (bytes.fromhex("feedfeed00000002") + bytes(40), "keytool -exportcert -rfc"),
        (bytes.fromhex("cececece00000002") + bytes(40), "keytool -exportcert -rfc"),
        (pkcs7.serialize_certificates([made()], Encoding.DER), "openssl pkcs7 -inform der -print_certs"),
        (pkcs7.serialize_certificates([made()], Encoding.PEM), "openssl pkcs7 -print_certs"),
        (pkcs7.serialize_certificates([made()], Encoding.PEM).replace(b"PKCS7", b"CMS"), "openssl pkcs7 -print_certs"),
        # Of a binary file only the beginning tells what it is.
        (bytes.fromhex("3003020107") + bytes(20) + certificates.PKCS7, "binary file"),
        (pem().replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "openssl x509 -in"),
        (pem().replace("CERTIFICATE", "X509 CERTIFICATE"), "openssl x509 -in"),
        (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "a PUBLIC KEY in line 1, which is not a certificate"),
        (KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "private key in DER"),
        (KEY.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()), "private key in DER"),
        (bytes.fromhex("3003020107"), "binary file"),
        (b"\x30", "binary file"),
        (base64.b64encode(pem().encode()), "b64decode"),
        (b"\n " + base64.b64encode(pem().encode()), "b64decode"),
        ("/etc/pki/db-ca.pem", "the path of a file"),
        ("files/ca.crt", "the path of a file"),
        (" ~/ca\n", "the path of a file"),
        ("./ca", "the path of a file"),
        ("/a/text\nof lines", "contains no PEM certificate"),
        ("hello\nworld", "contains no PEM certificate"),
        ("BEGIN of a text", "contains no PEM certificate"),
    ],
)
def test_other_formats_are_recognised_and_their_conversion_is_named(content, said):
    assert said in the_problem(content)


def test_binary_content_that_ansible_carries_as_text_is_still_recognised():
    assert "-inform der" in the_problem(der().decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"])
@pytest.mark.parametrize("before", ["", pem()])
def test_a_private_key_is_refused_and_never_shown(label, before):
    bundle = read(before + KEY_PEM.replace("PRIVATE KEY", label))
    [problem] = bundle.problems
    assert f"private key in line {1 + before.count(chr(10))}" in problem.sentence()
    secret = KEY_PEM.splitlines()[1]
    assert secret not in repr(bundle)
    assert secret not in bundle.pem


MIDDLE = 2 + pem("a").count("\n")
BROKEN = pem("b").splitlines()


@pytest.mark.parametrize(
    ("middle", "said"),
    [
        ([*BROKEN[:3], "§$%", *BROKEN[3:]], "not base64"),
        ([*BROKEN[:3], "****", *BROKEN[3:]], "not base64"),
        ([*BROKEN[:3], *BROKEN[4:]], "not a complete X.509 certificate"),
        ([BROKEN[0], BROKEN[-1]], "not a complete X.509 certificate"),
        (BROKEN[:-1], "END line is missing"),
        ([*BROKEN[:-1], "-----END CERTIFICATE----"], "not a complete BEGIN or END line"),
        ([*BROKEN[:-1], "-----END PUBLIC KEY-----"], "ends as PUBLIC KEY"),
    ],
)
def test_a_broken_certificate_in_the_middle_is_named_with_its_line(middle, said):
    bundle = read("\n".join(["# text", *pem("a").splitlines(), *middle, *pem("c").splitlines()]))
    [problem] = bundle.problems
    assert f"certificate 2 of 3, in line {MIDDLE}," in problem.sentence()
    assert said in problem.sentence()
    assert [certificate.subject for certificate in bundle.certificates] == ["CN=a", "CN=c"]


def test_a_certificate_without_its_begin_is_not_passed_over():
    assert "certificate 1 of 2, in line" in the_problem("\n".join(BROKEN[1:]) + "\n" + pem())
    assert "damaged: its BEGIN line is missing" in the_problem("\n".join(BROKEN[1:]) + "\n" + pem())
    assert "line 1 is not a complete BEGIN" in the_problem("----BEGIN CERTIFICATE----\n" + "\n".join(BROKEN[1:-1]))


def test_an_issued_certificate_is_no_ca_and_its_issuer_is_named():
    sentence = the_problem(pem("ca") + pem("db.example.com", ca=False, issuer="ca"))
    assert f"line {1 + pem('ca').count(chr(10))} (CN=db.example.com) is a server certificate" in sentence
    assert "issuer, CN=ca" in sentence


def test_a_certificate_that_may_not_sign_is_no_ca():
    assert "not a CA certificate" in the_problem(pem("db", issuer="ca", may_sign=False))
    assert "not a CA certificate" in the_problem(pem("db", ca=False, issuer="ca", says_what_it_is=False))


# Of version 1, which cannot say what it is.
OLD_PEM = """-----BEGIN CERTIFICATE-----
MIIBGDCBvwIUNnqdbelgqGJPNXYUhZmAOSzZZJcwCgYIKoZIzj0EAwIwDjEMMAoG
A1UEAwwDb2xkMCAXDTI2MTEzMDExMDMxNloYDzIxMjYxMTA2MTEwMzE2WjAOMQww
CgYDVQQDDANvbGQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASBdd0978alr22L
OmrQtT6qcndIpEM7Yc7QyH+wb4R2vWI8zJm21RrXlSFGNJPG0d19b0bTLXlL0Vhc
fGt9Mgy3MAoGCCqGSM49BAMCA0gAMEUCIQDyO+qwmmLJJExD+vPkKE+uPFKxekK7
gWa0jJ1QMPJPJAIgZEOfcoQmc1cbfZ1dFCVFbtmjbJr99nm3XkEgXq+oYiQ=
-----END CERTIFICATE-----
"""


def test_a_certificate_that_cannot_say_what_it_is_is_a_ca():
    assert [certificate.is_ca for certificate in certificates_in(OLD_PEM)] == [True]


def test_a_self_signed_server_certificate_is_taken_with_a_warning():
    bundle = read(pem("db.example.com", ca=False))
    assert not bundle.problems
    [warning] = bundle.warnings
    assert "self-signed" in warning


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"end": NOW - timedelta(seconds=1)}, "expired on 2026-05-31T23:59:59Z"),
        ({"start": NOW + timedelta(seconds=1)}, "is not valid before 2026-06-01T00:00:01Z"),
    ],
)
def test_certificates_out_of_their_time_are_refused_unless_another_one_is_valid(times, said):
    assert said in the_problem(pem("late", **times))
    assert len(read(pem("late", **times) + pem("later", **times)).problems) == 2
    beside = read(pem("late", **times) + pem("new"))
    assert not beside.problems
    [warning] = beside.warnings
    assert said in warning
    assert len(beside.certificates) == 2


def test_a_certificate_is_valid_in_its_first_and_its_last_second():
    assert read(pem("first", start=NOW)) == Bundle(certificates_in(pem("first", start=NOW)))
    last = read(pem("last", end=NOW))
    assert not last.problems and "expires in 0 days" in last.warnings[0]


def test_an_expiry_that_is_near_is_a_warning():
    soon = pem("soon", end=NOW + timedelta(days=20))
    [warning] = read(soon).warnings
    assert warning.startswith(f"{OPTION}: the certificate in line 1 (CN=soon) expires in 20 days, on 2026-06-21T00:00:00Z")
    assert not read(soon, expiry_days=20).warnings


def test_all_problems_are_told_at_once():
    mixed = read(KEY_PEM + pem("db", ca=False, issuer="x") + "\n".join(BROKEN[:-1]))
    assert len(mixed.problems) == 3


def test_a_bundle_that_no_object_can_hold_is_refused_before_it_is_written():
    certificate = der()
    block = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
    start = certificate.index(made().tbs_certificate_bytes[15:23])
    different = (certificate[:start] + number.to_bytes(8, "big") + certificate[start + 8 :] for number in range(1, 2 * 1024 * 1024 // len(pem())))
    content = "".join(block.format(base64.b64encode(one).decode()) for one in different)
    # Whatever else is wrong or odd is told too.
    bundle = read(content + KEY_PEM + pem("soon", end=NOW + timedelta(days=20)))
    key, size = bundle.problems
    assert "private key" in key.sentence()
    assert (size.option, size.value) == (OPTION, None) and "limit of a ConfigMap or Secret is 1048576" in size.sentence()
    assert "(CN=soon) expires" in bundle.warnings[0] and bundle.certificates


@pytest.mark.parametrize(("over", "problems"), [(0, 0), (1, 1)])
def test_a_bundle_that_just_fits_is_written(monkeypatch, over, problems):
    monkeypatch.setattr(certificates, "LARGEST_OBJECT", len(pem()) - over)
    assert len(read("# not part of it\n" + pem()).problems) == problems


def test_a_thousand_certificates_are_read():
    certificate = der()
    start = certificate.index(made().tbs_certificate_bytes[15:23])
    block = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
    content = "".join(block.format(base64.b64encode(certificate[:start] + n.to_bytes(8, "big") + certificate[start + 8 :]).decode()) for n in range(1000))
    assert len(read(content).certificates) == 1000


def test_adding_puts_the_new_ca_beside_the_old_one():
    old = "# the old CA\n" + pem("old").rstrip("\n")
    both = added_to(old, read(pem("new") + pem("old")).certificates)
    assert both == old + "\n" + pem("new")
    assert added_to(both, read(pem("new")).certificates) == both
    assert added_to("", read(pem("new")).certificates) == pem("new")
    # With nothing to add, its last line stays as it is.
    assert added_to(old, read(pem("old")).certificates) == old


def test_bundles_with_the_same_certificates_are_the_same():
    assert same_certificates(pem("a") + pem("b"), "# text\r\n" + pem("b") + pem("a") + pem("a"))
    assert not same_certificates(pem("a"), pem("a") + pem("b"))


def test_what_cannot_be_read_of_a_bundle_that_exists_is_passed_over():
    found = certificates_in(pem("a") + "\n".join(BROKEN[:-1]) + "\n" + pem("c") + KEY_PEM)
    assert [certificate.subject for certificate in found] == ["CN=a", "CN=c"]
    assert certificates_in(der()) == ()


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("db.example.com", True),
        ("DB.example.com.", True),
        ("a.pool.example.com", True),
        ("a.b.pool.example.com", False),
        ("pool.example.com", False),
        ("common.example.com", False),
        ("10.0.0.1", True),
        ("[::1]", True),
        ("10.0.0.2", False),
        ("", False),
        ("other.example.com", True),
        ("db", False),
    ],
)
def test_a_certificate_covers_its_alternative_names_and_nothing_else(host, covered):
    names = (
        x509.DNSName("db.example.com"),
        x509.DNSName("*.pool.example.com"),
        x509.DNSName("Other.Example.com"),
        x509.DNSName("*"),
        x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    )
    [certificate] = certificates_in(pem("common.example.com", ca=False, names=names))
    assert covers(certificate, host) is covered


def test_a_machine_without_the_library_is_a_problem_and_no_traceback(monkeypatch):
    monkeypatch.setattr(certificates, "HAS_CRYPTOGRAPHY", False)
    assert "pip install cryptography" in the_problem(pem())
    assert certificates_in(pem()) == ()
