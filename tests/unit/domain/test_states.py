"""The life of a job, checked against its drawing by every walk Hypothesis thinks of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from renderkiln.domain import states
from renderkiln.domain.errors import Superseded
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport
from renderkiln.domain.states import EDGES, STATES, JobState, Verb, moved

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
JOB = Job("b-1", "b", "1", "visualizer", "video-rendering", {}, (Path("song.mp3"),), NOON)

DRAWN: set[tuple[JobState, JobState]] = {
    ("pending", "processing"),
    ("processing", "completed"),
    ("processing", "failed"),
    ("processing", "cancelled"),
    ("processing", "pending"),
    ("pending", "cancelled"),
    ("failed", "pending"),
    ("cancelled", "pending"),
}


def test_the_edges_are_the_drawn_ones_with_one_verb_each() -> None:
    assert set(EDGES.values()) == DRAWN
    assert len(EDGES) == len(DRAWN)
    assert all(f" {verb} " in str(states.__doc__) for verb in EDGES)


@given(st.sampled_from(STATES), st.sampled_from(list(EDGES)))
def test_only_drawn_edges_can_be_taken(state: JobState, verb: Verb) -> None:
    source, target = EDGES[verb]
    if state == source:
        assert moved(state, verb) == target
    else:
        with pytest.raises(Superseded, match=f"cannot {verb} a job that is {state}"):
            moved(state, verb)


class JobLife(RuleBasedStateMachine):
    """Tries any verb at any time on a report, beside a model of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.report = JobReport(JOB)
        self.model: JobState = "pending"

    @rule(verb=st.sampled_from(list(EDGES)))
    def try_verb(self, verb: Verb) -> None:
        before = self.report
        try:
            self.report = self.report.move(verb)
        except Superseded:
            assert self.report is before  # nothing was changed
            assert EDGES[verb][0] != self.model
            return
        assert (self.model, self.report.state) in DRAWN
        self.model = self.report.state

    @invariant()
    def what_has_ended_for_good_stays(self) -> None:
        if self.report.state == "completed":
            for verb in EDGES:
                with pytest.raises(Superseded):
                    self.report.move(verb)


TestJobLife = JobLife.TestCase
