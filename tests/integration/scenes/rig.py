"""Renders projects in this process, and decodes what came out of it without the code under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.domain.report import JobReport

SMALL = {"resolution": "480p", "fps": 24}  # of a project, where it says nothing else


class Kiln:
    """Renders projects whose files lie in `folder`, and remembers what was said."""

    def __init__(self, kiln: Renderkiln, folder: Path) -> None:
        self._kiln, self.folder = kiln, folder
        self.events: list[Event] = []

    def render(
        self, project: Mapping[str, Any], listen: Callable[[Event], None] = lambda _: None, **params: Any
    ) -> JobReport:
        """The job's report; `listen` hears its events as they happen."""
        self.events = []

        def hear(event: Event) -> None:
            self.events.append(event)
            listen(event)

        given = {"project": {**SMALL, **project}, "folder": str(self.folder), "quality": "draft", **params}
        job = self._kiln.job("scenes", None, given)
        return self._kiln.run(job, output=self.folder / "out", listen=hear)

    def film(self, project: Mapping[str, Any], **params: Any) -> Film:
        """The rendered film, decoded."""
        report = self.render(project, **params)
        assert report.succeeded, report.error
        return Film.of(report)

    @property
    def warnings(self) -> dict[str, str]:
        """What the last render warned of, by code."""
        return {str(each.facts["code"]): each.message for each in self.events if each.name == "warning"}


@dataclass(frozen=True)
class Film:
    """A finished film: mean luma and time of each frame; sound of shape (2, samples) at 48 kHz, if any."""

    report: JobReport
    path: Path
    luma: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    sound: npt.NDArray[np.float32] | None
    tags: Mapping[str, str]

    @classmethod
    def of(cls, report: JobReport) -> Film:
        path = report.artifacts[0].path
        with av.open(path) as film:
            shown = [(frame.to_ndarray(format="gray").mean(), frame.time) for frame in film.decode(video=0)]
            has_sound, tags = bool(film.streams.audio), dict(film.metadata)
        luma, times = np.array(shown, np.float64).T
        return cls(report, path, luma, times, _sound(path) if has_sound else None, tags)

    @property
    def flashes(self) -> list[float]:
        """Seconds at which the picture turns brighter at once."""
        return [float(time) for time in self.times[1:][np.diff(self.luma) > 25]]

    @property
    def clicks(self) -> list[float]:
        """Seconds at which it becomes loud after at least a fifth of a second of silence."""
        assert self.sound is not None
        level = np.abs(self.sound[0])
        loud = np.flatnonzero(level > 0.1 * level.max())
        first = loud[np.flatnonzero(np.diff(loud, prepend=-48_000) > 9_600)]
        return [float(each / 48_000) for each in first]


def _sound(path: Path) -> npt.NDArray[np.float32]:
    with av.open(path) as film:
        stream = film.streams.audio[0]
        assert stream.rate == 48_000
        blocks = list(film.decode(stream))
    # What an encoder needs before the first sample is cut off as the container says; where it is not, the
    # first block's time is below 0.
    sound = np.concatenate([block.to_ndarray() for block in blocks], axis=1)
    start = blocks[0].time
    assert start is not None
    return sound if start >= 0 else sound[:, round(-start * 48_000) :]
