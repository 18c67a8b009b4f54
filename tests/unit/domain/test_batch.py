from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.batch import BatchCounts
from renderkiln.domain.states import ENDED, STATES, JobState

MANY = st.lists(st.sampled_from(STATES), min_size=1)


@given(MANY)
def test_every_job_is_counted_once(jobs: list[JobState]) -> None:
    counts = BatchCounts.of(jobs)
    assert counts.total == len(jobs)
    assert counts.failed == jobs.count("failed")


@given(MANY)
def test_a_batch_has_ended_when_all_its_jobs_have(jobs: list[JobState]) -> None:
    assert (BatchCounts.of(jobs).state in ENDED) == all(job in ENDED for job in jobs)


@pytest.mark.parametrize(
    ("jobs", "state"),
    [
        (["pending", "pending"], "pending"),
        (["pending", "completed"], "processing"),
        (["processing", "failed"], "processing"),
        (["completed", "failed", "cancelled"], "completed"),
        (["failed", "failed"], "failed"),
        (["failed", "cancelled"], "failed"),
        (["cancelled", "cancelled"], "cancelled"),
        ([], "pending"),
    ],
)
def test_the_state_is_derived_from_the_jobs(jobs: list[JobState], state: JobState) -> None:
    assert BatchCounts.of(jobs).state == state
