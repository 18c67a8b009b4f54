"""What of unfinished work goes to the storage, and that nothing which comes from there is trusted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from renderkiln.domain.errors import Stopped
from renderkiln.engine.cargo import Cargo
from renderkiln.engine.carrier import Carrier
from renderkiln.engine.checkpoint import Checkpoint, FileRecord
from renderkiln.engine.depot import Depot
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Refused, StorageError
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.naming import work_key
from renderkiln.storage.retrying import RetryingStorage
from renderkiln.storage.s3 import S3Storage
from waiting import until

pytestmark = pytest.mark.integration

WORK = "0123456789abcdef01234567"


def never() -> bool:
    return False


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


@pytest.fixture
def depot(storage: LocalStorage) -> Depot:
    return Depot(lambda _stop: storage)


@pytest.fixture
def carrier(depot: Depot) -> Iterator[Carrier]:
    with Carrier(depot) as running:
        yield running


def _threads() -> set[str]:
    return {each.name for each in threading.enumerate()}


def folder(tmp_path: Path, name: str) -> Path:
    made = tmp_path / name
    made.mkdir()
    return made


def made(home: Path, path: str, content: bytes = b"a finished part") -> FileRecord:
    (home / path).parent.mkdir(parents=True, exist_ok=True)
    (home / path).write_bytes(content)
    return FileRecord.of(Path(path), home)


def part(*files: FileRecord) -> Checkpoint:
    return Checkpoint({}, {file.path: file for file in files})


def test_a_file_comes_to_its_place(depot: Depot, tmp_path: Path) -> None:
    here, there = folder(tmp_path, "here"), folder(tmp_path, "there")
    file = made(here, "segments/00001.mp4")
    depot.put(WORK, here, file, never)
    assert depot.held(WORK, never) == {file.sha256: file.size}
    (there / "segments").mkdir()
    (there / "segments" / "00001.mp4").write_bytes(b"half")
    assert depot.fetch(WORK, there, file, never)
    assert file.is_unchanged(there)
    depot.forget(WORK, never)
    assert depot.held(WORK, never) == {}


@pytest.mark.parametrize("damage", [b"a finished p4rt", b"a finished par", b"a finished part and more", b""])
def test_a_damaged_file_is_not_taken(
    depot: Depot, storage: LocalStorage, tmp_path: Path, damage: bytes
) -> None:
    here = folder(tmp_path, "here")
    file = made(here, "part.mp4")
    depot.put(WORK, here, file, never)
    storage.put(work_key(WORK, file.sha256), iter([damage]), content_type="video/mp4")
    there = folder(tmp_path, "there")
    assert not depot.fetch(WORK, there, file, never)
    assert list(there.iterdir()) == []


@pytest.mark.parametrize("path", ["../part", "a/../../part", "/tmp/part", "", ".", "a\0b", "x" * 300])
def test_no_place_outside_the_folder_is_written(depot: Depot, tmp_path: Path, path: str) -> None:
    here, there = folder(tmp_path, "here"), folder(tmp_path, "there")
    file = made(here, "part")
    depot.put(WORK, here, file, never)
    with pytest.raises((Refused, OSError)):
        depot.fetch(WORK, there, replace(file, path=path), never)
    assert list(there.iterdir()) == []
    assert not (tmp_path / "part").exists()


def test_no_link_is_followed(depot: Depot, tmp_path: Path) -> None:
    here, there, outside = (folder(tmp_path, name) for name in ("here", "there", "outside"))
    file = made(here, "segments/part")
    depot.put(WORK, here, file, never)
    (there / "segments").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        depot.fetch(WORK, there, file, never)
    assert list(outside.iterdir()) == []
    secret = made(outside, "secret", b"not yours")
    (here / "link").symlink_to(outside / "secret")
    with pytest.raises(Refused):
        depot.put(WORK, here, replace(secret, path="link"), never)


def test_what_changed_after_it_was_finished_is_not_kept(depot: Depot, tmp_path: Path) -> None:
    here = folder(tmp_path, "here")
    file = made(here, "part")
    (here / "part").write_bytes(b"something else!")
    with pytest.raises(Refused):
        depot.put(WORK, here, file, never)
    assert depot.held(WORK, never) == {}


def test_a_stopped_transfer_leaves_nothing(depot: Depot, tmp_path: Path) -> None:
    here, there = folder(tmp_path, "here"), folder(tmp_path, "there")
    file = made(here, "part")
    with pytest.raises(Stopped):
        depot.put(WORK, here, file, lambda: True)
    assert depot.held(WORK, never) == {}
    depot.put(WORK, here, file, never)
    with pytest.raises(Stopped):
        depot.fetch(WORK, there, file, lambda: True)
    assert list(there.iterdir()) == []


def test_what_is_sent_and_what_is_not(carrier: Carrier, depot: Depot, tmp_path: Path) -> None:
    home = folder(tmp_path, "home")
    cargo = Cargo(carrier, "job", WORK, home)
    first, second = made(home, "first", b"1"), made(home, "second", b"2")
    cheap, gone = made(home, "film", bytes(2_000_000)), made(home, "gone", b"3")
    made(tmp_path, "outside", b"4")
    outside = FileRecord.of(tmp_path / "outside", home)
    (home / "gone").unlink()
    cargo.send(part(first))
    cargo.send(part(first, second, gone, outside))
    cargo.send(part(cheap), seconds=0.05)  # joined at 40 MB/s: made again sooner than fetched
    cargo.settle()
    until(lambda: set(depot.held(WORK, never)) == {first.sha256, second.sha256})
    cargo.send(part(cheap), seconds=0.2)
    cargo.settle()
    until(lambda: cheap.sha256 in depot.held(WORK, never))


def test_what_only_one_side_has_reaches_the_other(carrier: Carrier, depot: Depot, tmp_path: Path) -> None:
    """A worker that was killed had not sent everything; it goes on, and sends the rest."""
    here, there = folder(tmp_path, "here"), folder(tmp_path, "there")
    sent, unsent, lost = made(there, "sent", b"1"), made(here, "unsent", b"2"), made(there, "lost", b"3")
    depot.put(WORK, there, sent, never)
    said: list[str] = []
    cargo = Cargo(carrier, "job", WORK, here)
    cargo.bring([(part(sent, unsent), None), (part(lost), None)], never, said.append)
    assert sent.is_unchanged(here)
    assert not (here / "lost").exists()
    cargo.settle()
    until(lambda: set(depot.held(WORK, never)) == {sent.sha256, unsent.sha256})
    assert said == ["Fetching finished work", "Fetching finished work, 100 %"]


def test_a_job_that_ends_at_once_sends_nothing(carrier: Carrier, depot: Depot, tmp_path: Path) -> None:
    home = folder(tmp_path, "home")
    cargo = Cargo(carrier, "job", WORK, home)
    cargo.send(part(made(home, "part")))
    cargo.drop()
    cargo.settle()
    assert depot.held(WORK, never) == {}


def test_a_storage_that_is_away_holds_nobody_up(tmp_path: Path) -> None:
    away: Storage = S3Storage(
        Bucket(name="b", access_key="k", secret_key="s", endpoint="http://127.0.0.1:9"), patience=2
    )
    home, depot = folder(tmp_path, "home"), Depot(lambda stop: RetryingStorage(away, stop=stop))
    with Carrier(depot) as carrier:
        cargo = Cargo(carrier, "job", WORK, home)
        stop = threading.Event()
        stop.set()
        file = part(made(home, "part"))
        cargo.send(file)
        with pytest.raises(Stopped):
            cargo.bring([(file, None)], stop.is_set, lambda _: None)
        until(lambda: "carrier" in _threads())
    until(lambda: "carrier" not in _threads())


def test_removal_is_done_when_the_worker_ends(depot: Depot, tmp_path: Path) -> None:
    home = folder(tmp_path, "home")
    file = made(home, "part")
    depot.put(WORK, home, file, never)
    with Carrier(depot) as carrier:
        carrier.forget(WORK)
    assert depot.held(WORK, never) == {}
    with pytest.raises(StorageError):
        depot.fetch(WORK, home, file, never)
    assert file.is_unchanged(home)


def test_a_stop_is_heard_while_a_bucket_says_nothing(tmp_path: Path) -> None:
    """It takes the connection, and that is all: an attempt that goes on is not its prisoner."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        silent = S3Storage(Bucket("films", "key", "secret", endpoint=endpoint), patience=3000.0)
        home, stop = folder(tmp_path, "home"), threading.Event()
        finished = [(part(made(home, "segments/00001.mp4")), 1.0)]
        cargo = Cargo(Carrier(Depot(lambda _stop: silent)), "job", WORK, home)
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(Stopped):
            cargo.bring(finished, stop.is_set, lambda _: None)
        assert not cargo.lies_there
