"""Work folders under contention: many who do the same work at once, in one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from renderkiln.engine import workfolder

_THREADS, _TURNS = 16, 150


def test_threads_that_claim_and_remove_the_same_folder_never_share_it_and_never_fail(tmp_path: Path) -> None:
    def turns(who: int) -> None:
        for turn in range(_TURNS):
            with workfolder.claim(tmp_path, "same") as folder:
                mine = folder.files / "mine"
                with mine.open("x") as file:  # fails where somebody else is in here
                    file.write(f"{who}:{turn}")
                folder.remove()

    with ThreadPoolExecutor(_THREADS) as pool:
        for ended in [pool.submit(turns, who) for who in range(_THREADS)]:
            ended.result()

    assert not list(tmp_path.iterdir())
