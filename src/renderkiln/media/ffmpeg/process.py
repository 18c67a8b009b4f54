"""One FFmpeg process: its birth, its errors, and its end, whoever wishes it.

A thread drains what it prints and another watches for a stall or a wish to stop, so that a caller blocked in
a pipe is always freed: whoever ends the process breaks the pipe.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, NoReturn, Self

from renderkiln.media.errors import FFmpegFailed, FFmpegStalled, FFmpegStopped, MediaError
from renderkiln.media.ffmpeg.command import Command

Presence = Literal["running", "gone"]

PIPE_BYTES = 1 << 20
STALL_TIMEOUT = 60.0
TICK = 0.1  # seconds between two looks
_TAIL_LINES, _LINE_BYTES = 40, 1000
_QUIETLY = ("-hide_banner", "-nostats", "-loglevel", "warning")
_SPEAKER = re.compile(r"^(\[[^\]]*(@ 0x[0-9a-f]+|enc:[^\]]*)\]\s*)+")
_ENVIRONMENT = {
    "SVT_LOG": "1",  # SVT-AV1 ignores -loglevel; 1 is errors only
    "MALLOC_ARENA_MAX": "1",  # a heap for each of its threads would be megabytes of holes
    "MALLOC_TRIM_THRESHOLD_": "1000000",  # what it frees goes back: x264 at 1080p holds 145 MB instead of 160
}
_AFTERMATH = (
    "Conversion failed",
    "Could not open encoder before EOF",
    "Error opening input file",
    "Error opening output file -",
    "Error opening output file file:",
    "Error opening output files",
    "Error selecting an encoder",
    "Error sending frames to consumers",
    "Error while opening encoder",
    "Nothing was written into output file",
    "Setting chroma position directly",  # deprecated, and there is no other way yet
    "Task finished with error code",
    "Terminating thread with return code",
    "To ignore this",
)


class Process:
    """What `Feed` and `Reader` have in common. A context manager that leaves no process behind.

    `reads` says whether FFmpeg is fed through its stdin. What else is asked of FFmpeg, such as reports of
    progress, is in `arguments`.
    """

    def __init__(
        self,
        command: Command,
        *,
        binary: Path,
        stop: Callable[[], bool] | None = None,
        stall_timeout: float = STALL_TIMEOUT,
        own_group: bool = True,
        nice: int = 0,
        on_process: Callable[[int, Presence], None] | None = None,
        reads: bool = False,
        arguments: Sequence[str] = (),
    ) -> None:
        self._stop = stop
        self._stall_timeout = stall_timeout
        self._own_group = own_group
        self._on_process = on_process or (lambda _pid, _presence: None)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._verdict: BaseException | None = None  # why the process was ended
        self._lock = threading.Lock()  # between reaping and killing: a reaped pid may be someone else's
        self._ended = threading.Event()
        self._waiting = False  # for FFmpeg; while FFmpeg waits for its caller, nothing stalls
        self._started = self._last_sign = time.monotonic()
        self._read_bytes: str | None = None
        self._usage: tuple[float, int] = (0.0, 0)
        self._high_water = 0  # bytes
        self._process = _start(command, binary, arguments, own_group=own_group, reads=reads)
        if nice:
            with contextlib.suppress(OSError):  # it may have ended already
                os.setpriority(os.PRIO_PROCESS, self._process.pid, nice)
        self._threads: list[threading.Thread] = []
        for task in (self._read_errors, self._watch):
            self._start_thread(task)

    def abort(self) -> None:
        """Kill FFmpeg and wait until it is gone; any thread may call, and a caller at its pipe is freed.

        That one hears FFmpegStopped. Harmless when it has ended already.
        """
        self._verdict = self._verdict or FFmpegStopped("FFmpeg was stopped")
        self._kill()
        self._reap()

    @property
    def pid(self) -> int:
        """FFmpeg's process id."""
        return self._process.pid

    @property
    def tail(self) -> str:
        """The last lines FFmpeg printed."""
        return "\n".join(self._tail)

    @property
    def usage(self) -> tuple[float, int]:
        """Seconds of CPU and the most bytes of memory it has used; zeros until it has ended."""
        return self._usage

    def __enter__(self) -> Self:
        self._on_process(self.pid, "running")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
        self._on_process(self.pid, "gone")
        self._close_stdin()  # here and not in `abort`: another thread may be writing to it
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _start_thread(self, task: Callable[[], None]) -> threading.Thread:
        """Run `task` until FFmpeg has ended."""
        thread = threading.Thread(target=task, name=f"ffmpeg-{task.__name__}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _kill(self) -> None:
        with self._lock:
            if self._process.returncode is None:
                kill = os.killpg if self._own_group else os.kill
                with contextlib.suppress(ProcessLookupError):
                    kill(self._process.pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Wait for the end of the process and of its threads, once."""
        pid = self._process.pid
        if self._process.returncode is None:
            with contextlib.suppress(ChildProcessError):  # another thread was faster
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            if self._process.returncode is None:
                _, status, usage = os.wait4(pid, 0)
                scale = 1 if sys.platform == "darwin" else 1024
                # ru_maxrss also counts what this process had in memory at the moment of the fork.
                peak = self._high_water or usage.ru_maxrss * scale
                self._usage = (usage.ru_utime + usage.ru_stime, peak)
                self._process.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _wait_for_ffmpeg(self) -> None:
        self._last_sign = time.monotonic()
        self._waiting = True

    def _close_stdin(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in lines(self._process.stderr):
            self._tail.append(line)

    def _watch(self) -> None:
        """End the process when it stalls or when the caller wishes it."""
        while not self._ended.wait(TICK):
            verdict = self._judge()
            if verdict is not None:
                self._verdict = self._verdict or verdict  # `abort` may have spoken meanwhile
                self._kill()
                return

    def _judge(self) -> BaseException | None:
        try:
            if self._stop is not None and self._stop():
                return FFmpegStopped("FFmpeg was stopped")
        except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
            return error
        self._high_water = max(self._high_water, _high_water(self.pid))
        if self._still_reads():
            self._last_sign = time.monotonic()
        if self._waiting and time.monotonic() - self._last_sign > self._stall_timeout:
            message = f"FFmpeg showed no sign of life for {self._stall_timeout:g} s and was ended"
            return FFmpegStalled(message, tail=self.tail)
        return None

    def _still_reads(self) -> bool:
        """Whether it has read anything since the last look (Linux): it moves a large index silently."""
        try:
            counters = Path(f"/proc/{self.pid}/io").read_text()
        except OSError:
            return False
        before, self._read_bytes = self._read_bytes, counters.partition("\n")[0]
        return before != self._read_bytes

    def _raise_unless_well(self) -> None:
        """To be called when it has ended."""
        if self._verdict or self._process.returncode != 0 or self._disk_full:
            self._raise_failure()

    @property
    def _disk_full(self) -> bool:
        return os.strerror(errno.ENOSPC) in self.tail

    def _raise_failure(self) -> NoReturn:
        if self._verdict is not None:
            raise self._verdict
        if self._disk_full:
            raise OSError(errno.ENOSPC, "the disk is full: FFmpeg could not write its output")
        status = self._process.returncode
        ended = f"was killed by signal {-status}" if status < 0 else f"failed (exit {status})"
        raise FFmpegFailed(f"FFmpeg {ended}: {_last_words(self._tail)}", tail=self.tail, returncode=status)


def _start(
    command: Command, binary: Path, arguments: Sequence[str], *, own_group: bool, reads: bool
) -> subprocess.Popen[bytes]:
    stdin = () if reads else ("-nostdin",)
    try:
        return subprocess.Popen(
            [str(binary), *_QUIETLY, *arguments, *stdin, *command.args],
            stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0 if own_group else None,
            env={**os.environ, **_ENVIRONMENT},
        )
    except OSError as error:
        raise MediaError(f"{binary} could not be started: {error.strerror}") from None
    except ValueError:  # a NUL byte cannot be passed to a program
        raise MediaError("a name or tag holds a NUL character, which no program can be given") from None


def widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold 1 MiB: a process that passes frames on is then seldom woken."""
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # over the user's limit: slower, but it works
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _high_water(pid: int) -> int:
    """Most bytes of memory that a process has held since it was executed; 0 where nobody tells it."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith(b"VmHWM")), b"VmHWM: 0 kB")
    return int(line.split()[1]) * 1024


def lines(pipe: IO[bytes]) -> Iterator[str]:
    """Lines of a pipe as they come, each cut at a bound: FFmpeg may print endless ones."""
    rest = b""
    while chunk := os.read(pipe.fileno(), 65536):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        rest = rest[:_LINE_BYTES]
        for line in whole:
            if line.strip():
                yield line[:_LINE_BYTES].decode(errors="replace").rstrip()
    if rest.strip():
        yield rest.decode(errors="replace").rstrip()


def _last_words(tail: Iterable[str]) -> str:
    """The end of what FFmpeg printed, as one line for people, without what only follows from the cause."""
    words = [_SPEAKER.sub("", line).strip() for line in tail]
    causes = [line for line in words if not line.startswith(_AFTERMATH)] or words
    said = "; ".join(causes[-2:])[-400:] or "it said nothing"
    return "".join(letter if letter.isprintable() else "�" for letter in said)
