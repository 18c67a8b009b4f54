"""A narration that ends in a bucket, and comes back from there."""

from __future__ import annotations

import json

import pytest

from object_stores import ObjectStore, rclone
from renderkiln.domain.fingerprint import file_sha256

from .conftest import Command

__all__ = ["rclone"]

pytestmark = pytest.mark.acceptance


def test_a_narration_goes_to_the_bucket_and_is_downloaded(renderkiln: Command, rclone: ObjectStore) -> None:
    bucket = rclone.bucket()
    environ = {
        "RENDERKILN_STORAGE": "s3",
        "RENDERKILN_S3_BUCKET": bucket.name,
        "RENDERKILN_S3_ENDPOINT": rclone.endpoint,
        "RENDERKILN_S3_ACCESS_KEY": bucket.access_key,
        "RENDERKILN_S3_SECRET_KEY": bucket.secret_key,
        "RENDERKILN_S3_PREFIX": bucket.prefix,
    }
    (renderkiln.folder / "script.txt").write_text("Breathe in. Breathe out.")
    order = ("script.txt", "--storage-location", "public", "--quality", "draft", "--out", "out")
    ended = renderkiln("submit", "narration", *order, env=environ)
    assert ended.returncode == 0, ended.stderr
    id = ended.stdout.strip()
    worker = renderkiln("worker", "--idle-timeout", 1, env=environ)
    assert worker.returncode == 0, worker.stderr
    assert "handed over: script.txt: Waiting to be uploaded" in worker.stderr
    (job,) = json.loads(renderkiln("jobs", "list", "-o", "json", env=environ).stdout)
    assert (job["state"], job["queue"], job["progress"]) == ("completed", "audio-rendering", 100.0)
    assert renderkiln.delivered() == []
    audio = job["artifacts"][0]
    assert audio["kept"] == {"location": "s3", "visibility": "public", "key": audio["kept"]["key"]}
    assert "path" not in audio
    assert audio["kept"]["key"].endswith(f"/{id}.mp3")

    ended = renderkiln("jobs", "download", id, "--out", "back", env=environ)
    assert ended.returncode == 0, ended.stderr
    assert f"back/{audio['name']}" in ended.stdout.splitlines()
    assert file_sha256(renderkiln.folder / "back" / audio["name"]) == audio["sha256"]
    wrong = {**environ, "RENDERKILN_S3_SECRET_KEY": "another"}
    ended = renderkiln("jobs", "download", id, "--out", "other", env=wrong)
    assert ended.returncode == 1
    assert "the secret key is wrong" in ended.stderr
    assert not (renderkiln.folder / "other" / audio["name"]).exists()
