"""How the warnings of a run are told."""

from __future__ import annotations

from ansible_collections.modelops.openshift_ai.plugins.module_utils._module import MOST_NAMES, grouped


def test_a_thousand_registries_give_one_warning_of_a_kind_with_their_names():
    names = [f"registry-{number}" for number in range(1000)]
    older = [f"registry {name!r}: the server is older than the database's certificates in Secret '{name}-db-x1': run again" for name in names]
    refused = [
        f'registry {name!r}: not seen: reading secrets/{name}-db in ns: the API server responded with 403: secrets "{name}-db" is forbidden' for name in names
    ]
    told = grouped([*older, "something else", *refused])
    assert len(told) == 3 and told[1] == "something else"
    for warning, first in ((told[0], older[0]), (told[2], refused[0])):
        assert warning.startswith(first) and "'registry-1', 'registry-2'" in warning and f"and {999 - MOST_NAMES} more" in warning


def test_warnings_of_other_kinds_are_told_as_they_are():
    warnings = ["group 'a' does not exist.", "user 'a' does not exist.", "the certificate is not checked"]
    assert grouped(warnings) == warnings
    assert grouped(["group 'a' does not exist.", "group 'b' does not exist."]) == ["group 'a' does not exist. This also applies to 'b'."]
    assert grouped([]) == []
