"""The HTTP API, put together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from renderkiln import __version__
from renderkiln.api.border import guard
from renderkiln.api.demo import Composer
from renderkiln.api.fetching import Fetcher
from renderkiln.api.head import Head
from renderkiln.api.passage import Passage
from renderkiln.api.recently import Recently
from renderkiln.api.room import Reached
from renderkiln.api.routes import (
    activity,
    assets,
    batches,
    bulk,
    costs,
    estimates,
    events,
    files,
    history,
    jobs,
    keys,
    login,
    metrics,
    pipelines,
    previews,
    projects,
    queues,
    scenes,
    status,
    system,
    templates,
    uploads,
    voices,
    webhooks,
    workers,
)
from renderkiln.api.session import Sessions
from renderkiln.api.site import site
from renderkiln.api.sse import Hub
from renderkiln.api.throttle import Throttle
from renderkiln.app import Renderkiln

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

PREFIX = "/api/v1"
_NOUNS = (
    jobs,
    status,
    bulk,
    history,
    batches,
    assets,
    uploads,
    projects,
    previews,
    scenes,
    pipelines,
    templates,
    voices,
    queues,
    activity,
    workers,
    estimates,
    costs,
    keys,
    events,
    webhooks,
)


def create_app(
    kiln: Renderkiln, spans: TracerProvider | None = None, *, worker: str | None = None
) -> FastAPI:
    """The ASGI application that answers for `kiln`, which stays its caller's to close; so does `spans`.

    `worker` is where one that belongs to it says how it is.
    """
    app = FastAPI(
        title="Renderkiln",
        version=__version__,
        summary="The render room you own: jobs, batches, queues and events over HTTP.",
        openapi_url="/openapi.json",
        docs_url=None,  # its scripts would come from other servers
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.reached = Reached(
        kiln,
        Throttle(kiln.settings.rate_limit),
        Sessions(kiln.stores.secrets),
        Fetcher(kiln),
        Composer(kiln.settings.home.absolute() / "cache"),
        Recently(seconds=2.0),
    )
    app.state.worker, app.state.begun = worker, time.monotonic()
    app.state.hub = Hub(lambda: kiln.database, kiln.settings.home.absolute())
    app.router.routes.extend(_routes())
    app.include_router(site(kiln.stores))
    guard(app)
    app.add_middleware(Head)
    app.add_middleware(Passage)
    if spans is not None:
        from renderkiln.api.trace import Tracing

        app.add_middleware(Tracing, provider=spans)
    _measure(app, kiln, worker)
    return app


@cache  # for all applications of this process: what its routes take and answer takes a while to work out
def _routes() -> Sequence[BaseRoute]:
    """Where everything but the dashboard is."""
    v1, everything = APIRouter(), APIRouter()
    for each in _NOUNS:
        v1.include_router(each.router)
    v1.include_router(system.inside)
    everything.include_router(v1, prefix=PREFIX)
    for router in (files.router, system.router, login.router, metrics.router):
        everything.include_router(router)
    return everything.routes


def _measure(app: FastAPI, kiln: Renderkiln, worker: str | None) -> None:
    app.state.metrics = None
    if not kiln.settings.metrics:
        return
    from renderkiln.api.meter import Meter
    from renderkiln.engine.gauges import Gauges
    from renderkiln.observability.metrics import HttpMetrics, WorkElsewhere, new_registry

    app.state.metrics = registry = new_registry()
    registry.register(Gauges(kiln.room))
    if worker is not None:
        registry.register(WorkElsewhere(worker))
    app.add_middleware(Meter, metrics=HttpMetrics(registry))  # the outermost: it sees every answer
