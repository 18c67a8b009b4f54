"""What spectrum, waveform and particles promise, each of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from renderkiln.media.audio.features import BANDS, RECORD, WAVE_POINTS, Features
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.pipelines.visualizer.template import Film, Painter, Template
from renderkiln.pipelines.visualizer.templates.particles import Particles
from renderkiln.pipelines.visualizer.templates.spectrum import Spectrum
from renderkiln.pipelines.visualizer.templates.waveform import Waveform

Music = Callable[..., Features]

SMALL = Canvas(160, 88, Fraction(30))
AROUND = Canvas(256, 256, Fraction(30), "stereo360")


@pytest.fixture
def music() -> Music:
    """Features of an invented song: a beat twice a second, chords that wander, a wave; as loud as asked."""

    def invent(frames: int = 120, loudness: float = 1.0, fps: int = 30) -> Features:
        t = np.arange(frames) / fps
        beat = np.exp(-6 * (t % 0.5))
        records = np.zeros(frames, RECORD)
        band = np.arange(BANDS) / BANDS
        chord = 0.5 + 0.5 * np.sin(9 * band[None, :] + 1.7 * t[:, None])
        records["bands"] = loudness * (0.25 + 0.5 * chord + 0.4 * beat[:, None] * (1 - band[None, :]))
        records["low"] = loudness * (0.35 + 0.6 * beat)
        records["mid"], records["high"] = 0.5 * loudness, 0.3 * loudness
        records["onset"], records["rms"] = 1.2 * loudness * beat, 0.8 * loudness
        x = np.linspace(-1, 1, WAVE_POINTS)
        wave = np.sin(14 * x[None, :] + t[:, None]) + 0.4 * np.sin(47 * x)[None, :] * beat[:, None]
        records["wave"] = 20_000 * loudness * wave / 1.4
        records["phase"] = np.cumsum(0.55 + 0.9 * records["rms"] + 0.35 * records["low"]) / fps
        return Features(Fraction(fps), records)

    return invent


@pytest.fixture(params=[Spectrum, Waveform, Particles], ids=lambda template: template.name)
def template(request: pytest.FixtureRequest) -> Template:
    made: Template = request.param()
    return made


def painter(
    template: Template, features: Features, canvas: Canvas = SMALL, seed: int = 1, **look: Any
) -> Painter:
    return template.painter(Film(canvas, features, template.Params(**look), seed))


def drawn(painter: Painter, index: int, canvas: Canvas = SMALL) -> Frame:
    frame = Frame(canvas)
    frame.buffer[:] = 77
    painter.draw(index, frame)
    return frame


def test_a_frame_depends_on_nothing_that_was_drawn_before(template: Template, music: Music) -> None:
    features = music()
    one, other = painter(template, features), painter(template, features)
    drawn(other, 100)
    drawn(other, 3)
    assert np.array_equal(drawn(one, 60).buffer, drawn(other, 60).buffer)


def test_threads_draw_the_same_frames(template: Template, music: Music) -> None:
    features = music(40)
    alone = painter(template, features)
    expected = [drawn(alone, index).buffer for index in range(40)]

    def draw(start: int) -> list[np.ndarray]:
        own = painter(template, features)
        return [drawn(own, index).buffer for index in range(start, 40, 3)]

    with ThreadPoolExecutor(3) as threads:
        parts = list(threads.map(draw, range(3)))
    for start, part in enumerate(parts):
        assert all(np.array_equal(a, b) for a, b in zip(part, expected[start::3], strict=True))


def test_it_lives_on_the_music(template: Template, music: Music) -> None:
    quiet, loud = (drawn(painter(template, music(loudness=level)), 61).y.mean() for level in (0.15, 1.0))
    assert loud > quiet + 2


def test_silence_is_dark_but_not_black_nor_frozen(template: Template, music: Music) -> None:
    silent = painter(template, music(120, loudness=0.0))
    first, last = drawn(silent, 0), drawn(silent, 119)
    assert first.y.max() > 60
    assert first.y.mean() > 17
    assert not np.array_equal(first.y, last.y)


def test_nothing_flickers(template: Template, music: Music) -> None:
    features = music(600)
    features.records[:] = features.records[40]
    features.records["phase"] = np.arange(600) / 30
    steady = painter(template, features)
    frames = [drawn(steady, index).y.reshape(11, 8, 20, 8).mean(axis=(1, 3)) for index in range(400, 406)]
    for one, next_one in pairwise(frames):  # averages over 8 × 8 pixels: things may move, light may not jump
        assert np.percentile(np.abs(next_one - one), 95) < 6
        assert abs(next_one.mean() - one.mean()) < 0.4


def test_another_seed_is_another_film(template: Template, music: Music) -> None:
    features = music()
    one, other = (drawn(painter(template, features, seed=seed), 50) for seed in (1, 2))
    assert not np.array_equal(one.buffer, other.buffer)


def test_every_palette_has_colours_of_its_own(template: Template, music: Music) -> None:
    features = music()
    pictures = [drawn(painter(template, features, palette=name), 60).buffer for name in template.palettes]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures) >= 5
    default = drawn(painter(template, features), 60).buffer
    assert np.array_equal(default, pictures[0])
    with pytest.raises(ValueError, match="no palette 'mauve'"):
        painter(template, features, palette="mauve")


EXTREMES: dict[str, list[dict[str, Any]]] = {
    "spectrum": [{"bars": 16, "reflection": 0}, {"bars": 160, "reflection": 1, "peaks": False}],
    "waveform": [{"echoes": 0, "thickness": 0.3}, {"echoes": 40, "thickness": 4, "progress": False}],
    "particles": [{"count": 200, "swirl": -3, "aperture": 0}, {"count": 20_000, "swirl": 3, "aperture": 3}],
}


@pytest.mark.parametrize("intensity", [0.25, 2.0])
def test_extreme_params_draw_a_legal_picture(template: Template, music: Music, intensity: float) -> None:
    for look in EXTREMES[template.name]:
        frame = drawn(painter(template, music(90, loudness=1.2), intensity=intensity, **look), 75)
        assert 16 <= frame.y.min() <= frame.y.max() <= 235
        assert min(frame.u.min(), frame.v.min()) >= 16
        assert max(frame.u.max(), frame.v.max()) <= 240
    with pytest.raises(ValidationError):
        template.Params(intensity=9)


@pytest.mark.parametrize(("width", "height"), [(88, 160), (320, 64), (64, 64)])
def test_any_shape_of_canvas(template: Template, music: Music, width: int, height: int) -> None:
    canvas = Canvas(width, height, Fraction(30))
    frame = drawn(painter(template, music(), canvas), 60, canvas)
    assert frame.y.max() > 120


def test_a_film_of_one_frame(template: Template, music: Music) -> None:
    assert drawn(painter(template, music(1)), 0).y.max() > 60


def test_the_same_instant_looks_alike_at_any_rate(template: Template, music: Music) -> None:
    slow = drawn(painter(template, music(90, fps=30)), 60)
    canvas = Canvas(160, 88, Fraction(60))
    fast = drawn(painter(template, music(180, fps=60), canvas), 120, canvas)
    assert abs(slow.y.mean() - fast.y.mean()) < 3


class TestAround:
    def eyes(self, template: Template, music: Music) -> tuple[np.ndarray, np.ndarray]:
        y = drawn(painter(template, music(), AROUND), 61, AROUND).y.astype(int)
        return y[:128], y[128:]

    def test_there_is_no_seam_behind_the_viewer(self, template: Template, music: Music) -> None:
        for eye in self.eyes(template, music):
            across = np.abs(eye[:, 0] - eye[:, -1]).mean()
            elsewhere = np.abs(np.diff(eye, axis=1)).mean(axis=0)
            assert across <= np.percentile(elsewhere, 98) + 1

    def test_the_eyes_see_depth(self, template: Template, music: Music) -> None:
        canvas = Canvas(1024, 1024, Fraction(30), "stereo360")
        y = drawn(painter(template, music(), canvas), 61, canvas).y.astype(float)
        left, right = y[180:330], y[692:842]
        match = [float((left * np.roll(right, shift, axis=1)).sum()) for shift in range(-8, 9)]
        best = int(np.argmax(match)) - 8
        # Crossed disparity at 1.2 … 6 m: 9 … 2 pixels of 1024.
        assert 1 <= best <= 8

    def test_the_poles_are_calm(self, template: Template, music: Music) -> None:
        for eye in self.eyes(template, music):
            for cap in (eye[:4], eye[-4:]):
                assert cap.std(axis=1).max() < 1.5
                assert cap.mean() < 45
