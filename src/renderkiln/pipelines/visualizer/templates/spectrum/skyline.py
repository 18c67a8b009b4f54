"""The kernel that draws bars, caps, the lit floor and the mirror image."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.bloom import Light
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, lookup
from renderkiln.media.frames.palette import STEPS

Row = npt.NDArray[np.float32]


class Stage(NamedTuple):
    """Where the bars stand in one view; lengths in field samples."""

    left: float  # column where the first bar begins
    pitch: float
    radius: float  # half the width of a bar, and of its rounded ends
    reach: float  # height of a bar of level 1
    squat: float  # how much shorter the mirror image looks
    heights: Row  # what height above the floor a row shows; below 0 is the mirror image
    shifts: Row  # how far to the right a row shows the bars
    around: bool  # the left edge continues at the right one


SHARP = np.float32(1.3)  # width of an anti-aliased edge, in field samples


@kernel
def skyline(light: Light, levels: Row, peaks: Row, stage: Stage, ramp: Light, gain: float) -> None:
    """Add the bars and the caps above them to `light`."""
    radius = np.float32(stage.radius)
    reach = np.float32(stage.reach)
    thin = radius * np.float32(0.36)
    for j in range(light.shape[1]):
        y = stage.heights[j]
        if y < 0 or y > np.float32(1.4) * reach:
            continue
        for bar in range(levels.size):
            centre = np.float32(stage.left + (bar + 0.5) * stage.pitch) + stage.shifts[j]
            top = max(levels[bar] * reach, np.float32(2) * radius)
            if y < top + np.float32(1):
                hue = _hue(min(y, top) / reach, levels[bar])
                _bar_row(light, j, centre, y, top, SHARP, stage, ramp, hue, np.float32(gain))
            cap = peaks[bar] * reach + radius * np.float32(1.7)
            if abs(y - cap) < thin + np.float32(1) and cap > top + radius:
                hue = min(np.float32(0.44) + np.float32(0.45) * peaks[bar], np.float32(0.999))
                _cap_row(light, j, centre, y - cap, thin, stage, ramp, hue, np.float32(gain))


@kernel
def reflect(
    light: Light, levels: Row, stage: Stage, ramp: Light, ripples: Texture, drift: float, gain: float
) -> None:
    """Darken the floor and add the bars' mirror image: softer, rippled and fainter with distance."""
    _, height, width = light.shape
    radius = np.float32(stage.radius)
    pitch = np.float32(stage.pitch)
    reach = np.float32(stage.reach)
    for j in range(height):
        y = -stage.heights[j] * np.float32(stage.squat)
        if y < 0:
            continue
        depth = y / reach
        dim = np.float32(0.42) + np.float32(0.40) * np.float32(math.exp(-depth * np.float32(5)))
        for c in range(3):
            for i in range(width):
                light[c, j, i] *= dim
        if depth > np.float32(1.3):
            continue
        fade = np.float32(gain) * np.float32(math.exp(-depth * np.float32(3.1)))
        softness = SHARP + depth * pitch * np.float32(1.7)
        # Waves look shorter the farther away they are: crowded at the horizon.
        far = np.float32(0.34) / (depth + np.float32(0.16)) + np.float32(drift)
        for bar in range(levels.size):
            top = max(levels[bar] * reach, np.float32(2) * radius)
            if y > top + softness:
                continue
            along = (np.float32(bar) + np.float32(0.5)) / np.float32(levels.size)
            wave = lookup(ripples, along, far) - np.float32(0.5)
            centre = np.float32(stage.left) + along * np.float32(levels.size) * pitch + stage.shifts[j]
            centre += wave * depth * pitch * np.float32(2.6)
            hue = _hue(min(y, top) / reach, levels[bar])
            left_over = min((top + softness - y) / (np.float32(0.3) * top + softness), np.float32(1))
            shine = fade * left_over
            _bar_row(light, j, centre, y, top, softness, stage, ramp, hue, shine)


@kernel
def shoreline(light: Light, levels: Row, stage: Stage, colour: Row, gain: float) -> None:
    """Add the thin light where the bars touch the floor, stronger under the tall ones."""
    _, height, width = light.shape
    thin = np.float32(stage.reach / 270)
    for j in range(height):
        y = stage.heights[j]
        if y > np.float32(6) * thin or y < np.float32(-16) * thin:
            continue
        falloff = np.float32(math.exp(-abs(y) / (thin * (np.float32(0.9) if y > 0 else np.float32(3.2)))))
        for i in range(width):
            along = np.float32(i) + np.float32(0.5) - stage.shifts[j] - np.float32(stage.left)
            along /= np.float32(stage.pitch)
            outside = np.float32(0)
            if not stage.around:
                outside = max(max(-along, along - np.float32(levels.size)), np.float32(0))
            bar = min(max(int(along), 0), levels.size - 1)
            near = np.float32(1) / (np.float32(1) + np.float32(0.03) * outside * outside)
            shine = np.float32(gain) * near * (np.float32(0.35) + levels[bar]) * falloff
            for c in range(3):
                light[c, j, i] += colour[c] * shine


@inlined
def _bar_row(
    light: Light,
    j: int,
    centre: np.float32,
    y: np.float32,
    top: np.float32,
    softness: np.float32,
    stage: Stage,
    ramp: Light,
    hue: np.float32,
    gain: np.float32,
) -> None:
    """One row of one bar: an upright capsule standing on y = 0, its glass brighter along the middle."""
    radius = np.float32(stage.radius)
    step = min(int(hue * np.float32(STEPS)), STEPS - 1)
    outer = radius + softness * np.float32(0.5)
    dy = max(max(radius - y, y - top + radius), np.float32(0))
    for i in range(math.floor(centre - outer), math.floor(centre + outer) + 1):
        column = _column(i, light.shape[2], stage)
        if column < 0:
            continue
        dx = abs(np.float32(i) + np.float32(0.5) - centre)
        distance = np.float32(math.sqrt(dx * dx + dy * dy)) - radius
        middle = dx / outer
        shine = _coverage(distance, softness) * gain * (np.float32(1.14) - np.float32(0.42) * middle * middle)
        for c in range(3):
            light[c, j, column] += ramp[step, c] * shine


@inlined
def _cap_row(
    light: Light,
    j: int,
    centre: np.float32,
    y: np.float32,
    thin: np.float32,
    stage: Stage,
    ramp: Light,
    hue: np.float32,
    gain: np.float32,
) -> None:
    """One row of one cap: a lying capsule of half-height `thin` around y = 0."""
    radius = np.float32(stage.radius)
    step = min(int(hue * np.float32(STEPS)), STEPS - 1)
    for i in range(math.floor(centre - radius) - 1, math.floor(centre + radius) + 2):
        column = _column(i, light.shape[2], stage)
        if column < 0:
            continue
        dx = max(abs(np.float32(i) + np.float32(0.5) - centre) - radius + thin, np.float32(0))
        shine = _coverage(np.float32(math.sqrt(dx * dx + y * y)) - thin, SHARP) * gain
        for c in range(3):
            light[c, j, column] += ramp[step, c] * shine


@inlined
def _column(i: int, width: int, stage: Stage) -> int:
    """The column to draw on, or -1 beside the picture."""
    if 0 <= i < width:
        return i
    return i % width if stage.around else -1


@inlined
def _coverage(distance: np.float32, softness: np.float32) -> np.float32:
    """Anti-aliased inside of a shape, from the signed distance to its edge."""
    x = np.float32(0.5) - distance / softness
    x = min(max(x, np.float32(0)), np.float32(1))
    return x * x * (np.float32(3) - np.float32(2) * x)


@inlined
def _hue(height: np.float32, level: np.float32) -> np.float32:
    """Place on the colour ramp: deep at the foot, hotter with height, the tip hotter still."""
    tip = height / max(level, np.float32(0.02))
    heat = np.float32(0.20) * tip * tip * np.float32(math.sqrt(level))
    return min(np.float32(0.27) + np.float32(0.36) * height + heat, np.float32(0.999))
