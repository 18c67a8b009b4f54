"""Finds jobs that nobody would come for, and lets somebody come.

There should be none. They come from what nobody foresaw: an error between drawing a ticket and taking its
job, or between the end of an attempt and writing it down. A ticket too many does no harm, so in doubt one is
written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from renderkiln.database import attempts, dependencies, jobs, moves
from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import Superseded
from renderkiln.engine.announce import tell
from renderkiln.engine.ticket import Ticket
from renderkiln.engine.tickets import TicketId, Tickets

_log = logging.getLogger(__name__)

_EVERY = 300.0  # seconds between two looks for jobs without a ticket
_WAITED = timedelta(seconds=60)  # before that, a ticket may be on its way from hand to hand
_OLDEST = 20  # jobs looked at each time: one that is missed grows old

Attempt = tuple[str, int]  # job id and number


@dataclass
class Strays:
    """Looks for them as worker `owner`, which runs these attempts (`running`) for these tickets (`at`)."""

    database: Database
    tickets: Tickets
    clock: Clock
    owner: str
    running: Callable[[], Collection[Attempt]]
    at: Callable[[], Collection[str]]
    _suspects: set[Attempt] = field(default_factory=set)
    _stuck: set[TicketId] = field(default_factory=set)
    _looked: float = float("-inf")

    def look(self) -> None:
        """To be called every few seconds."""
        self._let_go()
        self._free_stuck_tickets()
        if self.clock.monotonic() - self._looked >= _EVERY:
            self._looked = self.clock.monotonic()
            self._write_missing_tickets()

    def _let_go(self) -> None:
        """Put back what this worker holds and does not run, if that is so twice in a row."""
        with self.database.read() as connection:
            held = jobs.still_held(connection, self.owner)
        left = held - set(self.running())
        for attempt in left & self._suspects:
            self._put_back(*attempt)
        self._suspects = left

    def _put_back(self, job_id: str, number: int) -> None:
        now, message = self.clock.now(), "Its worker lost hold of it; it is queued again"

        def put_back(connection: sa.Connection) -> None:
            moves.hand_back_if_held(connection, job_id, number, self.owner, message)
            attempts.mark_lost(connection, [(job_id, number)], now)
            stored = jobs.find(connection, job_id)
            if stored is not None:
                job = stored.report.job
                self.tickets.write(connection, Ticket.of(job, number))
                tell(connection, "job.handed_back", job, now, message=message, worker=self.owner)

        try:
            with self.database.write() as connection:
                put_back(connection)
        except Superseded:
            return
        _log.error("job %s was held but not run: it is queued again", job_id)

    def _free_stuck_tickets(self) -> None:
        """Write anew what this worker has drawn and is not at, if that is so twice in a row.

        The queue engine may fail between drawing a ticket and running it, where its database is slow.
        """
        left = {ticket for ticket in self.tickets.drawn_by(self.owner) if ticket.id not in self.at()}
        for ticket in left & self._stuck:
            with self.database.write() as connection:
                stored = jobs.find(connection, ticket.job_id)
                if stored is not None and stored.waits_for(ticket.attempt):
                    self.tickets.write(connection, Ticket.of(stored.report.job, ticket.attempt))
            self.tickets.take_back([ticket])
            _log.error("a ticket of job %s was drawn and not run: it is written anew", ticket.job_id)
        self._stuck = left - self._stuck

    def _write_missing_tickets(self) -> None:
        with self.database.read() as connection:
            due = jobs.waiting_since_before(connection, self.clock.now() - _WAITED, _OLDEST)
            unmet = dependencies.unmet(connection, [each.report.job.id for each in due])
        for each in due:
            job = each.report.job
            if job.id in unmet or self.tickets.of_job(job.id):
                continue
            with self.database.write() as connection:
                self.tickets.write(connection, Ticket.of(job, each.report.attempt))
            _log.error("job %s waited without a ticket: it has one now", job.id)
