"""Which cluster each host of an inventory is, and which hosts are one."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _inventory

FLEET = ["east", "west", "localhost"]


def refused(says: dict[str, Any], selected: str = "", clusters: str | None = None, is_slice: bool = False, **more: Any) -> _inventory.Refused:
    """What is refused in an inventory of these hosts; `more` are variables of all of them."""
    variables = {host: {**more, **({} if options is None else {"model_registry_cluster": options})} for host, options in says.items()}
    named = selected.split() or list(says)
    hosts = [host for host in says if host != "implicit"]
    return _inventory.hosts_to_refuse(variables, hosts, named, clusters, is_slice)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"context": "east"}, {"context": "east"}),
        ({}, {}),
        # Another account is no other cluster.
        ({"context": "east"}, {"context": "east", "api_key": "other"}),
        ({"kubeconfig": "clusters/east.yml"}, {"kubeconfig": "./clusters//east.yml"}),
        ({"kubeconfig": "~/.kube/config", "context": "a"}, {"kubeconfig": "~/.kube/config", "context": "a", "verify_ssl": False}),
        ({"kubeconfig": {"users": ["a"]}}, {"kubeconfig": {"users": ["a"]}}),
        ({"host": "https://API.example.com/"}, {"host": "https://api.example.com:443", "context": "west"}),
        ({"host": "https://api:none"}, {"host": "https://api:none"}),
    ],
)
@pytest.mark.parametrize("selected", ["", "west"])
def test_hosts_that_connect_to_one_cluster_are_refused_also_when_one_of_them_alone_is_selected(
    one: dict[str, Any], other: dict[str, Any], selected: str
) -> None:
    says = {"east": one, "north": {"context": "north"}, "west": other}
    assert refused(says, selected) == _inventory.Refused([], [["east", "west"]])
    assert refused(says, "north").same == []
    assert refused(says, selected, model_registries_same_cluster="yes").same == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"context": "east"}, {"context": "west"}),
        ({"context": "east"}, {"context": "east", "kubeconfig": "west.yml"}),
        ({"kubeconfig": "east.yml"}, {"kubeconfig": "east.yml", "context": "west"}),
        ({"kubeconfig": {"users": ["a"]}}, {"kubeconfig": {"users": ["b"]}}),
        ({"host": "https://api:6443"}, {"host": "https://api:6444"}),
        ({"host": "api1:6443"}, {"host": "api2:6443"}),
        ({"host": "https://api/k8s/clusters/1"}, {"host": "https://api/k8s/clusters/2"}),
        ({}, {"context": "west"}),
        ({}, None),
        ({}, "west"),
    ],
)
def test_hosts_that_may_be_different_clusters_are_not_refused_as_one(one: Any, other: Any) -> None:
    assert refused({"east": one, "west": other}).same == []


def test_a_host_of_several_has_to_say_which_cluster_it_is() -> None:
    assert refused({"west": None, "east": {}, "south": "text", "north": ["list"]}).silent == ["north", "south", "west"]
    assert refused({"west": None, "east": {}}, "east").silent == []
    assert refused({"east": None}).silent == [] and refused({"east": None}, is_slice=True).silent == ["east"]


@pytest.mark.parametrize(
    "empty", [{"context": None}, {"context": ""}, {"kubeconfig": "", "context": "east"}, {"kubeconfig": {}}, {"host": None, "api_key": "token"}]
)
def test_a_host_does_not_say_it_with_an_option_that_is_empty(empty: dict[str, Any]) -> None:
    assert refused({"west": empty, "east": {"context": "east"}}).silent == ["west"]
    for hosts in (["west"], ["east", "west"]):
        with pytest.raises(_inventory.RefusedError, match=r"(host|kubeconfig|context) in model_registry_cluster of west is empty"):
            _inventory.connection(empty, "west", hosts, None, True)


def test_hosts_are_compared_by_what_was_meant_whatever_its_type() -> None:
    same = {"east": {"host": " https://api.example.com "}, "west": {"host": "HTTPS://api.example.com"}}
    assert refused(same).same == [["east", "west"]]
    assert refused(same, model_registries_same_cluster="maybe").same == [["east", "west"]]
    # Without a scheme, what Python takes for one is the host.
    assert refused({"east": {"host": "api:6443"}, "west": {"host": "api:6443"}}).same == [["east", "west"]]
    assert refused({"east": {"kubeconfig": {"a": 1}}, "west": {"kubeconfig": {"a": 1}, "context": None}}).silent == ["west"]


def test_all_groups_with_a_selected_host_are_told_and_the_localhost_of_ansible_may_be_one_of_them() -> None:
    says = {name: {"context": name[0]} for name in ("a1", "b1", "a2", "c1", "b2", "c2")}
    assert refused(says, "a1 b2").same == [["a1", "a2"], ["b1", "b2"]]
    variables: dict[str, dict[str, Any]] = {"east": {"model_registry_cluster": {}}, "localhost": {}}
    made = _inventory.hosts_to_refuse(variables, ["east"], ["localhost"], "localhost", False)
    assert made == _inventory.Refused([], [["east", "localhost"]])


def test_localhost_in_an_inventory_of_clusters_has_to_say_it_too_unless_it_alone_is_named() -> None:
    says = {"west": {"context": "west"}, "localhost": None}
    assert refused(says).silent == refused(says, clusters="west,localhost").silent == ["localhost"]
    assert refused(says, "localhost", clusters="localhost") == _inventory.Refused([], [])
    # It is the cluster of the environment, and so is the other.
    assert refused({"west": {}, "localhost": None}, "localhost", clusters="localhost").same == [["west", "localhost"]]
    assert refused({"localhost": None}).silent == []


@pytest.mark.parametrize(
    ("host", "hosts", "clusters", "is_needed"),
    [
        ("east", FLEET, None, True),
        ("east", ["east"], None, False),
        ("localhost", FLEET, None, True),
        ("localhost", FLEET, "localhost", False),
        ("localhost", FLEET, "all", True),
        ("localhost", ["east", "west"], "localhost", False),
        ("localhost", ["east", "west"], "east,localhost", False),
        ("localhost", [], None, False),
    ],
)
def test_no_task_connects_to_the_cluster_of_the_environment_in_place_of_one_that_is_not_named(
    host: str, hosts: list[str], clusters: str | None, is_needed: bool
) -> None:
    if is_needed:
        with pytest.raises(_inventory.RefusedError, match=f"{host} does not set model_registry_cluster"):
            _inventory.connection(None, host, hosts, clusters, True)
    else:
        assert _inventory.connection(None, host, hosts, clusters, True) == {}
    given = {"context": "east"}
    assert _inventory.connection(given, host, hosts, clusters, True) is given


def test_no_task_connects_to_one_of_several_clusters_that_were_not_compared() -> None:
    for host in ("east", "localhost"):
        with pytest.raises(_inventory.RefusedError, match="the clusters of the inventory were not compared, because tasks were skipped"):
            _inventory.connection({"context": "east"}, host, ["east", "west"], None, False)
    assert _inventory.connection({"context": "east"}, "east", ["east"], None, False) == {"context": "east"}


def cluster(host: str, uid: str | None = None) -> dict[str, Any]:
    return {"host": host, "uid": uid}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (cluster("https://a:6443", "1"), cluster("https://b:6443", "1"), True),
        (cluster("https://a:6443", "1"), cluster("https://a:6443", "2"), False),
        (cluster("https://a:6443", "1"), cluster("https://a:6443"), True),
        (cluster("https://A.example.com./"), cluster("https://a.example.com:443"), True),
        (cluster("https://a:6443"), cluster("https://a:6444"), False),
        (cluster("https://a:none"), cluster("https://b:none"), False),
        (cluster("https://a/k8s/clusters/1"), cluster("https://a/k8s/clusters/2"), False),
    ],
)
def test_clusters_are_told_apart_by_their_identity_and_without_it_by_their_address(one: dict[str, Any], other: dict[str, Any], is_same: bool) -> None:
    assert _inventory.same_clusters({"x": one, "between": cluster("https://z", "9"), "y": other}) == ([["x", "y"]] if is_same else [])


def test_several_clusters_with_several_names_are_all_told() -> None:
    clusters = {name: cluster(f"https://{name}", uid) for name, uid in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "2"), ("e", "1"), ("f", "3"))}
    assert _inventory.same_clusters(clusters) == [["a", "c", "e"], ["b", "d"]]
