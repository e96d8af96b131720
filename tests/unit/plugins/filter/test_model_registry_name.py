from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.filter.model_registry_name import FilterModule
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.naming import name_problems

derived = FilterModule().filters()["model_registry_name"]


@pytest.mark.parametrize(
    ("display_name", "name"),
    [
        ("Fraud models", "fraud-models"),
        ("  Fraud \t Models!  ", "fraud-models"),
        ("Größe {{ 7 * 7 }} 'x'", "gre-7-7-x"),
        ("--a--b--", "a-b"),
        ("M" * 39 + " x", "m" * 39),
        (" \t ", ""),
    ],
)
def test_a_name_is_the_one_that_the_dashboard_derives(display_name: str, name: str) -> None:
    assert derived(display_name) == name


def test_a_display_name_without_a_usable_character_gets_a_name_that_a_second_run_finds_again() -> None:
    name = derived("欺诈模型")
    assert name.startswith("gen-") and len(name) == 10 and name_problems(name) == []
    assert derived(" 欺诈模型 ") == name != derived("风险模型")


def test_what_is_no_text_is_refused_with_its_value() -> None:
    with pytest.raises(AnsibleFilterError, match="not 7"):
        derived(7)
