"""Pictures of a stored project's film before it is made, for who edits it."""

from __future__ import annotations

import threading
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs
from renderkiln.api.drawing import drawn
from renderkiln.api.envelope import refusals
from renderkiln.api.ordering import job_ordered
from renderkiln.api.room import Kiln
from renderkiln.api.routes.projects import RenderOrder, film_order
from renderkiln.api.stored import ProjectId, projects_of, refusing
from renderkiln.engine.preview import Preview
from renderkiln.pipelines.scenes.params import ScenesParams

router = APIRouter(prefix="/projects", tags=["projects"])

_TEXT = {"schema": {"type": "string"}}
_HEADERS: dict[str, Any] = {
    "Preview-Duration": {**_TEXT, "description": "How long the film lasts, in seconds; speech is estimated"},
    "Preview-Second": {**_TEXT, "description": "Where the frame is in it"},
    "Preview-Scene": {**_TEXT, "description": "In which scene it is"},
}


class PreviewOrder(BaseModel):
    """Which picture of a project. What is left out is as the project says."""

    model_config = ConfigDict(extra="forbid")

    at: Annotated[float, Field(ge=0, le=1e6)] | Literal["best"] | None = Field(
        None,
        description="The frame at this second, or the one in which what is on the first scene has come in "
        "(best); by default a sheet with every scene",
    )
    scenes: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list, max_length=1000, description="Ids of scenes in their order; by default all"
    )
    resolution: Literal["1080p", "720p", "480p"] = Field("480p", description="Larger ones take longer")
    aspect: Annotated[str, Field(max_length=10)] | None = Field(None, description="Width to height: 16:9")


@router.post(
    "/{project_id}/preview",
    operation_id="previewProject",
    dependencies=[needs("submit")],
    response_class=Response,
    responses={
        200: {
            "description": "The picture",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "headers": _HEADERS,
        },
        **refusals(401, 402, 403, 404, 408, 409, 422, 503),
    },
)
async def preview_project(
    request: Request, kiln: Kiln, holder: Holder, project_id: ProjectId, order: PreviewOrder | None = None
) -> Response:
    """A frame of the film, or a sheet of its scenes, without making the film. Takes some seconds."""
    wish = order or PreviewOrder()

    def draw(stop: threading.Event) -> Preview:
        with refusing("body"):
            stored, document = projects_of(kiln, holder).read(project_id)
        film = RenderOrder(scenes=wish.scenes, resolution=wish.resolution, aspect=wish.aspect)
        # The very same job, so that what is wrong with it is told as of a render. It is not queued.
        job = job_ordered(kiln.kiln, holder, film_order(stored, document, film), None).jobs[0]
        params = ScenesParams.model_validate(dict(job.params))
        return kiln.kiln.previews.draw(kiln.kiln.pipeline(job.pipeline), params, wish.at, stop)

    preview = await drawn(request, kiln, holder.account, draw)
    return Response(preview.png, media_type="image/png", headers=_told(preview))


def _told(preview: Preview) -> dict[str, str]:
    told = {"Preview-Duration": f"{preview.seconds:.3f}"}
    if preview.second is not None and preview.scene is not None:
        told |= {"Preview-Second": f"{preview.second:.3f}", "Preview-Scene": quote(preview.scene)}
    return told
