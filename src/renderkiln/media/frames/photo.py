"""Pictures of users in scenes: fitted into a place, framed, or made a whole frame."""

from __future__ import annotations

from typing import Any, Literal, get_args

import av
import numpy as np
import numpy.typing as npt
import skia
from av.video.reformatter import Interpolation

from renderkiln.media.frames import dither
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.colorcode import BLACK, Color, nearest_codes, over_black
from renderkiln.media.frames.image import Pixels
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.picture import OFFSET, RGB_TO_YCBCR, SCALE
from renderkiln.media.frames.shape import MAX_PIXELS, Raster, Shadow, Stroke, draw, enclosed, outline

Fit = Literal["cover", "contain"]
Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

_MASK = dither.MASK
# Without accurate rounding black turns into 1 to 3, and edges move by half a pixel's worth of light.
_BICUBIC = Interpolation.BICUBIC | Interpolation.ACCURATE_RND


def fitted(image: Pixels, width: int, height: int, fit: Fit = "cover") -> Pixels:
    """An RGBA image with straight alpha at another size, in proportion.

    "cover" fills `width` × `height` with its middle; "contain" is all of it, as large as it fits in there, so
    one side may be shorter. Raises `ValueError` for a size without extent or of more than MAX_PIXELS.
    """
    resampled = _resampled(image, width, height, fit)
    return resampled if _is_opaque(resampled) else _converted(resampled, premultiply=False)


def framed(
    image: Pixels,
    *,
    radius: float = 0.0,
    stroke: Stroke | None = None,
    shadow: Shadow | None = None,
    rotation: float = 0.0,
) -> Raster:
    """An RGBA image with straight alpha as a layer, pixel for pixel unless it is turned.

    `radius` rounds its corners, the stroke runs along its edge, `rotation` is in degrees clockwise around its
    middle. Where it is transparent, so is its shadow. Raises `ValueError` as `draw_shape` does.
    """
    height, width = image.shape[:2]
    image = np.ascontiguousarray(image)
    source = _as_skia(image, skia.kUnpremul_AlphaType)
    # Catmull-Rom leaves pixels as they are where they fall on pixels.
    sampling = skia.SamplingOptions(skia.CubicResampler.CatmullRom())
    shader = source.makeShader(skia.TileMode.kClamp, skia.TileMode.kClamp, sampling)
    edge = outline("rectangle", width, height, radius)
    paint = skia.Paint(AntiAlias=True, Shader=shader)
    return draw(enclosed(edge, paint, stroke, cutout=not _is_opaque(image)), shadow, rotation=rotation)


def to_frame(
    image: Pixels, canvas: Canvas, background: Color = BLACK, *, fit: Fit = "cover", dim: float = 0.0
) -> Frame:
    """A frame of an RGBA image with straight alpha, over a background; see `fitted`.

    `dim` makes the picture, not the background, darker by a share from 0 to 1, which is black. Still dither
    keeps skies from banding. Raises `ValueError` for another share.
    """
    if not 0 <= dim <= 1:
        raise ValueError(f"a picture is dimmed by a share from 0 to 1, not {dim:g}")
    picture = _centred(_resampled(image, canvas.width, canvas.height, fit), canvas)
    frame = Frame(canvas)
    weights = _weights(background, 1 - dim)
    _compose(picture, weights, dither.blue_noise(), dither.chroma_noise(), frame.y, frame.u, frame.v)
    return frame


def _resampled(image: Pixels, width: int, height: int, fit: Fit) -> Pixels:
    """Premultiplied, at the size that `fitted` says."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise ValueError(f"a picture cannot be made {width}x{height} pixels")
    if fit not in get_args(Fit):
        raise ValueError(f"a picture is fitted by {' or '.join(get_args(Fit))}, not {fit!r}")
    if fit == "cover":
        image = _middle(image, width / height)
    else:
        scale = min(width / image.shape[1], height / image.shape[0])
        width = min(max(round(image.shape[1] * scale), 1), width)
        height = min(max(round(image.shape[0] * scale), 1), height)
    source = np.ascontiguousarray(image) if _is_opaque(image) else _converted(image, premultiply=True)
    if (height, width) == source.shape[:2]:
        return source.copy()
    shrinks = width < source.shape[1] or height < source.shape[0]
    return _shrunk(source, width, height) if shrinks else _enlarged(source, width, height)


def _middle(image: Pixels, aspect: float) -> Pixels:
    """The largest part with this ratio of width to height."""
    height, width = image.shape[:2]
    wide = min(max(round(height * aspect), 1), width)
    high = min(max(round(width / aspect), 1), height)
    left, top = (width - wide) // 2, (height - high) // 2
    return image[top : top + high, left : left + wide]


def _shrunk(image: Pixels, width: int, height: int) -> Pixels:
    """Bicubic, its kernel as wide as the steps between the new pixels: nothing fine turns into moiré.

    Skia's mipmaps let nearly all of it through: they choose the sharper level. Each channel is scaled as a
    grey picture, which FFmpeg's scaler does without a detour over YUV.
    """
    pixels = np.full((height, width, 4), 255, np.uint8)
    for channel in range(3 if _is_opaque(image) else 4):
        plane = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[..., channel]), format="gray8")
        smaller = plane.reformat(width=width, height=height, interpolation=_BICUBIC)
        pixels[..., channel] = smaller.to_ndarray()
    np.minimum(pixels, pixels[..., 3:], out=pixels)  # the kernel overshoots at edges
    return pixels


def _enlarged(image: Pixels, width: int, height: int) -> Pixels:
    """By Mitchell's and Netravali's cubic: neither steps nor halos."""
    pixels = np.empty((height, width, 4), np.uint8)
    target = skia.Pixmap(_info(width, height, skia.kPremul_AlphaType), pixels, width * 4)
    sampling = skia.SamplingOptions(skia.CubicResampler.Mitchell())
    if not _as_skia(image, skia.kPremul_AlphaType).scalePixels(target, sampling):
        raise MemoryError(f"cannot resample an image to {width}x{height}")
    return pixels


def _centred(picture: Pixels, canvas: Canvas) -> Pixels:
    """The picture in the middle of a transparent sheet."""
    height, width = picture.shape[:2]
    if (height, width) == (canvas.height, canvas.width):
        return picture
    sheet = np.zeros((canvas.height, canvas.width, 4), np.uint8)
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    sheet[top : top + height, left : left + width] = picture
    return sheet


def _weights(background: Color, gain: float) -> Plane:
    """What Y, Cb and Cr take of premultiplied R, G, B and A in 0 … 255 and of 1, shape (3, 5)."""
    under = np.array(nearest_codes(over_black(background)))
    colors = RGB_TO_YCBCR * SCALE[:, None] * (gain / 255)
    return np.column_stack([colors, (OFFSET - under) / 255, under]).astype(np.float32)


@kernel
def _compose(
    picture: Pixels, weights: Plane, noise: Plane, chroma_noise: Plane, y: Codes, u: Codes, v: Codes
) -> None:
    """Premultiplied RGBA to an I420 frame, dithered; chroma sited as of `picture.halve`."""
    height, width = y.shape
    luma = np.empty(width, np.float32)
    chroma = np.empty((2, width), np.float32)
    spare = np.empty(width, np.float32)
    for j in range(0, height, 2):
        for row in range(j, j + 2):
            _weighted(picture[row], weights[0], luma)
            threshold = noise[row & _MASK]
            for i in range(width):
                y[row, i] = np.uint8(np.int32(luma[i] + threshold[i & _MASK]))
        threshold = chroma_noise[(j >> 1) & _MASK]
        for c in range(2):
            _weighted(picture[j], weights[1 + c], chroma[c])
            _weighted(picture[j + 1], weights[1 + c], spare)
            for i in range(width):
                chroma[c, i] = (chroma[c, i] + spare[i]) * np.float32(0.125)
            out = u if c == 0 else v
            for i in range(width // 2):
                beside = chroma[c, max(2 * i - 1, 0)] + chroma[c, 2 * i + 1]
                code = beside + np.float32(2) * chroma[c, 2 * i]
                out[j >> 1, i] = np.uint8(np.int32(code + threshold[i & _MASK]))


@kernel
def _weighted(row: Pixels, weights: Plane, out: Plane) -> None:
    for i in range(out.size):
        color = np.float32(row[i, 0]) * weights[0] + np.float32(row[i, 1]) * weights[1]
        color += np.float32(row[i, 2]) * weights[2] + np.float32(row[i, 3]) * weights[3]
        out[i] = color + weights[4]


def _is_opaque(image: Pixels) -> bool:
    return bool(image[..., 3].min() == 255)


def _converted(image: Pixels, *, premultiply: bool) -> Pixels:
    """Between straight and premultiplied alpha."""
    kinds = (skia.kUnpremul_AlphaType, skia.kPremul_AlphaType)
    source, target = kinds if premultiply else kinds[::-1]
    image = np.ascontiguousarray(image)
    height, width = image.shape[:2]
    pixels = np.empty((height, width, 4), np.uint8)
    _as_skia(image, source).readPixels(_info(width, height, target), pixels, width * 4)
    return pixels


def _info(width: int, height: int, alpha: Any) -> skia.ImageInfo:
    return skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, alpha)


def _as_skia(image: Pixels, alpha: Any) -> skia.Image:
    """A Skia image in the array's own memory, which must be contiguous and outlive it."""
    return skia.Image.fromarray(image, skia.kRGBA_8888_ColorType, alpha, copy=False)
