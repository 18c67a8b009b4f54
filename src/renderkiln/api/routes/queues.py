"""Queues: how they stand, their limits, pause and resume."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from renderkiln.api.auth import needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.routes.batches import Counts
from renderkiln.domain.errors import UsageError

router = APIRouter(prefix="/queues", tags=["queues"])

Name = Annotated[str, Path(pattern=r"^[a-z-]{1,64}$", description="Name of a queue: video-rendering")]


class Queue(BaseModel):
    """How a queue stands."""

    name: str
    paused: bool
    workerLimit: int = Field(description="Jobs at once in one worker")  # noqa: N815
    globalLimit: int | None = Field(  # noqa: N815
        description="Jobs at once over all workers (storage-upload: of each machine); null: any number"
    )
    counts: Counts
    oldestSeconds: float | None = Field(description="How long its oldest waiting job has waited")  # noqa: N815
    workers: int = Field(description="Processes that draw from it")


_LIMITS = {"workerLimit": "worker_limit", "globalLimit": "global_limit"}
_Limit = Annotated[int | None, Field(ge=1, le=10_000)]


class Limits(BaseModel):
    """What is to change; null is what the settings say, and what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    workerLimit: _Limit = Field(None, description="Jobs at once in each worker")  # noqa: N815
    globalLimit: _Limit = Field(None, description="Jobs at once over all workers")  # noqa: N815

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what to set: workerLimit or globalLimit, a number or null")
        return self


@router.get(
    "",
    operation_id="listQueues",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Queue]]}, **refusals(401, 403)},
)
async def list_queues(request: Request, kiln: Kiln) -> JSONResponse:
    """All queues."""
    return succeeded(request, await _reports(kiln))


@router.get(
    "/{name}",
    operation_id="getQueue",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Queue]}, **refusals(401, 403, 404, 422)},
)
async def get_queue(request: Request, kiln: Kiln, name: Name) -> JSONResponse:
    """How one queue stands."""
    return succeeded(request, await _found(kiln, name))


@router.patch(
    "/{name}",
    operation_id="limitQueue",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Queue]}, **refusals(401, 403, 404, 422)},
)
async def limit_queue(request: Request, kiln: Kiln, name: Name, limits: Limits) -> JSONResponse:
    """Change how many of its jobs run at once; running workers follow within a second."""
    await _found(kiln, name)
    given = {_LIMITS[field]: getattr(limits, field) for field in limits.model_fields_set}
    try:
        await kiln.work(lambda: kiln.room.queues.set_limits(name, **given))
    except UsageError as error:
        raise Refused(422, "INVALID_REQUEST", str(error)) from error
    return succeeded(request, await _found(kiln, name))


@router.post(
    "/{name}/pause",
    operation_id="pauseQueue",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Queue]}, **refusals(401, 403, 404, 422)},
)
async def pause_queue(request: Request, kiln: Kiln, name: Name) -> JSONResponse:
    """Start no more of its jobs; those that run go on."""
    await _found(kiln, name)
    await kiln.work(lambda: kiln.room.queues.pause(name))
    return succeeded(request, await _found(kiln, name))


@router.post(
    "/{name}/resume",
    operation_id="resumeQueue",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Queue]}, **refusals(401, 403, 404, 422)},
)
async def resume_queue(request: Request, kiln: Kiln, name: Name) -> JSONResponse:
    """Start its jobs again."""
    await _found(kiln, name)
    await kiln.work(lambda: kiln.room.queues.resume(name))
    return succeeded(request, await _found(kiln, name))


async def _reports(kiln: Reached) -> list[dict[str, Any]]:
    reports = await kiln.work(lambda: kiln.room.queues.reports())
    now = kiln.room.clock.now()
    return [each.to_json(now) for each in reports]


async def _found(kiln: Reached, name: str) -> dict[str, Any]:
    every = {each["name"]: each for each in await _reports(kiln)}
    if name not in every:
        raise Refused(404, "QUEUE_NOT_FOUND", f"there is no queue {name}; there are: {', '.join(every)}")
    return every[name]
