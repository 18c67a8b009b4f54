"""Weighted progress that never goes back."""

from __future__ import annotations

from collections.abc import Mapping


class WeightedProgress:
    """Percent of a job (0 … 100) from how far each of its stages is.

    Weights are relative to each other. What is reported is the highest value ever reached: a stage that is
    begun anew does not take back what a person has already been told. All stages together reach `until`.
    """

    def __init__(self, weights: Mapping[str, float], *, floor: float = 0.0, until: float = 100.0) -> None:
        if not weights or min(weights.values()) <= 0:
            raise ValueError("a job needs at least one stage, and every stage a weight above 0")
        self._weights = dict(weights)
        self._fractions = dict.fromkeys(weights, 0.0)
        self._percent, self._until = floor, until

    @property
    def percent(self) -> float:
        return self._percent

    def report(self, stage: str, fraction: float) -> float:
        """Note that `stage` is at `fraction` (0 … 1; NaN and what lies outside is clipped); the percent."""
        self._fractions[stage] = fraction if 0 <= fraction <= 1 else float(fraction > 1)
        done = sum(self._weights[name] * fraction for name, fraction in self._fractions.items())
        self._percent = max(self._percent, min(self._until, self._until * done / sum(self._weights.values())))
        return self._percent
