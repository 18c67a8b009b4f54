"""The composition root: puts settings, plug-ins and engine together. The only file that knows everybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.domain.errors import UsageError
from renderkiln.domain.job import Job, job_id, new_batch_id
from renderkiln.domain.report import JobReport
from renderkiln.domain.retry import Retry
from renderkiln.engine import workfolder
from renderkiln.engine.direct import DirectRun, House
from renderkiln.engine.executor import Executor
from renderkiln.engine.narrator import Listener
from renderkiln.engine.stage_process import ForkServer
from renderkiln.media import kernels
from renderkiln.media.ffmpeg import binary
from renderkiln.pipelines import catalog
from renderkiln.pipelines.contract import Limits, Pipeline, Services
from renderkiln.settings import Settings

if TYPE_CHECKING:
    from renderkiln.engine.room import Room

_ORPHAN_AGE = 7 * 86400.0  # seconds


class Renderkiln:
    """Renders jobs here and now. A context manager; made by `Renderkiln.open()`.

        with Renderkiln.open() as kiln:
            job = kiln.job("visualizer", Path("song.mp3"), {"format": "1080p"})
            report = kiln.run(job, output=Path("films"))

    Safe to use from several threads, one job each.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        kernels.use_cache(settings.home.absolute() / "cache")
        self.settings = settings
        self._clock = clock or SystemClock()
        self._server = ForkServer()
        executor = Executor(self._server, clock=self._clock, stall_timeout=settings.stall_timeout)
        self._executor = executor
        self._house = House(executor, self._clock, settings.home.absolute(), settings.keep_work)

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """With these settings, else with those of the environment. Clears away week-old leftovers.

        Raises UsageError for wrong settings.
        """
        kiln = cls(settings or Settings.load())
        kiln._sweep()
        return kiln

    @cached_property
    def room(self) -> Room:
        """The queues: jobs that outlive this process. Opened when it is first asked for."""
        # Imported late: what runs here and now needs no database.
        from renderkiln.database.engine import default_url
        from renderkiln.engine.room import Room

        settings = self.settings
        home = settings.home.absolute()
        return Room(
            address=settings.database or default_url(home),
            home=home,
            clock=self._clock,
            executor=self._executor,
            pipeline=self.pipeline,
            services=self._services,
            retry=self.retry,
            lanes={
                "video-rendering": settings.video_rendering,
                "audio-rendering": settings.audio_rendering,
                "storage-upload": settings.storage_upload,
                "event-processing": settings.event_processing,
            },
            most_of={
                "video-rendering": settings.video_rendering_global,
                "audio-rendering": settings.audio_rendering_global,
                "storage-upload": settings.storage_upload_global,
                "event-processing": settings.event_processing_global,
            },
            polling=settings.poll_interval,
            keep_work=settings.keep_work,
        )

    def close(self) -> None:
        """End whatever still runs."""
        self._server.close()
        if "room" in self.__dict__:
            self.room.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def pipeline(self, name: str) -> Pipeline:
        """The installed pipeline `name`, or the one at `module:Attr`. Raises UsageError."""
        pipeline: Pipeline = catalog.load(catalog.PIPELINES, name)()
        return pipeline

    def retry(self, pipeline: Pipeline) -> Retry:
        """How often and how soon its failed jobs are tried again: its own way, but for what `retry` sets."""
        changed = self.settings.retry.get(pipeline.name)
        return (
            pipeline.retry
            if changed is None
            else replace(pipeline.retry, **changed.model_dump(exclude_none=True))
        )

    def new_batch(self) -> str:
        """An id for jobs that belong together."""
        return new_batch_id(self._clock.now())

    def job(
        self,
        pipeline: str,
        path: Path,
        params: Mapping[str, Any] | None = None,
        *,
        batch_id: str | None = None,
        item_id: str = "1",
        format: str | None = None,
        label: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Job:
        """A job for one file. The file is not looked at before the job runs.

        `format` is the last part of the id; `label` is what people read, by default the file's name. Raises
        UsageError for an unknown pipeline, for params it does not accept, and for characters that have no
        place in an id.
        """
        kind = self.pipeline(pipeline)
        batch = self.new_batch() if batch_id is None else batch_id
        return Job(
            id=job_id(batch, item_id, format),
            batch_id=batch,
            item_id=item_id,
            pipeline=pipeline,
            queue=kind.queue,
            params=_validated(kind, params or {}),
            inputs=(path,),
            created_at=self._clock.now(),
            format=format,
            label=path.name if label is None else label,
            max_attempts=self.retry(kind).attempts,
            metadata=dict(metadata or {}),
        )

    def run(
        self,
        job: Job,
        *,
        output: Path | None = None,
        listen: Listener | None = None,
        stop: threading.Event | None = None,
        reuse: bool = True,
    ) -> JobReport:
        """Render `job` into the folder `output` (default: the setting `output_dir`) and report on it.

        Returns when the job has ended; what is wrong with a file, a folder or FFmpeg is in the report, never
        raised. `listen` is called in this thread with each event, at most about ten times a second. When
        `stop` is set, a cancelled report comes back within two seconds. What a killed run of the same job
        has finished is used again unless `reuse` is False.
        """
        pipeline = self.pipeline(job.pipeline)
        self._server.start(pipeline.preload)  # it loads them while this process does, too
        run = DirectRun(
            self._house,
            pipeline,
            job,
            lambda: self._services(output),
            listen=listen,
            stop=stop or threading.Event(),
            reuse=reuse,
        )
        return run.run()

    def _services(self, output: Path | None) -> Services:
        settings = self.settings
        limits = Limits(settings.max_duration, settings.max_file_size, settings.max_pixels)
        return Services(
            ffmpeg=binary.find(settings.ffmpeg).absolute(),
            cache=self._house.home / "cache",
            output=(output or settings.output_dir).absolute(),
            cores=settings.cores,
            nice=settings.nice,
            limits=limits,
            fonts=tuple(font.absolute() for font in settings.fonts),
        )

    def _sweep(self) -> None:
        workfolder.sweep(self._house.work, age=_ORPHAN_AGE)
        for log in self._house.logs.glob("*.log"):
            if time.time() - log.stat().st_mtime > _ORPHAN_AGE:
                log.unlink(missing_ok=True)


def _validated(pipeline: Pipeline, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return pipeline.Params.model_validate(dict(params)).model_dump(mode="json")
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc'])) or 'params'}: {e['msg']}" for e in error.errors()]
        raise UsageError(f"{pipeline.name}: {'; '.join(wrong)}") from error
