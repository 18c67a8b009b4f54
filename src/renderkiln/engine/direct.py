"""Runs one job here and now, without a queue: its attempts, the waits between them, and the clearing up."""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from renderkiln import __version__
from renderkiln.domain.asset import Asset
from renderkiln.domain.clock import Clock
from renderkiln.domain.event import Event
from renderkiln.domain.fingerprint import fingerprint
from renderkiln.domain.job import Job
from renderkiln.domain.outcomes import Cancelled, Done, Failed, Outcome, TryAgain
from renderkiln.domain.report import JobError, JobReport
from renderkiln.engine import workfolder
from renderkiln.engine.context import log_of
from renderkiln.engine.executor import Attempt, Executor
from renderkiln.engine.intake import prepare_output, take_in
from renderkiln.engine.journal import Journal
from renderkiln.engine.narrator import Listener, Narrator
from renderkiln.engine.stage_child import LOG_FORMAT
from renderkiln.engine.verdict import verdict
from renderkiln.engine.workfolder import WorkFolder
from renderkiln.pipelines.contract import Pipeline, Services

_KEY_DIGITS = 24
_KEPT = "what is finished is kept: the same command continues there"
_LOGGED = {"INTERNAL", "CRASHED"}  # errors whose cause stands in the log


@dataclass(frozen=True)
class House:
    """Where direct runs happen and what they share. `home` is RENDERKILN_HOME."""

    executor: Executor
    clock: Clock
    home: Path
    keep_work: bool = False

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def logs(self) -> Path:
        return self.home / "logs"


class DirectRun:
    """One job from its start to its end. Use it once: `DirectRun(...).run()`.

    `services` is called when the job has started: that there is no FFmpeg is a failure of the job.
    """

    def __init__(
        self,
        house: House,
        pipeline: Pipeline,
        job: Job,
        services: Callable[[], Services],
        *,
        listen: Listener | None,
        stop: threading.Event,
        reuse: bool,
    ) -> None:
        self._house = house
        self._pipeline = pipeline
        self._job = job
        self._services = services
        self._stop = stop
        self._reuse = reuse
        self._log = house.logs / f"{job.id}.log"
        self._report = JobReport(job, worker=f"{socket.gethostname()}-{os.getpid()}")
        self._narrator = Narrator(job.id, house.clock, self._note, *([listen] if listen else []))

    def run(self) -> JobReport:
        """Do it. Raises nothing for what is wrong with files, folders or FFmpeg: the report says it."""
        self._begin_attempt(1)
        self._narrator.say("job.started", message=self._job.label)
        handler: logging.Handler | None = None
        try:
            handler = self._open_log()
            outcome = self._work()
        except Exception as error:  # noqa: BLE001  the border of a job
            log_of(self._job.id).error("the job ended with an error", exc_info=True)
            outcome = verdict(error, self._house.home)
        finally:
            if handler is not None:
                log_of(self._job.id).removeHandler(handler)
                handler.close()
        self._end(outcome)
        return self._report

    def _work(self) -> Outcome:
        services = self._services()
        services = replace(services, output=prepare_output(services.output))
        assets = tuple(
            take_in(path, largest=services.limits.file_size, stop=self._stop) for path in self._job.inputs
        )
        params = self._pipeline.Params.model_validate(dict(self._job.params))
        key = fingerprint(self._identity(params, assets, services))
        with workfolder.claim(self._house.work, key[:_KEY_DIGITS]) as folder:
            if not self._reuse:
                folder.clear()
            with Journal(
                folder.journal, folder.files, fingerprint=key, created_at=self._job.created_at
            ) as journal:
                attempt = Attempt(
                    job=self._job,
                    number=1,
                    pipeline=self._pipeline,
                    params=params,
                    assets=assets,
                    services=services,
                    workdir=folder.files,
                    journal=journal,
                    log=self._log,
                    kept=(folder.lock,),
                )
                outcome = self._attempts(attempt)
            return self._settle(folder, outcome, worth_keeping=not journal.is_empty)

    def _identity(self, params: Any, assets: tuple[Asset, ...], services: Services) -> Mapping[str, Any]:
        """What decides the output: the same facts continue the same work."""
        return {
            "pipeline": [self._job.pipeline, self._pipeline.version, __version__],
            "params": self._job.params,
            "inputs": [[asset.name, asset.sha256] for asset in assets],
            "pipeline_says": self._pipeline.fingerprint(params, services),
            "output": services.output,
        }

    def _attempts(self, attempt: Attempt) -> Outcome:
        retry = replace(self._pipeline.retry, attempts=self._job.max_attempts)
        for number in count(1):
            if number > 1:
                self._begin_attempt(number)
            outcome = self._house.executor.run_attempt(
                replace(attempt, number=number), self._narrator, self._stop
            )
            if not isinstance(outcome, TryAgain):
                return outcome
            wait = retry.delay(number, random.Random())  # noqa: S311  spreads retries, guards nothing
            if wait is None:
                return outcome
            if not self._wait(outcome, wait if outcome.delay is None else outcome.delay):
                return Cancelled()
        raise AssertionError("attempts are counted for ever")

    def _begin_attempt(self, number: int) -> None:
        now = self._house.clock.now()
        first = self._report.started_at or now
        self._report = self._report.move("start", attempt=number, started_at=first, processed_at=now)

    def _wait(self, outcome: TryAgain, seconds: float) -> bool:
        """Wait for the next attempt; False if the wait was broken off."""
        self._report = self._report.move("put_back")
        message = f"Trying again in {seconds:.0f} s: {outcome.message}"
        self._narrator.say("job.retrying", message=message, seconds=seconds, error=outcome.message)
        return self._house.clock.sleep(seconds, self._stop)

    def _settle(self, folder: WorkFolder, outcome: Outcome, *, worth_keeping: bool) -> Outcome:
        """Give the space back, or keep what the same command can go on from."""
        match outcome:
            case TryAgain() if worth_keeping:
                return replace(outcome, message=f"{outcome.message}; {_KEPT}")
            case Cancelled() if worth_keeping:
                return replace(outcome, message=_KEPT)
            case _ if self._house.keep_work:
                folder.set_aside(f"kept.{self._job.id}")
            case _:
                folder.remove()
        return outcome

    def _end(self, outcome: Outcome) -> None:
        now = self._house.clock.now()
        match outcome:
            case Done(summary=summary, artifacts=artifacts):
                self._log.unlink(missing_ok=True)
                self._narrator.finish()
                self._report = self._report.move(
                    "complete", completed_at=now, result=summary, artifacts=artifacts
                )
                self._narrator.say("job.completed", message=self._job.label)
            case Cancelled(message=message):
                verb: Any = "cancel" if self._report.state == "processing" else "withdraw"
                self._report = self._report.move(verb, completed_at=now)
                self._log.unlink(missing_ok=True)
                self._narrator.say("job.cancelled", message=message or "Stopped")
            case TryAgain(code=code, message=message) | Failed(code=code, message=message):
                if code in _LOGGED:
                    message = f"{message} (details in {self._log})"
                elif code == "INVALID":
                    self._log.unlink(missing_ok=True)
                self._report = self._report.move("fail", completed_at=now, error=JobError(code, message))
                self._narrator.say("job.failed", message=message)

    def _open_log(self) -> logging.Handler:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(self._log, delay=True)
        handler.setFormatter(logging.Formatter(LOG_FORMAT))
        log = log_of(self._job.id)
        log.setLevel(logging.INFO)
        log.propagate = False  # people read events; this is for whoever looks closer
        log.addHandler(handler)
        return handler

    def _note(self, event: Event) -> None:
        """Keep the report up with what is told."""
        report = replace(
            self._report,
            progress=event.percent,
            stage=event.stage or self._report.stage,
            message=event.message or self._report.message,
        )
        match event:
            case Event(name="warning", facts={"code": code}):
                report = replace(report, warnings={**report.warnings, code: event.message})
            case Event(name="stage.reused", stage=str(stage)) if stage not in report.reused:
                report = replace(report, reused=(*report.reused, stage))
            case Event(name="stage.left_out", stage=str(stage)):
                report = replace(report, left_out={**report.left_out, stage: event.message})
        self._report = report
