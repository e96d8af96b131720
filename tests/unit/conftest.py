"""What all unit tests share."""

from __future__ import annotations

LONGEST_IN_A_NAME = 80


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A certificate is no part of a test's name: it is another one in every process, and `ansible-test units` has several that must agree on the names."""
    return argname if isinstance(val, (bytes, str)) and len(val) > LONGEST_IN_A_NAME else None
