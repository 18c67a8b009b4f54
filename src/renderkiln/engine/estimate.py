"""What a job will take, told before it is begun, from what jobs of its kind have taken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Literal, get_args

from renderkiln.database import attempts
from renderkiln.database.attempts import Sample
from renderkiln.database.engine import Database
from renderkiln.domain import cost
from renderkiln.domain.cost import Cost, Prices
from renderkiln.domain.errors import StageError, UsageError
from renderkiln.domain.work import Work
from renderkiln.media.errors import MediaError
from renderkiln.pipelines import foresight
from renderkiln.pipelines.contract import InputFacts, Pipeline, Services

LATEST = 60  # attempts of one kind that are looked at
_LOW, _HIGH = 0.1, 0.9
_APART = 1.3  # times as large: two jobs closer in size say nothing of how time grows with it

Basis = Literal["measured", "guess", "unknown"]


@dataclass(frozen=True)
class Spread:
    """Half of all come out below `typical`; eight of ten lie between `low` and `high`."""

    low: float
    typical: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        ordered = sorted(values)
        return cls(_quantile(ordered, _LOW), _quantile(ordered, 0.5), _quantile(ordered, _HIGH))

    def to_json(self) -> dict[str, float]:
        return {"low": round(self.low, 2), "typical": round(self.typical, 2), "high": round(self.high, 2)}


@dataclass(frozen=True)
class Line:
    """So much for any job, and so much for each unit of it."""

    base: float
    slope: float

    @classmethod
    def through(cls, points: Sequence[tuple[float, float]]) -> Line:
        """By what is usual among pairs of points, so that single odd jobs do not count (Theil and Sen, 1968).

        Jobs that are all of one size do not tell what is for any job: then it is all for their units.
        """
        slopes = [
            (second[1] - first[1]) / (second[0] - first[0])
            for number, first in enumerate(points)
            for second in points[number + 1 :]
            if max(first[0], second[0]) >= _APART * min(first[0], second[0])
        ]
        if slopes:
            slope = max(0.0, median(slopes))
            base = median(amount - slope * size for size, amount in points)
            if base >= 0:
                return cls(base, slope)
        return cls(0.0, median(amount / size for size, amount in points))

    def at(self, size: float) -> float:
        return self.base + self.slope * size


@dataclass(frozen=True)
class Trend:
    """A line, and how far jobs were above and below it."""

    line: Line
    beside: Spread

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]]) -> Trend:
        line = Line.through(points)
        ratios = [amount / fitted for size, amount in points if (fitted := line.at(size)) > 0]
        return cls(line, Spread.of(ratios or [1.0]))

    def at(self, size: float) -> Spread:
        typical = self.line.at(size)
        return Spread(self.beside.low * typical, self.beside.typical * typical, self.beside.high * typical)


@dataclass(frozen=True)
class Experience:
    """What jobs of one kind have taken."""

    samples: int
    seconds: Trend
    cpu_seconds: Trend
    bytes_out: Trend

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Experience:
        return cls(
            len(samples),
            seconds=Trend.of([(each.units, each.seconds) for each in samples]),
            cpu_seconds=Trend.of([(each.units, each.cpu_seconds) for each in samples]),
            bytes_out=Trend.of([(each.units, each.bytes_out) for each in samples]),
        )

    def estimate(self, work: Work) -> Estimate:
        return Estimate(
            work,
            "measured",
            self.samples,
            seconds=self.seconds.at(work.units),
            cpu_seconds=self.cpu_seconds.at(work.units),
            bytes_out=self.bytes_out.at(work.units),
        )


@dataclass(frozen=True)
class Estimate:
    """What `work` will take, in seconds, CPU-seconds and bytes; None is not known.

    `measured` by so many `samples`, or the pipeline's own `guess`.
    """

    work: Work
    basis: Basis
    samples: int
    seconds: Spread | None
    cpu_seconds: Spread | None
    bytes_out: Spread | None
    cost: Cost | None = None  # typical; None where nothing has a price

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.work.kind,
            "units": round(self.work.units, 3),
            "unit": self.work.unit,
            "basis": self.basis,
            "samples": self.samples,
            "seconds": _json(self.seconds),
            "cpuSeconds": _json(self.cpu_seconds),
            "bytes": _json(self.bytes_out),
            "cost": None if self.cost is None else self.cost.to_json(),
        }


class Estimator:
    """Estimates one job after another; what such jobs have taken is looked up once for each kind."""

    def __init__(self, database: Database, services: Services, prices: Prices) -> None:
        self._database, self._services, self._prices = database, services, prices
        self._known: dict[str, Experience | None] = {}

    def estimate(self, pipeline: Pipeline, params: Any, inputs: Sequence[InputFacts]) -> Estimate:
        """What a job would take once it is begun. Raises UsageError for params that nobody can work with."""
        try:
            work = foresight.expected(pipeline, params, inputs, self._services)
        except (MediaError, StageError) as error:  # a script that nobody can speak
            raise UsageError(f"{pipeline.name}: {error}") from error
        if work.kind not in self._known:
            self._known[work.kind] = self._experience(work.kind)
        known = self._known[work.kind]
        found = _guessed(work, self._services.cores) if known is None else known.estimate(work)
        if found.cpu_seconds is None:
            return found
        size = 0.0 if found.bytes_out is None else found.bytes_out.typical
        return replace(found, cost=self._prices.cost(found.cpu_seconds.typical, size, work.speech))

    def _experience(self, kind: str) -> Experience | None:
        with self._database.read() as connection:
            latest = attempts.samples(connection, kind, LATEST)
        return Experience.of(latest) if latest else None


def total(spreads: Iterable[Spread | None]) -> Spread | None:
    """Of several jobs one after another; None where that of one is not known."""
    known = list(spreads)
    if any(each is None for each in known):
        return None
    parts = [each for each in known if each is not None]
    return Spread(
        sum(each.low for each in parts), sum(each.typical for each in parts), sum(each.high for each in parts)
    )


def together(jobs: Sequence[Estimate]) -> Estimate:
    """Several jobs of one pipeline, one after another, as one: known as well as the least known of them."""
    if len(jobs) == 1:
        return jobs[0]
    kinds = {each.work.kind for each in jobs}
    first = jobs[0].work
    kind = first.kind if len(kinds) == 1 else f"{len(kinds)} kinds"
    return Estimate(
        Work(kind, sum(each.work.units for each in jobs), first.unit),
        max((each.basis for each in jobs), key=get_args(Basis).index),
        min(each.samples for each in jobs),
        seconds=total(each.seconds for each in jobs),
        cpu_seconds=total(each.cpu_seconds for each in jobs),
        bytes_out=total(each.bytes_out for each in jobs),
        cost=cost.total(each.cost for each in jobs),
    )


def _guessed(work: Work, cores: int) -> Estimate:
    if work.guess is None:
        return Estimate(work, "unknown", 0, None, None, None)
    return Estimate(work, "guess", 0, _about(work.guess / cores), _about(work.guess), None)


def _about(value: float) -> Spread:
    return Spread(value / 2, value, value * 2)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between two values, in proportion."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _json(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else spread.to_json()
