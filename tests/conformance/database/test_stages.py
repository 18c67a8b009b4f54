"""Finished stages belong to the work, and only who holds the job writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from databases import NOON, a_job, add_batch, start
from renderkiln.database import stages
from renderkiln.database.engine import Database
from renderkiln.database.stages import StageRow

LATER = NOON + timedelta(minutes=5)


def _record(database: Database, stage: str, part: str = "", **changes: Any) -> None:
    facts: dict[str, Any] = {
        "result": {"frames": 10},
        "warnings": {},
        "seconds": 1.5,
        "fingerprint": "f",
        "now": NOON,
    }
    with database.write() as connection:
        stages.record_if_held(
            connection, job_id="b-1", attempt=1, owner="w1", stage=stage, part=part, **{**facts, **changes}
        )


def _results(database: Database, fingerprint: str = "f") -> list[StageRow]:
    with database.read() as connection:
        return stages.results(connection, fingerprint)


def test_stages_and_parts_come_back_in_the_order_they_were_recorded(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    _record(database, "render", "segment-2", now=NOON)
    _record(database, "render", "segment-1", now=LATER)
    _record(database, "listen", now=LATER + timedelta(seconds=1), warnings={"LOUD": "too loud\x00"})
    _record(database, "render", fingerprint="another work")
    found = _results(database)
    assert [(row.stage, row.part) for row in found] == [
        ("render", "segment-2"),
        ("render", "segment-1"),
        ("listen", ""),
    ]
    loud = {"LOUD": "too loud\x00"}
    assert found[2] == StageRow("f", "listen", "", "b-1", {"frames": 10}, loud, found[2].recorded_at, 1.5)


def test_a_stage_recorded_again_replaces_the_first(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    _record(database, "render")
    _record(database, "render", result={"frames": 20}, seconds=None, now=LATER)
    assert _results(database) == [StageRow("f", "render", "", "b-1", {"frames": 20}, {}, LATER, None)]


def test_a_warning_is_kept_without_a_result_and_never_takes_one_away(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    for _ in range(2):
        with database.write() as connection:
            stages.warn_if_held(
                connection,
                job_id="b-1",
                attempt=1,
                owner="w1",
                fingerprint="f",
                stage="render",
                warnings={"A": "a"},
                now=NOON,
            )
        (row,) = _results(database)
        assert row.warnings == {"A": "a"}
        if row.result is None:
            _record(database, "render")
    assert row.result == {"frames": 10}


def test_stages_are_forgotten_with_their_parts_by_name_or_all(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    for stage, part in [("listen", ""), ("render", "1"), ("render", ""), ("join", "")]:
        _record(database, stage, part)
    _record(database, "render", fingerprint="another work")
    with database.write() as connection:
        stages.forget_stages(connection, "f", ["render", "join"])
    assert [row.stage for row in _results(database)] == ["listen"]
    with database.write() as connection:
        stages.forget_stages(connection, "f", [])
    assert len(_results(database)) == 1
    with database.write() as connection:
        stages.forget_stages(connection, "f", None)
    assert _results(database) == []
    assert len(_results(database, "another work")) == 1
