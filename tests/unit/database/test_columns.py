"""Texts and times that databases would not take as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from renderkiln.database.columns import Moment, restored, storable

ANY_TEXT = st.text(st.characters() | st.sampled_from("\x00\ud800\udfff\ufdd00abcdef"))


@given(ANY_TEXT)
def test_every_text_can_be_stored_and_comes_back(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    kept.encode()  # raises for a lone surrogate
    assert restored(kept) == text


@pytest.mark.parametrize("text", ["", "plain", "日本語 🔥 \n\t\\u0000"])
def test_ordinary_text_is_stored_as_it_is(text: str) -> None:
    assert storable(text) == text


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_times_sort_on_sqlite_as_they_are(first: datetime, second: datetime) -> None:
    assert (_kept(first) < _kept(second)) == (first.astimezone(UTC) < second.astimezone(UTC))


def test_a_time_is_kept_in_utc() -> None:
    summer = datetime(2026, 7, 1, 14, tzinfo=UTC) + timedelta(microseconds=1)
    assert _kept(summer) == "2026-07-01 14:00:00.000001"


def _kept(moment: datetime) -> str:
    dialect = sqlite.dialect()
    bind = sa.DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert bind is not None
    return str(bind(Moment().process_bind_param(moment, dialect)))
