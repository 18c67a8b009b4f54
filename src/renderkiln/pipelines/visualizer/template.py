"""What a visualizer template is.

A template turns audio features into frames. Every frame is a *pure function* of (frame index, features,
params, seed): so a film can be cut into segments, resumed, drawn by many threads and compared with golden
frames. A template keeps no state from one frame to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from renderkiln.media.audio.features import Features
from renderkiln.media.frames.canvas import Canvas, Frame


class TemplateParams(BaseModel):
    """What every template lets its user choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    palette: str = Field("default", description="Colours: one of the template's named palettes")
    intensity: float = Field(1.0, ge=0.25, le=2.0, description="How strongly the picture answers the music")
    title: str | None = Field(None, max_length=200, description="Title on the picture; empty for none")
    artist: str | None = Field(None, max_length=200, description="Artist on the picture; empty for none")
    cover: Path | None = Field(None, description="Cover image to show (JPEG, PNG or WebP)")


@dataclass(frozen=True)
class Film:
    """Everything a template may look at."""

    canvas: Canvas
    features: Features
    params: Any  # an instance of the template's own Params
    seed: int


class Painter(Protocol):
    """Draws frames. One per thread: it owns its scratch buffers and is never shared."""

    def draw(self, index: int, frame: Frame) -> None:
        """Write frame `index` into every pixel of `frame`."""


class Template(Protocol):
    """One look. Found through the entry point group `renderkiln.templates`."""

    name: str
    version: int
    summary: str
    palettes: tuple[str, ...]  # the first one is the default
    Params: type[TemplateParams]

    def painter(self, film: Film) -> Painter:
        """A new painter for this film. Called once in each drawing thread."""
