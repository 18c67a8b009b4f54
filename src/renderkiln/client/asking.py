"""Requests that are tried again, and what their answers mean."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from renderkiln.client.effects import Answer, Flow, Pause, Request
from renderkiln.client.errors import RenderkilnApiError, ServerUnreachable, error_class

PREFIX = "/api/v1"
_NOT_DONE = frozenset({429, 503})  # the server has not begun with it
_PERHAPS_DONE = frozenset({502, 504})  # a proxy has lost sight of the server


@dataclass(frozen=True)
class Patience:
    """How often a request is tried in all, and how long is waited before the next try, in seconds."""

    tries: int = 5
    first: float = 0.3
    most: float = 30.0

    def delay(self, tried: int, wished: float | None = None) -> float:
        """After `tried` tries. A server's wish counts, but nobody is kept for longer than `most`."""
        if wished is not None:
            return min(wished, self.most)
        spread = random.uniform(0.75, 1.25)  # noqa: S311  no secret
        return min(self.most, self.first * 2.0 ** (tried - 1)) * spread


def ask(request: Request, patience: Patience, *, repeatable: bool = True) -> Flow[Answer]:
    """The answer, whatever its status, of the API where it is a path under `/api/v1`.

    What surely was not done is tried again; what may have been done, only where it is `repeatable`. Raises
    ServerUnreachable.
    """
    tried = 0
    while True:
        tried += 1
        wished = None
        try:
            answer: Answer = yield request
        except ServerUnreachable as error:
            if tried >= patience.tries or (error.was_sent and not repeatable):
                raise
        else:
            again = _NOT_DONE | _PERHAPS_DONE if repeatable else _NOT_DONE
            if answer.status not in again or tried >= patience.tries:
                return answer
            wished = retry_after(answer)
            if wished is not None and wished > patience.most:
                return answer
        yield Pause(patience.delay(tried, wished))


def data_of(request: Request, patience: Patience, *, repeatable: bool = True) -> Flow[Any]:
    """What a request under `/api/v1` brings; None where that is nothing. Raises RenderkilnApiError."""
    api = replace(request, path=PREFIX + request.path)
    answer = yield from ask(api, patience, repeatable=repeatable)
    if not 200 <= answer.status < 300:
        raise refusal(answer)
    if not answer.body:
        return None
    match _parsed(answer.body):
        case {"success": True, "data": data}:
            return data
    raise _stranger(answer)


def refusal(answer: Answer) -> RenderkilnApiError:
    """Why it was not done."""
    match _parsed(answer.body):
        case {"error": {"code": str(code), "message": str(message)} as error}:
            details = error.get("details")
            return error_class(answer.status)(
                message,
                code=code,
                status=answer.status,
                details=details if isinstance(details, list) else (),
                request_id=answer.headers.get("x-request-id", ""),
                retry_after=retry_after(answer),
            )
    return _stranger(answer)


def is_passing(error: RenderkilnApiError) -> bool:
    """Whether the server is away, and may be back soon."""
    return isinstance(error, ServerUnreachable) or error.status in _NOT_DONE | _PERHAPS_DONE


def retry_after(answer: Answer) -> float | None:
    """Seconds that the server wants to be left alone for, if it says so."""
    said = answer.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def _stranger(answer: Answer) -> RenderkilnApiError:
    """The answer is none of ours."""
    if 300 <= answer.status < 400:
        told = (
            f"it sends us to {answer.headers.get('location', 'nowhere')}: give that address as the server's"
        )
    else:
        told = "and not as Renderkiln does: is this its address?"
    words = f"the server answers {answer.status} {_phrase(answer.status)}; {told}"
    return error_class(answer.status)(
        words, code=f"HTTP_{answer.status}", status=answer.status, retry_after=retry_after(answer)
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
