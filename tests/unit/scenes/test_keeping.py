"""Parts that were made once: found again whole, or not at all."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from renderkiln.pipelines.scenes.keeping import Kept, PartCache

KEY = "ab" + "0" * 62
KEPT = Kept(48, 1.25, "a digest")
# Keeps its own bytes under one key, over and over, and takes whatever is there: it must be whole.
WRITER = """
import sys
from pathlib import Path
from renderkiln.pipelines.scenes.keeping import Kept, PartCache
folder, name = Path(sys.argv[1]), sys.argv[2]
cache, made, taken = PartCache(folder / "cache"), folder / f"{name}.mp4", folder / f"{name}-taken.mp4"
made.write_bytes(name.encode() * 200_000)
found = 0
for _ in range(100):
    cache.keep("ab" + "0" * 62, made, Kept(1, 1.0, None))
    if cache.take("ab" + "0" * 62, taken) is not None:
        found += 1
        assert taken.read_bytes() in (b"A" * 200_000, b"B" * 200_000)
print(found)
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "made.mp4"
    path.write_bytes(b"part" * 5000)
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_is_found_again(made: Path, tmp_path: Path) -> None:
    PartCache(tmp_path / "cache").keep(KEY, made, KEPT)
    taken = tmp_path / "taken.mp4"
    assert PartCache(tmp_path / "cache").take(KEY, taken) == KEPT
    assert taken.read_bytes() == made.read_bytes()
    assert files(tmp_path / "cache") == [f"{KEY}.json", f"{KEY}.mp4"]


def test_what_was_never_kept_is_not_found(tmp_path: Path) -> None:
    assert PartCache(tmp_path / "cache").take(KEY, tmp_path / "taken.mp4") is None
    assert files(tmp_path) == []


def test_formats_are_kept_apart(made: Path, tmp_path: Path) -> None:
    cache = PartCache(tmp_path / "cache")
    cache.keep(KEY, made, KEPT)
    assert cache.take(KEY, tmp_path / "taken.webm") is None


def test_what_is_taken_is_a_copy(made: Path, tmp_path: Path) -> None:
    cache, taken = PartCache(tmp_path / "cache"), tmp_path / "taken.mp4"
    cache.keep(KEY, made, KEPT)
    for path in (made, taken):  # FFmpeg writes into files that are there
        assert cache.take(KEY, taken) == KEPT
        path.write_bytes(b"other")
    assert cache.take(KEY, taken) == KEPT
    assert taken.read_bytes() == b"part" * 5000


@pytest.mark.parametrize("damage", [b"", b"part" * 4999, b"Part" + b"part" * 4999])
def test_a_damaged_part_is_made_anew(damage: bytes, made: Path, tmp_path: Path) -> None:
    cache, taken = PartCache(tmp_path / "cache"), tmp_path / "taken.mp4"
    cache.keep(KEY, made, KEPT)
    next((tmp_path / "cache").rglob("*.mp4")).write_bytes(damage)
    assert cache.take(KEY, taken) is None
    assert not taken.exists()
    cache.keep(KEY, made, KEPT)
    assert cache.take(KEY, taken) == KEPT


@pytest.mark.parametrize("facts", [
    b"", b"{", b"[]", b"7", b"{}", b"\xff\xfe", b'{"frames": null, "seconds": 1, "sha256": ""}',
    b'{"frames": 1e999, "seconds": 1, "sha256": ""}', b"[" * 100_000,
])  # fmt: skip
def test_damaged_facts_are_none(facts: bytes, made: Path, tmp_path: Path) -> None:
    cache = PartCache(tmp_path / "cache")
    cache.keep(KEY, made, KEPT)
    next((tmp_path / "cache").rglob("*.json")).write_bytes(facts)
    assert cache.take(KEY, tmp_path / "taken.mp4") is None


def test_using_a_part_makes_it_young(made: Path, tmp_path: Path) -> None:
    cache = PartCache(tmp_path / "cache")
    cache.keep(KEY, made, KEPT)
    for path in (tmp_path / "cache").rglob("ab*.*"):
        os.utime(path, (1e9, 1e9))
    assert cache.take(KEY, tmp_path / "taken.mp4") == KEPT
    assert all(path.stat().st_mtime > 1.5e9 for path in (tmp_path / "cache").rglob("ab*.*"))


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/none", "/dev/null"])
def test_where_nothing_can_be_kept_nothing_is(place: str, made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = PartCache(tmp_path / place)
    cache.keep(KEY, made, KEPT)
    assert cache.take(KEY, tmp_path / "taken.mp4") is None


def test_where_nothing_may_be_written_nothing_is_kept(made: Path, tmp_path: Path) -> None:
    cache = PartCache(tmp_path / "cache")
    cache.keep(KEY, made, KEPT)
    folder = tmp_path / "cache" / "ab"
    folder.chmod(0o500)
    try:
        cache.keep(KEY, made, KEPT)
        assert cache.take(KEY, tmp_path / "taken.mp4") == KEPT
    finally:
        folder.chmod(0o700)


def test_a_full_disk_leaves_nothing_half_kept(made: Path, tmp_path: Path) -> None:
    cache = PartCache(tmp_path / "cache")
    before, most = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most[1]))  # writing more fails, as on a full disk
    try:
        cache.keep(KEY, made, KEPT)
        assert cache.take(KEY, tmp_path / "taken.mp4") is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
        signal.signal(signal.SIGXFSZ, before)
    assert files(tmp_path / "cache") == []


def test_two_processes_keep_and_take_the_same_part(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE) for name in "AB"]
    told = [json.loads(writer.communicate(timeout=60)[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sum(told) > 0
    assert files(tmp_path / "cache") == [f"{KEY}.json", f"{KEY}.mp4"]
