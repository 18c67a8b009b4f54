"""A test here that takes `storage` runs on a folder, on rclone's S3 and on moto's."""

from __future__ import annotations

from pathlib import Path

import pytest

from object_stores import KINDS, LACKS, ObjectStore, moto, proxy, rclone
from renderkiln.storage.contract import Storage
from renderkiln.storage.links import Links
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.s3 import S3Storage

__all__ = ["moto", "proxy", "rclone"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which storage; a test marked `needs("…")` is skipped, with the reason, where that is lacking."""
    name: str = request.param
    for mark in request.node.iter_markers("needs"):
        for need in mark.args:
            if reason := LACKS[name].get(need):
                pytest.skip(f"{name} lacks {need}: {reason}")
    return name


@pytest.fixture
def storage(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Storage:
    if kind == "local":
        links = Links("http://kiln.example/files", [b"a secret of the tests"])
        return LocalStorage(tmp_path / "storage", links=links)
    server: ObjectStore = request.getfixturevalue(kind)
    return S3Storage(server.bucket(), location=kind)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(what): skipped, with the reason, where `LACKS` names it")
