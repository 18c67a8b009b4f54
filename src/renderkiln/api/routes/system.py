"""How the service itself is: for probes, without a key."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text

from renderkiln import __version__
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln

router = APIRouter(tags=["system"])


class Health(BaseModel):
    """It is there."""

    status: str
    version: str


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
