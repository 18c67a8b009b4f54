"""The life of a job: every state and every way from one to the next.

    pending ── start ──> processing ── complete ──> completed
       │ ^                 │  │  └──── fail ──────> failed
       │ └──── put_back ───┘  └─────── cancel ────> cancelled
       └────── withdraw ──────────────────────────> cancelled
    failed ─── reopen ───> pending
    cancelled ─ revive ──> pending

A job is put back when its attempt is to be tried again later, was taken over, or was handed back at shutdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from renderkiln.domain.errors import Superseded

JobState = Literal["pending", "processing", "completed", "failed", "cancelled"]
Verb = Literal["start", "complete", "fail", "cancel", "put_back", "withdraw", "reopen", "revive"]

STATES: tuple[JobState, ...] = get_args(JobState)
ENDED: frozenset[JobState] = frozenset({"completed", "failed", "cancelled"})

EDGES: Mapping[Verb, tuple[JobState, JobState]] = MappingProxyType(
    {
        "start": ("pending", "processing"),
        "complete": ("processing", "completed"),
        "fail": ("processing", "failed"),
        "cancel": ("processing", "cancelled"),
        "put_back": ("processing", "pending"),
        "withdraw": ("pending", "cancelled"),
        "reopen": ("failed", "pending"),
        "revive": ("cancelled", "pending"),
    }
)


def moved(state: JobState, verb: Verb) -> JobState:
    """The state after `verb`. Raises Superseded where that edge does not start in `state`."""
    source, target = EDGES[verb]
    if state != source:
        raise Superseded(f"cannot {verb} a job that is {state}")
    return target
