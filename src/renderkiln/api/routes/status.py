"""How one job stands, for whoever holds its link: no key is needed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from renderkiln.api.envelope import Success, refusals, succeeded
from renderkiln.api.links import Viewer, end_of_link
from renderkiln.api.room import Kiln
from renderkiln.api.routes.jobs import Job, JobId, as_json, found

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get(
    "/{job_id}/status",
    operation_id="getStatus",
    responses={200: {"model": Success[Job]}, **refusals(401, 403, 404, 422)},
)
async def get_status(request: Request, kiln: Kiln, viewer: Viewer, job_id: JobId) -> JSONResponse:
    """How a job stands: by its `statusUrl`, which needs no key, or with one. Files have links then, too."""
    until = end_of_link(request) if viewer is None else None
    return succeeded(request, as_json(kiln, await found(kiln, job_id, viewer), until=until))
