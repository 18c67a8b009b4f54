"""Waveform: the sound itself as a glowing line, with its own past behind it."""

from __future__ import annotations

from pydantic import Field

from renderkiln.media.frames.palette import NAMED
from renderkiln.pipelines.visualizer.template import Film, Painter, TemplateParams


class WaveformParams(TemplateParams):
    """What one may choose."""

    echoes: int = Field(14, ge=0, le=40, description="How many earlier waves trail behind the line")
    thickness: float = Field(1.0, ge=0.3, le=4.0, description="Thickness of the line")
    progress: bool = Field(default=True, description="A fine line at the bottom shows how far the song is")


class Waveform:
    """An oscilloscope, steadied by a trigger, trailing silk."""

    name = "waveform"
    version = 1
    summary = "A glowing oscilloscope line that trails veils of its own past"
    palettes = tuple(NAMED)
    Params = WaveformParams

    def painter(self, film: Film) -> Painter:
        """A new painter for this film."""
        # Late: whoever only lists templates or checks params must not wait for Numba.
        from renderkiln.pipelines.visualizer.templates.waveform.painter import WaveformPainter

        return WaveformPainter(film)
