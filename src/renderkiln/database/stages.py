"""Finished stages and parts. They belong to the fingerprint of the work: who does the same work goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database import guard
from renderkiln.database.insert import insert_into
from renderkiln.database.schema import stages

_OF_WORK = stages.c.fingerprint == sa.bindparam("work")
_RESULTS = sa.select(stages).where(_OF_WORK).order_by(stages.c.recorded_at, stages.c.stage, stages.c.part)
_FORGET = sa.delete(stages).where(_OF_WORK)


@dataclass(frozen=True)
class StageRow:
    """A finished stage, or with `part` a part of one. `result` is None where it has only warned so far."""

    fingerprint: str
    stage: str
    part: str  # "" is the whole stage
    job_id: str
    result: Mapping[str, Any] | None
    warnings: Mapping[str, str]
    recorded_at: datetime
    seconds: float | None


def results(connection: sa.Connection, fingerprint: str) -> list[StageRow]:
    """Everything recorded for this work, in the order it was recorded."""
    return [StageRow(**row._mapping) for row in connection.execute(_RESULTS, {"work": fingerprint})]


def record_if_held(
    connection: sa.Connection,
    *,
    job_id: str,
    attempt: int,
    owner: str,
    fingerprint: str,
    stage: str,
    part: str = "",
    result: Mapping[str, Any],
    warnings: Mapping[str, str],
    seconds: float | None,
    now: datetime,
) -> None:
    """Record the result of a stage or part, in the place of an earlier one. Raises Superseded."""
    guard.lock_held(connection, job_id, attempt, owner)
    values = {
        "job_id": job_id,
        "result": dict(result),
        "warnings": dict(warnings),
        "recorded_at": now,
        "seconds": seconds,
    }
    _put(connection, fingerprint, stage, part, new=values, changed=values)


def was_recorded(connection: sa.Connection, fingerprint: str, stage: str, part: str, *, at: datetime) -> bool:
    """Whether this stage or part was recorded at this very moment."""
    this = (stages.c.fingerprint == fingerprint, stages.c.stage == stage, stages.c.part == part)
    known = sa.select(stages.c.stage).where(*this, stages.c.recorded_at == at)
    return connection.execute(known).first() is not None


def warn_if_held(
    connection: sa.Connection,
    *,
    job_id: str,
    attempt: int,
    owner: str,
    fingerprint: str,
    stage: str,
    warnings: Mapping[str, str],
    now: datetime,
) -> None:
    """Record all that a stage has told the user so far; its result stays. Raises Superseded."""
    guard.lock_held(connection, job_id, attempt, owner)
    told = {"warnings": dict(warnings)}
    new = {"job_id": job_id, "recorded_at": now, **told}
    _put(connection, fingerprint, stage, "", new=new, changed=told)


def forget_stages(
    connection: sa.Connection, fingerprint: str, stage_names: Collection[str] | None = None
) -> None:
    """Forget these stages of the work with their parts; None forgets all of them."""
    if stage_names is None:
        connection.execute(_FORGET, {"work": fingerprint})
    else:
        chosen = (stages.c.fingerprint == fingerprint, stages.c.stage.in_(stage_names))
        connection.execute(sa.delete(stages).where(*chosen))


def _put(
    connection: sa.Connection,
    fingerprint: str,
    stage: str,
    part: str,
    *,
    new: Mapping[str, Any],
    changed: Mapping[str, Any],
) -> None:
    row = insert_into(connection.dialect.name, stages).values(
        fingerprint=fingerprint, stage=stage, part=part, **new
    )
    key = [stages.c.fingerprint, stages.c.stage, stages.c.part]
    connection.execute(row.on_conflict_do_update(index_elements=key, set_=changed))
