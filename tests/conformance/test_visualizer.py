"""The visualizer takes the exam that every pipeline takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from integration.visualizer.rig import pulses, write_wav
from renderkiln.testing import PipelineExam

pytestmark = pytest.mark.integration


class TestVisualizer(PipelineExam):
    pipeline = "visualizer"
    params: ClassVar[dict[str, Any]] = {"format": "preview", "quality": "draft", "fps": 24}

    def make_input(self, folder: Path) -> Path:
        return write_wav(folder / "song.wav", pulses(11.0))  # two segments
