"""The HTTP API, put together."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from renderkiln import __version__
from renderkiln.api.border import guard
from renderkiln.api.passage import Passage
from renderkiln.api.room import Reached
from renderkiln.api.routes import assets, batches, costs, estimates, jobs, queues, system, uploads
from renderkiln.app import Renderkiln

PREFIX = "/api/v1"


def create_app(kiln: Renderkiln) -> FastAPI:
    """The ASGI application that answers for `kiln`, which stays its caller's to close."""
    app = FastAPI(
        title="Renderkiln",
        version=__version__,
        summary="The render room you own: jobs, batches and queues over HTTP.",
        openapi_url="/openapi.json",
        docs_url=None,  # its scripts would come from other servers
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.reached = Reached(kiln)
    v1 = APIRouter(prefix=PREFIX)
    for each in (jobs, batches, assets, uploads, queues, estimates, costs):
        v1.include_router(each.router)
    app.include_router(v1)
    app.include_router(system.router)
    guard(app)
    app.add_middleware(Passage)
    return app
