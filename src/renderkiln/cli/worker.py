"""`renderkiln worker`: a process that works off the queues."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from renderkiln.cli.options import options_of
from renderkiln.cli.words import say
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from renderkiln.domain.event import Event
    from renderkiln.engine.supervisor import Signals

_log = logging.getLogger(__name__)


@click.command("worker", short_help="Work off the queues.")
@click.option("--queues", multiple=True, metavar="A,B", help="Queues to take jobs from; by default all")
@click.option(
    "--concurrency", "max_jobs", type=click.IntRange(1), help="Jobs at once over all of these queues"
)
@options_of(Settings, ["worker_id", "health_port", "idle_timeout", "grace", "log_format"])
@click.option("-q", "--quiet", is_flag=True, help="Log only warnings and errors.")
@click.option("--with-parent", type=int, hidden=True, help="End when this process, which started it, has.")
@click.option("--health-socket", type=int, hidden=True, help="Number of a socket for /health, open already.")
def worker(
    queues: Sequence[str], *, quiet: bool, with_parent: int | None, health_socket: int | None, **flags: Any
) -> int:
    """Take jobs from the queues and run them, until a signal or the idle time-out ends it.

    SIGTERM or Ctrl-C: take no more jobs, and let those that run end within the grace time. Once more: hand
    them to the other workers at once. It logs on stderr. Exit status 0 after an orderly end.
    """
    settings = Settings.load(**flags, log_level="warning" if quiet else None)
    name = settings.worker_id or f"{socket.gethostname()}-{os.getpid()}"

    from renderkiln.engine.supervisor import Signals  # late: `--help` and wrong options need no engine
    from renderkiln.observability import logs

    logs.set_up(settings.log_format, settings.log_level, worker=name)
    signals = Signals()
    signals.listen()
    if with_parent is not None:
        threading.Thread(target=_end_with, args=[with_parent], name="parent", daemon=True).start()
    try:
        status = _work(settings, name, _split(queues), signals, health_socket)
    except UserError as error:
        status = _tell(error, settings.log_format)
    leave_if_stuck(status)
    return status


def _work(settings: Settings, name: str, queues: Sequence[str], signals: Signals, number: int | None) -> int:
    from renderkiln.app import Renderkiln
    from renderkiln.database.condition import address_of
    from renderkiln.database.trouble import explained
    from renderkiln.domain.clock import SystemClock
    from renderkiln.engine.statistics import Statistics
    from renderkiln.engine.supervisor import Supervisor, check_home, reach
    from renderkiln.observability import traces
    from renderkiln.observability.logs import JobLog

    home, clock = settings.home.absolute(), SystemClock()
    address = address_of(settings.database, home)
    check_home(home)
    if not reach(address, clock, signals.wanted):
        return 0
    statistics = Statistics(clock)
    listeners = [statistics.hear, JobLog().hear]
    health = _health(settings, number)
    metrics: dict[str, CollectorRegistry] = {}
    if health is not None and settings.metrics:
        from renderkiln.observability.metrics import OWN_WORK, WorkMetrics, new_registry

        work = WorkMetrics()
        metrics = {"/metrics": new_registry(work.registry), OWN_WORK: work.registry}
        listeners.append(work.hear)

    def listen(event: Event) -> None:
        for hear in listeners:
            hear(event)

    with (
        traces.spans("renderkiln-worker") as spans,
        Renderkiln.open(settings) as kiln,
        explained(address),
    ):
        if spans is not None:
            listeners.append(traces.JobTraces(spans).hear)
        worker = kiln.room.worker(
            name=name,
            queues=queues,
            most=settings.max_jobs,
            listen=listen,
            crashes=settings.crashes,
            grace=settings.grace,
            idle_timeout=settings.idle_timeout,
        )
        if metrics:
            from renderkiln.engine.gauges import Gauges

            metrics["/metrics"].register(Gauges(kiln.room))
        return Supervisor(kiln.room, worker, statistics, signals, health=health, metrics=metrics).run()


def _health(settings: Settings, number: int | None) -> socket.socket | None:
    """Where it says how it is, if anywhere. Raises UserError where it cannot listen."""
    from renderkiln.engine.health import listening

    if number is not None:
        opened = socket.socket(fileno=number)
        opened.set_inheritable(False)  # not for its stages
        return opened
    return None if settings.health_port is None else listening(settings.health_host, settings.health_port)


def _split(queues: Sequence[str]) -> tuple[str, ...]:
    """The names in `a,b` and in repeated options, each once."""
    names = [name.strip() for each in queues for name in each.split(",")]
    return tuple(dict.fromkeys(names))


def _tell(error: UserError, shape: str) -> int:
    """Say what was wrong in the shape of the other lines; the exit status."""
    if shape == "json":
        _log.error("%s", error)
    else:
        say(str(error))
    return 2 if isinstance(error, UsageError) else 1


def _end_with(parent: int) -> None:
    """End in order once the process that started this one is gone: nobody else would end it."""
    while os.getppid() == parent:
        time.sleep(1.0)
    _log.warning("the process that started this worker is gone")
    os.kill(os.getpid(), signal.SIGTERM)


def leave_if_stuck(status: int) -> None:
    """End now if a thread waits for a database that is away: Python would wait for the thread.

    Nothing is lost: what it holds is taken over, and its stages end with this process.
    """
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in others:
        if not thread.daemon:
            thread.join(timeout=1)
            if thread.is_alive():
                sys.stderr.flush()
                os._exit(status)
