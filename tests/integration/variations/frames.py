"""Known pictures, and what is to be seen in them: without the code under test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float64]
Colour = tuple[float, float, float]  # y, u, v
Point = tuple[float, float]  # x, y in luma pixels from the upper left corner; a pixel is 1 wide

SPREAD = 5.0  # sigma of a dot


@dataclass(frozen=True)
class Frames:
    """Planes of shape (frames, rows, columns); u and v have half as many rows and columns."""

    y: Plane
    u: Plane
    v: Plane

    @classmethod
    def of(cls, y: Plane, u: Plane | None = None, v: Plane | None = None, *, count: int = 1) -> Self:
        """`count` equal frames; chroma is neutral unless it is given."""
        grey = np.full((y.shape[0] // 2, y.shape[1] // 2), 128.0)
        planes = [np.rint(grey if plane is None else plane) for plane in (y, u, v)]
        return cls(*(np.repeat(plane[None], count, axis=0) for plane in planes))

    @classmethod
    def flat(cls, *colours: Colour, count: int = 1) -> Self:
        """Patches of 32 x 32 pixels, side by side."""
        y, u, v = (np.array(plane)[None] for plane in zip(*colours, strict=True))
        return cls.of(
            *(np.kron(plane, np.ones((size, size))) for plane, size in ((y, 32), (u, 16), (v, 16))),
            count=count,
        )

    @property
    def colours(self) -> list[Colour]:
        """The means of such patches over their middles and all frames."""
        planes = ((self.y, 32), (self.u, 16), (self.v, 16))
        means = [
            plane.mean(axis=0).reshape(size, -1, size)[4:-4, :, 4:-4].mean(axis=(0, 2))
            for plane, size in planes
        ]
        return [(float(y), float(u), float(v)) for y, u, v in zip(*means, strict=True)]

    def to_bytes(self) -> bytes:
        """Raw yuv420p."""
        planes = [plane.astype(np.uint8) for plane in (self.y, self.u, self.v)]
        return b"".join(plane.tobytes() for frame in zip(*planes, strict=True) for plane in frame)

    @classmethod
    def from_bytes(cls, data: bytes, width: int, height: int) -> Self:
        """The inverse of `to_bytes`."""
        luma, half = width * height, (-1, height // 2, width // 2)
        frames = np.frombuffer(data, np.uint8).astype(np.float64).reshape(-1, luma * 3 // 2)
        y, u, v = np.split(frames, [luma, luma * 5 // 4], axis=1)
        return cls(y.reshape(-1, height, width), u.reshape(half), v.reshape(half))


def luma_places(plane: Plane) -> tuple[Plane, Plane]:
    """x and y of the middles of luma samples."""
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return x + 0.5, y + 0.5


def chroma_places(plane: Plane) -> tuple[Plane, Plane]:
    """x and y of chroma samples: in H.264's 4:2:0 on even columns, and between two rows."""
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return 2 * x + 0.5, 2 * y + 1.0


def dotted(width: int, height: int, points: Iterable[Point]) -> Frames:
    """One frame with soft dots, in luma and in U alike."""
    y, u = np.full((height, width), 16.0), np.full((height // 2, width // 2), 128.0)
    for plane, places, size in ((y, luma_places(y), 200), (u, chroma_places(u), 100)):
        for x, down in points:
            distance = (places[0] - x) ** 2 + (places[1] - down) ** 2
            plane += size * np.exp(-distance / 2 / SPREAD**2)
    return Frames.of(y, u)


def dot(plane: Plane, near: Point, places: tuple[Plane, Plane], floor: float) -> Point:
    """Where the dot near a place is, to about 0.02 pixels: its centre of mass."""
    inside = (places[0] - near[0]) ** 2 + (places[1] - near[1]) ** 2 < (3.5 * SPREAD) ** 2
    mass = np.where(inside, np.maximum(plane - floor - 3, 0), 0)
    return float((mass * places[0]).sum() / mass.sum()), float((mass * places[1]).sum() / mass.sum())


def step(width: int, height: int) -> Frames:
    """Dark at the left, bright at the right: 60 and 160."""
    return Frames.of(np.where(np.arange(width) < width // 2, 60.0, 160.0) * np.ones((height, 1)))
