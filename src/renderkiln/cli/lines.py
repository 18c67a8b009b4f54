"""Progress where nothing can move: a line for each stage, and one for every tenth of the way."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from renderkiln.cli.view import Pace, ending, paced, remarks
from renderkiln.cli.words import clock, shown, tell
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport

STEP = 10.0  # percent
LONG = 60.0  # seconds


class Lines:
    """Plain lines on stderr."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, job: Job, number: int, total: int) -> None:
        self._name = shown(job.label) if total == 1 else f"[{number}/{total}] {shown(job.label)}"
        self._said = ""
        self._timed = False
        self._next = STEP
        self._pace = Pace()

    def hear(self, event: Event) -> None:
        self._pace.note(time.monotonic(), event.percent, event.facts, event.stage)
        match event.name:
            case "stage.started" | "job.progress" if event.message and event.message != self._said:
                self._say(event)
            case "job.progress" if event.percent >= self._next or self._is_long_news():
                self._say(event)
            case "stage.reused":
                self._put(f"{event.message or event.stage}: done earlier, used again")
            case "job.retrying" | "warning":
                self._put(event.message)

    def end(self, report: JobReport) -> None:
        for line in (ending(report), *remarks(report)):
            tell(line)

    def _is_long_news(self) -> bool:
        """Whether it became known just now that the job will take long."""
        known = self._pace.remaining
        news = known is not None and known >= LONG and not self._timed
        self._timed = self._timed or known is not None
        return news

    def _say(self, event: Event) -> None:
        self._said = event.message
        self._next = STEP * (event.percent // STEP + 1)
        remaining = self._pace.remaining
        words = [f"{event.percent:.0f} %", paced(event.facts)]
        words += [f"{clock(remaining)} left"] if remaining is not None else []
        self._put(f"{event.message} ({', '.join(word for word in words if word)})")

    def _put(self, text: str) -> None:
        tell(f"{self._name}: {shown(text)}")
