"""Builds FFmpeg argument lists and runs nothing, so that whole command lines can be compared in tests.

What the runner itself depends on (`-progress`, `-nostdin`, the log level) it adds in `run`. Every path is
given as `file:PATH`, which FFmpeg takes literally: no leading dash, colon or percent sign means anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

Codec = Literal["h264", "hevc", "av1"]
Quality = Literal["draft", "balanced", "high"]

# Demuxers that read one file and open nothing else. Never concat, hls, dash, image2, lavfi, sdp, subtitles.
DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,ogg,"
    "tak,tta,w64,wav,webm,wv"
)
PROTOCOLS = "file,pipe"
BT709 = ("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
BITEXACT = ("-fflags", "+bitexact", "-map_metadata", "-1", "-map_chapters", "-1")

GOP_SECONDS = 2
CRF: Mapping[Quality, int] = {"draft": 21, "balanced": 20, "high": 18}


@dataclass(frozen=True)
class Command:
    """Arguments after the binary's own path."""

    args: tuple[str, ...]


def encode_frames(
    *,
    width: int,
    height: int,
    fps: Fraction,
    codec: Codec,
    quality: Quality,
    output: Path,
    crf: int | None = None,
    threads: int | None = None,
) -> Command:
    """Raw I420 frames from stdin into an mp4 without audio that `concat_and_mux` can join by copying.

    GOPs are closed and at most 2 s long; the same frames give the same bytes on one machine and build.
    `threads` defaults to a constant per quality, because x264's output depends on it.
    """
    gop = max(1, round(fps * GOP_SECONDS))
    level = CRF[quality] if crf is None else crf
    return Command(
        (
            *("-protocol_whitelist", PROTOCOLS, "-f", "rawvideo", "-pixel_format", "yuv420p"),
            *("-video_size", f"{width}x{height}", "-framerate", str(fps), *BT709, "-i", "pipe:0"),
            *("-map", "0:v:0", *_video_encoder(codec, quality, level, gop, threads)),
            *("-pix_fmt", "yuv420p", *BT709, "-flags:v", "+bitexact+cgop", *BITEXACT),
            *("-f", "mp4", "-y", _file(output)),
        )
    )


def concat_list(names: Iterable[str]) -> str:
    """The text of a list file for `concat_and_mux`, which must lie beside the segments it names.

    Bare, plain names: FFmpeg's own check for safe ones then stays on. Raises ValueError for others.
    """
    lines = ["ffconcat version 1.0"]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
            raise ValueError(f"{name!r}: segment names hold ASCII letters, digits, '-', '_' and '.' only")
        lines.append(f"file {name}")
    return "\n".join(lines) + "\n"


def concat_and_mux(
    *,
    segments: Path,
    output: Path,
    audio: Path | None = None,
    cover: Path | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Command:
    """Join the segments named in the list file `segments`, add audio, cover and tags; nothing is re-encoded.

    The segments come from one encoder with the same settings. `audio` is an m4a; `cover` a .jpg or .png. The
    index is put in front of the data (faststart).
    """
    # As they are: converted, each key frame of H.264 would get another copy of what sets the decoder up.
    segmented = ("-f", "concat", "-safe", "1", "-auto_convert", "0", "-i", _file(segments))
    inputs = ["-protocol_whitelist", PROTOCOLS, *segmented]
    maps = ["-map", "0:v:0"]
    pictures: list[str] = []
    if audio is not None:
        inputs += ["-protocol_whitelist", PROTOCOLS, "-f", "mov", "-i", _file(audio)]
        maps += ["-map", "1:a:0"]
    if cover is not None:
        inputs += ["-protocol_whitelist", PROTOCOLS, "-f", _picture_demuxer(cover), "-i", _file(cover)]
        maps += ["-map", f"{1 if audio is None else 2}:v:0"]
        pictures = ["-disposition:v:1", "attached_pic"]
    tags = [arg for key, value in (metadata or {}).items() for arg in ("-metadata", f"{key}={value}")]
    return Command(
        (
            *(*inputs, *maps, "-c", "copy", *pictures, *BITEXACT, *tags),
            *("-movflags", "+faststart", "-f", "mp4", "-y", _file(output)),
        )
    )


def encode_audio(*, rate: int, output: Path, channels: int = 2, bit_rate: int = 256_000) -> Command:
    """Interleaved float32 little-endian samples from stdin into an m4a with AAC-LC."""
    return Command(
        (
            *("-protocol_whitelist", PROTOCOLS, "-f", "f32le", "-ar", str(rate), "-ac", str(channels)),
            *("-i", "pipe:0", "-map", "0:a:0", "-c:a", "aac", "-b:a", str(bit_rate), "-flags:a", "+bitexact"),
            *(*BITEXACT, "-f", "mp4", "-y", _file(output)),
        )
    )


def copy_audio(*, source: Path, output: Path) -> Command:
    """The first audio stream of `source`, which must be AAC, into an m4a as it is."""
    return Command(
        (
            *media_input(source),
            *("-map", "0:a:0", "-c", "copy", *BITEXACT, "-f", "mp4", "-y", _file(output)),
        )
    )


def media_input(path: Path) -> tuple[str, ...]:
    """Input arguments for a file we did not make: local protocols and known demuxers only."""
    return ("-protocol_whitelist", PROTOCOLS, "-format_whitelist", DEMUXERS, "-i", _file(path))


def trial_encode(encoder: str, *, before: tuple[str, ...] = (), upload: str | None = None) -> Command:
    """A tenth of a second through `encoder` into nothing: the only proof that it works on this machine."""
    source = "color=c=gray:s=320x192:r=30:d=0.1"
    filters = ("-vf", upload) if upload else ()
    return Command((*before, "-f", "lavfi", "-i", source, *filters, "-c:v", encoder, "-f", "null", "-"))


def _file(path: Path) -> str:
    return f"file:{path}"


def _picture_demuxer(cover: Path) -> str:
    demuxers = {".jpg": "jpeg_pipe", ".jpeg": "jpeg_pipe", ".png": "png_pipe"}
    try:
        return demuxers[cover.suffix.lower()]
    except KeyError:
        raise ValueError(f"{str(cover)!r}: a cover is a .jpg or a .png file") from None


def _video_encoder(
    codec: Codec, quality: Quality, crf: int, gop: int, threads: int | None
) -> tuple[str, ...]:
    build = {"h264": _x264, "hevc": _x265, "av1": _svtav1}[codec]
    return build(quality, crf, gop, threads)


def _x264(quality: Quality, crf: int, gop: int, threads: int | None) -> tuple[str, ...]:
    # ultrafast switches off CABAC and deblocking; with them the file is a third smaller for 1 ms a frame.
    # The search for motion of veryfast finds nothing more in drawn light: a third of the cost, 0.2 dB.
    preset, extra = {
        "draft": ("ultrafast", ("-x264-params", "cabac=1:deblock=0,0")),
        "balanced": ("veryfast", ("-bf", "0", "-x264-params", "weightp=0:me=dia:subme=1")),
        "high": ("medium", ()),
    }[quality]
    count = threads or {"draft": 4, "balanced": 4, "high": 6}[quality]
    return (
        *("-c:v", "libx264", "-preset", preset, *extra, "-crf", str(crf)),
        *("-g", str(gop), "-threads", str(count)),
    )


def _x265(quality: Quality, crf: int, gop: int, threads: int | None) -> tuple[str, ...]:
    preset = {"draft": "ultrafast", "balanced": "veryfast", "high": "medium"}[quality]
    pools = threads or 4
    params = f"log-level=none:open-gop=0:keyint={gop}:min-keyint={gop}:pools={pools}:frame-threads=2"
    return (
        *("-c:v", "libx265", "-preset", preset, "-crf", str(crf), "-g", str(gop), "-x265-params", params),
        *("-tag:v", "hvc1"),  # Apple's players refuse hev1
    )


def _svtav1(quality: Quality, crf: int, gop: int, threads: int | None) -> tuple[str, ...]:
    # AV1's scale is another one: +10 is about the same picture as x264's crf
    preset = {"draft": "10", "balanced": "8", "high": "5"}[quality]
    return (
        *("-c:v", "libsvtav1", "-preset", preset, "-crf", str(crf + 10), "-g", str(gop)),
        *("-svtav1-params", f"lp={threads or 4}"),
    )
