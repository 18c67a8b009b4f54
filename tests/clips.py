"""A zoo of real clips, small and short: what phones, cameras, broadcasters and browsers make.

Every function writes one file into a folder and returns its path. The picture is FFmpeg's moving `testsrc2`
and the sound a tone of 440 Hz, if nothing else is said.
"""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from renderkiln.media.ffmpeg.binary import find

Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 320, 180
SECONDS = 1.5
BT709 = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "96k")
MASTER = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"  # a display of 1000 nit
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))  # of `corners`, RGB, read as text is


def ffmpeg(output: Path, *arguments: str, stdin: bytes | None = None) -> Path:
    """Run FFmpeg with these arguments, writing `output`."""
    command = [str(find()), "-v", "error", *arguments, "-y", f"file:{output}"]
    subprocess.run(command, input=stdin, check=True, stdin=None if stdin else subprocess.DEVNULL)
    return output


def picture(
    width: int = WIDTH, height: int = HEIGHT, fps: str = "30", seconds: float = SECONDS
) -> tuple[str, ...]:
    """Input arguments of the moving picture."""
    return ("-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate={fps}:duration={seconds}")


def tone(seconds: float = SECONDS, hertz: int = 440) -> tuple[str, ...]:
    """Input arguments of the sound: mono, 48 kHz."""
    return ("-f", "lavfi", "-i", f"sine=frequency={hertz}:sample_rate=48000:duration={seconds}")


def plain(folder: Path, name: str = "plain.mp4", *, fps: str = "30", seconds: float = SECONDS) -> Path:
    """H.264 and AAC, BT.709, square pixels, a constant rate: nothing to be done."""
    return ffmpeg(
        folder / name, *picture(fps=fps, seconds=seconds), *tone(seconds), "-vf", BT709, *X264, *AAC
    )


def portrait(folder: Path) -> Path:
    """Stored upright: 180x320."""
    return ffmpeg(folder / "portrait.mp4", *picture(180, 320), *tone(), "-vf", BT709, *X264, *AAC)


def rotated(folder: Path, degrees: int = 90) -> Path:
    """As a phone held upright records: stored lying, to be turned `degrees` clockwise (a display matrix)."""
    lying = plain(folder, "lying.mp4")
    output = folder / f"rotated-{degrees}.mov"
    return ffmpeg(output, "-display_rotation", str(-degrees), "-i", str(lying), "-c", "copy")


def variable_rate(folder: Path) -> Path:
    """As a phone in bad light or a screen recorder: about 30 a second, with gaps of 2 and 5 frames."""
    gaps = "select='not(eq(mod(n,10),4)+between(mod(n,30),20,23))'"
    coding = (*X264, "-fps_mode", "vfr", *AAC)
    return ffmpeg(folder / "variable.mp4", *picture(), *tone(), "-vf", f"{gaps},{BT709}", *coding)


def odd(folder: Path) -> Path:
    """321x181: the last column and row have no chroma of their own."""
    return ffmpeg(
        folder / "odd.mkv",
        *picture(),
        *tone(),
        "-vf",
        f"scale=321:181,setsar=1,{BT709}",
        *_vp9(),
        "-c:a",
        "libopus",
    )


def anamorphic(folder: Path) -> Path:
    """Pixels of 4:3: 240x180 stored, 320x180 shown."""
    filters = f"setsar=4/3,{BT709}"
    return ffmpeg(folder / "anamorphic.mp4", *picture(240, 180), *tone(), "-vf", filters, *X264, *AAC)


def interlaced(folder: Path, first: str = "top") -> Path:
    """25 frames of two fields each from 50 pictures a second."""
    weave = f"interlace=scan={first[0]}ff:lowpass=0,{BT709}"
    coding = (*X264, "-flags", "+ildct+ilme", "-x264opts", f"{first[0]}ff=1")
    return ffmpeg(folder / f"{first}.mkv", *picture(fps="50"), *tone(), "-vf", weave, *coding, *AAC)


def ten_bit(folder: Path) -> Path:
    """H.264 of 10 bits, 4:2:2, BT.709."""
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le")
    return ffmpeg(folder / "ten-bit.mov", *picture(), *tone(), "-vf", BT709, *coding, *AAC)


def hdr_pq(folder: Path) -> Path:
    """HEVC of 10 bits in BT.2020 and PQ (HDR10)."""
    return _hdr(folder / "pq.mp4", "smpte2084")


def hdr_hlg(folder: Path) -> Path:
    """HEVC of 10 bits in BT.2020 and HLG, as phones record."""
    return _hdr(folder / "hlg.mp4", "arib-std-b67")


def silent_film(folder: Path) -> Path:
    """No sound at all."""
    return ffmpeg(folder / "silent.mp4", *picture(), "-vf", BT709, *X264)


def sound_only(folder: Path) -> Path:
    """No picture at all."""
    return ffmpeg(folder / "sound.m4a", *tone(), *AAC)


def covered_sound(folder: Path) -> Path:
    """A song with a cover picture."""
    cover = ffmpeg(folder / "cover.png", *picture(64, 64), "-frames:v", "1")
    mapping = ("-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic")
    return ffmpeg(folder / "covered.m4a", *tone(), "-i", str(cover), *mapping, *AAC)


def five_one(folder: Path) -> Path:
    """Six channels of sound."""
    channels = ("-af", "pan=5.1|c0=c0|c1=.8*c0|c2=.6*c0|c3=.1*c0|c4=.4*c0|c5=.2*c0")
    return ffmpeg(folder / "surround.mp4", *picture(), *tone(), "-vf", BT709, *X264, *channels, *AAC)


def late_sound(folder: Path, delay: float = 0.4) -> Path:
    """The sound begins later than the picture."""
    inputs = (*picture(), "-itsoffset", str(delay), *tone(SECONDS - delay))
    return ffmpeg(folder / "late.mp4", *inputs, "-vf", BT709, *X264, *AAC)


def edited(folder: Path) -> Path:
    """Begins within a GOP, by an edit list: what comes before is decoded, but not shown."""
    whole = ffmpeg(folder / "whole.mp4", *picture(), *tone(), "-vf", BT709, *X264, "-g", "60", *AAC)
    return ffmpeg(folder / "edited.mp4", "-ss", "0.5", "-i", str(whole), "-c", "copy")


def long_gop(folder: Path, seconds: float = 2.0) -> Path:
    """One key frame, B-frames, and nothing but."""
    coding = ("-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p", "-g", "9999", "-bf", "3")
    inputs = (*picture(seconds=seconds), *tone(seconds))
    return ffmpeg(folder / "long-gop.mp4", *inputs, "-vf", BT709, *coding, "-sc_threshold", "0", *AAC)


def webm(folder: Path) -> Path:
    """VP9 and Opus, timestamps in milliseconds."""
    return ffmpeg(folder / "clip.webm", *picture(), *tone(), "-vf", BT709, *_vp9(), "-c:a", "libopus")


def avi(folder: Path) -> Path:
    """MPEG-4 with B-frames and MP3, as of 2005."""
    coding = ("-c:v", "mpeg4", "-bf", "2", "-q:v", "3", "-c:a", "libmp3lame")
    return ffmpeg(folder / "clip.avi", *picture(fps="25"), *tone(), *coding)


def transport_stream(folder: Path) -> Path:
    """Broadcast: no header, a clock that begins anywhere."""
    offset = ("-output_ts_offset", "100")
    return ffmpeg(folder / "clip.ts", *picture(), *tone(), "-vf", BT709, *X264, "-bf", "2", *AAC, *offset)


def tiny(folder: Path) -> Path:
    """A tenth of a second: three frames."""
    return plain(folder, "tiny.mp4", seconds=0.1)


def cut_off(folder: Path, share: float = 0.4) -> Path:
    """Its header promises 4 s; the file ends early."""
    whole = ffmpeg(
        folder / "whole.mp4", *picture(seconds=4), *tone(4), *X264, *AAC, "-movflags", "+faststart"
    )
    output = folder / "cut-off.mp4"
    output.write_bytes(whole.read_bytes()[: round(whole.stat().st_size * share)])
    return output


def encrypted(folder: Path) -> Path:
    """Common encryption: the headers can be read, the pictures cannot."""
    key = ("-encryption_key", "0123456789abcdef" * 2, "-encryption_kid", "fedcba9876543210" * 2)
    return ffmpeg(
        folder / "encrypted.mp4", *picture(), "-vf", BT709, *X264, "-encryption_scheme", "cenc-aes-ctr", *key
    )


def corners(width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """RGB of shape (height, width, 3): each quarter has its colour of `CORNERS`."""
    image = np.empty((height, width, 3), np.uint8)
    for quarter, colour in enumerate(CORNERS):
        rows = slice(None, height // 2) if quarter < 2 else slice(height // 2, None)
        columns = slice(None, width // 2) if quarter % 2 == 0 else slice(width // 2, None)
        image[rows, columns] = colour
    return image


def still(output: Path, image: Picture, *coding: str, frames: int = 3) -> Path:
    """A film of one RGB picture of shape (height, width, 3); `coding` are FFmpeg's output arguments."""
    height, width, _ = image.shape
    source = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}", "-i", "pipe:0")
    return ffmpeg(output, *source, *coding, stdin=image.tobytes() * frames)


def click_and_flash(folder: Path, seconds: int = 3, fps: str = "30") -> Path:
    """A white frame and a click of 10 ms at each whole second from the first on; black and silent between."""
    length = float(1 / Fraction(fps))
    white = f"drawbox=color=white:t=fill:enable='lt(mod(t+0.0001,1),{length / 2})*gte(t,0.9)'"
    black = ("-f", "lavfi", "-i", f"color=black:size={WIDTH}x{HEIGHT}:rate={fps}:duration={seconds}")
    click = "0.8*sin(2*PI*1000*t)*lt(mod(t,1),0.01)*gte(t,0.9)"
    sound = ("-f", "lavfi", "-i", f"aevalsrc='{click}':sample_rate=48000:duration={seconds}")
    return ffmpeg(folder / "click.mp4", *black, *sound, "-vf", f"{white},{BT709}", *X264, *AAC)


def _vp9() -> tuple[str, ...]:
    return ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")


def _hdr(output: Path, transfer: str) -> Path:
    tags = f"setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    params = f"log-level=none:pools=2:frame-threads=1:hdr10=1:master-display={MASTER}:max-cll=1000,400"
    coding = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params, "-tag:v", "hvc1")
    pixels = f"format=yuv420p10le,{tags}"
    return ffmpeg(output, *picture(), *tone(), "-vf", pixels, *coding, *AAC)
