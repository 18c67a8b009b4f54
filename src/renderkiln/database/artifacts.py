"""Finished files of jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from renderkiln.database.schema import artifacts
from renderkiln.domain.artifact import Artifact

_AT_ONCE = 500  # parameters of one statement


def insert(connection: sa.Connection, job_id: str, files: Sequence[Artifact], now: datetime) -> None:
    """Record the files of a job, in their order."""
    rows = [
        {
            "id": f"{job_id}-{position}",
            "job_id": job_id,
            "position": position,
            "kind": file.kind,
            "path": str(file.path),
            "name": file.path.name,
            "size": file.size,
            "sha256": file.sha256,
            "content_type": file.content_type,
            "created_at": now,
            "facts": dict(file.facts) or None,
        }
        for position, file in enumerate(files, 1)
    ]
    if rows:
        connection.execute(sa.insert(artifacts), rows)


def of_jobs(connection: sa.Connection, job_ids: Collection[str]) -> Mapping[str, tuple[Artifact, ...]]:
    """The files of these jobs by job id; a job without files gives an empty tuple."""
    found: defaultdict[str, tuple[Artifact, ...]] = defaultdict(tuple)
    ids = list(job_ids)
    for start in range(0, len(ids), _AT_ONCE):
        chosen = artifacts.c.job_id.in_(ids[start : start + _AT_ONCE])
        ordered = sa.select(artifacts).where(chosen).order_by(artifacts.c.job_id, artifacts.c.position)
        for row in connection.execute(ordered):
            file = Artifact(row.kind, Path(row.path), row.size, row.sha256, row.content_type, row.facts or {})
            found[row.job_id] += (file,)
    return found
