from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import skia
from hypothesis import example, given
from hypothesis import strategies as st

from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.frames.colorcode import Color, nearest_codes
from renderkiln.media.frames.image import Pixels, decode_image
from renderkiln.media.frames.photo import fitted, framed, to_frame
from renderkiln.media.frames.picture import from_rgb, halve, to_rgb, ycbcr
from renderkiln.media.frames.shape import Shadow, Stroke

CANVAS = Canvas(160, 96, Fraction(30))
TEAL: Color = (20, 120, 130, 255)


def flat(color: Color, width: int = 160, height: int = 96) -> Pixels:
    return np.full((height, width, 4), color, np.uint8)


def stripes(width: int, height: int) -> Pixels:
    """Red, white and blue from left to right, a third each."""
    image = flat((255, 255, 255, 255), width, height)
    image[:, : width // 3], image[:, -(width // 3) :] = (255, 0, 0, 255), (0, 0, 255, 255)
    return image


def smooth(width: int = 160, height: int = 96) -> Pixels:
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    return np.stack([90 + 40 * x, 120 + 30 * y, 200 - 60 * x * y, 255 + 0 * x], axis=2).astype(np.uint8)


def blocks(plane: np.ndarray, side: int = 16) -> np.ndarray:
    height, width = plane.shape
    means: np.ndarray = (
        plane.reshape(height // side, side, width // side, side).astype(float).mean(axis=(1, 3))
    )
    return means


@pytest.mark.parametrize(("width", "height"), [(300, 200), (1200, 800), (60, 40)])
def test_cover_fills_with_the_middle(width: int, height: int) -> None:
    tall = fitted(stripes(width, height), 100, 200, "cover")
    assert tall.shape == (200, 100, 4)
    assert (tall[:, 2:-2, :3] == 255).all(), "a third of the width is all that is seen"
    wide = fitted(stripes(width, height), 200, 50, "cover")
    assert wide.shape == (50, 200, 4)
    assert wide[25, 3].tolist() == [255, 0, 0, 255]
    assert wide[25, -3].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize(("width", "height"), [(300, 200), (1200, 800), (60, 40)])
def test_contain_keeps_all(width: int, height: int) -> None:
    for place, shape in (((90, 200), (60, 90)), ((500, 60), (60, 90))):
        image = fitted(stripes(width, height), *place, "contain")
        assert image.shape == (*shape, 4)
        assert image[30, 2].tolist() == [255, 0, 0, 255]
        assert image[30, -3].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("step", [2.1, 2.5, 3.3])
def test_stripes_too_fine_for_the_size_turn_grey(step: float) -> None:
    x = np.arange(1600)
    fine = flat((0, 0, 0, 255), 1600, 96)
    fine[..., :3] = np.rint(127.5 + 127 * np.sin(2 * math.pi * x / step))[None, :, None]
    small = fitted(fine, 400, 24)[..., 0].astype(float)
    assert small[:, 4:-4].std() < 4, "moiré"
    assert small.mean() == pytest.approx(127.5, abs=1)


def test_edges_stay_where_they_are() -> None:
    step = flat((0, 0, 0, 255), 1000, 600)
    step[:, 400:, :3] = 255
    for width in (500, 330, 1500):
        row = fitted(step, width, round(width * 0.6))[20, :, 0] / 255
        assert len(row) - row.sum() == pytest.approx(0.4 * width, abs=0.15)


@pytest.mark.parametrize("width", [400, 1700])
def test_enlarging_makes_no_halos(width: int) -> None:
    step = flat((50, 50, 50, 255))
    step[:, 80:, :3] = 200
    large = fitted(step, width, round(width * 0.6))[..., 0]
    assert large.min() >= 44
    assert large.max() <= 206
    assert len(np.unique(large[20])) > 4, "nor steps"


@pytest.mark.parametrize("size", [(40, 24), (400, 240)])
def test_transparent_pixels_do_not_colour_their_neighbours(size: tuple[int, int]) -> None:
    image = flat((0, 255, 0, 0))
    image[:, :77] = (255, 0, 0, 255)
    edge = fitted(image, *size)
    seen = edge[edge[..., 3] > 0]
    assert seen[:, 1].max() == 0
    assert set(np.unique(edge[..., 3])) > {0, 255}


def test_the_same_size_is_the_same_picture() -> None:
    image = np.random.default_rng(3).integers(0, 256, (96, 160, 4), np.uint8)
    image[..., 3] = 255
    assert np.array_equal(fitted(image, 160, 96), image)


@pytest.mark.parametrize("dim", [0, 0.4])
def test_a_frame_of_a_picture(dim: float) -> None:
    image = smooth()
    frame = to_frame(image, CANVAS, dim=dim)
    codes = ycbcr((image[..., :3] / 255 * (1 - dim)).astype(np.float32))
    wanted = codes[..., 0], halve(codes[..., 1]), halve(codes[..., 2])
    for plane, truth in zip((frame.y, frame.u, frame.v), wanted, strict=True):
        assert np.abs(plane - truth).max() <= 1.001
        np.testing.assert_allclose(blocks(plane), blocks(truth), atol=0.15)


def test_chroma_is_sited_as_everywhere() -> None:
    image = stripes(160, 96)
    frame, reference = to_frame(image, CANVAS), from_rgb(image[..., :3], CANVAS)
    assert np.abs(frame.u.astype(int) - reference.u).max() <= 1
    assert np.abs(frame.v.astype(int) - reference.v).max() <= 1


def test_a_dimmed_sky_does_not_band() -> None:
    sky = flat((0, 0, 0, 255), 1280, 64)
    sky[..., :3] = np.linspace(60, 90, 1280)[None, :, None].astype(np.uint8)
    luma = to_frame(sky, Canvas(1280, 64, Fraction(30)), dim=0.6).y.astype(float).mean(axis=0)
    assert len(np.unique(np.round(luma, 1))) > 25, "without dither 12 codes are left"


def test_beside_and_behind_is_exactly_the_background() -> None:
    picture = flat((255, 255, 255, 128), 96, 96)
    frame = to_frame(picture, CANVAS, TEAL, fit="contain", dim=0.5)
    assert {int(code) for code in np.unique(frame.y[:, :32])} == {nearest_codes(TEAL)[0]}
    assert {int(code) for code in np.unique(frame.v[:, :15])} == {nearest_codes(TEAL)[2]}
    mean = to_rgb(frame)[4:-4, 40:120].reshape(-1, 3).mean(axis=0)
    seen = [0.5 * 128 + (1 - 128 / 255) * value for value in TEAL[:3]]
    assert mean == pytest.approx(seen, abs=1), "half of a dimmed white over it"


def test_dimmed_to_black() -> None:
    frame = to_frame(smooth(), CANVAS, TEAL, dim=1)
    assert (frame.y == 16).all()
    assert (frame.u == 128).all()


@pytest.mark.parametrize("dim", [-0.1, 1.1, math.nan])
def test_shares_that_are_none(dim: float) -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        to_frame(smooth(), CANVAS, dim=dim)


def test_framed_pixels_are_the_pictures() -> None:
    image = np.random.default_rng(5).integers(0, 256, (60, 80, 4), np.uint8)
    image[..., 3] = 255
    raster = framed(image, radius=12, stroke=Stroke((255, 255, 255, 255), 4), shadow=Shadow((0, 0, 0, 255)))
    inside = raster.pixels[-raster.top :, -raster.left :][10:50, 10:70]
    assert np.array_equal(inside, image[10:50, 10:70])
    assert raster.pixels[30 - raster.top, -raster.left].tolist() == [255, 255, 255, 255], "the line"
    bare = framed(image, radius=12)
    missing = 60 * 80 - bare.pixels[..., 3].sum() / 255
    assert math.sqrt(missing / (4 - math.pi)) == pytest.approx(12, abs=0.2)


def test_the_shadow_of_a_cutout() -> None:
    image = flat((0, 0, 0, 0), 100, 60)
    image[20:40, 40:60] = (255, 200, 0, 255)
    raster = framed(image, shadow=Shadow((0, 0, 0, 255), x=0, y=30, blur=0))
    alpha = raster.pixels[-raster.top :, -raster.left :, 3]
    assert alpha[60, 50] == 255
    assert alpha[60, 10] == 0
    assert alpha[10, 10] == 0


def test_a_turned_picture() -> None:
    raster = framed(stripes(90, 30), rotation=90)
    assert (raster.left, raster.top, raster.pixels.shape) == (30, -30, (90, 30, 4))
    assert raster.pixels[3, 15].tolist() == [255, 0, 0, 255]
    assert raster.pixels[-4, 15].tolist() == [0, 0, 255, 255]


SIDES = st.integers(-1, 200)


@example((60, 1), 3000, 2, "cover")
@example((1, 60), 2, 3000, "contain")
@example((7, 9), 8000, 8000, "cover")
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    SIDES,
    SIDES,
    st.sampled_from(["cover", "contain", "?"]),
)
def test_any_size_is_made_or_refused(shape: tuple[int, int], width: int, height: int, fit: Any) -> None:
    image = np.full((*shape, 4), 200, np.uint8)
    try:
        made = fitted(image, width, height, fit)
    except ValueError:
        assert width < 1 or height < 1 or fit == "?" or width == 8000
        return
    assert made.shape[0] <= height
    assert made.shape[1] <= width
    assert fit == "contain" or made.shape[:2] == (height, width)
    assert (np.abs(made.astype(int) - 200) <= 1).all()


@pytest.mark.parametrize("kind", ["kPNG", "kJPEG", "kWEBP"])
def test_pictures_of_phones_in_display_p3_become_srgb(kind: str) -> None:
    p3 = skia.ColorSpace.MakeRGB(skia.cms.NamedTransferFn.kSRGB, skia.cms.NamedGamut.kDisplayP3)
    pixels = flat((200, 100, 50, 255), 16, 16)
    image = skia.Image.fromarray(pixels, skia.kRGBA_8888_ColorType, skia.kUnpremul_AlphaType, p3)
    decoded = decode_image(bytes(image.encodeToData(getattr(skia.EncodedImageFormat, kind), 100)))
    assert decoded[8, 8].tolist() == pytest.approx([*srgb_of_p3(200, 100, 50), 255], abs=2)


def srgb_of_p3(*color: int) -> list[float]:
    """From the primaries of SMPTE EG 432-1 to those of BT.709, both with the curve of sRGB."""
    matrix = [[1.22494, -0.22494, 0], [-0.042057, 1.042057, 0], [-0.019638, -0.078636, 1.098274]]
    encoded = np.array(color) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    light = np.clip(np.array(matrix) @ linear, 0, 1)
    return list(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055))
