"""Handlers: plain functions `handle(event)` that packages install for a type of event.

The entry point of the group `renderkiln.event_handlers` is called what the type is called. A handler runs in
a process of its own, soon after the event, at least once, and is tried again when it raises. It runs where a
worker has its package, wherever the event was written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

from renderkiln.domain.delivery import ReceivedEvent
from renderkiln.pipelines import catalog

GROUP = "renderkiln.event_handlers"

Handler = Callable[[ReceivedEvent], object]

_log = logging.getLogger(__name__)


@cache  # asked at every event, and what is installed does not change while a process runs
def installed() -> frozenset[str]:
    """The types of events that have a handler here."""
    return frozenset(catalog.names(GROUP))


def load(type: str) -> Handler:
    """The handler of a type. Raises UsageError where there is none, or it cannot be imported."""
    handler: Handler = catalog.load(GROUP, type)
    return handler


def scene_created(event: ReceivedEvent) -> None:
    """An example: logs which scene was created. `payload` has project, scene, position and revision."""
    about = _about(event, "project", "scene", "position")
    _log.info("scene %s of %s was created", about.get("scene"), about.get("project"), extra={"about": about})


def project_analyzed(event: ReceivedEvent) -> None:
    """An example: logs that somebody's program has analysed a project."""
    about = _about(event, "projectId", "project")
    _log.info("project %s was analyzed", _name(about), extra={"about": about})


def user_upgraded(event: ReceivedEvent) -> None:
    """An example: logs that a user of somebody's program has taken a larger plan."""
    about = _about(event, "userId", "user", "plan")
    _log.info("user %s was upgraded", _name(about), extra={"about": about})


def _about(event: ReceivedEvent, *names: str) -> dict[str, object]:
    """What stands in the log in fields of its own: all that is not in the message is for programs."""
    told = {name: event.payload[name] for name in names if name in event.payload}
    return {**told, "event": event.type, "delivery": event.id, "attempt": event.attempt}


def _name(about: dict[str, object]) -> object:
    """Whatever its program calls the thing."""
    return next((about[name] for name in ("projectId", "project", "userId", "user") if name in about), "?")
