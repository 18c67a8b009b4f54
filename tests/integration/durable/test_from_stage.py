"""A retry from an earlier stage: what was kept of it and of those after it is made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from renderkiln.engine.control import NoStage
from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration


def told(rig: Rig, id: str, attempt: int) -> list[tuple[str, str | None]]:
    """What an attempt says of its stages."""
    events = [each.event for each in rig.told("job.started", "stage.started", "stage.reused", job=id)]
    begins = [n for n, each in enumerate(events) if each.facts.get("attempt") == attempt][-1]
    return [(each.name.removeprefix("stage."), each.stage) for each in events[begins + 1 :]]


def test_a_job_is_made_anew_from_a_stage_on(rig: Rig) -> None:
    blocked = rig.output / "note.mkv"
    (blocked / "in the way").mkdir(parents=True)
    rig.worker("first")
    (id,) = rig.submit("note", segments=2, seconds=0.1)
    until(lambda: rig.state(id) == "failed")
    (film,) = (rig.app.settings.home / "work").rglob("film.mkv")
    published = rig.folder / "published.mkv"
    os.link(film, published)  # as a delivery does that is cut off before it is recorded
    before = published.stat().st_mtime_ns
    with pytest.raises(NoStage, match="there are: gather, render, join, deliver"):
        rig.room.control.retry(id, from_stage="rendr")
    assert rig.state(id) == "failed"
    (blocked / "in the way").rmdir()
    Path(blocked).rmdir()
    number = rig.room.control.retry(id, from_stage="render")
    until(lambda: rig.state(id) == "completed")
    assert told(rig, id, number) == [
        ("reused", "gather"),
        ("started", "render"),
        ("started", "join"),
        ("started", "deliver"),
    ]
    assert len(rig.told("part.completed", job=id)) == 4
    assert published.stat().st_mtime_ns == before, "a finished file is written into no more"
    assert blocked.read_bytes() == published.read_bytes()
    (again,) = rig.told("job.reopened", job=id)
    assert again.event.message == "Queued again, from the stage render"
