"""What only a folder can have: links that lead out, full disks, and processes that die between two lines."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderkiln.storage.errors import Full, Missing, Refused, StorageError, Taken, Unavailable
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.source import CHUNK, Source
from renderkiln.storage.trouble import meaning
from waiting import until

WRITER = """
import os, sys, time
from pathlib import Path
from renderkiln.storage.local import LocalStorage

def chunks():
    yield b"new" * 100_000
    print("half", flush=True)
    time.sleep(600)

LocalStorage(Path(sys.argv[1])).put("a/b", chunks(), content_type="video/mp4")
"""

# Dies by its own hand just before the file gets its name: the notes are written, the file is not there yet.
BETWEEN = """
import os, signal, sys
from pathlib import Path
from renderkiln.storage.local import LocalStorage

def die(*args, **more):
    os.kill(os.getpid(), signal.SIGKILL)

os.rename = os.link = die
LocalStorage(Path(sys.argv[1])).put(
    "a/b", iter([b"new"]), content_type="audio/wav", metadata={"job": "new"},
    if_absent=sys.argv[2] == "absent",
)
"""


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


def put(storage: LocalStorage, key: str = "a/b", content: bytes = b"old", *, if_absent: bool = False) -> None:
    source = io.BytesIO(content)
    storage.put(key, source, content_type="video/mp4", metadata={"job": "old"}, if_absent=if_absent)


def read(storage: LocalStorage, key: str = "a/b") -> bytes:
    with storage.open(key) as reading:
        return reading.read()


def files(storage: LocalStorage) -> list[str]:
    root = storage._root
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("before", [False, True])
def test_killed_while_it_writes(storage: LocalStorage, before: bool) -> None:
    if before:
        put(storage)
    at_first = files(storage)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, storage._root], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    left = [each for each in files(storage) if each not in at_first]
    assert [each.split("/")[0] for each in left] == ["drafts"]
    head = storage.head("a/b")
    assert (head is not None) == before
    assert storage.sweep(older_than=3600) == 0
    assert storage.sweep(older_than=-1) == 1
    assert files(storage) == at_first
    assert not before or read(storage) == b"old"


@pytest.mark.parametrize("before", [False, True])
def test_killed_between_the_notes_and_the_file(storage: LocalStorage, before: bool) -> None:
    if before:
        put(storage)
    at_first, head = files(storage), storage.head("a/b")
    how = "replace" if before else "absent"
    ended = subprocess.run([sys.executable, "-c", BETWEEN, storage._root, how], check=False)
    assert ended.returncode == -signal.SIGKILL
    # The old file with its old notes, or nothing: the new notes are of a version that never was.
    assert storage.head("a/b") == head
    assert not before or read(storage) == b"old"
    left = sorted(each.split("/")[0] for each in files(storage) if each not in at_first)
    assert left == ["about", "drafts"]
    assert storage.sweep(older_than=-1) == 2
    assert files(storage) == at_first
    assert storage.head("a/b") == head


def test_nothing_is_left_of_a_put_and_a_delete(storage: LocalStorage) -> None:
    put(storage)
    put(storage, content=b"newer")
    with pytest.raises(Taken):
        put(storage, if_absent=True)
    assert len(files(storage)) == 2  # the file and its notes
    storage.delete("a/b")
    assert files(storage) == []
    assert not (storage._root / "objects" / "a").exists()
    assert (storage._root / "objects").exists()


def test_a_sweep_leaves_what_is_in_use(storage: LocalStorage) -> None:
    put(storage)
    put(storage, "c", b"c")
    before = files(storage)
    assert storage.sweep(older_than=-1) == 0
    assert files(storage) == before


def test_damaged_notes_are_no_notes(storage: LocalStorage) -> None:
    put(storage)
    (notes,) = (storage._root / "about").rglob("*.json")
    for damage in (b"", b"[]", b'{"key": "a/b"}', b"\xff", json.dumps({"key": "other"}).encode()):
        notes.write_bytes(damage)
        head = storage.head("a/b")
        assert head is not None
        assert (head.sha256, head.size, head.metadata) == (None, 3, {})
    assert read(storage) == b"old"


def test_a_file_that_somebody_else_put_there(storage: LocalStorage) -> None:
    put(storage)
    (storage._root / "objects" / "song.wav").write_bytes(b"foreign")
    head = storage.head("song.wav")
    assert head is not None
    assert (head.sha256, head.size) == (None, 7)
    assert head.content_type in ("audio/x-wav", "audio/wav", "audio/vnd.wave")
    assert read(storage, "song.wav") == b"foreign"
    assert [each.key for each in storage.list().items] == ["a/b", "song.wav"]


def test_links_lead_nowhere(storage: LocalStorage, tmp_path: Path) -> None:
    put(storage, "keep/me")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    objects = storage._root / "objects"
    (objects / "folder").symlink_to(outside)
    (objects / "file").symlink_to(outside / "secret")
    for key in ("folder/secret", "file"):
        assert storage.head(key) is None
        with pytest.raises(Missing):
            storage.open(key)
        storage.delete(key)
    with pytest.raises(Refused):
        put(storage, "folder/new")
    put(storage, "file", b"ours")  # takes the place of the link
    assert read(storage, "file") == b"ours"
    assert [each.key for each in storage.list().items] == ["file", "keep/me"]
    assert list(storage.list("folder").items) == []
    assert [(each.name, each.read_bytes()) for each in outside.iterdir()] == [("secret", b"secret")]


def test_a_pipe_is_not_a_file(storage: LocalStorage) -> None:
    put(storage)
    os.mkfifo(storage._root / "objects" / "pipe")
    assert storage.head("pipe") is None
    assert [each.key for each in storage.list().items] == ["a/b"]


def test_a_file_where_a_folder_should_be(storage: LocalStorage) -> None:
    put(storage, "a")
    with pytest.raises(Refused):
        put(storage, "a/b")
    put(storage, "c/d")
    with pytest.raises(Refused):
        put(storage, "c")
    assert read(storage, "a") == read(storage, "c/d") == b"old"
    assert len(files(storage)) == 4  # two files and their notes


def test_a_moved_file_is_not_copied(storage: LocalStorage, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"film")
    number = made.stat().st_ino
    storage.put("film", made, content_type="video/mp4", move=True)
    assert (storage._root / "objects" / "film").stat().st_ino == number
    assert not made.exists()


def test_files_of_one_time_and_size_are_two_versions(storage: LocalStorage, tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        made = tmp_path / "made"
        made.write_bytes(content)
        os.utime(made, (10**9, 10**9))
        storage.put("film", made, content_type="video/mp4", metadata={"is": content.decode()}, move=True)
    head = storage.head("film")
    assert head is not None
    assert head.metadata == {"is": "two"}
    assert head.modified.year >= 2026


def test_a_copied_file_is_not_shared(storage: LocalStorage, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"film")
    storage.put("film", made, content_type="video/mp4")
    made.write_bytes(b"changed afterwards")
    assert read(storage, "film") == b"film"


def test_a_moved_link_is_removed_and_its_file_is_not(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"film")
    (tmp_path / "link").symlink_to(tmp_path / "made")
    storage.put("film", tmp_path / "link", content_type="video/mp4", move=True)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "made").read_bytes() == read(storage, "film") == b"film"


def test_moved_from_another_disk(storage: LocalStorage) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == storage._root.parent.stat().st_dev:
        pytest.skip("this machine has no second file system at /dev/shm")
    made = other / f"renderkiln-{os.getpid()}"
    made.write_bytes(b"film")
    storage.put("film", made, content_type="video/mp4", move=True)
    assert not made.exists()
    assert read(storage, "film") == b"film"


def test_a_full_disk(storage: LocalStorage, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", small], check=False, stderr=subprocess.DEVNULL
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a disk: test_what_the_disk_says stands in")
    try:
        full = LocalStorage(small / "storage")
        put(full, content=b"x" * 2 * CHUNK)
        free = os.statvfs(small).f_bavail
        with pytest.raises(Full, match="no space is left"):
            put(full, "c", b"y" * 3 * CHUNK)
        assert os.statvfs(small).f_bavail == free
        assert full.head("c") is None
        assert read(full) == b"x" * 2 * CHUNK
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_file_that_may_not_grow(storage: LocalStorage) -> None:
    """A full disk for everybody: the system refuses what goes beyond a limit of our own process."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from renderkiln.storage.errors import Full\n"
        "from renderkiln.storage.local import LocalStorage\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "try:\n"
        "    LocalStorage(Path(sys.argv[1])).put('a/b', iter([b'x' * 3_000_000]), content_type='video/mp4')\n"
        "except Full as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, storage._root], check=True, capture_output=True, text=True
    )
    assert "no space is left" in ended.stdout
    assert files(storage) == []


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, Full, "make room"),
        (errno.EACCES, Refused, "right to read and write"),
        (errno.EROFS, Refused, "read-only"),
        (errno.EIO, Unavailable, "cannot be used now"),
        (errno.ENAMETOOLONG, Refused, "too long"),
    ],
)
def test_what_the_disk_says(number: int, kind: type[StorageError], words: str) -> None:
    error = meaning(OSError(number, os.strerror(number)), "the storage /x")
    assert type(error) is kind or issubclass(type(error), kind)
    assert words in str(error)
    assert "/x" in str(error)


def test_a_folder_that_is_not_ours() -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from renderkiln.storage.errors import Refused\n"
        "from renderkiln.storage.local import LocalStorage\n"
        "try:\n"
        "    LocalStorage(Path('/proc/renderkiln')).put('a', iter([b'x']), content_type='video/mp4')\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "/proc/renderkiln" in ended.stdout


def test_readers_see_whole_versions(storage: LocalStorage) -> None:
    """While a file is replaced again and again, bytes and notes are of the same version."""
    over, wrong, seen = threading.Event(), [], set()

    def write() -> None:
        for number in range(150):
            content = b"%03d" % number * 1000
            storage.put("a", io.BytesIO(content), content_type="x/y", metadata={"number": f"{number:03}"})
        over.set()

    storage.put("a", io.BytesIO(b"999" * 1000), content_type="x/y", metadata={"number": "999"})
    writer = threading.Thread(target=write)
    writer.start()
    while not over.is_set():
        with storage.open("a") as reading:
            content = reading.read()
        seen.add(content[:3])
        if content != reading.stored.metadata.get("number", "").encode() * 1000:
            wrong.append((content[:3], reading.stored))
    writer.join()
    assert wrong == []
    assert len(seen) > 5


def test_a_reader_keeps_the_file_it_opened(storage: LocalStorage) -> None:
    put(storage, content=b"old" * CHUNK)
    with storage.open("a/b") as reading:
        first = next(iter(reading))
        put(storage, content=b"new")
        assert first + reading.read() == b"old" * CHUNK


def test_a_put_survives_deletes_around_it(storage: LocalStorage) -> None:
    """Deleting the last file of a folder removes the folder, under the feet of who stores in it."""
    over = threading.Event()

    def delete() -> None:
        while not over.is_set():
            storage.delete("f/g/other")

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        for number in range(100):
            put(storage, "f/g/other")
            put(storage, f"f/g/{number}")
            assert read(storage, f"f/g/{number}") == b"old"
            storage.delete(f"f/g/{number}")
    finally:
        over.set()
        thread.join()


def test_memory_is_flat(storage: LocalStorage) -> None:
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from renderkiln.storage.local import LocalStorage\n"
        "status = Path('/proc/self/status')  # ru_maxrss would count the parent's memory too\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', status.read_text())[1])\n"
        "storage = LocalStorage(Path(sys.argv[1]))\n"
        "storage.put('a', iter([b'x']), content_type='video/mp4')\n"
        "before = peak()\n"
        "storage.put('a', (bytes(2**20) for _ in range(100)), content_type='video/mp4')\n"
        "with storage.open('a') as reading:\n"
        "    assert sum(map(len, reading)) == 100 * 2**20\n"
        "print(peak() - before)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, storage._root], check=True, capture_output=True, text=True
    )
    assert int(ended.stdout) < 16 * 1024  # KiB


def test_a_draft_is_as_old_as_its_last_byte(storage: LocalStorage) -> None:
    go, done = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b"1"
        done.set()
        go.wait(30)
        yield b"2"

    source: Source = slowly()
    thread = threading.Thread(target=storage.put, args=["a", source], kwargs={"content_type": "x/y"})
    thread.start()
    until(done.is_set)
    (draft,) = (storage._root / "drafts").iterdir()
    assert draft.stat().st_mtime > time.time() - 60
    assert storage.sweep(older_than=60) == 0
    go.set()
    thread.join()
    assert read(storage, "a") == b"12"


def test_a_file_is_lent_without_a_copy_and_stays_what_it_was(tmp_path: Path) -> None:
    storage, lent = LocalStorage(tmp_path / "storage"), tmp_path / "lent.txt"
    storage.put("a/b.txt", iter([b"first"]), content_type="text/plain")
    stored = storage.link("a/b.txt", lent)
    assert lent.samefile(tmp_path / "storage" / "objects" / "a" / "b.txt")
    assert (stored.size, stored.sha256) == (5, hashlib.sha256(b"first").hexdigest())
    storage.put("a/b.txt", iter([b"second"]), content_type="text/plain")
    storage.delete("a/b.txt")
    assert lent.read_bytes() == b"first"
    with pytest.raises(Missing):
        storage.link("a/b.txt", tmp_path / "other.txt")
    storage.put("a/b.txt", iter([b"third"]), content_type="text/plain")
    with pytest.raises(Refused):
        storage.link("a/b.txt", lent)


def test_a_file_is_lent_to_another_disk_as_a_copy(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk")
    storage = LocalStorage(tmp_path / "storage")
    storage.put("a", iter([b"first"]), content_type="text/plain")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        storage.link("a", Path(folder, "lent"))
        assert Path(folder, "lent").read_bytes() == b"first"
