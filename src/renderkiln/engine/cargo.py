"""What one attempt has finished, on its way to other machines, and what others have, on its way here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from renderkiln.domain.errors import Stopped
from renderkiln.engine.apart import apart
from renderkiln.engine.carrier import Carrier, Parcel
from renderkiln.engine.checkpoint import Checkpoint, FileRecord
from renderkiln.engine.context import log_of
from renderkiln.storage.errors import StorageError, Unavailable

_PATIENCE = 2.0  # seconds; a job that takes less sends nothing
_WORTH = 20e6  # bytes a second: what a stage made faster is made again sooner than it is fetched
_AT_ONCE = 4  # files that come at the same time
_SILENCE = 120.0  # seconds; a storage that says nothing for longer is given up
_LAST = 5.0  # seconds that what is not sent yet may take when the job is handed back


class Cargo:
    """`work` is the name under which the work is recorded; `folder` is where its files lie here."""

    def __init__(self, carrier: Carrier, job_id: str, work: str, folder: Path) -> None:
        self.work, self.folder = work, folder
        self.dropped = False
        self.lies_there = False  # something of this work is stored, or on its way
        self._carrier, self._log = carrier, log_of(job_id)
        self._known: set[str] = set()  # SHA-256 of what is there or on its way
        self._due = time.monotonic() + _PATIENCE

    def send(self, checkpoint: Checkpoint, seconds: float | None = None) -> None:
        """Send the files of a finished part, or of a stage that took so many seconds if they are worth it."""
        new = [each for each in _inside(checkpoint) if each.sha256 not in self._known]
        if seconds is not None and sum(each.size for each in new) > seconds * _WORTH:
            return
        for file in new:
            if self._lies(file) and self._carrier.send(Parcel(self, file, self._due)):
                self._known.add(file.sha256)
                self.lies_there = True

    def bring(
        self,
        finished: Sequence[tuple[Checkpoint, float | None]],
        stop: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        """Put what is finished and not here into the folder, as far as it is there; send what is only here.

        What is missing or damaged is left out: it is made again; all of it where the storage says nothing.
        Raises Stopped, soon.
        """
        files = {each.path: each for checkpoint, _ in finished for each in _inside(checkpoint)}
        try:
            held = apart(lambda stop: self._carrier.depot.held(self.work, stop), stop, _SILENCE)
            self.lies_there = self.lies_there or bool(held)
        except StorageError as error:
            self._log.warning("finished work of other machines cannot be asked for: %s", error)
            return
        there = [each for each in files.values() if held.get(each.sha256) == each.size]
        self._known |= {each.sha256 for each in there}
        if coming := [each for each in there if not self._lies(each)]:
            self._fetch(coming, stop, tell)
        for checkpoint, seconds in finished:
            self.send(checkpoint, seconds)

    def settle(self) -> None:
        """The job goes to another worker now: wait a moment for what is not sent yet."""
        self._carrier.settle(self, _LAST)

    def drop(self) -> None:
        """Send no more: somebody else has the job, or nobody needs it."""
        self.dropped = True
        self._carrier.drop(self)

    def _fetch(
        self, files: Sequence[FileRecord], stop: Callable[[], bool], tell: Callable[[str], None]
    ) -> None:
        whole, done, came, away = sum(each.size for each in files), 0, 0, False

        def fetch(file: FileRecord) -> bool:
            if away:
                return False
            depot = self._carrier.depot
            return apart(lambda stop: depot.fetch(self.work, self.folder, file, stop), stop, _SILENCE)

        tell("Fetching finished work")
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
            futures = {pool.submit(fetch, file): file for file in files}
            for future in as_completed(futures):
                file = futures[future]
                try:
                    fine = future.result()
                except Stopped:
                    raise
                except (StorageError, OSError) as error:
                    fine, away = False, away or isinstance(error, Unavailable)
                    self._log.warning("%s: %s", file.path, error)
                came += fine
                done += file.size
                if not fine:  # when it is made again, it shall be sent again
                    self._known.discard(file.sha256)
                tell(f"Fetching finished work, {100 * done / max(1, whole):.0f} %")
        self._log.info("%d of %d finished files came from another machine", came, len(files))

    def _lies(self, file: FileRecord) -> bool:
        """Whether it is here, by its size: whoever uses it looks closer."""
        try:
            return (self.folder / file.path).stat().st_size == file.size
        except (OSError, ValueError):
            return False


def _inside(checkpoint: Checkpoint) -> list[FileRecord]:
    """Its files that lie in the work folder: others are none of ours."""
    return [each for each in checkpoint.files.values() if not Path(each.path).is_absolute()]
