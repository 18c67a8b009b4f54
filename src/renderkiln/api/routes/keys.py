"""Keys: who may use this API, and who is asking."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.orders import Printable
from renderkiln.api.room import Kiln, Reached
from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Budget, Period
from renderkiln.domain.cost import billionths, units
from renderkiln.domain.errors import UsageError
from renderkiln.domain.report import iso
from renderkiln.engine.budget import used_of
from renderkiln.engine.keys import LastAdmin, NoKey

router = APIRouter(tags=["keys"])

KeyId = Annotated[str, Path(pattern=r"^key_[0-9a-f]{1,40}$", description="Id of a key")]


class Allowance(BaseModel):
    """What the account of a key may spend."""

    model_config = ConfigDict(extra="forbid")

    amount: float = Field(ge=1e-9, le=1e9, description="In the setting `currency`", allow_inf_nan=False)
    period: Period = Field("month", description="In what time")


class Spending(Allowance):
    """What the account of a key may spend, in this currency."""

    currency: str


class Balance(Spending):
    """What the account of a key may spend, and how much of that it has used in this period."""

    spent: float = Field(description="By all its keys, for attempts that have ended")
    expected: float = Field(description="What jobs that have not ended will probably cost: it counts, too")
    endsAt: str | None = Field(description="When the next period begins; null: never")  # noqa: N815


class _Named(BaseModel):
    id: str
    name: str
    scope: Scope
    account: str = Field(description="Its keys see each other's jobs and assets")


class Me(_Named):
    """The key that asks."""

    budget: Balance | None = Field(description="What its account may spend; null: any amount")


class Key(_Named):
    """A key, but for what it is: of that only a hash is kept."""

    budget: Spending | None = Field(description="What its account may spend; null: any amount")
    start: str = Field(description="Its first letters, to tell it by")
    createdAt: str  # noqa: N815
    usedAt: str | None  # noqa: N815
    revokedAt: str | None  # noqa: N815


class NewKey(Key):
    """A key that was made just now."""

    key: str = Field(description="What its holder sends; it is shown this once")


class KeyOrder(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Printable = Field(min_length=1, max_length=100, description="Whose it is, or what for")
    scope: Scope = Field(
        "submit", description="read: to look; submit: to queue and steer jobs, too; admin: all"
    )
    account: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="By default one of its own, named after its id"
    )
    budget: Allowance | None = Field(None, description="Jobs beyond it are refused; by default none are")


class KeyChange(BaseModel):
    """What is to be different about a key; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    name: Printable | None = Field(None, min_length=1, max_length=100)
    scope: Scope | None = None
    budget: Allowance | None = Field(None, description="null allows any amount; left out, it stays")


@router.get(
    "/me",
    operation_id="getMe",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Me]}, **refusals(401, 403)},
)
async def get_me(request: Request, kiln: Kiln, holder: Holder) -> JSONResponse:
    """What the key may do that was sent with this request, and what is left of its budget."""
    told = holder.to_json()
    me = {name: told[name] for name in Me.model_fields}
    if (budget := holder.budget) is not None:
        me["budget"] |= await kiln.work(lambda: _used(kiln, holder.account, budget))
    return succeeded(request, me)


def _used(kiln: Reached, account: str, budget: Budget) -> dict[str, Any]:
    now = kiln.room.clock.now()
    with kiln.kiln.database.read() as connection:
        used = used_of(connection, account, budget, now)
    return {"spent": units(used.spent), "expected": units(used.promised), "endsAt": iso(budget.ends(now))}


@router.get(
    "/keys",
    operation_id="listKeys",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[list[Key]]}, **refusals(401, 403)},
)
async def list_keys(request: Request, kiln: Kiln) -> JSONResponse:
    """The newest first, revoked ones among them."""
    found = await kiln.work(lambda: kiln.keys.list())
    return succeeded(request, [each.to_json() for each in found])


@router.post(
    "/keys",
    operation_id="createKey",
    status_code=201,
    dependencies=[needs("admin")],
    responses={201: {"model": Success[NewKey]}, **refusals(401, 403, 422)},
)
async def create_key(request: Request, kiln: Kiln, order: KeyOrder) -> JSONResponse:
    """Make a key. What it is stands in this answer, and nowhere else."""
    allowed = _allowed(kiln, order.budget)
    try:
        made, secret = await kiln.work(
            lambda: kiln.keys.create(order.name, order.scope, order.account, allowed)
        )
    except UsageError as error:
        raise _misnamed(error) from error
    return succeeded(request, {**made.to_json(), "key": secret}, status=201)


@router.patch(
    "/keys/{key_id}",
    operation_id="changeKey",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Key]}, **refusals(401, 403, 404, 409, 422)},
)
async def change_key(request: Request, kiln: Kiln, key_id: KeyId, change: KeyChange) -> JSONResponse:
    """Change what a key may do, from its next request on. One admin key stays."""
    allowed = _allowed(kiln, change.budget)
    wish: dict[str, Any] = {"budget": allowed} if "budget" in change.model_fields_set else {}

    def changed() -> dict[str, Any]:
        made = kiln.keys.change(key_id, name=change.name, scope=change.scope, keep_admin=True, **wish)
        return made.to_json()

    try:
        return succeeded(request, await kiln.work(changed))
    except UsageError as error:
        raise _misnamed(error) from error
    except NoKey as error:
        raise Refused(404, "KEY_NOT_FOUND", f"there is no key {key_id}") from error
    except LastAdmin as error:
        raise Refused(409, "LAST_ADMIN_KEY", str(error)) from error


@router.delete(
    "/keys/{key_id}",
    operation_id="revokeKey",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Key]}, **refusals(401, 403, 404, 409, 422)},
)
async def revoke_key(request: Request, kiln: Kiln, key_id: KeyId) -> JSONResponse:
    """Let a key open nothing any more, from its next request on. The last admin key stays."""

    def revoke() -> dict[str, Any]:
        return kiln.keys.revoke(key_id, keep_admin=True).to_json()

    try:
        return succeeded(request, await kiln.work(revoke))
    except NoKey as error:
        raise Refused(404, "KEY_NOT_FOUND", f"there is no key {key_id}") from error
    except LastAdmin as error:
        raise Refused(409, "LAST_ADMIN_KEY", str(error)) from error


def _allowed(kiln: Reached, wish: Allowance | None) -> Budget | None:
    """In the currency of the settings."""
    if wish is None:
        return None
    return Budget(billionths(wish.amount), wish.period, kiln.kiln.settings.currency)


def _misnamed(error: UsageError) -> Refused:
    details = [{"field": "body.name", "message": str(error)}]
    return Refused(422, "INVALID_REQUEST", f"body.name: {error}", details=details)
