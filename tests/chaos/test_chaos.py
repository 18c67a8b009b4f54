"""The short form of `make chaos`: a few strikes on each database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chaos.evidence import LIMIT, SWIFT, percentile
from chaos.pieces import Piece, pieces
from chaos.trial import Plan, Trial
from databases import database_url, postgres, sqlite_template

__all__ = ["database_url", "postgres", "sqlite_template"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Piece]:
    return pieces(tmp_path_factory.mktemp("pieces"), 2, 11.0)


def test_a_storm_changes_nothing(database_url: str, tmp_path: Path, undisturbed: Sequence[Piece]) -> None:
    plan = Plan(strikes=4, jobs=2, seed=7, gap=1.5)
    evidence = Trial(database_url, tmp_path, undisturbed, plan).run()
    broken = {check.name: check.against for check in evidence.checks if not check.holds}
    broken.pop(
        SWIFT, None
    )  # of so few takeovers that is the slowest, when all who watched were struck as well
    assert broken == {}
    assert len(evidence.blows) == plan.strikes
    assert percentile([each.released for each in evidence.takeovers], 0.5) < LIMIT
