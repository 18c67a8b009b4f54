"""From light to code values: bloom, tone, dither, enlargement, palettes, embers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.frames import bloom, dither, palette, tone, upsample
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.embers import splat


@pytest.mark.parametrize("shape", [(64, 96), (45, 81), (7, 6)])
def test_shrink_averages(shape: tuple[int, int]) -> None:
    light = np.random.default_rng(1).random((3, *shape), np.float32)
    glow = np.empty(bloom.glow_shape(*shape), np.float32)
    bloom.shrink(light, glow)
    assert glow[1, 0, 0] == pytest.approx(light[1, :4, :4].mean(), abs=1e-6)
    padded = light[2, 4 * (glow.shape[1] - 1) :, 4 * (glow.shape[2] - 1) :]
    rows = np.minimum(np.arange(4), padded.shape[0] - 1)
    assert glow[2, -1, -1] == pytest.approx(padded[rows].mean(), abs=1e-6)


@pytest.mark.parametrize("wrap", [False, True])
def test_blur_keeps_the_light(wrap: bool) -> None:
    glow = np.zeros((3, 40, 60), np.float32)
    glow[:, 20, 30] = 1
    glow[1, 20, 30], glow[1, 20, 1] = 0, 1
    bloom.blur(glow, np.empty_like(glow), 4, wrap)
    assert glow[0].sum() == pytest.approx(1, abs=1e-4)
    assert glow[0, 20, 30] == glow[0].max()
    assert (glow[1, 20, 59] > 1e-6) == wrap
    np.testing.assert_allclose(glow[0, :, 22:39], glow[0, :, 22:39][:, ::-1], atol=1e-6)


def test_blur_wider_than_the_picture() -> None:
    glow = np.ones((3, 3, 5), np.float32)
    bloom.blur(glow, np.empty_like(glow), 50, False)
    np.testing.assert_allclose(glow, 1, atol=1e-5)


def test_black_and_white() -> None:
    assert tone.code_values((0, 0, 0)) == pytest.approx((16, 128, 128))
    assert tone.code_values((99, 99, 99)) == pytest.approx((235, 128, 128), abs=0.01)
    y, cb, cr = tone.code_values((99, 0, 0))
    assert (y, cb, cr) == pytest.approx((16 + 219 * 0.2126, 128 - 224 * 0.114572, 240), abs=0.05)


def test_brighter_light_is_brighter() -> None:
    levels = [tone.code_values((x, x, x))[0] for x in np.geomspace(1e-4, 10, 60)]
    assert (np.diff(levels) >= 0).all()


def test_vignette_darkens_corners_only() -> None:
    light = np.full((3, 40, 80), 0.2, np.float32)
    y, u, v = (np.empty((40, 80), np.float32) for _ in range(3))
    tone.develop(light, np.zeros(bloom.glow_shape(40, 80), np.float32), 0.0, 1.0, False, y, u, v)
    assert y[0, 0] < y[20, 40] - 5
    assert y[20, 40] == pytest.approx(tone.code_values((0.2, 0.2, 0.2))[0], abs=0.2)


def test_blue_noise_is_uniform_and_blue() -> None:
    noise = dither.blue_noise()
    assert len(np.unique(noise)) == noise.size
    power = np.abs(np.fft.fft2(noise - noise.mean())) ** 2
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(64)] * 2))
    assert power[(radius > 0) & (radius < 0.08)].mean() < 0.05 * power[radius > 0.3].mean()


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("wrap", [False, True])
def test_enlarging_a_slope(scale: int, wrap: bool) -> None:
    plane = np.tile(np.linspace(20, 200, 40, dtype=np.float32), (24, 1))
    out = np.empty((24 * scale, 40 * scale), np.uint8)
    upsample.enlarge(plane, scale, dither.blue_noise(), wrap, out)
    at = np.clip((np.arange(40 * scale) + 0.5) / scale - 0.5, 0, 39)
    truth = np.interp(at, np.arange(40), plane[0])
    inner = slice(scale, -scale)
    assert np.abs(out[:, inner] - truth[inner]).max() <= 1.001
    assert np.abs(out[:, inner].mean(axis=0) - truth[inner]).max() < 0.3
    assert (out[:, 0].mean() > 21) == (wrap and scale > 1)


def test_dither_keeps_the_mean_of_a_dark_gradient() -> None:
    plane = np.tile(np.linspace(17, 19, 256, dtype=np.float32), (64, 1))
    out = np.empty((64, 256), np.uint8)
    upsample.enlarge(plane, 1, dither.blue_noise(), False, out)
    blocks = out.reshape(64, 8, 32).mean(axis=(0, 2))
    np.testing.assert_allclose(blocks, plane.reshape(64, 8, 32).mean(axis=(0, 2)), atol=0.05)


def test_halving() -> None:
    plane = np.random.default_rng(2).uniform(50, 200, (32, 64)).astype(np.float32)
    out = np.empty((16, 32), np.uint8)
    upsample.halve(plane, dither.chroma_noise(), out)
    assert np.abs(out - plane.reshape(16, 2, 32, 2).mean(axis=(1, 3))).max() <= 1.001


@pytest.mark.parametrize(
    ("size", "scale"), [((320, 180), 1), ((1080, 1080), 2), ((1920, 1080), 2), ((3840, 2160), 4)]
)
def test_field_scale(size: tuple[int, int], scale: int) -> None:
    assert upsample.field_scale(Canvas(*size, Fraction(30))) == scale


@pytest.mark.parametrize("name", ["default", *palette.NAMED])
def test_palettes_rise(name: str) -> None:
    ramp = palette.named(name).ramp
    assert ramp.shape == (palette.STEPS, 3)
    assert ramp.min() >= 0
    luma = ramp @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    assert (np.diff(luma) > -1e-6).all()
    assert luma[0] == 0
    assert luma[-1] > 1.5


def test_unknown_palette() -> None:
    with pytest.raises(ValueError, match="no palette 'mud'; there are default, ethereal, ember"):
        palette.named("mud")


@pytest.fixture
def grey() -> Frame:
    frame = Frame(Canvas(64, 48, Fraction(30)))
    frame.y[:], frame.u[:], frame.v[:] = 40, 128, 128
    return frame


def test_a_spark_glows_where_it_is(grey: Frame) -> None:
    splat(grey.y, grey.u, grey.v, 20.0, 30.0, 0.0, 0.0, 2.0, 1.0, 0.0, 90.0, 170.0, False)
    assert grey.y.argmax() == 30 * 64 + 20
    assert grey.y.max() > 200
    assert grey.u.min() < 115
    assert grey.v.max() > 140
    assert (grey.y[:, 40:] == 40).all()


def test_a_streak_follows_its_tail(grey: Frame) -> None:
    splat(grey.y, grey.u, grey.v, 30.0, 10.0, 0.0, 12.0, 1.5, 1.0, 0.0, 90.0, 170.0, False)
    assert grey.y[18, 30] > 60
    assert grey.y[4, 30] < 50
    assert grey.y[10, 30] > grey.y[20, 30]


@pytest.mark.parametrize("wrap", [False, True])
def test_a_spark_at_the_edge(grey: Frame, wrap: bool) -> None:
    splat(grey.y, grey.u, grey.v, 0.5, 1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 90.0, 170.0, wrap)
    assert (grey.y[1, 63] > 60) == wrap


@pytest.mark.parametrize("place", [(-500.0, 10.0), (1e6, 1e6), (30.0, -1e5), (30.0, 400.0)])
def test_sparks_outside_change_nothing(grey: Frame, place: tuple[float, float]) -> None:
    splat(grey.y, grey.u, grey.v, *place, 3.0, -4.0, 3.0, 1.0, 0.0, 90.0, 170.0, False)
    assert (grey.y == 40).all()


def test_a_small_spark_does_not_twinkle_as_it_moves(grey: Frame) -> None:
    light = []
    for step in range(8):
        grey.y[:] = 40
        splat(grey.y, grey.u, grey.v, 20 + step / 8, 20.0, 0.0, 0.0, 0.5, 1.0, 0.0, 90.0, 170.0, False)
        light.append(int(grey.y.astype(int).sum()) - 40 * grey.y.size)
    assert min(light) > 0.75 * max(light)
