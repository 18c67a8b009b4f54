"""What people write to be spoken: text, pauses and chapters.

# A title                       starts a chapter; so does [chapter A title]
Breathe in. [pause 3s]          silence: [pause], [pause 500ms], [pause 2 min], <break time="3s"/>
                                an empty line: a short silence
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from renderkiln.media.errors import Unsuitable
from renderkiln.media.speech.sentences import is_speakable

PARAGRAPH = 0.8  # seconds of silence
DEFAULT_PAUSE = 1.0
MAX_PAUSE = 600.0
MAX_CHARACTERS = 1_000_000


class BadScript(Unsuitable):
    """The script cannot be spoken as it is written; the message names the line."""


@dataclass(frozen=True)
class Passage:
    """Text spoken without a pause between, on one line."""

    text: str


@dataclass(frozen=True)
class Pause:
    """Silence."""

    seconds: float


@dataclass(frozen=True)
class Chapter:
    """Starts here; its title is not spoken."""

    title: str


Item = Passage | Pause | Chapter


def parse(script: str, *, paragraph: float = PARAGRAPH) -> list[Item]:
    """The items of a script, in order. An empty line is a pause of `paragraph` seconds unless one is written.

    Raises BadScript with the line of what is wrong, or when there is nothing to speak.
    """
    if len(script) > MAX_CHARACTERS:
        raise BadScript(
            f"the script is too long: {len(script):,} characters, {MAX_CHARACTERS:,} are allowed; split it"
        )
    items = list(_merged(_marked(clean(script)), paragraph))
    if not any(isinstance(item, Passage) for item in items):
        raise BadScript("the script has nothing to speak: no letter or number in it")
    return items


def clean(text: str) -> str:
    """Without control characters, lone surrogates and marks of direction; each line stays a line."""
    text = _NEW_LINE.sub("\n", text.replace("\u2029", "\n\n"))
    text = _UNSPEAKABLE.sub("", _CONTROL.sub(" ", text))
    return unicodedata.normalize("NFC", _MOUNTAIN.sub(_without_accents, text))


def _without_accents(run: re.Match[str]) -> str:
    return "".join(letter for letter in run.group() if not unicodedata.combining(letter))


_NEW_LINE = re.compile("\r\n?|[\v\f\x85\u2028]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSPEAKABLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]")
_MOUNTAIN = re.compile(r"[^\w\s\x00-\x7f]{32,}")  # of accents, which NFC sorts in quadratic time

_SPACE = r"[^\S\n]"
_TOKEN = re.compile(
    rf"""
      (?P<heading> ^{_SPACE}*\#{{1,6}}{_SPACE}+(?P<title>\S[^\n]*) )
    | (?P<empty> \n(?:{_SPACE}*\n)+ )
    | (?P<bracket> \[{_SPACE}*(?P<verb>pause|chapter)(?![\w-])(?P<rest>[^\]\[\n]*)(?P<close>\]?) )
    | (?P<tag> </?(?P<name>[a-z][a-z-]*)(?![\w@.:-])(?P<attributes>[^<>\n]*)(?P<end>>?) )
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_SSML = frozenset(
    """
    audio break desc emphasis lang lexicon lookup mark meta metadata p paragraph pause phoneme prosody
    s say-as sentence speak sub token voice w
    """.split()  # noqa: SIM905  a list of one word a line otherwise
)
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*([a-z]*)", re.IGNORECASE)
_UNITS = {
    unit: seconds
    for seconds, names in (
        (0.001, "ms millisecond milliseconds"),
        (1.0, "s sec secs second seconds"),
        (60.0, "m min mins minute minutes"),
    )
    for unit in names.split()
} | {"": 1.0}
_BREAK_TIME = re.compile(
    r"""\s*(?:time\s*=\s*(?P<quote>["'])(?P<time>[^"']*)(?P=quote))?\s*/?\s*""", re.IGNORECASE
)


class _Paragraph:
    """An empty line or a heading between two passages."""


def _marked(text: str) -> Iterator[Item | _Paragraph]:
    """Text and marks as they come."""
    start = 0
    for token in _TOKEN.finditer(text):
        mark = _mark(token, text)
        if mark is None:
            continue
        yield from _passage(text[start : token.start()])
        yield from mark
        start = token.end()
    yield from _passage(text[start:])


def _mark(token: re.Match[str], text: str) -> list[Item | _Paragraph] | None:
    """What a token stands for; None when it is only text."""
    if token["empty"]:
        return [_Paragraph()]
    if token["heading"]:
        return _chapter(_heading(token["title"].rstrip()))
    if token["bracket"]:
        return _bracket(token, text)
    if token["name"].lower() not in _SSML:
        return None
    if not token["end"]:
        if not token["attributes"].strip() or token["name"].lower() != "break":
            return None  # "a <s b": nothing that was meant as a tag
        raise _bad(token, text, f"{_quoted(token)} is not closed: write a > after it")
    return _tag(token, text)


def _heading(title: str) -> str:
    """Without the # signs that may close it: "A title ##", but not "C#"."""
    bare = title.rstrip("#")
    return bare if bare[-1:].isspace() else title


def _bracket(token: re.Match[str], text: str) -> list[Item | _Paragraph]:
    rest = token["rest"].strip(" \t:")
    if not token["close"]:
        raise _bad(token, text, f"{_quoted(token)} is not closed: write a ] after it")
    if token["verb"].lower() == "pause":
        return [_pause(rest, token, text)]
    if not rest:
        raise _bad(token, text, "a chapter needs a title: [chapter Title]")
    return _chapter(rest)


def _tag(token: re.Match[str], text: str) -> list[Item | _Paragraph]:
    name = token["name"].lower()
    if name != "break":
        raise _bad(token, text, f"{_quoted(token)} is not understood: of SSML, only <break> is; remove it")
    if token.group().startswith("</"):
        return []  # of <break time="3s"></break>
    attributes = _BREAK_TIME.fullmatch(token["attributes"])
    if attributes is None:
        raise _bad(token, text, f'{_quoted(token)} is not understood: write <break time="3s"/>')
    return [_pause((attributes["time"] or "").strip(), token, text)]


def _pause(written: str, token: re.Match[str], text: str) -> Pause:
    if not written:
        return Pause(DEFAULT_PAUSE)
    time = _TIME.fullmatch(written.replace(",", "."))
    if time is None or time[2].lower() not in _UNITS:
        raise _bad(
            token, text, f"{_quoted(token)} is no time: write [pause 3s], [pause 500ms] or [pause 2 min]"
        )
    seconds = float(time[1]) * _UNITS[time[2].lower()]
    if seconds > MAX_PAUSE:
        raise _bad(token, text, f"{_quoted(token)} is too long: {MAX_PAUSE / 60:g} minutes are allowed")
    return Pause(seconds)


def _chapter(title: str) -> list[Item | _Paragraph]:
    return [_Paragraph(), Chapter(" ".join(title.split())), _Paragraph()]


def _passage(text: str) -> Iterator[Item | _Paragraph]:
    """On one line; what holds nothing to say, such as ***, is a paragraph's end."""
    line = " ".join(text.split())
    if is_speakable(line):
        yield Passage(line)
    elif line.strip(".,;:!?…"):
        yield _Paragraph()


def _merged(marks: Iterator[Item | _Paragraph], paragraph: float) -> Iterator[Item]:
    """Pauses in a row as one, and paragraphs as pauses where none is written and text is on both sides."""
    gap: list[Pause | Chapter] = []
    spoken = paragraphs = False
    for mark in marks:
        match mark:
            case Pause() if gap and isinstance(gap[-1], Pause):
                gap[-1] = Pause(gap[-1].seconds + mark.seconds)
            case Pause() | Chapter():
                gap.append(mark)
            case _Paragraph():
                paragraphs = True
            case Passage():
                if spoken and paragraphs and not any(isinstance(each, Pause) for each in gap):
                    gap.insert(0, Pause(paragraph))
                yield from gap
                yield mark
                gap, spoken, paragraphs = [], True, False
    yield from gap


def _bad(token: re.Match[str], text: str, message: str) -> BadScript:
    line = text.count("\n", 0, token.start()) + 1
    return BadScript(f"line {line}: {message}")


def _quoted(token: re.Match[str]) -> str:
    found = token.group().strip()
    return found if len(found) <= 60 else f"{found[:59]}…"
