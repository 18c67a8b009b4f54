"""The ring of flame: true stereo, no seam, calm poles, alive to the music, the same frame every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.audio.features import RECORD, Features
from renderkiln.media.frames import equirect, palette
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.pipelines.visualizer.template import Film, TemplateParams
from renderkiln.pipelines.visualizer.templates.flame.ring import RingPainter
from renderkiln.pipelines.visualizer.templates.flame.ring_row import MARGIN
from renderkiln.pipelines.visualizer.templates.flame.ring_scene import RingScene
from renderkiln.pipelines.visualizer.templates.flame.ring_shells import SHELLS

SIDE = 720  # two eyes of 720 × 360
FPS = Fraction(30)


def music(loudness: float, onset: float = 0.0, phase: float = 10.0, frames: int = 150) -> Features:
    records = np.zeros(frames, RECORD)
    records["bands"] = loudness * np.linspace(0.9, 0.2, 48)
    for field in ("low", "rms"):
        records[field] = loudness
    records["mid"] = records["high"] = 0.5 * loudness
    records["onset"] = onset
    records["phase"] = phase + np.arange(frames) / 30 * (0.3 + loudness)
    return Features(FPS, records)


def film(features: Features, side: int = SIDE, seed: int = 7, **params: object) -> Film:
    canvas = Canvas(side, side, FPS, "stereo360")
    return Film(canvas, features, TemplateParams.model_validate(params), seed)


def drawn(film: Film, index: int = 120, fill: int = 0) -> Frame:
    frame = Frame(film.canvas, np.full(film.canvas.frame_bytes, fill, np.uint8))
    RingPainter(film).draw(index, frame)
    return frame


def eyes(frame: Frame) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    half = frame.y.shape[0] // 2
    return frame.y[:half].astype(np.float32), frame.y[half:].astype(np.float32)


@pytest.fixture(scope="module")
def loud() -> Frame:
    return drawn(film(music(0.9, onset=0.8)))


def test_there_is_no_seam_behind_the_viewer(loud: Frame) -> None:
    for plane in (loud.y, loud.u, loud.v):
        steps = np.abs(np.diff(plane.astype(np.float32), axis=1, append=plane[:, :1])).mean(axis=0)
        assert steps[-1] < steps[:-1].max()


@pytest.mark.parametrize("loudness", [0.0, 0.9])
def test_the_light_closes_the_circle(loudness: float) -> None:
    """Drawn so finely that neighbours hardly differ: a seam of any shell, or of the sky, stands out."""
    width, rows = 5760, 90
    scene = RingScene(width, rows, palette.ETHEREAL, 1)
    left, right = np.zeros((2, 3, rows, width), np.float32)
    scene.paint(left, right, music(loudness).records[60], 2.0, 1.0)
    for light in (left, right):
        for part in (light[:, 20:], light[:, 8:20]):  # the fire; the sky above it
            bends = np.abs(np.diff(part, n=2, axis=2, append=part[..., :2])).mean(axis=(0, 1))
            around = np.roll(bends, MARGIN)[: 2 * MARGIN]  # eyes see the seam of each shell elsewhere
            assert around.max() < 1.4 * bends[MARGIN:-MARGIN].max()


def test_poles_are_dark_and_smooth(loud: Frame) -> None:
    for eye in eyes(loud):
        for rows in (eye[:36], eye[-36:]):  # 18° around each pole
            assert rows.std(axis=1).max() < 1.0  # of which the dither is 0.5
            assert rows.mean() < 40


def test_both_eyes_see_the_same_at_the_poles(loud: Frame) -> None:
    left, right = eyes(loud)
    for rows in (slice(0, 8), slice(-8, None)):
        assert left[rows].mean() == pytest.approx(right[rows].mean(), abs=0.2)


def best_shift(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> int:
    """By how many columns the left eye's rows lie to the right of the right eye's."""
    both = np.fft.rfft(left) * np.conj(np.fft.rfft(right))
    both[:, :12] = both[:, 400:] = 0  # neither the haze, which is smooth, nor the dither, which is fine
    score = np.fft.irfft(both, axis=1).sum(axis=0)
    shift = int(np.argmax(score))
    return shift - left.shape[1] if shift > left.shape[1] // 2 else shift


def test_the_near_flames_have_the_disparity_of_their_distance() -> None:
    """At the near flames' foot nothing else is seen: their shift is that of their distance, crossed."""
    side = 2880
    left, right = eyes(drawn(film(music(0.9), side)))
    latitude = np.degrees(equirect.latitudes(side // 2))
    foot = (latitude < -24) & (latitude > -34)
    expected = equirect.disparity_degrees(SHELLS[-1].radius) * side / 360
    assert best_shift(left[foot], right[foot]) == pytest.approx(expected, abs=1)


def test_far_flames_have_less_and_the_stars_none() -> None:
    side = 2880
    left, right = eyes(drawn(film(music(0.25), side)))
    latitude = np.degrees(equirect.latitudes(side // 2))
    behind = (latitude > -4) & (latitude < 4)  # quiet near flames end below
    sky = (latitude > 35) & (latitude < 60)
    nearest, farthest = (equirect.disparity_degrees(SHELLS[n].radius) * side / 360 for n in (-1, 0))
    assert farthest - 1 < best_shift(left[behind], right[behind]) < nearest - 2
    assert best_shift(left[sky], right[sky]) == 0


def test_the_light_of_one_shell_is_where_each_eye_sees_it() -> None:
    """Ray by ray: the left eye at λ looks at the azimuth that the right eye sees at λ − 2·asin(d / R)."""
    width, rows = 1440, 720
    scene = RingScene(width, rows, palette.ETHEREAL, 3)
    left, right = np.zeros((2, 3, rows, width), np.float32)
    scene.paint(left, right, music(0.8).records[60], 2.0, 1.0)
    latitude = equirect.latitudes(rows)
    row = int(np.argmin(np.abs(latitude - np.radians(-30))))  # only the near shell is lit there
    azimuth_left, _ = equirect.hit_cylinder(
        equirect.longitudes(width), latitude[row], SHELLS[-1].radius, equirect.LEFT
    )
    longitude_right = (
        azimuth_left - equirect.hit_cylinder(0.0, latitude[row], SHELLS[-1].radius, equirect.RIGHT)[0]
    )
    seen, _ = equirect.to_pixel(longitude_right, 0.0, width, rows)
    for c in range(3):
        found = np.interp(seen % width, np.arange(width), right[c, row])
        contrast = right[c, row].std()
        assert np.abs(found - left[c, row])[20:-20].mean() < 0.12 * contrast
        assert np.abs(right[c, row] - left[c, row])[20:-20].mean() > 0.3 * contrast


def test_the_same_frame_every_time_and_in_every_thread(loud: Frame) -> None:
    same = film(music(0.9, onset=0.8))
    with ThreadPoolExecutor(2) as pool:
        frames = list(pool.map(lambda fill: drawn(same, fill=fill), (255, 128)))
    painter, again = RingPainter(same), Frame(same.canvas)
    for index in (3, 149, 120):  # what was drawn before leaves no trace
        painter.draw(index, again)
    for frame in (*frames, again):
        assert np.array_equal(frame.buffer, loud.buffer)


def test_code_values_stay_in_range(loud: Frame) -> None:
    assert loud.y.min() >= 16
    assert loud.y.max() <= 235
    for plane in (loud.u, loud.v):
        assert plane.min() >= 16
        assert plane.max() <= 240


def test_it_answers_to_the_music(loud: Frame) -> None:
    quiet, middle = drawn(film(music(0.1))), drawn(film(music(0.5)))
    brightness = [float(frame.y.mean()) for frame in (quiet, middle, loud)]
    assert brightness[0] < brightness[1] < brightness[2]
    horizon = SIDE // 4
    above = [float((frame.y[horizon - 60 : horizon] > 90).mean()) for frame in (quiet, loud)]
    assert above[1] > 4 * above[0] + 0.02  # bass lifts the flames above the horizon
    calm = drawn(film(music(0.9, onset=0.8), intensity=0.25))
    assert calm.y.mean() < loud.y.mean()


def test_onsets_spark_embers() -> None:
    """Above quiet flames two films differ by their embers alone: points much brighter, none darker."""
    side = 1440
    with_sparks, without = (
        drawn(film(music(0.3, onset=onset, phase=50), side)).y.astype(int) for onset in (1.2, 0.0)
    )
    air = slice(side // 4 - 60, side // 4 + 10)
    points = with_sparks[air] - without[air]
    assert (points > 30).sum() > 100
    assert (points > 30).sum() > 10 * (points < -30).sum()


@pytest.mark.parametrize("phase", [10.0, 80_000.0])
def test_motion_stays_smooth_after_twelve_hours(phase: float) -> None:
    still = music(0.6, phase=phase)
    painted = film(still)
    a, b, c = (eyes(drawn(painted, index))[0] for index in (100, 101, 102))
    step, double = np.abs(b - a).mean(), np.abs(c - a).mean()
    assert 0.05 < step < 3
    assert step < double < 2.2 * step  # frozen or jumping motion breaks one of the two


def test_a_seed_makes_another_fire(loud: Frame) -> None:
    other = drawn(film(music(0.9, onset=0.8), seed=8))
    assert np.abs(other.y.astype(int) - loud.y).mean() > 3


@pytest.mark.parametrize("side", [64, 256, 1080, 1200])
def test_any_size_of_canvas(side: int) -> None:
    black, white = (drawn(film(music(0.6, onset=0.5), side), fill=fill).buffer for fill in (0, 255))
    assert np.array_equal(black, white)


@pytest.mark.parametrize("name", palette.NAMED)
def test_every_palette_is_legible(name: str) -> None:
    frame = drawn(film(music(0.9), palette=name))
    assert frame.y.max() > 180
    assert 18 < frame.y.mean() < 120
