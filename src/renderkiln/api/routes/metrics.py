"""Numbers for Prometheus, without a key: there is nothing in them that is anybody's."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from renderkiln.api.envelope import Refused, refusals
from renderkiln.api.room import Kiln

router = APIRouter(tags=["system"])


@router.get(
    "/metrics",
    operation_id="scrape",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "Metrics"}, **refusals(404)},
)
async def scrape(request: Request, kiln: Kiln) -> Response:
    """How queues, jobs and workers stand, and what this process has answered."""
    registry = request.app.state.metrics
    if registry is None:
        raise Refused(404, "NOT_FOUND", "metrics are switched off here (setting metrics)")
    from renderkiln.observability.metrics import exposed

    accept = request.headers.get("accept", "")
    body, content_type = await kiln.work(lambda: exposed(registry, accept))
    return Response(body, headers={"Content-Type": content_type})
