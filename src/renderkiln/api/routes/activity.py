"""Activity: what the queues did in the last minutes or hours, for charts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from renderkiln.api.auth import Holder, needs, visible_to
from renderkiln.api.envelope import Success, refusals, succeeded
from renderkiln.api.room import Kiln, Reached
from renderkiln.domain.report import iso
from renderkiln.engine.activity import recent

router = APIRouter(prefix="/activity", tags=["queues"])

_STEPS = 60


class QueueActivity(BaseModel):
    """A queue in equal steps of time, the oldest first."""

    queue: str
    completed: list[int] = Field(description="Jobs that were completed in each step")
    failed: list[int]
    waiting: list[int] = Field(description="Jobs that waited at the end of each step")
    waitSeconds: list[float | None] = Field(  # noqa: N815
        description="How long those that began in a step had waited, on average; null where none began"
    )


class Activity(BaseModel):
    """What every queue did. Times are UTC."""

    since: str
    stepSeconds: float  # noqa: N815
    queues: list[QueueActivity]


@router.get(
    "",
    operation_id="getActivity",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Activity]}, **refusals(401, 403, 422)},
)
async def get_activity(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    minutes: Annotated[int, Query(ge=1, le=7 * 24 * 60, description="How far back")] = 60,
) -> JSONResponse:
    """What the queues did in the last minutes, in sixty steps: your jobs, or those of all for an admin."""
    step = timedelta(minutes=minutes) / _STEPS
    account = visible_to(holder)
    told = await kiln.activity.of((account, minutes), lambda: _told(kiln, step, account))
    return succeeded(request, told)


def _told(kiln: Reached, step: timedelta, account: str | None) -> dict[str, Any]:
    since, found = recent(kiln.room.database, kiln.room.clock, step, _STEPS, account)
    queues = [
        {
            "queue": each.queue,
            "completed": each.completed,
            "failed": each.failed,
            "waiting": each.waiting,
            "waitSeconds": [None if wait is None else round(wait, 3) for wait in each.waits],
        }
        for each in found
    ]
    return {"since": iso(since), "stepSeconds": step.total_seconds(), "queues": queues}
