import itertools

import pytest

from renderkiln.media.audio.studio.harmony import Chord, lead, motion
from renderkiln.media.audio.studio.score import score


def test_symbols_are_spelled_as_musicians_spell_them() -> None:
    assert Chord.parse("Dm9") == Chord(2, (2, 5, 9, 0, 4), 2)
    assert Chord.parse("Bbmaj9").root == 10
    assert Chord.parse("F#m7b5").tones == (6, 9, 0, 4)
    assert Chord.parse("C6/9/E") == Chord(0, (0, 2, 4, 9), 4)
    assert Chord.parse("Fmaj9/A").bass == 9


@pytest.mark.parametrize("symbol", ["", "H7", "Cwhat", "Dm9/", "d"])
def test_an_unknown_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="unknown chord"):
        Chord.parse(symbol)


def test_every_voicing_of_the_score_sings_all_of_its_chord() -> None:
    for placed in score():
        sung = {pitch % 12 for pitch in placed.voices} | {placed.bass % 12}
        assert sung == set(placed.chord.tones) | {placed.chord.bass}


def test_voices_move_little_and_never_cross() -> None:
    voicings = [placed.voices for placed in score()]
    for before, after in itertools.pairwise(voicings):
        steps = [abs(b - a) for a, b in zip(before, after, strict=True)]
        assert max(steps) <= 5
        assert sum(steps) / len(steps) <= 3
        assert list(after) == sorted(after)


def test_the_path_is_the_best_of_all_paths() -> None:
    chords = [Chord.parse(symbol) for symbol in ("Dm9", "Gm9", "Cadd9")]
    found = lead(chords, 55, 70)
    middle = (55 + 70) / 2

    def cost(path: tuple[tuple[int, ...], ...]) -> float:
        return abs(sum(path[0]) / 4 - middle) + sum(motion(a, b) for a, b in itertools.pairwise(path))

    best = min(cost(path) for path in itertools.product(*(chord.voicings(55, 70) for chord in chords)))
    assert cost(tuple(found)) == pytest.approx(best)


def test_parallel_fifths_cost_more_than_the_same_steps_elsewhere() -> None:
    assert motion((50, 57), (52, 59)) == motion((50, 54), (52, 56)) + 6
