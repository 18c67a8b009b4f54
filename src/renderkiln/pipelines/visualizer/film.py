"""A film ready to be drawn: template, overlay and features brought together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.audio.features import Features
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.overlay import Overlay, title_card
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.template import Film, Painter, Template


@dataclass(frozen=True)
class DrawableFilm:
    """Draws any frame of one film."""

    film: Film
    template: Template
    overlay: Overlay | None

    @classmethod
    def of(
        cls,
        params: VisualizerParams,
        features: Features,
        *,
        title: str = "",
        artist: str = "",
        cover: bytes | None = None,
        fonts: Sequence[Path] = (),
        canvas: Canvas | None = None,
    ) -> DrawableFilm:
        """The film that `params` ask for; `title`, `artist` and `cover` (image bytes) appear on it."""
        canvas = canvas or params.canvas()
        film = Film(canvas, features, params.template_params(), params.seed)
        return cls(film, params.load_template(), title_card(canvas, title, artist, cover, fonts=fonts))

    def __len__(self) -> int:
        return len(self.film.features)

    @property
    def canvas(self) -> Canvas:
        return self.film.canvas

    def new_draw(self) -> Callable[[int, Frame], None]:
        """A drawing function for one thread."""
        painter: Painter = self.template.painter(self.film)
        overlay = self.overlay
        if overlay is None:
            return painter.draw
        fps = float(self.canvas.fps)
        duration = len(self) / fps

        def draw(index: int, frame: Frame) -> None:
            painter.draw(index, frame)
            overlay.blend(frame, overlay.opacity_at(index / fps, duration))

        return draw
