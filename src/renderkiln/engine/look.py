"""Pictures of templates, for who chooses one: drawn in a process with limits, and kept in the cache."""

from __future__ import annotations

import base64
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from renderkiln.engine import look_child
from renderkiln.engine.artist import Artist
from renderkiln.engine.confinement import MEMORY_BYTES
from renderkiln.engine.stage_process import ForkServer
from renderkiln.pipelines.contract import Services
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.sample import Sample

SECONDS = 180.0  # that drawing may take: the first picture on a machine compiles all kernels of a template
_PRELOAD = ("numpy", "numba", "skia", "renderkiln.pipelines.visualizer.film")


@dataclass(frozen=True)
class Looks:
    """Draws them. The process is forked from `server`, which has loaded what is needed after the first."""

    server: ForkServer
    services: Callable[[], Services]

    def find(self, sample: Sample) -> bytes | None:
        """The picture as a WebP, if it was drawn before."""
        path = self._path(sample)
        try:
            picture = path.read_bytes()
            os.utime(path)  # its last use
        except OSError:
            return None
        return picture

    def draw(self, params: VisualizerParams, seconds: float, stop: threading.Event) -> bytes:
        """The picture at a second of the song as a WebP.

        Raises UsageError for what the template refuses, TooSlow, and Stopped soon after `stop` was set.
        """
        sample = Sample.small(params, seconds)
        return self.find(sample) or self._keep(sample, self._drawn(params, seconds, stop))

    def _drawn(self, params: VisualizerParams, seconds: float, stop: threading.Event) -> bytes:
        services = self.services()
        work = {
            "params": params.model_dump(mode="json"),
            "seconds": seconds,
            "folder": str(self._folder),
            "fonts": [str(font) for font in services.fonts],
        }
        slow = (
            f"the template {params.template} draws no picture within {SECONDS:g} s and "
            f"{MEMORY_BYTES >> 30} GiB"
        )
        artist = Artist(self.server, look_child.__name__, _PRELOAD, SECONDS)
        return base64.b64decode(artist.draw(work, stop, nice=services.nice, slow=slow)["webp"])

    def _keep(self, sample: Sample, picture: bytes) -> bytes:
        path = self._path(sample)
        handle, part = tempfile.mkstemp(suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:  # not synced: it can be drawn again
            file.write(picture)
        Path(part).replace(path)
        return picture

    def _path(self, sample: Sample) -> Path:
        from renderkiln.media.frames.fonts import font_fingerprint

        return self._folder / f"{sample.identity(font_fingerprint(self.services().fonts))}.webp"

    @property
    def _folder(self) -> Path:
        return self.services().cache / "looks"
