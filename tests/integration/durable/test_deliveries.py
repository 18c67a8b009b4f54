"""Webhooks and handlers: a receiver that verifies signatures, real processes, a clock that tests move."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from databases import rows
from renderkiln import Renderkiln, Settings
from renderkiln.database import handlers as known
from renderkiln.database.deliveries import StoredDelivery
from renderkiln.database.schema import events as event_rows
from renderkiln.database.webhooks import StoredWebhook
from renderkiln.domain.clock import SystemClock
from renderkiln.domain.errors import UsageError
from renderkiln.engine.heartbeat import Heartbeat, announce
from renderkiln.engine.submission import Submission
from renderkiln.events import emission, handlers, signing
from renderkiln.events.subscription import subscribe
from waiting import until

from .conftest import DEMO, Rig
from .receiver import Receiver, receiving

pytestmark = pytest.mark.integration

HANDLERS = """
import os, time
def picky(event):
    with open(os.environ["HANDLED"], "a") as file:
        file.write(f"{event.id} {event.attempt} {event.payload['n']}\\n")
    raise ValueError("not today")
def endless(event):
    time.sleep(60)
def crash(event):
    os.abort()
"""


class MovedClock(SystemClock):
    ahead = timedelta()
    stopped: datetime | None = None

    def now(self) -> datetime:
        return (self.stopped or super().now()) + self.ahead

    def stop(self) -> None:
        """From now on, only `move` makes anything due."""
        self.stopped = super().now()

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Post:
    """A room, its webhooks, and couriers beside it."""

    kiln: Renderkiln
    clock: MovedClock
    folder: Path

    def hook(self, receiver: Receiver, *types: str) -> StoredWebhook:
        return self.kiln.webhooks.create(receiver.url, types=types or ["user.upgraded"])

    def emit(self, type: str = "user.upgraded", **payload: Any) -> int:
        return self.kiln.emit(type, payload).seq

    def log(self, hook: StoredWebhook) -> list[StoredDelivery]:
        """What was and is to be sent, the oldest first."""
        return list(reversed(self.kiln.webhooks.deliveries(hook.id)))

    @contextmanager
    def couriers(self, number: int = 1, **errands: Any) -> Iterator[None]:
        room = self.kiln.room
        with ExitStack() as stack:
            for _ in range(number):
                me = announce(self.clock, name="courier", queues=("event-processing",))
                house = room.house(me)
                house = replace(house, errands=replace(house.errands, **errands))
                stack.enter_context(Heartbeat(room.database, self.clock, me))
                courier = stack.enter_context(room.courier(house))
                stack.callback(courier.finish, 10.0)
            yield


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def post(database_url: str, tmp_path: Path) -> Iterator[Post]:
    settings = Settings(home=tmp_path / "home", database=database_url, poll_interval=0.05, private_urls=True)
    clock = MovedClock()
    with Renderkiln(settings, clock=clock) as kiln:
        yield Post(kiln, clock, tmp_path)


def submit(post: Post, *names: str) -> list[str]:
    batch = post.kiln.new_batch()
    made = [
        post.kiln.job(DEMO, post.folder / name, batch_id=batch, item_id=name, metadata={"order": name})
        for name in names
    ]
    post.kiln.room.submit(Submission(batch, made, post.folder / "out"))
    return [batch, *(job.id for job in made)]


def test_the_end_of_a_job_is_told_with_all_of_it_and_no_place_of_ours(post: Post, receiver: Receiver) -> None:
    hook = post.hook(receiver, "job.cancelled", "batch.completed")
    batch, job = submit(post, "a")
    post.kiln.room.control.cancel(job)
    with post.couriers():
        until(lambda: len(receiver.taken) == 2)
    told = {each["type"]: each["data"] for each in (one.verified(hook.secret) for one in receiver.taken)}
    assert told["job.cancelled"]["job"]["id"] == job
    assert told["job.cancelled"]["job"]["state"] == "cancelled"
    assert told["job.cancelled"]["job"]["metadata"] == {"order": "a"}
    assert told["batch.completed"]["batch"]["id"] == batch
    assert str(post.folder) not in "".join(one.body for one in receiver.taken)
    until(lambda: {each.state for each in post.log(hook)} == {"delivered"})
    assert [(each.status, each.attempts, each.response) for each in post.log(hook)] == [
        (200, 1, "thank you")
    ] * 2


def test_an_address_may_be_told_of_one_job_or_one_batch_alone(post: Post, receiver: Receiver) -> None:
    batch, first, second = submit(post, "a", "b")
    _, other = submit(post, "c")
    now = post.clock.now()
    with post.kiln.database.write() as connection:
        mine = subscribe(connection, receiver.url, now, job_id=second, allow_private=True)
        ours = subscribe(connection, receiver.url, now, batch_id=batch, allow_private=True)
    for job in (first, second, other):
        post.kiln.room.control.cancel(job)
    with post.couriers():
        until(lambda: len(receiver.taken) == 4)
    assert [each.payload["data"]["job"]["id"] for each in post.log(mine)] == [second]
    assert Counter(each.type for each in post.log(ours)) == {"job.cancelled": 2, "batch.completed": 1}
    assert not post.kiln.webhooks.list()
    assert [each.id for each in post.kiln.webhooks.list(job_id=second)] == [mine.id]


def test_what_is_not_taken_comes_again_under_its_id_later_each_time(post: Post, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 200]
    receiver.headers = {"Location": "http://169.254.169.254/"}
    hook = post.hook(receiver)
    post.emit(plan="pro")
    with post.couriers():
        until(lambda: post.log(hook)[0].attempts == 1)
        (waiting,) = post.log(hook)
        assert (waiting.state, waiting.status, waiting.error) == ("pending", 500, "it answered 500")
        assert waiting.next_at is not None
        assert 4.4 < (waiting.next_at - waiting.tried_at).total_seconds() < 5.6  # type: ignore[operator]
        assert post.kiln.webhooks.get(hook.id).failing_since is not None
        time.sleep(0.2)
        assert len(receiver.taken) == 1
        post.clock.move(seconds=6)
        until(lambda: post.log(hook)[0].attempts == 2)  # a redirect is not followed
        assert post.log(hook)[0].error == "it answered 302"
        post.clock.move(minutes=6)
        until(lambda: post.log(hook)[0].state == "delivered")
    assert len({each.id for each in receiver.taken}) == 1
    assert post.kiln.webhooks.get(hook.id).failing_since is None
    forged = replace(receiver.taken[0], headers=receiver.taken[0].headers | {"webhook-id": "msg_other"})
    with pytest.raises(WebhookVerificationError, match="signature"):
        forged.verified(hook.secret)


def test_a_server_may_ask_for_more_time(post: Post, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [503], {"Retry-After": "3600"}
    hook = post.hook(receiver)
    post.emit()
    with post.couriers():
        until(lambda: post.log(hook)[0].attempts == 1)
    (waiting,) = post.log(hook)
    assert waiting.next_at is not None
    assert waiting.tried_at is not None
    assert waiting.next_at - waiting.tried_at == timedelta(hours=1)


def test_the_tenth_failure_is_the_last_and_a_person_may_send_it_again(post: Post, receiver: Receiver) -> None:
    receiver.answers = [400]
    hook = post.hook(receiver)
    post.emit()
    with post.couriers():
        for attempt in range(1, 11):
            until(lambda: post.log(hook)[0].attempts == attempt)  # noqa: B023
            post.clock.move(hours=27)
            post.kiln.webhooks.change(hook.id, enabled=True)  # it would be disabled after five days
        assert post.log(hook)[0].state == "failed"
        receiver.answers = [204]
        post.kiln.webhooks.replay(hook.id, post.log(hook)[0].id)
        until(lambda: post.log(hook)[0].state == "delivered")
    assert len({each.id for each in receiver.taken}) == 1
    assert len(receiver.taken) == 11


def test_a_webhook_that_is_gone_or_failed_for_days_is_disabled(post: Post, receiver: Receiver) -> None:
    receiver.answers = [410]
    gone = post.hook(receiver)
    post.emit()
    with post.couriers():
        until(lambda: not post.kiln.webhooks.get(gone.id).enabled)
        assert post.log(gone)[0].state == "failed"
        post.emit()
        assert len(post.log(gone)) == 1
        receiver.answers = [500]
        failing = post.hook(receiver)
        post.emit()
        until(lambda: post.kiln.webhooks.get(failing.id).failing_since)
        post.clock.move(days=5, seconds=1)
        until(lambda: not post.kiln.webhooks.get(failing.id).enabled)
        assert post.log(failing)[0].state == "pending"  # it waits until somebody enables it again
    told = [each for each in rows(post.kiln.database, event_rows) if each["name"] == "webhook.disabled"]
    assert [each["facts"] for each in told] == [{"webhook": gone.id}, {"webhook": failing.id}]


def test_who_does_not_answer_is_not_waited_for(post: Post, receiver: Receiver) -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            while not over.wait(0.05):
                handler.wfile.write(b"x")

    receiver.answers = [drip]
    hook = post.hook(receiver)
    post.emit()
    with post.couriers(timeout=0.4):
        until(lambda: post.log(hook)[0].attempts == 1)
    over.set()
    assert "did not answer within 0.4 s" in post.log(hook)[0].error


def test_private_addresses_are_refused_when_told_and_when_sent(post: Post, receiver: Receiver) -> None:
    public = replace(post.kiln.webhooks, allow_private=False)
    for url in ("http://127.0.0.1:9000/", "http://[::1]/", "http://localhost/", "http://10.0.0.1/x"):
        with pytest.raises(UsageError, match="not on the public internet"):
            public.create(url)
    for url in (
        "ftp://a.example",
        "file:///etc/passwd",
        "http://a.example:22/",
        "http://u:p@a.example/",
        "",
        "x",
    ):
        with pytest.raises(UsageError):
            public.create(url)
    hook = post.hook(receiver)
    post.emit()
    with post.couriers(allow_private=False):
        until(lambda: post.log(hook)[0].attempts == 1)
    assert "is not on the public internet" in post.log(hook)[0].error
    assert not receiver.taken


def test_secrets_are_rotated_without_a_gap(post: Post, receiver: Receiver) -> None:
    hook = post.hook(receiver)
    new = post.kiln.webhooks.rotate(hook.id)
    assert new.secret != hook.secret
    post.emit()
    with post.couriers():
        until(lambda: len(receiver.taken) == 1)
        receiver.taken[0].verified(hook.secret)
        receiver.taken[0].verified(new.secret)
        post.clock.move(days=1, seconds=1)
        post.emit()
        until(lambda: len(receiver.taken) == 2)
    assert len(receiver.taken[1].headers["webhook-signature"].split()) == 1


def test_a_paused_queue_delivers_nothing_and_its_limits_hold(post: Post, receiver: Receiver) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        handler.send_response(200)
        handler.end_headers()

    receiver.answers = [slow]
    queues = post.kiln.room.queues
    queues.pause("event-processing")
    hook = post.hook(receiver)
    for number in range(12):
        post.emit("moon.landed" if number % 2 else "user.upgraded")
    hook2 = post.hook(receiver, "moon.landed")
    for _ in range(6):
        post.emit("moon.landed")
    report = next(each for each in queues.reports() if each.name == "event-processing")
    assert (report.counts["pending"], report.age(post.clock.now()) is not None) == (18, True)
    queues.set_limits("event-processing", worker_limit=2, global_limit=3)
    with post.couriers(2):
        time.sleep(0.3)
        assert not receiver.taken
        queues.resume("event-processing")
        until(lambda: {each.state for each in (*post.log(hook), *post.log(hook2))} == {"delivered"})
    assert len(receiver.taken) == len({each.id for each in receiver.taken}) == 12
    assert most <= 3


def test_two_never_send_one_thing_and_a_slow_one_holds_nobody_up(post: Post, receiver: Receiver) -> None:
    over = threading.Event()
    post.clock.stop()  # nothing is tried twice, however long this takes
    with receiving() as hanging:
        hanging.answers = [lambda _: over.wait(20)]
        slow = post.hook(hanging, "moon.landed")
        for _ in range(30):
            post.emit("moon.landed")
        quick = post.hook(receiver, "moon.landed", "user.upgraded")
        for _ in range(30):
            post.emit("moon.landed")
        with post.couriers(2):
            until(lambda: len(receiver.taken) == 30)
            until(lambda: {each.state for each in post.log(quick)} == {"delivered"})
            over.set()
            until(lambda: {each.attempts for each in post.log(slow)} == {1})
    assert Counter(each.id for each in receiver.taken).most_common(1)[0][1] == 1
    assert Counter(each.id for each in hanging.taken).most_common(1)[0][1] == 1


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package with handlers; the file that one of them writes into."""
    place = tmp_path / "site"
    info = place / "odd_handlers-1.dist-info"
    info.mkdir(parents=True)
    (place / "odd_handlers.py").write_text(HANDLERS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-handlers\nVersion: 1\n")
    points = [f"odd.{name} = odd_handlers:{name}" for name in ("picky", "endless", "crash", "missing")]
    (info / "entry_points.txt").write_text("\n".join(["[renderkiln.event_handlers]", *points]))
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("HANDLED", str(tmp_path / "handled"))
    handlers.installed.cache_clear()
    yield tmp_path / "handled"
    handlers.installed.cache_clear()


def test_handlers_are_tried_five_times_and_cannot_hurt_anybody(post: Post, plugins: Path) -> None:
    for name in ("picky", "endless", "crash", "missing"):
        assert post.kiln.emit(f"odd.{name}", {"n": 7}).handled
    assert not post.kiln.emit("odd.unknown", {}).handled
    post.clock.stop()  # one that fails at once would be tried again while another has not ended

    def handled() -> dict[str, StoredDelivery]:
        return {each.type: each for each in post.kiln.webhooks.handled()}

    with post.couriers(handling=5.0):  # the others need time to start on a loaded machine
        for attempt in range(1, 6):
            until(lambda: {each.attempts for each in handled().values()} == {attempt})  # noqa: B023
            if attempt < 5:
                picky = handled()["odd.picky"]
                assert picky.next_at is not None
                assert picky.tried_at is not None
                assert (picky.next_at - picky.tried_at).total_seconds() == 2 ** (attempt - 1)
            post.clock.move(seconds=20)
    assert {each.state for each in handled().values()} == {"failed"}
    assert handled()["odd.picky"].error == "ValueError: not today"
    assert handled()["odd.endless"].error == "it took longer than 5 s"
    assert handled()["odd.crash"].error == f"its process ended with status {-signal.SIGABRT}"
    assert "has no attribute 'missing'" in handled()["odd.missing"].error
    lines = plugins.read_text().splitlines()
    assert lines == [f"{handled()['odd.picky'].id} {attempt} 7" for attempt in range(1, 6)]


def test_an_event_waits_for_a_worker_that_has_its_handler(
    post: Post, plugins: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = list(sys.path)
    with post.couriers():
        until(lambda: handlers_known(post, "odd.picky"))
    monkeypatch.setattr(sys, "path", [each for each in here if each != str(plugins.parent / "site")])
    handlers.installed.cache_clear()  # from now on, this process has not got the package
    assert post.kiln.emit("odd.picky", {"n": 7}).handled
    post.emit()
    assert not warned(caplog)
    with post.couriers():
        until(lambda: [each.type for each in post.kiln.webhooks.handled(states=["delivered"])])
        (waiting,) = post.kiln.webhooks.handled(states=["pending"])
        assert (waiting.type, waiting.attempts) == ("odd.picky", 0)
    unknown = post.kiln.emit("odd.unknown", {})
    assert not unknown.handled
    assert warned(caplog) == [f"event {unknown.seq}: no handler is installed for the type odd.unknown"]
    monkeypatch.setattr(sys, "path", here)
    handlers.installed.cache_clear()
    with post.couriers():
        until(lambda: post.kiln.webhooks.handled(type="odd.picky")[0].attempts)
    tried = post.kiln.webhooks.handled(type="odd.picky")[0].tries[0]
    assert (tried["status"], tried["error"]) == (None, "ValueError: not today")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said about events when they were written."""
    return [each.getMessage() for each in caplog.records if each.name == emission.__name__]


def handlers_known(post: Post, type: str) -> bool:
    with post.kiln.database.read() as connection:
        return known.is_known(connection, type)


def test_what_a_killed_worker_was_sending_is_sent_by_another_one(rig: Rig, receiver: Receiver) -> None:
    hanging = threading.Event()
    receiver.answers = [lambda _: hanging.wait(30), 200]
    hooks = replace(rig.app.webhooks, allow_private=True)
    hook = hooks.create(receiver.url, types=["user.upgraded"])
    first = rig.worker("first")
    rig.app.emit("user.upgraded", {})
    until(lambda: receiver.taken)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert hooks.deliveries(hook.id)[0].state == "pending"
    rig.worker("second")
    until(lambda: hooks.deliveries(hook.id)[0].state == "delivered")
    hanging.set()
    assert [each.id for each in receiver.taken] == [hooks.deliveries(hook.id)[0].id] * 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_emits_never_waits_for_a_locked_database(post: Post, receiver: Receiver) -> None:
    hook = post.hook(receiver)
    with closing(sqlite3.connect(post.kiln.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        assert all(post.kiln.queue_event("user.upgraded", {"n": n}) for n in range(100))
        assert time.monotonic() - begun < 0.5
        time.sleep(1.5)
        assert not post.log(hook)
        other.execute("ROLLBACK")
    until(lambda: len(post.log(hook)) == 100)
    assert [each.payload["data"]["n"] for each in post.log(hook)] == list(range(100))
    assert not post.kiln.queue_event("user.upgraded", {"n": object()})
    assert not post.kiln.queue_event("job.completed", {})
    assert not post.kiln.queue_event(7, None)  # type: ignore[arg-type]


def test_the_receiver_of_the_documentation_verifies() -> None:
    page = (Path(__file__).parents[3] / "docs" / "howto" / "receive-webhooks.md").read_text()
    code = page.partition("```python file=receiver.py\n")[2].partition("```")[0]
    receiver: dict[str, Any] = {"__name__": "receiver"}
    exec(code, receiver)
    secret, body = signing.new_secret(), b'{"type": "user.upgraded"}'
    old = signing.headers("msg_1", int(time.time()) - 400, body, [secret])
    new = signing.headers("msg_1", int(time.time()), body, [signing.new_secret(), secret])
    assert receiver["verified"](secret, new, body) == {"type": "user.upgraded"}
    for headers, sent in ((old, body), (new, body + b" "), (new | {"webhook-id": "msg_2"}, body)):
        with pytest.raises(ValueError, match=r"too old|not signed"):
            receiver["verified"](secret, headers, sent)
