"""The playbook that makes a registry again from its backup, in front of modules that answer what they are told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.playing import Played

Play = Callable[..., Played]
CHOICE = {"model_registry_restore_file": "/backups/one.zip"}
SECRET = {"name": "one-db-abcde", "key": "database-password"}
DATABASE = {"type": "mysql", "host": "old.example.com", "port": 3306, "name": "one", "username": "u", "password_secret": SECRET, "ca": {"source": "cluster"}}
DEFINITION = {
    "name": "one",
    "namespace": "elsewhere",
    "display_name": "{{ 6 * 7 }}",
    "description": "#jinja2: block_start_string:'['\n[ 6 ]",
    "database": DATABASE,
    "permissions": {"groups": ["{% raw %}team"]},
}
MADE = {"changed": True, "cluster": {"host": "https://east.example.com"}}
RESTORED = {"changed": True, "summary": "12 rows of registry one"}


@pytest.fixture
def recover(play: Play, tmp_path: Path) -> Callable[..., tuple[Played, Any, Any]]:
    """Runs the playbook: what it printed, and the options with which a registry was made and restored, None where it was not."""

    def run(*options: str, variables: dict[str, Any], definition: dict[str, Any], **answers: dict[str, Any]) -> tuple[Played, Any, Any]:
        said = [tmp_path / f"{name}.options" for name in ("model_registries", "model_registry_restore")]
        for path in said:
            path.unlink(missing_ok=True)
        answers = {"model_registry_backup_info": {"registry": definition}, "model_registries": MADE, "model_registry_restore": RESTORED} | answers
        done = play("recover", *options, variables=CHOICE | variables, **answers)
        made, restored = (json.loads(path.read_text()) if path.exists() else None for path in said)
        return done, made and made["registries"][0], restored

    return run


def test_the_registry_is_made_as_the_backup_says_with_the_password_given_anew(
    recover: Callable[..., tuple[Played, Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, made, restored = recover(variables={"model_registry_database_password": "secret-word"}, definition=DEFINITION)
    assert done.code == 0 and "east/one: configuration written; restored: 12 rows of registry one" in done.summary, done.output
    assert made == DEFINITION | {"namespace": None, "database": DATABASE | {"password": "secret-word", "password_secret": None}}
    assert restored["name"] == "one" and restored["src"] == "/backups/one.zip" and "secret-word" not in done.output
    assert done.servers == {"east: API server https://east.example.com"}
    # Without a password, the Secret that still exists is used. Other settings replace those of the backup.
    given = {"database_host": "new.example.com", "database_port": 3307, "ca_source": "secret", "ca_name": "ca", "ca_key": "ca.crt", "name": "two"}
    monkeypatch.delenv("MODEL_REGISTRY_DATABASE_PASSWORD", raising=False)
    _done, made, restored = recover(variables={f"model_registry_{name}": value for name, value in given.items()}, definition=DEFINITION)
    assert made["database"] == DATABASE | {"host": "new.example.com", "port": "3307", "ca": {"source": "secret", "name": "ca", "key": "ca.crt"}}
    assert made["name"] == restored["name"] == "two"
    # A generated database has no password of anybody's.
    monkeypatch.setenv("MODEL_REGISTRY_DATABASE_PASSWORD", "secret-word")
    _done, made, _restored = recover(variables={}, definition={"name": "one", "database": {"type": "generated"}})
    assert made["database"] == {"type": "generated"}
    _done, made, _restored = recover(variables={}, definition={"name": "one", "database": DATABASE})
    assert made["database"]["password"] == "secret-word"


def test_what_fails_is_told_and_nothing_is_done_after_it(recover: Callable[..., tuple[Played, Any, Any]]) -> None:
    failure = {"failed": True, "msg": "It is {{ 6 * 7 }} damaged"}
    said = "FAILED: It is { { 6 * 7 }} damaged"
    failed, made, _restored = recover(variables={}, definition=DEFINITION, model_registry_backup_info=failure)
    assert failed.code and f"east/the backup: {said}" in failed.summary and made is None, failed.output
    failed, made, restored = recover(variables={}, definition=DEFINITION, model_registries=failure | MADE)
    assert failed.code and f"east/one: {said}" in failed.summary and made and restored is None, failed.output
    failed, made, restored = recover(variables={}, definition=DEFINITION, model_registry_restore=failure)
    assert failed.code and f"east/one: {said.replace('It', 'configuration written; It')}" in failed.summary and restored, failed.output


def test_check_mode_restores_only_into_a_registry_that_is_there(recover: Callable[..., tuple[Played, Any, Any]]) -> None:
    predicted, _made, restored = recover("--check", variables={}, definition=DEFINITION)
    assert predicted.code == 0 and "east/one: the configuration would be written, and then the data restored" in predicted.summary, predicted.output
    assert restored is None
    predicted, _made, restored = recover("--check", variables={}, definition=DEFINITION, model_registries=MADE | {"changed": False})
    assert "east/one: configuration unchanged; would be restored: 12 rows of registry one" in predicted.summary and restored, predicted.output
