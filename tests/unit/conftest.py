"""What all unit tests share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

LONGEST_IN_A_NAME = 80


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A certificate is no part of a test's name: it is another one in every process, and `ansible-test units` has several that must agree on the names."""
    return argname if isinstance(val, (bytes, str)) and len(val) > LONGEST_IN_A_NAME else None


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    """For tests that parse Python files.

    What fails while garbage is collected is shown with its parsed source. Python 3.11 ends with an error where that is in the middle of another parse.
    """
    gc.disable()
    yield
    gc.enable()
