"""Workers: who is there, and what each of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from renderkiln.api.auth import needs
from renderkiln.api.envelope import Success, refusals, succeeded
from renderkiln.api.room import Kiln
from renderkiln.database import jobs, workers
from renderkiln.database.jobs import StoredJob
from renderkiln.database.workers import StoredWorker
from renderkiln.domain.report import iso
from renderkiln.engine.heartbeat import SILENCE

router = APIRouter(prefix="/workers", tags=["workers"])


class Running(BaseModel):
    """A job in its hands."""

    id: str
    pipeline: str
    queue: str
    attempt: int
    stage: str | None
    progress: float = Field(description="Percent")
    message: str
    since: str = Field(description="When this attempt began")


class Worker(BaseModel):
    """A process that takes attempts. Times are UTC, by its own clock."""

    id: str = Field(description="New at every start")
    name: str
    host: str
    pid: int
    queues: list[str] = Field(description="Those it draws from")
    concurrency: int = Field(description="Jobs at once")
    direct: bool = Field(description="Whether it runs only what its own process asked for (`render`)")
    state: Literal["alive", "draining", "silent"] = Field(
        description="draining: it takes no more jobs; silent: nobody has heard of it, and others take over"
    )
    startedAt: str  # noqa: N815
    seenAt: str | None = Field(description="When it was last heard of")  # noqa: N815
    silentSeconds: float | None = Field(description="How long ago that was")  # noqa: N815
    jobs: list[Running]


@router.get(
    "",
    operation_id="listWorkers",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[list[Worker]]}, **refusals(401, 403)},
)
async def list_workers(request: Request, kiln: Kiln) -> JSONResponse:
    """All that are known, the longest running first."""

    def ask() -> tuple[list[StoredWorker], list[StoredJob]]:
        with kiln.kiln.database.read() as connection:
            return workers.everyone(connection), jobs.running(connection)

    found, running = await kiln.work(ask)
    now = kiln.room.clock.now()
    return succeeded(
        request,
        [_as_json(each, [job for job in running if job.owner == each.id], now) for each in found],
    )


def _as_json(worker: StoredWorker, held: Sequence[StoredJob], now: datetime) -> dict[str, Any]:
    seen = worker.seen_at
    silent = None if seen is None else max(0.0, (now - seen).total_seconds())
    is_silent = silent is not None and silent > SILENCE
    return {
        "id": worker.id,
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "queues": list(worker.queues),
        "concurrency": worker.concurrency,
        "direct": worker.direct,
        "state": "silent" if is_silent else "draining" if worker.draining else "alive",
        "startedAt": iso(worker.started_at),
        "seenAt": iso(seen),
        "silentSeconds": None if silent is None else round(silent, 1),
        "jobs": [_running(each) for each in held],
    }


def _running(stored: StoredJob) -> dict[str, Any]:
    report = stored.report
    since = report.processed_at or report.job.created_at
    return {
        "id": report.job.id,
        "pipeline": report.job.pipeline,
        "queue": report.job.queue,
        "attempt": report.attempt,
        "stage": report.stage,
        "progress": report.progress,
        "message": report.message,
        "since": iso(since),
    }
