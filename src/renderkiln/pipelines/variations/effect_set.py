"""Which effects a variation has, and how strongly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from renderkiln.pipelines.variations.effect import Effect, Picture

# Peaks as they are, less a little for what AAC adds; the latency of its look-ahead is taken back.
_LIMITER = "alimiter=limit=0.97:level=0:latency=1"


class EffectSet(Mapping[str, float]):
    """Values by effect name; immutable. Equal sets have equal keys."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = {name: float(values[name]) for name in sorted(values)}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"EffectSet({self.key})"

    @property
    def key(self) -> str:
        """The set as one text: "warmth=2,zoom=3"."""
        return ",".join(f"{name}={value:g}" for name, value in self.items())

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that stand for the key."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8]

    @property
    def speed(self) -> float:
        """How much faster than the clip."""
        return self.get("speed", 1.0)

    def words(self, effects: Sequence[Effect]) -> str:
        """The set as people say it, in the order of the chain: "zoom 3 %, warmer 2 %"."""
        return ", ".join(effect.words(value) for effect, value in self._chain(effects)) or "as it is"

    def cost(self, effects: Sequence[Effect]) -> float:
        """CPU-milliseconds per 1080p frame."""
        return sum(effect.cost for effect, _ in self._chain(effects))

    def picture_filters(self, effects: Sequence[Effect], picture: Picture) -> list[str]:
        """Filter texts for a picture that already has its speed, in the order of the chain."""
        return [effect.picture(value, picture) for effect, value in self._chain(effects) if effect.picture]

    def sound_filters(self, effects: Sequence[Effect]) -> list[str]:
        """Filter texts for the sound, its speed among them; a limiter follows what may make it louder."""
        chain = [(effect, value) for effect, value in self._chain(effects) if effect.sound]
        filters = [effect.sound(value) for effect, value in chain if effect.sound]
        return [*filters, _LIMITER] if any(effect.kind == "sound" for effect, _ in chain) else filters

    def to_json(self) -> dict[str, float]:
        """A plain mapping."""
        return dict(self._values)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(values)

    def _chain(self, effects: Sequence[Effect]) -> list[tuple[Effect, float]]:
        known = {effect.name: effect for effect in effects}
        if missing := sorted(self.keys() - known.keys()):
            raise ValueError(f"the effect {missing[0]!r} is not installed")
        chosen = [(known[name], value) for name, value in self.items()]
        return sorted(chosen, key=lambda each: (each[0].order, each[0].name))
