"""The same field under other names: callers from other products keep their own spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# What others call our fields, in snake case. Their camel case is taken for all.
SYNONYMS = {
    "script_text": "script",
    "text": "script",
    "voice_ref": "voice",
    "voice_reference": "voice",
    "duration_minutes": "duration_min",
    "output_options": "output",
    "track_url": "track",
    "music_url": "track",
    "frequency_hz": "hz",
    "visibility": "storage_location",
    "ceiling_db": "ceiling_dbtp",
}


def our_name(name: str) -> str:
    """`trackUrl` → `track`."""
    snake = _HUMP.sub("_", name).lower()
    return SYNONYMS.get(snake, snake)


def respelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` under our names, with all objects within it. Raises ValueError for what is given twice."""
    ours: dict[str, Any] = {}
    for name, value in given.items():
        field = our_name(str(name))
        if field in ours:
            raise ValueError(f"{field} is given twice, once as {name}")
        ours[field] = respelled(value) if isinstance(value, Mapping) else value
    return ours


class Spelled(BaseModel):
    """A model that takes its fields under their other names, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _under_our_names(cls, given: Any) -> Any:
        return respelled(given) if isinstance(given, dict) else given
