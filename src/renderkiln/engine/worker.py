"""A worker process: draws tickets from its queues, runs attempts, watches the others, ends in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext

from sqlalchemy.exc import DBAPIError

from renderkiln.database import jobs, workers
from renderkiln.database.trouble import first_line
from renderkiln.database.workers import NewWorker
from renderkiln.domain.queue import UPLOADS
from renderkiln.engine.attempt import AttemptRun
from renderkiln.engine.caretaker import Caretaker
from renderkiln.engine.courier import Courier
from renderkiln.engine.grip import Grip
from renderkiln.engine.heartbeat import BEAT, SILENCE, Heartbeat
from renderkiln.engine.house import House
from renderkiln.engine.narrator import Listener
from renderkiln.engine.persist import persist
from renderkiln.engine.retention import Retention
from renderkiln.engine.stand_in import AT_ONCE, StandIn, stands_in
from renderkiln.engine.stranded import PATIENCE, Stranded
from renderkiln.engine.strays import Strays
from renderkiln.engine.takeover import CRASHES, Takeover
from renderkiln.engine.tickets import Drawing, Places, Tickets

_log = logging.getLogger(__name__)

GRACE = 30.0  # seconds that running attempts have to end by themselves before they are handed back
_KEPT = "what is finished is kept: a retry goes on there"
_TICK = 0.1
_HANDING_BACK = 10.0  # seconds that handing back may take


class Worker:
    """`run()` ends after `stop()`, or after `idle_timeout` seconds without work (0: never). Use it once.

    `limits` maps its queues to how many of their jobs it runs at once; `most` is over all of them (None: as
    the queues allow). `listen` hears every event of its jobs, from several threads. A job that costs its
    `crashes`-th worker is failed. `patience` is that of `Stranded`. `courier` delivers what happens, beside
    the jobs and not counted with them.
    """

    def __init__(
        self,
        house: House,
        tickets: Tickets,
        worker: NewWorker,
        *,
        retention: Retention,
        limits: Mapping[str, int],
        courier: Courier | None = None,
        most: int | None = None,
        listen: Listener | None = None,
        crashes: int = CRASHES,
        grace: float = GRACE,
        idle_timeout: float = 0.0,
        beat: float = BEAT,
        silence: float = SILENCE,
        patience: float = PATIENCE,
    ) -> None:
        self._house, self._tickets, self._worker = house, tickets, worker
        self._caretaker = Caretaker(lambda: retention, house.clock)
        self._courier = courier
        self._limits, self._most, self._listen, self._crashes = limits, most, listen, crashes
        self._grace, self._idle_timeout = grace, idle_timeout
        self._beat, self._silence, self._patience = beat, silence, patience
        self._stopping, self._hurry = threading.Event(), threading.Event()
        self._leaving = threading.Event()  # what is stopped from now on is handed back
        self._grip = Grip(house.database, house.owner)
        self._drawn: set[tuple[str, int]] = set()
        self._drawing = threading.Lock()
        self._busy_at = house.clock.monotonic()

    def run(self) -> None:
        """Until it is stopped."""
        house = self._house
        takeover = Takeover(house.database, self._tickets, house.clock, house.owner, self._crashes)
        strays = Strays(
            house.database,
            self._tickets,
            house.clock,
            house.owner,
            running=lambda: set(self._drawn),
            at=lambda: set(drawing.running),
        )

        stranded = Stranded(
            house.database, self._tickets, house.clock, house.owner, house.host, self._patience
        )

        places = self._places()
        stand_in = StandIn(house.database, house.host, places) if stands_in(self._limits) else None

        def sweep(dead: set[str]) -> None:
            if stand_in is not None:
                stand_in.look()
            takeover(dead)
            strays.look()
            stranded.look()

        drawing = Drawing(house.database.engine, house.owner, house.host, places, self._draw)
        heartbeat = Heartbeat(
            house.database,
            house.clock,
            self._worker,
            sweep=sweep,
            interval=self._beat,
            silence=self._silence,
        )
        carrier = house.carrier or nullcontext()
        with heartbeat, self._grip, self._caretaker, carrier, self._courier or nullcontext():
            drawing.start()
            self._work(heartbeat)
            self._stopping.set()  # also after idling
            if self._courier is not None:
                self._courier.stop()
            self._say_that_it_drains()
            patience = threading.Thread(target=self._hand_back_after_grace, daemon=True)
            patience.start()
            drawing.stop(patience=self._grace + _HANDING_BACK)
            if self._courier is not None:
                self._courier.finish(0.0 if self._hurry.is_set() else self._grace)

    def stop(self) -> None:
        """Draw no more, and end when the running attempts have; the second call hands them back at once."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    @property
    def announced(self) -> NewWorker:
        """As it stands on the list of workers."""
        return self._worker

    @property
    def stopping(self) -> bool:
        """Whether it takes no more jobs."""
        return self._stopping.is_set()

    @property
    def running(self) -> list[str]:
        """Ids of the jobs that run now."""
        return [job_id for job_id, _ in self._grip.running]

    def _places(self) -> Places:
        if not stands_in(self._limits):
            return Places(self._limits, self._most)
        places = Places({**self._limits, UPLOADS: AT_ONCE}, self._most)
        places.close(UPLOADS)  # until it is known that nobody else is there
        return places

    def _work(self, heartbeat: Heartbeat) -> None:
        while not self._stopping.wait(_TICK):
            now = self._house.clock.monotonic()
            delivering = self._courier is not None and self._courier.is_busy
            if self._grip.running or delivering or not heartbeat.knows_everyone:  # a dead one may leave work
                self._busy_at = now
            elif self._idle_timeout and now - self._busy_at > self._idle_timeout:
                _log.info("idle for %.0f s: ending", now - self._busy_at)
                return

    def _say_that_it_drains(self) -> None:
        try:
            with self._house.database.write() as connection:
                workers.drain(connection, self._worker.id)
        except DBAPIError as error:  # that the database is away ends no job
            _log.warning("the others do not know that this worker ends: %s", first_line(error))

    def _hand_back_after_grace(self) -> None:
        self._hurry.wait(self._grace)
        self._leaving.set()
        while True:  # also what a ticket drawn at the last moment begins
            self._grip.stop_all()
            time.sleep(_TICK)

    def _draw(self, job_id: str, attempt: int) -> None:
        """A ticket was drawn. What goes wrong here is logged: DBOS has nothing to know about it."""
        try:
            if not self._begin(job_id, attempt):
                return
            try:
                self._run(job_id, attempt)
            finally:
                self._drawn.discard((job_id, attempt))
        except Exception:
            _log.exception("attempt %d of job %s could not be brought to an end", attempt, job_id)
            raise

    def _begin(self, job_id: str, attempt: int) -> bool:
        """Whether the ticket is good. One run at a time is at an attempt.

        A run that lost its job while this process was stopped may still be ending. Took this process the job
        again meanwhile, its writes would count: they are known by attempt and owner.
        """
        while True:
            with self._drawing:
                if (job_id, attempt) not in self._drawn:
                    self._drawn.add((job_id, attempt))
                    return True
            if not self._waits(job_id):  # it is run, by us or by somebody else
                return False
            time.sleep(_TICK)

    def _waits(self, job_id: str) -> bool:
        house = self._house
        stored = persist(house.database, house.clock, lambda connection: jobs.find(connection, job_id))
        return stored is not None and stored.report.state == "pending"

    def _run(self, job_id: str, attempt: int) -> None:
        AttemptRun(
            self._house,
            job_id,
            attempt,
            write_ticket=self._tickets.write,
            stop=threading.Event(),
            holding=self._grip.on,
            kept=_KEPT,
            hand_back=self._leaving.is_set,
            listen=self._listen,
        ).run()
