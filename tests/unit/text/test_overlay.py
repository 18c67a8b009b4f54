from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.errors import Unreadable
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.image import write_image
from renderkiln.media.frames.overlay import QUIET, SAFE, Overlay, title_card
from renderkiln.media.frames.patch import Patch

LONG = "A very long title that goes on and on about the night and the sea " * 3


def canvas_of(width: int, height: int, projection: str = "flat") -> Canvas:
    return Canvas(width, height, Fraction(30), projection)  # type: ignore[arg-type]  # a literal in tests


def grey(canvas: Canvas, y: int = 100) -> Frame:
    frame = Frame(canvas)
    frame.y[:], frame.u[:], frame.v[:] = y, 128, 128
    return frame


def card(canvas: Canvas, title: str = "Title", artist: str = "Artist", cover: bytes | None = None) -> Overlay:
    overlay = title_card(canvas, title, artist, cover)
    assert overlay is not None
    return overlay


@pytest.fixture
def cover(tmp_path: Path) -> bytes:
    write_image(tmp_path / "cover.png", np.full((40, 60, 3), (255, 0, 0), np.uint8))
    return (tmp_path / "cover.png").read_bytes()


class TestPatch:
    def test_touches_its_rectangle_only(self) -> None:
        frame = grey(canvas_of(64, 32))
        white = np.full((7, 9, 4), 255, np.uint8)
        Patch.from_rgba(white, 11, 5).blend(frame, 1.0)
        assert (frame.y[5:12, 11:20] == 235).all()
        frame.y[5:12, 11:20] = 100
        assert (frame.y == 100).all()

    def test_zero_opacity_leaves_every_pixel(self) -> None:
        frame, before = grey(canvas_of(64, 32), 101), grey(canvas_of(64, 32), 101)
        Patch.from_rgba(np.full((8, 8, 4), 255, np.uint8), 0, 0).blend(frame, 0.0)
        assert np.array_equal(frame.buffer, before.buffer)

    def test_half_opacity_meets_in_the_middle(self) -> None:
        frame = grey(canvas_of(64, 32))
        red = np.zeros((32, 64, 4), np.uint8)
        red[..., 0], red[..., 3] = 255, 255
        Patch.from_rgba(red, 0, 0).blend(frame, 0.5)
        assert frame.y.mean() == pytest.approx((100 + 62.6) / 2, abs=0.1)
        assert frame.u.mean() == pytest.approx((128 + 102.3) / 2, abs=0.1)
        assert frame.v.mean() == pytest.approx((128 + 240) / 2, abs=0.1)

    def test_what_reaches_over_the_edge_is_cut(self) -> None:
        frame = grey(canvas_of(64, 32))
        Patch.from_rgba(np.full((40, 40, 4), 255, np.uint8), 40, 20).blend(frame, 1.0)
        assert (frame.y[20:, 40:] == 235).all()
        assert (frame.y[:20] == 100).all()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (320, 180), (1080, 1920), (480, 480)])
@pytest.mark.parametrize("title", ["Ночь на Лысой горе", "أغنية الليل", LONG, "W" * 200])
def test_the_card_stays_within_safe_margins(width: int, height: int, title: str, cover: bytes) -> None:
    canvas = canvas_of(width, height)
    frame = grey(canvas, 16)
    card(canvas, title, "Somebody", cover).blend(frame, 1.0)
    rows, columns = np.nonzero(frame.y > 50)
    assert columns.min() >= SAFE * width - 2
    assert columns.max() <= (1 - SAFE) * width + 2
    assert rows.max() <= (1 - SAFE) * height + 2
    assert rows.min() > height / 2
    assert len(rows) > 0.002 * width * height


def test_it_reads_over_white() -> None:
    canvas = canvas_of(640, 360)
    frame = grey(canvas, 235)
    card(canvas, "Title", "").blend(frame, 1.0)
    around = frame.y[318:338, 34:80]
    assert np.percentile(around, 20) < 130
    assert around.max() == 235


def test_right_to_left_titles_stand_on_the_right() -> None:
    canvas = canvas_of(640, 360)
    for title, side in (("ليل", slice(320, None)), ("Night", slice(0, 320))):
        frame = grey(canvas, 16)
        card(canvas, title, "").blend(frame, 1.0)
        assert (frame.y > 100).sum() == (frame.y[:, side] > 100).sum() > 50


def test_nothing_to_show_is_none_and_missing_glyphs_are_told() -> None:
    canvas = canvas_of(320, 180)
    assert title_card(canvas, None, "") is None
    overlay = card(canvas, "🔥", "")
    assert overlay.missing == ("🔥",)
    frame = grey(canvas)
    overlay.blend(frame, 1.0)
    assert (frame.y == 100).all()


def test_the_cover_is_shown_and_a_damaged_one_is_refused(cover: bytes) -> None:
    canvas = canvas_of(640, 360)
    frame = grey(canvas, 16)
    card(canvas, "", "", cover).blend(frame, 1.0)
    assert (frame.v > 230).sum() > 300
    with pytest.raises(Unreadable, match="cover image"):
        title_card(canvas, "x", "", cover[:50])


def test_in_360_it_floats_ahead_nearer_than_everything(cover: bytes) -> None:
    canvas = canvas_of(1280, 1280, "stereo360")
    frame = grey(canvas, 16)
    card(canvas, "Title", "Artist", cover).blend(frame, 1.0)
    left, right = (np.nonzero(eye > 60)[1] for eye in (frame.y[:640], frame.y[640:]))
    assert 400 < left.min() < right.max() < 880, "ahead of the viewer"
    disparity = 2 * np.degrees(np.arcsin(0.032 / 1.5)) / 360 * 1280
    assert left.mean() - right.mean() == pytest.approx(disparity, abs=0.7)


@pytest.mark.parametrize("duration", [0.2, 3.0, 240.0])
def test_it_fades_in_once_and_stays_readable(duration: float) -> None:
    overlay = Overlay(())
    times = np.linspace(0, duration, 500)
    opacity = np.array([overlay.opacity_at(t, duration) for t in times])
    assert opacity[0] == 0
    assert opacity.max() == 1
    peak = int(opacity.argmax())
    assert (np.diff(opacity[:peak]) >= 0).all()
    assert opacity[peak:].min() >= QUIET - 1e-9
    assert times[peak] <= 0.5 * duration
