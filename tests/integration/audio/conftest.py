"""Sound in files, as the narration has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio_truth import Samples
from renderkiln.media.audio.timeline import Clip

MakeClip = Callable[[int, Samples], Clip]


@pytest.fixture
def clip(tmp_path: Path) -> MakeClip:
    """`clip(start, samples)` writes a mono array of shape (n,)."""

    def make(start: int, samples: Samples) -> Clip:
        path = tmp_path / f"{start}.f32"
        samples.astype(np.float32).tofile(path)
        return Clip(start, path, len(samples))

    return make
