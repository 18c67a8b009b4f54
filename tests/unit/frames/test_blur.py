from __future__ import annotations

import math

import numpy as np
import pytest

from renderkiln.media.frames.blur import blurred


@pytest.mark.parametrize("sigma", [1, 2, 3.3, 6, 16, 30])
def test_an_edge_becomes_the_integral_of_a_gaussian(sigma: float) -> None:
    mask = np.zeros((301, 401), np.uint8)
    mask[:, 200:] = 255
    expected = [255 * (1 + math.erf((x - 199.5) / sigma / math.sqrt(2))) / 2 for x in range(401)]
    assert np.abs(blurred(mask, sigma)[150, 100:300] - np.array(expected)[100:300]).max() < 5
    assert np.abs(blurred(np.ascontiguousarray(mask.T), sigma)[100:300, 150] - expected[100:300]).max() < 5


@pytest.mark.parametrize("sigma", [0.3, 0.8, 2, 5, 11])
def test_a_point_keeps_its_sum_and_has_the_variance_asked_for(sigma: float) -> None:
    mask = np.zeros((121, 141), np.uint8)
    mask[50:71, 60:81] = 255
    soft = blurred(mask, sigma).astype(float)
    assert soft.sum() == pytest.approx(mask.sum(), rel=0.01)
    for axis, centre in ((1, 60), (0, 70)):
        spread = np.average((np.arange(soft.shape[1 - axis]) - centre) ** 2, weights=soft.sum(axis=axis))
        assert spread - (21**2 - 1) / 12 == pytest.approx(sigma**2, rel=0.05, abs=0.05)


def test_no_blur_changes_nothing_and_a_great_one_does_no_harm() -> None:
    mask = np.full((3, 5), 200, np.uint8)
    assert np.array_equal(blurred(mask, 0), mask)
    assert blurred(mask, 500).max() == 0
