"""Uploads of one account are counted by themselves, and those that fail fill no disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from renderkiln.engine.uploads import TooMany, Upload, Uploads


def test_each_account_has_its_own_number(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, most=2)
    first = uploads.begin("studio", "a.wav", 7)
    uploads.begin("studio", "b.wav", 7, "https://a.example/b.wav")
    with pytest.raises(TooMany, match="2 uploads have begun"):
        uploads.begin("studio", "c.wav", 7)
    other = uploads.begin("other", "a.wav", 7)
    assert {each.name for each in uploads.unfinished()} == {"a.wav", "b.wav"}
    uploads.fail(first, "it is not there")
    uploads.begin("studio", "c.wav", 7)
    assert [each.account for each in uploads.unfinished()].count("studio") == 2
    assert uploads.find(other.id) == other


def test_of_those_that_have_ended_the_latest_are_known(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, kept=3)
    failed: list[Upload] = []
    for number in range(6):
        failed.append(uploads.begin("studio", f"{number}.wav", 0, "https://a.example/"))
        uploads.fail(failed[-1], "it is not there")
        _touch(uploads, failed[-1], number)
    ended = uploads.find(failed[-1].id)
    assert ended is not None
    assert (ended.error, uploads.offset(ended)) == ("it is not there", 0)
    running = uploads.begin("studio", "7.wav", 7)
    known = [each.name for each in failed if uploads.find(each.id)]
    assert known == ["4.wav", "5.wav"]  # and one more that has begun, which is not forgotten
    assert uploads.find(running.id) == running
    assert len(list(tmp_path.iterdir())) == 4


def _touch(uploads: Uploads, upload: Upload, second: int) -> None:
    os.utime(uploads.folder / f"{upload.id}.json", (second, second))
