"""Mixes what a film lets one hear into one spool: the scenes' voices and clips, and music under them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from renderkiln.media.audio.bars import BarsRecorder
from renderkiln.media.audio.decode import open_audio
from renderkiln.media.audio.duck import Duck
from renderkiln.media.audio.loop import Loop
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.mix import Layer, Mix
from renderkiln.media.audio.source import RATE, Block, Source
from renderkiln.media.audio.spool import Spool
from renderkiln.media.audio.timeline import Clip, Timeline
from renderkiln.media.audio.track import Piece, Track

Stem = Literal["mix", "voice", "music"]

# LUFS that voices and music are brought to before their gains count, as in a narration: then −12 dB is as
# soft beside any voice, however loud a track was mastered.
REFERENCE = -20.0
# LUFS between which a clip is as loud as it was recorded, so that a whisper stays softer than a shout. But
# what is mastered like a song would drown the voices, and what came from afar would not be heard.
_CLIP_LUFS = -30.0, -16.0
_MOST_RAISED = 12.0  # dB: beyond it, it would be the noise of the recording that is heard
_READ = RATE  # samples of the voices at once


@dataclass(frozen=True)
class Heard:
    """A voice or the sound of a clip: raw float32 at 48 kHz, interleaved where it has two channels.

    `start` is in samples of the film, fades are in seconds. `lufs` is its own loudness, None where it is too
    short for one.
    """

    kind: Literal["voice", "clip"]
    path: Path
    channels: Literal[1, 2]
    samples: int
    start: int
    gain_db: float = 0.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    lufs: float | None = None


@dataclass(frozen=True)
class MusicBed:
    """A track under the whole film: any file that can be decoded. Fades are in seconds."""

    path: Path
    gain_db: float = -12.0
    duck_db: float = -8.0
    fade_in: float = 0.5
    fade_out: float = 2.0


@dataclass(frozen=True)
class Recorded:
    """The mix, its layers, and a file of `Bars` for each stem that was asked for and exists."""

    spool: Spool
    layers: tuple[Literal["voice", "clips", "music"], ...]
    bars: Mapping[Stem, Path]


def record_soundtrack(
    heard: Sequence[Heard],
    music: MusicBed | None,
    samples: int,
    folder: Path,
    on_samples: Callable[[int], None] = lambda _: None,
    *,
    bars: Collection[Stem] = (),
) -> Recorded | None:
    """Exactly `samples` samples of the film's sound, spooled in `folder`; None where nothing is to be heard.

    Voices are brought to `REFERENCE` and stand in the middle. Music is brought there, too, and steps back
    while they speak; where it is all there is, its gain does not count. Clips keep their own loudness within
    limits. Everything ends with the film, without a click. `on_samples` hears how many samples are mixed.
    Raises Unreadable, Unsuitable, ValueError and OSError.
    """
    heard = [each for each in heard if each.start < samples]
    if not heard and music is None:
        return None
    voices, clips = ([each for each in heard if each.kind == kind] for kind in ("voice", "clip"))
    there: dict[Stem, bool] = {"mix": True, "voice": bool(voices), "music": music is not None}
    recorders = {stem: BarsRecorder(folder) for stem in bars if there[stem]}
    layers: dict[Literal["voice", "clips", "music"], Layer] = {}
    duck = None
    if voices:
        said = _said(voices, samples, folder / "voice.f32", recorders.get("voice"))
        duck = Duck([said], music.duck_db) if music is not None else None
        layers["voice"] = Layer(Timeline([said]))
    if clips:
        layers["clips"] = Layer(Track(_piece(each, _clip_gain(each)) for each in clips))
    if music is not None:
        layers["music"] = _music(music, samples, folder, recorders.get("music"), alone=not heard)
    mixed = Mix(list(layers.values()), samples, duck).blocks()
    spool = Spool.record(folder / "mix.f32", _overheard(mixed, recorders.get("mix")), on_samples)
    files = {stem: folder / f"{stem}.bars" for stem in recorders}
    for stem, path in files.items():
        recorders[stem].finish(path)
    return Recorded(spool, tuple(layers), files)


def _said(voices: Sequence[Heard], samples: int, path: Path, recorder: BarsRecorder | None) -> Clip:
    """All voices as one, mono: what the music steps back for."""
    pieces = [_piece(each, _voice_gain(each)) for each in voices]
    track, length = Track(pieces), min(samples, max(piece.end for piece in pieces))
    with path.open("wb") as file:
        for block in _overheard(_blocks(track, length), recorder):
            file.write(block.mean(axis=0).data)
    return Clip(0, path, length)


def _blocks(source: Source, samples: int) -> Iterator[Block]:
    for start in range(0, samples, _READ):
        yield source.read(min(_READ, samples - start))


def _overheard(blocks: Iterable[Block], recorder: BarsRecorder | None) -> Iterator[Block]:
    for block in blocks:
        if recorder is not None:
            recorder.add(block)
        yield block


def _piece(heard: Heard, gain_db: float) -> Piece:
    return Piece(
        heard.start, heard.path, heard.samples, heard.channels, gain_db, heard.fade_in, heard.fade_out
    )


def _voice_gain(heard: Heard) -> float:
    return heard.gain_db if heard.lufs is None else heard.gain_db + REFERENCE - heard.lufs


def _clip_gain(heard: Heard) -> float:
    if heard.lufs is None:
        return heard.gain_db
    softest, loudest = _CLIP_LUFS
    brought = min(max(heard.lufs, softest), loudest) - heard.lufs
    return heard.gain_db + min(brought, _MOST_RAISED)


def _music(
    music: MusicBed, samples: int, folder: Path, recorder: BarsRecorder | None, *, alone: bool
) -> Layer:
    source: Source = Loop(music.path, scratch=folder, enough=samples / RATE)
    if recorder is not None:
        source = _Overheard(source, recorder)
    gain = REFERENCE - _loudness(music.path) + (0.0 if alone else music.gain_db)
    return Layer(source, gain, music.fade_in, music.fade_out, ducked=True)


def _loudness(path: Path) -> float:
    with open_audio(path) as source:
        meter = Meter(source.rate)
        for block in source.blocks():
            meter.add(block)
    lufs = meter.result().integrated
    return lufs if math.isfinite(lufs) else REFERENCE  # too short to have a loudness


@dataclass(frozen=True)
class _Overheard:
    """A source, and somebody who hears all that is read of it."""

    source: Source
    recorder: BarsRecorder

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        block = self.source.read(n)
        self.recorder.add(block)
        return block
