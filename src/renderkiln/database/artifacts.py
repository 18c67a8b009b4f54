"""Finished files of jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database.schema import artifacts
from renderkiln.domain.artifact import Artifact, Kept

_AT_ONCE = 500  # parameters of one statement


def replace(connection: sa.Connection, job_id: str, files: Sequence[Artifact], now: datetime) -> None:
    """Record the files of a job, in their order, in place of any that were recorded before."""
    connection.execute(sa.delete(artifacts).where(artifacts.c.job_id == job_id))
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
            "location": file.kept and file.kept.location,
            "visibility": file.kept and file.kept.visibility,
            "storage_key": file.kept and file.kept.key,
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
            found[row.job_id] += (_artifact(row),)
    return found


def note_kept(connection: sa.Connection, job_id: str, position: int, kept: Kept) -> None:
    """Record where a storage has the file. To be called while its job is held, in the same transaction."""
    this = (artifacts.c.job_id == job_id, artifacts.c.position == position)
    where = {"location": kept.location, "visibility": kept.visibility, "storage_key": kept.key}
    connection.execute(sa.update(artifacts).where(*this).values(where))


def _artifact(row: sa.Row[Any]) -> Artifact:
    return Artifact(
        kind=row.kind,
        path=Path(row.path),
        size=row.size,
        sha256=row.sha256,
        content_type=row.content_type,
        facts=row.facts or {},
        kept=None if row.location is None else Kept(row.location, row.visibility, row.storage_key),
    )
