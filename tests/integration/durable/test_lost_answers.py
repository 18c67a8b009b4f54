"""A connection that is cut during a COMMIT: what was done is not done again, nor told to be undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import Postgres
from postgres_line import Line, line_to
from renderkiln import Renderkiln, Settings
from renderkiln.domain.event import Event
from waiting import until

from .conftest import DEMO, Rig

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("database_url", ["postgres"], indirect=True),  # SQLite has no line
]


@pytest.fixture
def line(postgres: Postgres, database_url: str) -> Iterator[tuple[Line, str]]:
    with line_to(postgres, database_url) as made:
        yield made


@pytest.fixture
def cut_rig(line: tuple[Line, str], tmp_path: Path) -> Iterator[tuple[Rig, Line]]:
    """A room whose database is at the end of the line."""
    with Renderkiln.open(Settings(home=tmp_path / "home", database=line[1])) as app:
        yield Rig(app, line[1], tmp_path), line[0]


@pytest.mark.parametrize(
    ("word", "done"),
    [("job.started", True), ("part.completed", True), ("job.completed", True), ("job.completed", False)],
)
def test_an_attempt_whose_commit_is_not_answered(cut_rig: tuple[Rig, Line], word: str, done: bool) -> None:
    (rig, line), heard = cut_rig, list[Event]()
    note = rig.folder / "note"
    note.write_text("note")
    (job,) = rig.app.take_on([rig.app.job(DEMO, note, {"segments": 1, "seconds": 0.1})], output=rig.output)
    line.cut(word, done=done)
    report = rig.app.run(job, listen=heard.append)
    assert (line.cuts, report.state, report.attempt) == (1, "completed", 1)
    assert [each.name for each in heard].count("job.completed") == 1
    for name in ("job.started", "part.completed", "job.completed"):
        assert len(rig.told(name, job=job.id)) == 1, name
    assert not list((rig.app.settings.home / "work").glob("*"))


@pytest.mark.parametrize("done", [True, False])
def test_a_submission_and_what_people_do_to_it(cut_rig: tuple[Rig, Line], done: bool) -> None:
    rig, line = cut_rig
    line.cut("INSERT INTO kiln_jobs", done=done)
    (id,) = rig.submit("note")
    assert (line.cuts, rig.state(id), len(rig.room.tickets.of_job(id))) == (1, "pending", 1)
    line.cut("job.cancelled", done=done)
    rig.room.control.cancel(id)
    assert (line.cuts, rig.state(id)) == (2, "cancelled")
    line.cut("job.reopened", done=done)
    assert rig.room.control.retry(id) == 2
    assert (line.cuts, rig.state(id), rig.job(id).report.attempt) == (3, "pending", 2)
    until(lambda: len(rig.room.tickets.of_job(id)) == 1)
    assert [len(rig.told(each)) for each in ("job.cancelled", "job.reopened")] == [1, 1]


def test_jobs_of_this_process_are_taken_on_once(cut_rig: tuple[Rig, Line]) -> None:
    rig, line = cut_rig
    note = rig.folder / "note"
    note.write_text("note")
    asked = rig.app.job(DEMO, note)
    line.cut("INSERT INTO kiln_jobs", done=True)
    (job,) = rig.app.take_on([asked], output=rig.output)
    assert (line.cuts, job.id, rig.state(job.id)) == (1, asked.id, "pending")
