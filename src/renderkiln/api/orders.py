"""What a request may order: one job, or a job for each file in each format."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Header
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from renderkiln.domain.printable import PATTERN, is_printable

_MOST_METADATA = 16_384  # bytes as JSON
_MOST_PARAMS = 524_288
MOST_LEVELS = 64
_MOST_DOCUMENT = 1_048_576
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# As JSON writes them: NUL, and surrogates that are alone.
_UNSTORABLE = re.compile(
    r"\\u0000|\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}"
)


def _printable(text: str) -> str:
    if not is_printable(text):
        raise ValueError("has characters that cannot be shown on one line")
    return text


def is_shallow(value: object, levels: int) -> bool:
    """Whether it is nested no deeper: what follows it into its depth later may have less stack than we."""
    match value:
        case dict():
            return levels > 0 and all(is_shallow(each, levels - 1) for each in value.values())
        case list():
            return levels > 0 and all(is_shallow(each, levels - 1) for each in value)
    return True


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at the edges of the calendar
        raise ValueError("is no time that can be kept") from None


def _written(given: object) -> object:
    """Pydantic would take a number, too: as seconds since 1970, or milliseconds if it is large."""
    if isinstance(given, datetime) or (isinstance(given, str) and _DATE.match(given)):
        return given
    raise ValueError("is no time: write 2026-01-27T12:00:00Z")


def _at_most(limit: int) -> AfterValidator:
    def check(given: dict[str, Any]) -> dict[str, Any]:
        if not is_shallow(given, MOST_LEVELS):
            raise ValueError(f"is nested deeper than {MOST_LEVELS} levels")
        try:
            written = json.dumps(given, allow_nan=False)
        except (ValueError, RecursionError):
            raise ValueError("is not plain JSON: no NaN, no infinities, not too deep") from None
        if len(written) > limit:
            raise ValueError(f"has more than {limit:,} bytes as JSON")
        if _UNSTORABLE.search(written):
            raise ValueError("has a NUL or half a character in it, which no database stores")
        return given

    return AfterValidator(check)


Written = Annotated[datetime, BeforeValidator(_written)]
Time = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
Printable = Annotated[str, AfterValidator(_printable), Field(json_schema_extra={"pattern": PATTERN})]
Metadata = Annotated[dict[str, Any], _at_most(_MOST_METADATA)]
Params = Annotated[dict[str, Any], _at_most(_MOST_PARAMS)]
Document = Annotated[dict[str, Any], _at_most(_MOST_DOCUMENT)]
Format = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.]{1,64}$")]
Place = Annotated[
    str,
    StringConstraints(min_length=1, max_length=8192),
    Field(description="An asset's id (`ast_…` or `asset:ast_…`), or an http(s) URL"),
]
WebhookUrl = Annotated[
    str | None,
    Field(min_length=1, max_length=2000, description="Told by POST when it has ended, however it ended"),
]
WebhookSecret = Annotated[
    str | None,
    Field(max_length=200, description="Signs what is told there: `whsec_…`; by default one is made"),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="Whatever is your own for this request: sent again, it is not done again",
    ),
]


class Order(BaseModel):
    """What jobs and batches have in common."""

    model_config = ConfigDict(extra="forbid")

    pipeline: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="Name of an installed pipeline")
    params: Params = Field(
        default_factory=dict, description="As the pipeline's schema says; files are assets or URLs"
    )
    label: Printable = Field("", max_length=200, description="What people read")
    priority: int = Field(100, ge=1, le=10_000, description="Low numbers run first")
    startAt: Time | None = Field(None, description="Do not begin before")  # noqa: N815
    webhookUrl: WebhookUrl = None  # noqa: N815
    webhookSecret: WebhookSecret = None  # noqa: N815
    metadata: Metadata = Field(default_factory=dict, description="Yours: given back untouched")


class JobOrder(Order):
    """One job."""

    assets: list[Place] = Field(
        default_factory=list, max_length=1, description="The file, for pipelines that take one"
    )
    format: Format | None = Field(None, description="As `format` in params; and the end of the job's id")


class Item(BaseModel):
    """What a batch makes jobs of: a file, params of its own, or both; and what its owner calls it there."""

    model_config = ConfigDict(extra="forbid")

    asset: Place | None = None
    params: Params = Field(default_factory=dict, description="Laid over those of the batch")
    id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,128}$",
        description="The middle of its jobs' ids; by default its position in the batch",
    )
    format: Format | None = Field(None, description="It is rendered in this alone, not in `formats`")
    label: Printable | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class BatchOrder(Order):
    """A job for each file, or for each item, in each format."""

    assets: list[Place | Item] = Field(
        fail_fast=True,
        min_length=1,
        max_length=100_000,
        description="Files, or items with params of their own",
    )
    formats: list[Format] = Field(
        default_factory=list,
        max_length=50,
        description="Each file without a format of its own is rendered in each of these",
    )
