"""How a movement's speed changes on its way: the usual curves, by their usual names.

Source: R. Penner, "Programming Macromedia Flash MX" (2002), chapter 7. "in" begins slowly, "out" ends slowly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

Easing = Literal[
    "linear",
    "in-sine",
    "out-sine",
    "in-out-sine",
    "in-quad",
    "out-quad",
    "in-out-quad",
    "in-cubic",
    "out-cubic",
    "in-out-cubic",
    "in-quint",
    "out-quint",
    "in-out-quint",
    "in-expo",
    "out-expo",
    "in-out-expo",
    "in-back",
    "out-back",
    "in-out-back",
    "out-bounce",
]

BACK = 1.70158  # how far a "back" goes too far: a tenth of the way
BACK_BOTH = BACK * 1.525

Curve = Callable[[float], float]

# When a parabola of a bounce ends, when it is at its furthest from the end, and how near that is.
_BOUNCES = (
    (1 / 2.75, 0.0, 0.0),
    (2 / 2.75, 1.5 / 2.75, 0.75),
    (2.5 / 2.75, 2.25 / 2.75, 0.9375),
    (1.0, 2.625 / 2.75, 0.984375),
)


def eased(easing: Easing, progress: float) -> float:
    """How much of a way is covered when `progress` of its time has passed: exactly 0 at 0 and 1 at 1.

    Progress beyond 0 … 1 is taken as its nearer end. A "back" goes a tenth beyond its beginning or end.
    Raises ValueError for a name that is none and for NaN.
    """
    if easing not in _CURVES:
        raise ValueError(f"no easing {easing!r}: there are {', '.join(get_args(Easing))}")
    if math.isnan(progress):
        raise ValueError("the progress of a movement is not a number")
    if progress <= 0 or progress >= 1:
        return float(progress > 0)
    return _CURVES[easing](progress)


def _ends_slowly(begins_slowly: Curve) -> Curve:
    return lambda t: 1 - begins_slowly(1 - t)


def _both(begins_slowly: Curve) -> Curve:
    return lambda t: begins_slowly(2 * t) / 2 if t < 0.5 else 1 - begins_slowly(2 - 2 * t) / 2


def _power(exponent: int) -> Curve:
    return lambda t: float(t**exponent)


def _sine(t: float) -> float:
    return 1 - math.cos(t * math.pi / 2)


def _expo(t: float) -> float:
    return (2 ** (10 * t) - 1) / 1023  # Penner's is 1/1024 at 0: it would begin with a jump


def _back(beyond: float) -> Curve:
    return lambda t: t * t * ((beyond + 1) * t - beyond)


def _bounce(t: float) -> float:
    """A ball that falls onto the end: four parabolas, each bounce a quarter as high as the one before."""
    middle, floor = next((middle, floor) for end, middle, floor in _BOUNCES if t < end)
    return 7.5625 * (t - middle) ** 2 + floor


_CURVES: dict[Easing, Curve] = {
    "linear": lambda t: t,
    "in-sine": _sine,
    "out-sine": _ends_slowly(_sine),
    "in-out-sine": _both(_sine),
    "in-quad": _power(2),
    "out-quad": _ends_slowly(_power(2)),
    "in-out-quad": _both(_power(2)),
    "in-cubic": _power(3),
    "out-cubic": _ends_slowly(_power(3)),
    "in-out-cubic": _both(_power(3)),
    "in-quint": _power(5),
    "out-quint": _ends_slowly(_power(5)),
    "in-out-quint": _both(_power(5)),
    "in-expo": _expo,
    "out-expo": _ends_slowly(_expo),
    "in-out-expo": _both(_expo),
    "in-back": _back(BACK),
    "out-back": _ends_slowly(_back(BACK)),
    "in-out-back": _both(_back(BACK_BOTH)),
    "out-bounce": _bounce,
}
