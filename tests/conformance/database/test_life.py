"""The life of a job against a model of it that fits on a page: whatever is done, in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from databases import BACKENDS, NOON, Postgres, a_job
from renderkiln.database import batches, jobs, moves
from renderkiln.database.batches import NewBatch
from renderkiln.database.engine import Database, default_url, upgrade
from renderkiln.database.jobs import NewJob
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.batch import BatchCounts
from renderkiln.domain.errors import Superseded
from renderkiln.domain.report import JobError
from renderkiln.domain.states import ENDED, JobState

LATER = NOON + timedelta(minutes=5)
FILM = Artifact("video", Path("/films/song.mp4"), 1, "ab" * 32, "video/mp4")
OWNERS = st.sampled_from(["w1", "w2"])
PERCENT = st.floats(0, 100)


@dataclass(frozen=True)
class Hold:
    """What an executor asked for, and may believe to hold."""

    id: str
    attempt: int
    owner: str

    @property
    def args(self) -> tuple[str, int, str]:
        return self.id, self.attempt, self.owner


@dataclass
class Life:
    """What the model knows of one job."""

    state: JobState = "pending"
    attempt: int = 1
    max_attempts: int = 3
    owner: str | None = None
    crashes: int = 0
    progress: float = 0.0
    files: int = 0


class LifeOfJobs(RuleBasedStateMachine):
    """Any executor tries anything with any attempt it may have held; the database agrees with `Life`."""

    database: ClassVar[Database]
    numbers = itertools.count()
    ids = Bundle("ids")
    holds = Bundle("holds")

    @initialize()
    def begin(self) -> None:
        # One database for all examples: names of their own keep them apart.
        self.batch = f"batch{next(self.numbers)}"
        self.lives: dict[str, Life] = {}
        self.rounds, self.complete = 0, False
        with self.database.write() as connection:
            batches.insert(connection, NewBatch(self.batch, NOON))

    @precondition(lambda self: len(self.lives) < 2)  # few, so that much happens to each
    @rule(target=ids)
    def submit(self) -> str:
        id = f"{self.batch}-{len(self.lives)}"
        new = NewJob(a_job(id, batch_id=self.batch), len(self.lives), Path("/films"))
        with self.database.write() as connection:
            jobs.insert(connection, [new])
            batches.reopen(connection, self.batch)
        self.lives[id], self.complete = Life(), False
        return id

    @rule(target=holds, id=ids, off=st.sampled_from([0, 0, 0, 0, -1, 1]), owner=OWNERS)
    def claim(self, id: str, off: int, owner: str) -> Hold:
        life = self.lives[id]
        hold = Hold(id, life.attempt + off, self._name(owner))
        allowed = life.state == "pending" and off == 0 and life.owner in (None, hold.owner)
        if self._try(allowed, lambda c: moves.start_if_waiting(c, *hold.args, "worker", NOON)):
            life.state, life.owner = "processing", hold.owner
        return hold

    @rule(hold=holds, percent=PERCENT)
    def progress(self, hold: Hold, percent: float) -> None:
        noted: dict[str, Any] = {"stage": "s", "progress": percent, "message": ""}
        if life := self._held(hold, lambda c: moves.note_progress_if_held(c, *hold.args, **noted)):
            life.progress = max(life.progress, percent)

    @rule(hold=holds)
    def finish(self, hold: Hold) -> None:
        done: dict[str, Any] = {"result": {}, "artifacts": [FILM], "now": NOON}
        if life := self._held(hold, lambda c: moves.complete_if_held(c, *hold.args, **done)):
            life.state, life.owner, life.progress, life.files = "completed", None, 100.0, 1

    @rule(hold=holds)
    def fail(self, hold: Hold) -> None:
        error = JobError("BAD", "bad")
        if life := self._held(hold, lambda c: moves.fail_if_held(c, *hold.args, error=error, now=NOON)):
            life.state, life.owner = "failed", None

    @rule(hold=holds)
    def stop(self, hold: Hold) -> None:
        if life := self._held(hold, lambda c: moves.cancel_if_held(c, *hold.args, message="", now=NOON)):
            life.state, life.owner = "cancelled", None

    @rule(hold=holds)
    def retry(self, hold: Hold) -> None:
        again: dict[str, Any] = {"next_attempt": hold.attempt + 1, "not_before": LATER, "message": ""}
        if life := self._held(hold, lambda c: moves.put_back_if_held(c, *hold.args, **again)):
            life.state, life.owner, life.attempt = "pending", None, hold.attempt + 1

    @rule(hold=holds)
    def hand_back(self, hold: Hold) -> None:
        if life := self._held(hold, lambda c: moves.hand_back_if_held(c, *hold.args, "bye")):
            life.state, life.owner = "pending", None

    @rule(owner=OWNERS)
    def crash(self, owner: str) -> None:
        dead = self._name(owner)
        with self.database.write() as connection:
            released = moves.release_from_dead(connection, dead, NOON)
        held = {id: life for id, life in self.lives.items() if life.owner == dead}
        for life in held.values():
            life.crashes += life.state == "processing"  # one that only waited for it was not hurt
            life.state, life.owner = "pending", None
        assert {(each.job.id, each.attempt, each.crashes) for each in released} == {
            (id, life.attempt, life.crashes) for id, life in held.items()
        }

    @rule(id=ids)
    def cancel(self, id: str) -> None:
        life = self.lives[id]
        waiting, running = life.state == "pending", life.state == "processing"
        withdrawn = self._try(waiting, lambda c: moves.withdraw_if_waiting(c, id, NOON))
        if withdrawn or self._try(running, lambda c: moves.cancel_if_running(c, id, NOON)):
            life.state, life.owner = "cancelled", None

    @rule(id=ids, dead=st.one_of(st.none(), OWNERS), heir=OWNERS)
    def adopt(self, id: str, dead: str | None, heir: str) -> None:
        life = self.lives[id]
        before, after = dead and self._name(dead), self._name(heir)
        allowed = life.state in ("pending", "processing") and life.owner == before
        if self._try(allowed, lambda c: moves.adopt_if_held_by(c, id, before, after)):
            life.state, life.owner = "pending", after

    @rule(id=ids, more=st.integers(1, 4), state=st.sampled_from(["failed", "cancelled"]))
    def reopen(self, id: str, more: int, state: str) -> None:
        life = self.lives[id]
        again = moves.reopen_if_failed if state == "failed" else moves.revive_if_cancelled

        def reopen(connection: sa.Connection) -> None:
            assert again(connection, id, attempts_more=more, now=NOON) == life.attempt + 1
            batches.reopen(connection, self.batch)

        if self._try(life.state == state, reopen):
            life.state, life.progress, life.crashes = "pending", 0.0, 0
            life.max_attempts, life.attempt = life.attempt + more, life.attempt + 1
            self.complete = False

    @rule()
    def look_whether_all_have_ended(self) -> None:
        with self.database.write() as connection:
            told = batches.complete_if_all_ended(connection, self.batch, NOON)
        if not self.complete and all(life.state in ENDED for life in self.lives.values()):
            self.rounds, self.complete = self.rounds + 1, True
            assert told == self.rounds
        else:
            assert told is None

    @invariant()
    def the_database_agrees(self) -> None:
        with self.database.read() as connection:
            found = {each.report.job.id: each for each in jobs.of_batch(connection, self.batch)}
            assert batches.counts(connection, self.batch) == BatchCounts.of(
                life.state for life in self.lives.values()
            )
        assert {id: self._life(each) for id, each in found.items()} == self.lives

    def _try(self, allowed: bool, verb: Callable[[sa.Connection], Any]) -> bool:
        """Do it; it must be refused exactly where the model does not allow it."""
        try:
            with self.database.write() as connection:
                verb(connection)
        except Superseded:
            assert not allowed
        else:
            assert allowed
        return allowed

    def _name(self, owner: str) -> str:
        return f"{self.batch}.{owner}"

    def _held(self, hold: Hold, verb: Callable[[sa.Connection], Any]) -> Life | None:
        """Do what only the holder may do; the job if that is who did it."""
        life = self.lives[hold.id]
        holds = (life.state, life.attempt, life.owner) == ("processing", hold.attempt, hold.owner)
        return life if self._try(holds, verb) else None

    @staticmethod
    def _life(found: jobs.StoredJob) -> Life:
        report = found.report
        return Life(
            report.state,
            report.attempt,
            report.job.max_attempts,
            found.owner,
            found.crashes,
            report.progress,
            len(report.artifacts),
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_jobs_live_as_the_model_says(request: pytest.FixtureRequest, tmp_path: Path, backend: str) -> None:
    server: Postgres | None = request.getfixturevalue("postgres") if backend == "postgres" else None
    database = Database(server.fresh() if server else default_url(tmp_path))
    upgrade(database)

    class Machine(LifeOfJobs):
        pass

    Machine.database = database
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15 if server else 40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
        ),
    )
    database.close()
