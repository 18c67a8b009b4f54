"""The service as people run it: one command, a key, curl; and signals that end it in order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from waiting import until

from .conftest import Command
from .test_narration import script


def served(renderkiln: Command, *arguments: object) -> tuple[subprocess.Popen[str], str]:
    """The running service, and where it answers."""
    process = renderkiln.start("serve", "--port", 0, *arguments)
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"(http://[^ ]+)/api/v1 answers", line):
            return process, found[1]
    raise AssertionError(f"it ended with {process.wait()}")


def key(renderkiln: Command, scope: str = "admin") -> dict[str, str]:
    """The header that opens it."""
    made = renderkiln("keys", "create", "--name", scope, "--scope", scope)
    assert made.returncode == 0, made.stderr
    return {"Authorization": f"Bearer {made.stdout.strip()}"}


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    threads = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(each) for thread in threads for each in thread.read_text().split()]


def test_a_queued_job_is_made_and_fetched_over_http(renderkiln: Command) -> None:
    process, url = served(renderkiln)
    headers = key(renderkiln)
    queued = renderkiln("submit", "narration", script(renderkiln, "Hello."), "--out", renderkiln.out)
    (id,) = queued.stdout.split()
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=30) as client:

        def state() -> str:
            return str(client.get(f"/jobs/{id}").json()["data"]["state"])

        until(lambda: state() in ("completed", "failed"))
        job = client.get(f"/jobs/{id}").json()["data"]
        assert (job["state"], job["progress"]) == ("completed", 100)
        told = json.loads(renderkiln("jobs", "show", id, "-o", "json").stdout)
        path = Path(told["artifacts"][0]["path"])
        fetched = httpx.get(url + job["artifacts"][0]["url"], headers=headers)
        assert fetched.content == path.read_bytes()
        assert len(fetched.content) == job["artifacts"][0]["size"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    renderkiln.wait_until_gone()


def test_signals_end_it_soon_whoever_is_still_connected(renderkiln: Command) -> None:
    process, url = served(renderkiln)
    until(lambda: bool(workers_of(process)))
    address = httpx.URL(url)
    assert address.port is not None
    with socket.create_connection((address.host, address.port)) as idle:
        idle.sendall(b"POST /api/v1/jobs/b-1/retry HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert (
        time.monotonic() - begun < 15
    )  # a hang would take the thirty seconds of a worker's grace, or for ever
    renderkiln.wait_until_gone()


def test_open_streams_keep_it_from_nothing(renderkiln: Command) -> None:
    process, url = served(renderkiln, "--no-worker")
    headers = key(renderkiln, "read")
    with ExitStack() as streams:
        for _ in range(20):
            stream = streams.enter_context(
                httpx.stream("GET", f"{url}/api/v1/events/stream", headers=headers, timeout=30)
            )
            assert next(stream.iter_lines()).startswith("retry:")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - begun < 6  # mostly 1; a stream that is waited for takes 15 to its next sign
    renderkiln.wait_until_gone()


def test_its_worker_is_kept_running_and_does_not_outlive_it(renderkiln: Command) -> None:
    process, url = served(renderkiln)
    until(lambda: bool(workers_of(process)))
    (first,) = workers_of(process)
    os.kill(first, signal.SIGKILL)
    until(lambda: workers_of(process) not in ([], [first]))
    assert httpx.get(f"{url}/healthz").status_code == 200
    process.kill()
    process.wait()
    renderkiln.wait_until_gone(30)


def test_where_it_cannot_listen_it_says_so(renderkiln: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = renderkiln("serve", "--port", port, "--no-worker")
    assert ended.returncode == 1
    (line,) = [each for each in ended.stderr.splitlines() if each.startswith("renderkiln: ")]
    assert line.startswith(f"renderkiln: cannot listen on port {port} of 127.0.0.1: address already in use")
    renderkiln.wait_until_gone()


def test_keys_by_command(renderkiln: Command) -> None:
    made = json.loads(renderkiln("keys", "create", "--name", "CI", "--scope", "read", "-o", "json").stdout)
    assert made["key"].startswith("rk_")
    listed = renderkiln("keys", "list", "-o", "json")
    (key,) = json.loads(listed.stdout)
    assert key == {name: value for name, value in made.items() if name != "key"}
    assert made["key"] not in listed.stdout + renderkiln("keys", "list").stdout
    revoked = renderkiln("keys", "revoke", made["id"])
    assert (revoked.returncode, revoked.stderr) == (0, f"renderkiln: {made['id']}: revoked\n")
    again = renderkiln("keys", "revoke", made["id"])
    assert (again.returncode, again.stderr) == (1, f"renderkiln: key {made['id']} is revoked already\n")
    assert renderkiln("keys", "create", "--name", " ").returncode == 2
