"""The exam passes a sound pipeline and fails broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from renderkiln.testing import PipelineExam

pytestmark = pytest.mark.integration


class TestDemo(PipelineExam):
    pipeline = "demo_pipeline:Demo"
    params: ClassVar[dict[str, Any]] = {"segments": 4, "seconds": 0.3, "pace": True}

    def make_input(self, folder: Path) -> Path:
        path = folder / "note.txt"
        path.write_text("a note")
        return path
