"""What FFmpeg says of itself through `-progress`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report. `seconds` is the output time reached, `speed` is × real time; None where unknown."""

    frame: int | None = None
    fps: float | None = None
    seconds: float | None = None
    size: int | None = None  # bytes written so far
    speed: float | None = None
    done: bool = False


def parse(lines: Iterable[str]) -> Iterator[Progress]:
    """Turn the lines of `-progress` into reports; each ends with `progress=continue` or `progress=end`."""
    block: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals:
            continue
        block[key.strip()] = value.strip()
        if key.strip() == "progress":
            yield _report(block)
            block = {}


def _report(block: dict[str, str]) -> Progress:
    microseconds = _number(block.get("out_time_us"))
    return Progress(
        frame=_whole(block.get("frame")),
        fps=_number(block.get("fps")),
        seconds=None if microseconds is None else max(0.0, microseconds / 1e6),
        size=_whole(block.get("total_size")),
        speed=_number(block.get("speed", "").removesuffix("x")),
        done=block["progress"] == "end",
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:  # FFmpeg writes N/A where it does not know
        return None


def _whole(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(number)
