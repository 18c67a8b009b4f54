"""Waiting for what may never answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from renderkiln.domain.errors import Stopped
from renderkiln.engine.apart import Stop, apart
from renderkiln.storage.errors import Unavailable

LONG = 1000.0


@pytest.fixture
def for_ever() -> Iterator[threading.Event]:
    never = threading.Event()
    yield never
    never.set()  # its thread ends with the test


def test_what_it_returns_and_raises_is_passed_on() -> None:
    assert apart(lambda _: 7, lambda: False, LONG) == 7

    def fail(_: Stop) -> None:
        raise error

    for error in (ValueError("broken"), TimeoutError("its own")):
        with pytest.raises(type(error), match=str(error)):
            apart(fail, lambda: False, LONG)


def test_a_stop_is_heard_while_it_hangs(for_ever: threading.Event) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        apart(lambda _: for_ever.wait(), stop.is_set, LONG)


def test_silence_is_given_up_and_whoever_speaks_again_is_told_to_stop(for_ever: threading.Event) -> None:
    told: list[bool] = []
    heard = threading.Event()

    def work(is_over: Stop) -> None:
        told.append(is_over())
        for_ever.wait()
        told.append(is_over())
        heard.set()

    with pytest.raises(Unavailable, match=r"nothing for 0\.3 s"):
        apart(work, lambda: False, 0.3)
    for_ever.set()
    assert heard.wait(60)
    assert told == [False, True]


def test_who_asks_now_and_then_has_time() -> None:
    def work(is_over: Stop) -> int:
        return sum(not is_over() and not threading.Event().wait(0.2) for _ in range(12))

    assert apart(work, lambda: False, 2.0) == 12
