"""What the server tells, as values. Fields that this version does not know are kept in `raw`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from renderkiln.client.errors import RenderkilnApiError
from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Period
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.states import ENDED, JobState


@dataclass(frozen=True, kw_only=True)
class Record:
    """A JSON object, read by the names of its fields: `batchId` is `batch_id` here.

    What the server does not tell has its default: an older one knows less, a newer one more.
    """

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The record that the server has sent. Raises RenderkilnApiError for what cannot be one."""
        record: Any = cls
        try:
            told = {name: _read(hint, data[key]) for name, key, hint in _shape(record) if key in data}
            return cls(**told, raw=data)
        except (TypeError, ValueError, AttributeError) as error:
            what = cls.__name__.lower()
            raise RenderkilnApiError(
                f"the server has sent no {what} as this version knows it: {error}", code="UNEXPECTED_ANSWER"
            ) from error


@cache
def _shape(record: Any) -> tuple[tuple[str, str, Any], ...]:
    """(field, its name in JSON, its type) for each."""
    hints = get_type_hints(record)
    return tuple(
        (each.name, _camel(each.name), hints[each.name]) for each in fields(record) if each.name != "raw"
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) in (Union, UnionType):  # X | None
        hint = next(each for each in get_args(hint) if each is not type(None))
    if hint is datetime:
        return datetime.fromisoformat(value)
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], each) for each in value)
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.of(value)
    return value


@dataclass(frozen=True, kw_only=True)
class Notice(Record):
    """What went wrong, in words."""

    code: str
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class LeftOut(Record):
    """An optional stage that failed."""

    stage: str
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Cost(Record):
    """In units of `currency`."""

    currency: str
    total: float = 0.0
    cpu: float = 0.0
    stored: float = 0.0
    sent: float = 0.0
    services: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Artifact(Record):
    """A finished file. `size` is in bytes; `facts` is what its pipeline says about it."""

    id: str
    name: str
    url: str
    size: int
    sha256: str
    content_type: str = ""
    kind: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job(Record):
    """A job as it stood when it was asked for. `progress` is percent, times are UTC.

    `started_at` is when its first attempt began, `processed_at` its latest one, `completed_at` when it ended,
    whichever way.
    """

    id: str
    batch_id: str
    pipeline: str
    state: JobState
    queue: str = ""
    label: str = ""
    stage: str | None = None
    progress: float = 0.0
    message: str = ""
    attempt: int = 0
    max_attempts: int = 0
    worker: str | None = None
    priority: int = 100
    created_at: datetime | None = None
    started_at: datetime | None = None
    processed_at: datetime | None = None
    completed_at: datetime | None = None
    error: Notice | None = None
    result: Mapping[str, Any] | None = None
    artifacts: tuple[Artifact, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
    reused: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    cost: Cost | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def succeeded(self) -> bool:
        return self.state == "completed"


@dataclass(frozen=True, kw_only=True)
class Attempt(Record):
    """One try at a job. `outcome` is None while it runs; `peak_bytes` is the most memory of one process."""

    number: int
    outcome: str | None = None
    worker: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    error: Notice | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    process_id: int | None = None
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True)
class Event(Record):
    """Something that happened to a job. `seq` is its place among all events, `percent` the whole job's."""

    seq: int
    name: str
    at: datetime
    stage: str | None = None
    percent: float | None = None
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    worker: str | None = None


@dataclass(frozen=True, kw_only=True)
class News(Record):
    """Something that has just happened, or to a job that is listened to. `progress` is its job's percent.

    `place` is behind it: say it as `since` to hear what came after. `data` of an event of a program's own is
    its payload.
    """

    id: int
    type: str
    timestamp: datetime
    job_id: str | None = None
    batch_id: str | None = None
    stage: str | None = None
    progress: float = 0.0
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    place: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Counts(Record):
    """How many jobs are in which state."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True, kw_only=True)
class Batch(Record):
    """How a batch stands. `progress` is the percent of all its jobs together."""

    id: str
    state: JobState
    label: str = ""
    progress: float = 0.0
    remaining_seconds: float | None = None
    total: int = 0
    counts: Counts = field(default_factory=Counts)
    round: int = 0
    created_at: datetime | None = None
    completed_at: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True)
class Submitted(Record):
    """What was queued: a batch, and the ids of its jobs in their order."""

    batch_id: str
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Retried(Record):
    """The ids of `jobs` that were queued again. `over_budget` others cost too much, and `budget` says why."""

    jobs: tuple[str, ...] = ()
    over_budget: int = 0
    budget: str | None = None


@dataclass(frozen=True, kw_only=True)
class Asset(Record):
    """A file on the server, for jobs to use. `size` is in bytes."""

    id: str
    name: str
    size: int
    sha256: str
    kind: str = ""
    content_type: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Queue(Record):
    """How a queue stands. `oldest_seconds` is how long its oldest waiting job has waited."""

    name: str
    paused: bool = False
    worker_limit: int = 0
    global_limit: int | None = None
    counts: Counts = field(default_factory=Counts)
    oldest_seconds: float | None = None
    workers: int = 0


@dataclass(frozen=True, kw_only=True)
class Spread(Record):
    """Half of all come out below `typical`; eight of ten lie between `low` and `high`."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Estimate(Record):
    """What a job takes once it has begun. `bytes` is of its finished files."""

    kind: str = ""
    units: float = 0.0
    unit: str = ""
    basis: str = ""
    samples: int = 0
    seconds: Spread | None = None
    cpu_seconds: Spread | None = None
    bytes: Spread | None = None
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True)
class Webhook(Record):
    """An address that is told what happens. `reason` is why it is not `enabled`.

    `secret` is told when it is made, and when it is rotated.
    """

    id: str
    url: str
    types: tuple[str, ...] = ()
    label: str = ""
    enabled: bool = True
    reason: str = ""
    failing_since: datetime | None = None
    job_id: str | None = None
    batch_id: str | None = None
    created_at: datetime | None = None
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Try(Record):
    """One try at a delivery. `status` is of the answer over HTTP; without an `error` it succeeded."""

    at: datetime
    status: int | None = None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivery(Record):
    """An event on its way to a webhook or to a handler. `status`, `error`, `response` are of the last try."""

    id: str
    type: str
    event_id: int | None = None
    state: DeliveryState
    attempts: int = 0
    status: int | None = None
    error: str = ""
    response: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    tried_at: datetime | None = None
    ended_at: datetime | None = None
    next_at: datetime | None = None
    tries: tuple[Try, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Emitted(Record):
    """An event that was written. It is `handled` where its type has a handler."""

    id: int
    type: str
    timestamp: datetime | None = None
    handled: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Project(Record):
    """A project of scenes. `revision` is one higher with each change of it or its scenes.

    `scenes` is how many it has; a list of projects does not bring their `document`.
    """

    id: str
    name: str
    scenes: int = 0
    revision: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None
    document: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Scene(Record):
    """A scene of a project. `position` counts from 1, `scene` is its document."""

    id: str
    position: int
    scene: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Budget(Record):
    """What an account may spend in each `period`."""

    amount: float
    period: Period
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class Key(Record):
    """Who may use the server. Keys of one `account` see each other's jobs; `start` is how it begins.

    `key` is what its holder sends. It is told when it is made.
    """

    id: str
    name: str
    scope: Scope
    account: str = ""
    budget: Budget | None = None
    start: str = ""
    created_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    key: str = field(default="", repr=False)
