from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio_truth import measured, pieces
from renderkiln.media.audio.loudness import integrated
from renderkiln.media.audio.source import RATE
from renderkiln.media.audio.spool import Spool
from renderkiln.media.errors import Unreadable, Unsuitable

pytestmark = pytest.mark.integration

SOUND = np.random.default_rng(4).normal(0, 0.2, (2, 3 * RATE + 333)).astype(np.float32)


@pytest.mark.parametrize("size", [4800, 777, 1_000_000])
def test_what_is_kept_is_true(tmp_path: Path, size: int) -> None:
    heard: list[int] = []
    spool = Spool.record(tmp_path / "mix", pieces(SOUND, size), heard.append)
    assert heard[-1] == spool.samples == SOUND.shape[1]
    assert np.array_equal(spool.frames(), SOUND.T)
    padded = np.pad(np.abs(SOUND).max(axis=0), (0, -SOUND.shape[1] % 48))
    assert np.array_equal(spool.peaks(), padded.reshape(-1, 48).max(axis=1))
    hops = spool.energies()[:600].reshape(-1, 20).mean(axis=1)
    assert integrated(hops) == pytest.approx(measured(pieces(SOUND)).integrated, abs=1e-6)


def test_it_opens_as_it_was_recorded(tmp_path: Path) -> None:
    recorded = Spool.record(tmp_path / "mix", pieces(SOUND))
    opened = Spool.open(tmp_path / "mix")
    assert opened == recorded
    assert np.array_equal(opened.energies(), recorded.energies())


def test_changed_peaks_stay_in_memory(tmp_path: Path) -> None:
    spool = Spool.record(tmp_path / "mix", pieces(SOUND))
    spool.peaks()[:] = 9
    assert spool.peaks().max() < 9


def test_a_part_that_is_missing_or_cut_off_is_refused(tmp_path: Path) -> None:
    path = Spool.record(tmp_path / "mix", pieces(SOUND)).path
    with path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(Unreadable, match="mix' is not whole"):
        Spool.open(path)
    (tmp_path / "mix.peaks").unlink()
    with pytest.raises(Unreadable, match="cannot be read: No such file"):
        Spool.open(path)


def test_a_sample_that_is_no_number_is_refused(tmp_path: Path) -> None:
    wrong = SOUND.copy()
    wrong[1, RATE + 100] = np.nan
    with pytest.raises(Unsuitable, match=r"no number, after 1\.0 s"):
        Spool.record(tmp_path / "mix", pieces(wrong))


def test_nothing_is_a_spool_too(tmp_path: Path) -> None:
    spool = Spool.record(tmp_path / "mix", [])
    assert (spool.samples, len(spool.frames()), len(spool.peaks())) == (0, 0, 0)
    assert Spool.open(tmp_path / "mix") == spool
