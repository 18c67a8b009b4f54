"""What a file says about itself: title, artist, chapters, cover. Every value is a stranger's."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.container import check_readable, shown
from renderkiln.media.errors import Unreadable, Unsuitable

LONGEST = 10_000  # characters of a value; what is beyond is cut off
MAX_CHAPTERS = 255  # as many as the table of contents of ID3 can hold
MAX_COVER_BYTES = 8 << 20
_LONGEST_CHAPTER = 60  # characters: the chapter list of mp4 holds 255 bytes each
_FRONT_COVER = 3  # the picture's kind, in ID3 and FLAC alike
# ISO 639-1 to 639-2/T, which ID3 and mp4 want, of the languages that speech is usually made in
_CODES = """
    ar-ara bg-bul bn-ben ca-cat cs-ces cy-cym da-dan de-deu el-ell en-eng es-spa et-est eu-eus fa-fas fi-fin
    fr-fra ga-gle gl-glg gu-guj he-heb hi-hin hr-hrv hu-hun hy-hye id-ind is-isl it-ita ja-jpn ka-kat kn-kan
    ko-kor lt-lit lv-lav mk-mkd ml-mal mr-mar ms-msa nb-nob ne-nep nl-nld no-nor pa-pan pl-pol pt-por ro-ron
    ru-rus sk-slk sl-slv sq-sqi sr-srp sv-swe sw-swa ta-tam te-tel th-tha tr-tur uk-ukr ur-urd vi-vie zh-zho
"""
_LANGUAGES = {pair[:2]: pair[3:] for pair in _CODES.split()}


@dataclass(frozen=True)
class Chapter:
    """A named stretch of the track, in seconds."""

    start: float
    end: float
    title: str


@dataclass(frozen=True)
class Tags:
    """What to write into a file; what is empty is left out.

    `date` is a year or an ISO date, `language` an ISO 639 code or a tag that begins with one (`de-AT`),
    `cover` a JPEG or PNG file. WAV holds neither chapters nor cover.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    date: str = ""
    comment: str = ""
    language: str = ""
    chapters: tuple[Chapter, ...] = ()
    cover: Path | None = None

    def values(self) -> dict[str, str]:
        """The texts that are not empty, cleaned; only the comment keeps its line breaks."""
        names = ("title", "artist", "album", "genre", "date", "comment")
        texts = {name: cleaned(getattr(self, name), lines=name == "comment") for name in names}
        return {name: text for name, text in texts.items() if text}

    def language_code(self) -> str:
        """Three letters of ISO 639-2; `und` when it is unknown or not given."""
        code = self.language.replace("_", "-").split("-")[0].lower()
        if len(code) == 3 and code.isascii() and code.isalpha():
            return code
        return _LANGUAGES.get(code, "und")

    def clean_chapters(self) -> Iterator[Chapter]:
        """In order of time, with clean titles, ends not before starts, 255 at most."""
        for number, chapter in enumerate(sorted(self.chapters, key=lambda c: c.start)[:MAX_CHAPTERS], 1):
            start = max(0.0, chapter.start)
            title = cleaned(chapter.title)[:_LONGEST_CHAPTER].rstrip() or f"Chapter {number}"
            yield Chapter(start, max(start, chapter.end), title)


@dataclass(frozen=True)
class Cover:
    """A picture as it is embedded: the file's own bytes."""

    data: bytes
    content_type: str
    width: int
    height: int

    @property
    def codec(self) -> str:
        """FFmpeg's name for it."""
        return "png" if self.content_type == "image/png" else "mjpeg"

    def flac_block(self) -> bytes:
        """The body of FLAC's picture block (RFC 9639, 8.8), which Vorbis comments carry in base64."""
        mime = self.content_type.encode()
        head = struct.pack(">II", _FRONT_COVER, len(mime)) + mime + struct.pack(">I", 0)
        return head + struct.pack(">5I", self.width, self.height, 24, 0, len(self.data)) + self.data


def read_cover(path: Path) -> Cover:
    """The picture at `path`. Raises Unreadable; Unsuitable unless it is a JPEG or PNG of at most 8 MiB."""
    check_readable(path)
    with path.open("rb") as file:
        data = file.read(MAX_COVER_BYTES + 1)
    if len(data) > MAX_COVER_BYTES:
        raise Unsuitable(
            f"the cover {shown(path)} is larger than {MAX_COVER_BYTES >> 20} MiB; use a smaller one"
        )
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return Cover(data, "image/png", *struct.unpack(">II", data[16:24]))
        if data.startswith(b"\xff\xd8\xff"):
            return Cover(data, "image/jpeg", *_jpeg_size(data))
    except (struct.error, IndexError):
        raise Unreadable(f"the cover {shown(path)} is damaged or cut short") from None
    raise Unsuitable(f"the cover {shown(path)} is neither JPEG nor PNG; convert it to one of them")


def cleaned(text: str, *, lines: bool = False) -> str:
    """Text that any format can hold: no control characters, no lone surrogates, at most `LONGEST` characters.

    Unless `lines` are wanted, line breaks become spaces.
    """
    whole = text[:LONGEST].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    broken = "\n".join(whole.splitlines()) if lines else " ".join(whole.split())
    return "".join(c for c in broken if c == "\n" or unicodedata.category(c) != "Cc").strip()


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height from the frame header. Raises IndexError or struct.error when there is none."""
    at = 2
    while True:
        marker, length = struct.unpack(">xBH", data[at : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
