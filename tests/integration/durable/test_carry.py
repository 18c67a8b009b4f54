"""What is finished reaches workers of other machines: they go on there, and nothing is trusted unseen."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from object_stores import ObjectStore
from renderkiln.database import stages
from renderkiln.database.schema import jobs as table
from renderkiln.settings import Settings
from renderkiln.storage.naming import work_folder, work_key
from renderkiln.storage.s3 import S3Storage
from renderkiln.stores import buckets_of
from waiting import until

from .conftest import Rig
from .test_uploads import in_bucket, only_file, waits

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("database_url", ["postgres"], indirect=True),  # one that machines can share
]


def drawn(rig: Rig, id: str) -> Counter[str]:
    """How often each part of the job was made."""
    return Counter(each.event.facts["part"] for each in rig.told("part.completed", job=id))


def carried(rig: Rig, id: str, bucket: S3Storage) -> dict[str, str]:
    """The keys in the bucket of finished parts of the job, whole ones, by part."""
    work = rig.job(id).fingerprint
    if work is None:
        return {}
    there = {(each.key, each.size) for each in bucket.list(work_folder(work)).items}
    with rig.room.database.read() as connection:
        rows = stages.results(connection, work)
    files = {row.part: file for row in rows if row.part for file in (row.result or {})["files"].values()}
    keys = {part: (work_key(work, file["sha256"]), file["size"]) for part, file in files.items()}
    return {part: key for part, (key, size) in keys.items() if (key, size) in there}


def is_removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def test_another_machine_goes_on_where_a_dead_one_was(rig: Rig, rclone: ObjectStore, tmp_path: Path) -> None:
    """It takes a job that is half drawn, with a part that is damaged, and one that was to be uploaded."""
    environ = in_bucket(rclone.bucket(), upload_patience="0.5")
    bucket = S3Storage(buckets_of(Settings.load(environ=environ), "private")["s3"])
    one, two = tmp_path / "one", tmp_path / "two"
    dying = rig.worker("w1", environ=environ, home=one)
    rig.room.queues.pause("storage-upload")
    (waiting,) = rig.submit("waiting", segments=3, seconds=1.0, pace=True)
    until(lambda: waits(rig, waiting))
    stored = carried(rig, waiting, bucket)
    (half,) = rig.submit("half", segments=6, seconds=1.0, pace=True)
    until(lambda: len(carried(rig, half, bucket)) >= 3)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    until(lambda: is_removed(one))  # its stages may be about to end
    (rig.output / "waiting.mkv").unlink()
    with rig.room.database.write() as connection:
        connection.execute(sa.update(table).where(table.c.id == waiting).values(host="gone.example"))
    damaged, *whole = finished = carried(rig, half, bucket)
    with bucket.open(finished[damaged]) as reading:
        film = reading.read()
    bucket.put(finished[damaged], iter([film[:-1], bytes([film[-1] ^ 1])]), content_type="video/x-matroska")
    rig.worker("w2", environ=environ, home=two)
    until(lambda: rig.told("job.taken_over", job=waiting))
    rig.room.queues.resume("storage-upload")
    until(lambda: rig.state(half) == rig.state(waiting) == "completed")
    made = drawn(rig, half)
    assert (len(made), made[damaged]) == (6, 2)
    assert {made[part] for part in whole} == {1}
    assert stored
    assert {drawn(rig, waiting)[part] for part in stored} == {1}
    (calm,) = rig.submit("calm", segments=6, seconds=1.0)
    until(lambda: rig.state(calm) == "completed")
    assert only_file(rig, half).sha256 == only_file(rig, calm).sha256
    until(lambda: not bucket.list(work_folder()).items)
