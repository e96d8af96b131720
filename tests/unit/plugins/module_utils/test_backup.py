"""The module for backups, as far as it needs no cluster."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import backup

NOTHING = {**dict.fromkeys(_options.BACKUP), "name": "models", "checksum": False}


def wrong(**options):
    return [problem.option for problem in backup.input_problems({**NOTHING, **options})]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"dest": "/backups", "keep_count": 1, "keep_days": 0, "checksum": True}, []),
        ({"command": ["cat"]}, []),
        ({"dest": " "}, ["dest"]),
        ({"dest": "/backups", "name": "a/b"}, ["name"]),
        ({"dest": "/backups", "keep_count": 0}, ["keep_count"]),
        ({"dest": "/backups", "keep_days": -1}, ["keep_days"]),
        ({"command": []}, ["command"]),
        ({"command": [" ", "x"]}, ["command"]),
        ({"command": ["cat"], "keep_count": 3, "checksum": True}, ["keep_count", "checksum"]),
        ({"command": ["cat"], "keep_days": 0}, ["keep_days"]),
    ],
)
def test_options_are_checked_before_the_cluster_is_asked(options, expected):
    assert wrong(**options) == expected


def test_a_result_without_a_backup_is_no_change():
    assert backup.Outcome().result(False)["changed"] is False
