"""What the sandbox's operator makes is what the product's own operator made, object by object.

The folder with those objects is not part of the project: `SANDBOX_GOLDEN` names it, or it is `shared/golden` beside the checkout's folder. Where it is not
there, the end of `make test` lists these tests as not run.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.kube import Api, path
from sandbox.layout import REGISTRIES_NAMESPACE
from tests import golden
from tests.helpers import REGISTRIES, SECONDS, Cluster, until

Object = dict[str, Any]
PASSWORD, CERTIFICATES, CLIENT, SOURCE = "g-db", "g-ca", "g-client", "g-source"
# Kind, and where it is served.
KINDS = {
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "ConfigMap": ("v1", "configmaps", True),
    "Deployment": ("apps/v1", "deployments", True),
    "Group": ("user.openshift.io/v1", "groups", False),
    "ModelRegistry": (*REGISTRIES, True),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies", True),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims", True),
    "Role": ("rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings", True),
    "Route": ("route.openshift.io/v1", "routes", True),
    "Secret": ("v1", "secrets", True),
    "Service": ("v1", "services", True),
    "ServiceAccount": ("v1", "serviceaccounts", True),
}
# What the API server and other controllers add, or what is another in every cluster.
BOOKKEEPING = {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"}
ADDED_ANNOTATIONS = ("banzaicloud.com/", "deployment.kubernetes.io/revision", "service.beta.openshift.io/", "openshift.io/host.generated", "pv.kubernetes.io/")
ADDED_SPECS = {
    "Service": {"clusterIP", "clusterIPs", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "sessionAffinity"},
    "PersistentVolumeClaim": {"volumeName", "storageClassName"},
}
PLACEHOLDER = re.compile(r"<(\d+) (characters|bytes)(?:, sha256 ([0-9a-f]+))?>")


def objects_of(file: Path) -> list[Object]:
    return [item for item in yaml.safe_load_all(file.read_text()) if item]


def compared(item: Object) -> Object:
    """An object without what is another in every cluster."""
    metadata = {name: value for name, value in item["metadata"].items() if name not in BOOKKEEPING}
    annotations = {name: value for name, value in metadata.pop("annotations", {}).items() if not name.startswith(ADDED_ANNOTATIONS)}
    owners = [{name: value for name, value in owner.items() if name != "uid"} for owner in metadata.pop("ownerReferences", [])]
    metadata |= ({"annotations": annotations} if annotations else {}) | ({"ownerReferences": owners} if owners else {})
    rest = {name: value for name, value in item.items() if name not in ("metadata", "status")}
    if item["kind"] == "Secret" and item["type"] == "kubernetes.io/tls":
        rest["data"] = dict.fromkeys(item["data"], "a certificate or key")
    if "spec" in rest:
        rest["spec"] = {name: value for name, value in rest["spec"].items() if name not in ADDED_SPECS.get(item["kind"], ())}
    return rest | {"metadata": metadata}


def differences(there: Any, here: Any, where: str = "") -> list[str]:
    """The paths at which two objects differ, with both values; a text that was only noted by its length or digest is compared by that."""
    if isinstance(there, dict) and isinstance(here, dict):
        return [found for name in sorted({*there, *here}) for found in differences(there.get(name), here.get(name), f"{where}.{name}")]
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        return [found for index, (one, other) in enumerate(zip(there, here, strict=True)) for found in differences(one, other, f"{where}[{index}]")]
    noted = PLACEHOLDER.fullmatch(there) if isinstance(there, str) and isinstance(here, str) else None
    if noted:
        length, unit, digest = noted.groups()
        # Of a long text of the product, such as its list of models, only the length was noted: that it is there is enough.
        same = hashlib.sha256(here.encode()).hexdigest().startswith(digest) if digest else unit == "characters" or len(here) == int(length)
        return [] if same else [f"{where}: {there} there, {here!r} here"]
    return [] if there == here else [f"{where}: {there!r} there, {here!r} here"]


@pytest.fixture(scope="module")
def inputs(cluster: Cluster) -> Iterator[None]:
    """What the registries of the folder refer to."""
    made = [
        ("secrets", PASSWORD, {"database-password": "x"}),
        ("secrets", CERTIFICATES, {"ca.crt": "x"}),
        ("secrets", CLIENT, {"tls.crt": "x", "tls.key": "x"}),
    ]
    for plural, name, texts in made:
        cluster.create("v1", plural, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts})
    made += [("configmaps", CERTIFICATES, {"ca.crt": "x"}), ("configmaps", SOURCE, {"sources.yaml": "catalogs: []"})]
    for plural, name, texts in made[-2:]:
        labels = {"opendatahub.io/catalog-source": "true"} if name == SOURCE else {}
        cluster.create("v1", plural, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": texts})
    yield
    for plural, name, _texts in made:
        cluster.delete("v1", plural, name)


def wanted(file: Path) -> Object:
    """The registry of a file as it was sent: only what a person or the dashboard says."""
    stored = next(item for item in objects_of(file) if item["kind"] == "ModelRegistry")
    spec = {"grpc": {}, "rest": {}, "kubeRBACProxy": {}} | {name: value for name, value in stored["spec"].items() if name in ("mysql", "postgres")}
    if spec.get("postgres", {}).get("generateDeployment"):
        spec["postgres"] = {"generateDeployment": True}
    version = "v1beta1"
    if file.stem.endswith("v1alpha1"):
        version = "v1alpha1"
        spec["oauthProxy"] = spec.pop("kubeRBACProxy")
    metadata = {"name": file.stem, "annotations": stored["metadata"]["annotations"]}
    return {"apiVersion": f"modelregistry.opendatahub.io/{version}", "kind": "ModelRegistry", "metadata": metadata, "spec": spec}


def found_of(cluster: Cluster, there: Object) -> Object | None:
    version, plural, namespaced = KINDS[there["kind"]]

    async def find(api: Api) -> Any:
        return await api.find(path(version, plural, REGISTRIES_NAMESPACE if namespaced else None, there["metadata"]["name"]))

    found: Object | None = cluster.call(find)
    return found


def assert_equal(cluster: Cluster, there: list[Object]) -> None:
    """Every object is there, and equal to what the product's operator made. Some are completed by Kubernetes a moment after they were made."""

    def wrong() -> list[str]:
        found = []
        for item in there:
            here = until(partial(found_of, cluster, item))
            name = f"{item['kind']} {item['metadata']['name']}"
            found += [f"{name}{difference}" for difference in differences(compared(item), compared(here))]
        return found

    deadline = time.monotonic() + SECONDS
    while (left := wrong()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []


@pytest.mark.parametrize("file", golden.files("g-*.yaml", without="g-deleted.yaml"), ids=lambda file: file.stem)
def test_a_registry_has_the_objects_of_the_products_operator(cluster: Cluster, inputs: None, file: Path) -> None:
    manifest = wanted(file)
    cluster.create(manifest["apiVersion"], "modelregistries", manifest)
    try:
        assert_equal(cluster, objects_of(file))
    finally:
        cluster.delete(*REGISTRIES, file.stem)
        # Also of a generated database, which the next run would find.
        until(lambda: cluster.registry(file.stem) is None and not of_registry(cluster, file.stem))
        cluster.delete("rbac.authorization.k8s.io/v1", "clusterrolebindings", f"{file.stem}-auth-delegator", None)


@pytest.mark.parametrize("file", golden.files("g-deleted.yaml"), ids=lambda file: file.stem)
def test_a_deleted_registry_leaves_what_the_products_operator_leaves(cluster: Cluster, file: Path) -> None:
    left = objects_of(file)
    spec = {"grpc": {}, "rest": {}, "kubeRBACProxy": {}, "postgres": {"generateDeployment": True}}
    cluster.create(*REGISTRIES, {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "metadata": {"name": file.stem}, "spec": spec})
    try:
        until(lambda: found_of(cluster, left[0]))
        cluster.delete(*REGISTRIES, file.stem)
        until(lambda: cluster.registry(file.stem) is None)
        until(lambda: not of_registry(cluster, file.stem))
        assert_equal(cluster, left)
    finally:
        cluster.delete("rbac.authorization.k8s.io/v1", "clusterrolebindings", f"{file.stem}-auth-delegator", None)


def of_registry(cluster: Cluster, name: str) -> list[str]:
    """What a deletion takes away with a registry and its generated database."""
    kinds = (("apps/v1", "deployments"), ("v1", "persistentvolumeclaims"), ("v1", "secrets"), ("v1", "services"))
    names = [item["metadata"]["name"] for version, plural in kinds for item in cluster.items(version, plural)]
    return [found for found in names if found.startswith(name)]


@pytest.mark.parametrize("file", golden.files("model-catalog.yaml"), ids=lambda file: file.stem)
def test_the_model_catalog_has_the_objects_of_the_products_operator(cluster: Cluster, inputs: None, file: Path) -> None:
    mount = {"name": f"labeled-{SOURCE}", "mountPath": f"/data/labeled-sources/{SOURCE}"}
    until(lambda: mount in cluster.get("apps/v1", "deployments", "model-catalog")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"])
    assert_equal(cluster, objects_of(file))
