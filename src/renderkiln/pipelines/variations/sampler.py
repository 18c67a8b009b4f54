"""Draws effect sets: all different, and the same ones for the same seed."""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from renderkiln.pipelines.variations.effect import Effect, Intensity
from renderkiln.pipelines.variations.effect_set import EffectSet

# What is wished of an effect: True adds it, False leaves it out, a number pins it, (low, high) narrows it.
Wish = bool | float | tuple[float, float]

_LEAST = 3  # effects on the picture in every set, where so many are on
_ADDED = 0.5  # chance at least of an effect that is asked for
_PATIENCE = 50  # draws in vain, after which every set becomes equally likely


@dataclass(frozen=True)
class _Choice:
    """An effect that is on, and the values it may have."""

    effect: Effect
    values: tuple[float, ...]
    chance: float


@dataclass(frozen=True)
class _Slot:
    """Choices of which a set has one at most: those of a group, or a single one."""

    choices: tuple[_Choice, ...]

    @property
    def options(self) -> list[tuple[str, float]]:
        return [(choice.effect.name, value) for choice in self.choices for value in choice.values]

    @property
    def is_pinned(self) -> bool:
        return any(choice.chance == 1 for choice in self.choices)

    @property
    def is_picture(self) -> bool:
        return any(choice.effect.kind == "picture" for choice in self.choices)

    def draw(self, rng: random.Random) -> tuple[str, float] | None:
        """One option by the chances of its effects, or none of them."""
        bounds = list(accumulate(choice.chance for choice in self.choices))
        at = rng.random() * max(1.0, bounds[-1])
        place = rng.random()
        for choice, bound in zip(self.choices, bounds, strict=True):
            if at < bound:
                return choice.effect.name, choice.values[int(place * len(choice.values))]
        return None

    def draw_evenly(self, rng: random.Random) -> tuple[str, float] | None:
        """One option or none of them, each as likely as the other."""
        options = [*self.options, *([] if self.is_pinned else [None])]
        return options[int(rng.random() * len(options))]


class Sampler:
    """An endless supply of effect sets, no two alike; it ends only when there are no more.

    `wishes` are by effect name. Without a wish, an effect is drawn by its own chance; with `only`, those
    named are drawn and no others, save those that are wished for. The sets do not depend on how many are
    taken, nor on the order of `effects`. Raises ValueError, in one line, for wishes that cannot be granted.
    """

    def __init__(
        self,
        effects: Sequence[Effect],
        *,
        wishes: Mapping[str, Wish],
        intensity: Intensity,
        seed: int,
        has_sound: bool,
        only: Sequence[str] | None = None,
    ) -> None:
        known = {effect.name: effect for effect in effects}
        for name in [*wishes, *(only or ())]:
            _check_known(name, known)
        wished = {**dict.fromkeys(only or (), True), **wishes}
        choices = []
        for name in sorted(known):
            unasked: Wish | None = None if only is None else False
            choice = _choice(known[name], wished.get(name, unasked), intensity)
            if choice.values and choice.chance and (has_sound or known[name].kind != "sound"):
                choices.append(choice)
        self._slots = _slots(choices)
        self._seed = seed
        self._least = min(_LEAST, sum(slot.is_picture for slot in self._slots))

    @property
    def capacity(self) -> int:
        """How many different sets there are. The empty one counts only where there is no other."""
        by_pictures = [1, *[0] * _LEAST]  # sets by effects on the picture; the last: or more
        for slot in self._slots:
            count = len(slot.options)
            grown = [0 if slot.is_pinned else sets for sets in by_pictures]
            for number, sets in enumerate(by_pictures):
                grown[min(number + slot.is_picture, _LEAST)] += sets * count
            by_pictures = grown
        total = sum(by_pictures[self._least :])
        holds_empty = self._least == 0 and not any(slot.is_pinned for slot in self._slots)
        return max(1, total - holds_empty)

    def __iter__(self) -> Iterator[EffectSet]:
        rng = random.Random(f"variations {self._seed}")  # noqa: S311 - to repeat, not to surprise
        seen: set[EffectSet] = set()
        capacity, misses = self.capacity, 0
        while len(seen) < capacity:
            drawn = self._draw(rng, evenly=misses >= _PATIENCE)
            if drawn is None or drawn in seen:
                misses += 1
                continue
            misses = 0
            seen.add(drawn)
            yield drawn

    def _draw(self, rng: random.Random, *, evenly: bool) -> EffectSet | None:
        """A set, or None for one that has too little."""
        drawn = [(slot, slot.draw_evenly(rng) if evenly else slot.draw(rng)) for slot in self._slots]
        pictures = sum(slot.is_picture for slot, option in drawn if option)
        values = dict(option for _, option in drawn if option)
        return EffectSet(values) if pictures >= self._least and (values or not self._slots) else None


def _check_known(name: str, known: Mapping[str, Effect]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=2)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"there is no effect {name[:40]!r}; {hint}there are: {', '.join(sorted(known))}")


def _choice(effect: Effect, wish: Wish | None, intensity: Intensity) -> _Choice:
    if wish is None:
        return _Choice(effect, effect.ladder[intensity], effect.chance)
    if wish is True:
        return _Choice(effect, effect.ladder[intensity], max(_ADDED, effect.chance))
    if wish is False:
        return _Choice(effect, (), 0)
    if isinstance(wish, int | float):
        return _Choice(effect, _pinned(effect, wish), 1)
    return _Choice(effect, _narrowed(effect, wish), max(_ADDED, effect.chance))


def _pinned(effect: Effect, value: float) -> tuple[float, ...]:
    """The value itself; nothing for the neutral one."""
    _check_inside(effect, value)
    nearest = effect.nearest(value)
    if abs(nearest - value) > 1e-6:
        raise ValueError(f"{effect.name} goes in steps of {effect.step:g}: {nearest:g} rather than {value:g}")
    return () if nearest == effect.neutral else (nearest,)


def _narrowed(effect: Effect, bounds: tuple[float, float]) -> tuple[float, ...]:
    low, high = bounds
    _check_inside(effect, low)
    _check_inside(effect, high)
    values = effect.between(low, high)
    if not values:
        raise ValueError(
            f"{effect.name} has no value from {low:g} to {high:g} that changes anything: it goes in steps of "
            f"{effect.step:g}"
        )
    return values


def _check_inside(effect: Effect, value: float) -> None:
    if not effect.lowest <= value <= effect.highest:  # NaN is nowhere
        unit = f" {effect.unit}" if effect.unit else ""
        raise ValueError(
            f"{effect.name} goes from {effect.lowest:g} to {effect.highest:g}{unit}; {value:g} is outside"
        )


def _slots(choices: Sequence[_Choice]) -> list[_Slot]:
    """The choices by group. What is pinned has its group for itself."""
    groups: dict[str, list[_Choice]] = {}
    for choice in choices:
        groups.setdefault(choice.effect.group or f"only {choice.effect.name}", []).append(choice)
    return [_Slot(_allowed(members)) for members in groups.values()]


def _allowed(members: Sequence[_Choice]) -> tuple[_Choice, ...]:
    pinned = [choice for choice in members if len(choice.values) == 1 and choice.chance == 1]
    if len(pinned) > 1:
        names = " and ".join(choice.effect.name for choice in pinned)
        raise ValueError(f"{names} exclude each other: a variation has one {pinned[0].effect.group} effect")
    return tuple(pinned or members)
