"""The instruments of the demo track. Each returns one note or one stroke at a level of about 1.

Lengths are in seconds, pitches are MIDI numbers. Pads and leads are stereo, everything else is mono.
"""

from __future__ import annotations

import numpy as np

from renderkiln.media.audio.studio.synth import (
    BANDPASS,
    HIGHPASS,
    Sound,
    clock,
    decay,
    filtered,
    hertz,
    noise,
    pan,
    samples,
    saw,
    sine,
    swell,
)

PAD_VOICES = ((-0.9, -7.0), (0.9, 7.5), (-0.45, 3.2), (0.45, -2.8))  # (position, cents)


def pad(pitch: int, seconds: float, rng: np.random.Generator) -> Sound:
    """Four slowly drifting saws spread over the stereo field; its filter sits on the whole bus."""
    length = samples(seconds)
    t = clock(length)
    out = np.zeros((length, 2), np.float32)
    for position, cents in PAD_VOICES:
        drift = 2.0 * np.sin(2 * np.pi * (rng.uniform(0.15, 0.4) * t + rng.uniform()))
        frequency = hertz(pitch) * 2.0 ** ((cents + drift) / 1200.0)
        out += pan(saw(frequency, length, rng.uniform()), position)
    return out * swell(length, 0.45, 0.55)[:, None] * np.float32(0.25)


def bass(pitch: int, seconds: float, brightness: float) -> Sound:
    """A sub sine under a filtered, softly driven saw. `brightness` 0 … 1 opens its filter."""
    length = samples(seconds)
    t = clock(length)
    base = hertz(pitch)
    sweep = base * (2.0 + 14.0 * brightness * np.exp(-t * 9.0))
    growl = filtered(saw(base, length), sweep, 1.1)
    body = np.tanh(1.6 * (0.75 * sine(base, length) + 0.5 * growl))
    return (body * swell(length, 0.006, 0.05) * np.exp(-t * 1.5)).astype(np.float32)


def pluck(pitch: int, brightness: float) -> Sound:
    """A small glassy bell: two-operator FM whose index falls faster than its level."""
    length = samples(0.9)
    t = clock(length)
    base = hertz(pitch)
    index = (0.4 + 2.2 * brightness) * np.exp(-t * 11.0)
    tone = np.sin(2 * np.pi * base * t + index * np.sin(2 * np.pi * 3.0 * base * t))
    return tone.astype(np.float32) * decay(length, 0.85)


def bell(pitch: int, seconds: float) -> Sound:
    """A warm electric-piano bell that rings on: partial 1 with FM, partial 2 and a struck tine."""
    length = samples(seconds + 1.2)
    t = clock(length)
    base = hertz(pitch)
    tone = np.sin(2 * np.pi * base * t + 1.1 * np.exp(-t * 3.0) * np.sin(2 * np.pi * base * t))
    tine = 0.25 * np.sin(2 * np.pi * 7.01 * base * t) * np.exp(-t * 18.0)
    return ((tone + tine) * 0.8).astype(np.float32) * decay(length, seconds + 1.2, 0.004)


def lead(pitch: int, seconds: float) -> Sound:
    """Three saws a few cents apart, a filter that opens and closes, and a vibrato that comes late."""
    length = samples(seconds + 0.12)
    t = clock(length)
    vibrato = 14.0 * np.clip((t - 0.18) / 0.25, 0, 1) * np.sin(2 * np.pi * 5.6 * t)  # cents
    cutoff = 900.0 + 4200.0 * np.exp(-t * 4.0) * np.clip(t / 0.02, 0, 1) + 2.0 * hertz(pitch)
    out = np.zeros((length, 2), np.float32)
    for position, cents, phase in ((-0.6, -6.0, 0.1), (0.0, 0.0, 0.45), (0.6, 6.0, 0.8)):
        voice = saw(hertz(pitch) * 2.0 ** ((cents + vibrato) / 1200.0), length, phase)
        out += pan(filtered(voice, cutoff, 0.9), position)
    return out * swell(length, 0.012, 0.12)[:, None] * np.float32(0.45)


def kick(level: float = 1.0) -> Sound:
    """A sine that falls from 180 to 47 Hz, with a short click, driven a little."""
    length = samples(0.42)
    t = clock(length)
    turns = 47.0 * t + (180.0 - 47.0) / 34.0 * (1.0 - np.exp(-34.0 * t))
    body = np.sin(2 * np.pi * turns) * np.exp(-t * 7.5)
    click = 0.22 * np.sin(2 * np.pi * 1900.0 * t) * np.exp(-t * 420.0)
    return (level * np.tanh(1.5 * (body + click)) * swell(length, 0.0008, 0.06)).astype(np.float32)


def snare(rng: np.random.Generator, level: float = 1.0) -> Sound:
    """Two drum-head modes and the wires' noise, with a clap's three early strokes."""
    length = samples(0.32)
    t = clock(length)
    head = 0.55 * (np.sin(2 * np.pi * 188.0 * t) + 0.6 * np.sin(2 * np.pi * 331.0 * t)) * np.exp(-t * 26.0)
    strokes = sum(np.where(t >= at, np.exp(-(t - at) * 190.0), 0.0) for at in (0.0, 0.009, 0.019))
    wires = filtered(noise(rng, length), 2600.0, 0.6, HIGHPASS) * (0.35 * np.exp(-t * 17.0) + 0.2 * strokes)
    return (level * (head + wires) * swell(length, 0.001, 0.05)).astype(np.float32)


def hat(rng: np.random.Generator, *, is_open: bool = False) -> Sound:
    """High-passed noise with a metal ring of inharmonic squares (the TR-808's six ratios)."""
    length = samples(0.34 if is_open else 0.075)
    t = clock(length)
    ring = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in (2050.0, 3042.0, 3694.0, 5227.0, 5403.0, 8001.0))
    raw = (0.12 * ring + 0.5 * noise(rng, length)).astype(np.float32)
    return filtered(raw, 7500.0, 0.8, HIGHPASS) * decay(length, 0.42 if is_open else 0.085, 0.0008)


def crash(rng: np.random.Generator) -> Sound:
    """Two seconds of bright noise that darkens as it fades, different in each ear."""
    length = samples(2.2)
    cutoff = 9000.0 * np.exp(-clock(length) * 0.5)
    sides = [filtered(noise(rng, length), cutoff, 0.5, BANDPASS) for _ in range(2)]
    return np.stack(sides, axis=1) * decay(length, 2.6, 0.002)[:, None]


def riser(rng: np.random.Generator, seconds: float) -> Sound:
    """Noise and a gliding fifth that climb together and stop at their loudest."""
    length = samples(seconds)
    t = clock(length) / seconds
    cutoff = 300.0 * 28.0**t
    sides = [filtered(noise(rng, length), cutoff, 1.6, BANDPASS) for _ in range(2)]
    glide = hertz(50) * 2.0 ** (2.0 * t)
    tone = 0.12 * (saw(glide, length) + saw(1.5 * glide, length, 0.3))
    stereo = 0.45 * np.stack(sides, axis=1) + filtered(tone, cutoff, 0.8)[:, None]
    return (stereo * (t**2.2)[:, None] * swell(length, 0.02, 0.02)[:, None]).astype(np.float32)


def impact(rng: np.random.Generator) -> Sound:
    """A deep fall under a burst of dark noise: the door of the kiln."""
    length = samples(1.8)
    t = clock(length)
    turns = 36.0 * t + (95.0 - 36.0) / 5.0 * (1.0 - np.exp(-5.0 * t))
    rumble = filtered(noise(rng, length), 900.0 * np.exp(-t * 4.0) + 60.0, 0.6)
    return ((0.9 * np.sin(2 * np.pi * turns) + 0.5 * rumble) * decay(length, 1.7, 0.003)).astype(np.float32)


def swoosh(rng: np.random.Generator, seconds: float) -> Sound:
    """A cymbal heard backwards: it breathes in and stops."""
    length = samples(seconds)
    t = clock(length) / seconds
    sides = [filtered(noise(rng, length), 1200.0 + 7000.0 * t, 0.7, BANDPASS) for _ in range(2)]
    return np.stack(sides, axis=1) * (t**3).astype(np.float32)[:, None] * swell(length, 0.0, 0.008)[:, None]
