"""Costs: what was spent, by whom, for what and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from renderkiln.api.auth import needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.orders import Written
from renderkiln.api.room import Kiln
from renderkiln.database import costs
from renderkiln.database.costs import By, Sum

router = APIRouter(prefix="/costs", tags=["costs"])


class Cost(BaseModel):
    """In units of the currency."""

    currency: str
    total: float
    cpu: float
    stored: float = Field(description="For keeping the finished files a month")
    sent: float = Field(description="For sending them once")
    services: float = Field(description="What others were paid, such as speech providers")


class Spent(BaseModel):
    """What one account, pipeline or day has cost."""

    name: str
    jobs: int
    attempts: int
    cost: Cost


@router.get(
    "",
    operation_id="sumCosts",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[list[Spent]]}, **refusals(401, 403, 422)},
)
async def sum_costs(
    request: Request,
    kiln: Kiln,
    by: Annotated[By, Query(description="What is summed up; the keys of an account spend together")] = "day",
    since: Annotated[Written | None, Query(description="From then on")] = None,
    until: Annotated[Written | None, Query(description="Before then")] = None,
) -> JSONResponse:
    """What was spent: days in their order (UTC), else the most first."""

    def ask() -> list[Sum]:
        with kiln.kiln.database.read() as connection:
            return costs.sums(connection, by, since=_aware(since), until=_aware(until))

    return succeeded(request, [each.to_json() for each in await kiln.work(ask)])


def _aware(moment: datetime | None) -> datetime | None:
    """Times without a zone are UTC, as all that we tell. Raises Refused for the edges of the calendar."""
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise Refused(422, "INVALID_REQUEST", "query: this is no time that can be kept") from None
