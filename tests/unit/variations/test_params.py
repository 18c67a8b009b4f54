from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from renderkiln.pipelines.variations.encoder import at_once, threads_of
from renderkiln.pipelines.variations.params import MOST, VariationsParams, installed


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"count": 0}, "greater than or equal to 1"),
        ({"count": MOST + 1}, "less than or equal to 1000"),
        ({"effects": {"zom": True}}, "did you mean zoom"),
        ({"only": ["flip"], "count": 2}, "at most 1"),
        ({"only": ["flip"], "count": 1, "skip": 1}, "2 variations are asked for"),
        ({"effects": {"zoom": 2, "rotate": 1}}, "exclude each other"),
        ({"effects": {"zoom": [5, 1]}}, "zoom"),
        ({"effects": {"zoom": "much"}}, "effects"),
        ({"min_difference": float("nan")}, "finite"),
        ({"counts": 3}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_named(params: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        VariationsParams.model_validate(params)


def test_wishes_survive_json() -> None:
    wishes = {"flip": True, "blur": False, "zoom": 3.0, "speed": (0.98, 1.02)}
    params = VariationsParams(effects=wishes)
    assert VariationsParams.model_validate(json.loads(params.model_dump_json())) == params
    assert params.effects["flip"] is True  # not 1.0, which would pin it


def test_without_effects_there_is_one_variation() -> None:
    assert VariationsParams(only=(), count=1).only == ()
    with pytest.raises(ValidationError, match="at most 1"):
        VariationsParams(only=(), count=2)


def test_every_effect_has_a_name_of_its_own() -> None:
    names = [each.name for each in installed()]
    assert len(names) == len(set(names)) >= 19


@pytest.mark.parametrize(
    ("count", "cores", "together", "threads"),
    [(10, 2, 2, 1), (1, 2, 1, 2), (3, 8, 3, 2), (1, 64, 1, 6), (100, 16, 16, 1), (1, 1, 1, 1)],
)
def test_all_cores_are_used_and_no_more(count: int, cores: int, together: int, threads: int) -> None:
    assert at_once(count, cores) == together
    assert threads_of(count, cores) == threads
    assert together * threads <= max(cores, together)
