"""Tells what happens to one job, as events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from renderkiln.domain.clock import Clock
from renderkiln.domain.event import Event
from renderkiln.domain.progress import WeightedProgress

_log = logging.getLogger(__name__)

Listener = Callable[[Event], None]


class Narrator:
    """Makes the events of one job, over all its attempts; its percent never falls."""

    def __init__(self, job_id: str, clock: Clock, *listeners: Listener, percent: float = 0.0) -> None:
        self._job_id = job_id
        self._clock = clock
        self._listeners = list(listeners)
        self._progress: WeightedProgress | None = None
        self._percent = percent

    def begin(self, weights: Mapping[str, float], *, until: float = 100.0) -> None:
        """An attempt with these stages begins; they end at `until` percent of the job."""
        self._progress = WeightedProgress(weights, floor=self._percent, until=until)

    def reach(self, stage: str, fraction: float) -> None:
        """Note silently how far `stage` is, 0 … 1."""
        if self._progress is not None:
            self._percent = self._progress.report(stage, fraction)

    def rise_to(self, percent: float) -> None:
        """Note silently how far the job is, besides its stages."""
        self._percent = max(self._percent, percent)

    def finish(self) -> None:
        """The job was completed: 100 %."""
        self._percent = 100.0

    def event(self, name: str, stage: str | None = None, message: str = "", **facts: Any) -> Event:
        """What is to be told, when something must be done with it first."""
        return Event(name, self._job_id, self._clock.now(), self._percent, stage, message, facts)

    def say(self, name: str, stage: str | None = None, message: str = "", **facts: Any) -> None:
        self.tell(self.event(name, stage, message, **facts))

    def tell(self, event: Event) -> None:
        for listen in tuple(self._listeners):
            try:
                listen(event)
            except Exception:  # noqa: BLE001  a listener is a stranger: it must not end a render
                self._listeners.remove(listen)
                _log.exception("a listener failed and hears no more of %s", self._job_id)
