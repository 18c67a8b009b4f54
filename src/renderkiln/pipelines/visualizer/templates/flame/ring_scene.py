"""The light of the ring: shells of flame around the viewer, the ground they stand on, the sky behind them.

What a shell shows is a function of azimuth and height alone, and on every row both eyes see the same height
of it, only turned a little (see `media.frames.equirect`). So each row of a shell is computed once, and the
exact geometry of two eyes lies in the shift at which they read it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy import float32 as f32

from renderkiln.media.audio.features import BANDS
from renderkiln.media.frames import equirect
from renderkiln.media.frames.equirect import NEAREST, RIGHT
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, lookup, texture, wrapped
from renderkiln.media.frames.palette import STEPS, Palette
from renderkiln.pipelines.visualizer.templates.flame.mood import Mood

Light = npt.NDArray[np.float32]

GROUND = -0.92  # metres: how far the ground lies below the eyes
MARGIN = 32  # columns repeated at each end of a row, so that a shifted reading need not wrap
SAMPLES = 120  # around the ring, of what is smooth: sway and haze
BLOCK = 480  # columns that are drawn or left out together
COLUMNS = 2048  # of the profile of flame heights around the ring: so many that none need be mixed
FOOT = -0.36  # metres: how far below the ground flames reach, on the mean
EXPOSURE = 0.9  # of the mood's power: there is much more fire here than in the flat picture
GROUND_LIGHT = 0.09

_NOTHING = f32(6.5)  # relative height above which a flame is not seen any more


@dataclass(frozen=True)
class Shell:
    """One cylinder of flame.

    Whole numbers of tiles per turn close it without a seam; with no divisor in common they never repeat
    together on the way around.
    """

    radius: float  # metres
    stature: float  # metres to a height of 1 in the flame's own units
    strength: float  # of its light
    power: float  # of its heat: less is cooler in colour
    strands: float  # weight of the fine bright lines
    sway_tiles: int
    body_tiles: int
    strand_tiles: int
    start: float  # where in the textures it begins, so that shells differ
    top: float  # height in the flame's own units where its wisps end

    @property
    def constants(self) -> tuple[float, ...]:
        """As the kernels want them; the third is the flame's unit of width in turns."""
        unit = self.stature / (4 * math.pi * self.radius)
        tiles = (self.sway_tiles, self.body_tiles, self.strand_tiles)
        return (self.strength, self.strands, unit, *tiles, self.stature, self.top, self.power)

    def scrolls(self, phase: float, seconds: float) -> list[float]:
        """Texture offsets, wrapped in float64: the phase of hours would not fit float32."""
        offsets = (
            self.start + 0.010 * seconds,
            self.start - 0.085 * phase,
            self.start + 0.47 - 0.008 * seconds,
            self.start + 0.31 - 0.10 * phase,
            3 * self.start,
            5 * self.start - 0.15 * phase,
            7 * self.start,
            2 * self.start - 0.20 * phase,
        )
        return [wrapped(offset) for offset in offsets]


# From far to near.
SHELLS = (
    Shell(4.6, 5.2, 0.60, 0.62, 0.60, sway_tiles=4, body_tiles=7, strand_tiles=11, start=0.137, top=1.2),
    Shell(2.7, 3.3, 0.78, 0.80, 0.80, sway_tiles=3, body_tiles=5, strand_tiles=8, start=0.613, top=1.5),
    Shell(1.6, 2.2, 1.00, 1.00, 1.00, sway_tiles=2, body_tiles=5, strand_tiles=9, start=0.389, top=2.0),
)


class RingScene:
    """Geometry, textures and scratch rows of the ring for one size of field; one per thread."""

    def __init__(self, width: int, rows: int, palette: Palette, seed: int) -> None:
        latitude = equirect.latitudes(rows)
        reach = _ground_distance(latitude)
        hits = [equirect.hit_cylinder(0.0, latitude, shell.radius, RIGHT) for shell in SHELLS]
        turns = [turn for turn, _ in hits]
        turns.append(equirect.hit_cylinder(0.0, latitude, np.maximum(reach, NEAREST), RIGHT)[0])
        heights = [(height - GROUND) / shell.stature for (_, height), shell in zip(hits, SHELLS, strict=True)]
        self._heights = np.array(heights, np.float32)
        self._shifts = (np.array(turns) * (width / (2 * np.pi))).astype(np.float32)
        if self._shifts.max() > MARGIN - 2:
            raise ValueError(f"a field of {width} columns is wider than the rows' margins allow")
        per_row = [_calm(latitude), _horizon(latitude), _ground_light(reach), _ground_detail(reach)]
        self._per_row = np.array(per_row, np.float32)
        self._shells = np.array([shell.constants for shell in SHELLS], np.float32)
        self._body = texture(3 * seed + 1, octaves=4, cells=4, gain=0.5)
        self._strands = texture(3 * seed + 2, octaves=4, cells=5, gain=0.45)
        self._soft = texture(3 * seed + 3, octaves=2, cells=4)
        self._ramp = np.ascontiguousarray(palette.ramp.T)
        self._tints = np.array([palette.haze, palette.glow, palette.wisp], np.float32)
        whole = -(-width // BLOCK) * BLOCK
        self._layers = np.zeros((len(SHELLS) + 2, 4, whole + 2 * MARGIN + 1), np.float32)
        self._scratch = np.zeros((6, whole), np.float32)

    def paint(self, left: Light, right: Light, record: Any, seconds: float, intensity: float) -> None:
        """Fill the light of both eyes, each (3, rows, width), for one record of features."""
        phase = float(record["phase"])
        _paint(
            left,
            right,
            (self._layers, self._scratch),
            (self._heights, self._shifts, self._per_row),
            self._shells,
            np.array([shell.scrolls(phase, seconds) for shell in SHELLS], np.float32),
            (wrapped(0.003 * seconds), wrapped(-0.002 * seconds)),
            Mood.of(record, intensity),
            flame_heights(record, intensity),
            (self._body, self._strands, self._soft),
            (self._ramp, self._tints),
        )


_TREBLE_BANDS = 6  # the highest ones are hiss: left out of the profile
_AROUND = (np.arange(COLUMNS) + 0.5) / COLUMNS  # 0 is the seam behind the viewer
_TO_SIDE = np.abs((2 * _AROUND + 0.5) % 1 - 0.5) * 2  # 0 ahead and behind, 1 at the sides
_PLACE = _TO_SIDE**1.15 * (BANDS - 1 - _TREBLE_BANDS)
_SOFTEN = np.hanning(81) / np.hanning(81).sum()


def flame_heights(record: Any, intensity: float) -> Light:
    """Height of the flames around the ring from the seam on, shape (COLUMNS,), in a flame's own units.

    Bass stands ahead of and behind the viewer, treble at the sides, mirrored so that the ring closes.
    """
    spread = np.interp(_PLACE, np.arange(BANDS), np.asarray(record["bands"], np.float64))
    spread = np.convolve(np.pad(spread, _SOFTEN.size // 2, mode="wrap"), _SOFTEN, mode="valid")
    lift = 0.34 * spread + 0.20 * float(record["low"])
    loudness = 0.62 + 0.55 * float(record["rms"])
    return (0.11 + lift * intensity * loudness).astype(np.float32)


def _ground_distance(latitude: equirect.Angles) -> equirect.Angles:
    """How far away a ray below the horizon meets the ground, in metres; far where it does not."""
    return np.asarray(-GROUND / np.tan(np.maximum(-latitude, 0.01)))


def _calm(latitude: equirect.Angles) -> equirect.Angles:
    """1 around the horizon, 0 at the poles, where all columns meet and detail would be pinched."""
    return _smoothstep((math.radians(70) - np.abs(latitude)) / math.radians(42))


def _horizon(latitude: equirect.Angles) -> equirect.Angles:
    """The fire's glow in the air."""
    return np.asarray(np.exp(-(((latitude - 0.05) / 0.45) ** 2)))


def _ground_light(distance: equirect.Angles) -> equirect.Angles:
    """How much of the fire's light lies on the ground: most at its foot, hardly any under the viewer."""
    near = SHELLS[-1].radius
    inside = np.exp(-(((distance - near) / 0.68) ** 2))
    outside = _smoothstep((14 - distance) / 12) * near / np.maximum(distance, near)
    return np.asarray(np.where(distance < near, inside, outside))


def _ground_detail(distance: equirect.Angles) -> equirect.Angles:
    """How well single flames are told apart in that light: less and less towards the middle of the ring."""
    return _smoothstep((distance - 0.35) / 1.3)


def _smoothstep(x: equirect.Angles) -> equirect.Angles:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


@inlined
def _falling(x: np.float32) -> np.float32:
    """About exp(-x) for x ≥ 0, without a call that would keep the loop from being vectorised."""
    z = f32(1) + x * f32(0.125) * (f32(1) + x * f32(0.0625))
    z = z * z
    z = z * z
    return f32(1) / (z * z)


@inlined
def _step(x: np.float32) -> np.float32:
    x = min(max(x, f32(0)), f32(1))
    return x * x * (f32(3) - f32(2) * x)


@kernel
def _ripple(soft: Texture, x: float, y: float) -> np.float32:
    """The smooth noise around 0."""
    return lookup(soft, f32(x), f32(y)) - f32(0.5)


@kernel
def _sway_row(
    soft: Texture, tiles: float, scroll: Light, height: float, width: int, q1: Light, q2: Light
) -> None:
    """Two smooth noises, mean 0, along one row."""
    grid = max(1, width // SAMPLES)
    step = f32(grid * tiles / width)
    y1 = f32(height) * f32(0.24) + scroll[1]
    y2 = f32(height) * f32(0.24) + scroll[3]
    a = _ripple(soft, scroll[0], y1)
    c = _ripple(soft, scroll[2], y2)
    for start in range(0, q1.size, grid):
        x = f32(start // grid + 1) * step
        b = _ripple(soft, x + scroll[0], y1)
        d = _ripple(soft, x + scroll[2], y2)
        for k in range(min(grid, q1.size - start)):
            t = (f32(k) + f32(0.5)) / f32(grid)
            i = np.uint32(start + k)
            q1[i] = a + (b - a) * t
            q2[i] = c + (d - c) * t
        a = b
        c = d


@kernel
def _flame_row(
    out: Light, height: float, air: float, width: int, scratch: Light, shell: Light, scroll: Light,
    mood: Mood, heights: Light, body: Texture, lines: Texture, soft: Texture, ramp: Light, wisp: Light,
) -> None:  # fmt: skip
    """One row of one shell: light (rows 0 to 2 of `out`) and what it hides of the shells behind (row 3).

    In small loops of few arrays each: more, and the compiler no longer proves them apart and vectorises.
    """
    strength, line_weight, unit, body_tiles, line_tiles = shell[0], shell[1], shell[2], shell[4], shell[5]
    _sway_row(soft, shell[3], scroll, height, width, scratch[0], scratch[1])
    v = f32(height)
    rise = f32(0.5) * (v + f32(math.sqrt(v * v + f32(0.004))))
    # what rises gets faster and longer
    stretched = f32(math.log(1 + 1.7 * max(height, 0.0))) * f32(1 / 1.7) + min(v, f32(0))
    above, power = v * shell[6] - f32(FOOT), f32(EXPOSURE * mood.power) * shell[8]
    wander = f32(0.14) + f32(0.44) * rise
    for start in range(0, scratch.shape[1], BLOCK):
        stop, at = start + BLOCK, MARGIN + start
        q1, q2, px = scratch[0, start:stop], scratch[1, start:stop], scratch[2, start:stop]
        noise, up, ridge = scratch[3, start:stop], scratch[4, start:stop], scratch[5, start:stop]
        _places(start, width, wander * f32(1.6) * unit, q1, px)
        _body_noise(body, body_tiles, scroll[4], scroll[5], stretched, wander * f32(0.5), px, q2, noise)
        if _relative_heights(px, q2, noise, heights, rise, up) >= _NOTHING:
            out[:, at : at + BLOCK] = 0
            continue
        _ridges(lines, line_tiles, scroll[6], scroll[7], stretched, wander * f32(0.5), px, q1, q2, ridge)
        _burn(above, q2, noise, line_weight, power, f32(mood.flash), f32(mood.air * air), up, ridge)
        for c in range(3):
            _colour(up, ridge, ramp[c], wisp[c], strength, out[c, at : at + BLOCK])
        _hide(up, out[3, at : at + BLOCK])


@kernel
def _places(start: int, width: int, across: np.float32, q1: Light, px: Light) -> None:
    """Place on the ring in turns, swayed."""
    for n in range(px.size):
        i = np.uint32(n)
        px[i] = (f32(start) + f32(i) + f32(0.5)) / f32(width) + q1[i] * across


@kernel
def _body_noise(
    body: Texture, tiles: np.float32, at_x: np.float32, at_y: np.float32,
    height: np.float32, wander: np.float32, px: Light, q2: Light, noise: Light,
) -> None:  # fmt: skip
    """Noise of the flames' bodies.

    The texture climbs by whole tiles on its way around: no two of its rounds show the same rows.
    """
    for n in range(px.size):
        i = np.uint32(n)
        y = (height + q2[i] * wander) * f32(0.40) + px[i]
        noise[i] = lookup(body, px[i] * tiles + at_x, y + at_y)


@kernel
def _ridges(
    lines: Texture, tiles: np.float32, at_x: np.float32, at_y: np.float32,
    height: np.float32, wander: np.float32, px: Light, q1: Light, q2: Light, ridge: Light,
) -> None:  # fmt: skip
    """The bright strands: 1 where a noise crosses its mean, falling to 0 beside."""
    for n in range(px.size):
        i = np.uint32(n)
        x = px[i] * tiles + q2[i] * f32(0.30)
        y = (height + q2[i] * wander) * f32(0.46) + q1[i] * f32(0.25) + px[i] + px[i]
        near = max(f32(1) - abs(lookup(lines, x + at_x, y + at_y) - f32(0.5)) * f32(4.6), f32(0))
        ridge[i] = near * near


@kernel
def _relative_heights(
    px: Light, q2: Light, noise: Light, heights: Light, rise: np.float32, up: Light
) -> np.float32:
    """Height in flame lengths into `up`; returns the least of them."""
    nearest = _NOTHING
    for n in range(up.size):
        i = np.uint32(n)
        k = np.int32((px[i] + f32(1)) * f32(COLUMNS)) & np.int32(COLUMNS - 1)
        reach = heights[k] * (f32(0.85) + f32(1.1) * q2[i])
        relative = rise / (reach * (f32(0.40) + f32(1.30) * noise[i]))
        up[i] = relative
        nearest = min(nearest, relative)
    return nearest


@kernel
def _burn(
    above: np.float32, q2: Light, noise: Light, line_weight: np.float32,
    power: np.float32, flash: np.float32, wisps: np.float32, up: Light, ridge: Light,
) -> None:  # fmt: skip
    """Turn `up` (height in flame lengths) into heat 0 … 1 and `ridge` into the strength of wisps.

    `above`: metres above the flames' feet, which lie at different heights so that they draw no line.
    """
    for n in range(up.size):
        i = np.uint32(n)
        foot = _step((above + q2[i] * f32(0.55)) * f32(1.9))
        fading = max(_falling(up[i] * f32(0.95)) - f32(0.003), f32(0)) * foot
        core = max(f32(1) - up[i], f32(0))
        core = core * core * (f32(3) - f32(2) * core) * foot
        bright = (f32(0.36) + f32(0.10) * flash) * ridge[i] * line_weight
        heat = core * (f32(0.20) + f32(0.52) * noise[i] + bright)
        veil = fading * ridge[i] * ridge[i] * (f32(0.22) + f32(0.32) * noise[i]) * line_weight
        heat = min(max((heat + veil) * power, f32(0)), f32(0.999))
        up[i] = heat
        ridge[i] = fading * wisps * ridge[i] * (f32(1) - heat)


@kernel
def _colour(
    heat: Light, threads: Light, ramp: Light, wisp: np.float32, strength: np.float32, out: Light
) -> None:
    for n in range(out.size):
        i = np.uint32(n)
        shade = np.int32(heat[i] * f32(STEPS - 1)) & np.int32(STEPS - 1)
        out[i] = (ramp[shade] + wisp * threads[i]) * strength


@kernel
def _hide(heat: Light, out: Light) -> None:
    for n in range(out.size):
        i = np.uint32(n)
        out[i] = min(heat[i] * f32(1.4), f32(0.85))


@kernel
def _close(row: Light, width: int) -> None:
    """Repeat both ends of a row behind the seam."""
    for c in range(row.shape[0]):
        for i in range(MARGIN):
            row[c, i] = row[c, width + i]
            row[c, MARGIN + width + i] = row[c, MARGIN + i]
        row[c, 2 * MARGIN + width] = row[c, 2 * MARGIN]


@kernel
def _haze(soft: Texture, x: float, up: float, drift: tuple[float, float]) -> np.float32:
    rough = _ripple(soft, x * 3 + drift[0], up + drift[1] + x)
    return rough + f32(0.5) * _ripple(soft, x * 7 - drift[0], 2.3 * up - x)


@kernel
def _sky_row(
    out: Light, width: int, scratch: Light, soft: Texture, up: float, drift: tuple[float, float],
    calm: float, glow: float, tints: Light,
) -> None:  # fmt: skip
    """Haze at infinity, even towards the poles, and the glow of the fire in it."""
    n1 = scratch[0]
    grid = max(1, width // SAMPLES)
    a = _haze(soft, 0.0, up, drift)
    for start in range(0, n1.size, grid):
        b = _haze(soft, (start + grid) / width, up, drift)
        for k in range(min(grid, n1.size - start)):
            n1[np.uint32(start + k)] = f32(0.5) + (a + (b - a) * (f32(k) + f32(0.5)) / f32(grid)) * f32(calm)
        a = b
    for c in range(3):
        haze, fire, row = tints[0, c], tints[1, c] * f32(glow), out[c, MARGIN:]
        for n in range(n1.size):
            i = np.uint32(n)
            row[i] = haze * (f32(0.35) + f32(1.5) * n1[i] * n1[i]) + fire * (f32(0.6) + f32(0.8) * n1[i])


@kernel
def _blur_around(source: Light, target: Light, width: int, spread: int, tint: Light) -> None:
    """What the foot of the near flames throws on the ground: its light, blurred along the ring and tinted.

    Row 3 of `target` gets the mean of each colour.
    """
    total, mean = f32(0), f32(0)
    for i in range(-spread, spread + 1):
        k = MARGIN + (i + width) % width
        total += source[0, k] + source[1, k] + source[2, k]
    for i in range(width):
        enters, leaves = MARGIN + (i + spread + 1) % width, MARGIN + (i - spread + width) % width
        target[0, MARGIN + i] = total * f32(1.0 / (2 * spread + 1))
        mean += target[0, MARGIN + i]
        total += source[0, enters] + source[1, enters] + source[2, enters]
        total -= source[0, leaves] + source[1, leaves] + source[2, leaves]
    for c in range(2, -1, -1):
        target[3, c] = mean / f32(width) * tint[c]
        for i in range(width):
            target[c, MARGIN + i] = target[0, MARGIN + i] * tint[c]


@kernel
def _light_ground(row: Light, shift: float, amount: float, detail: float, light: Light, j: int) -> None:
    """Add the light on the ground as an eye sees it."""
    whole = math.floor(shift)
    f = f32(shift - whole)
    for c in range(3):
        seen, out = row[c, MARGIN + int(whole) :], light[c, j]
        sharp, even = f32(amount * detail), f32(amount * (1 - detail)) * row[3, c]
        for n in range(out.size):
            i = np.uint32(n)
            out[i] += even + (seen[i] + (seen[i + np.uint32(1)] - seen[i]) * f) * sharp


@kernel
def _lay_over(row: Light, shift: float, light: Light, j: int) -> None:
    """Lay a shell over what is behind it, as an eye sees it."""
    whole = math.floor(shift)
    f = f32(shift - whole)
    hides = row[3, MARGIN + int(whole) :]
    for c in range(3):
        seen, out = row[c, MARGIN + int(whole) :], light[c, j]
        for n in range(out.size):
            i = np.uint32(n)
            k = i + np.uint32(1)
            passes = f32(1) - (hides[i] + (hides[k] - hides[i]) * f)
            out[i] = out[i] * passes + seen[i] + (seen[k] - seen[i]) * f


@kernel
def _paint(
    left: Light, right: Light, buffers: tuple[Light, Light], geometry: tuple[Light, Light, Light],
    shells: Light, scrolls: Light, drift: tuple[float, float], mood: Mood, heights: Light,
    textures: tuple[Texture, Texture, Texture], colours: tuple[Light, Light],
) -> None:  # fmt: skip
    layers, scratch = buffers
    places, shifts, per_row = geometry
    body, lines, soft = textures
    ramp, tints = colours
    count = shells.shape[0]
    _, rows, width = left.shape
    sky, ground, near = layers[count], layers[count + 1], count - 1
    _flame_row(
        layers[near], f32(0.12), f32(0), width, scratch, shells[near], scrolls[near], mood,
        heights, body, lines, soft, ramp, tints[2],
    )  # fmt: skip
    _blur_around(layers[near], ground, width, width // 30, tints[1])
    _close(ground[:3], width)
    for j in range(rows):
        calm, horizon, ground_light, detail = per_row[0, j], per_row[1, j], per_row[2, j], per_row[3, j]
        up = f32(1.5) * f32(j) / f32(rows)
        _sky_row(sky, width, scratch, soft, up, drift, calm, horizon * f32(0.65 * mood.pulse), tints)
        for c in range(3):
            left[c, j] = sky[c, MARGIN : MARGIN + width]
            right[c, j] = sky[c, MARGIN : MARGIN + width]
        if ground_light > f32(0.002):
            for eye in range(2):
                light, side = (right, shifts[count, j]) if eye else (left, -shifts[count, j])
                _light_ground(ground, side, ground_light * f32(GROUND_LIGHT), detail, light, j)
        for s in range(count):
            v = places[s, j]
            if v * shells[s, 6] > f32(FOOT - 0.2) and v < shells[s, 7]:
                air = _step((shells[s, 7] - v) / shells[s, 7] * f32(1.6)) * calm
                _flame_row(
                    layers[s], v, air, width, scratch, shells[s], scrolls[s], mood,
                    heights, body, lines, soft, ramp, tints[2],
                )  # fmt: skip
                _close(layers[s], width)
                _lay_over(layers[s], -shifts[s, j], left, j)
                _lay_over(layers[s], shifts[s, j], right, j)
