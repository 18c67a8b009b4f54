"""Real processes, really read from, stopped, stalled and killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from peaks import most_of_a_child
from renderkiln.media.errors import FFmpegFailed, FFmpegStalled, FFmpegStopped
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.process import Presence
from renderkiln.media.ffmpeg.reader import Reader

pytestmark = pytest.mark.integration
FRAME_BYTES = 640 * 360 * 3 // 2


def greys(seconds: float = 3600.0, size: str = "640x360") -> Command:
    """The luma of a frame is its number."""
    picture = f"color=size={size}:rate=10:duration={seconds},format=yuv420p,geq=lum=N:cb=128:cr=128"
    return Command(("-f", "lavfi", "-i", picture, "-f", "rawvideo", "pipe:1"))


def read_to_the_end(reader: Reader) -> int:
    frame, count, deadline = bytearray(FRAME_BYTES), 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not reader.read_into(frame):
            return count
        count += 1
    raise AssertionError("it never ended")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_frames_one_after_the_other(ffmpeg: Path) -> None:
    frame = bytearray(FRAME_BYTES)
    with Reader(greys(0.5), binary=ffmpeg) as reader:
        for number in range(5):
            assert reader.read_into(frame)
            assert set(frame[: 640 * 360]) == {number}
        assert not reader.read_into(frame)
        assert not reader.read_into(frame)
    cpu, peak = reader.usage
    assert cpu > 0
    assert 5_000_000 < peak <= most_of_a_child(1_000_000_000)


def test_a_failure_says_why(ffmpeg: Path) -> None:
    command = Command(("-i", "file:missing", "-f", "rawvideo", "pipe:1"))
    with (
        Reader(command, binary=ffmpeg) as reader,
        pytest.raises(FFmpegFailed, match="No such file or directory") as caught,
    ):
        reader.read_into(bytearray(FRAME_BYTES))
    assert (caught.value.returncode or 0) > 0


def test_an_end_within_a_frame_is_a_failure(ffmpeg: Path) -> None:
    with (
        Reader(greys(0.5, "64x360"), binary=ffmpeg) as reader,
        pytest.raises(FFmpegFailed, match="within a frame"),
    ):
        read_to_the_end(reader)


@pytest.mark.parametrize("read", [0, 1])
def test_leaving_early_is_silent_and_quick(read: int, ffmpeg: Path) -> None:
    heard: list[tuple[int, Presence]] = []
    with Reader(greys(), binary=ffmpeg, on_process=lambda *said: heard.append(said)) as reader:
        for _ in range(read):
            assert reader.read_into(bytearray(FRAME_BYTES))
        left = time.monotonic()
    assert time.monotonic() - left < 1
    assert is_gone(reader.pid)
    assert heard == [(reader.pid, "running"), (reader.pid, "gone")]


def test_stopping_frees_the_reader(ffmpeg: Path) -> None:
    asked = threading.Event()
    with Reader(greys(), binary=ffmpeg, stop=asked.is_set) as reader:
        os.kill(reader.pid, signal.SIGSTOP)
        threading.Timer(0.2, asked.set).start()
        with pytest.raises(FFmpegStopped):
            read_to_the_end(reader)
    assert is_gone(reader.pid)


def test_a_stall_while_reading(ffmpeg: Path) -> None:
    with Reader(greys(), binary=ffmpeg, stall_timeout=0.4) as reader:
        os.kill(reader.pid, signal.SIGSTOP)
        with pytest.raises(FFmpegStalled, match=r"no sign of life for 0\.4 s"):
            read_to_the_end(reader)


def test_a_stall_after_the_last_frame(tmp_path: Path) -> None:
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nexec >&-\nexec sleep 60\n")
    hangs.chmod(0o755)
    with Reader(Command(()), binary=hangs, stall_timeout=0.4) as reader, pytest.raises(FFmpegStalled):
        read_to_the_end(reader)


def test_a_slow_caller_is_no_stall(ffmpeg: Path) -> None:
    with Reader(greys(3), binary=ffmpeg, stall_timeout=0.3) as reader:
        assert reader.read_into(bytearray(FRAME_BYTES))
        time.sleep(0.8)
        assert read_to_the_end(reader) == 29


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_from_outside_is_a_failure(number: signal.Signals, ffmpeg: Path) -> None:
    with Reader(greys(), binary=ffmpeg) as reader:
        assert reader.read_into(bytearray(FRAME_BYTES))
        os.kill(reader.pid, number)
        with pytest.raises(FFmpegFailed):
            read_to_the_end(reader)


def test_the_process_group(ffmpeg: Path) -> None:
    with Reader(greys(), binary=ffmpeg, own_group=False, nice=5) as reader:
        assert os.getpgid(reader.pid) == os.getpgid(0)
        assert os.getpriority(os.PRIO_PROCESS, reader.pid) == max(5, os.getpriority(os.PRIO_PROCESS, 0))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_nothing_leaks(ffmpeg: Path) -> None:
    def open_things() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def use() -> None:
        with Reader(greys(0.2), binary=ffmpeg) as reader:
            read_to_the_end(reader)
        with Reader(greys(), binary=ffmpeg) as reader:
            reader.read_into(bytearray(FRAME_BYTES))

    use()
    before = open_things()
    for _ in range(4):
        use()
    assert open_things() == before
