from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from renderkiln.media.errors import Unreadable
from renderkiln.media.frames.clusters import graphemes
from renderkiln.media.frames.fonts import font_files, font_fingerprint
from renderkiln.media.frames.text import TextBlock, lay_out

LANGUAGES = [
    "Night on Bald Mountain",
    "Ночь на Лысой горе",
    "Νύχτα στο βουνό",
    "夜に駆ける — YOASOBI",
    "한국어 노래",
    "أغنية الليل",
    "स्वर क्षत्रिय",
    "ก็ที่นี่ภาษาไทยน้ำ",
    "Đêm thành phố đầy sao",
    "e\u0301\u0302 combined",
]


def ink(block: TextBlock) -> np.ndarray:
    return block.raster()[..., 3] > 0


@pytest.mark.parametrize("text", LANGUAGES)
def test_every_language_is_set_with_all_its_characters(text: str) -> None:
    block = lay_out(text, width=600, size=40)
    assert block.missing == ()
    assert ink(block).sum() > 20 * len(text)


def test_text_that_is_too_long_is_wrapped_then_made_smaller_then_cut() -> None:
    words = "one two three four five six seven eight nine ten eleven twelve "
    wrapped = lay_out(words, width=620, size=40, max_lines=2)
    assert (wrapped.lines, wrapped.size, wrapped.shortened) == (2, 40, False)
    smaller = lay_out(words, width=500, size=40, max_lines=2)
    assert 24 < smaller.size < 40
    assert not smaller.shortened
    cut = lay_out(words * 4, width=500, size=40, max_lines=2)
    assert cut.size == 24
    assert cut.lines == 2
    assert cut.shortened
    assert cut.text.endswith("…")


@pytest.mark.parametrize("text", ["W" * 200, "夜" * 200, "long words " * 18, "لا" * 100, "ก็" * 100])
@pytest.mark.parametrize("max_lines", [1, 2])
def test_nothing_overflows(text: str, max_lines: int) -> None:
    block = lay_out(text, width=300, size=30, max_lines=max_lines, weight=600)
    assert block.lines <= max_lines
    assert block.width <= 300
    margin = 30
    columns = np.flatnonzero(ink(block).any(axis=0)) - round(block.size)
    assert columns.max() <= 300 + margin * 0.15, "a glyph's edge may touch the margin, a glyph may not"


def test_lines_are_balanced() -> None:
    block = lay_out("a lonely last word must not stand alone on a line", width=640, size=30, max_lines=2)
    rows = ink(block)
    middle = round(block.size + block.height / 2)
    first, second = (np.ptp(np.flatnonzero(line.any(axis=0))) for line in (rows[:middle], rows[middle:]))
    assert second > 0.6 * first


@pytest.mark.parametrize("text", ["", "   ", "\n\t\x00", "🎵", "👨‍👩‍👧 🇩🇪"])
def test_text_without_anything_to_draw_is_empty(text: str) -> None:
    block = lay_out(text, width=300, size=30)
    assert (block.text, block.lines, block.width, block.height) == ("", 0, 0.0, 0.0)
    assert not ink(block).any()


def test_characters_without_a_glyph_are_named_and_left_out() -> None:
    block = lay_out("Embers 🔥 burn 👩‍🚀!", width=600, size=40)
    assert block.missing == ("🔥", "👩", "🚀")
    assert block.text == "Embers burn !"
    assert np.array_equal(block.raster(), lay_out("Embers burn !", width=600, size=40).raster())


def test_fonts_of_the_system_are_not_consulted() -> None:
    assert lay_out("𒀀𒀁", width=300, size=30).missing == tuple("𒀀𒀁")


def test_controls_overrides_and_surrogates_do_no_harm() -> None:
    block = lay_out("one\r\n\ttwo\x1b[31m \u202ethree\ud800\u2029four", width=900, size=30)
    assert block.text == "one two [31m three four"


def test_decomposed_and_composed_text_look_the_same() -> None:
    one, other = (lay_out(text, width=300, size=30).raster() for text in ("Café", "Cafe\u0301"))
    assert np.array_equal(one, other)


def test_marks_piled_up_stay_near_their_line() -> None:
    block = lay_out("Z" + "\u0301\u0323" * 40, width=300, size=30)
    rows = np.flatnonzero(ink(block).any(axis=1))
    assert rows.min() > 0
    assert rows.max() < ink(block).shape[0] - 1


def test_arabic_letters_join_and_run_from_the_right() -> None:
    block = lay_out("ليل abc", width=400, size=40)
    assert block.right_to_left
    latin = ink(lay_out("abc", width=400, size=40))
    first, last = np.flatnonzero(latin.any(axis=0))[[0, -1]]
    start = np.flatnonzero(ink(block).any(axis=0))[0]
    leftmost = ink(block)[:, start : start + last - first + 1]
    alike = (leftmost == latin[:, first : last + 1]).mean()
    assert alike > 0.95, "abc stands on the left"
    joined = lay_out("ليل", width=400, size=40).width
    assert joined < 0.9 * sum(lay_out(letter, width=400, size=40).width for letter in "ليل")


def test_weight_is_the_fonts_own() -> None:
    thin, bold = (lay_out("Weight", width=400, size=40, weight=w) for w in (200, 800))
    assert ink(bold).sum() > 1.4 * ink(thin).sum()
    assert bold.width > thin.width + 4, "a true bold is wider; emboldened outlines are not"


def test_own_fonts_come_first() -> None:
    noto = next(path for path in font_files() if path.name.startswith("NotoSans["))
    default, own = lay_out("Rag", width=300, size=40), lay_out("Rag", width=300, size=40, fonts=[noto])
    assert not np.array_equal(default.raster(), own.raster())
    assert font_fingerprint() != font_fingerprint([noto])
    assert font_fingerprint() == font_fingerprint()


def test_what_is_not_a_font_is_refused() -> None:
    with pytest.raises(Unreadable, match="not a readable font"):
        lay_out("x", width=300, size=40, fonts=[Path(__file__)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301a", ["e\u0301", "a"]),
        ("👨‍👩‍👧x", ["👨‍👩‍👧", "x"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👍🏽!", ["👍🏽", "!"]),
        ("क्षि", ["क्षि"]),
        ("น้ำ", ["น้ำ"]),
    ],
)
def test_graphemes(text: str, expected: list[str]) -> None:
    assert list(graphemes(text)) == expected


@given(st.text(max_size=40))
def test_graphemes_lose_nothing(text: str) -> None:
    assert "".join(graphemes(text)) == text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.integers(1, 3))
@example("0000!0000000 0", 2)
def test_any_text_fits(text: str, max_lines: int) -> None:
    block = lay_out(text, width=160, size=20, max_lines=max_lines)
    assert block.width <= 160
    assert block.lines <= max_lines
