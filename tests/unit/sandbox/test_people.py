"""The sandbox's people, before anything runs."""

from __future__ import annotations

import pytest

from sandbox import people
from sandbox.layout import Layout


def test_every_login_gives_a_new_token_of_the_same_person() -> None:
    first, second = people.token("alice"), people.token("alice")
    assert first != second
    assert people.owner(first) == people.owner(second) == people.owner("sandbox-alice") == "alice"


@pytest.mark.parametrize("bearer", ["", "alice", "sandbox-", "sandbox-mallory", "sandbox-alicent", "other-alice", "sandbox-admin"])
def test_other_tokens_belong_to_nobody(bearer: str) -> None:
    assert people.owner(bearer) is None


def test_there_is_no_token_for_strangers() -> None:
    with pytest.raises(ValueError, match="nobody is called mallory: there are alice, "):
        people.token("mallory")


def test_openshift_lists_groups_and_those_users_who_have_logged_in() -> None:
    listed = {(item["kind"], item["metadata"]["name"]): item for item in people.manifests(Layout("unused", 60))}
    assert listed["Group", "data-scientists"]["users"] == ["alice", "bob"]
    assert ("User", "alice") in listed
    assert ("User", people.NEVER_LOGGED_IN) not in listed
    assert people.NEVER_LOGGED_IN in people.PEOPLE


def test_plain_kubernetes_has_no_users_and_groups() -> None:
    assert people.manifests(Layout("unused", 60, platform="kubernetes")) == []


def test_a_shell_gets_a_token_of_everybody() -> None:
    tokens = people.environment(Layout("unused", 60))
    assert {people.owner(token) for token in tokens.values()} == set(people.PEOPLE)
    assert tokens["SANDBOX_TOKEN_BOB"] == "sandbox-bob"
