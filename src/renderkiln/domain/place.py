"""How a file is named: by a path, as an asset, or by a URL."""

from __future__ import annotations

import re

_ASSET = re.compile(r"asset:(ast_[0-9a-f]{32})")


def is_url(place: str) -> bool:
    """Whether it is a URL, of whatever scheme, and no path."""
    return "://" in place


def asset_id(place: str) -> str | None:
    """The id in `asset:ast_…`; None for what names no asset."""
    found = _ASSET.fullmatch(place)
    return None if found is None else found[1]


def place_of(asset_id: str) -> str:
    """What jobs and their params call an asset."""
    return f"asset:{asset_id}"
