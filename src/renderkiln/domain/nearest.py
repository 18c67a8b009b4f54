"""Words that were meant: the known one that is most like a word that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache

_LONGEST = 60  # characters of a word that is compared


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say of a word that nobody knows: the nearest known one, else all of them."""
    words = tuple(known)
    near = similar(word, words)
    if near:
        return f"did you mean {near}?"
    return f"known are {', '.join(words)}" if words else ""


def similar(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, if any is."""
    return _similar(word, tuple(known)) if len(word) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _similar(word: str, known: tuple[str, ...]) -> str | None:
    spelled = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(word.casefold(), spelled, n=1)
    return spelled[found[0]] if found else None
