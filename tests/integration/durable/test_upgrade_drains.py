"""What an older version left in its queue is rendered by the one that comes after it, on both databases."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration

NAMES = ("one", "two", "three", "four")


@contextlib.contextmanager
def old_version(rig: Rig, names: Sequence[str] = NAMES) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A worker of an older version, with one job for each note in its queue; their ids."""
    for name in names:
        (rig.folder / name).write_text(name)
    arguments = [str(rig.app.settings.home), rig.url, str(rig.output)]
    process = subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).with_name("old_version.py")),
            *arguments,
            *(str(rig.folder / name) for name in names),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, [process.stdout.readline().strip() for _ in names]
        finally:
            process.kill()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_queue_of_the_previous_version_drains(rig: Rig, signal_number: int) -> None:
    with old_version(rig) as (process, ids):
        # Jobs of one moment are drawn in any order.
        until(lambda: {rig.state(id) for id in ids} == {"completed", "processing", "pending"})
        process.send_signal(signal_number)
        process.wait(timeout=60)
    assert "pending" in {rig.state(id) for id in ids}
    upgraded = subprocess.run(
        [sys.executable, "-m", "renderkiln", "db", "upgrade"],
        env={**os.environ, "RENDERKILN_HOME": str(rig.app.settings.home), "RENDERKILN_DATABASE": rig.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert upgraded.returncode == 0, upgraded.stderr
    rig.worker("new")
    until(lambda: {rig.state(id) for id in ids} == {"completed"})
    assert {path.stem for path in rig.output.iterdir()} == set(NAMES)
    assert {rig.job(id).report.worker for id in ids} == {"old", "new"}


def test_both_versions_may_work_on_one_queue(rig: Rig) -> None:
    many = [f"note_{number}" for number in range(16)]  # more than the old one does while the new one starts
    with old_version(rig, many) as (_, ids):
        rig.worker("new", environ={"SILENCE": "10"})  # the old one beats every two seconds only
        until(lambda: {rig.state(id) for id in ids} == {"completed"})
    assert {rig.job(id).report.worker for id in ids} == {"old", "new"}
