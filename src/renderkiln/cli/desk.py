"""Where commands give in jobs and ask for them: the database of this machine, or a server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from renderkiln.cli.jobsheet import Sheet
    from renderkiln.cli.orders import Order
    from renderkiln.database.jobs import StoredJob
    from renderkiln.domain.states import JobState
    from renderkiln.engine.batchreport import BatchReport
    from renderkiln.engine.queues import QueueReport

F = TypeVar("F", bound=Callable[..., Any])

_GIVEN = f"{__name__}.given"


@dataclass(frozen=True)
class Terms:
    """On what terms jobs are queued."""

    out: Path | None
    priority: int
    at: datetime | None
    after: Sequence[str]
    key: str | None
    label: str


@dataclass(frozen=True)
class Queued:
    """A batch and its jobs. `idle` names the queue that nobody draws from, if so."""

    batch: str
    jobs: Sequence[StoredJob]
    is_new: bool
    idle: str | None


class Desk(Protocol):
    """Every verb raises UserError for what there is not, and for what is not in a state for it."""

    def submit(self, pipeline: str, orders: Sequence[Order], terms: Terms) -> Queued:
        """Queue all orders as one batch, or none."""

    def jobs(
        self,
        *,
        states: Collection[JobState] = (),
        queue: str | None = None,
        batch: str | None = None,
        pipeline: str | None = None,
        text: str | None = None,
        limit: int,
    ) -> list[StoredJob]:
        """The newest jobs first."""

    def job(self, id: str) -> StoredJob: ...

    def each(self, ids: Sequence[str]) -> list[StoredJob]:
        """Those of these jobs that there are, in this order, as they stand now."""

    def sheet(self, id: str, *, with_events: bool) -> Sheet:
        """All that is known of a job."""

    def download(self, id: str, folder: Path) -> Iterator[Path]:
        """The finished files of a job, one after another, when each is in `folder`."""

    def cancel(self, id: str) -> None: ...

    def retry(self, id: str, *, from_scratch: bool) -> None: ...

    def reprioritise(self, id: str, priority: int) -> None: ...

    def batches(self, limit: int) -> Sequence[BatchReport]:
        """The newest first."""

    def batch_report(self, id: str) -> BatchReport: ...

    def batch(self, id: str) -> list[StoredJob]:
        """Its jobs, in their order."""

    def cancel_batch(self, id: str) -> Sequence[str]:
        """The ids of the jobs that were cancelled."""

    def retry_batch(self, id: str, states: Collection[JobState], *, from_scratch: bool) -> Sequence[str]:
        """The ids of the jobs that were queued again."""

    def queues(self) -> Sequence[QueueReport]: ...

    def pause(self, queue: str) -> None: ...

    def resume(self, queue: str) -> None: ...

    def limit(self, queue: str, limits: Mapping[str, int | None]) -> None:
        """Change `worker_limit` and `global_limit`; None is what the settings say."""


def at_desk(command: F) -> F:
    """Adds the options that say where: within the command, `open_desk` goes there."""
    key = "Key for it; better in RENDERKILN_API_KEY, for others see command lines."
    command = click.option("--api-key", metavar="KEY", expose_value=False, callback=_note, help=key)(command)
    server = "Speak to this server instead of the database of this machine."
    return click.option("--server", metavar="URL", expose_value=False, callback=_note, help=server)(command)


@contextmanager
def open_desk() -> Iterator[Desk]:
    """That of the options and settings. Raises UserError where its database or server cannot be used."""
    from renderkiln.settings import Settings

    settings = Settings.load(**click.get_current_context().meta.get(_GIVEN, {}))
    if settings.server is None:
        from renderkiln.app import Renderkiln
        from renderkiln.cli.localdesk import LocalDesk

        with Renderkiln.open(settings) as kiln:
            yield LocalDesk(kiln)
    else:
        from renderkiln.cli.remotedesk import RemoteDesk
        from renderkiln.client import Client

        key = settings.api_key.get_secret_value() if settings.api_key else ""
        with Client(settings.server, key) as client:
            yield RemoteDesk(client)


def _note(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta.setdefault(_GIVEN, {})[option.name] = value
