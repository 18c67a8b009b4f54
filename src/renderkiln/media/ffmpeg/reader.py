"""Reads what one FFmpeg command writes to its stdout: raw frames."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import cast

from renderkiln.media.errors import FFmpegFailed
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.process import STALL_TIMEOUT, Presence, Process, widen


class Reader(Process):
    """One FFmpeg process that is read from: enter it, and `read_into` until there is no more, or enough.

    Leaving the block before the end kills FFmpeg, and that is no failure. `stop` is asked ten times a second
    from another thread; `on_process` hears FFmpeg's process id when it runs and when it is gone.
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
    ) -> None:
        super().__init__(
            command,
            binary=binary,
            stop=stop,
            stall_timeout=stall_timeout,
            own_group=own_group,
            nice=nice,
            on_process=on_process,
        )
        widen(self._process.stdout)

    def read_into(self, buffer: memoryview | bytearray) -> bool:
        """Fill `buffer`, contiguous and as large as one frame; False when FFmpeg has ended well before it.

        Blocks while FFmpeg is busy. Raises FFmpegFailed when FFmpeg failed or its output ends within a frame,
        FFmpegStalled, and FFmpegStopped.
        """
        view = memoryview(buffer).cast("B")
        self._wait_for_ffmpeg()
        try:
            missing = self._fill(view)
            if not missing:
                return True
            self._reap()
        finally:
            self._waiting = False
        self._raise_unless_well()
        if missing < len(view):
            raise FFmpegFailed("FFmpeg ended within a frame", tail=self.tail, returncode=0)
        return False

    def _fill(self, view: memoryview) -> int:
        """Read until `view` is full or FFmpeg has closed its output; how many bytes are missing then."""
        output = cast("FileIO", self._process.stdout)
        while view and (count := output.readinto(view)):
            view = view[count:]
            self._last_sign = time.monotonic()
        return len(view)
