"""A worker as a process of its own: `python worker_process.py HOME DATABASE NAME`. It beats fast."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from renderkiln.app import Renderkiln
from renderkiln.settings import Settings


def main() -> None:
    home, database, name = sys.argv[1:]
    with Renderkiln.open(Settings(home=Path(home), database=database, poll_interval=0.05)) as kiln:
        worker = kiln.room.worker(name=name, grace=20, beat=0.2, silence=1.5)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        worker.run()


if __name__ == "__main__":
    main()
