"""What runs in the process that draws a picture of a film: within limits on time and memory."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from renderkiln.domain.discretion import without
from renderkiln.domain.errors import Permanent, UserError
from renderkiln.engine.confinement import confine
from renderkiln.media.errors import MediaError
from renderkiln.pipelines.contract import Services
from renderkiln.pipelines.scenes.params import ScenesParams


def main(line: socket.socket, request: Mapping[str, Any], server: int) -> None:
    """Draw what `request` says, and send it. `server` is the process id of the fork server."""
    confine(server)
    try:
        told = {"kind": "drawn", **_drawn(request)}
    except (UserError, MediaError, Permanent) as error:
        told = {"kind": "refused", "error": _without_folders(str(error), request)}
    line.sendall(json.dumps(told).encode() + b"\n")


def _drawn(request: Mapping[str, Any]) -> dict[str, Any]:
    from renderkiln.media.frames.image import png
    from renderkiln.pipelines.scenes.sketch import Sketch

    params = ScenesParams.model_validate(request["params"])
    services = TypeAdapter(Services).validate_python(request["services"])
    here = {place: Path(path) for place, path in request["here"].items()}
    sketch, at = Sketch.of(params, services, here), request["at"]
    seconds = sketch.timeline.seconds
    if at is None:
        sheet = sketch.storyboard(params.project.title or "Storyboard")
        return {"png": _text(png(sheet)), "seconds": seconds, "second": None, "scene": None}
    shot = sketch.telling() if at == "best" else sketch.at(at)
    return {"png": _text(png(shot.picture)), "seconds": seconds, "second": shot.second, "scene": shot.scene}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _without_folders(words: str, request: Mapping[str, Any]) -> str:
    """Strangers read them: a file is called what their project calls it."""
    for place, path in request["here"].items():
        words = words.replace(path, place)
    told: str = without(words, [str(request["services"]["cache"])])
    return told
