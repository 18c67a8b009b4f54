"""The contact sheet: many small pictures of one film on one large picture, each with what it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import skia

from renderkiln.media.frames.image import Pixels, fit_within
from renderkiln.media.frames.text import LINE_HEIGHT, Color, TextBlock, lay_out

MAX_CELLS = 1001
MAX_PIXELS = 60_000_000
WIDTHS = range(1600, 2401, 160)  # pixels, up to USUAL_CELLS cells
USUAL_CELLS, GROWTH = 24, 0.33  # with more cells the widths grow by this power of their number
SHAPE = 1.6  # width to height that a sheet strives for
LEGIBLE, LARGE = 330, 900  # pixels: width of a comfortable cell; side of a picture that is as large as a wall
LEAST_CELL = 130  # pixels wide: room for a few words
ASPECTS = (9 / 16, 2.4)  # of the place for a picture; narrower and wider ones get bars
BASELINE = 0.8  # of a line's height
UNLIMITED = 1e6  # pixels: text on one line, however long
MOST_LINES = 3  # of a caption
WORDS_HEIGHT = 5.5  # of a label, such a caption and the space above them, in text sizes

BACKGROUND = skia.Color(27, 27, 27)  # neutral, so that colours can be judged
PLACE = skia.Color(18, 18, 18)
HAIRLINE = skia.Color(255, 255, 255, 28)
BRIGHT: Color = (240, 240, 240, 255)
PLAIN: Color = (198, 198, 198, 255)
QUIET: Color = (140, 140, 140, 255)
ACCENT: Color = (255, 172, 64, 255)


@dataclass(frozen=True)
class Cell:
    """One picture and its words.

    `picture` is RGB of shape (height, width, 3). `label` ("12") and `detail` ("6.1 from its nearest") share a
    line below it, `caption` takes up to three more. A `marked` cell is set off from the others.
    """

    picture: Pixels
    caption: str
    detail: str = ""
    marked: bool = False
    label: str = ""


def contact_sheet(
    title: str, cells: Sequence[Cell], *, subtitle: str = "", fonts: Sequence[Path] = ()
) -> Pixels:
    """The sheet as opaque RGBA of shape (height, width, 4): a header above a grid of cells, in reading order.

    All cells have the shape of the first picture. Text that does not fit ends in an ellipsis; characters that
    no font can draw are left out. `fonts` are the user's font files. Raises `ValueError` unless there are 1
    to MAX_CELLS cells, and `Unreadable` for a font that cannot be used.
    """
    if not 1 <= len(cells) <= MAX_CELLS:
        raise ValueError(f"a contact sheet has 1 to {MAX_CELLS} cells, not {len(cells)}")
    height, width = cells[0].picture.shape[:2]
    grid = arrange(len(cells), width / height)
    pixels = np.empty((grid.height, grid.width, 4), np.uint8)
    info = skia.ImageInfo.Make(grid.width, grid.height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    canvas = skia.Surface.MakeRasterDirect(info, pixels, grid.width * 4).getCanvas()
    canvas.clear(BACKGROUND)
    _draw_header(canvas, grid, title, subtitle, fonts)
    for number, cell in enumerate(cells):
        x, y = grid.place(number)
        _draw_picture(canvas, grid, cell, x, y)
        _draw_words(canvas, grid, cell, x, y + grid.picture_height, fonts)
    return pixels


@dataclass(frozen=True)
class Grid:
    """Where everything is, in pixels."""

    count: int
    columns: int
    width: int
    aspect: float

    @property
    def unit(self) -> float:
        """The size that the header and margins follow: that of the whole sheet."""
        return max(self.width / 80, 26.0)

    @property
    def margin(self) -> int:
        return round(2.2 * self.unit)

    @property
    def header(self) -> int:
        """How high the header is, with the space below it."""
        return round(4.2 * self.unit)

    @property
    def gap(self) -> int:
        return round(14 + 0.03 * self.width / self.columns)

    @property
    def cell_width(self) -> int:
        return (self.width - 2 * self.margin + self.gap) // self.columns - self.gap

    @property
    def picture_height(self) -> int:
        return round(self.cell_width / self.aspect)

    @property
    def text_size(self) -> float:
        return min(max(self.cell_width / 22, 12.0), 18.0)

    @property
    def cell_height(self) -> int:
        return self.picture_height + round(WORDS_HEIGHT * self.text_size)

    @property
    def rows(self) -> int:
        return math.ceil(self.count / self.columns)

    @property
    def height(self) -> int:
        return 2 * self.margin + self.header + self.rows * (self.cell_height + self.gap) - self.gap

    def place(self, number: int) -> tuple[int, int]:
        """The top left corner of a cell."""
        row, column = divmod(number, self.columns)
        x = self.margin + column * (self.cell_width + self.gap)
        return x, self.margin + self.header + row * (self.cell_height + self.gap)

    @property
    def fits(self) -> bool:
        return self.cell_width >= LEAST_CELL and self.width * self.height <= MAX_PIXELS

    @property
    def flaws(self) -> float:
        """Far from a pleasing shape, a last row nearly empty, pictures too small or too large."""
        shape = abs(math.log(self.width / self.height / SHAPE))
        empty = 1 - self.count / (self.rows * self.columns)
        side = math.sqrt(self.cell_width * self.picture_height)
        discomfort = max(math.log(LEGIBLE / self.cell_width), math.log(side / LARGE), 0.0)
        return shape + 2 * empty + discomfort


def arrange(count: int, aspect: float) -> Grid:
    """The most pleasing grid for so many cells; `aspect` is width to height of a picture."""
    aspect = min(max(aspect, ASPECTS[0]), ASPECTS[1])
    growth = max(count / USUAL_CELLS, 1.0) ** GROWTH
    grids = [
        Grid(count, columns, round(width * growth), aspect)
        for width in WIDTHS
        for columns in range(1, count + 1)
    ]
    return min((grid for grid in grids if grid.fits), key=lambda grid: grid.flaws)


def _draw_header(canvas: skia.Canvas, grid: Grid, title: str, subtitle: str, fonts: Sequence[Path]) -> None:
    room, unit = grid.width - 2 * grid.margin, grid.unit
    name = lay_out(title, width=room, size=1.4 * unit, min_size=unit, weight=600, fonts=fonts)
    name.paint(canvas, grid.margin, grid.margin, BRIGHT)
    facts = lay_out(subtitle, width=room, size=0.72 * unit, min_size=0.6 * unit, fonts=fonts)
    facts.paint(canvas, grid.margin, round(grid.margin + 2.0 * unit), QUIET)


def _draw_picture(canvas: skia.Canvas, grid: Grid, cell: Cell, x: int, y: int) -> None:
    """The whole picture in its place, rounded; a thin rim gives dark ones an edge."""
    place = skia.Rect.MakeXYWH(x, y, grid.cell_width, grid.picture_height)
    radius = 0.4 * grid.text_size
    opaque = np.dstack([cell.picture, np.full(cell.picture.shape[:2], 255, np.uint8)])
    fitted = fit_within(opaque, grid.cell_width, grid.picture_height)
    left, top = grid.cell_width - fitted.shape[1], grid.picture_height - fitted.shape[0]
    canvas.save()
    canvas.clipRRect(skia.RRect.MakeRectXY(place, radius, radius), True)  # noqa: FBT003  # anti-aliased
    canvas.drawRect(place, skia.Paint(Color=PLACE))
    canvas.drawImage(skia.Image.fromarray(fitted, skia.kRGBA_8888_ColorType), x + left // 2, y + top // 2)
    canvas.restore()
    thickness = max(3.0, 0.2 * grid.text_size) if cell.marked else 1.0
    rim = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=thickness)
    rim.setColor(skia.Color(*ACCENT[:3]) if cell.marked else HAIRLINE)
    line = place.makeOutset(thickness / 2, thickness / 2) if cell.marked else place.makeInset(0.5, 0.5)
    canvas.drawRoundRect(line, radius, radius, rim)


def _draw_words(canvas: skia.Canvas, grid: Grid, cell: Cell, x: int, y: int, fonts: Sequence[Path]) -> None:
    """Label and detail at the two ends of one line, the caption below."""
    size, room = grid.text_size, grid.cell_width
    first, second = round(y + 0.7 * size), round(y + (0.7 + 1.34) * size)
    label = lay_out(cell.label, width=room / 2, size=size, min_size=size, weight=650, fonts=fonts)
    label.paint(canvas, x, first, ACCENT if cell.marked else BRIGHT)
    rest = room - label.width - size
    detail = lay_out(cell.detail, width=rest, size=0.9 * size, min_size=0.75 * size, align="end", fonts=fonts)
    lower = BASELINE * LINE_HEIGHT * (size - detail.size)
    detail.paint(canvas, x + room - detail.width, first + lower, QUIET)
    for number, line in enumerate(_caption(cell.caption, room, size, fonts)):
        line.paint(canvas, x, second + round(number * LINE_HEIGHT * size), PLAIN)


def _caption(caption: str, room: float, size: float, fonts: Sequence[Path]) -> list[TextBlock]:
    """As few lines of like width as it takes, broken behind commas: "hue +3°" stays together."""

    def line(text: str, width: float = room) -> TextBlock:
        return lay_out(text, width=width, size=size, min_size=size, fonts=fonts)

    parts = caption.split(", ")
    if line(caption, UNLIMITED).width <= room:
        return [line(caption)]
    if len(parts) == 1:
        return [lay_out(caption, width=room, size=size, min_size=size, max_lines=MOST_LINES, fonts=fonts)]
    widths = [line(f"{part}, ", UNLIMITED).width for part in parts]
    for count in range(2, min(MOST_LINES, len(parts)) + 1):
        spans = (pairwise([0, *at, len(parts)]) for at in combinations(range(1, len(parts)), count - 1))
        best = min(map(list, spans), key=lambda each: max(sum(widths[start:stop]) for start, stop in each))
        texts = [", ".join(parts[start:stop]) for start, stop in best]
        lines = [line(text) for text in (*(f"{text}," for text in texts[:-1]), texts[-1])]
        if not any(each.shortened for each in lines):
            break
    return lines
