"""What people see while jobs run: one line for each job that ended, and something that moves until then."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from renderkiln.cli.words import clock, marks, say, shown, size
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport

LEAP = 5.0  # percent; more than this at once is reuse of earlier work, not speed
WINDOW = 60.0  # seconds that a pace is measured over


class View(Protocol):
    """Hears all jobs of one call, one after another."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begin(self, job: Job, number: int, total: int) -> None:
        """Job `number` of `total` starts."""

    def hear(self, event: Event) -> None:
        """Something happened to it."""

    def end(self, report: JobReport) -> None:
        """It has ended."""


class Quiet:
    """Says only what went wrong."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, job: Job, number: int, total: int) -> None:
        pass

    def hear(self, event: Event) -> None:
        pass

    def end(self, report: JobReport) -> None:
        if report.state == "failed":
            say(f"{report.job.label}: {reason(report)}")


class Pace:
    """How long a job will still take: as its stage says, else from how fast its percent has risen lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()
        self._told: float | None = None
        self._tells = False
        self._stage: str | None = None

    def note(
        self,
        seconds: float,
        percent: float,
        facts: Mapping[str, Any] | None = None,
        stage: str | None = None,
    ) -> None:
        """At `seconds` on any clock the job was at `percent`; `eta_seconds` among `facts` counts for more.

        What a stage said of that ends with it.
        """
        if stage != self._stage:
            self._stage, self._tells = stage, False
        if facts and "eta_seconds" in facts:
            self._tells, self._told = True, facts["eta_seconds"]
        if self._seen and percent - self._seen[-1][1] > LEAP:
            self._seen.clear()
        self._seen.append((seconds, percent))
        while seconds - self._seen[0][0] > WINDOW:
            self._seen.popleft()

    @property
    def remaining(self) -> float | None:
        """Seconds, or None as long as it would be a guess."""
        if self._tells:
            return self._told
        if not self._seen:
            return None
        (start, before), (now, percent) = self._seen[0], self._seen[-1]
        if now - start < 2.0 or percent - before < 0.5:
            return None
        return (100.0 - percent) * (now - start) / (percent - before)


def reason(report: JobReport) -> str:
    """Why a job is not there."""
    return report.error.message if report.error else report.message or "stopped"


def ending(report: JobReport) -> str:
    """The line that a job leaves behind: `✓ song.mp3 1080p → /out/….mp4  12.3 MB, 3:07, 1.4× real time`.

    Of several files it is their folder: `✓ clip.mp4 → /out/…  10 files, 31.0 MB, …`.
    """
    done, failed, arrow = marks()
    name = shown(report.job.label)
    if not report.succeeded:
        return f"{failed} {name}: {shown(reason(report))}"
    return f"{done} {name} {arrow} {shown(report.place)}  {', '.join(_measures(report))}"


def remarks(report: JobReport) -> list[str]:
    """Warnings and what was left out, in words."""
    left_out = [f"left out {stage}: {text}" for stage, text in report.left_out.items()]
    return [f"  ! {shown(text)}" for text in (*report.warnings.values(), *left_out)]


def spent(report: JobReport) -> float | None:
    """Wall seconds of a job that has ended."""
    if report.started_at is None or report.completed_at is None:
        return None
    return (report.completed_at - report.started_at).total_seconds()


def made_seconds(report: JobReport) -> float | None:
    """Seconds of media that a job made: of all its products together, if there are several."""
    result = report.result or {}
    seconds: float | None = result.get("madeSeconds", result.get("duration"))
    return seconds


def speed(report: JobReport) -> float | None:
    """How many times faster than real time a job was, start to end."""
    duration, seconds = made_seconds(report), spent(report)
    return duration / seconds if duration and seconds else None


def paced(facts: Mapping[str, Any], unit: str = "× real time") -> str:
    """`43 fps, 1.4× real time` from the facts of an event; empty where it tells nothing."""
    fps, times = facts.get("fps"), facts.get("speed")
    words = [f"{fps:.0f} fps"] if fps else []
    words += [times_real(times, unit)] if times else []
    return ", ".join(words)


def times_real(times: float, unit: str = "× real time") -> str:
    """`1.4× real time`, `0.04× real time`."""
    return f"{times:.0f}{unit}" if times >= 10 else f"{times:.2g}{unit}"


def _measures(report: JobReport) -> list[str]:
    seconds, times, duration = spent(report), speed(report), made_seconds(report)
    count = len(report.products)
    words = [f"{count} files"] if count > 1 else []
    words += [size(sum(file.size for file in report.products))]
    words += [f"{clock(duration)} {'long' if count == 1 else 'in all'}"] if duration else []
    words += [f"made in {clock(seconds)}"] if seconds else []
    words += [times_real(times)] if times else []
    return words + ([f"reused {', '.join(report.reused)}"] if report.reused else [])
