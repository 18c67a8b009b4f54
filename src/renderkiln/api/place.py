"""Where somebody is in the stream of events, as a word that is sent back to go on from there.

The word is the number of the newest event seen: `1207`. Postgres gives numbers before it commits, so that a
lower one may come to light later: the word then names those still missing, `1207-1203-1205`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

WORD = re.compile(r"\d{1,18}(-\d{1,18}){0,200}")
_PATIENCE = 20.0  # seconds: a transaction that does nothing is ended after five
_MOST = 200  # numbers that may be missing


@dataclass
class Place:
    """`missing` maps numbers below `newest` that were not seen yet to when that was noticed (monotonic)."""

    newest: int = 0
    missing: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, word: str, now: float) -> Place | None:
        """The inverse of `word`; None for what is none."""
        if WORD.fullmatch(word) is None:
            return None
        newest, *missing = map(int, word.split("-"))
        return cls(newest, dict.fromkeys(missing, now))

    @property
    def word(self) -> str:
        return "-".join(map(str, (self.newest, *self.missing)))

    def lacks(self, number: int) -> bool:
        """Whether the event of this number was not seen here yet."""
        return number > self.newest or number in self.missing

    def note(self, number: int, now: float, *, sparse: bool = False) -> None:
        """The event of this number was seen; `sparse`: of one job, whose events come in their order."""
        if number <= self.newest:
            self.missing.pop(number, None)
            return
        if not sparse and number - self.newest <= _MOST:  # more than that is what was forgotten by age
            self.missing.update(dict.fromkeys(range(self.newest + 1, number), now))
        self.newest = number

    def forget(self, now: float) -> None:
        """Wait no longer for what was rolled back: it never comes."""
        kept = [(number, since) for number, since in self.missing.items() if now - since < _PATIENCE]
        self.missing = dict(kept[-_MOST:])
