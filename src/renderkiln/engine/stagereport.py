"""How the stages of a job stand: what its pipeline plans, and what its events tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from renderkiln.database.jobs import StoredJob
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.report import iso
from renderkiln.pipelines.contract import Stage

StageState = Literal["waiting", "running", "completed", "reused", "failed", "stopped", "left_out"]

TOLD_BY: tuple[EventName, ...] = (
    "job.started",
    "stage.started",
    "stage.reused",
    "stage.completed",
    "stage.failed",
    "stage.stopped",
    "stage.left_out",
)
_STATES: Mapping[str, StageState] = {
    "stage.reused": "reused",
    "stage.completed": "completed",
    "stage.failed": "failed",
    "stage.stopped": "stopped",
    "stage.left_out": "left_out",
}


@dataclass(frozen=True)
class StageReport:
    """A stage in the latest attempt that came to it. `weight` is None where its pipeline does not plan it."""

    name: str
    message: str = ""
    weight: float | None = None
    optional: bool = False
    state: StageState = "waiting"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    error: str | None = None  # why it failed or was left out

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "message": self.message,
            "weight": self.weight,
            "optional": self.optional,
            "state": self.state,
            "startedAt": iso(self.started_at),
            "endedAt": iso(self.ended_at),
            "seconds": self.seconds,
            "cpuSeconds": self.cpu_seconds,
            "peakBytes": self.peak_bytes,
            "error": self.error,
        }

    def after(self, event: Event) -> StageReport:
        """As it stands once this has happened to it."""
        if event.name == "stage.started":
            return replace(self.anew(), state="running", started_at=event.at)
        state, facts = _STATES[event.name], event.facts
        return replace(
            self,
            state=state,
            ended_at=event.at,
            seconds=facts.get("seconds", self.seconds),
            cpu_seconds=facts.get("cpu_seconds", self.cpu_seconds),
            peak_bytes=facts.get("peak_bytes", self.peak_bytes),
            error=event.message if state in {"failed", "left_out"} else None,
        )

    def anew(self) -> StageReport:
        """As it stands before an attempt."""
        return StageReport(self.name, self.message, self.weight, self.optional)


def reports(stored: StoredJob, planned: Sequence[Stage], told: Iterable[Event]) -> list[StageReport]:
    """The stages of a job in their order; of a job whose events are forgotten, as its own state says.

    `told` are its events of the kinds `TOLD_BY`, in their order.
    """
    found = {each.name: StageReport(each.name, each.message, each.weight, each.optional) for each in planned}
    attempt = 0
    for event in told:
        if event.stage is not None:
            known = found.get(event.stage) or StageReport(event.stage, event.message)
            found[event.stage] = known.after(event)
        elif (
            event.facts.get("attempt", attempt) != attempt
        ):  # the same one goes on where its files are stored
            attempt = event.facts["attempt"]
            found = {name: each.anew() for name, each in found.items()}
    return [_settled(each, stored) for each in found.values()]


def _settled(stage: StageReport, stored: StoredJob) -> StageReport:
    """What no event tells: that a stage ended with the process that ran it, or was completed long ago."""
    state = stored.report.state
    if stage.state == "running" and state != "processing":
        return replace(stage, state="stopped")
    if stage.state == "waiting" and state == "completed":
        return replace(stage, state="completed")
    return stage
