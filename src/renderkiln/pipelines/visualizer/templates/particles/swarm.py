"""Where every particle is at a frame, in closed form: birth, path and fade follow from hashes.

Space is in picture half-heights, x to the right, y up, z away from the viewer; the core is at the origin.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import Features
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import SIZE, Texture, hash01, texture, wrapped

Values = npt.NDArray[np.float32]

LIFE = 8.0  # seconds
REACH = 2.5  # how far a particle travels from the core
ARMS = 3  # the core sheds its particles from this many places, which turn with the music
TURN = 0.85  # radians per unit of phase
TILT = 0.70  # radians: the disc of the arms leans towards the viewer
CURRENT = 0.085  # length of one step along the current
STEPS_ALONG = 2  # more steps draw longer filaments


class Sparks(NamedTuple):
    """All particles of one frame; float32 arrays of shape (count,). Brightness 0 is not there."""

    x: Values
    y: Values
    z: Values
    brightness: Values
    heat: Values  # place on the colour ramp
    size: Values


class Swarm:
    """Places the particles of a film; owns its buffers; one per thread."""

    def __init__(self, features: Features, count: int, swirl: float, intensity: float, seed: int) -> None:
        self._fps = float(features.fps)
        self._phase = features.track("phase")
        self._onset = features.track("onset")
        self._low = features.track("low")
        self._swirl, self._intensity, self._seed = swirl, intensity, seed
        self._sparks = Sparks(*(np.zeros(count, np.float32) for _ in Sparks._fields))
        tile = texture(seed=23, octaves=3, cells=4)[:SIZE, :SIZE]  # without its repeated edge: np.roll wraps
        along, down = ((np.roll(tile, -1, axis) - np.roll(tile, 1, axis)) for axis in (1, 0))
        self._slopes = np.stack([along, down], axis=2) * np.float32(SIZE / 2)

    def at(self, index: int) -> Sparks:
        """The particles at a frame. The arrays are overwritten by the next call."""
        life = round(LIFE * self._fps)
        first = max(0, index - life)
        # Relative to now or wrapped, and in float64: hours of phase leave no precision in float32.
        phase = np.asarray(self._phase[first : index + 1])
        _place(
            self._sparks,
            index,
            life,
            np.float32(1 / self._fps),
            (phase[-1] - phase).astype(np.float32),
            (self._swirl * TURN * phase % math.tau).astype(np.float32),
            self._onset[first : index + 1],
            self._low[first : index + 1],
            self._slopes,
            wrapped(0.010 * index / self._fps + 0.004 * float(phase[-1])),
            TILT + 0.14 * math.sin(0.11 * index / self._fps),
            self._swirl,
            self._intensity,
            self._seed,
        )
        return self._sparks


@kernel
def _place(
    sparks: Sparks,
    index: int,
    life: int,
    tick: np.float32,
    passed: Values,
    turns: Values,
    onsets: Values,
    lows: Values,
    slopes: Texture,
    drift: float,
    tilt: float,
    swirl: float,
    intensity: float,
    seed: int,
) -> None:
    """The arrays end at this frame and reach back one life, or to the film's start."""
    last = passed.size - 1
    lean_sin, lean_cos = np.float32(math.sin(tilt)), np.float32(math.cos(tilt))
    for k in range(sparks.x.size):
        own = (k + 1) * 7919 + seed * 104729
        offset = int(hash01(own) * np.float32(life))
        generation = (index + offset) // life
        age = (index + offset) % life
        key = own * 31 + generation * 13007
        born = last - age
        heard = max(born, 0)
        # Before the film began, time passed at an even pace: the first frame is already full.
        before = np.float32(max(-born, 0)) * tick * np.float32(0.7)
        travelled = passed[heard] + before
        kick = onsets[heard] * np.float32(intensity)
        beat = lows[heard]
        fraction = np.float32(age) / np.float32(life)

        burst = hash01(key + 3) < np.float32(0.30) * kick
        speed = np.float32(0.07) + np.float32(0.20) * hash01(key + 4) + np.float32(0.10) * beat
        if burst:
            speed += np.float32(0.10) + np.float32(0.22) * kick * hash01(key + 5)
        out = np.float32(REACH) * (np.float32(1) - np.float32(math.exp(-travelled * speed)))
        radius = np.float32(0.16) + out
        x, y, z = _start(key, turns[heard] - np.float32(TURN * swirl) * before)
        spin = np.float32(swirl) * travelled * np.float32(0.22) / (np.float32(0.5) + out)
        cosine, sine = np.float32(math.cos(spin)), np.float32(math.sin(spin))
        x, z = radius * (x * cosine - z * sine), radius * (x * sine + z * cosine)
        y = radius * y
        y, z = y * lean_cos - z * lean_sin, y * lean_sin + z * lean_cos

        step = np.float32(CURRENT) * min(out * np.float32(1.2), np.float32(1.2))
        for _ in range(STEPS_ALONG):
            dx, dy, dz = _current(slopes, x, y, z, np.float32(drift))
            x += step * dx
            y += step * dy
            z += step * dz

        fade = min(fraction * np.float32(9), np.float32(1)) * (np.float32(1) - fraction)
        rarity = hash01(key + 6)
        rare = rarity**6
        glint = np.float32(math.sin(np.float32(age) * tick * (np.float32(2) + np.float32(3) * rarity) + spin))
        lit = np.float32(0.45) + np.float32(0.45) * beat
        if burst:
            lit += np.float32(0.8) * kick
        sparks.x[k], sparks.y[k], sparks.z[k] = x, y, z
        sparks.brightness[k] = (
            fade
            * lit
            * (np.float32(0.15) + np.float32(0.75) * rare)
            * (np.float32(0.85) + np.float32(0.15) * glint)
        )
        hot = np.float32(0.92) if burst else np.float32(0.78)
        cold = np.float32(0.32) + np.float32(0.16) * hash01(key + 7)
        sparks.heat[k] = cold + (hot - cold) * np.float32(math.exp(-out * np.float32(1.1)))
        sparks.size[k] = np.float32(0.0021) + np.float32(0.0050) * rare


@inlined
def _start(key: int, turn: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """Direction in which a particle leaves the core: most in the arms of a disc, some anywhere."""
    up = np.float32(2) * hash01(key + 1) - np.float32(1)
    around = np.float32(math.tau) * hash01(key + 2)
    if hash01(key + 8) < np.float32(0.82):
        up *= np.float32(0.20) * hash01(key + 9)
        stray = hash01(key + 2) + hash01(key + 10) - np.float32(1)
        around = np.float32(math.tau / ARMS) * np.float32(int(hash01(key + 11) * np.float32(ARMS)))
        around += stray * np.float32(0.55) - turn
    level = np.float32(math.sqrt(max(np.float32(1) - up * up, np.float32(0))))
    return level * np.float32(math.cos(around)), up, level * np.float32(math.sin(around))


@inlined
def _current(
    slopes: Texture, x: np.float32, y: np.float32, z: np.float32, drift: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """Curl of three noise potentials in the planes yz, zx and xy: a flow without sources or sinks.

    R. Bridson et al., Curl-Noise for Procedural Fluid Flow, 2007.
    """
    scale = np.float32(0.17)
    x, y, z = x * scale, y * scale, z * scale
    a_y, a_z = _slope(slopes, y + drift, z)
    b_z, b_x = _slope(slopes, z - drift, x + np.float32(0.37))
    c_x, c_y = _slope(slopes, x + np.float32(0.71), y - drift)
    return c_y - b_z, a_z - c_x, b_x - a_y


@inlined
def _slope(slopes: Texture, x: np.float32, y: np.float32) -> tuple[np.float32, np.float32]:
    """Both slopes of the noise at (x, y), as `noise.lookup` reads: half the work of two look-ups."""
    x, y = x * np.float32(SIZE), y * np.float32(SIZE)
    left, top = math.floor(x), math.floor(y)
    fx, fy = np.float32(x - left), np.float32(y - top)
    x0, y0 = left & (SIZE - 1), top & (SIZE - 1)
    x1, y1 = (x0 + 1) & (SIZE - 1), (y0 + 1) & (SIZE - 1)
    a = (np.float32(1) - fx) * (np.float32(1) - fy)
    b, c, d = fx * (np.float32(1) - fy), (np.float32(1) - fx) * fy, fx * fy
    along = a * slopes[y0, x0, 0] + b * slopes[y0, x1, 0] + c * slopes[y1, x0, 0] + d * slopes[y1, x1, 0]
    down = a * slopes[y0, x0, 1] + b * slopes[y0, x1, 1] + c * slopes[y1, x0, 1] + d * slopes[y1, x1, 1]
    return along, down
