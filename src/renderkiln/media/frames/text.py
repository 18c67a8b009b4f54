"""Set titles: any language, never clipped, never overflowing, never an empty box for a missing glyph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames.clusters import Cluster, drawable
from renderkiln.media.frames.fonts import faces_for
from renderkiln.media.frames.setting import (
    LINE_HEIGHT,
    WHITE,
    Align,
    Color,
    Ink,
    Paragraph,
    Setting,
    largest,
    set_lines,
    shorten,
)

__all__ = ["LINE_HEIGHT", "Align", "Color", "TextBlock", "lay_out"]


@dataclass(frozen=True)
class TextBlock:
    """Text that has been set. Sizes are in pixels.

    `text` is what will be seen, `missing` are the characters that no font can draw and that were left out,
    `shortened` says that the end was cut off and replaced by an ellipsis. Accents may reach a little over
    the box of `width` × `height`; drawing does not clip them.
    """

    text: str
    size: float
    width: float
    height: float
    lines: int
    missing: tuple[str, ...]
    shortened: bool = False
    right_to_left: bool = False
    _setting: Setting | None = None

    def paint(self, canvas: skia.Canvas, x: float, y: float, color: Color = WHITE) -> None:
        """Draw with the top left corner at (x, y); `color` is sRGB with straight alpha."""
        if self._setting is not None:
            self._setting.paint(canvas, x, y, Ink(color))

    def raster(self, color: Color = WHITE) -> npt.NDArray[np.uint8]:
        """Premultiplied RGBA of shape (height + 2 margin, width + 2 margin, 4); the margin is `size`."""
        margin = math.ceil(self.size)
        shape = (math.ceil(self.height) + 2 * margin, math.ceil(self.width) + 2 * margin, 4)
        pixels = np.zeros(shape, np.uint8)
        info = skia.ImageInfo.Make(shape[1], shape[0], skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
        surface = skia.Surface.MakeRasterDirect(info, pixels, shape[1] * 4)
        self.paint(surface.getCanvas(), margin, margin, color)
        return pixels


def lay_out(
    text: str,
    *,
    width: float,
    size: float,
    min_size: float | None = None,
    weight: int = 400,
    align: Align = "start",
    max_lines: int = 1,
    letter_spacing: float = 0.0,
    fonts: Sequence[Path] = (),
) -> TextBlock:
    """Set `text` within `width` pixels and `max_lines` lines, without emoji.

    It is wrapped first, then made smaller down to `min_size` (default: 60 % of `size`), then cut at a
    grapheme with an ellipsis. Lines are balanced. `letter_spacing` is in ems and is not applied to scripts
    that join or stack their letters. `fonts` are the user's font files.
    """
    small = min(size, min_size if min_size is not None else 0.6 * size)
    kept, missing = drawable(text, faces_for(size, weight, fonts), emoji=False)

    def setting(clusters: tuple[Cluster, ...], at_size: float) -> Setting:
        opened = faces_for(at_size, weight, fonts)
        return set_lines([clusters], Paragraph((), at_size, opened, weight, align, letter_spacing))

    if not kept:
        return TextBlock("", size, 0.0, 0.0, 0, missing)

    def fits(candidate: Setting, /, *, whole_words: bool = False) -> bool:
        return candidate.fits(width, max_lines, whole_words=whole_words)

    shown, chosen = kept, largest(size, small, lambda at_size: setting(kept, at_size), fits)
    if chosen is None:
        shown = shorten(kept, lambda clusters: fits(setting(clusters, small)))
        chosen = setting(shown, small)
    placed = chosen.balanced(width)
    return TextBlock(
        "".join(cluster.text for cluster in shown),
        placed.size,
        placed.measure,
        placed.height,
        placed.lines,
        missing,
        shown != kept,
        placed.paragraphs[0].right_to_left,
        placed,
    )
