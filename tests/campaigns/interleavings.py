"""Two runs for the same registry: one of them stops before one of its requests while the other goes by."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sandbox.layout import Layout
from tests.interleaving import SHARED, Room, in_room

from .operations import OPERATIONS, Operation, complete, remove
from .trials import Trials

# Whatever two runs have left, this completes it.
WANTED = Operation("wanted", "model_registry", lambda room, number: {**OPERATIONS[0].options(room, number), "allow_data_change": True})


def run(trials: Trials, layout: Layout) -> None:
    """Each case is two operations and a stop."""
    with tempfile.TemporaryDirectory() as folder, in_room(layout, Path(folder)) as room:
        stops = {operation.name: _stops(room, operation) for operation in OPERATIONS}
        for name, chance in trials.numbered():
            one, other = chance.choice(OPERATIONS), chance.choice(OPERATIONS)
            stop = chance.randint(1, stops[one.name])
            number = room.numbers + 1
            with trials.case(name, f"{one.name}, stopped before request {stop} for: {other.name}"):
                (one if one.on_registry else other).prepare(room, number)
                first, second = room.process.stopped(one.work(room, number), stop, other.work(room, number))
                # One that refuses its own options names these.
                room.check(number, *(ended for ended in (first, second) if ended and not (ended.error or "").startswith("database.")))
                complete(room, WANTED, number)
            remove(room, number)


def _stops(room: Room, operation: Operation) -> int:
    number = room.numbers + 1
    operation.prepare(room, number)
    ended = room.do(operation.work(room, number))
    remove(room, number)
    return sum(SHARED.search(request.path) is not None for request in ended.sent)
