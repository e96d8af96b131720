"""The cases of one campaign: how many, with which random numbers, how long they take, and what they find."""

from __future__ import annotations

import random
import re
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
# Seconds between two lines that say how far a campaign is.
PROGRESS = 60


@dataclass(frozen=True)
class Finding:
    """A case in which something was not as it has to be."""

    case: str
    text: str


@dataclass
class Trials:
    """Counts the cases that are run and keeps what they find. The same seed makes the same cases, also when only some of them are run."""

    seed: int
    limit: int
    # Only cases whose name this is found in.
    only: str = ""
    cases: int = 0
    findings: list[Finding] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    told: float = 0

    @property
    def elapsed(self) -> float:
        """The seconds since it began."""
        return time.monotonic() - self.started

    def random(self, case: str) -> random.Random:
        """The random numbers of a case, whatever other cases are run."""
        return random.Random(f"{self.seed} {case}")

    def numbered(self) -> Iterator[tuple[str, random.Random]]:
        """As many cases as are wanted, which differ only in their random numbers."""
        for number in range(self.limit):
            if self.wants(name := f"case {number}"):
                yield name, self.random(name)

    def chosen(self, cases: Sequence[T]) -> list[T]:
        """Cases that are too many, in their order: as many as are wanted, chosen at random. A case that is run by its name is chosen from all."""
        if self.only or len(cases) <= self.limit:
            return list(cases)
        return [cases[number] for number in sorted(random.Random(self.seed).sample(range(len(cases)), self.limit))]

    def wants(self, case: str) -> bool:
        """Whether a case of this name is to be run."""
        return re.search(rf"{re.escape(self.only)}\b" if self.only[-1:].isalnum() else re.escape(self.only), case) is not None

    @contextmanager
    def case(self, name: str, about: str = "") -> Iterator[None]:
        """One case: whatever it raises is a finding, and the next one is run."""
        self.cases += 1
        if self.elapsed - self.told >= PROGRESS:
            self.told = self.elapsed
            self.say(f"{self.elapsed:.0f} s: case {self.cases}, {len(self.findings)} findings")
        try:
            yield
        except Exception as error:
            self.found(name, error, about)

    def found(self, case: str, error: BaseException | str, about: str = "") -> None:
        """Keep a finding of a case."""
        text = f"{about}\n" + (error if isinstance(error, str) else "".join(traceback.format_exception(error))[-3000:])
        self.findings.append(Finding(case, text))
        self.say(f"finding {len(self.findings)}, {case}:\n" + text.strip())

    def say(self, text: str) -> None:
        """Print this under the campaign's name, at once."""
        print("  " + text.replace("\n", "\n    "), flush=True)
