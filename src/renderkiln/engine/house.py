"""Where attempts happen, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock
from renderkiln.domain.cost import Prices
from renderkiln.domain.retry import Retry
from renderkiln.engine.assets import Assets
from renderkiln.engine.carrier import Carrier
from renderkiln.engine.errand import Errands
from renderkiln.engine.executor import Executor
from renderkiln.engine.storing import Storehouse
from renderkiln.pipelines.contract import Pipeline, Services


@dataclass(frozen=True)
class House:
    """Where attempts happen and what they share. `home` is RENDERKILN_HOME."""

    database: Database
    executor: Executor
    clock: Clock
    home: Path
    pipeline: Callable[[str], Pipeline]
    services: Callable[[Path], Services]  # for a job with this output folder
    retry: Callable[[Pipeline], Retry]
    assets: Callable[[], Assets]
    owner: str  # this executor's id: new at every start
    worker: str  # its name for people
    host: str  # its machine, by the name in its home folder
    errands: Errands
    keep_work: bool = False
    prices: Prices = field(default_factory=Prices)
    storehouse: Storehouse | None = None  # None: finished files stay where they are
    carrier: Carrier | None = None  # None: unfinished work stays on this machine

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def logs(self) -> Path:
        return self.home / "logs"
