"""At which rate pictures come, told from their timestamps alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from heapq import heappush, heappushpop

STANDARD = tuple(
    Fraction(rate)
    for rate in (
        *("24000/1001", "24", "25", "30000/1001", "30", "48"),
        *("50", "60000/1001", "60", "100", "120"),
    )
)
SLOWEST, FASTEST = Fraction(1), Fraction(120)
_UNKNOWN = Fraction(25)  # of a single picture whose header tells nothing

# Packets come in the order of decoding. H.264 and HEVC show a picture at most 16 places later, so a heap
# twice as deep puts them in the order of showing. Intervals of decoding times would not do: with B-frames and
# a variable rate they are not those the viewer sees, and some containers have none.
_REORDER = 32
_BINS = 100_000  # a second in steps of 10 µs; longer intervals share the last bin


class Rhythm:
    """Show it the timestamps of all pictures, nearly in order, `finish`, then ask. Its memory is bounded.

    Timestamps are counted in `tick`, in seconds.
    """

    def __init__(self, tick: Fraction) -> None:
        self._tick = tick
        self._waiting: list[int] = []
        self._bins: Counter[int] = Counter()
        self._scale = float(tick * _BINS)
        self._before = self._shortest = self._longest = 0
        self.count = 0
        self.first = self.last = 0

    def add(self, moment: int) -> None:
        """Note the next picture."""
        if len(self._waiting) < _REORDER:
            heappush(self._waiting, moment)
        else:
            self._note(heappushpop(self._waiting, moment))

    def finish(self) -> None:
        """There are no more pictures."""
        for moment in sorted(self._waiting):
            self._note(moment)
        self._waiting.clear()

    def rate(self, claims: Sequence[Fraction]) -> tuple[Fraction, bool]:
        """The constant rate that suits the pictures, and whether they come otherwise.

        `claims` are what the headers say: they are believed where the timestamps agree. A rate that varies,
        or is not within 1 … 120, becomes the standard rate nearest to the median interval.
        """
        claims = [_snapped(claim) for claim in claims if SLOWEST <= claim <= FASTEST]
        if self.count < 2:
            return (claims[0] if claims else _UNKNOWN), False
        if self._steady():
            rate = self._exact(claims)
            if SLOWEST <= rate <= FASTEST:
                return rate, False
        median = self._median()
        return min(STANDARD, key=lambda rate: max(rate * median, 1 / (rate * median))), True

    def _note(self, moment: int) -> None:
        self.count += 1
        if self.count == 1:
            self.first = self.last = self._before = moment
            return
        interval, self._before = moment - self._before, moment
        self._shortest = interval if self.count == 2 else min(self._shortest, interval)
        self._longest = max(self._longest, interval)
        self.last = max(self.last, moment)
        if interval > 0:
            self._bins[max(1, min(round(interval * self._scale), _BINS))] += 1

    def _steady(self) -> bool:
        """Whether intervals differ by rounding alone: in ticks of 1 ms 30 a second come as 33, 33, 34."""
        mean = Fraction(self.last - self.first, self.count - 1)
        return self._shortest > 0 and self._longest - self._shortest <= min(Fraction(2), mean / 4)

    def _exact(self, claims: Sequence[Fraction]) -> Fraction:
        steps, span = self.count - 1, (self.last - self.first) * self._tick
        for rates in (claims, STANDARD):
            best = min(rates, key=lambda rate: abs(steps / rate - span), default=None)
            if best is not None and abs(steps / best - span) <= 2 * self._tick:
                return best
        return _snapped((steps / span).limit_denominator(1001))

    def _median(self) -> Fraction:
        """Of the intervals, in seconds."""
        seen, half = 0, Fraction(self._bins.total(), 2)
        for interval in sorted(self._bins):
            seen += self._bins[interval]
            if seen >= half:
                return Fraction(interval, _BINS)
        return 1 / _UNKNOWN  # all pictures at once


def _snapped(rate: Fraction) -> Fraction:
    """The standard rate that `rate` means: averages come as 2997/100. 23.976 and 24 are 0.1 % apart."""
    nearest = min(STANDARD, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) < nearest / 5000 else rate
