"""Whether a storage works, as `renderkiln doctor` finds out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from object_stores import ObjectStore
from renderkiln.cli.checks import Check, storage
from renderkiln.settings import Settings
from renderkiln.storage.s3 import S3Storage


def look(server: ObjectStore, tmp_path: Path, **changes: str) -> list[Check]:
    bucket = server.bucket()
    given: dict[str, Any] = {
        "storage": "s3",
        "s3_bucket": bucket.name,
        "s3_endpoint": server.endpoint,
        "s3_access_key": bucket.access_key,
        "s3_secret_key": bucket.secret_key,
        "s3_prefix": bucket.prefix,
        **changes,
    }
    checks = list(storage(Settings.load(environ={}, home=tmp_path, **given)))
    if not changes:
        assert not S3Storage(bucket).list().items, "the probe is left behind"
    return checks


def test_a_bucket_that_works(rclone: ObjectStore, tmp_path: Path) -> None:
    assert [(each.name, each.state) for each in look(rclone, tmp_path)] == [
        ("Storage s3, private files", "fine"),
        ("Storage s3, public files", "fine"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"s3_bucket": "nowhere"}, "there is no such bucket: create it"),
        ({"s3_secret_key": "a wrong secret key"}, "the secret key is wrong"),
        ({"s3_access_key": "nobodyskey"}, "the access key"),
        ({"s3_endpoint": "http://127.0.0.1:1"}, "nothing listens there"),
        ({"s3_access_key": ""}, "RENDERKILN_S3_ACCESS_KEY"),
    ],
)
def test_what_is_wrong_with_one(
    rclone: ObjectStore, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    for each in look(rclone, tmp_path, **changes):
        assert (each.state, bool(each.mend)) == ("broken", True)
        assert said in each.found
        assert "kilnsecretkey" not in each.found
        assert "a wrong secret key" not in each.found
