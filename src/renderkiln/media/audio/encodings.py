"""The formats a track is delivered in, and what each encoder does to its loudness and peaks.

The two figures in decibels were measured by decoding again: a minute of speech, music and tones at −16 LUFS,
and drums and synthesisers alone, limited to −1.2 dBTP at −14 LUFS. The margins are those of the latter, the
worst case: speech over music grows by 0.2 dB at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Format = Literal["mp3", "wav", "flac", "m4a", "opus"]
Quality = Literal["draft", "standard", "high"]

FORMATS: tuple[Format, ...] = get_args(Format)
QUALITIES: tuple[Quality, ...] = get_args(Quality)


@dataclass(frozen=True)
class Encoding:
    """One quality of one format.

    `kbps` is 0 for lossless codecs and `bits` 0 for codecs that take floats. `attenuation_db` is what the
    encoder takes off the level: give it as much more. `ceiling_margin_db` is how much a peak may grow in it:
    limit what you give it to so much below the true peak the file may have.
    """

    codec: str
    kbps: int
    bits: int
    attenuation_db: float
    ceiling_margin_db: float


@dataclass(frozen=True)
class Container:
    """How files of a format are called, what MIME type they have and which muxer writes them."""

    suffix: str
    content_type: str
    muxer: str


CONTAINERS: Mapping[Format, Container] = {
    "mp3": Container(".mp3", "audio/mpeg", ""),  # written by us around LAME's frames
    "wav": Container(".wav", "audio/wav", "wav"),
    "flac": Container(".flac", "audio/flac", "flac"),
    "m4a": Container(".m4a", "audio/mp4", "mp4"),  # the "ipod" muxer takes no cover
    "opus": Container(".opus", "audio/ogg", "ogg"),
}

_WAV16 = Encoding("pcm_s16le", 0, 16, 0.0, 0.0)
_WAV24 = Encoding("pcm_s24le", 0, 24, 0.0, 0.0)
_FLAC16 = Encoding("flac", 0, 16, 0.0, 0.0)
_FLAC24 = Encoding("flac", 0, 24, 0.0, 0.0)

_TABLE: Mapping[Format, Mapping[Quality, Encoding]] = {
    # LAME scales its input by 0.95 at 128 and 0.97 at 192 kbit/s: 20·log10 of these
    "mp3": {
        "draft": Encoding("mp3", 128, 16, 0.4455, 1.0),
        "standard": Encoding("mp3", 192, 16, 0.2646, 0.7),
        "high": Encoding("mp3", 320, 16, 0.01, 0.5),
    },
    # AAC takes highs: from speech over music 0.09, 0.06, 0.03 dB, from music alone 0.23, 0.18, 0.11
    "m4a": {
        "draft": Encoding("aac", 128, 0, 0.12, 1.4),
        "standard": Encoding("aac", 192, 0, 0.09, 0.6),
        "high": Encoding("aac", 256, 0, 0.06, 0.9),
    },
    "opus": {
        "draft": Encoding("libopus", 64, 0, 0.01, 1.0),
        "standard": Encoding("libopus", 96, 0, 0.01, 1.3),
        "high": Encoding("libopus", 160, 0, 0.02, 0.9),
    },
    "flac": {"draft": _FLAC16, "standard": _FLAC16, "high": _FLAC24},
    "wav": {"draft": _WAV16, "standard": _WAV16, "high": _WAV24},
}


def encoding(format: Format, quality: Quality) -> Encoding:
    """The codec and figures of this format and quality."""
    return _TABLE[format][quality]
