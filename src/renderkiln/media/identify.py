"""What the file of a stranger is, by its content: a film, a sound, a picture, a font or captions.

Looked at in a child with limits on time and memory: what is wrong with a file ends the child.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from renderkiln.media.container import check_readable, shown
from renderkiln.media.errors import MediaError, Unreadable

Kind = Literal["video", "audio", "image", "font", "captions"]

_MEMORY_BYTES = 4 * 2**30
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}
_FONTS = {b"\0\1\0\0": "font/ttf", b"true": "font/ttf", b"OTTO": "font/otf", b"ttcf": "font/collection"}
# By FFmpeg's name of the container: of one with a picture, and of one without.
_CONTAINERS = {
    "aac": ("", "audio/aac"),
    "aiff": ("", "audio/aiff"),
    "avi": ("video/x-msvideo", "video/x-msvideo"),
    "flac": ("", "audio/flac"),
    "mov,mp4,m4a,3gp,3g2,mj2": ("video/mp4", "audio/mp4"),
    "mp3": ("", "audio/mpeg"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "ogg": ("video/ogg", "audio/ogg"),
    "wav": ("", "audio/wav"),
}
_CAPTIONS = 8 << 20  # bytes: a film has a few hundred thousand


@dataclass(frozen=True)
class Identity:
    """What a file is. `facts` are JSON: duration in seconds, width and height in pixels, codecs."""

    kind: Kind
    content_type: str
    facts: Mapping[str, Any]


def identify(path: Path, *, timeout: float = 30.0) -> Identity:
    """What `path` is. Raises Unreadable where it is nothing that jobs can use, saying why."""
    command = [sys.executable, "-m", "renderkiln.media.identify", str(path.absolute()), str(int(timeout))]
    try:
        child = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise Unreadable(f"{shown(path)} could not be understood within {timeout:g} s") from None
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        raise Unreadable(f"{shown(path)} is damaged: it could not be looked at") from None
    if "error" in answer:
        raise Unreadable(answer["error"])
    return Identity(**answer)


def _identified(path: Path) -> Identity:
    check_readable(path)
    with path.open("rb") as file:
        head = file.read(16)
    for start, content_type in _IMAGES.items():
        if head.startswith(start):
            return _image(path, content_type)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _image(path, "image/webp")
    if head[:4] in _FONTS:
        return _font(path, _FONTS[head[:4]])
    try:
        return _media(path)
    except MediaError as error:
        if path.stat().st_size <= _CAPTIONS and (captions := _captions(path)) is not None:
            return captions
        raise error


def _image(path: Path, content_type: str) -> Identity:
    from renderkiln.media.frames.image import read_image  # Skia, which most files do not need

    height, width = read_image(path).shape[:2]
    return Identity("image", content_type, {"width": width, "height": height})


def _font(path: Path, content_type: str) -> Identity:
    from renderkiln.media.frames.fonts import faces_for

    faces_for(24, 400, (path,))
    return Identity("font", content_type, {})


def _captions(path: Path) -> Identity | None:
    from renderkiln.media.subtitles import read_captions

    try:
        cues = read_captions(path)
    except MediaError:
        return None
    with path.open("rb") as file:
        is_vtt = b"WEBVTT" in file.read(16)
    content_type = "text/vtt" if is_vtt else "application/x-subrip"
    return Identity("captions", content_type, {"cues": len(cues), "duration": cues[-1].end})


def _media(path: Path) -> Identity:
    from renderkiln.media.probe import probe

    info = probe(path)
    video, audio = info.video, info.audio
    if video is None and audio is None:
        raise Unreadable(f"{shown(path)} has neither a picture nor a sound")
    facts: dict[str, Any] = {"container": info.container, "duration": info.duration}
    if video is not None:
        facts |= {"width": video.width, "height": video.height, "fps": video.fps, "codec": video.codec}
    if audio is not None:
        facts |= {"sampleRate": audio.rate, "channels": audio.channels, "audioCodec": audio.codec}
    return Identity("video" if video else "audio", _content_type(info.container, bool(video), facts), facts)


def _content_type(container: str, has_picture: bool, facts: Mapping[str, Any]) -> str:  # noqa: FBT001
    if container == "matroska,webm":
        open_codecs = {facts.get("codec"), facts.get("audioCodec")} <= {
            None, "vp8", "vp9", "av1", "opus", "vorbis"
        }  # fmt: skip
        return f"{'video' if has_picture else 'audio'}/{'webm' if open_codecs else 'x-matroska'}"
    known = _CONTAINERS.get(container, ("", ""))[0 if has_picture else 1]
    return known or ("video/x-unknown" if has_picture else "audio/x-unknown")


def _main() -> None:
    path, seconds = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere address space cannot be limited
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        answer = asdict(_identified(path))
    except MediaError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
