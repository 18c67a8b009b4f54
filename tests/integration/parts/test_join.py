"""Parts that are encoded one by one and joined by copying play as if they had been one."""

from __future__ import annotations

from dataclasses import replace
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
from renderkiln.media.packets import Packets
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


@pytest.fixture(params=["h264", "vp9"])
def joined(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[Packets]]:
    """A film, and what the packets of its parts were."""
    made = film(tmp_path, request.param, "draft")
    parts = [inspect(path).video for path in sorted(tmp_path.glob("*.mp4")) if path != made]
    return made, [part.packets for part in parts if part is not None]


def test_a_copy_needs_no_decoding_to_be_known(joined: tuple[Path, list[Packets]]) -> None:
    made, parts = joined
    assert [part.count for part in parts] == list(LENGTHS)
    seen, decoded = inspect(made, copied=parts), inspect(made)
    assert seen.errors == ()
    assert seen.video is not None
    assert decoded.video is not None
    assert seen.video == replace(decoded.video, luma=None)
    assert seen.audio == decoded.audio


def test_parts_that_changed_places_are_found(joined: tuple[Path, list[Packets]]) -> None:
    made, (first, second, *rest) = joined
    said = ["video: frames 0 to 5 are not those", "video: frames 6 to 65 are not those"]
    errors = inspect(made, copied=[second, first, *rest]).errors
    assert [error.removesuffix(" that were verified") for error in errors] == said


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_a_picture_that_was_damaged_after_it_was_verified(
    joined: tuple[Path, list[Packets]], share: float
) -> None:
    made, parts = joined
    with av.open(str(made)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        hit = packets[int(share * len(packets))]
        at = (hit.pos or 0) + hit.size // 2
    content = bytearray(made.read_bytes())
    content[at] ^= 0xFF
    made.write_bytes(content)
    assert any("are not those that were verified" in error for error in inspect(made, copied=parts).errors)


def test_a_film_that_lacks_its_last_part(joined: tuple[Path, list[Packets]]) -> None:
    made, parts = joined
    longer = [*parts, Packets(30, parts[-1].digest)]
    assert inspect(made, copied=longer).errors == (
        "video: frames 98 to 127 are not those that were verified",
    )


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
