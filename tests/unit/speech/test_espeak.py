"""What the worker says, whole and in pieces."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.speech.contract import Unavailable, Word
from renderkiln.media.speech.espeak import _answer, _words


def frame(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload


EVENTS = [[1, 1, 0], [5, 4, 400]]
WHOLE = (
    frame(b"R", b'{"rate": 22050}')
    + frame(b"S", b"ab")
    + frame(b"S", b"cd")
    + frame(b"E", json.dumps(EVENTS).encode())
)


def test_a_whole_answer() -> None:
    assert _answer(WHOLE) == (22050, b"abcd", EVENTS)


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_an_answer_that_was_cut_off(length: int) -> None:
    with pytest.raises(Unavailable, match="cut off"):
        _answer(WHOLE[:length])


def test_what_the_worker_complains_of() -> None:
    with pytest.raises(Unavailable, match="does not find its data"):
        _answer(frame(b"X", b'"eSpeak NG does not find its data"'))


def test_words_from_events() -> None:
    """Two events for one word, none for another, and a clause that ends before the next word."""
    text = "It is 3.5 — now, go"
    events = [
        [1, 1, 0],
        [1, 4, 200],
        [1, 7, 300],
        [1, 8, 500],
        [1, 13, 900],
        [5, 16, 1200],
        [1, 18, 1500],
        [5, 19, 2100],
    ]
    assert _words(text, events, 2.0) == (
        Word("It", 0.0, 0.2),
        Word("is", 0.2, 0.3),
        Word("3.5 —", 0.3, 0.9),
        Word("now,", 0.9, 1.2),
        Word("go", 1.5, 2.0),
    )


@given(
    st.text("ab 。你,", max_size=30),
    st.lists(
        st.tuples(st.sampled_from([1, 5]), st.integers(0, 40), st.integers(0, 3000)).map(list), max_size=20
    ),
)
def test_words_of_any_events_are_in_the_text_and_in_order(text: str, events: list[list[int]]) -> None:
    events.sort(key=lambda event: event[2])
    at = 0
    for word in _words(text, events, 2.0):
        assert 0 <= word.start <= word.end <= 2.0
        at = text.index(word.text, at) + len(word.text)
    assert np.all(np.diff([word.start for word in _words(text, events, 2.0)]) >= 0)
