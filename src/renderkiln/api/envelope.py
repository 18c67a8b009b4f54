"""The form of every answer, good or bad: `{success, data | error, meta}`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

T = TypeVar("T")


class Meta(BaseModel):
    """About the answer itself."""

    requestId: str = Field(description="Sent back as it came in X-Request-Id, else made here")  # noqa: N815
    timestamp: datetime = Field(description="When it was given")
    operation: str = Field(description="What was asked for, as the OpenAPI document names it")


class Detail(BaseModel):
    """One of several things that are wrong."""

    field: str = Field(description="Where: query.limit, body.fromScratch, path.job_id")
    message: str


class Problem(BaseModel):
    """Why it was not done: `code` is for programs, `message` for people."""

    code: str
    message: str
    details: list[Detail] = []


class Success(BaseModel, Generic[T]):
    """It was done."""

    success: Literal[True]
    data: T
    meta: Meta


class Failure(BaseModel):
    """It was not done."""

    success: Literal[False]
    error: Problem
    meta: Meta


class Page(BaseModel, Generic[T]):
    """Some of many, the newest first."""

    items: list[T]
    nextCursor: str | None = Field(description="Ask for those after it by `cursor`; null at the end")  # noqa: N815


class Refused(Exception):
    """What was asked for is not done. `code` and `message` are for the one who asked."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details, self.headers = list(details), dict(headers or {})


class _Answer(JSONResponse):
    """Half a character, which no JSON in UTF-8 can hold, becomes a question mark."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def succeeded(
    request: Request, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer with what was asked for, as JSON values."""
    return _Answer({"success": True, "data": data, "meta": _meta(request)}, status, headers)


def failed(request: Request, refused: Refused) -> JSONResponse:
    """The answer that says why not."""
    error = {"code": refused.code, "message": refused.message, "details": refused.details}
    body = {"success": False, "error": error, "meta": _meta(request)}
    return _Answer(body, refused.status, refused.headers)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these statuses come with a `Failure`. Who needs a key may come too often."""
    every = {*statuses, 429} if 401 in statuses else set(statuses)
    return {status: {"model": Failure, "description": _REASONS[status]} for status in sorted(every)}


_REASONS = {
    401: "No key, or one that opens nothing",
    402: "The budget of the key is spent, or would be",
    403: "The key does not open this",
    404: "There is no such thing",
    408: "The rest of it did not come",
    409: "It is not in a state for this",
    410: "It was there, and is gone",
    412: "It is at another revision, or this is another version of the protocol",
    413: "It is larger than what is taken",
    415: "It is not what is taken here",
    422: "Something in the request is wrong",
    429: "Too much at once",
    503: "Not ready, or its storage is not",
}


def _meta(request: Request) -> dict[str, str]:
    route = request.scope.get("route")
    return {
        "requestId": request.scope.get("state", {}).get("request_id", ""),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "operation": getattr(route, "operation_id", None) or "unknown",
    }
