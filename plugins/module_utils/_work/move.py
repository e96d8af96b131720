# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of a registry move to another database: held, copied, proven, and closed where they were, before they are committed where they are to be.

In this order nothing has to be marked. A run that is killed leaves a source that is open and a target that is empty, or a source that is closed and a target
that is empty or has the same rows: the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .. import _errors, _options, _progress
from .._tables import closing, layout, lines, loader, snapshot
from . import data_access

Open = Callable[[], "contextlib.AbstractContextManager[data_access.Opened]"]


class _WrittenError(Exception):
    """Somebody wrote to the source after it was read, and before it was closed."""


@dataclass
class Facts:
    """What was done, for the result."""

    rows: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    orphans: dict[str, int] = field(default_factory=dict)
    # Whether this run has written the rows into the target, or found them there.
    copied: bool = False
    # When the source was held, by the clock of `time.monotonic`.
    held_at: float | None = None
    copy_seconds: float = 0.0
    verify_seconds: float = 0.0
    # The statements that open the source again.
    ways_back: list[str] = field(default_factory=list)
    # Whether the source was read a second time, because it was written to until it was closed.
    repeated: bool = False


@dataclass
class Move:
    """A move of rows, with open connections to both sides."""

    open_source: Open
    open_target: Open
    holder: data_access.Opened
    reading: data_access.Opened
    target: data_access.Opened
    lock_timeout: int
    leave_out_orphans: bool
    tell: Callable[[str], None]
    facts: Facts = field(default_factory=Facts)
    closed: bool = False
    # Whether somebody else had closed the source: a run that was killed, or an administrator.
    was_closed: bool = False
    # Whether the target may have rows that this run has written.
    filled: bool = False

    def __post_init__(self) -> None:
        self.source = closing.Source(self.holder.connection, self.holder.view.type)
        # For nothing but its claim.
        self.sink = closing.Source(self.target.connection, self.target.view.type)

    def claim(self) -> None:
        """Be the only one that moves something from or to these databases. HeldError when another run does, or when both are the same database."""
        self.source.claim()
        closing.stay_connected(self.reading.connection, self.reading.view.type == _options.MYSQL)
        try:
            self.sink.claim()
        except closing.HeldError as error:
            raise closing.HeldError(f"{error} (the new one), or the new database is the current one under another host name") from None
        self._see_whether_closed()

    def carry_over(self) -> None:
        """Make the target equal to the source, which is closed then. Only after `claim`.

        UnusableDatabaseError: the target was not committed, and whether the source is closed is in `closed`.
        """
        # Somebody may have opened it in the meantime.
        self._see_whether_closed()
        if not self.closed:
            self.tell("waiting for the lock on the tables")
            self.source.hold(self.lock_timeout)
        self.facts.held_at = time.monotonic()
        try:
            try:
                self._fill()
            except _WrittenError:
                self.facts.repeated = True
                self._fill()
        finally:
            if not self.closed:
                with contextlib.suppress(_errors.ReportedError):
                    self.source.release()

    def _see_whether_closed(self) -> None:
        self.closed = self.was_closed = self.source.is_closed()
        if self.closed:
            self.facts.ways_back = self.source.ways_back()

    def rehearse(self) -> None:
        """Everything that `carry_over` does to the target, taken back. UnusableDatabaseError as there."""
        with self._taken() as taken:
            counted = _Counted(taken, self.tell)
            if loader.occupied(snapshot.Snapshot(self.target.connection, self.target.view.type)):
                self._compare(counted)
            else:
                loaded = loader.load(self.target.connection, self.target.view.type, counted.blocks, self.leave_out_orphans, commit=False, told=counted.told)
                self.facts.orphans = dict(loaded.orphans)
                self.facts.rows = {table.name: loaded.digests[table.name].rows for table in loader.COPIED}

    def count(self) -> None:
        """How many rows the source has."""
        with self._taken() as taken:
            counted = _Counted(taken, self.tell)
            counted.read_all()
        self.facts.rows = counted.counts

    def _fill(self) -> None:
        with self._taken() as taken:
            counted = _Counted(taken, self.tell)
            if loader.occupied(snapshot.Snapshot(self.target.connection, self.target.view.type)):
                self._compare(counted)
                self._close(counted)
                return
            self.filled = True
            loaded = loader.load(
                self.target.connection,
                self.target.view.type,
                counted.blocks,
                self.leave_out_orphans,
                told=counted.told,
                before_commit=lambda: self._close(counted),
            )
        self.facts.copied = True
        self.facts.copy_seconds, self.facts.verify_seconds = loaded.writing, loaded.verifying
        self.facts.orphans = dict(loaded.orphans)
        self.facts.rows = {table: loaded.digests[table].rows for table in counted.digests}
        self.facts.digests = {table: loaded.digests[table].text for table in counted.digests}

    def _taken(self) -> contextlib.AbstractContextManager[snapshot.Snapshot]:
        suffix = self.source.suffix if self.source.is_closed() else ""
        return snapshot.snapshot(self.reading.connection, self.reading.view.type, suffix)

    def _compare(self, counted: _Counted) -> None:
        """The target has rows: of another run, or of the tools of the database. They must be the same."""
        started = time.monotonic()
        # The run that wrote these rows omitted the same orphaned rows.
        orphans, digests = loader.to_load(counted.blocks, self.target.view.type, self.leave_out_orphans)
        rows, texts = {table: digest.rows for table, digest in digests.items()}, {table: digest.text for table, digest in digests.items()}
        target = snapshot.Snapshot(self.target.connection, self.target.view.type)
        target.schema_version()
        target.need_registry()
        self.tell("comparing the databases")
        differing = loader.differing(target, rows, texts)
        if differing:
            raise snapshot.UnusableDatabaseError(
                f"The new database is not empty, and does not have the rows of the registry (table {', '.join(differing)}). Empty it, or set another database"
            )
        self.facts.rows, self.facts.digests, self.facts.orphans = rows, texts, dict(orphans)
        self.facts.verify_seconds = time.monotonic() - started

    def _close(self, counted: _Counted) -> None:
        """Close the source, and see that it is as it was read. _WrittenError."""
        if self.closed:
            return
        self.tell("closing the tables of the previous database for writes")
        # In doubt they are to be opened again.
        self.closed = True
        try:
            self.source.close(self.reading.connection)
        except closing.HeldError:
            self.closed = False
            raise
        self.facts.ways_back = self.source.ways_back()
        if self.reading.view.type == _options.MYSQL:
            with self._taken() as taken:
                again = _Counted(taken, self.tell)
                again.read_all()
            if again.texts != counted.texts:
                raise _WrittenError

    def prove_target_unchanged(self) -> None:
        """ChangedError where the target has been written to since it has these rows."""
        with self.open_target() as target:
            loader.prove_unchanged(snapshot.Snapshot(target.connection, target.view.type), self.facts.rows, self.facts.digests)

    def take_back(self) -> str:
        """Empty the target where this run has filled it, and open the source; what came of it, as sentences. ChangedError: nothing was done."""
        said = []
        if self.filled:
            try:
                self._empty()
            except loader.ChangedError:
                raise
            except _errors.ReportedError as error:
                said.append(f"The new database may contain rows of the registry. Empty it before the next run: {error}.")
        if self.closed:
            said.append(self._left_closed() if self.was_closed and not self.source.suffix else self._reopen())
        return " ".join(said)

    def _empty(self) -> None:
        with self.open_target() as target:
            if not self.facts.copied:
                # It is not known whether the transaction was committed.
                if not loader.occupied(snapshot.Snapshot(target.connection, target.view.type)):
                    return
                raise snapshot.UnusableDatabaseError("it is not known whether the transaction was committed")
            loader.empty(target.connection, target.view.type, self.facts.rows, self.facts.digests)

    def _left_closed(self) -> str:
        return f"The previous database is still closed for writes, as it was before this run. To open it, run {'; '.join(self.facts.ways_back)}."

    def _reopen(self) -> str:
        try:
            with self.open_source() as opened:
                closing.Source(opened.connection, opened.view.type).reopen()
        except _errors.ReportedError as error:
            return f"The previous database is still closed for writes: {error}. Run the task again, or open it as the documentation describes."
        self.closed = False
        return "The previous database was opened for writes again."


class _Counted:
    """Rows as they are read, with their digests."""

    def __init__(self, taken: snapshot.Snapshot, tell: Callable[[str], None]) -> None:
        self._taken, self._tell, self._doing = taken, tell, ""
        self._started, self._total = time.monotonic(), 0
        self.digests: dict[str, lines.Digest] = {}

    @property
    def counts(self) -> dict[str, int]:
        return {table: digest.rows for table, digest in self.digests.items()}

    @property
    def texts(self) -> dict[str, str]:
        return {table: digest.text for table, digest in self.digests.items()}

    def told(self, doing: str) -> None:
        """What is done with the rows."""
        self._doing = doing
        self._tell(doing)

    def blocks(self, table: layout.Table) -> Iterator[list[bytes]]:
        """The rows of a table."""
        found = self._taken.blocks(table)
        if table not in loader.COPIED:
            yield from found
            return
        digest = self.digests[table.name] = lines.Digest()
        for block in found:
            digest.add(block)
            self._total += len(block)
            self._tell(_progress.of_rows(self._doing, self._total, time.monotonic() - self._started))
            yield block

    def read_all(self) -> None:
        """Read all rows."""
        for table in loader.COPIED:
            self.told(f"reading table {table.name}")
            for _block in self.blocks(table):
                pass


@contextmanager
def begun(open_source: Open, open_target: Open, lock_timeout: int, leave_out_orphans: bool, tell: Callable[[str], None]) -> Iterator[Move]:
    """A move between two databases, which stay open until its end."""
    with open_source() as holder, open_source() as reading, open_target() as target:
        yield Move(open_source, open_target, holder, reading, target, lock_timeout, leave_out_orphans, tell)
