"""Composes the demo track. The score, the players and the studio are in `studio`; here they are mixed."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from renderkiln.media.audio.studio import parts
from renderkiln.media.audio.studio.master import mastered
from renderkiln.media.audio.studio.reverb import echo, room
from renderkiln.media.audio.studio.score import BEAT, score
from renderkiln.media.audio.studio.synth import RATE, Sound, clock


def compose(seed: int = 0) -> Sound:
    """The whole track: stereo float32 (samples, 2) at `RATE`, 20 s, −14 LUFS, under −1 dBTP.

    The same seed gives the same samples on the same machine. It moves what players would: the drift of the
    pads, accents, the stroke of every drum.
    """
    rng = np.random.default_rng(seed)
    chords = list(score())
    drums, kicks = parts.drums(rng)
    duck = parts.ducked(kicks)
    pads = parts.pads(chords, rng) * duck
    bass = parts.bass(chords) * duck
    plucks = parts.arpeggio(chords, rng) * (0.4 + 0.6 * duck)
    song = parts.melody()
    effects = parts.transitions(rng)
    echoes = echo(0.5 * plucks + 0.5 * song, 0.75 * BEAT)
    wet = room(0.35 * pads + 0.5 * plucks + 0.45 * song + 0.5 * effects + 0.07 * drums + 0.4 * echoes, 2.6)
    mix = drums + bass + pads + plucks + song + effects + 0.55 * echoes + 0.5 * wet
    return mastered(faded(mix, 0.02, 1.6))


def excerpt(track: Sound, start: float, seconds: float) -> Sound:
    """`seconds` of a track from `start` on, with short fades at both ends."""
    first = round(start * RATE)
    return faded(track[first : first + round(seconds * RATE)], 0.05, 0.25)


def faded(sound: Sound, rise: float, fall: float) -> Sound:
    """Raised-cosine fades of `rise` and `fall` seconds."""
    t = clock(len(sound))
    ends = np.clip(t / rise, 0, 1) * 0.5, np.clip((len(sound) / RATE - t) / fall, 0, 1) * 0.5
    gain = np.sin(np.pi * ends[0]) ** 2 * np.sin(np.pi * ends[1]) ** 2
    return sound * gain[:, None].astype(np.float32)


def write(path: Path, sound: Sound) -> None:
    """Write 24-bit WAV. Raises OSError."""
    whole = np.round(np.clip(sound, -1.0, 1.0) * 8388607.0).astype("<i4")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(3)
        file.setframerate(RATE)
        file.writeframes(np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
