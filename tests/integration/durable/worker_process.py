"""A worker as a process of its own: `python worker_process.py HOME DATABASE NAME [MOST]`. It beats fast.

Other settings come from the environment. With CLOCK_SET_BACK, its time of day is set back by so many seconds
a second after its start; with QUEUES, it draws only from these.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from renderkiln.app import Renderkiln
from renderkiln.domain.clock import SystemClock
from renderkiln.settings import Settings


class ClockSetBack(SystemClock):
    def __init__(self, seconds: float) -> None:
        self._back, self._start = timedelta(seconds=seconds), time.monotonic()

    def now(self) -> datetime:
        return super().now() - (self._back if time.monotonic() - self._start > 1.0 else timedelta())


def main() -> None:
    home, database, name, *most = sys.argv[1:]
    settings = Settings.load(home=Path(home), database=database, poll_interval=0.05, private_urls=True)
    clock = ClockSetBack(float(os.environ.get("CLOCK_SET_BACK", 0)))
    with Renderkiln(settings, clock=clock) as kiln:
        bound = int(most[0]) if most else None
        silence = float(os.environ.get("SILENCE", "2.5"))
        queues = tuple(filter(None, os.environ.get("QUEUES", "").split(",")))
        worker = kiln.room.worker(queues=queues, name=name, most=bound, grace=20, beat=0.2, silence=silence)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        worker.run()


if __name__ == "__main__":
    main()
