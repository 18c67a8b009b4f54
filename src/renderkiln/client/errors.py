"""What can go wrong between a program and a server.

UserError
└── RenderkilnApiError     `code` for programs, the message for people
├── Unauthorized       the key is missing, opens nothing, or does not open this (401, 403)
├── NotFound           there is no such thing, or it is gone (404, 410)
├── Invalid            something in the request is wrong: `details` says what (400, 413, 415, 422 …)
├── Conflict           it is not in a state for this (409, 412)
├── RateLimited        too much at once: come back after `retry_after` seconds (429)
├── ServerUnreachable  no answer came, however often it was tried
├── WaitedTooLong      the time to wait is over; the job goes on
└── WrongBytes         a file did not arrive as it was sent
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from renderkiln.domain.errors import UserError


class RenderkilnApiError(UserError):
    """The server does not do what it was asked for.

    `details` are mappings of `field` and `message`; `status` is that of HTTP, 0 without an answer;
    `request_id` finds the request in the server's log.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 0,
        details: Sequence[Mapping[str, str]] = (),
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.status = message, code, status
        self.details, self.request_id, self.retry_after = tuple(details), request_id, retry_after


class Unauthorized(RenderkilnApiError):
    """The key does not open this."""


class NotFound(RenderkilnApiError):
    """There is no such thing."""


class Invalid(RenderkilnApiError):
    """Something in the request is wrong."""


class Conflict(RenderkilnApiError):
    """It is not in a state for this."""


class RateLimited(RenderkilnApiError):
    """Too much at once. `retry_after` is in seconds, None where the server does not say."""


class ServerUnreachable(RenderkilnApiError):
    """No answer came. `was_sent`: the server may have done what it was asked for all the same."""

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message, code="UNREACHABLE")
        self.was_sent = was_sent


class WaitedTooLong(RenderkilnApiError, TimeoutError):
    """The job has not ended in time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="WAITED_TOO_LONG")


class WrongBytes(RenderkilnApiError):
    """A file did not arrive as it was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="WRONG_BYTES")


def error_class(status: int) -> type[RenderkilnApiError]:
    """What an answer with this status means."""
    match status:
        case 401 | 403:
            return Unauthorized
        case 404 | 410:
            return NotFound
        case 409 | 412:
            return Conflict
        case 429:
            return RateLimited
        case 400 | 405 | 413 | 415 | 416 | 422:
            return Invalid
    return RenderkilnApiError
