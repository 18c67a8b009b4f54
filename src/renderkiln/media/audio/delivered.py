"""Measures the file that was delivered, by decoding it once, and says in words what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln.media.audio.decode import AudioFacts, open_audio
from renderkiln.media.audio.loudness import Loudness, Meter
from renderkiln.media.audio.peaks import Peaks
from renderkiln.media.audio.stereo import Block
from renderkiln.media.audio.survey import Silence, Survey
from renderkiln.media.audio.tonemeter import MIN_SECONDS, SEARCH, Expected, Tone, ToneMeter

_DAMAGE = ("truncated", "damaged", "not-a-number")  # warnings of the decoder that no file of ours may give
_FRAMES = {"mp3": 1152, "aac": 1024, "opus": 960}  # samples; the other codecs have to be exact
_SILENT = -60.0  # dBFS
_LOUDNESS, _HZ, _BEAT = 0.1, 0.05, 0.02  # tolerances in LU and Hz
_SEPARATION = 10.0  # dB


@dataclass(frozen=True)
class Delivered:
    """What is really in a file.

    `offset` is the mean of each channel, 1.0 being full scale. `correlation` of the channels is None when one
    is silent. `fold_loss` is by how many LU the mean of both channels, played by both, is softer. `peaks`
    writes the outline for waveform displays.
    """

    samples: int
    rate: int
    channels: int
    codec: str
    bit_rate: int  # bits per second of the whole file, tags and cover included
    loudness: Loudness
    clipped: int  # runs of three and more samples at full scale
    offset: tuple[float, float]
    correlation: float | None
    fold_loss: float | None
    silences: tuple[Silence, ...]
    tones: tuple[Tone, ...]
    errors: tuple[str, ...]
    peaks: Peaks = field(repr=False, compare=False)

    @property
    def seconds(self) -> float:
        """Exact duration."""
        return self.samples / self.rate

    @property
    def head_silence(self) -> float:
        """Seconds of silence before the first sound; 0 if they are less than one."""
        return next((gap.end for gap in self.silences if gap.start == 0.0), 0.0)

    @property
    def tail_silence(self) -> float:
        """Seconds of silence after the last sound; 0 if they are less than one."""
        return next((gap.end - gap.start for gap in self.silences if gap.end == self.seconds), 0.0)

    @property
    def gaps(self) -> tuple[Silence, ...]:
        """The silences between sounds."""
        return tuple(gap for gap in self.silences if gap.start > 0.0 and gap.end < self.seconds)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, rounded to what can be told; without the outline."""
        return {
            "samples": self.samples,
            "seconds": round(self.seconds, 6),
            "rate": self.rate,
            "channels": self.channels,
            "codec": self.codec,
            "bit_rate": self.bit_rate,
            "loudness": self.loudness.to_json(),
            "clipped": self.clipped,
            "offset": [round(mean, 6) for mean in self.offset],
            "correlation": _rounded(self.correlation, 3),
            "fold_loss": _rounded(self.fold_loss, 2),
            "head_silence": round(self.head_silence, 3),
            "tail_silence": round(self.tail_silence, 3),
            "gaps": [{name: round(value, 3) for name, value in asdict(gap).items()} for gap in self.gaps],
            "tones": [_tone_json(tone) for tone in self.tones],
            "errors": list(self.errors),
        }


@dataclass(frozen=True)
class Ordered:
    """What the file should be: length in samples, integrated LUFS and the highest allowed dBTP."""

    samples: int
    lufs: float
    ceiling: float = -1.0


def measure(
    path: Path, *, tones: Sequence[Expected] = (), on_samples: Callable[[int], None] | None = None
) -> Delivered:
    """Decode the file at `path` once and measure it, calling `on_samples` with the samples so far.

    Raises Unreadable when nothing of it can be decoded, Unsuitable when it has no sound or less than 0.1 s.
    """
    with open_audio(path) as source:
        meter, fold = Meter(source.rate), Meter(source.rate)
        survey, peaks, tone_meter = Survey(source.rate), Peaks(source.rate), ToneMeter(source.rate, tones)
        samples = 0
        for block in source.blocks():
            for instrument in (meter, survey, peaks, tone_meter):
                instrument.add(block)
            fold.add(_folded(block))
            samples += block.shape[1]
            if on_samples is not None:
                on_samples(samples)
        facts = source.facts
    loudness = meter.result()
    return Delivered(
        samples=facts.samples,
        rate=facts.rate,
        channels=facts.source_channels,
        codec=facts.codec,
        bit_rate=round(path.stat().st_size * 8 / facts.seconds),
        loudness=loudness,
        clipped=survey.clipped,
        offset=survey.offset,
        correlation=survey.correlation,
        fold_loss=_loss(loudness, fold.result()),
        silences=survey.silences,
        tones=tone_meter.tones(),
        errors=_errors(facts),
        peaks=peaks,
    )


def faults(delivered: Delivered, ordered: Ordered) -> list[str]:
    """Everything that makes the file other than ordered, one sentence each; empty when it is right."""
    return list(_faults(delivered, ordered))


def _faults(delivered: Delivered, ordered: Ordered) -> Iterator[str]:
    yield from delivered.errors
    if delivered.channels != 2:
        yield f"the file is not stereo: it has {delivered.channels} channel(s)"
    surplus = delivered.samples - ordered.samples
    if abs(surplus) > _FRAMES.get(delivered.codec, 0):
        word = "longer" if surplus > 0 else "shorter"
        yield f"the file is {abs(surplus) / delivered.rate:.3f} s {word} than ordered"
    loudness = delivered.loudness
    if loudness.peak < _SILENT:
        yield "the file is silent: its peak is below -60 dBFS"
        return
    if not abs(loudness.integrated - ordered.lufs) <= _LOUDNESS:
        yield f"the loudness is {loudness.integrated:.2f} LUFS, ordered were {ordered.lufs:.2f}"
    if loudness.true_peak > ordered.ceiling:
        yield f"the true peak is {loudness.true_peak:.2f} dBTP, above the ceiling of {ordered.ceiling:.2f}"
    if delivered.clipped:
        yield f"the sound clips in {delivered.clipped} places"
    if delivered.seconds >= MIN_SECONDS + 0.5:  # below, a tone cannot be told
        yield from _tone_faults(delivered.tones)


def _tone_faults(tones: Sequence[Tone]) -> Iterator[str]:
    for tone in tones:
        name = f"the tone of {tone.expected.hz:g} Hz{_EARS[tone.expected.channel]}"
        if tone.hz is None:
            yield f"{name} is missing"
        elif abs(tone.hz - tone.expected.hz) > _HZ:
            yield f"{name} is at {tone.hz:.3f} Hz"
        elif tone.separation is not None and tone.separation < _SEPARATION and _alone(tone, tones):
            yield f"{name} is heard in both: only {tone.separation:.1f} dB softer in the other"
    left, right = ([tone for tone in tones if tone.expected.channel == ear] for ear in (0, 1))
    for one, other in zip(left, right, strict=False):
        ordered = abs(other.expected.hz - one.expected.hz)
        if one.hz is not None and other.hz is not None and abs(abs(other.hz - one.hz) - ordered) > _BEAT:
            yield f"the beat is {abs(other.hz - one.hz):.3f} Hz, ordered were {ordered:g}"


_EARS = {0: " in the left ear", 1: " in the right ear", None: ""}


def _alone(tone: Tone, tones: Sequence[Tone]) -> bool:
    """Whether no other tone was ordered where this one would be heard by the other ear."""
    others = [other.expected for other in tones if other.expected.channel != tone.expected.channel]
    return all(abs(other.hz - tone.expected.hz) > 2 * SEARCH for other in others)


def _folded(block: Block) -> Block:
    middle = (block[0] + block[1]) * np.float32(0.5)
    return np.stack([middle, middle])


def _loss(stereo: Loudness, mono: Loudness) -> float | None:
    both = math.isfinite(stereo.integrated) and math.isfinite(mono.integrated)
    return stereo.integrated - mono.integrated if both else None


def _errors(facts: AudioFacts) -> tuple[str, ...]:
    return tuple(warning.message for warning in facts.warnings if warning.code in _DAMAGE)


def _tone_json(tone: Tone) -> dict[str, Any]:
    return {
        "expected_hz": tone.expected.hz,
        "channel": tone.expected.channel,
        "hz": _rounded(tone.hz, 4),
        "level": _rounded(tone.level, 2),
        "snr": _rounded(tone.snr, 1),
        "separation": _rounded(tone.separation, 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
