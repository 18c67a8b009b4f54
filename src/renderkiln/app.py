"""The composition root: puts settings, plug-ins and engine together. The only file that knows everybody."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from pydantic import ValidationError

from renderkiln.database.engine import Database, default_url, upgrade
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.domain.cost import Prices
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.domain.job import Input, Job, job_id, new_batch_id
from renderkiln.domain.place import is_url
from renderkiln.domain.queue import AUDIO, EVENTS, UPLOADS, VIDEO
from renderkiln.domain.report import JobReport
from renderkiln.domain.retry import Retry
from renderkiln.engine.assets import Assets
from renderkiln.engine.caretaker import Caretaker
from renderkiln.engine.carrier import Carrier
from renderkiln.engine.depot import Depot
from renderkiln.engine.direct import Direct
from renderkiln.engine.errand import Errands
from renderkiln.engine.executor import Executor
from renderkiln.engine.heartbeat import announce
from renderkiln.engine.house import House
from renderkiln.engine.keys import Keys
from renderkiln.engine.loose import LooseFiles
from renderkiln.engine.machine import machine_of
from renderkiln.engine.narrator import Listener
from renderkiln.engine.projects import Projects
from renderkiln.engine.retention import Keep, Retention
from renderkiln.engine.sources import is_outside
from renderkiln.engine.stage_process import ForkServer
from renderkiln.engine.storing import Storehouse
from renderkiln.engine.submission import Submission
from renderkiln.engine.uploads import Uploads
from renderkiln.events.emission import Emitted, Emitter, checked, emit
from renderkiln.events.subscription import Subscriptions
from renderkiln.media import kernels
from renderkiln.pipelines import catalog
from renderkiln.pipelines.contract import InputFacts, Pipeline, Stage
from renderkiln.pipelines.faults import wrong_params
from renderkiln.services import services_of
from renderkiln.settings import Settings
from renderkiln.storage.rooms import Rooms, Visibility
from renderkiln.stores import Stores

if TYPE_CHECKING:
    from renderkiln.engine.estimate import Estimate, Estimator
    from renderkiln.engine.look import Looks
    from renderkiln.engine.preview import Previews
    from renderkiln.engine.room import Room


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
        self._home = settings.home.absolute()
        self._server = ForkServer()
        self._executor = Executor(self._server, clock=self._clock, stall_timeout=settings.stall_timeout)
        self._opening = threading.Lock()
        self._emitter = Emitter(lambda: self.database, self._clock)
        self._own: Direct | None = None
        self._caretaker: Caretaker | None = None

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """With these settings, else with those of the environment. Raises UsageError for wrong settings."""
        return cls(settings or Settings.load())

    @cached_property
    def database(self) -> Database:
        """Opened when it is first asked for, and its tables brought up to date. Raises UserError."""
        database = Database(self.settings.database or default_url(self._home))
        upgrade(database)
        return database

    @cached_property
    def room(self) -> Room:
        """The queues: jobs that outlive this process. Opened when it is first asked for."""
        # Imported late: what runs here and now needs no queues, and DBOS takes a while to import.
        from renderkiln.engine.room import Room

        settings = self.settings
        return Room(
            database=self.database,
            clock=self._clock,
            home=self._home,
            keep=self._keep,
            house=self._house,
            lanes={
                VIDEO: settings.video_rendering,
                AUDIO: settings.audio_rendering,
                UPLOADS: settings.storage_upload,
                EVENTS: settings.event_processing,
            },
            most_of={
                VIDEO: settings.video_rendering_global,
                AUDIO: settings.audio_rendering_global,
                UPLOADS: settings.storage_upload_global,
                EVENTS: settings.event_processing_global,
            },
            tries=self._tries,
            stages=lambda job: [each.name for each in self.stages(job)],
            polling=settings.poll_interval,
            patience=settings.upload_patience,
            sweep_storage=self._sweep_storage,
            depot=self._depot,
        )

    @cached_property
    def stores(self) -> Stores:
        """Where files are kept. Raises UsageError where the settings make no storage."""
        return Stores(self.settings, self._clock)

    @property
    def storage(self) -> Rooms:
        """Where new files go: a private room and a public one."""
        return self.stores.rooms()

    @property
    def keys(self) -> Keys:
        """Who may use the API."""
        return Keys(self.database, self._clock)

    @property
    def uploads(self) -> Uploads:
        """Uploads that have begun, on this machine."""
        return Uploads(self._home / "uploads")

    @cached_property
    def assets(self) -> Assets:
        """Files that were uploaded."""
        services = services_of(self.settings)
        return Assets(
            self.database, self._clock, self.storage.private, services.cache / "assets", services.limits
        )

    @property
    def prices(self) -> Prices:
        """What work costs."""
        set_ = self.settings
        return Prices(set_.currency, set_.price_cpu_hour, set_.price_gb_stored, set_.price_gb_sent)

    @property
    def webhooks(self) -> Subscriptions:
        """Who is told of what happens."""
        return Subscriptions(self.database, self._clock, self.settings.private_urls)

    def emit(self, type: str, payload: Mapping[str, Any], *, account: str | None = None) -> Emitted:
        """Write an event now, seen by `account` alone. Raises UsageError for what is none."""
        type, payload = checked(type, payload)
        with self.database.write() as connection:
            return emit(connection, type, payload, self._clock.now(), account=account)

    def queue_event(self, type: str, payload: Mapping[str, Any]) -> bool:
        """Emit an event: for its handlers, webhooks, and whoever watches. Never raises, never waits.

        True when it was taken: it is written at once from another thread, and as soon as possible where the
        database is locked or away; `close` waits some seconds for that. Events that are still in memory when
        the process is killed are lost. False, and an error in the log, for what is no event; a type without a
        handler is a warning in the log.
        """
        return self._emitter.put(type, payload)

    @property
    def projects(self) -> Projects:
        """Stored projects and their scenes."""
        return Projects(self.database, self._clock, project_document)

    def projects_outside(self, account: str | None) -> Projects:
        """Those of an account (None: of all), for strangers: no document names files of this machine."""
        return Projects(self.database, self._clock, outside_document, account)

    def close(self) -> None:
        """End whatever still runs."""
        self._emitter.close()
        if self._own is not None:
            self._own.close()
        if self._caretaker is not None:
            self._caretaker.__exit__()
        self._server.close()
        if "room" in self.__dict__:
            self.room.close()
        if "database" in self.__dict__:
            self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def previews(self) -> Previews:
        """Pictures of films before they are made."""
        from renderkiln.engine.preview import Previews  # late: only the API draws any

        return Previews(self._server, partial(services_of, self.settings), lambda: self.assets)

    @property
    def looks(self) -> Looks:
        """Pictures of templates."""
        from renderkiln.engine.look import Looks  # late: only the API draws any

        return Looks(self._server, partial(services_of, self.settings))

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

    def _tries(self, pipeline: str) -> int:
        try:
            return self.retry(self.pipeline(pipeline)).attempts
        except UsageError:  # the plug-in is gone
            return Retry().attempts

    def stages(self, job: Job) -> Sequence[Stage]:
        """The stages of a job in their order. Raises UserError where its pipeline is not what it was."""
        pipeline = self.pipeline(job.pipeline)
        try:
            return pipeline.stages(pipeline.Params.model_validate(dict(job.params)))
        except ValidationError as error:  # it is another version by now
            raise UserError(
                f"the params of job {job.id} are none that {job.pipeline} takes here: submit it anew"
            ) from error

    def new_batch(self) -> str:
        """An id for jobs that belong together."""
        return new_batch_id(self._clock.now())

    def job(
        self,
        pipeline: str,
        path: Input | None,
        params: Mapping[str, Any] | None = None,
        *,
        batch_id: str | None = None,
        item_id: str = "1",
        format: str | None = None,
        label: str | None = None,
        priority: int = 100,
        metadata: Mapping[str, Any] | None = None,
        account: str = "",
    ) -> Job:
        """A job for one file, or for none where a pipeline's params say it all.

        `path` is a path, or as a text an asset (`asset:ast_…`) or a URL. The file is not looked at before the
        job runs. `format` is the last part of the id; `label` is what people read, by default the file's
        name; low numbers of `priority` run first. Raises UsageError for an unknown pipeline, for params it
        does not accept, and for characters that have no place in an id.
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
            inputs=() if path is None else (path,),
            created_at=self._clock.now(),
            format=format,
            label=label if label is not None else pipeline if path is None else _called(path),
            priority=priority,
            max_attempts=self.retry(kind).attempts,
            metadata=dict(metadata or {}),
            account=account,
        )

    def estimate(
        self, pipeline: str, params: Mapping[str, Any], inputs: Sequence[InputFacts] = ()
    ) -> Estimate:
        """What a job with these params would take, from what such jobs have taken. Opens no file.

        Raises UsageError for an unknown pipeline, and for params it does not accept.
        """
        kind = self.pipeline(pipeline)
        valid = kind.Params.model_validate(_validated(kind, params))
        return self.estimator.estimate(kind, valid, inputs)

    @property
    def estimator(self) -> Estimator:
        """For many estimates: it looks up once what jobs of a kind have taken."""
        from renderkiln.engine.estimate import Estimator  # late: most calls estimate nothing

        return Estimator(self.database, services_of(self.settings), self.prices)

    def take_on(self, jobs: Sequence[Job], *, output: Path | None = None, reuse: bool = True) -> list[Job]:
        """Let this process be the one to `run` these jobs of one batch, and nobody else while it lives.

        The jobs to run: these, or those of the same call before, whose process was killed, with what they had
        finished. When this process dies before their end, the same call or a worker goes on with them; those
        not begun when it closes are cancelled.
        """
        folder = (output or self.settings.output_dir).absolute()
        return self._direct.take_on(Submission(jobs[0].batch_id, jobs, folder), reuse=reuse)

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
        raised. UserError is raised where the database cannot be used. `listen` is called in this thread with
        each event, at most about ten times a second. When `stop` is set, a cancelled report comes back within
        two seconds. What a killed run of the same job has finished is used again unless `reuse` is False.
        A job that was taken on is rendered into the folder it was taken on with.
        """
        self._server.start(self.pipeline(job.pipeline).preload)  # it loads them while this process does, too
        if not self._direct.knows(job.id):
            (job,) = self.take_on([job], output=output, reuse=reuse)
        return self._direct.run(job, listen=listen, stop=stop, reuse=reuse)

    @property
    def _direct(self) -> Direct:
        """The executor of what runs here and now."""
        with self._opening:
            if self._own is None:
                me = announce(self._clock, direct=True, machine=machine_of(self._home))
                self._own = Direct(self._house(me), me, lambda c, ticket: self.room.tickets.write(c, ticket))
                self._caretaker = Caretaker(self._clearing_up, self._clock).__enter__()
            return self._own

    def _house(self, worker: NewWorker) -> House:
        """Where the attempts of `worker` happen."""
        return House(
            database=self.database,
            executor=self._executor,
            clock=self._clock,
            home=self._home,
            pipeline=self.pipeline,
            services=partial(services_of, self.settings),
            retry=self.retry,
            assets=lambda: self.assets,
            owner=worker.id,
            worker=worker.name,
            host=worker.place,
            errands=Errands(
                self._server,
                self._home,
                self.settings.private_urls,
                (self.settings.log_format, self.settings.log_level, worker.name),
                lambda: self.stores.addresses_elsewhere,
            ),
            keep_work=self.settings.keep_work,
            prices=self.prices,
            storehouse=None if worker.direct else self._storehouse,
            carrier=None if worker.direct or self._depot is None else Carrier(self._depot),
        )

    @property
    def _storehouse(self) -> Storehouse | None:
        wanted = self.settings.upload
        if wanted == "never" or (wanted == "auto" and self.settings.storage == "local"):
            return None
        self.stores.rooms()  # what is wrong with the settings is told now, not by each job
        return Storehouse(self.stores.rooms, self._visibility)

    @property
    def _depot(self) -> Depot | None:
        """Where finished work waits for other machines; None if there are none."""
        wanted, remote = self.settings.share_work, self.settings.storage != "local"
        if wanted == "never" or (wanted == "auto" and (not remote or self.database.is_sqlite)):
            return None
        return Depot(lambda stop: self.stores.rooms(stop).private)

    def _visibility(self, job: Job) -> Visibility:
        """As the params of its pipeline say, else as the settings do."""
        pipeline = self.pipeline(job.pipeline)
        told: Visibility | None = None
        if (ask := getattr(pipeline, "visibility", None)) is not None:
            told = ask(pipeline.Params.model_validate(dict(job.params)))
        return told or self.settings.upload_visibility

    def _sweep_storage(self, age: float) -> int:
        loose = LooseFiles(self.database, self._clock, lambda: self.storage.private)
        return self.stores.sweep(age) + loose.sweep(age)

    def _clearing_up(self) -> Retention:
        """For who runs no worker: without its queues, which take a while to load."""
        sweep, depot = self._sweep_storage, self._depot
        return Retention(self.database, None, self._clock, self._home, self._keep, sweep, depot)

    @property
    def _keep(self) -> Keep:
        kept = self.settings
        return Keep(
            jobs=kept.keep_jobs,
            events=kept.keep_events,
            completed=kept.keep_completed,
            failed=kept.keep_failed,
            cache=kept.cache_size,
        )


def project_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """A project document as it is kept: checked, in plain JSON, and nothing in it that was not given.

    Raises UsageError with all that is wrong with it. The files that it names are not looked at.
    """
    from renderkiln.pipelines.scenes.document.reading import project_of  # its schema takes a while to build

    return project_of(document, "the project").model_dump(mode="json", exclude_unset=True)


def outside_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """`project_document`, of a stranger. Raises UsageError for every path that it names, too."""
    from renderkiln.pipelines.scenes.document.mistakes import Mistake, WrongProject, quoted
    from renderkiln.pipelines.scenes.document.places import places
    from renderkiln.pipelines.scenes.document.reading import project_of

    project = project_of(document, "the project")
    told = "is a path on the server: upload the file and name it as asset:ast_…, or give its URL"
    named = places(project, document)
    if wrong := [
        Mistake(each.path, f"{quoted(each.place)} {told}") for each in named if not is_outside(each.place)
    ]:
        raise WrongProject("the project", wrong)
    return project.model_dump(mode="json", exclude_unset=True)


def _called(given: Input) -> str:
    """What people read of an input: of a URL its last part, for its query may be a secret."""
    if isinstance(given, Path):
        return given.name
    from renderkiln.media.download import safe_name  # brings httpx with it

    return safe_name(urlsplit(given).path) if is_url(given) else given


def _validated(pipeline: Pipeline, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return pipeline.Params.model_validate(dict(params)).model_dump(mode="json")
    except ValidationError as error:
        raise wrong_params(pipeline.name, pipeline.Params, error) from error
