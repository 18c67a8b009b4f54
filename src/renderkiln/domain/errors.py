"""The error tree.

    RenderkilnError
    ├── UserError            what the caller asked for cannot be done as asked (CLI exit 1, HTTP 4xx)
    │   └── UsageError       the call itself is wrong: an unknown name, a bad option (CLI exit 2)
    │       └── WrongParams  params that a pipeline does not take, each with its place
    ├── StageError           raised by a stage to end an attempt
    │   ├── Temporary        try again, after `delay` seconds if given
    │   └── Permanent        never again
    ├── Stopped              the work was cancelled; a stage hears it from `ctx.progress`
    └── Superseded           someone else holds this attempt now: change nothing

The message of every error is written for the person who reads it: what was wrong, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class RenderkilnError(Exception):
    """Something went wrong in Renderkiln."""


class UserError(RenderkilnError):
    """The request cannot be carried out as asked."""


class UsageError(UserError):
    """The call itself is wrong."""


class WrongParams(UsageError):
    """A pipeline does not take these params: `faults` are places in them, and what is wrong there."""

    def __init__(self, pipeline: str, faults: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        self.faults = tuple(faults)
        told = (": ".join([".".join(map(str, place)), said] if place else [said]) for place, said in faults)
        super().__init__(f"{pipeline}: {'; '.join(told)}")


class StageError(RenderkilnError):
    """A stage ended without a result."""


class Temporary(StageError):
    """The stage may succeed if it is tried again.

    `delay` is in seconds; None leaves the waiting time to the job's retry policy.
    """

    def __init__(self, message: str, *, delay: float | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class Permanent(StageError):
    """The stage can never succeed with these inputs; trying again is pointless."""


class Stopped(RenderkilnError):
    """The work was cancelled."""


class Superseded(RenderkilnError):
    """Another attempt holds this job now; nothing was changed."""
