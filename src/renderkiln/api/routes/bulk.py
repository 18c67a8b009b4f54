"""Many jobs cancelled or retried at once."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from renderkiln.api.auth import Holder, needs, payer, visible_to
from renderkiln.api.cursor import cursor_of, place_of
from renderkiln.api.envelope import Success, refusals, succeeded
from renderkiln.api.orders import Time
from renderkiln.api.room import Kiln
from renderkiln.api.routes.jobs import plain
from renderkiln.database.cursor import Cursor
from renderkiln.database.jobpage import Wanted
from renderkiln.database.keys import StoredKey
from renderkiln.domain.states import JobState
from renderkiln.engine.bulk import MOST, Handled

router = APIRouter(prefix="/jobs", tags=["jobs"])

_CONDITIONS = ("state", "pipeline", "queue", "batch", "q", "createdBefore", "ids")
_Word = Annotated[str, StringConstraints(max_length=100)]


class Portion(BaseModel):
    """Where a call goes on: to very many jobs it is done in several."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, max_length=500, description="`nextCursor` of the call before")

    @property
    def after(self) -> Cursor | None:
        """Raises Refused for a cursor that is none."""
        return None if self.cursor is None else Cursor(*place_of(self.cursor))


class Meant(Portion):
    """Which jobs are meant: those that are all of this, and in a state for it. At least one must be said."""

    state: list[JobState] = Field(default_factory=list, max_length=5, description="Any of these")
    pipeline: _Word | None = None
    queue: _Word | None = None
    batch: _Word | None = None
    q: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Part of an id or a label"
    )
    createdBefore: Time | None = None  # noqa: N815
    ids: list[Annotated[str, StringConstraints(max_length=300)]] | None = Field(None, max_length=MOST)
    dryRun: bool = Field(default=False, description="Only say which they are")  # noqa: N815

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not any(getattr(self, name) for name in _CONDITIONS):
            raise ValueError(f"say which jobs are meant: one of {', '.join(_CONDITIONS)}")
        return self

    def wanted(self, holder: StoredKey) -> Wanted:
        return Wanted(
            states=self.state,
            queue=plain(self.queue),
            batch_id=plain(self.batch),
            pipeline=plain(self.pipeline),
            account=visible_to(holder),
            text=plain(self.q),
            created_before=self.createdBefore,
            ids=None if self.ids is None else [str(plain(each)) for each in self.ids],
        )


class MeantAgain(Meant):
    """Which jobs are meant, and how they are tried again."""

    fromScratch: bool = Field(default=False, description="Forget what they had finished")  # noqa: N815


class Done(BaseModel):
    """What one call has done: to 1,000 jobs at most, and for two seconds."""

    matched: int = Field(description="How many are meant, and in a state for it, when it began")
    changed: int = Field(description="To how many it was done; with `dryRun`, to how many it would be")
    skipped: int = Field(
        description="To how many it could not be: they ended, need another one first, or cost too much"
    )
    overBudget: int = Field(description="How many of the skipped ones cost more than may be spent")  # noqa: N815
    budget: str | None = Field(description="Why, in words: how much is spent, and until when")
    jobs: list[str] = Field(description="Ids of those that were changed")
    nextCursor: str | None = Field(description="There are more: send the same with this as `cursor`")  # noqa: N815


@router.post(
    "/cancel",
    operation_id="cancelJobs",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Done]}, **refusals(401, 403, 404, 422)},
)
async def cancel_jobs(request: Request, kiln: Kiln, holder: Holder, meant: Meant) -> JSONResponse:
    """End every job that is meant and waits or runs, the oldest first."""
    wanted, after = meant.wanted(holder), meant.after
    bulk = kiln.room.bulk
    return succeeded(
        request, as_json(await kiln.work(lambda: bulk.cancel(wanted, after=after, dry=meant.dryRun)))
    )


@router.post(
    "/retry",
    operation_id="retryJobs",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Done]}, **refusals(401, 403, 404, 422)},
)
async def retry_jobs(request: Request, kiln: Kiln, holder: Holder, meant: MeantAgain) -> JSONResponse:
    """Queue every job again that is meant and failed or was cancelled, the oldest first."""
    wanted, after = meant.wanted(holder), meant.after
    bulk = kiln.room.bulk

    def again() -> Handled:
        return bulk.retry(
            wanted,
            from_scratch=meant.fromScratch,
            after=after,
            dry=meant.dryRun,
            paid_by=payer(holder),
        )

    return succeeded(request, as_json(await kiln.work(again)))


def as_json(handled: Handled) -> dict[str, Any]:
    """What was done, as the API tells it."""
    return {
        "matched": handled.matched,
        "changed": len(handled.changed),
        "skipped": handled.skipped,
        "overBudget": handled.over_budget,
        "budget": handled.budget,
        "jobs": list(handled.changed),
        "nextCursor": None if handled.rest is None else cursor_of(*handled.rest),
    }
