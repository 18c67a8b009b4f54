"""`renderkiln serve`: the HTTP API, and a worker beside it."""

from __future__ import annotations

import gc
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import click

from renderkiln.cli.options import options_of
from renderkiln.cli.words import say
from renderkiln.settings import Settings

_log = logging.getLogger(__name__)
_PAUSE, _LONGEST = 5.0, 300.0  # seconds before a worker that ended unasked is started again
_SETTLED = 60.0  # seconds after which one that ends is no sign that the next will, too


@click.command("serve", short_help="Answer over HTTP, and work off the queues.")
@options_of(Settings, ["host", "port", "log_format"])
@click.option("--no-worker", is_flag=True, help="Only answer: workers run elsewhere.")
@click.option("-q", "--quiet", is_flag=True, help="Log only warnings and errors.")
def serve(*, no_worker: bool, quiet: bool, **flags: Any) -> int:
    """Answer HTTP requests under /api/v1 and run a worker, until a signal ends it.

    SIGTERM or Ctrl-C: what is being answered ends, and what renders may end within the grace time of workers.
    Once more: renders are handed to other workers at once. Who asks needs a key: `renderkiln keys create`.
    """
    level = "warning" if quiet else None
    settings = Settings.load(**flags, log_level=level)

    from renderkiln.api.app import create_app  # late: FastAPI takes a while to import
    from renderkiln.api.server import Server
    from renderkiln.app import Renderkiln
    from renderkiln.cli.worker import leave_if_stuck
    from renderkiln.database.trouble import explained
    from renderkiln.engine.health import listening, url_of
    from renderkiln.engine.supervisor import Signals, check_home
    from renderkiln.observability import logs, traces

    logs.set_up(settings.log_format, settings.log_level, worker="serve")
    signals = Signals()
    signals.listen()
    check_home(settings.home.absolute())
    with traces.spans("renderkiln-api") as spans, Renderkiln.open(settings) as kiln:
        with explained(kiln.database.url):
            kiln.room.queues.apply()
        health = None
        if not no_worker:
            # Open here and now, so that its number is known, and stays when the worker is started again.
            port = settings.health_port
            health = listening("127.0.0.1", 0) if port is None else listening(settings.health_host, port)
        app = create_app(kiln, spans, worker=None if health is None else url_of(health))
        server = Server(app, settings.host, settings.port)
        say(f"{server.url}/api/v1 answers; its description: {server.url}/openapi.json")
        entrance = (settings.public_url or server.url).rstrip("/")
        say(f"log in with a browser, once: {entrance}/login?token={app.state.reached.sessions.token}")
        if not any(key.revoked_at is None for key in kiln.keys.list()):
            say("nobody has a key yet: `renderkiln keys create --name NAME --scope admin` makes one")
        keeper = None if health is None else _Keeper(_worker(settings, level, health), server.port, health)

        def stop() -> None:
            server.stop()
            if keeper is not None:
                keeper.stop()

        signals.pass_on_to(stop)
        try:
            if keeper is not None:
                keeper.start()
            app.state.reached.fetcher.resume()
            # What there is by now stays. To look through its 200,000 objects for garbage holds up every
            # answer for more than a tenth of a second.
            gc.freeze()
            server.run()
        finally:
            app.state.reached.fetcher.close()
            if keeper is not None:
                keeper.end()
            if health is not None:
                health.close()
    leave_if_stuck(0)
    return 0


def _worker(settings: Settings, level: str | None, health: socket.socket) -> list[str]:
    """The command of the worker, a process of its own so that renders keep nobody waiting for an answer."""
    quiet = [] if level is None else ["--quiet"]
    command = [
        sys.executable,
        "-m",
        "renderkiln",
        "worker",
        "--idle-timeout",
        "0",
        "--with-parent",
        str(os.getpid()),
        "--health-socket",
        str(health.fileno()),
    ]
    return [*command, "--log-format", settings.log_format, *quiet]


class _Keeper(threading.Thread):
    """Keeps one process running until it is told to stop it; told again, it tells that process again."""

    def __init__(self, command: list[str], port: int, health: socket.socket) -> None:
        super().__init__(name="worker-keeper")
        self._command, self._health = command, health
        self._env = {**os.environ, "RENDERKILN_PORT": str(port)}  # for the addresses that webhooks are told
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        pause = _PAUSE
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                # A session of its own: Ctrl-C is for this process, which passes it on once.
                self._process = subprocess.Popen(
                    self._command,
                    env=self._env,
                    start_new_session=True,
                    pass_fds=[self._health.fileno()],
                )
            except OSError as error:
                _log.error("no worker can be started: %s", error)
            else:
                if self._stopping.is_set():
                    self._process.terminate()
                status = self._process.wait()
                if not self._stopping.is_set():
                    _log.error("the worker ended with status %d: starting another in %g s", status, pause)
            self._stopping.wait(pause)
            pause = _PAUSE if time.monotonic() - begun > _SETTLED else min(2 * pause, _LONGEST)

    def stop(self) -> None:
        """Tell the process to end."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, telling it so if nobody has."""
        if not self._stopping.is_set():
            self.stop()
        self.join()
