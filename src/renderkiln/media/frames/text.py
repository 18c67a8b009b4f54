"""Set text: any language, never clipped, never overflowing, never an empty box for a missing glyph."""

from __future__ import annotations

import bisect
import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames.fonts import Faces, faces, font_files

Align = Literal["start", "center", "end"]  # in reading direction
Color = tuple[int, int, int, int]

WHITE: Color = (255, 255, 255, 255)
LINE_HEIGHT = 1.24
MARKS_PER_CLUSTER = 4  # more than any language needs; keeps "zalgo" inside its line
OPTICAL_SIZES = (14.0, 32.0)  # Inter's axis: sturdy small text, fine large text
SHRINK = 0.96

RIGHT_TO_LEFT_ISOLATE, POP_ISOLATE = "\u2067", "\u2069"
ZERO_WIDTH_JOINER = "\u200d"
_JOINERS = ("\u200c", ZERO_WIDTH_JOINER)
_SARA_AM = "\u0e33\u0eb3"  # letters by category, parts of the preceding cluster by UAX #29


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
    _paragraph: _Paragraph | None = None

    def paint(self, canvas: skia.Canvas, x: float, y: float, color: Color = WHITE) -> None:
        """Draw with the top left corner at (x, y); `color` is sRGB with straight alpha."""
        if self._paragraph is not None:
            self._paragraph.build(color).paint(canvas, x, y)

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
    """Set `text` within `width` pixels and `max_lines` lines.

    It is wrapped first, then made smaller down to `min_size` (default: 60 % of `size`), then cut at a
    grapheme with an ellipsis. Lines are balanced. `letter_spacing` is in ems and is not applied to scripts
    that join or stack their letters. `fonts` are the user's font files.
    """
    small = min(size, min_size if min_size is not None else 0.6 * size)
    kept, missing = _drawable(_clean(text), faces(font_files(fonts), weight, OPTICAL_SIZES[0]))
    right_to_left = _is_right_to_left(kept)

    def paragraph(string: str, at_size: float) -> _Paragraph:
        optical = OPTICAL_SIZES[at_size >= 24]
        opened = faces(font_files(fonts), weight, optical)
        spacing = letter_spacing * at_size if _can_be_spaced(string) else 0.0
        return _Paragraph(string, at_size, weight, align, spacing, opened, right_to_left)

    if not kept:
        return TextBlock("", size, 0.0, 0.0, 0, missing)
    shown, setting = kept, _largest(kept, size, small, width, max_lines, paragraph)
    if setting is None:
        shown = _shorten(kept, lambda string: paragraph(string, small).fits(width, max_lines))
        setting = paragraph(shown, small)
    placed = setting.balanced(width)
    return TextBlock(
        shown,
        placed.size,
        placed.measure,
        placed.height,
        placed.lines,
        missing,
        shown != kept,
        right_to_left,
        placed,
    )


def _largest(
    text: str,
    size: float,
    small: float,
    width: float,
    max_lines: int,
    paragraph: Callable[[str, float], _Paragraph],
) -> _Paragraph | None:
    """The largest setting that fits, preferably one that breaks no word."""
    steps = math.ceil(math.log(small / size) / math.log(SHRINK)) + 1
    sizes = [max(size * SHRINK**step, small) for step in range(steps)]
    for whole_words in (True, False):
        for at_size in sizes:
            setting = paragraph(text, at_size)
            if setting.fits(width, max_lines, whole_words=whole_words):
                return setting
    return None


def _shorten(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of the text that fits together with an ellipsis."""
    clusters = list(graphemes(text))
    count = bisect.bisect_left(range(len(clusters)), 1, key=lambda end: not fits(_cut(clusters, end)))
    return _cut(clusters, max(count - 1, 0))


def _cut(clusters: list[str], count: int) -> str:
    return "".join(clusters[:count]).rstrip(" ,;:.–—-(") + "…"


def graphemes(text: str) -> Iterator[str]:
    """Split into what a reader takes for characters: a base with its marks, joined emoji, conjuncts.

    Follows the rules of UAX #29 that titles need, without its tables for Hangul jamo and prepended marks.
    """
    cluster = ""
    for character in text:
        if cluster and not _continues(cluster, character):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _continues(cluster: str, character: str) -> bool:
    last = cluster[-1]
    if unicodedata.category(character) in ("Mn", "Me", "Mc") or character in _JOINERS:
        return True
    if character in _SARA_AM or "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    if last == ZERO_WIDTH_JOINER:
        return True
    if unicodedata.combining(last) == 9:  # virama: the next consonant joins
        return unicodedata.category(character) == "Lo"
    flags = [c for c in cluster if "\U0001f1e6" <= c <= "\U0001f1ff"]
    return len(flags) == len(cluster) == 1 and "\U0001f1e6" <= character <= "\U0001f1ff"


def _clean(text: str) -> str:
    """NFC, one line, single spaces; without controls, surrogates, bidirectional overrides and selectors."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    characters = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Zs", "Zl", "Zp"):
            characters.append(" ")
        elif category == "Cf" and character not in _JOINERS:
            continue
        elif not "\ufe00" <= character <= "\ufe0f" and not "\U000e0100" <= character <= "\U000e01ef":
            characters.append(character)
    return " ".join("".join(characters).split())


def _drawable(text: str, opened: Faces) -> tuple[str, tuple[str, ...]]:
    """The text without the graphemes that cannot be drawn, and the characters that were in the way."""
    kept: list[str] = []
    missing: dict[str, None] = {}
    for cluster in graphemes(text):
        lacking = [c for c in cluster if c not in _JOINERS and not opened.can_draw(c)]
        if lacking:
            missing.update(dict.fromkeys(lacking))
        else:
            kept.append(cluster[: 1 + MARKS_PER_CLUSTER] if unicodedata.combining(cluster[-1]) else cluster)
    return " ".join("".join(kept).split()), tuple(missing)


def _is_right_to_left(text: str) -> bool:
    """The direction of the first strong character: rules P2 and P3 of UAX #9."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _can_be_spaced(text: str) -> bool:
    return not any(unicodedata.bidirectional(c) == "AL" or unicodedata.category(c) == "Mc" for c in text)


@dataclass(frozen=True)
class _Paragraph:
    """One way to set a text; `build` gives Skia's paragraph, laid out at `measure`."""

    text: str
    size: float
    weight: int
    align: Align
    letter_spacing: float
    opened: Faces
    right_to_left: bool
    measure: float = 1e6

    def at(self, measure: float) -> _Paragraph:
        return replace(self, measure=measure)

    def build(self, color: Color = WHITE) -> skia.textlayout.Paragraph:
        red, green, blue, alpha = color
        families = [skia.String(family) for family in self.opened.families]
        upright = skia.FontStyle(self.weight, skia.FontStyle.kNormal_Width, skia.FontStyle.kUpright_Slant)
        style = skia.textlayout.TextStyle()
        style.setFontSize(self.size)
        style.setFontFamilies(families)
        style.setFontStyle(upright)
        style.setLetterSpacing(self.letter_spacing)
        style.setColor(skia.Color(red, green, blue, alpha))
        strut = skia.textlayout.StrutStyle()  # the same line height, whichever fonts a line needs
        strut.setStrutEnabled(True)
        strut.setForceStrutHeight(True)
        strut.setFontFamilies(families)
        strut.setFontSize(self.size)
        strut.setHeight(LINE_HEIGHT)
        strut.setHeightOverride(True)
        whole = skia.textlayout.ParagraphStyle()
        whole.setTextStyle(style)
        whole.setTextAlign(self._alignment)
        whole.setStrutStyle(strut)
        builder = skia.textlayout.ParagraphBuilder(whole, self.opened.collection, skia.Unicode.ICU_Make())
        builder.pushStyle(style)
        # The binding cannot set a paragraph's direction; an isolate around all of it does the same.
        builder.addText(RIGHT_TO_LEFT_ISOLATE + self.text + POP_ISOLATE if self.right_to_left else self.text)
        paragraph = builder.Build()
        paragraph.layout(self.measure)
        return paragraph

    @property
    def _alignment(self) -> skia.textlayout.TextAlign:
        if self.align == "center":
            return skia.textlayout.TextAlign.kCenter
        to_right = (self.align == "end") != self.right_to_left
        return skia.textlayout.TextAlign.kRight if to_right else skia.textlayout.TextAlign.kLeft

    @property
    def height(self) -> float:
        return float(self.build().Height)

    @property
    def width(self) -> float:
        return float(self.build().LongestLine)

    @property
    def lines(self) -> int:
        return round(self.height / (self.size * LINE_HEIGHT))

    def fits(self, width: float, max_lines: int, *, whole_words: bool = False) -> bool:
        placed = self.at(width)
        if whole_words and placed.build().MinIntrinsicWidth > width:
            return False
        return placed.lines <= max_lines and placed.width <= width

    def balanced(self, width: float) -> _Paragraph:
        """The narrowest setting with as few lines as at `width`: no lonely last word."""
        lines = self.at(width).lines
        low, high = min(float(self.build().MinIntrinsicWidth), width), width
        if lines == 1 or self.at(low).lines == lines:
            high = math.ceil(self.at(width).width) if lines == 1 else low
            return self._no_higher(lines, min(high + 1, width), width)
        while high - low > self.size / 8:
            middle = (low + high) / 2
            low, high = (low, middle) if self.at(middle).lines == lines else (middle, high)
        return self._no_higher(lines, high, width)

    def _no_higher(self, lines: int, measure: float, width: float) -> _Paragraph:
        # The line breaker is not monotonic: "0000!0000000 0" takes two lines in 88 pixels and three in 100.
        narrow = self.at(measure)
        return narrow if narrow.lines <= lines else self.at(width)
