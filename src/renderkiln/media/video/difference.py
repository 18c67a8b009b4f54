"""How different films look: small frames at the same moments of each, compared sample by sample.

The likeness of a film is K of its frames, evenly spread, as yuv420p: uint8 of shape (K, samples of a frame).
The difference of two is the mean absolute difference in 8-bit code values over all samples of luma and
chroma. There are four of luma to one of each chroma, so luma weighs 2/3, Cb and Cr 1/6 each. It is a metric:
zero for equal frames only, symmetric, and the way round by a third film is never shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.errors import Unreadable

Likeness = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.float32]


def from_raw(path: Path, width: int, height: int) -> Likeness:
    """The likeness in a file of raw yuv420p frames of this size (both even).

    Raises `Unreadable` if the file is missing or does not hold whole frames, at least one.
    """
    samples = width * height * 3 // 2
    try:
        values = np.fromfile(path, np.uint8)
    except OSError as error:
        raise Unreadable(f"{path.name}: cannot read its frames: {error.strerror}") from None
    if not values.size or values.size % samples:
        raise Unreadable(f"{path.name}: {values.size} bytes are not whole frames of {width}x{height}")
    return values.reshape(-1, samples)


def difference(a: Likeness, b: Likeness) -> float:
    """Mean absolute difference, 0 to 255 code values. Raises `ValueError` for unequal or empty shapes."""
    if a.shape != b.shape or not a.size:
        raise ValueError(f"likenesses of shapes {a.shape} and {b.shape} cannot be compared")
    return float(_total(a, b) / a.size)


def nearest(likeness: Likeness, others: Sequence[Likeness]) -> tuple[int, float]:
    """Which of the others differs least (the first of equals), and by how much.

    Raises `ValueError` for unequal shapes and if there are no others.
    """
    differences = [difference(likeness, other) for other in others]
    least = min(differences)
    return differences.index(least), least


def distances(likenesses: Sequence[Likeness]) -> Distances:
    """Every difference: shape (n, n), symmetric, zeros on the diagonal. Copies no likeness.

    Raises `ValueError` for unequal shapes.
    """
    matrix = np.zeros((len(likenesses), len(likenesses)), np.float32)
    for (i, a), (j, b) in combinations(enumerate(likenesses), 2):
        matrix[i, j] = matrix[j, i] = difference(a, b)
    return matrix


def triangle(matrix: Distances) -> list[list[float]]:
    """The matrix for a report: row i holds its differences to 0 … i - 1, rounded to 2 decimals.

    The first row is empty, so that `rows[i][j]` is the difference of i and j for every j < i.
    """
    return [[round(float(value), 2) for value in row[:i]] for i, row in enumerate(matrix)]


def square(rows: Sequence[Sequence[float]]) -> Distances:
    """The matrix that `triangle` was made of, as far as its decimals tell."""
    matrix = np.zeros((len(rows), len(rows)), np.float32)
    for i, row in enumerate(rows):
        matrix[i, :i] = matrix[:i, i] = row
    return matrix


@njit(cache=True, nogil=True)
def _total(a: Likeness, b: Likeness) -> int:
    total = 0
    for frame in range(a.shape[0]):
        of_frame = np.uint32(0)  # 32 bits hold a frame of 16 megasamples, and are summed faster than 64
        for i in range(a.shape[1]):
            x, y = a[frame, i], b[frame, i]
            of_frame = np.uint32(of_frame + np.uint8(max(x, y) - min(x, y)))  # x - y would wrap
        total += int(of_frame)
    return total
