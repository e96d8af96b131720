"""The playbook that moves a registry, in front of modules that answer what they are told to."""

from __future__ import annotations

from collections.abc import Callable

from tests.playing import Played

Play = Callable[..., Played]
SOURCE = {"type": "generated", "host": "one-postgres.ns.svc", "name": "model_registry"}
MOVED = {"changed": True, "migration": {"rows": 12, "writes_held_seconds": 4.5, "source": SOURCE}}


def test_what_was_moved_is_told(play: Play) -> None:
    done = play("migrate", variables={"model_registry_name": "one"}, model_registry_migrate=MOVED)
    assert done.code == 0, done.output
    for part in ("east/one: moved: 12 rows", "blocked for 4.5 s", "model_registry on one-postgres.ns.svc was not deleted"):
        assert part in done.summary, done.summary
    again = play("migrate", variables={"model_registry_name": "one"}, model_registry_migrate={"changed": False, "migration": {}})
    assert "east/one: the registry already uses this database" in again.summary, again.output


def test_a_failure_is_told_and_fails_the_run(play: Play) -> None:
    failed = play("migrate", variables={"model_registry_name": "one"}, model_registry_migrate={"failed": True, "msg": "The database {{ 6 * 7 }} is not there"})
    assert failed.code and "east/one: FAILED: The database { { 6 * 7 }} is not there" in failed.summary, failed.output
    unnamed = play("migrate", model_registry_migrate=MOVED)
    assert unnamed.code and "model_registry_name=NAME" in unnamed.output
