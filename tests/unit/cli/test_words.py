from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.cli import words


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_shown_moves_a_terminal(text: str) -> None:
    shown = words.shown(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert len(shown.splitlines()) <= 1


def test_names_are_shown_as_they_are_where_that_is_safe() -> None:
    assert words.shown("Ночь 夜 🔥 नमस्ते.mp3") == "Ночь 夜 🔥 नमस्ते.mp3"
    assert words.shown("a\nb\x1b[31m\u202egnp\udcff") == "a\\nb\\x1b[31m\\u202egnp\\udcff"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345_678, "12.3 MB"), (5e9, "5.0 GB"), (2e12, "2.0 TB")],
)
def test_sizes(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.31, "0.3 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1:00"), (187, "3:07"), (3723, "1:02:03")],
)
def test_times(seconds: float, text: str) -> None:
    assert words.clock(seconds) == text


def test_a_table_has_straight_columns(capsys: pytest.CaptureFixture[str]) -> None:
    words.put_table([{"name": "夜", "size": 1}, {"name": "four", "size": 22}])
    assert capsys.readouterr().out.splitlines() == ["NAME  SIZE", "夜    1", "four  22"]


def test_json_survives_a_stream_of_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("ascii", "utf-8"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
        monkeypatch.setattr(sys, "stdout", stream)
        words.put_json({"name": "🔥\udcff"})
        stream.flush()
        written = stream.buffer.getvalue()
        assert json.loads(written) == {"name": "🔥\udcff"}
