"""A render room that is lived in: something of everything that a page can show."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import httpx

from acceptance.conftest import tune, write_wav
from waiting import until

EXAMPLE = Path(__file__).parents[2] / "dashboard/src/pages/projects/example.json"
SMALL = {"format": "preview", "quality": "draft", "look": {"title": "Ember"}, "template": "waveform"}
LONG_NAME = "A_name_without_any_place_to_break_it_" * 5


class Room(Protocol):
    """A service that answers, and an admin's key."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...


@contextmanager
def neighbours() -> Iterator[str]:
    """The address of a server whose /ok takes webhooks, whose /down does not; files of /slow
    never end, and others are broken."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200 if self.path == "/ok" else 503)
            self.end_headers()
            self.wfile.write(b"thank you" if self.path == "/ok" else b"we are closed today")

        def do_GET(self) -> None:
            endless = self.path.startswith("/slow")
            self.send_response(200)
            self.send_header("content-type", "audio/wav")
            self.send_header("content-length", "1000000" if endless else "64")
            self.end_headers()
            self.wfile.write(b"R" * 64)
            while endless and not over.wait(0.5):
                self.wfile.write(b"R" * 64)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def live_in(room: Room, beside: str, folder: Path) -> dict[str, str]:
    """Make all that; returns the ids of what has a page of its own, by what it is.

    The job `processing` goes on for as long as the server `beside` is there; others wait behind it.
    """
    headers = {"Authorization": f"Bearer {room.key}"}
    with httpx.Client(base_url=f"{room.url}/api/v1", headers=headers, timeout=120) as http:

        def ask(method: str, path: str, **given: Any) -> Any:
            answer = http.request(method, path, **given)
            assert answer.is_success, answer.text
            return answer.json()["data"]

        def post(path: str, **body: Any) -> Any:
            return ask("POST", path, json=body)

        def job(pipeline: str, label: str, params: dict[str, Any], *assets: str) -> str:
            made = post("/jobs", pipeline=pipeline, label=label, params=params, assets=assets)
            return str(made["id"])

        def become(id: str, state: str) -> None:
            until(lambda: ask("GET", f"/jobs/{id}")["state"] in {state, "completed", "failed"}, 600)
            job = ask("GET", f"/jobs/{id}")
            assert job["state"] == state, job["error"]

        hook = post("/webhooks", url=f"{beside}/ok", label="Studio bot")["id"]
        down = post("/webhooks", url=f"{beside}/down", label=LONG_NAME[:90])["id"]
        song = write_wav(folder / "Morning ember.wav", tune(0.5)).read_bytes()
        named = {"name": "Morning ember.wav"}
        asset = ask("POST", "/assets", content=song, params=named)["id"]
        batch = post(
            "/batches", pipeline="visualizer", label="Two songs", params=SMALL, assets=[asset, asset]
        )
        done = ask("GET", "/jobs", params={"batch": batch["batchId"]})["items"][0]["id"]
        around = {"format": "360stereo", "quality": "draft", "template": "waveform"}
        few = write_wav(folder / "Few frames.wav", tune(0.1)).read_bytes()
        sphere = job(
            "visualizer",
            "All around",
            around,
            ask("POST", "/assets", content=few, params={"name": "Few frames.wav"})["id"],
        )
        script = "Breathe in. [pause 1s] And out."
        audio = job("narration", "朝の瞑想 – und noch ein längerer Titel dazu", {"script": script})
        failed = job("visualizer", LONG_NAME, SMALL, f"{beside}/broken.wav")
        project = post("/projects", document=json.loads(EXAMPLE.read_text()))["id"]
        post("/projects", document={"version": 1, "title": LONG_NAME})
        post("/keys", name="Kiosk", scope="read", budget={"amount": 10, "period": "month"})
        post("/events", eventType="user.upgraded", payload={"plan": "pro", "note": LONG_NAME})
        post("/events", eventType="invoice.paid", payload={"amount": 12})
        become(done, "completed")
        become(audio, "completed")
        become(sphere, "completed")
        become(failed, "failed")
        processing = job("visualizer", "Night drive", SMALL, f"{beside}/slow/night.wav")
        become(processing, "processing")
        ask("POST", "/queues/video-rendering/pause")
        pending = job("visualizer", "Slow river", SMALL, asset)
        cancelled = job("visualizer", "Under the pines", SMALL, asset)
        post(f"/jobs/{cancelled}/cancel")
        return {
            "hook": hook,
            "down": down,
            "batch": str(batch["batchId"]),
            "completed": done,
            "audio": audio,
            "sphere": sphere,
            "failed": failed,
            "processing": processing,
            "pending": pending,
            "cancelled": cancelled,
            "project": project,
        }
