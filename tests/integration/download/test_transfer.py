"""What comes from a server, and what its faults become."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from pathlib import Path

import pytest

from renderkiln.media.download import (
    DownloadStopped,
    Missing,
    TooLarge,
    Unreachable,
    safe_name,
)

from .conftest import CERTIFICATE, Get, Handler, Server

pytestmark = pytest.mark.integration

SONG = bytes(range(256)) * 1000


def leftovers(cache: Path) -> list[str]:
    return sorted(path.suffix for path in cache.iterdir())


def test_the_whole_file(server: Server, get: Get) -> None:
    heard: list[tuple[int, int | None]] = []
    url = server.says("/a/song.mp3", 200, SONG, content_type="Audio/MPEG; charset=x")
    result = get(f"{url}?signature=secret", on_bytes=lambda *numbers: heard.append(numbers))
    assert result.path.read_bytes() == SONG
    assert (result.size, result.sha256) == (len(SONG), hashlib.sha256(SONG).hexdigest())
    assert (result.name, result.content_type, result.cached) == ("song.mp3", "audio/mpeg", False)
    assert heard[-1] == (len(SONG), len(SONG))
    assert heard == sorted(heard)


def test_nothing_secret_is_kept(server: Server, get: Get, cache: Path) -> None:
    get(f"{server.says('/', 200, SONG)}?signature=secret")
    assert leftovers(cache) == [".data", ".json"]
    assert all("secret" not in path.name and b"secret" not in path.read_bytes() for path in cache.iterdir())


def test_chunks(server: Server, get: Get) -> None:
    def reply(handler: Handler) -> None:
        handler.head(200, transfer_encoding="chunked")
        for start in range(0, len(SONG), 10_000):
            piece = SONG[start : start + 10_000]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    heard: list[tuple[int, int | None]] = []
    result = get(server.does("/", reply), on_bytes=lambda *numbers: heard.append(numbers))
    assert result.path.read_bytes() == SONG
    assert heard[-1] == (len(SONG), None)


def test_an_empty_file_is_a_file(server: Server, get: Get) -> None:
    assert get(server.says("/", 200)).size == 0


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (204, "status 204"),
        (206, "status 206"),
        (300, "status 300"),
        (302, "status 302"),  # without a place to go
        (304, "status 304"),
        (400, "status 400"),
        (401, "permission"),
        (403, "not open to us"),
        (404, "is not there"),
        (410, "is gone"),
        (416, "status 416"),
        (418, "status 418"),
    ],
)
def test_missing(status: int, words: str, server: Server, get: Get, cache: Path) -> None:
    url = server.says("/a", status, b"" if status in (204, 304) else b"<html>", content_length=None)
    with pytest.raises(Missing, match=words) as caught:
        get(f"{url}?token=secret")
    assert "/a?…'" in str(caught.value)
    assert leftovers(cache) == []
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (408, None, None),
        (425, None, None),
        (429, "7", 7),
        (429, "0", 0),
        (500, "soon", None),
        (502, "-5", None),
        (503, "99999999999999999999", 86400),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (503, "Wed, 21 Oct 2999 07:28:00 GMT", 86400),
        (503, "Wed, 99 Oct 2999 07:28:00 GMT", None),
        (599, "1e3", None),
    ],
)
def test_later(status: int, header: str | None, seconds: float | None, server: Server, get: Get) -> None:
    with pytest.raises(Unreachable, match=f"answers {status}") as caught:
        get(server.says("/", status, retry_after=header))
    assert caught.value.temporary
    assert caught.value.retry_after == seconds
    assert len(server.seen) == 1


def test_nobody_listens(server: Server, get: Get) -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="connection refused") as caught:
            get(f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert caught.value.temporary


def test_no_such_name(names: dict[str, list[list[str]]], get: Get) -> None:
    with pytest.raises(Unreachable, match="no server of this name") as caught:
        get("http://nowhere.test/")
    assert not caught.value.temporary


@pytest.mark.parametrize(
    "noise", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_no_web_server(noise: bytes, server: Server, get: Get) -> None:
    with pytest.raises(Unreachable, match="cannot be downloaded"):
        get(server.does("/", lambda handler: handler.wfile.write(noise)))


def test_too_large_by_its_own_word(server: Server, get: Get, cache: Path) -> None:
    url = server.does("/", lambda handler: handler.head(200, content_length=10**12))
    with pytest.raises(TooLarge, match="more than the 1,000,000 bytes"):
        get(url)
    assert leftovers(cache) == []


def test_exactly_as_large_as_allowed(server: Server, get: Get) -> None:
    url = server.says("/", 200, SONG)
    assert get(url, largest=len(SONG)).size == len(SONG)
    with pytest.raises(TooLarge):  # though it is in the cache
        get(url, largest=len(SONG) - 1)


def test_endless(server: Server, get: Get, cache: Path) -> None:
    sent = 0

    def reply(handler: Handler) -> None:
        nonlocal sent
        handler.head(200, transfer_encoding="chunked")
        while sent < 10**9:
            handler.wfile.write(b"10000\r\n%b\r\n" % bytes(0x10000))
            sent += 0x10000

    with pytest.raises(TooLarge):
        get(server.does("/", reply))
    assert leftovers(cache) == []
    assert sent < 20_000_000  # what fits the buffers of the two sockets comes on top


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "identity, gzip", "GZIP"])
def test_compressed(encoding: str, server: Server, get: Get) -> None:
    with pytest.raises(Missing, match="compressed"):
        get(server.says("/", 200, b"\x1f\x8b\x08", content_encoding=encoding))
    assert server.seen[0][1]["Accept-Encoding"] == "identity"


def test_more_than_promised_is_left(server: Server, get: Get) -> None:
    assert get(server.says("/", 200, SONG, content_length=100)).path.read_bytes() == SONG[:100]


class Interrupted:
    """Gives `SONG`, but hangs up after each `step` bytes; goes on where it is asked to if it knows `etag`."""

    def __init__(self, step: int, etag: str | None, *, ranges: bool = True) -> None:
        self.step = step
        self.etag = etag
        self.ranges = ranges
        self.asked: list[str | None] = []

    def __call__(self, handler: Handler) -> None:
        wanted = handler.headers["Range"]
        self.asked.append(wanted)
        if wanted and self.ranges and handler.headers["If-Range"] == self.etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            span = f"bytes {start}-{len(SONG) - 1}/{len(SONG)}"
            handler.head(206, content_length=len(SONG) - start, content_range=span)
        else:
            start = 0
            handler.head(200, content_length=len(SONG), etag=self.etag, content_type="audio/mpeg")
        handler.wfile.write(SONG[start : start + self.step])


def test_goes_on_where_it_broke(server: Server, get: Get) -> None:
    reply = Interrupted(100_000, '"1"')
    heard: list[int] = []
    result = get(server.does("/", reply), on_bytes=lambda size, total: heard.append(size))
    assert result.path.read_bytes() == SONG
    assert result.sha256 == hashlib.sha256(SONG).hexdigest()
    assert result.content_type == "audio/mpeg"  # which only the first answer has said
    assert reply.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert heard == sorted(heard)


def test_gives_up_after_three_tries(server: Server, get: Get, cache: Path) -> None:
    reply = Interrupted(1000, '"1"')
    with pytest.raises(Unreachable, match="peer closed connection") as caught:
        get(server.does("/", reply))
    assert caught.value.temporary
    assert reply.asked == [None, "bytes=1000-", "bytes=2000-"]
    assert leftovers(cache) == []


@pytest.mark.parametrize(("etag", "ranges"), [(None, True), ('W/"1"', True), ('"1"', False)])
def test_begins_anew_where_it_cannot_go_on(etag: str | None, ranges: bool, server: Server, get: Get) -> None:
    reply = Interrupted(100_000, etag, ranges=ranges)
    url = server.does("/", reply)

    def patient(size: int, total: int | None) -> None:
        reply.step = len(SONG)  # the next try comes through

    result = get(url, on_bytes=patient)
    assert result.path.read_bytes() == SONG
    assert reply.asked == [None, "bytes=100000-" if etag == '"1"' else None]


@pytest.mark.parametrize(
    ("status", "span"),
    [
        (206, "bytes 5-255999/256000"),
        (206, "bytes 0-255999/256000"),
        (206, "pages 1-2/3"),
        (206, None),
        (416, "bytes */1000"),
    ],
)
def test_a_wrong_part_is_not_glued_on(status: int, span: str | None, server: Server, get: Get) -> None:
    def reply(handler: Handler) -> None:
        if handler.headers["Range"]:
            handler.send(status, b"wrong", content_range=span)
        elif len(server.seen) == 1:
            handler.head(200, content_length=len(SONG), etag='"1"')
            handler.wfile.write(SONG[:1000])
        else:
            handler.send(200, SONG)

    assert get(server.does("/", reply)).path.read_bytes() == SONG
    assert len(server.seen) == 3


def test_a_file_that_changed_meanwhile(server: Server, get: Get) -> None:
    """Half of the old one and half of the new one would be neither."""

    def reply(handler: Handler) -> None:
        if len(server.seen) == 1:
            handler.head(200, content_length=len(SONG), etag='"old"')
            handler.wfile.write(SONG[:1000])
        else:
            assert handler.headers["If-Range"] == '"old"'
            handler.send(200, b"new", etag='"new"')

    result = get(server.does("/", reply))
    assert result.path.read_bytes() == b"new"
    assert result.sha256 == hashlib.sha256(b"new").hexdigest()


def test_a_server_that_asks_for_patience_gets_it(server: Server, get: Get) -> None:
    """The pause within the call is too short for it: whoever calls may wait longer."""

    def reply(handler: Handler) -> None:
        if len(server.seen) == 1:
            handler.head(200, content_length=len(SONG), etag='"1"')
            handler.wfile.write(SONG[:1000])
        else:
            handler.send(503, retry_after="20")

    with pytest.raises(Unreachable) as caught:
        get(server.does("/", reply))
    assert caught.value.retry_after == 20
    assert len(server.seen) == 2


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_trickle_ends_at_the_total_time_out(part: str, server: Server, get: Get) -> None:
    def reply(handler: Handler) -> None:
        if part == "head":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        else:
            handler.head(200, content_length=1000)
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    start = time.monotonic()
    with pytest.raises(Unreachable, match=r"did not arrive within 0\.5 s") as caught:
        get(server.does("/", reply), total_timeout=0.5)
    assert caught.value.temporary
    assert time.monotonic() - start < 1.5


def slowly(handler: Handler) -> None:
    handler.head(200, content_length=len(SONG))
    handler.wfile.write(SONG[:1000])
    time.sleep(0.5)
    handler.wfile.write(SONG[1000:])


def test_a_pause_loses_nothing(server: Server, get: Get) -> None:
    assert get(server.does("/", slowly)).path.read_bytes() == SONG


def test_a_pause_in_tls_loses_nothing(
    tls_server: tuple[Server, list[str | None]],
    names: dict[str, list[list[str]]],
    get: Get,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, _ = tls_server
    server.does("/", slowly)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    names["media.test"] = [["127.0.0.1"]]
    assert get(server.url("/", "media.test")).path.read_bytes() == SONG


def test_silence_ends_at_the_time_out(server: Server, get: Get) -> None:
    hung = threading.Event()
    url = server.does("/", lambda handler: hung.wait(10))
    with pytest.raises(Unreachable, match="does not answer") as caught:
        get(url, timeout=0.3)
    assert caught.value.temporary
    hung.set()


def test_stop(server: Server, get: Get, cache: Path) -> None:
    """The server is silent: only the caller's word can end it so soon."""
    hung, asked = threading.Event(), threading.Event()

    def reply(handler: Handler) -> None:
        handler.head(200, content_length=1000)
        handler.wfile.write(b"x")
        asked.set()
        hung.wait(10)

    start = time.monotonic()
    with pytest.raises(DownloadStopped):
        get(server.does("/", reply), stop=asked.is_set)
    assert time.monotonic() - start < 2
    assert leftovers(cache) == []
    hung.set()


def test_an_error_of_the_caller_passes_through(server: Server, get: Get, cache: Path) -> None:
    def full(size: int, total: int | None) -> None:
        raise KeyError("the caller's")

    with pytest.raises(KeyError, match="the caller's"):
        get(server.says("/", 200, SONG), on_bytes=full)
    assert leftovers(cache) == []


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="my song.mp3"', "my song.mp3"),
        ("attachment; filename=song.mp3", "song.mp3"),
        ("attachment; filename*=UTF-8''%e2%82%ac%20song.mp3", "€ song.mp3"),
        ("attachment; filename=\"e.mp3\"; filename*=UTF-8''%c3%a9.mp3", "é.mp3"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=utf-8''..%2f..%2fpasswd", "passwd"),
        ("attachment; filename*=nonsense''%ff.mp3", None),
        ("attachment", "a b.wav"),
        ("", "a b.wav"),
        ('attachment; filename=""', "a b.wav"),
        ("attachment; filename*0*=UTF-8''a; filename*x=1; filename*1=b.mp3", None),
    ],
)
def test_name(disposition: str, name: str | None, server: Server, get: Get) -> None:
    url = server.says("/x/a%20b.wav", 200, b"here", content_disposition=disposition or None)
    given = get(url).name
    assert given == name if name else "/" not in given


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "download"),
        ("/", "download"),
        ("..", "download"),
        (".bashrc", "bashrc"),
        ("C:\\music\\song.mp3", "song.mp3"),
        ("a\n\x1b[2J\0b.mp3", "a[2Jb.mp3"),
        ("gpj.\u202eexe", "gpj.exe"),
        ('a<b>:"c|d?*.mp3', "a_b___c_d__.mp3"),
        ("song.mp3 ...", "song.mp3"),
        ("\ud800.mp3", "mp3"),
        ("山田　太郎 👨‍👩‍👧.mp3", "山田　太郎 👨‍👩‍👧.mp3"),
        ("\u200b.mp3", "download"),
        ("é" * 500 + ".mp3", "é" * 73 + ".mp3"),
        ("a." + "b" * 500, "a." + "b" * 148),
    ],
)
def test_safe_name(text: str, name: str) -> None:
    assert safe_name(text) == name
    assert len(safe_name(text).encode()) <= 150
