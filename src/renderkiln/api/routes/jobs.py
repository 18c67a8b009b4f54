"""Jobs: how they stand, what came of them, and how they are steered."""

from __future__ import annotations

import stat
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from renderkiln.api.auth import Holder, needs, payer, visible_to
from renderkiln.api.cursor import cut, place_of
from renderkiln.api.envelope import Page, Refused, Success, refusals, succeeded
from renderkiln.api.files import POLICY, kept_file
from renderkiln.api.links import Viewer, end_of_new_link, linked
from renderkiln.api.ordering import job_ordered, submitted
from renderkiln.api.orders import IdempotencyKey, JobOrder
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.routes.costs import Cost
from renderkiln.database import jobpage
from renderkiln.database.cursor import Cursor
from renderkiln.database.jobs import StoredJob
from renderkiln.database.keys import StoredKey
from renderkiln.domain.artifact import Artifact as Made
from renderkiln.domain.discretion import discreet
from renderkiln.domain.report import iso
from renderkiln.domain.states import JobState
from renderkiln.engine.control import NoStage
from renderkiln.engine.submission import Submission

router = APIRouter(prefix="/jobs", tags=["jobs"])

MOST = 200  # jobs on a page
JOB_ID = r"^[A-Za-z0-9_.-]{1,300}$"
JobId = Annotated[str, Path(pattern=JOB_ID, description="Id of a job")]
Number = Annotated[int, Path(ge=1, le=100_000, description="Which of its files, from 1 on")]


class Artifact(BaseModel):
    """A finished file."""

    id: str
    name: str
    url: str = Field(description="Where it is downloaded, with a key; ranges are answered")
    size: int = Field(description="Bytes")
    sha256: str
    contentType: str  # noqa: N815
    kind: str
    facts: dict[str, Any]


class FileLink(BaseModel):
    """A finished file for whoever has this address."""

    url: str = Field(description="Of this server, where the setting `public_url` does not say which that is")
    expiresAt: str  # noqa: N815


class Notice(BaseModel):
    """What went wrong, in words."""

    code: str
    message: str


class LeftOut(BaseModel):
    """An optional stage that failed."""

    stage: str
    message: str


class Job(BaseModel):
    """A job and what has become of it so far. Times are UTC."""

    id: str
    batchId: str  # noqa: N815
    label: str = Field(description="What people read: the name of its file")
    pipeline: str
    queue: str
    state: JobState
    stage: str | None
    progress: float = Field(ge=0, le=100, description="Percent; it never falls")
    message: str
    attempt: int
    maxAttempts: int  # noqa: N815
    crashes: int = Field(description="How often a worker died while it ran it, and another one went on")
    worker: str | None
    priority: int = Field(description="Low numbers run first")
    createdAt: str  # noqa: N815
    startedAt: str | None = Field(description="When its first attempt began")  # noqa: N815
    processedAt: str | None = Field(description="When its latest attempt began")  # noqa: N815
    completedAt: str | None = Field(description="When it ended, whichever way")  # noqa: N815
    error: Notice | None
    result: dict[str, Any] | None
    artifacts: list[Artifact]
    metadata: dict[str, Any] = Field(description="The caller's own, handed back untouched")
    warnings: list[Notice]
    reused: list[str]
    statusUrl: str = Field(description="How it stands, for whoever has this address: good for a week")  # noqa: N815
    leftOut: list[LeftOut]  # noqa: N815
    cost: Cost | None = Field(description="Of its attempts that have ended; null where nothing has a price")


class Submitted(Job):
    """A job that was queued."""

    webhookSecret: str | None = Field(  # noqa: N815
        description="Signs what webhookUrl is told; shown this once, and null where there is none"
    )


class Again(BaseModel):
    """How a job is tried again."""

    model_config = ConfigDict(extra="forbid")

    fromScratch: bool = Field(default=False, description="Forget what it had finished")  # noqa: N815
    from_: str | None = Field(
        None,
        alias="from",
        max_length=100,
        description="Forget what it had finished of this stage and of those after it, and go on there",
    )

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if self.fromScratch and self.from_ is not None:
            raise ValueError("say either from where, or from scratch")
        return self


class Change(BaseModel):
    """What is to be different about a job."""

    model_config = ConfigDict(extra="forbid")

    priority: int = Field(ge=1, le=10_000, description="Low numbers run first")


@router.get(
    "",
    operation_id="listJobs",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Page[Job]]}, **refusals(401, 403, 404, 422)},
)
async def list_jobs(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    state: Annotated[list[JobState] | None, Query(description="Repeatable: any of these")] = None,
    pipeline: Annotated[str | None, Query(max_length=100)] = None,
    queue: Annotated[str | None, Query(max_length=100)] = None,
    batch: Annotated[str | None, Query(max_length=100)] = None,
    q: Annotated[str | None, Query(max_length=200, description="Part of an id or a label")] = None,
    cursor: Annotated[str | None, Query(max_length=500, description="`nextCursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> JSONResponse:
    """The newest jobs first."""
    before = None if cursor is None else Cursor(*place_of(cursor))

    def ask() -> list[StoredJob]:
        with kiln.kiln.database.read() as connection:
            return jobpage.page(
                connection,
                states=state or (),
                queue=plain(queue),
                batch_id=plain(batch),
                pipeline=plain(pipeline),
                account=visible_to(holder),
                text=plain(q),
                before=before,
                limit=limit + 1,
            )

    rows = await kiln.work(ask)
    items, following = cut(rows, limit, lambda each: (each.report.job.created_at, each.report.job.id))
    return succeeded(request, {"items": [as_json(kiln, each) for each in items], "nextCursor": following})


@router.post(
    "",
    operation_id="submitJob",
    status_code=202,
    dependencies=[needs("submit")],
    responses={202: {"model": Success[Submitted]}, **refusals(401, 402, 403, 404, 409, 422)},
)
async def submit_job(
    request: Request, kiln: Kiln, holder: Holder, order: JobOrder, key: IdempotencyKey = None
) -> JSONResponse:
    """Queue a job. The same request with the same `Idempotency-Key` is answered with the job of the first."""
    told = await kiln.work(lambda: queued(kiln, job_ordered(kiln.kiln, holder, order, key)))
    return succeeded(request, told, status=202, headers={"Location": f"/api/v1/jobs/{told['id']}"})


@router.get(
    "/{job_id}",
    operation_id="getJob",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Job]}, **refusals(401, 403, 404, 422)},
)
async def get_job(request: Request, kiln: Kiln, holder: Holder, job_id: JobId) -> JSONResponse:
    """How a job stands."""
    return succeeded(request, as_json(kiln, await found(kiln, job_id, holder)))


@router.patch(
    "/{job_id}",
    operation_id="changeJob",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Job]}, **refusals(401, 403, 404, 409, 422)},
)
async def change_job(
    request: Request, kiln: Kiln, holder: Holder, job_id: JobId, change: Change
) -> JSONResponse:
    """Let a waiting job run sooner or later."""
    await found(kiln, job_id, holder)
    await kiln.work(lambda: kiln.room.control.reprioritise(job_id, change.priority))
    return succeeded(request, as_json(kiln, await found(kiln, job_id, holder)))


@router.post(
    "/{job_id}/cancel",
    operation_id="cancelJob",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Job]}, **refusals(401, 403, 404, 409, 422)},
)
async def cancel_job(request: Request, kiln: Kiln, holder: Holder, job_id: JobId) -> JSONResponse:
    """End a job that waits or runs; whoever runs it stops within a second."""
    await found(kiln, job_id, holder)
    await kiln.work(lambda: kiln.room.control.cancel(job_id))
    return succeeded(request, as_json(kiln, await found(kiln, job_id, holder)))


@router.post(
    "/{job_id}/retry",
    operation_id="retryJob",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Job]}, **refusals(401, 402, 403, 404, 409, 422)},
)
async def retry_job(
    request: Request, kiln: Kiln, holder: Holder, job_id: JobId, how: Again | None = None
) -> JSONResponse:
    """Queue a failed or cancelled job again.

    It goes on where it ended, at an earlier stage, or begins from scratch.
    """
    await found(kiln, job_id, holder)
    wish, control = how or Again(), kiln.room.control

    def again() -> None:
        control.retry(job_id, from_scratch=wish.fromScratch, from_stage=wish.from_, paid_by=payer(holder))

    try:
        await kiln.work(again)
    except NoStage as error:
        details = [{"field": "body.from", "message": str(error)}]
        raise Refused(422, "INVALID_REQUEST", f"body.from: {error}", details=details) from error
    return succeeded(request, as_json(kiln, await found(kiln, job_id, holder)))


@router.get(
    "/{job_id}/artifacts/{number}/link",
    operation_id="linkArtifact",
    dependencies=[needs("read")],
    responses={200: {"model": Success[FileLink]}, **refusals(401, 403, 404, 422)},
)
async def link_artifact(
    request: Request, kiln: Kiln, holder: Holder, job_id: JobId, number: Number
) -> JSONResponse:
    """An address at which anybody gets a finished file without a key, for a week."""
    _artifact(await found(kiln, job_id, holder), number)
    path, until = f"/api/v1/jobs/{job_id}/artifacts/{number}", end_of_new_link(kiln)
    return succeeded(request, {"url": linked(kiln, path, until), "expiresAt": iso(until)})


@router.get(
    "/{job_id}/artifacts/{number}",
    operation_id="getArtifact",
    response_class=FileResponse,
    responses={
        200: {"description": "The file", "content": {"application/octet-stream": {}}},
        206: {"description": "The part of it that was asked for"},
        307: {"description": "It is in a bucket: there, for an hour, without a key"},
        416: {"description": "It has no such part"},
        **refusals(401, 403, 404, 410, 422, 503),
    },
)
async def get_artifact(
    request: Request, kiln: Kiln, viewer: Viewer, job_id: JobId, number: Number
) -> Response:
    """A finished file, or a range of it."""
    artifact = _artifact(await found(kiln, job_id, viewer), number)
    if artifact.kept is not None:
        return await kiln.work(lambda: kept_file(request, kiln, artifact))
    try:
        status = await kiln.work(artifact.path.stat)
    except OSError:
        status = None
    if status is None or not stat.S_ISREG(status.st_mode) or status.st_size != artifact.size:
        raise Refused(410, "ARTIFACT_GONE", f"{artifact.path.name} was removed or changed since it was made")
    name = artifact.path.name
    return FileResponse(
        artifact.path,
        media_type=artifact.content_type,
        filename=name,
        stat_result=status,
        headers={"content-security-policy": POLICY},
    )


def as_json(kiln: Reached, stored: StoredJob, *, until: datetime | None = None) -> dict[str, Any]:
    """A job as the API tells it: files by their addresses here, and nowhere where anything lies.

    For whoever has a link that is good `until` then, its addresses need no key and are good as long.
    """
    told = discreet(stored.report, stored.output_dir, kiln.kiln.settings.home.absolute())
    told["crashes"] = stored.crashes
    if until is not None:
        return kiln.kiln.stores.addresses.in_job(told, until)
    return {**told, "statusUrl": linked(kiln, f"/api/v1/jobs/{told['id']}/status")}


def queued(kiln: Reached, submission: Submission) -> dict[str, Any]:
    """Queue the one job of it; the job as the API tells it, with what signs what its own webhook is told.

    A request that came before is answered with its job, and no secret: that was told then.
    """
    batch = submitted(kiln, submission)
    secret = submission.hook.secret if submission.hook and batch == submission.batch_id else None
    return {**as_json(kiln, kiln.room.batch(batch)[0]), "webhookSecret": secret}


async def found(kiln: Reached, job_id: str, viewer: StoredKey | None) -> StoredJob:
    """The job without its params, if who asks sees it; None holds a link to it. Raises Refused."""
    stored = await kiln.read(lambda: kiln.room.find(job_id, params=False))
    account = None if viewer is None else visible_to(viewer)
    if stored is None or account not in {None, stored.report.job.account}:
        raise Refused(404, "JOB_NOT_FOUND", f"there is no job {job_id}")
    return stored


def _artifact(stored: StoredJob, number: int) -> Made:
    """Raises Refused."""
    artifacts = stored.report.artifacts
    if number > len(artifacts):
        raise Refused(404, "ARTIFACT_NOT_FOUND", f"job {stored.report.job.id} has no artifact {number}")
    return artifacts[number - 1]


def plain(text: str | None) -> str | None:
    """Postgres takes no NUL in a text."""
    return None if text is None else text.replace("\x00", "\ufffd")
