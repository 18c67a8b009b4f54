"""What a film of a project can be asked to be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from renderkiln.pipelines.scenes.document.mistakes import WrongProject
from renderkiln.pipelines.scenes.params import ScenesParams

PROJECT: dict[str, Any] = {
    "resolution": "720p",
    "aspect": "9:16",
    "fps": 25,
    "scenes": [{"id": "one", "duration": 1}, {"duration": 2}, {"id": "three", "duration": 3}],
}


def params(**fields: Any) -> ScenesParams:
    return ScenesParams.model_validate({"project": PROJECT, **fields})


def refused(**fields: Any) -> str:
    with pytest.raises((ValidationError, WrongProject)) as caught:
        params(**fields)
    return str(caught.value)


def test_the_project_says_how_large_and_how_fast() -> None:
    canvas = params().canvas
    assert (canvas.width, canvas.height, int(canvas.fps)) == (720, 1280, 25)


def test_what_is_asked_for_counts_more() -> None:
    canvas = params(resolution="480p", aspect="1:1", fps=60).canvas
    assert (canvas.width, canvas.height, int(canvas.fps)) == (480, 480, 60)


def test_all_scenes_come_in_their_order() -> None:
    assert [id for id, _ in params().chosen] == ["one", "scene-2", "three"]


def test_chosen_scenes_come_in_the_order_asked_for() -> None:
    given = params(scenes=["three", "scene-2"])
    assert [(id, scene.duration) for id, scene in given.chosen] == [("three", 3), ("scene-2", 2)]
    assert given.film.ids == ("three", "scene-2")  # it has not become the first one


def test_an_unknown_scene_is_named() -> None:
    assert 'there is no scene "thre"; did you mean three?' in refused(scenes=["one", "thre"])


def test_a_wrong_project_is_told_in_words() -> None:
    assert "scenes[0].duration" in refused(project={"scenes": [{"duration": -1}]})


def test_the_bytes_of_a_gif_only_are_bounded() -> None:
    assert "max_bytes is for gif" in refused(max_bytes=5000)
    assert params(max_bytes=5000, format="gif").max_bytes == 5000


@pytest.mark.parametrize("asked", [None, 24, 25, 30, 50, 60])
def test_frames_of_a_gif_last_whole_hundredths(asked: int | None) -> None:
    fps = params(format="gif", fps=asked).canvas.fps
    assert (100 / fps).denominator == 1
    assert 10 < fps <= (asked or 20)


@pytest.mark.parametrize("fields", [{"fps": 23}, {"resolution": "240p"}, {"max_bytes": 5}, {"colour": "red"}])
def test_what_is_not_offered_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        params(**fields)
