"""Files of captions in the encodings that people have."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from renderkiln.media.captions import Cue
from renderkiln.media.errors import Unreadable, Unsuitable
from renderkiln.media.subtitles import MOST_BYTES, read_captions

pytestmark = pytest.mark.integration

TEXT = "1\r\n00:00:01,000 --> 00:00:02,500\r\nGrüße – “Café”\r\n"
CUES = [Cue(1, 2.5, "Grüße – “Café”")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(TEXT.encode(encoding))
    assert read_captions(path) == CUES


def test_what_is_in_it_counts_and_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.500\nGrüße – “Café”", encoding="utf-8")
    assert read_captions(path) == CUES


def test_what_are_no_captions(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    with pytest.raises(Unreadable, match="does not exist"):
        read_captions(path)
    path.write_bytes(b"")
    with pytest.raises(Unreadable, match="is empty"):
        read_captions(path)
    path.write_bytes(b"\xff\xfe\x00\xd8\x00\x00\x00")
    with pytest.raises(Unreadable, match="is no text: it cannot be read as UTF-16-LE"):
        read_captions(path)
    path.write_bytes(random.Random(1).randbytes(50_000))
    with pytest.raises(Unreadable, match="is no text"):
        read_captions(path)
    path.write_bytes(b"1\n00:00:03,000 --> 00:00:02,000\nx")
    with pytest.raises(Unreadable, match=r"a\.srt', line 2: .* ends before it starts"):
        read_captions(path)
    path.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(Unsuitable, match="too large for captions: the limit is 10 MiB"):
        read_captions(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="not a regular file"):
        read_captions(path)
