from __future__ import annotations

import threading
from datetime import UTC

from renderkiln.domain.clock import SystemClock
from renderkiln.testing import FakeClock


def test_the_time_of_day_is_aware() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_wait_is_broken_off_at_once() -> None:
    stop = threading.Event()
    stop.set()
    assert not SystemClock().sleep(3600, stop)
    assert not FakeClock().sleep(3600, stop)
    assert SystemClock().sleep(0)


def test_a_fake_clock_moves_only_by_sleep_and_advance() -> None:
    clock = FakeClock()
    noon = clock.now()
    assert clock.sleep(10)
    clock.advance(5)
    assert (clock.now() - noon).total_seconds() == clock.monotonic() == 15
    assert clock.slept == [10]
