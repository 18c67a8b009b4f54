from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames.axis import CHROMA_ACROSS, CHROMA_DOWN, LUMA, Siting, reach, taps

SITINGS = (LUMA, CHROMA_ACROSS, CHROMA_DOWN)


def test_where_samples_lie() -> None:
    index = np.arange(2)
    assert [siting.at(index).tolist() for siting in SITINGS] == [[0.5, 1.5], [0.5, 2.5], [1.0, 3.0]]


@pytest.mark.parametrize(
    ("siting", "low", "high", "start", "cover"),
    [
        (LUMA, 2.25, 5.5, 2, [0.75, 1, 1, 0.5]),
        (LUMA, 2.25, 2.5, 2, [0.25]),
        (CHROMA_ACROSS, 2, 6, 1, [0.75, 1, 0.25]),  # weights 1 2 1 around every other sample
        (CHROMA_ACROSS, -9, 3, 0, [1, 0.75]),  # what is left of the frame is as its first column
        (CHROMA_DOWN, 2, 6, 1, [1, 1]),
        (CHROMA_DOWN, 3, 5.5, 1, [0.5, 0.75]),
        (LUMA, 40, 50, 0, []),
        (LUMA, 5, 5, 0, []),
    ],
)
def test_reach(siting: Siting, low: float, high: float, start: int, cover: list[float]) -> None:
    found = reach(siting, 20 // siting.step, low, high)
    assert (found.start, found.cover.tolist()) == (start, cover)


@given(st.sampled_from(SITINGS), st.floats(allow_nan=False), st.floats(allow_nan=False), st.integers(2, 40))
def test_reach_stays_within_the_axis(siting: Siting, low: float, high: float, size: int) -> None:
    found = reach(siting, size, low, high)
    assert 0 <= found.start <= found.start + found.cover.size <= size
    assert ((found.cover >= 0) & (found.cover <= 1)).all()


@given(
    st.sampled_from(SITINGS),
    st.floats(-1e9, 1e9),
    st.floats(0, 1e9),
    st.floats(-1e9, 1e9),
    st.integers(2, 40),
)
def test_taps_stay_within_the_source(
    siting: Siting, origin: float, ratio: float, start: float, size: int
) -> None:
    found = taps(siting, reach(siting, 30, 0, 60), size, origin, ratio, start=start)
    assert found.before.max() <= size - 2
    assert ((found.share >= 0) & (found.share <= 1)).all()
    assert (np.diff(found.before + found.share) >= 0).all()
