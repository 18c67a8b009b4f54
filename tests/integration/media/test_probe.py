from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.errors import Unreadable
from renderkiln.media.probe import Cover, MediaInfo, probe, probe_safely

pytestmark = pytest.mark.integration
Make = Callable[..., Path]
Tone = Callable[..., npt.NDArray[np.float64]]
BOTH = pytest.mark.parametrize("read", [probe, probe_safely])


@BOTH
def test_a_film(read: Callable[[Path], MediaInfo], make: Make) -> None:
    pictures = ("-f", "lavfi", "-i", "testsrc=size=320x180:rate=30000/1001:duration=2")
    sound = ("-f", "lavfi", "-i", "anoisesrc=duration=2:sample_rate=48000")
    tags = ("-vf", "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709")
    coding = ("-c:v", "libx264", "-pix_fmt", "yuv420p", *tags, "-c:a", "aac", "-ac", "2", "-b:a", "96k")
    info = read(make("a.mp4", *pictures, *sound, *coding, "-metadata", "title=Ünï 😀"))
    assert info.container.startswith("mov")
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert info.tags["title"] == "Ünï 😀"
    assert info.cover is None
    assert info.projection is None
    video, audio = info.video, info.audio
    assert video is not None
    assert (video.codec, video.width, video.height, video.fps) == ("h264", 320, 180, "30000/1001")
    assert (video.frames, video.start, video.pixel_format) == (60, 0.0, "yuv420p")
    assert video.color == {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
    assert audio is not None
    assert (audio.codec, audio.rate, audio.channels, audio.layout) == ("aac", 48000, 2, "stereo")
    assert audio.bit_rate == pytest.approx(96_000, rel=0.2)


@BOTH
@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.m4a"])
@pytest.mark.parametrize("picture", ["c.png", "c.jpg"])
def test_cover_art(
    read: Callable[[Path], MediaInfo], name: str, picture: str, make: Make, sound: Make, tone: Tone
) -> None:
    cover = make(picture, "-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", "-pix_fmt", "yuvj420p")
    plain = sound(f"plain{name[1:]}", tone(1.0), 44100)
    mapping = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic")
    info = read(make(name, "-i", str(plain), "-i", str(cover), *mapping))
    media_type = {"c.png": "image/png", "c.jpg": "image/jpeg"}[picture]
    assert info.cover == Cover(cover.read_bytes(), media_type)
    assert info.video is None
    assert info.audio is not None


@pytest.mark.parametrize("name", ["a.ogg", "a.opus", "a.flac", "a.mp3", "a.wma", "a.mka"])
def test_tags_wherever_the_format_keeps_them(name: str, sound: Make, tone: Tone) -> None:
    tags = ("-metadata", "title=Ember", "-metadata", "ARTIST=Zoë")
    info = probe(sound(name, tone(0.5, 48000), 48000, *tags))
    assert (info.tags["title"], info.tags["artist"]) == ("Ember", "Zoë")


def test_tags_that_are_no_text(sound: Make, tone: Tone) -> None:
    path = sound("a.mp3", tone(0.5), 44100, "-metadata", "title=ABCDΩ", "-id3v2_version", "3")
    content = path.read_bytes()
    assert b"A\0B\0C\0D\0" in content
    path.write_bytes(content.replace(b"A\0B\0C\0D\0", b"\0\xd8\0\xd8\0\xd8\0\xd8"))  # lone surrogates
    MediaInfo.from_json(probe_safely(path).to_json())


def test_json_there_and_back(make: Make) -> None:
    info = probe(make("a.mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:duration=1"))
    assert MediaInfo.from_json(info.to_json()) == info


def test_a_probe_that_takes_too_long_is_ended(make: Make) -> None:
    path = make("a.wav", "-f", "lavfi", "-i", "sine=duration=1")
    started = time.monotonic()
    with pytest.raises(Unreadable, match=r"within 0\.001 s"):
        probe_safely(path, timeout=0.001)
    assert time.monotonic() - started < 5


def test_a_relative_path_that_looks_like_an_option(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("-x.wav", "-f", "lavfi", "-i", "sine=duration=1")
    monkeypatch.chdir(tmp_path)
    assert probe_safely(Path("-x.wav")).duration == 1.0


def test_nothing_is_printed(make: Make) -> None:
    """FFmpeg's libraries complain on stderr of the process they are in, if they are let."""
    path = make("a.mp3", "-f", "lavfi", "-i", "sine=duration=1")
    path.write_bytes(path.read_bytes()[:-100] + b"\xff" * 5000)
    child = subprocess.run(
        [sys.executable, "-m", "renderkiln.media.probe", str(path), "10"], capture_output=True, check=True
    )
    assert child.stderr == b""
    assert child.stdout.startswith(b"{")
