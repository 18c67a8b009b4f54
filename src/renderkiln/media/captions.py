"""Captions from timed words: readable cues, written as SubRip (.srt) or WebVTT (.vtt).

The limits are those on which the subtitle guidelines of the BBC and of Netflix agree more or less.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from renderkiln.media.audio.tags import cleaned

LINES = 2
LINE_LENGTH, CJK_LINE_LENGTH = 42, 16
MIN_SECONDS, MAX_SECONDS = 1.0, 7.0
CHARACTERS_PER_SECOND = 20.0
GAP = 0.08  # seconds, two frames: the eye sees that the text has changed
_PAUSE = 1.5  # seconds of silence that end a cue
_SHORTEST = 0.01  # seconds, where words come at once
_SENTENCE_END = tuple(".!?…。！？｡؟۔।")
_CLAUSE_END = (*_SENTENCE_END, *",;:–—、，；：،؛")
_CLOSING = "\"'”’»)]}）」』】〉》"
_NEVER_FIRST = (
    frozenset(_CLOSING)
    | frozenset("".join(_CLAUSE_END))
    | frozenset("ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々")
)
_CJK = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff]")
_STYLE = re.compile(r"<(?=[A-Za-z/])")


@dataclass(frozen=True)
class Cue:
    """A text and when it is said or shown, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class _Piece:
    """A word, or a character of a script without spaces."""

    start: float
    end: float
    text: str
    spaced: bool  # a space stands before it


def cues_of(words: Sequence[Cue]) -> list[Cue]:
    """Group timed words or whole sentences into cues of at most two lines.

    A cue ends with its sentence, at a pause, or where the next word would be too much; then at its last comma
    if that is not far back. Cues never overlap. Where the next one leaves room they stay for a second at
    least, and until they can be read. The time of a sentence is shared out to its words by their lengths.
    """
    pieces = [piece for word in sorted(words, key=lambda w: (w.start, w.end)) for piece in _pieces(word)]
    return _timed([Cue(group[0].start, group[-1].end, _joined(group)) for group in _groups(pieces)])


def srt(cues: Sequence[Cue]) -> str:
    """SubRip. It has no escapes: an arrow becomes →, and what would begin a style ‹."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_srt_text(cue.text)}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT (W3C). `&`, `<` and `>` are escaped, and arrows with them."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_vtt_text(cue.text)}\n\n" for cue in cues
    )


def _pieces(word: Cue) -> Iterator[_Piece]:
    """The words of a text, each with its share of the time; scripts without spaces by characters."""
    texts = [(part, i == 0) for token in cleaned(word.text).split() for i, part in enumerate(_parts(token))]
    total = sum(len(text) for text, _ in texts)
    span, done = max(0.0, word.end - word.start), 0
    for text, spaced in texts:
        start = word.start + span * done / total
        done += len(text)
        yield _Piece(start, word.start + span * done / total, text, spaced)


def _parts(token: str) -> Iterator[str]:
    """A token where it may be broken: between CJK characters, and where it would fill more than a line."""
    begin = 0
    for at in range(1, len(token)):
        if unicodedata.combining(token[at]) or unicodedata.category(token[at]) == "Cf":
            continue
        too_long = _width(token[begin:at]) + _width(token[at]) > LINE_LENGTH
        if too_long or _breaks_between(token[at - 1], token[at]):
            yield token[begin:at]
            begin = at
    yield token[begin:]


def _groups(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    for piece in pieces:
        if group and _must_end(group, piece):
            yield group
            group = []
        while group and _too_much(group, piece):
            at = _last_clause(group)
            yield group[:at]
            group = group[at:]
        group.append(piece)
    if group:
        yield group


def _must_end(group: list[_Piece], following: _Piece) -> bool:
    """At the end of a sentence, unless it was too short to be read; at a pause."""
    sentence = _ends(group[-1].text, _SENTENCE_END) and group[-1].end - group[0].start >= MIN_SECONDS
    return sentence or following.start - group[-1].end > _PAUSE


def _too_much(group: list[_Piece], following: _Piece) -> bool:
    longer = [*group, following]
    return following.end - group[0].start > MAX_SECONDS or len(_wrapped(_joined(longer))) > LINES


def _last_clause(group: list[_Piece]) -> int:
    """Where to divide: behind the last comma in the second half, else at the end."""
    for at in range(len(group), len(group) // 2, -1):
        if _ends(group[at - 1].text, _CLAUSE_END):
            return at
    return len(group)


def _ends(text: str, marks: tuple[str, ...]) -> bool:
    return text.rstrip(_CLOSING).endswith(marks)


def _timed(cues: list[Cue]) -> list[Cue]:
    """Each as long as it takes to read, if the next one leaves room; none over another."""
    timed: list[Cue] = []
    free_from = 0.0
    for number, cue in enumerate(cues):
        start = max(cue.start, free_from)
        reading = max(MIN_SECONDS, len(cue.text) / CHARACTERS_PER_SECOND)
        end = min(max(cue.end, start + reading), start + MAX_SECONDS)
        if number + 1 < len(cues):
            end = min(end, cues[number + 1].start - GAP)
        free_from = max(end, start + _SHORTEST)
        timed.append(Cue(start, free_from, cue.text))
    return timed


def _joined(group: Sequence[_Piece]) -> str:
    return "".join(" " * piece.spaced + piece.text for piece in group).lstrip()


def _lines(text: str) -> str:
    return "\n".join(_wrapped(cleaned(text)))


def _wrapped(text: str) -> list[str]:
    """Two lines of similar length if they suffice, divided at punctuation if some is near the middle."""
    if _width(text) <= LINE_LENGTH:
        return [text]
    best, first = None, 1
    for at in range(1, len(text)):
        if not (text[at] == " " or _breaks_between(text[at - 1], text[at])):
            continue
        left, right = _width(text[:at]), _width(text[at:].lstrip())
        if left > LINE_LENGTH:
            break
        first = at
        if right <= LINE_LENGTH:
            cost = abs(left - right) - 20 * _ends(text[:at], _CLAUSE_END)
            best = min(best or (cost, at), (cost, at))
    if best is None and first == 1:  # nothing to break at: a word longer than a line
        first = next(at for at in range(1, len(text)) if _width(text[: at + 1]) > LINE_LENGTH)
    at = best[1] if best else first
    return [text[:at], *_wrapped(text[at:].lstrip())]


def _breaks_between(left: str, right: str) -> bool:
    """Whether a line may end between these characters though no space is there."""
    cjk = _CJK.match(left) is not None or _CJK.match(right) is not None
    return cjk and right not in _NEVER_FIRST and left not in '「『（【〈《("“‘'


def _width(text: str) -> float:
    """In Latin letters; marks and controls of direction have none."""
    wide = len(_CJK.findall(text))
    none = sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)
    return wide * LINE_LENGTH / CJK_LINE_LENGTH + len(text) - wide - none


def _srt_text(text: str) -> str:
    return _STYLE.sub("‹", _lines(text.replace("-->", "→").replace("{\\", "{ \\")))


def _vtt_text(text: str) -> str:
    return html.escape(_lines(text), quote=False)


def _clock(seconds: float, point: str) -> str:
    minutes, milliseconds = divmod(round(max(0.0, seconds) * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
