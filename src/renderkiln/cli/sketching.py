"""Pictures of a film before it is made."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from renderkiln.cli.words import say, shown
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.media import kernels
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.services import services_of
from renderkiln.settings import Settings

if TYPE_CHECKING:
    from renderkiln.media.frames.image import Pixels
    from renderkiln.pipelines.scenes.sketch import Sketch

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_TINY = 1e-6  # of a frame: 0.58 s of 50 frames a second are 28.999999999999996 frames
CELL = 640  # pixels: the width of a scene on the storyboard at most


def draw_frame(params: ScenesParams, seconds: float, target: Path) -> None:
    """Write the frame at `seconds` of the film. Raises UsageError, UserError."""
    _check(target)
    kernels.use_cache(Settings.load().home.absolute() / "cache")  # before the imports below bring Numba in
    from renderkiln.media.frames.picture import to_rgb
    from renderkiln.pipelines.scenes.drawing.unseen import unseen

    if not math.isfinite(seconds):
        raise UsageError(f"--at {seconds:g} is no second of a film")
    sketch = _sketch(params)
    timeline = sketch.timeline
    if seconds > timeline.seconds:
        raise UsageError(f"--at {seconds:g} is after the end: the film lasts {timeline.seconds:.2f} s")
    number = min(int(seconds * timeline.fps + _TINY), timeline.frames - 1)
    _write(target, to_rgb(sketch.frame(number)))
    for warning in unseen(timeline, sketch.studio):
        say(f"warning: {shown(warning)}")
    scene = timeline.at(number).span.id
    at = f"second {float(number / timeline.fps):.2f} of {timeline.seconds:.2f}"
    say(f"{shown(str(target))}: {at}, scene {scene}")


def draw_storyboard(params: ScenesParams, target: Path) -> None:
    """Write a sheet with a picture of every scene. Raises UsageError, UserError."""
    _check(target)
    kernels.use_cache(Settings.load().home.absolute() / "cache")
    from renderkiln.media.frames.picture import to_rgb
    from renderkiln.media.frames.sheet import MAX_CELLS, Cell, contact_sheet
    from renderkiln.media.frames.still import scaled

    sketch = _sketch(params)
    timeline = sketch.timeline
    if len(timeline.spans) > MAX_CELLS:
        raise UsageError(f"a storyboard has at most {MAX_CELLS} scenes: choose some by --scene")
    cells = []
    for span in timeline.spans:
        picture = to_rgb(sketch.frame(span.start + span.telling))
        if picture.shape[1] > CELL:
            picture = scaled(picture, CELL)
        length = f"{float(span.frames / timeline.fps):.1f} s"
        cells.append(Cell(picture, span.caption, detail=length, label=str(span.number + 1)))
    lasting = f"{len(cells)} scene{'' if len(cells) == 1 else 's'}, {timeline.seconds:.1f} s"
    title = params.project.title or "Storyboard"
    _write(target, contact_sheet(title, cells, subtitle=lasting, fonts=sketch.studio.user_fonts))
    say(f"{shown(str(target))}: {lasting}")


def _sketch(params: ScenesParams) -> Sketch:
    from renderkiln.pipelines.scenes.sketch import Sketch

    return Sketch.of(params, services_of(Settings.load()))


def _check(target: Path) -> None:
    if target.suffix.lower() not in SUFFIXES:
        raise UsageError(f"the picture is written as {', '.join(SUFFIXES)}, not as {target.name!r}")


def _write(target: Path, picture: Pixels) -> None:
    from renderkiln.media.frames.image import write_image

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, picture)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from error
