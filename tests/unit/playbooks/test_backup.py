"""The playbook that backs up registries, in front of modules that answer what they are told to."""

from __future__ import annotations

from collections.abc import Callable

from tests.found import found, registry
from tests.playing import Played

Play = Callable[..., Played]
WRITTEN = {"changed": True, "summary": "12 rows, 345 bytes to /backups/one.zip", "backup": {"rows": 12}, "removed": []}


def test_every_registry_is_backed_up_and_told(play: Play) -> None:
    done = play("backup", model_registry_info=found(registry("one"), registry("two")), model_registry_backup=WRITTEN)
    assert done.code == 0, done.output
    assert "east: one: 12 rows, 345 bytes to /backups/one.zip" in done.summary and "east: two: 12 rows" in done.summary
    alone = play("backup", variables={"model_registry_name": "two"}, model_registry_info=found(registry("one"), registry("two")), model_registry_backup=WRITTEN)
    assert alone.code == 0 and "east: two: 12 rows" in alone.summary and "one:" not in alone.summary


def test_a_failure_is_told_for_each_registry_and_fails_the_run(play: Play) -> None:
    refused = {"failed": True, "msg": "The database {{ 6 * 7 }} is not there"}
    failed = play("backup", model_registry_info=found(registry("one"), registry("two")), model_registry_backup=refused)
    assert failed.code and "east: one: FAILED: The database { { 6 * 7 }} is not there" in failed.summary and "east: two: FAILED" in failed.summary, (
        failed.output
    )
    unread = play("backup", model_registry_info=refused)
    assert unread.code and "east: FAILED: The database" in unread.summary, unread.output
    assert "east: the cluster has no registries" in play("backup", model_registry_info=found()).summary


def test_check_mode_says_that_nothing_was_written(play: Play) -> None:
    done = play("backup", "--check", model_registry_info=found(registry("one")), model_registry_backup=WRITTEN)
    assert done.code == 0 and "east: one: would be written: 12 rows, 345 bytes to /backups/one.zip" in done.summary, done.output
