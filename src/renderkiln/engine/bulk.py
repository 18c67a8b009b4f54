"""The same done to many jobs: to so many in one call as fit into its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from renderkiln.database import jobpage
from renderkiln.database.cursor import Cursor
from renderkiln.database.engine import Database
from renderkiln.database.jobpage import Wanted
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import JobState
from renderkiln.engine.budget import OverBudget
from renderkiln.engine.control import Control

MOST = 1_000  # jobs of one call
PATIENCE = 2.0  # seconds of one call; who asks goes on after the last one

_OPEN: tuple[JobState, ...] = ("pending", "processing")
_ENDED_BADLY: tuple[JobState, ...] = ("failed", "cancelled")


@dataclass(frozen=True)
class Handled:
    """`matched` jobs were meant and in a state for it; `changed` are the ids of those to which it was done.

    `skipped` could not be: they have ended meanwhile, need a job that has to be retried first, or, so many as
    `over_budget`, cost more than may be spent, which `budget` says. With `rest` there are more of them, after
    that one.
    """

    matched: int
    changed: tuple[str, ...]
    skipped: int
    rest: Cursor | None
    over_budget: int = 0
    budget: str | None = None


def to_the_end(portion: Callable[[Cursor | None], Handled]) -> list[str]:
    """The ids of all jobs to which it was done, portion by portion: for who has the time."""
    changed: list[str] = []
    after: Cursor | None = None
    while True:
        handled = portion(after)
        changed += handled.changed
        after = handled.rest
        if after is None:
            return changed


@dataclass(frozen=True)
class Bulk:
    """What is done to many jobs, the oldest first."""

    database: Database
    control: Control

    def cancel(self, wanted: Wanted, *, after: Cursor | None = None, dry: bool = False) -> Handled:
        """Cancel those of them that wait or run; `dry`: only say which."""
        return self._each(wanted, _OPEN, after, None if dry else self.control.cancel)

    def retry(
        self,
        wanted: Wanted,
        *,
        from_scratch: bool = False,
        after: Cursor | None = None,
        dry: bool = False,
        paid_by: str | None = None,
    ) -> Handled:
        """Queue those of them again that failed or were cancelled; `dry`: only say which.

        Those that the budget of the key `paid_by` does not allow are skipped.
        """

        def again(id: str) -> None:
            self.control.retry(id, from_scratch=from_scratch, paid_by=paid_by)

        return self._each(wanted, _ENDED_BADLY, after, None if dry else again)

    def _each(
        self,
        wanted: Wanted,
        possible: tuple[JobState, ...],
        after: Cursor | None,
        act: Callable[[str], None] | None,
    ) -> Handled:
        states = [each for each in possible if not wanted.states or each in wanted.states]
        if not states:
            return Handled(0, (), 0, None)
        meant = replace(wanted, states=states)
        with self.database.read() as connection:
            matched = jobpage.count(connection, meant)
            found = jobpage.places(connection, meant, after=after, limit=MOST + 1)
        few, end = found[:MOST], time.monotonic() + PATIENCE
        changed: list[str] = []
        refused: list[str] = []
        done = 0
        for each in few:
            if time.monotonic() > end:
                break
            done += 1
            try:
                if act is not None:
                    act(each.id)
                changed.append(each.id)
            except OverBudget as error:  # a cheaper one may still be allowed
                refused.append(str(error))
            except UserError:  # not in a state for it any more
                continue
        rest = few[done - 1] if done < len(found) else None
        why = refused[-1] if refused else None
        return Handled(matched, tuple(changed), done - len(changed), rest, len(refused), why)
