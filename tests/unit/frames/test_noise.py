from __future__ import annotations

import numpy as np
import pytest

from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.noise import SIZE, Texture, hash01, lookup, sample, texture, wrapped


@kernel
def read(tile: Texture, x: Texture, y: Texture, out: Texture) -> None:
    for i in range(out.size):
        out[i] = lookup(tile, x[i], y[i])


@kernel
def hashes(out: Texture) -> None:
    for i in range(out.size):
        out[i] = hash01(i)


def places(count: int = 4000) -> tuple[Texture, Texture]:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-3, 3, (2, count)).astype(np.float32)
    return x, y


def test_statistics() -> None:
    tile = texture(1, octaves=4, cells=4)[:SIZE, :SIZE]
    assert tile.mean() == pytest.approx(0.5, abs=1e-4)
    assert tile.std() == pytest.approx(0.2, abs=1e-4)


def test_seeds_differ_and_repeat() -> None:
    assert texture(1, 3, 4) is texture(1, 3, 4)
    assert abs(texture(1, 3, 4) - texture(2, 3, 4)).mean() > 0.05


def test_no_seam() -> None:
    period = texture(1, octaves=4, cells=4)[:SIZE, :SIZE]
    inside = np.abs(np.diff(period, axis=1)).max()
    across = np.abs(period[:, 0] - period[:, -1]).max()
    assert across <= inside * 1.05


def test_too_many_cells() -> None:
    with pytest.raises(ValueError, match="at most 128"):
        texture(1, octaves=6, cells=8)


def test_lookup_is_bilinear_and_periodic() -> None:
    tile = texture(1, octaves=4, cells=4)
    x, y = places()
    out, moved = np.empty_like(x), np.empty_like(x)
    read(tile, x, y, out)
    read(tile, x + np.float32(2), y - np.float32(3), moved)
    np.testing.assert_allclose(out, moved, atol=2e-3)
    column, row = np.floor(x * SIZE).astype(int), np.floor(y * SIZE).astype(int)
    fx, fy = x * SIZE - column, y * SIZE - row
    corner = [[tile[(row + j) % SIZE, (column + i) % SIZE] for i in (0, 1)] for j in (0, 1)]
    top, bottom = (a + (b - a) * fx for a, b in corner)
    np.testing.assert_allclose(out, top + (bottom - top) * fy, atol=2e-3)


def test_sample_equals_lookup() -> None:
    tile = texture(3, octaves=3, cells=5)
    x, y = places(1001)
    one, many = np.empty_like(x), np.zeros_like(x)
    read(tile, x, y, one)
    sample(tile, x, y, 7, 900, many)
    np.testing.assert_allclose(many[7:900], one[7:900], atol=1e-5)
    assert not many[:7].any()
    assert not many[900:].any()


def test_hash_is_uniform() -> None:
    out = np.empty(100_000, np.float32)
    hashes(out)
    assert out.min() >= 0
    assert out.max() < 1
    counts, _ = np.histogram(out, 20, (0, 1))
    assert counts.std() < 150
    assert abs(np.corrcoef(out[:-1], out[1:])[0, 1]) < 0.02


def test_wrapped() -> None:
    assert wrapped(12 * 3600 * 0.37 + 0.25) == pytest.approx((12 * 3600 * 0.37 + 0.25) % 1)
    assert wrapped(-0.25) == 0.75
