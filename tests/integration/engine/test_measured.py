"""What jobs use up is a measure for others, and costs what its price was then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from renderkiln import Renderkiln, Settings
from renderkiln.database import attempts, costs
from renderkiln.pipelines.contract import InputFacts

pytestmark = pytest.mark.integration

PRICES: dict[str, Any] = {"price_cpu_hour": 3.6, "price_gb_stored": 1.0, "currency": "EUR"}


@pytest.fixture
def priced(app: Renderkiln, tmp_path: Path) -> Any:
    """A room of its own whose work has prices; it shares the fork server of all."""
    with Renderkiln.open(Settings.load(home=tmp_path / "home", environ={}, **PRICES)) as own:
        yield own


def run(kiln: Renderkiln, folder: Path, pipeline: str, params: dict[str, Any], bytes_in: int = 1000) -> Any:
    note = folder / "note.txt"
    note.write_bytes(b"x" * bytes_in)
    return kiln.run(kiln.job(pipeline, note, params), output=folder / "out")


def test_a_job_costs_its_cpu_and_its_files_and_is_a_measure(priced: Renderkiln, tmp_path: Path) -> None:
    before = priced.estimate("demo_pipeline:Demo", {}, [InputFacts(size=1000)])
    assert (before.basis, before.samples, before.seconds) == ("unknown", 0, None)
    report = run(priced, tmp_path, "demo_pipeline:Demo", {"segments": 1})
    with priced.database.read() as connection:
        (row,) = attempts.of_job(connection, report.job.id)
    assert row.cpu_seconds
    assert row.bytes_out
    cost = report.cost
    assert (cost.currency, cost.sent, cost.services) == ("EUR", 0, 0)
    assert cost.cpu == round(row.cpu_seconds * 1e6)  # billionths, at a thousandth for a second
    assert cost.stored == row.bytes_out
    after = priced.estimate("demo_pipeline:Demo", {}, [InputFacts(size=2000)])
    assert (after.basis, after.samples, after.work.unit) == ("measured", 1, "megabyte of input")
    assert after.cpu_seconds is not None
    assert after.cpu_seconds.typical == pytest.approx(2 * row.cpu_seconds)


def test_what_a_service_was_paid_counts_also_where_the_job_fails(priced: Renderkiln, tmp_path: Path) -> None:
    report = run(priced, tmp_path, "mischief:Mischief", {"mischief": "pay_and_fail"})
    assert report.state == "failed"
    assert report.cost.services == 250_000_000
    with priced.database.read() as connection:
        (spent,) = costs.sums(connection, "pipeline")
    assert (spent.name, spent.jobs, spent.cost) == ("mischief:Mischief", 1, report.cost)


def test_an_attempt_that_went_on_with_finished_stages_is_no_measure(kiln: Any) -> None:
    report = kiln.mischief("once")
    assert (report.succeeded, report.attempt, report.cost) == (True, 2, None)
    with kiln.app.database.read() as connection:
        rows = attempts.of_job(connection, report.job.id)
    assert [row.kind for row in rows] == [None, None]


def test_whose_pipeline_cannot_say_how_much_it_did_has_done_it_all_the_same(kiln: Any) -> None:
    report = kiln.run("mischief:Boastful", {"mischief": "none"})
    assert report.succeeded
    with kiln.app.database.read() as connection:
        (row,) = attempts.of_job(connection, report.job.id)
    assert row.kind is None
