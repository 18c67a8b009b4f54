"""What attempts have cost: exact sums, which nothing changes afterwards."""

from __future__ import annotations

from datetime import timedelta

from databases import NOON, a_job, add_batch, start, stored
from renderkiln.database import costs, moves
from renderkiln.database.engine import Database
from renderkiln.domain.cost import Cost

DAY = timedelta(days=1)


def charge(
    database: Database, id: str, attempt: int, cost: Cost, *, account: str = "ann", days: int = 0
) -> None:
    job = a_job(id, pipeline="narration" if id.startswith("n") else "visualizer")
    with database.write() as connection:
        costs.insert(connection, job, attempt, account, cost, NOON + days * DAY)


def test_a_job_costs_what_all_its_attempts_have_cost(database: Database) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    charge(database, "b-1", 1, Cost("USD", cpu=1, stored=0, sent=2, services=10**15))
    charge(database, "b-1", 2, Cost("USD", cpu=3))
    start(database)
    with database.write() as connection:
        moves.cancel_if_held(connection, "b-1", 1, "w1", message="", now=NOON)
    with database.read() as connection:
        assert costs.of_attempts(connection, "b-1") == {
            1: Cost("USD", 1, 0, 2, 10**15),
            2: Cost("USD", 3),
        }
        assert costs.of_batches(connection, ["b", "c"]) == {"b": Cost("USD", 4, 0, 2, 10**15)}
    assert stored(database).report.cost == Cost("USD", 4, 0, 2, 10**15)
    assert stored(database, "b-2").report.cost is None


def test_sums_by_account_pipeline_and_day(database: Database) -> None:
    charge(database, "v1", 1, Cost("USD", cpu=5))
    charge(database, "v1", 2, Cost("USD", cpu=5), days=1)
    charge(database, "n1", 1, Cost("USD", services=100), account="bob", days=1)
    with database.read() as connection:

        def told(by: costs.By, **when: object) -> list[tuple[str, int, int, int]]:
            found = costs.sums(connection, by, **when)  # type: ignore[arg-type]
            return [(each.name, each.jobs, each.attempts, each.cost.total) for each in found]

        assert told("account") == [("bob", 1, 1, 100), ("ann", 1, 2, 10)]
        assert told("pipeline") == [("narration", 1, 1, 100), ("visualizer", 1, 2, 10)]
        assert told("day") == [("2026-01-27", 1, 1, 5), ("2026-01-28", 2, 2, 105)]
        assert told("day", since=NOON + DAY) == [("2026-01-28", 2, 2, 105)]
        assert told("day", until=NOON + DAY) == [("2026-01-27", 1, 1, 5)]
        assert costs.spent(connection, "ann", "USD", None) == 10
        assert costs.spent(connection, "ann", "USD", NOON + DAY) == 5
        assert costs.spent(connection, "ann", "EUR", None) == 0


def test_two_currencies_are_never_added_up(database: Database) -> None:
    charge(database, "v1", 1, Cost("USD", cpu=5))
    charge(database, "v1", 2, Cost("EUR", cpu=7))
    with database.read() as connection:
        assert costs.of_batches(connection, ["b"]) == {"b": Cost("EUR", 7)}
        assert sorted(each.cost.total for each in costs.sums(connection, "day")) == [5, 7]
