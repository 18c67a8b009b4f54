"""The same commands here and with --server: they print the same, and end with the same status."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from databases import NOON
from renderkiln.cli.app import run
from renderkiln.database import deliveries, workers
from renderkiln.database.workers import NewWorker

from .conftest import ON_ONE, Api

pytestmark = [pytest.mark.integration, ON_ONE]

# What names folders here and addresses there, and what is older with each look
# What says where files lie, which a server does not tell; and what is told on one side only
LOCAL = {
    "path", "folder", "url", "statusUrl", "result", "error", "message",
    "oldestSeconds", "attempts", "waitsFor", "crashes",
}  # fmt: skip

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command; its status, stdout and stderr."""
    monkeypatch.setenv("RENDERKILN_HOME", str(api.folder / "home"))
    monkeypatch.setenv("RENDERKILN_DATABASE", str(api.kiln.database.url))
    monkeypatch.chdir(api.folder)

    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([str(each) for each in arguments])
        return (status, *capsys.readouterr())

    return command


@pytest.fixture
def there(api: Api, here: Command) -> Command:
    """Runs it with the server's address."""
    at = ("--server", str(api.client.base_url), "--api-key", api.keys["admin"])
    return lambda *arguments: here(*arguments, *at)


def without_places(value: Any) -> Any:
    """JSON without what says where files lie: a server tells no folders."""
    match value:
        case dict():
            return {key: without_places(each) for key, each in value.items() if key not in LOCAL}
        case list():
            return [without_places(each) for each in value]
        case _:
            return value


def test_what_is_shown_is_the_same(api: Api, here: Command, there: Command) -> None:
    film = api.folder / "films" / "song_v1.mp4"
    film.parent.mkdir()
    film.write_bytes(b"film")
    api.add(*(f"b-{number}" for number in range(6)))
    api.complete("b-0", film)
    api.fail("b-1")
    for call in (
        ("jobs", "list"),
        ("jobs", "list", "--state", "pending", "--limit", 2),
        ("jobs", "show", "b-0", "--events"),
        ("jobs", "show", "b-1"),
        ("batches", "list"),
        ("batches", "show", "b"),
        ("queues", "list"),
    ):
        (status, local, _), (same, remote, words) = here(*call, "-o", "json"), there(*call, "-o", "json")
        assert (status, same, words) == (0, 0, "")
        assert without_places(json.loads(remote)) == without_places(json.loads(local)), call
        assert there(*call)[1].split()[:8] == here(*call)[1].split()[:8]
    assert str(api.folder) not in there("jobs", "show", "b-1")[1]


def test_what_is_done_ends_the_same(api: Api, here: Command, there: Command) -> None:
    api.add("b-0", "b-1", "b-2", "b-3")
    api.fail("b-3")
    for command, id in ((here, "b-0"), (there, "b-1")):
        assert command("jobs", "cancel", id) == (0, "", f"renderkiln: {id}: cancelled\n")
        status, _, words = command("jobs", "cancel", id)
        assert (status, words) == (1, f"renderkiln: job {id} has already ended: it is cancelled\n")
        status, _, words = command("jobs", "retry", id, "--from", "rendr")
        assert (status, "no stage 'rendr'; there are: listen" in words) == (1, True), words
        assert command("jobs", "retry", id, "--from", "render")[0] == 0
        assert command("jobs", "cancel", id)[0] == 0
        assert command("jobs", "retry", id, "--from-scratch")[0] == 0
        assert command("jobs", "show", "nope")[0] == 1
        assert command("jobs", "set", id, "--priority", 9)[2] == f"renderkiln: {id}: priority 9\n"
        status, _, words = command("queues", "pause", "nope")
        assert (status, "there are: video-rendering" in words) == (2, True)
        assert command("queues", "pause", "audio-rendering")[0] == 0
        assert command("queues", "set", "audio-rendering", "--worker-limit", 3)[0] == 0
        assert json.loads(here("queues", "list", "-o", "json")[1])[1]["workerLimit"] == 3
        assert command("queues", "set", "audio-rendering", "--worker-limit", "default")[0] == 0
        assert command("queues", "resume", "audio-rendering")[0] == 0
    assert there("batches", "retry", "b")[2] == "renderkiln: b: 1 jobs queued again\n"
    assert there("batches", "cancel", "b")[2] == "renderkiln: b: 4 jobs cancelled\n"
    status, _, words = there("batches", "watch", "b")
    assert (status, words.count("✗")) == (1, 4)
    assert there("batches", "retry", "b", "--cancelled")[2] == "renderkiln: b: 4 jobs queued again\n"


def test_what_is_submitted_is_the_same(api: Api, here: Command, there: Command) -> None:
    with wave.open(str(api.folder / "song.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    order = ("submit", "visualizer", "song.wav", "--format", "preview", "--format", "4k", "--seed", 5)
    found = []
    for command in (here, there):
        status, out, words = command(*order, "--priority", 7, "--label", "night", "--at", "+2h")
        assert status == 0, words
        ids = out.split()
        assert [id.split("-", 1)[1] for id in ids] == ["1-preview", "1-4k"]
        assert "2 jobs queued" in words
        assert "no worker is at the queue video-rendering" in words
        found.append([api.kiln.room.job(id).report.job for id in ids])
    for local, remote in zip(*found, strict=True):
        assert remote.params == local.params
        assert (
            (remote.label, remote.priority)
            == (local.label, local.priority)
            == (f"song.wav {local.format}", 7)
        )
    assert there(*order, "--idempotency-key", "k")[1] == there(*order, "--idempotency-key", "k")[1]
    for wrong in (("--out", "films"), ("--after", "b-1")):
        status, out, words = there(*order, *wrong)
        assert (status, out) == (2, "")
        assert wrong[0] in words
    status, _, words = there("submit", "visualizer", "song.wav", "nope.wav")
    assert (status, "nope.wav is not there" in words) == (1, True)


def test_an_estimate_is_the_same(api: Api, here: Command, there: Command) -> None:
    (api.folder / "script.txt").write_text("Breathe in.")
    call = ("estimate", "narration", "script.txt", "-o", "json")
    status, out, words = there(*call)
    assert (status, json.loads(out)["jobs"][0]["basis"]) == (0, "guess"), words
    assert here(*call)[:2] == (status, out)


def test_keys_are_kept_by_command(here: Command, there: Command) -> None:
    for command, other in ((here, there), (there, here)):
        status, secret, words = command("keys", "create", "--name", "app", "--budget", 5)
        id = words.split()[3].rstrip(",")
        assert (status, secret.startswith("rk_"), "scope submit; it is not shown" in words) == (0, True, True)
        made = json.loads(command("keys", "create", "--name", "b", "--account", "studio", "-o", "json")[1])
        assert {made["scope"], made["account"], made["key"][:8]} == {"submit", "studio", made["start"]}
        for shape in ("json", "jsonl", "table"):
            listed = command("keys", "list", "-o", shape)
            assert (listed[0], listed[1]) == (0, other("keys", "list", "-o", shape)[1])
            assert id in listed[1]
            assert secret.strip() not in listed[1]
        words = command("keys", "change", id, "--scope", "read", "--budget-period", "day")[2]
        assert words == f"renderkiln: app: key {id}, scope read, 5.00 USD a day\n"
        changed = json.loads(command("keys", "change", id, "--budget", 7, "-o", "json")[1])
        assert changed["budget"] == {"amount": 7.0, "period": "day", "currency": "USD"}
        assert command("keys", "change", id, "--no-budget", "--name", "c")[2].endswith("read, no budget\n")
        assert command("keys", "revoke", id) == (0, "", f"renderkiln: {id}: revoked\n")
        for status, wrong in (
            (1, ("revoke", id)),
            (1, ("change", id, "--name", "d")),
            (1, ("revoke", "key_0")),
            (2, ("revoke", "../x\x00")),
            (2, ("change", id)),
            (2, ("change", id, "--no-budget", "--budget", 1)),
            (2, ("change", made["id"], "--budget-period", "day")),
            (2, ("create", "--name", "x" * 101)),
            (2, ("create", "--name", "x", "--account", "no/account")),
            (2, ("create",)),
        ):
            told, out, words = command("keys", *wrong)
            assert (told, out, words.count("\n")) == (status, "", 1), (wrong, words)


def test_projects_are_kept_by_command_with_the_files_that_they_name(
    api: Api, here: Command, there: Command
) -> None:
    folder = api.folder / "films"
    folder.mkdir()
    with wave.open(str(folder / "song.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    scene = {"id": "kite", "duration": 2, "layers": [{"type": "text", "text": "song.wav"}]}
    write = (folder / "film.json").write_text
    write(json.dumps({"title": "Kites", "music": "song.wav", "scenes": [scene]}))
    (folder / "outro.json").write_text(json.dumps({"voice": {"file": "song.wav"}}))
    for command, remote in ((here, False), (there, True)):
        projects = partial(command, "projects")
        status, out, words = projects("create", "films/film.json")
        id = out.strip()
        assert (status, words) == (0, "renderkiln: Kites: stored with 1 scene\n")
        assert projects("rename", id, "Dragons")[2] == f"renderkiln: {id}: called Dragons, revision 2\n"
        assert projects("scenes", "add", id, "films/outro.json", "--at", 1)[1:] == (
            "scene-1\n",
            f"renderkiln: {id}: scene scene-1 added at position 1\n",
        )
        film = json.loads(projects("show", id, "-o", "json")[1])
        named = {film["music"]["file"], film["scenes"][0]["voice"]["file"]}
        assert len(named) == 1  # the same file
        assert named.pop().startswith("asset:ast_" if remote else "song.wav")
        assert film["scenes"][1]["layers"][0]["text"] == "song.wav"  # which only reads like one
        assert projects("scenes", "replace", id, "scene-1", "films/outro.json", "--revision", 3)[0] == 0
        assert projects("scenes", "move", id, "kite", 1)[0] == 0
        assert projects("scenes", "list", id)[1].splitlines()[1].split()[:2] == ["1", "kite"]
        assert json.loads(projects("list", "-o", "json")[1])[0]["scenes"] == 2
        assert projects("scenes", "remove", id, "scene-1")[0] == 0
        assert "1 scene now, revision 7" in projects("replace", id, "films/film.json")[2]
        queued = command("submit", "scenes", id, "--resolution", "480p")
        assert queued[0] == 0, queued
        for status, wrong in (
            (1, ("rename", id, "x", "--revision", 1)),
            (1, ("show", "prj_0")),
            (1, ("scenes", "remove", id, "nope")),
            (1, ("scenes", "remove", id, "../x")),
            (1, ("scenes", "replace", id, "nope", "films/outro.json")),
            (2, ("show", "../x\x00")),
            (2, ("scenes", "add", id, "films/outro.json", "--at", 9)),
            (2, ("scenes", "add", id, "films/film.json")),
            (2, ("scenes", "move", id, "kite", 9)),
            (2, ("rename", id, "x" * 600)),
            (2, ("delete", id)),
        ):
            told, out, words = projects(*wrong)
            assert (told, out) == (status, ""), (wrong, words)
            assert words.startswith(("renderkiln: ", "the project: ")), words
        assert projects("delete", id, "--yes") == (0, "", f"renderkiln: {id}: deleted\n")
    write(json.dumps({"music": "gone.wav"}))
    status, _, words = there("projects", "create", "films/film.json")
    assert (status, 'there is no file "gone.wav"' in words) == (2, True), words


def test_a_project_that_names_files_of_the_server_is_not_rendered_with_those_of_this_machine(
    api: Api, here: Command, there: Command
) -> None:
    (api.folder / "song.wav").write_bytes(b"")
    (api.folder / "film.json").write_text(
        json.dumps({"music": "song.wav", "scenes": [{"id": "a", "duration": 1}]})
    )
    id = here("projects", "create", "film.json")[1].strip()
    status, _, words = there("submit", "scenes", id)
    assert (status, "is a path on the server" in words) == (2, True), words


def test_who_retries_a_batch_beyond_a_budget_is_told(api: Api, here: Command) -> None:
    made = json.loads(here("keys", "create", "--name", "a", "--budget", 0.05, "-o", "json")[1])
    at = ("--server", str(api.client.base_url), "--api-key", made["key"])
    (api.folder / "script.txt").write_text("Breathe in. " * 100)
    order = ("submit", "narration", "script.txt", "script.txt", "--voice", "openai:nova", *at)
    status, out, words = here(*order)
    assert status == 0, words
    batch = out.split("-")[0]
    assert here("batches", "cancel", batch, *at)[0] == 0
    assert here("submit", "narration", "script.txt", "--voice", "openai:nova", *at)[0] == 0
    status, _, words = here("batches", "retry", batch, "--cancelled", *at)
    first, second = words.splitlines()
    assert (status, first) == (1, f"renderkiln: {batch}: 1 jobs queued again")
    assert second.startswith(
        f"renderkiln: {batch}: 1 more cost too much, and were left as they are: this would"
    )
    assert "of a budget of 0.05 USD" in second


def test_webhooks_are_kept_by_command(api: Api, here: Command, there: Command) -> None:
    url = "https://example.com/hook"
    for command, other in ((here, there), (there, here)):
        status, out, words = command("webhooks", "add", url, "--type", "job.failed", "--label", "ops")
        id = words.split()[1].rstrip(":")
        assert (status, out.startswith("whsec_"), "not shown again" in words) == (0, True, True)
        assert command("webhooks", "list", "-o", "json")[1] == other("webhooks", "list", "-o", "json")[1]
        rotated = json.loads(command("webhooks", "rotate-secret", id, "-o", "json")[1])
        assert rotated["secret"] not in {out.strip(), None}
        assert out.strip() not in command("webhooks", "show", id)[1]
        assert command("webhooks", "disable", id) == (0, "", f"renderkiln: {id}: disabled\n")
        status, out, words = command("webhooks", "test", id)
        assert (status, out, "is disabled (a person disabled it): enable it first" in words) == (1, "", True)
        assert command("webhooks", "enable", id)[0] == 0
        sent = command("webhooks", "test", id)[1].strip()
        (waiting,) = json.loads(command("webhooks", "deliveries", id, "-o", "json")[1])
        assert (waiting["id"], waiting["state"], waiting["type"]) == (sent, "pending", "webhook.test")
        assert json.loads(other("webhooks", "deliveries", id, "-o", "json")[1]) == [waiting]
        assert sent in command("webhooks", "deliveries", id)[1]
        assert command("webhooks", "replay", id, sent)[2] == f"renderkiln: {sent}: is sent again\n"
        assert command("webhooks", "replay", id, "msg_0")[0] == 1
        assert command("webhooks", "show", "whk_0")[0] == 1
        for wrong in (
            ("show", "../x\x00"),
            ("replay", id, "x" * 9000),
            ("add", "http://127.0.0.1/"),
            ("add", "x" * 9000),
            ("add", url, "--type", "job.progress"),
            ("add", url, "--label", "x" * 300),
        ):
            status, out, words = command("webhooks", *wrong)
            assert (status, out, words.count("\n")) == (2, "", 1), (wrong, words)
        assert command("webhooks", "remove", id)[2] == f"renderkiln: {id}: removed\n"
        assert command("webhooks", "remove", id)[0] == 1


def test_events_are_emitted_and_retried_by_command(api: Api, here: Command, there: Command) -> None:
    with api.kiln.database.write() as connection:
        workers.register(connection, NewWorker("w1", "w1", "host", 1, (), 1, NOON))
    for command in (here, there):
        status, out, words = command("events", "emit", "user.upgraded", "--payload", '{"plan": "pro"}')
        assert (status, out.strip().isdecimal(), words) == (0, True, "")
        status, out, words = command("events", "emit", "moon.landed", "-o", "json")
        assert (status, json.loads(out)["handled"]) == (0, False)
        assert words == "renderkiln: no handler is installed for the type moon.landed\n"
        (event,) = json.loads(command("events", "list", "--state", "pending", "-o", "json")[1])
        assert (event["type"], event["payload"]) == ("user.upgraded", {"plan": "pro"})
        now, to = api.kiln.room.clock.now(), [deliveries.Target(handler="user.upgraded")]
        with api.kiln.database.write() as connection:
            assert deliveries.claim(connection, now, "w1", to, limit=1, share=1)
            assert deliveries.end_if_claimed(connection, event["id"], "w1", now, state="failed", error="no")
        assert event["id"] in command("events", "list", "--state", "failed")[1]
        assert command("events", "retry", event["id"])[2] == f"renderkiln: {event['id']}: is handled again\n"
        assert command("events", "list", "--state", "failed") == (0, "", "")
        with api.kiln.database.write() as connection:
            assert deliveries.claim(connection, api.kiln.room.clock.now(), "w1", to, limit=1, share=1)
            assert deliveries.end_if_claimed(connection, event["id"], "w1", now, state="delivered")
        status, _, words = command("events", "retry", event["id"])
        assert (status, "only failed ones are handled again" in words) == (1, True)
        assert command("events", "retry", "msg_0")[0] == 1
        for wrong in (
            ("emit", "job.completed"),
            ("emit", "x"),
            ("emit", "a.b", "--payload", "[]"),
            ("emit", "a.b", "--payload", "[" * 100_000),
            ("emit", "a.b", "--payload", json.dumps({"x": "y" * 70_000})),
            ("retry", "nope"),
        ):
            status, out, words = command("events", *wrong)
            assert (status, out, words.count("\n")) == (2, "", 1), (wrong, words)


def test_where_there_is_no_server_or_no_key_it_says_so(api: Api, here: Command) -> None:
    status, _, words = here("jobs", "list", "--server", "nowhere")
    assert (status, "is no address" in words) == (2, True)
    status, _, words = here("jobs", "list", "--server", api.client.base_url)
    assert (status, "needs a key" in words) == (1, True)
    wrong = "rk_" + "x" * 40
    status, _, words = here("jobs", "list", "--server", api.client.base_url, "--api-key", wrong)
    assert (status, "opens nothing" in words, wrong in words) == (1, True, False)
