"""What every storage does with files."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Altered, BadKey, Missing, OutOfRange, Refused, StorageError, Taken
from renderkiln.storage.s3 import PART
from renderkiln.storage.source import Source
from renderkiln.storage.span import Span, tail

TEXT = b"Forty-two bytes are enough for most of it."
LARGE = 2 * PART + 12345  # three parts


def put(storage: Storage, key: str = "videos/a/b.mp4", content: bytes = TEXT, **more: object) -> None:
    storage.put(key, io.BytesIO(content), content_type="video/mp4", **more)  # type: ignore[arg-type]


def read(storage: Storage, key: str = "videos/a/b.mp4", span: Span | None = None) -> bytes:
    with storage.open(key, span or Span()) as reading:
        return reading.read()


def pattern(size: int) -> bytes:
    return hashlib.shake_128(b"kiln").digest(size)


def test_what_was_put_is_told_and_read(storage: Storage) -> None:
    before = datetime.now(UTC)
    stored = storage.put(
        "videos/a/b.mp4",
        io.BytesIO(TEXT),
        content_type="video/mp4",
        metadata={"job": "b-1", "title": "Süß 50%  "},
    )
    assert stored.key == "videos/a/b.mp4"
    assert stored.size == len(TEXT)
    assert stored.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert stored.content_type == "video/mp4"
    assert stored.metadata == {"job": "b-1", "title": "Süß 50%  "}
    assert stored.location == storage.location
    assert stored.etag.startswith('"')
    assert abs(stored.modified - before) < timedelta(seconds=10)
    assert storage.head("videos/a/b.mp4") == stored
    with storage.open("videos/a/b.mp4") as reading:
        assert reading.stored == stored
        assert (reading.start, reading.stop) == (0, len(TEXT))
        assert reading.read() == TEXT


@pytest.mark.parametrize("form", ["path", "file", "chunks"])
@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, LARGE])
def test_every_form_and_size(storage: Storage, tmp_path: Path, form: str, size: int) -> None:
    content = pattern(size)
    path = tmp_path / "song"
    path.write_bytes(content)
    told: list[int] = []
    with path.open("rb") as file:
        sources: dict[str, Source] = {"path": path, "file": file, "chunks": pieces(content)}
        source = sources[form]
        stored = storage.put("a", source, content_type="audio/wav", progress=told.append)
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert stored.content_type == "audio/wav"
    assert hashlib.sha256(read(storage, "a")).hexdigest() == stored.sha256
    assert told == sorted(told)
    assert told[-1:] in ([size], [])  # of an empty file there may be nothing to tell
    assert size == 0 or told
    assert path.read_bytes() == content


def pieces(content: bytes) -> Iterator[bytes]:
    yield b""
    for start in range(0, len(content), 700_000):
        yield content[start : start + 700_000]


def test_a_file_whose_hash_is_known(storage: Storage, tmp_path: Path) -> None:
    path, known, told = tmp_path / "song", hashlib.sha256(TEXT).hexdigest(), list[int]()
    path.write_bytes(TEXT)
    stored = storage.put("a", path, content_type="audio/wav", move=True, sha256=known, progress=told.append)
    assert (stored.size, stored.sha256, read(storage, "a")) == (len(TEXT), known, TEXT)
    assert told[-1] == len(TEXT)
    assert not path.exists()


def test_a_file_that_is_not_the_one_that_was_announced_leaves_what_was_there(
    storage: Storage, tmp_path: Path
) -> None:
    path, known = tmp_path / "song", hashlib.sha256(TEXT).hexdigest()
    storage.put("a", iter([TEXT]), content_type="audio/wav", metadata={"name": "right"})
    for wrong in (TEXT[:-1] + b"!", TEXT + b"!", b""):
        path.write_bytes(wrong)
        for key in ("a", "b"):
            with pytest.raises(Altered, match="nothing was"):
                storage.put(key, path, content_type="audio/mpeg", sha256=known)
    found = storage.head("a")
    assert found is not None
    assert (found.content_type, found.sha256, found.metadata["name"]) == ("audio/wav", known, "right")
    assert read(storage, "a") == TEXT
    assert storage.head("b") is None


def test_a_file_is_replaced(storage: Storage) -> None:
    put(storage, content=b"old", metadata={"version": "1", "only": "old"})
    put(storage, content=b"new", metadata={"version": "2"})
    assert read(storage) == b"new"
    head = storage.head("videos/a/b.mp4")
    assert head is not None
    assert head.metadata == {"version": "2"}
    assert head.sha256 == hashlib.sha256(b"new").hexdigest()


def test_a_replaced_file_has_another_etag(storage: Storage) -> None:
    etags = []
    for content in (b"one", b"two", b"six"):
        put(storage, content=content)
        head = storage.head("videos/a/b.mp4")
        assert head is not None
        etags.append(head.etag)
    assert len(set(etags)) == 3


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(0, 1), TEXT[:1]),
        (Span(6, 9), TEXT[6:9]),
        (Span(6), TEXT[6:]),
        (Span(0, 10**6), TEXT),
        (Span(40, 10**6), TEXT[40:]),
        (tail(3), TEXT[-3:]),
        (tail(10**6), TEXT),
        (Span(len(TEXT) - 1), TEXT[-1:]),
    ],
)
def test_parts_of_a_file(storage: Storage, span: Span, expected: bytes) -> None:
    put(storage)
    with storage.open("videos/a/b.mp4", span) as reading:
        assert reading.read() == expected
        assert TEXT[reading.start : reading.stop] == expected
        assert reading.stored.size == len(TEXT)


def test_a_part_across_chunks(storage: Storage) -> None:
    content = pattern(3 * 2**20)
    put(storage, content=content)
    assert read(storage, span=Span(2**20 - 3, 2 * 2**20 + 5)) == content[2**20 - 3 : 2 * 2**20 + 5]


@pytest.mark.parametrize("span", [Span(len(TEXT)), Span(10**9, 10**9 + 1)])
def test_a_part_beyond_the_end(storage: Storage, span: Span) -> None:
    put(storage)
    with pytest.raises(OutOfRange, match="has 42 bytes"):
        storage.open("videos/a/b.mp4", span)


def test_what_is_not_there(storage: Storage) -> None:
    assert storage.head("nothing/here") is None
    with pytest.raises(Missing, match="nothing/here"):
        storage.open("nothing/here")
    with pytest.raises(Missing):
        storage.open("nothing/here", Span(1, 2))
    storage.delete("nothing/here")
    assert list(storage.list().items) == []
    assert list(storage.list("nothing").items) == []


def test_a_folder_is_not_a_file(storage: Storage) -> None:
    put(storage, "videos/a/b.mp4")
    assert storage.head("videos/a") is None
    assert storage.head("videos/a/b.mp4/c") is None
    with pytest.raises(Missing):
        read(storage, "videos/a/b.mp4/c")


@pytest.mark.needs("delete-folders")
def test_a_folder_is_not_deleted(storage: Storage) -> None:
    put(storage, "videos/a/b.mp4")
    storage.delete("videos/a")
    storage.delete("videos/a/b.mp4/c")
    assert read(storage, "videos/a/b.mp4") == TEXT


@pytest.mark.needs("folders")
def test_a_file_may_be_named_as_a_folder(storage: Storage) -> None:
    put(storage, "a", b"1")
    put(storage, "a/b", b"2")
    assert (read(storage, "a"), read(storage, "a/b")) == (b"1", b"2")


def test_delete(storage: Storage) -> None:
    put(storage)
    put(storage, "videos/a/c.mp4")
    storage.delete("videos/a/b.mp4")
    assert storage.head("videos/a/b.mp4") is None
    assert [each.key for each in storage.list().items] == ["videos/a/c.mp4"]
    storage.delete("videos/a/c.mp4")
    put(storage)
    assert read(storage) == TEXT


def test_only_if_absent(storage: Storage) -> None:
    put(storage, content=b"first", if_absent=True)
    with pytest.raises(Taken, match=r"videos/a/b\.mp4"):
        put(storage, content=b"second", if_absent=True)
    assert read(storage) == b"first"


@pytest.mark.needs("atomic-if-absent")
def test_only_one_of_many_is_the_first(storage: Storage) -> None:
    start, won = threading.Barrier(8), []

    def try_it(number: int) -> None:
        start.wait()
        try:
            put(storage, content=b"%d" % number, if_absent=True)
            won.append(number)
        except Taken:
            pass

    threads = [threading.Thread(target=try_it, args=[number]) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(won) == 1
    assert read(storage) == b"%d" % won[0]


def test_moved_in(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    path.write_bytes(TEXT)
    stored = storage.put("made.mp4", path, content_type="video/mp4", move=True)
    assert not path.exists()
    assert read(storage, "made.mp4") == TEXT
    assert stored.sha256 == hashlib.sha256(TEXT).hexdigest()


def test_nothing_is_moved_that_was_not_stored(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    path.write_bytes(TEXT)
    put(storage, "made.mp4", b"before")
    with pytest.raises(Taken):
        storage.put("made.mp4", path, content_type="video/mp4", move=True, if_absent=True)
    assert path.read_bytes() == TEXT


HARD_KEYS = [
    "%41/%2f.mp4",
    "a b/~.mp4",
    "#?&=+.mp4",
    "a'(b)!*.mp4",
    "a:b@c,d;e$f.mp4",
    "日本/ü.mp4",
    '"<>|^`{}[].mp4',
    "..a/b..mp4",
    "x" * 200 + "/" + "y" * 200 + "/" + "z" * 200,
    "🎬.mp4",
]


@pytest.mark.parametrize("key", HARD_KEYS)
def test_hard_keys(storage: Storage, key: str) -> None:
    put(storage, key, key.encode())
    assert read(storage, key) == key.encode()
    assert read(storage, key, Span(1, 2)) == key.encode()[1:2]
    assert [each.key for each in storage.list().items] == [key]
    storage.delete(key)
    assert storage.head(key) is None


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", ".", "a\\b", "a\nb", "a\0b", "e\u0301"]
)
def test_keys_nobody_takes(storage: Storage, key: str) -> None:
    for ask in (put, read, Storage.head, Storage.delete):
        with pytest.raises(BadKey):
            getattr(storage, ask.__name__)(key) if ask.__name__ in ("head", "delete") else ask(storage, key)
    with pytest.raises(BadKey):
        storage.url(key, seconds=60)


@pytest.mark.parametrize(
    "metadata", [{"Upper": "a"}, {"sha256": "0"}, {"content-type": "a"}, {"a": "x" * 2000}, {"": "a"}]
)
def test_metadata_nobody_takes(storage: Storage, metadata: dict[str, str]) -> None:
    with pytest.raises(Refused):
        put(storage, metadata=metadata)
    assert storage.head("videos/a/b.mp4") is None


KEYS = ["a!/x", "a-b", "a.b", "a/b/c", "a/b/d", "a/b!", "a0", "b", "z/1", "ä"]


def test_lists_are_in_order_and_pages_meet(storage: Storage) -> None:
    for key in reversed(KEYS):
        put(storage, key, key.encode())
    expected = sorted(KEYS, key=str.encode)
    everything = storage.list()
    assert [each.key for each in everything.items] == expected
    assert everything.after is None
    assert [each.size for each in everything.items] == [len(key.encode()) for key in expected]
    for limit in (1, 3, 10):
        found, after = [], None
        while True:
            page = storage.list(after=after, limit=limit)
            assert len(page.items) <= limit
            found += [each.key for each in page.items]
            if (after := page.after) is None:
                break
        assert found == expected


def test_a_list_of_a_folder(storage: Storage) -> None:
    for key in KEYS:
        put(storage, key, b"1")
    assert [each.key for each in storage.list("a").items] == ["a/b!", "a/b/c", "a/b/d"]
    assert [each.key for each in storage.list("a/b").items] == ["a/b/c", "a/b/d"]
    assert [each.key for each in storage.list("a", after="a/b/c").items] == ["a/b/d"]
    with pytest.raises(BadKey):
        storage.list("../a")


def test_progress_can_stop_it(storage: Storage) -> None:
    class Enough(Exception):
        pass

    def stop(count: int) -> None:
        if count > PART:
            raise Enough

    with pytest.raises(Enough):
        put(storage, content=pattern(LARGE), progress=stop)
    assert storage.head("videos/a/b.mp4") is None


def test_a_broken_source_leaves_what_was_there(storage: Storage) -> None:
    put(storage, content=b"before")

    def broken() -> Iterator[bytes]:
        yield b"x" * (PART + 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        storage.put("videos/a/b.mp4", broken(), content_type="video/mp4")
    assert read(storage) == b"before"


def test_a_missing_source(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"gone\.mp4 cannot be read"):
        storage.put("a", tmp_path / "gone.mp4", content_type="video/mp4")
    assert storage.head("a") is None


def test_many_at_once(storage: Storage) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        content = b"%d" % number * 1000
        try:
            for turn in range(5):
                key = f"t/{number}/{turn}"
                put(storage, key, content)
                if read(storage, key) != content:
                    wrong.append(key)
                storage.delete(key)
        except StorageError as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert list(storage.list().items) == []
