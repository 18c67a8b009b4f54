"""Queues at run time: how they stand, their limits, pause and resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import backlog, deliveries, queues, workers
from renderkiln.database.deliveries import Standing
from renderkiln.database.engine import Database
from renderkiln.database.queues import QueueRow
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UsageError
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.queue import EVENTS, UPLOADS
from renderkiln.domain.states import STATES, JobState
from renderkiln.engine.courier import Room
from renderkiln.engine.machine import machine_of
from renderkiln.engine.tickets import Lane, Tickets
from renderkiln.events import journal


@dataclass(frozen=True)
class QueueReport:
    """How a queue stands, and how many workers draw from it.

    `oldest` is since when its oldest waiting job could have begun.
    """

    name: str
    worker_limit: int
    global_limit: int | None
    paused: bool
    counts: Mapping[JobState, int]
    oldest: datetime | None
    workers: int = 0

    def age(self, now: datetime) -> float | None:
        """Seconds that its oldest waiting job has waited; None where none does."""
        return None if self.oldest is None else max(0.0, (now - self.oldest).total_seconds())

    def to_json(self, now: datetime) -> dict[str, Any]:
        age = self.age(now)
        return {
            "name": self.name,
            "paused": self.paused,
            "workerLimit": self.worker_limit,
            "globalLimit": self.global_limit,
            "counts": dict(self.counts),
            "oldestSeconds": None if age is None else round(age, 1),
            "workers": self.workers,
        }


@dataclass(frozen=True)
class Queues:
    """`lanes` and `most_of` are what the settings say: jobs at once per worker, and over all of them.

    What people change lasts, in a row of ours; what all workers must know of it, DBOS tells them: they follow
    within a second. Every verb raises UsageError for a queue there is not.
    """

    database: Database
    tickets: Tickets
    clock: Clock
    lanes: Mapping[str, int]
    most_of: Mapping[str, int | None]
    polling: float
    home: Path

    def check(self, name: str) -> None:
        if name not in self.lanes:
            raise UsageError(f"there is no queue {name!r}; there are: {', '.join(self.lanes)}")

    def apply(self) -> None:
        """Make the queues that are missing, and let the limits of all hold."""
        with self.database.read() as connection:
            rows = queues.everyone(connection)
        for name in self.lanes:
            self._apply(rows.get(name, QueueRow(name)))

    def reports(self) -> list[QueueReport]:
        """All queues."""
        with self.database.read() as connection:
            rows = queues.everyone(connection)
            counts = {name: dict(each) for name, each in backlog.counts(connection).items()}
            oldest = dict(backlog.oldest_waiting(connection))
            sent = deliveries.standing(connection, self.clock.now())
            everyone = workers.everyone(connection)
        _add(counts.setdefault(EVENTS, {}), oldest, sent)
        return [
            QueueReport(
                name=name,
                worker_limit=limit if row.worker_limit is None else row.worker_limit,
                global_limit=self._most_of(row),
                paused=row.paused,
                counts={state: counts.get(name, {}).get(state, 0) for state in STATES},
                oldest=oldest.get(name),
                workers=sum(name in each.queues for each in everyone),
            )
            for name, limit in self.lanes.items()
            for row in [rows.get(name, QueueRow(name))]
        ]

    def room(self, connection: sa.Connection) -> Room:
        """How many deliveries may run now: they stand in the queue event-processing, but hold no tickets."""
        row = queues.find(connection, EVENTS)
        here = self.lanes[EVENTS] if row.worker_limit is None else row.worker_limit
        return Room(0 if row.paused else here, self._most_of(row))

    def pause(self, name: str) -> None:
        """Start no more of its jobs; those that run go on."""
        self._set_paused(name, "queue.paused", paused=True)

    def resume(self, name: str) -> None:
        """Start its jobs again."""
        self._set_paused(name, "queue.resumed", paused=False)

    def set_limits(self, name: str, **limits: int | None) -> None:
        """Change `worker_limit` and `global_limit`, from now on and for all workers.

        None: as the settings say; what is not given stays.
        """
        self.check(name)
        with self.database.write() as connection:
            queues.put_limits(connection, name, **limits)
            row = queues.find(connection, name)
            if row.worker_limit and row.global_limit and row.worker_limit > row.global_limit:
                raise UsageError(
                    f"{name}: {row.worker_limit} jobs in each worker are more than {row.global_limit} in all"
                )
            facts = {"queue": name, "worker_limit": row.worker_limit, "global_limit": row.global_limit}
            journal.append(connection, Event("queue.changed", None, self.clock.now(), 0.0, facts=facts))
        self._apply(row)

    def _set_paused(self, name: str, event: EventName, *, paused: bool) -> None:
        self.check(name)
        with self.database.write() as connection:
            queues.put_paused(connection, name, paused=paused)
            row = queues.find(connection, name)
            journal.append(connection, Event(event, None, self.clock.now(), 0.0, facts={"queue": name}))
        self._apply(row)

    def _apply(self, row: QueueRow) -> None:
        for host in self._hosts() if row.name == UPLOADS else [None]:
            lane = Lane(row.name, row.worker_limit, self._most_of(row), row.paused, host)
            self.tickets.set_lane(lane, polling=self.polling)

    def _hosts(self) -> set[str]:
        """The machines that draw tickets: a worker sets its own machine's lanes before it begins."""
        with self.database.read() as connection:
            return {machine_of(self.home), *(each.place for each in workers.everyone(connection))}

    def _most_of(self, row: QueueRow) -> int | None:
        return self.most_of[row.name] if row.global_limit is None else row.global_limit


def _add(counts: dict[JobState, int], oldest: dict[str, datetime], sent: Standing) -> None:
    """Count deliveries among the jobs of their queue."""
    more: dict[JobState, int] = {
        "pending": sent.waiting,
        "processing": sent.active,
        "completed": sent.delivered,
        "failed": sent.failed,
    }
    for state, number in more.items():
        counts[state] = counts.get(state, 0) + number
    if sent.oldest is not None:
        oldest[EVENTS] = min(sent.oldest, oldest.get(EVENTS, sent.oldest))
