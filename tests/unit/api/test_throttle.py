"""A key may make so many requests a second, and no other key pays for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.api.throttle import Throttle


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_a_rest_two_seconds_worth_passes_at_once() -> None:
    clock = Hands()
    throttle = Throttle(5, clock)
    assert [throttle.wait("a") for _ in range(10)] == [0.0] * 10
    assert throttle.wait("a") == pytest.approx(0.2)
    assert throttle.wait("b") == 0.0
    clock.now += 0.2
    assert throttle.wait("a") == 0.0
    assert throttle.wait("a") > 0


@given(st.lists(st.floats(0, 3), max_size=200), st.floats(0.5, 50))
def test_never_more_than_the_rate_and_what_was_saved(pauses: list[float], rate: float) -> None:
    clock = Hands()
    throttle, passed = Throttle(rate, clock), 0
    for pause in pauses:
        clock.now += pause
        wait = throttle.wait("a")
        passed += wait == 0
        if wait:
            clock.now += wait + 1e-6
            assert throttle.wait("a") == 0
            passed += 1
    assert passed <= (clock.now - 1000) * rate + max(1.0, 2 * rate) + 1e-3
