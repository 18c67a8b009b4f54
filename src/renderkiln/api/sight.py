"""What the holder of a key may see of what happens. The only place that decides it."""

from __future__ import annotations

from renderkiln.api.auth import visible_to
from renderkiln.database.events import StoredEvent
from renderkiln.database.keys import StoredKey


def may_see(holder: StoredKey, stored: StoredEvent) -> bool:
    """What is nobody's own is for everybody; else its account sees it, and who administers."""
    return stored.account is None or visible_to(holder) in {None, stored.account}
