"""Words for people on stderr, data on stdout, and no name that could do something to a terminal."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
_ALLOWED = {"\u200c", "\u200d"}  # joiners: Persian words and emoji families need them


def speak_safely() -> None:
    """Whatever the locale: a character that cannot be written is written as an escape, and nothing fails."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def say(message: str) -> None:
    """One line for people, with our name before it."""
    tell(f"renderkiln: {shown(message)}")


def tell(line: str) -> None:
    """One line for people as it is; what strangers named in it must have gone through `shown`."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def shown(text: object) -> str:
    """The text on one line; characters that a terminal would obey appear as escapes."""
    return "".join(_visible(char) for char in str(text))


def put(text: str) -> None:
    """One line of data, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def put_json(value: Any, *, indent: int | None = 2) -> None:
    """JSON on stdout; characters that stdout cannot write become JSON's own escapes."""
    plain = not unicode_fits(sys.stdout)
    put(json.dumps(value, ensure_ascii=plain, indent=indent, default=str))


def put_list(
    shape: str, items: Sequence[Mapping[str, Any]], table: Callable[[], Sequence[Mapping[str, Any]]]
) -> None:
    """Many things on stdout, as `-o` says: JSON, JSON a line, or rows for people."""
    match shape:
        case "json":
            put_json(items)
        case "jsonl":
            for each in items:
                put_json(each, indent=None)
        case _:
            put_table(table())


def put_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows under their keys, in columns."""
    if not rows:
        return
    lines = [[key.upper() for key in rows[0]], *([shown(value) for value in row.values()] for row in rows)]
    widths = [max(_width(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        put("  ".join(cells).rstrip())


def unicode_fits(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def marks() -> tuple[str, str, str]:
    """Signs for done, failed and leads-to that stderr can write."""
    # The stream itself: while bars move, sys.stderr is a stand-in that does not tell its encoding.
    return ("✓", "✗", "→") if unicode_fits(sys.__stderr__ or sys.stderr) else ("ok", "FAILED", "->")


def plain(stream: TextIO) -> bool:
    """Whether `stream` wants neither colour nor moving bars."""
    return not stream.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"


def size(count: int) -> str:
    """Bytes for people: `12.3 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit in ("B", "kB") else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def clock(seconds: float) -> str:
    """A length of time for people: `0.3 s`, `8 s`, `3:07`, `1:02:03`."""
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds < 9.95 else "10 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _visible(char: str) -> str:
    if char in _ALLOWED or unicodedata.category(char) not in _INVISIBLE:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _width(text: str) -> int:
    """Columns in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
