"""Points of light around the viewer: embers in the air and stars at infinity, each splatted once per eye."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy import float32 as f32

from renderkiln.media.audio.features import Features
from renderkiln.media.frames import equirect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.embers import splat
from renderkiln.media.frames.equirect import see_point, to_pixel
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, hash01, lookup, texture
from renderkiln.media.frames.palette import Palette
from renderkiln.media.frames.tone import code_values
from renderkiln.pipelines.visualizer.templates.flame.ring_shells import GROUND
from renderkiln.pipelines.visualizer.templates.flame.sparks import LONGEST, Past

Codes = npt.NDArray[np.uint8]

EMBERS = 1500  # that could live at the same time; the music decides how many do
STARS = 420
NEAR, FAR = equirect.NEAREST, 3.8  # metres from the viewer
FADE_FROM, FADE_TO = math.radians(50), math.radians(66)  # towards the poles
_SHUTTER = 1 / 60  # seconds of motion in a streak; the same at any frame rate
_OVERTURE = 0.5  # phase per second before the film began
_STAR_CB, _STAR_CR = 134.0, 124.0


class Chroma(NamedTuple):
    """Cb and Cr of a fresh and of a dying ember."""

    fresh_cb: float
    fresh_cr: float
    dying_cb: float
    dying_cr: float


class RingSparks:
    """Draws embers and stars over finished frames; one per thread."""

    def __init__(self, canvas: Canvas, features: Features, palette: Palette, seed: int) -> None:
        self._canvas = canvas
        self._features = features
        self._key = int(np.random.default_rng(seed).integers(1 << 31))
        self._soft = texture(3 * seed + 3, octaves=2, cells=4)
        self._chroma = Chroma(*code_values(palette.spark)[1:], *code_values(palette.ash)[1:])

    def draw(self, index: int, frame: Frame, intensity: float) -> None:
        """Draw the embers and stars of frame `index`."""
        fps = float(self._canvas.fps)
        past = Past.of(self._features, index)
        for eye in equirect.EYES:
            rows = equirect.eye_rows(self._canvas, eye)
            half = slice(rows.start // 2, rows.stop // 2)
            y, u, v = frame.y[rows], frame.u[half], frame.v[half]
            _stars(y, u, v, index / fps, self._key)
            _embers(y, u, v, eye, past, index / fps, fps, self._chroma, self._soft, self._key, intensity)


@inlined
def _shown(latitude: float) -> float:
    """How visible a point is at this latitude: not at all near the poles, where it would be pulled wide."""
    t = min(max((FADE_TO - abs(latitude)) / (FADE_TO - FADE_FROM), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@kernel
def _stars(y: Codes, u: Codes, v: Codes, seconds: float, key: int) -> None:
    """Stars have no parallax, and pale where the fire is bright."""
    height, width = y.shape
    for k in range(STARS):
        own = key + 92821 * (k + 1)
        latitude = math.asin(0.05 + 0.85 * hash01(own))
        x, down = to_pixel((hash01(own + 1) - 0.5) * 2 * math.pi, latitude, width, height)
        behind = float(y[min(max(int(down), 0), height - 1), int(x) % width])
        large = hash01(own + 2) ** 6
        twinkle = 0.8 + 0.2 * math.sin(seconds * (0.4 + 0.9 * hash01(own + 3)) + 6.28 * hash01(own + 4))
        alpha = (0.14 + 0.60 * large) * twinkle * _shown(latitude) * min(max((72 - behind) / 40, 0.0), 1.0)
        pulled = (1 / math.cos(latitude) - 1) * width * 0.0004
        splat(
            y, u, v, x - pulled / 2, down, pulled, 0.0, width * (0.00032 + 0.00036 * large), alpha, 0.0,
            _STAR_CB, _STAR_CR, wrap=True,
        )  # fmt: skip


@kernel
def _embers(
    y: Codes, u: Codes, v: Codes, eye: int, past: Past, now: float, fps: float,
    chroma: Chroma, soft: Texture, key: int, intensity: float,
) -> None:  # fmt: skip
    height, width = y.shape
    last = past.phase.size - 1
    pace = (past.phase[last] - past.phase[last - 1]) * fps if last > 0 else _OVERTURE
    for slot in range(EMBERS):
        own = key + slot * 131
        life = LONGEST * (0.5 + 0.5 * hash01(own))
        cycle = math.floor(now / life + hash01(own + 1))
        birth = (cycle - hash01(own + 1)) * life
        age = now - birth
        own = own * 31 + cycle * 7919
        k = min(max(int(birth * fps) - past.first, 0), last)
        onset, rms = (float(past.onset[k]), float(past.rms[k])) if birth >= 0 else (0.0, 0.0)
        if hash01(own + 2) > 0.08 + (0.16 * rms + 0.70 * onset * onset) * intensity:
            continue
        then = _phase_at(past, birth, fps)
        travelled = past.phase[last] - then
        gone = min(age, _SHUTTER)
        x, down, distance, latitude = _seen(own, travelled, soft, eye, width, height)
        tail_x, tail_down, _, _ = _seen(own, travelled - gone * pace, soft, eye, width, height)
        old = age / life
        fade = min(1.0, age * 8.0) * (1 - old) ** 1.4 * _shown(latitude)
        twinkle = 0.74 + 0.26 * math.sin(age * (7 + 12 * hash01(own + 8)) + 6.28 * hash01(own + 9))
        large = hash01(own + 7) ** 4
        splat(
            y, u, v, x, down, tail_x - x, tail_down - down,
            width / (2 * math.pi) * (0.0038 + 0.0120 * large) / distance,  # millimetres of glow
            fade * twinkle * (0.85 + 0.5 * large + 0.4 * onset), 0.0,
            chroma.fresh_cb + (chroma.dying_cb - chroma.fresh_cb) * old,
            chroma.fresh_cr + (chroma.dying_cr - chroma.fresh_cr) * old, wrap=True,
        )  # fmt: skip


@inlined
def _phase_at(past: Past, seconds: float, fps: float) -> float:
    """The music's phase at a moment, between frames too; before the film it ran evenly."""
    at = seconds * fps - past.first
    k = min(max(int(at), 0), past.phase.size - 1)
    after = min(k + 1, past.phase.size - 1)
    between = past.phase[k] + (past.phase[after] - past.phase[k]) * min(max(at - k, 0.0), 1.0)
    return between if seconds >= 0 else past.phase[0] + seconds * _OVERTURE


@kernel
def _seen(
    own: int, travelled: float, soft: Texture, eye: int, width: int, height: int
) -> tuple[float, float, float, float]:
    """Column, row, distance and latitude of an ember that has risen for `travelled` units of phase."""
    start = hash01(own + 10)
    rise = 0.7 * hash01(own + 11) ** 2 + travelled * (0.20 + 0.30 * hash01(own + 3))
    slow = lookup(soft, f32(start), f32(0.22 * rise + hash01(own + 4))) - f32(0.5)
    quick = lookup(soft, f32(3.1 * start), f32(0.9 * rise + hash01(own + 5))) - f32(0.5)
    azimuth = (start - 0.5) * 2 * math.pi + (0.9 * slow + 0.14 * quick) * (0.25 + rise)
    distance = max(NEAR + (FAR - NEAR) * hash01(own + 6) ** 2 + 0.5 * quick, NEAR)
    longitude, latitude = see_point(azimuth, GROUND + 0.1 + rise, distance, eye)
    x, down = to_pixel(longitude, latitude, width, height)
    return x, down, distance, latitude
