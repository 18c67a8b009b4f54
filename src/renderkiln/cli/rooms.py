"""The room of the settings, for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renderkiln.engine.room import Room


@contextmanager
def open_room() -> Iterator[Room]:
    """Raises UserError where its database cannot be used."""
    from renderkiln.app import Renderkiln
    from renderkiln.settings import Settings

    with Renderkiln.open(Settings.load()) as kiln:
        yield kiln.room
