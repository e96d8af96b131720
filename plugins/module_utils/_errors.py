# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a user can cause and cure: the problems of an option, and the exceptions that the shell of the modules makes failures of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import _texts

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, BUSY, BROKEN, UNAVAILABLE = 400, 401, 403, 404, 409, 410, 429, 500, 503


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input. `value` becomes None when it must not be repeated."""

    option: str
    problem: str
    remedy: str
    value: Any = None

    def __post_init__(self) -> None:
        if not _texts.may_repeat(self.value):
            object.__setattr__(self, "value", None)

    def sentence(self) -> str:
        """The problem as one line for people."""
        return f"{self.option}{_texts.repeated(self.value)}: {self.problem}. {self.remedy}{'' if self.remedy.endswith('?') else '.'}"


class ReportedError(Exception):
    """Something that a user can cause and cure. Its text is for people; the shell of the modules makes a failure of it."""

    def add(self, sentences: str) -> None:
        """Say more about it."""
        self.args = (" ".join(filter(None, (str(self), sentences))),)


class MissingLibraryError(ReportedError):
    """A Python library that an option needs is not installed where the task runs."""

    def __init__(self, libraries: Iterable[str]) -> None:
        listed = list(libraries)
        super().__init__(f"The Python library {' and '.join(listed)} is not installed where this task runs. Install it: pip install {' '.join(listed)}")


class InputError(ReportedError):
    """The input cannot be carried out. Raised before anything is written, with every problem that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.sentence() for problem in problems))


class ClusterError(ReportedError):
    """The cluster cannot do what is needed, refused a request or did not answer. `status` is the HTTP status, None without an answer.

    `unclear`: the request may have been carried out all the same.
    """

    def __init__(self, message: str, status: int | None = None, unclear: bool = False) -> None:
        self.status, self.unclear = status, unclear
        super().__init__(message)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered in a while: there was no answer, or the API server is busy or broken."""
        return self.status is None or self.status == BUSY or self.status >= BROKEN
