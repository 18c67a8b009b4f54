from __future__ import annotations

from itertools import count

import pytest

from renderkiln.pipelines.speed import Speed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second goes by between two looks."""
    ticks = count(0, 0.5)
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))


@pytest.mark.usefixtures("clock")
def test_frames_that_were_done_before_are_no_sign_of_speed() -> None:
    speed = Speed(0, 400, 25.0)
    for done in (10, 20, 30, 40):
        speed.reached(done)
    plain = speed.facts
    speed.skip(300)
    assert speed.fraction == 340 / 400
    assert speed.facts["fps"] == plain["fps"]
    assert speed.facts["eta_seconds"] == pytest.approx(60 / float(plain["fps"] or 0), abs=0.1)


@pytest.mark.usefixtures("clock")
def test_a_speed_is_not_told_before_it_has_settled() -> None:
    speed = Speed(0, 400, 25.0)
    assert speed.average is None
    assert speed.facts["eta_seconds"] is None
