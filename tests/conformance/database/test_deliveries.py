"""The outbox: what is due is claimed once, while its executor lives; and forgotten when it is old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from databases import NOON, a_job, add_batch
from renderkiln.database import deliveries, expiry, handlers, jobs, webhooks, workers
from renderkiln.database.deliveries import NewDelivery, StoredDelivery, Target
from renderkiln.database.engine import Database
from renderkiln.database.webhooks import NewWebhook
from renderkiln.database.workers import NewWorker

DATA = {"nul": "\x00", "\udcff": 1}
PAYLOAD = {"type": "user.upgraded", "timestamp": "2026-01-27T12:00:00.000Z", "data": DATA}


def put(database: Database, *targets: str) -> list[str]:
    """A delivery for each of these: a webhook's id, or `handler`."""
    new = [
        NewDelivery("user.upgraded", PAYLOAD, NOON, 7, handler="user.upgraded")
        if target == "handler"
        else NewDelivery("user.upgraded", PAYLOAD, NOON, 7, webhook_id=target)
        for target in targets
    ]
    with database.write() as connection:
        return deliveries.insert(connection, new)


def hook(database: Database, id: str = "whk_1", **values: str) -> None:
    with database.write() as connection:
        webhooks.insert(connection, NewWebhook(id, "https://a.example/", ("*",), "whsec_", NOON, **values))


def alive(database: Database, *ids: str) -> None:
    with database.write() as connection:
        for id in ids:
            workers.register(connection, NewWorker(id, id, "host", 1, (), 1, NOON))


def due(database: Database, now: datetime = NOON, full: Collection[str] = ()) -> list[Target]:
    with database.read() as connection:
        return deliveries.targets(connection, now, handlers=["user.upgraded"], full=full, limit=10)


def claim(
    database: Database,
    owner: str,
    limit: int = 10,
    share: int = 10,
    over_all: int | None = None,
    now: datetime = NOON,
    busy: Mapping[str, int] | None = None,
) -> list[StoredDelivery]:
    """What a courier does."""
    full = [id for id, number in (busy or {}).items() if number >= share]
    to = due(database, now, full)
    with database.write() as connection:
        return deliveries.claim(
            connection, now, owner, to, limit=limit, share=share, over_all=over_all, busy=busy
        )


def end(database: Database, id: str, owner: str, **how: object) -> bool:
    with database.write() as connection:
        return deliveries.end_if_claimed(connection, id, owner, NOON, **how)  # type: ignore[arg-type]


def test_what_is_claimed_is_claimed_once_and_as_it_was_put(database: Database) -> None:
    alive(database, "w1", "w2")
    hook(database)
    ids = put(database, "whk_1", "handler")
    claimed = claim(database, "w1")
    assert {each.id for each in claimed} == set(ids)
    assert claimed[0].payload == PAYLOAD
    assert due(database) == []
    assert claim(database, "w2") == []
    assert not end(database, ids[0], "w2", state="delivered")
    assert end(database, ids[0], "w1", state="delivered", status=200)
    assert not end(database, ids[0], "w1", state="failed")
    with database.read() as connection:
        stored = deliveries.find(connection, ids[0])
        assert deliveries.standing(connection, NOON)[:4] == (0, 1, 1, 0)
    assert stored is not None
    assert (stored.state, stored.attempts, stored.status, stored.ended_at) == ("delivered", 1, 200, NOON)


def test_a_claim_ends_with_its_executor(database: Database) -> None:
    alive(database, "w1", "w2")
    (id,) = put(database, "handler")
    assert claim(database, "w1")
    with database.write() as connection:
        workers.remove(connection, "w1")
    assert [each.id for each in claim(database, "w2")] == [id]
    assert not end(database, id, "w1", state="delivered")  # it was struck off by mistake, and comes too late
    assert end(database, id, "w2", state="delivered")


def test_what_is_not_yet_due_or_has_no_open_webhook_waits(database: Database) -> None:
    alive(database, "w1")
    hook(database)
    (id,) = put(database, "whk_1")
    assert claim(database, "w1")
    later = NOON + timedelta(seconds=5)
    assert end(database, id, "w1", state="pending", next_at=later, error="500")
    assert claim(database, "w1") == []
    with database.write() as connection:
        assert webhooks.disable(connection, "whk_1", "410")
        assert not webhooks.disable(connection, "whk_1", "again")
    assert due(database, later) == []
    with database.write() as connection:
        assert webhooks.change(connection, "whk_1", enabled=True)
    assert due(database, later) == [Target("whk_1")]
    assert due(database, later, full=["whk_1"]) == []
    assert [each.id for each in claim(database, "w1", now=later)] == [id]


def test_shares_and_limits(database: Database) -> None:
    alive(database, "w1", "w2")
    hook(database, "whk_1")
    hook(database, "whk_2")
    put(database, *["whk_1"] * 5, *["whk_2"] * 5, *["handler"] * 3)
    claimed = Counter(each.webhook_id for each in claim(database, "w1", limit=8, share=2))
    assert claimed == {None: 3, "whk_1": 2, "whk_2": 2}
    more = claim(database, "w1", limit=5, share=2, busy={"whk_1": 2, "whk_2": 1})
    assert [each.webhook_id for each in more] == ["whk_2"]
    assert len(claim(database, "w2", over_all=9)) == 1
    assert claim(database, "w2", over_all=9) == []
    with database.write() as connection:
        assert deliveries.give_back(connection, "w1") == 8


def test_who_listens(database: Database) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    hook(database, "whk_1")
    hook(database, "whk_2", job_id="b-1")
    hook(database, "whk_3", batch_id="b")
    with database.write() as connection:

        def listening(job: str | None, batch: str | None) -> set[str]:
            return {each.id for each in webhooks.listening(connection, "job.failed", job, batch)}

        assert listening("b-1", "b") == {"whk_1", "whk_2", "whk_3"}
        assert listening("b-2", "b") == {"whk_1", "whk_3"}
        assert listening(None, None) == listening("c-1", "c") == {"whk_1"}
        webhooks.change(connection, "whk_1", types=["job.completed"])
        assert listening("b-2", "b") == {"whk_3"}
        assert [each.id for each in webhooks.everyone(connection)] == ["whk_1"]


def test_old_ones_are_forgotten_and_those_that_wait_are_not(database: Database) -> None:
    alive(database, "w1")
    hook(database, "whk_1")
    hook(database, "whk_2")
    done, waiting, unwanted = put(database, "handler", "whk_1", "whk_2")
    assert claim(database, "w1", limit=1)[0].id in {done, waiting, unwanted}
    with database.write() as connection:
        deliveries.give_back(connection, "w1")
        webhooks.disable(connection, "whk_2", "410")
    claim(database, "w1")
    assert end(database, done, "w1", state="failed")
    later = NOON + timedelta(days=31)
    with database.write() as connection:
        assert expiry.old_deliveries(connection, NOON, 10) == []
        old = expiry.old_deliveries(connection, later, 10)
        assert set(old) == {done, unwanted}
        assert expiry.forget_deliveries(connection, [*old, waiting], later) == 2


def test_a_webhook_of_a_job_goes_with_it_and_its_deliveries_with_the_webhook(database: Database) -> None:
    add_batch(database, a_job("b-1"))
    hook(database, "whk_1", job_id="b-1")
    (id,) = put(database, "whk_1")
    with database.write() as connection:
        jobs.lock(connection, "b-1")
        connection.exec_driver_sql("DELETE FROM kiln_jobs")
        assert webhooks.find(connection, "whk_1") is None
        assert deliveries.find(connection, id) is None


def test_a_worker_takes_what_it_has_a_handler_for_and_the_rest_waits_for_another(database: Database) -> None:
    alive(database, "w1")
    new = [NewDelivery(type, PAYLOAD, NOON, 7, handler=type) for type in ("user.upgraded", "moon.landed")]
    with database.write() as connection:
        _, moon = deliveries.insert(connection, new)
        handlers.note(connection, ["moon.landed", "user.upgraded"], NOON)
        handlers.note(connection, ["moon.landed"], NOON + timedelta(days=2))
        assert handlers.is_known(connection, "moon.landed")
        assert not handlers.is_known(connection, "moon.gone")
    assert [each.handler for each in claim(database, "w1")] == ["user.upgraded"]
    later = NOON + timedelta(days=1)
    with database.write() as connection:
        assert handlers.old(connection, later) == ["user.upgraded"]
        assert handlers.forget(connection, ["user.upgraded", "moon.landed"], later) == 1
        assert moon not in expiry.old_deliveries(connection, later, 10)  # somebody has its handler
        assert handlers.forget(connection, ["moon.landed"], later + timedelta(days=9)) == 1
        assert moon in expiry.old_deliveries(connection, later, 10)


def test_only_what_a_handler_has_failed_is_handled_again_and_its_tries_stay(database: Database) -> None:
    alive(database, "w1")
    hook(database)
    posted, handled = put(database, "whk_1", "handler")
    assert len(claim(database, "w1")) == 2
    tries = [{"at": "2026-01-27T12:00:00.000Z", "status": None, "error": "KeyError: 'n'"}]
    assert end(database, posted, "w1", state="failed")
    with database.write() as connection:
        assert not deliveries.handle_again_if_failed(connection, handled, NOON)  # somebody is at it
    assert end(database, handled, "w1", state="failed", error="KeyError: 'n'", tries=tries)
    with database.write() as connection:
        assert not deliveries.handle_again_if_failed(connection, posted, NOON)
        assert deliveries.handle_again_if_failed(connection, handled, NOON)
        assert not deliveries.handle_again_if_failed(connection, handled, NOON)
        found = deliveries.find(connection, handled)
    assert found is not None
    assert (found.state, found.attempts, list(found.tries)) == ("pending", 0, tries)
    assert [each.id for each in claim(database, "w1")] == [handled]
