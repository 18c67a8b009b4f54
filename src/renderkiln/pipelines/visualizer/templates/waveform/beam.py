"""Kernels that draw lines: like the beam of an oscilloscope, thinner in light where it moves fast."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.bloom import Light
from renderkiln.media.frames.kernel import kernel

Row = npt.NDArray[np.float32]


@kernel
def stretch_trace(trace: Row, turns: float, shift: float, out: Row) -> None:
    """The trace at every column edge, by Catmull-Rom interpolation.

    `turns` 1 shows it once over the width; 2 twice, once ahead and once behind, which closes the circle.
    `shift` moves it to the left, in widths.
    """
    last = trace.size - 1
    for i in range(out.size):
        across = np.float32(i) / np.float32(out.size - 1)
        if turns > 1:
            across = np.float32(2) * (across + np.float32(shift)) + np.float32(0.5)
            across -= np.float32(math.floor(across))
        at = across * np.float32(last)
        k = min(int(at), last - 1)
        t = at - np.float32(k)
        a, b = trace[max(k - 1, 0)], trace[k]
        c, d = trace[k + 1], trace[min(k + 2, last)]
        slope = np.float32(0.5) * (c - a)
        bend = a - np.float32(2.5) * b + np.float32(2) * c - np.float32(0.5) * d
        twist = np.float32(0.5) * (d - a) + np.float32(1.5) * (b - c)
        out[i] = b + t * (slope + t * (bend + t * twist))


@kernel
def beam(light: Light, line: Row, ends: Row, colour: Row, thickness: float) -> None:
    """Add a line of Gaussian section.

    `line` holds its row at every column edge, `ends` its strength in every column; `thickness` is in samples.
    """
    _, height, width = light.shape
    for i in range(width):
        top, bottom = min(line[i], line[i + 1]), max(line[i], line[i + 1])
        steep = min(bottom - top, np.float32(3))
        sigma = np.float32(thickness) * np.float32(math.sqrt(np.float32(1) + steep * steep * np.float32(0.6)))
        energy = ends[i] / (np.float32(1) + np.float32(0.10) * (bottom - top))
        reach = np.float32(2.8) * sigma
        narrow = np.float32(1) / (sigma * sigma)
        for j in range(max(int(top - reach), 0), min(int(bottom + reach) + 1, height)):
            y = np.float32(j) + np.float32(0.5)
            off = max(max(top - y, y - bottom), np.float32(0))
            shine = energy * np.float32(math.exp(-off * off * narrow))
            for c in range(3):
                light[c, j, i] += colour[c] * shine


@kernel
def veil(light: Light, one: Row, other: Row, ends: Row, colour: Row) -> None:
    """Add a translucent surface between two lines, thinner where it is stretched."""
    _, height, width = light.shape
    for i in range(width):
        a = (one[i] + one[i + 1]) * np.float32(0.5)
        b = (other[i] + other[i + 1]) * np.float32(0.5)
        top, bottom = min(a, b), max(a, b)
        strength = ends[i] / (np.float32(1) + (bottom - top) / np.float32(height) * np.float32(9))
        for j in range(max(int(top), 0), min(int(bottom) + 1, height)):
            inside = min(min(np.float32(j + 1), bottom) - max(np.float32(j), top), np.float32(1))
            shine = strength * max(inside, np.float32(0))
            for c in range(3):
                light[c, j, i] += colour[c] * shine


@kernel
def hairline(
    light: Light,
    row: float,
    left: float,
    length: float,
    played: float,
    thin: float,
    rest: Row,
    hot: Row,
) -> None:
    """Add a fine horizontal line, its first part lit up to a bead at `played` (0 … 1)."""
    _, height, width = light.shape
    bead = np.float32(left + length * played)
    radius = np.float32(2.6 * thin)
    for j in range(max(int(row - 4 * radius), 0), min(int(row + 4 * radius) + 1, height)):
        y = np.float32(j) + np.float32(0.5) - np.float32(row)
        for i in range(max(int(left - 4 * radius), 0), min(int(left + length + 4 * radius) + 1, width)):
            x = np.float32(i) + np.float32(0.5)
            line = np.float32(math.exp(-y * y / np.float32(thin * thin)))
            inside = min(max(x - np.float32(left), np.float32(0)), np.float32(1))
            inside *= min(max(np.float32(left + length) - x, np.float32(0)), np.float32(1))
            lit = min(max(bead - x, np.float32(0)), np.float32(1))
            round_off = ((x - bead) * (x - bead) + y * y) / (radius * radius)
            spot = np.float32(math.exp(-round_off)) if round_off < np.float32(9) else np.float32(0)
            for c in range(3):
                track = rest[c] * np.float32(0.07) + hot[c] * np.float32(0.30) * lit
                light[c, j, i] += line * inside * track + hot[c] * np.float32(0.9) * spot
