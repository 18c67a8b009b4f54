"""What is kept, for how long, and who may be at it at the same time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from renderkiln.media.download import DownloadStopped, Forbidden, download

from .conftest import Get, Handler, Server

pytestmark = pytest.mark.integration

OTHER_PROCESS = """
import sys
from pathlib import Path
from renderkiln.media.download import download

url, cache = sys.argv[1:]
stop = lambda: print("waiting", flush=True)
print(download(url, cache=Path(cache), largest=10**6, allow_private=True, stop=stop).sha256)
"""


def age(cache: Path) -> None:
    """Make all that is in the cache older than ten minutes."""
    for path in cache.glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"checked": time.time() - 601}))


def versions(etag: str | None, modified: str | None = None) -> Callable[[Handler], None]:
    """A server's answer that knows how to say that nothing has changed."""

    def reply(handler: Handler) -> None:
        known = handler.headers["If-None-Match"], handler.headers["If-Modified-Since"]
        if (etag and known[0] == etag) or (not etag and modified and known[1] == modified):
            handler.send(304, content_length=None)
        else:
            handler.send(200, f"{etag} {modified}".encode(), etag=etag, last_modified=modified)

    return reply


def test_no_request_within_ten_minutes(server: Server, get: Get) -> None:
    url = server.says("/", 200, b"here")
    first, second = get(url), get(url)
    assert (first.cached, second.cached) == (False, True)
    assert first.path == second.path
    assert (second.size, second.sha256, second.name) == (first.size, first.sha256, first.name)
    assert len(server.seen) == 1


def test_queries_are_different_files(server: Server, get: Get) -> None:
    url = server.does("/", lambda handler: handler.send(200, handler.path.encode()))
    assert get(f"{url}?1").path.read_bytes() == b"/?1"
    assert get(f"{url}?2").path.read_bytes() == b"/?2"


def test_what_private_servers_gave_is_not_for_all(server: Server, get: Get, cache: Path) -> None:
    url = server.says("/", 200, b"here")
    get(url)
    with pytest.raises(Forbidden):
        download(url, cache=cache, largest=100)


@pytest.mark.parametrize(
    ("etag", "modified"),
    [('"1"', None), ('W/"1"', "Wed, 21 Oct 2015 07:28:00 GMT"), (None, "Wed, 21 Oct 2015 07:28:00 GMT")],
)
def test_asks_whether_it_changed(
    etag: str | None, modified: str | None, server: Server, get: Get, cache: Path
) -> None:
    url = server.does("/", versions(etag, modified))
    first = get(url)
    age(cache)
    again = get(url)
    assert again.cached
    assert again.path == first.path
    assert get(url).cached  # fresh again
    assert len(server.seen) == 2
    age(cache)
    server.does("/", versions('"2"'))
    changed = get(url)
    assert not changed.cached
    assert changed.path.read_bytes() == b'"2" None'
    assert first.path.read_bytes() == f"{etag} {modified}".encode()  # whoever has its path still reads it


def test_without_a_mark_it_is_fetched_again(server: Server, get: Get, cache: Path) -> None:
    url = server.says("/", 200, b"here")
    get(url)
    age(cache)
    again = get(url)
    assert not again.cached
    assert not {"If-None-Match", "If-Modified-Since"} & set(server.seen[1][1])


def test_a_clock_put_back_makes_nothing_fresh(server: Server, get: Get, cache: Path) -> None:
    url = server.says("/", 200, b"here")
    get(url)
    [facts] = cache.glob("*.json")
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"checked": time.time() + 3600}))
    assert not get(url).cached


def test_marks_go_only_to_who_gave_them(server: Server, get: Get, cache: Path) -> None:
    """Else a redirect's new target could take its own date for the other's, and say nothing has changed."""
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    url = server.says("/", 302, location="/one?signature=1")
    server.does("/one", versions(None, date))
    get(url)
    age(cache)
    server.says("/", 302, location="/one?signature=2")
    assert get(url).cached
    age(cache)
    server.says("/", 302, location="/two")
    server.does(
        "/two", lambda handler: handler.send(304 if handler.headers["If-Modified-Since"] else 200, b"two")
    )
    assert get(url).path.read_bytes() == b"two"


def test_use_is_marked(server: Server, get: Get, cache: Path) -> None:
    url = server.says("/", 200, b"here")
    get(url)
    for path in cache.iterdir():
        os.utime(path, (0, 0))
    get(url)
    assert len(list(cache.iterdir())) == 2
    assert all(path.stat().st_atime > 0 for path in cache.iterdir())


@pytest.mark.parametrize("suffix", [".data", ".json"])
def test_anything_may_be_swept(suffix: str, server: Server, get: Get, cache: Path) -> None:
    url = server.does("/", versions('"1"'))
    get(url)
    next(cache.glob(f"*{suffix}")).unlink()
    again = get(url)
    assert not again.cached
    assert again.path.read_bytes() == b'"1" None'


def test_swept_while_the_server_is_asked(server: Server, get: Get, cache: Path) -> None:
    url = server.does("/", versions('"1"'))
    path = get(url).path
    age(cache)

    def reply(handler: Handler) -> None:
        path.unlink(missing_ok=True)
        versions('"1"')(handler)

    server.does("/", reply)
    assert not (again := get(url)).cached
    assert again.path.read_bytes() == b'"1" None'


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff", b'{"size": 4}'])
def test_damaged_facts(damage: bytes, server: Server, get: Get, cache: Path) -> None:
    url = server.says("/", 200, b"here")
    get(url)
    next(cache.glob("*.json")).write_bytes(damage)
    assert not get(url).cached
    assert get(url).cached


def test_a_file_cut_short_is_fetched_again(server: Server, get: Get, cache: Path) -> None:
    url = server.says("/", 200, b"here")
    get(url).path.write_bytes(b"he")
    assert get(url).path.read_bytes() == b"here"


def test_same_bytes_are_kept_once(server: Server, get: Get) -> None:
    assert get(server.says("/a", 200, b"here")).path == get(server.says("/b", 200, b"here")).path


class Gate:
    """A reply that gives half of the file, and the rest once it is open."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self, handler: Handler) -> None:
        handler.head(200, content_length=8)
        handler.wfile.write(b"half")
        self.reached.set()
        self.open.wait(10)
        handler.wfile.write(b"half")


@pytest.fixture
def gate() -> Gate:
    return Gate()


def other_process(url: str, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, url, str(cache)], stdout=subprocess.PIPE, text=True
    )


def test_of_two_processes_one_fetches(gate: Gate, server: Server, get: Get, cache: Path) -> None:
    url = server.does("/", gate)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(get, url)
        assert gate.reached.wait(5)
        with other_process(url, cache) as other:
            assert other.stdout
            assert other.stdout.readline() == "waiting\n"
            gate.open.set()
            assert ours.result().sha256 in other.stdout.read()
    assert len(server.seen) == 1


def test_who_waits_can_be_stopped(gate: Gate, server: Server, get: Get) -> None:
    url = server.does("/", gate)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(get, url)
        assert gate.reached.wait(5)
        with pytest.raises(DownloadStopped):
            get(url, stop=lambda: True)
        gate.open.set()
        assert ours.result().size == 8


def test_killed(gate: Gate, server: Server, get: Get, cache: Path) -> None:
    """What lives is left alone; what was killed is removed by the next download, of any URL."""
    with other_process(server.does("/", gate), cache) as other:
        assert gate.reached.wait(5)
        get(server.says("/a", 200, b"here"))
        assert len(list(cache.glob("*.part"))) == 1
        other.send_signal(signal.SIGKILL)
    get(server.says("/b", 200, b"there"))
    assert list(cache.glob("*.part")) == []
    gate.open.set()
    assert get(server.url("/")).size == 8
    assert list(cache.glob("*.lock")) == []


def test_the_cache_is_emptied_during_a_download(gate: Gate, server: Server, get: Get, cache: Path) -> None:
    url = server.does("/", gate)
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(get, url)
        assert gate.reached.wait(5)
        for path in cache.iterdir():
            path.unlink()
        gate.open.set()
        assert "emptied" in str(ours.exception())
    assert get(url).size == 8
