"""How fast variations are made, all that run at once together, and how long the rest will take."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from renderkiln.pipelines.contract import StageContext
from renderkiln.pipelines.speed import Speed
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.params import VariationsParams


def kind_of(clip: Clip, params: VariationsParams, cores: int) -> str:
    """What decides how long a frame takes."""
    return " ".join(
        ["variations", f"{clip.width}x{clip.height}", params.quality, params.encoder, f"{cores} cores"]
    )


class Pace:
    """Counts the frames of variations that are made at the same time, and reports them as one progress.

    `frames` are those of each variation by key; what is in `finished` already does not count as speed.
    """

    def __init__(
        self,
        ctx: StageContext,
        clip: Clip,
        frames: Mapping[str, int],
        finished: Mapping[str, int],
        *,
        before: float | None,
    ) -> None:
        self._ctx, self._frames = ctx, frames
        self._done = dict(finished)
        self._finished = len(finished)
        self._before = before  # frames a second of an earlier job of this kind
        self._lock = threading.Lock()
        self.speed = Speed(sum(finished.values()), sum(frames.values()), float(clip.fps))

    def reached(self, key: str, frame: int) -> None:
        """Note how far a variation is, and tell. Raises Stopped."""
        with self._lock:
            self._done[key] = max(self._done.get(key, 0), min(frame, self._frames[key]))
            self.speed.reached(sum(self._done.values()))
            fraction, facts = self._fraction(), self._facts()
            number = self._finished + 1
        count = len(self._frames)
        self._ctx.progress(fraction, f"Rendering variation {min(number, count)} of {count}", **facts)

    def finished(self, key: str) -> None:
        """Note that a variation is done."""
        self.reached(key, self._frames[key])
        with self._lock:
            self._finished += 1

    def _fraction(self) -> float:
        """(variations done + shares of those that run) / all: each counts the same."""
        return sum(self._done.get(key, 0) / frames for key, frames in self._frames.items()) / len(
            self._frames
        )

    def _facts(self) -> dict[str, float | None]:
        facts = self.speed.facts
        if facts["eta_seconds"] is None and self._before:
            facts["eta_seconds"] = round((self.speed.total - self.speed.done) / self._before, 1)
        return facts
