"""Renderkiln: submit audio and video render jobs, get verified files.

Names are loaded when they are first used, so that `import renderkiln` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from renderkiln.app import Renderkiln
    from renderkiln.domain.artifact import Artifact
    from renderkiln.domain.asset import Asset
    from renderkiln.domain.delivery import ReceivedEvent
    from renderkiln.domain.errors import (
        Permanent,
        RenderkilnError,
        Stopped,
        Temporary,
        UsageError,
        UserError,
    )
    from renderkiln.domain.event import Event
    from renderkiln.domain.job import Job
    from renderkiln.domain.report import JobReport
    from renderkiln.domain.retry import Retry
    from renderkiln.pipelines.contract import Pipeline, Result, Services, Stage, StageContext
    from renderkiln.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "Artifact": "domain.artifact",
    "Asset": "domain.asset",
    "Event": "domain.event",
    "Job": "domain.job",
    "JobReport": "domain.report",
    "Permanent": "domain.errors",
    "Pipeline": "pipelines.contract",
    "Renderkiln": "app",
    "ReceivedEvent": "domain.delivery",
    "RenderkilnError": "domain.errors",
    "Result": "pipelines.contract",
    "Retry": "domain.retry",
    "Services": "pipelines.contract",
    "Settings": "settings",
    "Stage": "pipelines.contract",
    "StageContext": "pipelines.contract",
    "Stopped": "domain.errors",
    "Temporary": "domain.errors",
    "UsageError": "domain.errors",
    "UserError": "domain.errors",
}

__all__ = [
    "Artifact",
    "Asset",
    "Event",
    "Job",
    "JobReport",
    "Permanent",
    "Pipeline",
    "ReceivedEvent",
    "Renderkiln",
    "RenderkilnError",
    "Result",
    "Retry",
    "Services",
    "Settings",
    "Stage",
    "StageContext",
    "Stopped",
    "Temporary",
    "UsageError",
    "UserError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'renderkiln' has no attribute {name!r}")
    return getattr(import_module(f"renderkiln.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
