"""`renderkiln worker` as people run it: a process with signals, a port and log lines.

What it says of jobs and does to them is tried on both databases.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from coverage_off import uncovered
from databases import Postgres
from renderkiln.database.engine import default_url
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.engine.submission import Submission
from renderkiln.engine.supervisor import reach
from renderkiln.testing import FakeClock
from waiting import until

from .conftest import DEMO, Rig
from .worker_commands import Commands, processes_of, runs_ffmpeg

pytestmark = pytest.mark.integration

MISCHIEF = "mischief:Mischief"
STOPS = (signal.SIGTERM, signal.SIGINT)
# For what would be the same on any database.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Iterator[Commands]:
    commands = Commands(tmp_path, database_url)
    yield commands
    commands.end()


@pytest.fixture
def too_early(tmp_path: Path, postgres: Postgres) -> Iterator[Commands]:
    """On a database that is not there yet."""
    commands = Commands(tmp_path, postgres.url(f"late-{tmp_path.name}"))
    yield commands
    commands.end()


def hanging(rig: Rig) -> str:
    """A job whose FFmpeg runs for a minute."""
    (id,) = rig.submit("long", pipeline=MISCHIEF, mischief="hang")
    return id


def nasty(rig: Rig) -> str:
    """A job whose label could do something to a terminal."""
    batch = rig.app.new_batch()
    note = rig.folder / "note"
    note.write_text("note")
    job = rig.app.job(DEMO, note, {"segments": 1}, batch_id=batch, label="song\n\x1b[31mred")
    rig.room.submit(Submission(batch, [job], rig.output))
    return job.id


def test_the_port_tells_of_real_jobs(rig: Rig, command: Commands) -> None:
    done = rig.submit("a", "b")
    (failed,) = rig.submit("c", pipeline=MISCHIEF, mischief="permanent")
    (retried,) = rig.submit("d", pipeline=MISCHIEF, mischief="once")
    rig.room.queues.pause("storage-upload")
    worker = command.until_it_draws(rig, "--worker-id", "w1", "--health-port", 0)
    ended = {"completed", "failed"}
    until(lambda: {rig.state(id) for id in (*done, failed, retried)} <= ended)
    until(lambda: worker.ask("/stats")[1]["totalProcessed"] == 4)

    status, health = worker.ask("/health")
    assert (status, set(health)) == (200, {"status", "uptime", "activeJobs", "queueConnected"})
    assert (health["status"], health["activeJobs"], health["queueConnected"]) == ("ok", 0, True)
    assert health["uptime"] > 0

    # The queues are looked at once a second.
    until(lambda: worker.ask("/stats")[1]["queues"]["video-rendering"]["completed"] == 3)
    status, stats = worker.ask("/stats?format=json")
    assert status == 200
    assert (stats["successCount"], stats["failureCount"], stats["retries"]) == (3, 1, 1)
    assert stats["currentlyProcessing"] == 0
    assert 0 < stats["averageProcessingTime"] < 60_000
    assert stats["uptime"] >= health["uptime"]
    assert stats["worker"]["name"] == "w1"
    assert stats["worker"]["id"].startswith("w1-")
    assert set(stats["queues"]) == set(rig.room.lanes)
    assert stats["queues"]["video-rendering"] == {
        "waiting": 0, "active": 0, "completed": 3, "failed": 1, "cancelled": 0, "paused": False,
        "oldestWaiting": None, "workerLimit": 2, "globalLimit": None,
    }  # fmt: skip
    assert stats["queues"]["storage-upload"]["paused"] is True
    render = stats["stages"][DEMO]["render"]
    assert render["count"] == 2
    assert render["maxTime"] >= render["averageTime"] > 0
    assert stats["stages"][MISCHIEF]["before"]["count"] == 2  # its result serves the second attempt

    scraped = worker.scrape()
    counted = {outcome: scraped[f'renderkiln_attempts_total{{outcome="{outcome}",pipeline="{MISCHIEF}"}}']
               for outcome in ("completed", "failed", "retrying")}  # fmt: skip
    assert counted == {"completed": 1, "failed": 1, "retrying": 1}
    assert scraped[f'renderkiln_stage_seconds_count{{pipeline="{DEMO}",stage="render"}}'] == 2
    assert scraped['renderkiln_jobs{queue="video-rendering",state="failed"}'] == 1
    assert scraped['renderkiln_queue_workers{queue="video-rendering"}'] == 1
    assert scraped['renderkiln_queue_paused{queue="storage-upload"}'] == 1


def test_the_port_tells_how_long_the_oldest_job_waits(rig: Rig, command: Commands) -> None:
    worker = command.until_it_draws(rig, "--queues", "audio-rendering", "--health-port", 0)
    rig.submit("a", "b")

    def oldest() -> int:
        waits = worker.ask("/stats")[1]["queues"]["video-rendering"]["oldestWaiting"]
        return waits or 0

    until(lambda: oldest() > 1000)
    assert oldest() < 120_000
    assert worker.ask("/stats")[1]["queues"]["video-rendering"]["waiting"] == 2


def test_it_is_stopping_while_a_job_still_runs_and_a_second_signal_hands_it_back(
    rig: Rig, command: Commands
) -> None:
    id = hanging(rig)
    worker = command.until_it_draws(rig, "--health-port", 0)
    until(lambda: runs_ffmpeg(worker))
    assert worker.ask("/health")[1]["activeJobs"] == 1
    assert worker.ask("/stats")[1]["currentlyProcessing"] == 1
    worker.tell(signal.SIGTERM)
    until(lambda: worker.ask("/health")[1]["status"] == "stopping")
    status, health = worker.ask("/health")
    assert (status, health["activeJobs"], health["queueConnected"]) == (503, 1, True)
    assert rig.state(id) == "processing"
    worker.tell(signal.SIGTERM)
    assert worker.end(15) == 0
    assert rig.state(id) == "pending"
    assert len(rig.told("job.handed_back", job=id)) == 1
    assert processes_of(worker) == []
    assert rig.workers() == []


@ON_ONE
@pytest.mark.parametrize("number", STOPS)
def test_after_one_signal_the_running_job_ends_and_no_other_begins(
    rig: Rig, command: Commands, number: signal.Signals
) -> None:
    (id,) = rig.submit("a", segments=1, seconds=2.0, pace=True)
    worker = command.until_it_draws(rig, "--concurrency", 1)
    until(lambda: runs_ffmpeg(worker))
    (second,) = rig.submit("b")
    worker.tell(number)
    assert worker.end() == 0
    assert (rig.state(id), rig.state(second)) == ("completed", "pending")
    assert worker.has_said(f"{number.name}: stopping")


@ON_ONE
@pytest.mark.parametrize("number", STOPS)
def test_more_signals_change_nothing(rig: Rig, command: Commands, number: signal.Signals) -> None:
    id = hanging(rig)
    worker = command.until_it_draws(rig)
    until(lambda: runs_ffmpeg(worker))
    for _ in range(6):
        worker.tell(number)
        time.sleep(0.05)
    assert worker.end(15) == 0
    assert rig.state(id) == "pending"
    assert len(rig.told("job.handed_back", job=id)) == 1
    assert len(rig.told("worker.stopped")) == 1
    assert worker.log.read_text().count("stopping:") == 1


@ON_ONE
def test_a_job_that_does_not_end_within_the_grace_time_is_handed_back(rig: Rig, command: Commands) -> None:
    id = hanging(rig)
    worker = command.until_it_draws(rig, "--grace", 0.5)
    until(lambda: runs_ffmpeg(worker))
    worker.tell(signal.SIGTERM)
    assert worker.end(15) == 0
    assert rig.state(id) == "pending"


def test_a_job_that_is_cancelled_while_it_runs_is_told_of_and_counted(rig: Rig, command: Commands) -> None:
    id = hanging(rig)
    worker = command.until_it_draws(rig, "--health-port", 0)
    until(lambda: runs_ffmpeg(worker))
    rig.room.control.cancel(id)
    until(lambda: worker.ask("/stats")[1]["cancelled"] == 1)
    stats = worker.ask("/stats")[1]
    assert (stats["totalProcessed"], stats["currentlyProcessing"]) == (0, 0)
    assert worker.has_said("cancelled: long")


@ON_ONE
def test_nothing_outlives_a_killed_worker(rig: Rig, command: Commands) -> None:
    hanging(rig)
    worker = command.until_it_draws(rig)
    until(lambda: runs_ffmpeg(worker))
    assert len(processes_of(worker)) == 4  # worker, fork server, stage, FFmpeg
    worker.process.kill()
    worker.end()
    until(lambda: not processes_of(worker), seconds=3)


@ON_ONE
def test_it_ends_when_it_had_nothing_to_do_for_so_long(rig: Rig, command: Commands) -> None:
    (id,) = rig.submit("a")
    worker = command.start("--idle-timeout", 1)
    assert worker.end() == 0
    assert rig.state(id) == "completed"
    assert worker.has_said("idle for")


def test_it_waits_for_what_a_dead_one_has_left(rig: Rig, command: Commands) -> None:
    hanging(rig)
    first = command.until_it_draws(rig)
    until(lambda: runs_ffmpeg(first))
    first.process.kill()
    first.end()
    second = command.start("--idle-timeout", 1)
    until(lambda: runs_ffmpeg(second), seconds=30)  # that of the job, after some ten seconds of silence
    second.tell(signal.SIGKILL)
    second.end()


@ON_ONE
def test_its_lines_are_json(rig: Rig, command: Commands) -> None:
    id = nasty(rig)
    (failed,) = rig.submit("c", pipeline=MISCHIEF, mischief="permanent")
    worker = command.start("--log-format", "json", "--idle-timeout", 1, "--worker-id", "w1")
    assert worker.end() == 0
    entries = worker.entries
    assert all({"time", "level", "logger", "message", "worker"} <= set(each) for each in entries)
    assert {each["worker"] for each in entries} == {"w1"}
    told = {each["event"]: each for each in entries if each.get("job") == id}
    assert {"job.started", "stage.completed", "warning", "job.completed"} <= set(told)
    assert "job.progress" not in told
    completed = told["job.completed"]
    assert (completed["attempt"], completed["queue"], completed["pipeline"]) == (1, "video-rendering", DEMO)
    assert completed["bytes"] == next(rig.output.glob("*.mkv")).stat().st_size
    assert completed["seconds"] > 0
    assert told["stage.completed"]["stage"] == "deliver"
    bad = next(each for each in entries if each.get("job") == failed and each["level"] == "error")
    assert (bad["event"], bad["code"]) == ("job.failed", "PERMANENT")
    assert "this can never work" in bad["message"]


@ON_ONE
def test_its_lines_are_for_people(rig: Rig, command: Commands) -> None:
    id = nasty(rig)
    worker = command.start("--idle-timeout", 1, "--worker-id", "w1", "--queues", "video-rendering")
    assert worker.end() == 0
    first, *rest = worker.lines
    assert "worker w1 takes up to 2 jobs at once of video-rendering (2) from" in first
    form = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z (INFO   |WARNING) renderkiln[\w.]*: .+ \[worker=w1.*\]")
    assert all(form.fullmatch(line) and line.isprintable() for line in (first, *rest))
    assert any(r"started: song\n\x1b[31mred" in line and f"job={id} attempt=1" in line for line in rest)
    assert any("completed: song" in line and " MB in " in line for line in rest)


@ON_ONE
def test_quiet_is_quiet(rig: Rig, command: Commands) -> None:
    worker = command.start("--idle-timeout", 0.5, "-q")
    assert worker.end() == 0
    assert worker.lines == []


def test_only_the_named_queues_are_served(rig: Rig, command: Commands) -> None:
    (id,) = rig.submit("a")
    worker = command.start("--queues", "audio-rendering,storage-upload", "--queues", "event-processing",
                           "--idle-timeout", 1)  # fmt: skip
    assert worker.end() == 0
    assert rig.state(id) == "pending"
    assert "audio-rendering (2), storage-upload (5), event-processing (10)" in worker.lines[0]


def test_a_password_is_not_shown(rig: Rig, command: Commands) -> None:
    url = rig.url if rig.room.database.is_sqlite else rig.url.replace("postgres@", "postgres:sesame@")
    worker = command.start("--idle-timeout", 0.5, env={"RENDERKILN_DATABASE": url})
    assert worker.end() == 0
    assert not worker.has_said("sesame")


@ON_ONE
def test_a_namesake_is_pointed_out(rig: Rig, command: Commands) -> None:
    first = command.until_it_draws(rig, "--worker-id", "twin")
    second = command.start("--worker-id", "twin", "--idle-timeout", 0.5)
    assert second.end() == 0
    assert second.has_said(f"on {socket.gethostname()} with process id {first.process.pid}")
    first.process.kill()
    first.end()
    third = command.start("--worker-id", "twin", "--idle-timeout", 0.5)  # the dead one is still on the list
    assert third.end() == 0
    assert not third.has_said("another worker")


@ON_ONE
def test_the_port_answers_only_what_it_knows(rig: Rig, command: Commands) -> None:
    worker = command.until_it_draws(rig, "--health-port", 0)
    assert worker.ask("/health", "HEAD") == (200, None)
    assert worker.ask("/jobs") == (404, {"error": "there is only: /health, /stats, /metrics, /metrics/work"})
    for method in ("POST", "PUT", "DELETE", "NONSENSE"):
        assert worker.ask("/health", method) == (405, {"error": "only GET and HEAD are answered"})
    connection = http.client.HTTPConnection(*worker.address, timeout=5)
    connection.request("POST", "/health", "body")
    assert connection.getresponse().headers["Allow"] == "GET, HEAD"
    connection.close()
    assert len(worker.lines) == 1  # no word about requests


@ON_ONE
def test_slow_clients_are_hung_up_on_and_keep_nobody_waiting(rig: Rig, command: Commands) -> None:
    worker = command.until_it_draws(rig, "--health-port", 0)
    with contextlib.ExitStack() as held:
        clients = [held.enter_context(socket.create_connection(worker.address, 10)) for _ in range(20)]
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 20:  # a byte now and then is not enough
                clients[0].sendall(b"G")
                assert worker.ask("/health")[0] == 200
                time.sleep(0.5)
        assert time.monotonic() - begun < 10
        worker.tell(signal.SIGTERM)
        assert worker.end(10) == 0


@ON_ONE
def test_a_port_in_use_is_said_in_one_line(rig: Rig, command: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        worker = command.start("--health-port", taken.getsockname()[1])
        assert worker.end() == 1
    (line,) = worker.lines
    assert "address already in use; choose another by --health-port" in line


@ON_ONE
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--queues", "video"], "there is no queue 'video'; there are: video-rendering, audio-rendering"),
        (["--concurrency", "0"], "'--concurrency': 0 is not in the range"),
        (["--worker-id", "a b"], "--worker-id: String should match"),
        (["--health-port", "70000"], "'--health-port'"),
    ],
)
def test_wrong_use_is_said_in_one_line(rig: Rig, command: Commands, arguments: list[str], says: str) -> None:
    worker = command.start(*arguments)
    assert worker.end() == 2
    (line,) = worker.lines
    assert line.startswith("renderkiln: ")
    assert says in line


def test_its_help_needs_no_engine() -> None:
    code = """
import sys
from renderkiln.cli.app import run
assert run(["worker", "--help"]) == 0
heavy = ("renderkiln.engine", "sqlalchemy", "dbos", "numpy")
sys.exit(", ".join(name for name in sys.modules if name.startswith(heavy)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == ""
    assert "--queues" in ended.stdout


@ON_ONE
def test_a_home_without_room_is_said_in_one_line(rig: Rig, tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -f 64; exec "$@"', "sh", sys.executable, "-m", "renderkiln", "worker"]
    env = {**uncovered(), "RENDERKILN_HOME": str(tmp_path / "small"), "RENDERKILN_DATABASE": rig.url}
    ended = subprocess.run(limited, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "small cannot be written to: file too large; choose another by RENDERKILN_HOME" in ended.stderr


@ON_ONE
def test_a_home_that_cannot_be_made_is_said_in_one_line(command: Commands) -> None:
    worker = command.start(env={"RENDERKILN_HOME": "/proc/home"})  # where even root may make nothing
    assert worker.end() == 1
    (line,) = worker.lines
    assert "the home folder /proc/home cannot be written to: no such file or directory" in line


def test_a_worker_waits_for_its_database(postgres: Postgres, too_early: Commands) -> None:
    worker = too_early.start("--idle-timeout", 0.5)
    until(lambda: worker.has_said("no connection to"))
    postgres.create(str(sa.make_url(too_early.url).database))
    assert worker.end() == 0
    assert worker.has_said("takes up to")


def test_a_worker_that_waits_for_its_database_can_be_stopped(too_early: Commands) -> None:
    worker = too_early.start()
    until(lambda: worker.has_said("no connection to"))
    worker.tell(signal.SIGTERM)
    assert worker.end(5) == 0


def test_a_database_is_waited_for_a_minute(tmp_path: Path) -> None:
    clock, stop = FakeClock(), threading.Event()
    nobody = "postgresql://someone:sesame@127.0.0.1:1/films"
    with pytest.raises(UserError, match=r"films on 127.0.0.1:1 cannot be used") as told:
        reach(nobody, clock, stop)
    assert "sesame" not in str(told.value)
    assert not isinstance(told.value, UsageError)
    assert 50 < clock.monotonic() <= 60
    with pytest.raises(UsageError, match="cannot be read"):
        reach("nonsense", clock, stop)
    assert reach(default_url(tmp_path), clock, stop)
    stop.set()
    assert not reach(nobody, clock, stop)
