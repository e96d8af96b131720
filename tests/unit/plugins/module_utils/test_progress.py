"""What a run says, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._progress import PROGRESS_FILE, Progress, is_due, of_rows


class Clock:
    """Shows the time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """The file that an action plugin follows."""
    file = tmp_path / PROGRESS_FILE
    file.touch()
    return file


def test_what_is_said_is_shown_and_in_the_timeline(tmp_path: Path, shown: Path, clock: Clock) -> None:
    progress = Progress(str(tmp_path), clock)
    progress.say("reading the cluster")
    clock.now += 12.34
    progress.say("12 of 50 serve")
    assert progress.timeline == [{"seconds": 0.0, "message": "reading the cluster"}, {"seconds": 12.3, "message": "12 of 50 serve"}]
    assert shown.read_text() == "   0.0 s  reading the cluster\n  12.3 s  12 of 50 serve\n"


def test_what_another_process_has_written_stays(tmp_path: Path, shown: Path, clock: Clock) -> None:
    shown.write_text("before\n")
    Progress(str(tmp_path), clock).say("after")
    assert shown.read_text() == "before\n   0.0 s  after\n"


def test_a_quoted_message_of_the_cluster_stays_one_line_that_a_terminal_only_prints(tmp_path: Path, shown: Path, clock: Clock) -> None:
    Progress(str(tmp_path), clock).say("a:\x1b[31m no such\r\nhost")
    assert shown.read_text() == "   0.0 s  a:\\x1b[31m no such host\n"


def test_without_somebody_who_follows_there_is_the_timeline_and_no_file(tmp_path: Path, clock: Clock) -> None:
    progress = Progress(str(tmp_path), clock)
    progress.say("reading the cluster")
    assert len(progress.timeline) == 1
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_does_not_stop_the_run(tmp_path: Path, clock: Clock) -> None:
    # Every write to it fails, as on a full disk.
    (tmp_path / PROGRESS_FILE).symlink_to("/dev/full")
    progress = Progress(str(tmp_path), clock)
    progress.say("one")
    progress.say("\udcff")
    assert [said["message"] for said in progress.timeline] == ["one", "\udcff"]


def test_a_state_is_shown_when_it_changed_and_at_most_every_five_seconds_then_every_thirty(tmp_path: Path, clock: Clock) -> None:
    progress = Progress(str(tmp_path), clock)
    for second in range(181):
        clock.now = 1000.0 + second
        progress.state(f"waiting for {181 - second}")
    assert [said["seconds"] for said in progress.timeline] == [*range(0, 61, 5), 90, 120, 150, 180]


def test_a_state_that_stays_is_shown_once(tmp_path: Path, clock: Clock) -> None:
    progress = Progress(str(tmp_path), clock)
    for second in range(600):
        clock.now = 1000.0 + second
        progress.state("waiting for 12")
    assert len(progress.timeline) == 1


def test_a_state_that_came_too_soon_is_shown_when_it_is_said_again(tmp_path: Path, clock: Clock) -> None:
    progress = Progress(str(tmp_path), clock)
    progress.state("waiting for 12")
    clock.now += 1
    progress.state("waiting for 11")
    clock.now += 4
    progress.state("waiting for 11")
    assert progress.timeline[-1] == {"seconds": 5.0, "message": "waiting for 11"}


@pytest.mark.parametrize(
    ("elapsed", "shown_for", "due"),
    [(0, None, True), (600, None, True), (4.9, 4.9, False), (5, 5, True), (60, 5, True), (60.1, 5.1, False), (89, 29, False), (90, 30, True)],
)
def test_when_the_next_state_is_due(elapsed: float, shown_for: float | None, due: bool) -> None:
    assert is_due(elapsed, shown_for) is due


@pytest.mark.parametrize(
    ("done", "seconds", "total", "told"),
    [
        (0, 0.0, None, "saving: 0 rows so far, 0 per second"),
        # A rate of less than a second says little.
        (500, 0.25, None, "saving: 500 rows so far, 500 per second"),
        (30_000, 4.0, None, "saving: 30,000 rows so far, 7,500 per second"),
        (0, 5.0, 9000, "saving: 0 of 9,000 rows, 0 per second"),
        (3000, 2.0, 9000, "saving: 3,000 of 9,000 rows, 1,500 per second, 4 s remaining"),
        (9001, 2.0, 9000, "saving: 9,001 of 9,000 rows, 4,500 per second, 0 s remaining"),
    ],
)
def test_how_far_it_is_with_rows(done: int, seconds: float, total: int | None, told: str) -> None:
    assert of_rows("saving", done, seconds, total) == told
