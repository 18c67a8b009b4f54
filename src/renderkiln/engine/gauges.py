"""How the room stands, for Prometheus: read when somebody asks, so true of all processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from renderkiln.database import backlog, deliveries, workers
from renderkiln.domain.queue import EVENTS
from renderkiln.domain.states import JobState
from renderkiln.engine.health import Glance
from renderkiln.engine.queues import QueueReport
from renderkiln.engine.room import Room

_PATIENCE = 5.0  # seconds: Prometheus waits for ten


@dataclass(frozen=True)
class Standing:
    """How everything stood at one moment."""

    at: datetime
    queues: Sequence[QueueReport]
    due: dict[str, int]
    workers: dict[str, int]  # how many are at each queue
    sent: deliveries.Standing


class Gauges(Collector):
    """Asks the database once a second at most, however many scrape; without an answer it says only that."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._glance = Glance(self._read, room.clock, limit=_PATIENCE)

    def describe(self) -> Iterable[Metric]:
        return []  # so that registering it asks nothing

    def collect(self) -> Iterable[Metric]:
        standing = self._glance.look()
        yield GaugeMetricFamily(
            "renderkiln_database_up", "Whether the database answers", value=standing is not None
        )
        if standing is not None:
            yield from _jobs(standing)
            yield from _queues(standing)
            yield _deliveries(standing.sent)

    def _read(self) -> Standing:
        room, now = self._room, self._room.clock.now()
        reports = room.queues.reports()
        with room.database.read() as connection:
            due = backlog.due(connection, now)
            due[EVENTS] = due.get(EVENTS, 0) + deliveries.due(connection, now)
            sent = deliveries.standing(connection, now)
            alive = [each for each in workers.everyone(connection) if not each.direct and not each.draining]
        at = {report.name: sum(report.name in each.queues for each in alive) for report in reports}
        return Standing(now, reports, due, at, sent)


def _jobs(standing: Standing) -> Iterable[Metric]:
    family = GaugeMetricFamily("renderkiln_jobs", "Jobs that are kept", labels=["queue", "state"])
    for report in standing.queues:
        for state, count in report.counts.items():
            name: JobState = state
            family.add_metric([report.name, name], count)
    yield family


def _deliveries(standing: deliveries.Standing) -> Metric:
    family = GaugeMetricFamily("renderkiln_deliveries", "Events for webhooks and handlers", labels=["state"])
    for state in ("waiting", "active", "delivered", "failed"):
        family.add_metric([state], getattr(standing, state))
    return family


def _queues(standing: Standing) -> Iterable[Metric]:
    depth = GaugeMetricFamily(
        "renderkiln_queue_depth", "Jobs that wait and could begin now", labels=["queue"]
    )
    oldest = GaugeMetricFamily(
        "renderkiln_queue_oldest_seconds", "How long the oldest of them has waited", labels=["queue"]
    )
    paused = GaugeMetricFamily("renderkiln_queue_paused", "Whether it is paused", labels=["queue"])
    at = GaugeMetricFamily(
        "renderkiln_queue_workers", "Workers that take jobs of the queue", labels=["queue"]
    )
    for report in standing.queues:
        name = [report.name]
        depth.add_metric(name, standing.due.get(report.name, 0))
        oldest.add_metric(name, report.age(standing.at) or 0.0)
        paused.add_metric(name, report.paused)
        at.add_metric(name, standing.workers[report.name])
    yield from (depth, oldest, paused, at)
