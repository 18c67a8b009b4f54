"""How one job stands, for whoever holds its link: no key is needed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from renderkiln.api.auth import Bearer
from renderkiln.api.envelope import Success, refusals, succeeded
from renderkiln.api.links import Viewer, end_of_link
from renderkiln.api.room import Kiln, Streams
from renderkiln.api.routes.events import STREAM, LastId, job_stream, validity
from renderkiln.api.routes.jobs import Job, JobId, as_json, found

router = APIRouter(prefix="/jobs", tags=["jobs"])

_EVENTS = "text/event-stream"
_ANSWER: dict[str, Any] = {"model": Success[Job], "content": STREAM[200]["content"]}


@router.get(
    "/{job_id}/status",
    operation_id="getStatus",
    responses={
        200: _ANSWER,
        204: {"description": "Events were asked for: it has ended, and nothing is new"},
        **refusals(401, 403, 404, 422, 503),
    },
)
async def get_status(
    request: Request,
    kiln: Kiln,
    hub: Streams,
    viewer: Viewer,
    sent: Bearer,
    job_id: JobId,
    last_id: LastId = "",
) -> Response:
    """How a job stands: by its `statusUrl`, which needs no key, or with one. Files have links then, too.

    Who accepts `text/event-stream`, as an `EventSource` does, is told its events until it ends.
    """
    stored = await found(kiln, job_id, viewer)
    until = end_of_link(request) if viewer is None else None
    if _EVENTS not in request.headers.get("accept", ""):
        return succeeded(request, as_json(kiln, stored, until=until))

    async def is_good() -> bool:
        return until is not None and kiln.room.clock.now() < until

    is_valid = is_good if viewer is None else validity(request, kiln, sent)
    return await job_stream(hub, stored, last_id, viewer, is_valid)
