"""Logging in and out with a browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, opener_of
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.session import COOKIE, LASTS, is_own
from renderkiln.database import logouts

router = APIRouter(tags=["login"])


class Entry(BaseModel):
    """The key of whoever wants in."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    key: str = Field(min_length=1, max_length=200, repr=False)


@router.get(
    "/login",
    operation_id="logIn",
    status_code=303,
    response_class=RedirectResponse,
    responses={303: {"description": "Logged in: a cookie says so"}, **refusals(403, 422)},
)
async def log_in(
    request: Request, kiln: Kiln, token: Annotated[str, Query(min_length=1, max_length=200)]
) -> RedirectResponse:
    """Log in by the link that `renderkiln serve` has printed; it is good once."""
    cookie = kiln.sessions.log_in(token, kiln.room.clock.now())
    if cookie is None:
        raise Refused(403, "LINK_EXPIRED", "this link was used, or is of an earlier start")
    answer = RedirectResponse("/", status_code=303)
    _remember(request, kiln, answer, cookie)
    return answer


@router.post(
    "/login",
    operation_id="logInWithKey",
    status_code=204,
    responses={204: {"description": "Logged in: a cookie says so"}, **refusals(401, 403, 422)},
)
async def log_in_with_key(request: Request, kiln: Kiln, entry: Entry) -> Response:
    """Log in with an API key, and with no more rights than it has; until it is revoked, a week at most."""
    if not is_own(request.method, request.headers, kiln.kiln.settings.public_url):
        raise Refused(403, "FOREIGN_ORIGIN", "a page of another server has sent this")
    key = await kiln.read(lambda: kiln.keys.holder(entry.key))
    if key is None:
        raise Refused(401, "UNAUTHENTICATED", "this key opens nothing: it is misspelt, or was revoked")
    answer = Response(status_code=204)
    _remember(request, kiln, answer, kiln.sessions.enter(key, kiln.room.clock.now()))
    return answer


def _remember(request: Request, kiln: Reached, answer: Response, cookie: str) -> None:
    is_https = request.url.scheme == "https" or (kiln.kiln.settings.public_url or "").startswith("https:")
    lasts = int(LASTS.total_seconds())
    answer.set_cookie(COOKIE, cookie, max_age=lasts, httponly=True, samesite="lax", secure=is_https)


class Session(BaseModel):
    """Whether this browser is logged in."""

    isLoggedIn: bool  # noqa: N815


@router.get(
    "/session", operation_id="getSession", responses={200: {"model": Success[Session]}, **refusals(422)}
)
async def get_session(request: Request, kiln: Kiln) -> JSONResponse:
    """Whether the cookie that came with this opens anything: a page asks before it shows itself."""
    holder = await opener_of(request, kiln)
    return succeeded(request, {"isLoggedIn": holder is not None})


@router.post(
    "/logout",
    operation_id="logOut",
    status_code=204,
    responses={204: {"description": "Logged out"}, **refusals(401, 403)},
)
async def log_out(request: Request, kiln: Kiln, holder: Holder) -> Response:  # noqa: ARG001  who may not is told
    """Let the browser's cookie open nothing any more."""
    now = kiln.room.clock.now()
    opened = kiln.sessions.opened(request.cookies.get(COOKIE, ""), now)

    def note(session: str) -> None:
        with kiln.kiln.database.write() as connection:
            logouts.note(connection, session, now + LASTS, now)

    if opened is not None:  # who came by a key has no session to be ended
        await kiln.work(lambda: note(opened.session))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE)
    return answer
