"""A server elsewhere: jobs are given in, followed through its death and restart, and fetched."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import subprocess
import threading
from pathlib import Path

from renderkiln.client import Client, Job

from .conftest import Command, tune, write_wav
from .test_serve import key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def served(renderkiln: Command, port: int, *arguments: object) -> subprocess.Popen[str]:
    process = renderkiln.start("serve", "--port", port, *arguments)
    assert process.stderr is not None
    assert any("answers" in line for line in process.stderr), process.wait()
    return process


def test_jobs_are_given_in_followed_and_fetched_elsewhere(renderkiln: Command) -> None:
    port = free_port()
    url, secret = f"http://127.0.0.1:{port}", key(renderkiln)["Authorization"].removeprefix("Bearer ")
    there = ("--server", url, "--api-key", secret)
    server = served(renderkiln, port, "--no-worker")
    music = write_wav(renderkiln.folder / "music.wav", tune(2.0))
    (renderkiln.folder / "calm.txt").write_text("Welcome.")
    queued = renderkiln("submit", "narration", "calm.txt", "--music", music, *there, "--label", "night")
    assert queued.returncode == 0, queued.stderr
    (id,) = queued.stdout.split()
    assert re.search(r"batch \S+: 1 job queued", queued.stderr)
    assert "no worker is at the queue audio-rendering" in queued.stderr
    music.unlink()  # the server has its own

    seen: list[Job] = []
    heard = threading.Event()
    ended: list[Job] = []

    def hear(job: Job) -> None:
        seen.append(job)
        heard.set()

    with Client(url, secret) as client:
        waiting = threading.Thread(target=lambda: ended.append(client.wait(id, on_progress=hear)))
        waiting.start()
        assert heard.wait(30)
        server.kill()
        server.wait()
        served(renderkiln, port)
        waiting.join(120)
        (job,) = ended
        assert (job.state, job.progress, seen[0].state) == ("completed", 100, "pending"), job.error
        assert not job.left_out  # the music was there
        files = [client.download(each, renderkiln.folder) for each in job.artifacts]

    fetched = renderkiln("jobs", "download", id, "--out", "there", *there)
    assert fetched.stdout.split() == [f"there/{path.name}" for path in files], fetched.stderr
    sheet = json.loads(renderkiln("jobs", "show", id, "-o", "json").stdout)
    for path, made in zip(files, sheet["artifacts"], strict=True):
        assert sha256(path) == sha256(renderkiln.folder / "there" / path.name) == made["sha256"]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
