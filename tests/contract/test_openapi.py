"""What the OpenAPI document promises is kept: schemathesis asks every route. Its settings lie beside this."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from integration.api.conftest import ON_ONE, Api
from renderkiln.domain.access import Scope

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200), ON_ONE]

_PROGRAM = Path(sys.executable).with_name("schemathesis")
_SETTINGS = Path(__file__).with_name("schemathesis.toml")
_HOOKS = Path(__file__).with_name("schemathesis_hooks.py")


def check(api: Api, folder: Path, scope: Scope | None, *options: str) -> None:
    """All that schemathesis finds wrong is what the assertion says."""
    key = [] if scope is None else ["-H", f"Authorization: Bearer {api.keys[scope]}"]
    document = folder / "openapi.json"  # got by ourselves: it takes a while to be made
    document.write_bytes(api.client.get("/openapi.json", timeout=120).raise_for_status().content)
    command = [str(_PROGRAM), "--config-file", str(_SETTINGS), "run", str(document)]
    command += ["--url", str(api.client.base_url)]
    done = subprocess.run(
        [*command, *key, *options],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(_HOOKS)},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "No issues found" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("scope", "options"),
    [
        ("admin", ["--phases", "coverage", "--mode", "positive"]),
        ("admin", ["--phases", "examples,fuzzing", "--max-examples", "3"]),
        (None, ["--phases", "coverage", "--mode", "positive"]),
    ],
)
def test_every_route_answers_as_the_document_says(
    api: Api, tmp_path: Path, scope: Scope | None, options: list[str]
) -> None:
    anyio.run(api.app.state.hub.close)  # streams are refused: nobody has to listen
    check(api, tmp_path, scope, *options)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scope", ["admin", "submit", "read", None])
def test_any_request_is_answered_as_the_document_says(api: Api, tmp_path: Path, scope: Scope | None) -> None:
    anyio.run(api.app.state.hub.close)
    check(api, tmp_path, scope, "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "50")


@pytest.mark.slow
def test_streams_are_as_the_document_says(api: Api, tmp_path: Path) -> None:
    """By themselves, for each is listened to for seconds."""
    only = ["--include-operation-id", "streamEvents", "--include-operation-id", "streamJobEvents"]
    check(api, tmp_path, "admin", *only, "--phases", "examples,coverage,fuzzing", "--max-examples", "3")
