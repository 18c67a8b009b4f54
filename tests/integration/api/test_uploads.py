"""Files come in whole or in pieces, are known by their content, and belong to who sent them."""

from __future__ import annotations

import base64
import hashlib
import http.server
import socket
import threading
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from renderkiln.api import streams
from waiting import until

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(100)) * 30_000)
    return path.read_bytes()


def begin(api: Api, length: int, name: str = "song.wav", **rest: Any) -> str:
    metadata = "filename " + base64.b64encode(name.encode()).decode()
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
    answer = api("POST", "/uploads", headers=headers, **rest)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].removeprefix("/api/v1")


def patch(api: Api, place: str, offset: int, data: bytes, **rest: Any) -> httpx.Response:
    return api("PATCH", place, headers={**BYTES, "Upload-Offset": str(offset)}, content=data, **rest)


def test_a_file_in_one_request(api: Api, song: bytes, tmp_path: Path) -> None:
    answer = api("POST", "/assets", scope="submit", params={"name": "../../ü song.wav"}, content=song)
    assert answer.status_code == 201
    asset = answer.json()["data"]
    assert answer.headers["location"] == f"/api/v1/assets/{asset['id']}"
    assert (asset["name"], asset["kind"], asset["contentType"]) == ("ü song.wav", "audio", "audio/wav")
    assert (asset["size"], asset["sha256"]) == (len(song), hashlib.sha256(song).hexdigest())
    assert asset["facts"]["duration"] == pytest.approx(187.5, abs=0.1)
    path = tmp_path / "again.wav"
    path.write_bytes(song)
    assert api.upload(path, "ü song.wav")["id"] == asset["id"]  # the same, by content and name
    assert api.upload(path)["id"] != asset["id"]
    assert [each["name"] for each in api.data("GET", "/assets")["items"]] == ["again.wav", "ü song.wav"]
    assert api.data("GET", "/assets", key=api.stranger())["items"] == []
    assert not list(api.kiln.uploads.folder.glob("*"))


@ON_ONE
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00 no media at all", "not a media file"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "playlist"),
        (b"\x89PNG\r\n\x1a\nbroken", "PNG"),
        (b"PK\x03\x04" + b"\0" * 5000, "not a media file"),
    ],
)
def test_what_no_job_can_use_is_refused(api: Api, content: bytes, word: str) -> None:
    status, code, message = api.refusal("POST", "/assets", params={"name": "x.mp4"}, content=content)
    assert status == 422
    assert code in {"UNSUITABLE_FILE", "INVALID_REQUEST"}
    assert word in message
    assert str(api.folder) not in message
    assert api.data("GET", "/assets")["items"] == []


def test_a_picture_that_would_unpack_to_gigabytes_is_refused(api: Api, tmp_path: Path) -> None:
    bomb = _png(100_000, 100_000)
    status, code, message = api.refusal("POST", "/assets", params={"name": "x.png"}, content=bomb)
    assert (status, code) == (422, "UNSUITABLE_FILE")
    assert "100000" in message.replace(",", "").replace("×", "x"), message


def test_an_upload_that_breaks_off_goes_on(api: Api, song: bytes) -> None:
    place = begin(api, len(song))
    assert patch(api, place, 0, song[:1000]).headers["upload-offset"] == "1000"
    with _line(api, place, 1000, len(song)) as line:  # and is cut off in a request
        line.sendall(song[1000:2_000_000])
        until(lambda: _offset(api, place) > 1000)
        assert patch(api, place, 1000, b"x").json()["error"]["code"] == "UPLOAD_BUSY"
    until(lambda: patch(api, place, 0, b"x").json()["error"]["code"] == "WRONG_OFFSET")  # it is free again
    come = _offset(api, place)
    assert 1_000_000 < come <= 2_000_000
    assert api.data("GET", place)["asset"] is None
    done = patch(api, place, come, song[come:])
    assert (done.status_code, done.headers["upload-offset"]) == (204, str(len(song)))
    asset = api.data("GET", f"/assets/{done.headers['asset-id']}")
    assert (asset["name"], asset["sha256"]) == ("song.wav", hashlib.sha256(song).hexdigest())
    assert api.data("GET", place)["asset"] == asset["id"]
    assert patch(api, place, len(song), b"").headers["asset-id"] == asset["id"]  # asked again


def test_uploads_are_refused_by_the_protocol(api: Api, song: bytes) -> None:
    place = begin(api, len(song), scope="submit")
    assert api("HEAD", place, headers={}).status_code == 412
    assert api("HEAD", place, headers=TUS, key=api.stranger()).status_code == 404
    assert api("DELETE", place, headers=TUS, key=api.stranger()).status_code == 404
    wrong_type = {**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"}
    assert api("PATCH", place, headers=wrong_type, content=b"x").status_code == 415
    too_much = patch(api, place, 0, song + b"x")
    assert (too_much.status_code, too_much.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert api("DELETE", place, headers=TUS).status_code == 204
    assert api("HEAD", place, headers=TUS).status_code == 404
    largest = {**TUS, "Upload-Length": str(2**50)}
    assert api("POST", "/uploads", headers=largest).status_code == 413
    assert api("POST", "/uploads", headers={**TUS, "Upload-Length": "0"}).status_code == 422
    nonsense = {**TUS, "Upload-Length": "5", "Upload-Metadata": "filename ###"}
    assert api("POST", "/uploads", headers=nonsense).status_code == 422
    assert api("OPTIONS", "/uploads").headers["tus-version"] == "1.0.0"


@ON_ONE
def test_an_upload_that_becomes_an_asset_just_now_is_busy(api: Api) -> None:
    place = begin(api, 5)
    (api.kiln.uploads.folder / f"{place.rpartition('/')[2]}.part").unlink()  # as when the storage has it
    assert api.refusal("GET", place)[:2] == (409, "UPLOAD_BUSY")
    assert api("HEAD", place, headers=TUS).status_code == 409
    assert patch(api, place, 0, b"hello").json()["error"]["code"] == "UPLOAD_BUSY"


def test_an_upload_that_is_no_media_is_gone_when_it_is_whole(api: Api) -> None:
    place = begin(api, 5, "x.mp3")
    refused = patch(api, place, 0, b"hello")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "UNSUITABLE_FILE")
    assert api("HEAD", place, headers=TUS).status_code == 404


@ON_ONE
def test_a_file_is_fetched_from_its_url(api: Api, song: bytes) -> None:
    with _served(song) as url:
        refused = api.refusal("POST", "/assets/fetch", scope="submit", json={"url": url})
        assert refused[:2] == (422, "INVALID_REQUEST")
        assert "not on the public internet" in refused[2]
        api.kiln.settings = api.kiln.settings.model_copy(update={"private_urls": True})
        answer = api("POST", "/assets/fetch", scope="submit", json={"url": url})
        assert answer.status_code == 202
        place = answer.headers["location"].removeprefix("/api/v1")
        assert api("PATCH", place, headers={**BYTES, "Upload-Offset": "0"}, content=b"x").status_code == 409
        told = _ended(api, answer.json()["data"]["id"])
        assert told["error"] is None
        asset = api.data("GET", f"/assets/{told['asset']}")
        assert (asset["name"], asset["sha256"]) == ("a song.wav", hashlib.sha256(song).hexdigest())
        missing = api.data("POST", "/assets/fetch", json={"url": f"{url}.missing"})
        assert "is not there" in _ended(api, missing["id"])["error"]
    for url in ("file:///etc/passwd", "http://[::1", "ftp://example.com/x", "http://u:p@example.com/"):
        for named in ({}, {"name": "a.mp3"}):
            assert api.refusal("POST", "/assets/fetch", json={"url": url, **named})[0] == 422, url


def test_who_sends_nothing_is_not_waited_for(api: Api, song: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.3)
    place = begin(api, len(song))
    with _line(api, place, 0, len(song)) as line:
        line.sendall(song[:10])
        assert b" 408 " in line.recv(4096)


def test_who_sends_next_to_nothing_is_not_waited_for(
    api: Api, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 1.0)
    place = begin(api, len(song))
    with _line(api, place, 0, len(song)) as line:
        line.settimeout(0.1)
        for at in range(900):
            try:
                answer = line.recv(4096)
                break
            except TimeoutError:
                line.sendall(song[at : at + 1])
    assert b" 408 " in answer
    offset = int(api("HEAD", place, headers=TUS).headers["upload-offset"])
    assert 0 < offset < 900  # what has come is kept


def _line(api: Api, place: str, offset: int, length: int) -> socket.socket:
    """A connection on which the head of a PATCH was sent."""
    url = urlsplit(str(api.client.base_url))
    line = socket.create_connection((url.hostname, url.port), timeout=10)
    line.sendall(
        f"PATCH /api/v1{place} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.keys['admin']}\r\n"
        "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
        f"Upload-Offset: {offset}\r\nContent-Length: {length - offset}\r\n\r\n".encode()
    )
    return line


def _ended(api: Api, id: str) -> Any:
    """The upload, when something has become of it."""
    place = f"/uploads/{id}"

    def has_ended() -> bool:
        answer = api("GET", place)
        if answer.status_code == 409:  # it is being finished at this moment
            return False
        told = answer.json()["data"]
        return bool(told["asset"] or told["error"])

    until(has_ended)
    return api.data("GET", place)


@contextmanager
def _served(content: bytes) -> Iterator[str]:
    """A URL that gives this content."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/a%20song.wav"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.end_headers()
            self.wfile.write(content if found else b"")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/a%20song.wav"
        server.shutdown()


def _offset(api: Api, place: str) -> int:
    return int(api("HEAD", place, headers=TUS).headers["upload-offset"])


def _png(width: int, height: int) -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 4096, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@ON_ONE
def test_one_account_does_not_keep_the_others_from_having_files_looked_at(api: Api) -> None:
    reached, seen, over = api.app.state.reached, Counter[str](), threading.Event()

    def look(account: str) -> None:
        seen[account] += 1
        assert over.wait(60)

    async def everybody() -> None:
        async with anyio.create_task_group() as group:
            for account in [*"a" * 30, "b"]:
                group.start_soon(reached.look, account, partial(look, account))
            await anyio.to_thread.run_sync(lambda: until(lambda: seen["b"] and seen["a"]))
            first = seen["a"]
            over.set()
        assert first <= 4
        assert seen == {"a": 30, "b": 1}

    anyio.run(everybody)
