"""Finished files go to the storage by a queue of their own, whoever dies meanwhile."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from object_stores import ObjectStore, Proxy
from renderkiln.database import attempts
from renderkiln.database.schema import jobs as table
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.engine.machine import machine_of
from renderkiln.settings import Settings
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.s3 import S3Storage
from renderkiln.stores import buckets_of
from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration

LOCAL = {"RENDERKILN_UPLOAD": "always", "RENDERKILN_UPLOAD_PATIENCE": "0.5"}


def in_bucket(bucket: Bucket, **changes: str) -> Mapping[str, str]:
    """The environment of a worker that stores there."""
    given = {
        "storage": "s3",
        "s3_bucket": bucket.name,
        "s3_endpoint": bucket.endpoint or "",
        "s3_access_key": bucket.access_key,
        "s3_secret_key": bucket.secret_key,
        "s3_prefix": bucket.prefix,
        "storage_tries": "1",
        **changes,
    }
    return {f"RENDERKILN_{name.upper()}": value for name, value in given.items()}


def only_file(rig: Rig, id: str) -> Artifact:
    (artifact,) = rig.job(id).report.artifacts
    return artifact


def stages(rig: Rig, id: str) -> list[str]:
    return [str(each.event.stage) for each in rig.told("stage.started", job=id)]


def waits(rig: Rig, id: str) -> bool:
    """Whether its film is made and waits to be uploaded."""
    report = rig.job(id).report
    return report.state == "pending" and report.job.queue == "storage-upload"


def test_a_film_ends_in_the_bucket_and_no_longer_here(rig: Rig, rclone: ObjectStore) -> None:
    environ = in_bucket(rclone.bucket())
    rig.worker("w1", environ=environ)
    (id,) = rig.submit("note", seconds=0.2)
    until(lambda: rig.state(id) == "completed")
    film, report = only_file(rig, id), rig.job(id).report
    assert film.kept is not None
    assert film.kept.key == f"videos/{report.job.created_at:%Y/%m/%d}/{id}.mkv"
    bucket = buckets_of(Settings.load(environ=environ), "private")["s3"]
    with S3Storage(bucket).open(film.kept.key) as stored:
        assert (stored.stored.size, stored.stored.sha256) == (film.size, film.sha256)
        assert len(stored.read()) == film.size
    until(lambda: not film.path.exists())
    assert (report.job.queue, report.progress, report.attempt) == ("video-rendering", 100.0, 1)
    assert [
        each.event.name for each in rig.told("job.started", "job.handed_over", "job.completed", job=id)
    ] == [
        "job.started",
        "job.handed_over",
        "job.started",
        "job.completed",
    ]
    told = rig.told("job.progress", "stage.started", "stage.completed", job=id)
    percents = [each.event.percent for each in told]
    assert percents == sorted(percents)
    assert all(90 <= each.event.percent <= 95 for each in told if each.event.stage == "upload")
    assert all(each.event.percent <= 90 for each in told if each.event.stage != "upload")
    with rig.room.database.read() as connection:
        (attempt,) = attempts.of_job(connection, id)
    assert attempt.outcome == "completed"
    assert (attempt.cpu_seconds or 0) > 0.01, "what the render has used is forgotten"


def test_a_worker_killed_while_it_uploads(rig: Rig, moto: ObjectStore, proxy: Proxy) -> None:
    bucket = moto.bucket(endpoint=proxy.endpoint)
    proxy.concerns, environ = re.compile("^PUT"), in_bucket(bucket, share_work="never")  # the film's alone
    proxy.faults.append("mute")
    first = rig.worker("w1", environ=environ)
    (id,) = rig.submit("note")
    until(lambda: any(each.startswith("PUT") for each in proxy.seen))
    assert rig.job(id).report.stage == "upload"
    first.send_signal(signal.SIGKILL)
    first.wait()
    rig.worker("w2", environ=environ)
    until(lambda: rig.state(id) == "completed")
    film = only_file(rig, id)
    assert film.kept is not None
    until(lambda: not film.path.exists())
    assert stages(rig, id) == ["gather", "render", "join", "deliver", "upload", "upload"]
    assert len(rig.told("job.completed", job=id)) == 1
    assert rig.job(id).report.attempt == 1


def test_a_wrong_key_costs_no_film(rig: Rig, rclone: ObjectStore) -> None:
    bucket = rclone.bucket()
    first = rig.worker("w1", environ=in_bucket(bucket, s3_secret_key="a wrong one, for sure"))
    (id,) = rig.submit("note")
    until(lambda: rig.state(id) == "failed")
    report = rig.job(id).report
    assert report.error is not None
    assert report.error.code == "STORAGE"
    assert "the secret key is wrong" in report.error.message
    assert "a retry only uploads them" in report.error.message
    film = rig.output / "note.mkv"
    digest = file_sha256(film)
    first.send_signal(signal.SIGKILL)
    first.wait()
    rig.worker("w2", environ=in_bucket(bucket))
    before = stages(rig, id)
    rig.room.control.retry(id)
    until(lambda: rig.state(id) == "completed")
    assert stages(rig, id) == [*before, "upload"]
    assert not rig.told("stage.reused", job=id)
    assert only_file(rig, id).sha256 == digest
    until(lambda: not film.exists())


def test_what_becomes_of_films_that_wait(rig: Rig) -> None:
    """Their queue is paused. One is cancelled, one damaged, one waits on a machine that is gone, and one was
    left by an older version, to which the machine was its host.
    """
    rig.worker("w1", environ=LOCAL)
    rig.room.queues.pause("storage-upload")
    ids = rig.submit("cancelled", "lost", "gone", "fine", "older", segments=1, seconds=0.1)
    cancelled, lost, gone, fine, older = ids
    until(lambda: all(waits(rig, id) for id in ids))
    assert rig.job(fine).report.progress == 90.0
    counts = {each.name: each.counts["pending"] for each in rig.room.queues.reports()}
    assert (counts["storage-upload"], counts["video-rendering"]) == (5, 0)
    rig.room.control.cancel(cancelled)
    rig.room.control.reprioritise(fine, 5)
    film = (rig.output / "lost.mkv").read_bytes()
    (rig.output / "lost.mkv").write_bytes(film[:-1] + bytes([film[-1] ^ 1]))
    (rig.output / "gone.mkv").unlink()
    with rig.room.database.write() as connection:
        connection.execute(sa.update(table).where(table.c.id == gone).values(host="gone.example"))
        connection.execute(sa.update(table).where(table.c.id == older).values(host=socket.gethostname()))
    until(lambda: rig.told("job.taken_over", job=gone))
    rig.room.queues.resume("storage-upload")
    until(lambda: all(rig.state(id) == "completed" for id in (lost, gone, fine, older)))
    made = ["gather", "render", "join", "deliver"]
    assert stages(rig, fine) == stages(rig, older) == [*made, "upload"]
    assert not rig.told("job.taken_over", job=older)
    assert stages(rig, gone) == [*made, *made, "upload"]
    assert (rig.job(gone).report.attempt, rig.job(lost).report.attempt) == (1, 2)
    assert stages(rig, lost)[-5:] == [*made, "upload"]
    assert (rig.state(cancelled), (rig.output / "cancelled.mkv").exists()) == ("cancelled", True)
    rig.room.control.retry(cancelled, from_scratch=True)
    until(lambda: rig.state(cancelled) == "completed")
    assert stages(rig, cancelled) == [*made, *made, "upload"]


def test_where_nobody_else_uploads_the_one_who_renders_does_and_goes_on_where_the_film_is(
    rig: Rig, moto: ObjectStore, proxy: Proxy
) -> None:
    proxy.concerns = re.compile("^PUT")
    bucket = in_bucket(moto.bucket(endpoint=proxy.endpoint))
    environ = {**bucket, "QUEUES": "video-rendering", "RENDERKILN_SHARE_WORK": "never"}  # parts are PUT, too
    proxy.faults.append("mute")
    first = rig.worker("w1", environ=environ)
    (id,) = rig.submit("note", segments=1, seconds=0.1)
    until(lambda: any(each.startswith("PUT") for each in proxy.seen))
    job = rig.job(id).report.job
    assert (job.queue, job.host) == ("storage-upload", machine_of(rig.app.settings.home)), (
        "others may take it up"
    )
    first.send_signal(signal.SIGKILL)
    first.wait()
    rig.worker("w2", environ=environ)
    until(lambda: rig.state(id) == "completed")
    film, job = only_file(rig, id), rig.job(id).report.job
    assert (job.queue, job.host, film.kept is None) == ("video-rendering", None, False)
    assert stages(rig, id) == ["gather", "render", "join", "deliver", "upload", "upload"]
    assert not rig.told("job.handed_over", job=id)
    until(lambda: not film.path.exists())
