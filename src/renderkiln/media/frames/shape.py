"""Shapes as rasters: rectangles, ellipses and lines with an outline and a shadow, turned, nothing cut off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import skia

from renderkiln.media.frames.colorcode import BLACK, Color
from renderkiln.media.frames.gradient import Gradient, gradient_shader
from renderkiln.media.frames.image import Pixels

Shape = Literal["rectangle", "ellipse", "line"]

WHITE: Color = (255, 255, 255, 255)
LINE_WIDTH = 4.0  # pixels, of a line without a stroke
MAX_PIXELS = 32_000_000  # of a raster
MAX_LENGTH = 1e6  # pixels, and degrees


class Raster(NamedTuple):
    """Premultiplied sRGB RGBA, shape (h, w, 4), and where its top left pixel lies: in pixels right of and
    below the top left corner of the box it was asked for, before that was turned; mostly negative.
    """

    pixels: Pixels
    left: int
    top: int


@dataclass(frozen=True)
class Stroke:
    """A line along an edge, half of its `width` (in pixels) inside and half outside."""

    color: Color
    width: float

    def __post_init__(self) -> None:
        _check(width=self.width)
        if self.width <= 0:
            raise ValueError(f"a stroke is wider than 0, not {self.width:g}")


@dataclass(frozen=True)
class Shadow:
    """A soft copy behind, moved by (x, y) pixels: the light does not turn with the shape.

    `blur` is twice the standard deviation of the softness in pixels, as in CSS; beyond 256 pixels of the
    raster shapes, unlike cut-out pictures, get no softer.
    """

    color: Color
    x: float = 0.0
    y: float = 4.0
    blur: float = 12.0

    def __post_init__(self) -> None:
        _check(x=self.x, y=self.y, blur=self.blur)
        if self.blur < 0:
            raise ValueError(f"the blur of a shadow is 0 or more, not {self.blur:g}")


def draw_shape(
    shape: Shape,
    width: float,
    height: float,
    *,
    fill: Color | Gradient | None = WHITE,
    radius: float = 0.0,
    stroke: Stroke | None = None,
    shadow: Shadow | None = None,
    rotation: float = 0.0,
) -> Raster:
    """Draw a shape that fills a box of `width` × `height` pixels.

    `radius` rounds the corners of a rectangle, at most to half its shorter side. A line goes from the top
    left to the bottom right, with a negative width from right to left, with a negative height upwards, and
    has round ends; it is as thick as its stroke, and has the gradient's colours, else the stroke's, else the
    fill's. `rotation` is in degrees clockwise around the middle.

    Raises `ValueError` for numbers that are none or beyond MAX_LENGTH, for a rectangle or ellipse without
    extent and for more than MAX_PIXELS.
    """
    _check(width=width, height=height, radius=radius)
    if shape not in get_args(Shape):
        raise ValueError(f"a shape is one of {', '.join(get_args(Shape))}, not {shape!r}")
    if shape == "line":
        drawing = _line(width, height, fill, stroke)
    else:
        paint = None if fill is None else _paint(fill, width, height)
        drawing = enclosed(outline(shape, width, height, radius), paint, stroke)
    return draw(drawing, shadow, rotation=rotation)


@dataclass(frozen=True)
class Drawing:
    """A path, the box that it is placed and turned by, and paints for it, the later over the earlier.

    The shadow is that of the whole shape, however translucent its colours are, and is not seen through them.
    The shadow of a `cutout` is that of a picture's opaque parts.
    """

    path: skia.Path
    box: skia.Rect
    paints: Sequence[skia.Paint]
    cutout: bool = False

    @property
    def outside(self) -> float:
        """How far strokes reach beyond the path, in pixels."""
        return max((float(paint.getStrokeWidth()) for paint in self.paints), default=0.0) / 2

    @property
    def is_opaque(self) -> bool:
        """Whether nothing is seen through any of the paints."""
        shaders = [paint.getShader() for paint in self.paints]
        opaque = all(shader is None or shader.isOpaque() for shader in shaders)
        return opaque and all(paint.getAlpha() == 255 for paint in self.paints)

    def silhouette(self, color: Color) -> skia.Paint:
        """One paint that covers what all of them cover."""
        styles = {paint.getStyle() for paint in self.paints}
        style = styles.pop() if len(styles) == 1 else skia.Paint.kStrokeAndFill_Style
        paint = skia.Paint(AntiAlias=True, Color=skia.Color(*color), Style=style)
        return _round(paint, 2 * self.outside)


def outline(shape: Shape, width: float, height: float, radius: float = 0.0) -> skia.RRect:
    """The edge of a rectangle or an ellipse. Raises `ValueError` unless both sides are above 0."""
    if width <= 0 or height <= 0 or radius < 0:
        raise ValueError(f"no {shape} is {width:g} x {height:g} pixels with corners of {radius:g}")
    box = skia.Rect.MakeWH(width, height)
    if shape == "ellipse":
        return skia.RRect.MakeOval(box)
    return skia.RRect.MakeRectXY(box, radius, radius)  # which keeps to half the shorter side


def enclosed(
    edge: skia.RRect, fill: skia.Paint | None, stroke: Stroke | None, *, cutout: bool = False
) -> Drawing:
    """What lies within `edge`, and a line along it."""
    paints = [] if fill is None else [fill]
    if stroke is not None:
        paints.append(_pen(stroke.width, stroke.color))
    return Drawing(skia.Path.RRect(edge), edge.rect(), paints, cutout)


def draw(drawing: Drawing, shadow: Shadow | None = None, *, rotation: float = 0.0) -> Raster:
    """Draw it with a shadow. Raises `ValueError`; see `draw_shape`."""
    _check(rotation=rotation)
    shadow = shadow if drawing.paints else None
    box = drawing.box
    turned = skia.Matrix.RotateDeg(rotation, skia.Point(box.centerX(), box.centerY()))
    reach = turned.mapRect(box.makeOutset(drawing.outside, drawing.outside))
    if shadow is not None:
        reach.join(_reach_of_shadow(reach, shadow))
    raster = _blank(reach)
    canvas = _canvas(raster)
    if shadow is not None and drawing.cutout:
        canvas.saveLayer(None, skia.Paint(ImageFilter=_drop(shadow)))
    elif shadow is not None:
        _cast(canvas, drawing, shadow, turned)
    canvas.concat(turned)
    for paint in drawing.paints:
        canvas.drawPath(drawing.path, paint)
    canvas.restoreToCount(1)
    return raster


def _cast(canvas: skia.Canvas, drawing: Drawing, shadow: Shadow, turned: skia.Matrix) -> None:
    """The shadow of a shape: a blurred mask, ten times as fast as the blurred layer that a picture needs."""
    canvas.save()
    canvas.translate(shadow.x, shadow.y)
    canvas.concat(turned)
    shade = drawing.silhouette(shadow.color)
    if shadow.blur > 0:
        shade.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, shadow.blur / 2))
    canvas.drawPath(drawing.path, shade)
    canvas.restore()
    if not drawing.is_opaque:
        canvas.save()
        canvas.concat(turned)
        hole = drawing.silhouette(BLACK)
        hole.setBlendMode(skia.BlendMode.kDstOut)
        canvas.drawPath(drawing.path, hole)
        canvas.restore()


def _line(width: float, height: float, fill: Color | Gradient | None, stroke: Stroke | None) -> Drawing:
    box = skia.Rect.MakeWH(abs(width), abs(height))
    start, end = skia.Point(max(-width, 0), max(-height, 0)), skia.Point(max(width, 0), max(height, 0))
    ink = fill if isinstance(fill, Gradient) or stroke is None else stroke.color
    thick = LINE_WIDTH if stroke is None else stroke.width
    paints = [] if ink is None else [_pen(thick, ink, box.width(), box.height())]
    return Drawing(skia.Path.Line(start, end), box, paints)


def _paint(fill: Color | Gradient, width: float, height: float) -> skia.Paint:
    if isinstance(fill, Gradient):
        return skia.Paint(AntiAlias=True, Dither=True, Shader=gradient_shader(fill, width, height))
    return skia.Paint(AntiAlias=True, Color=skia.Color(*fill))


def _pen(thick: float, ink: Color | Gradient, width: float = 0.0, height: float = 0.0) -> skia.Paint:
    paint = _paint(ink, width, height)
    paint.setStyle(skia.Paint.kStroke_Style)
    return _round(paint, thick)


def _round(paint: skia.Paint, thick: float) -> skia.Paint:
    paint.setStrokeWidth(thick)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    return paint


def _drop(shadow: Shadow) -> skia.ImageFilter:
    sigma = shadow.blur / 2
    return skia.ImageFilters.DropShadow(shadow.x, shadow.y, sigma, sigma, skia.Color(*shadow.color))


def _reach_of_shadow(reach: skia.Rect, shadow: Shadow) -> skia.Rect:
    soft = 1.5 * shadow.blur  # three standard deviations
    return reach.makeOffset(shadow.x, shadow.y).makeOutset(soft, soft)


def _blank(reach: skia.Rect) -> Raster:
    left, top = math.floor(reach.left()), math.floor(reach.top())
    width, height = max(math.ceil(reach.right()) - left, 1), max(math.ceil(reach.bottom()) - top, 1)
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than {MAX_PIXELS // 1_000_000} megapixels")
    return Raster(np.zeros((height, width, 4), np.uint8), left, top)


def _canvas(raster: Raster) -> skia.Canvas:
    """To draw on it in the coordinates of the box."""
    height, width = raster.pixels.shape[:2]
    info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    canvas = skia.Surface.MakeRasterDirect(info, raster.pixels, width * 4).getCanvas()
    canvas.translate(-raster.left, -raster.top)
    return canvas


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not abs(number) <= MAX_LENGTH:  # nor if it is not a number
            raise ValueError(f"{name} is a number up to {MAX_LENGTH:,.0f}, not {number:g}")
