"""A process with limits that draws a picture while somebody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renderkiln.domain.errors import Stopped, UsageError
from renderkiln.engine.confinement import TooSlow
from renderkiln.engine.stage_process import ForkServer, Message, StageProcess


@dataclass(frozen=True)
class Artist:
    """Its process is forked from `server`, which has loaded what is needed after the first time.

    `module` is what runs there: it sends one message, of the kind "drawn", or "refused" with an error.
    """

    server: ForkServer
    module: str
    preload: Sequence[str]
    seconds: float  # that drawing may take

    def draw(self, work: Mapping[str, Any], stop: threading.Event, *, nice: int, slow: str) -> Message:
        """What it tells of the picture. Raises UsageError for what is refused; TooSlow, with the words
        `slow`, where its limits end it; and Stopped soon after `stop` was set.
        """
        said: list[Message] = []
        with StageProcess(
            self.server,
            work,
            log=2,
            nice=nice,
            silence=self.seconds,
            module=self.module,
            preload=tuple(self.preload),
        ) as process:
            process.run(said.append, stop)
        if stop.is_set():
            raise Stopped("nobody waits for the picture any more")
        match said[-1] if said else {}:
            case {"kind": "drawn"} as told:
                return told
            case {"kind": "refused", "error": error}:
                raise UsageError(error)
        raise TooSlow(slow)
