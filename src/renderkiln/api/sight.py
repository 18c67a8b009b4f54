"""What the holder of a key may see of what happens. The only place that decides it."""

from __future__ import annotations

from renderkiln.api.auth import visible_to
from renderkiln.database.events import StoredEvent
from renderkiln.database.keys import StoredKey

_ADMINS = ("worker.", "webhook.")  # of which there is nothing to see but for who administers


def may_see(holder: StoredKey | None, stored: StoredEvent) -> bool:
    """Who administers sees all. What is nobody's own is for everybody else, too, but for what runs it.

    None is whoever holds a link to its job.
    """
    if holder is None:
        return not stored.event.name.startswith(_ADMINS)
    account = visible_to(holder)
    if account is None:
        return True
    if stored.account is None:
        return not stored.event.name.startswith(_ADMINS)
    return stored.account == account
