from __future__ import annotations

import json
from fractions import Fraction

import pytest

from renderkiln.pipelines.variations.effect import Picture
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.effects import EFFECTS

PICTURE = Picture(1920, 1080, Fraction(25), 10.0)


def test_the_key_is_canonical() -> None:
    one, other = EffectSet({"zoom": 3, "warmth": 1.5}), EffectSet({"warmth": 1.5, "zoom": 3.0})
    assert one.key == "warmth=1.5,zoom=3"
    assert one == other
    assert hash(one) == hash(other)
    assert one.id == other.id == "34aca07b"
    assert one != EffectSet({"zoom": 3})


def test_it_survives_json() -> None:
    one = EffectSet({"speed": 1.02, "hue": -5})
    assert EffectSet.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_in_words() -> None:
    one = EffectSet({"speed": 1.02, "warmth": 2, "zoom": 3, "flip": 1, "volume": -1})
    assert one.words(EFFECTS) == "mirrored, zoom 3 %, warmer 2 %, 1.02×, volume -1 dB"
    assert EffectSet({}).words(EFFECTS) == "as it is"


def test_the_speed() -> None:
    assert EffectSet({"speed": 0.98}).speed == 0.98
    assert EffectSet({"zoom": 3}).speed == 1


def test_filters_come_in_the_order_of_the_chain() -> None:
    one = EffectSet({"fade": 1, "exposure": 0.2, "zoom": 3, "grain": 3, "speed": 1.02})
    filters = one.picture_filters(EFFECTS, PICTURE)
    assert [text.split("=")[0] for text in filters] == ["crop", "eq", "noise", "fade"]
    assert one.picture_filters(list(reversed(EFFECTS)), PICTURE) == filters


def test_a_limiter_follows_gains_only() -> None:
    assert EffectSet({"zoom": 3}).sound_filters(EFFECTS) == []
    (speed,) = EffectSet({"speed": 1.02}).sound_filters(EFFECTS)
    assert speed.startswith("rubberband=tempo=1.02:")
    filters = EffectSet({"speed": 1.02, "bass": 2, "volume": 2}).sound_filters(EFFECTS)
    assert [text.split("=")[0] for text in filters] == ["rubberband", "bass", "volume", "alimiter"]


def test_the_cost_is_the_sum() -> None:
    costs = {effect.name: effect.cost for effect in EFFECTS}
    assert EffectSet({"zoom": 3, "hue": 5}).cost(EFFECTS) == costs["zoom"] + costs["hue"]


def test_an_effect_that_is_gone() -> None:
    with pytest.raises(ValueError, match="'sparkle' is not installed"):
        EffectSet({"zoom": 3, "sparkle": 1}).words(EFFECTS)
