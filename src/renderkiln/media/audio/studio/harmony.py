"""Chords, and the smoothest way from one to the next."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

Voicing = tuple[int, ...]  # MIDI pitches, low to high

NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
QUALITIES = {  # semitones above the root; the root itself may be left to the bass
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "add9": (0, 2, 4, 7),
    "6/9": (0, 2, 4, 9),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
    "m7b5": (0, 3, 6, 10),
    "7": (0, 4, 7, 10),
    "7sus4": (0, 5, 7, 10),
    "7b9": (0, 4, 7, 10, 13),
}
SYMBOL = re.compile(r"([A-G][b#]?)(6/9|[^/]*)(?:/([A-G][b#]?))?")


@dataclass(frozen=True)
class Chord:
    """A chord by its sound: pitch classes 0 … 11, C = 0."""

    root: int
    tones: tuple[int, ...]
    bass: int

    @classmethod
    def parse(cls, symbol: str) -> Chord:
        """`Dm9`, `Bbmaj9`, `Cadd9/E`. Raises ValueError for a symbol it does not know."""
        match = SYMBOL.fullmatch(symbol)
        if match is None or match[2] not in QUALITIES:
            raise ValueError(f"unknown chord {symbol!r}")
        root = pitch_class(match[1])
        tones = tuple((root + step) % 12 for step in QUALITIES[match[2]])
        return cls(root, tones, pitch_class(match[3]) if match[3] else root)

    @property
    def upper(self) -> tuple[int, ...]:
        """What is sung above the bass: a chord of five tones leaves out the one that the bass plays."""
        return tuple(t for t in self.tones if t != self.bass) if len(self.tones) > 4 else self.tones

    def voicings(self, low: int, high: int) -> list[Voicing]:
        """Every close or open position within `low … high`: no gap over a sixth, no minor ninths."""
        places = [[p for p in range(low, high + 1) if p % 12 == tone] for tone in self.upper]
        stacks = {tuple(sorted(stack)) for stack in itertools.product(*places)}
        return sorted(stack for stack in stacks if _sounds_well(stack))


def pitch_class(name: str) -> int:
    """`Bb` → 10."""
    return (NOTES[name[0]] + name.count("#") - name.count("b", 1)) % 12


def lead(chords: Sequence[Chord], low: int = 53, high: int = 77) -> list[Voicing]:
    """One voicing for each chord, so that the voices move as little as possible over the whole sequence.

    The shortest path (Viterbi) through all voicings; parallel fifths and octaves cost extra. All chords
    need the same number of upper voices.
    """
    middle = (low + high) / 2
    paths = {v: (abs(sum(v) / len(v) - middle), [v]) for v in chords[0].voicings(low, high)}
    for chord in chords[1:]:
        paths = {
            v: min(((cost + motion(path[-1], v), [*path, v]) for cost, path in paths.values()))
            for v in chord.voicings(low, high)
        }
    return min(paths.values())[1]


def motion(before: Voicing, after: Voicing) -> float:
    """Cost of a change: semitones moved, plus 6 for each pair of voices in parallel fifths or octaves."""
    if len(before) != len(after):
        raise ValueError("voices cannot appear or vanish between chords")
    steps = [b - a for a, b in zip(before, after, strict=True)]
    parallels = sum(
        1
        for i, j in itertools.combinations(range(len(before)), 2)
        if steps[i] == steps[j] != 0 and (before[j] - before[i]) % 12 in (0, 7)
    )
    return sum(abs(step) for step in steps) + 6.0 * parallels


def _sounds_well(stack: Voicing) -> bool:
    gaps = [b - a for a, b in itertools.pairwise(stack)]
    spans = [b - a for a, b in itertools.combinations(stack, 2)]
    return min(gaps) >= 1 and max(gaps) <= 9 and 13 not in spans and gaps[0] > 1 and gaps[-1] > 1
