"""What a storm has left, from rows, events and files: every check names what broke it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from chaos.fleet import End
from chaos.pieces import Piece
from chaos.storm import Strike
from renderkiln.database import events, jobs
from renderkiln.database.engine import Database
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.engine import workfolder

LIMIT = 20.0  # seconds that 95 of 100 takeovers may take
_SHARE = 0.95
SWIFT = f"95 % of takeovers take at most {LIMIT:.0f} s"
_DEADLY = {"kill", "stop"}  # who was struck so may be taken for dead
_PAGE = 5000


@dataclass(frozen=True)
class Case:
    """A storm that is over: what was asked for and in which batches, what struck, and what is there now."""

    database: Database
    asked: Mapping[str, Piece]  # by job id
    batches: Sequence[str]
    strikes: Sequence[Strike]
    ends: Sequence[End]
    output: Path
    work: Path
    orphans: Sequence[str]

    @cached_property
    def jobs(self) -> Mapping[str, StoredJob]:
        with self.database.read() as connection:
            found = {id: jobs.find(connection, id) for id in self.asked}
        return {id: job for id, job in found.items() if job is not None}

    @cached_property
    def events(self) -> Sequence[StoredEvent]:
        told: list[StoredEvent] = []
        with self.database.read() as connection:
            while page := events.after(connection, told[-1].seq if told else 0, limit=_PAGE):
                told += page
        return told

    @cached_property
    def artifacts(self) -> Mapping[Path, Artifact]:
        return {file.path: file for job in self.jobs.values() for file in job.report.artifacts}

    def told(self, *names: str) -> Iterator[StoredEvent]:
        return (each for each in self.events if each.event.name in names)


@dataclass(frozen=True)
class Check:
    """Something that must hold. It does if nothing was found against it."""

    name: str
    against: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.against


@dataclass(frozen=True)
class Takeover:
    """A job that was taken from `executor`, which a strike of this kind had hit.

    Seconds from the strike until it stood in its queue again, and until somebody went on with it.
    """

    job: str
    executor: str
    kind: str
    released: float
    restarted: float | None


@dataclass(frozen=True)
class Evidence:
    """What came of a storm."""

    jobs: Mapping[str, int]  # by state
    strikes: Mapping[str, int]  # by kind
    events: Mapping[str, int]  # by name
    takeovers: Sequence[Takeover]
    blows: Sequence[Strike]
    swept: int  # work folders that a killed worker left of jobs that had ended
    checks: Sequence[Check]

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


def gather(case: Case) -> Evidence:
    """Look at everything. Sweeps the work folder as it would be after a week."""
    takeovers = tuple(_takeovers(case))
    swept = len(workfolder.sweep(case.work, age=0))
    return Evidence(
        jobs=dict(Counter(job.report.state for job in case.jobs.values())),
        strikes=dict(Counter(strike.kind for strike in case.strikes)),
        events=dict(Counter(each.event.name for each in case.events)),
        takeovers=takeovers,
        blows=case.strikes,
        swept=swept,
        checks=[
            Check("no job is lost", tuple(_lost(case))),
            Check("no job has failed", tuple(_failed(case))),
            Check("each job has one film, and is completed once", tuple(_published_twice(case))),
            Check("each batch is completed once", tuple(_batches_not_once(case))),
            Check("no file is half-written or nobody's", tuple(_strange_files(case))),
            Check("each file is that of an undisturbed render", tuple(_different_files(case))),
            Check("no finished stage is done again", tuple(_stages_again(case))),
            Check("no finished segment is done again", tuple(_segments_again(case))),
            Check("nobody is taken for dead who was not struck", tuple(_buried_alive(case))),
            Check("no worker ends by itself", tuple(_ended_by_themselves(case))),
            Check("no process outlives its worker", tuple(case.orphans)),
            Check("nothing is left in the work folder", tuple(str(each) for each in _inside(case.work))),
            Check(SWIFT, tuple(_too_slow(takeovers))),
        ],
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that this share of them does not exceed; NaN of none."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else math.nan


def _lost(case: Case) -> Iterator[str]:
    for id in case.asked:
        if id not in case.jobs:
            yield f"{id} is not there"
        elif case.jobs[id].report.state in {"pending", "processing"}:
            yield f"{id} is {case.jobs[id].report.state} for ever"


def _failed(case: Case) -> Iterator[str]:
    for id, job in case.jobs.items():
        if job.report.state in {"failed", "cancelled"}:
            yield f"{id} is {job.report.state}: {job.report.error}"


def _published_twice(case: Case) -> Iterator[str]:
    ends = Counter(each.event.job_id for each in case.told("job.completed"))
    for id, job in case.jobs.items():
        films = [file for file in job.report.artifacts if file.kind == "video"]
        if job.report.state == "completed" and (len(films), ends[id]) != (1, 1):
            yield f"{id} has {len(films)} films and was completed {ends[id]} times"
    films_there = sum(1 for path in _inside(case.output) if path.suffix == ".mp4")
    completed = sum(1 for job in case.jobs.values() if job.report.state == "completed")
    if films_there > completed:
        yield f"{films_there} films of {completed} completed jobs"
    recorded = sum(len(job.report.artifacts) for job in case.jobs.values())
    if recorded != len(case.artifacts):
        yield f"{recorded} recorded files share {len(case.artifacts)} names"


def _batches_not_once(case: Case) -> Iterator[str]:
    ends = Counter(each.batch_id for each in case.told("batch.completed"))
    for batch in case.batches:
        if ends[batch] != 1:
            yield f"{batch} was completed {ends[batch]} times"


def _strange_files(case: Case) -> Iterator[str]:
    for path in _inside(case.output):
        file = case.artifacts.get(path)
        if file is None:
            yield f"{path.name} belongs to no job"
        elif (path.stat().st_size, file_sha256(path)) != (file.size, file.sha256):
            yield f"{path.name} is not what was recorded"
    for path in case.artifacts.keys() - set(_inside(case.output)):
        yield f"{path.name} is gone"


def _different_files(case: Case) -> Iterator[str]:
    for id, job in case.jobs.items():
        for file in job.report.artifacts:
            if file.sha256 != case.asked[id].sha256[file.kind]:
                yield f"{file.path.name} of {id} is another {file.kind}"


def _stages_again(case: Case) -> Iterator[str]:
    """A stage that was not recorded when its worker died may be done again: it was not finished."""
    finished: set[tuple[str | None, str | None]] = set()
    for each in case.told("stage.started", "stage.completed"):
        stage = each.event.job_id, each.event.stage
        if stage in finished:
            yield f"{each.event.name} of {each.event.stage} of {each.event.job_id} after it was completed"
        if each.event.name == "stage.completed":
            finished.add(stage)


def _segments_again(case: Case) -> Iterator[str]:
    """Parts of `deliver` are names that were asked for, not work: they may be asked for again."""
    made: defaultdict[tuple[str | None, str], list[StoredEvent]] = defaultdict(list)
    for each in case.told("part.completed"):
        if each.event.stage == "render":
            made[each.event.job_id, str(each.event.facts["part"])].append(each)
    for (id, part), times in made.items():
        if len(times) > 1:
            ends = (f"{e.event.at:%T.%f} by {e.worker}" for e in times)
            yield f"{part} of {id} was finished {len(times)} times: {'; '.join(ends)}"


def _takeovers(case: Case) -> Iterator[Takeover]:
    """Those after a deadly strike. What was left by one who ended in order is in nobody's way."""
    starts: defaultdict[str | None, list[StoredEvent]] = defaultdict(list)
    for each in case.told("job.started"):
        starts[each.event.job_id].append(each)
    for each in case.told("job.taken_over"):
        executor = str(each.event.facts["executor"])
        strike = _last_strike(case, executor, each.event.at)
        if strike is None or strike.kind not in _DEADLY:
            continue
        again = next((start.event.at for start in starts[each.event.job_id] if start.seq > each.seq), None)
        yield Takeover(
            job=str(each.event.job_id),
            executor=executor,
            kind=strike.kind,
            released=(each.event.at - strike.at).total_seconds(),
            restarted=None if again is None else (again - strike.at).total_seconds(),
        )


def _buried_alive(case: Case) -> Iterator[str]:
    for each in case.told("worker.lost"):
        executor = str(each.event.facts["executor"])
        strike = _last_strike(case, executor, each.event.at)
        if strike is None or strike.kind not in _DEADLY:
            yield f"{executor}, by {each.worker}"


def _ended_by_themselves(case: Case) -> Iterator[str]:
    kinds: defaultdict[int, set[str]] = defaultdict(set)
    for strike in case.strikes:
        kinds[strike.pid].add(strike.kind)
    for end in case.ends:
        killed = end.status == -9 and "kill" in kinds[end.pid]
        if end.status != 0 and not killed:
            yield f"{end.name} (process {end.pid}) ended with {end.status}"


def _too_slow(takeovers: Sequence[Takeover]) -> Iterator[str]:
    whole = percentile([_whole(each) for each in takeovers], _SHARE)
    if whole > LIMIT:
        yield f"{whole:.1f} s"


def _whole(takeover: Takeover) -> float:
    return math.inf if takeover.restarted is None else takeover.restarted


def _last_strike(case: Case, executor: str, before: datetime) -> Strike | None:
    hits = [strike for strike in case.strikes if strike.executor == executor and strike.at <= before]
    return hits[-1] if hits else None


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
