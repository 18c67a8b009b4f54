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


@pytest.mark.parametrize(
    ("pipeline", "question", "words"),
    [
        ("SameNames", "test_every_stage_has_a_name_of_its_own_and_a_weight", "the same name"),
        ("WrongHash", "test_the_artifacts_are_there_and_are_what_the_report_says", None),
        ("WrongSize", "test_the_report_is_json", "ARTIFACT_LOST"),
        ("Silent", "test_the_artifacts_are_there_and_are_what_the_report_says", "at least one artifact"),
        ("Silent", "test_progress_is_reported_and_never_falls", "no stage reports progress"),
        ("Litters", "test_the_output_holds_artifacts_and_nothing_else", None),
        ("NotJson", "test_the_report_is_json", "not JSON serializable"),
        ("Deaf", "test_a_cancelled_job_ends_within_two_seconds", None),
        ("Forgetful", "test_a_killed_job_goes_on_where_it_was", "was done once more"),
    ],
)
def test_the_exam_fails_a_broken_pipeline(pipeline: str, question: str, words: str | None) -> None:
    class Broken(TestDemo):
        pass

    Broken.pipeline = f"demo_pipeline:{pipeline}"
    Broken.setup_class()
    try:
        with pytest.raises(AssertionError, match=words):
            getattr(Broken(), question)()
    finally:
        Broken.teardown_class()
