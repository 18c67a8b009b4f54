from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.pipelines.variations.effect import Intensity
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.effects import EFFECTS
from renderkiln.pipelines.variations.sampler import Sampler, Wish

BY_NAME = {effect.name: effect for effect in EFFECTS}
PICTURES = {effect.name for effect in EFFECTS if effect.kind == "picture"}


def sampler(
    wishes: Mapping[str, Wish] | None = None,
    *,
    only: Sequence[str] | None = None,
    intensity: Intensity = "medium",
    seed: int = 1,
    has_sound: bool = True,
) -> Sampler:
    return Sampler(
        EFFECTS, wishes=wishes or {}, only=only, intensity=intensity, seed=seed, has_sound=has_sound
    )


def drawn(count: int, source: Sampler) -> list[EffectSet]:
    return list(islice(source, count))


@pytest.mark.parametrize("intensity", ["subtle", "medium", "strong"])
def test_sets_are_distinct_and_from_the_ladders(intensity: Intensity) -> None:
    sets = drawn(1000, sampler(intensity=intensity))
    assert len({each.key for each in sets}) == len({each.id for each in sets}) == 1000
    for each in sets:
        assert len(each.keys() & PICTURES) >= 3
        assert all(value in BY_NAME[name].ladder[intensity] for name, value in each.items())
        groups = [BY_NAME[name].group for name in each if BY_NAME[name].group]
        assert len(groups) == len(set(groups))
    everything = {name for each in sets for name in each}
    assert everything == {effect.name for effect in EFFECTS if effect.chance}


def test_what_is_drawn_unasked_is_cheap() -> None:
    costs = [each.cost(EFFECTS) for each in drawn(200, sampler())]
    assert sum(costs) / len(costs) <= 7


def test_a_seed_gives_the_same_sets() -> None:
    one = sampler(seed=7)
    assert drawn(50, one) == drawn(80, one)[:50] == drawn(50, sampler(seed=7))
    assert drawn(5, sampler(seed=8)) != drawn(5, one)
    reordered = Sampler(EFFECTS[::-1], wishes={}, intensity="medium", seed=7, has_sound=True)
    assert drawn(50, reordered) == drawn(50, one)


def test_seeds_mean_the_same_for_ever() -> None:
    assert [each.key for each in drawn(2, sampler(only=["zoom", "hue", "speed"]))] == [
        "hue=4,zoom=4",
        "hue=-5,zoom=3.5",
    ]


def test_wishes_are_granted() -> None:
    wishes: dict[str, Wish] = {"zoom": 3, "hue": False, "flip": True, "speed": (1.01, 1.02)}
    sets = drawn(300, sampler(wishes))
    assert all(each["zoom"] == 3 for each in sets)
    assert not any("hue" in each or "crop" in each for each in sets)
    assert 0.5 < sum("flip" in each for each in sets) / 300 < 0.8  # sets with too little are drawn anew
    assert {each.speed for each in sets} == {1, 1.01, 1.015, 1.02}


def test_only_those_named_and_wished_for() -> None:
    sets = drawn(50, sampler({"border": 2}, only=["hue", "warmth", "contrast", "volume"]))
    assert all(each["border"] == 2 for each in sets)
    assert {name for each in sets for name in each} == {"border", "hue", "warmth", "contrast", "volume"}


def test_without_sound_nothing_is_done_to_it() -> None:
    names = {name for each in drawn(200, sampler(has_sound=False)) for name in each}
    assert not names & {"volume", "bass", "treble"}
    assert "speed" in names


def test_neutral_means_off() -> None:
    (each,) = sampler({"hue": 0, "speed": 1, "flip": 1}, only=[])
    assert each == {"flip": 1}


def test_with_all_off_there_is_the_empty_set_alone() -> None:
    nothing = sampler(only=[])
    assert nothing.capacity == 1
    assert list(nothing) == [EffectSet({})]
    assert list(sampler(only=["volume"], has_sound=False)) == [EffectSet({})]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.sampled_from(["zoom", "crop", "flip", "grain", "blur", "bass", "speed"]), unique=True, max_size=3
    ),
    st.sampled_from([{}, {"zoom": 3}, {"bass": 2.0}, {"sharpen": (8, 10)}]),
)
def test_capacity_is_how_many_there_are(only: list[str], wishes: dict[str, Wish]) -> None:
    source = sampler(wishes, only=only)
    sets = list(source)
    assert len(sets) == len(set(sets)) == source.capacity


def test_capacity_by_hand() -> None:
    source = sampler(only=["zoom", "crop", "grain", "blur", "warmth"], intensity="strong")
    zoom, crop, grain, blur, warmth = (
        len(BY_NAME[name].ladder["strong"]) for name in ("zoom", "crop", "grain", "blur", "warmth")
    )
    slots = [zoom + crop, grain, blur, warmth]
    threes = sum(a * b * c for a, b, c in combinations(slots, 3))
    assert source.capacity == threes + len(list(product(*map(range, slots))))
    assert sampler().capacity > 10_000_000


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"zom": 3}, r"no effect 'zom'; did you mean zoom\? there are: bass, blur, border"),
        ({"\x00" * 99: True}, "no effect"),
        ({"zoom": 21}, "zoom goes from 0 to 20 %; 21 is outside"),
        ({"zoom": -1}, "outside"),
        ({"hue": float("nan")}, "nan is outside"),
        ({"speed": float("inf")}, "outside"),
        ({"zoom": 3.1}, "zoom goes in steps of 0.5: 3 rather than 3.1"),
        ({"zoom": (3.1, 3.4)}, "no value from 3.1 to 3.4"),
        ({"zoom": (4, 2)}, "no value from 4 to 2"),
        ({"hue": (0, 0.2)}, "no value"),
        ({"zoom": (1, 1e300)}, "outside"),
        ({"zoom": 2, "crop": 3}, "crop and zoom exclude each other: a variation has one framing effect"),
    ],
)
def test_impossible_wishes_are_refused_in_one_line(wishes: dict[str, Wish], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        sampler(wishes)
    assert len(str(refused.value).splitlines()) == 1


def test_unknown_names_in_only_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean warmth"):
        sampler(only=["warmt"])
