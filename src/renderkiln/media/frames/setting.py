"""A text at one size, broken into lines: how much room it takes, and painting it."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import groupby
from typing import Literal, NamedTuple, Protocol

import skia

from renderkiln.media.frames.clusters import Cluster, can_be_spaced, is_right_to_left
from renderkiln.media.frames.fonts import Faces

Align = Literal["start", "center", "end"]  # in reading direction
Color = tuple[int, int, int, int]

WHITE: Color = (255, 255, 255, 255)
LINE_HEIGHT = 1.24
SHRINK = 0.96
UNBOUNDED = 1e6  # pixels
ELLIPSIS = Cluster("…", emoji=False)
_NOT_BEFORE_ELLIPSIS = frozenset("\n ,;:.–—-(")
RIGHT_TO_LEFT_ISOLATE, POP_ISOLATE = "\u2067", "\u2069"
WORD_JOINER = "\u2060"
# Not at the start of a line (JIS X 4051), where Skia's line breaker would put them.
_SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶーゝゞヽヾ々")


@dataclass(frozen=True)
class Ink:
    """How letters are painted: filled, or with a `stroke` of so many pixels, or only `ruled`.

    Ruled text is invisible but for a rule through its letters, from its first to its last.
    """

    color: Color = WHITE
    stroke: float = 0.0
    ruled: bool = False


FILL = Ink()
RULE = Ink(ruled=True)


class Extent(NamedTuple):
    """What a paragraph measures, laid out; `least` is the width of its widest word."""

    width: float
    height: float
    least: float


@dataclass(frozen=True)
class Paragraph:
    """Text without forced line breaks at a size; it may be empty.

    `letter_spacing` and `line_height` are in ems.
    """

    clusters: tuple[Cluster, ...]
    size: float
    opened: Faces
    weight: int = 400
    align: Align = "start"
    letter_spacing: float = 0.0
    line_height: float = LINE_HEIGHT
    right_to_left: bool = False

    def extent(self, measure: float) -> Extent:
        """Laid out at `measure` pixels."""
        shaped = self._shaped  # laying it out again is cheap, shaping it is not
        shaped.layout(measure)
        return Extent(float(shaped.LongestLine), float(shaped.Height), float(shaped.MinIntrinsicWidth))

    @cached_property
    def leading(self) -> float:
        """From line to line, in pixels: Skia rounds it, to nothing for the smallest letters."""
        return max(self.extent(UNBOUNDED).height, 1.0)

    @cached_property
    def _shaped(self) -> skia.textlayout.Paragraph:
        return self._build(FILL, None)

    def paint(
        self, canvas: skia.Canvas, x: float, y: float, measure: float, ink: Ink, shown: int | None
    ) -> None:
        """Draw it laid out at `measure` pixels; only the first `shown` clusters are visible."""
        built = self._build(ink, shown)
        built.layout(measure)
        built.paint(canvas, x, y)

    def _build(self, ink: Ink, shown: int | None) -> skia.textlayout.Paragraph:
        whole = skia.textlayout.ParagraphStyle()
        style = self._style(ink, emoji=False)
        whole.setTextStyle(style)
        whole.setTextAlign(self._alignment)
        whole.setStrutStyle(self._strut())
        builder = skia.textlayout.ParagraphBuilder(whole, self.opened.collection, skia.Unicode.ICU_Make())
        builder.pushStyle(style)
        # The binding cannot set a paragraph's direction; an isolate around all of it does the same.
        builder.addText(RIGHT_TO_LEFT_ISOLATE if self.right_to_left else "")
        visible = len(self.clusters) if shown is None else shown
        runs = groupby(enumerate(self.clusters), key=lambda place: (place[1].emoji, place[0] >= visible))
        styled = cache(self._style)
        for (emoji, hidden), run in runs:
            builder.pushStyle(styled(ink, emoji=emoji, hidden=hidden))
            builder.addText("".join(_glued(cluster.text) for _, cluster in run))
            builder.pop()
        builder.addText(POP_ISOLATE if self.right_to_left else "")
        return builder.Build()

    def _style(self, ink: Ink, *, emoji: bool, hidden: bool = False) -> skia.textlayout.TextStyle:
        style = skia.textlayout.TextStyle()
        style.setFontSize(self.size)
        style.setFontFamilies(self.opened.emoji_families if emoji else self.opened.families)
        style.setFontStyle(
            skia.FontStyle(self.weight, skia.FontStyle.kNormal_Width, skia.FontStyle.kUpright_Slant)
        )
        style.setLetterSpacing(self._spacing)
        color = skia.Color(*ink.color)
        if hidden or ink.ruled or (ink.stroke and emoji):  # Skia draws an emoji's stroke as the emoji
            style.setColor(skia.ColorTRANSPARENT)
        elif ink.stroke:
            paint = skia.Paint(AntiAlias=True, Color=color, Style=skia.Paint.kStroke_Style)
            paint.setStrokeWidth(ink.stroke)
            paint.setStrokeJoin(skia.Paint.kRound_Join)
            style.setForegroundPaint(paint)
        else:
            style.setColor(color)
        if ink.ruled and not hidden:
            style.setDecoration(skia.textlayout.TextDecoration.kLineThrough)
            style.setDecorationColor(color)
        return style

    def _strut(self) -> skia.textlayout.StrutStyle:
        """The same line height, whichever fonts a line needs."""
        strut = skia.textlayout.StrutStyle()
        strut.setStrutEnabled(True)
        strut.setForceStrutHeight(True)
        strut.setFontFamilies(self.opened.families)
        strut.setFontSize(self.size)
        strut.setHeight(self.line_height)
        strut.setHeightOverride(True)
        return strut

    @cached_property
    def _spacing(self) -> float:
        return self.letter_spacing * self.size if can_be_spaced(self.clusters) else 0.0

    @property
    def _alignment(self) -> skia.textlayout.TextAlign:
        if self.align == "center":
            return skia.textlayout.TextAlign.kCenter
        to_right = (self.align == "end") != self.right_to_left
        return skia.textlayout.TextAlign.kRight if to_right else skia.textlayout.TextAlign.kLeft


def _glued(cluster: str) -> str:
    return WORD_JOINER + cluster if cluster in _SMALL_KANA else cluster


@dataclass(frozen=True)
class Setting:
    """Paragraphs below each other, all of one size, laid out at `measure` pixels."""

    paragraphs: tuple[Paragraph, ...]
    measure: float = UNBOUNDED

    def at(self, measure: float) -> Setting:
        return Setting(self.paragraphs, measure)

    @property
    def size(self) -> float:
        return self.paragraphs[0].size

    @cached_property
    def _extents(self) -> list[Extent]:
        return [paragraph.extent(self.measure) for paragraph in self.paragraphs]

    @property
    def lines(self) -> int:
        return round(self.height / self.paragraphs[0].leading)

    @property
    def width(self) -> float:
        """Of the longest line, in pixels."""
        return max(extent.width for extent in self._extents)

    @property
    def least(self) -> float:
        """Of the widest word, in pixels."""
        return max(extent.least for extent in self._extents)

    @property
    def height(self) -> float:
        return sum(extent.height for extent in self._extents)

    def fits(self, width: float, max_lines: int, *, whole_words: bool = False) -> bool:
        if len(self.paragraphs) > max_lines:
            return False
        placed = self.at(width)
        if whole_words and placed.least > width:
            return False
        return placed.lines <= max_lines and placed.width <= width

    def balanced(self, width: float) -> Setting:
        """The narrowest setting with as few lines as at `width`: no lonely last word."""
        lines = self.at(width).lines
        low, high = min(self.least, width), width
        if lines == 1 or self.at(low).lines == lines:
            high = math.ceil(self.at(width).width) if lines == 1 else low
            return self.no_higher(lines, min(high + 1, width), width)
        while high - low > self.size / 8:
            middle = (low + high) / 2
            low, high = (low, middle) if self.at(middle).lines == lines else (middle, high)
        return self.no_higher(lines, high, width)

    def no_higher(self, lines: int, measure: float, width: float) -> Setting:
        """Set at `measure`, or at `width` if that takes more lines."""
        # The line breaker is not monotonic: "0000!0000000 0" takes two lines in 88 pixels and three in 100.
        narrow = self.at(measure)
        return narrow if narrow.lines <= lines else self.at(width)

    def paint(
        self, canvas: skia.Canvas, x: float, y: float, ink: Ink = FILL, shown: int | None = None
    ) -> None:
        """Draw with the top left corner at (x, y); only the first `shown` clusters.

        A line break between paragraphs counts as one cluster.
        """
        for paragraph, extent in zip(self.paragraphs, self._extents, strict=True):
            if paragraph.clusters and (shown is None or shown > 0):
                paragraph.paint(canvas, x, y, self.measure, ink, shown)
            if shown is not None:
                shown -= len(paragraph.clusters) + 1
            y += extent.height


def set_lines(lines: Sequence[tuple[Cluster, ...]], like: Paragraph) -> Setting:
    """A paragraph for each line, in all else `like` one; each has its own direction."""
    return Setting(
        tuple(replace(like, clusters=line, right_to_left=is_right_to_left(line)) for line in lines)
    )


class Fits(Protocol):
    """Whether a setting has room; with `whole_words`, whether it also breaks no word."""

    def __call__(self, setting: Setting, /, *, whole_words: bool = False) -> bool: ...


def largest(size: float, small: float, at: Callable[[float], Setting], fits: Fits) -> Setting | None:
    """The largest setting between two sizes that fits, preferably one that breaks no word."""
    if fits(at(size), whole_words=True):
        return at(size)
    if not fits(at(small)):
        return None

    def fitting(*, whole_words: bool) -> Callable[[float], bool]:
        return lambda at_size: fits(at(at_size), whole_words=whole_words)

    steps = math.ceil(math.log(small / size) / math.log(SHRINK)) + 1
    sizes = [max(size * SHRINK**step, small) for step in range(steps)]
    for whole_words in (True, False):
        first = bisect.bisect_left(sizes, 1, key=fitting(whole_words=whole_words))
        if first < len(sizes):
            return at(sizes[first])
    return at(small)


def shorten(clusters: Sequence[Cluster], fits: Callable[[tuple[Cluster, ...]], bool]) -> tuple[Cluster, ...]:
    """The longest beginning of the text that fits together with an ellipsis."""
    end = 1
    while end < len(clusters) and fits(_cut(clusters, end)):
        end *= 2  # from below: what does not fit may be very long
    low, high = end // 2, min(end, len(clusters))
    end = bisect.bisect_left(range(high), 1, lo=low, key=lambda count: not fits(_cut(clusters, count)))
    return _cut(clusters, max(end - 1, 0))


def _cut(clusters: Sequence[Cluster], count: int) -> tuple[Cluster, ...]:
    while count and clusters[count - 1].text in _NOT_BEFORE_ELLIPSIS:
        count -= 1
    return (*clusters[:count], ELLIPSIS)
