"""How much there is to do for a job, in units that its time grows with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """So many `units` of a `kind`: jobs of one kind take about the same time for each unit.

    `unit` is what people call one. `guess` is the CPU-seconds of it all where no such job was ever measured,
    and `speech` what its speech will cost at most, in the currency of the settings.
    """

    kind: str
    units: float
    unit: str
    guess: float | None = None
    speech: float = 0.0
