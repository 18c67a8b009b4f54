"""In what time a budget is to be spent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.budget import Budget, Period

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.timezones())


@given(MOMENTS, st.sampled_from(["day", "month"]))
def test_now_is_always_within(now: datetime, period: Period) -> None:
    budget = Budget(1, period, "USD")
    begins, ends = budget.begins(now), budget.ends(now)
    assert begins is not None
    assert ends is not None
    assert begins <= now < ends
    assert budget.begins(ends) == ends
    assert budget.begins(ends - timedelta(microseconds=1)) == begins


def test_months_and_days_are_those_of_utc() -> None:
    tokyo = datetime(2026, 12, 1, 3, tzinfo=timezone(timedelta(hours=9)))
    assert Budget(1, "month", "USD").begins(tokyo) == datetime(2026, 11, 1, tzinfo=UTC)
    assert Budget(1, "month", "USD").ends(tokyo) == datetime(2026, 12, 1, tzinfo=UTC)
    assert Budget(1, "day", "USD").begins(tokyo) == datetime(2026, 11, 30, tzinfo=UTC)
    assert Budget(1, "total", "USD").begins(tokyo) is Budget(1, "total", "USD").ends(tokyo) is None


@pytest.mark.parametrize(("period", "words"), [("total", "5.00 USD"), ("month", "5.00 USD a month")])
def test_words(period: Period, words: str) -> None:
    assert str(Budget(5_000_000_000, period, "USD")) == words
