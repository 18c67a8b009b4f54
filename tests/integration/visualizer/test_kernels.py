"""The run that compiles the kernels draws the same frames as those that find them compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from integration.visualizer.rig import RATE, pulses
from renderkiln.media.audio.spectrum import SpectrumAnalyser

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("format", ["preview", pytest.param("360stereo", marks=pytest.mark.slow)])
def test_compiled_here_and_found_compiled_are_the_same(tmp_path: Path, format: str) -> None:
    analyser = SpectrumAnalyser(RATE, Fraction(24))
    analyser.add(pulses(4.0).astype(np.float32))
    analyser.finish(tmp_path / "features.npy", 96)
    fresh, found = (_drawn(tmp_path, format) for _ in range(2))
    assert len(set(fresh)) == 4
    assert fresh == found


def _drawn(folder: Path, format: str) -> list[str]:
    drawing = Path(__file__).with_name("drawing.py")
    environ = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "kernels")}
    command = [sys.executable, str(drawing), str(folder / "features.npy"), format]
    ended = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return ended.stdout.split()
