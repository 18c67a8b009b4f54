"""What happens to a job, as it happens: command line, logs, metrics and dashboard listen to this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

EventName = Literal[
    "job.created",
    "job.started",
    "job.progress",  # facts: fps, speed, eta_seconds, as the stage has them
    "job.retrying",  # an attempt failed, another one follows; facts: seconds until then, error
    "job.handed_over",  # its files are made and wait to be uploaded; facts: seconds, bytes
    "job.handed_back",  # its worker shut down in order; another one goes on
    "job.taken_over",  # its worker died; another one goes on
    "job.reopened",  # it had failed, and a person asked for it again
    "job.completed",  # facts: attempt, seconds that it took, bytes of its files
    "job.failed",  # message says why; facts: attempt, seconds, code
    "job.cancelled",
    "stage.started",
    "stage.reused",  # its recorded result is used again
    "stage.completed",  # facts: seconds, cpu_seconds, peak_bytes, paid (to services)
    "stage.failed",  # facts: as of one that was completed, and code
    "stage.stopped",  # because someone wished so; facts: as of one that was completed
    "stage.left_out",  # an optional stage failed
    "part.completed",  # facts: part
    "warning",  # facts: code
    "batch.created",
    "batch.completed",  # facts: how many jobs are in which state, round
    "worker.started",
    "worker.stopped",
    "worker.lost",  # it fell silent
    "queue.paused",
    "queue.resumed",
    "queue.changed",  # its limits
    "project.created",  # facts: project, name, revision; of all that follow: project, revision
    "project.updated",  # its name, or its document with all scenes
    "project.deleted",  # with all its scenes
    "scene.created",  # with its project or alone; facts of all that follow, too: scene, position from 1
    "scene.updated",
    "scene.moved",
    "scene.removed",  # facts: the position it had
    "webhook.disabled",  # message says why; facts: webhook
]

# What programs elsewhere are told of; the others are steps on the way, for who watches.
PUBLIC: frozenset[str] = frozenset(
    {
        "job.started",
        "job.retrying",
        "job.completed",
        "job.failed",
        "job.cancelled",
        "job.reopened",
        "batch.created",
        "batch.completed",
        "worker.lost",
        "queue.paused",
        "queue.resumed",
        "queue.changed",
        "project.created",
        "project.updated",
        "project.deleted",
        "scene.created",
        "scene.updated",
        "scene.moved",
        "scene.removed",
        "webhook.disabled",
    }
)
OURS: frozenset[str] = frozenset(get_args(EventName))
# Only the engine says what happens to these: nobody shall forge that a job was completed.
RESERVED = ("job", "batch", "stage", "part", "warning", "worker", "queue", "webhook")


@dataclass(frozen=True)
class Event:
    """`percent` is the whole job's, 0 … 100, never falling. `facts` are small JSON values such as fps."""

    name: str  # an EventName, or a type of somebody's own, whose `facts` are the payload
    job_id: str | None  # None: it tells of a batch, a worker, a queue or a project
    at: datetime
    percent: float
    stage: str | None = None
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Any]:
        """Its facts as clients read them: names of ours in their way of writing, a payload as it came."""
        if self.name not in OURS:
            return dict(self.facts)
        return {_camel(name): value for name, value in self.facts.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
