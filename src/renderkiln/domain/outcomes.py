"""How an attempt at a job, or at one of its stages, can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.work import Work


@dataclass(frozen=True)
class Done:
    """Everything was made. `work` is how much it was, where that is a measure for other jobs."""

    summary: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    work: Work | None = None


@dataclass(frozen=True)
class TryAgain:
    """It did not work, but may next time. `delay` is in seconds; None leaves it to the retry policy."""

    code: str
    message: str
    delay: float | None = None


@dataclass(frozen=True)
class Failed:
    """It can never work like this. `code` is for programs, `message` one line for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Cancelled:
    """It was stopped because someone wished so. `message` adds what is worth knowing about it."""

    message: str = ""


Outcome = Done | TryAgain | Failed | Cancelled
