"""Builds the command that sends one file through filters into an mp4 with H.264 and AAC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from renderkiln.media.ffmpeg.command import BITEXACT, BT709, CRF, GOP_SECONDS, Command, Quality, media_input

STEREO_BITS, SURROUND_BITS = 96_000, 64_000  # of AAC-LC in a second, for each of two channels and the others
MOST_CHANNELS = 8  # of AAC in an mp4
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)  # Hz that players take

# By which H.264 is made where hardware is wished for, best first; each must prove itself (see `encoders`).
HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox", "h264_vaapi")
_PRESETS: Mapping[Quality, str] = {"draft": "ultrafast", "balanced": "veryfast", "high": "medium"}


@dataclass(frozen=True)
class Picture:
    """The picture that comes out: `filters` make it of stream `index`, at the constant rate `fps`.

    There are exactly `frames` frames. GOPs begin at the times `keyframes`, in seconds, and each 2 s.
    """

    index: int
    filters: Sequence[str]
    fps: Fraction
    frames: int
    keyframes: Sequence[float] = ()


@dataclass(frozen=True)
class Sound:
    """The sound that comes out: `filters` make it of stream `index`, with `rate` Hz and `channels`."""

    index: int
    filters: Sequence[str]
    rate: int
    channels: int


@dataclass(frozen=True)
class Encoding:
    """How H.264 is made. Decoder, filters and encoder have `threads` each; x264's bytes depend on them."""

    quality: Quality
    encoder: str = "libx264"
    threads: int = 1


def transcode(
    source: Path,
    picture: Picture,
    sound: Sound | None,
    encoding: Encoding,
    output: Path,
    *,
    tags: Mapping[str, str] | None = None,
) -> Command:
    """The whole of `source` into an mp4 that begins with its index (faststart).

    FFmpeg does not turn the picture by itself: `picture.filters` do. No tag of the source is kept: phones
    write down where they were.
    """
    threads = str(encoding.threads)
    # A graph for each: where the form of one changes midway, FFmpeg builds its graph anew, and only that.
    graphs = ["-filter_complex", _picture_graph(picture, encoding.encoder)]
    maps = ["-map", "[picture]"]
    if sound is not None:
        graphs += ["-filter_complex", f"[0:{sound.index}]{','.join(sound.filters)}[sound]"]
        maps += ["-map", "[sound]"]
    named = [arg for key, value in (tags or {}).items() for arg in ("-metadata", f"{key}={value}")]
    return Command(
        (
            *(*_device(encoding.encoder), "-threads", threads, "-noautorotate", *media_input(source)),
            *("-filter_complex_threads", threads, *graphs),
            *(*maps, "-frames:v", str(picture.frames), *_h264(encoding), *_keyframes(picture), *BT709),
            *("-flags:v", "+bitexact+cgop", *_aac(sound), *BITEXACT, *named),
            *("-movflags", "+faststart", "-f", "mp4", "-y", f"file:{output}"),
        )
    )


def aac_rate(rate: int) -> int:
    """The sample rate nearest to `rate` that AAC players take, never a lower one where there is a choice."""
    return min((each for each in AAC_RATES if each >= rate), default=AAC_RATES[0])


def _picture_graph(picture: Picture, encoder: str) -> str:
    upload = ["format=nv12", "hwupload"] if encoder == "h264_vaapi" else []
    return f"[0:{picture.index}]{','.join([*picture.filters, *upload])}[picture]"


def _device(encoder: str) -> tuple[str, ...]:
    return ("-init_hw_device", "vaapi=gpu", "-filter_hw_device", "gpu") if encoder == "h264_vaapi" else ()


def _keyframes(picture: Picture) -> tuple[str, ...]:
    gop = ("-g", str(max(1, round(picture.fps * GOP_SECONDS))))
    # Half a frame early: a time that falls on a frame must not miss it by its last digit.
    half = float(1 / picture.fps / 2)
    times = ",".join(f"{max(0.0, each - half):.6f}" for each in picture.keyframes)
    return (*gop, "-force_key_frames", times) if times else gop


def _h264(encoding: Encoding) -> tuple[str, ...]:
    level = CRF[encoding.quality]
    match encoding.encoder:
        case "h264_nvenc":
            return ("-c:v", "h264_nvenc", "-preset", "p4", "-rc", "vbr", "-cq", str(level), "-b:v", "0")
        case "h264_qsv":
            return ("-c:v", "h264_qsv", "-global_quality", str(level))
        case "h264_amf":
            return ("-c:v", "h264_amf", "-rc", "cqp", "-qp_i", str(level), "-qp_p", str(level))
        case "h264_videotoolbox":  # its scale is another one: 65 is about crf 20
            return ("-c:v", "h264_videotoolbox", "-q:v", str(105 - 2 * level))
        case "h264_vaapi":
            return ("-c:v", "h264_vaapi", "-rc_mode", "CQP", "-qp", str(level))
        case _:
            return _x264(encoding)


def _x264(encoding: Encoding) -> tuple[str, ...]:
    # ultrafast switches off CABAC and deblocking, which cost little and save a third of the file. Looking 5
    # frames ahead instead of 10 saves 33 MB at 1080p; the file has 0.5 dB less in a tenth fewer bytes.
    params = {"draft": "cabac=1:deblock=0,0", "balanced": "rc-lookahead=5"}.get(encoding.quality)
    extra = ("-x264-params", params) if params else ()
    return (
        *("-c:v", "libx264", "-preset", _PRESETS[encoding.quality], *extra),
        *("-crf", str(CRF[encoding.quality]), "-threads", str(encoding.threads), "-pix_fmt", "yuv420p"),
    )


def _aac(sound: Sound | None) -> tuple[str, ...]:
    if sound is None:
        return ()
    bits = STEREO_BITS * min(sound.channels, 2) + SURROUND_BITS * max(0, sound.channels - 2)
    return ("-c:a", "aac", "-b:a", str(bits), "-ar", str(sound.rate), "-flags:a", "+bitexact")
