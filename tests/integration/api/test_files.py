"""Files of the storage over HTTP: ranges, signatures, and artifacts that are stored."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from databases import NOON
from object_stores import ObjectStore, rclone
from renderkiln.database import moves
from renderkiln.domain.artifact import Artifact, Kept
from renderkiln.domain.clock import SystemClock
from renderkiln.settings import Settings
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.signed import sign
from renderkiln.stores import Stores

from .conftest import ON_ONE, Api

__all__ = ["rclone"]

pytestmark = [pytest.mark.integration, ON_ONE]

FILM = bytes(range(256)) * 16
KEY = "videos/日本/a film~1.mp4"
PUBLIC = "/files/public/videos/%E6%97%A5%E6%9C%AC/a%20film~1.mp4"


def put(
    api: Api, visibility: str = "public", key: str = KEY, content: bytes = FILM, kind: str = "video/mp4"
) -> None:
    room = api.kiln.storage.room("public" if visibility == "public" else "private")
    room.put(key, iter([content]), content_type=kind)


def signed(api: Api, key: str = KEY, *, seconds: int = 60, filename: str | None = None) -> str:
    """Path and query of a private file's address."""
    url = urlsplit(api.kiln.storage.url("private", key, seconds=seconds, filename=filename))
    return f"{url.path}?{url.query}"


def test_a_public_file_comes_whole_or_in_parts(api: Api) -> None:
    put(api)
    whole = api.client.get(PUBLIC)
    assert (whole.status_code, whole.content) == (200, FILM)
    headers = whole.headers
    assert (headers["content-type"], headers["content-length"]) == ("video/mp4", str(len(FILM)))
    assert (headers["accept-ranges"], headers["content-disposition"]) == ("bytes", "inline")
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    head = api.client.head(PUBLIC)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": 0, "x-request-id": 0} == {**headers, "date": 0, "x-request-id": 0}
    for asked, start, stop in [
        ("bytes=0-", 0, 4096),
        ("bytes=10-19", 10, 20),
        ("bytes=4000-9999", 4000, 4096),
    ]:
        part = api.client.get(PUBLIC, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, FILM[start:stop])
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/4096"
    assert api.client.get(PUBLIC, headers={"Range": "bytes=-6"}).content == FILM[-6:]
    for asked in ("bytes=1-2,4-5", "bytes=9-2", "lines=1-2", "bytes=-", "bytes=" + "9" * 400 + "-"):
        assert api.client.get(PUBLIC, headers={"Range": asked}).content == FILM, asked
    for asked in ("bytes=4096-", "bytes=-0"):
        refused = api.client.get(PUBLIC, headers={"Range": asked})
        assert (refused.status_code, refused.headers["content-range"]) == (416, "bytes */4096")
        assert refused.json()["error"]["code"] == "RANGE_NOT_SATISFIABLE"


def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    put(api)
    first = api.client.get(PUBLIC)
    etag = first.headers["etag"]
    for given in (etag, f'"other", W/{etag}', "*"):
        again = api.client.get(PUBLIC, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert api.client.get(PUBLIC, headers={"If-None-Match": '"other"'}).status_code == 200
    later = {"Range": "bytes=0-9"}
    for same in (etag, first.headers["last-modified"]):
        assert api.client.get(PUBLIC, headers={**later, "If-Range": same}).status_code == 206
    for changed in ('"other"', "Mon, 01 Jan 2001 00:00:00 GMT", "yesterday"):
        assert api.client.get(PUBLIC, headers={**later, "If-Range": changed}).content == FILM


def test_a_private_file_takes_an_address_that_was_signed(api: Api) -> None:
    put(api, "private")
    good = signed(api, filename="Mein Lied 🎵.mp4")
    answer = api.client.get(good, headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, FILM[:4])
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "Mein%20Lied%20%F0%9F%8E%B5.mp4" in answer.headers["content-disposition"]
    assert "private" in answer.headers["cache-control"]
    assert api.client.head(good).status_code == 200
    path, _, query = good.partition("?")
    bad = [
        path,
        f"{path}?",
        good.replace("Lied", "Leid"),
        good + "&expires=99999999999",
        signed(api, "another").replace("another", "videos/%E6%97%A5%E6%9C%AC/a%20film~1.mp4"),
        f"{PUBLIC}?{query}",
        f"{path}?{sign(path, expires=NOON.replace(year=2100), secrets=[b'of somebody else!'])}",
    ]
    for each in bad:
        refused = api.client.get(each)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "LINK_INVALID"), each
    late = api.client.get(signed(api, seconds=-1))
    assert (late.status_code, late.json()["error"]["code"]) == (403, "LINK_EXPIRED")
    assert api.client.get(signed(api, "nothing")).status_code == 404
    assert api("GET", path, prefix="").status_code == 403, "a key is no signature"


def test_a_page_of_somebodys_cannot_do_anything(api: Api) -> None:
    put(api, key="a.html", content=b"<script>alert(1)</script>", kind="text/html")
    put(api, key="b", content=b"x", kind="text/html\r\nX-Evil: 1")
    page = api.client.get("/files/public/a.html")
    assert page.headers["content-type"] == "text/html"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "sandbox" in page.headers["content-security-policy"]
    assert "allow-" not in page.headers["content-security-policy"]
    assert api.client.get("/files/public/b").headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    [
        "/files/public/../../../renderkiln.db",
        "/files/public/..%2f..%2f..%2fsigning-secret",
        "/files/public/%2e%2e/%2e%2e/about",
        "/files/public//etc/passwd",
        "/files/public/a%00b",
        "/files/public/a%5c..%5cb",
        "/files/public/%ff%fe",
        "/files/public/" + "a" * 1900,
        "/files/public/",
        "/files/public",
        "/files/secret/a",
        "/files/public/link",
    ],
)
def test_nothing_outside_is_read(api: Api, path: str) -> None:
    put(api, key="inside")
    objects = api.kiln.settings.home / "storage" / "public" / "objects"
    (objects / "link").symlink_to(api.kiln.settings.home / "signing-secret")
    url = urlsplit(str(api.client.base_url))
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=30)
    connection.request("GET", path)  # as it is: httpx would tidy it up
    answer = connection.getresponse()
    assert answer.status in (404, 422), answer.read()
    assert str(api.folder) not in answer.read().decode()
    connection.close()


def finish(api: Api, id: str, path: Path, kept: Kept) -> None:
    """Let a job have made a file that a storage has."""
    artifact = Artifact("video", path, len(FILM), "0" * 64, "video/mp4", kept=kept)
    with api.kiln.database.write() as connection:
        moves.start_if_waiting(connection, id, 1, "w1", "worker", NOON)
        moves.complete_if_held(connection, id, 1, "w1", artifacts=[artifact], result={}, now=NOON)


def test_an_artifact_in_the_local_storage_comes_from_there(api: Api) -> None:
    api.add("b-1")
    put(api, "private", "videos/b-1.mp4")
    finish(
        api, "b-1", api.folder / "films" / "20260127_song_v1.mp4", Kept("local", "private", "videos/b-1.mp4")
    )
    (told,) = api.data("GET", "/jobs/b-1", scope="read")["artifacts"]
    assert set(told) == {"id", "name", "url", "size", "sha256", "contentType", "kind", "facts"}
    assert told["name"] == "20260127_song_v1.mp4"
    answer = api("GET", told["url"], prefix="", scope="read", headers={"Range": "bytes=5-9"})
    assert (answer.status_code, answer.content) == (206, FILM[5:10])
    assert 'filename="20260127_song_v1.mp4"' in answer.headers["content-disposition"]
    assert api("GET", told["url"], prefix="", key=api.stranger()).status_code == 404
    api.kiln.storage.private.delete("videos/b-1.mp4")
    assert api.refusal("GET", told["url"], prefix="")[:2] == (404, "FILE_NOT_FOUND")


def use_bucket(api: Api, rclone: ObjectStore, **more: object) -> Bucket:
    """Let the service be as if it had been started with a bucket."""
    bucket = rclone.bucket()
    given = {
        "storage": "s3",
        "s3_bucket": bucket.name,
        "s3_endpoint": bucket.endpoint,
        "s3_access_key": bucket.access_key,
        "s3_secret_key": bucket.secret_key,
        "s3_prefix": bucket.prefix,
    }
    api.kiln.settings = Settings.model_validate({**dict(api.kiln.settings), **given, **more})
    api.kiln.__dict__["stores"] = Stores(api.kiln.settings, SystemClock())
    return bucket


def test_an_artifact_in_a_bucket_is_given_by_us_where_only_we_reach_it(api: Api, rclone: ObjectStore) -> None:
    use_bucket(api, rclone, s3_redirect=False)
    put(api, "private", "videos/b-1.mp4")
    api.add("b-1", "b-2")
    finish(api, "b-1", api.folder / "a film.mp4", Kept("s3", "private", "videos/b-1.mp4"))
    finish(api, "b-2", api.folder / "b.mp4", Kept("s3", "private", "videos/b-2.mp4"))
    film = api("GET", "/jobs/b-1/artifacts/1", scope="read")
    assert (film.status_code, film.content) == (200, FILM)
    assert "a%20film.mp4" in film.headers["content-disposition"]
    part = api("GET", "/jobs/b-1/artifacts/1", scope="read", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, FILM[10:20])
    known = {"If-None-Match": film.headers["etag"]}
    assert api("GET", "/jobs/b-1/artifacts/1", scope="read", headers=known).status_code == 304
    assert api.refusal("GET", "/jobs/b-2/artifacts/1")[:2] == (404, "FILE_NOT_FOUND")
    assert api.kiln.stores.origins == ()  # a page here needs no other server


def test_an_artifact_in_a_bucket_is_fetched_there(api: Api, rclone: ObjectStore) -> None:
    bucket = use_bucket(api, rclone)
    put(api, "private", "videos/b-1.mp4")
    api.add("b-1", "b-2")
    finish(api, "b-1", api.folder / "a.mp4", Kept("s3", "private", "videos/b-1.mp4"))
    finish(api, "b-2", api.folder / "b.mp4", Kept("s3-fallback", "private", "videos/b-2.mp4"))
    answer = api("GET", "/jobs/b-1/artifacts/1", scope="read")
    assert answer.status_code == 307
    assert bucket.secret_key not in answer.headers["location"]
    film = httpx.get(answer.headers["location"])
    assert (film.status_code, film.content) == (200, FILM)
    assert httpx.get(answer.headers["location"].replace("Expires=3600", "Expires=7200")).status_code == 403
    assert api.refusal("GET", "/jobs/b-2/artifacts/1")[:2] == (404, "FILE_NOT_FOUND")


def test_a_proxy_may_take_off_what_stands_before_the_path(api: Api) -> None:
    given = {**dict(api.kiln.settings), "public_url": "https://kiln.example/render"}
    api.kiln.__dict__["stores"] = Stores(Settings.model_validate(given), SystemClock())
    put(api, "private")
    address = signed(api)
    assert address.startswith("/render/files/private/")
    assert api.client.get(address.removeprefix("/render")).content == FILM
