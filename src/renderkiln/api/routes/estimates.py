"""Estimates: what a job would take, before it is asked for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs, visible_to
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.forecast import facts_of
from renderkiln.api.ordering import jobs_ordered
from renderkiln.api.orders import Format, Item, Order, Place
from renderkiln.api.room import Kiln
from renderkiln.api.routes.costs import Cost
from renderkiln.app import Renderkiln
from renderkiln.database.keys import StoredKey
from renderkiln.domain.errors import UsageError
from renderkiln.engine.estimate import together
from renderkiln.pipelines.contract import InputFacts

router = APIRouter(prefix="/estimates", tags=["estimates"])

_Number = Annotated[float, Field(gt=0, lt=1e9, allow_inf_nan=False)]


class Input(BaseModel):
    """A file, by what is known of it."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(0, ge=0, lt=2**53, description="Bytes")
    seconds: _Number | None = Field(None, description="How long it is")
    width: int | None = Field(None, gt=0, le=100_000, description="Pixels")
    height: int | None = Field(None, gt=0, le=100_000, description="Pixels")
    fps: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = Field(
        None, description="Frames per second"
    )


class Wish(Order):
    """A job or a batch that might be asked for: its order may be sent here as it is."""

    assets: list[Place | Item] = Field(
        default_factory=list, fail_fast=True, max_length=100_000, description="Its files, if uploaded"
    )
    inputs: list[Input] = Field(
        default_factory=list,
        max_length=1000,
        description="Its files, if not, by what is known of them: a job for each",
    )
    format: Format | None = Field(None, description="As in a job's order")
    formats: list[Format] = Field(default_factory=list, max_length=50, description="As in a batch's order")


class Range(BaseModel):
    """Half of all come out below `typical`; eight of ten lie between `low` and `high`."""

    low: float
    typical: float
    high: float


class Estimate(BaseModel):
    """What jobs take, one after another, once they have begun: waiting in a queue is not in it."""

    jobs: int = Field(description="How many the order makes")
    kind: str = Field(description="Jobs of one kind take the same time for each unit")
    units: float
    unit: str
    basis: Literal["measured", "guess", "unknown"] = Field(
        description="By jobs of its kind; by the pipeline's own guess; or not at all"
    )
    samples: int = Field(description="How many jobs it was measured by")
    seconds: Range | None
    cpuSeconds: Range | None  # noqa: N815
    bytes: Range | None = Field(description="Of the finished files")
    cost: Cost | None = Field(description="Typical; null where nothing has a price")


@router.post(
    "",
    operation_id="estimate",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Estimate]}, **refusals(401, 403, 404, 422)},
)
async def estimate(request: Request, kiln: Kiln, holder: Holder, wish: Wish) -> JSONResponse:
    """What an order would take. Nothing is stored, no file is opened, and nobody is told."""
    told = await kiln.work(lambda: _told(kiln.kiln, holder, wish))
    return succeeded(request, told)


def _told(kiln: Renderkiln, holder: StoredKey, wish: Wish) -> dict[str, Any]:
    items = [each if isinstance(each, Item) else Item(asset=each) for each in wish.assets]
    some = [*items, *(Item() for _ in wish.inputs)]
    formats: list[str | None] = [*wish.formats] or [wish.format]
    pipeline, jobs = jobs_ordered(kiln, holder, wish, some, formats)
    known = facts_of(kiln, [place for job in jobs for place in job.inputs], visible_to(holder))
    described = {str(number): each for number, each in enumerate(wish.inputs, len(items) + 1)}
    estimator, found = kiln.estimator, []
    for job in jobs:
        inputs = [known.get(place, InputFacts(0)) for place in job.inputs]
        if (given := described.get(job.item_id)) is not None and not job.inputs:
            inputs = [InputFacts(**given.model_dump())]
        try:
            found.append(
                estimator.estimate(pipeline, pipeline.Params.model_validate(dict(job.params)), inputs)
            )
        except UsageError as error:
            details = [{"field": "body.params", "message": str(error)}]
            raise Refused(422, "INVALID_REQUEST", f"body.params: {error}", details=details) from error
    return {"jobs": len(jobs), **together(found).to_json()}
