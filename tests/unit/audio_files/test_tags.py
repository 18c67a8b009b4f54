"""What strangers write into tags, made harmless; ID3 and the Info frame byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderkiln.media.audio.crc import crc16
from renderkiln.media.audio.encodings import CONTAINERS, FORMATS, QUALITIES, encoding
from renderkiln.media.audio.id3 import id3
from renderkiln.media.audio.mp3 import info_frame
from renderkiln.media.audio.tags import Chapter, Tags, cleaned, read_cover
from renderkiln.media.errors import Unreadable, Unsuitable


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\x00b\x1b[31m", "ab[31m"),
        ("one\r\ntwo\u2028three", "one two three"),
        ("\ud83d\ude00 \ud800", "😀 \ufffd"),  # a pair of surrogates is a character, a lone one is none
        ("\u200fשלום\u200f 日本 👩\u200d👧", "\u200fשלום\u200f 日本 👩\u200d👧"),
        ("  \t ", ""),
    ],
)
def test_a_text_is_cleaned(dirty: str, clean: str) -> None:
    assert cleaned(dirty) == clean


def test_a_comment_keeps_its_lines_and_everything_is_cut_at_ten_thousand() -> None:
    assert Tags(comment="a\r\nb\x00").values() == {"comment": "a\nb"}
    assert len(cleaned("x" * 20_000)) == 10_000


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("en", "eng"),
        ("de-AT", "deu"),
        ("pt_BR", "por"),
        ("fra", "fra"),
        ("", "und"),
        ("x\x00", "und"),
        ("日本語", "und"),
    ],
)
def test_languages_are_three_letters(given: str, code: str) -> None:
    assert Tags(language=given).language_code() == code


def test_chapters_are_put_in_order() -> None:
    tags = Tags(chapters=(Chapter(5, 4, "b\nb"), Chapter(-1, 5, "")))
    assert list(tags.clean_chapters()) == [Chapter(0, 5, "Chapter 1"), Chapter(5, 5, "b b")]
    assert len(list(Tags(chapters=(Chapter(0, 1, "x"),) * 300).clean_chapters())) == 255


def test_an_ascii_tag_byte_by_byte() -> None:
    assert id3(Tags(title="Calm", date="2026-03-04")) == (
        b"ID3\x03\x00\x00\x00\x00\x00\x2d"
        b"TIT2\x00\x00\x00\x05\x00\x00\x00Calm"
        b"TYER\x00\x00\x00\x05\x00\x00\x002026"
        b"TDAT\x00\x00\x00\x05\x00\x00\x000403"
    )


def test_other_scripts_are_utf_16_with_its_mark() -> None:
    assert id3(Tags(comment="é", language="fr")).endswith(
        b"COMM\x00\x00\x00\x0c\x00\x00\x01fra\xff\xfe\x00\x00\xff\xfe\xe9\x00"
    )
    assert b"TXXX\x00\x00\x00\x10\x00\x00\x00date\x00yesterday!" in id3(Tags(date="yesterday!"))


def test_no_tags_are_no_bytes() -> None:
    assert id3(Tags()) == b""


def test_the_checksum_is_crc_16_arc() -> None:
    assert crc16(b"123456789") == 0xBB3D  # the catalogue's check value
    assert crc16(b"456789", crc16(b"123")) == 0xBB3D
    assert crc16(b"") == 0


def test_the_info_frame_says_what_was_encoded() -> None:
    frame = info_frame(b"\xff\xfb\xb4\x04", 192, samples=144_777, audio_bytes=127 * 576, audio_crc=0x1234)
    assert len(frame) == 576
    assert frame[36:40] == b"Info"
    assert int.from_bytes(frame[44:48], "big") == 127
    assert int.from_bytes(frame[48:52], "big") == 128 * 576
    assert frame[156:165] == b"LAME3.100"
    delays = int.from_bytes(frame[177:180], "big")
    assert (delays >> 12, delays & 0xFFF) == (576, 127 * 1152 - 576 - 144_777)
    assert frame[188:190] == b"\x12\x34"
    assert int.from_bytes(frame[190:192], "big") == crc16(frame[:190])


def test_a_cover_must_be_a_picture(tmp_path: Path) -> None:
    for name, data, error in (
        ("text.png", b"hello", Unsuitable),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0", Unreadable),
        ("cut.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF", Unreadable),
        ("loop.jpg", b"\xff\xd8\xff\xe0\x00\x00" * 10, Unreadable),
        ("empty.png", b"", Unreadable),
        ("huge.png", bytes((8 << 20) + 1), Unsuitable),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(error, match=r"cover|empty"):
            read_cover(tmp_path / name)
    with pytest.raises(Unreadable, match="does not exist"):
        read_cover(tmp_path / "none.png")


def test_the_table_is_complete() -> None:
    for format in FORMATS:
        assert CONTAINERS[format].content_type.startswith("audio/")
        rates = [encoding(format, quality).kbps or encoding(format, quality).bits for quality in QUALITIES]
        assert rates == sorted(rates)
        assert rates[0] > 0


def test_lame_scales_by_a_round_factor() -> None:
    """LAME's own table of scales; if this changes, so must what is given to it."""
    factors = [10 ** (-encoding("mp3", quality).attenuation_db / 20) for quality in QUALITIES[:2]]
    assert factors == pytest.approx([0.95, 0.97], abs=1e-4)
