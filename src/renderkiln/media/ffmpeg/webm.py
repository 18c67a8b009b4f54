"""Builds the command that joins parts in VP9 and a sound in Opus into a webm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from renderkiln.media.ffmpeg.command import BITEXACT, PROTOCOLS, Command


def join(
    *,
    segments: Path,
    output: Path,
    audio: Path | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Command:
    """Join the parts named in the list file `segments` and add sound and tags; nothing is encoded again.

    `audio` is Opus in Ogg. The index of key frames (cues) is put in front of the data. WebM counts time in
    milliseconds: a frame's time is off by half of one at most, and no error adds up.
    """
    inputs = ["-protocol_whitelist", PROTOCOLS, "-f", "concat", "-safe", "1", "-i", f"file:{segments}"]
    maps = ["-map", "0:v:0"]
    if audio is not None:
        inputs += ["-protocol_whitelist", PROTOCOLS, "-f", "ogg", "-i", f"file:{audio}"]
        maps += ["-map", "1:a:0"]
    tags = [arg for key, value in (metadata or {}).items() for arg in ("-metadata", f"{key}={value}")]
    return Command(
        (
            *(*inputs, *maps, "-c", "copy", *BITEXACT, *tags),
            *("-cues_to_front", "1", "-f", "webm", "-y", f"file:{output}"),
        )
    )
