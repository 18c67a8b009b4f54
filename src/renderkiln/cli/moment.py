"""Times that people type."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FROM_NOW = re.compile(r"\+(\d+(?:\.\d+)?)([smhd])")


class Moment(click.ParamType[datetime]):
    """`2026-11-25T20:00`, `20:00` (the next time it is so late), `+90m`; local where no zone is given."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        now = datetime.now().astimezone()
        if found := _FROM_NOW.fullmatch(value):
            return now + timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
        try:
            if re.fullmatch(r"\d\d?:\d\d", value):
                hour, minute = map(int, value.split(":"))
                today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
                return today if today > now else today + timedelta(days=1)
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-11-25T20:00, 20:00 or +90m", param, ctx)
