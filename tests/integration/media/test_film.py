"""Segments, joined: the film has exactly their frames, and sound and picture begin together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.ffmpeg.command import (
    Codec,
    Quality,
    concat_and_mux,
    concat_list,
    copy_audio,
    encode_audio,
    encode_frames,
)
from renderkiln.media.ffmpeg.run import run
from renderkiln.media.inspect import inspect
from renderkiln.media.probe import probe

Make = Callable[..., Path]
Tone = Callable[..., npt.NDArray[np.float64]]
pytestmark = pytest.mark.integration
WIDTH, HEIGHT = 320, 180


def frames(start: int, end: int) -> Iterable[bytes]:
    noise = np.random.default_rng(1).integers(16, 235, WIDTH * HEIGHT * 3 // 2, np.uint8)
    for index in range(start, end):
        yield np.roll(noise, 3 * index).tobytes()


def segments(
    ffmpeg: Path, folder: Path, cuts: list[int], codec: Codec, quality: Quality, fps: Fraction
) -> list[Path]:
    paths = [folder / f"part_{index}.mp4" for index in range(len(cuts) - 1)]
    for path, start, end in zip(paths, cuts, cuts[1:], strict=False):
        command = encode_frames(
            width=WIDTH, height=HEIGHT, fps=fps, codec=codec, quality=quality, output=path
        )
        run(command, binary=ffmpeg, stdin=frames(start, end))
    return paths


def film(
    ffmpeg: Path,
    paths: list[Path],
    audio: Path | None = None,
    cover: Path | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    listed, output = paths[0].parent / "list.txt", paths[0].parent / "-film %d.mp4.part"
    listed.write_text(concat_list(path.name for path in paths))
    command = concat_and_mux(segments=listed, output=output, audio=audio, cover=cover, metadata=metadata)
    run(command, binary=ffmpeg)
    return output


def pictures(*paths: Path) -> list[bytes]:
    found = []
    for path in paths:
        with av.open(f"file:{path}") as container:
            found += [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    return found


@pytest.mark.parametrize(
    ("codec", "quality", "fps"),
    [
        ("h264", "draft", Fraction(24)),
        ("h264", "balanced", Fraction(60)),
        ("h264", "high", Fraction(24)),
        ("h264", "high", Fraction(30000, 1001)),
        ("hevc", "draft", Fraction(24)),
        ("av1", "draft", Fraction(24)),
    ],
)
def test_joining_changes_no_frame(
    ffmpeg: Path, tmp_path: Path, codec: Codec, quality: Quality, fps: Fraction
) -> None:
    folder = tmp_path / "it's a %d:fol der"
    folder.mkdir()
    cuts = [0, int(fps * 2), int(fps * 3), int(fps * 3) + 1]  # the last segment is one frame
    paths = segments(ffmpeg, folder, cuts, codec, quality, fps)
    whole = film(ffmpeg, paths)
    inspection = inspect(whole)
    assert pictures(whole) == pictures(*paths)
    assert inspection.errors == ()
    assert inspection.video is not None
    assert inspection.video.frames == cuts[-1]
    assert inspection.video.irregular == 0
    assert inspection.video.first == 0
    assert inspection.video.end == pytest.approx(cuts[-1] / fps, abs=1e-4)
    stream = inspection.info.video
    assert stream is not None
    assert (stream.codec, stream.pixel_format) == (codec, "yuv420p")
    assert stream.color == {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}


@pytest.mark.parametrize("codec", get_args(Codec))
def test_gops_are_closed_and_two_seconds(ffmpeg: Path, tmp_path: Path, codec: Codec) -> None:
    (path,) = segments(ffmpeg, tmp_path, [0, 90], codec, "high", Fraction(15))
    with av.open(path) as container:
        keys = [
            packet.pts * packet.time_base
            for packet in container.demux(video=0)
            if packet.is_keyframe and packet.pts is not None
        ]
    assert keys == [0, 2, 4]


def test_draft_keeps_cabac_and_deblocking(ffmpeg: Path, tmp_path: Path) -> None:
    (path,) = segments(ffmpeg, tmp_path, [0, 2], "h264", "draft", Fraction(30))
    options = path.read_bytes()
    assert b"cabac=1" in options
    assert b"deblock=1:0:0" in options


@pytest.mark.parametrize("rate", [44100, 48000])
def test_sound_and_picture_begin_together(ffmpeg: Path, tmp_path: Path, rate: int) -> None:
    """A click at exactly half a second is heard there, and the stream ends where it should."""
    sound = np.zeros((2, 3 * rate), "<f4")
    sound[:, rate // 2] = 0.9
    m4a = tmp_path / "sound.m4a"
    run(encode_audio(rate=rate, output=m4a), binary=ffmpeg, stdin=[sound.T.tobytes()])
    whole = film(ffmpeg, segments(ffmpeg, tmp_path, [0, 60, 90], "h264", "high", Fraction(30)), m4a)
    inspection = inspect(whole)
    assert inspection.audio is not None
    assert inspection.video is not None
    assert inspection.audio.first == inspection.video.first == 0
    assert inspection.audio.end == pytest.approx(3.0, abs=1e-4)
    assert inspection.video.end == pytest.approx(3.0, abs=1e-4)
    with av.open(f"file:{whole}") as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert abs(int(np.abs(heard[0]).argmax()) - rate // 2) <= 1


@pytest.mark.parametrize("name", ["song.m4a", "song.aac", "song.mkv"])
def test_aac_is_copied_as_it_is(ffmpeg: Path, tmp_path: Path, sound: Make, tone: Tone, name: str) -> None:
    song = sound(name, tone(2.0), 44100, "-c:a", "aac", "-b:a", "128k")
    copied = tmp_path / "sound.m4a"
    run(copy_audio(source=song, output=copied), binary=ffmpeg)
    whole = film(ffmpeg, segments(ffmpeg, tmp_path, [0, 60], "h264", "draft", Fraction(30)), copied)
    with av.open(song) as container:
        header = 7 if name == "song.aac" else 0  # ADTS repeats one before every packet
        before = [bytes(packet)[header:] for packet in container.demux(audio=0) if packet.size]
    with av.open(f"file:{whole}") as container:
        after = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    assert after == before
    inspection = inspect(whole)
    assert inspection.audio is not None
    assert inspection.audio.first == pytest.approx(0, abs=0.001)
    assert inspection.audio.end == pytest.approx(2.0, abs=0.05)


def test_tags_and_cover_and_faststart(ffmpeg: Path, tmp_path: Path, make: Make) -> None:
    cover = make("cover.png", "-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1")
    tags = {"title": 'a=b\n"c"; -y %d', "artist": "Zoë 😀", "album": "日本", "comment": ""}
    whole = film(
        ffmpeg, segments(ffmpeg, tmp_path, [0, 10], "h264", "draft", Fraction(30)), cover=cover, metadata=tags
    )
    info = probe(whole)
    assert {key: info.tags[key] for key in ("title", "artist", "album")} == {
        key: tags[key] for key in ("title", "artist", "album")
    }
    assert info.cover is not None
    assert info.cover.data == cover.read_bytes()
    assert info.video is not None
    assert info.video.frames == 10
    content = whole.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"Lavf" not in content  # no version of anything: the same input gives the same bytes


def test_joining_twice_gives_the_same_bytes(ffmpeg: Path, tmp_path: Path) -> None:
    paths = segments(ffmpeg, tmp_path, [0, 30, 40], "h264", "balanced", Fraction(30))
    assert film(ffmpeg, paths).read_bytes() == film(ffmpeg, paths).read_bytes()
