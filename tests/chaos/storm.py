"""What strikes workers: signals at random moments, and at chosen ones that chance would seldom find."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from chaos.fleet import Fleet, Member
from renderkiln.database import jobs, schema, workers
from renderkiln.database.engine import Database
from renderkiln.database.workers import StoredWorker

Kind = Literal["kill", "stop", "terminate", "hurry"]

_OFTEN: dict[Kind, int] = {"kill": 5, "stop": 3, "terminate": 1, "hurry": 1}
_STOPPED = (0.5, 25.0)  # seconds: some are taken over before they wake up, some are not
_HURRY = (0.0, 3.0)  # seconds between SIGTERM and SIGTERM
_AIMED = 0.5  # of all strikes wait for a stage to begin
_STAGES = ("render", "join", "verify", "deliver", "deliver")  # delivery is short, and has the most to lose
_PATIENCE = 10.0  # seconds that an aimed strike waits for its stage
_BUSY = 0.5  # seconds after which a write that goes on is taken for one that was stopped
_TICK = 0.02


@dataclass(frozen=True)
class Strike:
    """A signal that hit `executor`, which held the jobs `held`.

    `seconds` until SIGCONT or the second SIGTERM. `aimed` at the beginning of a stage, or at nothing.
    """

    kind: Kind
    at: datetime
    worker: str
    pid: int
    executor: str
    held: tuple[str, ...]
    seconds: float
    aimed: str | None


class Storm:
    """Strikes the workers of `fleet`, as `seed` has it, about every `gap` seconds.

    While it waits, it tends the fleet and calls `meanwhile`. No more than one worker is stopped at a time.
    """

    def __init__(
        self, fleet: Fleet, database: Database, *, seed: int, gap: float, meanwhile: Callable[[], None]
    ) -> None:
        self._fleet, self._database, self._meanwhile = fleet, database, meanwhile
        self._random, self._gap = random.Random(seed), gap
        self._later: list[tuple[float, Member, signal.Signals]] = []
        self.strikes: list[Strike] = []

    def strike(self) -> None:
        """Wait for a moment, and strike once."""
        self.pause(self._random.uniform(0.2, 2 * self._gap - 0.2))
        stage = self._random.choice(_STAGES) if self._random.random() < _AIMED else None
        kind = self._random.choices(list(_OFTEN), list(_OFTEN.values()))[0]
        if kind == "stop" and any(number is signal.SIGCONT for _, _, number in self._later):
            kind = "kill"
        while (victim := self._victim(stage)) is None:
            self.pause(0.1)
        self._hit(kind, *victim, aimed=stage)

    def pause(self, seconds: float) -> None:
        """Wait, with what goes on meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._send_what_is_due()
            self._fleet.tend()
            self._meanwhile()
            time.sleep(_TICK)

    def pass_over(self) -> None:
        """Wait until nobody is stopped any more."""
        while self._later:
            self.pause(_TICK)

    def _victim(self, stage: str | None) -> tuple[Member, StoredWorker] | None:
        if stage is not None and (owner := self._owner_at(stage)) is not None:
            time.sleep(self._random.uniform(0.0, 0.05))
            for member, worker in self._targets():
                if worker.id == owner:
                    return member, worker
        targets = self._targets()
        return self._random.choice(targets) if targets else None

    def _targets(self) -> list[tuple[Member, StoredWorker]]:
        """Workers that have announced themselves and are not stopped."""
        stopped = {member.name for _, member, number in self._later if number is signal.SIGCONT}
        with self._database.read() as connection:
            by_pid = {each.pid: each for each in workers.everyone(connection)}
        return [
            (member, by_pid[member.process.pid])
            for member in self._fleet.members
            if member.process.pid in by_pid and member.name not in stopped and member.process.poll() is None
        ]

    def _owner_at(self, stage: str) -> str | None:
        """Wait until a job comes to this stage; who holds it."""
        deadline = time.monotonic() + _PATIENCE
        before = self._owners_at(stage)
        while time.monotonic() < deadline:
            if fresh := self._owners_at(stage).items() - before.items():
                return min(fresh)[1]
            self._send_what_is_due()
            self._fleet.tend()
            time.sleep(0.003)
        return None

    def _owners_at(self, stage: str) -> dict[str, str]:
        """Who holds the jobs that are at this stage, by job id."""
        columns = schema.jobs.c
        query = sa.select(columns.id, columns.owner).where(columns.owner.is_not(None), columns.stage == stage)
        with self._database.read() as connection:
            return {row.id: row.owner for row in connection.execute(query)}

    def _hit(self, kind: Kind, member: Member, worker: StoredWorker, *, aimed: str | None) -> None:
        seconds, at = 0.0, datetime.now(UTC)
        match kind:
            case "kill":
                member.process.send_signal(signal.SIGKILL)
            case "stop":
                at = self._stop(member)
                seconds = self._random.uniform(*_STOPPED)
                self._later.append((time.monotonic() + seconds, member, signal.SIGCONT))
            case "terminate":
                member.process.send_signal(signal.SIGTERM)
            case "hurry":
                member.process.send_signal(signal.SIGTERM)
                seconds = self._random.uniform(*_HURRY)
                self._later.append((time.monotonic() + seconds, member, signal.SIGTERM))
        with self._database.read() as connection:
            held = tuple(sorted(job for job, _ in jobs.still_held(connection, worker.id)))
        pid = member.process.pid
        self.strikes.append(Strike(kind, at, member.name, pid, worker.id, held, seconds, aimed))

    def _stop(self, member: Member) -> datetime:
        """Stop it, but not while it writes to SQLite: that is then locked for everybody. Since when."""
        while True:
            at = datetime.now(UTC)
            member.process.send_signal(signal.SIGSTOP)
            while not _is_stopped(member.process.pid):
                time.sleep(0.005)
            if not self._database.is_sqlite or self._is_free():
                return at
            member.process.send_signal(signal.SIGCONT)
            time.sleep(0.01)  # let it get out of there

    def _is_free(self) -> bool:
        with contextlib.closing(sqlite3.connect(self._database.path, timeout=_BUSY)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
        return True

    def _send_what_is_due(self) -> None:
        now = time.monotonic()
        for each in [each for each in self._later if each[0] <= now]:
            _, member, number = each
            self._later.remove(each)
            member.process.send_signal(number)


def _is_stopped(pid: int) -> bool:
    try:
        threads = [(each / "stat").read_text() for each in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:  # it, or a thread of it, ended that moment
        return not Path(f"/proc/{pid}").exists()
    return all(thread.rpartition(")")[2].split()[0] in "TZ" for thread in threads)
