"""How busy the room has been: what came, waited and ended in each step of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from renderkiln.database import activity
from renderkiln.database.activity import Passed
from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock


@dataclass(frozen=True)
class Activity:
    """A queue in equal steps up to now, oldest first. `waits` are means in seconds; None: nobody began."""

    queue: str
    completed: Sequence[int]
    failed: Sequence[int]
    waiting: Sequence[int] = field(metadata={"at": "the end of each step"})
    waits: Sequence[float | None]


def recent(
    database: Database, clock: Clock, step: timedelta, steps: int, account: str | None = None
) -> tuple[datetime, list[Activity]]:
    """When the first step begins, and the activity of every queue that had any; of one account, or of all."""
    now = clock.now()
    since = now - step * steps
    with database.read() as connection:
        passed = activity.passed(connection, since, account)
        arrivals = activity.arrivals(connection, since, account)
        waiting = activity.waiting(connection, account)
    queues = sorted({*waiting, *(each.queue for each in passed), *(queue for queue, _ in arrivals)})
    ends = [since + step * (n + 1) for n in range(steps)]
    return since, [
        _of_queue(
            name,
            ends,
            [each for each in passed if each.queue == name],
            [at for queue, at in arrivals if queue == name],
            waiting.get(name, 0),
        )
        for name in queues
    ]


def _of_queue(
    name: str, ends: Sequence[datetime], passed: Sequence[Passed], arrivals: Iterable[datetime], waiting: int
) -> Activity:
    steps = len(ends)
    counts = {state: [0] * steps for state in ("completed", "failed")}
    waits: list[list[float]] = [[] for _ in ends]
    came, began = [0] * steps, [0] * steps
    first = ends[0] - (ends[1] - ends[0]) if steps > 1 else ends[0]
    for at in arrivals:
        came[_step(ends, at)] += 1
    for each in passed:
        if each.completed_at is not None and each.state in counts:
            counts[each.state][_step(ends, each.completed_at)] += 1
        left = each.started_at or each.completed_at  # the latter: it was withdrawn before it began
        if left is not None and left > first:
            began[_step(ends, left)] += 1
            if each.started_at is not None:
                waits[_step(ends, left)].append((left - each.created_at).total_seconds())
    return Activity(
        name,
        counts["completed"],
        counts["failed"],
        _backwards(waiting, came, began),
        [sum(each) / len(each) if each else None for each in waits],
    )


def _step(ends: Sequence[datetime], at: datetime) -> int:
    return min(bisect_left(ends, at), len(ends) - 1)


def _backwards(now: int, came: Sequence[int], began: Sequence[int]) -> list[int]:
    """How many waited at the end of each step, told from how many wait now."""
    found = [now]
    for arrived, left in zip(reversed(came[1:]), reversed(began[1:]), strict=True):
        found.append(max(0, found[-1] - arrived + left))
    return found[::-1]
