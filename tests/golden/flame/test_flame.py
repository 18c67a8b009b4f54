"""The flame: golden frames, and the promises about its look that numbers can hold."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.audio.features import RECORD, Features
from renderkiln.media.frames import palette
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.noise import texture
from renderkiln.pipelines.visualizer.template import Film
from renderkiln.pipelines.visualizer.templates.flame import Flame
from renderkiln.pipelines.visualizer.templates.flame.sparks import chroma_range, draw_sparks

pytestmark = pytest.mark.golden

FPS = 30
SMALL = (192, 108)
Luma = npt.NDArray[np.float64]


def song(fps: int = FPS, *, phase: float = 0.0) -> Features:
    """Ten made-up seconds: 0–3 quiet, 3–6 a slow swell, 6–10 loud with a beat every half second."""
    at = np.arange(10 * fps) / fps
    loud = np.interp(at, [0, 3, 6, 10], [0.12, 0.12, 0.9, 1.0])
    beat = np.where(at >= 6, np.exp(-5 * (at % 0.5)), 0)
    records = np.zeros(at.size, RECORD)
    tilt = np.linspace(1, 0.5, 48)
    records["bands"] = (0.15 + 0.5 * loud + 0.35 * beat)[:, None] * tilt
    records["low"] = 0.12 + 0.45 * loud + 0.4 * beat
    records["mid"], records["high"] = 0.1 + 0.5 * loud, 0.05 + 0.5 * loud
    records["onset"], records["rms"] = beat, loud
    records["phase"] = phase + 20 + np.cumsum(0.45 + 0.9 * loud + 0.45 * records["low"]) / fps
    return Features(Fraction(fps), records)


def film(
    size: tuple[int, int] = SMALL, *, features: Features | None = None, seed: int = 0, **params: float | str
) -> Film:
    features = features or song()
    return Film(Canvas(*size, features.fps), features, Flame.Params(**params), seed)


def draw(film: Film, *indices: int) -> list[Frame]:
    painter = Flame().painter(film)
    frames = []
    for index in indices:
        frame = Frame(film.canvas)
        frame.buffer[:] = 99  # every pixel must be written
        painter.draw(index, frame)
        frames.append(frame)
    return frames


def lumas(film: Film, indices: range) -> Luma:
    return np.stack([frame.y for frame in draw(film, *indices)]).astype(np.float64)


@pytest.mark.parametrize(("name", "index"), [("quiet", 60), ("swell", 150), ("beat", 241)])
def test_golden(golden: Callable[[str, Frame], None], name: str, index: int) -> None:
    golden(name, draw(film(), index)[0])


def test_painters_agree_bit_for_bit_in_any_order_and_thread() -> None:
    indices = [0, 7, 100, 241, 299]
    film_ = film((320, 180))
    first = [frame.buffer for frame in draw(film_, *indices)]
    results: dict[int, list[Frame]] = {}

    def work(which: int) -> None:
        results[which] = draw(film_, *reversed(indices))[::-1]

    threads = [threading.Thread(target=work, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for frames in results.values():
        for mine, theirs in zip(first, frames, strict=True):
            assert np.array_equal(mine, theirs.buffer)


@pytest.mark.parametrize("size", [(320, 180), (1920, 1080), (180, 320), (200, 200), (3840, 2160)])
def test_code_values_are_legal_at_every_size(size: tuple[int, int]) -> None:
    (frame,) = draw(film(size, intensity=2.0), 241)
    assert 16 <= frame.y.min() < 30
    assert 190 < frame.y.max() <= 235
    for plane in (frame.u, frame.v):
        assert plane.min() >= 16
        assert plane.max() <= 240


def test_no_line_at_the_base() -> None:
    """Flames mirrored or cut at some height show a crease there; an early version had one of 0.08.

    A crease is a second difference of the row means, over 1 % of the height, that is large against the
    brightness; here the mean over a second, so that flames passing by average out.
    """
    rows = lumas(film((640, 360)), range(200, 260, 3)).mean(axis=(0, 2))
    step = 4
    smooth = np.convolve(rows, np.ones(step) / step, mode="valid")
    crease = np.abs(smooth[: -2 * step] - 2 * smooth[step:-step] + smooth[2 * step :]) / smooth[step:-step]
    lower = crease[int(0.7 * crease.size) :]
    assert lower.max() < 0.012
    ninety, eighty = smooth[int(0.9 * smooth.size)], smooth[int(0.8 * smooth.size)]
    assert smooth[-1] > ninety > eighty  # brighter down to the edge


def test_sides_fade_without_an_edge() -> None:
    columns = lumas(film((640, 360)), range(200, 260, 3)).mean(axis=(0, 1))
    assert np.abs(np.diff(columns)).max() < 0.06 * columns.max()
    assert columns[:32].mean() > 0.3 * columns.mean()  # and the picture is filled to the sides


def test_brightness_follows_the_music_without_flicker() -> None:
    features = song()
    mean = lumas(film(features=features), range(0, 300)).mean(axis=(1, 2))
    assert np.corrcoef(mean, features.track("rms"))[0, 1] > 0.85
    assert np.corrcoef(mean, features.track("low"))[0, 1] > 0.9
    mean = mean[:174]  # up to the first beat: nothing may jump
    change = np.diff(mean)
    assert np.abs(change).max() < 0.03 * mean.mean()
    notable = np.minimum(abs(change[1:]), abs(change[:-1])) > 0.005 * mean.mean()
    flips = (change[1:] * change[:-1] < 0) & notable
    assert flips.mean() < 0.03


def test_pixels_move_rather_than_flicker() -> None:
    """Noise that is new in each frame has a second difference √3 times its first one; motion has less."""
    frames = lumas(film((320, 180)), range(30, 60)).reshape(30, 45, 4, 80, 4).mean(axis=(2, 4))
    first = np.diff(frames, axis=0)
    second = np.diff(first, axis=0)
    assert math.sqrt((second**2).mean() / (first**2).mean()) < 1.0
    still = np.abs(first[:, :10]).mean()  # the dark sky of a quiet passage
    assert still < 0.3


def test_bass_lifts_the_flames() -> None:
    features = song()
    frames = lumas(film(features=features), range(0, 300, 3))
    height = (frames > 110).mean(axis=(1, 2))
    assert np.corrcoef(height, features.track("low")[::3])[0, 1] > 0.85
    assert height[80:].mean() > 3 * height[5:28].mean()


def test_onsets_spark_embers() -> None:
    """The same music with and without its onsets, a third of a second after one: embers alone."""
    with_onsets, without = song(), song()
    without.records["onset"] = 0
    chroma = chroma_range(palette.ETHEREAL)
    lit = []
    for features in (with_onsets, without):
        frame = Frame(Canvas(640, 360, Fraction(FPS)))
        frame.buffer[:] = 16
        draw_sparks(frame, features, 250, (16 / 9, 1.0), chroma, texture(3, octaves=2, cells=4), 0, 1.0)
        lit.append(int((frame.y > 16).sum()))
    assert lit[0] > 1.5 * lit[1] > 0


@pytest.mark.parametrize("name", [name for name in Flame.palettes if name != "ethereal"])
def test_palettes_change_the_colours(name: str) -> None:
    default, other = draw(film(), 241)[0], draw(film(palette=name), 241)[0]
    assert np.abs(default.u.astype(int) - other.u).mean() > 4
    assert (other.u.std() + other.v.std() < 4) == (name == "mono")


def test_intensity_is_monotone() -> None:
    means = [lumas(film(intensity=x), range(200, 240, 8)).mean() for x in (0.25, 0.5, 1.0, 1.5, 2.0)]
    assert (np.diff(means) > 1).all()


def test_seeds_give_other_films() -> None:
    one, other = draw(film(seed=1), 241)[0], draw(film(seed=2), 241)[0]
    assert np.abs(one.y.astype(int) - other.y).mean() > 8


def test_frame_rates_show_the_same_film() -> None:
    slow = draw(film(features=song(30)), 75, 200)
    fast = draw(film(features=song(60)), 150, 400)
    for a, b in zip(slow, fast, strict=True):
        assert np.abs(a.y.astype(int) - b.y).mean() < 3


def test_twelve_hours_in_it_burns_as_well() -> None:
    """All flow speeds are hundredths: a phase later by a multiple of 100 shows the same noise."""
    now, later = draw(film(), 241)[0], draw(film(features=song(phase=100.0 * 801)), 241)[0]
    difference = np.abs(now.y.astype(int) - later.y)
    assert (difference > 2).mean() < 0.002


def test_shortest_film(tmp_path: Path) -> None:
    features = Features(Fraction(30), np.zeros(1, RECORD))
    (frame,) = draw(film(features=features), 0)
    assert frame.y.max() > 60  # embers glow even in silence
