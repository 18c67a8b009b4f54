"""What the dashboard asks that nobody else does: its files, who is logged in, pictures, charts, the demo."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from databases import NOON, start
from renderkiln.api.server import Server
from renderkiln.api.session import COOKIE
from renderkiln.api.site import BUILT, PAGES, site
from renderkiln.api.sse import Hub
from renderkiln.database import pictures

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration


def url_of(api: Api) -> str:
    return str(api.client.base_url).rstrip("/")


@pytest.fixture
def browser(api: Api) -> Iterator[httpx.Client]:
    """A browser that has logged in with the key of scope `submit`."""
    url = url_of(api)
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=30) as made:
        assert made.post("/login", json={"key": f" {api.keys['submit']} "}).status_code == 204
        yield made


@ON_ONE
def test_a_key_logs_a_browser_in_with_no_more_rights_than_it_has(api: Api, browser: httpx.Client) -> None:
    assert browser.get("/session").json()["data"] == {"isLoggedIn": True}
    assert browser.get("/api/v1/me").json()["data"]["scope"] == "submit"
    assert browser.get("/api/v1/keys").status_code == 403
    cookie = browser.cookies[COOKIE]
    assert api.keys["submit"] not in cookie
    forged = {"Cookie": f"{COOKIE}={cookie.replace('key_', 'key_0', 1)}"}
    assert httpx.get(f"{url_of(api)}/session", headers=forged).json()["data"] == {"isLoggedIn": False}
    assert browser.post("/logout").status_code == 204
    browser.cookies.set(COOKIE, cookie)
    assert browser.get("/api/v1/me").status_code == 401


@ON_ONE
def test_a_revoked_key_logs_its_browsers_out(api: Api) -> None:
    stored, secret = api.kiln.keys.create("soon gone", "read")
    url = url_of(api)
    with httpx.Client(base_url=url, headers={"Origin": url}) as browser:
        assert browser.post("/login", json={"key": secret}).status_code == 204
        api.kiln.keys.revoke(stored.id)
        assert browser.get("/session").json()["data"] == {"isLoggedIn": False}
        assert browser.get("/api/v1/jobs").status_code == 401


@ON_ONE
def test_nobody_logs_in_with_less(api: Api) -> None:
    url = url_of(api)
    wrong = {"json": {"key": "rk_" + "a" * 43}}
    assert httpx.post(f"{url}/login", headers={"Origin": url}, **wrong).status_code == 401  # type: ignore[arg-type]
    right = {"json": {"key": api.keys["read"]}}
    for foreign in ({}, {"Origin": "https://evil.example"}):
        answer = httpx.post(f"{url}/login", headers=foreign, **right)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FOREIGN_ORIGIN")
        assert COOKIE not in answer.cookies


@ON_ONE
def test_a_running_job_shows_its_picture(api: Api) -> None:
    api.add("b-1", "b-2")
    assert api("GET", "/jobs/b-1/picture").status_code == 204
    start(api.kiln.database)
    with api.kiln.database.write() as connection:
        pictures.show(connection, "b-1", 1, "w1", b"\xff\xd8picture", NOON)
    answer = api("GET", "/jobs/b-1/picture", scope="read")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (
        200, "image/jpeg", b"\xff\xd8picture"
    )  # fmt: skip
    assert answer.headers["last-modified"] == "Tue, 27 Jan 2026 12:00:00 GMT"
    assert api.refusal("GET", "/jobs/b-9/picture")[:2] == (404, "JOB_NOT_FOUND")


@ON_ONE
def test_activity_is_ones_own(api: Api) -> None:
    api.add("b-1", "b-2")
    told = api.data("GET", "/activity?minutes=60", scope="submit")
    assert told["stepSeconds"] == 60
    (queue,) = told["queues"]
    assert (queue["waiting"][-1], len(queue["waitSeconds"])) == (2, 60)
    _, stranger = api.kiln.keys.create("stranger", "read")
    assert api.data("GET", "/activity", key=stranger)["queues"] == []
    assert api.refusal("GET", "/activity?minutes=0")[0] == 422


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    script = tmp_path / "assets/index-1a2b.js"
    script.write_text("let it = 1")
    script.with_name("index-1a2b.js.gz").write_bytes(gzip.compress(b"let it = 1", mtime=0))
    (tmp_path / "assets/inter.woff2").write_bytes(b"wOF2")
    (tmp_path / "index.html").write_text("<!doctype html><title>Renderkiln</title>")
    (tmp_path.parent / "secret.txt").write_text("secret")
    return tmp_path


@contextmanager
def served(api: Api, built: Path) -> Iterator[httpx.Client]:
    """A server of nothing but these files."""
    app = FastAPI(openapi_url=None)
    app.state.hub = Hub(lambda: api.kiln.database, built)
    app.include_router(site(api.kiln.stores, built))
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
    server.stop()
    thread.join(timeout=20)


@ON_ONE
def test_every_address_of_the_dashboard_is_its_page(api: Api, built: Path) -> None:
    with served(api, built) as client:
        check_pages(client)


def check_pages(client: httpx.Client) -> None:
    for path in ("/", *(f"/{page}" for page in PAGES), "/jobs/b-1", "/jobs/a/b?c=d"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache"), path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy
    assert client.get("/nothing").status_code == 404
    answer = client.get("/assets/index-1a2b.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    for outside in (
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "..%5csecret.txt",
        "%00",
        "index-2.js",
        ".",
        ".gz",
    ):
        assert client.get(f"/assets/{outside}").status_code == 404, outside


@ON_ONE
def test_what_a_browser_loads_comes_compressed_to_who_takes_it(api: Api, built: Path) -> None:
    with served(api, built) as client:
        check_compressed(client)


def check_compressed(client: httpx.Client) -> None:
    def get(name: str, accept: str, method: str = "GET", **headers: str) -> httpx.Response:
        return client.request(method, f"/assets/{name}", headers={"Accept-Encoding": accept, **headers})

    etags = set()
    for accept, is_gzip in (("br, gzip", True), ("gzip;q=0.5", True), ("", False), ("gzip;q=0", False)):
        answer = get("index-1a2b.js", accept)
        assert (answer.status_code, answer.text) == (200, "let it = 1"), accept
        assert answer.headers.get("content-encoding") == ("gzip" if is_gzip else None), accept
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")
        etags.add(etag := answer.headers["etag"])
        head = get("index-1a2b.js", accept, "HEAD")
        assert (head.headers["etag"], head.headers["content-length"], head.content) == (
            etag, answer.headers["content-length"], b""
        )  # fmt: skip
        known = get("index-1a2b.js", accept, **{"If-None-Match": f'"other", {etag}'})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert len(etags) == 2
    part = get("index-1a2b.js", "", Range="bytes=4-5")
    assert (part.status_code, part.content) == (206, b"it")
    assert "vary" not in get("inter.woff2", "gzip").headers
    assert get("index-1a2b.js.gz", "gzip").status_code == 404


def test_the_dashboard_is_light() -> None:
    """JavaScript and CSS of all pages as a browser gets them, but for the 360° viewer, which few need."""
    if not (BUILT / "index.html").exists():
        pytest.skip("the dashboard is not built: `make dashboard`")
    sizes = {path.name: path.stat().st_size for path in (BUILT / "assets").glob("*.gz")}
    viewer = sum(size for name, size in sizes.items() if name.startswith("Around-"))
    assert viewer
    assert sum(sizes.values()) - viewer <= 150_000, sorted(sizes.items(), key=lambda each: -each[1])


@ON_ONE
def test_a_dashboard_that_was_not_built_is_said_so(api: Api, tmp_path: Path) -> None:
    with served(api, tmp_path / "nowhere") as client:
        answer = client.get("/jobs")
    assert answer.status_code == 503
    assert "make dashboard" in answer.text
