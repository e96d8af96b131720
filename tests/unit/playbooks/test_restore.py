"""The playbook that restores a registry, in front of a module that answers what it is told to."""

from __future__ import annotations

from collections.abc import Callable

from tests.playing import Played

Play = Callable[..., Played]
CHOICE = {"model_registry_name": "one", "model_registry_restore_file": "/backups/one.zip"}


def test_what_was_restored_is_told(play: Play) -> None:
    done = play("restore", variables=CHOICE, model_registry_restore={"changed": True, "summary": "12 rows of registry one"})
    assert done.code == 0 and "east/one: restored: 12 rows of registry one" in done.summary, done.output
    again = play("restore", variables=CHOICE, model_registry_restore={"changed": False, "summary": "unchanged: the database already has the 12 rows"})
    assert again.code == 0 and "east/one: unchanged" in again.summary, again.output


def test_a_failure_is_told_and_fails_the_run(play: Play) -> None:
    failed = play("restore", variables=CHOICE, model_registry_restore={"failed": True, "msg": "The database {{ 6 * 7 }} is not empty"})
    assert failed.code and "east/one: FAILED: The database { { 6 * 7 }} is not empty" in failed.summary, failed.output
    nameless = play("restore", variables={}, model_registry_restore={"changed": True, "summary": "12 rows"})
    assert nameless.code and "12 rows" not in nameless.output, nameless.output
