"""How far a job is, as the command line and the API print it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from renderkiln.domain.artifact import Artifact, Kept
from renderkiln.domain.cost import Cost
from renderkiln.domain.job import Job
from renderkiln.domain.states import JobState, Verb, moved


@dataclass(frozen=True)
class JobError:
    """Why a job failed: `code` is for programs (`UNREADABLE` …), `message` one line for people."""

    code: str
    message: str


@dataclass(frozen=True)
class JobReport:
    """A job and what has become of it so far. `progress` is percent, 0 … 100, never falling.

    `result` is the pipeline's summary; `warnings` maps codes to sentences; `reused` names the stages whose
    recorded result was used again, `left_out` the optional stages that failed.
    """

    job: Job
    state: JobState = "pending"
    stage: str | None = None
    progress: float = 0.0
    message: str = ""
    attempt: int = 0
    worker: str | None = None
    started_at: datetime | None = None  # first attempt
    processed_at: datetime | None = None  # latest attempt
    completed_at: datetime | None = None  # whichever way it ended
    error: JobError | None = None
    result: Mapping[str, Any] | None = None
    artifacts: tuple[Artifact, ...] = ()
    warnings: Mapping[str, str] = field(default_factory=dict)
    reused: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    cost: Cost | None = None  # of all its attempts that have ended

    @property
    def succeeded(self) -> bool:
        return self.state == "completed"

    @property
    def products(self) -> tuple[Artifact, ...]:
        """The files that the job was for: the first one and those of its kind. All others go with them."""
        return tuple(each for each in self.artifacts if each.kind == self.artifacts[0].kind)

    @property
    def place(self) -> Path | Kept | None:
        """Where its products are: the file, or the folder where there are several; the first that is kept."""
        if not self.artifacts:
            return None
        first = self.artifacts[0]
        return first.kept or (first.path if len(self.products) == 1 else first.path.parent)

    def move(self, verb: Verb, **changes: Any) -> JobReport:
        """The report after `verb`. Raises Superseded where the state does not allow it."""
        return replace(self, state=moved(self.state, verb), **changes)

    def to_json(self) -> dict[str, Any]:
        """The job as JSON values, with the key names fixed for clients."""
        return {
            "id": self.job.id,
            "batchId": self.job.batch_id,
            "label": self.job.label,
            "pipeline": self.job.pipeline,
            "queue": self.job.queue,
            "state": self.state,
            "stage": self.stage,
            "progress": round(self.progress, 1),
            "message": self.message,
            "attempt": self.attempt,
            "maxAttempts": self.job.max_attempts,
            "worker": self.worker,
            "priority": self.job.priority,
            "createdAt": iso(self.job.created_at),
            "startedAt": iso(self.started_at),
            "processedAt": iso(self.processed_at),
            "completedAt": iso(self.completed_at),
            "error": {"code": self.error.code, "message": self.error.message} if self.error else None,
            "result": dict(self.result) if self.result is not None else None,
            "artifacts": [_artifact(self.job.id, n, a) for n, a in enumerate(self.artifacts, 1)],
            "metadata": dict(self.job.metadata),
            "warnings": [{"code": code, "message": text} for code, text in self.warnings.items()],
            "reused": list(self.reused),
            "leftOut": [{"stage": stage, "message": text} for stage, text in self.left_out.items()],
            "cost": None if self.cost is None else self.cost.to_json(),
        }


def iso(moment: datetime | None) -> str | None:
    """A time as clients read it: `2026-01-27T12:00:00.000Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _artifact(job_id: str, position: int, artifact: Artifact) -> dict[str, Any]:
    return {
        "id": f"{job_id}-{position}",
        "name": artifact.path.name,
        **({"path": str(artifact.path)} if artifact.kept is None else {"kept": asdict(artifact.kept)}),
        "size": artifact.size,
        "sha256": artifact.sha256,
        "contentType": artifact.content_type,
        "kind": artifact.kind,
        "facts": dict(artifact.facts),
    }
