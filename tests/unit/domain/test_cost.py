"""Costs are exact sums, told in units of a currency."""

from __future__ import annotations

import pytest

from renderkiln.domain.cost import Cost, Prices, amount, total

PRICES = Prices("EUR", cpu_hour=0.36, gb_stored=0.02, gb_sent=0.08)


def test_what_is_used_costs_what_its_price_says() -> None:
    cost = PRICES.cost(cpu_seconds=10.0, bytes_out=500_000_000, services=0.5)
    assert cost == Cost("EUR", cpu=1_000_000, stored=10_000_000, sent=40_000_000, services=500_000_000)
    assert cost.to_json() == {
        "currency": "EUR",
        "total": 0.551,
        "cpu": 0.001,
        "stored": 0.01,
        "sent": 0.04,
        "services": 0.5,
    }


def test_nothing_costs_nothing_where_nothing_has_a_price() -> None:
    assert Prices().cost(100.0, 10**9, 0.0) is None
    assert Prices().cost(100.0, 10**9, 0.25) == Cost("USD", services=250_000_000)


def test_a_total_is_in_one_currency() -> None:
    assert total([None, Cost("USD", cpu=1), None, Cost("USD", sent=2)]) == Cost("USD", cpu=1, sent=2)
    assert total([Cost("USD", cpu=1), Cost("EUR", cpu=2)]) == Cost("EUR", cpu=2)
    assert total([None]) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0.00 USD"), (1_500_000_000, "1.50 USD"), (12_345_678, "0.0123 USD"), (500_000, "0.0005 USD")],
)
def test_amounts_for_people(value: int, words: str) -> None:
    assert amount(value, "USD") == words
