"""What has happened to a job: its attempts, stages, events and log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from renderkiln.api.auth import Holder, needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.folders import all_folders_of, folders_of
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.routes.costs import Cost
from renderkiln.api.routes.jobs import JobId, Notice, found
from renderkiln.database import attempts, costs, events, logs, pictures
from renderkiln.database.attempts import AttemptOutcome
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.discretion import without
from renderkiln.domain.errors import UserError
from renderkiln.engine.joblog import end_of, last_lines
from renderkiln.engine.stagereport import TOLD_BY, StageState, reports
from renderkiln.pipelines.contract import Stage as Planned

router = APIRouter(prefix="/jobs/{job_id}", tags=["jobs"])

MOST = 1_000  # events of one answer
MOST_BYTES = 1 << 20  # of a log
_ALL = 100_000


class Attempt(BaseModel):
    """One try at a job. Times are UTC."""

    number: int
    outcome: AttemptOutcome | None = Field(description="null while it runs")
    worker: str
    startedAt: str  # noqa: N815
    endedAt: str | None  # noqa: N815
    error: Notice | None
    seconds: float | None
    cpuSeconds: float | None  # noqa: N815
    peakBytes: int | None = Field(description="Most memory of one of its processes")  # noqa: N815
    bytesIn: int | None = Field(description="Of its input files")  # noqa: N815
    bytesOut: int | None = Field(description="Of its finished files")  # noqa: N815
    processId: int | None = Field(description="Of the program that runs for it now")  # noqa: N815
    cost: Cost | None


class Stage(BaseModel):
    """A step of a job, in the latest attempt that came to it."""

    name: str
    message: str = Field(description="What people read while it runs")
    weight: float | None = Field(description="Its part of the percent, relative to the others")
    optional: bool
    state: StageState = Field(description="reused: it was completed before, and not done again")
    startedAt: str | None  # noqa: N815
    endedAt: str | None  # noqa: N815
    seconds: float | None
    cpuSeconds: float | None  # noqa: N815
    peakBytes: int | None  # noqa: N815
    error: str | None = Field(description="Why it failed, or was left out")


class Event(BaseModel):
    """Something that happened to a job."""

    seq: int = Field(description="Its place in the order of all events")
    at: str
    name: str = Field(description="job.started, stage.completed, …")
    stage: str | None
    percent: float | None
    message: str
    facts: dict[str, Any]
    worker: str | None


class History(BaseModel):
    """Events in their order."""

    items: list[Event]
    nextAfter: int | None = Field(description="Ask for those behind them by `after`; null: these are all")  # noqa: N815


@router.get(
    "/attempts",
    operation_id="listAttempts",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Attempt]]}, **refusals(401, 403, 404, 422)},
)
async def list_attempts(request: Request, kiln: Kiln, holder: Holder, job_id: JobId) -> JSONResponse:
    """All tries at a job, the first one first, and what each has used."""
    stored = await found(kiln, job_id, holder)

    def ask() -> list[dict[str, Any]]:
        with kiln.kiln.database.read() as connection:
            paid = costs.of_attempts(connection, job_id)
            return [each.to_json(paid.get(each.number)) for each in attempts.of_job(connection, job_id)]

    return succeeded(request, without(await kiln.work(ask), folders_of(kiln, stored)))


@router.get(
    "/stages",
    operation_id="listStages",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Stage]]}, **refusals(401, 403, 404, 422)},
)
async def list_stages(request: Request, kiln: Kiln, holder: Holder, job_id: JobId) -> JSONResponse:
    """The steps of a job in their order, and how far each has come."""
    stored = await found(kiln, job_id, holder)

    def ask() -> list[dict[str, Any]]:
        with kiln.kiln.database.read() as connection:
            told = events.after(connection, 0, job_id=job_id, names=TOLD_BY, limit=_ALL)
        planned = _planned(kiln, kiln.room.job(job_id))
        return [each.to_json() for each in reports(stored, planned, [each.event for each in told])]

    return succeeded(request, without(await kiln.work(ask), folders_of(kiln, stored)))


@router.get(
    "/history",
    operation_id="getHistory",
    dependencies=[needs("read")],
    responses={200: {"model": Success[History]}, **refusals(401, 403, 404, 422)},
)
async def get_history(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    job_id: JobId,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Only events behind this `seq`")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> JSONResponse:
    """Everything that has happened to a job, as far as events are kept."""
    stored = await found(kiln, job_id, holder)

    def ask() -> list[dict[str, Any]]:
        with kiln.kiln.database.read() as connection:
            rows = events.after(connection, after, job_id=job_id, limit=limit + 1)
        return [each.to_json() for each in rows]

    rows = await kiln.work(ask)
    items = without(rows[:limit], folders_of(kiln, stored))
    return succeeded(request, {"items": items, "nextAfter": items[-1]["seq"] if len(rows) > limit else None})


@router.get(
    "/picture",
    operation_id="getPicture",
    dependencies=[needs("read")],
    response_class=Response,
    responses={
        200: {"description": "A JPEG, some 500 pixels wide", "content": {"image/jpeg": {}}},
        204: {"description": "It shows nothing at the moment"},
        **refusals(401, 403, 404, 422),
    },
)
async def get_picture(kiln: Kiln, holder: Holder, job_id: JobId) -> Response:
    """What is being made looks so, at most a few seconds ago. There is none before a job draws, or after."""
    await found(kiln, job_id, holder)

    def latest() -> tuple[bytes, datetime] | None:
        with kiln.kiln.database.read() as connection:
            return pictures.latest(connection, job_id)

    taken = await kiln.read(latest)
    if taken is None:
        return Response(status_code=204)
    jpeg, at = taken
    return Response(
        jpeg, media_type="image/jpeg", headers={"last-modified": format_datetime(at, usegmt=True)}
    )


@router.get(
    "/log",
    operation_id="getLog",
    dependencies=[needs("read")],
    response_class=Response,
    responses={
        200: {"description": "Its end", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **refusals(401, 403, 404, 422),
    },
)
async def get_log(
    kiln: Kiln,
    holder: Holder,
    job_id: JobId,
    tail: Annotated[int, Query(ge=1, le=MOST_BYTES, description="Bytes of its end")] = 65_536,
) -> PlainTextResponse:
    """What its stages have logged. That of a completed job is not kept, that of one which runs is read on its
    worker's machine only.
    """
    stored = await found(kiln, job_id, holder)
    path = kiln.kiln.settings.home.absolute() / "logs" / f"{job_id}.log"

    def read() -> str | None:
        with suppress(OSError):
            return end_of(path, tail)
        with kiln.kiln.database.read() as connection:
            kept = logs.find(connection, job_id)
        return None if kept is None else last_lines(kept.encode(), tail)

    text = await kiln.work(read)
    if text is None:
        raise Refused(404, "LOG_NOT_FOUND", _why_missing(stored))
    return PlainTextResponse(without(text, all_folders_of(kiln, stored)))


def _planned(kiln: Reached, stored: StoredJob) -> Sequence[Planned]:
    """The stages that its pipeline plans for it; none where that is not installed here any more."""
    try:
        return kiln.kiln.stages(stored.report.job)
    except UserError:
        return ()


def _why_missing(stored: StoredJob) -> str:
    report = stored.report
    if report.started_at is None:
        return f"job {report.job.id} has not begun"
    if report.state in {"completed", "cancelled"}:
        return f"job {report.job.id} is {report.state}: its log is not kept"
    return (
        f"there is no log of job {report.job.id} on this machine: nothing was logged, "
        f"or {report.worker or 'its worker'} runs on another one"
    )
