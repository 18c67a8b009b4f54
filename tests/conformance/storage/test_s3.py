"""What only a bucket can have: servers that are gone, slow or broken, wrong keys, and signed URLs."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from object_stores import ACCESS_KEY, BUCKET, LACKS, PAGE, SECRET_KEY, Fault, ObjectStore, Proxy, uploads_left
from renderkiln.domain.clock import SystemClock
from renderkiln.domain.errors import Permanent, Temporary
from renderkiln.domain.retry import Retry
from renderkiln.storage import s3
from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Refused, Unavailable
from renderkiln.storage.presigned import LONGEST
from renderkiln.storage.retrying import RetryingStorage
from renderkiln.storage.s3 import PART, S3Storage, part_size
from renderkiln.storage.span import Span

AT_ONCE = Retry(attempts=5, first=0, factor=1)
LARGE = bytes(range(256)) * (10 * PART // 1024)  # 20 MiB: three parts


def put(storage: Storage, content: bytes = b"content", key: str = "a/b", **more: Any) -> None:
    storage.put(key, io.BytesIO(content), content_type="video/mp4", **more)


def read(storage: Storage, key: str = "a/b") -> bytes:
    with storage.open(key) as reading:
        return reading.read()


def behind(proxy: Proxy, moto: ObjectStore, **changes: Any) -> S3Storage:
    bucket = moto.bucket(endpoint=proxy.endpoint, prefix=f"behind-{proxy.server_address[1]}")
    return S3Storage(bucket, **{"patience": 5.0, **changes})


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_nobody_listens(moto: ObjectStore) -> None:
    storage = S3Storage(moto.bucket(endpoint=f"http://127.0.0.1:{free_port()}"))
    for ask in (put, read, lambda s: s.head("a"), lambda s: s.delete("a"), lambda s: s.list()):
        with pytest.raises(Unavailable, match=r"the bucket kiln at 127.*nothing listens there") as caught:
            ask(storage)
        assert isinstance(caught.value, Temporary)
        assert_no_secrets(caught.value)


def test_nobody_answers(proxy: Proxy, moto: ObjectStore) -> None:
    storage = behind(proxy, moto, patience=0.3)
    proxy.faults.extend(["mute"] * 20)
    start = time.monotonic()
    with pytest.raises(Unavailable, match="cannot be reached") as caught:
        put(storage)
    assert time.monotonic() - start < 10
    assert_no_secrets(caught.value)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("fault", ["500", "503", "cut"])
def test_a_hiccup_costs_nothing(proxy: Proxy, moto: ObjectStore, fault: Fault, large: bool) -> None:
    storage = behind(proxy, moto)
    proxy.concerns = re.compile("^PUT")
    proxy.faults.extend([fault, fault])
    content = LARGE if large else b"content"
    put(storage, content)
    assert not proxy.faults
    assert read(storage) == content


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("fault", ["500", "cut"])
def test_tried_again(proxy: Proxy, moto: ObjectStore, fault: Fault, large: bool) -> None:
    plain = behind(proxy, moto)
    storage = RetryingStorage(plain, retry=AT_ONCE)
    proxy.concerns = re.compile("^PUT")
    proxy.faults.extend([fault] * 7)
    content = LARGE if large else b"content"
    told: list[int] = []
    put(storage, content, progress=told.append)
    assert not proxy.faults
    assert read(storage) == content
    assert told == sorted(told)
    assert told[-1] == len(content)
    assert uploads_left(moto, plain._bucket) == []


def test_tried_in_vain(proxy: Proxy, moto: ObjectStore) -> None:
    storage = RetryingStorage(behind(proxy, moto), retry=AT_ONCE)
    proxy.concerns = re.compile("^PUT")
    proxy.faults.extend(["500"] * 100)
    with pytest.raises(Unavailable, match=r"answered 500.*tried 5 times"):
        put(storage)
    assert len(proxy.seen) == 15  # five tries, each of a request and two hiccups
    proxy.faults.clear()
    assert storage.head("a/b") is None


def test_an_upload_that_cannot_go_on_is_aborted(proxy: Proxy, moto: ObjectStore) -> None:
    storage = behind(proxy, moto)
    proxy.concerns = re.compile("partNumber=2")
    proxy.faults.extend(["500"] * 3)
    with pytest.raises(Unavailable):
        put(storage, LARGE)
    assert uploads_left(moto, storage._bucket) == []
    assert storage.head("a/b") is None


def test_a_progress_that_stops_an_upload_leaves_no_parts(proxy: Proxy, moto: ObjectStore) -> None:
    def stop(count: int) -> None:
        if count > 2 * PART:
            raise KeyboardInterrupt

    storage = behind(proxy, moto)
    with pytest.raises(KeyboardInterrupt):
        put(storage, LARGE, progress=stop)
    assert uploads_left(moto, storage._bucket) == []


@pytest.mark.parametrize("content", [b"content", LARGE], ids=["small", "large"])
def test_an_upload_to_a_silent_server_ends_when_it_is_to_end(
    proxy: Proxy, moto: ObjectStore, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_LOOK", 0.05)
    monkeypatch.setattr(s3, "_FAREWELL", 0.2)
    proxy.concerns = re.compile("^PUT")
    proxy.faults.append("mute")  # for 30 s; whoever waits for it asks again then, and has the file stored

    def stop(_count: int) -> None:
        if proxy.seen and proxy.seen[-1].startswith("PUT"):
            raise ZeroDivisionError

    storage = behind(proxy, moto, patience=120.0)
    with pytest.raises(ZeroDivisionError):
        put(storage, content, progress=stop)
    assert storage.head("a/b") is None


def test_the_reason_survives_a_failing_abort(proxy: Proxy, moto: ObjectStore) -> None:
    def stop(count: int) -> None:
        if count > 2 * PART:
            proxy.concerns = re.compile(".")
            proxy.faults.extend(["404"] * 20)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put(behind(proxy, moto), LARGE, progress=stop)


@pytest.mark.parametrize("retrying", [False, True])
def test_a_download_that_breaks_off(proxy: Proxy, moto: ObjectStore, retrying: bool) -> None:
    """obstore itself goes on where it was; if that fails too, we do, or say so."""
    plain = behind(proxy, moto)
    put(plain, LARGE)
    storage = RetryingStorage(plain, retry=AT_ONCE) if retrying else plain
    proxy.concerns = re.compile("^GET")
    proxy.faults.extend(["short", "500", "500", "500", "500", "500", "500"])
    if retrying:
        assert read(storage) == LARGE
        with storage.open("a/b", Span(5, 20 * 2**20 - 5)) as reading:
            assert reading.read() == LARGE[5:-5]
    else:
        with pytest.raises(Unavailable):
            read(storage)


@pytest.mark.parametrize(("content", "place"), [(b"content", ""), (LARGE, "partNumber=2")])
def test_a_changed_byte_is_not_stored(rclone: ObjectStore, content: bytes, place: str) -> None:
    """Bodies are signed, but this server does not look: it tells by the ETag what it has received."""
    middle = Proxy(rclone.endpoint)
    try:
        storage = S3Storage(rclone.bucket(endpoint=middle.endpoint), patience=5)
        middle.concerns = re.compile("^PUT.*" + place)
        middle.faults.append("flip")
        with pytest.raises(Unavailable, match="other bytes"):
            put(storage, content)
        assert storage.head("a/b") is None
        middle.faults.append("flip")
        put(RetryingStorage(storage, retry=AT_ONCE), content)
        assert not middle.faults
        assert read(storage) == content
    finally:
        middle.close()


def test_a_wrong_secret(rclone: ObjectStore) -> None:
    wrong = "another secret of forty characters, wrong"
    storage = S3Storage(rclone.bucket(secret_key=wrong))
    for ask in (put, lambda s: s.list()):
        with pytest.raises(Refused, match="the secret key is wrong") as caught:
            ask(storage)
        assert isinstance(caught.value, Permanent)
        assert wrong not in str(caught.value)
        assert_no_secrets(caught.value)
    with pytest.raises(Refused, match="403"):
        storage.head("a")


def test_a_wrong_access_key(rclone: ObjectStore) -> None:
    with pytest.raises(Refused, match="does not know the access key"):
        put(S3Storage(rclone.bucket(access_key="somebodyelse")))


@pytest.mark.parametrize("name", ["rclone", "moto"])
def test_no_such_bucket(request: pytest.FixtureRequest, name: str) -> None:
    server: ObjectStore = request.getfixturevalue(name)
    storage = S3Storage(server.bucket(name="nowhere"))
    for ask in (put, read, lambda s: s.list()):
        with pytest.raises(Refused, match=r"nowhere.*no such bucket"):
            ask(storage)
    with pytest.raises(Refused, match="no such bucket"):
        put(storage, LARGE)


def test_the_environment_is_not_asked(rclone: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "other",
        "AWS_SECRET_ACCESS_KEY": "other",
        "AWS_SESSION_TOKEN": "other",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "mars-north-1",
        "AWS_BUCKET": "other",
        "AWS_SKIP_SIGNATURE": "true",
    }.items():
        monkeypatch.setenv(name, value)
    middle = Proxy(rclone.endpoint)
    try:
        storage = S3Storage(rclone.bucket(endpoint=middle.endpoint))
        put(storage)
        assert read(storage) == b"content"
        assert len(middle.headers) >= 3
        for headers in middle.headers:
            assert "x-amz-security-token" not in headers
            assert f"Credential={ACCESS_KEY}/" in headers["authorization"]
    finally:
        middle.close()


def test_a_session_token_is_sent(proxy: Proxy, moto: ObjectStore) -> None:
    storage = S3Storage(moto.bucket(endpoint=proxy.endpoint, session_token="a token"))
    put(storage)
    assert {each.get("x-amz-security-token") for each in proxy.headers} == {"a token"}
    assert "X-Amz-Security-Token=a%20token" in storage.url("a/b", seconds=60)


def test_buckets_keep_their_secrets(moto: ObjectStore) -> None:
    bucket = moto.bucket(session_token="a token")
    for secret in (ACCESS_KEY, SECRET_KEY, "a token"):
        assert secret not in repr(bucket)
    for wrong in ({"endpoint": "s3.example.org"}, {"endpoint": "http://a:b@c"}, {"secret_key": ""}):
        with pytest.raises(Refused) as caught:
            moto.bucket(**wrong)
        assert_no_secrets(caught.value)


def test_prefixes_are_rooms(moto: ObjectStore) -> None:
    one, other = (S3Storage(moto.bucket(prefix=f"rooms/{name}")) for name in ("one", "other"))
    put(one, b"1")
    put(other, b"2")
    assert (read(one), read(other)) == (b"1", b"2")
    assert [each.key for each in one.list().items] == ["a/b"]
    one.delete("a/b")
    assert read(other) == b"2"
    whole = S3Storage(moto.bucket(prefix=""))
    assert "rooms/other/a/b" in [each.key for each in whole.list("rooms").items]


def test_a_list_of_more_than_a_page_of_s3(moto: ObjectStore) -> None:
    bucket = moto.bucket()
    storage = S3Storage(bucket)
    number_of_files = 2 * PAGE + 20
    with httpx.Client() as client:
        for number in range(number_of_files):
            client.put(bucket.url(f"n/{number:04}"), content=b"x").raise_for_status()
    page = storage.list("n", limit=5000)
    assert [each.key for each in page.items] == [f"n/{number:04}" for number in range(number_of_files)]
    assert page.after is None
    page = storage.list("n", after="n/0049", limit=10)
    assert (page.items[0].key, page.after) == ("n/0050", "n/0059")


def test_files_of_others_have_no_sha256(moto: ObjectStore) -> None:
    bucket = moto.bucket()
    httpx.put(bucket.url("theirs"), content=b"x", headers={"content-type": "audio/wav"}).raise_for_status()
    stored = S3Storage(bucket).head("theirs")
    assert stored is not None
    assert (stored.sha256, stored.content_type, stored.size) == (None, "audio/wav", 1)


KEYS = ["a/b.mp4", "ü b/%41+c&d=e?f#g.mp4", "a'(b)!*,;:@$~.mp4", "日本.mp4"]


@pytest.mark.parametrize("name", ["rclone", "moto"])
@pytest.mark.parametrize("key", KEYS)
def test_signed_urls(request: pytest.FixtureRequest, name: str, key: str) -> None:
    server: ObjectStore = request.getfixturevalue(name)
    storage = S3Storage(server.bucket())
    put(storage, key.encode(), key)
    answer = httpx.get(storage.url(key, seconds=60, filename='Süßes "Lied" 1/2.mp4'))
    assert (answer.status_code, answer.content) == (200, key.encode())
    if "disposition" not in LACKS[name]:
        said = answer.headers["content-disposition"]
        assert said.startswith("attachment; filename=")
        assert "S%C3%BC%C3%9Fes" in said


def test_forged_urls(rclone: ObjectStore) -> None:
    storage = S3Storage(rclone.bucket())
    put(storage)
    put(storage, key="a/c")
    url = storage.url("a/b", seconds=60, filename="x.mp4")
    good, _, signature = url.rpartition("=")
    for wrong in (
        f"{good}={'0' * len(signature)}",
        url.replace("a/b?", "a/c?"),
        url.replace("Expires=60", "Expires=600"),
        url.replace("x.mp4", "y.mp4"),
    ):
        assert wrong != url
        assert httpx.get(wrong).status_code == 403
    assert httpx.get(url.split("?")[0]).status_code in (400, 403)
    assert httpx.get(url).status_code == 200


def test_expired_urls(rclone: ObjectStore) -> None:
    class AnHourAgo(SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) - timedelta(hours=1)

    bucket = rclone.bucket()
    put(S3Storage(bucket))
    old = S3Storage(bucket, clock=AnHourAgo())
    assert httpx.get(old.url("a/b", seconds=3500)).status_code in (400, 403)
    assert httpx.get(old.url("a/b", seconds=3700)).status_code == 200


@pytest.mark.parametrize("seconds", [0, -1, LONGEST + 1])
def test_urls_are_good_for_a_week_at_most(moto: ObjectStore, seconds: int) -> None:
    with pytest.raises(Refused, match="604800"):
        S3Storage(moto.bucket()).url("a", seconds=seconds)


def test_plain_urls(moto: ObjectStore) -> None:
    bucket = moto.bucket()
    storage = S3Storage(bucket)
    url = storage.url("ü b.mp4", seconds=None)
    httpx.put(url, content=b"content", headers={"x-amz-acl": "public-read"}).raise_for_status()
    assert read(storage, "ü b.mp4") == b"content"
    assert url == f"{moto.endpoint}/{BUCKET}/{bucket.prefix}/%C3%BC%20b.mp4"
    assert httpx.get(url).content == b"content"
    domain = S3Storage(moto.bucket(public_url="https://cdn.example/"))
    assert domain.url("ü b.mp4", seconds=None) == "https://cdn.example/%C3%BC%20b.mp4"


def test_virtual_hosts() -> None:
    storage = S3Storage(_bucket(endpoint=None, region="eu-central-1", path_style=False))
    assert storage.url("a", seconds=None) == "https://kiln.s3.eu-central-1.amazonaws.com/a"


def _bucket(**changes: Any) -> Any:
    return ObjectStore("none", "http://127.0.0.1:9").bucket(prefix="", **changes)


@pytest.mark.parametrize("size", [0, PART, 10**9, 10**11, 5 * 10**12, 5 * 2**40])
def test_parts_are_few_enough_and_small_enough(size: int) -> None:
    part = part_size(size)
    assert part >= 5 * 2**20
    assert part <= 5 * 2**30
    assert -(-size // part) <= 10_000


def test_a_file_that_changes_is_not_stored(moto: ObjectStore, tmp_path: Path) -> None:
    storage = S3Storage(moto.bucket())
    path = tmp_path / "growing"
    path.write_bytes(LARGE)

    def change(count: int) -> None:
        if count == 2**20:
            with path.open("r+b") as file:
                file.seek(15 * 2**20)
                file.write(b"!")

    with pytest.raises(Refused, match="was changed while it was stored"):
        storage.put("a/b", path, content_type="video/mp4", progress=change)
    assert storage.head("a/b") is None
    assert uploads_left(moto, storage._bucket) == []


UPLOAD = """
import hashlib, re, sys
from pathlib import Path
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.s3 import S3Storage
endpoint, prefix, path = sys.argv[1:]
storage = S3Storage(Bucket("kiln", "a-key", "a-secret", endpoint=endpoint, prefix=prefix))
storage.put("small", iter([b"x"]), content_type="video/mp4")
status = Path("/proc/self/status")  # ru_maxrss would count the parent's memory too
peak = lambda: int(re.search("VmHWM:[^0-9]*([0-9]+)", status.read_text())[1])
before = peak()
stored = storage.put("film", Path(path), content_type="video/mp4")
sent, again = peak(), hashlib.sha256()
with storage.open("film") as reading:
    for chunk in reading:
        again.update(chunk)
print(stored.size, stored.sha256, again.hexdigest(), sent - before, peak() - sent)
"""


@pytest.mark.parametrize("megabytes", [90, pytest.param(300, marks=pytest.mark.slow)])
def test_memory_stays_flat(proxy: Proxy, moto: ObjectStore, tmp_path: Path, megabytes: int) -> None:
    """The server is slow: what is read ahead has to wait, and must not be much."""
    proxy.concerns = re.compile("partNumber")
    proxy.faults.extend(["slow"] * 100)
    path, digest = tmp_path / "film", hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(megabytes):
            chunk = os.urandom(2**20)
            digest.update(chunk)
            file.write(chunk)
    bucket = moto.bucket()
    ended = subprocess.run(
        [sys.executable, "-c", UPLOAD, proxy.endpoint, bucket.prefix, path],
        check=True,
        capture_output=True,
        text=True,
    )
    size, sha256, again, *grown = ended.stdout.split()
    assert (int(size), sha256, again) == (megabytes * 2**20, digest.hexdigest(), digest.hexdigest())
    assert all(int(each) < 80 * 1024 for each in grown), grown  # KiB; 60 to 68 thousand, of any file


FORKED = """
import os, signal, sys
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.errors import Refused
from renderkiln.storage.s3 import S3Storage
storage = S3Storage(Bucket("kiln", "a-key", "a-secret", endpoint=sys.argv[1], prefix="forked"))
if sys.argv[2] == "used":
    storage.head("a")
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
signal.alarm(20)
try:
    storage.put("a", iter([b"x"]), content_type="video/mp4")
except Refused as error:
    os._exit(7 if "forked" in str(error) else 8)
os._exit(0)
"""


@pytest.mark.parametrize(("before", "status"), [("imported", 0), ("used", 7)])
def test_forked(moto: ObjectStore, before: str, status: int) -> None:
    """Stages are forked from a process that has imported this and not used it."""
    ended = subprocess.run([sys.executable, "-c", FORKED, moto.endpoint, before], check=False)
    assert ended.returncode == status


def assert_no_secrets(error: BaseException | None) -> None:
    while error is not None:
        for secret in (SECRET_KEY, "Signature=", "X-Amz", "Credential"):
            assert secret not in str(error)
        error = error.__cause__
