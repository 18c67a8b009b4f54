"""What runs in a stage's own process, from the first line to the last message."""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.engine.context import Context, StageWork
from renderkiln.engine.verdict import perform, to_json
from renderkiln.pipelines import catalog
from renderkiln.pipelines.contract import Pipeline, Result

LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
_LOOK = 0.5  # seconds
WORK = TypeAdapter(StageWork)


def main(line: socket.socket, request: Mapping[str, Any], server: int) -> None:
    """Run the stage that `request`, a StageWork as JSON, describes, and send what came of it.

    `server` is the process id of the fork server, without which nobody would end what runs here.
    """
    threading.Thread(target=die_with, args=(server,), name="die-with-server", daemon=True).start()
    faulthandler.enable(2)  # this is the job's log: a crash leaves its stack there
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, force=True)  # plug-ins may have set it up
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work = WORK.validate_python(request)

    def send(message: Mapping[str, Any]) -> None:
        line.sendall(json.dumps(message).encode() + b"\n")
        if message["kind"] == "part":
            line.recv(1)  # the engine has recorded it

    def run() -> Result:
        pipeline: Pipeline = catalog.load(catalog.PIPELINES, work.pipeline)()
        params = pipeline.Params.model_validate(work.params)
        stage = next(stage for stage in pipeline.stages(params) if stage.name == work.stage)
        return stage.run(Context(work, params, send, stop, isolated=True))

    ended = perform(run, work)
    if isinstance(ended, Checkpoint):
        send({"kind": "result", "result": ended.to_json()})
    else:
        send({"kind": "verdict", **to_json(ended)})


def die_with(server: int) -> None:
    """End this process and all of its group once the fork server is gone."""
    while os.getppid() == server:
        time.sleep(_LOOK)
    os.killpg(0, signal.SIGKILL)
