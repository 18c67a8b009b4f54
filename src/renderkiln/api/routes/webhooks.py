"""Webhooks: addresses that are told what happens, and the log of what they were told."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import needs
from renderkiln.api.cursor import cut, place_of
from renderkiln.api.envelope import Page, Refused, Success, refusals, succeeded
from renderkiln.api.orders import Printable
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.routes.batches import BATCH_ID
from renderkiln.api.routes.events import Try, page_of
from renderkiln.api.routes.jobs import JOB_ID
from renderkiln.database.cursor import Cursor
from renderkiln.database.deliveries import StoredDelivery
from renderkiln.database.keys import StoredKey
from renderkiln.database.webhooks import StoredWebhook
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.discretion import without
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.events.subscription import ENDS

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

WebhookId = Annotated[str, Path(pattern=r"^whk_[0-9a-f]{1,40}$", description="Id of a webhook")]
DeliveryId = Annotated[str, Path(pattern=r"^msg_[0-9a-f]{1,40}$", description="Id of a delivery")]
_Url = Annotated[str, Field(max_length=8192, description="Where it is told: http or https, on the internet")]
_Types = Annotated[
    list[str], Field(max_length=50, description="Types of events: job.completed …; `*` for all of them")
]
_Label = Annotated[Printable, Field(max_length=200, description="What people call it")]


class NewWebhook(BaseModel):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid")

    url: _Url
    types: _Types = list(ENDS)
    label: _Label = ""


class Change(BaseModel):
    """What is to be different; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    url: _Url | None = None
    types: _Types | None = None
    label: _Label | None = None
    enabled: bool | None = Field(default=None, description="Enabled again, it is sent what waits for it")


class Webhook(BaseModel):
    """An address that is told what happens. Times are UTC."""

    id: str
    url: str
    types: list[str]
    label: str
    enabled: bool
    reason: str = Field(description="Why it was disabled")
    failingSince: str | None = Field(description="Since when it has taken nothing")  # noqa: N815
    jobId: str | None = Field(description="It is told of this job alone")  # noqa: N815
    batchId: str | None = Field(description="It is told of this batch and its jobs alone")  # noqa: N815
    createdAt: str  # noqa: N815


class WithSecret(Webhook):
    """A webhook with what its messages are signed with: it is shown this once."""

    secret: str


class Delivery(BaseModel):
    """An event on its way to a webhook. Times are UTC."""

    id: str = Field(description="`webhook-id` of the message: the same at every try")
    type: str
    eventId: int | None  # noqa: N815
    state: DeliveryState
    attempts: int = Field(description="Tries that have ended")
    status: int | None = Field(description="Of the last answer")
    error: str = Field(description="Why the last try failed")
    response: str = Field(description="How the last answer began")
    payload: dict[str, Any]
    createdAt: str  # noqa: N815
    triedAt: str | None  # noqa: N815
    endedAt: str | None  # noqa: N815
    nextAt: str | None = Field(description="When it is tried again")  # noqa: N815
    tries: list[Try] = Field(description="What came of each, those before a replay among them; the latest 20")


@router.get(
    "",
    operation_id="listWebhooks",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Page[Webhook]]}, **refusals(401, 403, 404, 422)},
)
async def list_webhooks(
    request: Request,
    kiln: Kiln,
    job: Annotated[str | None, Query(pattern=JOB_ID, description="Those of a job")] = None,
    batch: Annotated[str | None, Query(pattern=BATCH_ID, description="Those of a batch")] = None,
    cursor: Annotated[str | None, Query(max_length=500, description="`nextCursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSONResponse:
    """Those that are told of everything, or those of one job or batch; the newest first."""
    before = None if cursor is None else Cursor(*place_of(cursor))
    found = await kiln.work(
        lambda: kiln.kiln.webhooks.list(job_id=job, batch_id=batch, before=before, limit=limit + 1)
    )
    items, following = cut(found, limit, lambda each: (each.created_at, each.id))
    return succeeded(request, {"items": [each.to_json() for each in items], "nextCursor": following})


@router.post(
    "",
    status_code=201,
    operation_id="createWebhook",
    responses={201: {"model": Success[WithSecret]}, **refusals(401, 403, 409, 422)},
)
async def create_webhook(
    request: Request, kiln: Kiln, new: NewWebhook, holder: Annotated[StoredKey, needs("admin")]
) -> JSONResponse:
    """Let an address be told what happens. Its secret is shown this once."""
    try:
        made = await kiln.work(
            lambda: kiln.kiln.webhooks.create(
                new.url, types=new.types, label=new.label, account=holder.account
            )
        )
    except UsageError as error:
        raise Refused(422, "INVALID_WEBHOOK", str(error)) from None
    answer = succeeded(request, _with_secret(made), status=201)
    answer.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    return answer


@router.get(
    "/{webhook_id}",
    operation_id="getWebhook",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Webhook]}, **refusals(401, 403, 404, 422)},
)
async def get_webhook(request: Request, kiln: Kiln, webhook_id: WebhookId) -> JSONResponse:
    """How a webhook stands."""
    return succeeded(request, (await _found(kiln, webhook_id)).to_json())


@router.patch(
    "/{webhook_id}",
    operation_id="changeWebhook",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Webhook]}, **refusals(401, 403, 404, 409, 422)},
)
async def change_webhook(request: Request, kiln: Kiln, webhook_id: WebhookId, change: Change) -> JSONResponse:
    """Change what is given; `enabled` also takes up one again that was disabled."""
    await _found(kiln, webhook_id)
    given = {name: value for name, value in change.model_dump().items() if value is not None}
    try:
        changed = await kiln.work(lambda: kiln.kiln.webhooks.change(webhook_id, **given))
    except UsageError as error:
        raise Refused(422, "INVALID_WEBHOOK", str(error)) from None
    return succeeded(request, changed.to_json())


@router.delete(
    "/{webhook_id}",
    status_code=204,
    operation_id="removeWebhook",
    dependencies=[needs("admin")],
    response_class=Response,
    responses={204: {"description": "It is forgotten"}, **refusals(401, 403, 404, 409, 422)},
)
async def remove_webhook(kiln: Kiln, webhook_id: WebhookId) -> Response:
    """Forget it, its log, and what waits for it."""
    await _found(kiln, webhook_id)
    await kiln.work(lambda: kiln.kiln.webhooks.remove(webhook_id))
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate",
    operation_id="rotateWebhookSecret",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[WithSecret]}, **refusals(401, 403, 404, 409, 422)},
)
async def rotate_secret(request: Request, kiln: Kiln, webhook_id: WebhookId) -> JSONResponse:
    """A new secret, shown this once; messages are signed with the old one, too, for a day."""
    await _found(kiln, webhook_id)
    return succeeded(request, _with_secret(await kiln.work(lambda: kiln.kiln.webhooks.rotate(webhook_id))))


@router.post(
    "/{webhook_id}/test",
    status_code=202,
    operation_id="testWebhook",
    dependencies=[needs("admin")],
    responses={202: {"model": Success[Delivery]}, **refusals(401, 403, 404, 409, 422)},
)
async def test_webhook(request: Request, kiln: Kiln, webhook_id: WebhookId) -> JSONResponse:
    """Send it a `webhook.test`; a worker does, and the log of its deliveries says what came of it."""
    await _found(kiln, webhook_id)
    sent = await kiln.work(lambda: kiln.kiln.webhooks.test(webhook_id))
    return succeeded(request, _delivery(kiln, sent), status=202)


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listDeliveries",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Page[Delivery]]}, **refusals(401, 403, 404, 422)},
)
async def list_deliveries(
    request: Request,
    kiln: Kiln,
    webhook_id: WebhookId,
    state: Annotated[list[DeliveryState] | None, Query(description="Repeatable: any of these")] = None,
    cursor: Annotated[str | None, Query(max_length=500, description="`nextCursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSONResponse:
    """What was and is to be sent to it, the newest first."""
    await _found(kiln, webhook_id)
    before = None if cursor is None else Cursor(*place_of(cursor))

    def ask() -> list[StoredDelivery]:
        hooks = kiln.kiln.webhooks
        return list(hooks.deliveries(webhook_id, states=state or (), before=before, limit=limit + 1))

    return succeeded(request, page_of(await kiln.work(ask), limit, partial(_delivery, kiln)))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    operation_id="replayDelivery",
    dependencies=[needs("admin")],
    responses={202: {"model": Success[Delivery]}, **refusals(401, 403, 404, 409, 422)},
)
async def replay_delivery(
    request: Request, kiln: Kiln, webhook_id: WebhookId, delivery_id: DeliveryId
) -> JSONResponse:
    """Send it again, now, under the same id."""
    await _found(kiln, webhook_id)
    hooks = kiln.kiln.webhooks
    if await kiln.work(lambda: hooks.delivery(webhook_id, delivery_id)) is None:
        raise Refused(404, "DELIVERY_NOT_FOUND", f"webhook {webhook_id} has no delivery {delivery_id}")
    again = await kiln.work(lambda: hooks.replay(webhook_id, delivery_id))
    return succeeded(request, _delivery(kiln, again), status=202)


async def _found(kiln: Reached, id: str) -> StoredWebhook:
    try:
        return await kiln.work(lambda: kiln.kiln.webhooks.get(id))
    except UserError as error:
        raise Refused(404, "WEBHOOK_NOT_FOUND", str(error)) from error


def _with_secret(stored: StoredWebhook) -> dict[str, Any]:
    return {**stored.to_json(), "secret": stored.secret}


def _delivery(kiln: Reached, stored: StoredDelivery) -> dict[str, Any]:
    home = str(kiln.kiln.settings.home.absolute())
    more = {"status": stored.status, "response": stored.response, "payload": without(stored.payload, [home])}
    return {**stored.to_json(), **more}
