"""How the service itself is: for probes, without a key, and for those who run it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request
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


class Health(BaseModel):
    """It is there."""

    status: str
    version: str


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

    def ask() -> None:
        with kiln.kiln.database.read() as connection:
            connection.execute(text("SELECT 1"))

    try:
        await kiln.work(ask)  # in a thread: a database that is away keeps who asks waiting
    except Exception as error:
        raise Refused(503, "NOT_READY", "the database does not answer") from error
    return succeeded(request, {"status": "ok", "version": __version__})


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
