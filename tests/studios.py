"""Films of scenes drawn in memory, small: no job, no sound, no encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln.media.audio.bars import Bars
from renderkiln.media.audio.features import BANDS
from renderkiln.media.captions import Cue
from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.image import Pixels, write_image
from renderkiln.media.frames.picture import to_rgb
from renderkiln.media.video.survey import survey
from renderkiln.pipelines.scenes.document.places import places
from renderkiln.pipelines.scenes.document.project import Project
from renderkiln.pipelines.scenes.document.reading import project_of
from renderkiln.pipelines.scenes.drawing.part import PartDrawer
from renderkiln.pipelines.scenes.drawing.scene import SceneDrawer
from renderkiln.pipelines.scenes.drawing.studio import Found, Studio
from renderkiln.pipelines.scenes.drawing.unseen import unseen
from renderkiln.pipelines.scenes.timeline import Timeline, lay_out

TINY = Canvas(160, 90, Fraction(10))
WAVE = np.linspace(0.2, 1, BANDS).astype(np.float32)


@dataclass
class Film:
    """A project on a canvas, as its drawers see it; what they say, and what they run."""

    project: Project
    canvas: Canvas
    timeline: Timeline
    studio: Studio
    decoders: dict[int, str] = field(default_factory=dict)  # process id: running, gone

    @property
    def warnings(self) -> list[str]:
        return list(unseen(self.timeline, self.studio))

    def scene(self, number: int = 0) -> SceneDrawer:
        return SceneDrawer(self.timeline.spans[number], self.studio)

    def frame(self, number: int) -> Frame:
        """Frame `number` of the film, drawn by itself."""
        frame, part = Frame(self.canvas), self.timeline.at(number)
        with PartDrawer(part, self.studio) as drawer:
            drawer.draw(frame, number - part.start)
        return frame

    def rgb(self, number: int = 0) -> Pixels:
        return to_rgb(self.frame(number))


def film(
    *scenes: Mapping[str, Any],
    folder: Path = Path(),
    canvas: Canvas = TINY,
    spoken: Mapping[str, Sequence[Cue]] | None = None,
    **fields: Any,
) -> Film:
    """Scenes that last a second if they say nothing else; files are in `folder`."""
    given = [{"duration": 1.0, **scene} for scene in scenes]
    project = project_of({"scenes": given, **fields}, "test")
    chosen = list(zip(project.ids, project.scenes, strict=True))
    timeline = lay_out(
        chosen, {id: scene.duration or 1.0 for id, scene in chosen}, project.transition, canvas.fps
    )
    decoders: dict[int, str] = {}

    def opened(command: Command) -> Reader:
        return Reader(command, binary=find(), on_process=decoders.__setitem__)

    found = {
        each.place: Found(
            folder / each.place, each.place, survey(folder / each.place) if each.kind == "video" else None
        )
        for each in places(project)
    }
    bars = Bars.steady(WAVE, 60)
    studio = Studio(
        canvas=canvas,
        brand=project.brand,
        found=found,
        open_reader=opened,
        film_frames=timeline.frames,
        spoken=spoken or {},
        bars={"mix": bars, "voice": bars, "music": bars},
    )
    return Film(project, canvas, timeline, studio, decoders)


def layered(*layers: Mapping[str, Any], background: Any = "black", **fields: Any) -> Film:
    """One scene of a second."""
    return film({"background": background, "layers": list(layers)}, **fields)


def picture(path: Path, width: int = 64, height: int = 48) -> Path:
    """A sky over hills with a sun; nothing in it is symmetrical."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    hills = y > 0.7 + 0.1 * np.sin(9 * x)
    sun = np.hypot((x - 0.75) * width / height, y - 0.3) < 0.12
    image = np.stack([70 + 90 * y, 120 + 80 * y, 230 - 40 * y], axis=2)
    image[hills], image[sun] = (40, 90, 50), (255, 230, 150)
    write_image(path, image.astype(np.uint8))
    return path
