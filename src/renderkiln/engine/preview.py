"""Pictures of a film before it is made, for who is at its project: drawn in a process with limits."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from renderkiln.domain.errors import Permanent, Stopped, Temporary, UsageError
from renderkiln.engine import preview_child
from renderkiln.engine.assets import Assets
from renderkiln.engine.confinement import MEMORY_BYTES, SECONDS, TooSlow
from renderkiln.engine.sources import Sources
from renderkiln.engine.stage_process import ForkServer, Message, StageProcess
from renderkiln.media.errors import MediaError
from renderkiln.pipelines.contract import Pipeline, Services
from renderkiln.pipelines.scenes.params import ScenesParams

_SERVICES = TypeAdapter(Services)


@dataclass(frozen=True)
class Preview:
    """A PNG of the film, which lasts so many `seconds`; `second` and `scene` are of a single frame."""

    png: bytes
    seconds: float
    second: float | None
    scene: str | None


@dataclass(frozen=True)
class Previews:
    """Draws them. The process is forked from `server`, which has loaded what is needed after the first."""

    server: ForkServer
    services: Callable[[], Services]
    assets: Callable[[], Assets]

    def draw(
        self,
        pipeline: Pipeline,
        params: ScenesParams,
        at: float | Literal["best"] | None,
        stop: threading.Event,
    ) -> Preview:
        """The frame at a second of the film, the one that tells most of its first scene ("best"), or (None)
        a sheet with a picture of each scene.

        Raises UsageError for a time that the film has not and for files that are none, TooSlow, and Stopped
        soon after `stop` was set.
        """
        services = self.services()
        try:
            here = Sources(self.assets, services, stop, lambda _: None).named(pipeline, params)
        except (Permanent, Temporary, MediaError) as error:
            raise UsageError(str(error)) from error
        work = {
            "params": params.model_dump(mode="json"),
            "services": _SERVICES.dump_python(services, mode="json"),
            "here": {place: str(asset.path) for place, asset in here.items()},
            "at": at,
        }
        said: list[Message] = []
        module = preview_child.__name__
        with StageProcess(
            self.server, work, log=2, nice=services.nice, silence=SECONDS, module=module, preload=_PRELOAD
        ) as process:
            process.run(said.append, stop)
        if stop.is_set():
            raise Stopped("nobody waits for the picture any more")
        return _told(said[-1] if said else {})


_PRELOAD = ("numpy", "numba", "av", "skia", "renderkiln.pipelines.scenes.sketch")


def _told(message: Mapping[str, Any]) -> Preview:
    match message:
        case {"kind": "drawn", "png": png, "seconds": seconds, "second": second, "scene": scene}:
            return Preview(base64.b64decode(png), seconds, second, scene)
        case {"kind": "refused", "error": error}:
            raise UsageError(error)
    raise TooSlow(
        f"it cannot be drawn within {SECONDS:g} s and {MEMORY_BYTES >> 30} GiB: render it, "
        "or ask for fewer scenes or a lower resolution"
    )
