"""Bundles of CA certificates in ConfigMaps and Secrets: which is whose, what is written, and which servers start again."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import certificates, credentials, custom_resource, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import KeyReference, registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.live_state import Live
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import previous_value
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.bundle_place import (
    Place,
    named_bundle,
    place_of_upload,
    readers,
    replacement,
    upload_name,
    written,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.bundle_plan import (
    LiveBundle,
    WantedBundle,
    bundle_from_options,
    content_after,
    plan_bundle,
    plan_removal,
)

from .builders import LATER, NAMESPACE, NOW, STARTED, TODAY, config_map, foreign_secret, live, named, options, planned, pod, secret, steps, stored, wanted

OLD, NEW = (trustme.CA(organization_name=name).cert_pem.bytes().decode() for name in ("old", "new"))
UPLOAD = KeyReference("fraud-db-credential", "ca.crt")
PLACE = Place("ConfigMap", NAMESPACE, UPLOAD)


def upload(name: str = UPLOAD.name, content: str = OLD, **metadata: Any) -> dict[str, Any]:
    made = config_map(name, content=content)
    made["metadata"] |= {"resourceVersion": "7", **metadata}
    return made


def chosen(objects: dict[str, Any], reads: KeyReference | None = None, used: tuple[str, ...] = (), fits: str = OLD, user: str = "other") -> str:
    return place_of_upload("fraud", reads, objects.get, lambda name: [user] if name in used else [], fits.__eq__, fits.__eq__).name


def test_an_upload_gets_the_dashboards_names_one_after_the_other():
    assert [upload_name("fraud", number) for number in (1, 2, 3)] == ["fraud-db-credential", "fraud-db-credential-2", "fraud-db-credential-3"]
    first, second = upload(), upload(upload_name("fraud", 2), NEW)
    assert chosen({}) == first["metadata"]["name"]
    # What a killed run has left is found again, and nothing else is taken over.
    assert chosen({UPLOAD.name: first}) == UPLOAD.name
    assert chosen({UPLOAD.name: first}, fits=NEW) == upload_name("fraud", 2)
    both = {UPLOAD.name: first, second["metadata"]["name"]: second}
    assert chosen(both, fits=NEW) == upload_name("fraud", 2)
    assert chosen(both, fits="another") == upload_name("fraud", 3)


def test_what_the_registry_reads_is_used_unless_it_is_somebody_elses_too():
    read = KeyReference(upload_name("fraud", 2), "ca.crt")
    objects = {UPLOAD.name: upload(content=NEW), read.name: upload(read.name, NEW)}
    assert chosen(objects, read) == read.name
    assert chosen({}, read) == chosen({}, read, used=(read.name,), user="fraud") == read.name
    assert chosen({}, read, used=(read.name,)) == UPLOAD.name
    assert chosen(objects, read, used=(read.name,)) == upload_name("fraud", 3)
    assert chosen(objects | {read.name: upload(read.name, NEW, labels={"a": "b"})}, read) == upload_name("fraud", 3)
    # What holds these certificates already is not written, and need not be left.
    assert chosen(objects | {read.name: upload(read.name, labels={"a": "b"})}, read, used=(read.name,)) == read.name
    assert chosen({UPLOAD.name: upload()}, used=(UPLOAD.name,)) == upload_name("fraud", 2)
    for other in (KeyReference("company-ca", "ca.crt"), KeyReference(read.name, "other.crt")):
        assert chosen(objects, other) == upload_name("fraud", 3)


def test_an_upload_without_the_registrys_name_is_adopted_as_it_is():
    early = KeyReference("db-credential", "ca.crt")
    present = {early.name: upload(early.name)}
    assert chosen(present, early) == early.name
    # Also where another registry reads it, or somebody else made it: it is not written.
    assert chosen(present, early, used=(early.name,)) == chosen({early.name: upload(early.name, labels={"team": "x"})}, early) == early.name
    # Other certificates are written there only where it is this registry's alone.
    assert chosen(present, early, fits=NEW) == early.name
    assert chosen(present, early, used=(early.name,), fits=NEW) == UPLOAD.name
    assert chosen({early.name: upload(early.name, annotations={"argocd.argoproj.io/tracking-id": "x"})}, early, fits=NEW) == UPLOAD.name
    # What the registry does not read is somebody else's, also with the same certificates.
    assert chosen(present) == UPLOAD.name


def test_a_bundle_is_written_only_when_its_certificates_differ():
    assert replacement(PLACE, upload(content=OLD + NEW), NEW + OLD, "pem") == []
    assert replacement(PLACE, upload(content="# names\r\n" + OLD.replace("\n", "\r\n")), OLD, "pem") == []
    # The registry server would not find the first certificate behind a byte-order mark.
    assert [change.action for change in replacement(PLACE, upload(content="\ufeff" + OLD), OLD, "pem")] == ["update"]
    [change] = replacement(PLACE, upload(), NEW, "pem")
    assert change.body == {"metadata": {"resourceVersion": "7"}, "data": {"ca.crt": NEW}}
    assert "BEGIN" not in str((change.before, change.after, change))
    for shown, organization in ((change.before, "old"), (change.after, "new")):
        [(place, [certificate])] = shown.items()
        assert place == f"ConfigMap {UPLOAD.name} ca.crt"
        assert re.fullmatch(rf".*O={organization}.*, until \d{{4}}-\d\d-\d\d, SHA-256 [0-9a-f]{{16}}", certificate)
    [made] = replacement(PLACE, None, NEW, "pem")
    assert made.body["metadata"] == {"name": UPLOAD.name, "namespace": NAMESPACE} and made.before == {}


def test_secrets_and_binary_keys_are_written_as_such():
    secret = written(Place("Secret", NAMESPACE, UPLOAD), None, NEW, "pem")
    assert secret.body["type"] == "Opaque" and manifests.decoded(secret.body, "ca.crt") == NEW
    binary = {"metadata": {"name": UPLOAD.name, "namespace": NAMESPACE}, "binaryData": {"ca.crt": manifests.encoded(OLD)}}
    assert PLACE.text(binary) == OLD
    assert written(PLACE, binary, NEW, "pem").body["binaryData"] == {"ca.crt": None}


# The module


DEFAULTS: dict[str, Any] = {
    **{"name": "bundle", "namespace": None, "kind": "config_map", "key": "ca.crt", "pem": NEW, "path": None, "registry": None, "mode": "replace"},
    **{"state": "present", "expiry_days": 30, "database": None, "restart": True, "wait": True, "wait_timeout": 300},
}


@pytest.mark.parametrize(
    ("given", "option", "said"),
    [
        ({"pem": ""}, "pem", "is empty"),
        ({"pem": None}, "pem", "is required"),
        ({"pem": None, "path": "ca.pem"}, "path", "was not read on the controller"),
        ({"pem": "\x30\x82", "path": "ca.der"}, "path", "is a binary file"),
        ({"state": "absent"}, "pem", "not supported with state=absent"),
        ({"name": "Not A Name"}, "name", "is not a valid resource name"),
        ({"key": "a/b"}, "key", "not a valid key"),
        ({"expiry_days": -1}, "expiry_days", "out of range"),
        ({"wait_timeout": 0}, "wait_timeout", "out of range"),
        ({"name": None, "registry": "Fraud"}, "registry", "is not a valid resource name"),
        ({"name": None, "registry": "fraud", "kind": "secret"}, "kind", "as the dashboard does"),
        ({"name": None, "registry": "fraud", "key": "other"}, "key", "as the dashboard does"),
        ({"database": {"host": "db"}}, "database.type", "is required"),
        ({"database": {"type": "mysql"}}, "database.host", "is required"),
        ({"database": {"type": "mysql", "host": "db:1"}}, "database.host", "contains a port"),
        ({"database": {"type": "generated"}}, "database.type", "generated database"),
        ({"registry": "model-catalog", "name": None}, "registry", "is the model catalog"),
    ],
)
def test_each_wrong_option_is_named(given, option, said):
    problems: list[Any] = []
    bundle_from_options(DEFAULTS | given, problems, [])
    assert said in next(problem.problem for problem in problems if problem.option == option)


@pytest.mark.parametrize(("days", "warned"), [(0, False), (1, True), (5, True)])
def test_a_certificate_that_expires_in_so_many_days_is_a_warning(days, warned):
    soon = trustme.CA().issue_cert("db", not_after=datetime.now(timezone.utc) + timedelta(hours=12)).cert_chain_pems[0].bytes().decode()
    warnings = ["first"]
    bundle_from_options(DEFAULTS | {"name": "ca", "pem": OLD + soon, "expiry_days": days}, [], warnings)
    assert ["expires in 0 days" in warning for warning in warnings[1:]] == [True] * warned


@pytest.mark.parametrize("days", [-1, 10**12])
def test_what_is_no_number_of_days_is_a_problem_like_any_other(days):
    problems: list[Any] = []
    made = bundle_from_options(DEFAULTS | {"name": "ca", "expiry_days": days}, problems, [])
    assert named(problems) == ["expiry_days"] and made.pem == NEW


def bundle(**given: Any) -> WantedBundle:
    problems: list[Any] = []
    made = bundle_from_options(DEFAULTS | {"name": "ca"} | given, problems, [])
    assert problems == []
    return made


def reader(name: str = "fraud", reads: str = "ca") -> dict[str, Any]:
    registry = stored(wanted(database__ca={"source": "config_map", "name": reads, "key": "ca.crt"}))
    registry["metadata"]["name"] = name
    return registry


def cluster(present: Any, *registries: Any, started: str = STARTED, kind: str = "ConfigMap") -> LiveBundle:
    place = Place(kind, NAMESPACE, KeyReference("ca", "ca.crt"))
    servers = {registry["metadata"]["name"]: Live(TODAY, registry, pods=(pod(started),)) for registry in readers(place, registries)}
    return LiveBundle(place, present, registries, servers)


def available(live_bundle: LiveBundle) -> LiveBundle:
    """The same with servers that work."""
    return dataclasses.replace(live_bundle, servers={name: dataclasses.replace(server, is_available=True) for name, server in live_bundle.servers.items()})


def test_the_ca_of_the_database_to_verify_is_the_bundle_itself():
    database = bundle(database={"type": "mysql", "host": "db", "port": 3307, "ca": {"source": "config_map"}}).database
    assert database is not None and (database.type, database.host, database.port, database.ca) == ("mysql", "db", 3307, None)
    assert bundle().database is None
    assert bundle(state="absent", pem=None, database={"host": "db"}).database is None


def test_exactly_the_registries_that_read_a_bundle_are_restarted():
    registries = reader("one"), reader("two"), reader("apart", "other-ca")
    made, put_off = plan_bundle(bundle(), cluster(upload("ca"), *registries), NOW)
    assert [(change.action, change.name) for change in made.changes] == [("update", "ca"), ("restart", "one"), ("restart", "two")]
    assert put_off == []
    made, put_off = plan_bundle(bundle(restart=False), cluster(upload("ca"), *registries), NOW)
    assert steps(made) == [("update", "ConfigMap")] and put_off == ["one", "two"] and len(made.warnings) == 2


def test_a_server_that_is_older_than_its_bundle_is_restarted_whoever_wrote_it():
    changed = config_map("ca", content=NEW, changed_at=LATER)
    assert steps(plan_bundle(bundle(), cluster(changed, reader()), NOW)[0]) == [("restart", "Deployment")]
    assert steps(plan_bundle(bundle(), cluster(changed, reader(), started="2026-05-01T11:00:01Z"), NOW)[0]) == []


@pytest.mark.parametrize("order", [order for number in (1, 2, 3) for order in itertools.permutations(("stale", "fresh-1", "fresh-2"), number)])
def test_a_server_that_is_up_to_date_is_not_restarted_beside_one_that_is_not(order):
    live_bundle = cluster(config_map("ca", content=NEW, changed_at=LATER), *map(reader, order))
    pods = {name: (pod(STARTED if name == "stale" else "2026-05-01T11:00:01Z"),) for name in order}
    servers = {name: dataclasses.replace(server, pods=pods[name]) for name, server in live_bundle.servers.items()}
    live_bundle = dataclasses.replace(live_bundle, servers=servers)
    made, put_off = plan_bundle(bundle(), live_bundle, NOW)
    assert [change.name for change in made.changes] == [name for name in order if name == "stale"] and put_off == []
    made, put_off = plan_bundle(bundle(restart=False), live_bundle, NOW)
    assert made.changes == () and put_off == [name for name in order if name == "stale"]


@pytest.mark.parametrize("restart", [True, False])
def test_a_registry_without_a_pod_needs_no_restart(restart):
    stopped = cluster(upload("ca"), reader())
    stopped = dataclasses.replace(stopped, servers={"fraud": dataclasses.replace(stopped.servers["fraud"], pods=())})
    made, put_off = plan_bundle(bundle(restart=restart), stopped, NOW)
    assert steps(made) == [("update", "ConfigMap")] and put_off == [] and made.warnings == ()


def test_certificates_are_added_once():
    adding = bundle(mode="add")
    assert content_after(adding, cluster(upload("ca"))) == OLD + NEW
    assert steps(plan_bundle(adding, cluster(upload("ca", OLD + NEW)), NOW)[0]) == []
    assert steps(plan_bundle(adding, cluster(None), NOW)[0]) == [("create", "ConfigMap")]
    assert content_after(bundle(), cluster(upload("ca"))) == NEW


def test_what_the_cluster_could_not_store_is_a_problem():
    adding, note = bundle(mode="add"), "# note\n"
    size = len(content_after(adding, cluster(upload("ca", note + OLD))))
    for more, problems in ((0, []), (1, ["pem"])):
        present = upload("ca", "#" * (certificates.LARGEST_OBJECT - size + more) + note + OLD)
        assert named(plan_bundle(adding, cluster(present), NOW)[0].problems) == problems
    # The previous bundle is kept beside the new one for the servers that work with it.
    present = upload("ca", "#" * (certificates.LARGEST_OBJECT - len(OLD + NEW)) + "\n" + OLD)
    assert named(plan_bundle(bundle(), cluster(present, reader()), NOW)[0].problems) == []
    assert named(plan_bundle(bundle(), available(cluster(present, reader())), NOW)[0].problems) == ["pem"]


def test_a_bundle_that_servers_work_with_stays_beside_its_replacement_and_what_is_added_to_does_not():
    kept = {previous_value.key_of("ca.crt"): OLD}
    for wanted_bundle, after in ((bundle(), {"ca.crt": NEW, **kept}), (bundle(mode="add"), {"ca.crt": OLD + NEW})):
        made, _put_off = plan_bundle(wanted_bundle, available(cluster(upload("ca"), reader())), NOW)
        assert made.changes[0].body["data"] == after
        assert list(made.kept) == [{"kind": "ConfigMap", "name": "ca", "reason": previous_value.STILL_KEPT}] * (len(after) - 1)
        assert [change.action for change in made.leftovers] == ["update"] * (len(after) - 1)


def test_a_bundle_under_a_new_key_of_an_object_replaces_nothing():
    present = upload("ca") | {"data": {"note": "kept"}}
    made, _put_off = plan_bundle(bundle(), available(cluster(present, reader())), NOW)
    assert made.changes[0].body["data"] == {"ca.crt": NEW} and made.kept == made.leftovers == ()


def test_certificates_that_expire_where_others_are_added_are_a_warning():
    soon = trustme.CA().issue_cert("db", not_after=datetime.now(timezone.utc) + timedelta(days=2)).cert_chain_pems[0].bytes().decode()
    present = cluster(upload("ca", OLD + soon))
    assert any("expires in 1 day" in warning for warning in plan_bundle(bundle(mode="add"), present, NOW)[0].warnings)
    for other in (bundle(mode="add", expiry_days=0), bundle()):
        assert not any("expires" in warning for warning in plan_bundle(other, present, NOW)[0].warnings)


def test_what_is_somebody_elses_is_not_written_but_may_be_right():
    kept = upload("ca", labels={"argocd.argoproj.io/instance": "platform"})
    assert named(plan_bundle(bundle(), cluster(kept), NOW)[0].problems) == ["name"]
    assert steps(plan_bundle(bundle(pem=OLD), cluster(kept), NOW)[0]) == []
    assert named(plan_bundle(bundle(), cluster(upload("ca") | {"immutable": True}), NOW)[0].problems) == ["name"]
    certificate = foreign_secret("ca", **{"tls.crt": "x"}) | {"type": "kubernetes.io/tls"}
    assert named(plan_bundle(bundle(kind="secret"), cluster(certificate, kind="Secret"), NOW)[0].problems) == ["name"]


CA_SECRET = bundle(kind="secret")


def refused(wanted_bundle: WantedBundle, present: Any, *registries: Any) -> list[str]:
    """What is said of the option that has to be changed; the same for the removal of what is there."""
    held_in = cluster(present, *registries, kind=wanted_bundle.kind)
    problems = plan_bundle(wanted_bundle, held_in, NOW)[0].problems
    gone = dataclasses.replace(wanted_bundle, is_absent=True, pem=None, adds=False)
    if present is not None and problems and problems[0].option != "mode":
        removal = plan_removal(gone, [held_in])
        assert set(problems) <= set(removal.problems)
    return [f"{problem.option}: {problem.problem}" for problem in problems]


@pytest.mark.parametrize("mode", ["replace", "add"])
@pytest.mark.parametrize("field", ["passwordSecret", "sslCertificateSecret", "sslKeySecret", "sslPasswordSecret"])
@pytest.mark.parametrize("content", [OLD, "word", None])
def test_what_a_registry_reads_as_another_secret_is_never_a_ca(mode, field, content):
    other = stored(wanted(name="other"), **{field: {"name": "ca", "key": "ca.crt"}})
    present = None if content is None else foreign_secret("ca", **{"ca.crt": content})
    [said] = refused(bundle(kind="secret", mode=mode), present, reader(), other)
    assert said.startswith("name: ") and all(part in said for part in ("key 'ca.crt'", "Secret 'ca'", "registry 'other'", field))
    # Another key of the same Secret is no secret of anybody.
    beside = stored(wanted(name="other"), **{field: {"name": "ca", "key": "other"}})
    assert refused(bundle(kind="secret", mode=mode), foreign_secret("ca", **{"ca.crt": OLD, "other": "x"}), beside) == []


def test_the_certificate_of_a_registrys_proxy_is_never_a_ca():
    other = stored(wanted(name="other"))
    other["spec"]["kubeRBACProxy"]["tlsCertificateSecret"] = {"name": "ca", "key": "ca.crt"}
    assert "its tlsCertificateSecret" in refused(CA_SECRET, foreign_secret("ca", **{"ca.crt": OLD}), other)[0]


@pytest.mark.parametrize("key", ["ca.crt", "new-key", "database-password"])
def test_the_secret_of_a_password_is_never_written_as_a_ca(key):
    # Its registry may be gone, or be made later.
    for password in (secret(wanted()), secret(wanted(), annotations={}), foreign_secret("x", **{"database-password": "word"})):
        password["metadata"]["name"] = "ca"
        password["data"]["ca.crt"] = manifests.encoded(OLD)
        place = Place("Secret", NAMESPACE, KeyReference("ca", key))
        made, _put_off = plan_bundle(bundle(kind="secret", key=key), dataclasses.replace(cluster(password, kind="Secret"), place=place), NOW)
        assert "contains the password of a database" in made.problems[0].problem


@pytest.mark.parametrize("mode", ["replace", "add"])
@pytest.mark.parametrize("content", ["word", "-----BEGIN PRIVATE KEY-----\nx", OLD + "-----BEGIN RSA PRIVATE KEY-----\nx", "{}", "- x: 1"])
@pytest.mark.parametrize("kind", ["config_map", "secret"])
def test_what_is_no_certificate_is_never_replaced_by_one(kind, content, mode):
    present = foreign_secret("ca", **{"ca.crt": content}) if kind == "secret" else config_map("ca", content=content)
    [said] = refused(bundle(kind=kind, mode=mode), present)
    assert said.startswith("key: ") and "key 'ca.crt'" in said and "PEM certificates" in said
    empty = foreign_secret("ca", **{"ca.crt": " \n"}) if kind == "secret" else config_map("ca", content=" \n")
    assert refused(bundle(kind=kind, mode=mode), empty) == []


def binary(content: bytes) -> dict[str, Any]:
    made = upload("ca")
    del made["data"]
    return made | {"binaryData": {"ca.crt": base64.b64encode(content).decode()}}


def test_a_binary_key_is_added_to_as_it_is_or_not_at_all():
    adding, replacing = bundle(mode="add"), bundle()
    readable = binary(OLD.encode())
    [change] = plan_bundle(adding, cluster(readable), NOW)[0].changes
    assert change.body["data"] == {"ca.crt": OLD + NEW} and change.body["binaryData"] == {"ca.crt": None}
    latin = binary("# Köln\n".encode("latin-1") + OLD.encode())
    assert refused(adding, latin)[0].startswith("mode: ") and refused(replacing, latin) == []
    der = binary(b"0\x82\x03\x00")
    assert refused(adding, der)[0].startswith("key: ") and refused(replacing, der)[0].startswith("key: ")
    keystore = foreign_secret("ca") | {"data": {"ca.crt": base64.b64encode(b"\xfe\xed\xfe\xed").decode()}}
    assert refused(CA_SECRET, keystore)[0].startswith("key: ") and refused(dataclasses.replace(CA_SECRET, adds=True), keystore)[0].startswith("key: ")


@pytest.mark.parametrize("annotation", ["argocd.argoproj.io/tracking-id", "kustomize.toolkit.fluxcd.io/name", "meta.helm.sh/release-name", "cert-manager.io/x"])
def test_what_a_tool_tracks_by_annotation_is_not_written_as_a_ca(annotation):
    [said] = refused(bundle(), upload("ca", annotations={annotation: "x"}))
    assert annotation in said


def test_a_registry_that_does_not_read_its_bundle_yet_is_told():
    made, _put_off = plan_bundle(bundle(name=None, registry="apart"), cluster(None, reader("apart", "other-ca"), reader()), NOW)
    assert "does not use ConfigMap 'ca' yet: set its database.ca to {source: config_map, name: ca, key: ca.crt}" in made.warnings[0]
    # One that reads it, or that is not there yet, need not be told, and neither need one that was not named.
    for named_one, there in (("fraud", [reader()]), ("fraud", [reader("apart", "other-ca")]), (None, [reader("apart", "other-ca")])):
        made, _put_off = plan_bundle(bundle(name=None if named_one else "ca", registry=named_one), cluster(None, *there), NOW)
        assert not any("does not use" in warning for warning in made.warnings)


def test_a_bundle_is_removed_only_when_no_registry_uses_it():
    gone = bundle(state="absent", pem=None)
    used = plan_removal(gone, [cluster(upload("ca"), reader("one"), reader("two"))])
    assert named(used.problems) == ["name"] and "'one', 'two'" in used.problems[0].problem
    assert steps(plan_removal(gone, [cluster(upload("ca"), reader("apart", "other-ca"))])) == [("delete", "ConfigMap")]
    assert steps(plan_removal(gone, [cluster(None)])) == []
    mixed = upload("ca")
    mixed["data"]["note"] = "kept"
    [change] = plan_removal(gone, [cluster(mixed)]).changes
    assert (change.action, change.body["data"]) == ("update", {"ca.crt": None})
    assert change.before == {"ConfigMap ca ca.crt": "present"}
    # Other keys stay as they are, so that who reads those is no reason to keep this one; who reads anything of an object that goes whole is.
    beside = stored(wanted(name="beside", database__ca={"source": "config_map", "name": "ca", "key": "note"}))
    assert steps(plan_removal(gone, [cluster(mixed, beside)])) == [("update", "ConfigMap")]
    assert named(plan_removal(gone, [cluster(mixed, beside, reader())]).problems) == ["name"]
    assert "'beside'" in plan_removal(gone, [cluster(upload("ca"), beside)]).problems[0].problem
    # What was kept beside a key goes with it.
    mixed["data"][previous_value.key_of("ca.crt")] = NEW
    mixed["metadata"]["annotations"] = {previous_value.LOGIN: "x"}
    [change] = plan_removal(gone, [cluster(mixed)]).changes
    left = manifests.patched(mixed, change.body)
    assert left["data"] == {"note": "kept"} and left["metadata"]["annotations"] == {}
    assert named(plan_removal(dataclasses.replace(gone, name=None, registry="one"), [cluster(upload("ca"), reader("one"))]).problems) == ["registry"]
    del mixed["data"]["ca.crt"]
    assert steps(plan_removal(gone, [cluster(mixed), cluster(upload("ca"))])) == [("delete", "ConfigMap")]
    bytes_too = binary(OLD.encode()) | {"data": {"note": "kept"}}
    [change] = plan_removal(gone, [cluster(bytes_too)]).changes
    assert manifests.patched(bytes_too, change.body)["binaryData"] == {} and "data" not in change.body
    assert named(plan_removal(gone, [cluster(upload("ca", labels={"a.b/c": "d"}))]).problems) == ["name"]


def test_readers_are_those_of_the_same_object_and_key():
    one = reader("one")
    assert named_bundle(one, "ConfigMap") == KeyReference("ca", "ca.crt") and named_bundle(one, "Secret") is None
    place = Place("ConfigMap", NAMESPACE, KeyReference("ca", "ca.crt"))
    assert readers(place, [one, reader("two", "x")]) == [one]
    assert readers(Place("Secret", NAMESPACE, place.reference), [one]) == []


# A registry and its CA in one call


def with_pem(pem: str = NEW, **changed: Any) -> Any:
    """The registry of options with certificates in them, which have got their place."""
    registry = wanted(database__ca={"source": "upload", "pem": pem}, **changed)
    assert registry.database.ca.reference is None and "BEGIN" not in repr(registry)
    object.__setattr__(registry.database.ca, "reference", UPLOAD)
    return registry


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_ca_is_written_before_its_registry(kind):
    registry = with_pem(kind=kind)
    made = planned(registry, live(registry, registry=None, objects={("Secret", credentials.secret_name(NAMESPACE, "fraud")): None}, pods=()))
    assert steps(made) == [("create", "ConfigMap"), ("create", "Secret"), ("create", "ModelRegistry")]
    assert custom_resource.live_database(made.changes[2].body).get("verifyServerCert") == (True if kind == "mysql" else None)


def test_other_certificates_for_a_registry_restart_it():
    registry = with_pem()
    assert steps(planned(registry, live(registry, {("ConfigMap", UPLOAD.name): upload(content=NEW)}))) == []
    assert steps(planned(registry, live(registry, {("ConfigMap", UPLOAD.name): upload()}))) == [("update", "ConfigMap"), ("restart", "Deployment")]


@pytest.mark.parametrize("pem", ["", "no certificate"])
def test_a_ca_that_is_none_is_a_problem_of_its_option(pem):
    problems: list[Any] = []
    registry_from_options(options(database__ca={"source": "upload", "pem": pem}), NAMESPACE, problems, [])
    assert named(problems) == ["database.ca.pem"]
