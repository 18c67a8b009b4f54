"""Logging in and out with a browser, and the first page it sees."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from renderkiln.api.auth import Holder
from renderkiln.api.envelope import Refused, refusals
from renderkiln.api.room import Kiln
from renderkiln.api.session import COOKIE, LASTS

router = APIRouter(tags=["login"])

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Renderkiln</title>
<body><h1>Renderkiln</h1>
<p>The render room answers. What it can do: <a href="/openapi.json">/openapi.json</a>.</p>
<p>Jobs: <a href="/api/v1/jobs">/api/v1/jobs</a>. There is no dashboard in this version.</p>
</body></html>
"""


@router.get("/", operation_id="getPage", response_class=HTMLResponse)
async def get_page() -> HTMLResponse:
    """A page that says what is here."""
    return HTMLResponse(_PAGE)


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
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or (kiln.kiln.settings.public_url or "").startswith("https:"),
    )
    return answer


@router.post(
    "/logout",
    operation_id="logOut",
    status_code=204,
    responses={204: {"description": "Logged out"}, **refusals(401, 403)},
)
async def log_out(request: Request, kiln: Kiln, holder: Holder) -> Response:  # noqa: ARG001  who may not is told
    """Let the browser's cookie open nothing any more."""
    kiln.sessions.log_out(request.cookies.get(COOKIE, ""))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE)
    return answer
