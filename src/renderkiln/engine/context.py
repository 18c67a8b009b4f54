"""What a stage sees of the engine, in its own process or, for light stages, in the engine's."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from renderkiln.domain.asset import Asset
from renderkiln.domain.errors import Stopped
from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.media.errors import FFmpegStopped
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.process import Presence
from renderkiln.media.ffmpeg.progress import Progress
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.ffmpeg.run import Feed, Finished, feed, run
from renderkiln.pipelines.contract import JSON, Item, JobFacts, Result, Services

if TYPE_CHECKING:
    from renderkiln.media.frames.image import Pixels

Send = Callable[[Mapping[str, Any]], None]

_INTERVAL = 0.1  # seconds between two reports of progress
_GLANCE = 3.0  # … and between two pictures


@dataclass(frozen=True)
class StageWork:
    """Everything one stage needs to know, as plain data: it crosses into the stage's process."""

    pipeline: str  # module:Attr of its class
    stage: str
    params: Mapping[str, Any]
    job: JobFacts
    inputs: tuple[Asset, ...]
    results: Mapping[str, Result]
    workdir: Path
    services: Services
    stall_timeout: float = 60.0
    finished_parts: Mapping[str, Result] = field(default_factory=dict)
    assets: Mapping[str, Asset] = field(default_factory=dict)


_LOGS: WeakValueDictionary[str, logging.Logger] = WeakValueDictionary()


def log_of(job_id: str) -> logging.Logger:
    """The logger of one job, which the engine directs into the job's log file.

    It lives as long as somebody has it: one of logging's own would stay for ever, for every job.
    """
    log = logging.Logger(f"renderkiln.job.{job_id}", logging.INFO)
    log.parent = logging.getLogger("renderkiln.job")
    return _LOGS.setdefault(job_id, log)


class Context:
    """A `StageContext`. Its messages go through `send`; a `part` is recorded when `send` returns."""

    def __init__(
        self, work: StageWork, params: Any, send: Send, stop: threading.Event, *, isolated: bool
    ) -> None:
        self.job: JobFacts = work.job
        self.params: Any = params
        self.inputs: Sequence[Asset] = work.inputs
        self.assets: Mapping[str, Asset] = work.assets
        self.results: Mapping[str, Result] = work.results
        self.workdir: Path = work.workdir
        self.services: Services = work.services
        self.log = log_of(work.job.id)
        self.finished_parts: Mapping[str, Result] = work.finished_parts
        self._deliver = send
        self._lock = threading.Lock()
        self._stop = stop
        self._part_failed = threading.Event()
        self._isolated = isolated
        self._stall_timeout = work.stall_timeout
        self._warned: set[str] = set()
        self._sent_at = self._shown_at = float("-inf")

    def progress(self, fraction: float, message: str = "", **facts: JSON) -> None:
        self._raise_if_stopped()
        now = time.monotonic()
        if now - self._sent_at >= _INTERVAL:
            self._sent_at = now
            self._send({"kind": "progress", "fraction": float(fraction), "message": message, "facts": facts})

    def show(self, look: Callable[[], Pixels]) -> None:
        now = time.monotonic()
        if now - self._shown_at < _GLANCE:
            return
        self._shown_at = now
        from renderkiln.media.frames.image import as_jpeg  # who draws has Skia loaded

        try:
            jpeg = base64.b64encode(as_jpeg(look())).decode()
        except Exception:  # a film is worth more than a look at it
            self.log.warning("nobody sees what is being made", exc_info=True)
            self._shown_at = float("inf")
            return
        self._send({"kind": "picture", "jpeg": jpeg})

    def warn(self, code: str, message: str) -> None:
        if code not in self._warned:
            self._warned.add(code)
            self._send({"kind": "warning", "code": code, "message": message})

    def paid(self, amount: float) -> None:
        if amount > 0:
            self._send({"kind": "paid", "amount": float(amount)})

    def run_ffmpeg(self, command: Command, on_progress: Callable[[Progress], None] | None = None) -> Finished:
        try:
            return run(command, on_progress=on_progress, **self._ffmpeg_options())
        except FFmpegStopped as error:
            raise Stopped(str(error)) from error

    def feed_ffmpeg(self, command: Command) -> Feed:
        return feed(command, **self._ffmpeg_options())

    def read_ffmpeg(self, command: Command) -> Reader:
        return Reader(command, **self._ffmpeg_options())

    def part_done(self, key: str, result: Result) -> None:
        self._record_part(key, result)

    def parts(
        self, items: Mapping[str, Item], run: Callable[[Item], Result], *, workers: int = 1
    ) -> dict[str, Result]:
        results = {key: self.finished_parts[key] for key in items if key in self.finished_parts}
        todo = {key: item for key, item in items.items() if key not in results}
        try:
            with ThreadPoolExecutor(max(1, workers), thread_name_prefix="part") as pool:
                futures = {pool.submit(self._run_part, key, item, run): key for key, item in todo.items()}
                try:
                    results |= {futures[future]: future.result() for future in as_completed(futures)}
                except BaseException:
                    self._part_failed.set()  # the others hear it from `progress`
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        finally:  # all of them have ended: the stage may go on in another way
            self._part_failed.clear()
        return {key: results[key] for key in items}

    def _ffmpeg_options(self) -> dict[str, Any]:
        return {
            "binary": self.services.ffmpeg,
            "stop": self._is_stopped,
            "stall_timeout": self._stall_timeout,
            "own_group": not self._isolated,  # in a process of its own the stage leads the group
            "nice": 0 if self._isolated else self.services.nice,
            "on_process": self._tell_process,
        }

    def _tell_process(self, pid: int, presence: Presence) -> None:
        self._send({"kind": "process", "pid": pid, "running": presence == "running"})

    def _run_part(self, key: str, item: Item, run: Callable[[Item], Result]) -> Result:
        self._raise_if_stopped()
        return self._record_part(key, run(item))

    def _record_part(self, key: str, result: Result) -> Result:
        checkpoint = Checkpoint.seal(result, self.workdir)
        self._send({"kind": "part", "key": key, "result": checkpoint.to_json()})
        return checkpoint.opened(self.workdir)

    def _send(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            self._deliver(message)

    def _is_stopped(self) -> bool:
        return self._stop.is_set() or self._part_failed.is_set()

    def _raise_if_stopped(self) -> None:
        if self._is_stopped():
            raise Stopped(f"the job {self.job.id} was stopped")
