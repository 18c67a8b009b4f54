"""Renderkiln as an older version of itself: `python old_version.py HOME DATABASE OUTPUT NOTE...`.

It queues a job for each note and says their ids, one a line; then it goes on as a worker.
"""

from __future__ import annotations

import sys
from pathlib import Path

import renderkiln

renderkiln.__version__ = "0.0.9"  # before anything reads it

from renderkiln.app import Renderkiln  # noqa: E402
from renderkiln.engine.submission import Submission  # noqa: E402
from renderkiln.settings import Settings  # noqa: E402


def main() -> None:
    home, database, output, *notes = sys.argv[1:]
    settings = Settings(home=Path(home), database=database, poll_interval=0.05, video_rendering=1)
    with Renderkiln.open(settings) as kiln:
        batch = kiln.new_batch()
        params = {"segments": 3, "seconds": 0.5, "pace": True}
        jobs = [
            kiln.job("demo_pipeline:Demo", Path(note), params, batch_id=batch, item_id=Path(note).name)
            for note in notes
        ]
        kiln.room.submit(Submission(batch, jobs, Path(output)))
        print(*(job.id for job in jobs), sep="\n", flush=True)
        kiln.room.worker(name="old").run()


if __name__ == "__main__":
    main()
