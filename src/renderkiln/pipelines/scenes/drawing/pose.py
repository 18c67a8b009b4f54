"""Where a layer is at a moment, and how much of it is seen."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.easing import eased
from renderkiln.pipelines.scenes.document.layers import Layer
from renderkiln.pipelines.scenes.document.motion import Direction, Motion
from renderkiln.pipelines.scenes.size import Ruler

_FROM: dict[str, Direction] = {"slide": "left", "wipe": "left", "rise": "bottom"}


class Pose(NamedTuple):
    """Moved by (x, y) pixels and scaled about its middle; `clip` is in pixels of the frame.

    `shown` is the share of a text's letters that a typewriter has written.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    opacity: float = 1.0
    clip: Rect | None = None
    shown: float = 1.0

    def clipped(self, to: Rect) -> Pose:
        """Seen only within `to`, a rectangle of the frame, as well."""
        if self.clip is None:
            return self._replace(clip=to)
        (left, top), (right, bottom) = map(max, to[:2], self.clip[:2]), map(min, to[2:], self.clip[2:])
        return self._replace(clip=Rect(left, top, right, bottom))


class Presence(NamedTuple):
    """The frames of its scene in which a layer is there: `first` … `last - 1`."""

    first: int
    last: int

    @classmethod
    def of(cls, layer: Layer, frames: int, fps: Fraction) -> Presence:
        """Of `layer` in a scene of `frames` frames; it is there for one at least."""
        first = round(layer.start * fps)
        last = frames if layer.end is None else max(round(layer.end * fps), first + 1)
        return cls(first, min(last, frames))


@dataclass(frozen=True)
class Movement:
    """How a layer comes and goes. `bounds` is where it is at rest, all that is painted of it."""

    layer: Layer
    presence: Presence
    ruler: Ruler
    bounds: Rect

    def at(self, n: int) -> Pose | None:
        """The pose in frame `n` of the scene; None where it is not there."""
        first, last = self.presence
        if not first <= n < last:
            return None
        fps, pose = self.ruler.canvas.fps, Pose(opacity=self.layer.opacity)
        if (enter := self.layer.enter) is not None:
            pose = self._moved(pose, enter, _share_of(n - first, enter, fps))
        if (leave := self.layer.exit) is not None:
            pose = self._moved(pose, leave, _share_of(last - 1 - n, leave, fps))
        return pose

    def _moved(self, pose: Pose, motion: Motion, progress: float) -> Pose:
        """`pose` with a motion that is `progress` from hidden (0) to at rest (1)."""
        if progress >= 1:
            return pose
        there = eased(motion.easing, progress)
        match motion.type:
            case "fade":
                return pose._replace(opacity=pose.opacity * _share(there))
            case "zoom":
                scale = motion.scale + (1 - motion.scale) * there
                return pose._replace(scale=pose.scale * scale, opacity=pose.opacity * _share(there))
            case "typewriter":
                return pose._replace(shown=_share(progress))
            case "wipe":
                return pose.clipped(self._revealed(_direction(motion), _share(there)))
            case "rise":
                x, y = self._way(motion)
                faded = pose.opacity * _share(there)
                return pose._replace(x=pose.x + x * (1 - there), y=pose.y + y * (1 - there), opacity=faded)
            case "slide":
                x, y = self._way(motion)
                return pose._replace(x=pose.x + x * (1 - there), y=pose.y + y * (1 - there))

    def _way(self, motion: Motion) -> tuple[float, float]:
        """From where it is at rest to where the motion begins."""
        canvas, bounds, direction = self.ruler.canvas, self.bounds, _direction(motion)
        if motion.type == "rise":
            across, down = self.ruler.across(motion.distance), self.ruler.down(motion.distance)
            return {
                "left": (-across, 0.0),
                "right": (across, 0.0),
                "top": (0.0, -down),
                "bottom": (0.0, down),
            }[direction]
        return {
            "left": (-bounds.right, 0.0),
            "right": (canvas.width - bounds.left, 0.0),
            "top": (0.0, -bounds.bottom),
            "bottom": (0.0, canvas.height - bounds.top),
        }[direction]

    def _revealed(self, direction: Direction, share: float) -> Rect:
        left, top, right, bottom = self.bounds
        across, down = (right - left) * share, (bottom - top) * share
        match direction:
            case "left":
                return Rect(left, top, left + across, bottom)
            case "right":
                return Rect(right - across, top, right, bottom)
            case "top":
                return Rect(left, top, right, top + down)
            case "bottom":
                return Rect(left, bottom - down, right, bottom)


def _direction(motion: Motion) -> Direction:
    return motion.direction or _FROM[motion.type]


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _share_of(frames: int, motion: Motion, fps: Fraction) -> float:
    """How much of a motion `frames` frames are; one that takes no time is always over."""
    taking = round(motion.duration * fps)
    return frames / taking if taking else 1.0
