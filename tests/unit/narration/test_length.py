"""How long a narration gets, whatever the voice needs."""

from __future__ import annotations

from typing import Any

import pytest

from renderkiln.pipelines.narration.length import Length, length_of
from renderkiln.pipelines.narration.params import NarrationParams


def length(spoken: float, *, bed: bool = True, **given: Any) -> Length:
    params = NarrationParams.model_validate({"script": "Hello.", "layers": {"solfeggio": {}}, **given})
    return length_of(params, spoken, bed=bed)


def test_without_a_wish_it_is_as_long_as_the_voice_and_its_ending() -> None:
    assert length(60.0) == Length(2 + 60 + 6, None, 2.0)
    assert length(60.0, bed=False) == Length(60.5, None, 0.0)


def test_what_plays_under_a_shorter_voice_goes_on_to_the_end() -> None:
    made = length(60.0, duration_min=2)
    assert (made.seconds, made.requested) == (120.0, 120.0)
    assert "play on" in made.why


def test_nothing_goes_on_where_nothing_plays() -> None:
    made = length(60.0, duration_min=2, bed=False)
    assert (made.seconds, made.requested) == (60.5, 120.0)
    assert "ends with it" in made.why


def test_speech_is_not_cut() -> None:
    made = length(150.0, duration_min=2)
    assert made.seconds == 158.0
    assert made.why == "the voice needs 150.0 s, and speech is not cut"


def test_the_lead_in_may_be_chosen() -> None:
    layers = {"voice": {"lead_in_s": 10}, "solfeggio": {"fade_out_s": 1}}
    assert length(60.0, layers=layers) == Length(10 + 60 + 4, None, 10.0)


@pytest.mark.parametrize("minutes", [1, 2.5])
def test_without_a_voice_it_is_what_was_asked_for(minutes: float) -> None:
    layers = {"voice": {"enabled": False}, "solfeggio": {}}
    assert length(0.0, layers=layers, duration_min=minutes).seconds == minutes * 60
