"""Each effect, measured in what FFmpeg makes of known pictures and sounds."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

import audio_truth as truth
from integration.variations.conftest import FPS, Filmed, Heard
from integration.variations.frames import (
    Frames,
    Plane,
    Point,
    chroma_places,
    dot,
    dotted,
    luma_places,
    step,
)
from renderkiln.pipelines.variations.effects import EFFECTS

pytestmark = pytest.mark.integration

WIDE, TALL = (640, 360), (360, 640)
BLACK, WHITE = 16.0, 235.0
GREYS = (16, 50, 90, 126, 160, 200)
COLOURS = ((90, 110, 160), (126, 100, 120), (160, 150, 100), (110, 140, 150), (126, 128, 128))


# Where things are


def misplaced(
    filmed: Filmed, size: tuple[int, int], moved: Callable[[Point], Point], **values: float
) -> Plane:
    """How far dots are from where they should be, in pixels: shape (luma and U, dots, x and y)."""
    width, height = size
    points = [(width * x, height * y) for x, y in product((0.2, 0.5, 0.8), repeat=2)]
    made = filmed(dotted(width, height, points), **values)
    y, u = made.y[0], made.u[0]
    seen = [[dot(y, moved(point), luma_places(y), 16) for point in points]]
    seen += [[dot(u, moved(point), chroma_places(u), 128) for point in points]]
    errors: Plane = np.array(seen) - np.array([moved(point) for point in points])
    return errors


def test_flip_mirrors_every_pixel(filmed: Filmed) -> None:
    frames = dotted(320, 180, [(40.0, 30.0), (200.0, 100.0)])
    made = filmed(frames, flip=1)
    assert np.array_equal(made.y, frames.y[:, :, ::-1])
    assert np.array_equal(made.u, frames.u[:, :, ::-1])


@pytest.mark.parametrize("size", [WIDE, TALL])
@pytest.mark.parametrize("percent", [1, 2.5, 6])
def test_zoom_enlarges_about_the_centre(filmed: Filmed, size: tuple[int, int], percent: float) -> None:
    middle = np.array(size) / 2

    def moved(point: Point) -> Point:
        x, y = middle + (np.array(point) - middle) * (1 + percent / 100)
        return float(x), float(y)

    errors = misplaced(filmed, size, moved, zoom=percent)
    assert np.abs(errors).max() < 0.7  # the window has whole pixels
    assert np.abs(errors[0].mean(axis=0)).max() < 0.05  # but it is in the middle
    assert np.abs(errors[0] - errors[1]).max() < 0.1  # and colours stay on their shapes


@pytest.mark.parametrize(("percent", "worst"), [(5, 0.05), (-5, 0.05), (-1, 0.7), (3, 0.7)])
def test_crop_cuts_at_one_side(filmed: Filmed, percent: float, worst: float) -> None:
    (width, height), share = WIDE, abs(percent) / 100
    left = width * share if percent < 0 else 0

    def moved(point: Point) -> Point:
        return (point[0] - left) / (1 - share), (point[1] - height * share / 2) / (1 - share)

    errors = misplaced(filmed, WIDE, moved, crop=percent)
    assert np.abs(errors[0]).max() < worst
    assert np.abs(errors[0] - errors[1]).max() < 0.1


@pytest.mark.parametrize("size", [WIDE, TALL])
@pytest.mark.parametrize("degrees", [-1.5, 0.25, 1])
def test_rotate_turns_clockwise_and_fills_the_corners(
    filmed: Filmed, size: tuple[int, int], degrees: float
) -> None:
    middle, angle = np.array(size) / 2, math.radians(degrees)
    zoom = math.cos(angle) + max(size) / min(size) * math.sin(abs(angle))
    turn = zoom * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])

    def moved(point: Point) -> Point:
        x, y = middle + turn @ (np.array(point) - middle)
        return float(x), float(y)

    assert np.abs(misplaced(filmed, size, moved, rotate=degrees)).max() < 0.12


# Light


@pytest.mark.parametrize("stops", [-0.5, 0.2])
def test_exposure_is_a_gain_on_colour_above_black(filmed: Filmed, stops: float) -> None:
    gain = 2 ** (stops / 2.2)
    before = [*((grey, 128, 128) for grey in GREYS), (100, 78, 188)]
    for (y, u, v), made in zip(before, filmed(Frames.flat(*before), exposure=stops).colours, strict=True):
        assert made[0] == pytest.approx(16 + gain * (y - 16), abs=1)
        assert made[1:] == pytest.approx((128 + gain * (u - 128), 128 + gain * (v - 128)), abs=0.6)


@pytest.mark.parametrize("percent", [-15, 8])
def test_contrast_is_the_slope_about_middle_grey(filmed: Filmed, percent: float) -> None:
    greys = GREYS[1:]
    made = filmed(Frames.flat(*((grey, 100, 150) for grey in greys)), contrast=percent).colours
    slope, offset = np.polyfit(np.array(greys) - 125.5, [y for y, _, _ in made], 1)
    assert slope == pytest.approx(1 + percent / 100, abs=0.005)
    assert offset == pytest.approx(125.5, abs=0.8)
    assert {(u, v) for _, u, v in made} == {(100, 150)}


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (1280, 720)])
def test_vignette_darkens_the_corners(filmed: Filmed, size: tuple[int, int]) -> None:
    width, height = size
    y = filmed(Frames.of(np.full((height, width), 200.0)), vignette=30).y[0]
    edge = height // 36
    corners = [y[:edge, :edge], y[:edge, -edge:], y[-edge:, :edge], y[-edge:, -edge:]]
    middle = y[height // 2 - edge : height // 2 + edge, width // 2 - edge : width // 2 + edge].mean()
    assert middle == pytest.approx(200, abs=0.5)
    for corner in corners:
        assert corner.mean() / middle == pytest.approx(0.7, abs=0.025)


# Colour


@pytest.mark.parametrize("percent", [-25, 12])
def test_saturation_is_the_length_of_chroma(filmed: Filmed, percent: float) -> None:
    made = filmed(Frames.flat(*COLOURS), saturation=percent).colours
    for (y, *chroma), after in zip(COLOURS, made, strict=True):
        wanted = [128 + (1 + percent / 100) * (each - 128) for each in chroma]
        assert after == pytest.approx((y, *wanted), abs=0.6)


@pytest.mark.parametrize("degrees", [-8, 3, 5])
def test_hue_turns_chroma(filmed: Filmed, degrees: float) -> None:
    angles = np.arange(0, 2 * math.pi, math.pi / 8) + 0.2
    before = [(126, round(128 + 100 * math.cos(at)), round(128 + 100 * math.sin(at))) for at in angles]
    made = filmed(Frames.flat(*before), hue=degrees).colours
    turned = [
        math.degrees(cmath.phase(complex(after[1] - 128, after[2] - 128) / complex(u - 128, v - 128)))
        for (_, u, v), after in zip(before, made, strict=True)
    ]
    assert np.mean(turned) == pytest.approx(degrees, abs=0.15)
    assert turned == pytest.approx([degrees] * len(turned), abs=0.5)  # 8 bits tell no better
    assert {y for y, _, _ in made} == {126}


@pytest.mark.parametrize("percent", [-6, 1.5])
def test_warmth_is_red_against_blue_in_proportion_to_light(filmed: Filmed, percent: float) -> None:
    greys = (16, 75, 126, 235)
    made = filmed(Frames.flat(*((grey, 128, 128) for grey in greys)), warmth=percent).colours
    assert [y for y, _, _ in made] == list(greys)
    assert made[0] == (16, 128, 128)
    for grey, (_, u, v) in zip(greys, made, strict=True):
        red_less_blue = 1.5748 * (v - 128) - 1.8556 * (u - 128)  # ITU-R BT.709
        wanted = (1.5748 + 1.8556) * 235 * percent / 100 * (grey - 16) / 219
        assert red_less_blue == pytest.approx(wanted, abs=1.8)


# Detail


@pytest.mark.parametrize(("size", "share"), [((1920, 1080), 1), ((960, 540), 1 / 4), ((1080, 1920), 1)])
def test_sharpen_overshoots_at_edges(filmed: Filmed, size: tuple[int, int], share: float) -> None:
    made = filmed(step(*size), sharpen=20)
    row = made.y[0, size[1] // 2]
    assert row.max() - 160 == pytest.approx(20 * share, abs=1)
    assert 60 - row.min() == pytest.approx(20 * share, abs=1)
    assert (row[0], row[-1]) == (60, 160)


def test_sharpen_means_the_same_at_4k(filmed: Filmed) -> None:
    row = filmed(step(3840, 2160), sharpen=20).y[0, 1000]
    assert sorted(np.flatnonzero(row == 180)) == [1920, 1921]  # as wide as one pixel of 1080


@pytest.mark.parametrize(("lines", "sigma"), [(1080, 0.8), (1080, 1.4), (2160, 0.8), (540, 1.4)])
def test_blur_spreads_edges(filmed: Filmed, lines: int, sigma: float) -> None:
    row = filmed(step(lines * 16 // 9, lines), blur=sigma).y[0, lines // 2]
    spread = np.diff(row) / 100
    at = np.arange(len(spread))
    variance = (spread * at**2).sum() - (spread * at).sum() ** 2
    assert spread.sum() == pytest.approx(1, abs=0.01)
    assert math.sqrt(variance) == pytest.approx(sigma * lines / 1080, rel=0.12, abs=0.05)


@pytest.mark.parametrize("strength", [3, 10])
def test_grain_is_noise_in_time(filmed: Filmed, strength: float) -> None:
    frames = Frames.of(np.full((1080, 1080), 126.0), count=4)
    made = filmed(frames, grain=strength)
    sigma = (made.y[1:] - made.y[:-1]).std() / math.sqrt(2)
    assert sigma == pytest.approx(strength * 0.5, rel=0.3)
    assert made.y.mean() == pytest.approx(126, abs=0.6)
    assert np.array_equal(made.u, frames.u)
    assert np.array_equal(filmed(frames, grain=strength, threads=4).y, made.y)


# The frame


@pytest.mark.parametrize(("percent", "luma"), [(2, WHITE), (-2.5, BLACK)])
def test_border_covers_the_edges(filmed: Filmed, percent: float, luma: float) -> None:
    made = filmed(Frames.of(np.full((180, 320), 126.0), np.full((90, 160), 100.0)), border=percent)
    inside = np.zeros((180, 320), bool)
    inside[4:-4, 4:-4] = True
    assert (made.y[0][inside] == 126).all()
    assert (made.y[0][~inside] == luma).all()
    assert (made.u[0][~inside[::2, ::2]] == 128).all()
    assert (made.u[0][inside[::2, ::2]] == 100).all()


def test_fade_goes_in_and_out_in_time(filmed: Filmed) -> None:
    made = filmed(Frames.flat((216, 100, 150), count=2 * FPS), fade=0.4).y.mean(axis=(1, 2))
    assert len(made) == 2 * FPS
    assert made[:11] == pytest.approx(16 + 200 * np.arange(11) / 10, abs=2)
    assert (made[11:-11] == 216).all()
    assert made[-10:] == pytest.approx(16 + 200 * np.arange(10, 0, -1) / 10, abs=2)


def test_fades_share_a_very_short_clip(filmed: Filmed) -> None:
    made = filmed(Frames.flat((216, 128, 128), count=4), fade=1).y.mean(axis=(1, 2))
    assert made == pytest.approx([16, 116, 216, 116], abs=2)


# Sound


@pytest.mark.parametrize("speed", [0.95, 0.985, 1.05])
def test_speed_keeps_the_pitch(heard: Heard, speed: float) -> None:
    made = heard(truth.sine(997, 6, 0.5), speed=speed)
    assert made.shape[1] / 48000 == pytest.approx(6 / speed, abs=0.02)
    steady = made[0, 48000:-48000]
    assert truth.tone_hz(steady, 997) == pytest.approx(997, rel=0.001)
    assert truth.thd_n(steady[:48000], 997) < -40
    assert truth.decibels(steady) == pytest.approx(truth.decibels(truth.sine(997, 1, 0.5)), abs=0.1)


@pytest.mark.parametrize("speed", [0.95, 1.05])
def test_speed_stays_in_sync_for_a_minute(heard: Heard, speed: float) -> None:
    rate, clicks = 24000, np.arange(1, 60, 2)
    sound = np.zeros((1, 60 * rate))
    for second in clicks:
        sound[0, second * rate - 60 : second * rate + 60] = 0.5 * np.hanning(120) * (-1.0) ** np.arange(120)
    made = np.abs(heard(sound, speed=speed, rate=rate)[0])
    for second in clicks:
        wanted = round(second / speed * rate)
        near = made[wanted - rate // 10 : wanted + rate // 10]
        assert near.max() > 0.2
        assert abs(int(near.argmax()) - rate // 10) / rate < 0.012


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("volume", (4, 4, 4)), ("bass", (4, 0, 0)), ("treble", (0, 0, 4))],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_gains_are_heard_where_they_belong(
    heard: Heard, name: str, wanted: tuple[float, ...], sign: int
) -> None:
    tones = np.concatenate([truth.sine(hertz, 1, 0.25)[:1] for hertz in (60, 1000, 10_000)])
    made = heard(tones, **{name: 4 * sign})[:, 9600:-9600]
    changes = [truth.decibels(after) - truth.decibels(tones[0]) for after in made]
    assert changes == pytest.approx([gain * sign for gain in wanted], abs=0.25)


def test_what_gets_louder_does_not_clip(heard: Heard) -> None:
    loud = truth.sine(997, 1, 0.9)
    made = heard(loud, volume=12)
    assert made.shape == loud.shape
    assert 0.9 < np.abs(made).max() < 0.98
    assert truth.thd_n(made[0, 9600:-9600], 997) < -40  # a clipped one would have -10


def test_the_limiter_moves_nothing(heard: Heard) -> None:
    click = np.zeros((1, 24000))
    click[0, 12000] = 0.5
    made = heard(click, volume=-6)
    assert made.shape == click.shape
    assert int(np.abs(made[0]).argmax()) == 12000


@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 44100), (6, 48000), (8, 96000)])
def test_every_layout_and_rate_is_taken(heard: Heard, channels: int, rate: int) -> None:
    made = heard(np.full((channels, rate), 0.1), rate=rate, speed=1.05, volume=3, bass=3, treble=3)
    assert len(made) == channels
    assert made.shape[1] == pytest.approx(rate / 1.05, rel=0.03)


# All together


@pytest.mark.parametrize("end", ["lowest", "highest"])
@pytest.mark.parametrize("size", [(4, 2), (64, 36), (66, 1024)])
@pytest.mark.parametrize("group", [("zoom", "sharpen"), ("crop", "blur"), ("rotate", "sharpen")])
def test_every_size_is_possible(
    filmed: Filmed, size: tuple[int, int], end: str, group: tuple[str, str]
) -> None:
    """The extremes of all effects at once."""
    grey = Frames.of(np.full((size[1], size[0]), 126.0))
    values = {
        each.name: getattr(each, end)
        for each in EFFECTS
        if each.picture and (not each.group or each.name in group) and getattr(each, end) != each.neutral
    }
    assert filmed(grey, **values).y.shape == grey.y.shape
