"""The narration takes the exam that every pipeline takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from renderkiln.testing import PipelineExam

pytestmark = pytest.mark.integration


class TestNarration(PipelineExam):
    pipeline = "narration"
    varying = frozenset({"report"})  # it tells what came out of the cache
    params: ClassVar[dict[str, Any]] = {
        "script": "One sentence.\n\nAnother one. [pause 1s] And the last.",
        "duration_min": 0.5,
        "layers": {"binaural": {"band": "alpha"}, "noise": {"color": "brown"}},
    }

    def make_input(self, folder: Path) -> Path:
        path = folder / "script.txt"
        path.write_text("All that is in it stands in the params.")
        return path
