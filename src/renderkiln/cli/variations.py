"""What a call can ask of the variations: clips, and how many variants of each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from renderkiln.cli.options import options_of
from renderkiln.cli.orders import Form, Order
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.variations.params import MOST, VariationsParams

F = TypeVar("F", bound=Callable[..., Any])

HELP = """Turn clips into many unique variants.

Each variation of a CLIP has effects of its own, and differs measurably from the clip and from the others.
They come in a folder of their own, with a contact sheet and a report: all of a clip's, or none. `renderkiln
effects list` shows what can be done to a clip.
"""

FIELDS = (
    "seed",
    "skip",
    "intensity",
    "quality",
    "resolution",
    "fps",
    "channels",
    "encoder",
    "min_difference",
)


def _options(command: F) -> F:
    clip = click.Path(path_type=Path, readable=False)
    command = options_of(VariationsParams, FIELDS)(command)
    only = "Draw from these effects and no others: zoom,warmth,speed."
    command = click.option("--only", metavar="NAMES", help=only)(command)
    without = "Leave this effect out; repeatable."
    command = click.option("--without", multiple=True, metavar="NAME", help=without)(command)
    added = "Add an effect, pin it (zoom=3) or narrow it (speed=0.98..1.02); repeatable."
    command = click.option("--with", "added", multiple=True, metavar="NAME[=VALUE]", help=added)(command)
    total = "Variations of all clips together, shared out evenly; instead of --count."
    command = click.option("--total", type=click.IntRange(1), help=total)(command)
    count = f"Variations of each clip, at most {MOST} [default: 10]"
    command = click.option("--count", type=click.IntRange(1, MOST), default=None, help=count)(command)
    return click.argument("files", nargs=-1, required=True, metavar="CLIP...", type=clip)(command)


def _orders(
    files: Sequence[Path],
    count: int | None,
    total: int | None,
    added: Sequence[str],
    without: Sequence[str],
    only: str | None,
    **given: Any,
) -> list[Order]:
    params = {name: value for name, value in given.items() if value is not None}
    params["effects"] = _effects(added, without)
    if only is not None:
        params["only"] = [name.strip() for name in only.split(",") if name.strip()]
    counts = _counts(len(files), count, total)
    skipped: Counter[str] = Counter()
    orders = []
    for number, (clip, wanted) in enumerate(zip(files, counts, strict=True), 1):
        same = os.path.realpath(clip)
        # A clip that is named twice gets variations that its first ones are not.
        skip = params.get("skip", 0) + skipped[same]
        skipped[same] += wanted
        orders.append(Order(clip, params | {"count": wanted, "skip": skip}, str(number)))
    return orders


FORM = Form("variations", HELP, _options, _orders)


def _counts(clips: int, count: int | None, total: int | None) -> list[int]:
    """How many of each clip: a total is shared out evenly, the first ones get what does not divide."""
    if total is None:
        return [VariationsParams.model_fields["count"].default if count is None else count] * clips
    if count is not None:
        raise UsageError("--count is for each clip and --total for all of them: give one of the two")
    if total < clips:
        raise UsageError(f"--total {total} is less than one variation for each of {clips} clips")
    each, rest = divmod(total, clips)
    if each + (rest > 0) > MOST:
        raise UsageError(f"--total {total} is more than {MOST} variations of one clip")
    return [each + (number < rest) for number in range(clips)]


def _effects(added: Sequence[str], without: Sequence[str]) -> Mapping[str, Any]:
    """What is wished of effects, by name. Raises UsageError for what nobody can mean."""
    wishes: dict[str, Any] = {}
    for name, wish in [*map(_wish, added), *((name, False) for name in without)]:
        if name in wishes:
            raise UsageError(f"the effect {name!r} is named twice; say once what is wished of it")
        wishes[name] = wish
    return wishes


def _wish(text: str) -> tuple[str, bool | float | list[float]]:
    name, equals, value = text.partition("=")
    if not equals:
        return name.strip(), True
    low, dots, high = value.partition("..")
    try:
        return name.strip(), [float(low), float(high)] if dots else float(value)
    except ValueError:
        raise UsageError(
            f"--with {text}: an effect is added (flip), pinned (zoom=3) or narrowed (speed=0.98..1.02)"
        ) from None
