"""How much work a job will be and how much it was are told in the same units of the same kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from renderkiln.domain.errors import UsageError
from renderkiln.media.speech.settings import SpeechSettings
from renderkiln.pipelines.contract import InputFacts, Result, Services
from renderkiln.pipelines.foresight import expected
from renderkiln.pipelines.narration import Narration
from renderkiln.pipelines.scenes import Scenes
from renderkiln.pipelines.visualizer import Visualizer

SERVICES = Services(
    Path("ffmpeg"), Path("cache"), Path("out"), speech=SpeechSettings(openai_cost_per_character=0.001)
)
VISUALIZER: Any = Visualizer()
SCENES: Any = Scenes()
NARRATION: Any = Narration()
SCENE = {"duration": 2, "background": "#102030"}


def test_a_film_of_a_song_is_its_frames() -> None:
    params = VISUALIZER.Params.model_validate({"format": "preview", "fps": 25})
    work = expected(VISUALIZER, params, [InputFacts(10, seconds=20.0)], SERVICES)
    assert (work.units, work.unit) == (500.0, "frame")
    did = VISUALIZER.did(params, {"listen": Result({"frames": 501})})
    assert (did.kind, did.units) == (work.kind, 501)
    other = params.model_copy(update={"format": "4k"})
    assert expected(VISUALIZER, other, [InputFacts(10, seconds=20.0)], SERVICES).kind != work.kind


def test_what_does_not_tell_how_long_it_is_is_measured_by_its_bytes() -> None:
    params = VISUALIZER.Params()
    work = expected(VISUALIZER, params, [InputFacts(3_000_000)], SERVICES)
    assert (work.kind, work.units, work.unit) == ("visualizer", 3.0, "megabyte of input")


@pytest.mark.parametrize(("reused", "measured"), [(False, True), (True, False)])
def test_a_film_of_scenes_is_its_pixels_unless_others_drew_them(reused: bool, measured: bool) -> None:
    project = {"scenes": [SCENE, SCENE], "resolution": "480p"}
    params = SCENES.Params.model_validate({"project": project})
    work = expected(SCENES, params, [], SERVICES)
    assert work.units == pytest.approx(4 * 30 * 854 * 480 / 1e6)
    drawn: Any = Result({"frames": 120, "parts": [{"reused": reused}]})
    did = SCENES.did(params, {"render": drawn})
    assert (did is not None) is measured
    if did is not None:
        assert (did.kind, did.units) == (work.kind, pytest.approx(work.units))


@pytest.mark.parametrize(("cached", "measured"), [(0, True), (1, False)])
def test_a_narration_is_its_seconds_unless_it_was_spoken_before(cached: int, measured: bool) -> None:
    given = {"script": "Breathe in. " * 20, "voice": "openai:nova", "layers": {"noise": {}}}
    params = NARRATION.Params.model_validate(given)
    work = expected(NARRATION, params, [], SERVICES)
    assert 10 < work.units < 40
    assert work.speech == pytest.approx(0.001 * len(params.script))
    results = {
        "voice": Result({"receipt": {"cached": cached}}),
        "mix": Result({"length": {"made": 25.0}}),
    }
    did = NARRATION.did(params, results)
    assert (did is not None) is measured
    if did is not None:
        assert (did.kind, did.units) == (work.kind, 25.0)


def test_a_voice_there_is_not_is_wrong() -> None:
    params = NARRATION.Params.model_validate({"script": "Hello", "voice": "nobody:nova"})
    with pytest.raises(UsageError, match="unknown speech 'nobody'"):
        expected(NARRATION, params, [], SERVICES)
