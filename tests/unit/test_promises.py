"""Every sentence of the page about what the collection never does is a test of its own, found by its name."""

from __future__ import annotations

import ast
import functools
import re

import pytest

from sandbox.layout import ROOT

PAGE = ROOT / "docs" / "docsite" / "rst" / "never.rst"
TESTS = ROOT / "tests"

pytestmark = pytest.mark.usefixtures("without_garbage_collection")


def sentences() -> list[str]:
    """The sentences of the page's lists."""
    items: list[str] = re.findall(r"^\* (.+(?:\n  .+)*)", PAGE.read_text(), re.MULTILINE)
    return [" ".join(item.split()) for item in items]


def name_of(sentence: str) -> str:
    """How the test of a sentence is called."""
    return "test_" + re.sub(r"[^a-z0-9]+", "_", sentence.lower()).strip("_")


@functools.cache
def every_test() -> dict[str, ast.FunctionDef]:
    """All tests by name."""
    files = [ast.parse(file.read_text()) for file in TESTS.rglob("test_*.py")]
    return {node.name: node for file in files for node in file.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("sentence", sentences(), ids=name_of)
def test_a_sentence_has_a_test_of_its_name(sentence: str) -> None:
    assert name_of(sentence) in every_test()


def test_every_list_item_is_one_sentence() -> None:
    found = sentences()
    assert len(found) > 20
    assert [item for item in found if not re.fullmatch(r"[A-Z][^.]*\.", item)] == []
    assert len({name_of(item) for item in found}) == len(found)


@pytest.mark.parametrize("sentence", sentences(), ids=name_of)
def test_the_test_of_a_sentence_can_fail(sentence: str) -> None:
    """A test without an assertion, of its own or of a function that it calls by a name that says so, proves nothing."""
    test = every_test()[name_of(sentence)]
    calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
    names = [call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls]
    assert any(isinstance(node, ast.Assert) for node in ast.walk(test)) or any(name.startswith("assert_") or name == "raises" for name in names)
