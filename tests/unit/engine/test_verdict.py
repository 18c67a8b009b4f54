"""What each exception means for an attempt."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from renderkiln.domain.errors import Permanent, Stopped, Superseded, Temporary, UsageError
from renderkiln.domain.outcomes import Cancelled, Failed, TryAgain
from renderkiln.engine.verdict import Verdict, from_json, to_json, verdict
from renderkiln.media.errors import (
    FFmpegFailed,
    FFmpegStalled,
    FFmpegStopped,
    MediaError,
    Unreadable,
    Unsuitable,
)

CASES = [
    (Temporary("wait\n a bit"), TryAgain("TEMPORARY", "wait a bit")),
    (Temporary("wait", delay=7), TryAgain("TEMPORARY", "wait", 7)),
    (Permanent("no"), Failed("PERMANENT", "no")),
    (UsageError("no such look"), Failed("INVALID", "no such look")),
    (Stopped("x"), Cancelled()),
    (Superseded("x"), Cancelled()),
    (FFmpegStopped("x"), Cancelled()),
    (Unreadable("a.mp3 is not media"), Failed("UNREADABLE", "a.mp3 is not media")),
    (Unsuitable("no sound"), Failed("UNSUITABLE", "no sound")),
    (FFmpegStalled("no sign of life"), TryAgain("FFMPEG_STALLED", "no sign of life")),
    (FFmpegFailed("killed", returncode=-9), TryAgain("FFMPEG_KILLED", "killed")),
    (FFmpegFailed("exit 1", returncode=1), Failed("FFMPEG_FAILED", "exit 1")),
    (MediaError("no FFmpeg"), Failed("MEDIA", "no FFmpeg")),
    (
        PermissionError(errno.EACCES, "Permission denied", "/a\nb"),
        Failed("SYSTEM", "/a b: Permission denied"),
    ),
    (OSError(errno.EMFILE, "Too many open files"), TryAgain("SYSTEM", "Too many open files")),
    (MemoryError(), TryAgain("OUT_OF_MEMORY", "the memory of this machine did not suffice")),
    (KeyError("x"), Failed("INTERNAL", "unexpected KeyError: 'x'")),
    (RuntimeError(), Failed("INTERNAL", "unexpected RuntimeError: without a word")),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_verdict(error: Exception, expected: Verdict) -> None:
    assert verdict(error, Path("/tmp")) == expected


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space"), OSError(errno.EDQUOT, "Quota")])
def test_a_full_disk_is_named_even_where_the_folder_is_gone(error: OSError, tmp_path: Path) -> None:
    ended = verdict(error, tmp_path / "gone" / "files")
    assert isinstance(ended, Failed)
    assert ended.code == "DISK_FULL"
    assert f"No space left on the disk of {tmp_path} (" in ended.message


@pytest.mark.parametrize("ended", [expected for _, expected in CASES])
def test_a_verdict_crosses_processes(ended: Verdict) -> None:
    assert from_json(to_json(ended)) == ended
