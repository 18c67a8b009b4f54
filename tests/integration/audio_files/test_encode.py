"""Every format: exact length, the first and the last sample in their places, the same bytes, the tags."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from integration.audio_files.conftest import RATE, cut, track
from renderkiln.media.audio.decode import open_audio
from renderkiln.media.audio.encode import Encoder, encode
from renderkiln.media.audio.encodings import CONTAINERS, FORMATS, Format, Quality, encoding
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.stereo import Block
from renderkiln.media.audio.tags import Chapter, Tags
from renderkiln.media.errors import Unsuitable

pytestmark = pytest.mark.integration

EVERY = [(format, quality) for format in FORMATS for quality in ("draft", "standard", "high")]
HOSTILE = Tags(
    title="Calm 🧘 שלום \u200f日本\nline\x00\ud800",
    artist="é" * 10_000,
    album="A = B; C # D",
    genre="Meditation",
    date="2026-03-04",
    comment="one\ntwo\x00 🎧",
    language="de-AT",
    chapters=(Chapter(0, 1.25, "Intro 🎉"), Chapter(1.25, 2, "שלום\x00 = ; # \\ \n" + "x" * 10_000)),
)


def decoded(path: Path) -> Block:
    with open_audio(path) as source:
        return np.concatenate(list(source.blocks()), axis=1)


def impulses(samples: int) -> Block:
    """Full steps at the first, the middle and the last sample, over a quiet tone."""
    wave = 0.02 * np.sin(2 * np.pi * 440 * np.arange(samples) / RATE)
    wave[[0, samples // 2, -1]] = 0.7
    return np.stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize(("format", "quality"), EVERY)
@pytest.mark.parametrize("samples", [24_001, 1152 * 25, 1024 * 24, 960 * 31])
def test_it_decodes_to_what_went_in(format: Format, quality: Quality, samples: int, tmp_path: Path) -> None:
    path = tmp_path / f"x.{format}"
    written = encode(cut(impulses(samples)), path, format, quality)
    assert (written.samples, written.bytes) == (samples, path.stat().st_size)
    sound = decoded(path)
    assert sound.shape[1] == samples
    assert sorted(np.argsort(-np.abs(sound[0]))[:3].tolist()) == [0, samples // 2, samples - 1]


@pytest.mark.parametrize("format", FORMATS)
def test_the_ffmpeg_program_agrees_and_finds_no_error(
    format: Format, tmp_path: Path, ffmpeg_decodes: Callable[[Path], Block], cover: Path
) -> None:
    """In mp4 it leaves on the padding of the last frame."""
    path = tmp_path / f"x.{format}"
    encode(cut(impulses(70_777)), path, format, tags=Tags(title="t", cover=cover))
    sound = ffmpeg_decodes(path)
    assert 0 <= sound.shape[1] - 70_777 < (1024 if format == "m4a" else 1)
    assert sorted(np.argsort(-np.abs(sound[0]))[:3].tolist()) == [0, 35_388, 70_776]


def test_lossless_is_lossless_but_for_the_dither(tmp_path: Path) -> None:
    sound = track(1)
    for format in ("wav", "flac"):
        for quality, step in (("standard", 1.5 / 32768), ("high", 0.5 / 8388608)):
            path = tmp_path / f"{quality}.{format}"
            encode(cut(sound), path, format, quality)  # type: ignore[arg-type]
            assert np.abs(decoded(path) - sound).max() <= step * 1.001


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_sound_gives_the_same_bytes_from_any_thread_and_in_any_blocks(
    format: Format, tmp_path: Path, cover: Path
) -> None:
    sound, tags = track(1.5), Tags(title="t", chapters=(Chapter(0, 1, "c"),), cover=cover)
    one, other = tmp_path / "one", tmp_path / "other"
    encode(cut(sound), one, format, tags=tags)
    with Encoder(other, format, tags=tags) as encoder:

        def work() -> None:
            for block in cut(sound, 7777):
                encoder.write(block)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        encoder.finish()
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(("format", "quality"), [(f, q) for f, q in EVERY if f != "wav"])
def test_the_level_is_as_the_table_says(format: Format, quality: Quality, tmp_path: Path) -> None:
    sound, path = track(6), tmp_path / "x"
    encode(cut(sound), path, format, quality)
    before, after = Meter(RATE), Meter(RATE)
    before.add(sound)
    after.add(np.ascontiguousarray(decoded(path)))
    change = after.result().integrated - before.result().integrated
    assert change == pytest.approx(-encoding(format, quality).attenuation_db, abs=0.09)


def tags_of(path: Path) -> tuple[dict[str, str], list[Any], list[str]]:
    with av.open(str(path)) as container:
        metadata = {**container.streams.audio[0].metadata, **container.metadata}
        pictures = [stream.codec_context.name for stream in container.streams.video]
        chapters: list[Any] = container.chapters()
        return {key.lower(): value for key, value in metadata.items()}, chapters, pictures


@pytest.mark.parametrize("format", FORMATS)
def test_tags_of_any_kind_come_back(format: Format, tmp_path: Path, cover: Path) -> None:
    path = tmp_path / f"x{CONTAINERS[format].suffix}"
    encode(cut(track(2)), path, format, "draft", Tags(**{**vars(HOSTILE), "cover": cover}))
    metadata, chapters, pictures = tags_of(path)
    assert metadata["title"] == "Calm 🧘 שלום \u200f日本 line\ufffd"
    assert metadata["artist"] == "é" * 10_000
    assert metadata["album"] == "A = B; C # D"
    assert metadata["genre"] == "Meditation"
    assert metadata["date"] == "2026-03-04"
    assert metadata["comment"] == "one\ntwo 🎧"
    assert metadata["language"] == "deu"
    assert decoded(path).shape[1] == 2 * RATE
    if format != "wav":
        assert pictures == ["png"]
        starts = [float(chapter["start"] * chapter["time_base"]) for chapter in chapters]
        assert starts == [0, 1.25]
        assert [chapter["metadata"]["title"][:16] for chapter in chapters] == [
            "Intro 🎉",
            "שלום = ; # \\ xxx",
        ]


def test_an_encoder_left_by_an_error_leaves_no_file(tmp_path: Path) -> None:
    def half() -> Any:
        yield from cut(track(0.5))
        raise ZeroDivisionError

    for format in FORMATS:
        with pytest.raises(ZeroDivisionError):
            encode(half(), tmp_path / "x", format)
        with pytest.raises(Unsuitable, match="no samples"):
            encode([], tmp_path / "x", format)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_an_oserror(tmp_path: Path) -> None:
    for format in FORMATS:
        with pytest.raises(OSError, match="No such file"):
            encode(cut(track(0.2)), tmp_path / "none" / "x", format)


def test_progress_and_a_hostile_name(tmp_path: Path) -> None:
    for format in FORMATS:
        path, seen = tmp_path / f"-%d:‘ {format}\n.x", list[int]()
        encode(cut(track(0.2)), path, format, on_samples=seen.append)
        assert seen == [4800, 9600]
        assert path.exists()
