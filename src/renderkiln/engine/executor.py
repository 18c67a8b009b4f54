"""Runs the stages of one attempt, each in its own process, and turns what happened into one outcome.

It knows no queue: whoever drives it gives it an `Attempt`.
"""

from __future__ import annotations

import base64
import json
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from renderkiln.domain.asset import Asset
from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.domain.job import Job
from renderkiln.domain.outcomes import Cancelled, Done, Failed, Outcome, TryAgain
from renderkiln.domain.retry import Retry
from renderkiln.engine.checkpoint import Checkpoint, FileRecord
from renderkiln.engine.context import Context, StageWork, log_of
from renderkiln.engine.narrator import Narrator
from renderkiln.engine.records import Records
from renderkiln.engine.stage_child import WORK
from renderkiln.engine.stage_process import Exit, ForkServer, Message, StageProcess
from renderkiln.engine.verdict import Verdict, from_json, perform, verdict
from renderkiln.pipelines import catalog, foresight
from renderkiln.pipelines.contract import JobFacts, Pipeline, Result, Services, Stage

_ONCE = Retry(attempts=1)


@dataclass(frozen=True)
class Attempt:
    """One try at a job, with all that its stages need."""

    job: Job
    number: int  # 1, 2 …
    pipeline: Pipeline
    params: Any  # an instance of the pipeline's Params
    assets: tuple[Asset, ...]
    services: Services
    workdir: Path
    records: Records
    log: Path
    kept: tuple[int, ...] = ()  # descriptors that stages hold open until they are gone
    named: Mapping[str, Asset] = field(default_factory=dict)  # assets that its params name
    reuse: bool = True  # what other jobs have made may be taken
    until: float = 100.0  # percent of the job where its stages end


@dataclass(frozen=True)
class Used:
    """What a stage cost. `peak_bytes` is unknown for a stage in the engine's own process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int | None = None
    paid: float = 0.0  # to services


class Executor:
    """Safe to use from several threads, one attempt each.

    `stall_timeout` is FFmpeg's, in seconds; `silence`, if given, ends a stage that says nothing for so long.
    """

    def __init__(
        self,
        server: ForkServer,
        *,
        clock: Clock | None = None,
        stall_timeout: float = 60.0,
        silence: float | None = None,
    ) -> None:
        self._server = server
        self._clock = clock or SystemClock()
        self._stall_timeout = stall_timeout
        self._silence = silence

    def run_attempt(self, attempt: Attempt, narrator: Narrator, stop: threading.Event) -> Outcome:
        """Run all stages in order. Raises nothing: what went wrong is the outcome."""
        try:
            return self._run_stages(attempt, narrator, stop)
        except Exception as error:  # noqa: BLE001  the border of an attempt
            log_of(attempt.job.id).error("the attempt ended with an error", exc_info=True)
            return verdict(error, attempt.workdir, attempt.services.output)

    def run_stage(
        self,
        attempt: Attempt,
        stage: Stage,
        results: Mapping[str, Result],
        narrator: Narrator,
        stop: threading.Event,
    ) -> Result | Verdict:
        """Run one stage, or take its recorded result. `results` are those of the stages before it.

        A stage with a retry policy of its own is tried again here, without ending the attempt.
        """
        if stop.is_set():
            return Cancelled()
        if recorded := attempt.records.result_of(stage.name):
            narrator.reach(stage.name, 1.0)
            narrator.say("stage.reused", stage.name, stage.message)
            for code, message in attempt.records.warnings_of(stage.name).items():
                narrator.say("warning", stage.name, message, code=code)
            return recorded
        retry, tries = stage.retry or _ONCE, 0
        while True:
            ended = self._try_stage(attempt, stage, results, narrator, stop)
            tries += 1
            if not isinstance(ended, TryAgain) or (wait := retry.delay(tries)) is None:
                return ended
            if not self._clock.sleep(wait if ended.delay is None else ended.delay, stop):
                return Cancelled()

    def _run_stages(self, attempt: Attempt, narrator: Narrator, stop: threading.Event) -> Outcome:
        stages, anew = attempt.pipeline.stages(attempt.params), attempt.records.is_empty
        narrator.begin({stage.name: stage.weight for stage in stages}, until=attempt.until)
        results: dict[str, Result] = {}
        for stage in stages:
            if stage is stages[-1] and _is_lost(attempt, stage, results):
                attempt.records.distrust(stage.name)
            ended = self.run_stage(attempt, stage, results, narrator, stop)
            match ended:
                case Result():
                    results[stage.name] = ended
                case TryAgain() | Failed() if stage.optional:
                    narrator.reach(stage.name, 1.0)
                    narrator.say("stage.left_out", stage.name, ended.message, code=ended.code)
                case TryAgain() | Failed() | Cancelled():
                    return ended
        return _done(attempt, results, anew=anew)

    def _try_stage(
        self,
        attempt: Attempt,
        stage: Stage,
        results: Mapping[str, Result],
        narrator: Narrator,
        stop: threading.Event,
    ) -> Result | Verdict:
        narrator.reach(stage.name, 0.0)
        narrator.say("stage.started", stage.name, stage.message)
        work = StageWork(
            pipeline=catalog.reference(attempt.pipeline) if stage.isolated else "",
            stage=stage.name,
            params=attempt.job.params,
            job=JobFacts(attempt.job.id, attempt.records.created_at, attempt.number, reuse=attempt.reuse),
            inputs=attempt.assets,
            assets=attempt.named,
            results=results,
            workdir=attempt.workdir,
            services=attempt.services,
            stall_timeout=self._stall_timeout,
            finished_parts=attempt.records.parts_of(stage.name),
        )
        desk = _Desk(attempt.records, stage, narrator)
        run = self._in_child if stage.isolated else _here
        ended, used = run(attempt, stage, work, desk, stop)
        used = replace(used, paid=desk.paid)
        match ended:
            case Checkpoint():
                narrator.reach(stage.name, 1.0)
                completed = narrator.event("stage.completed", stage.name, stage.message, **asdict(used))
                attempt.records.record(stage.name, ended, completed)
                narrator.tell(completed)
                return ended.opened(attempt.workdir)
            case _ if stop.is_set():  # whatever it said: we had asked it to end
                narrator.say("stage.stopped", stage.name, **asdict(used))
                return Cancelled()
            case Cancelled():
                ended = TryAgain("INTERRUPTED", f"the stage {stage.name!r} was stopped from outside")
        ended = replace(ended, message=_as_given(attempt, ended.message))
        narrator.say("stage.failed", stage.name, ended.message, code=ended.code, **asdict(used))
        return ended

    def _in_child(
        self, attempt: Attempt, stage: Stage, work: StageWork, desk: _Desk, stop: threading.Event
    ) -> tuple[Checkpoint | Verdict, Used]:
        started = time.monotonic()
        with (
            attempt.log.open("ab") as log,
            StageProcess(
                self._server,
                WORK.dump_python(work, mode="json"),
                log=log.fileno(),
                preload=[type(attempt.pipeline).__module__, stage.run.__module__],
                nice=attempt.services.nice,
                kept=attempt.kept,
                silence=self._silence,
            ) as process,
        ):
            how = process.run(desk.take, stop)
        used = Used(time.monotonic() - started, how.cpu_seconds, how.peak_bytes)
        return desk.ended or _crash(how, stage), used


class _Desk:
    """Takes what a running stage sends: records what must last, tells what people want to hear."""

    def __init__(self, records: Records, stage: Stage, narrator: Narrator) -> None:
        self.ended: Checkpoint | Verdict | None = None
        self.paid = 0.0
        self._records = records
        self._stage = stage
        self._narrator = narrator
        self._running: list[int] = []  # FFmpeg processes

    def take(self, message: Message) -> None:
        name = self._stage.name
        match message:
            case {"kind": "progress", "fraction": fraction, "message": text, "facts": facts}:
                self._narrator.reach(name, fraction)
                self._narrator.say("job.progress", name, text or self._stage.message, **facts)
            case {"kind": "warning", "code": code, "message": text}:
                self._records.record_warning(name, code, text)
                self._narrator.say("warning", name, text, code=code)
            case {"kind": "part", "key": key, "result": result}:
                completed = self._narrator.event("part.completed", name, part=key)
                self._records.record_part(name, key, Checkpoint.from_json(result), completed)
                self._narrator.tell(completed)
            case {"kind": "picture", "jpeg": jpeg}:
                self._records.show(base64.b64decode(jpeg))
            case {"kind": "paid", "amount": amount}:
                self.paid += amount
            case {"kind": "process", "pid": pid, "running": running}:
                self._note_process(pid, running=running)
            case {"kind": "result", "result": result}:
                self.ended = Checkpoint.from_json(result)
            case {"kind": "verdict", **ended}:
                self.ended = from_json(ended)

    def _note_process(self, pid: int, *, running: bool) -> None:
        if running:
            self._running.append(pid)
        else:
            self._running.remove(pid)
        self._records.note_process(self._running[-1] if self._running else None)


def _here(
    attempt: Attempt, stage: Stage, work: StageWork, desk: _Desk, stop: threading.Event
) -> tuple[Checkpoint | Verdict, Used]:
    """Run a light stage in this process."""
    started, cpu = time.monotonic(), time.thread_time()
    context = Context(work, attempt.params, desk.take, stop, isolated=False)
    ended = perform(lambda: stage.run(context), work)
    return ended, Used(time.monotonic() - started, time.thread_time() - cpu)


def _crash(how: Exit, stage: Stage) -> Verdict:
    """What it means that the process of `stage` ended without a word."""
    match how:
        case Exit(silent=True):
            return TryAgain("SILENT", f"the stage {stage.name!r} reported nothing for too long and was ended")
        case Exit(status=None):
            reason = "its process was lost"
        case Exit(status=int(number)) if number == -signal.SIGKILL:
            reason = "killed: probably out of memory"
        case Exit(status=int(number)) if number < 0:
            reason = f"ended by {_signal_name(-number)}"
        case _:
            reason = f"ended with exit code {how.status}"
    return TryAgain("CRASHED", f"the stage {stage.name!r} crashed ({reason})")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def _as_given(attempt: Attempt, words: str) -> str:
    """Files from elsewhere by the names they came with: where they lie in the work folder tells nothing."""
    for asset in (*attempt.assets, *attempt.named.values()):
        if asset.path.is_relative_to(attempt.workdir.parent):
            words = words.replace(str(asset.path), asset.name)
    return words


def _is_lost(attempt: Attempt, last: Stage, results: Mapping[str, Result]) -> bool:
    """Whether the last stage is recorded, but not all is there that was delivered: it may be elsewhere."""
    recorded = attempt.records.result_of(last.name)
    if recorded is None:
        return False
    delivered = attempt.pipeline.artifacts({**results, last.name: recorded})
    return not all(
        FileRecord(str(each.path), each.size, each.sha256).is_unchanged(attempt.workdir) for each in delivered
    )


def _done(attempt: Attempt, results: Mapping[str, Result], *, anew: bool) -> Outcome:
    artifacts = tuple(attempt.pipeline.artifacts(results))
    for artifact in artifacts:
        if not artifact.path.is_file() or artifact.path.stat().st_size != artifact.size:
            return Failed("ARTIFACT_LOST", f"{artifact.path} was made, but is missing or changed now")
    summary = json.loads(json.dumps(dict(attempt.pipeline.summary(results)), allow_nan=False))
    work = foresight.done(attempt.pipeline, attempt.params, attempt.assets, results) if anew else None
    return Done(summary, artifacts, work)
