"""Who asks, and whether they may."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from renderkiln.api.envelope import Refused
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.session import COOKIE, LINK, by_link, is_own
from renderkiln.database import logouts
from renderkiln.database.keys import StoredKey
from renderkiln.domain.access import LOCAL, Scope, allows

_BEARER = HTTPBearer(auto_error=False, description="A key made by `renderkiln keys create`: rk_…")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def _holder(request: Request, kiln: Kiln, sent: Bearer) -> StoredKey:
    return await holder_of(request, kiln, sent)


async def holder_of(
    request: Request, kiln: Reached, sent: HTTPAuthorizationCredentials | None, *, counted: bool = True
) -> StoredKey:
    """The key that was sent, or the session of a browser. Raises Refused.

    What is not `counted` is a look of ours at a request that goes on.
    """
    if sent is None:
        return await _browser(request, kiln, counted=counted)
    keys = kiln.keys
    key = await kiln.read(lambda: keys.holder(sent.credentials))
    if key is None:
        raise _unknown("this key opens nothing: it is misspelt, or was revoked")
    if counted:
        _count(kiln, key)
        kiln.note_use(key)
    return key


def _count(kiln: Reached, key: StoredKey) -> None:
    wait = kiln.throttle.wait(key.id) if kiln.throttle.rate else 0.0
    if wait:
        told = f"this key makes more than {kiln.throttle.rate:g} requests a second (setting rate_limit)"
        raise Refused(429, "RATE_LIMITED", told, headers={"Retry-After": str(math.ceil(wait))})


Holder = Annotated[StoredKey, Depends(_holder)]


async def _browser(request: Request, kiln: Reached, *, counted: bool) -> StoredKey:
    holder = await opener_of(request, kiln)
    if holder is None:
        raise _unknown("this needs a key: send the header Authorization: Bearer rk_…")
    if not is_own(request.method, request.headers, kiln.kiln.settings.public_url):
        raise Refused(403, "FOREIGN_ORIGIN", "a page of another server has sent this with your cookie")
    if counted and holder.account != LOCAL:  # who came by the link is who runs all this
        _count(kiln, holder)
    return holder


async def opener_of(request: Request, kiln: Reached) -> StoredKey | None:
    """Who has logged in with the browser that asks: by the link, or by a key that is still valid."""
    cookie, now = request.cookies.get(COOKIE), kiln.room.clock.now()
    opened = kiln.sessions.opened(cookie, now) if cookie else None
    if opened is None:
        return None
    session, opener = opened

    def look() -> StoredKey | None:
        with kiln.kiln.database.read() as connection:
            if logouts.is_noted(connection, session):
                return None
        return by_link(now) if opener == LINK else kiln.keys.valid(opener)

    holder = await kiln.read(look)
    if holder is not None and opener != LINK:
        kiln.note_use(holder)
    return holder


def visible_to(holder: StoredKey) -> str | None:
    """The account whose jobs and assets a key sees; None: those of all."""
    return None if holder.scope == "admin" else holder.account


def payer(holder: StoredKey) -> str | None:
    """The key whose budget is to be kept to; None where it has none."""
    return None if holder.budget is None else holder.id


def needs(scope: Scope) -> Any:
    """A dependency of routes that take a key of this scope."""

    async def check(holder: Holder) -> StoredKey:
        if not allows(holder.scope, scope):
            raise Refused(
                403, "FORBIDDEN", f"this takes a key of the scope {scope}; yours has {holder.scope}"
            )
        return holder

    vars(check)["scope"] = scope  # for the reference, which is written from the routes
    return Depends(check)


def _unknown(message: str) -> Refused:
    return Refused(401, "UNAUTHENTICATED", message, headers={"WWW-Authenticate": "Bearer"})
