"""What listeners hear while a film is made: the percents that were promised, in order, and every part."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from audio_truth import sine, write_wav
from integration.scenes.rig import Kiln
from renderkiln.domain.event import Event

pytestmark = pytest.mark.integration

BORDERS = {"prepare": 10, "fetch": 20, "sound": 30, "render": 90, "join": 92, "verify": 95, "deliver": 100}
TEN: list[dict[str, Any]] = [
    {
        "duration": 1.5,
        "layers": [
            {"type": "shape", "width": 200, "height": 200, "enter": {"type": "slide", "duration": 1.5}}
        ],
    }
    for _ in range(10)
]


@pytest.fixture(scope="module")
def events(kiln: Kiln) -> list[Event]:
    write_wav(kiln.folder / "music.wav", sine(440, 2, 0.3))
    kiln.film({"scenes": TEN, "music": "music.wav", "transition": "cut"})
    return kiln.events


def test_every_stage_ends_at_its_percent(events: list[Event]) -> None:
    ended = {each.stage: each.percent for each in events if each.name == "stage.completed"}
    assert ended == BORDERS
    assert list(ended) == list(BORDERS)


def test_progress_stays_within_its_stage_and_never_falls(events: list[Event]) -> None:
    begins = dict(zip(BORDERS, [0, *BORDERS.values()], strict=False))
    told = [each for each in events if each.name == "job.progress"]
    for each in told:
        assert each.stage is not None
        assert begins[each.stage] <= each.percent <= BORDERS[each.stage], each
    assert all(before.percent <= after.percent for before, after in pairwise(events))
    drawing = [each.percent for each in told if each.stage == "render"]
    assert len(set(drawing)) >= 2
    messages = {each.stage: each.message for each in told}
    assert messages["fetch"] == "Fetching scenes, 1 of 1 files"
    assert messages["render"] == "Rendering scenes"


def test_every_part_is_told_once(events: list[Event]) -> None:
    parts = [
        each.facts["part"] for each in events if each.name == "part.completed" and each.stage == "render"
    ]
    assert sorted(parts) == [f"scene-{n:04d}-0000" for n in range(10)]


def test_the_job_begins_and_ends(events: list[Event]) -> None:
    assert events[0].name == "job.started"
    assert (events[-1].name, events[-1].percent) == ("job.completed", 100)
    assert events[-1].facts["bytes"] > 1000


def test_a_job_that_fails_says_so_where_it_stood(kiln: Kiln) -> None:
    report = kiln.render({"scenes": TEN, "music": "gone.wav"})
    assert report.state == "failed"
    last = kiln.events[-1]
    assert (last.name, last.percent, last.facts["code"]) == ("job.failed", 10, "PERMANENT")
    assert 'music.file: there is no file "gone.wav"' in last.message
