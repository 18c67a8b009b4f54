"""Runs one FFmpeg command that writes files: feeds it, and listens to how far it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.process import STALL_TIMEOUT, TICK, Presence, Process, lines, widen
from renderkiln.media.ffmpeg.progress import Progress, parse

_REPORT = ("-progress", "pipe:1", "-stats_period", "0.2")


@dataclass(frozen=True)
class Finished:
    """How a run ended well."""

    seconds: float  # wall time
    cpu_seconds: float
    peak_bytes: int
    tail: str  # the last lines of stderr


def run(
    command: Command,
    *,
    binary: Path,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
    own_group: bool = True,
    nice: int = 0,
    on_process: Callable[[int, Presence], None] | None = None,
    stdin: Iterable[bytes | memoryview] | None = None,
) -> Finished:
    """Run `command` to its end; only exit status 0 is success, since a stopped FFmpeg leaves a valid file.

    `on_progress` is called in this thread and may raise, which ends FFmpeg; `stop` is asked ten times a
    second from another thread; `on_process` hears FFmpeg's process id when it runs and when it is gone.
    Raises FFmpegFailed, FFmpegStalled, FFmpegStopped, and OSError (ENOSPC) when the disk is full.
    """
    with Feed(
        command,
        binary=binary,
        on_progress=on_progress,
        stop=stop,
        stall_timeout=stall_timeout,
        own_group=own_group,
        nice=nice,
        on_process=on_process,
        reads_stdin=stdin is not None,
    ) as running:
        for data in stdin or ():
            running.write(data)
        return running.finish()


def feed(
    command: Command,
    *,
    binary: Path,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
    own_group: bool = True,
    nice: int = 0,
    on_process: Callable[[int, Presence], None] | None = None,
) -> Feed:
    """Start `command` to feed it by hand: enter it, `write` what it shall read, then `finish`.

    Leaving the block without `finish` kills FFmpeg. Arguments and errors as for `run`.
    """
    return Feed(
        command,
        binary=binary,
        on_progress=on_progress,
        stop=stop,
        stall_timeout=stall_timeout,
        own_group=own_group,
        nice=nice,
        on_process=on_process,
        reads_stdin=True,
    )


class Feed(Process):
    """One FFmpeg process that is fed. Made by `feed`; a context manager that leaves no process behind."""

    def __init__(
        self,
        command: Command,
        *,
        binary: Path,
        on_progress: Callable[[Progress], None] | None,
        stop: Callable[[], bool] | None,
        stall_timeout: float,
        own_group: bool,
        nice: int,
        on_process: Callable[[int, Presence], None] | None,
        reads_stdin: bool,
    ) -> None:
        super().__init__(
            command,
            binary=binary,
            stop=stop,
            stall_timeout=stall_timeout,
            own_group=own_group,
            nice=nice,
            on_process=on_process,
            reads=reads_stdin,
            arguments=_REPORT,
        )
        widen(self._process.stdin)
        self._on_progress = on_progress
        self._reports: deque[Progress] = deque(maxlen=1)  # only the newest matters
        self._listener = self._start_thread(self._read_progress)

    def write(self, data: bytes | memoryview) -> None:
        """Hand over bytes; blocks while FFmpeg is busy. Raises as `run` does when FFmpeg has ended."""
        assert self._process.stdin is not None
        view = memoryview(data).cast("B")
        self._wait_for_ffmpeg()
        try:
            while view:
                view = view[self._process.stdin.write(view) :]
                self._last_sign = time.monotonic()
        except BrokenPipeError:
            self._reap()
            self._raise_failure()
        finally:
            self._waiting = False
        self._report()

    def finish(self) -> Finished:
        """Close FFmpeg's input, wait for its end and say how it went. Raises as `run` does."""
        self._close_stdin()
        self._wait_for_ffmpeg()
        while self._listener.is_alive():  # it reads progress until FFmpeg ends
            self._listener.join(TICK)
            self._report()
        self._report()  # the last one may have come between a look and the end
        self._reap()
        self._raise_unless_well()
        cpu, peak = self.usage
        return Finished(time.monotonic() - self._started, cpu, peak, self.tail)

    def _report(self) -> None:
        if self._on_progress and self._reports:
            self._on_progress(self._reports.pop())

    def _read_progress(self) -> None:
        assert self._process.stdout is not None
        reached: tuple[int | None, float | None, int | None] | None = None
        for report in parse(lines(self._process.stdout)):
            self._reports.append(report)
            if reached != (reached := (report.frame, report.seconds, report.size)):
                self._last_sign = time.monotonic()
