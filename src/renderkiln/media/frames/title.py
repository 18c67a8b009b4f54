"""The design of the title card: title, artist and cover art side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames.image import cover_square
from renderkiln.media.frames.text import Color, TextBlock, lay_out

Pixels = npt.NDArray[np.uint8]

TITLE, ARTIST, COVER = 0.058, 0.030, 0.150  # of the shorter side of the picture
TITLE_LEAST, ARTIST_LEAST = 13.0, 9.0  # pixels: legible in a 320 × 180 preview
TITLE_COLOR: Color = (255, 255, 255, 255)
ARTIST_COLOR: Color = (255, 255, 255, 205)


@dataclass(frozen=True)
class Card:
    """Everything on the card and where; sizes in pixels, places from the card's top left corner."""

    title: TextBlock
    artist: TextBlock
    cover: Pixels | None
    side: int  # of the cover, 0 for none
    gap: float
    unit: int

    @property
    def mirrored(self) -> bool:
        return (self.title if self.title.text else self.artist).right_to_left

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.title.missing + self.artist.missing))

    @property
    def bleed(self) -> int:
        """How far scrim and shadow reach beyond the card, in pixels."""
        return math.ceil(0.11 * self.unit)

    @property
    def leading(self) -> float:
        return 0.18 * self.artist.height if self.title.text and self.artist.text else 0.0

    @property
    def text_width(self) -> float:
        return max(self.title.width, self.artist.width)

    @property
    def text_height(self) -> float:
        return self.title.height + self.leading + self.artist.height

    @property
    def width(self) -> float:
        return self.side + (self.gap if self.side and self.text_width else 0.0) + self.text_width

    @property
    def height(self) -> float:
        return max(float(self.side), self.text_height)


def set_card(
    title: str, artist: str, cover: Pixels | None, unit: int, width: float, fonts: Sequence[Path] = ()
) -> Card:
    """Choose sizes for a picture whose shorter side is `unit` pixels; `width` is the room there is.

    `cover` is RGBA with straight alpha.
    """
    side = round(COVER * unit) if cover is not None else 0
    gap = 0.24 * side
    room = min(width - side - gap, 1.25 * unit)
    title_size = max(TITLE * unit, TITLE_LEAST)
    artist_size = max(ARTIST * unit, ARTIST_LEAST)
    heading = lay_out(
        title,
        width=room,
        size=title_size,
        min_size=max(0.6 * title_size, 10.0),
        weight=600,
        max_lines=2,
        fonts=fonts,
    )
    byline = lay_out(
        artist,
        width=room,
        size=artist_size,
        min_size=max(0.7 * artist_size, 8.0),
        weight=500,
        letter_spacing=0.06,
        fonts=fonts,
    )
    return Card(heading, byline, cover, side, gap, unit)


def draw_card(card: Card) -> Pixels:
    """Premultiplied RGBA of the card with `card.bleed` pixels of scrim and shadow around it."""
    bleed = card.bleed
    width, height = math.ceil(card.width) + 2 * bleed, math.ceil(card.height) + 2 * bleed
    pixels = np.zeros((height, width, 4), np.uint8)
    info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, pixels, width * 4)
    canvas = surface.getCanvas()
    canvas.translate(bleed, bleed)
    _draw_scrim(canvas, card)
    if card.cover is not None:
        _draw_cover(canvas, card, card.cover)
    _draw_text(canvas, card)
    return pixels


def _draw_scrim(canvas: skia.Canvas, card: Card) -> None:
    """A soft darkness behind the card, so that it reads over bright flames."""
    spread, sigma = 0.012 * card.unit, 0.032 * card.unit
    rectangle = skia.Rect.MakeWH(card.width, card.height).makeOutset(spread, spread)
    blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, sigma)
    paint = skia.Paint(AntiAlias=True, Color=skia.Color(14, 5, 20, 150), MaskFilter=blur)
    canvas.drawRoundRect(rectangle, 2 * spread, 2 * spread, paint)


def _draw_cover(canvas: skia.Canvas, card: Card, cover: Pixels) -> None:
    side = card.side
    x = card.width - side if card.mirrored else 0.0
    square = skia.Rect.MakeXYWH(x, (card.height - side) / 2, side, side)
    rounded = skia.RRect.MakeRectXY(square, 0.09 * side, 0.09 * side)
    blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.06 * side)
    canvas.save()
    canvas.translate(0, 0.03 * side)
    canvas.drawRRect(rounded, skia.Paint(AntiAlias=True, Color=skia.Color(0, 0, 0, 150), MaskFilter=blur))
    canvas.restore()
    image = skia.Image.fromarray(cover_square(cover, side), skia.kRGBA_8888_ColorType)
    canvas.save()
    canvas.clipRRect(rounded, True)  # noqa: FBT003  # Skia's own signature: anti-aliased
    canvas.drawImageRect(image, square)
    canvas.restore()
    rim = skia.Paint(AntiAlias=True, Color=skia.Color(255, 255, 255, 40), Style=skia.Paint.kStroke_Style)
    rim.setStrokeWidth(max(1.0, 0.008 * side))
    canvas.drawRRect(rounded, rim)


def _draw_text(canvas: skia.Canvas, card: Card) -> None:
    start = 0.0 if card.mirrored or not card.side else card.side + card.gap
    top = (card.height - card.text_height) / 2
    size = card.title.size
    shadow = skia.ImageFilters.DropShadow(0, 0.03 * size, 0.10 * size, 0.10 * size, skia.Color(0, 0, 0, 215))
    canvas.saveLayer(None, skia.Paint(ImageFilter=shadow))
    for block, y, color in (
        (card.title, top, TITLE_COLOR),
        (card.artist, top + card.title.height + card.leading, ARTIST_COLOR),
    ):
        indent = card.text_width - block.width if card.mirrored else 0.0
        block.paint(canvas, start + indent, y, color)
    canvas.restore()
