"""The cache, shared by processes that crash and disks that rot."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.speech.cache import SpeechCache, key_of
from renderkiln.media.speech.contract import Speech, SpeechStopped, Word

pytestmark = pytest.mark.integration

KEY = key_of({"text": "a"})
PCM = Speech(24000, (np.arange(-500, 500) / 32768).astype(np.float32), (Word("ä", 0.0, 0.5),), 0.25)
FLOAT = Speech(48000, np.random.default_rng(1).standard_normal(1000).astype(np.float32))


def never() -> bool:
    return False


@pytest.fixture
def cache(tmp_path: Path) -> SpeechCache:
    return SpeechCache(tmp_path / "speech")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("speech", [PCM, FLOAT], ids=["pcm", "float"])
def test_what_was_put_is_got_to_the_bit(cache: SpeechCache, tmp_path: Path, speech: Speech) -> None:
    assert cache.get(KEY) is None
    cache.put(KEY, speech)
    again = cache.get(KEY)
    assert again is not None
    np.testing.assert_array_equal(again.samples, speech.samples)
    assert (again.rate, again.words, again.cost) == (speech.rate, speech.words, speech.cost)
    assert again.samples.dtype == np.float32
    assert again.samples.flags.writeable
    assert len(files(tmp_path)) == 1


def test_the_key_does_not_depend_on_order() -> None:
    assert key_of({"a": 1, "b": "ü"}) == key_of({"b": "ü", "a": 1}) != key_of({"a": 1, "b": "u"})


def test_a_use_counts(cache: SpeechCache, tmp_path: Path) -> None:
    cache.put(KEY, PCM)
    [path] = files(tmp_path)
    os.utime(path, (1, 1))
    cache.get(KEY)
    assert min(path.stat().st_atime, path.stat().st_mtime) > time.time() - 60


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-2],
        lambda whole: whole + b"\0\0",
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: b"",
        lambda whole: whole[:40],
        lambda whole: b"{}\n" + whole,
        lambda whole: b"[" * 9999 + b"\n",
        lambda whole: whole.replace(b'"format": 1', b'"format": 2'),
    ],
    ids=["short", "long", "flipped", "empty", "header", "no-fields", "nested", "future"],
)
def test_damage_is_noticed_and_made_good(cache: SpeechCache, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    cache.put(KEY, PCM)
    [path] = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    cache.put(KEY, PCM)
    assert cache.get(KEY) is not None


def test_a_crash_while_writing_leaves_no_entry(tmp_path: Path) -> None:
    program = f"""
import os
import numpy as np
from pathlib import Path
from renderkiln.media.speech import cache
from renderkiln.media.speech.contract import Speech
whole = cache._bytes
def half(speech):
    header, samples = whole(speech)
    yield header
    yield samples[:100]
    os._exit(9)
cache._bytes = half
cache.SpeechCache(Path({str(tmp_path)!r})).put({KEY!r}, Speech(8000, np.ones(9999, np.float32)))
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 9
    cache = SpeechCache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, PCM)
    assert cache.get(KEY) is not None


def test_one_makes_it_while_the_other_waits(cache: SpeechCache, tmp_path: Path) -> None:
    """Eight threads; each finds the lock free or the work done, and only one does it."""
    made = []

    def make() -> None:
        with cache.making(KEY, patience=30, stop=never):
            if cache.get(KEY) is None:
                made.append(1)
                time.sleep(0.05)  # so that the others come while it works
                cache.put(KEY, PCM)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert [path.suffix for path in files(tmp_path)] == [".speech"]


def test_a_lock_that_was_removed_meanwhile_is_no_lock(
    cache: SpeechCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder may go between our opening its file and our locking it: nobody else would see our lock."""
    real = fcntl.flock
    removed: list[Path] = []

    def flock(file: int, how: int) -> None:
        if not removed:
            removed.extend(files(tmp_path))
            removed[0].unlink()
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with cache.making(KEY, patience=5, stop=never):
        assert removed
        assert [path.suffix for path in files(tmp_path)] == [".lock"]


def test_a_process_that_dies_lets_go(cache: SpeechCache, tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
from renderkiln.media.speech.cache import SpeechCache
with SpeechCache(Path({str(tmp_path / "speech")!r})).making({KEY!r}, patience=1, stop=lambda: False):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        stops = iter([False, False, True])
        with pytest.raises(SpeechStopped), cache.making(KEY, patience=60, stop=lambda: next(stops)):
            pytest.fail("two hold it")
        started = time.monotonic()
        with cache.making(
            KEY, patience=0.2, stop=never
        ):  # impatience lets in, and takes nothing from the other
            assert 0.2 <= time.monotonic() - started < 5
        holder.kill()
    with cache.making(KEY, patience=60, stop=never):
        assert time.monotonic() - started < 30


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "speech").write_text("a file")
    cache = SpeechCache(tmp_path / "speech")
    assert cache.get(KEY) is None
    with pytest.raises(OSError, match="speech"):
        cache.put(KEY, PCM)
