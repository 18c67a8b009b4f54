"""Embers above the fire, in closed form: where each one is follows from its birth and the music since."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import Features
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.embers import splat
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.noise import Texture, hash01, lookup, wrapped
from renderkiln.media.frames.palette import Palette
from renderkiln.media.frames.tone import code_values

Codes = npt.NDArray[np.uint8]
Track = npt.NDArray[Any]

SLOTS = 1100  # embers that could live at the same time; the music decides how many do
LONGEST = 4.2  # seconds an ember lives at most
_SHUTTER = 1 / 120  # seconds of motion in a streak; the same at any frame rate
_OVERTURE = 0.5  # phase per second before the film began


class Past(NamedTuple):
    """The music of the last moments, up to the frame to draw."""

    first: int  # frame number of the first entry
    phase: Track  # float64
    onset: Track
    rms: Track

    @classmethod
    def of(cls, features: Features, index: int) -> Past:
        """As much as the oldest ember has lived."""
        first = max(0, index - int(LONGEST * float(features.fps)) - 2)
        records = features.records[first : index + 1]
        tracks = (np.ascontiguousarray(records[name]) for name in ("phase", "onset", "rms"))
        return cls(first, *tracks)


def chroma_range(colours: Palette) -> tuple[float, float, float, float]:
    """Cb and Cr of a fresh ember, then of a dying one."""
    fresh, dying = code_values(colours.spark), code_values(colours.ash)
    return fresh[1], fresh[2], dying[1], dying[2]


def draw_sparks(
    frame: Frame,
    features: Features,
    index: int,
    span: tuple[float, float],
    chroma: tuple[float, float, float, float],
    soft: Texture,
    seed: int,
    intensity: float,
) -> None:
    """Draw the embers of frame `index` over a finished frame."""
    past = Past.of(features, index)
    wind = wrapped(0.11 * float(past.phase[-1]))
    fps = float(features.fps)
    _sparks(frame.y, frame.u, frame.v, past, index, fps, span, chroma, soft, wind, seed & 0xFFFF, intensity)


@kernel
def _sparks(
    y: Codes, u: Codes, v: Codes, past: Past, index: int, fps: float,
    span: tuple[float, float], chroma: tuple[float, float, float, float],
    soft: Texture, wind: float, seed: int, intensity: float,
) -> None:  # fmt: skip
    height, width = y.shape
    unit = height / span[1]  # pixels
    now = index / fps
    phase_now = past.phase[past.phase.size - 1]
    before = max(past.phase.size - 2, 0)
    pace = (phase_now - past.phase[before]) * fps if past.phase.size > 1 else _OVERTURE
    for slot in range(SLOTS):
        own = slot * 131 + seed * 65537
        life = LONGEST * (0.4 + 0.6 * hash01(own))
        cycle = math.floor(now / life + hash01(own + 1))
        birth = (cycle - hash01(own + 1)) * life
        age = now - birth
        own = own * 31 + cycle * 7919
        at = birth * fps - past.first
        k = min(max(int(at), 0), past.phase.size - 1)
        onset, rms = float(past.onset[k]), float(past.rms[k])
        if birth < 0:
            onset, rms = 0.0, 0.0
        chance = 0.07 + (0.16 * rms + 0.75 * onset * onset) * intensity
        if hash01(own + 2) > chance:
            continue
        next_k = min(k + 1, past.phase.size - 1)
        phase_then = past.phase[k] + (past.phase[next_k] - past.phase[k]) * min(max(at - k, 0.0), 1.0)
        if birth < 0:
            phase_then = past.phase[0] + birth * _OVERTURE
        travelled = phase_now - phase_then
        depth = hash01(own + 3)  # far to near
        speed = (0.14 + 0.26 * hash01(own + 4)) * (0.7 + 0.6 * depth)
        burst = 0.10 + 0.22 * onset * hash01(own + 5)
        side = hash01(own + 6) * 2 - 1
        x0 = side * (0.45 + 0.55 * abs(side)) * span[0] * 1.02
        start = 0.30 * hash01(own + 7) * rms - 0.02
        # head and tail: the same place a moment apart
        hx, hy = _place(x0, start, age, travelled, speed, burst, own, soft, wind)
        gone = min(age, _SHUTTER)
        tx, ty = _place(x0, start, age - gone, travelled - gone * pace, speed, burst, own, soft, wind)
        old = age / life
        fade = min(1.0, age * 9.0) * (1.0 - old) ** 1.4
        twinkle = 0.72 + 0.28 * math.sin(age * (7.0 + 12.0 * hash01(own + 8)) + 6.28 * hash01(own + 9))
        shine = fade * twinkle * (0.9 + 0.8 * onset) * (0.7 + 0.6 * depth)
        size = 0.0013 + 0.0030 * depth**5
        # close to the lens: larger, paler, out of focus
        softness = max(depth - 0.95, 0.0) * 14.0
        size *= 1.0 + 1.4 * softness
        shine *= 1.0 - softness
        tail = 1.0 - softness
        cool = max(old, softness)
        cb = chroma[0] + (chroma[2] - chroma[0]) * cool
        cr = chroma[1] + (chroma[3] - chroma[1]) * cool
        cx, cy = width * 0.5 + hx * unit * 0.5, height - hy * unit
        splat(
            y, u, v, cx, cy, (tx - hx) * unit * 0.5 * tail, (hy - ty) * unit * tail,
            size * unit, shine, softness, cb, cr, False,  # noqa: FBT003  # not around
        )  # fmt: skip


@kernel
def _place(
    x0: float, start: float, age: float, travelled: float, speed: float, burst: float, own: int,
    soft: Texture, wind: float,
) -> tuple[float, float]:  # fmt: skip
    """Sideways and upward place in picture units: thrown up, then carried by the swaying air."""
    up = start + travelled * speed + burst * (1.0 - math.exp(-3.0 * age))
    slow = lookup(soft, x0 * 0.3 + hash01(own + 10), up * 0.30 - wind) - 0.5
    quick = lookup(soft, x0 * 0.9 + hash01(own + 11), up * 0.95 - wind) - 0.5
    return x0 * (1.0 - 0.10 * up) + slow * 1.1 * (0.12 + up) + quick * 0.12, up
