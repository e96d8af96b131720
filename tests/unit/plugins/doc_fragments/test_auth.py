"""The documented authentication options are those of the installed kubernetes.core, no more and no fewer."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP, AUTH_ARG_SPEC

from ansible_collections.modelops.openshift_ai.plugins.doc_fragments.auth import ModuleDocFragment

DOCUMENTED: dict[str, dict[str, Any]] = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
# What kubernetes.core calls an option in the environment: by its own name, or by that of the client's setting.
SETTINGS = {option: setting for setting, option in AUTH_ARG_MAP.items()}


def shape(options: dict[str, dict[str, Any]], nested: str) -> dict[str, tuple[Any, ...]]:
    """Each option's type, type of elements, aliases and nested options."""
    return {
        name: (option.get("type", "str"), option.get("elements"), sorted(option.get("aliases", [])), shape(option.get(nested, {}), nested))
        for name, option in options.items()
    }


def text(option: dict[str, Any]) -> str:
    return " ".join(option["description"])


def test_the_options_are_those_of_kubernetes_core() -> None:
    assert shape(DOCUMENTED, "suboptions") == shape(AUTH_ARG_SPEC, "options")


@pytest.mark.parametrize("name", [name for name in AUTH_ARG_SPEC if name != "proxy_headers"])
def test_the_environment_variables_are_named(name: str) -> None:
    for variable in (f"K8S_AUTH_{name.upper()}", f"K8S_AUTH_{SETTINGS.get(name, name).upper()}"):
        assert f"E({variable})" in text(DOCUMENTED[name])


def test_the_environment_variables_of_the_proxy_headers_are_named() -> None:
    for name, option in DOCUMENTED["proxy_headers"]["suboptions"].items():
        assert f"E(K8S_AUTH_PROXY_HEADERS_{name.upper()})" in text(option)
