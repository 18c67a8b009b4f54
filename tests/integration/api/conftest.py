"""A real server on a port of its own, before a database with jobs in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from databases import NOON, a_job, add_batch, database_url, postgres, sqlite_template
from renderkiln.api.app import create_app
from renderkiln.api.server import Server
from renderkiln.app import Renderkiln
from renderkiln.database import moves
from renderkiln.domain.access import SCOPES, Scope
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobError
from renderkiln.settings import Settings

__all__ = ["Api", "api", "database_url", "postgres", "sqlite_template"]

QUEUE = "video-rendering"
ACCOUNT = "studio"
# What no database can change
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Api:
    """Requests to it. `client` has no key; `keys` are secrets by scope."""

    kiln: Renderkiln
    app: FastAPI
    client: httpx.Client
    folder: Path
    keys: Mapping[Scope, str] = field(default_factory=dict)
    stop: Callable[[], None] = lambda: None  # the server, and wait until it has

    def __call__(
        self, method: str, path: str, *, scope: Scope | None = "admin", prefix: str = "/api/v1", **rest: Any
    ) -> httpx.Response:
        key = rest.pop("key", None) or (self.keys[scope] if scope is not None else None)
        headers = dict(rest.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        return self.client.request(method, prefix + path, headers=headers, **rest)

    def data(self, method: str, path: str, **rest: Any) -> Any:
        """What a request that succeeds brings."""
        answer = self(method, path, **rest)
        body = answer.json()
        assert body["success"] is True, body
        return body["data"]

    def refusal(self, method: str, path: str, **rest: Any) -> tuple[int, str, str]:
        """Status, code and message of one that does not."""
        answer = self(method, path, **rest)
        body = answer.json()
        assert body["success"] is False, body
        assert set(body["error"]) == {"code", "message", "details"}
        return answer.status_code, body["error"]["code"], body["error"]["message"]

    def add(self, *ids: str, batch: str = "b", **changes: Any) -> None:
        """Jobs of one batch, each a second older than the one after it."""
        where = {"inputs": (self.folder / "music" / "song.mp3",), "account": ACCOUNT, **changes}
        new: list[Job] = [
            a_job(id, batch_id=batch, queue=QUEUE, created_at=NOON + timedelta(seconds=number), **where)
            for number, id in enumerate(ids)
        ]
        add_batch(self.kiln.database, *new, id=batch, account=ACCOUNT)

    def complete(self, id: str, *files: Path) -> None:
        """Let a job have made these files."""
        artifacts = [Artifact("video", path, path.stat().st_size, "0" * 64, "video/mp4") for path in files]
        with self.kiln.database.write() as connection:
            moves.start_if_waiting(connection, id, 1, "w1", "worker", NOON)
            result = {"video": str(files[0]), "files": [{"path": str(path)} for path in files]}
            moves.complete_if_held(connection, id, 1, "w1", artifacts=artifacts, result=result, now=NOON)

    @property
    def error(self) -> JobError:
        return JobError("UNREADABLE", f"'{self.folder}/music/song.mp3' is no media")

    def stranger(self, scope: Scope = "submit") -> str:
        """A key of another account."""
        return self.kiln.keys.create("stranger", scope)[1]

    def upload(self, path: Path, name: str | None = None) -> dict[str, Any]:
        """A file, in one request."""
        query = {"name": name or path.name}
        asset: dict[str, Any] = self.data(
            "POST", "/assets", scope="submit", params=query, content=path.read_bytes()
        )
        return asset

    def fail(self, id: str) -> None:
        with self.kiln.database.write() as connection:
            moves.start_if_waiting(connection, id, 1, "w1", "worker", NOON)
            moves.fail_if_held(connection, id, 1, "w1", error=self.error, now=NOON)


@pytest.fixture
def api(database_url: str, tmp_path: Path) -> Iterator[Api]:
    settings = Settings(home=tmp_path / "home", database=database_url, output_dir=tmp_path / "films")
    with Renderkiln.open(settings) as kiln:
        app = create_app(kiln)
        server = Server(app, "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        with httpx.Client(base_url=server.url, timeout=30, verify=False) as client:
            keys = {scope: kiln.keys.create(scope, scope, ACCOUNT)[1] for scope in SCOPES}

            def stop() -> None:
                server.stop()
                thread.join(timeout=20)
                app.state.reached.fetcher.close()
                assert not thread.is_alive()

            yield Api(kiln, app, client, tmp_path, keys, stop)
        if thread.is_alive():
            stop()
