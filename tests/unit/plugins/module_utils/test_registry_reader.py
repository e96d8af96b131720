"""What is read of a cluster for plans: where something may be missing, and what is said of it then."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import registry_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import FORBIDDEN, NOT_FOUND, ClusterError, InputError
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import credentials, kinds

from .builders import NAMESPACE, TODAY, stored, wanted


class Cluster:
    """A cluster with these objects, by kind. What is an exception is raised."""

    def __init__(self, kept: Any = NAMESPACE, served: Any = ("groups",), **objects: Any) -> None:
        self.kept, self.served, self.objects, self.checked_namespaces, self.asked = kept, served, objects, set[str](), list[str]()

    def _found(self, api: tuple[str, str], asked: str) -> Any:
        self.asked.append(f"{asked} {api[1]}")
        found = self.objects.get(api[1], [])
        if isinstance(found, Exception):
            raise found
        return found

    def items(self, api: tuple[str, str], namespace: str, fieldSelector: str = "", **_query: str) -> list[Any]:
        name = fieldSelector.removeprefix("metadata.name=")
        here = [one for one in self._found(api, "list") if one["metadata"].get("namespace", NAMESPACE) == namespace]
        return [one for one in here if name in ("", one["metadata"]["name"])]

    def metadata(self, api: tuple[str, str], namespace: str) -> list[Any]:
        return self.items(api, namespace)

    def read(self, api: tuple[str, str], _namespace: str, name: str) -> Any:
        return next((one for one in self._found(api, "get") if one["metadata"]["name"] == name), None)

    def registries_namespace(self) -> str:
        if isinstance(self.kept, Exception):
            raise self.kept
        return str(self.kept)

    def serves(self, _version: str, plural: str) -> bool:
        return plural in self.served


def named(name: str, namespace: str = NAMESPACE, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, **metadata}, "data": {}}


def reader(kept: Any = NAMESPACE, **objects: Any) -> registry_reader.Reader:
    cluster: Any = Cluster(kept, **objects)
    return registry_reader.Reader(cluster, TODAY, NAMESPACE)


REFUSED, BROKEN, UNKNOWN = ClusterError("no", FORBIDDEN), ClusterError("broken", 500), ClusterError("the namespace is not known", NOT_FOUND)


@pytest.mark.parametrize(
    ("namespace", "kept", "namespaces", "problem", "remedy", "unseen"),
    [
        (NAMESPACE, NAMESPACE, BROKEN, None, None, []),
        ("typo", NAMESPACE, [], "does not exist", f"Set it to {NAMESPACE}, or omit it", []),
        ("data", NAMESPACE, [named("data")], "is not the registries namespace of the operator", f"Set it to {NAMESPACE}, or omit it", []),
        # What the namespace ought to be is known, whatever may not be read.
        ("typo", NAMESPACE, REFUSED, "is not the registries namespace of the operator", f"Set it to {NAMESPACE}, or omit it", []),
        ("typo", UNKNOWN, [], "does not exist", "Set it to the registries namespace", []),
        ("data", UNKNOWN, [named("data")], None, None, []),
        ("data", UNKNOWN, REFUSED, None, None, ["whether the namespace 'data' exists could not be determined: no"]),
    ],
)
def test_a_namespace_in_which_nothing_was_found_may_be_the_reason(
    namespace: str, kept: Any, namespaces: Any, problem: str | None, remedy: str | None, unseen: list[str]
) -> None:
    cluster: Any = Cluster(kept, namespaces=namespaces)
    told: list[str] = []
    if problem:
        with pytest.raises(InputError) as caught:
            registry_reader.need_namespace(cluster, namespace, told.append)
        [found] = caught.value.problems
        assert (found.option, found.problem, found.remedy, found.value) == ("namespace", problem, remedy, namespace)
    else:
        registry_reader.need_namespace(cluster, namespace, told.append)
        registry_reader.need_namespace(cluster, namespace, told.append)
        # Once it is known it is not asked again.
        assert cluster.asked == ([] if namespace == kept else ["get namespaces"])
    assert told == unseen


def with_host(host: str | None) -> dict[str, Any]:
    return stored(wanted(), host=host)


@pytest.mark.parametrize(
    ("host", "services", "said"),
    [
        ("db.data.svc", [named("db", "data")], ""),
        ("db.data.svc", [named("db"), named("other", "data")], "Service 'db' does not exist in namespace 'data'. Correct database.host or database.namespace"),
        ("db", [named("db", "data")], f"Service 'db' does not exist in namespace '{NAMESPACE}'."),
        ("db", [named("db")], ""),
        ("db.data.svc", REFUSED, ""),
        ("db.example.com", [], ""),
        (None, [], ""),
    ],
)
def test_a_host_that_is_no_service_is_told(host: str | None, services: Any, said: str) -> None:
    found = registry_reader.missing_service(reader(services=services), with_host(host))
    assert found.startswith(said) and bool(found) == bool(said)


@pytest.mark.parametrize(
    ("value", "can_be"), [("fraud", True), ("a.b_c-D9", True), ("a" * 63, True), ("a" * 64, False), ("-a", False), ("a-", False), ("", False)]
)
def test_objects_are_looked_for_by_a_label_only_where_one_can_have_it(value: str, can_be: bool) -> None:
    assert registry_reader.labelled(value, lambda: [named("one")]) == ([named("one")] if can_be else [])


@pytest.mark.parametrize(
    ("ingresses", "domains"),
    [
        ([], []),
        ([{"metadata": {"name": "cluster"}}], []),
        ([{"metadata": {"name": "cluster"}, "spec": {"domain": "apps.one", "appsDomain": ""}}], ["apps.one"]),
        ([{"metadata": {"name": "cluster"}, "spec": {"domain": "apps.one", "appsDomain": "apps.two"}}], ["apps.one", "apps.two"]),
    ],
)
def test_the_domains_of_the_ingress(ingresses: list[Any], domains: list[str]) -> None:
    assert reader(ingresses=ingresses).ingress_domains() == domains


@pytest.mark.parametrize(("groups", "found", "unseen"), [([named("g")], True, []), ([], False, []), (REFUSED, False, ["x could not be determined: no"])])
def test_a_group_is_read_for_advice_alone(groups: Any, found: bool, unseen: list[str]) -> None:
    told: list[str] = []
    assert (registry_reader.own_group(reader(groups=groups), "g", told.append, "x") is not None) is found and told == unseen
    # A cluster without groups refuses who has no right to them.
    assert registry_reader.own_group(reader(groups=REFUSED, served=()), "g", told.append, "x") is None and told == unseen


PREFIX = credentials.password_prefix("fraud")


def test_the_secrets_of_a_password_are_those_that_are_marked_as_such() -> None:
    secrets = [named(f"{PREFIX}a", generateName=PREFIX), named(f"{PREFIX}b"), named("other", generateName="other-db-")]
    told: list[str] = []
    assert registry_reader.password_secrets_of(reader(secrets=secrets), "fraud", told) == secrets[:1] and told == []
    assert registry_reader.password_secrets_of(reader(secrets=REFUSED), "fraud", told) == []
    assert told == ["obsolete Secrets for the password of registry 'fraud' could not be determined: no"]
    with pytest.raises(ClusterError, match="broken"):
        registry_reader.password_secrets_of(reader(secrets=BROKEN), "fraud", told)


def test_names_are_none_where_they_may_not_be_read() -> None:
    assert registry_reader.names_of(lambda: [named("a"), named("b")]) == {"a", "b"}
    assert registry_reader.names_of(lambda: reader(modelregistries=REFUSED).registries()) == frozenset()


@pytest.mark.parametrize(
    ("kind", "name", "unseen"),
    [
        ("Deployment", "fraud", ["whether the operator would overwrite Deployment 'fraud' could not be determined: no"]),
        (kinds.USER_GROUP, "fraud-users", ["whether the operator would overwrite Group 'fraud-users' could not be determined: no"]),
        ("Service", f"db.{NAMESPACE}x", []),
        ("Service", "db.", [f"whether database.host 'db' is a Service in namespace '{NAMESPACE}' could not be determined: no"]),
    ],
)
def test_what_may_not_be_looked_at_before_a_write_is_told(kind: str, name: str, unseen: list[str]) -> None:
    told: list[str] = []
    registry_reader._object(reader(deployments=REFUSED, groups=REFUSED, services=REFUSED), kind, name, told)
    assert told == unseen
