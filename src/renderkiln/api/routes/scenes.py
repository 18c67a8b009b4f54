"""The scenes of stored projects, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.orders import Document
from renderkiln.api.room import Kiln
from renderkiln.api.stored import ANY, IfMatch, ProjectId, etag, projects_of, refusing, revision_of
from renderkiln.database.scenes import StoredScene

router = APIRouter(prefix="/projects/{project_id}/scenes", tags=["projects"])

SceneId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="Id of a scene in its project")
]
_ETAG: dict[str, Any] = {
    "headers": {
        "ETag": {"schema": {"type": "string"}, "description": "Revision of its project, if If-Match was sent"}
    }
}


class Scene(BaseModel):
    """A scene. Times are UTC."""

    id: str
    position: int = Field(description="In its project, from 1")
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815
    scene: dict[str, Any] = Field(description="Its document")


class NewScene(BaseModel):
    """A scene to be added."""

    model_config = ConfigDict(extra="forbid")

    scene: Document = Field(description="Its document; without an id it gets one")
    at: int | None = Field(None, ge=1, le=1000, description="Before which position; by default at the end")


class NewContent(BaseModel):
    """What a scene is to be."""

    model_config = ConfigDict(extra="forbid")

    scene: Document = Field(description="Its document; the id stays, and may be left out")


class NewPosition(BaseModel):
    """Where a scene is to be."""

    model_config = ConfigDict(extra="forbid")

    position: int = Field(ge=1, le=1000, description="From 1; those between close up")


@router.get(
    "",
    operation_id="listScenes",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Scene]]}, **refusals(401, 403, 404, 422)},
)
async def list_scenes(request: Request, kiln: Kiln, holder: Holder, project_id: ProjectId) -> JSONResponse:
    """All scenes of a project, in their order."""

    def ask() -> Sequence[StoredScene]:
        with refusing("path.project_id"):
            return projects_of(kiln, holder).scenes(project_id)

    return succeeded(request, [each.to_json() for each in await kiln.work(ask)])


@router.post(
    "",
    operation_id="addScene",
    status_code=201,
    dependencies=[needs("submit")],
    responses={201: {"model": Success[Scene], **_ETAG}, **refusals(401, 403, 404, 412, 422)},
)
async def add_scene(
    request: Request, kiln: Kiln, holder: Holder, project_id: ProjectId, new: NewScene, seen: IfMatch = ANY
) -> JSONResponse:
    """Put a scene into a project."""

    def add() -> StoredScene:
        with refusing("body.scene"):
            kept = projects_of(kiln, holder)
            return kept.add_scene(project_id, new.scene, at=new.at, revision=revision_of(seen))

    made = await kiln.work(add)
    place = f"/api/v1/projects/{project_id}/scenes/{made.id}"
    return succeeded(request, made.to_json(), status=201, headers={"Location": place, **_now(seen)})


@router.get(
    "/{scene_id}",
    operation_id="getScene",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Scene]}, **refusals(401, 403, 404, 422)},
)
async def get_scene(
    request: Request, kiln: Kiln, holder: Holder, project_id: ProjectId, scene_id: SceneId
) -> JSONResponse:
    """One scene."""

    def ask() -> Sequence[StoredScene]:
        with refusing("path.project_id"):
            return projects_of(kiln, holder).scenes(project_id)

    for each in await kiln.work(ask):
        if each.id == scene_id:
            return succeeded(request, each.to_json())
    raise Refused(404, "SCENE_NOT_FOUND", "the project has no such scene")


@router.put(
    "/{scene_id}",
    operation_id="replaceScene",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Scene], **_ETAG}, **refusals(401, 403, 404, 412, 422)},
)
async def replace_scene(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    project_id: ProjectId,
    scene_id: SceneId,
    new: NewContent,
    seen: IfMatch = ANY,
) -> JSONResponse:
    """Give a scene another document."""

    def replace() -> StoredScene:
        with refusing("body.scene"):
            kept = projects_of(kiln, holder)
            return kept.replace_scene(project_id, scene_id, new.scene, revision=revision_of(seen))

    return succeeded(request, (await kiln.work(replace)).to_json(), headers=_now(seen))


@router.patch(
    "/{scene_id}",
    operation_id="moveScene",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Scene], **_ETAG}, **refusals(401, 403, 404, 412, 422)},
)
async def move_scene(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    project_id: ProjectId,
    scene_id: SceneId,
    to: NewPosition,
    seen: IfMatch = ANY,
) -> JSONResponse:
    """Let a scene be at another position."""

    def move() -> StoredScene:
        with refusing("body.position"):
            kept = projects_of(kiln, holder)
            return kept.move_scene(project_id, scene_id, to.position, revision=revision_of(seen))

    return succeeded(request, (await kiln.work(move)).to_json(), headers=_now(seen))


@router.delete(
    "/{scene_id}",
    operation_id="removeScene",
    status_code=204,
    dependencies=[needs("submit")],
    responses={204: {"description": "It is gone", **_ETAG}, **refusals(401, 403, 404, 412, 422)},
)
async def remove_scene(
    kiln: Kiln, holder: Holder, project_id: ProjectId, scene_id: SceneId, seen: IfMatch = ANY
) -> Response:
    """Forget a scene; those behind it close up."""

    def remove() -> None:
        with refusing("path.scene_id"):
            projects_of(kiln, holder).remove_scene(project_id, scene_id, revision=revision_of(seen))

    await kiln.work(remove)
    return Response(status_code=204, headers=_now(seen))


def _now(seen: str) -> dict[str, str]:
    """The revision after a change of the one that was seen; unknown to who changes whichever there is."""
    before = revision_of(seen)
    return {} if before is None else etag(before + 1)
