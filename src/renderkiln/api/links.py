"""Links to one job that need no key: whoever holds one sees how it stands, and its files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyQuery

from renderkiln.api.auth import Bearer, holder_of
from renderkiln.api.envelope import Refused
from renderkiln.api.room import Kiln, Reached
from renderkiln.database.keys import StoredKey
from renderkiln.storage.errors import Expired, Forged
from renderkiln.storage.signed import LASTS, verify

_SIGNED = APIKeyQuery(
    name="signature", scheme_name="Link", auto_error=False, description="Of a link, which needs no key"
)


def linked(kiln: Reached, path: str, until: datetime | None = None) -> str:
    """The address of `path` of our own with a signature, good for a week, or `until` then."""
    return kiln.kiln.stores.addresses.of(path, end_of_new_link(kiln) if until is None else until)


def end_of_new_link(kiln: Reached) -> datetime:
    """Until when a link that is made now is good."""
    return kiln.room.clock.now() + LASTS


def end_of_link(request: Request) -> datetime:
    """Until when the link of a request, which was checked, is good: what it leads to is no longer."""
    return datetime.fromtimestamp(int(request.query_params["expires"]), UTC)


def check_link(request: Request, kiln: Kiln) -> None:
    """Raises Refused unless the address was signed here, and is still good."""
    try:
        verify(
            request.url.path,
            request.url.query,
            now=kiln.room.clock.now(),
            secrets=kiln.kiln.stores.secrets,
            method=request.method,
        )
    except Expired as error:
        raise Refused(403, "LINK_EXPIRED", str(error)) from error
    except Forged as error:
        raise Refused(403, "LINK_FORGED", str(error)) from error


async def _viewer(
    request: Request,
    kiln: Kiln,
    sent: Bearer,
    signature: Annotated[str | None, Security(_SIGNED)] = None,
    expires: Annotated[str, Query(max_length=20, description="Of a link")] = "",  # noqa: ARG001
) -> StoredKey | None:
    if signature is None:
        return await holder_of(request, kiln, sent)
    check_link(request, kiln)
    return None


# Who sees: a key, or None for whoever holds a link to this very address.
Viewer = Annotated[StoredKey | None, Depends(_viewer)]
