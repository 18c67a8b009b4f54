"""The scenes take the exam that every pipeline takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from renderkiln.testing import PipelineExam

pytestmark = pytest.mark.integration

MOVING = {"type": "shape", "width": 400, "height": 400, "enter": {"type": "slide", "duration": 2}}


class TestScenes(PipelineExam):
    pipeline = "scenes"
    params: ClassVar[dict[str, Any]] = {
        "project": {
            "title": "An exam",
            "resolution": "480p",
            "fps": 24,
            "transition": {"type": "crossfade", "duration": 0.25},
            "scenes": [
                {"duration": 3, "background": color, "layers": [MOVING], "voice": "One more."}
                for color in ("#204060", "#602040", "#406020", "#102030", "#302010", "#203010")
            ],
        },
        "quality": "draft",
        "report": True,
    }

    def make_input(self, folder: Path) -> Path:
        path = folder / "project.json"
        path.write_text("All that is in it stands in the params.")
        return path
