"""Events of somebody's own: from the API, and from Python without waiting for anything."""

from __future__ import annotations

import json
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from renderkiln.database.engine import Database
from renderkiln.database.trouble import first_line
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UsageError
from renderkiln.domain.event import OURS, RESERVED, Event
from renderkiln.events import journal

_log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024  # of a payload
TYPE = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
_LONGEST_TYPE = 100
# What Renderkiln tells, and whoever runs it may tell, too; a stranger could forge it.
TOLD_BY_OWNERS = frozenset(each for each in OURS if each.partition(".")[0] not in RESERVED)
_DEPTH = 32  # of a payload
_WAITING = 1000  # events in memory
_FIRST, _LONGEST = 0.2, 5.0  # seconds between two tries
_LAST = 10.0  # seconds that `close` takes at most


@dataclass(frozen=True)
class Emitted:
    """An event that was written. It is `handled` where its type has a handler, here or at a worker."""

    seq: int
    type: str
    at: datetime
    handled: bool


def checked(type: object, payload: object) -> tuple[str, dict[str, Any]]:
    """Type and payload of an event. Raises UsageError for what cannot be one."""
    if not isinstance(type, str) or TYPE.fullmatch(type) is None or len(type) > _LONGEST_TYPE:
        raise UsageError(
            "the type of an event is words of a-z, 0-9 and _ with dots between them, 100 characters at most, "
            f"such as scene.created, not {str(type)[:100]!r}"
        )
    if type.partition(".")[0] in RESERVED:
        raise UsageError(f"{type}: events of {', '.join(RESERVED)} are told by Renderkiln itself alone")
    if not isinstance(payload, Mapping):
        raise UsageError(f"the payload of {type} is an object, not {_kind(payload)}")
    if not _is_json(payload, _DEPTH):
        raise UsageError(f"the payload of {type} holds what JSON cannot say, or is nested too deep")
    text = json.dumps(payload, allow_nan=False)
    if len(text) > MOST_BYTES:
        raise UsageError(f"the payload of {type} has {len(text):,} bytes: {MOST_BYTES:,} at most")
    plain: dict[str, Any] = json.loads(text)  # what is done with it meanwhile changes nothing
    return type, plain


def emit(
    connection: sa.Connection,
    type: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    account: str | None = None,
) -> Emitted:
    """Write a checked event; `account` is who may see it. An unknown type is a warning."""
    seq = journal.append(connection, Event(type, None, now, 0.0, facts=payload), account=account)
    handled = journal.has_handler(connection, type)
    if not handled:
        _log.warning("event %d: no handler is installed for the type %s", seq, type)
    return Emitted(seq, type, now, handled)


class Emitter:
    """Takes events without ever waiting or raising, and writes them from a thread of its own.

    Those that are not written yet live in memory, up to a thousand: they are lost when the process is killed.
    `close` waits some seconds for them. `open_database` is called in the thread.
    """

    def __init__(self, open_database: Callable[[], Database], clock: Clock) -> None:
        self._open, self._clock = open_database, clock
        self._waiting: queue.Queue[tuple[str, dict[str, Any], datetime]] = queue.Queue(_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._deadline = float("inf")

    def put(self, type: str, payload: Mapping[str, Any]) -> bool:
        """Hand an event over; False, and a line in the log, where it is none or too many wait."""
        try:
            self._waiting.put_nowait((*checked(type, payload), self._clock.now()))
            self._start()
        except queue.Full:
            _log.error("an event %s is lost: %d wait to be written already", type, _WAITING)
            return False
        except Exception as error:  # noqa: BLE001  whoever emits is busy with something more important
            _log.error("an event is lost: %s", error)
            return False
        return not self._over.is_set()

    def close(self) -> None:
        """Write what waits, if that is possible soon."""
        self._deadline = time.monotonic() + _LAST
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=_LAST + 1)
        if left := self._waiting.qsize():
            _log.error("%d events are lost: the database could not be written to", left)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="emitter", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not (self._over.is_set() and self._waiting.empty()):
            try:
                first = self._waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            if not self._persist(first):
                return

    def _persist(self, event: tuple[str, dict[str, Any], datetime]) -> bool:
        """Write it, however long that takes; False when the time is over."""
        type, payload, at = event
        wait = _FIRST
        while True:
            try:
                with self._open().write() as connection:
                    emit(connection, type, payload, at)
                return True
            except DBAPIError as error:
                _log.warning("an event %s cannot be written yet: %s", type, first_line(error))
            except Exception:  # noqa: BLE001  this thread must outlive whatever it meets
                _log.exception("an event %s cannot be written yet", type)
            if time.monotonic() + wait > self._deadline:
                self._waiting.put_nowait(event)  # so that it is counted
                return False
            self._over.wait(wait) if not self._over.is_set() else time.sleep(wait)
            wait = min(_LONGEST, wait * 2)


def _is_json(value: object, depth: int) -> bool:
    match value:
        case None | bool() | str() | int():
            return True
        case float():
            return value == value and abs(value) != float("inf")
        case Mapping() if depth:
            return all(isinstance(key, str) and _is_json(each, depth - 1) for key, each in value.items())
        case list() | tuple() if depth:
            return all(_is_json(each, depth - 1) for each in value)
    return False


def _kind(value: object) -> str:
    names = {"list": "a list", "str": "a text", "NoneType": "nothing"}
    return names.get(type(value).__name__, f"a {type(value).__name__}")
