"""Estimates: what a job would take, before it is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs, visible_to
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.forecast import facts_of
from renderkiln.api.orders import Params, Place
from renderkiln.api.room import Kiln
from renderkiln.api.routes.costs import Cost
from renderkiln.domain.errors import UsageError
from renderkiln.domain.place import asset_id, place_of
from renderkiln.engine.estimate import Estimate as Forecast
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


class Wish(BaseModel):
    """A job that might be asked for."""

    model_config = ConfigDict(extra="forbid")

    pipeline: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="Name of an installed pipeline")
    params: Params = Field(default_factory=dict, description="As in the job itself")
    assets: list[Place] = Field(default_factory=list, max_length=100, description="Its files, if uploaded")
    inputs: list[Input] = Field(
        default_factory=list, max_length=100, description="Its files, if not, by what is known of them"
    )


class Range(BaseModel):
    """Half of all come out below `typical`; eight of ten lie between `low` and `high`."""

    low: float
    typical: float
    high: float


class Estimate(BaseModel):
    """What a job takes once it has begun: waiting in a queue is not in it."""

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
    """What a job would take. Nothing is stored, and no file is opened."""
    places = [place_of(each) if asset_id(place_of(each)) else each for each in wish.assets]

    def ask() -> Forecast:
        known = facts_of(kiln.kiln, places, visible_to(holder))
        for place in places:
            if asset_id(place) is not None and place not in known:
                raise Refused(404, "ASSET_NOT_FOUND", f"there is no asset {asset_id(place)}")
        inputs = [known.get(place, InputFacts(0)) for place in places]
        inputs += [InputFacts(**each.model_dump()) for each in wish.inputs]
        return kiln.kiln.estimate(wish.pipeline, wish.params, inputs)

    try:
        found = await kiln.work(ask)
    except UsageError as error:
        raise Refused(422, "INVALID_REQUEST", str(error)) from error
    return succeeded(request, found.to_json())
