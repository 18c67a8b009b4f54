"""Jobs that need others: they begin when those are completed, and end when those can no longer be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from renderkiln.domain.errors import UserError
from renderkiln.engine.submission import Submission
from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration


def chain(rig: Rig, *mischiefs: str) -> list[str]:
    """A batch of jobs, each of which needs the one before; their ids."""
    batch = rig.app.new_batch()
    jobs = []
    for number, mischief in enumerate(mischiefs):
        note = rig.folder / f"note{number}"
        note.write_text(str(number))
        params = {"mischief": mischief}
        jobs.append(rig.app.job("mischief:Mischief", note, params, batch_id=batch, item_id=str(number)))
    needs = {later.id: [earlier.id] for earlier, later in pairwise(jobs)}
    rig.room.submit(Submission(batch, jobs, rig.output, needs=needs))
    return [job.id for job in jobs]


def test_each_begins_when_the_one_before_is_completed(rig: Rig) -> None:
    ids = chain(rig, "none", "none", "none")
    rig.worker("first")
    until(lambda: rig.state(ids[2]) == "completed")
    times = [(rig.job(id).report.started_at, rig.job(id).report.completed_at) for id in ids]
    for (_, completed), (started, _) in pairwise(times):
        assert completed is not None
        assert started is not None
        assert completed <= started


def test_a_failure_ends_those_that_need_it_and_a_retry_takes_them_up_again(rig: Rig) -> None:
    ids = chain(rig, "permanent", "none", "none")
    rig.worker("first")
    until(lambda: rig.told("batch.completed"))
    assert list(map(rig.state, ids)) == ["failed", "cancelled", "cancelled"]
    error = rig.job(ids[1]).report.error
    assert error is not None
    assert (error.code, error.message) == ("NEEDS", f"It needs job {ids[0]}, which failed")
    with pytest.raises(UserError, match=f"needs job {ids[1]}, which is cancelled: retry that one first"):
        rig.room.control.retry(ids[2])
    rig.room.queues.pause("video-rendering")
    rig.room.control.retry(ids[0])
    assert list(map(rig.state, ids)) == ["pending", "pending", "pending"]
    assert rig.room.tickets.of_job(ids[1]) == []  # its turn comes when the first is completed


def test_a_cancelled_job_ends_those_that_need_it(rig: Rig) -> None:
    ids = chain(rig, "none", "none")
    rig.room.control.cancel(ids[0])
    assert list(map(rig.state, ids)) == ["cancelled", "cancelled"]
    assert [each.event.facts["round"] for each in rig.told("batch.completed")] == [1]
    rig.room.control.retry(ids[0])
    rig.worker("first")
    until(lambda: list(map(rig.state, ids)) == ["completed", "completed"])


def test_what_cannot_be_needed_is_refused_and_nothing_is_stored(rig: Rig) -> None:
    (failed,) = chain(rig, "none")
    rig.room.control.cancel(failed)
    note = rig.folder / "note"
    note.write_text("")
    for needed, words in (
        ("nobody", "is not there"),
        (failed, "is cancelled"),
        ("itself", "does not stand before"),
    ):
        job = rig.app.job("mischief:Mischief", note, {"mischief": "none"})
        other = job.id if needed == "itself" else needed
        with pytest.raises(UserError, match=words):
            rig.room.submit(Submission(job.batch_id, [job], rig.output, needs={job.id: [other]}))
        assert rig.room.find(job.id) is None
