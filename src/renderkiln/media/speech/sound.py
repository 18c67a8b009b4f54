"""The sound in a server's answer: PCM as asked for, or a file that some servers send instead."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np

from renderkiln.media.audio.decode import open_audio
from renderkiln.media.errors import MediaError
from renderkiln.media.speech.contract import Mono, Unavailable
from renderkiln.media.speech.pcm import from_pcm
from renderkiln.media.speech.server import Answer

_FILES = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")
_RAW = ("audio/pcm", "audio/l16", "application/octet-stream", "")


def sound(answer: Answer, name: str, rate: int) -> tuple[int, Mono]:
    """Sample rate and samples. PCM is 16 bits little-endian mono, at `rate` unless the answer says another.

    Raises Unavailable for what is no sound, or not all of it.
    """
    body = answer.body
    if not body:
        raise Unavailable(f"{name} answered with nothing")
    if body.startswith(_FILES) or (_is_mpeg(body) and answer.kind not in _RAW):
        return _decoded(body, name)
    if not answer.kind.startswith("audio/") and answer.kind not in _RAW:
        raise Unavailable(f"{name} answered with {answer.kind[:60]} instead of sound")
    if len(body) % 2:
        raise Unavailable(f"{name}'s answer was cut off in the middle of a sample")
    said = re.search(r"rate=(\d{4,6})\b", answer.headers.get("content-type", ""))
    return int(said[1]) if said else rate, from_pcm(body)


def _is_mpeg(body: bytes) -> bool:
    """Whether it starts with the sync word of an MP3 frame, of a possible bit rate."""
    return len(body) > 4 and body[0] == 0xFF and body[1] & 0xE6 == 0xE2 and body[2] >> 4 not in (0, 15)


def _decoded(body: bytes, name: str) -> tuple[int, Mono]:
    with tempfile.TemporaryDirectory(prefix="renderkiln-speech-") as folder:
        path = Path(folder) / "answer"
        path.write_bytes(body)
        try:
            with open_audio(path) as source:
                blocks: list[Mono] = [block.mean(axis=0) for block in source.blocks()]
                facts = source.facts
        except MediaError:
            raise Unavailable(f"{name} answered with a sound file that cannot be decoded") from None
    if any(warning.code in ("truncated", "damaged") for warning in facts.warnings):
        raise Unavailable(f"{name}'s answer was cut off or damaged")
    return source.rate, np.concatenate(blocks)
