"""Builds the commands that encode the parts of a film of slides: text, photos that drift, fades, clips.

Parts are made side by side, one FFmpeg each, and joined by copying: by `command.concat_and_mux` into an mp4,
by `webm.join` into a webm, by `media.gif` into a gif.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Literal

from renderkiln.media.ffmpeg.command import BITEXACT, BT709, GOP_SECONDS, PROTOCOLS, Command, Quality

Codec = Literal["h264", "vp9", "lossless"]

VP9_THREADS = 2  # of one encoder; they share rows, so that its bytes do not depend on how they take turns

# Without a look ahead, without its tree of what later frames use and with one B-frame, FFmpeg holds 160 MB at
# 1080p; as it comes, 250 MB. At equal PSNR, and for a fifth less CPU, that costs 60 % more bytes for a slide,
# small as they are, 27 % for a photo that drifts (100 % without B-frames), 8 % for a fade, 2 % for a clip.
_LEAN = "rc-lookahead=0:mbtree=0:bframes=1:b-adapt=0"
# crf counts two lower without that tree: 22 has the PSNR of veryfast's own 20, 47 dB for text. CPU of a frame
# at 1080p, from a still slide to a clip: 15 … 30 ms, 25 … 43 ms, 43 … 90 ms.
_H264: Mapping[Quality, tuple[str, str, int]] = {
    # Where nothing moves, ultrafast is better than superfast: it has no psychovisual tricks to see again
    "draft": ("ultrafast", "cabac=1:deblock=0,0", 23),
    "balanced": ("veryfast", _LEAN, 22),
    "high": ("faster", _LEAN, 19),
}
# The deadline "good" gives the same PSNR for 6 % less, for a third less where little moves, at three to five
# times the CPU: 130 … 300 ms a frame at 1080p against 38 … 100 (balanced) and 38 … 50 (draft), all in 260 MB.
_VP9: Mapping[Quality, tuple[str, int, int]] = {
    "draft": ("realtime", 8, 34),
    "balanced": ("realtime", 5, 31),
    "high": ("good", 4, 28),
}


def encode_part(
    *, width: int, height: int, fps: Fraction, codec: Codec, quality: Quality, output: Path
) -> Command:
    """Raw I420 frames from stdin into an mp4 without sound, in closed GOPs of 2 s at most.

    The same frames give the same bytes on one machine and build. `lossless` is H.264 too, whatever the
    quality: what gifs are made from, once all of a part is known.
    """
    gop = max(1, round(fps * GOP_SECONDS))
    return Command(
        (
            *("-protocol_whitelist", PROTOCOLS, "-f", "rawvideo", "-pixel_format", "yuv420p"),
            *("-video_size", f"{width}x{height}", "-framerate", str(fps), *BT709),
            # One frame waits to be read, not eight: FFmpeg's other queues are long enough
            *("-thread_queue_size", "1", "-i", "pipe:0", "-map", "0:v:0"),
            *(*_encoder(codec, quality), "-g", str(gop)),
            *("-pix_fmt", "yuv420p", *BT709, "-flags:v", "+bitexact+cgop", *BITEXACT),
            *("-f", "mp4", "-y", f"file:{output}"),
        )
    )


def _encoder(codec: Codec, quality: Quality) -> tuple[str, ...]:
    match codec:
        case "h264":
            preset, params, crf = _H264[quality]
            return (
                *("-c:v", "libx264", "-preset", preset, "-x264-params", params),
                *("-crf", str(crf), "-threads", "1"),
            )
        case "vp9":
            deadline, speed, crf = _VP9[quality]
            return (
                *("-c:v", "libvpx-vp9", "-deadline", deadline, "-cpu-used", str(speed)),
                *("-b:v", "0", "-crf", str(crf), "-lag-in-frames", "0"),
                *("-row-mt", "1", "-threads", str(VP9_THREADS)),
            )
        case "lossless":
            # 3 … 8 ms and 15 … 180 KB a frame at 480p; FFV1 takes twice of both, CABAC thrice the time
            return ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-threads", "1")
