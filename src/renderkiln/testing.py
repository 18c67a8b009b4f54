"""What authors of pipelines inherit: an exam, a clock they can move, and a context without an engine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from renderkiln.app import Renderkiln
from renderkiln.domain.asset import Asset
from renderkiln.domain.event import Event
from renderkiln.domain.report import JobReport
from renderkiln.engine.context import Context, StageWork
from renderkiln.engine.intake import take_in
from renderkiln.media.ffmpeg import binary
from renderkiln.pipelines.contract import JSON, JobFacts, Pipeline, Result, Services
from renderkiln.settings import Settings

_CANCEL_SECONDS = 2.0
_RENDER_ALOUD = "import sys; from renderkiln.testing import render_aloud; render_aloud(sys.argv[1])"


class FakeClock:
    """A clock that moves only when it is told to, or when somebody sleeps. `slept` lists the waits."""

    def __init__(self, now: datetime = datetime(2026, 1, 27, 12, tzinfo=UTC)) -> None:
        self._start = now
        self._seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        if stop is not None and stop.is_set():
            return False
        self.slept.append(seconds)
        self.advance(seconds)
        return True

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._seconds += seconds


class FakeContext(Context):
    """A `StageContext` to call a stage with, in this process and without an engine.

    It remembers what it was told: `reports` of progress (fraction, message, facts), `warnings` by code, and
    `done_parts` by key. Setting `stop` makes `progress` raise Stopped.
    """

    def __init__(
        self,
        folder: Path,
        params: Any,
        *,
        inputs: Iterable[Path] = (),
        results: Mapping[str, Result] | None = None,
        finished_parts: Mapping[str, Result] | None = None,
        services: Services | None = None,
    ) -> None:
        for name in ("work", "output", "cache"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.reports: list[tuple[float, str, Mapping[str, JSON]]] = []
        self.warnings: dict[str, str] = {}
        self.done_parts: dict[str, Mapping[str, JSON]] = {}
        self.stop = threading.Event()
        work = StageWork(
            pipeline="",
            stage="fake",
            params={},
            job=JobFacts("fake-1", datetime(2026, 1, 27, 12, tzinfo=UTC)),
            inputs=tuple(_asset(path) for path in inputs),
            results=results or {},
            workdir=folder / "work",
            services=services or Services(binary.find(), folder / "cache", folder / "output"),
            finished_parts=finished_parts or {},
        )
        super().__init__(work, params, self._remember, self.stop, isolated=False)

    def progress(self, fraction: float, message: str = "", **facts: JSON) -> None:
        self._raise_if_stopped()
        self.reports.append((fraction, message, facts))  # every one, where the engine takes ten a second

    def _remember(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "warning", "code": code, "message": text}:
                self.warnings[code] = text
            case {"kind": "part", "key": key, "result": result}:
                self.done_parts[key] = result["values"]


class PipelineExam:
    """The exam every pipeline passes. Inherit it in a test file, and pytest finds its questions:

        class TestMine(PipelineExam):
            pipeline = "mine"                 # an installed name, or "module:Attr"
            params = {"size": "small"}        # a job of some seconds, so that it can be interrupted

            def make_input(self, folder: Path) -> Path:
                ...

    Set `same_again` to False where the same job may give other bytes, or name in `varying` the kinds of
    artifacts that tell of the run itself, such as a report.
    """

    pipeline: ClassVar[str]
    params: ClassVar[Mapping[str, Any]] = {}
    same_again: ClassVar[bool] = True
    varying: ClassVar[frozenset[str]] = frozenset()

    _house: ClassVar[tempfile.TemporaryDirectory[str] | None] = None
    _undisturbed: ClassVar[tuple[JobReport, list[Event]] | None] = None

    def make_input(self, folder: Path) -> Path:
        """Write an input file into `folder` and return its path."""
        raise NotImplementedError("an exam needs an input file")

    @classmethod
    def setup_class(cls) -> None:
        cls._house = tempfile.TemporaryDirectory(prefix="exam-")
        cls._undisturbed = None

    @classmethod
    def teardown_class(cls) -> None:
        assert cls._house is not None
        cls._house.cleanup()

    def test_every_stage_has_a_name_of_its_own_and_a_weight(self) -> None:
        pipeline = self._pipeline()
        stages = pipeline.stages(pipeline.Params.model_validate(dict(self.params)))
        assert stages, "a pipeline needs at least one stage"
        assert len({stage.name for stage in stages}) == len(stages), "two stages have the same name"
        assert min(stage.weight for stage in stages) > 0, "every stage needs a weight above 0"

    def test_params_survive_json(self) -> None:
        kind = self._pipeline().Params
        params = kind.model_validate(dict(self.params))
        again = kind.model_validate(json.loads(json.dumps(params.model_dump(mode="json"))))
        assert again == params
        assert json.dumps(kind.model_json_schema())

    def test_the_artifacts_are_there_and_are_what_the_report_says(self) -> None:
        report, _ = self._finished()
        assert report.artifacts, "a finished job has at least one artifact"
        for artifact in report.artifacts:
            content = artifact.path.read_bytes()
            assert artifact.path.is_relative_to(self._folder("plain")), "an artifact lies outside the output"
            assert len(content) == artifact.size
            assert hashlib.sha256(content).hexdigest() == artifact.sha256

    def test_the_report_is_json(self) -> None:
        report, _ = self._finished()
        assert json.loads(json.dumps(report.to_json(), allow_nan=False))["state"] == "completed"

    def test_the_output_holds_artifacts_and_nothing_else(self) -> None:
        report, _ = self._finished()
        assert _files(self._folder("plain")) == {artifact.path for artifact in report.artifacts}

    def test_the_work_folder_is_gone_and_the_input_untouched(self) -> None:
        self._finished()
        assert not _files(self._folder("home") / "work")
        assert _files(self._folder("input")) == {self._input()}

    def test_progress_is_reported_and_never_falls(self) -> None:
        _, events = self._finished()
        percents = [event.percent for event in events]
        assert any(event.name == "job.progress" for event in events), "no stage reports progress"
        assert percents == sorted(percents)
        assert percents[0] >= 0
        assert percents[-1] == 100

    def test_a_finished_stage_is_used_again(self) -> None:
        stop = threading.Event()
        output = self._folder("again")

        def cancel(event: Event) -> None:
            if event.name == "stage.completed":
                stop.set()

        first = self._run(output, stop, cancel)
        assert first.state == "cancelled", "the exam wants a pipeline of at least two stages"
        assert not _files(output), "a cancelled job leaves nothing in the output folder"
        second = self._run(output)
        assert second.succeeded, second.error
        assert first.stage in second.reused

    def test_a_cancelled_job_ends_within_two_seconds(self) -> None:
        stop, heard = threading.Event(), []
        output = self._folder("cancelled")

        def cancel(event: Event) -> None:
            if event.name == "job.progress" and not stop.is_set():
                heard.append(time.monotonic())
                stop.set()

        report = self._run(output, stop, cancel)
        assert report.state == "cancelled"
        assert time.monotonic() - heard[0] < _CANCEL_SECONDS
        assert not _files(output), "a cancelled job leaves nothing in the output folder"

    def test_a_killed_job_goes_on_where_it_was(self) -> None:
        plain, events = self._finished()
        # Parts of the last stage are not waited for: a kill may come after the files have their names.
        last = self._pipeline().stages(self._pipeline().Params.model_validate(dict(self.params)))[-1].name
        has_parts = any(event.name == "part.completed" and event.stage != last for event in events)
        output = self._folder("killed")
        reached = self._kill_at("part.completed" if has_parts else "stage.completed", output)
        assert not _files(output), "a killed job leaves nothing in the output folder"
        again: list[Event] = []
        report = self._run(output, listen=again.append)
        assert report.succeeded, report.error
        redone = {_step(event) for event in again if event.name in ("part.completed", "stage.completed")}
        assert not reached & redone, "what was finished before the kill was done once more"
        if self.same_again:
            assert _contents(report, self.varying) == _contents(plain, self.varying)

    def _pipeline(self) -> Pipeline:
        return Renderkiln(self._settings()).pipeline(self.pipeline)

    def _settings(self) -> Settings:
        return Settings.load(home=self._folder("home"))

    def _folder(self, name: str) -> Path:
        assert self._house is not None
        folder = Path(self._house.name).resolve() / name
        folder.mkdir(exist_ok=True)
        return folder

    def _input(self) -> Path:
        made = sorted(_files(self._folder("input")))
        return made[0] if made else self.make_input(self._folder("input"))

    def _finished(self) -> tuple[JobReport, list[Event]]:
        """An undisturbed run, made once for all questions."""
        if self._undisturbed is None:
            events: list[Event] = []
            report = self._run(self._folder("plain"), listen=events.append)
            assert report.succeeded, report.error
            type(self)._undisturbed = (report, events)
        assert self._undisturbed is not None
        return self._undisturbed

    def _run(
        self,
        output: Path,
        stop: threading.Event | None = None,
        listen: Callable[[Event], Any] | None = None,
    ) -> JobReport:
        with Renderkiln.open(self._settings()) as kiln:
            job = kiln.job(self.pipeline, self._input(), self.params)
            return kiln.run(job, output=output, stop=stop, listen=listen)

    def _kill_at(self, name: str, output: Path) -> set[tuple[str, str]]:
        """Kill a process that renders as soon as it tells of an event `name`; what it had finished."""
        request = {
            "home": str(self._folder("home")),
            "pipeline": self.pipeline,
            "params": dict(self.params),
            "input": str(self._input()),
            "output": str(output),
        }
        reached = set()
        with _talking([sys.executable, "-c", _RENDER_ALOUD, json.dumps(request)]) as process:
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                if event["name"] in ("part.completed", "stage.completed"):
                    reached.add((event["stage"], str(event["facts"].get("part", ""))))
                if event["name"] == name:
                    process.send_signal(signal.SIGKILL)
                    return reached
        raise AssertionError(f"the job ended before it told of {name}")


def render_aloud(request: str) -> None:
    """Render as `request` says and print each event as a line of JSON: for processes made to be killed."""
    wish = json.loads(request)

    def tell(event: Event) -> None:
        print(json.dumps(asdict(event), default=str), flush=True)  # noqa: T201  it is how this one speaks

    with Renderkiln.open(Settings.load(home=wish["home"])) as kiln:
        job = kiln.job(wish["pipeline"], Path(wish["input"]), wish["params"])
        kiln.run(job, output=Path(wish["output"]), listen=tell)


@contextlib.contextmanager
def _talking(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _asset(path: Path) -> Asset:
    return take_in(path, largest=2**62, stop=threading.Event())


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()} if folder.exists() else set()


def _step(event: Event) -> tuple[str, str]:
    return (str(event.stage), str(event.facts.get("part", "")))


def _contents(report: JobReport, varying: frozenset[str]) -> list[tuple[str, str]]:
    return sorted((each.kind, each.sha256) for each in report.artifacts if each.kind not in varying)
