"""Draws particles as points of light, or as discs where they are out of focus."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.bloom import Light
from renderkiln.media.frames.equirect import see_point, to_pixel
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.palette import STEPS
from renderkiln.pipelines.visualizer.templates.particles.swarm import Sparks

DISTANCE = 3.4  # of the viewer from the core, in the swarm's units
NEAREST = 0.55  # what comes closer fades away

SMALLEST = np.float32(0.62)  # radius of a point, in samples

METRES = 2.1  # in 360°: the length of the swarm's unit
CORE_METRES = 3.0  # from the viewer to the core: the viewer stands within the outer cloud
NEAREST_METRES = 1.2  # nearer things strain the eyes
POLE = 1.25  # radians of latitude from where particles are gone: columns meet at the poles


class Sprite(NamedTuple):
    """One particle on the field, in samples."""

    x: np.float32
    y: np.float32
    size: np.float32  # radius of the point
    blur: np.float32  # radius of the disc it is widened to
    brightness: np.float32
    squeeze: np.float32  # drawn 1 / squeeze wider, as 360° pictures stretch things off the horizon
    around: bool  # the left edge continues at the right one


@kernel
def draw_flat(light: Light, sparks: Sparks, ramp: Light, aperture: float, gain: float) -> None:
    """Add the particles to `light` as a camera sees them that looks at the core, in focus there."""
    _, height, width = light.shape
    half = np.float32(0.5 * height)
    for k in range(sparks.x.size):
        distance = sparks.z[k] + np.float32(DISTANCE)
        near = min((distance - np.float32(NEAREST)) * np.float32(1.4), np.float32(1))
        brightness = sparks.brightness[k] * near * np.float32(gain)
        if brightness <= np.float32(0.002):
            continue
        closer = np.float32(DISTANCE) / distance
        x = np.float32(0.5 * width) + sparks.x[k] * closer * half
        y = half - sparks.y[k] * closer * half
        size = sparks.size[k] * closer * half
        blur = np.float32(aperture) * np.float32(0.020) * abs(closer - np.float32(1)) * half
        step = min(int(sparks.heat[k] * np.float32(STEPS)), STEPS - 1)
        sprite = Sprite(x, y, size, blur, brightness, np.float32(1.0), False)  # noqa: FBT003  # not around
        add_sprite(light, sprite, ramp[step])


@kernel
def draw_around(light: Light, sparks: Sparks, ramp: Light, aperture: float, gain: float, eye: int) -> None:
    """Add the particles to `light` as one eye sees them from within the cloud; the core is ahead."""
    _, height, width = light.shape
    radian = np.float32(height / math.pi)
    for k in range(sparks.x.size):
        x, y = sparks.x[k] * np.float32(METRES), sparks.y[k] * np.float32(METRES)
        z = sparks.z[k] * np.float32(METRES) + np.float32(CORE_METRES)
        distance = np.float32(math.sqrt(x * x + z * z))
        if distance <= np.float32(NEAREST_METRES):
            continue
        near = min((distance - np.float32(NEAREST_METRES)) * np.float32(1.4), np.float32(1))
        longitude, latitude = see_point(math.atan2(x, z), y, distance, eye)
        calm = min((np.float32(POLE) - np.float32(abs(latitude))) * np.float32(4), np.float32(1))
        brightness = sparks.brightness[k] * near * calm * np.float32(gain)
        if brightness <= np.float32(0.002):
            continue
        column, row = to_pixel(longitude, latitude, width, height)
        closer = np.float32(CORE_METRES) / distance
        size = sparks.size[k] * closer * np.float32(1.5 * METRES / CORE_METRES) * radian
        blur = np.float32(aperture) * np.float32(0.008) * abs(closer - np.float32(1)) * radian
        step = min(int(sparks.heat[k] * np.float32(STEPS)), STEPS - 1)
        place_x, place_y = np.float32(column + 0.5), np.float32(row + 0.5)
        squeeze = np.float32(math.cos(latitude))
        sprite = Sprite(place_x, place_y, size, blur, brightness, squeeze, True)  # noqa: FBT003  # around
        add_sprite(light, sprite, ramp[step])


@kernel
def add_sprite(light: Light, sprite: Sprite, colour: npt.NDArray[np.float32]) -> None:
    """Add one particle. Blur spreads its light, but less than in a lens: the eye likes bokeh."""
    _, height, width = light.shape
    x, y, squeeze, blur = sprite.x, sprite.y, sprite.squeeze, sprite.blur
    # Smaller than a sample it is drawn larger and dimmer: it must not twinkle as it crosses samples.
    size = max(sprite.size, SMALLEST)
    radius = np.float32(math.sqrt(size * size + blur * blur))
    level = sprite.brightness * np.float32(4) * (size / radius) ** np.float32(1.35)
    level *= min(sprite.size / SMALLEST, np.float32(1)) ** np.float32(1.5)
    if level < np.float32(0.005):
        return
    flat = min(max(blur - np.float32(1.2), np.float32(0)) * np.float32(0.4), np.float32(1)) * blur / radius
    reach = radius * (np.float32(2.3) - np.float32(1.05) * flat)
    wide = reach / squeeze
    left, right = math.floor(x - wide), math.floor(x + wide) + 1
    if not sprite.around:
        left, right = max(left, 0), min(right, width)
    narrow = np.float32(1) / (radius * radius)
    for j in range(max(int(y - reach), 0), min(int(y + reach) + 1, height)):
        dy = np.float32(j) + np.float32(0.5) - y
        for i in range(left, right):
            dx = (np.float32(i) + np.float32(0.5) - x) * squeeze
            shine = level * _section((dx * dx + dy * dy) * narrow, flat)
            column = i % width if sprite.around else i
            for c in range(3):
                light[c, j, column] += colour[c] * shine


@inlined
def _section(d: np.float32, flat: np.float32) -> np.float32:
    """Brightness at squared relative distance `d`: from a Gaussian (0) to a disc with a soft rim (1)."""
    point = np.float32(1) / (np.float32(1) + d * (np.float32(1.1) + d * (np.float32(0.9) + d)))
    rim = min(max((np.float32(1.25) - d) * np.float32(2.5), np.float32(0)), np.float32(1))
    disc = rim * (np.float32(0.65) + np.float32(0.35) * min(d, np.float32(1)))
    return point + (disc - point) * flat
