from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.progress import WeightedProgress

VISUALIZER = {"listen": 10.0, "render": 80.0, "join": 2.0, "verify": 7.0, "deliver": 1.0}


def test_a_render_is_at_ten_when_it_begins_and_at_ninety_when_it_ends() -> None:
    progress = WeightedProgress(VISUALIZER)
    assert progress.report("listen", 1) == pytest.approx(10)
    assert progress.report("render", 0) == pytest.approx(10)
    assert progress.report("render", 0.5) == pytest.approx(50)
    assert progress.report("render", 1) == pytest.approx(90)
    for stage in ("join", "verify", "deliver"):
        progress.report(stage, 1)
    assert progress.percent == pytest.approx(100)


def test_weights_are_relative() -> None:
    assert WeightedProgress({"a": 1, "b": 3}).report("a", 1) == WeightedProgress({"a": 9, "b": 27}).report(
        "a", 1
    )


@given(
    st.lists(st.tuples(st.sampled_from(list(VISUALIZER)), st.floats(allow_nan=True, allow_infinity=True))),
    st.floats(0, 100),
)
def test_percent_never_falls_nor_leaves_its_range(reports: list[tuple[str, float]], floor: float) -> None:
    progress = WeightedProgress(VISUALIZER, floor=floor)
    before = floor
    for stage, fraction in reports:
        after = progress.report(stage, fraction)
        assert before <= after <= 100
        before = after


def test_nonsense_is_clipped() -> None:
    progress = WeightedProgress({"a": 1, "b": 1})
    assert progress.report("a", math.nan) == 0
    assert progress.report("a", -5) == 0
    assert progress.report("a", math.inf) == 50


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}])
def test_stages_without_weight_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weight above 0"):
        WeightedProgress(weights)
