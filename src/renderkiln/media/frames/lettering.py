"""Letters for a picture: several lines in a box, with emoji, outline, shadow and a box behind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames.blur import Mask, blurred
from renderkiln.media.frames.clusters import Cluster, drawable
from renderkiln.media.frames.fonts import faces_for
from renderkiln.media.frames.setting import (
    LINE_HEIGHT,
    RULE,
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

Pixels = npt.NDArray[np.uint8]
Raster = tuple[Pixels, int, int]

LINE_BREAK = Cluster("\n", emoji=False)
LONGEST = 30_000  # characters: a screen of the smallest letters; more is cut before it costs time
BALANCED_LINES = 4  # more is a text to read, not a title


@dataclass(frozen=True)
class Stroke:
    """An outline of `width` pixels around the letters; emoji have none."""

    color: Color
    width: float


@dataclass(frozen=True)
class Shadow:
    """A copy of letters and outline behind them, moved by (x, y), rounded; σ of its blur is `blur` / 2."""

    color: Color
    x: float = 0.0
    y: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True)
class Box:
    """A rectangle behind the text, `padding` pixels larger on each side; one for each line if `per_line`."""

    color: Color
    padding: float = 0.0
    radius: float = 0.0
    per_line: bool = False


@dataclass(frozen=True)
class Look:
    """How letters look. Colours are sRGB with straight alpha; emoji keep theirs and take the alpha."""

    color: Color = WHITE
    stroke: Stroke | None = None
    shadow: Shadow | None = None
    box: Box | None = None


PLAIN = Look()


@dataclass(frozen=True)
class Lettering:
    """Text that has been set. Sizes are in pixels; `width` is that of the longest line.

    `text` is what will be seen, with its line breaks; `clusters` is how many characters a reader counts in
    it, each forced line break being one. `missing` are the characters that no font can draw and that were
    left out, `shortened` says that the end was cut off and replaced by an ellipsis, `right_to_left` is the
    direction of the first line with letters.
    """

    text: str
    size: float
    width: float
    height: float
    lines: int
    clusters: int
    missing: tuple[str, ...]
    shortened: bool = False
    right_to_left: bool = False
    _setting: Setting | None = None

    def raster(self, look: Look = PLAIN, shown: int | None = None) -> Raster:
        """Premultiplied RGBA (h, w, 4) of all that is painted, and where its top left pixel lies.

        The place is (left, top) from the top left corner of the text; it is negative where outline, shadow,
        box or accents reach out. `shown` leaves out all but the first so many clusters, in reading order,
        and moves nothing; boxes of lines grow with them, the box of the text does not. Where nothing is
        painted there is one transparent pixel.
        """
        margin = self._margin(look)
        pixels = self._paint(look, shown, margin)
        while _touches_edge(pixels) and margin < 4 * self._margin(look):  # a font with great swashes
            margin *= 2
            pixels = self._paint(look, shown, margin)
        return _cropped(pixels, margin)

    def _margin(self, look: Look) -> int:
        reach = 0.5 * self.size + (look.stroke.width if look.stroke else 0.0)
        if look.shadow:
            reach += max(abs(look.shadow.x), abs(look.shadow.y)) + 1.5 * look.shadow.blur
        return math.ceil(max(reach, look.box.padding if look.box else 0.0)) + 2

    def _paint(self, look: Look, shown: int | None, margin: int) -> Pixels:
        letters = self._paint_letters(look, shown, margin)
        if self._setting is None or not (look.box or look.shadow):
            return letters
        pixels, canvas = _surface(self.width, self.height, margin)
        if look.box:
            self._paint_boxes(canvas, look.box, shown)
        if look.shadow:
            _paint_shadow(canvas, look.shadow, letters[..., 3], margin)
        canvas.drawImage(_image(letters), -margin, -margin)
        return pixels

    def _paint_letters(self, look: Look, shown: int | None, margin: int) -> Pixels:
        pixels, canvas = _surface(self.width, self.height, margin)
        if self._setting is None:
            return pixels
        if look.stroke:  # half of it is covered by the letters
            self._setting.paint(canvas, 0, 0, Ink(look.stroke.color, 2 * look.stroke.width), shown)
        self._setting.paint(canvas, 0, 0, Ink(look.color), shown)
        return pixels

    def _paint_boxes(self, canvas: skia.Canvas, box: Box, shown: int | None) -> None:
        red, green, blue, alpha = box.color
        paint = skia.Paint(AntiAlias=True, Color=skia.Color(red, green, blue))
        whole = skia.Rect.MakeWH(self.width, self.height)
        canvas.saveLayerAlpha(None, alpha)  # where boxes of lines meet they do not add up
        for rectangle in self._line_boxes(shown) if box.per_line else [whole]:
            canvas.drawRoundRect(
                rectangle.makeOutset(box.padding, box.padding), box.radius, box.radius, paint
            )
        canvas.restore()

    def _line_boxes(self, shown: int | None) -> Iterator[skia.Rect]:
        """From the first letter of a line to its last: measured, because the binding does not tell."""
        assert self._setting is not None
        margin = math.ceil(self.size)
        pixels, canvas = _surface(self.width, self.height, margin)
        self._setting.paint(canvas, 0, 0, RULE, shown)
        height = self.height / self.lines
        for line in range(self.lines):
            top = margin + line * height
            rows = pixels[round(top) : round(top + height), :, 3]
            columns = np.flatnonzero(rows.any(axis=0)) - margin
            if columns.size:
                yield skia.Rect.MakeLTRB(columns[0], line * height, columns[-1] + 1, (line + 1) * height)


def set_lettering(
    text: str,
    *,
    width: float,
    height: float,
    size: float,
    min_size: float | None = None,
    weight: int = 400,
    align: Align = "start",
    letter_spacing: float = 0.0,
    line_height: float = LINE_HEIGHT,
    fonts: Sequence[Path] = (),
    max_lines: int | None = None,
) -> Lettering:
    """Set `text` within `width` × `height` pixels and `max_lines` lines.

    Line breaks in it are kept, those at its ends aside; each line between them has its own direction. It is
    wrapped first, then made smaller down to `min_size` (default: 60 % of `size`), then cut at a cluster with
    an ellipsis. Up to four lines are balanced. A single line, and a single cluster, may be larger than the
    room for it. `letter_spacing` and `line_height` are in ems; the former is not applied to scripts that
    join or stack their letters. `fonts` are the user's font files, asked before the bundled ones.

    Raises `Unreadable` for a file that is not a font.
    """
    small = min(size, min_size if min_size is not None else 0.6 * size)
    kept, missing = _drawable(text[:LONGEST], weight, fonts)
    if not kept:
        return Lettering("", size, 0.0, 0.0, 0, 0, missing)

    def setting(clusters: Sequence[Cluster], at_size: float) -> Setting:
        opened = faces_for(at_size, weight, fonts)
        like = Paragraph((), at_size, opened, weight, align, letter_spacing, line_height)
        return set_lines(_lines(clusters), like)

    def fits(candidate: Setting, /, *, whole_words: bool = False) -> bool:
        room = max(int(height / candidate.paragraphs[0].leading), 1)
        return candidate.fits(width, min(room, max_lines or room), whole_words=whole_words)

    shown, chosen = kept, None
    if len(text) <= LONGEST:
        chosen = largest(size, small, lambda at_size: setting(kept, at_size), fits)
    if chosen is None:
        shown = shorten(kept, lambda clusters: fits(setting(clusters, small)))
        chosen = setting(shown, small)
    placed = _placed(chosen, width)
    return Lettering(
        "".join(cluster.text for cluster in shown),
        placed.size,
        placed.measure,
        placed.height,
        placed.lines,
        len(shown),
        missing,
        shown != kept,
        next(paragraph.right_to_left for paragraph in placed.paragraphs if paragraph.clusters),
        placed,
    )


def _drawable(text: str, weight: int, fonts: Sequence[Path]) -> tuple[tuple[Cluster, ...], tuple[str, ...]]:
    """What can be drawn, line breaks included, and the characters that cannot."""
    opened = faces_for(0, weight, fonts)
    kept: list[Cluster] = []
    missing: dict[str, None] = {}
    for line in text.strip().splitlines():
        clusters, lacking = drawable(line, opened, emoji=True)
        missing.update(dict.fromkeys(lacking))
        kept += [LINE_BREAK, *clusters]
    while kept and kept[0] == LINE_BREAK:
        del kept[0]
    while kept and kept[-1] == LINE_BREAK:
        kept.pop()
    return tuple(kept), tuple(missing)


def _lines(clusters: Sequence[Cluster]) -> list[tuple[Cluster, ...]]:
    lines: list[list[Cluster]] = [[]]
    for cluster in clusters:
        if cluster == LINE_BREAK:
            lines.append([])
        else:
            lines[-1].append(cluster)
    return [tuple(line) for line in lines]


def _placed(chosen: Setting, width: float) -> Setting:
    """Laid out as wide as its longest line, in whole pixels."""
    wide = chosen.at(width)
    placed = chosen.balanced(width) if wide.lines <= BALANCED_LINES else wide
    return placed.no_higher(placed.lines, math.ceil(placed.width), placed.measure)


def _surface(width: float, height: float, margin: int) -> tuple[Pixels, skia.Canvas]:
    """A transparent surface and its canvas, whose origin is `margin` pixels from the corner."""
    across, down = math.ceil(width) + 2 * margin, math.ceil(height) + 2 * margin
    pixels = np.zeros((down, across, 4), np.uint8)
    info = skia.ImageInfo.Make(across, down, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    canvas = skia.Canvas.MakeRasterDirect(info, pixels, across * 4)
    canvas.translate(margin, margin)
    return pixels, canvas


def _paint_shadow(canvas: skia.Canvas, shadow: Shadow, letters: Mask, margin: int) -> None:
    red, green, blue, alpha = shadow.color
    opacity = np.arange(256)[:, None] * alpha / 255
    tints = np.round(opacity * (red / 255, green / 255, blue / 255, 1)).astype(np.uint8).view(np.uint32)
    mask = blurred(letters, shadow.blur / 2)
    image = _image(np.take(tints, mask).view(np.uint8).reshape(*mask.shape, 4))
    canvas.drawImage(image, round(shadow.x) - margin, round(shadow.y) - margin)


def _image(pixels: Pixels) -> skia.Image:
    return skia.Image.fromarray(pixels, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)


def _touches_edge(pixels: Pixels) -> bool:
    alpha = pixels[..., 3]
    return bool(alpha[[0, -1]].any() or alpha[:, [0, -1]].any())


def _cropped(pixels: Pixels, margin: int) -> Raster:
    alpha = pixels[..., 3]
    rows = np.flatnonzero(alpha.any(axis=1))
    if not rows.size:
        return np.zeros((1, 1, 4), np.uint8), 0, 0
    columns = np.flatnonzero(alpha[rows[0] : rows[-1] + 1].any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return pixels[top : rows[-1] + 1, left : columns[-1] + 1].copy(), left - margin, top - margin
