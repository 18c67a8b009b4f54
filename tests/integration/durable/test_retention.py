"""What is old goes and what is needed stays, on SQLite and on Postgres, while others work and sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from renderkiln.database import batches, jobs, moves, schema
from renderkiln.database.batches import NewBatch
from renderkiln.database.condition import size
from renderkiln.database.jobpage import Wanted
from renderkiln.database.jobs import NewJob
from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.domain.errors import UserError
from renderkiln.domain.job import Job
from renderkiln.engine import diskusage, workfolder
from renderkiln.engine.checkpoint import FileRecord
from renderkiln.engine.depot import Depot
from renderkiln.engine.retention import Keep, Retention, Swept
from renderkiln.engine.submission import Submission
from renderkiln.media import kernels
from renderkiln.storage.local import LocalStorage
from renderkiln.testing import FakeClock
from waiting import until

from .conftest import DEMO, Rig

pytestmark = pytest.mark.integration

DAY = 86_400.0
EVERYTHING = Keep(jobs=0, events=0, completed=0, failed=0, cache=0)
AS_USUAL = Keep(jobs=90, events=30, completed=100, failed=500, cache=10**9)
NOTHING = Swept(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
SWEEP = """
import sys
from pathlib import Path
from renderkiln.app import Renderkiln
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.retention import Keep, Retention
from renderkiln.settings import Settings

with Renderkiln(Settings(home=Path(sys.argv[1]), database=sys.argv[2])) as kiln:
    room = kiln.room
    retention = Retention(room.database, room.tickets, SystemClock(), kiln.settings.home, Keep(0, 0, 0, 0, 0))
    print("ready", flush=True)
    retention.sweep()
"""


def retention(rig: Rig, keep: Keep = AS_USUAL, clock: Clock | None = None) -> Retention:
    return Retention(rig.room.database, rig.room.tickets, clock or SystemClock(), rig.app.settings.home, keep)


def usage_of(rig: Rig) -> diskusage.Usage:
    return diskusage.usage(rig.app.settings.home, size(rig.room.database))


def after(days: float) -> FakeClock:
    """So many days from now; a second more, so that what happens now is surely before that."""
    return FakeClock(SystemClock().now() + timedelta(days=days, seconds=60))


def age(path: Path, days: float) -> Path:
    """Make it look as if it and what is in it was touched so many days ago."""
    then = time.time() - days * DAY
    for each in (path, *path.rglob("*")):
        os.utime(each, (then, then))
    return path


def put(path: Path, size: int = 1000, days: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    return age(path, days)


def ended(rig: Rig, count: int, batch: str = "b") -> None:
    """Jobs that ended before anybody can ask, all in one batch."""
    now = SystemClock().now()
    made = [
        Job(
            id=f"{batch}-{number}",
            batch_id=batch,
            item_id=str(number),
            pipeline=DEMO,
            queue="video-rendering",
            params={},
            inputs=(Path("/nowhere"),),
            created_at=now,
        )
        for number in range(count)
    ]
    with rig.room.database.write() as connection:
        batches.insert(connection, NewBatch(batch, now))
        jobs.insert(connection, [NewJob(job, n, rig.output) for n, job in enumerate(made)])
        connection.execute(
            sa.update(schema.jobs)
            .where(schema.jobs.c.batch_id == batch)
            .values(state="failed", completed_at=now)
        )
        batches.complete_if_all_ended(connection, batch, now)


def count(rig: Rig, table: sa.Table) -> int:
    with rig.room.database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_job_is_forgotten_after_its_days_and_its_file_stays(rig: Rig) -> None:
    (id,) = rig.submit("note")
    worker = rig.worker("w")
    until(lambda: rig.state(id) == "completed")
    worker.send_signal(signal.SIGTERM)
    worker.wait()
    log = put(rig.app.settings.home / "logs" / f"{id}.log", days=8)
    assert retention(rig, clock=after(89)).sweep().jobs == 0
    assert rig.state(id) == "completed"
    assert log.exists()
    swept = retention(rig, clock=after(91)).sweep()
    assert (swept.jobs, swept.batches, swept.logs) == (1, 1, 1)
    assert rig.room.find(id) is None
    assert rig.told("job.created", "job.completed", "batch.completed") == []
    assert [path.name for path in rig.output.iterdir()] == ["note.mkv"]
    assert retention(rig, clock=after(91)).sweep() == NOTHING


def test_a_key_is_answered_when_its_jobs_are_long_forgotten(rig: Rig) -> None:
    note = rig.folder / "note"
    note.write_text("note")

    def request(name: str = "note") -> str:
        job = rig.app.job(DEMO, rig.folder / name, batch_id=rig.app.new_batch())
        return rig.room.submit(Submission(job.batch_id, [job], rig.output, key="order 17"))

    batch = request()
    rig.room.bulk.cancel(Wanted(batch_id=batch))
    assert retention(rig, EVERYTHING, after(1)).sweep().jobs == 1
    assert request() == batch
    assert count(rig, schema.jobs) == 0
    with pytest.raises(UserError, match="used for another request"):
        request("other")


def test_the_queue_engine_keeps_its_newest_entries(rig: Rig) -> None:
    ids = rig.submit(*(f"note{number}" for number in range(6)), segments=1, seconds=0.1)
    rig.worker("w")
    until(lambda: {rig.state(id) for id in ids} == {"completed"})
    until(lambda: not rig.room.tickets.drawn_by_others_than(()))
    cancelled = rig.submit("a", "b", "c", pipeline=DEMO)
    for id in cancelled:
        rig.room.control.cancel(id)
    until(lambda: {rig.state(id) for id in cancelled} == {"cancelled"})
    keep = Keep(jobs=90, events=30, completed=2, failed=1, cache=10**9)
    assert retention(rig, keep).sweep().tickets >= 3
    rest = sum(iter(lambda: rig.room.tickets.forget(keep={}), 0))
    assert 3 <= rest <= 4  # of 9: three drawn, and of the cancelled what was not drawn


def test_what_runs_is_never_touched(rig: Rig) -> None:
    (id,) = rig.submit("note", segments=6, seconds=0.5, pace=True)
    rig.worker("w")
    until(lambda: rig.told("part.completed", "job.progress", job=id))
    swept = retention(rig, EVERYTHING).sweep()
    while (stored := rig.room.find(id)) is not None and stored.report.state != "completed":
        assert (swept.jobs, swept.batches, swept.stages, swept.folders) == (0, 0, 0, 0)
        swept = retention(rig, EVERYTHING).sweep()
    assert (rig.output / "note.mkv").stat().st_size > 0


def test_work_goes_when_no_job_goes_on_with_it(rig: Rig) -> None:
    work = rig.app.settings.home / "work"
    (id,) = rig.submit("note")
    now = SystemClock().now()
    with rig.room.database.write() as connection:
        moves.start_if_waiting(connection, id, 1, "w1", "w", now)
        moves.note_facts_if_held(connection, id, 1, "w1", fingerprint="waiting")
        moves.hand_back_if_held(connection, id, 1, "w1", "bye")
    put(work / "waiting" / "files" / "000.mkv")
    put(work / "waiting" / "files" / "old.png.part", 300, days=2)
    put(work / "waiting" / "files" / "new.png.part")
    put(work / "orphan" / "files" / "000.mkv", 500)
    put(work / "recent" / "files" / "000.mkv")
    put(work / "half.removed.17" / "files" / "000.mkv", 200)
    age(work / "orphan", 8)
    for path in (work / "waiting", work / "waiting" / "files"):
        os.utime(path, (0, 0))
    with workfolder.claim(work, "held"):
        age(work / "held", 8)
        swept = retention(rig).sweep()
        assert sorted(path.name for path in work.iterdir()) == ["held", "recent", "waiting"]
    assert (swept.folders, swept.bytes) == (2, 1000)
    assert sorted(path.name for path in (work / "waiting" / "files").iterdir()) == ["000.mkv", "new.png.part"]


def test_logs_go_when_they_are_old_and_their_job_is_forgotten(rig: Rig) -> None:
    logs = rig.app.settings.home / "logs"
    (id,) = rig.submit("note")
    put(logs / f"{id}.log", days=8)
    put(logs / "gone-1.log", days=8)
    put(logs / "crash-20260127-120000-1.log", days=8)
    put(logs / "recent-1.log", days=6)
    put(logs / "notes of mine.txt", days=8)
    assert retention(rig).sweep().logs == 2
    assert {path.name for path in logs.iterdir()} == {f"{id}.log", "recent-1.log", "notes of mine.txt"}


def test_the_cache_is_brought_to_its_size_but_for_what_is_in_use(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = rig.app.settings.home / "cache"
    own = kernels.cache_folder(cache)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache / "kernels-at-start"))
    kept = [
        put(own / "flame" / "a.nbi", days=400),
        put(cache / "kernels-at-start" / "a.nbi", days=400),
        put(cache / "tts" / "newest.wav", days=1),
        put(cache / "tts" / "read now.wav", 10_000),
    ]
    put(cache / "kernels-of-another" / "flame" / "a.nbi", days=8)
    put(cache / "tts" / "oldest.wav", days=30)
    put(cache / "tts" / "older.wav", days=20)
    put(cache / "tts" / "half.wav.part", days=2)
    keep = Keep(jobs=90, events=30, completed=100, failed=500, cache=13_500)
    swept = retention(rig, keep).sweep()
    assert sorted(path for path in cache.rglob("*") if path.is_file()) == sorted(kept)
    assert (swept.cached, swept.bytes) == (4, 4000)
    put(cache / "tts" / "small enough.wav", 100, days=300)
    assert retention(rig, keep).sweep().cached == 0


def test_what_the_cache_shares_with_the_storage_takes_no_room_in_it(rig: Rig) -> None:
    home = rig.app.settings.home
    shared = put(home / "cache" / "assets" / "film.mp4", 5_000, days=30)
    (home / "storage").mkdir()
    os.link(shared, home / "storage" / "film.mp4")
    own = put(home / "cache" / "assets" / "from-a-bucket.mp4", 5_000, days=20)
    assert usage_of(rig).cache == 5_000
    keep = Keep(jobs=90, events=30, completed=100, failed=500, cache=5_000)
    assert retention(rig, keep).sweep().cached == 0
    (home / "storage" / "film.mp4").unlink()
    assert (retention(rig, keep).sweep().cached, shared.exists(), own.exists()) == (1, False, True)


def test_stored_work_goes_that_nobody_goes_on_with(rig: Rig, tmp_path: Path) -> None:
    depot = Depot(lambda _stop: storage)
    storage, home = LocalStorage(tmp_path / "storage"), tmp_path
    waiting, recorded, left = (f"{digit * 24}" for digit in "abc")
    (id,) = rig.submit("note")
    put(home / "part", 10)
    for work in (waiting, recorded, left):
        depot.put(work, home, FileRecord.of(Path("part"), home), lambda: False)
    mine = storage.put("unfinished.work/notes.txt", iter([b"somebody's own"]), content_type="text/plain")
    with rig.room.database.write() as connection:
        connection.execute(sa.update(schema.jobs).where(schema.jobs.c.id == id).values(fingerprint=waiting))
        row = {"fingerprint": recorded, "stage": "render", "part": "", "job_id": id, "warnings": {}}
        connection.execute(sa.insert(schema.stages).values(**row, recorded_at=SystemClock().now()))
    fresh, old = (replace(retention(rig, clock=clock), depot=depot) for clock in (after(6), after(8)))
    assert fresh.sweep().shared == 0
    assert old.sweep().shared == 1
    assert [bool(depot.held(work, lambda: False)) for work in (waiting, recorded, left)] == [
        True,
        True,
        False,
    ]
    assert storage.head(mine.key) is not None


def test_usage_counts_every_folder(rig: Rig) -> None:
    home = rig.app.settings.home
    for name, length in (("work", 100), ("cache", 200), ("logs", 300)):
        put(home / name / "deep" / "file", length)
    usage = usage_of(rig)
    assert (usage.work, usage.cache, usage.logs) == (100, 200, 300)
    assert usage.database > 100_000
    assert usage.free > 0


def test_a_sweep_that_is_told_to_stop_stops(rig: Rig) -> None:
    stop = threading.Event()
    stop.set()
    ended(rig, 3)
    put(rig.app.settings.home / "logs" / "gone.log", days=8)
    assert retention(rig, EVERYTHING).sweep(stop) == NOTHING


def test_a_sweep_that_is_killed_leaves_the_rest_to_the_next(rig: Rig) -> None:
    ended(rig, 400)
    arguments = [str(rig.app.settings.home), rig.url]
    process = subprocess.Popen([sys.executable, "-c", SWEEP, *arguments], stdout=subprocess.PIPE)
    rig.processes.append(process)
    until(lambda: count(rig, schema.jobs) < 400)
    process.kill()
    process.communicate()
    rest = count(rig, schema.jobs)
    assert 0 < rest < 400
    assert rest % 50 == 0
    swept = retention(rig, EVERYTHING).sweep()
    assert (swept.jobs, swept.batches, count(rig, schema.jobs)) == (rest, 1, 0)


def test_several_sweep_at_once(rig: Rig) -> None:
    for batch in "abcd":
        ended(rig, 100, batch)
    swept: list[Swept] = []
    sweeps: list[Callable[[], None]] = [
        lambda: swept.append(retention(rig, EVERYTHING, after(1)).sweep()) for _ in range(3)
    ]
    threads = [threading.Thread(target=sweep) for sweep in sweeps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    retention(rig, EVERYTHING, after(1)).sweep()  # two that meet leave each other the rest
    assert (count(rig, schema.jobs), count(rig, schema.batches)) == (0, 0)
    assert len(swept) == 3


def test_nobody_waits_long_for_a_sweep(rig: Rig) -> None:
    ended(rig, 500)
    now = SystemClock().now()
    event = {"at": now, "name": "job.progress", "message": "x" * 100, "facts": {}, "percent": 1.0}
    with rig.room.database.write() as connection:
        connection.execute(sa.insert(schema.events), [event] * 5000)
    waits = []
    thread = threading.Thread(target=retention(rig, EVERYTHING, _Later()).sweep)
    thread.start()
    while thread.is_alive():
        begun = time.perf_counter()
        with rig.room.database.write():
            waits.append(time.perf_counter() - begun)
        time.sleep(0.001)
    assert (count(rig, schema.jobs), count(rig, schema.events)) == (0, 0)
    assert len(waits) > 20
    assert sorted(waits)[int(len(waits) * 0.95)] < 0.2
    assert max(waits) < 1.0  # this machine may be busy


class _Later(SystemClock):
    """A minute after everything that was just stored; waits for real."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=1)
