"""A picture of what a template makes of the built-in song, for who chooses one."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Self

from renderkiln import __version__
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.pipelines.visualizer.formats import FORMATS
from renderkiln.pipelines.visualizer.params import VisualizerParams

if TYPE_CHECKING:
    from renderkiln.media.audio.features import Features
    from renderkiln.media.frames.image import Pixels

FPS = 30
SIDE = 640  # pixels: the longer one of a small picture
LAST = 19.9  # the last second of the song that has a picture
BEST = 9.2  # a second in which much is heard


@dataclass(frozen=True)
class Sample:
    """The frame at a second of the song. Its `params` name no cover: there is no file to take it from."""

    params: VisualizerParams
    canvas: Canvas
    seconds: float = BEST

    @classmethod
    def small(cls, params: VisualizerParams, seconds: float = BEST) -> Self:
        """In the shape of the film's format."""
        format = FORMATS[params.format]
        longer = max(format.width, format.height)
        width, height = (round(SIDE * side / longer / 4) * 4 for side in (format.width, format.height))
        return cls(params, Canvas(width, height, Fraction(FPS), format.projection), seconds)

    def identity(self, fonts: str) -> str:
        """A hash of all that decides what it looks like; `fonts` is their fingerprint."""
        template = self.params.load_template()
        seen = self.params.model_dump(mode="json", include={"template", "seed", "look"})
        size = [self.canvas.width, self.canvas.height, self.canvas.projection]
        told = [__version__, template.version, fonts, size, round(self.seconds * FPS), seen]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def draw(self, folder: Path, fonts: Sequence[Path] = ()) -> Pixels:
        """The picture. What is heard of the song is kept in `folder`. Raises OSError."""
        from renderkiln.media.frames.picture import to_rgb
        from renderkiln.pipelines.visualizer.film import DrawableFilm

        look = self.params.template_params()
        film = DrawableFilm.of(
            self.params,
            _heard(folder),
            title=look.title or "",
            artist=look.artist or "",
            fonts=fonts,
            canvas=self.canvas,
        )
        frame = Frame(self.canvas)
        film.new_draw()(min(round(self.seconds * FPS), len(film) - 1), frame)
        return to_rgb(frame)


def _heard(folder: Path) -> Features:
    """The features of the song. Composing and hearing it takes some seconds: once for a version of us."""
    from renderkiln.media.audio.features import Features

    kept = folder / f"song-{__version__}.npy"
    try:
        features = Features.load(kept, Fraction(FPS))
        os.utime(kept)  # its last use
    except (OSError, ValueError):  # not there, or not whole
        features = _listen(kept)
    return features


def _listen(kept: Path) -> Features:
    from renderkiln.media.audio.compose import compose
    from renderkiln.media.audio.spectrum import SpectrumAnalyser
    from renderkiln.media.audio.studio.synth import RATE

    track = compose()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        analyser = SpectrumAnalyser(RATE, Fraction(FPS), Path(scratch))
        analyser.add(track.mean(axis=1))
        features = analyser.finish(Path(scratch) / kept.name, len(track) * FPS // RATE)
        (Path(scratch) / kept.name).replace(kept)
    return features
