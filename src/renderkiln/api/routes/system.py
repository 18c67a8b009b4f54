"""How the service itself is: for probes, without a key, and for those who run it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any, Literal

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import text

from renderkiln import __version__
from renderkiln.api.auth import needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln
from renderkiln.app import Renderkiln
from renderkiln.database.condition import size
from renderkiln.database.schema import REVISION
from renderkiln.engine.diskusage import usage
from renderkiln.media.errors import MediaError
from renderkiln.media.ffmpeg import binary

router = APIRouter(tags=["system"])
inside = APIRouter(prefix="/system", tags=["system"])

_PATIENCE = 2.0  # seconds that our worker has to answer


class Health(BaseModel):
    """It is there."""

    status: str
    version: str


class WorkerHealth(BaseModel):
    """How the worker of this process is."""

    status: str = Field(description="ok; degraded: it or the database does not answer; stopping")
    uptime: int = Field(description="Milliseconds; without a worker, of this process")
    activeJobs: int  # noqa: N815
    queueConnected: bool = Field(description="Whether the database answers")  # noqa: N815


class WorkerStats(BaseModel):
    """What the worker of this process has done since it started. Times are in milliseconds."""

    totalProcessed: int  # noqa: N815
    successCount: int  # noqa: N815
    failureCount: int  # noqa: N815
    averageProcessingTime: int  # noqa: N815
    currentlyProcessing: int  # noqa: N815
    uptime: int


class DatabaseFacts(BaseModel):
    """Where jobs are kept."""

    kind: Literal["sqlite", "postgres"]
    revision: str = Field(description="Of its tables")


class Usage(BaseModel):
    """Bytes; `free` is what the disk of the home folder still has."""

    database: int
    work: int
    cache: int
    logs: int
    free: int


class System(BaseModel):
    """What this service is made of, and how it is set."""

    version: str
    database: DatabaseFacts
    ffmpeg: str | None = Field(description="Its version and a hash of its configuration; null: none works")
    usage: Usage
    settings: dict[str, Any] = Field(description="As they count here and now, without secrets")


@router.get("/healthz", operation_id="isAlive", responses={200: {"model": Success[Health]}})
async def is_alive(request: Request) -> JSONResponse:
    """Whether the process answers at all."""
    return succeeded(request, {"status": "ok", "version": __version__})


@router.get("/readyz", operation_id="isReady", responses={200: {"model": Success[Health]}, **refusals(503)})
async def is_ready(request: Request, kiln: Kiln) -> JSONResponse:
    """Whether the database lets us in."""
    try:
        await kiln.work(
            lambda: _ask(kiln.kiln)
        )  # in a thread: a database that is away keeps who asks waiting
    except Exception as error:
        raise Refused(503, "NOT_READY", "the database does not answer") from error
    return succeeded(request, {"status": "ok", "version": __version__})


@router.get(
    "/health",
    operation_id="getHealth",
    responses={200: {"model": WorkerHealth}, 503: {"model": WorkerHealth}},
)
async def get_health(request: Request, kiln: Kiln) -> JSONResponse:
    """How the worker of this process is, as that says it itself: for probes, and without an envelope."""
    return await kiln.work(lambda: _health(request.app, kiln.kiln))


@router.get(
    "/stats", operation_id="getStats", responses={200: {"model": WorkerStats}, 503: {"model": WorkerStats}}
)
async def get_stats(request: Request, kiln: Kiln) -> JSONResponse:
    """What the worker of this process has done since it started: without an envelope."""
    return await kiln.work(lambda: _stats(request.app))


@inside.get(
    "",
    operation_id="getSystem",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[System]}, **refusals(401, 403)},
)
async def get_system(request: Request, kiln: Kiln) -> JSONResponse:
    """Version, database, FFmpeg, room on the disk, and the settings."""
    return succeeded(request, await kiln.work(lambda: _system(kiln.kiln)))


def _system(kiln: Renderkiln) -> dict[str, Any]:
    database, settings = kiln.database, kiln.settings
    try:
        ffmpeg = binary.build(binary.find(settings.ffmpeg))
    except MediaError:
        ffmpeg = None
    return {
        "version": __version__,
        "database": {"kind": "sqlite" if database.is_sqlite else "postgres", "revision": REVISION},
        "ffmpeg": ffmpeg,
        "usage": asdict(usage(settings.home.absolute(), size(database))),
        "settings": settings.shown(),
    }


def _ask(kiln: Renderkiln) -> None:
    """Raises what the database raises."""
    with kiln.database.read() as connection:
        connection.execute(text("SELECT 1"))


def _health(app: FastAPI, kiln: Renderkiln) -> JSONResponse:
    told = {"status": "ok", "uptime": _uptime(app), "activeJobs": 0, "queueConnected": True}
    if app.state.worker is not None:
        return _told(app, "/health", {**told, "status": "degraded", "queueConnected": False})
    try:
        _ask(kiln)
    except Exception:  # noqa: BLE001  whatever it is: it does not answer
        return JSONResponse({**told, "status": "degraded", "queueConnected": False}, 503)
    return JSONResponse(told)


def _stats(app: FastAPI) -> JSONResponse:
    told = {**dict.fromkeys(WorkerStats.model_fields, 0), "uptime": _uptime(app)}
    return JSONResponse(told) if app.state.worker is None else _told(app, "/stats", told)


def _told(app: FastAPI, path: str, silent: dict[str, Any]) -> JSONResponse:
    """What our worker answers, of what is in `silent`; that itself while it starts, or is stuck."""
    try:
        found = httpx.get(app.state.worker + path, timeout=_PATIENCE, trust_env=False)
        said = found.json()
    except (httpx.HTTPError, ValueError):
        return JSONResponse(silent, 503)
    return JSONResponse({name: said[name] for name in silent}, found.status_code)


def _uptime(app: FastAPI) -> int:
    begun: float = app.state.begun
    return round((time.monotonic() - begun) * 1000)
