"""What a media file is: container, streams, tags, cover.

`probe` reads in this process; `probe_safely` does it in a child with limits, for files of strangers.
"""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.container
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition

from renderkiln.media.container import open_container, shown, translated
from renderkiln.media.errors import Unreadable

COVER_BYTES = 32 * 2**20
_MEMORY_BYTES = 4 * 2**30

# ISO/IEC 23091-2 code points that occur in practice
_RANGES = {1: "tv", 2: "pc"}
_MATRICES = {0: "gbr", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
_PRIMARIES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 12: "smpte432"}
_TRANSFERS = {1: "bt709", 6: "smpte170m", 13: "iec61966-2-1", 16: "smpte2084", 18: "arib-std-b67"}
_PROJECTIONS = {0: "equirectangular", 1: "cubemap", 2: "equirectangular-tile"}
_STEREO_MODES = {0: "mono", 1: "side-by-side", 2: "top-bottom"}


@dataclass(frozen=True)
class Cover:
    """The picture a song carries, as it is stored."""

    data: bytes
    media_type: str  # image/jpeg, image/png, …


@dataclass(frozen=True)
class StreamInfo:
    """One stream. Fields that do not apply, or that the file does not tell, are None."""

    index: int
    kind: Literal["video", "audio", "other"]
    codec: str | None
    duration: float | None = None  # seconds
    start: float | None = None  # seconds on the container's clock
    bit_rate: int | None = None
    profile: str | None = None
    width: int | None = None
    height: int | None = None
    fps: str | None = None  # a fraction: "30000/1001"
    frames: int | None = None  # as the header says
    pixel_format: str | None = None
    alpha: bool = False  # a channel of its own, or as VP8 and VP9 have it, a stream beside the pictures
    color: Mapping[str, str] = field(default_factory=dict)  # range, space, primaries, transfer
    rate: int | None = None  # Hz
    channels: int | None = None
    layout: str | None = None
    attached_picture: bool = False


@dataclass(frozen=True)
class MediaInfo:
    """A file as its headers describe it."""

    container: str  # FFmpeg's demuxer name
    duration: float | None  # seconds
    size: int  # bytes
    bit_rate: int | None
    streams: tuple[StreamInfo, ...]
    tags: Mapping[str, str]  # keys in lower case
    cover: Cover | None = None
    projection: str | None = None  # of spherical video: "equirectangular", …
    stereo_mode: str | None = None  # "top-bottom", …

    @property
    def audio(self) -> StreamInfo | None:
        """The first audio stream."""
        return next((stream for stream in self.streams if stream.kind == "audio"), None)

    @property
    def video(self) -> StreamInfo | None:
        """The first moving picture; covers do not count."""
        return next((s for s in self.streams if s.kind == "video" and not s.attached_picture), None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the cover in base64."""
        values = asdict(self)
        if self.cover is not None:
            values["cover"]["data"] = base64.b64encode(self.cover.data).decode()
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MediaInfo:
        """The inverse of `to_json`."""
        cover = values["cover"]
        if cover is not None:
            cover = Cover(base64.b64decode(cover["data"]), cover["media_type"])
        streams = tuple(StreamInfo(**stream) for stream in values["streams"])
        return cls(**{**values, "streams": streams, "cover": cover})


def probe(path: Path, *, gifs: bool = False) -> MediaInfo:
    """Read the headers of `path`; gifs, which we only make, if told so. Raises Unreadable, saying why."""
    with translated(path), open_container(path, gifs=gifs) as container:
        return _describe(container)


def probe_safely(path: Path, *, gifs: bool = False, timeout: float = 30.0) -> MediaInfo:
    """`probe` in a child process with bounded time and memory. Raises Unreadable, saying why."""
    command = [sys.executable, "-m", "renderkiln.media.probe", str(path.absolute()), str(int(timeout))]
    command += ["gifs"] if gifs else []
    try:
        child = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise Unreadable(f"{shown(path)} could not be understood within {timeout:g} s") from None
    except ValueError:
        raise Unreadable(f"{shown(path)} is not a possible file name") from None
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        raise Unreadable(f"{shown(path)} is damaged: reading its headers failed") from None
    if "error" in answer:
        raise Unreadable(answer["error"])
    return MediaInfo.from_json(answer)


def _describe(container: av.container.InputContainer) -> MediaInfo:
    cover = _cover(container)  # before anything is read: pictures come first
    streams = tuple(_stream(stream) for stream in container.streams)
    tags = dict(container.metadata)
    if container.format.name == "ogg" and container.streams.audio:  # it keeps its tags in the stream
        tags = {**container.streams.audio[0].metadata, **tags}
    projection, stereo_mode = _immersion(container)
    return MediaInfo(
        container=container.format.name,
        duration=None if container.duration is None else container.duration / av.time_base,
        size=container.size,
        bit_rate=container.bit_rate or None,
        streams=streams,
        tags={key.lower(): value for key, value in tags.items()},
        cover=cover,
        projection=projection,
        stereo_mode=stereo_mode,
    )


def _stream(stream: Any) -> StreamInfo:
    context = stream.codec_context
    kind = stream.type if stream.type in ("video", "audio") and context is not None else "other"
    common: dict[str, Any] = {
        "index": stream.index,
        "kind": kind,
        "codec": None if context is None else context.codec.canonical_name,
        "duration": _seconds(stream.duration, stream.time_base),
        "start": _seconds(stream.start_time, stream.time_base),
    }
    if kind == "other":
        return StreamInfo(**common)
    common |= {"bit_rate": context.bit_rate or None, "profile": context.profile}
    if kind == "audio":
        return StreamInfo(
            **common, rate=context.sample_rate, channels=context.channels, layout=context.layout.name
        )
    return StreamInfo(
        **common,
        width=context.width,
        height=context.height,
        fps=str(stream.guessed_rate) if stream.guessed_rate else None,  # the average errs after joins
        frames=stream.frames or None,
        pixel_format=context.pix_fmt,
        alpha=stream.metadata.get("alpha_mode") == "1" or _has_alpha(context.pix_fmt),
        color=_color(context),
        attached_picture=is_cover(stream),
    )


def _has_alpha(pixel_format: str | None) -> bool:
    return pixel_format is not None and any(each.is_alpha for each in av.VideoFormat(pixel_format).components)


def _color(context: Any) -> dict[str, str]:
    """The colour tags in the words of FFmpeg's command line; those that are unspecified are left out."""
    tags = {
        "range": _RANGES.get(context.color_range),
        "space": _MATRICES.get(context.colorspace),
        "primaries": _PRIMARIES.get(context.color_primaries),
        "transfer": _TRANSFERS.get(context.color_trc),
    }
    return {key: value for key, value in tags.items() if value}


def is_cover(stream: Any) -> bool:
    """Whether a PyAV stream is a picture attached to the file rather than a film."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def _cover(container: av.container.InputContainer) -> Cover | None:
    """The first attached picture. Demuxers put pictures in front of everything else, so this reads little."""
    for stream in container.streams.video:
        if not is_cover(stream):
            continue
        data = bytes(next(container.demux(stream)))
        media_type = {"mjpeg": "image/jpeg", "png": "image/png"}.get(stream.codec_context.name)
        if media_type and 0 < len(data) <= COVER_BYTES:
            return Cover(data, media_type)
    return None


def _immersion(container: av.container.InputContainer) -> tuple[str | None, str | None]:
    """Projection and stereo mode of the video; FFmpeg shows both as side data of its first frame only."""
    stream = next((stream for stream in container.streams.video if not is_cover(stream)), None)
    if stream is None:
        return None, None
    try:
        side_data = next(container.decode(stream)).side_data
    except (av.error.FFmpegError, StopIteration):  # whether it can be decoded is not asked here
        return None, None
    return (
        _enum(side_data, SideDataType.SPHERICAL, _PROJECTIONS),
        _enum(side_data, SideDataType.STEREO3D, _STEREO_MODES),
    )


def _enum(side_data: Any, kind: SideDataType, names: Mapping[int, str]) -> str | None:
    data = next((data for data in side_data if data.type == kind), None)
    if data is None:
        return None
    number = int.from_bytes(bytes(data)[:4], sys.byteorder)  # both structures begin with a native 32-bit enum
    return names.get(number, "other")


def _seconds(count: int | None, unit: Fraction | None) -> float | None:
    return None if count is None or unit is None else float(count * unit)


def _main() -> None:
    path, seconds, gifs = Path(sys.argv[1]), int(sys.argv[2]), "gifs" in sys.argv[3:]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere address space cannot be limited
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        answer = probe(path, gifs=gifs).to_json()
    except Unreadable as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
