"""Every option of a registry is documented where it is taken, and told of in the guide for those who know the dashboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.doc_fragments.database import ModuleDocFragment
from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options

ROOT = Path(__file__).resolve().parents[4]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "from_the_dashboard.rst").read_text()


def of_module(name: str) -> dict[str, Any]:
    source = (ROOT / "plugins" / "modules" / f"{name}.py").read_text()
    documentation: dict[str, Any] = yaml.safe_load(re.search(r'DOCUMENTATION = r"""(.*?)"""', source, re.DOTALL)[1])["options"]
    return documentation


DOCUMENTED = {
    "database": yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["database"],
    **{name: of_module(name)["database"] for name in ("model_registry_ca", "model_registry_database_info")},
    "model_registry_migrate": of_module("model_registry_migrate")["to"]["suboptions"]["database"],
}


def shape(options: dict[str, Any], nested: str) -> dict[str, Any]:
    return {
        name: (option["type"], option.get("choices"), option.get("default"), option.get("required", False), shape(option.get(nested, {}), nested))
        for name, option in options.items()
    }


@pytest.mark.parametrize("where", DOCUMENTED)
def test_the_options_of_a_database_are_documented_as_they_are_taken(where: str) -> None:
    assert shape(DOCUMENTED[where]["suboptions"], "suboptions") == shape(_options.DATABASE, "options")


@pytest.mark.parametrize("option", [field.option for field in _options.FIELDS])
def test_the_guide_names_every_option_of_a_registry(option: str) -> None:
    assert f"``{option}``" in GUIDE or f"``{option}:" in GUIDE


@pytest.mark.parametrize("field", [field for field in _options.DATABASE_FIELDS if _options.GENERATED not in field.types and len(field.types) == 1])
def test_what_only_one_type_of_database_has_is_documented_so(field: _options.Field) -> None:
    other = {_options.MYSQL: "PostgreSQL", _options.POSTGRESQL: "MySQL"}[field.types[0]]
    assert f"The module fails for {other}." in str(DOCUMENTED["database"]["suboptions"][field.name]["description"])
