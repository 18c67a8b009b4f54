"""What a database or the system says, in one line for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from renderkiln.database import url
from renderkiln.domain.errors import UserError


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what the database at this URL, or the system, says meanwhile into a UserError."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _unusable(address, str(error.orig)) from None
    except OSError as error:
        raise _unusable(address, error.strerror or str(error)) from None


def first_line(error: sa.exc.DBAPIError) -> str:
    """What the database said, without the statement it said it of."""
    return _first(str(error.orig))


def _first(reason: str) -> str:
    return (reason.strip().splitlines() or ["no reason given"])[0]


def _unusable(address: str, reason: str) -> UserError:
    parsed = url.parse(address)
    first = _first(reason)
    is_file = parsed.get_backend_name() == "sqlite"
    mend = "file and folder" if is_file else "address, name and password"
    return UserError(f"the database {url.shown(parsed)} cannot be used: {first}. Check its {mend}")
