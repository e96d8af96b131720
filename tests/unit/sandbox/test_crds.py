"""The definitions say what the operators' own say, field by field."""

from __future__ import annotations

import importlib.util
import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.crds import custom_resource_definitions, registry_schema
from sandbox.generations import GENERATIONS
from sandbox.layout import Layout

TABLES = Path(__file__).resolve().parents[4] / "shared" / "crd"
VERSIONS = [("2.21", "v1alpha1"), ("2.25", "v1alpha1"), ("2.25", "v1beta1"), ("3.x", "v1alpha1"), ("3.x", "v1beta1")]


def definitions(product: str = "3.x", platform: str = "openshift") -> dict[str, Any]:
    layout = Layout("/nowhere", 99, product, platform)
    return {definition["metadata"]["name"]: definition for definition in custom_resource_definitions(layout, b"a CA")}


def registries(product: str) -> Any:
    return definitions(product)["modelregistries.modelregistry.opendatahub.io"]


@pytest.mark.parametrize(("product", "version"), VERSIONS)
def test_the_schema_equals_the_table_of_the_real_one(product: str, version: str, tmp_path: Path) -> None:
    table = TABLES / f"{GENERATIONS[product].operator}-{version}.tsv"
    spec = registry_schema(product, version)["properties"]["spec"]
    if not TABLES.exists():
        # A clone on its own: the tables stay with the project's papers. What the tables would say of the fields that other code depends on:
        assert set(spec["required"]) == ({"rest"} if (product, version) == ("3.x", "v1beta1") else {"rest", "grpc"})
        assert ("kubeRBACProxy" in spec["properties"]) == ((product, version) == ("3.x", "v1beta1"))
        assert ("generateDeployment" in spec["properties"]["postgres"]["properties"]) == ((product, version) == ("3.x", "v1beta1"))
        assert ("istio" in spec["properties"]) == (version == "v1alpha1")
        return
    loader = importlib.util.spec_from_file_location("flatten", TABLES / "flatten.py")
    assert loader and loader.loader
    flatten = importlib.util.module_from_spec(loader)
    loader.loader.exec_module(flatten)
    file = tmp_path / "crd.yaml"
    file.write_text(yaml.safe_dump(registries(product)))
    printed = io.StringIO()
    with redirect_stdout(printed):
        flatten.main(str(file), version)
    assert printed.getvalue() == table.read_text()


def test_databases_are_checked_by_rules_today() -> None:
    postgres = registry_schema("3.x", "v1beta1")["properties"]["spec"]["properties"]["postgres"]
    assert [rule["message"] for rule in postgres["x-kubernetes-validations"]] == [
        "GenerateDeployment must be set to true if host/hostAddress are not provided",
        "Username must be set if database is specified",
        "host and hostAddress must not be set when generateDeployment is true",
    ]


def test_two_versions_are_converted_by_the_operator_and_one_is_not() -> None:
    conversion = registries("3.x")["spec"]["conversion"]
    assert conversion["webhook"]["clientConfig"]["url"] == "https://127.99.0.5:9444/convert"
    assert "conversion" not in registries("2.21")["spec"]


def test_exactly_one_version_is_stored() -> None:
    for product in GENERATIONS:
        for definition in definitions(product).values():
            assert [version["storage"] for version in definition["spec"]["versions"]].count(True) == 1


def test_a_plain_cluster_has_the_registries_and_nothing_of_openshift() -> None:
    assert set(definitions(platform="kubernetes")) == {
        "modelregistries.modelregistry.opendatahub.io",
        "modelregistries.components.platform.opendatahub.io",
    }
    assert {"routes.route.openshift.io", "groups.user.openshift.io", "httproutes.gateway.networking.k8s.io"} <= set(definitions())


def test_the_next_product_has_another_singleton_and_the_same_registries() -> None:
    before, after = set(definitions("3.x")), set(definitions("3.6"))
    assert registries("3.6") == registries("3.x")
    assert before - after == {"modelregistries.components.platform.opendatahub.io"}
    assert after - before == {"aihubs.components.platform.opendatahub.io", "catalogs.aihub.opendatahub.io"}
