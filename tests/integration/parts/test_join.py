"""Parts that are encoded one by one and joined by copying play as if they had been one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from integration.parts.drawing import HEIGHT, WIDTH, brightness, listed, lumas, make_parts, numbered
from renderkiln.media.audio.encode import encode
from renderkiln.media.ffmpeg import webm
from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.ffmpeg.command import Quality, concat_and_mux
from renderkiln.media.ffmpeg.parts import Codec
from renderkiln.media.ffmpeg.run import run
from renderkiln.media.inspect import inspect
from renderkiln.pipelines.delivery.verify import ExpectedFilm, faults

pytestmark = pytest.mark.integration
RATE = 48_000
LENGTHS = (60, 6, 31, 1)
TITLE = "Zoë = 1; rm -rf 😀"


def film(
    folder: Path, codec: Codec, quality: Quality = "balanced", fps: int = 30, click: float | None = 0.5
) -> Path:
    """Parts of `LENGTHS` with a sound that begins at `click` seconds."""
    parts = make_parts(folder, find(), LENGTHS, numbered, codec=codec, quality=quality, fps=Fraction(fps))
    sound = None
    if click is not None:
        wave = np.sin(np.arange(sum(LENGTHS) * RATE // fps) * 2 * np.pi * 1000 / RATE).astype(np.float32) / 2
        wave[: round(click * RATE)] = 0
        format, name = ("opus", "sound.opus") if codec == "vp9" else ("m4a", "sound.m4a")
        sound = encode([np.stack([wave, wave])], folder / name, format).path  # type: ignore[arg-type]
    join, output = (webm.join, "film.webm") if codec == "vp9" else (concat_and_mux, "film.mp4")
    tags = {"title": TITLE}
    run(join(segments=listed(parts), output=folder / output, audio=sound, metadata=tags), binary=find())
    return folder / output


def expected(codec: str, fps: int = 30, sound: bool = True) -> ExpectedFilm:
    return ExpectedFilm(
        width=WIDTH,
        height=HEIGHT,
        fps=Fraction(fps),
        frames=sum(LENGTHS),
        codec=codec,
        sound_seconds=sum(LENGTHS) / fps if sound else None,
        silent=False,
        tags={"title": TITLE},
        cover=False,
        lively=False,
    )


@pytest.mark.parametrize("quality", get_args(Quality))
@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_every_frame_and_the_sound_in_their_place(codec: Codec, quality: Quality, tmp_path: Path) -> None:
    made = film(tmp_path, codec, quality)
    assert faults(inspect(made), expected(codec)) == []
    wanted = [brightness(part, n) for part, length in enumerate(LENGTHS) for n in range(length)]
    off = np.abs(np.subtract(lumas(made), wanted))
    assert off.max() <= 2
    assert heard(made) == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("fps", [24, 60])
@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_other_rates(codec: Codec, fps: int, tmp_path: Path) -> None:
    assert faults(inspect(film(tmp_path, codec, "draft", fps)), expected(codec, fps)) == []


@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_no_sound(codec: Codec, tmp_path: Path) -> None:
    made = inspect(film(tmp_path, codec, "draft", click=None))
    assert faults(made, expected(codec, sound=False)) == []
    assert faults(made, expected(codec)) == ["it has no sound"]
    assert made.info.duration == pytest.approx(sum(LENGTHS) / 30, abs=0.001)


def test_a_sound_where_none_was_promised(tmp_path: Path) -> None:
    made = inspect(film(tmp_path, "h264", "draft"))
    assert faults(made, expected("h264", sound=False)) == ["it has a sound instead of none"]


@pytest.mark.parametrize("codec", get_args(Codec))
def test_closed_groups_of_two_seconds_at_most(codec: Codec, tmp_path: Path) -> None:
    (part,) = make_parts(tmp_path, find(), (150,), numbered, codec=codec, quality="draft")
    with av.open(str(part)) as container:
        packets = [(packet.pts, packet.is_keyframe) for packet in container.demux(video=0)]
        second = int(1 / (container.streams.video[0].time_base or 1))
    shown = [(pts, is_key) for pts, is_key in packets if pts is not None]
    keys = [pts for pts, is_key in shown if is_key]
    assert keys[0] == 0
    assert max(np.diff([*keys, 5 * second])) <= 2 * second
    # what follows a key frame in the file is shown after it
    latest = 0
    for pts, is_key in shown:
        latest = pts if is_key else latest
        assert pts >= latest


@pytest.mark.parametrize("codec", get_args(Codec))
def test_the_same_frames_give_the_same_bytes(codec: Codec, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (one,) = make_parts(tmp_path, find(), (20,), numbered, codec=codec)
    (two,) = make_parts(tmp_path / "again", find(), (20,), numbered, codec=codec)
    assert one.read_bytes() == two.read_bytes()


def test_a_webm_begins_with_its_index(tmp_path: Path) -> None:
    content = film(tmp_path, "vp9", "draft").read_bytes()
    cues, cluster = b"\x1c\x53\xbb\x6b", b"\x1f\x43\xb6\x75"
    seek_head = content.index(cues)  # says where the index is
    assert 0 < content.find(cues, seek_head + 1) < content.index(cluster)


def heard(path: Path) -> float:
    """When the sound begins, in seconds on the film's clock."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return (frames[0].time or 0.0) + float(np.argmax(np.abs(samples) > 0.05)) / RATE
