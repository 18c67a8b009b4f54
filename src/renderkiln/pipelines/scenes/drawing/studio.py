"""What all drawers of a film have in common."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from renderkiln.media.captions import Cue
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.frames.image import Pixels, read_image
from renderkiln.media.frames.text import Color
from renderkiln.media.video.survey import Survey
from renderkiln.pipelines.scenes.called import told
from renderkiln.pipelines.scenes.document.project import Brand
from renderkiln.pipelines.scenes.document.references import color_of
from renderkiln.pipelines.scenes.size import Ruler

if TYPE_CHECKING:  # it loads much, and few films have waveforms
    from renderkiln.media.audio.bars import Bars

T = TypeVar("T")

_MOST_BYTES = 96 << 20  # of rasters that are kept for the next part


@dataclass(frozen=True)
class Found:
    """A file of the project, where it is now. `survey` is of clips."""

    path: Path
    sha256: str
    survey: Survey | None = None
    changed: int | None = None  # nanoseconds since 1970: its last change before it was hashed

    @property
    def is_unchanged(self) -> bool:
        """Whether it is what was hashed: a large file is a link to its author's, who may write to it."""
        return self.changed is None or self.path.stat().st_mtime_ns == self.changed


@dataclass(frozen=True)
class Studio:
    """Size, brand, files, and rasters that were made once. Used by many threads."""

    canvas: Canvas
    brand: Brand
    found: Mapping[str, Found]  # by place
    open_reader: Callable[[Command], Reader]
    film_frames: int = 1
    spoken: Mapping[str, Sequence[Cue]] = field(default_factory=dict)  # by scene id, times from its beginning
    user_fonts: tuple[Path, ...] = ()  # of the house, asked after the brand's
    bars: Mapping[str, Bars] = field(default_factory=dict)  # by what moves them: mix, voice, music
    _rasters: _Rasters = field(default_factory=lambda: _Rasters())

    @property
    def ruler(self) -> Ruler:
        return Ruler(self.canvas)

    def color(self, name: str) -> Color:
        """A colour of the document as sRGB with straight alpha."""
        return color_of(name, self.brand)

    def told(self, error: Exception) -> str:
        """What an error says, with the names that the project gives to files."""
        for place, found in self.found.items():
            if found.path.name in str(error):
                return told(error, found.path, place)
        return str(error)

    def image(self, place: str) -> Pixels:
        """RGBA with straight alpha."""
        return read_image(self.found[place].path)

    def once(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """What `make` makes, made once for all parts while there is room for it."""
        return self._rasters.get(key, make, size)


class _Rasters:
    """The most recently used rasters, by bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key][0]
                return kept
        made = make()  # two threads may make the same at once; both are right
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made, size(made)
                self._bytes += size(made)
            while self._bytes > _MOST_BYTES and len(self._kept) > 1:
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed
        return made
