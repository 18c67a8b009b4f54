from __future__ import annotations

from fractions import Fraction

import pytest

from renderkiln.media.gif.rate import RATES, delay


def test_delays() -> None:
    assert [delay(rate) for rate in RATES] == [10, 8, 6, 5, 4, 3, 2]
    assert delay(Fraction(1)) == 100


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(24), Fraction(100), Fraction(30000, 1001)])
def test_rates_a_gif_cannot_have(fps: Fraction) -> None:
    with pytest.raises(ValueError, match="hundredths of a second"):
        delay(fps)
