"""Trying again, stopping, and falling back, on a folder whose door can be closed."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from renderkiln.domain.errors import Stopped
from renderkiln.domain.retry import Retry
from renderkiln.storage.contract import NOTHING, Storage
from renderkiln.storage.errors import Full, Missing, Refused, StorageError, Taken, Unavailable
from renderkiln.storage.fallback import FallbackStorage
from renderkiln.storage.links import Links
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.reading import Reading
from renderkiln.storage.retrying import FIVE_TRIES, RetryingStorage
from renderkiln.storage.rooms import Rooms
from renderkiln.storage.source import Progress, Source
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Page, Stored
from renderkiln.testing import FakeClock

AWAY = Unavailable("the door is closed")


class Door(LocalStorage):
    """A folder behind a door: `errors` are raised by the next calls, one each."""

    def __init__(self, root: Path, location: str = "local") -> None:
        links = Links(f"https://{location}.example", [b"a secret of the tests"])
        super().__init__(root, links=links, location=location)
        self.errors: list[StorageError] = []
        self.broken: list[int] = []  # after how many bytes the next readings and writings break off
        self.calls = 0

    def put(
        self,
        key: str,
        source: Source,
        *,
        content_type: str,
        metadata: Mapping[str, str] = NOTHING,
        if_absent: bool = False,
        move: bool = False,
        sha256: str | None = None,
        progress: Progress | None = None,
    ) -> Stored:
        self._knock()
        after = self.broken.pop(0) if self.broken else None

        def told(count: int) -> None:
            if progress is not None:
                progress(count)
            if after is not None and count >= after:
                raise AWAY

        return super().put(
            key,
            source,
            content_type=content_type,
            metadata=metadata,
            if_absent=if_absent,
            move=move,
            sha256=sha256,
            progress=told,
        )

    def open(self, key: str, span: Span = WHOLE) -> Reading:
        self._knock()
        reading = super().open(key, span)
        after = self.broken.pop(0) if self.broken else None
        return Reading(reading.stored, (reading.start, reading.stop), _until(reading, after), reading._close)

    def head(self, key: str) -> Stored | None:
        if self.errors:
            self._knock()
        return super().head(key)

    def delete(self, key: str) -> None:
        self._knock()
        super().delete(key)

    def list(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        self._knock()
        return super().list(prefix, after=after, limit=limit)

    def _knock(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


def _until(reading: Reading, after: int | None) -> Iterator[bytes]:
    for chunk in reading:
        if after is not None:
            yield chunk[:after]
            raise AWAY
        yield chunk


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path / "first", "first")


@pytest.fixture
def second(tmp_path: Path) -> Door:
    return Door(tmp_path / "second", "second")


def retrying(door: Storage, clock: FakeClock | None = None, retry: Retry = FIVE_TRIES) -> RetryingStorage:
    return RetryingStorage(door, retry=retry, clock=clock or FakeClock(), rng=random.Random(1))


def put(storage: Storage, content: bytes = b"content", key: str = "a", **more: bool) -> Stored:
    return storage.put(
        key, io.BytesIO(content), content_type="video/mp4", if_absent=more.get("if_absent", False)
    )


def read(storage: Storage, key: str = "a", span: Span = WHOLE) -> bytes:
    with storage.open(key, span) as reading:
        return reading.read()


def test_four_failures_are_borne(door: Door) -> None:
    clock = FakeClock()
    start = clock.monotonic()
    door.errors = [AWAY] * 4
    assert put(retrying(door, clock)).sha256
    assert door.calls == 5
    assert 3.7 < clock.monotonic() - start < 11.3  # 0.5 + 1 + 2 + 4 s, half more or less


def test_a_fifth_is_not(door: Door) -> None:
    door.errors = [AWAY] * 5
    with pytest.raises(Unavailable, match=r"the door is closed \(tried 5 times\)"):
        put(retrying(door))
    assert door.calls == 5


@pytest.mark.parametrize("error", [Refused("no"), Missing("no"), Full("no")])
def test_a_no_is_a_no(door: Door, error: StorageError) -> None:
    door.errors = [error]
    with pytest.raises(type(error)):
        put(retrying(door))
    assert door.calls == 1


def test_everything_is_tried_again(door: Door) -> None:
    storage = retrying(door)
    put(storage)
    for ask in (read, lambda s: s.head("a"), lambda s: s.list(), lambda s: s.delete("a")):
        door.errors = [AWAY] * 2
        ask(storage)
        assert door.errors == []
    assert storage.head("a") is None
    assert storage.location == "first"


def test_progress_does_not_go_back(door: Door) -> None:
    content = bytes(4 * 2**20)
    door.broken = [3 * 2**20, 2 * 2**20, 4 * 2**20]
    told: list[int] = []
    storage = retrying(door)
    storage.put("a", io.BytesIO(content), content_type="x/y", progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(content)
    assert len(told) > 4
    assert read(door) == content


def test_a_stream_is_read_once_and_sent_twice(door: Door) -> None:
    door.errors = [AWAY] * 3
    retrying(door).put("a", iter([b"con", b"tent"]), content_type="x/y")
    assert read(door) == b"content"


def test_a_file_is_moved_once_it_is_stored(door: Door, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"film")
    door.errors = [AWAY] * 5
    with pytest.raises(Unavailable):
        retrying(door).put("a", made, content_type="x/y", move=True)
    assert made.exists()
    door.errors = [AWAY]
    retrying(door).put("a", made, content_type="x/y", move=True)
    assert not made.exists()


def test_stopped_while_waiting(door: Door) -> None:
    clock = FakeClock()
    start = clock.monotonic()
    storage = RetryingStorage(
        door,
        retry=Retry(attempts=5, first=100, factor=1),
        stop=lambda: clock.monotonic() - start > 7,
        clock=clock,
    )
    door.errors = [AWAY] * 5
    with pytest.raises(Stopped):
        put(storage)
    assert clock.monotonic() - start < 8
    assert door.calls == 1


def test_stopped_before_it_begins(door: Door) -> None:
    with pytest.raises(Stopped):
        put(RetryingStorage(door, stop=lambda: True))
    assert door.calls == 0


def test_a_reading_goes_on_where_it_broke_off(door: Door) -> None:
    content = bytes(range(256))
    put(door, content)
    for span, expected in ((WHOLE, content), (Span(10, 200), content[10:200]), (Span(-100), content[-100:])):
        door.broken = [30, 20, 1]
        assert read(retrying(door), span=span) == expected
        assert door.broken == []


def test_a_reading_that_broke_off_after_its_last_byte(door: Door) -> None:
    put(door)
    door.broken = [7]
    assert read(retrying(door)) == b"content"


def test_a_reading_does_not_go_on_in_another_file(door: Door) -> None:
    put(door)
    door.broken = [3]
    with retrying(door).open("a") as reading:
        chunks = iter(reading)
        assert next(chunks) == b"con"
        put(door, b"another")
        with pytest.raises(Unavailable, match="replaced"):
            next(chunks)


def test_a_reading_gives_up(door: Door) -> None:
    put(door)
    door.broken = [1]
    with retrying(door).open("a") as reading:
        chunks = iter(reading)
        next(chunks)
        door.errors = [AWAY] * 100
        with pytest.raises(Unavailable, match="tried"):
            next(chunks)


def test_the_second_is_for_when_the_first_is_away(door: Door, second: Door) -> None:
    both = FallbackStorage(door, second)
    assert put(both, key="1").location == "first"
    door.errors = [AWAY]
    assert put(both, key="2").location == "second"
    door.errors = [Full("no space")]
    assert put(both, key="3").location == "second"
    assert [each.key for each in door.list().items] == ["1"]
    assert [each.key for each in second.list().items] == ["2", "3"]
    assert [each.key for each in both.list().items] == ["1", "2", "3"]
    assert [read(both, key) for key in "123"] == [b"content"] * 3
    head = both.head("2")
    assert head is not None
    assert head.location == "second"
    assert both.location == "first+second"


def test_a_no_does_not_go_to_the_second(door: Door, second: Door) -> None:
    door.errors = [Refused("wrong key")]
    with pytest.raises(Refused, match="wrong key"):
        put(FallbackStorage(door, second))
    assert second.calls == 0


def test_both_away(door: Door, second: Door) -> None:
    door.errors, second.errors = [AWAY], [Unavailable("so is this one")]
    with pytest.raises(Unavailable, match="the door is closed; and in its stead: so is this one"):
        put(FallbackStorage(door, second))


def test_nobody_guesses_what_is_in_the_one_that_is_away(door: Door, second: Door) -> None:
    both = FallbackStorage(door, second)
    put(second, key="there")
    door.errors = [AWAY]
    assert both.head("there") is not None
    door.errors = [AWAY]
    with pytest.raises(Unavailable):
        both.head("a")
    for ask in (lambda: both.list(), lambda: both.delete("there")):
        door.errors = [AWAY]
        with pytest.raises(Unavailable):
            ask()
    assert both.head("there") is None  # removed where it could be


def test_the_newer_file_is_the_file(door: Door, second: Door) -> None:
    both = FallbackStorage(door, second)
    put(both, b"old")
    door.errors = [AWAY]
    put(both, b"newer")
    assert read(both) == b"newer"
    assert [each.size for each in both.list().items] == [5]
    put(both, b"newest")
    assert read(both) == b"newest"
    assert read(second) == b"newer"
    both.delete("a")
    assert both.head("a") is None


def test_only_if_absent_looks_in_both(door: Door, second: Door) -> None:
    both = FallbackStorage(door, second)
    put(second)
    with pytest.raises(Taken):
        put(both, if_absent=True)
    put(door, key="b")
    with pytest.raises(Taken):
        put(both, key="b", if_absent=True)


def test_pages_of_both(door: Door, second: Door) -> None:
    keys = [f"{number:02}" for number in range(20)]
    for key in keys:
        put(door if int(key) % 3 else second, key=key)
        put(second if int(key) % 2 else door, key=key)
    both = FallbackStorage(door, second)
    for limit in (1, 3, 7, 100):
        found: list[str] = []
        after = None
        while True:
            page = both.list(after=after, limit=limit)
            found += [each.key for each in page.items]
            if (after := page.after) is None:
                break
        assert found == keys


def test_urls_lead_to_where_it_is(door: Door, second: Door) -> None:
    both = FallbackStorage(door, second)
    put(door, key="1")
    put(second, key="2")
    assert both.url("1", seconds=None) == "https://first.example/1"
    assert both.url("2", seconds=None) == "https://second.example/2"
    assert both.url("3", seconds=None) == "https://first.example/3"
    assert both.at("second") is second
    with pytest.raises(Missing):
        both.at("third")
    with pytest.raises(ValueError, match="two names"):
        FallbackStorage(door, door)


def test_rooms(door: Door, second: Door) -> None:
    rooms = Rooms(private=door, public=second)
    assert rooms.room("private") is door
    assert rooms.room("public") is second
    assert rooms.url("public", "a") == "https://second.example/a"
    assert "signature=" in rooms.url("private", "a")
    assert "filename=x.mp4" in rooms.url("public", "a", filename="x.mp4")
    with pytest.raises(Refused, match="no URLs"):
        LocalStorage(Path("/nowhere")).url("a", seconds=1)
