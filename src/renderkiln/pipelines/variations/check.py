"""Holds a finished variation against what it should be, without decoding all of it once more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from renderkiln.media.video.difference import Likeness
from renderkiln.media.video.survey import Survey
from renderkiln.pipelines.variations.film import Film

SYNC = 0.02  # seconds that sound and picture may end apart
_SPEAKER = re.compile(r"^(\[[^\]]*\]\s*)+")
_DAMAGE = re.compile(r"error|invalid|corrupt|concealing|missing|damaged", re.IGNORECASE)
_FLAT, _LIVELY = 1.0, 8.0  # standard deviation of a frame, in code values


def faults(made: Survey, film: Film) -> list[str]:
    """Everything that is wrong with what was made of `film`, in words."""
    return [*_picture_faults(made, film), *_sound_faults(made, film)]


def is_blank(made: Likeness, clip: Likeness) -> bool:
    """Whether nothing is to be seen in a variation of a clip in which there is something to be seen."""
    return float(np.median(made.std(axis=1))) < _FLAT and float(np.median(clip.std(axis=1))) > _LIVELY


def said_of_damage(tail: str) -> str:
    """What FFmpeg said of a clip that it could not decode in full; nothing where it decoded all of it."""
    lines = [_SPEAKER.sub("", line).strip() for line in tail.splitlines()]
    return next((line[:200] for line in lines if _DAMAGE.search(line)), "")


def _picture_faults(made: Survey, film: Film) -> Iterator[str]:
    clip = film.clip
    if made.frames != film.frames:
        yield (
            f"it has {made.frames} frames instead of {film.frames} (the clip is damaged, or its picture "
            "changes its form midway)"
        )
    if made.variable or made.fps != clip.fps:
        yield f"its frame rate is {made.fps} instead of {clip.fps}"
    if (made.width, made.height) != (clip.width, clip.height):
        yield f"it is {made.width}x{made.height} pixels instead of {clip.width}x{clip.height}"
    if made.rotation or made.mirrored or made.interlaced or made.pixel_aspect != 1:
        yield "its picture does not stand upright, progressive, with square pixels"
    video = made.info.video
    if video is None or video.codec != "h264" or set(video.color.values()) != {"tv", "bt709"}:
        yield "it is not H.264 in BT.709"


def _sound_faults(made: Survey, film: Film) -> Iterator[str]:
    clip, sound = film.clip, made.audio
    if (sound is None) != (not clip.has_sound):
        yield "its sound is missing" if sound is None else "it has a sound, but the clip has none"
    if sound is None:
        return
    if (sound.rate, sound.channels) != (clip.rate, clip.channels):
        found, wanted = f"{sound.channels} × {sound.rate} Hz", f"{clip.channels} × {clip.rate} Hz"
        yield f"its sound has {found} instead of {wanted}"
    if abs(sound.start - made.start) > SYNC:
        yield f"sound and picture start {abs(sound.start - made.start) * 1000:.0f} ms apart"
    if abs(sound.end - made.start - made.duration) > SYNC:
        yield f"sound and picture end {abs(sound.end - made.start - made.duration) * 1000:.0f} ms apart"
