"""What a spec may say, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from renderkiln.pipelines.narration.bands import BANDS, band_of
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.narration.spelling import our_name, respelled

OURS: dict[str, Any] = {
    "script": "Welcome. [pause 3s] Breathe in…",
    "voice": "openai:nova",
    "duration_min": 10,
    "layers": {
        "voice": {"enabled": True, "gain_db": 0},
        "background": {"enabled": True, "track": "https://example.org/a.mp3", "gain_db": -14},
        "solfeggio": {"enabled": True, "hz": 528, "gain_db": -24},
        "binaural": {"enabled": True, "band": "theta", "beat_hz": 7, "carrier_hz": 200},
    },
    "output": {"format": "mp3", "quality": "high", "storage_location": "private"},
}
THEIRS: dict[str, Any] = {
    "scriptText": "Welcome. [pause 3s] Breathe in…",
    "voiceRef": "openai:nova",
    "durationMin": 10,
    "layers": {
        "voice": {"enabled": True, "gainDb": 0},
        "background": {"enabled": True, "trackUrl": "https://example.org/a.mp3", "gainDb": -14},
        "solfeggio": {"enabled": True, "hz": 528, "gainDb": -24},
        "binaural": {"enabled": True, "band": "theta", "beatHz": 7, "carrierHz": 200},
    },
    "outputOptions": {"format": "mp3", "quality": "high", "storageLocation": "private"},
}


def params(**given: Any) -> NarrationParams:
    return NarrationParams.model_validate({"script": "Hello.", **given})


def wrong(**given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        params(**given)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def test_other_spellings_mean_the_same() -> None:
    assert NarrationParams.model_validate(THEIRS) == NarrationParams.model_validate(OURS)


def test_provider_and_voice_code_of_the_layer_are_the_voice() -> None:
    layered = params(layers={"voice": {"provider": "openai", "voiceCode": "nova"}})
    assert layered.voice == "openai:nova"
    said = wrong(voice="espeak:en", layers={"voice": {"provider": "openai", "voice_code": "nova"}})
    assert "voice is 'espeak:en', but layers.voice names 'openai:nova'" in said


@given(st.fixed_dictionaries({}, optional={"duration_min": st.floats(0.1, 60), "seed": st.integers(0, 9)}))
def test_params_survive_json(extra: dict[str, Any]) -> None:
    made = NarrationParams.model_validate(OURS | extra)
    assert NarrationParams.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"script": "  "}, "the script is empty"),
        ({"bogus": 1}, "bogus: Extra inputs are not permitted"),
        ({"scriptText": "x"}, "script is given twice, once as scriptText"),
        ({"voice": "nova"}, "voice: String should match pattern"),
        ({"layers": {"background": {}}}, "layers.background: Value error, name the music as track"),
        (
            {"layers": {"binaural": {"band": "theta", "beat_hz": 20}}},
            "beat_hz 20 is not theta: that is 4 to 8 Hz",
        ),
        ({"layers": {"binaural": {"band": "zeta"}}}, "layers.binaural.band: Input should be 'delta'"),
        (
            {"layers": {"solfeggio": {"hz": 0}}},
            "layers.solfeggio.hz: Input should be greater than or equal to 1",
        ),
        ({"layers": {"voice": {"enabled": False}}}, "nothing is to be heard"),
        (
            {"layers": {"voice": {"enabled": False}, "solfeggio": {}}},
            "without a voice, say how long it is to be",
        ),
        (
            {"layers": {"solfeggio": {"schedule": [{"at_min": 2, "hz": 5}, {"at_min": 1, "hz": 6}]}}},
            "the steps of a schedule come in the order of their times",
        ),
        ({"layers": {"binaural": {"schedule": [{"at_min": 2}]}}}, "a step names beat_hz, carrier_hz or both"),
        ({"output": {"format": "wma"}}, "output.format: Input should be 'mp3'"),
        ({"target_lufs": 3}, "target_lufs: Input should be less than or equal to -5"),
        ({"script": "x" * 200_001}, "script: String should have at most 200000 characters"),
    ],
)
def test_what_is_wrong_is_named(given_: dict[str, Any], says: str) -> None:
    assert says in wrong(**given_)


def test_bands_have_the_limits_everybody_uses_and_sensible_beats() -> None:
    limits = {name: (band.low, band.high) for name, band in BANDS.items()}
    assert limits == {
        "delta": (0.5, 4),
        "theta": (4, 8),
        "alpha": (8, 13),
        "beta": (13, 30),
        "gamma": (30, 100),
    }
    for name, band in BANDS.items():
        layer = params(layers={"binaural": {"band": name}}).layers.binaural
        assert layer is not None
        assert (layer.beat, layer.carrier) == (band.beat, band.carrier)
        assert band.holds(band.beat)


@given(st.floats(0.5, 100))
def test_every_beat_lies_in_a_band(beat: float) -> None:
    assert BANDS[band_of(beat)].holds(beat)


def test_a_beat_alone_finds_its_carrier() -> None:
    layer = params(layers={"isochronic": {"beat_hz": 40}}).layers.isochronic
    assert layer is not None
    assert (layer.name, layer.beat, layer.carrier) == ("gamma", 40, 300)


def test_a_layer_that_is_named_is_heard_and_a_disabled_one_is_not() -> None:
    layers = params(layers={"solfeggio": {}, "noise": {"enabled": False}}).layers
    assert list(layers.beds()) == ["solfeggio"]


def test_names_are_found_under_their_other_spellings() -> None:
    assert [our_name(name) for name in ("trackUrl", "durationMin", "hz", "beatHz")] == [
        "track",
        "duration_min",
        "hz",
        "beat_hz",
    ]
    with pytest.raises(ValueError, match="track is given twice, once as trackUrl"):
        respelled({"track": "a", "trackUrl": "b"})
