"""Reads captions that somebody has written: SubRip (.srt) and WebVTT (.vtt), told apart by what is in them.

Files of strangers are never quite what the formats say, so what players forgive is forgiven: numbers that are
missing, points for commas, hours left out, any usual encoding. Times that are none are not: a caption that is
never seen would be noticed by nobody.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.audio.tags import LONGEST, cleaned
from renderkiln.media.captions import Cue
from renderkiln.media.container import check_readable, shown
from renderkiln.media.errors import Unreadable, Unsuitable

MOST_CUES = 50_000
MOST_BYTES = 10 * 2**20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SNIFF_BYTES = 4096
_SHOWN = 60  # characters of a line in an error

_ARROW = "-->"
_CLOCK = r"(-?)(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")
_BEGINS = re.compile(r"\s*-?\d[\d:.,]*\s*-->")  # meant to be times, whatever they are
_ANY_TAG = re.compile(r"<[^<>]*>")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")  # of ASS, as {\an8}
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


def read_captions(source: Path | str) -> list[Cue]:
    """The cues of a file, or of a text, by when they start; they may overlap. A text may have several lines.

    Styles, positions and notes are left out, and so are cues without a text. Raises Unreadable with the line
    that is wrong, or when there is not one cue, and Unsuitable for more than 10 MiB or 50,000 cues.
    """
    if isinstance(source, str):
        return _cues(source, "the captions")
    check_readable(source)
    if source.stat().st_size > MOST_BYTES:
        raise Unsuitable(f"{shown(source)} is too large for captions: the limit is {MOST_BYTES >> 20} MiB")
    return _cues(_decoded(source), shown(source))


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _by(path, data[len(mark) :], encoding)
    head = data[:_SNIFF_BYTES]
    if b"\0" in head:  # UTF-16 without its mark: in most scripts, every other byte of what is ASCII is zero
        return _by(path, data, "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what old programs write in the West


def _by(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable(f"{shown(path)} is no text: it cannot be read as {encoding.upper()}") from None


@dataclass(frozen=True)
class _Timed:
    """A cue under way: its lines are still as they were written."""

    number: int  # of the line with its times
    start: float
    end: float
    lines: list[str]


def _cues(text: str, name: str) -> list[Cue]:
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    if webvtt := re.match(r"WEBVTT(?:[ \t]|$)", lines[0]) is not None:
        timed, plain = _webvtt(lines, name), _plain_webvtt
    else:
        timed, plain = _subrip(lines, name), _plain_subrip
    cues = []
    for each in timed:
        said = plain("\n".join(each.lines))
        if len(said) >= LONGEST:
            raise Unsuitable(f"{name}, line {each.number}: the caption has {LONGEST:,} characters and more")
        if said:
            cues.append(Cue(each.start, each.end, said))
        if len(cues) > MOST_CUES:
            raise Unsuitable(f"{name} has more than {MOST_CUES:,} captions")
    if not cues:
        kind = "after its heading WEBVTT" if webvtt else "as SRT or WebVTT; an SRT has lines like"
        raise Unreadable(
            f"{name} has no captions {kind}" + ("" if webvtt else " 00:00:01,000 --> 00:00:02,500")
        )
    return sorted(cues, key=lambda cue: (cue.start, cue.end))


def _webvtt(lines: Sequence[str], name: str) -> Iterator[_Timed]:
    """Cues are blocks with an arrow; blocks without one are notes, styles and regions."""
    cue: _Timed | None = None
    for number, line in enumerate(lines, 1):
        if _ARROW in line:
            if cue is not None:
                yield cue
            cue = _Timed(number, *_times(line, number, name), [])
        elif cue is not None and line.strip():
            cue.lines.append(line)
        elif cue is not None:
            yield cue
            cue = None
    if cue is not None:
        yield cue


def _subrip(lines: Sequence[str], name: str) -> Iterator[_Timed]:
    """A cue goes on to the times of the next one: many have empty lines in their texts."""
    cue: _Timed | None = None
    for number, line in enumerate(lines, 1):
        if not _BEGINS.match(line):
            if cue is not None:
                cue.lines.append(line)
            continue
        times = _times(line, number, name)
        if cue is not None:
            if cue.lines and cue.lines[-1].strip().isdecimal():  # the number of the next cue
                cue.lines.pop()
            yield cue
        cue = _Timed(number, *times, [])
    if cue is not None:
        yield cue


def _times(line: str, number: int, name: str) -> tuple[float, float]:
    where = f"{name}, line {number}: {line.strip()[:_SHOWN]!r}"
    match = _TIMES.fullmatch(line)
    if match is None:
        raise Unreadable(f"{where} should be times like 00:00:01,000 --> 00:00:02,500")
    fields = match.groups()
    start, end = (_seconds(fields[at : at + 5]) for at in (0, 5))
    if start is None or end is None:
        raise Unreadable(f"{where} has a time that does not exist: minutes and seconds go to 59")
    if "-" in (fields[0], fields[5]):
        raise Unreadable(f"{where} has a negative time: captions are counted from 0")
    if end < start:
        raise Unreadable(f"{where} ends before it starts")
    return start, end


def _seconds(fields: Sequence[str | None]) -> float | None:
    _, hours, minutes, seconds, fraction = fields
    if int(minutes or 0) > 59 or int(seconds or 0) > 59:
        return None
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000


def _plain_webvtt(text: str) -> str:
    return _tidy(_decoded_entities(_OVERRIDE.sub("", _ANY_TAG.sub("", text))))


def _plain_subrip(text: str) -> str:
    """A < that begins no tag, and an & that begins no entity, is what it is."""
    return _tidy(_decoded_entities(_OVERRIDE.sub("", _TAG.sub("", text))))


def _decoded_entities(text: str) -> str:
    """One by one: as a whole, a number of 5,000 digits would be an error."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in cleaned(text, lines=True).split("\n"))
    return "\n".join(line for line in lines if line)
