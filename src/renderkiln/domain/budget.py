"""How much may be spent, and in what time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from renderkiln.domain.cost import amount, units

Period = Literal["day", "month", "total"]
PERIODS: tuple[Period, ...] = get_args(Period)


@dataclass(frozen=True)
class Budget:
    """So many billionths of `currency` in each day or month (of UTC), or ever."""

    amount: int
    period: Period
    currency: str

    def begins(self, now: datetime) -> datetime | None:
        """Since when what was spent counts; None: since ever."""
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        match self.period:
            case "day":
                return midnight
            case "month":
                return midnight.replace(day=1)
            case "total":
                return None

    def ends(self, now: datetime) -> datetime | None:
        """When it begins anew; None: never."""
        begun = self.begins(now)
        if begun is None or self.period == "day":
            return None if begun is None else begun + timedelta(days=1)
        return (begun + timedelta(days=31)).replace(day=1)

    def to_json(self) -> dict[str, Any]:
        return {"amount": units(self.amount), "currency": self.currency, "period": self.period}

    def __str__(self) -> str:
        told = amount(self.amount, self.currency)
        return told if self.period == "total" else f"{told} a {self.period}"
