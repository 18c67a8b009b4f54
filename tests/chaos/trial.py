"""One trial by storm: jobs keep coming, workers keep dying, and in the end everything is looked at."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from chaos.evidence import Case, Evidence, gather
from chaos.fleet import Fleet, processes_of
from chaos.pieces import PIPELINE, Piece
from chaos.storm import Storm
from renderkiln import Renderkiln, Settings
from renderkiln.database.schema import jobs
from renderkiln.domain.states import ENDED
from renderkiln.engine.submission import Submission

_BATCH = 3  # jobs at most
_LOOK = 0.5  # seconds between two looks at how many jobs are open
_STUCK = 180.0  # seconds without an end of any job after which the rest counts as lost
_ORPHANED = 3.0  # seconds that processes may outlive their workers


@dataclass(frozen=True)
class Plan:
    """`jobs` are kept open until the last of `strikes`, which come about every `gap` seconds."""

    strikes: int
    jobs: int
    seed: int
    gap: float


@dataclass(frozen=True)
class Standing:
    """How far a trial is."""

    strikes: int
    submitted: int
    open: int


class Trial:
    """A storm over the database at `url`; everything of it lies in `folder`. Use it once."""

    def __init__(self, url: str, folder: Path, pieces: Sequence[Piece], plan: Plan) -> None:
        self._url, self._folder, self._pieces, self._plan = url, folder, pieces, plan
        self._home, self._output = folder / "home", folder / "output"
        self._random = random.Random(plan.seed)
        self._asked: dict[str, Piece] = {}
        self._batches: list[str] = []
        self._open, self._looked, self._over = 0, 0.0, False

    def run(self, say: Callable[[Standing], None] = lambda _: None) -> Evidence:
        """What came of it. `say` hears after every strike, and now and then, how far it is."""
        settings = Settings(home=self._home, database=self._url)
        environment = {
            "RENDERKILN_HOME": str(self._home),
            "RENDERKILN_DATABASE": self._url,
            "RENDERKILN_CRASHES": "10000",  # that jobs are given up after a few is tested elsewhere
        }
        with Renderkiln.open(settings) as kiln, Fleet(self._folder / "workers", environment) as fleet:
            database = kiln.room.database
            storm = Storm(
                fleet,
                database,
                seed=self._plan.seed,
                gap=self._plan.gap,
                meanwhile=lambda: self._feed(kiln),
            )
            self._feed(kiln)
            for _ in range(self._plan.strikes):
                storm.strike()
                say(Standing(len(storm.strikes), len(self._asked), self._open))
            self._finish(kiln, storm, say)
            fleet.dismiss()
            time.sleep(_ORPHANED)
            case = Case(
                database=database,
                asked=self._asked,
                batches=self._batches,
                strikes=storm.strikes,
                ends=fleet.ends,
                output=self._output,
                work=self._home / "work",
                orphans=processes_of(self._home),
            )
            self._keep(case)
            return gather(case)

    def _feed(self, kiln: Renderkiln) -> None:
        """Submit another batch where fewer jobs are open than planned."""
        if self._over or time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        while (missing := self._plan.jobs - self._count_open(kiln)) > 0:
            batch = kiln.new_batch()
            chosen = self._random.choices(self._pieces, k=min(missing, self._random.randint(1, _BATCH)))
            made = [
                kiln.job(PIPELINE, piece.song, piece.params, batch_id=batch, item_id=str(number))
                for number, piece in enumerate(chosen, 1)
            ]
            kiln.room.submit(Submission(batch, made, self._output))
            self._batches.append(batch)
            self._asked |= {job.id: piece for job, piece in zip(made, chosen, strict=True)}

    def _finish(self, kiln: Renderkiln, storm: Storm, say: Callable[[Standing], None]) -> None:
        """Wait for the last job. One that does not come is lost."""
        self._over = True
        storm.pass_over()
        left, since = self._count_open(kiln), time.monotonic()
        while left and time.monotonic() - since < _STUCK:
            storm.pause(_LOOK)
            say(Standing(len(storm.strikes), len(self._asked), self._open))
            if self._count_open(kiln) < left:
                left, since = self._open, time.monotonic()

    def _keep(self, case: Case) -> None:
        """Leave what happened as lines of JSON: the database may go with its server."""
        with (self._folder / "events.jsonl").open("w") as lines:
            for each in case.events:
                lines.write(json.dumps(asdict(each), default=str) + "\n")

    def _count_open(self, kiln: Renderkiln) -> int:
        query = sa.select(sa.func.count()).where(jobs.c.state.not_in(ENDED))
        with kiln.room.database.read() as connection:
            self._open = connection.execute(query).scalar_one()
        return self._open
