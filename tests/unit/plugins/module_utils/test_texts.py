"""Texts that others wrote, as they may be shown."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from tests.hostile_texts import texts

HOSTILE = texts(Path("/nowhere/canary"))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_line_is_one_line_that_no_terminal_obeys_and_no_template_begins(text: str) -> None:
    line = _texts.inert(text)
    assert line.isprintable() and len(line) <= _texts.LONGEST + 40
    assert not any(mark in line for mark in ("{{", "{%", "{#")) and not line.startswith("#jinja2:")


def test_what_people_write_is_shown_as_it_is() -> None:
    for text in ("Größe, שלום, 中文, 🎉", "نمی\u200cبینم", '{"groups": ["a"]}', "C:\\temp", "50 % of {all}"):
        assert _texts.inert(text) == text


def test_what_is_not_shown_is_named() -> None:
    assert _texts.line("a\x1b[2Jb\u202ec\x9bd\n  e\x85f") == "a\\x1b[2Jb\\u202ec\\x9bd e f"


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert _texts.line("x" * (_texts.LONGEST + 500)) == f"{'x' * _texts.LONGEST} … (500 more characters)"


def test_the_heads_of_log_lines_are_dropped() -> None:
    text = "Evidence: F0101 12:34:56.789012       1 cmd/main.go:42] Error 1045 (28000): Access denied"
    assert _texts.line(text) == "Evidence: Error 1045 (28000): Access denied"


def test_what_a_server_says_is_repeated_as_a_line_of_limited_length() -> None:
    for text in (*HOSTILE.values(), "x" * 2_000_000):
        error = SimpleNamespace(status=403, reason="", body=json.dumps({"kind": "Status", "message": text}).encode())
        said = str(client.refusal("reading", "https://api", error))
        assert said.isprintable() and f"responded with 403: {_texts.line(text)}" in said and len(said) < 2200
