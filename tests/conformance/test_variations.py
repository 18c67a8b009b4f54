"""The variations take the exam that every pipeline takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from clips import plain
from renderkiln.testing import PipelineExam

pytestmark = pytest.mark.integration


class TestVariations(PipelineExam):
    pipeline = "variations"
    params: ClassVar[dict[str, Any]] = {"count": 3, "quality": "draft", "seed": 4}

    def make_input(self, folder: Path) -> Path:
        return plain(folder, seconds=12)
