"""Pictures of a film before it is made."""

from __future__ import annotations

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


def draw_frame(params: ScenesParams, seconds: float, target: Path) -> None:
    """Write the frame at `seconds` of the film. Raises UsageError, UserError."""
    _check(target)
    sketch = _sketch(params)
    shot = sketch.at(seconds)
    _write(target, shot.picture)
    from renderkiln.pipelines.scenes.drawing.unseen import unseen

    for warning in unseen(sketch.timeline, sketch.studio):
        say(f"warning: {shown(warning)}")
    at = f"second {shot.second:.2f} of {sketch.timeline.seconds:.2f}"
    say(f"{shown(str(target))}: {at}, scene {shot.scene}")


def draw_storyboard(params: ScenesParams, target: Path) -> None:
    """Write a sheet with a picture of every scene. Raises UsageError, UserError."""
    _check(target)
    sketch = _sketch(params)
    _write(target, sketch.storyboard(params.project.title or "Storyboard"))
    say(f"{shown(str(target))}: {sketch.lasting}")


def _sketch(params: ScenesParams) -> Sketch:
    kernels.use_cache(Settings.load().home.absolute() / "cache")  # before the import below brings Numba in
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
