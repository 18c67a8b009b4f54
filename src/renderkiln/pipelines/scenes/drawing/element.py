"""What a scene is drawn of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from renderkiln.media.frames.canvas import Frame


class Element(Protocol):
    """A background or a layer. Frames are counted from the beginning of its scene."""

    def state(self, n: int) -> Hashable | None:
        """All that decides how it looks in frame `n`: equal states look equal. None when it is not seen."""

    def draw(self, frame: Frame, n: int) -> None:
        """Lay it over `frame` as it looks in frame `n`. Frames are asked for in ascending order."""

    def close(self) -> None:
        """Let go of what it holds, such as a decoder."""
