from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames.easing import Easing, eased

EASINGS: tuple[Easing, ...] = get_args(Easing)
BEYOND = [easing for easing in EASINGS if easing.endswith("back")]

# Of Penner's tables, as the CSS working group and easings.net plot them.
KNOWN: dict[tuple[Easing, float], float] = {
    ("linear", 0.3): 0.3,
    ("in-sine", 0.5): 1 - math.sqrt(0.5),
    ("in-out-sine", 0.25): (1 - math.sqrt(0.5)) / 2,
    ("in-quad", 0.5): 0.25,
    ("out-cubic", 0.5): 0.875,
    ("in-out-cubic", 0.25): 0.0625,
    ("out-quint", 0.5): 0.96875,
    ("in-expo", 0.5): 1 / 33,
    ("out-back", 0.5): 1.0876975,
    ("in-back", 0.5): -0.0876975,
    ("out-bounce", 1 / 2.75): 1.0,
    ("out-bounce", 1.5 / 2.75): 0.75,
    ("out-bounce", 2.25 / 2.75): 0.9375,
}


@pytest.mark.parametrize(("point", "value"), KNOWN.items(), ids=str)
def test_known_points(point: tuple[Easing, float], value: float) -> None:
    assert eased(*point) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("easing", EASINGS)
def test_begins_and_ends_exactly_and_never_jumps(easing: Easing) -> None:
    assert (eased(easing, 0), eased(easing, 1)) == (0, 1)
    assert (eased(easing, -3), eased(easing, math.inf)) == (0, 1)
    way = np.array([eased(easing, t) for t in np.linspace(0, 1, 2001)])
    assert np.abs(np.diff(way)).max() < 0.006
    if easing in BEYOND:
        assert max(way.max() - 1, -way.min()) == pytest.approx(0.1, abs=0.001)
    else:
        assert (way.min(), way.max()) == (0, 1)
        assert easing == "out-bounce" or (np.diff(way) >= 0).all()


@given(st.sampled_from(EASINGS), st.floats(0, 1))
def test_out_is_in_turned_round(easing: Easing, progress: float) -> None:
    if easing.startswith("out-") and easing != "out-bounce":
        turned: Easing = easing.replace("out-", "in-")  # type: ignore[assignment]  # a literal made of another
        assert eased(easing, progress) == pytest.approx(1 - eased(turned, 1 - progress), abs=1e-9)
    if easing.startswith("in-out-"):
        assert eased(easing, progress) == pytest.approx(1 - eased(easing, 1 - progress), abs=1e-9)


def test_what_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no easing 'out-cubed': there are linear, in-sine"):
        eased("out-cubed", 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a number"):
        eased("linear", math.nan)
