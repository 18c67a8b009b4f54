"""The service as people run it: one command, a key, curl; and signals that end it in order."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from integration.durable.receiver import receiving
from waiting import until

from .conftest import Command

ROOT = Path(__file__).parents[2]


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


def test_one_call_is_a_whole_integration(renderkiln: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told where the file is gets it, without a key and without asking anything else."""
    monkeypatch.setenv("RENDERKILN_PRIVATE_URLS", "1")  # the receiver is on this machine
    process, url = served(renderkiln)
    headers = key(renderkiln, "submit")
    with receiving() as receiver:
        order = {
            "pipeline": "narration",
            "params": {"script": "Hello."},
            "metadata": {"order": "o-7"},
            "webhookUrl": receiver.url,
        }
        made = httpx.post(f"{url}/api/v1/jobs", json=order, headers=headers, timeout=30)
        assert made.status_code == 202, made.text
        until(lambda: receiver.taken)
    message = json.loads(receiver.taken[0].body)
    assert message["type"] == "job.completed", message
    job = message["data"]["job"]
    assert (job["id"], job["metadata"]) == (made.json()["data"]["id"], {"order": "o-7"})
    file = job["artifacts"][0]
    assert file["url"].startswith(f"{url}/api/v1/jobs/")
    fetched = httpx.get(file["url"])
    assert (fetched.status_code, len(fetched.content)) == (200, file["size"])
    assert httpx.get(job["statusUrl"]).json()["data"]["state"] == "completed"
    health, stats = (httpx.get(url + path, timeout=30) for path in ("/health", "/stats"))
    assert health.status_code == 200
    assert set(health.json()) == {"status", "uptime", "activeJobs", "queueConnected"}
    assert set(stats.json()) == {
        "totalProcessed",
        "successCount",
        "failureCount",
        "averageProcessingTime",
        "currentlyProcessing",
        "uptime",
    }
    ended = 'renderkiln_attempts_total{outcome="completed",pipeline="narration"} 1.0'
    until(lambda: ended in httpx.get(f"{url}/metrics", timeout=30).text)  # what its worker counts, too
    assert httpx.get(f"{url}/stats", timeout=30).json()["successCount"] == 1
    counted = httpx.get(f"{url}/metrics", timeout=30).text
    assert 'renderkiln_stage_seconds_count{pipeline="narration",stage="master"} 1.0' in counted
    assert "renderkiln_cpu_seconds_total{" in counted
    assert "renderkiln_attempts_created" not in counted
    assert counted.count("# TYPE renderkiln_build_info") == counted.count("# TYPE renderkiln_jobs ") == 1
    told = json.loads(renderkiln("jobs", "show", job["id"], "-o", "json").stdout)
    assert fetched.content == Path(told["artifacts"][0]["path"]).read_bytes()
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


def bash_blocks(page: str) -> list[str]:
    found = re.findall(r"^```bash\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in found if "curl" in block]


def test_what_the_pages_do_with_curl_can_be_pasted(renderkiln: Command) -> None:
    renderkiln.song("song.mp3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environ = {
        **os.environ,
        "RENDERKILN_HOME": str(renderkiln.home),
        "RENDERKILN_PORT": port,
        "RENDERKILN_GRACE": "0",
    }
    answer = renderkiln.folder / "answer"

    def paste(script: str, **more: str) -> subprocess.Popen[bytes]:
        here = script.replace(".venv/bin/renderkiln", f"{sys.executable} -m renderkiln").replace("8700", port)
        with answer.open("wb") as out:
            return subprocess.Popen(
                ["bash", "-c", here],
                cwd=renderkiln.folder,
                env={**environ, **more},
                stdout=out,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    (script,) = bash_blocks("README.md")
    shell = paste(script)  # what it leaves running is of its group
    try:
        assert shell.wait(timeout=200) == 0
        job = json.loads(answer.read_text())["data"]
        assert job["statusUrl"]
        admin = key(renderkiln)["Authorization"].removeprefix("Bearer ")
        commands = [
            command
            for block in bash_blocks("docs/howto/serve-over-http.md")
            for command in block.split("curl ")
            if "http://" in command and "projects" not in command
        ]
        assert len(commands) == 7
        for command in commands:
            asked = command.replace("/ID/", f"/{job['id']}/").replace("-OJ", "").strip()
            assert paste(f"curl -s -o /dev/null -w '%{{http_code}}' {asked}", KEY=admin).wait(timeout=60) == 0
            # The job is neither failed, so that it could be tried again, nor has it made its file yet.
            early = {"retry": {"409"}, "artifacts": {"404", "200"}}
            status = next((may for word, may in early.items() if word in asked), {"200", "201", "202"})
            assert answer.read_text() in status, asked
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        shell.wait()
        renderkiln.wait_until_gone(60)


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
    change = ("keys", "change", made["id"])
    assert renderkiln(*change, "--scope", "submit", "--budget", 3, "--budget-period", "day").returncode == 0
    assert renderkiln(*change, "--budget-period", "total").stderr.endswith("scope submit, 3.00 USD\n")
    assert json.loads(renderkiln(*change, "--no-budget", "-o", "json").stdout)["budget"] is None
    assert renderkiln(*change).returncode == renderkiln(*change, "--budget-period", "day").returncode == 2
    revoked = renderkiln("keys", "revoke", made["id"])
    assert (revoked.returncode, revoked.stderr) == (0, f"renderkiln: {made['id']}: revoked\n")
    again = renderkiln("keys", "revoke", made["id"])
    assert (again.returncode, again.stderr) == (1, f"renderkiln: key {made['id']} is revoked already\n")
    assert renderkiln("keys", "create", "--name", " ").returncode == 2
