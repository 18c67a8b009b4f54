"""What runs in the process that draws a picture of a template: within limits on time and memory."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderkiln.domain.discretion import longest_first, without
from renderkiln.domain.errors import UserError
from renderkiln.engine.confinement import confine
from renderkiln.media.errors import MediaError
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.sample import Sample


def main(line: socket.socket, request: Mapping[str, Any], server: int) -> None:
    """Draw what `request` says, and send it. `server` is the process id of the fork server."""
    confine(server)
    told: dict[str, str]
    try:
        told = {"kind": "drawn", "webp": base64.b64encode(_drawn(request)).decode()}
    except (UserError, MediaError) as error:
        told = {"kind": "refused", "error": _discreet(str(error), request)}
    line.sendall(json.dumps(told).encode() + b"\n")


def _drawn(request: Mapping[str, Any]) -> bytes:
    from renderkiln.media.frames.image import webp

    sample = Sample.small(VisualizerParams.model_validate(request["params"]), request["seconds"])
    return webp(sample.draw(Path(request["folder"]), [Path(font) for font in request["fonts"]]))


def _discreet(words: str, request: Mapping[str, Any]) -> str:
    """Strangers read them: files are named as within our folders."""
    folders = [Path(font).parent for font in request["fonts"]]
    told: str = without(words, longest_first([request["folder"], *folders]))
    return told
