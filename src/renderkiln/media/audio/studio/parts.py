"""Who plays what: each part of the demo track as a stereo bus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from renderkiln.media.audio.studio import instruments
from renderkiln.media.audio.studio.score import (
    BAR,
    BASS_BEATS,
    BEAT,
    LENGTH,
    MELODY,
    Placed,
    first_beat,
    section_at,
)
from renderkiln.media.audio.studio.synth import Sound, clock, filtered, pan, samples

BUILD, DROP, BREATH, FINALE = (first_beat(name) for name in ("kindling", "blaze", "breath", "finale"))
LAST_BAR = LENGTH / BEAT - BAR
PAD_FILTER = (  # (beat, cutoff in Hz): the pads open like a draught
    (0, 350), (BUILD, 900), (DROP - 1, 5200), (DROP, 3200), (BREATH - 0.1, 4200), (BREATH, 700),
    (FINALE - 0.5, 1600), (FINALE, 5000), (LAST_BAR, 6500), (LAST_BAR + BAR, 700),
)  # fmt: skip
PAD_LEVEL = {"embers": 0.20, "kindling": 0.30, "blaze": 0.40, "breath": 0.22, "finale": 0.46}
LEAD_LEVEL = {"blaze": 0.26, "finale": 0.30}


class Bus:
    """A stereo track that notes are laid on."""

    def __init__(self) -> None:
        self.sound: Sound = np.zeros((samples(LENGTH), 2), np.float32)

    def add(self, beat: float, note: Sound, level: float = 1.0, position: float = 0.0) -> None:
        """Lay a mono or stereo note at a beat; what would sound after the end of the track is cut there."""
        start = samples(beat * BEAT)
        stereo = (note if note.ndim == 2 else pan(note, position))[: len(self.sound) - start]
        self.sound[start : start + len(stereo)] += np.float32(level) * stereo


def pads(chords: Sequence[Placed], rng: np.random.Generator) -> Sound:
    """The led voices, each held into the next chord, through one filter that follows the form."""
    bus = Bus()
    for placed in chords:
        level = PAD_LEVEL[section_at(placed.start)]
        for pitch in placed.voices:
            bus.add(placed.start, instruments.pad(pitch, placed.beats * BEAT + 0.45, rng), level)
    beats, cutoffs = zip(*PAD_FILTER, strict=True)
    t = clock(len(bus.sound))
    cutoff = np.exp(np.interp(t / BEAT, beats, np.log(cutoffs))) * (1 + 0.12 * np.sin(2 * np.pi * 0.31 * t))
    return np.stack([filtered(bus.sound[:, side], cutoff, 0.9) for side in range(2)], axis=1)


def bass(chords: Sequence[Placed]) -> Sound:
    """A drone in the quiet parts, a pulse in the build, a syncopated line with octaves in the loud ones."""
    bus = Bus()
    for placed in chords:
        part = section_at(placed.start)
        if part in ("embers", "breath") or placed.start >= LAST_BAR:
            level = 0.75 if placed.start >= LAST_BAR else 0.22
            bus.add(placed.start, instruments.bass(placed.bass, placed.beats * BEAT, 0.1), level)
            continue
        steps = _pulse(placed) if part == "kindling" else BASS_BEATS
        for beat, length, interval in steps:
            if beat < placed.beats:
                brightness = 0.15 + 0.6 * _caught(placed.start + beat)
                note = instruments.bass(placed.bass + interval, length * BEAT, brightness)
                bus.add(placed.start + beat, note, 0.46 if part == "kindling" else 0.62)
    return bus.sound


def arpeggio(chords: Sequence[Placed], rng: np.random.Generator) -> Sound:
    """The voices broken up and down over two octaves, in eighths while it is quiet, then in sixteenths."""
    bus = Bus()
    for placed in chords:
        part = section_at(placed.start)
        if placed.start >= LAST_BAR:
            continue
        step = 0.5 if part in ("embers", "breath") else 0.25
        ladder = [*placed.voices, *(pitch + 12 for pitch in placed.voices)]
        wave = [*ladder, *ladder[-2:0:-1]]
        for k in range(round(placed.beats / step)):
            beat = placed.start + k * step
            if beat >= DROP - 0.5 and beat < DROP:
                continue  # everything holds its breath before the drop
            accent = (1.0 if k % 4 == 0 else 0.72) * rng.uniform(0.85, 1.0)
            loud, bright = _arpeggio_touch(part, beat)
            bus.add(
                beat,
                instruments.pluck(wave[k % len(wave)], bright * accent),
                loud * accent,
                0.7 if k % 2 else -0.7,
            )
    return bus.sound


def melody() -> Sound:
    """The motif: on a bell while it is quiet, on the lead (with its lower octave) when it burns."""
    bus = Bus()
    for bar, notes in MELODY.items():
        part = section_at(bar * BAR)
        for beat, length, pitch in notes:
            at = bar * BAR + beat
            if part in LEAD_LEVEL:
                bus.add(at, instruments.lead(pitch, length * BEAT), LEAD_LEVEL[part])
                bus.add(at, instruments.lead(pitch - 12, length * BEAT), 0.5 * LEAD_LEVEL[part])
            if part not in LEAD_LEVEL or at >= LAST_BAR:
                bus.add(at, instruments.bell(pitch, length * BEAT), 0.24 if part == "kindling" else 0.2, 0.15)
    return bus.sound


def drums(rng: np.random.Generator) -> tuple[Sound, list[float]]:
    """The kit, and the beats of its kicks (what ducks the rest)."""
    bus = Bus()
    kicks = [BUILD, BUILD + 2, *np.arange(BUILD + 4, DROP - 1), *np.arange(DROP, BREATH), DROP + 7.75]
    kicks += [*np.arange(FINALE, LAST_BAR), FINALE + 3.5, LAST_BAR]
    for beat in kicks:
        bus.add(beat, instruments.kick(), 0.62 if beat < DROP else 0.95)
    backbeat = [(b, 0.6) for b in (*np.arange(DROP + 1, BREATH, 2), *np.arange(FINALE + 1, LAST_BAR, 2))]
    for beat, level in [*backbeat, *_roll(BUILD + 4, DROP - 0.5), *_roll(BREATH - 1, BREATH, 0.55)]:
        bus.add(beat, instruments.snare(rng), level, rng.uniform(-0.1, 0.1))
    for beat, level, is_open in _hats():
        bus.add(
            beat,
            instruments.hat(rng, is_open=is_open),
            level * rng.uniform(0.8, 1.0),
            0.25 if is_open else -0.3,
        )
    for beat in (DROP, DROP + 8, FINALE, LAST_BAR):
        bus.add(beat, instruments.crash(rng), 0.34)
    return bus.sound, kicks


def transitions(rng: np.random.Generator) -> Sound:
    """What carries one section into the next: a riser, two swooshes, two impacts."""
    bus = Bus()
    bus.add(BUILD, instruments.riser(rng, (DROP - 0.5 - BUILD) * BEAT), 0.5)
    for end, beats, level in ((BUILD, 2.0, 0.12), (FINALE, 3.0, 0.4)):
        bus.add(end - beats, instruments.swoosh(rng, beats * BEAT), level)
    for beat in (DROP, LAST_BAR):
        bus.add(beat, instruments.impact(rng), 0.7)
    return bus.sound


def ducked(kicks: Sequence[float], depth: float = 0.62, seconds: float = 0.19) -> Sound:
    """A gain (samples, 1) that makes room for every kick: down within 4 ms before it, back in `seconds`."""
    length = samples(LENGTH)
    gain = np.ones(length, np.float32)
    fall, rise = samples(0.004), samples(seconds)
    back = np.cos(np.linspace(0, np.pi / 2, rise)) ** 2
    dip = (1.0 - depth * np.concatenate([np.linspace(0, 1, fall), back])).astype(np.float32)
    for beat in kicks:
        start = max(samples(beat * BEAT) - fall, 0)
        part = gain[start : start + len(dip)]
        np.minimum(part, dip[: len(part)], out=part)
    return gain[:, None]


def _pulse(placed: Placed) -> list[tuple[float, float, int]]:
    """Quarters in the first bar of the build, eighths in the second."""
    step = 1.0 if placed.start < BUILD + BAR else 0.5
    return [(k * step, 0.8 * step, 0) for k in range(round(placed.beats / step))]


def _arpeggio_touch(part: str, beat: float) -> tuple[float, float]:
    """(level, brightness) of the arpeggio."""
    if part == "kindling":
        return 0.09 + 0.13 * _caught(beat), 0.15 + 0.85 * _caught(beat)
    return {"embers": (0.07, 0.1), "blaze": (0.17, 0.8), "breath": (0.08, 0.2), "finale": (0.18, 0.9)}[part]


def _caught(beat: float) -> float:
    """How far the fire has caught: 0 before the build, 1 from the drop on."""
    return min(max((beat - BUILD) / (DROP - BUILD), 0.0), 1.0)


def _roll(start: float, end: float, level: float = 0.5) -> list[tuple[float, float]]:
    """A snare roll that halves its steps twice and grows louder: (beat, level)."""
    strokes = []
    beat = start
    while beat < end - 1e-6:
        done = (beat - start) / (end - start)
        strokes.append((beat, level * (0.25 + 0.75 * done)))
        beat += 0.5 if done < 0.4 else 0.25 if done < 0.75 else 0.125
    return strokes


def _hats() -> list[tuple[float, float, bool]]:
    """(beat, level, open): eighths in the build, sixteenths with an open off-beat in the loud parts."""
    build = [(beat, 0.05 + 0.15 * (beat - BUILD) / 8, False) for beat in np.arange(BUILD, DROP - 0.5, 0.5)]
    levels = (0.20, 0.09, 0.0, 0.12)
    beats = [*np.arange(DROP, BREATH, 0.25), *np.arange(FINALE, LAST_BAR, 0.25)]
    closed = [(b, levels[round(4 * b) % 4], False) for b in beats if levels[round(4 * b) % 4]]
    opened = [(b, 0.24, True) for b in beats if round(4 * b) % 4 == 2]
    return [*build, *closed, *opened]
