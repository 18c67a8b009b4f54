"""Golden frames: stored pictures that a change must not alter unseen.

`RENDERKILN_GOLDEN=write pytest tests/golden` stores them anew; look at them before you commit them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.frames.canvas import Frame

TOLERANCE = 2  # code values: what fastmath differs by between classes of CPU, and one step of dither
STRAY = 0.002  # share of samples that may differ more: a filament's edge moves by a hair

Golden = Callable[[str, Frame], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Call it with a name and a frame: fails unless the frame equals `frames/<name>.npz` beside the test."""
    folder = Path(request.path).parent / "frames"

    def compare(name: str, frame: Frame) -> None:
        path = folder / f"{name}.npz"
        if os.environ.get("RENDERKILN_GOLDEN") == "write":
            folder.mkdir(exist_ok=True)
            np.savez_compressed(path, frame=frame.buffer)
        stored = np.load(path)["frame"].astype(np.int16)
        difference = np.abs(frame.buffer.astype(np.int16) - stored)
        strays = float((difference > TOLERANCE).mean())
        assert strays <= STRAY, f"{name}: {strays:.2%} of samples differ by more than {TOLERANCE} code values"

    return compare
