"""The Python client against the real server, over networks that break and to hosts that are strangers."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from cutting import cutting
from renderkiln.client import (
    Artifact,
    AsyncClient,
    Client,
    Conflict,
    Invalid,
    Job,
    NotFound,
    RateLimited,
    RenderkilnApiError,
    ServerUnreachable,
    Unauthorized,
    WaitedTooLong,
    WrongBytes,
    uploading,
    watching,
)
from renderkiln.domain.errors import UsageError, UserError

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(str(api.client.base_url), api.keys["admin"]) as client:
        yield client


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(100)) * 15_000)
    return path


def made(api: Api, client: Client, content: bytes) -> Artifact:
    """A finished file of that content, as the server offers it."""
    path = api.folder / "films" / "song_1080p_v1.mp4"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    api.add("b-1")
    api.complete("b-1", path)
    (artifact,) = client.job("b-1").artifacts
    return replace(artifact, sha256=hashlib.sha256(content).hexdigest())  # the rig tells none


@dataclass
class Stranger:
    """A server that is none of ours. `answers` are (status, headers, body), the last one for ever."""

    answers: list[tuple[int, dict[str, str], bytes]]
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @contextmanager
    def at(self) -> Iterator[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                headers = {name.lower(): value for name, value in handler.headers.items()}
                self.heard.append((f"{handler.command} {handler.path}", headers))
                handler.rfile.read(int(headers.get("content-length", 0)))
                answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
                status, more, body = answer
                handler.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **more}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()


@ON_ONE
def test_a_job_is_submitted_once_with_its_file(client: Client, song: Path) -> None:
    sent: list[int] = []
    film = {"quality": "draft"}

    def submit(key: str | None = None) -> Job:
        return client.submit(
            "visualizer",
            file=song,
            params=film,
            format="preview",
            metadata={"order": 7},
            on_upload=lambda done, _: sent.append(done),
            idempotency_key=key,
        )

    job = submit("k")
    assert (job.state, job.id.split("-")[1:], job.metadata) == ("pending", ["1", "preview"], {"order": 7})
    assert sent[-1] == song.stat().st_size
    assert submit("k") == job  # the file is the same asset
    assert submit().id != job.id
    assert len(list(client.assets())) == 1
    (asset,) = client.assets()
    assert asset.sha256 == hashlib.sha256(song.read_bytes()).hexdigest()
    batch = client.submit_batch("visualizer", [asset, asset.id], params=film, formats=["preview", "1080p"])
    assert [id.removeprefix(batch.batch_id) for id in batch.jobs] == [
        "-1-preview",
        "-1-1080p",
        "-2-preview",
        "-2-1080p",
    ]
    assert client.batch(batch).counts.pending == 4
    assert {job.id for job in client.jobs(batch=batch)} == set(batch.jobs)
    assert client.cancel(batch.jobs[0]).state == "cancelled"
    with pytest.raises(Conflict, match="already ended"):
        client.cancel(batch.jobs[0])
    assert sorted(client.cancel_batch(batch)) == sorted(batch.jobs[1:])
    assert client.retry(batch.jobs[0]).state == "pending"
    with pytest.raises(Conflict):
        client.delete_asset(asset)
    with pytest.raises(WaitedTooLong, match="pending"):
        client.wait(job, timeout=0.05)


@ON_ONE
def test_lists_are_fetched_page_by_page(api: Api, client: Client) -> None:
    ids = [f"b-{number}" for number in range(450)]
    api.add(*ids)
    assert [job.id for job in client.jobs(states=["pending"])] == ids[::-1]
    assert next(client.jobs(text="b-449")).id == "b-449"
    assert list(client.jobs(queue="audio-rendering")) == []


@ON_ONE
def test_queues_pause_and_resume(client: Client) -> None:
    assert client.pause("video-rendering").paused
    assert [each.name for each in client.queues() if each.paused] == ["video-rendering"]
    assert not client.resume("video-rendering").paused
    assert client.estimate("narration", {"script": "Welcome."}).units > 0


@ON_ONE
def test_projects_are_kept_and_nobody_overwrites_what_was_not_seen(client: Client, api: Api) -> None:
    project = client.create_project({"title": "Kites", "scenes": []}, name="kites")
    assert (project.name, project.scenes, project.revision, project.document) == ("kites", 0, 1, None)
    first = client.add_scene(project, {"duration": 2}, revision=1)
    second = client.add_scene(project, {"id": "intro", "duration": 1}, at=1)
    assert [(each.id, each.position) for each in client.scenes(project.id)] == [("intro", 1), ("scene-1", 2)]
    assert client.move_scene(project, "intro", 2).position == 2
    assert client.replace_scene(project, first.id, {"duration": 3}).scene["duration"] == 3
    client.remove_scene(project, second.id)
    for stale in (
        lambda: client.rename_project(project, "mine", revision=2),
        lambda: client.delete_project(project, revision=2),
        lambda: client.add_scene(project, {"duration": 1}, revision=2),
    ):
        with pytest.raises(Conflict, match="is at revision 6, not 2"):
            stale()
    seen = client.project(project.id)
    assert (seen.revision, seen.document) == (
        6,
        {"title": "Kites", "scenes": [{"id": "scene-1", "duration": 3}]},
    )
    assert client.replace_project(project, {"scenes": []}, revision=6).revision == 7
    assert client.rename_project(project, "Dragons").name == "Dragons"
    with pytest.raises(Invalid, match="path on the server"):
        client.create_project({"music": "/etc/passwd"})

    async def use() -> list[str]:
        async with AsyncClient(str(api.client.base_url), api.keys["submit"]) as other:
            await other.create_project({"title": "Other"})
            return [each.name async for each in other.projects()]

    assert anyio.run(use) == ["Other", "Dragons"]
    client.delete_project(project)
    with pytest.raises(NotFound):
        client.project(project)


@ON_ONE
def test_keys_are_made_changed_and_revoked(client: Client, api: Api) -> None:
    made = client.create_key("app", "read", account="studio", budget=5, period="day")
    assert (made.scope, made.account, made.key[:8]) == ("read", "studio", made.start)
    assert made.key not in repr(made)
    assert (made.budget and (made.budget.amount, made.budget.period)) == (5, "day")
    assert client.change_key(made, scope="admin").budget == made.budget
    with Client(str(api.client.base_url), made.key) as other:
        assert other.change_key(made.id, name="mine", no_budget=True).budget is None
        everyone = {each.id: each for each in other.keys()}  # noqa: SIM118 - no dictionary
        assert (everyone[made.id].name, everyone[made.id].key) == ("mine", "")
    with pytest.raises(UsageError):
        client.change_key(made, budget=1, no_budget=True)
    assert client.revoke_key(made).revoked_at is not None
    with Client(str(api.client.base_url), made.key) as other, pytest.raises(Unauthorized):
        other.keys()
    last = next(id for id, each in everyone.items() if each.name == "admin")
    with pytest.raises(Conflict, match="last admin"):
        client.revoke_key(last)


@ON_ONE
def test_what_is_wrong_is_told_by_its_class_and_never_with_the_key(api: Api, client: Client) -> None:
    key = api.keys["admin"]
    with pytest.raises(NotFound, match="there is no job b-9") as gone:
        client.job("b-9")
    assert (gone.value.code, gone.value.status) == ("JOB_NOT_FOUND", 404)
    assert gone.value.request_id
    with pytest.raises(Invalid, match="no pipeline") as wrong:
        client.submit("nope")
    assert wrong.value.details[0]["field"] == "body.pipeline"
    with pytest.raises(NotFound):
        client.job("../../queues")  # an id, whatever is in it
    with pytest.raises(UsageError, match="no JSON"):
        client.submit("narration", params={"script": float("nan")})
    with Client(str(api.client.base_url), "rk_wrong") as other, pytest.raises(Unauthorized):
        other.job("b-9")
    with Client("http://127.0.0.1:9", key, tries=1) as nobody, pytest.raises(ServerUnreachable) as away:
        nobody.queues()
    assert str(away.value).startswith("the server at http://127.0.0.1:9 does not answer: ")
    for shown in (repr(client), str(vars(client)), str(away.value), repr(gone.value)):
        assert key not in shown


@pytest.mark.parametrize(
    "url",
    ["render.example.com", "ftp://example.com", "http://", "http://u:p@h", "http://h:99999", "http://h/?a=b"],
)
def test_what_is_no_address_is_said_at_once(url: str) -> None:
    with pytest.raises(UsageError, match="address"):
        Client(url)
    with pytest.raises(UsageError, match="API key has characters"):
        Client("http://127.0.0.1", "rk_\n")


@ON_ONE
def test_an_upload_that_is_cut_off_goes_on(api: Api, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SMALL", 100_000)
    seen: list[int] = []
    with cutting(str(api.client.base_url)) as (url, cuts), Client(url, api.keys["submit"]) as client:
        cuts.up += [700_000, 400_000]
        asset = client.upload(song, on_bytes=lambda done, whole: seen.append(done))
        assert cuts.made == 2
    assert asset.sha256 == hashlib.sha256(song.read_bytes()).hexdigest()
    assert seen[-1] == song.stat().st_size
    assert sum(later < before for before, later in pairwise(seen)) in (1, 2, 3)
    assert seen.count(seen[0]) == 1  # it was not begun anew


@ON_ONE
def test_a_download_that_is_cut_off_goes_on_and_is_checked(api: Api, client: Client, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8_000
    artifact = made(api, client, content)
    target, seen = tmp_path / "film.mp4", list[int]()
    with cutting(str(api.client.base_url)) as (url, cuts), Client(url, api.keys["read"]) as far:
        cuts.down += [900_000, 700_000]
        assert far.download(artifact, target, on_bytes=lambda done, _: seen.append(done)) == target
        assert cuts.made == 2
        assert seen == sorted(seen)  # it went on where it was cut off
    assert target.read_bytes() == content
    assert client.download(artifact, target) == target  # it is there
    target.write_bytes(b"mine")
    with pytest.raises(UserError, match="other content"):
        client.download(artifact, target)
    assert target.read_bytes() == b"mine"
    client.download(artifact, target, overwrite=True)
    assert target.read_bytes() == content
    with pytest.raises(WrongBytes, match="SHA-256"):
        client.download(replace(artifact, sha256="0" * 64), tmp_path)
    assert not [each for each in tmp_path.iterdir() if each.name.endswith(".part")]
    evil = replace(artifact, name="..\\../../evil\x00.mp4")
    assert client.download(evil, tmp_path) == tmp_path / "evil.mp4"


def test_the_key_goes_to_no_other_host(tmp_path: Path) -> None:
    content = b"film" * 1000
    storage = Stranger([(200, {}, content)])
    with storage.at() as other:
        ours = Stranger([(307, {"Location": f"{other}/bucket/film?signature=s"}, b"")])
        artifact = Artifact(
            id="b-1-1",
            name="film.mp4",
            url="/api/v1/jobs/b-1/artifacts/1",
            size=4000,
            sha256=_sha256(content),
        )
        with ours.at() as url, Client(url, "rk_secret") as client:
            client.download(artifact, tmp_path)
            with pytest.raises(RenderkilnApiError, match="it sends us to"):
                client.job("b-1")  # and nobody is followed but for files
    assert (tmp_path / "film.mp4").read_bytes() == content
    assert [headers.get("authorization") for _, headers in ours.heard] == ["Bearer rk_secret"] * 2
    assert [path for path, _ in storage.heard] == ["GET /bucket/film?signature=s"]
    assert "rk_secret" not in str(storage.heard)


def test_what_was_surely_not_done_is_asked_for_again(tmp_path: Path) -> None:
    told = {"id": "b-1", "batchId": "b", "pipeline": "p", "state": "pending", "new": 1}
    body = json.dumps({"success": True, "data": told}).encode()
    busy = (503, {"Retry-After": "0"}, b"")
    server = Stranger([busy, busy, (200, {}, body)])
    with server.at() as url, Client(url, "k") as client:
        job = client.submit("p")
    assert (job.id, job.raw["new"]) == ("b-1", 1)
    keys = {headers["idempotency-key"] for _, headers in server.heard}
    assert (len(server.heard), len(keys)) == (3, 1)
    slow = Stranger([(429, {"Retry-After": "3600"}, b'{"error": {"code": "TOO_MANY", "message": "enough"}}')])
    with slow.at() as url, Client(url, "k") as client, pytest.raises(RateLimited, match="enough") as limited:
        client.queues()
    assert (limited.value.retry_after, len(slow.heard)) == (3600, 1)


@ON_ONE
def test_what_may_have_been_done_is_not_done_again(api: Api) -> None:
    api.add("b-1")
    with cutting(str(api.client.base_url)) as (url, cuts), Client(url, api.keys["submit"]) as client:
        cuts.down += [1]
        with pytest.raises(ServerUnreachable) as lost:
            client.cancel("b-1")
    assert (lost.value.was_sent, cuts.made) == (True, 1)


@ON_ONE
def test_who_waits_is_told_and_does_not_keep_asking(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SOONEST", 0.02)
    monkeypatch.setattr(watching, "_LATEST", 0.02)  # fifty times a second, if nobody told
    api.add("b-1")
    asked: list[str] = []
    with Client(str(api.client.base_url), api.keys["read"]) as client:
        client._http.event_hooks = {"request": [lambda request: asked.append(request.url.path)]}
        with pytest.raises(WaitedTooLong):
            client.wait("b-1", timeout=1.0)
        assert asked.count("/api/v1/jobs/b-1/events") == 1
        assert asked.count("/api/v1/jobs/b-1") < 10
        threading.Timer(0.3, api.kiln.room.control.cancel, ["b-1"]).start()
        begun = time.monotonic()
        assert client.wait("b-1", timeout=20).state == "cancelled"
        assert time.monotonic() - begun < 10  # a sign of life would come after 15 s


@ON_ONE
def test_all_of_it_can_be_awaited(api: Api, song: Path, tmp_path: Path) -> None:
    content = b"film" * 100_000

    async def use() -> None:
        async with AsyncClient(str(api.client.base_url), api.keys["admin"]) as client:
            asset = await client.upload(song)
            assert [each.id async for each in client.assets()] == [asset.id]
            with Client(str(api.client.base_url), api.keys["admin"]) as other:
                artifact = made(api, other, content)
            path = await client.download(artifact, tmp_path / "film.mp4")
            assert path.read_bytes() == content
            job = await client.submit("visualizer", file=asset)
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel, client, job)
                states = [each.state async for each in client.watch(job)]
            assert states == ["pending", "cancelled"]
            assert (await client.wait(job)).state == "cancelled"
            with pytest.raises(NotFound):
                await client.job("b-9")

    anyio.run(use)


async def _cancel(client: AsyncClient, job: Job) -> None:
    await anyio.sleep(0.3)  # by then it watches; if not, it sees the end all the same and the test fails
    await client.cancel(job)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@ON_ONE
def test_events_are_heard_and_taken_up_where_the_connection_broke_off(api: Api) -> None:
    def tell(number: int) -> None:
        api.data("POST", "/events", json={"eventType": "user.upgraded", "payload": {"number": number}})

    for number in range(9):
        tell(number)
    with cutting(str(api.client.base_url)) as (url, cuts), Client(url, api.keys["admin"]) as client:
        cuts.down += [1000, 1200]  # in the midst of an event
        heard = client.events(types=["user.*"], since="0")
        assert [next(heard).data["number"] for _ in range(9)] == list(range(9))
        assert cuts.made == 2
        tell(9)
        news = next(heard)
        assert (news.type, news.data) == ("user.upgraded", {"number": 9})
        tell(10)
        assert next(client.events(since=news.place)).data == {"number": 10}
        with pytest.raises(UsageError):
            next(client.events(types=["job.*"], job="b-1"))
        with pytest.raises(NotFound):
            next(client.events(job="b-9"))


@ON_ONE
def test_the_events_of_a_job_end_with_it(api: Api) -> None:
    api.add("b-1")

    async def listen() -> list[str]:
        async with AsyncClient(str(api.client.base_url), api.keys["read"]) as client:
            return [each.type async for each in client.events(job="b-1")]

    with Client(str(api.client.base_url), api.keys["submit"]) as client:
        client.cancel("b-1")
    assert anyio.run(listen)[-1] == "job.cancelled"
