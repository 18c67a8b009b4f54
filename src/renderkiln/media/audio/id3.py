"""ID3v2.3 tags: of all versions the one that every player and file manager reads (id3.org/id3v2.3.0)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from renderkiln.media.audio.tags import Chapter, Cover, Tags

_TEXTS = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "genre": "TCON"}
_DATE = re.compile(r"(\d{4})(?:-(\d\d)-(\d\d))?")
_NO_OFFSET = 0xFFFFFFFF  # chapters are given by time, not by bytes
_TOP_LEVEL_ORDERED = 3
_FRONT_COVER = b"\x03"


def id3(tags: Tags, cover: Cover | None = None) -> bytes:
    """The whole tag, to stand before the first frame; empty when there is nothing to say."""
    body = b"".join(_frames(tags, cover))
    size = len(body)
    seven_bits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + seven_bits + body if body else b""


def _frames(tags: Tags, cover: Cover | None) -> Iterator[bytes]:
    values = tags.values()
    for name, id_ in _TEXTS.items():
        if name in values:
            yield _text_frame(id_, values[name])
    if "date" in values:
        yield from _date(values["date"])
    if tags.language_code() != "und":
        yield _text_frame("TLAN", tags.language_code())
    if "comment" in values:
        comment = values["comment"]
        yield _frame("COMM", _encoded(comment, tags.language_code().encode(), "", comment))
    yield from _chapters(list(tags.clean_chapters()))
    if cover is not None:
        yield _frame("APIC", b"\0" + cover.content_type.encode() + b"\0" + _FRONT_COVER + b"\0" + cover.data)


def _date(date: str) -> Iterator[bytes]:
    """Year, and day with month, are two frames in this version; what is no date is kept as a free text."""
    match = _DATE.match(date)
    if match is None:
        yield _frame("TXXX", _encoded(date, b"", "date", date))
        return
    yield _text_frame("TYER", match[1])
    if match[2]:
        yield _text_frame("TDAT", match[3] + match[2])


def _chapters(chapters: list[Chapter]) -> Iterator[bytes]:
    """CTOC and CHAP (id3.org, ID3v2 Chapter Frame Addendum), times in milliseconds."""
    if not chapters:
        return
    names = [f"chp{number}".encode() + b"\0" for number in range(len(chapters))]
    yield _frame("CTOC", b"toc\0" + bytes([_TOP_LEVEL_ORDERED, len(names)]) + b"".join(names))
    for name, chapter in zip(names, chapters, strict=True):
        times = round(chapter.start * 1000), round(chapter.end * 1000)
        place = struct.pack(">4I", *times, _NO_OFFSET, _NO_OFFSET)
        yield _frame("CHAP", name + place + _text_frame("TIT2", chapter.title))


def _text_frame(id_: str, text: str) -> bytes:
    return _frame(id_, _encoded(text, b"", text))


def _encoded(probe: str, language: bytes, *texts: str) -> bytes:
    """Encoding, language if any, texts with terminators between them: ASCII if `probe` is, else UTF-16."""
    if probe.isascii():
        return b"\0" + language + b"\0".join(text.encode("ascii") for text in texts)
    return b"\1" + language + b"\0\0".join(b"\xff\xfe" + text.encode("utf-16-le") for text in texts)


def _frame(id_: str, body: bytes) -> bytes:
    return id_.encode() + struct.pack(">IH", len(body), 0) + body
