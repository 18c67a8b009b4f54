import threading
import time
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction

import pytest

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.relay import draw_in_order

CANVAS = Canvas(16, 16, Fraction(30))


def draw_number() -> Callable[[int, Frame], None]:
    def draw(index: int, frame: Frame) -> None:
        time.sleep(0.002 * (index % 3))  # later frames are often ready first
        frame.buffer[:] = index

    return draw


def test_frames_come_in_order_and_whole() -> None:
    wanted = [5, 6, 7, 30, 31, 2]
    drawn = [
        (i, set(frame.buffer.tolist())) for i, frame in draw_in_order(CANVAS, draw_number, wanted, threads=3)
    ]
    assert drawn == [(i, {i}) for i in wanted]


def test_each_thread_has_its_own_painter() -> None:
    owners: dict[int, set[int]] = {}

    def new_draw() -> Callable[[int, Frame], None]:
        mine: set[int] = set()
        owners[id(mine)] = mine

        def draw(_: int, __: Frame) -> None:
            mine.add(threading.get_ident())
            time.sleep(0.001)

        return draw

    list(draw_in_order(CANVAS, new_draw, range(40), threads=2))
    assert 1 <= len(owners) <= 2
    assert all(len(threads) == 1 for threads in owners.values())


def test_a_failing_painter_ends_the_relay() -> None:
    def new_draw() -> Callable[[int, Frame], None]:
        def draw(index: int, _: Frame) -> None:
            if index == 3:
                raise ZeroDivisionError

        return draw

    seen: list[int] = []
    with (
        pytest.raises(ZeroDivisionError),
        closing(draw_in_order(CANVAS, new_draw, range(9), threads=2)) as it,
    ):
        seen.extend(i for i, _ in it)
    assert seen == [0, 1, 2]


def test_closing_early_ends_the_threads() -> None:
    before = threading.active_count()
    with closing(draw_in_order(CANVAS, draw_number, range(1000), threads=2)) as frames:
        next(frames)
    assert threading.active_count() == before
