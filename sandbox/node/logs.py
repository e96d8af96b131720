"""Logs of containers: kept in memory, selected as `kubectl logs` asks."""

from __future__ import annotations

import asyncio
import datetime
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

# As much of a log is kept as a person or a test will read.
KEPT_LINES = 5000

Entry = tuple[datetime.datetime, str]


@dataclass(frozen=True)
class Selection:
    """Which part of a log is asked for."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: datetime.datetime | None = None
    limit: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], now: datetime.datetime) -> Selection:
        """From the parameters of a request; ValueError for ones that are none."""
        since = None
        if query.get("sinceSeconds"):
            since = now - datetime.timedelta(seconds=int(query["sinceSeconds"]))
        elif query.get("sinceTime"):
            since = datetime.datetime.fromisoformat(query["sinceTime"])
        return cls(
            query.get("follow") == "true",
            query.get("previous") == "true",
            query.get("timestamps") == "true",
            int(query["tailLines"]) if query.get("tailLines") else None,
            since,
            int(query["limitBytes"]) if query.get("limitBytes") else None,
        )

    def of_entries(self, entries: Iterable[Entry]) -> bytes:
        """The selected part of what is there."""
        chosen = [entry for entry in entries if self.since is None or entry[0] >= self.since]
        if self.tail is not None:
            chosen = chosen[-self.tail :] if self.tail > 0 else []
        content = b"".join(self.shown(entry) for entry in chosen)
        return content if self.limit is None else content[: self.limit]

    def shown(self, entry: Entry) -> bytes:
        """One line as the client gets it."""
        stamp = f"{entry[0]:%Y-%m-%dT%H:%M:%S.%f}000Z " if self.timestamps else ""
        return f"{stamp}{entry[1]}\n".encode()


class ContainerLog:
    """What one run of a container wrote."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT_LINES)
        self._written = 0
        self._ended = False
        self._news: set[asyncio.Event] = set()

    def write(self, text: str) -> None:
        """Add lines."""
        now = datetime.datetime.now(datetime.UTC)
        for line in text.splitlines():
            self.entries.append((now, line))
            self._written += 1
        self._tell()

    def end(self) -> None:
        """Nothing will be written any more."""
        self._ended = True
        self._tell()

    def _tell(self) -> None:
        for event in self._news:
            event.set()

    async def follow(self, selection: Selection) -> AsyncIterator[bytes]:
        """The selected part, and then what is written until the container ends."""
        event = asyncio.Event()
        self._news.add(event)
        try:
            yield selection.of_entries(self.entries)
            seen = self._written
            while True:
                fresh = min(self._written - seen, len(self.entries))
                seen = self._written
                if fresh:
                    yield b"".join(selection.shown(entry) for entry in list(self.entries)[-fresh:])
                if self._ended:
                    return
                await event.wait()
                event.clear()
        finally:
            self._news.discard(event)
