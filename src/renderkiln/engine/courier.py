"""Delivers what happened to webhooks and handlers: the work of the queue event-processing in a worker."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from renderkiln.database import deliveries, handlers, webhooks
from renderkiln.database.deliveries import StoredDelivery
from renderkiln.database.engine import Database
from renderkiln.database.trouble import first_line
from renderkiln.domain.clock import Clock
from renderkiln.engine.errand import Errands, Outcome, conclude
from renderkiln.engine.persist import persist

_log = logging.getLogger(__name__)

_PATIENCE = 60.0  # seconds that writing down an outcome waits for a database that is away
_KNOWN_FOR = 3600.0  # seconds after which it is said again which handlers are here
_LOST_AFTER = 30.0  # seconds between two looks for what stands as ours and is not
_TROUBLED = 2.0  # seconds until the next look after one that failed


@dataclass(frozen=True)
class Room:
    """How many deliveries may run at once: here, and over all workers (None: any number)."""

    here: int
    over_all: int | None = None


class Courier:
    """A context manager. Looks every `polling` seconds for what is due, and delivers it from threads.

    `room` says how much may run now. `installed` are the types of events that have a handler here: it takes
    those of no others, and lets all know who write events. `owner` must be on the list of workers while this
    is entered: what it has claimed is free again when it is not.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        errands: Errands,
        room: Callable[[sa.Connection], Room],
        installed: Collection[str],
        *,
        polling: float,
    ) -> None:
        self._database, self._clock, self._owner = database, clock, owner
        self._errands, self._room, self._polling = errands, room, polling
        self._installed = installed
        self._known: float | None = None  # since when it is known which these are
        self._running: dict[str, tuple[str | None, threading.Thread]] = {}  # by delivery: its webhook
        self._lock = threading.Lock()
        self._over, self._look = threading.Event(), threading.Event()
        self._looked = clock.monotonic()  # for what is lost
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    @property
    def is_busy(self) -> bool:
        """Whether something is being delivered."""
        return bool(self._running)

    def stop(self) -> None:
        """Take no more; what is being delivered goes on."""
        self._over.set()
        self._look.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(timeout=5)

    def finish(self, seconds: float) -> None:
        """Wait for what is being delivered, up to so long; what is left is delivered again by others."""
        end = self._clock.monotonic() + seconds
        for _, thread in list(self._running.values()):
            thread.join(timeout=max(0.0, end - self._clock.monotonic()))

    def _run(self) -> None:
        while not self._over.is_set():
            wait = self._polling
            self._look.clear()
            try:
                self._take()
            except DBAPIError as error:
                _log.warning("cannot see what is to be delivered: %s", first_line(error))
                wait = _TROUBLED
            except Exception:  # noqa: BLE001  this thread must outlive whatever it meets
                _log.exception("cannot deliver what happened")
                wait = _TROUBLED
            self._look.wait(wait)  # until then, or until something has ended

    def _take(self) -> None:
        now = self._clock.now()
        self._say_what_is_installed(now)
        self._give_back_what_is_lost()
        busy = Counter(webhook for webhook, _ in list(self._running.values()) if webhook is not None)
        with self._database.read() as connection:
            room = self._room(connection)
            free, share = room.here - len(self._running), max(1, room.here // 2)
            if free <= 0:
                return
            full = [webhook for webhook, number in busy.items() if number >= share]
            to = deliveries.targets(connection, now, handlers=self._installed, full=full, limit=free)
        if not to:
            return
        with self._database.write() as connection:
            claimed = deliveries.claim(
                connection, now, self._owner, to, limit=free, share=share, over_all=room.over_all, busy=busy
            )
        for each in claimed:
            thread = threading.Thread(target=self._deliver, args=(each,), name=each.id, daemon=True)
            with self._lock:
                self._running[each.id] = (each.webhook_id, thread)
            try:
                thread.start()
            except RuntimeError:  # there can be no more threads: the next look gives it back
                with self._lock:
                    del self._running[each.id]
                raise

    def _say_what_is_installed(self, now: datetime) -> None:
        if self._known is not None and self._clock.monotonic() - self._known < _KNOWN_FOR:
            return
        with self._database.write() as connection:
            handlers.note(connection, self._installed, now)
        self._known = self._clock.monotonic()

    def _give_back_what_is_lost(self) -> None:
        """What stands as ours and is not: a claim or an end whose word was lost with the database.

        Only this thread claims, so what does not run when it looks was not begun.
        """
        if self._clock.monotonic() - self._looked < _LOST_AFTER:
            return
        self._looked = self._clock.monotonic()
        with self._lock:
            at = list(self._running)
        with self._database.write() as connection:
            deliveries.give_back(connection, self._owner, besides=at)

    def _deliver(self, delivery: StoredDelivery) -> None:
        try:
            webhook = None
            if delivery.webhook_id is not None:
                with self._database.read() as connection:
                    webhook = webhooks.find(connection, delivery.webhook_id)
            outcome = self._errands.run(delivery, webhook, self._clock.now())
            now = self._clock.now()
            persist(
                self._database,
                self._clock,
                lambda connection: conclude(connection, delivery, self._owner, outcome, now),
                patience=_PATIENCE,
            )
        except Exception:  # noqa: BLE001  what is claimed must be brought to an end
            _log.exception("the delivery %s could not be brought to an end", delivery.id)
            self._let_go(delivery)
        finally:
            with self._lock:
                del self._running[delivery.id]
            self._look.set()

    def _let_go(self, delivery: StoredDelivery) -> None:
        """What nobody foresaw counts as a try: else it would be tried for ever, at once."""
        failed = Outcome("something is broken here; the log of the worker says what")
        try:
            with self._database.write() as connection:
                conclude(connection, delivery, self._owner, failed, self._clock.now())
        except DBAPIError as error:  # given back by a later look
            _log.warning("the delivery %s is left as it is: %s", delivery.id, first_line(error))
