"""The songs that benchmarks render: the demo's own track, as often as needed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from renderkiln.media.audio.compose import compose, write
from renderkiln.media.audio.decode import open_audio
from renderkiln.media.audio.features import Features
from renderkiln.media.audio.spectrum import SpectrumAnalyser
from renderkiln.media.audio.studio.synth import RATE


def song(folder: Path, seconds: float) -> Path:
    """A WAV of at least `seconds` of music, cut to that length."""
    path = folder / f"song-{seconds:g}.wav"
    if not path.exists():
        track = compose()
        wanted = int(seconds * RATE)
        write(path, np.tile(track, (-(-wanted // len(track)), 1))[:wanted])
    return path


def features(song_file: Path, folder: Path, fps: int) -> Features:
    """What the pictures hear of it."""
    with open_audio(song_file) as source:
        analyser = SpectrumAnalyser(source.rate, Fraction(fps))
        for block in source.blocks():
            analyser.add(block.mean(axis=0))
        frames = -(-source.facts.samples * fps // source.rate)
    return analyser.finish(folder / f"{song_file.stem}-{fps}.npy", frames)
