"""Which attempts this process runs, and whether it still holds them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from renderkiln.database import jobs
from renderkiln.database.engine import Database
from renderkiln.database.trouble import first_line

_log = logging.getLogger(__name__)

LOOK = 0.5  # seconds: a cancelled job's FFmpeg is dead within two


class Grip:
    """Looks twice a second whether what runs here is still held, and stops what is not.

    A job is lost to whoever cancelled it, or took it over while this process was stopped. A context manager.
    """

    def __init__(self, database: Database, owner: str) -> None:
        self._database, self._owner = database, owner
        self._running: dict[tuple[str, int], threading.Event] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grip", daemon=True)

    @contextmanager
    def on(self, job_id: str, attempt: int, stop: threading.Event) -> Iterator[None]:
        """While this runs, `stop` is set when the attempt is lost. To be entered once it is held."""
        with self._lock:
            self._running[job_id, attempt] = stop
        try:
            yield
        finally:
            with self._lock:
                del self._running[job_id, attempt]

    @property
    def running(self) -> dict[tuple[str, int], threading.Event]:
        """A copy: what runs now."""
        with self._lock:
            return dict(self._running)

    def stop_all(self) -> None:
        for stop in self.running.values():
            stop.set()

    def __enter__(self) -> Grip:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            running = self.running  # before the question: what is taken after it is not missed
            if not running:
                continue
            try:
                with self._database.read() as connection:
                    held = jobs.still_held(connection, self._owner)
            except DBAPIError as error:  # it is away: nobody can have taken anything
                _log.warning("cannot see what is still held: %s", first_line(error))
                continue
            except Exception:  # noqa: BLE001  this thread must outlive whatever it meets
                _log.exception("cannot see what is still held")
                continue
            still = self.running  # what ended meanwhile is not lost
            for attempt, stop in running.items():
                if attempt not in held and attempt in still:
                    stop.set()
