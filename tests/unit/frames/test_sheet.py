from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from renderkiln.media.errors import Unreadable
from renderkiln.media.frames.image import Pixels, read_image, write_image
from renderkiln.media.frames.sheet import MAX_CELLS, MAX_PIXELS, Cell, Grid, arrange, contact_sheet

COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (40, 200, 200)]
BACKGROUND = (27, 27, 27)
HOSTILE = [
    "W" * 300,
    "夜に駆ける " * 40,
    "أغنية الليل الطويلة جدا, " * 20,
    "e" + "\u0301" * 500,
    "zoom 3 %, " * 40,
]


def flat(colour: tuple[int, int, int], width: int = 160, height: int = 90) -> Pixels:
    return np.full((height, width, 3), colour, np.uint8)


def cells(caption: str = "", detail: str = "", label: str = "") -> list[Cell]:
    return [Cell(flat(colour), caption, detail, label=label) for colour in COLOURS]


def blank() -> tuple[Pixels, Grid]:
    return contact_sheet("", cells()), arrange(len(COLOURS), 160 / 90)


def ink(sheet: Pixels, empty: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels that differ from the sheet without words."""
    rows, columns = np.nonzero((sheet != empty).any(axis=2))
    return rows, columns


@settings(max_examples=50)
@given(st.integers(1, MAX_CELLS), st.floats(0.05, 20))
@example(MAX_CELLS, 9 / 16)
@example(MAX_CELLS, 1.0)
def test_every_grid_is_within_its_limits(count: int, aspect: float) -> None:
    grid = arrange(count, aspect)
    assert grid.width * grid.height <= MAX_PIXELS
    assert count > 24 or 1600 <= grid.width <= 2400
    x, y = grid.place(count - 1)
    right, bottom = grid.width - grid.margin, grid.height - grid.margin
    assert grid.place(0) == (grid.margin, grid.margin + grid.header)
    assert x + grid.cell_width <= right
    assert y + grid.cell_height == bottom
    assert right - (grid.place(grid.columns - 1)[0] + grid.cell_width) < grid.columns, "it fills the width"
    assert grid.cell_width >= 130
    assert (grid.rows - 1) * grid.columns < count <= grid.rows * grid.columns


@pytest.mark.parametrize(
    ("count", "aspect", "columns"),
    [(2, 16 / 9, 2), (9, 16 / 9, 3), (24, 16 / 9, 6), (5, 9 / 16, 5), (10, 9 / 16, 5), (16, 2.4, 4)],
)
def test_few_cells_stand_in_full_rows(count: int, aspect: float, columns: int) -> None:
    assert arrange(count, aspect).columns == columns


@pytest.mark.parametrize(("width", "height"), [(160, 90), (90, 160), (100, 100), (210, 90), (64, 36)])
def test_each_picture_is_in_its_place(width: int, height: int) -> None:
    sheet = contact_sheet("", [Cell(flat(colour, width, height), "") for colour in COLOURS])
    grid = arrange(len(COLOURS), width / height)
    assert sheet.shape == (grid.height, grid.width, 4)
    assert (sheet[..., 3] == 255).all()
    for number, colour in enumerate(COLOURS):
        x, y = grid.place(number)
        picture = sheet[y : y + grid.picture_height, x : x + grid.cell_width, :3]
        assert (picture[2:-2, 12:-12] == colour).all()
        assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == BACKGROUND).all(), "round corners"
        beside = sheet[y : y + grid.cell_height, x + grid.cell_width : x + grid.cell_width + 9, :3]
        assert beside.max() <= 28, "a rim may touch the next pixel"


def test_a_picture_of_another_shape_is_shown_whole() -> None:
    tall, wide = flat((40, 40, 200), 60, 240), flat((40, 40, 200), 240, 60)
    tall[:20], tall[-20:] = (200, 40, 40), (40, 200, 40)
    wide[:, :20], wide[:, -20:] = (200, 40, 40), (40, 200, 40)
    sheet = contact_sheet("", [Cell(picture, "") for picture in (flat((9, 9, 9)), tall, wide)])
    grid = arrange(3, 160 / 90)
    width, height = grid.cell_width, grid.picture_height

    def at(number: int, across: float, down: float) -> tuple[int, ...]:
        x, y = grid.place(number)
        return tuple(sheet[y + round(down * height), x + round(across * width), :3].tolist())

    assert at(1, 0.5, 0.02) == at(2, 0.02, 0.5) == (200, 40, 40)
    assert at(1, 0.5, 0.98) == at(2, 0.98, 0.5) == (40, 200, 40)
    assert {at(1, 0.02, 0.5), at(1, 0.98, 0.5), at(2, 0.5, 0.02), at(2, 0.5, 0.98)} == {(18, 18, 18)}, "bars"


@pytest.mark.parametrize("text", HOSTILE)
def test_words_never_leave_their_cell(text: str) -> None:
    empty, grid = blank()
    wordy = cells()
    wordy[1] = Cell(flat(COLOURS[1]), text, text, label=text)
    rows, columns = ink(contact_sheet("", wordy), empty)
    x, y = grid.place(1)
    assert rows.min() >= y + grid.picture_height
    assert rows.max() < y + grid.cell_height + grid.gap / 2
    assert columns.min() >= x - 2
    assert columns.max() <= x + grid.cell_width + 2
    assert len(rows) > 200


def test_label_and_detail_share_a_line_and_the_caption_is_below() -> None:
    empty, grid = blank()
    x, y = grid.place(0)
    top = y + grid.picture_height
    left, label_columns = ink(contact_sheet("", cells(label="12")), empty)
    right, detail_columns = ink(contact_sheet("", cells(detail="6.1 from its 12")), empty)
    below, caption_columns = ink(contact_sheet("", cells(caption="zoom 3 %")), empty)
    first_row = slice(None, top + grid.cell_height - grid.picture_height)
    assert label_columns.min() == pytest.approx(x, abs=3)
    assert caption_columns.min() == pytest.approx(x, abs=3)
    in_first = detail_columns[right < first_row.stop]
    assert detail_columns.max() <= grid.width - grid.margin
    assert in_first[in_first < x + grid.cell_width + 5].max() == pytest.approx(x + grid.cell_width - 1, abs=1)
    baselines = [rows[rows < first_row.stop].max() for rows in (left, right)]
    assert baselines[0] == pytest.approx(baselines[1], abs=1)
    assert below.min() > baselines[0]


@pytest.mark.parametrize(
    ("caption", "first"),
    [
        ("warmer tone, " * 5 + "warmer tone", "warmer tone, warmer tone, warmer tone,"),
        ("saturation −6 %, turned by 0.75°, a warmer tone, zoom 3 %", "saturation −6 %, turned by 0.75°,"),
        ("much " * 7 + "warmer, hue +3° at most", "much " * 7 + "warmer,"),
    ],
)
def test_a_caption_is_broken_behind_a_comma_into_two_lines(caption: str, first: str) -> None:
    empty, grid = blank()
    whole, apart = (contact_sheet("", cells(caption=text)) for text in (caption, first))
    x, y = grid.place(0)
    middle = y + grid.picture_height + round(3.4 * grid.text_size)  # between the two lines
    columns = slice(x, x + grid.cell_width)
    assert np.array_equal(whole[:middle, columns], apart[:middle, columns])
    assert not np.array_equal(whole[middle : y + grid.cell_height], empty[middle : y + grid.cell_height])
    assert np.array_equal(apart[middle : y + grid.cell_height], empty[middle : y + grid.cell_height])


def test_a_caption_that_needs_it_has_three_lines() -> None:
    caption = (
        "mirrored, brighter 0.5 EV, contrast +9 %, saturation -25 %, warmer 3 %, treble -2 dB, bass -2 dB"
    )
    whole, without = (
        contact_sheet("", cells(caption=text)) for text in (caption, caption.rpartition(",")[0])
    )
    assert not np.array_equal(whole, without)  # its last words are seen


def test_the_marked_cell_stands_out() -> None:
    empty, grid = blank()
    marked = cells()
    marked[2] = Cell(flat(COLOURS[2]), "", marked=True)
    sheet = contact_sheet("", marked)
    rows, columns = ink(sheet, empty)
    x, y = grid.place(2)
    assert (rows.min(), columns.min()) == (pytest.approx(y, abs=6), pytest.approx(x, abs=6))
    assert tuple(sheet[y - 2, x + 100, :3]) == (255, 172, 64)
    assert len(rows) > 4 * grid.cell_width


@pytest.mark.parametrize(
    "title", ["Clip.mp4", "Ночь на Лысой горе", "夜に駆ける", "أغنية", "🔥 fire", *HOSTILE]
)
def test_the_header_holds_any_title(title: str) -> None:
    empty, grid = blank()
    rows, columns = ink(contact_sheet(title, cells(), subtitle=title), empty)
    assert rows.max() < grid.margin + grid.header
    assert columns.min() >= grid.margin - 2
    assert columns.max() <= grid.width - grid.margin + 2
    assert len(rows) > 300


def test_a_title_that_no_font_can_draw_is_left_out() -> None:
    empty, _ = blank()
    assert np.array_equal(contact_sheet("🔥🔥", cells()), empty)


def test_the_same_cells_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, contact_sheet("Clip", cells("warmer", "6.1", "1")))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert read_image(tmp_path / "a.png").shape[1] == arrange(len(COLOURS), 160 / 90).width


@pytest.mark.parametrize("count", [0, MAX_CELLS + 1])
def test_no_cells_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 1001 cells, not {count}"):
        contact_sheet("", [Cell(flat(COLOURS[0], 2, 2), "")] * count)


def test_a_font_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.ttf").write_bytes(b"no font")
    with pytest.raises(Unreadable, match=r"no\.ttf"):
        contact_sheet("Clip", cells(), fonts=[tmp_path / "no.ttf"])
