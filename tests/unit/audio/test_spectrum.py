"""The analyser against sounds whose features are known beforehand."""

from __future__ import annotations

import math
import resource
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.audio.features import RECORD, Features
from renderkiln.media.audio.spectrum import SpectrumAnalyser

RATE = 44100
SCALARS = ("low", "mid", "high", "onset", "rms", "phase")


def analyse(
    sound: npt.NDArray[np.float32],
    path: Path,
    *,
    fps: Fraction = Fraction(30),
    rate: int = RATE,
    block: int = 5000,
) -> Features:
    analyser = SpectrumAnalyser(rate, fps, scratch=path.parent)
    for start in range(0, sound.size, block):
        analyser.add(sound[start : start + block])
    return analyser.finish(path, math.ceil(sound.size * fps / rate))


def tone(hertz: float, seconds: float, level: float = 0.5, rate: int = RATE) -> npt.NDArray[np.float32]:
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def noise(level: float) -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-level, level, 2 * RATE).astype(np.float32)


def music(seconds: float) -> npt.NDArray[np.float32]:
    """A kick twice a second, a soft chord, loud in the second half."""
    at = np.arange(int(seconds * RATE)) / RATE
    kick = np.sin(2 * np.pi * 60 * (at % 0.5)) * np.exp(-12 * (at % 0.5))
    chord = sum(np.sin(2 * np.pi * hertz * at) for hertz in (220, 277, 330, 2200)) * 0.04
    return ((kick * 0.6 + chord) * np.where(at < seconds / 2, 0.15, 1)).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "features.npy"


@pytest.mark.parametrize(
    "fps", [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60)]
)
def test_click_lands_on_its_frame(path: Path, fps: Fraction) -> None:
    sound = np.zeros(3 * RATE, np.float32)
    sound[int(1.7 * RATE)] = 0.9
    features = analyse(sound, path, fps=fps)
    onset = features.track("onset")
    assert abs(int(onset.argmax()) - 1.7 * fps) <= 1
    assert onset[: int(1.6 * fps)].max() == 0
    assert len(features) == math.ceil(3 * fps)


def test_the_wave_is_the_one_that_sounds_now(path: Path) -> None:
    sound = np.concatenate([np.zeros(RATE, np.float32), tone(100, 1), np.zeros(RATE, np.float32)])
    loud = np.abs(analyse(sound, path).records["wave"].astype(np.int32)).max(axis=1) > 1000
    assert loud[31:59].all()
    assert not loud[:29].any()
    assert not loud[61:].any()


def test_the_wave_stands_still(path: Path) -> None:
    waves = analyse(tone(173.0, 2), path).records["wave"][10:-10].astype(np.float64)
    spread = waves.std(axis=0).max()
    assert spread < 0.06 * waves.std()


@pytest.mark.parametrize(("hertz", "band"), [(50.0, "low"), (500.0, "mid"), (5000.0, "high")])
def test_tones_are_heard_where_they_belong(path: Path, hertz: float, band: str) -> None:
    record = analyse(tone(hertz, 2), path).records[30]
    levels = {name: float(record[name]) for name in ("low", "mid", "high")}
    assert max(levels, key=lambda name: levels[name]) == band
    strongest = 30 * (14000 / 30) ** ((int(record["bands"].argmax()) + 0.5) / 48)
    assert abs(math.log2(strongest / hertz)) < 0.5  # octaves


def test_frame_rates_agree(path: Path) -> None:
    sound = music(6)
    slow = np.array(analyse(sound, path, fps=Fraction(30)).records)
    fast = np.array(analyse(sound, path, fps=Fraction(60)).records)[::2]
    for name in SCALARS:
        np.testing.assert_allclose(slow[name], fast[name][: len(slow)], atol=1e-5)


def test_block_size_changes_nothing(path: Path) -> None:
    sound = music(4)
    one = analyse(sound, path, block=sound.size).records.tobytes()
    other = analyse(sound, path, block=777).records.tobytes()
    assert one == other


def test_loud_and_quiet(path: Path) -> None:
    records = analyse(music(12), path).records
    quiet, loud = records[30:150], records[210:330]
    assert quiet["rms"].mean() < 0.3 * loud["rms"].mean()
    assert loud["rms"].mean() == pytest.approx(1, abs=0.15)
    assert quiet["low"].mean() < 0.7 * loud["low"].mean()
    assert (np.diff(loud["phase"]).mean()) > 1.5 * np.diff(quiet["phase"]).mean()


def test_every_kick_is_an_onset(path: Path) -> None:
    onset = analyse(music(8), path).track("onset")
    for kick in range(9, 15):
        frame = kick * 15
        assert onset[frame - 1 : frame + 2].max() > 0.5
        assert onset[frame - 3] < 0.4


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(RATE, np.float32), id="silence"),
        pytest.param(np.full(RATE, 0.8, np.float32), id="constant"),
        pytest.param(tone(440, 0.1), id="a tenth of a second"),
        pytest.param(tone(440, 2, level=1.0), id="full-scale tone"),
        pytest.param(noise(1.0), id="full-scale noise"),
        pytest.param(
            np.tile(np.array([np.nan, np.inf, -np.inf, 0.5], np.float32), RATE // 2), id="not finite"
        ),
        pytest.param(tone(440, 1) * np.float32(30), id="far too loud"),
    ],
)
def test_strange_sounds_give_sane_features(path: Path, sound: npt.NDArray[np.float32]) -> None:
    records = analyse(sound, path).records
    assert len(records) == math.ceil(sound.size * 30 / RATE)
    for name in ("bands", *SCALARS):
        assert np.isfinite(records[name]).all()
        assert records[name].min() >= 0
    assert records["bands"].max() <= 1.2001
    assert records["rms"].max() <= 1.3001
    assert records["onset"].max() <= 1.5001
    assert (np.diff(records["phase"]) > 0).all()


def test_silence_is_calm(path: Path) -> None:
    records = analyse(np.zeros(2 * RATE, np.float32), path).records
    assert records["bands"].max() == 0
    assert records["onset"].max() == 0
    assert records["rms"].max() == 0


def test_a_noise_floor_is_not_turned_up(path: Path) -> None:
    records = analyse(noise(10 ** (-70 / 20)), path).records
    assert records["rms"].max() < 0.1
    assert records["bands"].mean() < 0.3
    assert records["onset"].mean() < 0.3


def test_a_quiet_track_is_turned_up(path: Path) -> None:
    records = analyse(music(8) * np.float32(10 ** (-20 / 20)), path).records
    assert records["rms"][130:].mean() > 0.8


@pytest.mark.parametrize("rate", [8000, 48000, 192000])
def test_other_sample_rates(path: Path, rate: int) -> None:
    records = analyse(tone(440, 1, rate=rate), path, rate=rate).records
    assert len(records) == 30
    assert records["mid"][15] > records["low"][15]


def test_memory_is_flat(path: Path) -> None:
    """A quarter of an hour at 60 frames a second writes 40 MB of features and must not hold them."""
    analyser = SpectrumAnalyser(8000, Fraction(60), scratch=path.parent)
    block = np.random.default_rng(3).uniform(-0.5, 0.5, 8000).astype(np.float32)
    for _ in range(60):
        analyser.add(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(840):
        analyser.add(block)
    features = analyser.finish(path, 900 * 60)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(features) == 54_000
    assert path.stat().st_size >= 54_000 * RECORD.itemsize
    assert grown < 25


def test_records_that_were_read_can_be_let_go(path: Path) -> None:
    analyser = SpectrumAnalyser(8000, Fraction(60), scratch=path.parent)
    for block in np.random.default_rng(3).uniform(-0.5, 0.5, (600, 8000)).astype(np.float32):
        analyser.add(block)
    analyser.finish(path, 600 * 60)
    features = Features.load(path, Fraction(60))
    before, low = _resident(), features.records["low"].sum()
    assert _resident() - before > 20
    features.let_go()
    assert _resident() - before < 10
    assert features.records["low"].sum() == low


def _resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
