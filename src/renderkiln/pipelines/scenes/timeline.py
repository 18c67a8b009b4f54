"""When each scene of a film is seen, to the frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from renderkiln.domain.errors import Permanent
from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import TextLayer, VideoLayer
from renderkiln.pipelines.scenes.document.motion import Transition
from renderkiln.pipelines.scenes.document.project import Scene

# What a piece of a long scene has at most: the cores share them, and a kill costs one of each core's. A clip
# is decoded from the key frame before each piece, which may be ten seconds back.
PIECE_SECONDS, CLIP_SECONDS = 4, 10
_HALF = 0.5  # of a frame; round() would go up or down there, and make one frame of two or none


@dataclass(frozen=True)
class Span:
    """A scene on the film's timeline. Counts and places are in frames.

    Its first `before` frames are seen together with the last ones of the scene before it, its last `after`
    frames with the first ones of the next.
    """

    number: int  # in the film, from 0
    id: str
    scene: Scene
    start: int
    frames: int
    before: int = 0
    after: int = 0
    transition: Transition | None = None  # to the next

    @property
    def stop(self) -> int:
        return self.start + self.frames

    @property
    def has_clips(self) -> bool:
        """Whether FFmpeg decodes something of what is seen of it."""
        scene = self.scene
        return any(
            isinstance(each, VideoLayer | VideoBackground) for each in (scene.background, *scene.layers)
        )

    @property
    def telling(self) -> int:
        """A frame of it that shows most of what it has: late, but before anything goes."""
        return min(self.frames - self.after - 1, max(self.before, round(0.7 * (self.frames - self.after))))

    @property
    def caption(self) -> str:
        """What people tell it by: its name, and its first words."""
        words = next((layer.text for layer in self.scene.layers if isinstance(layer, TextLayer)), "")
        return f"{self.id}: {' '.join(words.split())}" if words else self.id


@dataclass(frozen=True)
class Part:
    """What is drawn and encoded by itself: frames of one scene, or a passage from it to the next.

    `first` … `first + frames - 1` are frames of the scene `span`; in a passage the scene `next` is seen as
    well, from its first frame on.
    """

    key: str
    span: Span
    first: int
    frames: int
    next: Span | None = None

    @property
    def start(self) -> int:
        """Its first frame in the film."""
        return self.span.start + self.first


@dataclass(frozen=True)
class Timeline:
    """All scenes of a film in their order."""

    spans: Sequence[Span]
    fps: Fraction
    divided: bool = True  # long scenes into pieces; of a gif each scene has one palette

    @property
    def frames(self) -> int:
        return self.spans[-1].stop

    @property
    def seconds(self) -> float:
        return float(self.frames / self.fps)

    def parts(self) -> Sequence[Part]:
        """In the order of the film: each frame of it is in exactly one."""
        return [part for span in self.spans for part in self._parts_of(span)]

    def at(self, frame: int) -> Part:
        """The part that holds a frame of the film."""
        return next(part for part in reversed(self.parts()) if part.start <= frame)

    def _parts_of(self, span: Span) -> Iterator[Part]:
        first, last = span.before, span.frames - span.after
        longest = CLIP_SECONDS if span.has_clips else PIECE_SECONDS
        count = (
            math.ceil((last - first) / round(longest * self.fps)) if self.divided else min(last - first, 1)
        )
        edges = [first + (last - first) * number // count for number in range(count)]
        for number, (at, end) in enumerate(pairwise([*edges, last])):
            yield Part(f"scene-{span.number:04d}-{number:04d}", span, at, end - at)
        if span.after:
            following = self.spans[span.number + 1]
            yield Part(f"passage-{span.number:04d}", span, last, span.after, following)


def lay_out(
    scenes: Sequence[tuple[str, Scene]],
    seconds: Mapping[str, float],
    usual: Transition,
    fps: Fraction,
    *,
    divided: bool = True,
) -> Timeline:
    """Scenes with their ids one after another; `seconds` are their durations by id.

    A transition, a whole number of frames, lies over the end of a scene and the beginning of the next: the
    film is shorter by it. A scene whose duration is given ends at the frame nearest to the sum of all before,
    so that many short ones do not drift from a beat; it is less than a frame longer or shorter for that. One
    that is as long as its voice or clip is rounded by itself, so that another word does not move what comes
    after it by a frame. Raises Permanent where a scene is too short for its transitions.
    """
    spans: list[Span] = []
    start = before = 0
    begins: float | Fraction = 0.0  # seconds, of which `start` is the frame
    for number, (id, scene) in enumerate(scenes):
        ends: float | Fraction = (start / fps if scene.duration is None else begins) + seconds[id]
        frames = max(1, math.floor(ends * fps + _HALF) - start)
        ends = (start + frames) / fps if scene.duration is None else ends
        change = scene.transition or usual
        last = number == len(scenes) - 1
        after = 0 if last or change.type == "cut" else max(1, round(change.duration * fps))
        if before + after == frames + 1 and after > 1:
            after -= 1  # they fit, but both were rounded up
        if before + after > frames:
            raise Permanent(
                f"The scene {id} lasts {float(frames / fps):.2f} s, but its transitions take "
                f"{float((before + after) / fps):.2f} s: make it longer or them shorter"
            )
        spans.append(Span(number, id, scene, start, frames, before, after, change if after else None))
        start, before = start + frames - after, after
        begins = ends - after / fps
    return Timeline(spans, fps, divided)
