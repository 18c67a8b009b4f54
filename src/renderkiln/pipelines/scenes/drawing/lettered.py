"""Texts and captions as rasters, in the styles of the document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from renderkiln.media.frames.lettering import Box, Lettering, Look, Shadow, Stroke, set_lettering
from renderkiln.media.frames.setting import Align
from renderkiln.pipelines.scenes.document.layers import Anchor
from renderkiln.pipelines.scenes.document.references import style_of
from renderkiln.pipelines.scenes.document.style import TextStyle
from renderkiln.pipelines.scenes.drawing.edges import shadow_of, stroke_of
from renderkiln.pipelines.scenes.drawing.still import Raster, anchored
from renderkiln.pipelines.scenes.drawing.studio import Studio

LINES = 1000  # more than any text that fits
_ALIGNED: Mapping[float, Align] = {0.0: "start", 0.5: "center", 1.0: "end"}
MOST = 2  # widths and heights of the frame: nobody sees what is beyond


def lettered(
    text: str,
    style: TextStyle,
    room: tuple[float, float],
    studio: Studio,
    *,
    anchor: Anchor,
    max_lines: int = LINES,
    rotation: float = 0.0,
) -> tuple[Lettering, Look]:
    """Set `text` within `room` (width, height) in pixels of the frame.

    `rotation` is how it will be turned, in degrees; lines that ask for nothing else are aligned by `anchor`.
    """
    unit = studio.ruler.unit
    room = min(room[0], MOST * studio.canvas.width), min(room[1], MOST * studio.canvas.height)
    padding = style.box.padding * unit if style.box else 0.0
    size = (style.size or 0) * unit
    setting = set_lettering(
        text.upper() if style.uppercase else text,
        width=max(1.0, room[0] - 2 * padding),
        height=max(1.0, room[1] - 2 * padding),
        size=size,
        min_size=None if style.min_size is None else min(size, style.min_size * unit),
        weight=style.weight or 400,
        align=style.align or _ALIGNED[anchored(anchor)[0]],
        letter_spacing=style.letter_spacing or 0.0,
        line_height=style.line_height or 1.24,
        fonts=_fonts(style, studio),
        max_lines=max_lines,
    )
    return setting, _look(style, studio, rotation)


def raster_of(setting: Lettering, look: Look, shown: int | None = None) -> Raster:
    """The first `shown` graphemes, or all; a box counts as part of the layer."""
    pixels, left, top = setting.raster(look, shown)
    padding = look.box.padding if look.box else 0.0
    width, height = setting.width + 2 * padding, setting.height + 2 * padding
    flat = [look.color, *(each.color for each in (look.box, look.stroke) if each)]
    return Raster(pixels, left + padding, top + padding, width, height, flat)


def resolved(layer: TextStyle, style: str, studio: Studio) -> TextStyle:
    """The named style with what the layer itself says."""
    return style_of(style, layer, studio.brand)


def _fonts(style: TextStyle, studio: Studio) -> tuple[Path, ...]:
    """The style's own font first, then the brand's others: they may have what it lacks."""
    name = style.font or studio.brand.font
    names = sorted(studio.brand.fonts, key=lambda each: each != name)
    brand = tuple(studio.found[studio.brand.fonts[each]].path for each in names) if name else ()
    return (*brand, *studio.user_fonts)


def _look(style: TextStyle, studio: Studio, rotation: float) -> Look:
    unit, box = studio.ruler.unit, None
    if style.box is not None:
        color = studio.color(style.box.color)
        box = Box(color, style.box.padding * unit, style.box.radius * unit, style.box.per_line)
    stroke, shadow = stroke_of(style.stroke, studio), shadow_of(style.shadow, studio, rotation=rotation)
    return Look(
        color=studio.color(style.color or "white"),
        stroke=None if stroke is None else Stroke(stroke.color, stroke.width),
        shadow=None if shadow is None else Shadow(shadow.color, shadow.x, shadow.y, shadow.blur),
        box=box,
    )
