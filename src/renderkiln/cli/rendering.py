"""Renders the orders of one call, one after another, and says how it went."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from renderkiln.app import Renderkiln
from renderkiln.cli.interruption import Interruption
from renderkiln.cli.orders import Order, jobs_of
from renderkiln.cli.view import Quiet, View, made_seconds, speed
from renderkiln.cli.words import clock, plain, put, put_json, put_table, shown, size
from renderkiln.domain.report import JobReport
from renderkiln.settings import Settings


def render_all(
    pipeline: str,
    orders: Sequence[Order],
    *,
    out: Path | None = None,
    shape: str | None = None,
    quiet: bool = False,
    reuse: bool = True,
) -> int:
    """Render every order, whatever happens to the others; print what `shape` asks for; the exit status.

    Raises UsageError before anything is rendered if an order is wrong.
    """
    reports = []
    with Renderkiln.open(Settings.load(output_dir=out)) as kiln, Interruption() as interruption:
        jobs = kiln.take_on(jobs_of(kiln, pipeline, orders), reuse=reuse)
        with chosen_view(quiet=quiet) as view:
            for number, job in enumerate(jobs, 1):
                if interruption.stop.is_set():
                    break
                view.begin(job, number, len(jobs))
                report = kiln.run(job, listen=view.hear, stop=interruption.stop, reuse=reuse)
                view.end(report)
                reports.append(report)
                if shape == "jsonl":
                    put_json(report.to_json(), indent=None)

    _put_all(reports, shape)
    if interruption.status is not None:
        return interruption.status
    return 0 if all(report.succeeded for report in reports) else 1


def chosen_view(*, quiet: bool) -> View:
    """Bars on a terminal, lines elsewhere, only what went wrong if `quiet`."""
    if quiet:
        return Quiet()
    if plain(sys.stderr):
        from renderkiln.cli.lines import Lines

        return Lines()
    from renderkiln.cli.bars import Bars

    return Bars()


def _put_all(reports: Sequence[JobReport], shape: str | None) -> None:
    match shape:
        case "json":
            put_json([report.to_json() for report in reports])
        case "table":
            put_table([_row(report) for report in reports])
        case None if not sys.stdout.isatty():
            for report in reports:
                if report.succeeded:
                    for file in report.products:
                        put(shown(file.path))


def _row(report: JobReport) -> Mapping[str, Any]:
    duration, times = made_seconds(report), speed(report)
    return {
        "job": report.job.label,
        "state": report.state,
        "size": size(sum(file.size for file in report.products)) if report.products else "",
        "length": clock(duration) if duration else "",
        "speed": f"{times:.2f}x" if times else "",
        "result": report.place or (report.error.message if report.error else report.message),
    }
