"""Stored projects of scenes: kept, changed by many at once, and rendered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs
from renderkiln.api.cursor import cut, place_of
from renderkiln.api.envelope import Page, Refused, Success, refusals, succeeded
from renderkiln.api.ordering import job_ordered
from renderkiln.api.orders import (
    Document,
    IdempotencyKey,
    JobOrder,
    Metadata,
    Printable,
    Time,
    WebhookSecret,
    WebhookUrl,
)
from renderkiln.api.room import Kiln
from renderkiln.api.routes import jobs
from renderkiln.api.stored import ANY, IfMatch, ProjectId, etag, projects_of, refusing, revision_of
from renderkiln.database.cursor import Cursor
from renderkiln.database.projects import StoredProject

router = APIRouter(prefix="/projects", tags=["projects"])

_ETAG: dict[str, Any] = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Its revision"}}}


class Project(BaseModel):
    """A stored project. Times are UTC."""

    id: str
    name: str
    scenes: int = Field(description="How many it has")
    revision: int = Field(description="One higher with each change of it or its scenes")
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class Whole(Project):
    """A stored project, and what is in it."""

    document: dict[str, Any] = Field(description="With its scenes in their order, as the renderer takes it")


class NewProject(BaseModel):
    """A project to be stored."""

    model_config = ConfigDict(extra="forbid")

    document: Document = Field(description="Its files are assets (`asset:ast_…`) or URLs")
    name: Printable | None = Field(None, min_length=1, max_length=500, description="By default its title")


class NewDocument(BaseModel):
    """What a project is to be. Scenes with an id that it has already are the same scenes, changed."""

    model_config = ConfigDict(extra="forbid")

    document: Document


class NewName(BaseModel):
    """What a project is to be called."""

    model_config = ConfigDict(extra="forbid")

    name: Printable = Field(min_length=1, max_length=500)


class RenderOrder(BaseModel):
    """One film of a project. What is left out is as the project says."""

    model_config = ConfigDict(extra="forbid")

    scenes: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list, max_length=1000, description="Ids of scenes in their order; by default all"
    )
    format: Literal["mp4", "webm", "gif"] = "mp4"
    resolution: Literal["1080p", "720p", "480p"] | None = None
    aspect: Annotated[str, Field(max_length=10)] | None = Field(None, description="Width to height: 16:9")
    fps: Literal[24, 25, 30, 50, 60] | None = None
    quality: Literal["draft", "balanced", "high"] = "balanced"
    maxBytes: int | None = Field(None, ge=1000, lt=2**53, description="Most bytes of a gif")  # noqa: N815
    label: Printable = Field("", max_length=200, description="What people read; by default its name")
    priority: int = Field(100, ge=1, le=10_000, description="Low numbers run first")
    startAt: Time | None = Field(None, description="Do not begin before")  # noqa: N815
    webhookUrl: WebhookUrl = None  # noqa: N815
    webhookSecret: WebhookSecret = None  # noqa: N815
    metadata: Metadata = Field(
        default_factory=dict,
        description="Yours: given back, with the `project` and `revision` rendered, unless it has its own",
    )


@router.get(
    "",
    operation_id="listProjects",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Page[Project]]}, **refusals(401, 403, 404, 422)},
)
async def list_projects(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSONResponse:
    """The newest first, without what is in them."""
    before = None if cursor is None else Cursor(*place_of(cursor))
    found = await kiln.work(lambda: projects_of(kiln, holder).list(before=before, limit=limit + 1))
    items, following = cut(found, limit, lambda each: (each.created_at, each.id))
    return succeeded(request, {"items": [_as_json(each) for each in items], "nextCursor": following})


@router.post(
    "",
    operation_id="createProject",
    status_code=201,
    dependencies=[needs("submit")],
    responses={201: {"model": Success[Project], **_ETAG}, **refusals(401, 403, 422)},
)
async def create_project(request: Request, kiln: Kiln, holder: Holder, new: NewProject) -> JSONResponse:
    """Store a project document; its scenes may come later."""

    def create() -> StoredProject:
        with refusing("body.document"):
            kept = projects_of(kiln, holder)
            return kept.create(new.document, None, name=new.name, account=holder.account)

    made = await kiln.work(create)
    told = {"Location": f"/api/v1/projects/{made.id}", **etag(made.revision)}
    return succeeded(request, _as_json(made), status=201, headers=told)


@router.get(
    "/{project_id}",
    operation_id="getProject",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Whole], **_ETAG}, **refusals(401, 403, 404, 422)},
)
async def get_project(request: Request, kiln: Kiln, holder: Holder, project_id: ProjectId) -> JSONResponse:
    """A project with all that is in it."""

    def ask() -> tuple[StoredProject, dict[str, Any]]:
        with refusing("path.project_id"):
            return projects_of(kiln, holder).read(project_id)

    stored, document = await kiln.work(ask)
    told = {**_as_json(stored), "document": document}
    return succeeded(request, told, headers=etag(stored.revision))


@router.put(
    "/{project_id}",
    operation_id="replaceProject",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Project], **_ETAG}, **refusals(401, 403, 404, 412, 422)},
)
async def replace_project(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    project_id: ProjectId,
    new: NewDocument,
    seen: IfMatch = ANY,
) -> JSONResponse:
    """Give a project another document, and with it other scenes."""

    def replace() -> StoredProject:
        with refusing("body.document"):
            return projects_of(kiln, holder).replace(project_id, new.document, revision=revision_of(seen))

    changed = await kiln.work(replace)
    return succeeded(request, _as_json(changed), headers=etag(changed.revision))


@router.patch(
    "/{project_id}",
    operation_id="renameProject",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Project], **_ETAG}, **refusals(401, 403, 404, 412, 422)},
)
async def rename_project(
    request: Request, kiln: Kiln, holder: Holder, project_id: ProjectId, new: NewName, seen: IfMatch = ANY
) -> JSONResponse:
    """Change what people read; the title in its document stays."""

    def rename() -> StoredProject:
        with refusing("body.name"):
            return projects_of(kiln, holder).rename(project_id, new.name, revision=revision_of(seen))

    changed = await kiln.work(rename)
    return succeeded(request, _as_json(changed), headers=etag(changed.revision))


@router.delete(
    "/{project_id}",
    operation_id="deleteProject",
    status_code=204,
    dependencies=[needs("submit")],
    responses={204: {"description": "It is gone"}, **refusals(401, 403, 404, 412, 422)},
)
async def delete_project(kiln: Kiln, holder: Holder, project_id: ProjectId, seen: IfMatch = ANY) -> Response:
    """Forget a project with all its scenes. Films that were made of it stay."""

    def delete() -> None:
        with refusing("path.project_id"):
            projects_of(kiln, holder).delete(project_id, revision=revision_of(seen))

    await kiln.work(delete)
    return Response(status_code=204)


@router.post(
    "/{project_id}/render",
    operation_id="renderProject",
    status_code=202,
    dependencies=[needs("submit")],
    responses={202: {"model": Success[jobs.Submitted]}, **refusals(401, 402, 403, 404, 409, 412, 422, 429)},
)
async def render_project(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    project_id: ProjectId,
    order: RenderOrder | None = None,
    key: IdempotencyKey = None,
    seen: IfMatch = ANY,
) -> JSONResponse:
    """Queue a film of a project as it is now: later changes do not touch it."""
    wish = order or RenderOrder()

    def submit() -> dict[str, Any]:
        with refusing("body"):
            stored, document = projects_of(kiln, holder).read(project_id)
        wanted = revision_of(seen)
        if wanted not in {None, stored.revision}:
            told = f"the project is at revision {stored.revision}, not {wanted}: nothing was queued"
            raise Refused(412, "STALE_REVISION", told)
        order = film_order(stored, document, wish)
        return jobs.queued(kiln, job_ordered(kiln.kiln, holder, order, key, params="body"))

    told = await kiln.work(submit)
    return succeeded(request, told, status=202, headers={"Location": f"/api/v1/jobs/{told['id']}"})


def film_order(stored: StoredProject, document: dict[str, Any], wish: RenderOrder) -> JobOrder:
    """The film of a project that somebody wishes."""
    film = wish.model_dump(
        include={"scenes", "resolution", "aspect", "fps", "quality"}, exclude_none=True, exclude_defaults=True
    )
    most = {} if wish.maxBytes is None else {"max_bytes": wish.maxBytes}
    # Not validated again: the document was when it came, and may have grown beyond what one request may send.
    return JobOrder.model_construct(
        pipeline="scenes",
        params={**film, **most, "project": document},
        format=wish.format,
        label=wish.label or stored.name[:200],
        priority=wish.priority,
        startAt=wish.startAt,
        webhookUrl=wish.webhookUrl,
        webhookSecret=wish.webhookSecret,
        metadata={"project": stored.id, "revision": stored.revision, **wish.metadata},
    )


def _as_json(stored: StoredProject) -> dict[str, Any]:
    """All but where its files are, if it came from the command line."""
    told = stored.to_json()
    del told["folder"]
    return told
