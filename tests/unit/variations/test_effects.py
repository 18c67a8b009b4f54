"""What holds for every built-in effect, and what a new one must hold to."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.pipelines.variations.effect import Effect, Picture
from renderkiln.pipelines.variations.effects import EFFECTS

ZOOM = next(effect for effect in EFFECTS if effect.name == "zoom")
SPEED = next(effect for effect in EFFECTS if effect.name == "speed")
pictures = st.builds(
    Picture,
    width=st.integers(1, 4096).map(lambda half: 2 * half),
    height=st.integers(1, 4096).map(lambda half: 2 * half),
    fps=st.sampled_from([Fraction(25), Fraction(30000, 1001)]),
    duration=st.floats(0.04, 50_000),
)
steps = st.sampled_from(
    [(each, value) for each in EFFECTS for value in (each.lowest, *each.ladder["strong"], each.highest)]
)


def test_the_chain_has_its_order() -> None:
    chain = sorted((effect for effect in EFFECTS if effect.kind == "picture"), key=lambda each: each.order)
    assert [effect.name for effect in chain] == [
        *("flip", "zoom", "crop", "rotate", "exposure", "contrast", "saturation", "hue", "warmth"),
        *("vignette", "sharpen", "blur", "grain", "border", "fade"),
    ]


def test_they_come_in_by_the_door_of_plug_ins() -> None:
    (entry,) = (each for each in entry_points(group="renderkiln.effects") if each.name == "builtin")
    assert entry.load() == EFFECTS


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: str(effect.name))
def test_every_effect_is_complete(effect: Effect) -> None:
    assert set(effect.ladder) == {"subtle", "medium", "strong"}
    assert all(list(values) == sorted(set(values)) for values in effect.ladder.values())
    assert bool(effect.picture) == (effect.kind == "picture")
    assert bool(effect.sound) == (effect.kind != "picture")
    assert effect.words(effect.ladder["medium"][0])
    assert effect.summary[0].isupper()


@pytest.mark.parametrize("name", ["flip", "border", "fade"])
def test_some_are_drawn_only_when_asked_for(name: str) -> None:
    assert next(effect for effect in EFFECTS if effect.name == name).chance == 0


@settings(deadline=None)
@given(steps, pictures)
def test_filter_texts_are_safe_in_a_graph(step: tuple[Effect, float], picture: Picture) -> None:
    effect, value = step
    texts = [effect.picture(value, picture)] if effect.picture else []
    texts += [effect.sound(value)] if effect.sound else []
    for text in texts:
        assert not set(text) & set("'\\[]; \n")
        assert "nan" not in text
        assert "inf" not in text
        assert "e-" not in text


def test_values_are_multiples_of_the_step() -> None:
    assert ZOOM.between(1.2, 3) == (1.5, 2, 2.5, 3)
    assert SPEED.between(0.99, 1.01) == (0.99, 0.995, 1.005, 1.01)
    assert SPEED.between(0.991, 0.994) == ()
    assert ZOOM.nearest(2.6) == 2.5
    assert ZOOM.nearest(1000) == 20


@pytest.mark.parametrize("value", [0, 0.3, 25])
def test_a_ladder_holds_possible_values_only(value: float) -> None:
    with pytest.raises(ValueError, match="'zoom' cannot have"):
        replace(ZOOM, ladder={"subtle": (value,), "medium": (1,), "strong": (1,)})


@pytest.mark.parametrize("name", ["", "Zoom", "zo,om", "a=b", "x" * 40])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        replace(ZOOM, name=name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Zoom In"}, "lower-case"),
        ({"step": 0}, "step above 0"),
        ({"lowest": 20}, "below its highest"),
        ({"ladder": {"subtle": (1,), "medium": (2,)}}, "no values for strong"),
        ({"ladder": {"subtle": (1,), "medium": (2,), "strong": (99,)}}, "cannot have 99"),
        ({"ladder": {"subtle": (0,), "medium": (2,), "strong": (3,)}}, "cannot have 0"),
        ({"picture": None}, "needs the function"),
        ({"kind": "sound"}, "needs the function"),
    ],
)
def test_an_effect_that_cannot_work_cannot_be_made(changes: dict[str, Any], said: str) -> None:
    zoom = next(effect for effect in EFFECTS if effect.name == "zoom")
    with pytest.raises(ValueError, match=said):
        replace(zoom, **changes)
