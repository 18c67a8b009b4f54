"""What runs in the process of a handler: one event, and how it ended."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from renderkiln.domain.delivery import ReceivedEvent
from renderkiln.engine.stage_child import die_with
from renderkiln.events import handlers
from renderkiln.observability import logs

_log = logging.getLogger(__name__)
_LONGEST = 500  # characters of an error


def request_of(event: ReceivedEvent, *, shape: str, level: str, worker: str) -> Mapping[str, Any]:
    """What `main` is sent; how it logs is the worker's own way."""
    told = {**asdict(event), "at": event.at.isoformat(), "payload": dict(event.payload)}
    return {"event": told, "shape": shape, "level": level, "worker": worker}


def main(line: socket.socket, request: Mapping[str, Any], server: int) -> None:
    """Give the event in `request` to its handler. `server` is the process id of the fork server."""
    threading.Thread(target=die_with, args=(server,), name="die-with-server", daemon=True).start()
    logs.set_up(request["shape"], request["level"], worker=request["worker"])
    logging.getLogger().setLevel(logging.INFO)  # whoever wrote the handler wants to be read
    event = ReceivedEvent(**{**request["event"], "at": datetime.fromisoformat(request["event"]["at"])})
    error = None
    try:
        handlers.load(event.type)(event)
    except BaseException as raised:  # noqa: BLE001  the border of the process: a stranger's code ended
        _log.warning("the handler of %s failed at %s", event.type, event.id, exc_info=True)
        error = f"{type(raised).__name__}: {raised}"[:_LONGEST]
    line.sendall(json.dumps({"kind": "handled", "error": error}).encode() + b"\n")
