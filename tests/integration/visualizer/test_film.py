"""Real songs to real films, held against truth: the probe, known clicks, known lengths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from integration.visualizer.rig import RATE, Kiln, pulses, write_wav
from renderkiln.media.frames import spherical
from renderkiln.media.inspect import inspect
from renderkiln.media.probe import probe

pytestmark = pytest.mark.integration


def test_a_song_becomes_a_film(kiln: Kiln, song: Path) -> None:
    report = kiln.render(song, report=True)
    assert report.succeeded, report.error
    film, thumbnail, peaks, verified = (artifact.path for artifact in report.artifacts)
    assert film.name.endswith("_night_drive_preview_v1.mp4")
    info = probe(film)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 640, 360)
    assert set(info.video.color.values()) == {"tv", "bt709"}
    assert info.audio.codec == "aac"
    assert film.read_bytes().index(b"moov") < film.read_bytes().index(b"mdat")  # faststart
    assert thumbnail.read_bytes()[:3] == b"\xff\xd8\xff"
    assert json.loads(peaks.read_text())["version"] == 2
    assert json.loads(verified.read_text())["video"]["frames"] == 45
    assert [event.percent for event in kiln.events] == sorted(event.percent for event in kiln.events)
    assert sorted(kiln.output.iterdir()) == sorted([film, thumbnail, peaks, verified])


@pytest.mark.parametrize("fps", [24, 25, 50, 60])
def test_frames_and_lengths_are_exact(kiln: Kiln, tmp_path: Path, fps: int) -> None:
    seconds = 0.717
    film = kiln.film(write_wav(tmp_path / "a.wav", pulses(seconds)), fps=fps)
    seen = inspect(film)
    assert seen.video is not None
    assert seen.audio is not None
    samples = int(seconds * RATE)
    assert seen.video.frames == -(-samples * fps // RATE)
    assert abs(seen.audio.first - seen.video.first) < 0.001
    assert abs(seen.audio.end - seen.audio.first - samples / RATE) < 0.001


def test_a_click_is_heard_and_seen_at_the_same_time(kiln: Kiln, tmp_path: Path) -> None:
    sound = np.zeros(int(1.2 * RATE))
    at = int(0.8 * RATE)
    noise = np.random.default_rng(1).standard_normal(RATE // 10)
    sound[at : at + len(noise)] = 0.8 * np.clip(noise, -1, 1)
    film = kiln.film(write_wav(tmp_path / "click.wav", sound))
    with av.open(str(film)) as container:
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
        first = int(np.argmax(np.abs(heard) > 0.2))
        start = container.streams.audio[0].start_time or 0
    assert start == 0
    assert abs(first / RATE - 0.8) < 0.002
    with av.open(str(film)) as container:
        bright = [float(f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    jump = int(np.argmax(np.diff(bright))) + 1
    assert abs(jump - 24) <= 1


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_other_codecs(kiln: Kiln, song: Path, codec: str) -> None:
    info = probe(kiln.film(song, codec=codec))
    assert info.video is not None
    assert info.video.codec == codec


@pytest.mark.parametrize("template", ["spectrum", "waveform", "particles"])
def test_other_templates(kiln: Kiln, song: Path, template: str) -> None:
    kiln.film(song, template=template)


def test_stereo_360(kiln: Kiln, tmp_path: Path) -> None:
    film = kiln.film(write_wav(tmp_path / "a.wav", pulses(0.2)), format="360stereo")
    info = probe(film)
    assert (info.projection, info.stereo_mode) == ("equirectangular", "top-bottom")
    found = spherical.read(film)
    assert found is not None
    assert found.v1
    assert found.v2


def test_the_same_request_gives_the_same_bytes_and_the_next_version(kiln: Kiln, song: Path) -> None:
    first, second = kiln.film(song), kiln.film(song)
    assert (first.stem[-2:], second.stem[-2:]) == ("v1", "v2")
    assert first.read_bytes() == second.read_bytes()


def test_another_seed_is_another_film(kiln: Kiln, song: Path) -> None:
    assert kiln.film(song).read_bytes() != kiln.film(song, seed=2).read_bytes()


def test_tags_and_cover_are_carried_over(
    kiln: Kiln, song: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    tagged, cover = tmp_path / "tagged.mp3", tmp_path / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, cover)
    ffmpeg("-i", song, "-i", cover, "-map", "0:a", "-map", "1:v", "-metadata", "title=Ночь 🔥 = \n x",
           "-metadata", "artist=A; B", "-metadata", "album=C", tagged)  # fmt: skip
    report = kiln.render(tagged)
    assert report.succeeded, report.error
    info = probe(report.artifacts[0].path)
    assert info.tags["artist"] == "A; B"
    assert info.tags["album"] == "C"
    assert "Ночь 🔥" in info.tags["title"]
    assert info.cover is not None
    assert "missing-glyphs" in report.warnings  # no bundled font draws the flame


def test_aac_is_copied(kiln: Kiln, song: Path, tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    source = tmp_path / "song.m4a"
    ffmpeg("-i", song, "-c:a", "aac", "-b:a", "96k", source)
    film = kiln.film(source)
    assert _packets(film) == _packets(source)


def _packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
