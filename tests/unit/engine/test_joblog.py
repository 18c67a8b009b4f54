"""The end of a log, in whole lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from renderkiln.engine.joblog import end_of, kept_of, last_lines


@pytest.mark.parametrize(
    ("text", "most", "end"),
    [
        (b"one\ntwo\n", 8, "one\ntwo\n"),
        (b"one\ntwo\n", 7, "two\n"),
        (b"one\ntwo\n", 4, "two\n"),
        (b"one\ntwo\n", 3, "wo\n"),
        (b"one\n\xff\x00\n", 100, "one\n\ufffd\ufffd\n"),
        (b"", 5, ""),
    ],
)
def test_the_last_whole_lines(tmp_path: Path, text: bytes, most: int, end: str) -> None:
    assert last_lines(text, most) == end
    (tmp_path / "log").write_bytes(text)
    assert end_of(tmp_path / "log", most) == end


def test_others_read_no_folder_of_ours(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert kept_of(log) is None
    log.write_text(
        f"{tmp_path}/songs/a.mp3 cannot be read, says {Path(__file__).parents[3]}/src/renderkiln/x.py"
    )
    told = kept_of(log, tmp_path)
    assert told is not None
    assert "songs/a.mp3 cannot be read" in told
    assert str(tmp_path) not in told
    assert sys.prefix not in told
