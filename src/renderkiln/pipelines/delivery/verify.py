"""Holds a finished film against what it should be, before anyone calls it done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from renderkiln.media.inspect import Inspection
from renderkiln.media.luma import Luma

START_TOLERANCE = 0.001  # seconds between the first picture and the first sound
END_TOLERANCE = 0.002  # seconds; webm counts in milliseconds
MOST = 0.5  # more black or frozen frames than this share, and something went wrong
SILENT = -70.0  # dBFS; not loudness, which no sound under 0.4 s has
MIN_MOVING_FRAMES = 15  # shorter films may well stand still


@dataclass(frozen=True)
class ExpectedFilm:
    """What was promised.

    `sound_seconds` is the length of the song, None for a film without sound; `silent` if the song was silent
    itself. A film that need not be `lively` may be black or stand still. A gif stores `pictures` of its
    `frames`: those that differ from the one before.
    """

    width: int
    height: int
    fps: Fraction
    frames: int
    codec: str
    sound_seconds: float | None
    silent: bool
    tags: Mapping[str, str]
    cover: bool
    lively: bool = True
    pictures: int | None = None
    projection: str | None = None
    stereo_mode: str | None = None


def faults(film: Inspection, expected: ExpectedFilm) -> list[str]:
    """Everything that is wrong with `film`, in words; an empty list means it is as promised."""
    return [
        *(f"it does not decode cleanly: {error}" for error in film.errors[:3]),
        *_picture_faults(film, expected),
        *_sound_faults(film, expected),
        *_header_faults(film, expected),
    ]


def _picture_faults(film: Inspection, expected: ExpectedFilm) -> Iterator[str]:
    video = film.video
    if video is None:
        yield "it has no picture"
        return
    stored = expected.frames if expected.pictures is None else expected.pictures
    if video.frames != stored:
        yield f"it has {video.frames} frames instead of {stored}"
    if video.irregular:
        yield f"{video.irregular} frames are not shown at their time"
    seconds, promised = video.end - video.first, float(expected.frames / expected.fps)
    if video.frames == stored and abs(seconds - promised) > END_TOLERANCE:
        yield f"its picture lasts {seconds:.3f} s instead of {promised:.3f} s"
    if expected.lively and video.luma is not None:
        yield from _lifeless(video.frames, video.luma)


def _lifeless(frames: int, luma: Luma) -> Iterator[str]:
    if luma.black_frames > MOST * frames:
        yield f"{luma.black_frames} of its {frames} frames are black"
    if frames >= MIN_MOVING_FRAMES and luma.still_frames > MOST * frames:
        yield f"its picture stands still in {luma.still_frames} of {frames} frames"


def _sound_faults(film: Inspection, expected: ExpectedFilm) -> Iterator[str]:
    audio, video = film.audio, film.video
    if expected.sound_seconds is None:
        if film.info.audio is not None:
            yield "it has a sound instead of none"
        return
    if audio is None:
        yield "it has no sound"
        return
    if video is not None:
        if abs(audio.first - video.first) >= START_TOLERANCE:
            yield f"sound and picture start {abs(audio.first - video.first) * 1000:.1f} ms apart"
        if abs(audio.end - video.end) > 1 / expected.fps:
            yield f"sound and picture end {abs(audio.end - video.end) * 1000:.0f} ms apart"
    if abs((audio.end - audio.first) - expected.sound_seconds) > 1 / expected.fps:
        yield f"its sound lasts {audio.end - audio.first:.3f} s instead of {expected.sound_seconds:.3f} s"
    if audio.loudness.peak < SILENT and not expected.silent:
        yield "its sound is silent, but the song is not"


def _header_faults(film: Inspection, expected: ExpectedFilm) -> Iterator[str]:
    info = film.info
    if info.video is not None:
        if (info.video.width, info.video.height) != (expected.width, expected.height):
            size = f"{info.video.width}x{info.video.height}"
            yield f"it is {size} pixels instead of {expected.width}x{expected.height}"
        if info.video.codec != expected.codec:
            yield f"its codec is {info.video.codec} instead of {expected.codec}"
        if expected.codec != "gif" and set(info.video.color.values()) != {"tv", "bt709"}:
            yield f"its colours are tagged {dict(info.video.color)} instead of bt709, tv range"
    for key, text in expected.tags.items():
        if info.tags.get(key) != text:
            yield f"its {key} reads {info.tags.get(key)!r} instead of {text!r}"
    if expected.cover and info.cover is None:
        yield "its cover picture is missing"
    if (info.projection, info.stereo_mode) != (expected.projection, expected.stereo_mode):
        yield (
            f"its projection is {info.projection}, {info.stereo_mode} "
            f"instead of {expected.projection}, {expected.stereo_mode}"
        )
