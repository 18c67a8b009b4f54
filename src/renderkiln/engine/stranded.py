"""Jobs whose finished files wait to be uploaded on a machine where no worker does that any more.

They wait for it a while: a machine that is started anew has its files still. Then they go back to their own
queues, where whoever takes one makes its files anew, or uploads them if it finds them. Those that an older
version left here under the host's name are ours at once.
"""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field

import sqlalchemy as sa

from renderkiln.database import jobs, moves
from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock
from renderkiln.engine.announce import tell
from renderkiln.engine.stand_in import has_uploaders
from renderkiln.engine.ticket import Ticket
from renderkiln.engine.tickets import Tickets

_log = logging.getLogger(__name__)

PATIENCE = 600.0  # seconds
_GAP = 60.0  # seconds without a look: we were stopped ourselves, and begin anew
_AT_ONCE = 50  # jobs of one transaction


@dataclass
class Stranded:
    """A machine may be without such workers for `patience` seconds, by this process's own watching.

    `place` is this machine, and `host` what older versions called it.
    """

    database: Database
    tickets: Tickets
    clock: Clock
    owner: str
    place: str
    patience: float = PATIENCE
    host: str = field(default_factory=socket.gethostname)
    _since: dict[str, float] = field(default_factory=dict)  # by machine
    _looked: float = float("-inf")

    def look(self) -> None:
        """To be called every few seconds."""
        now = self.clock.monotonic()
        if now - self._looked > _GAP:
            self._since.clear()
        self._looked = now
        with self.database.read() as connection:
            left = {host for host in jobs.waiting_hosts(connection) if not has_uploaders(connection, host)}
        if self.host in left - {self.place}:
            self._adopt()
        self._since = {host: self._since.get(host, now) for host in left}
        for host, since in self._since.items():
            if now - since >= self.patience:
                self._free(host)

    def _adopt(self) -> None:
        with self.database.write() as connection:
            for stored in moves.rename_host(connection, self.host, self.place, _AT_ONCE):
                self.tickets.write(connection, Ticket.of(stored.report.job, stored.report.attempt))

    def _free(self, host: str) -> None:
        # A portion at each look: the thread that looks is the one that shows that we live.
        with self.database.write() as connection:
            freed = self._move(connection, host)
        if freed:
            _log.warning("nobody uploads what waits on %s: %d jobs go back to their queues", host, freed)

    def _move(self, connection: sa.Connection, host: str) -> int:
        moved = moves.release_from_host(connection, host, _AT_ONCE)
        for stored in moved:
            job, attempt = stored.report.job, stored.report.attempt
            self.tickets.write(connection, Ticket.of(job, attempt))
            message = f"Its files wait on {host}, which does not come back; another machine makes them anew"
            tell(
                connection,
                "job.taken_over",
                job,
                self.clock.now(),
                message=message,
                worker=self.owner,
                host=host,
            )
        return len(moved)
