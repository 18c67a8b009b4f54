"""Real processes, really fed, stopped, stalled and killed."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest

from peaks import most_of_a_child
from renderkiln.media.errors import FFmpegFailed, FFmpegStalled, FFmpegStopped, MediaError
from renderkiln.media.ffmpeg.command import Command, encode_frames
from renderkiln.media.ffmpeg.progress import Progress
from renderkiln.media.ffmpeg.run import Feed, feed, run

pytestmark = pytest.mark.integration
FRAME = bytes(320 * 180 * 3 // 2)


def encoding(output: Path) -> Command:
    return encode_frames(
        width=320, height=180, fps=Fraction(30), codec="h264", quality="draft", output=output
    )


def endless() -> Command:
    return Command(("-re", "-f", "lavfi", "-i", "color=size=16x16:rate=10", "-f", "null", "-"))


def write_until_it_ends(encoder: Feed) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        encoder.write(FRAME)
    raise AssertionError("it never ended")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_run_to_its_end(ffmpeg: Path, tmp_path: Path) -> None:
    film, seen = tmp_path / "film.mp4", list[Progress]()
    done = run(encoding(film), binary=ffmpeg, stdin=[FRAME] * 45, on_progress=seen.append)
    with av.open(film) as container:
        assert sum(1 for _ in container.decode(video=0)) == 45
    assert seen[-1].done
    assert seen[-1].frame == 45
    assert done.seconds > 0
    assert done.cpu_seconds > 0
    assert 5_000_000 < done.peak_bytes <= most_of_a_child(1_000_000_000)


def test_the_same_frames_give_the_same_bytes(ffmpeg: Path, tmp_path: Path) -> None:
    films = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for film in films:
        run(encoding(film), binary=ffmpeg, stdin=[FRAME] * 70)
    assert films[0].read_bytes() == films[1].read_bytes()


def test_a_failure_says_why_in_one_line(ffmpeg: Path, tmp_path: Path) -> None:
    with pytest.raises(FFmpegFailed, match="No such file or directory") as caught:
        run(encoding(tmp_path / "nowhere" / "film.mp4"), binary=ffmpeg, stdin=[FRAME] * 200)
    assert "\n" not in str(caught.value)
    assert caught.value.returncode not in (0, None)
    assert "Error opening output" in caught.value.tail


def test_stopping_ends_it_at_once(ffmpeg: Path) -> None:
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    started = time.monotonic()
    with pytest.raises(FFmpegStopped):
        run(endless(), binary=ffmpeg, stop=asked.is_set)
    assert time.monotonic() - started < 5


def test_an_error_of_stop_reaches_the_caller(ffmpeg: Path) -> None:
    def stop() -> bool:
        raise KeyError("superseded")

    with pytest.raises(KeyError, match="superseded"):
        run(endless(), binary=ffmpeg, stop=stop)


def test_an_error_of_on_progress_ends_ffmpeg(ffmpeg: Path) -> None:
    def report(progress: Progress) -> None:
        raise KeyError("cancelled")

    with pytest.raises(KeyError, match="cancelled"):
        run(endless(), binary=ffmpeg, on_progress=report)


def test_a_writer_is_freed_when_it_stops(ffmpeg: Path, tmp_path: Path) -> None:
    asked = threading.Event()
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg, stop=asked.is_set) as encoder:
        os.kill(encoder.pid, signal.SIGSTOP)  # it reads nothing more: the writer blocks
        threading.Timer(0.3, asked.set).start()
        with pytest.raises(FFmpegStopped):
            write_until_it_ends(encoder)
    assert is_gone(encoder.pid)


def test_a_stall_while_writing(ffmpeg: Path, tmp_path: Path) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg, stall_timeout=0.5) as encoder:
        os.kill(encoder.pid, signal.SIGSTOP)
        with pytest.raises(FFmpegStalled, match=r"no sign of life for 0\.5 s"):
            write_until_it_ends(encoder)
    assert is_gone(encoder.pid)


def test_a_stall_while_it_finishes(ffmpeg: Path, tmp_path: Path) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg, stall_timeout=0.5) as encoder:
        encoder.write(FRAME)
        os.kill(encoder.pid, signal.SIGSTOP)
        with pytest.raises(FFmpegStalled):
            encoder.finish()


def test_a_stall_without_input(ffmpeg: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(FFmpegStalled):
        run(Command(("-i", f"file:{fifo}", "-f", "null", "-")), binary=ffmpeg, stall_timeout=0.5)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs /proc")
def test_a_silent_reader_is_no_stall(tmp_path: Path) -> None:
    """FFmpeg says nothing while it moves the index to the front of a film of many gigabytes."""
    reader = tmp_path / "reader"
    work = "for _ in range(12): open('/dev/zero', 'rb', 0).read(9); time.sleep(0.1)"
    reader.write_text(f"#!{sys.executable}\nimport time\n{work}\n")
    reader.chmod(0o755)
    assert run(Command(()), binary=reader, stall_timeout=0.5).seconds > 1.0


def test_what_it_says_is_made_printable(ffmpeg: Path, tmp_path: Path) -> None:
    with pytest.raises(FFmpegFailed) as caught:
        run(Command(("-i", f"file:{tmp_path}/\x1b[31m\x07.mp3", "-f", "null", "-")), binary=ffmpeg)
    assert str(caught.value).isprintable()


def test_a_slow_caller_is_no_stall(ffmpeg: Path, tmp_path: Path) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg, stall_timeout=0.3) as encoder:
        encoder.write(FRAME)
        time.sleep(0.9)
        encoder.write(FRAME)
        encoder.finish()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_from_outside_is_a_failure(ffmpeg: Path, tmp_path: Path, number: signal.Signals) -> None:
    """After SIGTERM FFmpeg leaves a valid, playable, shorter film, and that must not pass for success."""
    film = tmp_path / "film.mp4"
    with feed(encoding(film), binary=ffmpeg) as encoder:
        for _ in range(60):
            encoder.write(FRAME)
        os.kill(encoder.pid, number)
        with pytest.raises(FFmpegFailed):
            write_until_it_ends(encoder)


def test_sigterm_before_the_end_of_input_is_a_failure(ffmpeg: Path, tmp_path: Path) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg) as encoder:
        for _ in range(60):
            encoder.write(FRAME)
        os.kill(encoder.pid, signal.SIGTERM)
        with pytest.raises(FFmpegFailed):
            encoder.finish()


def test_abort_from_another_thread_frees_the_writer(ffmpeg: Path, tmp_path: Path) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg) as encoder:
        os.kill(encoder.pid, signal.SIGSTOP)
        threads = [threading.Timer(0.3, encoder.abort) for _ in range(3)]
        for thread in threads:
            thread.start()
        with pytest.raises(FFmpegStopped):
            write_until_it_ends(encoder)
        for thread in threads:
            thread.join()
    assert is_gone(encoder.pid)


def test_leaving_the_block_early_leaves_no_process(ffmpeg: Path, tmp_path: Path) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg) as encoder:
        encoder.write(FRAME)
    assert is_gone(encoder.pid)


@pytest.mark.parametrize("own_group", [True, False])
def test_the_process_group(ffmpeg: Path, tmp_path: Path, own_group: bool) -> None:
    with feed(encoding(tmp_path / "film.mp4"), binary=ffmpeg, own_group=own_group, nice=5) as encoder:
        assert os.getpgid(encoder.pid) == (encoder.pid if own_group else os.getpgid(0))
        assert os.getpriority(os.PRIO_PROCESS, encoder.pid) == max(5, os.getpriority(os.PRIO_PROCESS, 0))
        encoder.abort()
    assert is_gone(encoder.pid)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_os_error(ffmpeg: Path) -> None:
    with pytest.raises(OSError, match="disk is full") as caught:
        run(encoding(Path("/dev/full")), binary=ffmpeg, stdin=[FRAME] * 300)
    assert caught.value.errno == errno.ENOSPC


def test_a_nul_in_a_tag_is_refused(ffmpeg: Path) -> None:
    with pytest.raises(MediaError, match="NUL"):
        run(Command(("-metadata", "title=a\0b")), binary=ffmpeg)


def test_a_binary_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="could not be started"):
        run(endless(), binary=tmp_path / "ffmpeg")


def test_much_talk_does_no_harm(ffmpeg: Path) -> None:
    chatty = ("-loglevel", "trace", "-f", "lavfi", "-i", "testsrc=duration=2:size=64x64", "-f", "null", "-")
    done = run(Command(chatty), binary=ffmpeg)
    assert len(done.tail) < 50_000


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_nothing_leaks(ffmpeg: Path, tmp_path: Path) -> None:
    def open_things() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def use() -> None:
        run(encoding(tmp_path / "film.mp4"), binary=ffmpeg, stdin=[FRAME])
        with pytest.raises(FFmpegFailed):
            run(Command(("-i", "file:missing", "-f", "null", "-")), binary=ffmpeg)

    use()
    before = open_things()
    for _ in range(5):
        use()
    assert open_things() == before
