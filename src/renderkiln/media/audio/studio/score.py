"""The demo track as it is written: twenty seconds in D minor.

It is made for pictures: embers (quiet), kindling (a build), blaze (loud), a breath, a finale.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from renderkiln.media.audio.studio.harmony import Chord, Voicing, lead

TITLE, ARTIST = "First Fire", "Renderkiln"
TEMPO = 132.0  # beats per minute: eleven bars of 4/4 are twenty seconds exactly
BEAT = 60.0 / TEMPO  # seconds
BAR = 4  # beats

Note = tuple[float, float, int]  # (beat within its bar, beats long, MIDI pitch)


@dataclass(frozen=True)
class Section:
    """Some bars with one character. Each bar names its chords; they share it equally."""

    name: str
    bars: tuple[str, ...]


SECTIONS = (
    Section("embers", ("Dm9", "Bbmaj9")),
    Section("kindling", ("Gm9", "A7sus4 A7b9")),
    Section("blaze", ("Dm9", "Bbmaj9", "Fmaj9/A", "C6/9/E")),
    Section("breath", ("Em7b5 A7b9",)),
    Section("finale", ("Bbmaj9 C6/9", "Dadd9")),
)
# The motif rises a fourth and a third and falls back a step: A D F E. Stated slowly in the embers, broken up
# while the fire catches, sung twice in sequence and answered in the blaze, remembered in the breath.
MELODY: dict[int, tuple[Note, ...]] = {
    0: ((0, 1.5, 69), (1.5, 1.5, 74), (3, 1, 77)),
    1: ((0, 2.5, 76), (2.5, 0.5, 72), (3, 1, 74)),
    2: ((0, 0.75, 67), (0.75, 0.75, 70), (1.5, 0.5, 74), (2, 1.25, 72), (3.25, 0.25, 69), (3.5, 0.5, 70)),
    3: ((0, 0.5, 69), (0.5, 0.5, 74), (1, 1, 76), (2, 0.5, 73), (2.5, 0.5, 76), (3, 0.5, 79), (3.5, 0.2, 82)),
    4: ((0, 0.75, 81), (0.75, 0.75, 74), (1.5, 0.5, 77), (2, 1.25, 76), (3.25, 0.25, 72), (3.5, 0.5, 74)),
    5: ((0, 0.75, 74), (0.75, 0.75, 77), (1.5, 0.5, 81), (2, 1.25, 79), (3.25, 0.25, 76), (3.5, 0.5, 77)),
    6: ((0, 0.75, 72), (0.75, 0.75, 77), (1.5, 0.5, 81), (2, 1.25, 79), (3.25, 0.25, 76), (3.5, 0.5, 77)),
    7: ((0, 0.75, 79), (0.75, 0.75, 76), (1.5, 0.5, 74), (2, 1, 72), (3, 0.5, 74), (3.5, 0.5, 76)),
    8: ((0, 0.75, 79), (0.75, 1.25, 76), (2, 0.75, 70), (2.75, 1.25, 73)),
    9: ((0, 0.75, 74), (0.75, 0.75, 77), (1.5, 0.5, 82), (2, 0.75, 76), (2.75, 0.75, 79), (3.5, 0.5, 84)),
    10: ((0, 3, 86), (0, 3, 78)),
}
BASS_BEATS = (  # (beat, beats long, semitones above the bass note)
    (0, 0.7, 0), (0.75, 0.6, 0), (1.5, 0.45, 12), (2, 0.45, 0), (2.5, 0.45, 0), (3, 0.4, 12), (3.5, 0.4, 7),
)  # fmt: skip
BARS = sum(len(section.bars) for section in SECTIONS)
LENGTH = BARS * BAR * BEAT  # seconds


@dataclass(frozen=True)
class Placed:
    """One chord in its place, in beats from the start of the track."""

    start: float
    beats: float
    chord: Chord
    voices: Voicing

    @property
    def bass(self) -> int:
        """The bass note, D1 … C#2."""
        return 26 + (self.chord.bass - 26) % 12


def score() -> Iterator[Placed]:
    """The chords of the track with their voices led from one to the next."""
    bars = [bar.split() for section in SECTIONS for bar in section.bars]
    symbols = [symbol for bar in bars for symbol in bar]
    chords = [Chord.parse(symbol) for symbol in symbols]
    lengths = [BAR / len(bar) for bar in bars for _ in bar]
    starts = itertools.accumulate(lengths[:-1], initial=0.0)
    for start, beats, chord, voices in zip(starts, lengths, chords, lead(chords), strict=True):
        yield Placed(start, beats, chord, voices)


def first_beat(name: str) -> float:
    """Where a section starts, in beats."""
    names = [section.name for section in SECTIONS]
    return float(BAR * sum(len(section.bars) for section in SECTIONS[: names.index(name)]))


def section_at(beat: float) -> str:
    """Which section a beat lies in."""
    return [section.name for section in SECTIONS if first_beat(section.name) <= beat + 1e-6][-1]
