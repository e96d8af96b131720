"""Texts that others wrote, as they may be shown."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _texts
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
    assert _texts.line("x" * _texts.LONGEST) == "x" * _texts.LONGEST


def test_the_heads_of_log_lines_are_dropped() -> None:
    text = "Evidence: F0101 12:34:56.789012       1 cmd/main.go:42] Error 1045 (28000): Access denied"
    assert _texts.line(text) == "Evidence: Error 1045 (28000): Access denied"


def test_what_a_server_says_is_repeated_as_a_line_of_limited_length() -> None:
    for text in (*HOSTILE.values(), "x" * 2_000_000):
        error = SimpleNamespace(status=403, reason="", body=json.dumps({"kind": "Status", "message": text}).encode())
        said = str(client.refusal("reading", "https://api", error))
        assert said.isprintable() and f"responded with 403: {_texts.line(text)}" in said and len(said) < 2200


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no\nroute"), "no route"),
        # An exception without a text is told by its name.
        (TimeoutError(), "TimeoutError"),
        (ValueError("Invalid header value b'Bearer S3cret\\n'"), _texts.OF_HEADERS),
        (ValueError("'latin-1' codec can't encode character in\n'S3cret'"), _texts.OF_HEADERS),
        (ValueError("Failed to parse: http://me:S3cret@[one"), _texts.OF_ADDRESSES),
        (ValueError("sent to http://me:S3cret@one"), "sent to http://one"),
    ],
)
def test_a_reason_is_one_line_without_credentials(error: Exception, said: str) -> None:
    assert _texts.reason(error) == said


@pytest.mark.parametrize(
    ("status", "may_pass"), [(None, True), (429, True), (500, True), (503, True), (400, False), (401, False), (403, False), (404, False), (409, False)]
)
def test_only_an_api_server_that_is_busy_broken_or_silent_is_asked_again(status: int | None, may_pass: bool) -> None:
    assert _errors.ClusterError("no", status).may_pass is may_pass


def test_a_missing_library_is_named_with_the_command_that_installs_it() -> None:
    assert str(_errors.MissingLibraryError(["a"])) == "The Python library a is not installed where this task runs. Install it: pip install a"
    assert str(_errors.MissingLibraryError(["a", "b"])) == "The Python library a and b is not installed where this task runs. Install it: pip install a b"


def test_what_is_added_to_an_error_follows_its_text() -> None:
    error = _errors.ReportedError("It failed.")
    error.add("Try again.")
    assert str(error) == "It failed. Try again."
    error.add("")
    assert str(error) == "It failed. Try again."
