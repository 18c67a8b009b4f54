"""A script in pieces that a provider takes: as long as its limit allows, cut where it is heard least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from renderkiln.media.speech.script import Chapter, Item, Pause
from renderkiln.media.speech.sentences import clauses, graphemes, sentences, words

SENTENCE_GAP, CLAUSE_GAP = 0.35, 0.15  # seconds of silence where a passage had to be cut
NEIGHBOUR = 300  # characters of the text before and after: enough to carry on a tone of voice

_Cut = Callable[[str], list[str]]
_CUTS: tuple[tuple[_Cut, float], ...] = (
    (sentences, SENTENCE_GAP),
    (clauses, CLAUSE_GAP),
    (words, 0.0),
    (graphemes, 0.0),
)


@dataclass(frozen=True)
class Chunk:
    """Text to speak at once, what is spoken around it, and the seconds of silence after it.

    `chapters` are the titles of those that start with it: one at most, unless titles follow each other.
    `text` is empty for silence that no text precedes.
    """

    text: str
    silence: float = 0.0
    before: str = ""
    after: str = ""
    chapters: tuple[str, ...] = ()


def chunks(items: Sequence[Item], limit: int) -> list[Chunk]:
    """Chunks of at most `limit` characters, with all the text in order. Pauses and chapters end a chunk.

    A cut falls between sentences; in a longer sentence between clauses, then between words; within a word
    only when the word itself is longer than `limit`.
    """
    if limit < 1:
        raise ValueError("a limit of less than one character")
    found: list[Chunk] = []
    chapters: tuple[str, ...] = ()
    for item in items:
        if isinstance(item, Chapter):
            chapters = (*chapters, item.title)
        elif isinstance(item, Pause):
            if found and not chapters:
                found[-1] = replace(found[-1], silence=found[-1].silence + item.seconds)
            else:
                found.append(Chunk("", item.seconds, chapters=chapters))
                chapters = ()
        else:
            parts = [Chunk(text, gap) for text, gap in _fitting(item.text, limit)]
            parts[0] = replace(parts[0], chapters=chapters)
            found += parts
            chapters = ()
    if chapters:
        found.append(Chunk("", chapters=chapters))
    return _with_neighbours(found)


def _fitting(passage: str, limit: int) -> list[tuple[str, float]]:
    """Texts of a passage and the gap after each; none after the last."""
    parts = [(text.strip(), gap) for text, gap in _cut(passage, limit, 0)]
    parts = [(text, gap) for text, gap in parts if text]
    return [*parts[:-1], (parts[-1][0], 0.0)]


def _cut(text: str, limit: int, level: int) -> Iterator[tuple[str, float]]:
    """Pieces that fit, each as long as can be; a piece too long is cut at the next, finer level."""
    if len(text.rstrip()) <= limit:
        yield text, 0.0
        return
    if level == len(_CUTS):  # a single letter under a mountain of accents
        yield from ((text[at : at + limit], 0.0) for at in range(0, len(text), limit))
        return
    cut, gap = _CUTS[level]
    held: list[str] = []
    length = 0
    for piece in cut(text):
        if held and length + len(piece.rstrip()) > limit:
            yield "".join(held), gap
            held, length = [], 0
        if len(piece.rstrip()) > limit:
            *whole, (piece, _) = _cut(piece, limit, level + 1)
            yield from whole
        held.append(piece)
        length += len(piece)
    yield "".join(held), gap


def _with_neighbours(found: list[Chunk]) -> list[Chunk]:
    spoken = [at for at, chunk in enumerate(found) if chunk.text]
    for place, at in enumerate(spoken):
        before = found[spoken[place - 1]].text if place else ""
        after = found[spoken[place + 1]].text if place + 1 < len(spoken) else ""
        found[at] = replace(found[at], before=_end_of(before), after=_start_of(after))
    return found


def _end_of(text: str) -> str:
    if len(text) <= NEIGHBOUR:
        return text
    cut = text[-NEIGHBOUR:]
    return cut.partition(" ")[2] or cut


def _start_of(text: str) -> str:
    if len(text) <= NEIGHBOUR:
        return text
    cut = text[:NEIGHBOUR]
    return cut.rpartition(" ")[0] or cut
