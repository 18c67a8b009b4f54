"""Batches: jobs that were submitted together."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from renderkiln.api.auth import Holder, needs, payer, visible_to
from renderkiln.api.cursor import cut, place_of
from renderkiln.api.envelope import Page, Refused, Success, refusals, succeeded
from renderkiln.api.ordering import batch_ordered, submitted
from renderkiln.api.orders import BatchOrder, IdempotencyKey
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.routes.bulk import Done, Portion, as_json
from renderkiln.api.routes.costs import Cost
from renderkiln.database.cursor import Cursor
from renderkiln.database.jobpage import Wanted
from renderkiln.database.keys import StoredKey
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import JobState
from renderkiln.engine.batchreport import BatchReport
from renderkiln.engine.bulk import Handled

router = APIRouter(prefix="/batches", tags=["batches"])

BATCH_ID = r"^[A-Za-z0-9_.]{1,64}$"
BatchId = Annotated[str, Path(pattern=BATCH_ID, description="Id of a batch")]


class Counts(BaseModel):
    """How many jobs are in which state; one that waits for a retry is pending."""

    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int


class Batch(BaseModel):
    """How a batch stands. Times are UTC."""

    id: str
    label: str
    state: JobState
    progress: float = Field(description="Percent, of all its jobs together")
    remainingSeconds: float | None = Field(description="null where it would be a guess")  # noqa: N815
    total: int
    counts: Counts
    round: int = Field(description="How often all its jobs had ended")
    createdAt: str  # noqa: N815
    completedAt: str | None  # noqa: N815
    metadata: dict[str, Any]
    cost: Cost | None = Field(description="Of all its jobs; null where nothing has a price")


class Submitted(BaseModel):
    """What was queued. `jobs` are the ids of its jobs, `{batch}-{item}-{format}`, in their order."""

    batchId: str  # noqa: N815
    jobs: list[str]
    webhookSecret: str | None = Field(  # noqa: N815
        description="Signs what webhookUrl is told; shown this once, and null where there is none"
    )


class RetryPortion(Portion):
    """Which jobs of a batch are tried again, and how."""

    cancelled: bool = Field(default=False, description="Its cancelled jobs, too")
    fromScratch: bool = Field(default=False, description="Forget what they had finished")  # noqa: N815

    @property
    def states(self) -> tuple[JobState, ...]:
        return ("failed", "cancelled") if self.cancelled else ("failed",)


@router.get(
    "",
    operation_id="listBatches",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Page[Batch]]}, **refusals(401, 403, 404, 422)},
)
async def list_batches(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    cursor: Annotated[str | None, Query(max_length=500, description="`nextCursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSONResponse:
    """The newest batches first."""
    before = None if cursor is None else Cursor(*place_of(cursor))
    found = await kiln.work(lambda: kiln.room.batches(limit + 1, visible_to(holder), before))
    items, following = cut(found, limit, lambda each: (each.batch.created_at, each.batch.id))
    return succeeded(request, {"items": [each.to_json() for each in items], "nextCursor": following})


@router.post(
    "",
    operation_id="submitBatch",
    status_code=202,
    dependencies=[needs("submit")],
    responses={202: {"model": Success[Submitted]}, **refusals(401, 402, 403, 404, 409, 422)},
)
async def submit_batch(
    request: Request, kiln: Kiln, holder: Holder, order: BatchOrder, key: IdempotencyKey = None
) -> JSONResponse:
    """Queue a job for each file in each format: all of them, or none."""

    def submit() -> dict[str, Any]:
        submission = batch_ordered(kiln.kiln, holder, order, key)
        batch = submitted(kiln, submission)
        if batch == submission.batch_id:
            secret = submission.hook.secret if submission.hook else None
            return {"batchId": batch, "jobs": [job.id for job in submission.jobs], "webhookSecret": secret}
        jobs = [each.report.job.id for each in kiln.room.batch(batch)]
        return {"batchId": batch, "jobs": jobs, "webhookSecret": None}

    told = await kiln.work(submit)
    return succeeded(request, told, status=202, headers={"Location": f"/api/v1/batches/{told['batchId']}"})


@router.get(
    "/{batch_id}",
    operation_id="getBatch",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Batch]}, **refusals(401, 403, 404, 422)},
)
async def get_batch(request: Request, kiln: Kiln, holder: Holder, batch_id: BatchId) -> JSONResponse:
    """How a batch stands."""
    return succeeded(request, (await _found(kiln, batch_id, holder)).to_json())


@router.post(
    "/{batch_id}/cancel",
    operation_id="cancelBatch",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Done]}, **refusals(401, 403, 404, 422)},
)
async def cancel_batch(
    request: Request, kiln: Kiln, holder: Holder, batch_id: BatchId, portion: Portion | None = None
) -> JSONResponse:
    """Cancel what has not ended of it: as many jobs as one call may, the oldest first."""
    after = (portion or Portion()).after
    await _found(kiln, batch_id, holder)
    bulk, wanted = kiln.room.bulk, Wanted(batch_id=batch_id)
    return succeeded(request, as_json(await kiln.work(lambda: bulk.cancel(wanted, after=after))))


@router.post(
    "/{batch_id}/retry",
    operation_id="retryBatch",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Done]}, **refusals(401, 403, 404, 422)},
)
async def retry_batch(
    request: Request, kiln: Kiln, holder: Holder, batch_id: BatchId, how: RetryPortion | None = None
) -> JSONResponse:
    """Queue its failed jobs again: as many as one call may, the oldest first."""
    wish = how or RetryPortion()
    after = wish.after
    await _found(kiln, batch_id, holder)
    bulk, wanted = kiln.room.bulk, Wanted(wish.states, batch_id=batch_id)

    def again() -> Handled:
        return bulk.retry(wanted, from_scratch=wish.fromScratch, after=after, paid_by=payer(holder))

    return succeeded(request, as_json(await kiln.work(again)))


async def _found(kiln: Reached, batch_id: str, holder: StoredKey) -> BatchReport:
    try:
        report = await kiln.work(lambda: kiln.room.batch_report(batch_id))
    except UserError as error:
        raise Refused(404, "BATCH_NOT_FOUND", str(error)) from error
    if visible_to(holder) not in {None, report.batch.account}:
        raise Refused(404, "BATCH_NOT_FOUND", f"there is no batch {batch_id!r}")
    return report
