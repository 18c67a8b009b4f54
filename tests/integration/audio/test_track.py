from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audio_truth import Samples, decibels, largest_jump, pulled, sine
from renderkiln.media.audio.source import RATE
from renderkiln.media.audio.track import Piece, Track
from renderkiln.media.errors import Unreadable

pytestmark = pytest.mark.integration

MakePiece = Callable[..., Piece]


@pytest.fixture
def piece(tmp_path: Path) -> MakePiece:
    """`piece(start, sound, …)` writes an array of shape (channels, n)."""

    def make(start: int, sound: Samples, **values: float) -> Piece:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.f32"
        sound.T.astype(np.float32).tofile(path)
        return Piece(start, path, sound.shape[1], len(sound), **values)  # type: ignore[arg-type]

    return make


def hiss(samples: int, seed: int) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, samples))


@pytest.mark.parametrize("sizes", [(4800,), (1, 999, 4801), (40_000,)])
def test_pieces_are_at_their_places_and_add_up(piece: MakePiece, sizes: tuple[int, ...]) -> None:
    stereo, mono = hiss(9000, 1), hiss(9000, 2)[:1]
    track = Track([piece(20_000, mono, gain_db=-6), piece(15_000, stereo, gain_db=3)])
    sound = pulled(track, 40_000, sizes)
    assert not sound[:, :15_000].any()
    assert not sound[:, 29_000:].any()
    alone = sound[:, 15_240:20_000] / stereo[:, 240:5000]
    assert alone == pytest.approx(np.full_like(alone, 10 ** (3 / 20)), rel=1e-4)
    both = stereo[:, 5240:8760] * 10 ** (3 / 20) + mono[:, 240:3760] * 10 ** (-6 / 20)
    assert np.abs(sound[:, 20_240:23_760] - both).max() < 1e-6


def test_how_it_is_read_does_not_matter(piece: MakePiece) -> None:
    pieces = [piece(100 * n, hiss(5000, n), fade_in=0.02, fade_out=0.06) for n in range(9)]
    whole = Track(pieces).read(8000)
    assert np.array_equal(pulled(Track(pieces), 8000, (1, 77, 1300)), whole)


def test_two_pieces_cross_fade_with_constant_power(piece: MakePiece) -> None:
    first, second = sine(440, 2, 0.5), sine(1130, 2, 0.5)
    pieces = [piece(0, first, fade_out=0.5), piece(round(1.5 * RATE), second, fade_in=0.5)]
    sound = pulled(Track(pieces), round(3.5 * RATE))
    window = RATE // 20  # half a beat of any two
    levels = [decibels(sound[:, at : at + window]) for at in range(4800, sound.shape[1] - 4800, window)]
    assert max(levels) - min(levels) < 0.5
    assert largest_jump(sound) < 0.5 * 2 * np.pi * (440 + 1130) / RATE


def test_nothing_clicks_though_no_fade_is_asked_for(piece: MakePiece) -> None:
    loud = np.full((2, 4800), 0.9)  # the hardest cut there is
    sound = pulled(Track([piece(1000, loud)]), 8000)
    assert largest_jump(sound) < 0.9 * np.pi / 2 / 240 * 1.01
    assert sound[:, 1240:5560] == pytest.approx(np.float32(0.9))


def test_a_fade_is_a_raised_cosine_of_power(piece: MakePiece) -> None:
    sound = pulled(Track([piece(0, np.ones((1, RATE)), fade_in=0.4, fade_out=0.2)]), RATE)
    at = (np.arange(RATE) + 0.5) / RATE
    rising, falling = (0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0, 1)) for x in (at / 0.4, (1 - at) / 0.2))
    assert np.abs(sound[0].astype(np.float64) ** 2 - rising * falling).max() < 1e-6


def test_without_pieces_it_is_silent() -> None:
    assert not Track([]).read(10).any()


def test_many_pieces_do_not_hold_their_files_open(piece: MakePiece) -> None:
    one = piece(0, hiss(600, 1))
    track = Track(replace(one, start=600 * n) for n in range(3000))
    assert np.abs(pulled(track, 600 * 3000, (RATE,))[:, -300]).max() > 0


def test_what_is_no_piece(piece: MakePiece, tmp_path: Path) -> None:
    good = piece(0, hiss(10, 1))
    for start, samples in ((0, 0), (-1, 10)):
        with pytest.raises(ValueError, match="no piece has"):
            replace(good, start=start, samples=samples)
    for gain, fade_in, fade_out in ((0, -1.0, 0), (0, 0, float("nan")), (float("inf"), 0, 0)):
        with pytest.raises(ValueError, match="gain in decibels"):
            replace(good, gain_db=gain, fade_in=fade_in, fade_out=fade_out)
    with pytest.raises(Unreadable, match="has not the 11 samples it should"):
        Track([replace(good, samples=11)])
    with pytest.raises(Unreadable, match=r"none\.f32' cannot be read"):
        Track([replace(good, path=tmp_path / "none.f32")])
