"""Pictures of a film before it is made, for who is at its project: drawn in a process with limits."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from renderkiln.domain.asset import Asset
from renderkiln.domain.errors import Permanent, Temporary, UsageError
from renderkiln.engine import preview_child
from renderkiln.engine.apart import apart
from renderkiln.engine.artist import Artist
from renderkiln.engine.assets import Assets
from renderkiln.engine.confinement import MEMORY_BYTES, SECONDS
from renderkiln.engine.sources import Sources
from renderkiln.engine.stage_process import ForkServer
from renderkiln.media.errors import MediaError
from renderkiln.pipelines.contract import Pipeline, Services
from renderkiln.pipelines.scenes.params import ScenesParams

_SERVICES = TypeAdapter(Services)
_PRELOAD = ("numpy", "numba", "av", "skia", "renderkiln.pipelines.scenes.sketch")
_SLOW = (
    f"it cannot be drawn within {SECONDS:g} s and {MEMORY_BYTES >> 30} GiB: render it, "
    "or ask for fewer scenes or a lower resolution"
)


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
        here = self._fetched(pipeline, params, services, stop)
        work = {
            "params": params.model_dump(mode="json"),
            "services": _SERVICES.dump_python(services, mode="json"),
            "here": {place: str(asset.path) for place, asset in here.items()},
            "at": at,
        }
        told = self._artist.draw(work, stop, nice=services.nice, slow=_SLOW)
        png = base64.b64decode(told["png"])
        return Preview(png, told["seconds"], told["second"], told["scene"])

    def _fetched(
        self, pipeline: Pipeline, params: ScenesParams, services: Services, stop: threading.Event
    ) -> Mapping[str, Asset]:
        """The files that its params name: from a bucket they take a while, but not for ever."""
        over = threading.Event()
        sources = Sources(self.assets, services, over, lambda _: None)
        try:
            return apart(lambda _: sources.named(pipeline, params), stop.is_set, SECONDS)
        except (Permanent, Temporary, MediaError) as error:
            raise UsageError(str(error)) from error
        finally:
            over.set()

    @property
    def _artist(self) -> Artist:
        return Artist(self.server, preview_child.__name__, _PRELOAD, SECONDS)
