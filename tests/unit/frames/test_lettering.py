from __future__ import annotations

import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from renderkiln.media.errors import Unreadable
from renderkiln.media.frames.clusters import graphemes
from renderkiln.media.frames.fonts import font_files, font_fingerprint
from renderkiln.media.frames.lettering import PLAIN, Box, Lettering, Look, Shadow, Stroke, set_lettering

RED, BLACK, BLUE = (255, 0, 0, 255), (0, 0, 0, 255), (0, 0, 255, 255)
FAMILY, GERMANY, KEY = "👨‍👩‍👧‍👦", "🇩🇪", "1️⃣"
LANGUAGES = [
    "Night on Bald Mountain",
    "夜に駆ける — 한국어",
    "أغنية الليل",
    "שלום עולם",
    "स्वर क्षत्रिय",
    "ก็ที่นี่ภาษาไทยน้ำ",
    "தமிழ் বাংলা ქართული Հայերեն",
    f"🔥 {FAMILY} {GERMANY} 👍🏽 {KEY} 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "Äg̃ e\u0301\u0302 ♪",
]
BUSY = Look(
    BLUE, Stroke(BLACK, 5), Shadow((0, 0, 0, 200), 40, -30, 30), Box((9, 9, 9, 99), 10, 8, per_line=True)
)


def lettering(
    text: str, size: float = 40, width: float = 600, height: float = 300, **rest: object
) -> Lettering:
    return set_lettering(text, size=size, width=width, height=height, **rest)  # type: ignore[arg-type]


def placed(setting: Lettering, look: Look = PLAIN, shown: int | None = None, margin: int = 100) -> np.ndarray:
    """The raster where it lies in the block, with a margin around it."""
    pixels, left, top = setting.raster(look, shown)
    height, width = round(setting.height) + 2 * margin, round(setting.width) + 2 * margin
    canvas = np.zeros((height, width, 4), np.uint8)
    canvas[top + margin : top + margin + pixels.shape[0], left + margin : left + margin + pixels.shape[1]] = (
        pixels
    )
    return canvas


def span(mask: np.ndarray, axis: int) -> tuple[int, int]:
    places = np.flatnonzero(mask.any(axis=1 - axis))
    return int(places[0]), int(places[-1]) + 1


@pytest.mark.parametrize("text", LANGUAGES)
def test_every_language_is_set_with_all_its_characters(text: str) -> None:
    setting = lettering(text)
    assert (setting.missing, setting.shortened) == ((), False)
    assert setting.clusters == len(list(graphemes(setting.text)))
    assert (placed(setting)[..., 3] > 0).sum() > 15 * len(text)


@pytest.mark.parametrize("text", [*LANGUAGES, "Zalgo Z" + "\u0301" * 9, "fjƒ Åg\nÅg"])
@pytest.mark.parametrize("look", [Look(), BUSY], ids=["plain", "busy"])
def test_nothing_is_cut_off(text: str, look: Look) -> None:
    setting = lettering(text, line_height=0.7)
    pixels, left, top = setting.raster(look)
    wide = setting._paint(look, None, 400)
    assert wide[400 + top :, 400 + left :][: pixels.shape[0], : pixels.shape[1]].sum() == wide.sum()
    assert pixels.sum() == wide.sum()
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    assert all(edge[..., 3].any() for edge in edges), "it is cropped to what is painted"


def test_it_is_wrapped_then_made_smaller_then_cut() -> None:
    words = "one two three four five six seven eight nine ten eleven twelve "
    wrapped = lettering(words, height=100)
    assert (wrapped.lines, wrapped.size, wrapped.shortened) == (2, 40, False)
    smaller = lettering(words, width=400, height=100)
    assert 24 < smaller.size < 40
    assert (smaller.shortened, smaller.text) == (False, words.strip())
    cut = lettering(words * 4, width=400, height=100, min_size=20)
    assert (cut.size, cut.shortened, cut.lines) == (20, True, 4)
    assert cut.text.endswith("…")
    assert cut.text[:-1] in words * 4
    assert lettering(words, max_lines=1, width=2000).lines == 1


def test_the_block_is_as_wide_as_its_longest_line_and_lines_are_aligned_in_it() -> None:
    for align, at in (("start", 0.0), ("center", 0.5), ("end", 1.0)):
        setting = lettering("A long line\nshort", align=align)
        first, second = (span(half, 1) for half in np.vsplit(placed(setting, margin=0)[..., 3] > 0, 2))
        assert first == pytest.approx((0, setting.width), abs=4)
        assert second[0] == pytest.approx(at * (setting.width - (second[1] - second[0])), abs=4)


def test_blank_lines_are_kept_and_each_line_has_its_direction() -> None:
    setting = lettering("\nשלום\n\nnorth\r\n ")
    assert setting.text == "שלום\n\nnorth"
    assert (setting.lines, setting.height, setting.right_to_left) == (3, 150, True)
    rows = np.array_split(placed(lettering("שלום\n\nnorth by north west"), margin=0)[..., 3] > 0, 3)
    assert span(rows[0], 1)[0] > 200, "Hebrew begins at the right"
    assert not rows[1].any()
    assert span(rows[2], 1)[0] < 8


def test_short_texts_are_balanced_and_long_ones_fill_their_lines() -> None:
    title = lettering("a lonely last word must not stand alone", width=500)
    first, second = (np.ptp(span(half, 1)) for half in np.vsplit(placed(title, margin=0)[..., 3] > 0, 2))
    assert second > 0.7 * first
    assert lettering("word " * 80, height=2000).width > 500


def test_an_outline_is_as_thick_as_asked_and_behind_the_letters() -> None:
    setting = lettering("———", size=200)
    letters, outlined = placed(setting), placed(setting, Look(stroke=Stroke(RED, 12)))
    for axis in (0, 1):
        inner, outer = span(letters[..., 3] > 127, axis), span(outlined[..., 3] > 127, axis)
        assert outer == pytest.approx((inner[0] - 12, inner[1] + 12), abs=1)
    full = letters[..., 3] == 255
    assert np.array_equal(outlined[full], letters[full])


def test_a_shadow_is_the_letters_moved() -> None:
    setting = lettering("Shadow 🔥")
    letters, with_shadow = placed(setting), placed(setting, Look(shadow=Shadow(RED, 30, -50)))
    moved = np.roll(letters[..., 3], (-50, 30), axis=(0, 1))
    free = letters[..., 3] == 0
    assert np.array_equal(with_shadow[..., 3][free], moved[free])
    assert (with_shadow[..., :3][free & (moved == 255)] == (255, 0, 0)).all()
    assert np.array_equal(with_shadow[letters[..., 3] == 255], letters[letters[..., 3] == 255])


def test_a_blurred_shadow_is_soft_and_as_dark_in_sum() -> None:
    setting = lettering("Shadow")
    letters, hard, soft = (
        placed(setting, look, margin=200)[..., 3].astype(int)
        for look in (Look(), Look(shadow=Shadow(BLACK, 0, 90)), Look(shadow=Shadow(BLACK, 0, 90, 20)))
    )
    shade, blurred = hard - letters, soft - letters
    assert blurred.max() < 200 < shade.max()
    assert blurred.sum() == pytest.approx(shade.sum(), rel=0.03)
    rows = np.arange(len(shade))
    centres = [np.average(rows, weights=each.sum(axis=1)) for each in (shade, blurred)]
    spreads = [np.average((rows - centres[0]) ** 2, weights=each.sum(axis=1)) for each in (shade, blurred)]
    assert centres[0] == pytest.approx(centres[1], abs=0.3)
    assert spreads[1] - spreads[0] == pytest.approx(10**2, rel=0.1), "its variance: blur / 2, squared"


def test_a_box_is_the_block_and_its_padding() -> None:
    setting = lettering("One line and\nanother")
    pixels, left, top = setting.raster(Look(box=Box((10, 20, 30, 255), padding=24)))
    assert (left, top) == (-24, -24)
    assert pixels.shape == (setting.height + 48, setting.width + 48, 4)
    assert (pixels[0] == (10, 20, 30, 255)).all()
    rounded, _, _ = setting.raster(Look(box=Box((10, 20, 30, 255), padding=24, radius=30)))
    assert rounded[5, 5, 3] == 0
    assert rounded[60, 0, 3] == 255


def test_boxes_of_lines_are_as_wide_as_their_lines_and_do_not_add_up() -> None:
    lines = ["One longer line", "short", "والعربية"]
    setting = lettering("\n".join(lines), align="center")
    boxes = placed(setting, Look((0, 0, 0, 0), box=Box((0, 0, 0, 100), 10, per_line=True)))[..., 3]
    assert set(np.unique(boxes)) == {0, 100}
    for number, line in enumerate(lines):
        row = boxes[100 + round((number + 0.5) * setting.height / 3)]
        left, right = span(row[None] > 0, 1)
        alone = lettering(line)
        assert right - left == pytest.approx(alone.width + 20, abs=2)
        assert left + right == pytest.approx(200 + setting.width, abs=2)
    assert span(boxes > 0, 0) == (90, 110 + setting.height)


def test_the_first_letter_of_hebrew_is_at_the_right() -> None:
    setting = lettering("שלום abc")
    left, _ = span(placed(setting, shown=1, margin=0)[..., 3] > 0, 1)
    assert setting.right_to_left
    assert left > 0.8 * setting.width


def test_emoji_have_their_own_colours() -> None:
    pixels = placed(lettering(GERMANY, size=100))
    pixels = pixels[pixels[..., 3] == 255][:, :3].astype(int)
    for colour in ((0, 0, 0), (238, 20, 20), (255, 205, 0)):
        assert (np.abs(pixels - colour).max(axis=1) < 45).mean() > 0.15
    for text in (FAMILY, "👍🏽", "1️⃣", "❤️", "☺️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "⭐"):
        single = lettering(text)
        assert (single.clusters, single.missing) == (1, ())
        assert single.width < 1.5 * single.size, "one picture, not its parts"


EMOJI = ["1\ufe0f\u20e3", "☺\ufe0f", "❤\ufe0f", "⌚", "⚓", "🔥"]
LETTERS = ["1", "#*", "☺", "❤", "❤\ufe0e", "⚓\ufe0e", "©"]


@pytest.mark.parametrize(
    ("text", "emoji"), [*((text, True) for text in EMOJI), *((text, False) for text in LETTERS)]
)
def test_what_comes_as_an_emoji(text: str, emoji: bool) -> None:
    pixels, _, _ = lettering(text, size=100).raster(Look(color=(255, 255, 255, 255)))
    assert (np.ptp(pixels[..., :3], axis=2).max() > 60) == emoji


def test_opacity_is_the_emojis_too_and_an_outline_does_not_paint_them_twice() -> None:
    for look in (Look((255, 255, 255, 100)), Look((255, 255, 255, 100), Stroke(RED, 4))):
        assert lettering("🔥").raster(look)[0][..., 3].max() == 100


@pytest.mark.parametrize("n", [0, 1, 5, 9])
def test_typed_letters_are_those_of_the_beginning(n: int) -> None:
    text = "Typed 🔥 in\nlines"
    setting, beginning = lettering(text), lettering(text[:n] or " ")
    typed = placed(setting, shown=n)
    right = 104 + round(beginning.width)
    assert np.array_equal(typed[:150, :right], placed(beginning)[:150, :right])
    assert not typed[160:].any()
    assert not typed[:, right:].any()
    assert np.array_equal(placed(setting, shown=setting.clusters), placed(setting))


@pytest.mark.parametrize("text", ["أغنية الليل", "क्षत्रिय स्वर", "夜🔥に駆ける", "two\n\nشمس lines"])
def test_typing_moves_nothing(text: str) -> None:
    setting = lettering(text, width=300)
    full, before = placed(setting, BUSY)[..., 3], np.zeros(1)
    plain = placed(setting).astype(int)
    for n in range(setting.clusters + 1):
        typed = placed(setting, shown=n).astype(int)
        solid = typed[..., 3] == 255
        assert (np.abs(typed - plain)[solid] <= 2).all()
        assert solid.sum() >= before.sum()
        before = solid
    assert np.array_equal(typed, plain)
    assert full.any()


def test_a_line_break_is_typed_too() -> None:
    setting = lettering("ab\ncd")
    inks = [int(placed(setting, shown=n)[..., 3].sum()) for n in range(setting.clusters + 1)]
    assert setting.clusters == 5
    assert inks[0] < inks[1] < inks[2] == inks[3] < inks[4] < inks[5]


def test_boxes_of_lines_grow_with_what_is_typed() -> None:
    setting = lettering("first\nsecond")
    boxes = Look(box=Box(BLACK, per_line=True))
    assert span(placed(setting, boxes, 3)[..., 3] > 0, 0) == (100, 150)
    assert setting.raster(boxes, 0)[0].shape == (1, 1, 4)
    assert setting.raster(Look(box=Box(BLACK)), 0)[0].shape == (setting.height, setting.width, 4)


def test_characters_without_a_glyph_are_named_and_left_out() -> None:
    setting = lettering("Cuneiform 𒀀 and 🔥\ud800 夜\u0363")
    assert (setting.missing, setting.text) == (("𒀀", "\u0363"), "Cuneiform and 🔥 夜")
    assert np.array_equal(placed(setting), placed(lettering("Cuneiform and 🔥 夜")))


@pytest.mark.parametrize("text", ["", "  \n\t\x00\n", "𒀀", "\u200d", "\ufe0f", "\U000e0067"])
def test_text_without_anything_to_draw_is_empty(text: str) -> None:
    setting = lettering(text)
    assert (setting.text, setting.lines, setting.clusters, setting.width) == ("", 0, 0, 0.0)
    pixels, left, top = setting.raster(BUSY)
    assert (int(pixels.sum()), pixels.shape, left, top) == (0, (1, 1, 4), 0, 0)


def test_small_kana_do_not_begin_a_line() -> None:
    assert lettering("あいうえにや" * 5, width=202).lines == 6, "five to a line"
    assert lettering("あいうえニャ" * 5, width=202, height=400).lines == 7


@pytest.mark.parametrize("content", [b"", b"no font", b"\0\1\0\0" + bytes(4000)])
def test_what_is_not_a_font_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "brand.ttf").write_bytes(content)
    with pytest.raises(Unreadable, match=r"brand\.ttf"):
        lettering("x", fonts=[tmp_path / "brand.ttf"])


def test_own_fonts_come_first_but_not_for_emoji() -> None:
    noto = next(path for path in font_files() if path.name.startswith("NotoSans["))
    default, own = (placed(lettering("Rag", fonts=fonts)) for fonts in ((), (noto,)))
    assert default.shape != own.shape or not np.array_equal(default, own)
    assert np.array_equal(lettering("🔥", fonts=[noto]).raster()[0], lettering("🔥").raster()[0])
    assert any("Emoji" in path.name for path in font_files()), "its file is part of the fingerprint"
    assert font_fingerprint() != font_fingerprint([noto])


@pytest.mark.parametrize("text", ["Weight", "שלום", "বাংলা"])
def test_weight_is_the_fonts_own(text: str) -> None:
    thin, bold = (lettering(text, weight=weight) for weight in (200, 800))
    assert (placed(bold)[..., 3] > 127).sum() > 1.3 * (placed(thin)[..., 3] > 127).sum()


@pytest.mark.parametrize(
    "text", ["word " * 2000, "W" * 10_000, "夜に駆ける" * 2000, "a\n" * 5000, "e" + "\u0301" * 9999]
)
def test_ten_thousand_characters_are_no_trouble(text: str) -> None:
    began = time.thread_time()
    setting = lettering(text)
    assert time.thread_time() - began < 3, "a fifth of it where nothing else runs"
    assert setting.height <= 300
    assert setting.shortened or len(setting.text) < 10


def test_a_million_characters_neither() -> None:
    assert lettering("word " * 200_000).shortened


def test_threads_do_not_disturb_each_other() -> None:
    def draw(number: int) -> np.ndarray:
        text = LANGUAGES[number % len(LANGUAGES)]
        return placed(
            lettering(text, 30 + number % 3, 200 + 40 * (number % 4), weight=400 + 100 * (number % 3)), BUSY
        )

    expected = [draw(number) for number in range(18)]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(2):
            assert all(map(np.array_equal, threads.map(draw, range(18)), expected))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(40, 200), st.integers(30, 120))
@example("0000!0000000 0", 88, 60)
@example("\u0600\n\u200d0\ufe0f", 40, 30)
@example("👩‍" * 30, 60, 40)
@example("🔥\u0301\u20e3", 60, 40)
def test_any_text_fits(text: str, width: int, height: int) -> None:
    setting = set_lettering(text, width=width, height=height, size=20)
    assert setting.height <= height
    assert setting.width <= width
    setting.raster(BUSY, setting.clusters // 2)
    if not setting.shortened:
        composed = set(unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode()))
        marked = {c for c in composed if unicodedata.category(c)[0] in "CZM"}
        assert composed - marked <= set(setting.text) | set(setting.missing)


@pytest.mark.parametrize(("size", "line_height"), [(0.1, 1.2), (1, 0.7)])
def test_letters_too_small_to_be_seen_are_set_all_the_same(size: float, line_height: float) -> None:
    assert lettering("Hello world", size, line_height=line_height).text == "Hello world"
