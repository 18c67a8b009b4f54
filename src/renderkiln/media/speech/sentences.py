"""Where sentences, clauses, words and letters end, in many scripts.

Each function cuts a text into pieces; joined, they are the text again: a piece keeps the space after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from renderkiln.media.speech.words import IDEOGRAPHS

_CLOSING = "\"'”’»›)\\]}」』】）〉》"
# Latin, Arabic, Urdu, Armenian, Ethiopic, Khmer and Burmese end a sentence before a space; others need none.
# Possessive, and only at the start of a run: a megabyte of dots must not be read a million times.
_END = ".!?…؟۔։።፧។"
_SENTENCE_END = re.compile(rf"(?<![{_END}])[{_END}]++[{_CLOSING}]*+\s++|[。！？｡．।॥။]++[{_CLOSING}]*+\s*+")
_CLAUSE_END = re.compile(rf"[,;:،؛՝፣፤–—][{_CLOSING}]*\s+|[，、；：]+[{_CLOSING}]*\s*")
_WORD_END = re.compile(rf"\s+|(?<=[{IDEOGRAPHS}])(?=[{IDEOGRAPHS}])")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«]+$")
_ABBREVIATIONS = frozenset(
    """
    adj approx ave bros ca capt cf ch co col corp dept dr ed eg e.g esp est etc fig figs fr gen gov hon hr i.e
    inc jr lt ltd max messrs min mme mlle mr mrs ms mt no nos nr op p.a p.m a.m pp prof rev sen sgt sr st vol
    vs
    bzw d.h dipl ggf inkl ing mio nr o.ä s.o str u.a usw vgl z.b z.t
    av bd cie ej env exc p.ej sra srta ud uds avda pág núm lic sig dott sig.ra г др им пр стр т.д т.е т.п ул
    """.split()  # noqa: SIM905  a list of one word a line otherwise
)


def sentences(text: str) -> list[str]:
    """By the punctuation that ends them; not after abbreviations, initials and the numbers of a list."""
    return list(_cut(text, (match.end() for match in _SENTENCE_END.finditer(text) if _ends(text, match))))


def clauses(text: str) -> list[str]:
    """After commas, semicolons, colons and dashes that a space follows."""
    return list(_cut(text, (match.end() for match in _CLAUSE_END.finditer(text))))


def words(text: str) -> list[str]:
    """At spaces, and between Chinese or Japanese characters."""
    return list(_cut(text, (match.end() for match in _WORD_END.finditer(text))))


def graphemes(text: str) -> list[str]:
    """What a reader takes for one letter: with its accents, joiners and emoji modifiers.

    The rules of UAX #29 that matter to a text cut as a last resort.
    """
    return list(_cut(text, (at for at in range(1, len(text)) if not _belong_together(text, at))))


def is_speakable(text: str) -> bool:
    """Whether there is anything to say: a letter, a number, a currency or an emoji."""
    return any(letter.isalnum() or unicodedata.category(letter) in ("So", "Sc") for letter in text)


def _cut(text: str, places: Iterator[int]) -> Iterator[str]:
    start = 0
    for place in places:
        if start < place < len(text):
            yield text[start:place]
            start = place
    if start < len(text):
        yield text[start:]


def _ends(text: str, match: re.Match[str]) -> bool:
    end = match.group().rstrip()
    goes_on = text[match.end() : match.end() + 1].islower()
    if end != "." and not (goes_on and end[-1] in _CLOSING):  # '"Go!" she said'
        return True
    if goes_on:  # "approx. five"
        return False
    before = _LAST_WORD.search(text, max(0, match.start() - 30), match.start())
    if before is None:
        return True
    word = before.group().lower()
    if word.isdecimal() and len(word) <= 3:  # "1. Breathe in": only where a sentence starts with it
        return text[max(0, before.start() - 9) : before.start()].rstrip()[-1:] not in ("", *".!?…")
    return word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha() and word != "i")


def _belong_together(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after in "\u200d\ufe0e\ufe0f" or before == "\u200d" or unicodedata.combining(after):
        return True
    if unicodedata.category(after) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if "\U0001f1e6" <= after <= "\U0001f1ff":  # a flag is two of these
        run = re.search("[\U0001f1e6-\U0001f1ff]*$", text[max(0, at - 64) : at])
        return run is not None and len(run.group()) % 2 == 1
    return "\u1160" <= after <= "\u11ff"  # the vowels and finals of a Korean syllable
