"""Spherical metadata on real files: FFmpeg and PyAV must read it back, and every frame must stay the same."""

from __future__ import annotations

import resource
import struct
import subprocess
from pathlib import Path
from typing import Any, cast

import av
import imageio_ffmpeg
import pytest

from renderkiln.media.frames import spherical
from renderkiln.media.frames.spherical import SphericalError, SphericalInfo

pytestmark = pytest.mark.integration

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
CODECS = {
    "h264": ["-c:v", "libx264", "-preset", "ultrafast"],
    "hevc": ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=none"],
    "hev1": ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hev1", "-x265-params", "log-level=none"],
    "av1": ["-c:v", "libsvtav1", "-preset", "12"],
    "vp9": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
}
PLACES = {"moov-first": ["-movflags", "+faststart"], "moov-last": []}


def ffmpeg(*args: str) -> str:
    command = [FFMPEG, "-nostdin", "-hide_banner", *args]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


def side_data(path: Path, stream: int) -> set[str]:
    with av.open(str(path)) as container:
        frame = next(container.decode(container.streams.video[stream]))
        return {cast("Any", data).type.name for data in frame.side_data}


def make(path: Path, codec: str, place: str, *, cover: bool = False) -> Path:
    video = ["-f", "lavfi", "-i", "testsrc2=size=128x128:rate=25:duration=1"]
    audio = ["-f", "lavfi", "-i", "sine=440:duration=1"]
    picture = ["-f", "lavfi", "-i", "color=red:size=64x64:duration=0.04:rate=25"] if cover else []
    maps = ["-map", "2", "-map", "0", "-map", "1"] if cover else ["-map", "0", "-map", "1"]
    codecs = ["-c:v:0", "mjpeg", "-c:v:1", "libx264"] if cover else CODECS[codec]
    words = ffmpeg(*video, *audio, *picture, *maps, *codecs, "-c:a", "aac", *PLACES[place], str(path))
    assert path.exists(), words
    return path


def frame_hashes(path: Path) -> list[str]:
    words = ffmpeg("-v", "error", "-i", str(path), "-map", "0", "-f", "framemd5", "-")
    hashes = [line for line in words.splitlines() if line and not line.startswith("#")]
    assert len(hashes) > 25, words
    return hashes


@pytest.fixture(scope="module", params=[(codec, place) for codec in CODECS for place in PLACES], ids="-".join)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    codec, place = request.param
    return make(tmp_path_factory.mktemp("media") / f"{codec}-{place}.mp4", codec, place)


def test_ffmpeg_and_pyav_read_it_and_every_frame_stays_the_same(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    spherical.inject(source, target, stereo="top-bottom")

    words = ffmpeg("-i", str(target))
    assert "Spherical Mapping: equirectangular" in words
    assert "top and bottom" in words
    assert frame_hashes(target) == frame_hashes(source)
    assert side_data(target, 0) >= {"STEREO3D", "SPHERICAL"}
    assert spherical.read(target) == SphericalInfo("top-bottom", v1=True, v2=True)
    assert spherical.read(source) is None


def test_injecting_again_replaces(source: Path, tmp_path: Path) -> None:
    once, twice, other = tmp_path / "1.mp4", tmp_path / "2.mp4", tmp_path / "3.mp4"
    spherical.inject(source, once, stereo="top-bottom")
    spherical.inject(once, twice, stereo="top-bottom")
    spherical.inject(once, other, stereo="mono")

    assert twice.read_bytes() == once.read_bytes()
    assert spherical.read(other) == SphericalInfo("mono", v1=True, v2=True)
    assert other.read_bytes().count(b"sv3d") == 1
    assert other.read_bytes().count(spherical.V1_UUID) == 1
    assert frame_hashes(other) == frame_hashes(source)


def test_v1_alone_is_understood_by_ffmpeg(tmp_path: Path) -> None:
    """FFmpeg falls back to V1 where V2 is missing: so V1 is proven on its own."""
    source, both, v1 = (
        make(tmp_path / "s.mp4", "h264", "moov-last"),
        tmp_path / "both.mp4",
        tmp_path / "v1.mp4",
    )
    spherical.inject(source, both, stereo="top-bottom")
    v1.write_bytes(both.read_bytes().replace(b"sv3d", b"free").replace(b"st3d", b"free"))

    words = ffmpeg("-i", str(v1))
    assert "equirectangular" in words
    assert "top and bottom" in words
    assert spherical.read(v1) == SphericalInfo("top-bottom", v1=True, v2=False)


@pytest.mark.parametrize("stereo", ["mono", "left-right"])
def test_other_layouts(stereo: spherical.Stereo, tmp_path: Path) -> None:
    source, target = make(tmp_path / "s.mp4", "h264", "moov-first"), tmp_path / "t.mp4"
    spherical.inject(source, target, stereo=stereo)

    words = ffmpeg("-i", str(target))
    assert "equirectangular" in words
    assert ("side by side" in words) == (stereo == "left-right")
    assert spherical.read(target) == SphericalInfo(stereo, v1=True, v2=True)


@pytest.mark.parametrize("place", PLACES)
def test_a_picture_track_before_the_video_is_left_alone(place: str, tmp_path: Path) -> None:
    source, target = make(tmp_path / "s.mp4", "h264", place, cover=True), tmp_path / "t.mp4"
    spherical.inject(source, target, stereo="top-bottom")

    assert frame_hashes(target) == frame_hashes(source)
    assert "SPHERICAL" not in side_data(target, 0)
    assert "SPHERICAL" in side_data(target, 1)


def test_embedded_cover_art_survives(tmp_path: Path) -> None:
    plain = make(tmp_path / "plain.mp4", "h264", "moov-first")
    cover, covered, target = tmp_path / "cover.jpg", tmp_path / "covered.mp4", tmp_path / "t.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", str(cover))
    ffmpeg(
        *("-i", str(plain), "-i", str(cover), "-map", "0", "-map", "1", "-c", "copy"),
        *("-disposition:v:1", "attached_pic", "-movflags", "+faststart", str(covered)),
    )
    spherical.inject(covered, target, stereo="top-bottom")

    assert frame_hashes(target) == frame_hashes(covered)
    assert "attached pic" in ffmpeg("-i", str(target))
    assert spherical.read(target) == SphericalInfo("top-bottom", v1=True, v2=True)


def test_a_fragmented_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    source, fragmented = make(tmp_path / "s.mp4", "h264", "moov-last"), tmp_path / "f.mp4"
    ffmpeg("-i", str(source), "-c", "copy", "-movflags", "+frag_keyframe+empty_moov", str(fragmented))
    with pytest.raises(SphericalError, match="faststart"):
        spherical.inject(fragmented, tmp_path / "t.mp4", stereo="mono")
    assert not (tmp_path / "t.mp4").exists()


def test_memory_is_bounded_by_the_moov(tmp_path: Path) -> None:
    source, large = make(tmp_path / "s.mp4", "h264", "moov-first"), tmp_path / "large.mp4"
    large.write_bytes(source.read_bytes())
    with large.open("ab") as file:
        file.write(struct.pack(">I4s", 300 << 20, b"free"))
        file.truncate(file.tell() - 8 + (300 << 20))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spherical.inject(large, tmp_path / "t.mp4", stereo="mono")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 50 << 10  # KiB
    (tmp_path / "t.mp4").unlink()
