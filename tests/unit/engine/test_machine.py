"""The name of a machine, which lies in its home folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from renderkiln.domain.errors import UserError
from renderkiln.engine.machine import machine_of


def test_a_home_keeps_the_name_it_got_whoever_comes_first(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: machine_of(home), range(32)))
    assert names == {machine_of(home)}
    assert [each.name for each in home.iterdir()] == ["machine"]
    assert machine_of(tmp_path / "another") not in names


@pytest.mark.parametrize("wrong", ["", "../up", "a b", "x" * 200, "\0"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "machine").write_text(wrong)
    with pytest.raises(UserError, match="remove it"):
        machine_of(tmp_path)
