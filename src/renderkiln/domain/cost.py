"""What work costs, as exact sums: whole billionths of a currency unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

UNIT = 1_000_000_000  # billionths in one unit of the currency
_GB = 1e9
_HOUR = 3600.0


@dataclass(frozen=True)
class Cost:
    """What some work has cost, by its parts, in billionths of `currency`.

    `services` is what others were paid, such as speech providers.
    """

    currency: str
    cpu: int = 0
    stored: int = 0
    sent: int = 0
    services: int = 0

    @property
    def total(self) -> int:
        return self.cpu + self.stored + self.sent + self.services

    def to_json(self) -> dict[str, Any]:
        """In units of the currency."""
        return {
            "currency": self.currency,
            "total": units(self.total),
            "cpu": units(self.cpu),
            "stored": units(self.stored),
            "sent": units(self.sent),
            "services": units(self.services),
        }

    def __str__(self) -> str:
        return amount(self.total, self.currency)


@dataclass(frozen=True)
class Prices:
    """What is charged, in units of `currency`: for an hour of CPU, and for a GB (10⁹ bytes) of files."""

    currency: str = "USD"
    cpu_hour: float = 0.0
    gb_stored: float = 0.0
    gb_sent: float = 0.0

    def cost(self, cpu_seconds: float, bytes_out: float, services: float) -> Cost | None:
        """What this use costs; None where nothing has a price and nobody was paid."""
        if not (self.cpu_hour or self.gb_stored or self.gb_sent or services):
            return None
        return Cost(
            self.currency,
            cpu=billionths(cpu_seconds / _HOUR * self.cpu_hour),
            stored=billionths(bytes_out / _GB * self.gb_stored),
            sent=billionths(bytes_out / _GB * self.gb_sent),
            services=billionths(services),
        )


def total(costs: Iterable[Cost | None]) -> Cost | None:
    """Of several; None if none of them cost anything. Only those in the currency of the last one count."""
    known = [each for each in costs if each is not None]
    if not known:
        return None
    currency = known[-1].currency
    same = [each for each in known if each.currency == currency]
    return Cost(
        currency,
        cpu=sum(each.cpu for each in same),
        stored=sum(each.stored for each in same),
        sent=sum(each.sent for each in same),
        services=sum(each.services for each in same),
    )


def billionths(value: float) -> int:
    return round(value * UNIT)


def units(value: int) -> float:
    return value / UNIT


def amount(value: int, currency: str) -> str:
    """For people: `0.0123 USD`, and at least cents."""
    told = f"{units(value):.4f}"
    return f"{told[:-2] if told.endswith('00') else told} {currency}"
