"""Finds installed plug-ins by entry point; built-in ones come in by the same door."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from renderkiln.domain.errors import UsageError
from renderkiln.domain.queue import OF_PIPELINES

PIPELINES = "renderkiln.pipelines"
TEMPLATES = "renderkiln.templates"
SPEECH = "renderkiln.speech"
EFFECTS = "renderkiln.effects"


def names(group: str) -> tuple[str, ...]:
    """The names installed in `group`, sorted. Imports nothing."""
    return tuple(sorted(_installed(group)))


def load(group: str, name: str) -> Any:
    """What the entry point `name` of `group` stands for; `module:Attr` is taken without being installed.

    Raises UsageError for a name that nobody installed, for a plug-in that cannot be imported, and for a
    pipeline whose jobs would stand in no queue.
    """
    point = EntryPoint(name, name, group) if ":" in name else _installed(group).get(name)
    if point is None:
        known = ", ".join(names(group)) or "none is installed"
        raise UsageError(f"unknown {_kind(group)} {name!r}; known are: {known}")
    try:
        loaded = point.load()
        if group == PIPELINES:
            _check_queue(loaded)
        return loaded
    except Exception as error:
        reason = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        raise UsageError(f"{_kind(group)} {name!r} ({point.value}) cannot be loaded: {reason}") from error


def broken(group: str) -> Mapping[str, str]:
    """The installed plug-ins of `group` that cannot be loaded, and why."""
    return {name: why for name in names(group) if (why := _why_broken(group, name))}


def reference(plugin: object) -> str:
    """The `module:Attr` under which another process finds the class of `plugin`.

    Raises UsageError for a class that no other process can import.
    """
    kind = type(plugin)
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        raise UsageError(
            f"{kind.__qualname__} is defined in {kind.__module__}, where the processes that run its stages "
            "cannot find it: put it at the top level of a module of its own"
        )
    return f"{kind.__module__}:{kind.__qualname__}"


def _check_queue(pipeline: Any) -> None:
    queue = pipeline().queue
    if queue not in OF_PIPELINES:
        told = ascii(queue)[:80]  # it is a stranger's
        raise UsageError(f"its queue is {told}, but a pipeline's queue is one of: {', '.join(OF_PIPELINES)}")


def _installed(group: str) -> Mapping[str, EntryPoint]:
    return _found(group, tuple(sys.path))


@cache  # every order asks several times, and each look reads the metadata of every installed package
def _found(group: str, _path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _why_broken(group: str, name: str) -> str | None:
    try:
        load(group, name)
    except UsageError as error:
        return str(error)
    return None


def _kind(group: str) -> str:
    return group.rpartition(".")[2].removesuffix("s")
