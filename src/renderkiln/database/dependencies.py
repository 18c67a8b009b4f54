"""Which jobs need others to be completed before they begin."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from renderkiln.database.insert import insert_many
from renderkiln.database.schema import dependencies, jobs
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import EDGES, JobState

_AT_ONCE = 500  # parameters of one statement
_MET = EDGES["complete"][1]
_DEPENDENTS = (
    sa.select(dependencies.c.job_id)
    .where(dependencies.c.needs_job_id == sa.bindparam("needed"))
    .order_by(dependencies.c.job_id)
)


def lock_needed(connection: sa.Connection, needs: Mapping[str, Collection[str]]) -> None:
    """The jobs that are needed neither end nor are reopened until this transaction ends.

    One that failed meanwhile would give up those that it sees waiting, and not this one.
    """
    needed = sorted({id for each in needs.values() for id in each})
    for start in range(0, len(needed), _AT_ONCE):
        few = sa.select(jobs.c.id).where(jobs.c.id.in_(needed[start : start + _AT_ONCE])).order_by(jobs.c.id)
        connection.execute(few.with_for_update(read=True)).all()


def insert(connection: sa.Connection, needs: Mapping[str, Collection[str]]) -> None:
    """Store what each job of `needs` needs. Raises UserError for a needed job there is not."""
    rows = [{"job_id": id, "needs_job_id": needed} for id, all_ in needs.items() for needed in all_]
    try:
        insert_many(connection, sa.insert(dependencies), rows, dict)
    except sa.exc.IntegrityError:
        raise UserError("the jobs were not stored: one of the jobs that they need is not there") from None


def unmet(connection: sa.Connection, ids: Collection[str]) -> dict[str, dict[str, JobState]]:
    """What the jobs `ids` still wait for: by job, those it needs that are not completed, and their state."""
    found: dict[str, dict[str, JobState]] = {}
    chosen = list(ids)
    for start in range(0, len(chosen), _AT_ONCE):
        query = (
            sa.select(dependencies.c.job_id, jobs.c.id, jobs.c.state)
            .join(jobs, jobs.c.id == dependencies.c.needs_job_id)
            .where(dependencies.c.job_id.in_(chosen[start : start + _AT_ONCE]), jobs.c.state != _MET)
        )
        for id, needed, state in connection.execute(query):
            found.setdefault(id, {})[needed] = state
    return found


def dependents(connection: sa.Connection, id: str) -> list[str]:
    """The jobs that need this one, in the order of their ids."""
    return list(connection.scalars(_DEPENDENTS, {"needed": id}))
