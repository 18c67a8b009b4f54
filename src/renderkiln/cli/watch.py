"""Watches queued jobs to their end, whoever runs them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from renderkiln.cli.desk import Desk
from renderkiln.cli.interruption import Interruption
from renderkiln.cli.view import Pace, ending, remarks
from renderkiln.cli.words import clock, plain, put_json, shown, tell
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.report import JobReport
from renderkiln.domain.states import ENDED

_LOOK = 0.5  # seconds
_STEP = 5.0  # percent of all jobs between two lines
_BARS = 12  # running jobs that have a bar of their own


class Board(Protocol):
    """Shows how several jobs stand."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, reports: Sequence[JobReport], remaining: float | None) -> None:
        """All jobs as they stand; `remaining` is in seconds."""

    def end(self, report: JobReport) -> None:
        """One of them has ended."""


def watch_jobs(
    desk: Desk, ids: Sequence[str], *, shape: str | None, stop: threading.Event | None = None
) -> int:
    """Show these jobs until all have ended; the exit status: 0 if all were completed, 1 if not, 130.

    `shape` "jsonl" prints each job as it ends. Ctrl-C ends the watching, not the jobs.
    """
    ended: set[str] = set()
    pace = Pace()
    with Interruption("no longer watching: the jobs go on") as interruption, _board() as board:
        stop = stop or interruption.stop
        while True:
            reports = [stored.report for stored in desk.each(ids)]
            for report in reports:
                if report.state in ENDED and report.job.id not in ended:
                    ended.add(report.job.id)
                    board.end(report)
                    if shape == "jsonl":
                        put_json(report.to_json(), indent=None)
            pace.note(time.monotonic(), percent_of(reports))
            if len(ended) == len(reports):
                break
            board.show(reports, pace.remaining)
            if stop.wait(_LOOK):
                return interruption.status or 0
    if shape == "json":
        put_json([report.to_json() for report in reports])
    return 0 if all(report.succeeded for report in reports) else 1


def percent_of(reports: Sequence[JobReport]) -> float:
    """How far they are together: what has ended counts whole, whichever way."""
    done = sum(100.0 if report.state in ENDED else report.progress for report in reports)
    return done / max(1, len(reports))


def summary(reports: Sequence[JobReport]) -> str:
    """`12 of 40 done, 2 running, 1 failed`."""
    counts = {state: sum(report.state == state for report in reports) for state in (*ENDED, "processing")}
    words = [f"{sum(counts[state] for state in ENDED)} of {len(reports)} done"]
    words += [f"{counts['processing']} running"] if counts["processing"] else []
    words += [f"{counts[state]} {state}" for state in ("failed", "cancelled") if counts[state]]
    return ", ".join(words)


class LineBoard:
    """Plain lines on stderr."""

    def __init__(self) -> None:
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, reports: Sequence[JobReport], remaining: float | None) -> None:
        percent = percent_of(reports)
        if percent < self._next:
            return
        self._next = _STEP * (percent // _STEP + 1)
        left = f", {clock(remaining)} left" if remaining is not None else ""
        tell(f"{percent:.0f} %: {summary(reports)}{left}")

    def end(self, report: JobReport) -> None:
        for line in (ending(report), *remarks(report)):
            tell(line)


class BarBoard:
    """A bar for all, and one for each job that runs."""

    def __init__(self) -> None:
        from rich.console import Console

        from renderkiln.cli.bars import moving_bars

        self._console = Console(stderr=True, highlight=False)
        self._progress = moving_bars(self._console)
        self._tasks: dict[str, Any] = {}
        self._all = self._progress.add_task("all", total=100.0, words="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, reports: Sequence[JobReport], remaining: float | None) -> None:
        left = f", {clock(remaining)} left" if remaining is not None else ""
        self._progress.update(self._all, completed=percent_of(reports), words=summary(reports) + left)
        running = [report for report in reports if report.state == "processing"][:_BARS]
        for id in set(self._tasks) - {report.job.id for report in running}:
            self._progress.remove_task(self._tasks.pop(id))
        for report in running:
            id = report.job.id
            if id not in self._tasks:
                self._tasks[id] = self._progress.add_task(shown(report.job.label), total=100.0, words="")
            words = shown(report.message)
            self._progress.update(self._tasks[id], completed=report.progress, words=words)

    def end(self, report: JobReport) -> None:
        for line in (ending(report), *remarks(report)):
            self._console.print(line, markup=False, soft_wrap=True)


def ids_of(stored: Sequence[StoredJob]) -> list[str]:
    return [each.report.job.id for each in stored]


def _board() -> Board:
    return LineBoard() if plain(sys.stderr) else BarBoard()
