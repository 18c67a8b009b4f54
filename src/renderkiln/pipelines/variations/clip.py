"""A clip as its variations see it: what was found in the file, and what all of them are to have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from renderkiln.media.ffmpeg.transcode import aac_rate
from renderkiln.media.video.plain import size
from renderkiln.media.video.survey import Survey
from renderkiln.pipelines.variations.effect import Picture
from renderkiln.pipelines.variations.params import VariationsParams

MOMENTS = 12  # at most so many frames of a clip stand for all of it
_CLOSEST, _WIDEST = 0.5, 2.0  # seconds between two of them, where the clip is short enough
_CHANNELS = {"mono": 1, "stereo": 2}


@dataclass(frozen=True)
class Clip:
    """`channels` is 0 without sound. At the `moments`, seconds of the clip, variations are compared."""

    survey: Survey
    width: int
    height: int
    fps: Fraction
    rate: int  # Hz
    channels: int
    layout: str  # that was asked for; empty where the clip's own stays
    moments: tuple[float, ...]

    @classmethod
    def of(cls, survey: Survey, params: VariationsParams) -> Self:
        width, height = fitted(*size(survey), params.resolution)
        sound = survey.audio
        return cls(
            survey=survey,
            width=width,
            height=height,
            fps=survey.fps if params.fps is None else Fraction(params.fps),
            rate=aac_rate(sound.rate) if sound else 0,
            channels=_CHANNELS.get(params.channels, sound.channels) if sound else 0,
            layout=params.channels if params.channels in _CHANNELS else "",
            moments=_moments(survey.duration),
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any], params: VariationsParams) -> Self:
        """The clip whose survey was recorded."""
        return cls.of(Survey.from_json(values), params)

    @property
    def has_sound(self) -> bool:
        return self.channels > 0

    def frames(self, speed: float) -> int:
        """Frames of a variation at this speed: what is nearest to its exact duration, one at least."""
        return max(1, round(self.survey.duration / speed * self.fps))

    def seconds(self, speed: float) -> float:
        """How long those frames last."""
        return float(self.frames(speed) / self.fps)

    def samples(self, speed: float) -> int:
        """Samples of sound that last as long as the picture."""
        return round(Fraction(self.frames(speed)) / self.fps * self.rate)

    def picture(self, speed: float) -> Picture:
        """What effects may know of a variation's picture."""
        return Picture(self.width, self.height, self.fps, self.seconds(speed))


def fitted(width: int, height: int, resolution: str) -> tuple[int, int]:
    """The size whose shorter side is at most that of `resolution`; nothing is enlarged."""
    if resolution == "keep":
        return width, height
    scale = min(1.0, int(resolution.removesuffix("p")) / min(width, height))
    return tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))  # type: ignore[return-value]


def _moments(duration: float) -> tuple[float, ...]:
    step = min(max(duration / MOMENTS, _CLOSEST), _WIDEST)
    grid = [number * step for number in range(max(1, math.floor(duration / step + 1e-9)))]
    if len(grid) <= MOMENTS:
        return tuple(grid)
    return tuple(grid[int((number + 0.5) * len(grid) / MOMENTS)] for number in range(MOMENTS))
