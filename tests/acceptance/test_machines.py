"""Several machines, no shared disk: one database, one bucket, three workers, of which one is cut off.

A machine is a set of namespaces: a network, processes, mounts and a name of its own. Its home is a folder
that no other has, and the output folder a disk that exists in it alone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from databases import Postgres
from network import Network, can_be_made
from object_stores import rclone_at
from renderkiln.database import events, jobs, stages
from renderkiln.database.engine import Database
from renderkiln.storage.contract import Storage
from renderkiln.storage.naming import work_folder
from renderkiln.storage.s3 import S3Storage
from waiting import until

from .conftest import tune, write_wav

RENDERS = 20
_PORT = 8700
_MACHINE = """
hostname "$1" && mount -t tmpfs none "$2" && shift 2 && exec "$@"
"""

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.slow,
    pytest.mark.skipif(
        not can_be_made() or shutil.which("unshare") is None,
        reason="making machines of namespaces takes root, ip and unshare",
    ),
]


@dataclass
class Cluster:
    """Machines by name, around one database and one bucket."""

    network: Network
    folder: Path
    settings: Mapping[str, str]
    database: Database
    bucket: Storage
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> str:
        """A machine that runs `renderkiln` with these arguments; its address."""
        address = self.network.plug_in(name)
        home, films = self.folder / name, self.folder / "films"
        home.mkdir()
        films.mkdir(exist_ok=True)
        environment = {**os.environ, **self.settings, "RENDERKILN_HOME": str(home)}
        environment["RENDERKILN_OUTPUT_DIR"] = str(films)  # one path, and on each machine another disk
        namespaces = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = [sys.executable, "-m", "renderkiln", *(each.format(address=address) for each in arguments)]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [*self.network.on(name), *namespaces, "sh", "-c", _MACHINE, "sh", name, str(films), *command],
                env=environment,
                stderr=log,
            )
        return address

    def end(self, name: str) -> None:
        """Its worker ends in order."""
        subprocess.run(["pkill", "-TERM", "-f", f"worker --worker-id {name}"], check=True)
        assert self.running.pop(name).wait(60) == 0

    def carried(self, id: str) -> set[str]:
        """The finished parts of a job that are in the bucket."""
        with self.database.read() as connection:
            stored = jobs.find(connection, id)
            if stored is None or stored.fingerprint is None:
                return set()
            rows = stages.results(connection, stored.fingerprint)
        there = {
            each.key.rpartition("/")[2] for each in self.bucket.list(work_folder(stored.fingerprint)).items
        }
        files = {row.part: (row.result or {}).get("files", {}).values() for row in rows if row.part}
        return {part for part, of in files.items() if of and {each["sha256"] for each in of} <= there}

    def made(self, id: str) -> Counter[str]:
        """How often each part of a job was made."""
        with self.database.read() as connection:
            found = events.after(connection, 0, job_id=id, limit=10_000)
        told = [each.event for each in found if each.event.name == "part.completed"]
        return Counter(each.facts["part"] for each in told)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="kiln-pg-"))  # short: see databases.py
    with Network.made() as network, rclone_at(network.address) as store:
        postgres = Postgres(folder, address=network.address)
        postgres.start()
        bucket, url = store.bucket(), postgres.fresh()
        settings = {
            "RENDERKILN_DATABASE": url.replace("postgresql+psycopg:", "postgresql:"),
            "RENDERKILN_STORAGE": "s3",
            "RENDERKILN_S3_BUCKET": bucket.name,
            "RENDERKILN_S3_PREFIX": bucket.prefix,
            "RENDERKILN_S3_ENDPOINT": store.endpoint,
            "RENDERKILN_S3_ACCESS_KEY": bucket.access_key,
            "RENDERKILN_S3_SECRET_KEY": bucket.secret_key,
            "RENDERKILN_SIGNING_SECRET": "the same for all machines of it",
            "RENDERKILN_UPLOAD_PATIENCE": "5",
            "RENDERKILN_AUDIO_RENDERING": "1",
        }
        database = Database(url)
        private = S3Storage(replace(bucket, prefix=f"{bucket.prefix}/private"))
        made = Cluster(network, tmp_path, settings, database, private)
        yield made
        database.close()
        for process in made.running.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
        postgres.stop()


def test_a_batch_outlives_the_cut_of_one_of_three_machines(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.start("desk", "serve", "--no-worker", "--host", "{address}", "--port", str(_PORT))
    until(lambda: "answers" in cluster.log("desk"))
    made = subprocess.run(
        [sys.executable, "-m", "renderkiln", "keys", "create", "--name", "me", "--scope", "submit"],
        env={**os.environ, **cluster.settings, "RENDERKILN_HOME": str(tmp_path / "desk")},
        capture_output=True,
        text=True,
        check=True,
    )
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    names = [f"machine-{number}" for number in (1, 2, 3)]
    for name in names:
        cluster.start(name, "worker", "--worker-id", name)
    with httpx.Client(base_url=f"http://{address}:{_PORT}/api/v1", headers=headers, timeout=30) as api:
        ordered = _ordered(api, write_wav(tmp_path / "music.wav", tune(3)))

        def told() -> list[dict[str, Any]]:
            return list(api.get("/jobs", params={"limit": 200}).json()["data"]["items"])

        until(lambda: {each["worker"] for each in told()} >= set(names), 120)

        def left_behind() -> dict[str, set[str]]:
            mine = [each["id"] for each in told() if _renders(each, "machine-3")]
            return {id: parts for id in mine if (parts := cluster.carried(id))}

        until(lambda: left_behind(), 200)
        cluster.network.cut("machine-3")
        parts = left_behind()
        held = [
            each["id"] for each in told() if each["worker"] == "machine-3" and each["state"] != "completed"
        ]
        until(lambda: all(each["state"] in {"completed", "failed"} for each in told()), 900)
        ended = {each["id"]: each for each in told()}
        assert set(ended) == set(ordered)
        assert [each["error"] for each in ended.values() if each["state"] != "completed"] == []
        assert held
        assert parts
        for id in parts:
            assert {cluster.made(id)[part] for part in parts[id]} == {1}, "it began anew on another machine"
        assert {ended[id]["worker"] for id in held} <= {"machine-1", "machine-2"}
        _fetch(api, ended)

        # The one that was away has rendered on, and now learns that nobody waits for it.
        cluster.network.mend("machine-3")
        cluster.end("machine-1")
        cluster.end("machine-2")
        more = _ordered(api, tmp_path / "music.wav", 1)
        until(lambda: all(each["state"] in {"completed", "failed"} for each in told()), 300)
        after = {each["id"]: each for each in told()}
        assert [after[id]["worker"] for id in more] == ["machine-3"]
        assert [after[id]["state"] for id in more] == ["completed"]
        assert {id: after[id]["artifacts"] for id in ended} == {
            id: each["artifacts"] for id, each in ended.items()
        }
        _fetch(api, after)
        cluster.end("machine-3")
    assert not list((tmp_path / "films").iterdir())  # of this machine: nobody wrote there


def _fetch(api: httpx.Client, ended: Mapping[str, Mapping[str, Any]]) -> None:
    """Each has one sound, and it is what it was when it was published."""
    for each in ended.values():
        (sound,) = [file for file in each["artifacts"] if file["kind"] == "audio"]
        got = api.get(sound["url"].removeprefix("/api/v1"), follow_redirects=True)
        assert got.status_code == 200
        assert hashlib.sha256(got.content).hexdigest() == sound["sha256"]
        assert len({file["name"] for file in each["artifacts"]}) == len(each["artifacts"])


def _ordered(api: httpx.Client, music: Path, count: int = RENDERS) -> list[str]:
    """The ids of as many narrations over one piece of music."""
    uploaded = api.post("/assets", params={"name": music.name}, content=music.read_bytes()).json()["data"]
    background = {"track": f"asset:{uploaded['id']}", "required": True}
    # Some take a while: there is something of them in the bucket when their machine is lost.
    scripts = [f"This is number {number}. " * (1 if number % 4 else 40) for number in range(1, count + 1)]
    items = [{"params": {"script": script}} for script in scripts]
    order = {"pipeline": "narration", "params": {"layers": {"background": background}}, "assets": items}
    answer = api.post("/batches", json=order)
    assert answer.status_code == 202, answer.text
    return list(answer.json()["data"]["jobs"])


def _renders(job: Mapping[str, Any], worker: str) -> bool:
    mine = job["worker"] == worker and job["state"] == "processing"
    return bool(mine and job["progress"] < 90)
