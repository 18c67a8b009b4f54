"""Events: emitted, handled, and streamed as they happen."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Bearer, holder_of, needs, visible_to
from renderkiln.api.cursor import cut, place_of
from renderkiln.api.envelope import Page, Refused, Success, refusals, succeeded
from renderkiln.api.place import WORD, Place
from renderkiln.api.room import Kiln, Reached, Streams
from renderkiln.api.routes.jobs import JobId, found
from renderkiln.api.sight import may_see
from renderkiln.api.sse import EventStream, Hub, watch
from renderkiln.database.cursor import Cursor
from renderkiln.database.deliveries import StoredDelivery
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.database.keys import StoredKey
from renderkiln.domain.access import allows
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.errors import UsageError
from renderkiln.domain.event import OURS, PUBLIC
from renderkiln.domain.report import iso
from renderkiln.domain.states import ENDED
from renderkiln.events import handlers
from renderkiln.events.emission import TOLD_BY_OWNERS, TYPE

router = APIRouter(tags=["events"])

MOST = 200  # on a page
_ENDINGS = frozenset({"job.completed", "job.failed", "job.cancelled"})
_FIELDS = {
    "id": {"type": "string"},
    "event": {"type": "string"},
    "data": {"type": "string", "contentMediaType": "application/json"},
}
_BY_LINK = "by link"  # whose such streams are: no account is called so
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events as they happen: `id`, `event` (its type) and `data`, an Event in JSON",
        "content": {"text/event-stream": {"schema": {"type": "object", "properties": _FIELDS}}},
    }
}
LastId = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        description="The `id` that came last: what happened since comes first",
        examples=["0"],
        json_schema_extra={"pattern": f"^({WORD.pattern})?$"},
    ),
]


EventId = Annotated[str, Path(pattern=r"^msg_[0-9a-f]{1,40}$", description="Id of a handled event")]


class Event(BaseModel):
    """Something that happened, as `data` of a stream says it. Times are UTC."""

    id: int
    type: str
    timestamp: str
    jobId: str | None  # noqa: N815
    batchId: str | None  # noqa: N815
    stage: str | None
    progress: float = Field(description="Percent of its job")
    message: str
    data: dict[str, Any] = Field(description="More about it; the payload of an event that was emitted")


class NewEvent(BaseModel):
    """An event to be emitted."""

    model_config = ConfigDict(extra="forbid")

    eventType: str = Field(  # noqa: N815
        description="Words with dots between them: user.upgraded",
        json_schema_extra={"pattern": TYPE.pattern, "maxLength": 100},
    )
    payload: dict[str, Any] = Field(default={}, description="What its handlers need to know: 64 KiB at most")


class Emitted(BaseModel):
    """It was written, and whoever is to hear of it will."""

    id: int
    type: str
    timestamp: str
    handled: bool = Field(description="Whether a handler is installed for its type")
    warnings: list[str]


class EventTypes(BaseModel):
    """What can happen."""

    streamed: list[str] = Field(description="All of Renderkiln's own: streams tell of them")
    told: list[str] = Field(description="Those of them that webhooks are told, too")
    handled: list[str] = Field(description="Those that a handler is installed for, where this server runs")


class Try(BaseModel):
    """One that has ended."""

    at: str
    status: int | None = Field(description="Of the answer over HTTP")
    error: str = Field(description="Empty where it succeeded")


class Handling(BaseModel):
    """An event on its way to a handler. Times are UTC."""

    id: str = Field(description="The same at every try")
    eventId: int | None  # noqa: N815
    type: str
    payload: dict[str, Any]
    state: DeliveryState
    attempts: int
    error: str = Field(description="Why the last try failed")
    createdAt: str  # noqa: N815
    triedAt: str | None  # noqa: N815
    endedAt: str | None  # noqa: N815
    nextAt: str | None = Field(description="When it is tried again")  # noqa: N815
    tries: list[Try] = Field(description="What came of each, those before a retry among them; the latest 20")


@router.get(
    "/events/types",
    operation_id="listEventTypes",
    dependencies=[needs("read")],
    responses={200: {"model": Success[EventTypes]}, **refusals(401, 403)},
)
async def list_types(request: Request) -> JSONResponse:
    """The types of events there are; whoever emits may have more of their own."""
    told = {"streamed": sorted(OURS), "told": sorted(PUBLIC), "handled": sorted(handlers.installed())}
    return succeeded(request, told)


@router.post(
    "/events",
    status_code=202,
    operation_id="emitEvent",
    responses={202: {"model": Success[Emitted]}, **refusals(401, 403, 422)},
)
async def emit_event(
    request: Request, kiln: Kiln, event: NewEvent, holder: Annotated[StoredKey, needs("submit")]
) -> JSONResponse:
    """Emit an event: for its handlers, for webhooks, and for who watches. An unknown type is a warning.

    Events of jobs, batches, queues and workers are told by Renderkiln alone; those that it tells of projects
    and scenes, such as `scene.created`, take an admin's key.
    """
    if event.eventType in TOLD_BY_OWNERS and not allows(holder.scope, "admin"):
        words = f"{event.eventType} is told by Renderkiln itself: take another type, or an admin's key"
        raise Refused(403, "RESERVED_EVENT", words)
    try:
        made = await kiln.work(lambda: kiln.kiln.emit(event.eventType, event.payload, account=holder.account))
    except UsageError as error:
        raise Refused(422, "INVALID_EVENT", str(error)) from None
    warnings = [] if made.handled else [f"no handler is installed for the type {made.type}"]
    told = {"id": made.seq, "type": made.type, "timestamp": iso(made.at), "handled": made.handled}
    return succeeded(request, {**told, "warnings": warnings}, status=202)


@router.get(
    "/events",
    operation_id="listHandledEvents",
    dependencies=[needs("admin")],
    responses={200: {"model": Success[Page[Handling]]}, **refusals(401, 403, 404, 422)},
)
async def list_handled(
    request: Request,
    kiln: Kiln,
    state: Annotated[list[DeliveryState] | None, Query(description="Repeatable: any of these")] = None,
    type: Annotated[str | None, Query(pattern=r"^[a-z0-9_.]{1,100}$")] = None,
    cursor: Annotated[str | None, Query(max_length=500, description="`nextCursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> JSONResponse:
    """Events that have a handler, and what became of them; the newest first."""
    before = None if cursor is None else Cursor(*place_of(cursor))

    def ask() -> list[StoredDelivery]:
        hooks = kiln.kiln.webhooks
        return list(hooks.handled(states=state or (), type=type, before=before, limit=limit + 1))

    return succeeded(request, page_of(await kiln.work(ask), limit, _handling))


@router.post(
    "/events/{event_id}/retry",
    status_code=202,
    operation_id="retryEvent",
    dependencies=[needs("admin")],
    responses={202: {"model": Success[Handling]}, **refusals(401, 403, 404, 409, 422)},
)
async def retry_event(request: Request, kiln: Kiln, event_id: EventId) -> JSONResponse:
    """Give a failed event to its handler again; one that waits already is left as it is."""
    hooks = kiln.kiln.webhooks
    if await kiln.work(lambda: hooks.event(event_id)) is None:
        raise Refused(404, "EVENT_NOT_FOUND", f"there is no handled event {event_id}")
    return succeeded(request, _handling(await kiln.work(lambda: hooks.handle_again(event_id))), status=202)


@router.get(
    "/events/stream",
    operation_id="streamEvents",
    response_class=Response,
    responses={**STREAM, **refusals(401, 403, 422, 503)},
)
async def stream_events(
    kiln: Kiln,
    hub: Streams,
    request: Request,
    holder: Annotated[StoredKey, needs("read")],
    sent: Bearer,
    last_id: LastId = "",
    type: Annotated[
        list[str] | None,
        Query(max_length=50, description="Repeatable: of these types alone; also job.*"),
    ] = None,
) -> EventStream:
    """What happens from now on, or since the event that `Last-Event-ID` names."""
    wanted = _filter(type or [])
    return await watch(
        hub,
        validity(request, kiln, sent),
        lambda stored: wanted(stored.event.name) and may_see(holder, stored),
        place=_place(last_id),
        account=visible_to(holder),
    )


@router.get(
    "/jobs/{job_id}/events",
    operation_id="streamJobEvents",
    response_class=Response,
    responses={
        **STREAM,
        204: {"description": "It has ended, and nothing is new"},
        **refusals(401, 403, 404, 422, 503),
    },
)
async def stream_job_events(
    kiln: Kiln,
    hub: Streams,
    request: Request,
    holder: Annotated[StoredKey, needs("read")],
    sent: Bearer,
    job_id: JobId,
    last_id: LastId = "",
) -> Response:
    """What happened to a job from its beginning, and what happens until it ends."""
    stored = await found(kiln, job_id, holder)
    return await job_stream(hub, stored, last_id, holder, validity(request, kiln, sent))


async def job_stream(
    hub: Hub,
    stored: StoredJob,
    last_id: str,
    viewer: StoredKey | None,
    is_valid: Callable[[], Awaitable[bool]],
) -> Response:
    """The events of a job for a key that sees it, or for whoever holds its link. See `watch`."""
    id, place, has_ended = stored.report.job.id, _place(last_id), stored.report.state in ENDED
    if has_ended and place is not None:
        seen = Place(place.newest)
        if not await hub.after(seen, job_id=id):
            return Response(status_code=204)  # to browsers, the word for: do not come again

    def lasts(last: StoredEvent | None) -> bool:
        return not has_ended and (last is None or last.event.name not in _ENDINGS)

    return await watch(
        hub,
        is_valid,
        lambda event: may_see(viewer, event),
        place=Place(place.newest if place is not None else 0),
        job_id=id,
        lasts=lasts,
        account=_BY_LINK if viewer is None else visible_to(viewer),
    )


def page_of(
    found: list[StoredDelivery], limit: int, told: Callable[[StoredDelivery], dict[str, Any]]
) -> dict[str, Any]:
    """A page of deliveries, of which one more was asked for than is on it."""
    items, following = cut(found, limit, lambda each: (each.created_at, each.id))
    return {"items": [told(each) for each in items], "nextCursor": following}


def _handling(stored: StoredDelivery) -> dict[str, Any]:
    return {**stored.to_json(), "payload": stored.payload["data"]}


def _place(last_id: str) -> Place | None:
    if not last_id.strip():
        return None
    place = Place.of(last_id.strip(), time.monotonic())
    if place is None:
        raise Refused(422, "INVALID_REQUEST", "header.Last-Event-ID: it is no id of an event of this stream")
    return place


def _filter(types: list[str]) -> Callable[[str], bool]:
    prefixes = tuple(each[:-1] for each in types if each.endswith(".*"))
    names = frozenset(types)
    return lambda name: not types or name in names or name.startswith(prefixes)


def validity(request: Request, kiln: Reached, sent: Bearer) -> Callable[[], Awaitable[bool]]:
    """Whether the key, or the session, still opens anything: a stream may be open for days."""

    async def ask() -> bool:
        try:
            await holder_of(request, kiln, sent, counted=False)
        except Refused:
            return False
        return True

    return ask
