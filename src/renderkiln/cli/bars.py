"""Progress on a terminal: a bar for the job, and one for all of them if there are several."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from renderkiln.cli.view import Pace, ending, paced, remarks
from renderkiln.cli.words import clock, shown
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport

NAME_SHARE = 0.25  # of the terminal: a bar and the words need the rest


def moving_bars(console: Console) -> Progress:
    """Bars with a name before and words behind; their tasks have a field `words`. They vanish in the end."""
    name = Column(max_width=int(console.width * NAME_SHARE), no_wrap=True)
    fixed = Column(no_wrap=True)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
        TextColumn("{task.percentage:>3.0f} %", table_column=fixed.copy()),
        TextColumn("{task.fields[words]}", markup=False, table_column=fixed.copy()),
        console=console,
        expand=True,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # else data would follow the bars to stderr
        refresh_per_second=8,
    )


class Bars:
    """Moving bars on stderr; what has ended scrolls up above them."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = moving_bars(self._console)
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, job: Job, number: int, total: int) -> None:
        if total > 1 and self._all is None:
            self._all = self._progress.add_task("all", total=100.0 * total, words="")
        if self._all is not None:
            self._progress.update(self._all, words=f"{number} of {total}")
        self._before = 100.0 * (number - 1)
        self._pace = Pace()
        self._job = self._progress.add_task(shown(job.label), total=100.0, words="")

    def hear(self, event: Event) -> None:
        self._pace.note(time.monotonic(), event.percent, event.facts, event.stage)
        if event.name == "warning":
            return  # said under the job's line when it has ended
        remaining = self._pace.remaining
        words = [event.message, paced(event.facts, "×")]
        words += [f"{clock(remaining)} left"] if remaining is not None else []
        line = ", ".join(word for word in words if word)
        self._progress.update(self._job, completed=event.percent, words=shown(line))
        if self._all is not None:
            self._progress.update(self._all, completed=self._before + event.percent)

    def end(self, report: JobReport) -> None:
        self._progress.remove_task(self._job)
        if self._all is not None:
            self._progress.update(self._all, completed=self._before + 100.0)
        style = "green" if report.succeeded else "red"
        sign, _, rest = ending(report).partition(" ")
        self._console.print(Text.assemble((sign, style), " ", rest), soft_wrap=True)
        for remark in remarks(report):
            self._console.print(Text(remark, "yellow"), soft_wrap=True)
